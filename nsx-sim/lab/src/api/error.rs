//! What the API refuses, as the `Status` that it answers.

use super::resource::Resource;
use serde_json::{Value, json};

/// A refusal: its number, its reason in one word, and its text.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The HTTP status.
    pub code: u16,
    /// The word that clients act on.
    pub reason: &'static str,
    /// What a person reads.
    pub message: String,
    /// Which object, and what was wrong with it.
    pub details: Value,
}

/// What is wrong with one member of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Cause {
    reason: &'static str,
    field: String,
    message: String,
}

impl Cause {
    /// A value that is not allowed.
    pub fn invalid(field: &str, value: &Value, why: &str) -> Cause {
        let message = format!("Invalid value: {}: {why}", printed(value));
        Cause { reason: "FieldValueInvalid", field: field.to_owned(), message }
    }

    /// A value that is missing.
    pub fn required(field: &str, why: &str) -> Cause {
        let message = match why {
            "" => "Required value".to_owned(),
            why => format!("Required value: {why}"),
        };
        Cause { reason: "FieldValueRequired", field: field.to_owned(), message }
    }

    /// A value that only the listed ones may stand for.
    pub fn unsupported(field: &str, value: &Value, supported: &[&str]) -> Cause {
        let list: Vec<String> = supported.iter().map(|s| format!("{s:?}")).collect();
        let message =
            format!("Unsupported value: {}: supported values: {}", printed(value), list.join(", "));
        Cause { reason: "FieldValueNotSupported", field: field.to_owned(), message }
    }

    /// A value that stands in the list already.
    pub fn duplicate(field: &str, value: &Value) -> Cause {
        let message = format!("Duplicate value: {}", printed(value));
        Cause { reason: "FieldValueDuplicate", field: field.to_owned(), message }
    }

    /// A change that is not allowed.
    pub fn forbidden(field: &str, why: &str) -> Cause {
        let message = format!("Forbidden: {why}");
        Cause { reason: "FieldValueForbidden", field: field.to_owned(), message }
    }
}

fn printed(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        other => other.to_string(),
    }
}

impl Error {
    fn new(code: u16, reason: &'static str, message: String, details: Value) -> Error {
        Error { code, reason, message, details }
    }

    fn about(resource: Resource, name: &str) -> Value {
        let info = resource.info();
        let mut details = json!({"name": name, "kind": info.plural});
        if !info.group.is_empty() {
            details["group"] = info.group.into();
        }
        details
    }

    /// There is no such object.
    pub fn missing(resource: Resource, name: &str) -> Error {
        let message = format!("{} {name:?} not found", resource.info().qualified());
        Error::new(404, "NotFound", message, Error::about(resource, name))
    }

    /// There is no such path.
    pub fn no_path(path: &str) -> Error {
        let message = format!(
            "the server could not find the requested resource: {path} is no part of this cluster"
        );
        Error::new(404, "NotFound", message, json!({}))
    }

    /// There is one of this name already.
    pub fn exists(resource: Resource, name: &str) -> Error {
        let message = format!("{} {name:?} already exists", resource.info().qualified());
        Error::new(409, "AlreadyExists", message, Error::about(resource, name))
    }

    /// Another write came first, or a precondition does not hold.
    pub fn conflict(resource: Resource, name: &str, why: &str) -> Error {
        let message = format!(
            "Operation cannot be fulfilled on {} {name:?}: {why}",
            resource.info().qualified()
        );
        Error::new(409, "Conflict", message, Error::about(resource, name))
    }

    /// The object is another version by now.
    pub fn stale(resource: Resource, name: &str) -> Error {
        let why = "the object has been modified; please apply your changes to the latest version \
                   and try again";
        Error::conflict(resource, name, why)
    }

    /// Server-side apply would take members that other managers own.
    pub fn apply_conflict(message: String, causes: &[(String, String)]) -> Error {
        let causes: Vec<Value> = causes
            .iter()
            .map(|(manager, field)| {
                json!({"reason": "FieldManagerConflict", "message": manager, "field": field})
            })
            .collect();
        Error::new(409, "Conflict", message, json!({"causes": causes}))
    }

    /// The object is not what its kind allows.
    pub fn invalid(resource: Resource, name: &str, causes: &[Cause]) -> Error {
        let info = resource.info();
        let kind = match info.group {
            "" => info.kind.to_owned(),
            group => format!("{}.{group}", info.kind),
        };
        let lines: Vec<String> =
            causes.iter().map(|c| format!("{}: {}", c.field, c.message)).collect();
        let told = match lines.as_slice() {
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let mut details = Error::about(resource, name);
        details["kind"] = info.kind.into();
        details["causes"] = causes
            .iter()
            .map(|c| json!({"reason": c.reason, "message": c.message, "field": c.field}))
            .collect();
        Error::new(422, "Invalid", format!("{kind} {name:?} is invalid: {told}"), details)
    }

    /// The object cannot be changed so.
    pub fn unprocessable(resource: Resource, name: &str, why: &str) -> Error {
        let message =
            format!("the server rejected our request due to an error in our request: {why}");
        Error::new(422, "Invalid", message, Error::about(resource, name))
    }

    /// The call itself is not well formed.
    pub fn bad_request(message: impl Into<String>) -> Error {
        Error::new(400, "BadRequest", message.into(), json!({}))
    }

    /// The call is well formed and not allowed.
    pub fn forbidden(resource: Resource, name: &str, why: &str) -> Error {
        let info = resource.info();
        let message = format!("{} {name:?} is forbidden: {why}", info.qualified());
        Error::new(403, "Forbidden", message, Error::about(resource, name))
    }

    /// No token, or another one.
    pub fn unauthorized() -> Error {
        Error::new(401, "Unauthorized", "Unauthorized".to_owned(), Value::Null)
    }

    /// The path does not know the verb.
    pub fn method_not_allowed() -> Error {
        let message = "the server does not allow this method on the requested resource".to_owned();
        Error::new(405, "MethodNotAllowed", message, json!({}))
    }

    /// The body is in a form that is not read.
    pub fn media_type(message: impl Into<String>) -> Error {
        Error::new(415, "UnsupportedMediaType", message.into(), json!({}))
    }

    /// The client wants a form that the server does not have.
    pub fn not_acceptable() -> Error {
        let message = "only the following media types are accepted: application/json".to_owned();
        Error::new(406, "NotAcceptable", message, json!({}))
    }

    /// The body is larger than what is read.
    pub fn too_large() -> Error {
        let message = "Request entity too large: limit is 3145728".to_owned();
        Error::new(413, "RequestEntityTooLarge", message, json!({}))
    }

    /// History does not reach back so far.
    pub fn expired(message: impl Into<String>) -> Error {
        Error::new(410, "Expired", message.into(), Value::Null)
    }

    /// What this server does not do.
    pub fn not_implemented(message: impl Into<String>) -> Error {
        Error::new(501, "NotImplemented", message.into(), json!({}))
    }

    /// A mistake of the server's own.
    pub fn internal(message: impl Into<String>) -> Error {
        let message = format!("Internal error occurred: {}", message.into());
        Error::new(500, "InternalError", message, json!({}))
    }

    /// The object that the server answers.
    pub fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason,
        });
        if !self.details.is_null() {
            status["details"] = self.details.clone();
        }
        status["code"] = self.code.into();
        status
    }
}
