//! Objects are made, changed and deleted.

use super::answer::{json_answer, warn};
use super::body;
use super::{App, Call};
use crate::api::Resource;
use crate::api::decode;
use crate::api::error::{Cause, Error};
use crate::api::kinds::{Admission, Rules, text};
use crate::api::patch::{self, Manager};
use crate::api::store::{Deletion, Object, Propagation};
use axum::http::header;
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;

/// What a name gets when the client leaves its end open.
const SUFFIX: usize = 5;

/// Makes an object.
pub fn create(app: &App, call: &Call) -> Result<Response, Error> {
    let value = body::object(call)?;
    let (object, warnings) = make(app, call, value, "Update")?;
    let mut response = super::answer::bytes_answer(201, object.json().clone());
    warn(&mut response, &warnings);
    Ok(response)
}

/// Makes an object of this body.
pub(super) fn make(
    app: &App,
    call: &Call,
    mut value: Value,
    operation: &'static str,
) -> Result<(Arc<Object>, Vec<String>), Error> {
    let target = &call.target;
    let (resource, info) = (target.resource, target.resource.info());
    let rules = &info.rules;
    of_kind(resource, &value)?;
    placed(call, &mut value)?;
    if !text(&value, "/metadata/resourceVersion").is_empty() {
        return Err(Error::bad_request(
            "resourceVersion should not be set on objects to be created",
        ));
    }
    let (mut value, warnings) = decode::read(resource, &value, call.query.validation()?)?;
    name(resource, &mut value)?;
    let metadata = &mut value["metadata"];
    for member in [
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "managedFields",
        "generation",
        "deletionGracePeriodSeconds",
    ] {
        metadata.as_object_mut().map(|m| m.remove(member));
    }
    let namespace = target.place();
    if info.namespaced {
        let Some(there) = app.store.get(Resource::Namespaces, "", namespace) else {
            return Err(Error::missing(Resource::Namespaces, namespace));
        };
        if there.meta.deleting {
            let why = format!(
                "unable to create new content in namespace {namespace} because it is being \
                 terminated"
            );
            return Err(Error::forbidden(resource, text(&value, "/metadata/name"), &why));
        }
    }
    if let Some(uid) = pinned_uid(app, resource, &value) {
        value["metadata"]["uid"] = uid.into();
    }
    let manager = manager(call, operation);
    patch::managed::track(resource, &Value::Null, &mut value, &manager);
    (rules.default)(&mut value);
    let _scarce = app.scarce.lock();
    let admission = Admission { store: &app.store, old: None, status: false };
    (rules.admit)(&admission, &mut value)?;
    let object = if call.query.dry_run()? {
        app.store.rehearse(resource, value)?
    } else {
        app.store.create(resource, value)?
    };
    Ok((object, warnings))
}

/// The guide's namespaces have the identities that its screens show, the first time.
fn pinned_uid(app: &App, resource: Resource, value: &Value) -> Option<&'static str> {
    let pinned = match resource {
        Resource::Namespaces => crate::pins::namespace(text(value, "/metadata/name"))?.uid,
        _ => return None,
    };
    (!app.store.exists(pinned)).then_some(pinned)
}

/// Replaces an object, or its status.
pub fn update(app: &App, call: &Call, name: &str) -> Result<Response, Error> {
    let mut value = body::object(call)?;
    of_kind(call.target.resource, &value)?;
    placed(call, &mut value)?;
    let given = text(&value, "/metadata/name");
    if given != name {
        return Err(Error::bad_request(format!(
            "the name of the object ({given}) does not match the name on the URL ({name})"
        )));
    }
    let (object, warnings) = change(app, call, name, "Update", |_| Ok(value.clone()))?;
    let mut response = super::answer::bytes_answer(200, object.json().clone());
    warn(&mut response, &warnings);
    Ok(response)
}

/// Changes an object by a patch.
pub fn patch(app: &App, call: &Call, name: &str) -> Result<Response, Error> {
    let kind = call.header(header::CONTENT_TYPE).split(';').next().unwrap_or_default().trim();
    let resource = call.target.resource;
    if kind == "application/apply-patch+yaml" {
        return super::apply::apply(app, call, name);
    }
    let body = body::json(&call.body)?;
    let patch = patch::Patch::read(kind, body)?;
    let (object, warnings) = change(app, call, name, "Update", |old| {
        let mut new = old.clone();
        patch.apply(resource, &mut new)?;
        // A patch is about the object that is there; only if it says so, about one version of it.
        if new["metadata"]["resourceVersion"] == old["metadata"]["resourceVersion"]
            && let Some(metadata) = new["metadata"].as_object_mut()
        {
            metadata.remove("resourceVersion");
        }
        Ok(new)
    })?;
    let mut response = super::answer::bytes_answer(200, object.json().clone());
    warn(&mut response, &warnings);
    Ok(response)
}

/// Changes an object as `make` says; again if another write came first, unless what `make` gives
/// names the version that it is about.
pub(super) fn change(
    app: &App,
    call: &Call,
    name: &str,
    operation: &'static str,
    mut make: impl FnMut(&Value) -> Result<Value, Error>,
) -> Result<(Arc<Object>, Vec<String>), Error> {
    let target = &call.target;
    let resource = target.resource;
    let rules: &Rules = &resource.info().rules;
    let status = target.subresource.as_deref() == Some("status");
    let manager = manager(call, operation);
    loop {
        let old = app.store.get(resource, target.place(), name);
        let old = old.ok_or_else(|| Error::missing(resource, name))?;
        let before = old.value();
        let new = make(&before)?;
        let version = text(&new, "/metadata/resourceVersion");
        if !version.is_empty() && version != old.meta.resource_version.to_string() {
            return Err(Error::stale(resource, name));
        }
        let uid = text(&new, "/metadata/uid");
        if !uid.is_empty() && uid != old.meta.uid {
            let why = format!(
                "Precondition failed: UID in precondition: {uid}, UID in object meta: {}",
                old.meta.uid
            );
            return Err(Error::conflict(resource, name, &why));
        }
        let (mut new, warnings) = decode::read(resource, &new, call.query.validation()?)?;
        if operation == "Update" {
            patch::managed::track(resource, &before, &mut new, &manager);
        }
        (rules.default)(&mut new);
        // A deletion that was asked for is not taken back.
        for member in ["deletionTimestamp", "deletionGracePeriodSeconds", "generation"] {
            new["metadata"][member] = before["metadata"][member].clone();
        }
        decode::prune(&mut new["metadata"]);
        let _scarce = (resource == Resource::Services).then(|| app.scarce.lock());
        let admission = Admission { store: &app.store, old: Some(&before), status };
        (rules.admit)(&admission, &mut new)?;
        if call.query.dry_run()? {
            return Ok((crate::api::Store::rehearse_change(resource, &before, new), warnings));
        }
        if let Some(object) = app.store.replace(resource, &old, &before, new) {
            return Ok((object, warnings));
        }
    }
}

/// Sets what holds back the deletion of a namespace.
pub fn finalize(app: &App, call: &Call, name: &str) -> Result<Response, Error> {
    let value = body::object(call)?;
    let place = call.target.place();
    let object = app.store.update(call.target.resource, place, name, |namespace| {
        namespace["spec"]["finalizers"] = value["spec"]["finalizers"].clone();
        decode::prune(namespace);
        Ok::<_, Error>(())
    })?;
    Ok(super::answer::bytes_answer(200, object.json().clone()))
}

/// Who writes: what the query says, or the client's own name.
pub(super) fn manager(call: &Call, operation: &'static str) -> Manager {
    let agent = call.header(header::USER_AGENT);
    let name = match call.query.get("fieldManager") {
        "" => agent.split('/').next().filter(|n| !n.is_empty()).unwrap_or("unknown"),
        name => name,
    };
    Manager {
        name: name.to_owned(),
        operation,
        subresource: call.target.subresource.clone().unwrap_or_default(),
    }
}

/// Deletes an object.
pub fn delete(app: &App, call: &Call, name: &str) -> Result<Response, Error> {
    let target = &call.target;
    let how = deletion(call)?;
    let (object, gone) = app.store.delete(target.resource, target.place(), name, &how)?;
    let itself = matches!(target.resource, Resource::Pods | Resource::Services);
    if !gone || itself {
        return Ok(super::answer::bytes_answer(200, object.json().clone()));
    }
    let info = target.resource.info();
    let mut details = json!({"name": name, "kind": info.plural, "uid": object.meta.uid});
    if !info.group.is_empty() {
        details["group"] = info.group.into();
    }
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
                        "details": details});
    Ok(json_answer(200, &status))
}

/// Deletes all objects of a list.
pub fn delete_all(app: &App, call: &Call) -> Result<Response, Error> {
    let target = &call.target;
    let how = deletion(call)?;
    let selector = super::read::checked(target.resource, call.query.selector()?)?;
    let (objects, version) = app.store.list(target.resource, target.namespace.as_deref());
    let mut went = Vec::new();
    for object in objects.into_iter().filter(|o| selector.matches(o)) {
        let meta = &object.meta;
        match app.store.delete(target.resource, &meta.namespace, &meta.name, &how) {
            Ok((last, _)) => went.push(last),
            // Somebody else was first.
            Err(error) if error.code == 404 => {}
            Err(error) => return Err(error),
        }
    }
    let about = json!({"resourceVersion": version.to_string()});
    Ok(super::answer::bytes_answer(
        200,
        super::form::Form::Whole.list(target.resource, &went, &about),
    ))
}

pub(super) fn deletion(call: &Call) -> Result<Deletion, Error> {
    let options = body::delete_options(call)?;
    let policy = match text(&options, "/propagationPolicy") {
        "" => call.query.get("propagationPolicy"),
        policy => policy,
    };
    let propagation = match policy {
        "" | "Background" => Propagation::Background,
        "Foreground" => Propagation::Foreground,
        "Orphan" => Propagation::Orphan,
        other => {
            return Err(Error::bad_request(format!(
                "propagationPolicy: Unsupported value: {other:?}: supported values: \
                 \"Background\", \"Foreground\", \"Orphan\""
            )));
        }
    };
    let precondition = |member: &str| {
        options["preconditions"][member].as_str().filter(|v| !v.is_empty()).map(str::to_owned)
    };
    let grace = options["gracePeriodSeconds"].as_i64();
    Ok(Deletion {
        grace: grace.or(call.query.number("gracePeriodSeconds")?),
        propagation,
        uid: precondition("uid"),
        resource_version: precondition("resourceVersion"),
        dry: call.query.dry_run()? || options["dryRun"][0] == "All",
    })
}

/// Refuses a body of another kind.
fn of_kind(resource: Resource, value: &Value) -> Result<(), Error> {
    let info = resource.info();
    let (kind, version) = (text(value, "/kind"), text(value, "/apiVersion"));
    if !value.is_object() {
        return Err(Error::bad_request(format!(
            "the object provided is unrecognized (must be of type {}): expected a JSON object",
            info.kind
        )));
    }
    if !kind.is_empty() && kind != info.kind || !version.is_empty() && version != info.api_version()
    {
        return Err(Error::bad_request(format!(
            "{kind} in version {version:?} cannot be handled as a {}: no kind {kind:?} is \
             registered for version {version:?} at this path",
            info.kind
        )));
    }
    Ok(())
}

/// Puts the object into the namespace of the path.
fn placed(call: &Call, value: &mut Value) -> Result<(), Error> {
    let namespace = call.target.place();
    let given = text(value, "/metadata/namespace");
    if !given.is_empty() && given != namespace {
        return Err(Error::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    if !value["metadata"].is_object() {
        value["metadata"] = json!({});
    }
    if !namespace.is_empty() {
        value["metadata"]["namespace"] = namespace.into();
    }
    Ok(())
}

/// Checks the name, or makes one where the client left its end open.
fn name(resource: Resource, value: &mut Value) -> Result<(), Error> {
    let prefix = text(value, "/metadata/generateName");
    if text(value, "/metadata/name").is_empty() && !prefix.is_empty() {
        value["metadata"]["name"] =
            format!("{prefix}{}", crate::controllers::names::suffix(SUFFIX)).into();
    }
    let name = text(value, "/metadata/name");
    if name.is_empty() {
        let why = "name or generateName is required";
        return Err(Error::invalid(resource, "", &[Cause::required("metadata.name", why)]));
    }
    match (resource.info().rules.name)(name) {
        None => Ok(()),
        Some(why) => {
            let cause = Cause::invalid("metadata.name", &name.into(), why);
            Err(Error::invalid(resource, name, &[cause]))
        }
    }
}
