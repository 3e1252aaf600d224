//! Objects and lists.

use super::answer::bytes_answer;
use super::form::Form;
use super::{App, Call};
use crate::api::Resource;
use crate::api::error::Error;
use crate::api::selector::Selector;
use axum::http::header;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};

/// A client that asks for as many as this wants a long list in parts, not few objects; kubectl asks
/// for 500 at a time.
const MANY: usize = 500;
/// Such a client gets parts of this size: kubectl sends ten calls at once and then five a second, so
/// that 10,000 pods in parts of 500 take it two seconds of waiting. A server is free to give more than
/// `limit`.
const PART: usize = 2_000;

/// One object.
pub fn get(app: &App, call: &Call, name: &str) -> Result<Response, Error> {
    let form = form(call)?;
    let target = &call.target;
    let object = app.store.get(target.resource, target.place(), name);
    let object = object.ok_or_else(|| Error::missing(target.resource, name))?;
    Ok(bytes_answer(200, form.one(target.resource, &object, true)))
}

/// A list, or a part of it.
pub fn list(app: &App, call: &Call) -> Result<Response, Error> {
    let (target, query) = (&call.target, &call.query);
    let form = form(call)?;
    let selector = checked(target.resource, query.selector()?)?;
    let limit = match query.number::<usize>("limit")? {
        None | Some(0) => usize::MAX,
        Some(limit) if limit >= MANY => limit.max(PART),
        Some(limit) => limit,
    };
    let after = match query.get("continue") {
        "" => None,
        token => Some(place(token)?),
    };
    let after = after.as_ref().map(|(namespace, name)| (namespace.as_str(), name.as_str()));
    let (objects, more, version) =
        app.store.page(target.resource, target.namespace.as_deref(), after, limit, |object| {
            selector.matches(object)
        });
    let mut about = json!({"resourceVersion": version.to_string()});
    if let (true, Some(last)) = (more, objects.last()) {
        about["continue"] = token(&last.meta.namespace, &last.meta.name).into();
    }
    Ok(bytes_answer(200, form.list(target.resource, &objects, &about)))
}

/// The form that the client wants.
pub fn form(call: &Call) -> Result<Form, Error> {
    Form::wanted(call.header(header::ACCEPT), call.query.get("includeObject"))
}

/// Refuses a selector by members that the kind cannot be selected by.
pub fn checked(resource: Resource, selector: Selector) -> Result<Selector, Error> {
    let fields = (resource.info().rules.fields)(&Value::Null);
    let known: Vec<_> =
        fields.iter().map(|(path, _)| *path).filter(|p| !p.starts_with('~')).collect();
    match selector.unknown_field(&known) {
        Some(path) => Err(Error::bad_request(format!("field label not supported: {path}"))),
        None => Ok(selector),
    }
}

/// Where the next part of a list begins. Parts are read as they are then, not as they were when the
/// first part was: like a cluster whose history was compacted meanwhile.
fn token(namespace: &str, name: &str) -> String {
    BASE64.encode(json!({"v": "meta.k8s.io/v1", "start": [namespace, name]}).to_string())
}

fn place(token: &str) -> Result<(String, String), Error> {
    let read = || {
        let token: Value = serde_json::from_slice(&BASE64.decode(token).ok()?).ok()?;
        let of = |n: usize| Some(token["start"][n].as_str()?.to_owned());
        Some((of(0)?, of(1)?))
    };
    read().ok_or_else(|| Error::bad_request("continue key is not valid"))
}
