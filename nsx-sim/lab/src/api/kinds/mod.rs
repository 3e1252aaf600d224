//! What is particular about each kind: what the server fills in, refuses and prints.

pub mod columns;
pub mod deployment;
pub mod endpoints;
pub mod event;
pub mod ingress;
pub mod names;
pub mod namespace;
pub mod network_policy;
pub mod node;
pub mod plain;
pub mod pod;
mod probes;
pub mod replicaset;
pub mod service;
pub mod template;

use super::error::Error;
use super::store::{Fields, Store};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A kind's own rules, as functions on the JSON of an object.
#[derive(Clone, Copy)]
pub(crate) struct Rules {
    /// Reads the object as its type and prints it again: what the type does not know is gone.
    pub typed: fn(&Value) -> Result<Value, serde_json::Error>,
    /// The members that it can be selected by. Those that begin with `~` are for controllers alone.
    pub fields: fn(&Value) -> Fields,
    /// Fills in what a client may leave out.
    pub default: fn(&mut Value),
    /// Checks a new object or a change of one, and fills in what the server alone decides.
    pub admit: fn(&Admission, &mut Value) -> Result<(), Error>,
    /// Seconds that an object gets to end itself, by itself and by the caller's wish.
    pub grace: fn(&Value, Option<i64>) -> i64,
    /// What changes when somebody asks that the object goes.
    pub deleting: fn(&mut Value),
    /// Whether something of its own holds back its deletion.
    pub held: fn(&Value) -> bool,
    /// What a name must look like.
    pub name: fn(&str) -> Option<&'static str>,
    /// How it is printed in a table.
    pub columns: &'static [columns::Column],
    /// The cells of these columns.
    pub cells: fn(&Value) -> Vec<Value>,
}

/// What a kind's rules may look at when a write is admitted.
pub(crate) struct Admission<'a> {
    /// What there is.
    pub store: &'a Store,
    /// The version that is changed; none for a new object.
    pub old: Option<&'a Value>,
    /// Whether the call is about the status alone.
    pub status: bool,
}

impl Rules {
    /// A kind of which the server does nothing but keep it.
    pub(crate) const PLAIN: Rules = Rules {
        typed: |value| Ok(value.clone()),
        fields: |_| Vec::new(),
        default: |_| {},
        admit: |_, _| Ok(()),
        grace: |_, _| 0,
        deleting: |_| {},
        held: |_| false,
        name: names::subdomain,
        columns: columns::PLAIN,
        cells: columns::plain,
    };
}

/// Reads and prints as the type `K`.
pub(crate) fn typed<K: Serialize + DeserializeOwned>(
    value: &Value,
) -> Result<Value, serde_json::Error> {
    serde_json::to_value(K::deserialize(value)?)
}

/// A member as text; empty when it is not there.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// A member as a list; empty when it is not there.
pub(crate) fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// A member as a number; 0 when it is not there.
pub(crate) fn number(value: &Value, pointer: &str) -> i64 {
    value.pointer(pointer).and_then(Value::as_i64).unwrap_or_default()
}

/// Sets a member that is absent.
pub(crate) fn fill(object: &mut Value, member: &str, value: impl Into<Value>) {
    if !object.is_object() {
        return;
    }
    if object[member].is_null() {
        object[member] = value.into();
    }
}

/// The status is the controllers': a client's write of the object leaves it, and a write of the
/// status leaves everything else.
pub(crate) fn split_status(admission: &Admission, object: &mut Value) {
    match (admission.old, admission.status) {
        (Some(old), true) => {
            let status = object["status"].take();
            let mut metadata = object["metadata"].take();
            *object = old.clone();
            object["status"] = status;
            // Annotations and labels go through with a status, as clients of the status rely on.
            for member in ["annotations", "labels", "finalizers", "managedFields"] {
                object["metadata"][member] = metadata[member].take();
            }
        }
        (Some(old), false) => object["status"] = old["status"].clone(),
        (None, _) => {}
    }
    super::decode::prune(object);
}

/// What is wrong with the labels and annotations of these metadata.
pub(crate) fn labels(metadata: &Value, at: &str, causes: &mut Vec<super::error::Cause>) {
    use super::error::Cause;
    for (key, value) in metadata["labels"].as_object().into_iter().flatten() {
        if let Some(why) = names::key(key) {
            causes.push(Cause::invalid(&format!("{at}.labels"), &key.as_str().into(), why));
        }
        if let Some(why) = names::label_value(value.as_str().unwrap_or_default()) {
            causes.push(Cause::invalid(&format!("{at}.labels"), value, why));
        }
    }
    for key in metadata["annotations"].as_object().into_iter().flatten().map(|(k, _)| k) {
        if let Some(why) = names::key(&key.to_lowercase()) {
            causes.push(Cause::invalid(&format!("{at}.annotations"), &key.as_str().into(), why));
        }
    }
}

/// A number that follows from a text: FNV-1a, as Kubernetes makes its hashes of templates.
pub(crate) fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
