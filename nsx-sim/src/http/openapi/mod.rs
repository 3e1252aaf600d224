//! The API's description of itself: `GET /api/v1/spec/openapi/nsx_api.json`, in OpenAPI 3.0, made
//! from the table of routes and the kinds' schemas (`schemas.json`). What is not modelled is in it where its path
//! has something that is: the path's verbs are those that `Allow` lists.

mod components;
#[cfg(test)]
mod described;
mod operation;

use super::call::Reply;
use super::error::Failure;
use super::routes::{Listed, Routes};
use crate::inventory::Level;
use components::components;
use operation::operation;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Where the description is. It does not describe itself.
const PATH: &str = "/api/v1/spec/openapi/nsx_api.json";

/// Adds the route.
pub fn register(routes: &mut Routes) {
    routes.at("GET", PATH, |call| document(&call.api.operations()).map(Reply::ok));
}

fn document(listed: &[Listed]) -> Result<Value, Failure> {
    let of_api = || listed.iter().filter(|own| own.path.starts_with("/api/") && own.path != PATH);
    let modelled = || of_api().filter(|own| own.level > Level::Absent);
    // Operations on one path that a word in the query tells apart are one to OpenAPI.
    let mut paths: BTreeMap<&str, BTreeMap<String, Vec<&Listed>>> = BTreeMap::new();
    for own in modelled() {
        paths.entry(own.bare_path()).or_default();
    }
    for own in of_api() {
        if let Some(verbs) = paths.get_mut(own.bare_path()) {
            verbs.entry(own.method.to_lowercase()).or_default().push(own);
        }
    }
    let paths = paths.into_iter().map(|(path, verbs)| {
        let named = named(path, verbs.values().flatten());
        let verbs = verbs.into_iter().map(|(verb, all)| {
            let described = operation(&verb, path, &named, &all);
            (verb, described)
        });
        let verbs = Value::Object(verbs.collect());
        (named, verbs)
    });
    Ok(json!({
        "openapi": "3.0.3",
        "info": {
            "title": "NSX-T Manager API, as simulated",
            "version": "2.5.1",
            "description": "Every operation that this simulator models, and those beside them that \
                            answer 501. Values are read as \
                            leniently as by a manager: a number for a string and the other way \
                            round, `true` in any case, null for what is absent.",
        },
        "paths": paths.collect::<Map<_, _>>(),
        "components": {
            "schemas": components()?,
            "securitySchemes": { "BasicAuth": { "type": "http", "scheme": "basic" } },
        },
        "security": [{ "BasicAuth": [] }],
    }))
}

/// A path with the names that the published API gives to its variable parts, where it has them and
/// no two are alike.
fn named<'a>(path: &str, mut operations: impl Iterator<Item = &'a &'a Listed>) -> String {
    let published = operations.find_map(|own| own.published);
    let Some(published) = published else { return path.to_owned() };
    let below = published.path.split('?').next().unwrap_or_default();
    let mut names: Vec<&str> = below.split('/').filter(|part| part.starts_with('{')).collect();
    names.sort_unstable();
    let alike = names.windows(2).any(|pair| pair[0] == pair[1]);
    if alike { path.to_owned() } else { format!("/api/v1{below}") }
}
