//! How the members of a cluster watch each other [spec ClusterProfile].

use crate::inventory::{Error, Filter, Header, Kind, Resource, Transaction, Words};
use crate::wire::{Int, int, polymorphic, yes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration.
pub static KIND: Kind = Kind {
    polymorphic: true,
    system_owned_hidden: true,
    filters: &[Filter {
        name: "resource_type",
        words: Some(Words::Of(&[
            "EdgeHighAvailabilityProfile",
            "BridgeHighAvailabilityClusterProfile",
        ])),
        passes: |_, object, word| object.resource_type() == word,
    }],
    ..Kind::of::<ClusterProfile>("ClusterProfile", "/cluster-profiles")
};

/// The profile that edge clusters have unless told otherwise: id and name [facts §4.4].
pub const DEFAULT_EDGE: (&str, &str) =
    ("91bcaa06-47a1-11e4-8316-17ffc770799b", "nsx-default-edge-high-availability-profile");

/// The profile that bridge clusters have unless told otherwise: id and name.
pub const DEFAULT_BRIDGE: (&str, &str) =
    ("9ffd2a75-45fc-4ae1-a1c0-7a0f5a1d6cd2", "nsx-default-bridge-high-availability-profile");

/// One profile of either class.
#[derive(Clone, Debug, Deserialize)]
pub enum ClusterProfile {
    /// For edge clusters.
    EdgeHighAvailabilityProfile(EdgeHighAvailability),
    /// For bridge clusters.
    BridgeHighAvailabilityClusterProfile(BridgeHighAvailability),
}

polymorphic!(ClusterProfile { EdgeHighAvailabilityProfile, BridgeHighAvailabilityClusterProfile });

/// Heartbeats between edge nodes; times in milliseconds [spec EdgeHighAvailabilityProfile].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EdgeHighAvailability {
    #[serde(default = "int::<1000, 300, 60_000>")]
    bfd_probe_interval: Int<300, 60_000>,
    #[serde(default = "int::<255, 1, 255>")]
    bfd_allowed_hops: Int<1, 255>,
    #[serde(default = "int::<3, 2, 16>")]
    bfd_declare_dead_multiple: Int<2, 16>,
    standby_relocation_config: Option<StandbyRelocation>,
}

/// When a standby service moves on; minutes [spec StandbyRelocationConfig].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct StandbyRelocation {
    #[serde(default = "int::<30, 10, 20_000>")]
    standby_relocation_threshold: Int<10, 20_000>,
}

/// Heartbeats between bridge nodes; times in milliseconds
/// [spec BridgeHighAvailabilityClusterProfile].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BridgeHighAvailability {
    #[serde(default = "int::<1000, 300, 60_000>")]
    bfd_probe_interval: Int<300, 60_000>,
    #[serde(default = "yes")]
    enable: bool,
}

impl Resource for ClusterProfile {
    fn resource_type(&self) -> Option<&'static str> {
        Some(self.variant())
    }

    fn admit(
        &mut self,
        _: &mut Header,
        before: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if before.is_some_and(|before| before.variant() != self.variant()) {
            return Err(Error::field("resource_type", "can not be changed"));
        }
        Ok(())
    }
}
