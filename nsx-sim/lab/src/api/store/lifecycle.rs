//! What becomes of an object between its making and its end: identity, generation, deletion.

use super::Object;
use crate::api::Resource;
use crate::api::error::Error;
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

/// How an object shall go.
#[derive(Clone, Debug, Default)]
pub struct Deletion {
    /// Seconds that a pod's containers get; the pod's own number if absent.
    pub grace: Option<i64>,
    /// What becomes of what it owns.
    pub propagation: Propagation,
    /// Only if it is still this one.
    pub uid: Option<String>,
    /// Only if it is still this version.
    pub resource_version: Option<String>,
    /// Check all, change nothing.
    pub dry: bool,
}

/// What becomes of what a deleted object owns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Propagation {
    /// It goes after its owner.
    #[default]
    Background,
    /// It goes before its owner.
    Foreground,
    /// It stays, without owner.
    Orphan,
}

impl Deletion {
    pub(super) fn check(&self, resource: Resource, object: &Object) -> Result<(), Error> {
        let meta = &object.meta;
        let other = |what: &str, wanted: &str, is: &str| {
            let text = format!(
                "Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {is}"
            );
            Err(Error::conflict(resource, &meta.name, &text))
        };
        if let Some(uid) = self.uid.as_deref().filter(|uid| *uid != meta.uid) {
            return other("UID", uid, &meta.uid);
        }
        let is = meta.resource_version.to_string();
        match self.resource_version.as_deref().filter(|version| *version != is) {
            Some(version) => other("ResourceVersion", version, &is),
            None => Ok(()),
        }
    }
}

/// The present moment as the API prints it.
pub fn now() -> String {
    timestamp(Timestamp::now())
}

/// A moment as the API prints it: whole seconds, UTC.
pub fn timestamp(at: Timestamp) -> String {
    let seconds = Timestamp::from_second(at.as_second()).unwrap_or(at);
    seconds.to_string()
}

/// Identity and time of a new object.
pub(super) fn prepare(resource: Resource, value: &mut Value) {
    let info = resource.info();
    info.stamp(value);
    let meta = &mut value["metadata"];
    if !meta.is_object() {
        *meta = json!({});
    }
    if meta["uid"].as_str().is_none_or(str::is_empty) {
        meta["uid"] = Uuid::new_v4().to_string().into();
    }
    if meta["creationTimestamp"].as_str().is_none_or(str::is_empty) {
        meta["creationTimestamp"] = now().into();
    }
    if info.generation {
        meta["generation"] = 1.into();
    }
}

/// What no update may change, and the count of changes of the spec.
pub(super) fn settle(resource: Resource, before: &Value, value: &mut Value) {
    let info = resource.info();
    info.stamp(value);
    if let Some(metadata) = value["metadata"].as_object_mut() {
        // An empty list is none, as the API prints it.
        metadata.retain(|_, v| v.as_array().is_none_or(|list| !list.is_empty()));
    }
    for member in ["name", "namespace", "uid", "creationTimestamp", "resourceVersion"] {
        let kept = &before["metadata"][member];
        if !kept.is_null() {
            value["metadata"][member] = kept.clone();
        }
    }
    if info.generation {
        let generation = before["metadata"]["generation"].as_i64().unwrap_or(1);
        let changed = before["spec"] != value["spec"]
            || (before["metadata"]["deletionTimestamp"].is_null()
                && !value["metadata"]["deletionTimestamp"].is_null());
        value["metadata"]["generation"] = (generation + i64::from(changed)).into();
    }
}

/// Whether nothing holds back a deletion that was asked for.
pub(super) fn finished(resource: Resource, value: &Value) -> bool {
    let meta = &value["metadata"];
    !meta["deletionTimestamp"].is_null()
        && meta["finalizers"].as_array().is_none_or(Vec::is_empty)
        && !(resource.info().rules.held)(value)
}

/// Marks an object as going.
pub(super) fn mark(value: &mut Value, propagation: Propagation, grace: i64) {
    let meta = &mut value["metadata"];
    let sooner = meta["deletionGracePeriodSeconds"].as_i64().is_none_or(|was| grace < was);
    if meta["deletionTimestamp"].is_null() || sooner {
        let at = Timestamp::now().as_second().saturating_add(grace);
        meta["deletionTimestamp"] =
            Timestamp::from_second(at).map_or_else(|_| now(), timestamp).into();
        meta["deletionGracePeriodSeconds"] = grace.into();
    }
    let finalizer = match propagation {
        Propagation::Background => return,
        Propagation::Foreground => "foregroundDeletion",
        Propagation::Orphan => "orphan",
    };
    match meta["finalizers"].as_array_mut() {
        Some(all) if all.iter().any(|f| f == finalizer) => {}
        Some(all) => all.push(finalizer.into()),
        None => meta["finalizers"] = json!([finalizer]),
    }
}
