//! The API's description of itself: `GET /api/v1/spec/openapi/nsx_api.json`, in OpenAPI 3.0, made
//! from the table of routes and the kinds' own schemas. What is not modelled is not in it.

use super::call::Reply;
use super::routes::{Listed, Routes, Verb};
use crate::inventory::{Header, Kind, Level, Words};
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Adds the route. What it tells is settled once all others are in the table.
pub fn register(routes: &mut Routes, listed: Arc<Vec<Listed>>) {
    routes
        .at("GET", "/api/v1/spec/openapi/nsx_api.json", move |_| Ok(Reply::ok(document(&listed))));
}

fn document(listed: &[Listed]) -> Value {
    let mut generator = SchemaSettings::openapi3()
        .for_deserialize()
        .with(|settings| settings.meta_schema = None)
        .into_generator();
    let mut schemas = Map::new();
    schemas.insert("ApiError".to_owned(), api_error());
    // Operations on one path that a word in the query tells apart are one to OpenAPI.
    let mut paths: BTreeMap<&str, BTreeMap<String, Vec<&Listed>>> = BTreeMap::new();
    let modelled = listed.iter().filter(|own| own.level > Level::Absent);
    for own in modelled.filter(|own| own.path.starts_with("/api/")) {
        let path = own.path.split('?').next().unwrap_or_default();
        paths.entry(path).or_default().entry(own.method.to_lowercase()).or_default().push(own);
        if let Some((kind, _)) = own.of
            && !schemas.contains_key(kind.name)
        {
            let schema = schema_of(kind, &mut generator);
            schemas.insert(format!("{}Request", kind.name), closed(&schema, kind).to_value());
            schemas.insert(kind.name.to_owned(), open(schema, kind).to_value());
        }
    }
    schemas.extend(generator.take_definitions(true));
    let paths = paths.into_iter().map(|(path, verbs)| {
        let verbs = verbs.into_iter().map(|(verb, all)| (verb, operation(path, &all)));
        (path.to_owned(), Value::Object(verbs.collect()))
    });
    json!({
        "openapi": "3.0.3",
        "info": {
            "title": "NSX-T Manager API, as simulated",
            "version": "2.5.1",
            "description": "Every operation that this simulator models.",
        },
        "paths": paths.collect::<Map<_, _>>(),
        "components": {
            "schemas": schemas,
            "securitySchemes": { "BasicAuth": { "type": "http", "scheme": "basic" } },
        },
        "security": [{ "BasicAuth": [] }],
    })
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
    each_object(&mut schema, &|object| {
        add(object, told.clone().chain(header()));
    });
    schema
}

/// What the manager answers: the kind's members and the header's, and what follows from them.
fn open(mut schema: Schema, _: &Kind) -> Schema {
    each_object(&mut schema, &|object| {
        object.remove("additionalProperties");
        // Members that only the manager prints are described by none of the kinds.
        add(object, header());
        if let Some(Value::Array(required)) = object.get_mut("required") {
            required.retain(|name| name == "resource_type");
        }
    });
    schema
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
        ("resource_type", json!({ "type": "string" })),
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

/// One verb on one path: one operation, or several that the query's word tells apart.
fn operation(path: &str, all: &[&Listed]) -> Value {
    let word = |own: &&Listed| own.path.split_once('?').map(|(_, word)| word.to_owned());
    let named = all.iter().find_map(|own| own.published);
    let mut parameters: Vec<Value> = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| parameter(name, "path", &json!({ "type": "string", "minLength": 1 })))
        .collect();
    let mut words: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in all.iter().filter_map(word).filter_map(|word| {
        word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()))
    }) {
        words.entry(name).or_default().push(value);
    }
    let always = all.iter().all(|own| own.path.contains('?'));
    for (name, values) in words {
        let mut asked = parameter(&name, "query", &json!({ "type": "string", "enum": values }));
        asked["required"] = always.into();
        parameters.push(asked);
    }
    let plain = all.iter().find_map(|own| own.of);
    if let Some((kind, Verb::List)) = plain {
        parameters.extend(list_parameters(kind));
    }
    let levels: Vec<&str> = all.iter().map(|own| own.level.word()).collect();
    let mut printed = json!({
        "tags": [path.split('/').nth(3).unwrap_or("api")],
        "x-nsx-sim-level": levels.first(),
        "parameters": parameters,
        "responses": responses(plain),
    });
    if let Some(published) = named {
        printed["operationId"] = published.name.into();
    }
    if let Some((kind, Verb::Create | Verb::Update)) = plain {
        let schema = json!({ "$ref": format!("#/components/schemas/{}Request", kind.name) });
        let content = json!({ "application/json": { "schema": schema } });
        printed["requestBody"] = json!({ "required": true, "content": content });
    }
    printed
}

fn parameter(name: &str, place: &str, schema: &Value) -> Value {
    json!({ "name": name, "in": place, "required": place == "path", "schema": schema })
}

fn list_parameters(kind: &'static Kind) -> impl Iterator<Item = Value> {
    let query = |name: &str, schema: Value| parameter(name, "query", &schema);
    let paging = [
        query("cursor", json!({ "type": "string" })),
        query("page_size", json!({ "type": "integer", "minimum": 0, "maximum": 1000 })),
        query("sort_by", json!({ "type": "string" })),
        query("sort_ascending", json!({ "type": "boolean" })),
        query("included_fields", json!({ "type": "string" })),
    ];
    let filters = kind.filters.iter().map(move |filter| {
        let schema = match &filter.words {
            None => json!({ "type": "string" }),
            Some(Words::Of(words)) => json!({ "type": "string", "enum": words }),
            Some(Words::Boolean) => json!({ "type": "boolean" }),
            Some(Words::Number) => json!({ "type": "integer" }),
        };
        query(filter.name, schema)
    });
    paging.into_iter().chain(filters)
}

fn responses(plain: Option<(&'static Kind, Verb)>) -> Value {
    let with = |schema: Value| json!({ "description": "Done", "content": { "application/json": { "schema": schema } } });
    let one = |kind: &Kind| json!({ "$ref": format!("#/components/schemas/{}", kind.name) });
    let error = json!({ "$ref": "#/components/schemas/ApiError" });
    let mut responses = Map::new();
    let mut put = |status: &str, answer: Value| {
        responses.insert(status.to_owned(), answer);
    };
    match plain {
        Some((kind, Verb::List)) => {
            let page = json!({
                "type": "object",
                "properties": {
                    "results": { "type": "array", "items": one(kind) },
                    "result_count": { "type": "integer" },
                    "cursor": { "type": "string" },
                    "sort_by": { "type": "string" },
                    "sort_ascending": { "type": "boolean" },
                },
                "required": ["results", "result_count"],
            });
            put("200", with(page));
        }
        Some((kind, Verb::Create)) => put("201", with(one(kind))),
        Some((kind, Verb::Read | Verb::Update)) => put("200", with(one(kind))),
        Some((_, Verb::Delete)) => put("200", json!({ "description": "Done" })),
        None => put("2XX", json!({ "description": "Done" })),
    }
    let refusal = json!({
        "description": "Refused",
        "content": { "application/json": { "schema": error } },
    });
    put("default", refusal);
    Value::Object(responses)
}
