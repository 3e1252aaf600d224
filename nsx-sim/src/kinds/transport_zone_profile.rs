//! How tunnels of a transport zone are watched [spec TransportZoneProfile].

use crate::inventory::{Filter, Kind, Resource, Words};
use crate::wire::{Int, int, polymorphic};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration.
pub static KIND: Kind = Kind {
    polymorphic: true,
    system_owned_hidden: true,
    filters: &[Filter {
        name: "resource_type",
        words: Some(Words::Of(&["BfdHealthMonitoringProfile"])),
        passes: |_, object, word| object.resource_type() == word,
    }],
    ..Kind::of::<TransportZoneProfile>("TransportZoneProfile", "/transportzone-profiles")
};

/// The profile that every zone has unless told otherwise, by id [client psnsxt] and name.
pub const DEFAULT: (&str, &str) =
    ("52035bb3-ab02-4a08-9884-18631312e50a", "nsx-default-tz-bfd-hm-profile");

/// How tunnels are watched.
#[derive(Clone, Debug, Deserialize)]
pub enum TransportZoneProfile {
    /// By bidirectional forwarding detection.
    BfdHealthMonitoringProfile(BfdHealthMonitoring),
}

polymorphic!(TransportZoneProfile { BfdHealthMonitoringProfile });

/// Watching by bidirectional forwarding detection [spec BfdHealthMonitoringProfile].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BfdHealthMonitoring {
    /// Milliseconds.
    #[serde(default = "int::<1000, 300, { i64::MAX }>")]
    probe_interval: Int<300, { i64::MAX }>,
    latency_enabled: Option<bool>,
    enabled: bool,
}

impl Resource for TransportZoneProfile {
    fn resource_type(&self) -> Option<&'static str> {
        Some(self.variant())
    }
}
