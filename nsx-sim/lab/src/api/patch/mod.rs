//! Changes of objects that name only what changes.

pub mod lists;
pub mod managed;
pub mod paths;
mod strategic;

pub use managed::Manager;

use super::error::Error;
use super::resource::Resource;
use serde_json::Value;

/// A patch.
pub enum Patch {
    /// RFC 6902: operations.
    Operations(json_patch::Patch),
    /// RFC 7386: members, null for those that go.
    Merge(Value),
    /// Kubernetes' own: like a merge, and lists are merged by their items' keys.
    Strategic(Value),
}

impl Patch {
    /// Reads the patch of a body of this media type.
    pub fn read(media: &str, body: Value) -> Result<Patch, Error> {
        match media {
            "application/json-patch+json" => serde_json::from_value(body)
                .map(Patch::Operations)
                .map_err(|e| Error::bad_request(format!("error decoding patch: {e}"))),
            "application/merge-patch+json" if body.is_object() => Ok(Patch::Merge(body)),
            "application/strategic-merge-patch+json" if body.is_object() => {
                Ok(Patch::Strategic(body))
            }
            "application/merge-patch+json" | "application/strategic-merge-patch+json" => {
                Err(Error::bad_request("error decoding patch: expected a JSON object"))
            }
            other => Err(Error::media_type(format!(
                "the body of the request was in an unknown format ({other}) - accepted media types \
                 include: application/json-patch+json, application/merge-patch+json, \
                 application/strategic-merge-patch+json, application/apply-patch+yaml"
            ))),
        }
    }

    /// Changes an object.
    pub fn apply(&self, resource: Resource, object: &mut Value) -> Result<(), Error> {
        match self {
            Patch::Operations(patch) => json_patch::patch(object, patch).map_err(|error| {
                let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
                Error::unprocessable(resource, &name, &error.to_string())
            })?,
            Patch::Merge(patch) => json_patch::merge(object, patch),
            Patch::Strategic(patch) => strategic::merge(object, patch, resource)?,
        }
        if object.is_object() {
            return Ok(());
        }
        Err(Error::bad_request("the patch leaves no object"))
    }
}
