//! Logical switches [spec LogicalSwitch].

use super::bindings::{AddressBinding, AdminState, ExtraConfig, check_complete};
use super::pools::{ip_pool, mac_pool, vni_pool};
use super::switching_profile::ProfileBindings;
use super::transport_zone::{self, TransportType, TransportZone};
use super::vlan::{VlanId, VlanTrunkSpec};
use super::{logical_port, ns_group};
use crate::inventory::{
    Error, Filter, Header, IndexKey, Kind, Level, Object, Query, Reference, Resource, Transaction,
    Words,
};
use crate::wire::Items;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration.
pub static KIND: Kind = Kind {
    level: Level::Semantic,
    read_only: &["span"],
    filters: &[
        Filter {
            name: "transport_zone_id",
            words: None,
            passes: |_, object, id| {
                object.body::<LogicalSwitch>().is_some_and(|switch| switch.transport_zone_id == id)
            },
        },
        Filter {
            name: "transport_type",
            words: Some(Words::Of(&["OVERLAY", "VLAN"])),
            passes: |inventory, object, word| {
                let zone = object
                    .body::<LogicalSwitch>()
                    .and_then(|switch| inventory.find("TransportZone", &switch.transport_zone_id));
                zone.is_some_and(|zone| {
                    let zone = zone.body::<TransportZone>();
                    zone.is_some_and(|zone| zone.transport_type.word() == word)
                })
            },
        },
        Filter {
            name: "vlan",
            words: Some(Words::Number),
            passes: |_, object, vlan| {
                let own = object.body::<LogicalSwitch>().and_then(|switch| switch.vlan);
                own.is_some_and(|own| own.get().to_string() == vlan)
            },
        },
        Filter {
            name: "vni",
            words: Some(Words::Number),
            passes: |_, object, vni| {
                let own = object.body::<LogicalSwitch>().and_then(|switch| switch.vni);
                own.is_some_and(|own| own.to_string() == vni)
            },
        },
        Filter {
            name: "switching_profile_id",
            words: None,
            passes: |_, object, id| {
                object
                    .body::<LogicalSwitch>()
                    .is_some_and(|switch| switch.switching_profile_ids.hold(id))
            },
        },
        Filter {
            name: "uplink_teaming_policy_name",
            words: None,
            passes: |_, object, name| {
                object.body::<LogicalSwitch>().is_some_and(|switch| {
                    switch.uplink_teaming_policy_name.as_deref() == Some(name)
                })
            },
        },
        // What it would add are the manager's own transit switches, and there are none.
        Filter { name: "diagnostic", words: Some(Words::Boolean), passes: |_, _, _| true },
    ],
    ..Kind::of::<LogicalSwitch>("LogicalSwitch", "/logical-switches")
};

/// Index: VNI to switch.
pub const BY_VNI: &str = "switch-by-vni";

/// A segment that logical ports attach to.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogicalSwitch {
    switch_type: Option<SwitchType>,
    /// Where it reaches; fixed.
    pub transport_zone_id: String,
    /// The segment's number; overlay only.
    pub vni: Option<i32>,
    /// The tag on the wire; VLAN zones only.
    pub vlan: Option<VlanId>,
    vlan_trunk_spec: Option<VlanTrunkSpec>,
    /// Up or down.
    pub admin_state: AdminState,
    replication_mode: Option<ReplicationMode>,
    #[serde(default)]
    hybrid: bool,
    /// The pool that ports' IP addresses come from.
    pub ip_pool_id: Option<String>,
    /// The pool that ports' MAC addresses come from.
    pub mac_pool_id: Option<String>,
    uplink_teaming_policy_name: Option<String>,
    #[serde(default)]
    /// Addresses of what is behind its ports.
    pub address_bindings: Items<AddressBinding, 100>,
    /// One of each class.
    #[serde(default)]
    pub switching_profile_ids: ProfileBindings,
    extra_configs: Option<Vec<ExtraConfig>>,
    #[serde(default, skip_deserializing)]
    span: Vec<String>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum SwitchType {
    Default,
    ServicePlane,
    DhcpRelay,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum ReplicationMode {
    Mtep,
    Source,
}

impl LogicalSwitch {
    /// Fits the segment to an overlay zone.
    fn admit_overlay(&mut self, transaction: &Transaction<'_>) -> Result<(), Error> {
        // The Go SDK sends `"vlan": 0` on every switch [gosdk]: unset, where there are no VLANs.
        if self.vlan.is_some_and(|vlan| vlan.get() == 0) {
            self.vlan = None;
        }
        // A trunk may be there: guests' own tags pass [spec LogicalSwitch.vlan_trunk_spec].
        if self.vlan.is_some() {
            return Err(Error::field("vlan", "can not be set in an overlay transport zone"));
        }
        self.replication_mode.get_or_insert(ReplicationMode::Mtep);
        match self.vni {
            None => self.vni = Some(vni_pool::free(transaction)?),
            Some(vni) if !vni_pool::holds(transaction, vni) => {
                return Err(Error::field("vni", format!("{vni} is in no pool of VNIs")));
            }
            Some(_) => {}
        }
        Ok(())
    }

    fn admit_vlan(&self) -> Result<(), Error> {
        if self.vni.is_some() {
            return Err(Error::field("vni", "can not be set in a VLAN transport zone"));
        }
        match (&self.vlan, &self.vlan_trunk_spec) {
            (None, None) => Err(Error::field("vlan", "is required in a VLAN transport zone")),
            (Some(_), Some(_)) => Err(Error::field("vlan", "excludes vlan_trunk_spec")),
            _ => Ok(()),
        }
    }
}

impl Resource for LogicalSwitch {
    fn references(&self) -> Vec<Reference> {
        let zone = Reference::new(transport_zone::KIND.name, &self.transport_zone_id);
        let ips = self.ip_pool_id.iter().map(|id| Reference::new(ip_pool::KIND.name, id));
        let macs = self.mac_pool_id.iter().map(|id| Reference::new(mac_pool::KIND.name, id));
        self.switching_profile_ids.references().chain([zone]).chain(ips).chain(macs).collect()
    }

    fn keys(&self) -> Vec<IndexKey> {
        self.vni.map(|vni| (BY_VNI, vni.to_string())).into_iter().collect()
    }

    fn admit(
        &mut self,
        header: &mut Header,
        before: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if let Some(before) = before {
            if self.transport_zone_id != before.transport_zone_id {
                return Err(Error::field("transport_zone_id", "can not be changed"));
            }
            if self.hybrid != before.hybrid {
                return Err(Error::field("hybrid", "can not be changed"));
            }
            // Only the manager sets it from now on: what is sent is read over.
            self.vni = before.vni;
        }
        if let Some(trunk) = &self.vlan_trunk_spec {
            trunk.check()?;
        }
        check_complete(&self.address_bindings)?;
        self.switching_profile_ids.complete(transaction)?;
        let missing = || Error::MissingReference {
            kind: transport_zone::KIND.name.into(),
            id: self.transport_zone_id.clone(),
        };
        let zone = transaction
            .find(transport_zone::KIND.name, &self.transport_zone_id)
            .ok_or_else(missing)?;
        match zone.body::<TransportZone>().map(|zone| zone.transport_type) {
            Some(TransportType::Vlan) => self.admit_vlan()?,
            _ => self.admit_overlay(transaction)?,
        }
        if let Some(vni) = self.vni {
            let mut users = transaction.inventory().by_key(BY_VNI, &vni.to_string()).into_iter();
            if users.any(|user| user.header.id != header.id) {
                return Err(Error::field("vni", format!("{vni} is in use")));
            }
        }
        Ok(())
    }

    /// Ports go with the switch when asked (`cascade`), attached ones only by force (`detach`);
    /// membership of a group holds it unless forced [spec DeleteLogicalSwitch].
    fn retire(
        object: &Object,
        transaction: &mut Transaction<'_>,
        query: &Query,
    ) -> Result<(), Error> {
        let (cascade, detach) = (query.flag("cascade")?, query.flag("detach")?);
        let id = &object.header.id;
        for user in transaction.referrers(KIND.name, id) {
            if user.kind.name == logical_port::KIND.name && (cascade || detach) {
                transaction.delete(&logical_port::KIND, &user.header.id, query)?;
            }
        }
        transaction.refuse_if_used(object, |user| {
            let group = user.kind.name == ns_group::KIND.name && !detach;
            group || user.kind.name == logical_port::KIND.name
        })
    }
}
