//! What lies between two ports with VIFs [spec PortConnectionEntities]: their machines or containers,
//! hosts and switches, the routers and tunnels on the way, and what is in it.

use super::super::call::{Call, Reply};
use super::super::error::Failure;
use super::super::routes::Routes;
use super::{interfaces, tunnels};
use crate::fabric::{Fabric, Machine, Obstacle, Place};
use crate::inventory::{Error, Object};
use crate::kinds::fabric::virtual_machine::{self, MACHINE, VirtualNetworkInterface};
use crate::kinds::fabric::{discovered, transport_node};
use crate::kinds::logical_port::{self, LogicalPort};
use crate::kinds::logical_switch;
use crate::kinds::routing::port::{self, RouterPort};
use crate::kinds::routing::router;
use dataplane::Packet;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Adds the route.
pub fn register(routes: &mut Routes) {
    routes.on("GET", "/logical-ports/{id}/forwarding-path", answer);
}

fn answer(call: &Call<'_>) -> Result<Reply, Failure> {
    let peer = call.query.get("peer_port_id");
    let peer = peer.ok_or_else(|| Error::field("peer_port_id", "is required"))?;
    let ends = [end(call, "lport-id", call.param(0))?, end(call, "peer_port_id", peer)?];
    let fabric = call.world.fabric();
    let (routers, errors) = between(call, &fabric, &ends);
    let hosts: BTreeMap<&str, &Machine> = ends
        .iter()
        .filter_map(|own| fabric.host(&own.header.id))
        .map(|own| (&*own.id, own))
        .collect();
    let (machines, containers) = guests(call, &ends);
    let switches: BTreeSet<&str> = ends
        .iter()
        .filter_map(|own| own.body::<LogicalPort>())
        .map(|own| &*own.logical_switch_id)
        .collect();
    let switches = switches.into_iter().filter_map(|id| {
        let object = call.world.inventory.find(logical_switch::KIND.name, id)?;
        Some(switch(call, &object, &ends, &routers))
    });
    Ok(Reply::ok(json!({
        "vms": machines,
        "containers": {"logical_ports": containers},
        "hypervisors": hosts.values().map(|own| hypervisor(call, own)).collect::<Vec<_>>(),
        "logical_switches": switches.collect::<Vec<_>>(),
        "routers": routers.iter().filter_map(|id| router_of(call, id)).collect::<Vec<_>>(),
        "tunnels": tunnels_between(call, &fabric, &hosts),
        "errors": errors,
    })))
}

/// A port at an end of the path.
fn end(call: &Call<'_>, field: &str, id: &str) -> Result<Arc<Object>, Error> {
    let object = call.world.inventory.get(&logical_port::KIND, id)?;
    if object.body::<LogicalPort>().is_some_and(LogicalPort::has_vif) {
        return Ok(object);
    }
    Err(Error::field(field, format!("must name a port with a VIF, not {id}")))
}

/// The routers on the way, in order, and why nothing passes, if so. What filters say does not count.
fn between(call: &Call<'_>, fabric: &Fabric, ends: &[Arc<Object>; 2]) -> (Vec<String>, Vec<Value>) {
    let [from, to] = ends.each_ref().map(|own| Place::Port(own.header.id.clone()));
    let error = |kind: &str, why: &str| json!({"entity_type": kind, "error_summary": why});
    let echo = |from, to| Packet::icmp_echo(from, to, 0);
    let journey = match fabric.journey(&call.world.inventory, &from, &to, echo) {
        Ok(journey) => journey,
        Err(why) => return (Vec::new(), vec![error(logical_port::KIND.name, &why)]),
    };
    let hops = journey.legs.iter().flat_map(|leg| &leg.routers).map(|hop| hop.router.clone());
    let errors = journey.obstacle.iter().map(|obstacle| match obstacle {
        Obstacle::NoRoute(why) => error(router::KIND.name, why),
        Obstacle::PortDown { why, .. } | Obstacle::Spoofed { why, .. } => {
            error(logical_port::KIND.name, why)
        }
    });
    (hops.collect(), errors.collect())
}

/// The virtual machines of the ends, and those ends that are containers.
fn guests(call: &Call<'_>, ends: &[Arc<Object>]) -> (Vec<Value>, Vec<Value>) {
    let inventory = &call.world.inventory;
    let (mut machines, mut containers) = (BTreeMap::new(), Vec::new());
    for end in ends {
        let Some((vif, parent)) = end.body::<LogicalPort>().and_then(LogicalPort::vif) else {
            continue;
        };
        if parent.is_some() {
            containers.push(call.print(end));
        }
        for card in inventory.by_key(virtual_machine::BY_ATTACHMENT, parent.unwrap_or(vif)) {
            let owner = card.body::<VirtualNetworkInterface>().map(|own| own.owner_vm_id.clone());
            let machine = owner.and_then(|id| inventory.find(MACHINE.name, &id));
            machines.extend(machine.map(|own| (own.header.id.clone(), own)));
        }
    }
    let print = |own: &Arc<Object>| Value::Object(discovered::print(own, inventory));
    (machines.values().map(print).collect(), containers)
}

/// [spec PortConnectionHypervisor]
fn hypervisor(call: &Call<'_>, machine: &Machine) -> Value {
    let object = call.world.inventory.find(transport_node::KIND.name, &machine.id);
    json!({
        "id": machine.id,
        "resource": object.map(|own| call.print(&own)),
        "pnics_list": interfaces::cards(machine),
    })
}

/// [spec PortConnectionLogicalSwitch]
fn switch(call: &Call<'_>, object: &Object, ends: &[Arc<Object>], routers: &[String]) -> Value {
    let inventory = &call.world.inventory;
    let id = &object.header.id;
    let on_it = |own: &&Arc<Object>| {
        own.body::<LogicalPort>().is_some_and(|own| own.logical_switch_id == *id)
    };
    let links = inventory.by_key(port::BY_SWITCH, id);
    let links = links.iter().filter_map(|own| own.body::<RouterPort>());
    let links = links.filter(|own| routers.iter().any(|router| router == own.router()));
    let links = links.filter_map(|own| inventory.find(logical_port::KIND.name, own.switch_port()?));
    json!({
        "id": id,
        "resource": call.print(object),
        "vm_ports": ends.iter().filter(on_it).map(|own| call.print(own)).collect::<Vec<_>>(),
        "router_ports": links.map(|own| call.print(&own)).collect::<Vec<_>>(),
    })
}

/// [spec PortConnectionRouter]; none for the router that the topology joins segments by.
fn router_of(call: &Call<'_>, id: &str) -> Option<Value> {
    let inventory = &call.world.inventory;
    let object = inventory.find(router::KIND.name, id)?;
    let (up, down): (Vec<_>, Vec<_>) = inventory
        .by_key(port::BY_ROUTER, id)
        .into_iter()
        .partition(|own| own.body::<RouterPort>().is_some_and(RouterPort::is_uplink));
    let print = |ports: &[Arc<Object>]| ports.iter().map(|own| call.print(own)).collect::<Vec<_>>();
    Some(json!({
        "id": id,
        "resource": call.print(&object),
        "uplink_ports": print(&up),
        "downlink_ports": print(&down),
    }))
}

/// The tunnels between two hosts, as each of them sees it [spec PortConnectionTunnel].
fn tunnels_between(
    call: &Call<'_>,
    fabric: &Fabric,
    hosts: &BTreeMap<&str, &Machine>,
) -> Vec<Value> {
    let now = call.world.clock.now();
    let all = hosts.values().flat_map(|own| fabric.machines().tunnels(own));
    let between = all.filter(|own| hosts.contains_key(&*own.far.id));
    let print = |own| tunnels::print(&own, now);
    between
        .map(|own| json!({"src_node_id": own.near.id, "tunnel_properties": print(own)}))
        .collect()
}
