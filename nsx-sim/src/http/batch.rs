//! `/batch`: several calls in one [spec BatchRequest].

use super::call::{Call, Reply};
use super::error::Failure;
use super::routes::Routes;
use crate::inventory::Error;
use crate::wire::{self, Items, yes};
use axum::body::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

/// The most calls in a batch: a limit of the simulator's own.
const MOST: usize = 1000;

/// Adds the route.
pub fn register(routes: &mut Routes) {
    routes.on("POST", "/batch", |call| {
        let batch: Batch = wire::read(call.json()?).map_err(Error::from)?;
        Ok(Reply::ok(if call.query.flag("atomic")? {
            atomic(call, &batch)
        } else {
            answered(&run(call, &batch, !batch.continue_on_error), false)
        }))
    });
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    #[serde(default)]
    requests: Items<Item, MOST>,
    #[serde(default = "yes")]
    continue_on_error: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    uri: String,
    method: Method,
    body: Option<Value>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Method {
    Get,
    Post,
    Put,
    Delete,
    Patch,
}

impl Method {
    fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Patch => "PATCH",
        }
    }
}

/// What came of one call.
struct Outcome {
    status: u16,
    body: Option<Value>,
}

impl Outcome {
    fn failed(&self) -> bool {
        self.status >= 400
    }
}

/// All calls or, from the first that fails on, none.
fn atomic(call: &Call<'_>, batch: &Batch) -> Value {
    let outcomes = call.world.together(|| {
        let outcomes = run(call, batch, true);
        if outcomes.iter().any(Outcome::failed) { Err(outcomes) } else { Ok(outcomes) }
    });
    match outcomes {
        Ok(outcomes) => answered(&outcomes, false),
        Err(outcomes) => answered(&outcomes, true),
    }
}

fn run(call: &Call<'_>, batch: &Batch, until_error: bool) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for item in &*batch.requests {
        let outcome = match one(call, item) {
            Ok(reply) => {
                let (status, bodied) = (reply.status, reply.body.is_some());
                Outcome { status, body: bodied.then(|| reply.value()) }
            }
            Err(failure) => {
                let answer = failure.answer();
                Outcome { status: answer.status, body: Some(answer.body) }
            }
        };
        let last = until_error && outcome.failed();
        outcomes.push(outcome);
        if last {
            break;
        }
    }
    outcomes
}

/// Makes one call in the caller's name. Its URI begins behind `/api`: `/v1/…`.
fn one(call: &Call<'_>, item: &Item) -> Result<Reply, Failure> {
    let uri = item.uri.strip_prefix("/api/").unwrap_or(&item.uri).trim_start_matches('/');
    let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
    let path = format!("/api/{}", path.trim_end_matches('/'));
    if path == "/api/v1/batch" {
        return Err(Error::field("uri", "must not name another batch").into());
    }
    let body = match &item.body {
        None => Bytes::new(),
        Some(Value::String(text)) => text.clone().into(),
        Some(body) => body.to_string().into(),
    };
    call.api.call(call.actor.clone(), item.method.word(), &path, query, body)
}

fn answered(outcomes: &[Outcome], rolled_back: bool) -> Value {
    let results: Vec<Value> = outcomes
        .iter()
        .map(|Outcome { status, body }| match body {
            Some(body) => json!({
                "code": status,
                "headers": {"Content-Type": "application/json;charset=UTF-8"},
                "body": body,
            }),
            None => json!({"code": status}),
        })
        .collect();
    json!({
        "results": results,
        "has_errors": outcomes.iter().any(Outcome::failed),
        "rolled_back": rolled_back,
    })
}
