//! Transport zones [spec TransportZone].

use super::transport_zone_profile;
use crate::inventory::{Error, Filter, Header, Kind, Reference, Resource, Transaction, Words};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration.
pub static KIND: Kind = Kind {
    read_only: &["host_switch_id"],
    filters: &[
        Filter {
            name: "transport_type",
            words: Some(Words::Of(&["OVERLAY", "VLAN"])),
            passes: |_, object, word| {
                object
                    .body::<TransportZone>()
                    .is_some_and(|zone| zone.transport_type.word() == word)
            },
        },
        Filter {
            name: "is_default",
            words: Some(Words::Boolean),
            passes: |_, object, word| {
                object
                    .body::<TransportZone>()
                    .is_some_and(|zone| zone.is_default.to_string() == word)
            },
        },
        Filter {
            name: "uplink_teaming_policy_name",
            words: None,
            passes: |_, object, name| {
                object.body::<TransportZone>().is_some_and(|zone| {
                    zone.uplink_teaming_policy_names.iter().flatten().any(|policy| policy == name)
                })
            },
        },
    ],
    ..Kind::of::<TransportZone>("TransportZone", "/transport-zones")
};

/// Where a logical switch can reach.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransportZone {
    /// Overlay or VLAN; fixed.
    pub transport_type: TransportType,
    /// The host switch that carries it on every node.
    #[serde(default = "default_host_switch_name")]
    pub host_switch_name: String,
    #[serde(default)]
    host_switch_mode: HostSwitchMode,
    #[serde(default)]
    nested_nsx: bool,
    #[serde(default)]
    is_default: bool,
    uplink_teaming_policy_names: Option<Vec<String>>,
    #[serde(default = "default_profiles")]
    transport_zone_profile_ids: Vec<ProfileEntry>,
    /// Made by the manager with the zone; kept over changes.
    #[serde(skip_deserializing)]
    pub host_switch_id: Option<String>,
}

/// What carries the traffic of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum TransportType {
    /// Tunnels between transport nodes.
    Overlay,
    /// The physical network's VLANs.
    Vlan,
}

impl TransportType {
    /// The wire name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Overlay => "OVERLAY",
            Self::Vlan => "VLAN",
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum HostSwitchMode {
    #[default]
    Standard,
    Ens,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ProfileEntry {
    #[serde(default)]
    resource_type: ZoneProfile,
    profile_id: String,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
enum ZoneProfile {
    #[default]
    BfdHealthMonitoringProfile,
}

fn default_host_switch_name() -> String {
    "nsxDefaultHostSwitch".into()
}

fn default_profiles() -> Vec<ProfileEntry> {
    vec![ProfileEntry {
        resource_type: ZoneProfile::default(),
        profile_id: transport_zone_profile::DEFAULT.0.into(),
    }]
}

impl Resource for TransportZone {
    fn references(&self) -> Vec<Reference> {
        let profiles = self.transport_zone_profile_ids.iter();
        profiles
            .map(|entry| Reference::new(transport_zone_profile::KIND.name, &entry.profile_id))
            .collect()
    }

    fn admit(
        &mut self,
        _: &mut Header,
        before: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if self.host_switch_name.is_empty() {
            self.host_switch_name = default_host_switch_name();
        }
        let Some(before) = before else {
            self.host_switch_id = Some(transaction.inventory().ids().uuid().to_string());
            return Ok(());
        };
        self.host_switch_id.clone_from(&before.host_switch_id);
        if self.transport_type != before.transport_type {
            return Err(Error::field("transport_type", "can not be changed"));
        }
        if self.host_switch_name != before.host_switch_name {
            return Err(Error::field("host_switch_name", "can not be changed"));
        }
        Ok(())
    }
}
