//! What `schemas.json` is made of: the schemas of all kinds, as the types that read them tell.

use super::components::request;
use crate::http::Api;
use crate::inventory::{Header, Kind, Level};
use crate::world::{Settings, World};
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// All schemas of the kinds, and of errors, by name.
pub fn described() -> Map<String, Value> {
    let mut generator = SchemaSettings::openapi3()
        .for_deserialize()
        .with(|settings| settings.meta_schema = None)
        .into_generator();
    let mut schemas = BTreeMap::from([("ApiError".to_owned(), api_error())]);
    for kind in kinds() {
        let schema = schema_of(kind, &mut generator);
        schemas.insert(request(kind), sent(closed(&schema, kind).to_value()));
        schemas.insert(kind.name.to_owned(), told(open(schema).to_value(), true));
    }
    for (name, schema) in generator.take_definitions(true) {
        schemas.insert(format!("{name}RequestMember"), sent(schema.clone()));
        schemas.insert(format!("{name}Member"), told(schema, false));
    }
    schemas.into_iter().collect()
}

/// The kinds whose plain verbs are served.
fn kinds() -> impl Iterator<Item = &'static Kind> {
    let api = Api::new(Arc::new(World::new(Settings::default()).unwrap()));
    let served = api.operations().into_iter().filter(|own| own.level > Level::Absent);
    served.filter_map(|own| own.of).map(|(kind, _)| kind)
}

/// The kind's own members.
fn schema_of(kind: &Kind, generator: &mut SchemaGenerator) -> Schema {
    let mut schema = (kind.schema)(generator);
    for transform in generator.transforms_mut() {
        transform.transform(&mut schema);
    }
    schema
}

/// What a caller may send: the kind's members, the header's, and nothing else.
fn closed(schema: &Schema, kind: &Kind) -> Schema {
    let mut schema = schema.clone();
    let read_only = || json!({ "readOnly": true });
    let told = kind.read_only.iter().map(|name| ((*name).to_owned(), read_only()));
    let names: Vec<&str> = [kind.name].into_iter().chain(kind.aliases.iter().copied()).collect();
    let named = ("resource_type".to_owned(), json!({ "type": "string", "enum": names }));
    each_object(&mut schema, &|object| {
        add(object, told.clone().chain([named.clone()]).chain(header()));
    });
    schema
}

/// What the manager answers: the kind's members and the header's, and what follows from them.
fn open(mut schema: Schema) -> Schema {
    let named = ("resource_type".to_owned(), json!({ "type": "string" }));
    each_object(&mut schema, &|object| add(object, [named.clone()].into_iter().chain(header())));
    schema
}

/// A schema in the form for requests.
fn sent(mut schema: Value) -> Value {
    each_part(&mut schema, &|object| {
        point(object, "RequestMember");
        // A member that is read over and not printed: callers need not know that it is not kept.
        if object.get("readOnly").is_some() {
            object.remove("writeOnly");
        }
    });
    schema
}

/// A schema in the form for answers. Members that only the manager prints are described by none of
/// the types, so more may be there; and of the objects of a list the caller may have asked for some
/// members only, so less may be.
fn told(mut schema: Value, narrowed: bool) -> Value {
    each_part(&mut schema, &|object| {
        point(object, "Member");
        object.remove("additionalProperties");
        // What callers send and the manager alone knows is in answers, too.
        object.remove("writeOnly");
    });
    if let (true, Some(object)) = (narrowed, schema.as_object_mut()) {
        object.remove("required");
        // Without the member that tells them apart more than one variant may fit.
        if let Some(mut variants) = object.remove("oneOf") {
            let all = variants.as_array_mut().into_iter().flatten();
            for variant in all.filter_map(Value::as_object_mut) {
                variant.remove("required");
            }
            object.insert("anyOf".to_owned(), variants);
        }
    }
    schema
}

/// Lets a reference name the form of a type that stands among the components.
fn point(object: &mut Map<String, Value>, suffix: &str) {
    if let Some(Value::String(target)) = object.get_mut("$ref") {
        target.push_str(suffix);
    }
}

/// Every object of a schema, from the inside out.
fn each_part(value: &mut Value, change: &dyn Fn(&mut Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            object.values_mut().for_each(|part| each_part(part, change));
            change(object);
        }
        Value::Array(parts) => parts.iter_mut().for_each(|part| each_part(part, change)),
        _ => {}
    }
}

/// The object schemas of a type: its own, or its variants'.
fn each_object(schema: &mut Schema, change: &dyn Fn(&mut Map<String, Value>)) {
    let object = schema.ensure_object();
    match object.get_mut("oneOf") {
        Some(Value::Array(variants)) => {
            variants.iter_mut().filter_map(Value::as_object_mut).for_each(change);
        }
        _ => change(object),
    }
}

fn add(object: &mut Map<String, Value>, members: impl Iterator<Item = (String, Value)>) {
    let properties = object.entry("properties").or_insert_with(|| json!({}));
    if let Value::Object(properties) = properties {
        for (name, schema) in members {
            properties.entry(name).or_insert(schema);
        }
    }
}

/// The members of [spec ManagedResource].
fn header() -> impl Iterator<Item = (String, Value)> + Clone {
    let tag = json!({
        "type": "object",
        "properties": {
            "scope": { "type": "string", "maxLength": crate::inventory::MAX_TAG_SCOPE },
            "tag": { "type": "string", "maxLength": crate::inventory::MAX_TAG },
        },
        "additionalProperties": false,
    });
    let told = |kind: &str| json!({ "type": kind, "readOnly": true });
    [
        ("id", json!({ "type": "string", "maxLength": 64 })),
        ("display_name", json!({ "type": "string", "maxLength": Header::MAX_NAME })),
        ("description", json!({ "type": "string", "maxLength": Header::MAX_DESCRIPTION })),
        ("tags", json!({ "type": "array", "items": tag, "maxItems": crate::inventory::MAX_TAGS })),
        ("_create_user", told("string")),
        ("_create_time", told("integer")),
        ("_last_modified_user", told("string")),
        ("_last_modified_time", told("integer")),
        ("_system_owned", told("boolean")),
        ("_protection", told("string")),
        ("_revision", json!({ "type": "integer", "format": "int32" })),
    ]
    .into_iter()
    .map(|(name, schema)| (name.to_owned(), schema))
}

fn api_error() -> Value {
    json!({
        "type": "object",
        "properties": {
            "httpStatus": { "type": "string" },
            "error_code": { "type": "integer" },
            "module_name": { "type": "string" },
            "error_message": { "type": "string" },
            "details": { "type": "string" },
            "related_errors": { "type": "array", "items": { "type": "object" } },
        },
        "required": ["error_code", "error_message"],
    })
}
