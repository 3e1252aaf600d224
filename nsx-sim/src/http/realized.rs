//! The realization state of configuration objects [spec ConfigurationState].

use super::call::{Call, Reply};
use super::collections;
use super::error::Failure;
use super::routes::Routes;
use crate::inventory::{Kind, Level};
use serde_json::{Value, json};

/// Adds `GET …/state` of each object of a kind: realized with the call that made it.
pub fn register(routes: &mut Routes, kind: &'static Kind) {
    routes.on_as(Level::Semantic, "GET", &format!("{}/{{id}}/state", kind.path), move |call| {
        state(call, kind)
    });
}

fn state(call: &Call<'_>, kind: &'static Kind) -> Result<Reply, Failure> {
    collections::named(call, kind)?;
    // Every change is realized when its call returns, so any barrier or request is behind it.
    Ok(Reply::ok(success()))
}

/// Realized, with nothing to say about it.
pub fn success() -> Value {
    json!({"state": "success", "details": []})
}
