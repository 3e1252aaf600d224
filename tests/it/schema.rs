//! Every kind has the members, limits, words and defaults that the published API has. What differs
//! stands in `tests/golden/schema-differences.txt`, each with its reason, and the list may only shrink.

use nsx_sim::kinds::KINDS;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use tests::{Facts, Manager, Member, Type};

/// The members of every managed resource; they are one type here.
const HEADER: [&str; 15] = [
    "id",
    "display_name",
    "description",
    "tags",
    "resource_type",
    "_revision",
    "_create_user",
    "_create_time",
    "_last_modified_user",
    "_last_modified_time",
    "_system_owned",
    "_protection",
    "_schema",
    "_self",
    "_links",
];

struct Comparison<'a> {
    schemas: &'a Map<String, Value>,
    facts: &'a Facts,
    seen: BTreeSet<String>,
    found: BTreeSet<String>,
}

impl<'a> Comparison<'a> {
    fn tell(&mut self, place: &str, what: impl AsRef<str>) {
        self.found.insert(format!("{place} {}", what.as_ref()));
    }

    /// A schema without the wrappers of references and of what may be absent.
    fn plain(&self, mut schema: &'a Value) -> &'a Value {
        loop {
            if let Some(name) = schema["$ref"].as_str() {
                schema = &self.schemas[name.rsplit('/').next().unwrap()];
            } else if let Some([one]) = schema["allOf"].as_array().map(Vec::as_slice) {
                schema = one;
            } else if let Some([one, _]) = schema["anyOf"].as_array().map(Vec::as_slice) {
                // One type, or null.
                schema = one;
            } else {
                return schema;
            }
        }
    }

    fn typed(&mut self, name: &str, schema: &'a Value, top: bool) {
        let schema = self.plain(schema);
        let facts = self.facts;
        match facts.get(name) {
            None => self.tell(name, "is no type of the published API"),
            Some(_) if !self.seen.insert(name.to_owned()) => {}
            Some(Type::Object(members)) => {
                let own = schema["properties"].as_object();
                let Some(own) = own else { return self.tell(name, "has no members here") };
                for (member, fact) in members {
                    let place = format!("{name}.{member}");
                    match own.get(*member) {
                        Some(schema) => self.member(&place, fact, schema),
                        // The word that tells the type is read apart.
                        None if fact.words == [name] || *member == "resource_type" => {}
                        None => self.tell(&place, "is missing"),
                    }
                    let required = schema["required"].as_array();
                    let required = required.is_some_and(|all| all.iter().any(|one| one == member));
                    // What has a default may be left out, though the description calls it required:
                    // it is always there in answers.
                    let needed = fact.required && !fact.read_only && fact.default.is_none();
                    if required != needed && own.contains_key(*member) {
                        let be = if required { "is required here" } else { "is not required here" };
                        self.tell(&place, be);
                    }
                }
                for member in own.keys().filter(|own| !members.contains_key(own.as_str())) {
                    if !(top && HEADER.contains(&member.as_str()) || member.starts_with('_')) {
                        self.tell(&format!("{name}.{member}"), "is not of the published type");
                    }
                }
            }
            Some(Type::OneOf { variants, .. }) => {
                let own = schema["oneOf"].as_array();
                let Some(own) = own else { return self.tell(name, "is not polymorphic here") };
                for variant in variants {
                    match own.iter().find(|schema| schema["title"] == *variant) {
                        Some(schema) => self.typed(variant, schema, top),
                        None => self.tell(name, format!("lacks the variant {variant}")),
                    }
                }
            }
        }
    }

    fn member(&mut self, place: &str, fact: &Member, schema: &'a Value) {
        let (read_only, own) = (schema["readOnly"] == true, &schema["default"]);
        let schema = self.plain(schema);
        if read_only || fact.read_only {
            // What only the manager sets, callers may send as they like.
            if read_only != fact.read_only {
                let be = if read_only { "is read-only here" } else { "is not read-only here" };
                self.tell(place, be);
            }
            return;
        }
        if let Some(default) = &fact.default
            && !same(default, own)
            && !(own.is_null() && is_nothing(default))
        {
            self.tell(place, format!("has default {own} and not {default}"));
        }
        if let Some(item) = fact.items() {
            self.limits(place, fact, schema, "minItems", "maxItems");
            self.form(place, item, fact, &schema["items"]);
        } else {
            self.form(place, fact.form, fact, schema);
            match fact.form {
                "text" => self.limits(place, fact, schema, "minLength", "maxLength"),
                "int" => self.limits(place, fact, schema, "minimum", "maximum"),
                _ => {}
            }
        }
    }

    fn form(&mut self, place: &str, form: &str, fact: &Member, schema: &'a Value) {
        let schema = self.plain(schema);
        // The words of an enum stand in a list, or one by one where they are explained.
        let words = |schema: &'a Value| schema["enum"].as_array().into_iter().flatten();
        let explained = schema["oneOf"].as_array().into_iter().flatten().flat_map(words);
        let own_words: BTreeSet<&str> =
            words(schema).chain(explained).filter_map(Value::as_str).collect();
        let own = if own_words.is_empty() { schema["type"].as_str() } else { Some("string") };
        let own = own.unwrap_or_default();
        let expected = match form {
            "text" => "string",
            "int" => "integer",
            "bool" => "boolean",
            "float" => "number",
            "any" | "object" => return,
            name => return self.typed(name, schema, false),
        };
        if own != expected {
            return self.tell(place, format!("is a {own} and not a {expected}"));
        }
        let words: BTreeSet<&str> = fact.words.iter().map(String::as_str).collect();
        // A member that tells the type takes its own word alone.
        let tells = own_words.iter().any(|word| place.split('.').next() == Some(word));
        if form == "text" && own_words != words && !place.ends_with(".resource_type") && !tells {
            self.tell(place, format!("takes {own_words:?} and not {words:?}"));
        }
    }

    fn limits(&mut self, place: &str, fact: &Member, schema: &Value, min: &str, max: &str) {
        for (name, fact) in
            [(min, fact.min.filter(|least| *least != 0 || min == "minimum")), (max, fact.max)]
        {
            let own = schema[name].as_i64().or_else(|| schema[name].as_f64().map(|own| own as i64));
            let width =
                || Some(i32::MAX.into()).filter(|_| name == max && schema["format"] == "int32");
            let own = own.or_else(width);
            if own != fact {
                let print = |limit: Option<i64>| limit.map_or("none".into(), |own| own.to_string());
                self.tell(place, format!("has {name} {} and not {}", print(own), print(fact)));
            }
        }
    }
}

fn same(one: &Value, other: &Value) -> bool {
    one == other || one.as_f64().is_some_and(|one| Some(one) == other.as_f64())
}

fn is_nothing(value: &Value) -> bool {
    *value == false || *value == "" || value.as_array().is_some_and(Vec::is_empty)
}

#[test]
fn kinds_have_the_published_members() {
    let manager = Manager::new();
    let document = manager.get("/spec/openapi/nsx_api.json").expect(200);
    let facts = Facts::read();
    let mut comparison = Comparison {
        schemas: document["components"]["schemas"].as_object().unwrap(),
        facts: &facts,
        seen: BTreeSet::new(),
        found: BTreeSet::new(),
    };
    for kind in KINDS.iter().filter(|kind| kind.verbs.create || kind.verbs.update) {
        let Some(schema) = comparison.schemas.get(&format!("{}Request", kind.name)) else {
            continue;
        };
        match facts.name_of_kind(kind.name) {
            Some(name) => comparison.typed(&name, schema, true),
            None => comparison.tell(kind.name, "is no type of the published API"),
        }
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/schema-differences.txt");
    let known = std::fs::read_to_string(&file).unwrap();
    let known: BTreeMap<&str, &str> =
        known.lines().map(|line| line.split_once(" -- ").unwrap_or((line, ""))).collect();
    let differs = |line: &str| comparison.found.contains(line);
    let new: Vec<&String> =
        comparison.found.iter().filter(|line| !known.contains_key(line.as_str())).collect();
    assert!(new.is_empty(), "{new:#?}");
    let bare: Vec<_> = known.iter().filter(|(_, reason)| reason.is_empty()).collect();
    assert!(bare.is_empty(), "without a reason: {bare:#?}");
    if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        let left = known.iter().filter(|(line, _)| differs(line));
        let left: String = left.map(|(line, reason)| format!("{line} -- {reason}\n")).collect();
        std::fs::write(&file, left).unwrap();
        return;
    }
    let gone: Vec<_> = known.keys().filter(|line| !differs(line)).collect();
    assert!(gone.is_empty(), "no difference now; UPDATE_GOLDEN=1 takes it off the list: {gone:#?}");
}
