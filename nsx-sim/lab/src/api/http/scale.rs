//! The number of replicas by itself, as `kubectl scale` asks for it.

use super::answer::json_answer;
use super::{App, Call, body, write};
use crate::api::error::Error;
use crate::api::kinds::{number, text};
use crate::api::{patch, selector};
use axum::http::{Method, header};
use axum::response::Response;
use serde_json::{Value, json};

/// Reads or sets the number.
pub fn answer(app: &App, call: &Call, name: &str) -> Result<Response, Error> {
    let target = &call.target;
    if call.method == Method::GET {
        let object = app.store.get(target.resource, target.place(), name);
        let object = object.ok_or_else(|| Error::missing(target.resource, name))?;
        return Ok(json_answer(200, &scale(&object.value())));
    }
    let patch = match call.method {
        Method::PUT => None,
        Method::PATCH => {
            let kind = call.header(header::CONTENT_TYPE).split(';').next().unwrap_or_default();
            Some(patch::Patch::read(kind.trim(), body::json(&call.body)?)?)
        }
        _ => return Err(Error::method_not_allowed()),
    };
    let given = if patch.is_none() { body::object(call)? } else { Value::Null };
    let (object, _) = write::change(app, call, name, "Update", |old| {
        let mut wanted = given.clone();
        if let Some(patch) = &patch {
            wanted = scale(old);
            patch.apply(target.resource, &mut wanted)?;
        }
        let mut new = old.clone();
        new["spec"]["replicas"] = number(&wanted, "/spec/replicas").into();
        match text(&wanted, "/metadata/resourceVersion") {
            "" => drop(new["metadata"].as_object_mut().map(|m| m.remove("resourceVersion"))),
            version => new["metadata"]["resourceVersion"] = version.into(),
        }
        Ok(new)
    })?;
    Ok(json_answer(200, &scale(&object.value())))
}

fn scale(object: &Value) -> Value {
    let meta = &object["metadata"];
    json!({
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"],
            "resourceVersion": meta["resourceVersion"],
            "creationTimestamp": meta["creationTimestamp"],
        },
        "spec": {"replicas": number(object, "/spec/replicas")},
        "status": {
            "replicas": number(object, "/status/replicas"),
            "selector": selector::printed(&object["spec"]["selector"]),
        },
    })
}
