//! Virtual servers together with their rules, in one change [spec LbVirtualServerWithRule].

use super::rule;
use super::virtual_server::{KIND, LbVirtualServer};
use crate::inventory::{Error, Incoming, Object, Query, Transaction};
use crate::wire::{self, Fields};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// The body of both calls.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WithRules {
    virtual_server: Fields,
    #[serde(default)]
    rules: Vec<Fields>,
}

/// Makes a virtual server and its new rules; rules with an id are there already, and changed.
///
/// # Errors
/// As for making and changing each of them.
pub fn create(tx: &mut Transaction<'_>, body: Value) -> Result<Value, Error> {
    let (server, rules) = read(tx, body)?;
    let server = tx.create(&KIND, Incoming::read(&KIND, with_ids(server, &rules))?)?;
    Ok(print(tx, &server))
}

/// Changes a virtual server and its rules: those without an id are made, those with one changed;
/// those that the server named before, and that are neither in `rules` nor in `rule_ids` now, go.
///
/// # Errors
/// As for making and changing each of them.
pub fn update(tx: &mut Transaction<'_>, id: &str, body: Value) -> Result<Value, Error> {
    let before = tx.get(&KIND, id)?;
    let (server, rules) = read(tx, body)?;
    let server = tx.replace(&KIND, id, Incoming::read(&KIND, with_ids(server, &rules))?)?;
    let kept = server.body::<LbVirtualServer>().map(LbVirtualServer::rules).unwrap_or_default();
    let gone = before.body::<LbVirtualServer>().map(LbVirtualServer::rules).unwrap_or_default();
    let gone: Vec<String> = gone.iter().filter(|id| !kept.contains(id)).cloned().collect();
    delete_unused(tx, &gone, &Query::default())?;
    Ok(print(tx, &server))
}

/// Deletes those rules that no virtual server names.
///
/// # Errors
/// Where the caller may not delete one.
pub fn delete_unused(
    tx: &mut Transaction<'_>,
    rules: &[String],
    query: &Query,
) -> Result<(), Error> {
    for id in rules {
        if tx.find(rule::KIND.name, id).is_some() && tx.referrers(rule::KIND.name, id).is_empty() {
            tx.delete(&rule::KIND, id, query)?;
        }
    }
    Ok(())
}

/// Makes and changes the rules of a body; gives the server's own part and the rules' ids.
fn read(tx: &mut Transaction<'_>, body: Value) -> Result<(Fields, Vec<String>), Error> {
    let WithRules { virtual_server, rules } = wire::read(body)?;
    let mut ids = Vec::new();
    for fields in rules {
        let incoming = Incoming::read(&rule::KIND, fields)?;
        let rule = match incoming.id.as_deref().map(str::to_owned) {
            Some(id) => tx.replace(&rule::KIND, &id, incoming)?,
            None => tx.create(&rule::KIND, incoming)?,
        };
        ids.push(rule.header.id.clone());
    }
    Ok((virtual_server, ids))
}

/// The server's members, with the ids of all its rules: those that it names, then those that came
/// beside it.
fn with_ids(mut server: Fields, rules: &[String]) -> Fields {
    let named = server.entry("rule_ids").or_insert_with(|| json!([]));
    if named.is_null() {
        *named = json!([]);
    }
    if let Value::Array(named) = named {
        for id in rules {
            let id = Value::from(id.as_str());
            if !named.contains(&id) {
                named.push(id);
            }
        }
    }
    server
}

fn print(tx: &Transaction<'_>, server: &Arc<Object>) -> Value {
    let print = |object: &Object| Value::Object(object.fields(tx.inventory(), tx.actor()));
    let rules = server.body::<LbVirtualServer>().map(LbVirtualServer::rules).unwrap_or_default();
    let rules = rules.iter().filter_map(|id| tx.find(rule::KIND.name, id));
    let rules: Vec<Value> = rules.map(|rule| print(&rule)).collect();
    json!({"virtual_server": print(server), "rules": rules})
}
