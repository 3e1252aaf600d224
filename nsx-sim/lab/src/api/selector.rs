//! Label and field selectors, as text in a query and as members of objects.

use super::error::Error;
use super::kinds::names;
use super::store::Object;
use serde_json::Value;
use std::collections::BTreeMap;

/// What must hold of an object's labels and fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selector {
    labels: Vec<Requirement>,
    /// Path, whether it must be equal, value.
    fields: Vec<(String, bool, String)>,
}

#[derive(Clone, Debug, PartialEq)]
struct Requirement {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Operator {
    In,
    NotIn,
    Exists,
    Missing,
    Greater,
    Less,
}

impl Requirement {
    fn holds(&self, value: Option<&str>) -> bool {
        let among = |v: &str| self.values.iter().any(|w| w == v);
        let number = |v: &str| v.parse::<i64>().ok();
        let bound = self.values.first().and_then(|v| number(v));
        match self.operator {
            Operator::In => value.is_some_and(among),
            Operator::NotIn => !value.is_some_and(among),
            Operator::Exists => value.is_some(),
            Operator::Missing => value.is_none(),
            Operator::Greater => value.and_then(number).zip(bound).is_some_and(|(v, b)| v > b),
            Operator::Less => value.and_then(number).zip(bound).is_some_and(|(v, b)| v < b),
        }
    }
}

impl Selector {
    /// Reads the two selectors of a query; both may be empty.
    pub fn parse(labels: &str, fields: &str) -> Result<Selector, Error> {
        Ok(Selector { labels: parse_labels(labels)?, fields: parse_fields(fields)? })
    }

    /// Whether everything matches.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    /// Whether the object matches. A path that its kind cannot be selected by never matches: who
    /// took the selector from a query checks it by [`Selector::unknown_field`].
    pub fn matches(&self, object: &Object) -> bool {
        let labels = &object.meta.labels;
        self.labels.iter().all(|r| r.holds(labels.get(&r.key).map(String::as_str)))
            && self.fields.iter().all(|(path, equal, value)| {
                object.field(path).is_some_and(|is| (is == value) == *equal)
            })
    }

    /// The first path that the kind cannot be selected by.
    pub fn unknown_field(&self, known: &[&'static str]) -> Option<&str> {
        let always = ["metadata.name", "metadata.namespace"];
        let paths = self.fields.iter().map(|(path, ..)| path.as_str());
        let mut unknown = paths.filter(|p| !always.contains(p) && !known.contains(p));
        unknown.next()
    }

    /// The name that the object must have, if the selector asks for one.
    pub fn name(&self) -> Option<&str> {
        let mut names = self.fields.iter().filter(|(p, equal, _)| p == "metadata.name" && *equal);
        names.next().map(|(.., name)| name.as_str())
    }
}

fn parse_labels(text: &str) -> Result<Vec<Requirement>, Error> {
    let mut requirements = Vec::new();
    for part in split(text) {
        requirements.push(parse_requirement(part.trim()).ok_or_else(|| {
            Error::bad_request(format!(
                "unable to parse requirement: found {part:?}, expected: a label selector"
            ))
        })?);
    }
    Ok(requirements)
}

/// The parts between commas that stand in no parentheses.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0i32, 0);
    for (place, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..place]);
                start = place + 1;
            }
            _ => {}
        }
    }
    if !text.trim().is_empty() {
        parts.push(&text[start..]);
    }
    parts
}

fn parse_requirement(part: &str) -> Option<Requirement> {
    let make = |key: &str, operator, values: Vec<String>| {
        let key = key.trim();
        let bad =
            names::key(key).is_some() || values.iter().any(|v| names::label_value(v).is_some());
        (!bad).then(|| Requirement { key: key.to_owned(), operator, values })
    };
    let one = |value: &str| vec![value.trim().to_owned()];
    if let Some((key, value)) = part.split_once("!=") {
        return make(key, Operator::NotIn, one(value));
    }
    if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return make(key, Operator::In, one(value));
    }
    if let Some(open) = part.find('(') {
        let values = part[open + 1..].trim().strip_suffix(')')?;
        let values = values.split(',').map(|v| v.trim().to_owned()).collect();
        let mut words = part[..open].split_whitespace();
        let (key, operator) = (words.next()?, words.next()?);
        let operator = match operator {
            "in" => Operator::In,
            "notin" => Operator::NotIn,
            _ => return None,
        };
        return words.next().is_none().then(|| make(key, operator, values))?;
    }
    for (sign, operator) in [('>', Operator::Greater), ('<', Operator::Less)] {
        if let Some((key, value)) = part.split_once(sign) {
            value.trim().parse::<i64>().ok()?;
            return make(key, operator, one(value));
        }
    }
    match part.strip_prefix('!') {
        Some(key) => make(key, Operator::Missing, Vec::new()),
        None => make(part, Operator::Exists, Vec::new()),
    }
}

fn parse_fields(text: &str) -> Result<Vec<(String, bool, String)>, Error> {
    let mut fields = Vec::new();
    for part in text.split(',').filter(|p| !p.is_empty()) {
        let (path, equal, value) = if let Some((path, value)) = part.split_once("!=") {
            (path, false, value)
        } else if let Some((path, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
            (path, true, value)
        } else {
            return Err(Error::bad_request(format!(
                "invalid selector: {text:?}; can't understand {part:?}"
            )));
        };
        fields.push((path.to_owned(), equal, value.to_owned()));
    }
    Ok(fields)
}

fn of_object(selector: &Value) -> Vec<Requirement> {
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let labels = selector["matchLabels"].as_object().into_iter().flatten();
    let mut all: Vec<Requirement> = labels
        .map(|(key, value)| Requirement {
            key: key.clone(),
            operator: Operator::In,
            values: vec![text(value)],
        })
        .collect();
    for expression in selector["matchExpressions"].as_array().into_iter().flatten() {
        let operator = match expression["operator"].as_str() {
            Some("In") => Operator::In,
            Some("NotIn") => Operator::NotIn,
            Some("Exists") => Operator::Exists,
            // What is not known matches as little as possible.
            _ => Operator::Missing,
        };
        let values = expression["values"].as_array().into_iter().flatten().map(text).collect();
        all.push(Requirement { key: text(&expression["key"]), operator, values });
    }
    all
}

/// Whether a selector as it stands in an object (`matchLabels`, `matchExpressions`) selects these
/// labels. An empty one selects all.
pub fn selects(selector: &Value, labels: &Value) -> bool {
    of_object(selector).iter().all(|r| r.holds(labels[r.key.as_str()].as_str()))
}

/// Whether all of these labels (a service's selector) are among those. An empty selector has none.
pub fn has_all(selector: &Value, labels: &BTreeMap<String, String>) -> bool {
    let Some(wanted) = selector.as_object().filter(|m| !m.is_empty()) else { return false };
    wanted.iter().all(|(key, value)| labels.get(key).map(String::as_str) == value.as_str())
}

/// A selector of an object as text.
pub fn printed(selector: &Value) -> String {
    let parts = of_object(selector).into_iter().map(|r| match r.operator {
        Operator::In if r.values.len() == 1 => format!("{}={}", r.key, r.values[0]),
        Operator::In => format!("{} in ({})", r.key, r.values.join(",")),
        Operator::NotIn => format!("{} notin ({})", r.key, r.values.join(",")),
        Operator::Exists => r.key,
        _ => format!("!{}", r.key),
    });
    parts.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn holds(selector: &str, labels: &[(&str, &str)]) -> bool {
        let labels: BTreeMap<_, _> = labels.iter().copied().collect();
        let all = parse_labels(selector).unwrap();
        all.iter().all(|r| r.holds(labels.get(r.key.as_str()).copied()))
    }

    #[test]
    fn label_selectors_of_every_form_are_read() {
        let labels = [("app", "a"), ("tier", "2")];
        for yes in ["", "app=a", "app==a", "app!=b", "app in (a,b)", "x notin (y)", "app", "!x"] {
            assert!(holds(yes, &labels), "{yes}");
        }
        for no in ["app=b", "x=y", "app!=a", "app in (b)", "app notin (a, c)", "x", "!app"] {
            assert!(!holds(no, &labels), "{no}");
        }
        assert!(holds("tier>1,tier<3,app in (a, b),!x", &labels));
    }

    #[test]
    fn what_is_no_selector_is_refused() {
        for bad in ["app=(", "app in a", "=a", "a b", "app in (a) b"] {
            assert!(parse_labels(bad).is_err(), "{bad}");
        }
        assert!(parse_fields("spec.nodeName").is_err());
    }

    #[test]
    fn selectors_of_objects_select_and_print() {
        let selector = json!({
            "matchLabels": {"app": "a"},
            "matchExpressions": [{"key": "tier", "operator": "In", "values": ["1", "2"]}],
        });
        assert!(selects(&selector, &json!({"app": "a", "tier": "2"})));
        assert!(!selects(&selector, &json!({"app": "a"})));
        assert_eq!(printed(&selector), "app=a,tier in (1,2)");
    }
}
