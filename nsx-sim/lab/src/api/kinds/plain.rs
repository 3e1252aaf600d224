//! Kinds that are only kept: config maps, secrets, service accounts.

use super::columns::{self, Column, integer, text};
use super::{Rules, typed};
use k8s_openapi::api::core::v1::{ConfigMap, Secret, ServiceAccount};
use serde_json::{Value, json};

const DATA: &[Column] = &[text("Name"), integer("Data"), text("Age")];

pub(crate) const CONFIG_MAP: Rules = Rules {
    typed: typed::<ConfigMap>,
    columns: DATA,
    cells: |object| {
        let data = members(object, "data") + members(object, "binaryData");
        vec![columns::name(object), data.into(), columns::age(object)]
    },
    ..Rules::PLAIN
};

pub(crate) const SECRET: Rules = Rules {
    typed: typed::<Secret>,
    fields: |object| vec![("type", super::text(object, "/type").to_owned())],
    default: |object| {
        super::fill(object, "type", "Opaque");
        encode(object);
    },
    columns: &[text("Name"), text("Type"), integer("Data"), text("Age")],
    cells: |object| {
        let data = members(object, "data");
        vec![columns::name(object), object["type"].clone(), data.into(), columns::age(object)]
    },
    ..Rules::PLAIN
};

pub(crate) const SERVICE_ACCOUNT: Rules = Rules {
    typed: typed::<ServiceAccount>,
    columns: &[text("Name"), integer("Secrets"), text("Age")],
    cells: |object| {
        let secrets = super::list(object, "/secrets").len();
        vec![columns::name(object), secrets.into(), columns::age(object)]
    },
    ..Rules::PLAIN
};

fn members(object: &Value, member: &str) -> usize {
    object[member].as_object().map_or(0, serde_json::Map::len)
}

/// Text that a client wrote as it is becomes data as it is kept.
fn encode(secret: &mut Value) {
    use base64::Engine as _;
    let Value::Object(plain) = secret["stringData"].take() else { return };
    if let Some(members) = secret.as_object_mut() {
        members.remove("stringData");
    }
    if !secret["data"].is_object() {
        secret["data"] = json!({});
    }
    for (key, value) in plain {
        let text = value.as_str().unwrap_or_default();
        secret["data"][key] = base64::engine::general_purpose::STANDARD.encode(text).into();
    }
}
