//! Bodies: JSON, or the protobuf that kubectl sends for some kinds.

use super::Call;
use crate::api::error::Error;
use crate::api::protobuf;
use axum::http::header;
use serde_json::{Value, json};

/// The object of a call.
pub fn object(call: &Call) -> Result<Value, Error> {
    read(call.header(header::CONTENT_TYPE), &call.body)
}

/// The object in a body of this type.
pub fn read(kind: &str, body: &[u8]) -> Result<Value, Error> {
    match kind.split(';').next().unwrap_or_default().trim() {
        "" | "application/json" | "text/json" => json(body),
        "application/vnd.kubernetes.protobuf" => protobuf::object(body),
        other => Err(Error::media_type(format!(
            "the body of the request was in an unknown format ({other}) - accepted media types \
             include: application/json, application/vnd.kubernetes.protobuf"
        ))),
    }
}

/// JSON.
pub fn json(body: &[u8]) -> Result<Value, Error> {
    serde_json::from_slice(body).map_err(|error| {
        Error::bad_request(format!("the body of the request is not valid JSON: {error}"))
    })
}

/// The options of a deletion, which need not be there.
pub fn delete_options(call: &Call) -> Result<Value, Error> {
    if call.body.is_empty() { Ok(json!({})) } else { object(call) }
}
