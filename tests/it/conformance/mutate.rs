//! Bodies made from one that is right and the facts on its type: each wrong in one thing, or right
//! in another way.

use serde_json::{Map, Value, json};
use tests::{Facts, Member, Type};

/// What must come of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// It is taken.
    Taken,
    /// It is refused with 400.
    Refused,
    /// It is taken, or refused for a reason that the type does not tell.
    Judged,
}

/// A body and what must come of it.
pub struct Case {
    /// Where it differs and how.
    pub name: String,
    /// The body.
    pub body: Value,
    /// What must come of it.
    pub expect: Expect,
}

/// All cases around a body of a type.
pub fn cases(facts: &Facts, of: &str, body: &Value) -> Vec<Case> {
    let mut around = Around { facts, base: body, cases: Vec::new() };
    around.object(of, body, "", 0);
    around.cases
}

/// Objects within objects are followed so far.
const DEPTH: usize = 4;

struct Around<'a> {
    facts: &'a Facts,
    base: &'a Value,
    cases: Vec<Case>,
}

impl<'a> Around<'a> {
    /// A case in which the object at a place has a member set, or lacks it.
    fn case(&mut self, place: &str, member: &str, how: &str, value: Option<Value>, expect: Expect) {
        let mut body = self.base.clone();
        let Some(Value::Object(object)) = body.pointer_mut(place) else { return };
        match value {
            Some(value) => object.insert(member.to_owned(), value),
            None => object.shift_remove(member),
        };
        self.cases.push(Case { name: format!("{place}/{member} {how}"), body, expect });
    }

    fn object(&mut self, of: &str, own: &'a Value, place: &str, depth: usize) {
        let facts = self.facts;
        let Some(own) = own.as_object() else { return };
        self.case(place, "no_such_member", "unknown", Some(json!(1)), Expect::Refused);
        match facts.get(of) {
            Some(Type::Object(members)) => {
                for (name, fact) in members {
                    self.member(name, fact, own.get(*name), place, depth);
                }
            }
            Some(Type::OneOf { variants, by }) => {
                let told = own.get(*by).and_then(Value::as_str).unwrap_or_default();
                self.case(place, by, "of no type", Some(json!("NoSuchType")), Expect::Refused);
                self.case(place, by, "left out", None, Expect::Refused);
                if let Some(Type::Object(members)) =
                    variants.iter().find(|own| **own == told).and_then(|own| facts.get(own))
                {
                    for (name, fact) in members.iter().filter(|(name, _)| *name != by) {
                        self.member(name, fact, own.get(*name), place, depth);
                    }
                }
            }
            None => {}
        }
    }

    fn member(
        &mut self,
        name: &str,
        fact: &Member,
        own: Option<&'a Value>,
        place: &str,
        depth: usize,
    ) {
        if fact.read_only {
            return self.case(place, name, "sent", Some(json!({"x": [1]})), Expect::Taken);
        }
        // Some members are both required and have a default: those may be left out.
        if fact.required && own.is_some() && fact.default.is_none() {
            self.case(place, name, "left out", None, Expect::Refused);
            self.case(place, name, "null", Some(Value::Null), Expect::Refused);
        }
        if own.is_none() && !fact.required {
            self.case(place, name, "null", Some(Value::Null), Expect::Taken);
        }
        let item = fact.items();
        let wrong = if item.is_some() { json!({}) } else { json!([[]]) };
        self.case(place, name, "of another form", Some(wrong), Expect::Refused);
        let form = item.unwrap_or(fact.form);
        for (how, value, expect) in values(form, fact, item.is_some()) {
            let value = if item.is_some() { json!([value]) } else { value };
            self.case(place, name, &how, Some(value), expect);
        }
        if let (Some(_), Some(max)) = (item, fact.max.and_then(|max| usize::try_from(max).ok()))
            && max <= 2000
        {
            let one = own.and_then(|own| own.get(0)).cloned();
            let one = one.unwrap_or_else(|| self.example(form, fact, depth + 1));
            let many = Value::Array(vec![one; max + 1]);
            self.case(place, name, "too many", Some(many), Expect::Refused);
        }
        if self.facts.get(form).is_some() && depth < DEPTH {
            match own {
                Some(Value::Array(items)) => {
                    for (at, own) in items.iter().enumerate().take(2) {
                        self.object(form, own, &format!("{place}/{name}/{at}"), depth + 1);
                    }
                }
                Some(own) => self.object(form, own, &format!("{place}/{name}"), depth + 1),
                None => {
                    let example = self.example(form, fact, depth + 1);
                    let value = if item.is_some() { json!([example]) } else { example };
                    self.case(place, name, "as small as can be", Some(value), Expect::Judged);
                }
            }
        }
    }

    /// The smallest value of a form that the type allows.
    fn example(&self, form: &str, fact: &Member, depth: usize) -> Value {
        if let Some(word) = fact.words.first() {
            return json!(word);
        }
        match form {
            "text" => json!(match fact.format {
                Some("ip" | "ipv4" | "address-or-block-or-range" | "hostname-or-ip") => "10.9.8.7",
                Some("ipv6") => "fd00::7",
                Some("ip-cidr-block" | "ipv4-cidr-block") => "10.9.8.0/24",
                Some("ipv6-cidr-block") => "fd00::/64",
                Some("port-or-range") => "80",
                _ => "text",
            }),
            "int" => json!(fact.min.unwrap_or(1)),
            "bool" => json!(true),
            "float" => json!(1.0),
            "object" | "any" => json!({}),
            name => match self.facts.get(name) {
                Some(Type::Object(members)) if depth < DEPTH + 2 => {
                    self.smallest(members.iter(), depth)
                }
                Some(Type::OneOf { variants, by }) if depth < DEPTH + 2 => {
                    let Some(Type::Object(members)) = self.facts.get(variants[0]) else {
                        return json!({});
                    };
                    let mut value = self.smallest(members.iter(), depth);
                    value[*by] = json!(variants[0]);
                    value
                }
                _ => json!({}),
            },
        }
    }

    fn smallest<'m>(
        &self,
        members: impl Iterator<Item = (&'m &'static str, &'m Member)>,
        depth: usize,
    ) -> Value {
        let needed = members.filter(|(_, fact)| fact.required && !fact.read_only);
        let made = needed.map(|(name, fact)| {
            let form = fact.items().unwrap_or(fact.form);
            let value = self.example(form, fact, depth + 1);
            let several = || vec![value.clone(); fact.min.map_or(1, |min| min.max(1) as usize)];
            let value = if fact.items().is_some() { several().into() } else { value.clone() };
            ((*name).to_owned(), value)
        });
        Value::Object(made.collect::<Map<_, _>>())
    }
}

/// Values of a plain form: right ones, and wrong ones.
fn values(form: &str, fact: &Member, in_list: bool) -> Vec<(String, Value, Expect)> {
    let mut all = Vec::new();
    let mut add = |how: &str, value: Value, expect| all.push((how.to_owned(), value, expect));
    match form {
        "text" if !fact.words.is_empty() => {
            for word in &fact.words {
                add(&format!("= {word}"), json!(word), Expect::Judged);
            }
            add("none of the words", json!("NO_SUCH_WORD"), Expect::Refused);
        }
        "text" => {
            if let Some(max) = fact.max.filter(|_| !in_list) {
                add("too long", json!("a".repeat(max as usize + 1)), Expect::Refused);
            }
            if let Some(format) = fact.format {
                add(&format!("no {format}"), json!("not/of this! form"), Expect::Refused);
            }
        }
        "int" => {
            add("no number", json!("many"), Expect::Refused);
            add("beyond all numbers", json!("99999999999999999999"), Expect::Refused);
            if !in_list {
                if let Some(min) = fact.min {
                    add("least", json!(min), Expect::Judged);
                    add("less than least", json!(min - 1), Expect::Refused);
                }
                if let Some(max) = fact.max {
                    add("most", json!(max), Expect::Judged);
                    add("more than most", json!(max + 1), Expect::Refused);
                }
            }
        }
        "bool" => {
            add("true", json!(true), Expect::Judged);
            add("false as text", json!("false"), Expect::Judged);
            add("neither true nor false", json!("maybe"), Expect::Refused);
        }
        _ => {}
    }
    all
}
