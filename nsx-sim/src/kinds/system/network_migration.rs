//! How hosts' own interfaces move to logical switches when a profile is applied to them
//! [spec NetworkMigrationSpec].

use crate::inventory::{Filter, Kind, Resource, Words};
use crate::wire::{Items, polymorphic};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration.
pub static KIND: Kind = Kind {
    polymorphic: true,
    system_owned_hidden: true,
    filters: &[Filter {
        name: "type",
        words: Some(Words::Of(&["HostProfileNetworkMigrationSpec"])),
        passes: |_, object, word| object.resource_type() == word,
    }],
    ..Kind::of::<MigrationSpec>("NetworkMigrationSpec", "/network-migration-specs")
};

/// A specification.
#[derive(Clone, Debug, Deserialize)]
pub enum MigrationSpec {
    /// For hosts by their profile.
    HostProfileNetworkMigrationSpec(HostProfile),
}

polymorphic!(MigrationSpec { HostProfileNetworkMigrationSpec });

/// Interfaces and where they go.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostProfile {
    network_mappings: Option<Items<Mapping, 10, 1>>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Mapping {
    src_interface_id: String,
    dest_network_id: String,
}

impl Resource for MigrationSpec {
    fn resource_type(&self) -> Option<&'static str> {
        Some(self.variant())
    }
}
