//! An object as the store keeps it: its JSON, and beside it what is asked for without reading that.

use crate::api::Resource;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeMap;

/// One version of an object. It never changes; a change makes another version.
#[derive(Debug)]
pub struct Object {
    /// Names, labels, owners.
    pub meta: Meta,
    /// Members that selectors and controllers ask for, by their path.
    pub fields: Fields,
    resource: Resource,
    json: Bytes,
}

/// Members by their path (`spec.nodeName`); short, so a list.
pub type Fields = Vec<(&'static str, String)>;

/// The part of `metadata` that the store itself works with.
#[derive(Clone, Debug, Default)]
pub struct Meta {
    /// Empty for objects of the cluster.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The identity that outlives no deletion.
    pub uid: String,
    /// The number of the write that made this version.
    pub resource_version: u64,
    /// How often the spec changed.
    pub generation: i64,
    /// The labels.
    pub labels: BTreeMap<String, String>,
    /// Whom the object belongs to.
    pub owners: Vec<Owner>,
    /// Who has still to clean up before it may go.
    pub finalizers: Vec<String>,
    /// Whether somebody asked that it goes.
    pub deleting: bool,
}

/// An entry of `metadata.ownerReferences`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Kind of the owner.
    pub kind: String,
    /// Name of the owner.
    pub name: String,
    /// Identity of the owner.
    pub uid: String,
    /// Whether it is the one that manages the object.
    pub controller: bool,
    /// Whether the owner waits for the object in a foreground deletion.
    pub blocks: bool,
}

impl Object {
    pub(super) fn new(resource: Resource, value: &Value, fields: Fields) -> Object {
        let json = Bytes::from(value.to_string());
        Object { meta: Meta::of(value), fields, resource, json }
    }

    /// Its kind.
    pub fn resource(&self) -> Resource {
        self.resource
    }

    /// The JSON text.
    pub fn json(&self) -> &Bytes {
        &self.json
    }

    /// The JSON, read.
    pub fn value(&self) -> Value {
        // What the store wrote itself reads again.
        serde_json::from_slice(&self.json).unwrap_or(Value::Null)
    }

    /// The object as a generated type.
    pub fn read<K: DeserializeOwned>(&self) -> Result<K, serde_json::Error> {
        // By way of JSON's own values, from which requests are read, too: one reader of each type.
        K::deserialize(&self.value())
    }

    /// The member of this path, if the kind lets it be selected by. Empty when it is not set.
    pub fn field(&self, path: &str) -> Option<&str> {
        match path {
            "metadata.name" => Some(&self.meta.name),
            "metadata.namespace" => Some(&self.meta.namespace),
            _ => self.fields.iter().find(|(p, _)| *p == path).map(|(_, v)| v.as_str()),
        }
    }

    /// The owner that manages this object.
    pub fn controller(&self) -> Option<&Owner> {
        self.meta.owners.iter().find(|o| o.controller)
    }
}

impl AsRef<Object> for Object {
    fn as_ref(&self) -> &Object {
        self
    }
}

impl Meta {
    fn of(object: &Value) -> Meta {
        let meta = &object["metadata"];
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        let list = |v: &Value| v.as_array().cloned().unwrap_or_default();
        let labels = meta["labels"].as_object().into_iter().flatten();
        Meta {
            namespace: text(&meta["namespace"]),
            name: text(&meta["name"]),
            uid: text(&meta["uid"]),
            resource_version: meta["resourceVersion"]
                .as_str()
                .and_then(|v| v.parse().ok())
                .unwrap_or_default(),
            generation: meta["generation"].as_i64().unwrap_or_default(),
            labels: labels.map(|(k, v)| (k.clone(), text(v))).collect(),
            owners: list(&meta["ownerReferences"]).iter().map(Owner::of).collect(),
            finalizers: list(&meta["finalizers"]).iter().map(text).collect(),
            deleting: !meta["deletionTimestamp"].is_null(),
        }
    }
}

impl Owner {
    fn of(reference: &Value) -> Owner {
        let text = |member: &str| reference[member].as_str().unwrap_or_default().to_owned();
        Owner {
            kind: text("kind"),
            name: text("name"),
            uid: text("uid"),
            controller: reference["controller"] == true,
            blocks: reference["blockOwnerDeletion"] == true,
        }
    }
}
