//! The switches of the identity firewall [spec IdfwMasterSwitchSetting].

use super::fabric::compute::COLLECTION;
use crate::inventory::{IndexKey, Kind, Reference, Resource, Verbs};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration of the switch for it all.
pub static MASTER: Kind = Kind {
    single: true,
    system_owned_changes: true,
    ..Kind::of::<IdfwMasterSwitchSetting>("IdfwMasterSwitchSetting", "/idfw/master-switch-setting")
};

/// The declaration of the switch for hosts outside clusters.
pub static STANDALONE: Kind = Kind {
    single: true,
    system_owned_changes: true,
    ..Kind::of::<IdfwStandaloneHostsSwitchSetting>(
        "IdfwStandaloneHostsSwitchSetting",
        "/idfw/standalone-host-switch-setting",
    )
};

/// Index: compute collection to its switch.
pub const BY_CLUSTER: &str = "idfw-by-cluster";

/// The declaration of the switches of clusters.
pub static ENABLED: Kind = Kind {
    verbs: Verbs::NONE,
    // The cluster's own name.
    read_only: &["compute_collection_name"],
    ..Kind::of::<IdfwEnabledComputeCollection>(
        "IdfwEnabledComputeCollection",
        "/idfw/idfw-compute-collections",
    )
};

/// Whether it is on for the hosts of a cluster.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdfwEnabledComputeCollection {
    /// The cluster.
    pub compute_collection_id: String,
    /// Whether it is on.
    pub enabled: bool,
}

impl Resource for IdfwEnabledComputeCollection {
    fn keys(&self) -> Vec<IndexKey> {
        vec![(BY_CLUSTER, self.compute_collection_id.clone())]
    }

    fn references(&self) -> Vec<Reference> {
        vec![Reference::new(COLLECTION.name, &self.compute_collection_id)]
    }
}

/// Whether users' groups count in rules at all.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdfwMasterSwitchSetting {
    /// As last asked for.
    pub idfw_master_switch_enabled: bool,
}

/// Whether they do on hosts outside clusters.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdfwStandaloneHostsSwitchSetting {
    standalone_hosts_enabled: bool,
}

impl Resource for IdfwMasterSwitchSetting {}

impl Resource for IdfwStandaloneHostsSwitchSetting {}
