//! Host switches on a transport node [spec HostSwitchSpec, HostSwitch].

use super::host_switch_profile;
use crate::inventory::{Error, Reference};
use crate::kinds::pools::ip_pool;
use crate::kinds::values::{Formed, MacText};
use crate::wire::{Int, Items, polymorphic};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// The name of a host switch that was given none [spec StandardHostSwitch].
pub const DEFAULT_NAME: &str = "nsxDefaultHostSwitch";

/// Which host switches a node has, and who made them.
#[derive(Clone, Debug, Deserialize)]
#[allow(clippy::enum_variant_names, reason = "wire names")]
pub enum HostSwitchSpec {
    /// The manager makes them.
    StandardHostSwitchSpec(Standard),
    /// They are there already.
    PreconfiguredHostSwitchSpec(Preconfigured),
}

polymorphic!(HostSwitchSpec { StandardHostSwitchSpec, PreconfiguredHostSwitchSpec });

/// Host switches that the manager makes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Standard {
    /// At most one of each name.
    pub host_switches: Vec<StandardHostSwitch>,
}

/// Host switches that are there already; KVM only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Preconfigured {
    host_switches: Items<PreconfiguredHostSwitch, 1>,
}

/// [spec PreconfiguredHostSwitch]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PreconfiguredHostSwitch {
    host_switch_id: String,
    endpoints: Option<Items<Endpoint, 1>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Endpoint {
    device_name: String,
}

/// [spec StandardHostSwitch]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StandardHostSwitch {
    /// As the transport zone names it.
    #[serde(default = "default_name")]
    pub host_switch_name: String,
    host_switch_profile_ids: Option<Vec<ProfileEntry>>,
    pnics: Option<Vec<Pnic>>,
    #[serde(default)]
    is_migrate_pnics: bool,
    ip_assignment_spec: Option<IpAssignment>,
    cpu_config: Option<Vec<CpuCores>>,
    vmk_install_migration: Option<Vec<Vmknic>>,
    pnics_uninstall_migration: Option<Vec<Pnic>>,
    vmk_uninstall_migration: Option<Vec<Vmknic>>,
}

/// The older form of a host switch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostSwitch {
    #[serde(default = "default_name")]
    host_switch_name: String,
    host_switch_profile_ids: Option<Vec<ProfileEntry>>,
    pnics: Option<Vec<Pnic>>,
    static_ip_pool_id: Option<String>,
}

/// A profile of a class [spec HostSwitchProfileTypeIdEntry].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ProfileEntry {
    key: Option<ProfileClass>,
    value: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(clippy::enum_variant_names, reason = "wire names")]
enum ProfileClass {
    UplinkHostSwitchProfile,
    LldpHostSwitchProfile,
    NiocProfile,
    ExtraConfigHostSwitchProfile,
}

/// A network card and the uplink that it serves [spec Pnic].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pnic {
    /// The card, as `vmnic1`.
    pub device_name: String,
    /// The uplink of the profile.
    pub uplink_name: String,
}

/// Where tunnel endpoints have their addresses from.
#[derive(Clone, Debug, PartialEq, Deserialize)]
enum IpAssignment {
    StaticIpPoolSpec(Pool),
    AssignedByDhcp(Dhcp),
    StaticIpListSpec(List),
    StaticIpMacListSpec(MacList),
}

polymorphic!(IpAssignment {
    StaticIpPoolSpec,
    AssignedByDhcp,
    StaticIpListSpec,
    StaticIpMacListSpec
});

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Pool {
    ip_pool_id: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Dhcp {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    ip_list: Items<Formed<IpAddr>, 32>,
    subnet_mask: Formed<IpAddr>,
    default_gateway: Formed<IpAddr>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MacList {
    ip_mac_list: Items<IpMac, 32>,
    subnet_mask: Formed<IpAddr>,
    default_gateway: Formed<IpAddr>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct IpMac {
    ip: Formed<IpAddr>,
    mac: Option<MacText>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CpuCores {
    numa_node_index: Int<0, { i32::MAX as i64 }>,
    num_lcores: Int<1, { i32::MAX as i64 }>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Vmknic {
    device_name: String,
    destination_network: String,
}

/// Where the tunnel endpoints of a host switch have their addresses from.
#[derive(Clone, Debug)]
pub enum Addressing<'a> {
    /// A pool of the manager's, by its id.
    Pool(&'a str),
    /// Whoever answers on the network.
    Dhcp,
    /// The caller.
    Stated {
        /// Each address, with the MAC address where that is stated, too.
        addresses: Vec<(IpAddr, Option<MacText>)>,
        /// The mask of their network.
        mask: IpAddr,
        /// Its gateway.
        gateway: IpAddr,
    },
}

fn default_name() -> String {
    DEFAULT_NAME.into()
}

impl HostSwitchSpec {
    /// The host switches that the manager makes.
    pub fn standard(&self) -> &[StandardHostSwitch] {
        match self {
            Self::StandardHostSwitchSpec(spec) => &spec.host_switches,
            Self::PreconfiguredHostSwitchSpec(_) => &[],
        }
    }

    /// Fills in what was left out.
    ///
    /// # Errors
    /// [`Error::InvalidFields`] where two switches have one name.
    pub fn settle(&mut self) -> Result<(), Error> {
        let mut names = BTreeSet::new();
        if let Self::StandardHostSwitchSpec(spec) = self {
            for switch in &mut spec.host_switches {
                switch.settle();
                if !names.insert(switch.host_switch_name.clone()) {
                    return Err(Error::field("host_switch_name", "must differ on one node"));
                }
            }
        }
        Ok(())
    }

    /// The same in the older form; none where the node's switches were there already.
    pub fn older(&self) -> Option<Vec<HostSwitch>> {
        match self {
            Self::StandardHostSwitchSpec(spec) => {
                Some(spec.host_switches.iter().map(StandardHostSwitch::older).collect())
            }
            Self::PreconfiguredHostSwitchSpec(_) => None,
        }
    }

    /// Host switches told in the older form.
    pub fn of_older(switches: Vec<HostSwitch>) -> Self {
        let host_switches = switches.into_iter().map(HostSwitch::newer).collect();
        Self::StandardHostSwitchSpec(Standard { host_switches })
    }

    /// Whether there is any host switch at all, whoever made it.
    pub fn is_any(&self) -> bool {
        match self {
            Self::StandardHostSwitchSpec(spec) => !spec.host_switches.is_empty(),
            Self::PreconfiguredHostSwitchSpec(spec) => !spec.host_switches.is_empty(),
        }
    }

    /// What the host switches name.
    pub fn references(&self) -> impl Iterator<Item = Reference> + '_ {
        let profiles = self.standard().iter().flat_map(StandardHostSwitch::profiles);
        let profiles = profiles.map(|id| Reference::new(host_switch_profile::KIND.name, id));
        let pools = self.standard().iter().filter_map(StandardHostSwitch::pool);
        profiles.chain(pools.map(|id| Reference::new(ip_pool::KIND.name, id)))
    }
}

impl StandardHostSwitch {
    /// An empty name is the default one, and there is a profile of each class
    /// [spec StandardHostSwitch].
    fn settle(&mut self) {
        if self.host_switch_name.is_empty() {
            self.host_switch_name = default_name();
        }
        let named = |own: &ProfileEntry, class| own.key == Some(class);
        let defaults = [
            (ProfileClass::UplinkHostSwitchProfile, host_switch_profile::DEFAULT_UPLINK),
            (ProfileClass::LldpHostSwitchProfile, host_switch_profile::DEFAULT_LLDP),
            (ProfileClass::NiocProfile, host_switch_profile::DEFAULT_NIOC),
        ];
        let profiles = self.host_switch_profile_ids.get_or_insert_default();
        for (class, (id, _)) in defaults {
            if !profiles.iter().any(|own| named(own, class)) {
                profiles.push(ProfileEntry { key: Some(class), value: id.into() });
            }
        }
    }

    /// Where its tunnel endpoints have their addresses from; none where nobody says.
    pub fn addressing(&self) -> Option<Addressing<'_>> {
        Some(match self.ip_assignment_spec.as_ref()? {
            IpAssignment::StaticIpPoolSpec(pool) => Addressing::Pool(&pool.ip_pool_id),
            IpAssignment::AssignedByDhcp(_) => Addressing::Dhcp,
            IpAssignment::StaticIpListSpec(list) => Addressing::Stated {
                addresses: list.ip_list.iter().map(|ip| (*ip.value(), None)).collect(),
                mask: *list.subnet_mask.value(),
                gateway: *list.default_gateway.value(),
            },
            IpAssignment::StaticIpMacListSpec(list) => {
                let pair = |own: &IpMac| (*own.ip.value(), own.mac.clone());
                Addressing::Stated {
                    addresses: list.ip_mac_list.iter().map(pair).collect(),
                    mask: *list.subnet_mask.value(),
                    gateway: *list.default_gateway.value(),
                }
            }
        })
    }

    /// The pool that it has its addresses from, if it is one.
    pub fn pool(&self) -> Option<&str> {
        match self.addressing() {
            Some(Addressing::Pool(id)) => Some(id),
            _ => None,
        }
    }

    /// The ids of its profiles.
    pub fn profiles(&self) -> impl Iterator<Item = &str> {
        self.host_switch_profile_ids.iter().flatten().map(|own| own.value.as_str())
    }

    /// The network cards.
    pub fn pnics(&self) -> &[Pnic] {
        self.pnics.as_deref().unwrap_or_default()
    }

    fn older(&self) -> HostSwitch {
        let pool = match &self.ip_assignment_spec {
            Some(IpAssignment::StaticIpPoolSpec(pool)) => Some(pool.ip_pool_id.clone()),
            _ => None,
        };
        HostSwitch {
            host_switch_name: self.host_switch_name.clone(),
            host_switch_profile_ids: self.host_switch_profile_ids.clone(),
            pnics: self.pnics.clone(),
            static_ip_pool_id: pool,
        }
    }
}

impl HostSwitch {
    /// Without a pool the addresses come by DHCP [spec HostSwitch].
    fn newer(self) -> StandardHostSwitch {
        let addresses = match self.static_ip_pool_id {
            Some(ip_pool_id) => IpAssignment::StaticIpPoolSpec(Pool { ip_pool_id }),
            None => IpAssignment::AssignedByDhcp(Dhcp {}),
        };
        StandardHostSwitch {
            host_switch_name: self.host_switch_name,
            host_switch_profile_ids: self.host_switch_profile_ids,
            pnics: self.pnics,
            is_migrate_pnics: false,
            ip_assignment_spec: Some(addresses),
            cpu_config: None,
            vmk_install_migration: None,
            pnics_uninstall_migration: None,
            vmk_uninstall_migration: None,
        }
    }
}
