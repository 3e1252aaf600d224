//! The description that a manager publishes of itself.

use serde_json::Value;
use std::collections::BTreeSet;
use tests::Manager;

fn document() -> Value {
    Manager::new().get("/spec/openapi/nsx_api.json").expect(200)
}

/// Every object within a value.
fn each<'a>(value: &'a Value, look: &mut dyn FnMut(&'a Value)) {
    look(value);
    match value {
        Value::Object(members) => members.values().for_each(|part| each(part, look)),
        Value::Array(parts) => parts.iter().for_each(|part| each(part, look)),
        _ => {}
    }
}

#[test]
fn all_that_it_refers_to_is_in_it() {
    let document = document();
    each(&document, &mut |part| {
        if let Some(target) = part.get("$ref").and_then(Value::as_str) {
            let place = target.strip_prefix('#').expect("it refers to nothing but itself");
            assert!(document.pointer(place).is_some(), "{target}");
        }
    });
}

#[test]
fn no_member_is_both_told_only_and_sent_only() {
    each(&document()["components"], &mut |part| {
        let both = part.get("readOnly").is_some() && part.get("writeOnly").is_some();
        assert!(!both, "{part}");
    });
}

#[test]
fn parts_of_paths_have_the_published_names_and_each_path_its_parameters() {
    let document = document();
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.contains_key("/api/v1/firewall/sections/{section-id}/rules/{rule-id}"));
    for (path, verbs) in paths {
        let parts: BTreeSet<&str> =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        for (verb, operation) in verbs.as_object().unwrap() {
            let named = operation["parameters"].as_array().unwrap().iter();
            let named = named.filter(|own| own["in"] == "path");
            let named: BTreeSet<&str> = named.filter_map(|own| own["name"].as_str()).collect();
            assert_eq!(named, parts, "{verb} {path}");
        }
    }
}

#[test]
fn statuses_bodies_and_required_words_are_those_of_the_calls() {
    let document = document();
    let of = |path: &str, verb: &str| document["paths"][path][verb].clone();
    let made = of("/api/v1/ip-sets", "post");
    assert!(made["responses"]["201"].is_object(), "{made}");
    let sent = &made["requestBody"]["content"]["application/json"]["schema"]["$ref"];
    assert_eq!(sent, "#/components/schemas/IPSetRequest");
    let search = of("/api/v1/search", "get");
    let query = search["parameters"].as_array().unwrap().iter().find(|own| own["name"] == "query");
    assert_eq!(query.expect("search has a query")["required"], true);
    let ports = of("/api/v1/logical-ports", "get");
    let names: Vec<&Value> =
        ports["parameters"].as_array().unwrap().iter().map(|own| &own["name"]).collect();
    assert!(names.iter().any(|name| *name == "attachment_id"), "{names:?}");
}
