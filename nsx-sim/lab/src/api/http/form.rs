//! In which form a client wants objects: as they are, as a table, or their metadata alone.

use crate::api::Resource;
use crate::api::error::Error;
use crate::api::kinds::columns;
use crate::api::store::Object;
use axum::body::Bytes;
use serde_json::{Value, json};

/// The form of objects in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As they are.
    Whole,
    /// Rows of a table, and what of the object goes with each row.
    Table(Include),
    /// Their metadata.
    Metadata,
}

/// What of an object goes with its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Include {
    /// Nothing.
    None,
    /// Its metadata.
    Metadata,
    /// All of it.
    Object,
}

impl Form {
    /// The first form of an `Accept` header that this server has.
    pub fn wanted(accept: &str, include: &str) -> Result<Form, Error> {
        if accept.trim().is_empty() {
            return Ok(Form::Whole);
        }
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let json = matches!(parts.next(), Some("application/json" | "*/*" | "application/*"));
            let parameters: Vec<&str> = parts.collect();
            let of = |name: &str| {
                let mut values = parameters.iter().filter_map(|p| p.strip_prefix(name));
                values.next().unwrap_or_default()
            };
            match (json, of("as="), of("v=")) {
                (false, ..) => {}
                (_, "Table", "v1") => {
                    let include = match include {
                        "None" => Include::None,
                        "Object" => Include::Object,
                        _ => Include::Metadata,
                    };
                    return Ok(Form::Table(include));
                }
                (_, "PartialObjectMetadata" | "PartialObjectMetadataList", "v1") => {
                    return Ok(Form::Metadata);
                }
                (_, "", _) => return Ok(Form::Whole),
                _ => {}
            }
        }
        Err(Error::not_acceptable())
    }

    /// One object by itself.
    pub fn one(self, resource: Resource, object: &Object, headers: bool) -> Bytes {
        match self {
            Form::Whole => object.json().clone(),
            Form::Metadata => metadata(&object.value()).to_string().into(),
            Form::Table(include) => {
                let version = json!({"resourceVersion": object.meta.resource_version.to_string()});
                let row = row(resource, object, include);
                table(resource, &version, vec![row], headers).to_string().into()
            }
        }
    }

    /// A list.
    pub fn list(self, resource: Resource, objects: &[impl AsRef<Object>], about: &Value) -> Bytes {
        let info = resource.info();
        let objects = objects.iter().map(AsRef::as_ref);
        match self {
            Form::Table(include) => {
                let rows = objects.map(|o| row(resource, o, include)).collect();
                table(resource, about, rows, true).to_string().into()
            }
            Form::Metadata => {
                let items: Vec<Value> = objects.map(|o| metadata(&o.value())).collect();
                json!({"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1",
                       "metadata": about, "items": items})
                .to_string()
                .into()
            }
            Form::Whole => {
                let (kind, version) = (info.kind, info.api_version());
                let mut text = format!(
                    "{{\"kind\":\"{kind}List\",\"apiVersion\":\"{version}\",\"metadata\":{about},\
                     \"items\":["
                )
                .into_bytes();
                for (place, object) in objects.enumerate() {
                    if place > 0 {
                        text.push(b',');
                    }
                    text.extend_from_slice(object.json());
                }
                text.extend_from_slice(b"]}\n");
                text.into()
            }
        }
    }
}

fn metadata(object: &Value) -> Value {
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
           "metadata": object["metadata"]})
}

fn row(resource: Resource, object: &Object, include: Include) -> Value {
    let value = object.value();
    let mut row = json!({"cells": (resource.info().rules.cells)(&value)});
    match include {
        Include::None => {}
        Include::Metadata => row["object"] = metadata(&value),
        Include::Object => row["object"] = value,
    }
    row
}

fn table(resource: Resource, about: &Value, rows: Vec<Value>, headers: bool) -> Value {
    let mut table = json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": about});
    let columns = resource.info().rules.columns;
    table["columnDefinitions"] = if headers { columns::definitions(columns) } else { json!([]) };
    table["rows"] = rows.into();
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_form_that_the_server_has_is_taken() {
        let kubectl = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;\
                       v=v1beta1;g=meta.k8s.io,application/json";
        assert_eq!(Form::wanted(kubectl, ""), Ok(Form::Table(Include::Metadata)));
        let typed = "application/vnd.kubernetes.protobuf,application/json";
        assert_eq!(Form::wanted(typed, ""), Ok(Form::Whole));
        assert!(Form::wanted("application/vnd.kubernetes.protobuf", "").is_err());
        assert!(Form::wanted("application/yaml", "").is_err());
    }
}
