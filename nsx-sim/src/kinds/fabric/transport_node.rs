//! Transport nodes: hosts and edges that carry traffic [spec TransportNode].
//!
//! Since 2.4 a transport node brings its fabric node along: `node_deployment_info` makes the node,
//! changes with it and goes with it. The node is an object of its own; it is printed in its place.

use super::host_switch::{HostSwitch, HostSwitchSpec, StandardHostSwitch};
use super::node::{self, MaintenanceState, Node};
use super::tunnel_endpoint::{Taken, TunnelEndpoint};
use super::virtual_machine;
use super::{failure_domain, node::KIND as NODE, preparation};
use crate::inventory::{
    Error, Filter, Header, HeaderFields, IndexKey, Inventory, Kind, Object, Query, Reference,
    Resource, Transaction, Words,
};
use crate::kinds::firewall::status::{self, Context};
use crate::kinds::transport_zone;
use crate::wire::{self, Fields, Text, Told};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// The declaration.
pub static KIND: Kind = Kind {
    forceable: true,
    filters: &[
        Filter {
            name: "node_id",
            words: None,
            passes: |_, object, id| {
                body(object).is_some_and(|own| own.node_id.as_deref() == Some(id))
            },
        },
        Filter {
            name: "node_ip",
            words: None,
            passes: |inventory, object, address| {
                body(object).and_then(|own| own.node(inventory)).is_some_and(|node| {
                    node.body::<Node>().is_some_and(|own| own.has_address(address))
                })
            },
        },
        Filter {
            name: "node_types",
            words: None,
            passes: |inventory, object, types| {
                body(object).and_then(|own| own.node(inventory)).is_some_and(|node| {
                    types.split(',').any(|own| own.trim() == node.resource_type())
                })
            },
        },
        Filter {
            name: "transport_zone_id",
            words: None,
            passes: |_, object, zone| {
                body(object).is_some_and(|own| own.zones().any(|own| own == zone))
            },
        },
        Filter {
            name: "in_maintenance_mode",
            words: Some(Words::Boolean),
            passes: |_, object, word| {
                body(object).is_some_and(|own| own.in_maintenance().to_string() == word)
            },
        },
    ],
    ..Kind::of::<TransportNode>("TransportNode", "/transport-nodes")
};

/// A host or an edge that carries traffic.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransportNode {
    /// The fabric node; the transport node's own id where it brought the node along.
    pub node_id: Option<String>,
    host_switch_spec: Option<HostSwitchSpec>,
    /// The older form of the same, still printed [spec UpdateTransportNode].
    host_switches: Option<Vec<HostSwitch>>,
    transport_zone_endpoints: Option<Vec<ZoneEndpoint>>,
    #[serde(default)]
    maintenance_mode: Told<MaintenanceMode>,
    failure_domain_id: Option<String>,
    #[serde(default)]
    is_overridden: Told<bool>,
    /// As sent; the node's object has it once the change is admitted.
    #[schemars(with = "Option<Node>")]
    node_deployment_info: Option<Fields>,
    /// The addresses that its host switches took from pools.
    #[serde(skip)]
    taken: Taken,
}

/// A zone that the node is in [spec TransportZoneEndPoint].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ZoneEndpoint {
    /// The zone.
    pub transport_zone_id: String,
    transport_zone_profile_ids: Option<Vec<ZoneProfile>>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ZoneProfile {
    #[serde(default)]
    resource_type: ZoneProfileClass,
    profile_id: String,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
enum ZoneProfileClass {
    #[default]
    BfdHealthMonitoringProfile,
}

/// Whether a node is out of service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "wire names that say it all")]
pub enum MaintenanceMode {
    Enabled,
    ForceEnabled,
    Disabled,
}

/// Index: fabric node to transport node.
const BY_NODE: &str = "transport-node-by-node";

/// The transport node that a fabric node is.
pub fn of_node(inventory: &Inventory, node: &str) -> Option<Arc<Object>> {
    inventory.by_key(BY_NODE, node).into_iter().next()
}

fn body(object: &Object) -> Option<&TransportNode> {
    object.body()
}

impl TransportNode {
    /// The ids of the zones that it is in.
    pub fn zones(&self) -> impl Iterator<Item = &str> {
        self.transport_zone_endpoints.iter().flatten().map(|own| own.transport_zone_id.as_str())
    }

    /// The machine.
    pub fn node(&self, inventory: &Inventory) -> Option<Arc<Object>> {
        inventory.find(NODE.name, self.node_id.as_deref()?)
    }

    /// The host switches.
    pub fn switches(&self) -> Option<&HostSwitchSpec> {
        self.host_switch_spec.as_ref()
    }

    /// The addresses that tunnels end at on one of its host switches, as far as they are known.
    pub fn endpoints(
        &self,
        switch: &StandardHostSwitch,
        inventory: &Inventory,
    ) -> Vec<TunnelEndpoint> {
        self.taken.endpoints(switch, inventory)
    }

    /// Whether its host switches are those of a profile.
    pub fn is_as(&self, profile: &Option<HostSwitchSpec>) -> bool {
        let own = self.host_switch_spec.as_ref().map(wire::fields_of);
        profile.is_none() || own == profile.as_ref().map(wire::fields_of)
    }

    /// Takes what a profile says of host switches and zones.
    pub fn apply(&mut self, switches: &Option<HostSwitchSpec>, zones: &Option<Vec<ZoneEndpoint>>) {
        if switches.is_some() {
            self.host_switch_spec.clone_from(switches);
        }
        if zones.is_some() {
            self.transport_zone_endpoints.clone_from(zones);
        }
    }

    /// Whether it is out of service, by force or not.
    pub fn in_maintenance(&self) -> bool {
        matches!(
            *self.maintenance_mode,
            Some(MaintenanceMode::Enabled | MaintenanceMode::ForceEnabled)
        )
    }

    /// How it is out of service.
    pub fn maintenance(&self) -> MaintenanceMode {
        self.maintenance_mode.unwrap_or(MaintenanceMode::Disabled)
    }

    /// Whichever form of the host switches a caller changed counts; the newer one where both did.
    fn settle_switches(&mut self, before: Option<&Self>) -> Result<(), Error> {
        let known = before.map(|before| before.host_switches.clone());
        let newer = self.host_switch_spec.as_ref().map(wire::fields_of);
        let unchanged = before
            .is_some_and(|before| newer == before.host_switch_spec.as_ref().map(wire::fields_of));
        match self.host_switches.take() {
            Some(older) if newer.is_none() || unchanged && known != Some(Some(older.clone())) => {
                self.host_switch_spec = Some(HostSwitchSpec::of_older(older));
            }
            _ => {}
        }
        if let Some(spec) = &mut self.host_switch_spec {
            spec.settle()?;
        }
        self.host_switches = self.host_switch_spec.as_ref().and_then(HostSwitchSpec::older);
        Ok(())
    }

    /// Makes, changes or finds the machine.
    fn settle_node(
        &mut self,
        header: &Header,
        before: Option<&Self>,
        tx: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        let info = self.node_deployment_info.take();
        if let Some(before) = before {
            let same = self.node_id.is_none() || self.node_id == before.node_id;
            if !same {
                return Err(Error::field("node_id", "can not be changed"));
            }
            self.node_id.clone_from(&before.node_id);
        }
        let Some(mut info) = info else {
            let Some(id) = &self.node_id else {
                return Err(Error::field("node_deployment_info", "is required"));
            };
            let users = tx.referrers(NODE.name, id);
            let taken =
                users.iter().any(|user| user.kind.name == KIND.name && user.header.id != header.id);
            if taken {
                return Err(Error::field("node_id", "is a transport node's already"));
            }
            return Ok(());
        };
        let sent = HeaderFields::take(&mut info)?;
        let mut node: Node = wire::read(Value::Object(info))?;
        let mut sent = sent.with(Box::new(node.clone()));
        match self.node_id.clone() {
            Some(id) => {
                let known = tx.get(&NODE, &id)?;
                let Some(old) = known.body::<Node>() else { return Ok(()) };
                node.admit(&mut known.header.clone(), Some(old), tx)?;
                let named = sent.display_name.or_else(|| known.header.display_name.clone());
                let (description, tags) = (sent.description, sent.tags);
                let shown = named.as_deref().unwrap_or(&id);
                let same = wire::fields_of(&node) == wire::fields_of(old)
                    && shown == known.header.name()
                    && description == known.header.description
                    && tags == known.header.tags;
                if !same {
                    tx.edit(&NODE, &id, |own: &mut Node, header| {
                        *own = node;
                        header.display_name = named;
                        header.description = description;
                        header.tags = tags;
                        Ok(())
                    })?;
                }
            }
            None => {
                // One id for both, unless another node has it.
                let free = tx.find(NODE.name, &header.id).is_none();
                sent.id = free.then(|| Text::cut(&header.id));
                sent.display_name = sent.display_name.or_else(|| header.display_name.clone());
                self.node_id = Some(tx.create(&NODE, sent)?.header.id.clone());
            }
        }
        Ok(())
    }

    fn check_domain(&self, tx: &Transaction<'_>) -> Result<(), Error> {
        let host = self.node_id.as_deref().and_then(|id| tx.find(NODE.name, id));
        let host = host.is_some_and(|node| node.body::<Node>().is_some_and(|own| !own.is_edge()));
        if host && self.failure_domain_id.is_some() {
            return Err(Error::field("failure_domain_id", "is for edge nodes only"));
        }
        Ok(())
    }
}

/// Takes a node out of service, or back. A host with running machines goes by force only
/// (docs/fidelity.md).
///
/// # Errors
/// [`Error::NotFound`], and whatever forbids the change.
pub fn enter(tx: &mut Transaction<'_>, id: &str, mode: MaintenanceMode) -> Result<(), Error> {
    if mode == MaintenanceMode::Enabled {
        let guests = virtual_machine::on_host(tx.inventory(), id);
        if let Some(guest) = guests.iter().find(|own| virtual_machine::runs(own)) {
            let why = format!("needs that no machine runs on the host: {}", guest.header.name());
            return Err(Error::field("action", why));
        }
    }
    let node = tx.edit(&KIND, id, |own: &mut TransportNode, _| {
        own.maintenance_mode = Told(Some(mode));
        Ok(())
    })?;
    let Some(id) = body(&node).and_then(|own| own.node_id.clone()) else { return Ok(()) };
    let state = match mode {
        MaintenanceMode::Disabled => MaintenanceState::Off,
        MaintenanceMode::Enabled | MaintenanceMode::ForceEnabled => MaintenanceState::On,
    };
    tx.edit(&node::KIND, &id, |own: &mut Node, _| {
        own.set_maintenance(state);
        Ok(())
    })?;
    Ok(())
}

impl Resource for TransportNode {
    fn fields(&self, _: &Header, inventory: &Inventory) -> Fields {
        let mut fields = wire::fields_of(self);
        let overridden = preparation::is_overridden(self, inventory);
        fields.insert("is_overridden".into(), overridden.into());
        if let Some(node) = self.node(inventory) {
            // Seen by the manager, for how it is protected is told with the transport node.
            let printed = node.fields(inventory, &crate::inventory::Actor::system());
            fields.insert("node_deployment_info".into(), printed.into());
        }
        fields
    }

    fn keys(&self) -> Vec<IndexKey> {
        self.node_id.iter().map(|id| (BY_NODE, id.clone())).collect()
    }

    fn references(&self) -> Vec<Reference> {
        let zones = self.zones().map(|id| Reference::new(transport_zone::KIND.name, id));
        let node = self.node_id.iter().map(|id| Reference::new(NODE.name, id));
        let domain = self.failure_domain_id.iter();
        let domain = domain.map(|id| Reference::new(failure_domain::KIND.name, id));
        let switches = self.host_switch_spec.iter().flat_map(HostSwitchSpec::references);
        node.chain(zones).chain(domain).chain(switches).collect()
    }

    fn admit(
        &mut self,
        header: &mut Header,
        before: Option<&Self>,
        tx: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        self.settle_switches(before)?;
        self.settle_node(header, before, tx)?;
        self.check_domain(tx)?;
        let taken = before.map(|before| before.taken.clone()).unwrap_or_default();
        self.taken = taken.settle(self.host_switch_spec.as_ref(), tx)?;
        if self.maintenance_mode.is_none() {
            let known = before.map(Self::maintenance);
            self.maintenance_mode = Told(Some(known.unwrap_or(MaintenanceMode::Disabled)));
        }
        Ok(())
    }

    /// The fabric node goes, too [spec DeleteTransportNodeWithDeploymentInfo]. Virtual machines hold
    /// their host, unless it goes by force: then they are not seen any more.
    fn retire(object: &Object, tx: &mut Transaction<'_>, query: &Query) -> Result<(), Error> {
        query.flag("unprepare_host")?;
        let node = body(object).and_then(|own| own.node_id.clone());
        let found = node.as_deref().and_then(|id| tx.find(NODE.name, id));
        let edge = found.is_some_and(|node| node.body::<Node>().is_some_and(Node::is_edge));
        let guests = virtual_machine::on_host(tx.inventory(), &object.header.id);
        if edge || !query.flag("force")? {
            tx.refuse_if_used(object, |_| true)?;
            if !guests.is_empty() {
                let by = guests.iter().map(|own| format!("{}/{}", own.kind.name, own.header.id));
                let id = object.header.id.clone();
                return Err(Error::InUse { kind: KIND.name, id, by: by.collect() });
            }
        }
        for guest in guests {
            virtual_machine::forget(tx, &guest)?;
        }
        body(object).map_or(Ok(()), |own| own.taken.give_back(tx))?;
        status::forget_target(tx, Context::TransportNodes, &object.header.id)?;
        match node {
            Some(id) => tx.discard(&NODE, &id),
            None => Ok(()),
        }
    }
}
