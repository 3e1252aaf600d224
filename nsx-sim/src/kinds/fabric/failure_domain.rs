//! Failure domains of edge nodes [spec FailureDomain].

use crate::inventory::{Kind, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration.
pub static KIND: Kind = Kind::of::<FailureDomain>("FailureDomain", "/failure-domains");

/// Edge nodes that fail together, as those of one rack.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FailureDomain {
    preferred_active_edge_services: Option<bool>,
}

impl Resource for FailureDomain {}
