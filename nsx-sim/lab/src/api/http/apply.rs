//! Server-side apply.

use super::answer::{bytes_answer, warn};
use super::write::{change, make, manager};
use super::{App, Call, body};
use crate::api::error::Error;
use crate::api::kinds::text;
use crate::api::{decode, patch};
use axum::response::Response;
use serde_json::Value;

/// Makes of the object what its manager wants of it, or makes the object.
pub fn apply(app: &App, call: &Call, name: &str) -> Result<Response, Error> {
    if call.query.get("fieldManager").is_empty() {
        return Err(Error::bad_request(
            "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required \
             for apply patch",
        ));
    }
    // The type promises YAML; clients of the API send its subset JSON.
    let config = body::json(&call.body)?;
    let given = text(&config, "/metadata/name");
    if given != name {
        return Err(Error::bad_request(format!(
            "the name of the object ({given}) does not match the name on the URL ({name})"
        )));
    }
    if !config["metadata"]["managedFields"].is_null() {
        return Err(Error::bad_request("metadata.managedFields must be nil"));
    }
    let resource = call.target.resource;
    let (config, warnings) = decode::read(resource, &config, call.query.validation()?)?;
    let manager = manager(call, "Apply");
    let force = call.query.flag("force");
    let there = app.store.get(resource, call.target.place(), name).is_some();
    if !there && call.target.subresource.is_none() {
        let (object, _) = make(app, call, config, "Apply")?;
        let mut response = bytes_answer(201, object.json().clone());
        warn(&mut response, &warnings);
        return Ok(response);
    }
    let (object, _) = change(app, call, name, "Apply", |old| {
        let mut new = old.clone();
        patch::managed::apply(resource, &mut new, &config, &manager, force)?;
        if let Some(metadata) = new["metadata"].as_object_mut()
            && config["metadata"]["resourceVersion"] == Value::Null
        {
            metadata.remove("resourceVersion");
        }
        Ok(new)
    })?;
    let mut response = bytes_answer(200, object.json().clone());
    warn(&mut response, &warnings);
    Ok(response)
}
