//! The verbs of every kind.

use super::answer::bytes_answer;
use super::{App, Call};
use crate::api::error::Error;
use axum::http::Method;
use axum::response::Response;

/// Answers a call about objects.
pub fn answer(app: &App, call: Call) -> Result<Response, Error> {
    let target = &call.target;
    match (&call.method, target.name.as_deref()) {
        (&Method::GET, Some(name)) => {
            let found = app.store.get(target.resource, target.place(), name);
            let object = found.ok_or_else(|| Error::missing(target.resource, name))?;
            Ok(bytes_answer(200, object.json().clone()))
        }
        _ => Err(Error::method_not_allowed()),
    }
}
