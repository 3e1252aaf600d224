//! Whether a value is as a schema of the published OpenAPI says.

use serde_json::{Value, json};

/// Words of a schema that say nothing of a value's form.
const NOTES: [&str; 6] = ["title", "description", "default", "readOnly", "writeOnly", "format"];

/// What of a value is not as a schema says, and where. References are into `schemas`, by name.
///
/// # Panics
/// Where a schema says something that is not understood here: then this file is to learn it.
pub fn problem(schemas: &Value, schema: &Value, own: &Value) -> Option<String> {
    schema.as_object()?.iter().find_map(|(word, told)| {
        let all = || told.as_array().into_iter().flatten();
        let fits = |schema: &&Value| problem(schemas, schema, own).is_none();
        let least = || told.as_f64().unwrap_or(f64::MIN);
        let most = || told.as_f64().unwrap_or(f64::MAX);
        let wrong = match word.as_str() {
            "$ref" => {
                let name = told.as_str()?.rsplit('/').next()?;
                return problem(schemas, &schemas[name], own);
            }
            "allOf" => return all().find_map(|schema| problem(schemas, schema, own)),
            "anyOf" => !all().any(|schema| fits(&schema)),
            "oneOf" => all().filter(fits).count() != 1,
            "enum" => !all().any(|word| word == own),
            "type" => !is_a(told.as_str()?, own),
            "minimum" => own.as_f64().is_some_and(|own| own < least()),
            "exclusiveMinimum" => own.as_f64().is_some_and(|own| own <= least()),
            "maximum" => own.as_f64().is_some_and(|own| own > most()),
            "minLength" => length(own).is_some_and(|own| own < least()),
            "maxLength" => length(own).is_some_and(|own| own > most()),
            "minItems" => size(own).is_some_and(|own| own < least()),
            "maxItems" => size(own).is_some_and(|own| own > most()),
            "required" => all().filter_map(Value::as_str).any(|name| own.get(name).is_none()),
            "properties" => {
                return told.as_object()?.iter().find_map(|(name, schema)| {
                    let problem = problem(schemas, schema, own.get(name)?)?;
                    Some(format!("{name}: {problem}"))
                });
            }
            "items" => return own.as_array()?.iter().find_map(|own| problem(schemas, told, own)),
            "additionalProperties" => return others(schemas, schema, told, own),
            // A manager prints no nulls; a type that may be null is printed, or is not there.
            "nullable" => false,
            word if NOTES.contains(&word) => false,
            word => panic!("{word} is not understood"),
        };
        wrong.then(|| format!("{own} against {word} {told}"))
    })
}

/// Members that `properties` does not name.
fn others(schemas: &Value, schema: &Value, told: &Value, own: &Value) -> Option<String> {
    let mut others =
        own.as_object()?.iter().filter(|(name, _)| schema["properties"][*name].is_null());
    match told {
        Value::Bool(true) => None,
        Value::Bool(false) => others.next().map(|(name, _)| format!("{name} is not described")),
        schema => others.find_map(|(_, own)| problem(schemas, schema, own)),
    }
}

fn is_a(form: &str, own: &Value) -> bool {
    match form {
        "object" => own.is_object(),
        "array" => own.is_array(),
        "string" => own.is_string(),
        "boolean" => own.is_boolean(),
        "integer" => own.is_i64() || own.is_u64(),
        "number" => own.is_number(),
        form => panic!("{form} is no type"),
    }
}

#[allow(clippy::cast_precision_loss, reason = "sizes are small")]
fn length(own: &Value) -> Option<f64> {
    Some(own.as_str()?.chars().count() as f64)
}

#[allow(clippy::cast_precision_loss, reason = "sizes are small")]
fn size(own: &Value) -> Option<f64> {
    Some(own.as_array()?.len() as f64)
}

#[test]
fn a_value_that_is_not_as_described_is_found_out() {
    let schemas = json!({
        "Tag": {"type": "object", "properties": {"tag": {"type": "string", "maxLength": 2}}, "additionalProperties": false},
        "Tags": {"type": "array", "items": {"$ref": "#/components/schemas/Tag"}, "minItems": 1},
        "Port": {"oneOf": [
            {"required": ["up"], "properties": {"up": {"enum": ["UP"]}}},
            {"required": ["down"], "properties": {"down": {"type": "integer", "maximum": 7}}},
        ]},
    });
    let found = |name: &str, own: Value| problem(&schemas, &schemas[name], &own);
    for (name, own) in [
        ("Tags", json!([{"tag": "ab"}, {}])),
        ("Port", json!({"up": "UP"})),
        ("Port", json!({"down": 7, "more": null})),
    ] {
        assert_eq!(found(name, own), None);
    }
    for (name, own) in [
        ("Tags", json!([])),
        ("Tags", json!({})),
        ("Tags", json!([{"tag": "abc"}])),
        ("Tags", json!([{"tag": "a"}, {"tag": null}])),
        ("Tags", json!([{"tag": "a", "scope": "b"}])),
        ("Port", json!({})),
        ("Port", json!({"up": "DOWN"})),
        ("Port", json!({"down": 8})),
        ("Port", json!({"up": "UP", "down": 1})),
    ] {
        assert!(found(name, own.clone()).is_some(), "{name} {own}");
    }
}
