//! Settings of the whole manager, one object per class [spec GlobalConfigs].

use super::values::Formed;
use crate::inventory::{Error, Header, Kind, Resource, Transaction, Verbs};
use crate::wire::{Int, Text, polymorphic, yes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// The declaration. The class is the object's id; there is one of each from the start.
pub static KIND: Kind = Kind {
    polymorphic: true,
    verbs: Verbs { create: false, delete: false, ..Verbs::ALL },
    system_owned_changes: true,
    ..Kind::of::<GlobalConfig>("GlobalConfigs", "/global-configs")
};

/// The classes.
pub const CLASSES: [&str; 7] = [
    "EsxGlobalOpaqueConfig",
    "FipsGlobalConfig",
    "FirewallGlobalConfig",
    "OperationCollectorGlobalConfig",
    "RoutingGlobalConfig",
    "SecurityGlobalConfig",
    "SwitchingGlobalConfig",
];

/// The settings of one class.
#[derive(Clone, Debug, Deserialize)]
#[allow(clippy::enum_variant_names, reason = "wire names")]
pub enum GlobalConfig {
    /// What hosts are told without the manager's understanding it.
    EsxGlobalOpaqueConfig(Opaque),
    /// Cryptography by the standard of that name.
    FipsGlobalConfig(Fips),
    /// The firewall's ways of being fast.
    FirewallGlobalConfig(Firewall),
    /// Who collects what was observed.
    OperationCollectorGlobalConfig(Collectors),
    /// What routers forward.
    RoutingGlobalConfig(Routing),
    /// Which certificates are trusted.
    SecurityGlobalConfig(Security),
    /// Sizes of frames, and replication.
    SwitchingGlobalConfig(Switching),
}

polymorphic!(GlobalConfig {
    EsxGlobalOpaqueConfig,
    FipsGlobalConfig,
    FirewallGlobalConfig,
    OperationCollectorGlobalConfig,
    RoutingGlobalConfig,
    SecurityGlobalConfig,
    SwitchingGlobalConfig,
});

/// What hosts are told without the manager's understanding it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Opaque {
    opaque_config: Vec<Pair>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Pair {
    key: Text<255>,
    value: Text<255>,
}

/// Cryptography by the standard of that name.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fips {
    #[serde(default)]
    lb_fips_enabled: bool,
}

/// The firewall's ways of being fast.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Firewall {
    #[serde(default = "yes")]
    global_addrset_mode_enabled: bool,
    #[serde(default = "yes")]
    global_fastpath_mode_enabled: bool,
}

/// Who collects what was observed.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Collectors {
    collectors: Option<Vec<Collector>>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Collector {
    collector_ip: Formed<IpAddr>,
    collector_port: Int<0, 65_535>,
}

/// What routers forward.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Routing {
    /// Which families.
    // Required by the description, which states a default all the same.
    #[serde(default)]
    pub l3_forwarding_mode: ForwardingMode,
    #[serde(default = "uplink_mtu")]
    logical_uplink_mtu: i32,
}

/// Which families routers forward.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ForwardingMode {
    /// IPv4 alone.
    #[default]
    #[serde(rename = "IPV4_ONLY")]
    Ipv4Only,
    /// Both.
    #[serde(rename = "IPV4_AND_IPV6")]
    Both,
}

/// Which certificates are trusted.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Security {
    #[serde(default)]
    ca_signed_only: bool,
    /// Whether revocation lists are looked at.
    #[serde(default = "yes")]
    pub crl_checking_enabled: bool,
}

/// Sizes of frames in bytes, and replication.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Switching {
    /// The largest frame of uplinks whose profile states none.
    #[serde(default = "physical_mtu")]
    pub physical_uplink_mtu: i32,
    #[serde(default = "threshold")]
    uplink_mtu_threshold: i32,
    #[serde(default)]
    global_replication_mode_enabled: bool,
}

fn uplink_mtu() -> i32 {
    1500
}

fn physical_mtu() -> i32 {
    1700
}

fn threshold() -> i32 {
    9000
}

impl Resource for GlobalConfig {
    fn resource_type(&self) -> Option<&'static str> {
        Some(self.variant())
    }

    fn admit(
        &mut self,
        header: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if header.id == self.variant() {
            return Ok(());
        }
        let problem = format!("must be {}, not {}", header.id, self.variant());
        Err(Error::field("resource_type", problem))
    }
}
