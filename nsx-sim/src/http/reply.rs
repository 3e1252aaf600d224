//! Answers as bytes and headers, the way a real manager sends them [miq].

use super::auth::{Opened, XSRF_TOKEN};
use super::call::{JSON, Reply};
use super::error::Failure;
use crate::wire;
use axum::body::Body;
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{Response, StatusCode};
use serde_json::Value;

/// Headers of every answer; `X-Content-Type-Options` is seen twice.
const HEADERS: [(HeaderName, &str); 9] = [
    (header::CACHE_CONTROL, "no-cache, no-store, max-age=0, must-revalidate"),
    (header::PRAGMA, "no-cache"),
    (header::EXPIRES, "0"),
    (header::X_XSS_PROTECTION, "1; mode=block"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "SAMEORIGIN"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000 ; includeSubDomains"),
    (header::SERVER, "NSX"),
];

/// Answers the call that opens a session: nothing but its cookie and token.
pub fn session(opened: &Opened) -> Response<Body> {
    let mut response = response(Ok(Reply::empty()), Some(opened));
    put(response.headers_mut(), HeaderName::from_static(XSRF_TOKEN), &opened.token);
    response
}

/// Prints what came of a call, with the cookie of the session that came with it.
pub fn response(outcome: Result<Reply, Failure>, opened: Option<&Opened>) -> Response<Body> {
    let mut media = JSON;
    let allowed = match &outcome {
        Err(Failure::MethodNotAllowed(verbs)) => Some(verbs.clone()),
        _ => None,
    };
    let (status, body) = match outcome {
        Ok(Reply { status, bytes: Some(bytes), media: Some(own), .. }) => {
            media = own;
            (status, Some(bytes.to_vec()))
        }
        Ok(Reply { status, body: Some(Value::String(text)), media: Some(own), .. }) => {
            media = own;
            (status, Some(text.into_bytes()))
        }
        Ok(Reply { status, body, .. }) => (status, body.map(|body| pretty(&body))),
        Err(failure) => {
            let answer = failure.answer();
            let print = if answer.compact {
                answer.body.to_string().into_bytes()
            } else {
                pretty(&answer.body)
            };
            (answer.status, Some(print))
        }
    };
    let has_body = body.is_some();
    let mut response = Response::new(body.map_or_else(Body::empty, Body::from));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    // The status line ends in a blank: terraform shows `Status: 400 ,` [miq; tf #165].
    response.extensions_mut().insert(hyper::ext::ReasonPhrase::from_static(b""));
    let headers = response.headers_mut();
    // First of all, and at the start of its line: two SDKs look for it there only.
    if let Some(Opened { cookie, .. }) = opened {
        let cookie = format!("JSESSIONID={cookie}; Path=/; Secure; HttpOnly");
        put(headers, header::SET_COOKIE, &cookie);
    }
    for (name, value) in HEADERS {
        headers.append(name, HeaderValue::from_static(value));
    }
    let request = uuid::Uuid::new_v4().to_string();
    put(headers, HeaderName::from_static("x-nsx-requestid"), &request);
    if let Some(verbs) = allowed {
        put(headers, header::ALLOW, &verbs);
    }
    if has_body {
        put(headers, header::CONTENT_TYPE, media);
    }
    response
}

/// Adds what a manager tells of an operation that is deprecated [miq].
pub fn warn_deprecated(response: &mut Response<Body>) {
    put(response.headers_mut(), header::WARNING, "299 - \"Deprecated API\"");
}

fn put(headers: &mut axum::http::HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.append(name, value);
    }
}

fn pretty(body: &Value) -> Vec<u8> {
    // A JSON value always prints.
    wire::to_pretty_bytes(body).unwrap_or_default()
}
