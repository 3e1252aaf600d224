//! The verbs of every kind.

use super::{App, Call, pods, read, scale, watch, write};
use crate::api::error::Error;
use axum::http::Method;
use axum::response::Response;

/// Answers a call about objects.
pub fn answer(app: &App, call: &Call) -> Result<Response, Error> {
    let target = &call.target;
    let name = target.name.as_deref();
    let watching = target.watch || matches!(call.query.get("watch"), "true" | "1");
    match (&call.method, name, target.subresource.as_deref()) {
        (&Method::GET, _, None) if watching => watch::watch(app, call),
        (&Method::GET, None, _) => read::list(app, call),
        (&Method::POST, None, _) => write::create(app, call),
        (&Method::DELETE, None, _) => write::delete_all(app, call),
        (&Method::GET, Some(name), None | Some("status")) => read::get(app, call, name),
        (&Method::PUT, Some(name), None | Some("status")) => write::update(app, call, name),
        (&Method::PATCH, Some(name), None | Some("status")) => write::patch(app, call, name),
        (&Method::DELETE, Some(name), None) => write::delete(app, call, name),
        (_, Some(name), Some("scale")) => scale::answer(app, call, name),
        (&Method::PUT, Some(name), Some("finalize")) => write::finalize(app, call, name),
        (&Method::GET, Some(name), Some("log")) => pods::log(app, call, name),
        (&Method::POST, Some(name), Some("binding")) => pods::bind(app, call, name),
        (&Method::POST, Some(name), Some("eviction")) => pods::evict(app, call, name),
        _ => Err(Error::method_not_allowed()),
    }
}
