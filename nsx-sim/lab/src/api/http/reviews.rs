//! Who may do what, as `kubectl auth can-i` asks it. Whoever has the token may do all.

use super::answer::json_answer;
use super::body;
use crate::api::error::Error;
use axum::http::{HeaderMap, header};
use axum::response::Response;
use serde_json::{Value, json};

/// The group of these questions.
pub const GROUP: &str = "authorization.k8s.io";

const PROTOBUF: &str = "application/vnd.kubernetes.protobuf";

/// A question: nothing of it is kept.
pub struct Review {
    /// The name in paths.
    pub plural: &'static str,
    /// The name in messages for one.
    pub singular: &'static str,
    /// The `kind`.
    pub kind: &'static str,
    status: fn() -> Value,
}

/// The questions.
pub const REVIEWS: [Review; 2] = [
    Review {
        plural: "selfsubjectaccessreviews",
        singular: "selfsubjectaccessreview",
        kind: "SelfSubjectAccessReview",
        status: || json!({"allowed": true}),
    },
    Review {
        plural: "selfsubjectrulesreviews",
        singular: "selfsubjectrulesreview",
        kind: "SelfSubjectRulesReview",
        status: || {
            json!({
                "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
                "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}],
                "incomplete": false,
            })
        },
    },
];

/// The question at a path.
pub fn at(path: &str) -> Option<&'static Review> {
    let plural = path.strip_prefix("/apis/")?.strip_prefix(GROUP)?.strip_prefix("/v1/")?;
    REVIEWS.iter().find(|review| review.plural == plural)
}

/// Answers a question.
///
/// Newer clients ask in protobuf, which is not read: whatever is asked, the answer is the same.
pub fn answer(review: &Review, headers: &HeaderMap, body: &[u8]) -> Result<Response, Error> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let kind = kind.unwrap_or_default();
    let asked = if kind == PROTOBUF { json!({"spec": {}}) } else { body::read(kind, body)? };
    let answer = json!({
        "kind": review.kind,
        "apiVersion": format!("{GROUP}/v1"),
        "metadata": {},
        "spec": asked["spec"],
        "status": (review.status)(),
    });
    Ok(json_answer(201, &answer))
}
