//! Conditions and owners, as controllers write them.

use crate::api::store::now;
use serde_json::{Value, json};

/// Sets a condition. Its time of transition is the moment its status changes.
pub fn condition(object: &mut Value, kind: &str, status: bool, reason: &str, message: &str) {
    let word = if status { "True" } else { "False" };
    let all = &mut object["status"]["conditions"];
    if !all.is_array() {
        *all = json!([]);
    }
    let Some(list) = all.as_array_mut() else { return };
    let mut new = json!({"type": kind, "status": word, "lastTransitionTime": now()});
    if !reason.is_empty() {
        new["reason"] = reason.into();
    }
    if !message.is_empty() {
        new["message"] = message.into();
    }
    match list.iter_mut().find(|c| c["type"] == kind) {
        Some(old) => {
            if old["status"] == new["status"] {
                new["lastTransitionTime"] = old["lastTransitionTime"].clone();
            }
            if old.get("lastUpdateTime").is_some() {
                new["lastUpdateTime"] = old["lastUpdateTime"].clone();
            }
            *old = new;
        }
        None => list.push(new),
    }
}

/// The entry that makes `owner` the one that manages an object.
pub fn owned_by(owner: &Value) -> Value {
    json!([{
        "apiVersion": owner["apiVersion"], "kind": owner["kind"],
        "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"],
        "controller": true, "blockOwnerDeletion": true,
    }])
}

/// Sets a count; none where it is zero, as the server prints it.
pub fn count(status: &mut Value, member: &str, number: i64) {
    if number != 0 {
        status[member] = number.into();
    } else if let Some(status) = status.as_object_mut() {
        status.remove(member);
    }
}
