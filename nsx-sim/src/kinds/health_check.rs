//! Checks of whether the physical network carries VLANs to the hosts of a zone
//! [spec ManualHealthCheck].
//!
//! The simulated network carries all of them, so a check is over at once, and its result is what the
//! zone's nodes have for uplinks now.

use super::fabric::transport_node::{self, TransportNode};
use super::transport_zone::{self, TransportZone};
use crate::inventory::{
    Error, Header, Inventory, Kind, Level, Object, Reference, Resource, Transaction, Verbs,
};
use crate::wire::{self, Fields, Items, Told};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The declaration.
pub static KIND: Kind = Kind {
    level: Level::Semantic,
    verbs: Verbs { update: false, ..Verbs::ALL },
    ..Kind::of::<ManualHealthCheck>("ManualHealthCheck", "/manual-health-checks")
};

/// The greatest VLAN.
const LAST_VLAN: i64 = 4094;

/// A check of a zone's VLANs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManualHealthCheck {
    transport_zone_id: String,
    vlans: Vlans,
    #[serde(default)]
    operation_status: Told<Status>,
    #[serde(default)]
    result: Told<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Status {
    InProgress,
    Finished,
}

/// [spec HealthCheckSpecVlans]
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Vlans {
    vlan_ranges: Items<VlanRange, { usize::MAX }, 1>,
}

/// From the first to the last, both included [spec HealthCheckVlanRange].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct VlanRange {
    start: i64,
    end: i64,
}

impl ManualHealthCheck {
    /// [spec HealthCheckResult]
    fn outcome(&self, inventory: &Inventory) -> Value {
        let zone = inventory.find(transport_zone::KIND.name, &self.transport_zone_id);
        let zone = zone.as_deref().and_then(Object::body::<TransportZone>);
        let switch = zone.map(|own| own.host_switch_name.as_str()).unwrap_or_default();
        let nodes = inventory.all(transport_node::KIND.name);
        let nodes: Vec<Value> = nodes
            .iter()
            .filter_map(|object| {
                let node = object.body::<TransportNode>()?;
                node.zones().find(|id| *id == self.transport_zone_id)?;
                let mut own = node.switches()?.standard().iter();
                let own = own.find(|own| own.host_switch_name == switch)?;
                let uplinks = own.pnics().iter().map(|card| {
                    json!({
                        "uplink_name": card.uplink_name,
                        "vlan_and_mtu_allowed": self.vlans.vlan_ranges,
                        "vlan_disallowed": [],
                        "mtu_disallowed": [],
                    })
                });
                Some(json!({
                    "transport_node_id": object.header.id,
                    "result_on_host_switch": {
                        "host_switch_name": switch,
                        "results_per_uplink": uplinks.collect::<Vec<_>>(),
                    },
                }))
            })
            .collect();
        let word = if nodes.is_empty() { "UNKNOWN" } else { "TRUNKED" };
        json!({"vlan_mtu_status": word, "results_per_transport_node": nodes})
    }
}

impl Resource for ManualHealthCheck {
    fn references(&self) -> Vec<Reference> {
        vec![Reference::new(transport_zone::KIND.name, &self.transport_zone_id)]
    }

    fn fields(&self, _: &Header, inventory: &Inventory) -> Fields {
        let mut fields = wire::fields_of(self);
        fields.insert("result".into(), self.outcome(inventory));
        fields
    }

    fn admit(
        &mut self,
        _: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        for (place, range) in self.vlans.vlan_ranges.iter().enumerate() {
            if range.start < 0 || range.end > LAST_VLAN || range.start > range.end {
                let field = format!("vlans.vlan_ranges[{place}]");
                return Err(Error::field(field, format!("must lie between 0 and {LAST_VLAN}")));
            }
        }
        self.operation_status = Told(Some(Status::Finished));
        Ok(())
    }
}
