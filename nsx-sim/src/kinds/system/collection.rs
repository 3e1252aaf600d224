//! How often figures are gathered for the health of features [spec GlobalCollectionConfiguration].
//! It is kept and read back; figures here are read when they are asked for.

use super::the_one;
use crate::inventory::{Kind, Resource};
use crate::wire::{Int, Told};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The declaration.
pub static GLOBAL: Kind =
    the_one::<GlobalCollection>("GlobalCollectionConfiguration", "/hpm/global-config");

/// For all features.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GlobalCollection {
    is_data_collection_enabled: bool,
    /// Seconds.
    aggregated_data_collection_frequency: Int<60, 86_400>,
    #[serde(default)]
    modified_feature_stack_collection_configurations: Told<Value>,
}

impl Resource for GlobalCollection {}
