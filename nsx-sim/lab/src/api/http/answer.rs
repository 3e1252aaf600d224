//! The forms of an answer.

use super::super::VERSION;
use super::super::error::Error;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

/// JSON that is printed already.
pub fn bytes_answer(code: u16, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or_default();
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// JSON.
pub fn json_answer(code: u16, body: &Value) -> Response {
    bytes_answer(code, format!("{body}\n"))
}

/// JSON of a media type of its own.
pub fn typed_answer(media: &'static str, body: &Value) -> Response {
    let mut response = json_answer(200, body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    response
}

/// Plain text.
pub fn text_answer(text: impl Into<Body>) -> Response {
    let mut response = bytes_answer(200, text);
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response
}

/// A refusal.
pub fn refusal(error: &Error) -> Response {
    json_answer(error.code, &error.status())
}

/// Adds warnings, which kubectl prints.
pub fn warn(response: &mut Response, warnings: &[String]) {
    for text in warnings {
        let value = format!("299 - {text:?}");
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().append(header::WARNING, value);
        }
    }
}

/// Which release the cluster says it is.
pub fn version(version: &str) -> Value {
    let mut numbers = version.trim_start_matches('v').split('.');
    let mut told = json!({
        "major": numbers.next().unwrap_or_default(),
        "minor": numbers.next().unwrap_or_default(),
        "gitVersion": version,
        "gitTreeState": "clean",
        "compiler": "gc",
        "platform": "linux/amd64",
    });
    if version == VERSION {
        told["gitCommit"] = "be3d344ed06bff7a4fc60656200a93c74f31f9a4".into();
        told["buildDate"] = "2020-02-11T19:24:46Z".into();
        told["goVersion"] = "go1.13.6".into();
    }
    told
}
