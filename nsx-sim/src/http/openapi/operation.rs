//! One verb on one path, as OpenAPI describes it.

use super::components::{reference, request};
use crate::http::routes::{Listed, Verb};
use crate::inventory::{Kind, Level, Words};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Query parameters without which a call is refused: the path below `/api/v1` and the name.
const REQUIRED: [(&str, &str); 6] = [
    ("/aaa/vidm/groups", "search_string"),
    ("/aaa/vidm/users", "search_string"),
    ("/firewall/profiles", "resource_type"),
    ("/search", "query"),
    ("/search/query", "query"),
    ("/service-configs/effective-profiles", "resource_type"),
];

/// One verb on one path: one operation, or several that the query's word tells apart.
///
/// `path` is the path as the table has it, `named` the same with the names of its parts.
pub fn operation(verb: &str, path: &str, named: &str, all: &[&Listed]) -> Value {
    let word = |own: &&Listed| own.path.split_once('?').map(|(_, word)| word.to_owned());
    let published = all.iter().find_map(|own| own.published);
    let mut parameters: Vec<Value> = named
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
    for (name, values) in &words {
        let mut asked = parameter(name, "query", &json!({ "type": "string", "enum": values }));
        asked["required"] = always.into();
        parameters.push(asked);
    }
    let plain = all.iter().find_map(|own| own.of);
    if let Some((kind, Verb::List)) = plain {
        parameters.extend(list_parameters(kind));
    }
    let below = path.trim_start_matches("/api/v1");
    for (_, name) in REQUIRED.iter().filter(|(path, _)| verb == "get" && *path == below) {
        parameters.retain(|known| known["name"] != *name);
        let mut asked = parameter(name, "query", &json!({ "type": "string", "minLength": 1 }));
        asked["required"] = true.into();
        parameters.push(asked);
    }
    let most = all.iter().map(|own| own.level).max().unwrap_or(Level::Absent);
    let absent = all.iter().any(|own| own.level == Level::Absent);
    let mut responses = match most {
        Level::Absent => Map::new(),
        _ => responses(plain, verb, &words),
    };
    responses.insert("default".to_owned(), refusal("Refused"));
    if absent {
        responses.insert("501".to_owned(), refusal("Not modelled"));
    }
    let mut printed = json!({
        "tags": [path.split('/').nth(3).unwrap_or("api")],
        "x-nsx-sim-level": most.word(),
        "parameters": parameters,
        "responses": responses,
    });
    if let Some(published) = published {
        printed["operationId"] = published.name.into();
    }
    if let Some((kind, Verb::Create | Verb::Update)) = plain {
        let content = json!({ "application/json": { "schema": reference(&request(kind)) } });
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

fn responses(
    plain: Option<(&'static Kind, Verb)>,
    verb: &str,
    words: &BTreeMap<String, Vec<String>>,
) -> Map<String, Value> {
    let with = |schema: Value| json!({ "description": "Done", "content": { "application/json": { "schema": schema } } });
    let one = |kind: &Kind| reference(kind.name);
    let done = || json!({ "description": "Done" });
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
        Some((kind, Verb::Create)) => put(&kind.created.to_string(), with(one(kind))),
        Some((kind, Verb::Read | Verb::Update)) => put("200", with(one(kind))),
        Some((kind, Verb::Delete)) => put(&kind.deleted.to_string(), done()),
        None => put("2XX", done()),
    }
    // Actions on the same path have statuses of their own.
    if plain.is_some() && words.contains_key("action") {
        put("2XX", done());
    }
    // Tables come as text, too.
    let csv = words.get("format").is_some_and(|words| words.iter().any(|word| word == "csv"));
    if csv && verb == "get" {
        let mut both = with(json!({}));
        both["content"]["text/csv"] = json!({ "schema": { "type": "string" } });
        put("200", both);
    }
    responses
}

fn refusal(what: &str) -> Value {
    let schema = reference("ApiError");
    json!({ "description": what, "content": { "application/json": { "schema": schema } } })
}
