//! World documents: what a world begins with, as a script of the API's own POSTs.
//!
//! Loading goes through the same handlers as a client's calls, so a document can hold nothing that
//! the API would refuse.

use super::Api;
use crate::fabric::Topology;
use crate::inventory::Actor;
use serde::Deserialize;
use serde_json::Value;

/// A world document.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorldDocument {
    /// What the world is called.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// What it stands on; three hosts unless told otherwise.
    #[serde(default)]
    pub topology: Topology,
    /// What is made, in order.
    #[serde(default)]
    objects: Vec<ObjectRequest>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ObjectRequest {
    /// The principal that makes it; the administrator unless told otherwise.
    owner: Option<String>,
    /// The path below `/api/v1`, with its query.
    post: String,
    body: Value,
}

/// Why a world document was not loaded.
#[derive(Debug, thiserror::Error)]
pub enum WorldFileError {
    /// It is not JSON, or not of this form.
    #[error("not a world document: {0}")]
    Form(#[from] serde_json::Error),
    /// The topology has no host.
    #[error("topology.transport_nodes is empty: vNICs need a host to be on")]
    NoHosts,
    /// The API refused one of the objects.
    #[error("object {place}, POST {post}: {status} {message}")]
    Refused {
        /// Its place in `objects`, from 0.
        place: usize,
        /// Its path.
        post: String,
        /// What the API answered.
        status: u16,
        /// And in words.
        message: String,
    },
}

impl WorldDocument {
    /// Reads a document.
    ///
    /// # Errors
    /// Where it is none.
    pub fn read(text: &str) -> Result<Self, WorldFileError> {
        let document: Self = serde_json::from_str(text)?;
        if document.topology.transport_nodes.is_empty() {
            return Err(WorldFileError::NoHosts);
        }
        Ok(document)
    }

    /// A world with nothing but what every manager has.
    pub fn empty() -> Self {
        Self {
            name: "empty".into(),
            description: String::new(),
            topology: Topology::default(),
            objects: Vec::new(),
        }
    }

    /// Makes the objects.
    ///
    /// # Errors
    /// The first that the API refuses.
    pub fn load(&self, api: &Api, admin: &str) -> Result<(), WorldFileError> {
        let ids = api.world().inventory.ids();
        if let Some(first) = self.topology.first_rule_id {
            ids.skip_numbers_to(first);
        }
        for (place, request) in self.objects.iter().enumerate() {
            let actor = match &request.owner {
                Some(owner) => Actor::principal(owner),
                None => Actor::admin(admin),
            };
            let (path, query) = request.post.split_once('?').unwrap_or((&request.post, ""));
            let path = format!("/api/v1{path}");
            let body = request.body.to_string().into();
            api.call(actor, "POST", &path, query, body).map_err(|failure| {
                let answer = failure.answer();
                let message = answer.body["error_message"].as_str().unwrap_or_default().to_owned();
                let post = request.post.clone();
                WorldFileError::Refused { place, post, status: answer.status, message }
            })?;
        }
        if let Some(next) = self.topology.next_rule_id {
            ids.skip_numbers_to(next);
        }
        Ok(())
    }
}
