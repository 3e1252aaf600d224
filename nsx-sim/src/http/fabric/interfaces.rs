//! The network cards of hosts and edges, the devices that tunnels end at, and who else is on their
//! cables: nobody.

use super::super::appliance::{missing, rows};
use super::super::call::{Call, Reply};
use super::super::routes::Routes;
use super::nodes::machine_of_node;
use super::{check_source, machine};
use crate::fabric::{Endpoint, Fabric, HostSwitch, Machine, Traffic};
use crate::inventory::{Error, Object};
use crate::kinds::fabric::compute::{self, COLLECTION, DiscoveredNode};
use crate::wire;
use serde_json::{Value, json};
use std::net::IpAddr;

/// Finds the machine that a path names.
type Find = for<'a> fn(&Call<'_>, &'a Fabric) -> Result<&'a Machine, Error>;

/// The interfaces' kind in refusals.
const INTERFACE: &str = "NodeInterfaceProperties";

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    register_interfaces(routes, "/transport-nodes", machine);
    register_interfaces(routes, "/fabric/nodes", machine_of_node);
    register_neighbors(routes, "/lldp/transport-nodes", machine);
    register_neighbors(routes, "/lldp/fabric-nodes", machine_of_node);
    routes.on("GET", "/transport-nodes/{id}/pnic-bond-status", |call| {
        let status = call.query.one_of("status", &["UNKNOWN", "UP", "DOWN", "DEGRADED"])?;
        let fabric = call.world.fabric();
        let cards = machine(call, &fabric)?.switches.iter().flat_map(|own| &own.cards);
        // No cable is ever pulled.
        let cards = cards.filter(|_| status.is_none_or(|status| status == "UP"));
        let cards =
            cards.map(|name| (name.clone(), json!({"name": name, "type": "PNIC", "status": "UP"})));
        rows(call, cards)
    });
    let path = "/fabric/compute-collections/{id}/network/physical-interfaces";
    routes.on("GET", path, |call| {
        let inventory = &call.world.inventory;
        inventory.get(&COLLECTION, call.param(0))?;
        let fabric = call.world.fabric();
        let hosts = compute::hosts(inventory, call.param(0));
        let hosts = hosts.iter().map(|host| {
            let cards = cards_of_host(call, &fabric, host);
            let id = host.header.id.clone();
            (id.clone(), json!({"discovered_node_id": id, "network_interfaces": cards}))
        });
        rows(call, hosts)
    });
}

/// The cards of a host that the manager found, as far as it prepared it
/// [spec DiscoveredNodeInterfaceProperties].
fn cards_of_host(call: &Call<'_>, fabric: &Fabric, host: &Object) -> Vec<Value> {
    let node = host.body::<DiscoveredNode>().and_then(|own| own.node_id.as_deref());
    let Some(machine) = node.and_then(|id| super::nodes::of(call, fabric, id)) else {
        return Vec::new();
    };
    let cards =
        machine.switches.iter().flat_map(|own| own.cards.iter().map(move |card| (own, card)));
    let print = |(switch, card): (&HostSwitch, &String)| {
        json!({
            "interface_id": card,
            "connected_switch": switch.name,
            "physical_address": machine.card_mac(card),
        })
    };
    cards.map(print).collect()
}

fn register_interfaces(routes: &mut Routes, nodes: &str, find: Find) {
    let all = format!("{nodes}/{{id}}/network/interfaces");
    routes.on("GET", &all, move |call| {
        check_source(call)?;
        let fabric = call.world.fabric();
        let interfaces = interfaces(find(call, &fabric)?).into_iter();
        rows(call, interfaces.map(|(name, own)| (name.to_owned(), own)))
    });
    routes.on("GET", &format!("{all}/{{interface}}"), move |call| {
        check_source(call)?;
        let fabric = call.world.fabric();
        let own = interfaces(find(call, &fabric)?).into_iter();
        let found = own.into_iter().find(|(name, _)| *name == call.param(1));
        Ok(Reply::ok(found.ok_or_else(|| missing(INTERFACE, call.param(1)))?.1))
    });
    routes.on("GET", &format!("{all}/{{interface}}/stats"), move |call| {
        check_source(call)?;
        let fabric = call.world.fabric();
        let machine = find(call, &fabric)?;
        let known = interfaces(machine).into_iter().any(|(name, _)| name == call.param(1));
        if !known {
            return Err(missing(INTERFACE, call.param(1)).into());
        }
        Ok(Reply::ok(statistics(&fabric, machine, call.param(1))))
    });
}

/// [spec NodeInterfaceProperties]
fn interfaces(machine: &Machine) -> Vec<(&str, Value)> {
    let switches = machine.switches.iter();
    let all = switches.flat_map(|switch| {
        let cards = switch.cards.iter().map(move |own| (&**own, card(machine, switch, own)));
        let ends = switch.endpoints.iter().map(move |own| (&*own.device, device(switch, own)));
        cards.chain(ends)
    });
    all.collect()
}

/// The network cards of a machine.
pub fn cards(machine: &Machine) -> Vec<Value> {
    let switches = machine.switches.iter();
    let all = switches.flat_map(|own| own.cards.iter().map(move |card| (own, card)));
    all.map(|(switch, name)| card(machine, switch, name)).collect()
}

fn card(machine: &Machine, switch: &HostSwitch, name: &str) -> Value {
    json!({
        "interface_id": name,
        "interface_type": "PHYSICAL",
        "admin_status": "UP",
        "link_status": "UP",
        "connected_switch": switch.name,
        "mtu": switch.mtu,
        "host_managed": !machine.is_edge(),
        "interface_alias": [{
            "ip_configuration": "not configured",
            "physical_address": machine.card_mac(name),
        }],
        "source": "realtime",
    })
}

fn device(switch: &HostSwitch, endpoint: &Endpoint) -> Value {
    let mut alias = json!({
        "ip_configuration": if switch.dhcp { "dhcp" } else { "static" },
        "ip_address": endpoint.address,
        "netmask": endpoint.mask,
        "broadcast_address": broadcast(endpoint),
        "physical_address": endpoint.mac,
    });
    wire::without_nulls(&mut alias);
    json!({
        "interface_id": endpoint.device,
        "interface_type": "VIRTUAL",
        "admin_status": "UP",
        "link_status": "UP",
        "connected_switch": switch.name,
        "mtu": switch.mtu,
        "backing_nsx_managed": true,
        "interface_alias": [alias],
        "source": "realtime",
    })
}

/// IPv6 has none.
fn broadcast(endpoint: &Endpoint) -> Option<IpAddr> {
    match (endpoint.address, endpoint.mask) {
        (IpAddr::V4(own), IpAddr::V4(mask)) => Some((own | !mask).into()),
        _ => None,
    }
}

/// The first card and the first endpoint carry what leaves the host and comes to it
/// [spec NodeInterfaceStatisticsProperties].
fn statistics(fabric: &Fabric, machine: &Machine, name: &str) -> Value {
    let first = |names: Vec<&str>| names.first() == Some(&name);
    let cards = machine.switches.iter().flat_map(|own| own.cards.iter().map(|own| &**own));
    let ends = machine.endpoints().map(|own| &*own.device);
    let carries = first(cards.collect()) || first(ends.collect());
    let traffic = if carries { fabric.carried(&machine.id) } else { Traffic::default() };
    json!({
        "interface_id": name,
        "rx_packets": traffic.received.packets,
        "rx_bytes": traffic.received.bytes,
        "rx_dropped": 0,
        "rx_errors": 0,
        "rx_frame": 0,
        "tx_packets": traffic.sent.packets,
        "tx_bytes": traffic.sent.bytes,
        "tx_dropped": 0,
        "tx_errors": 0,
        "tx_carrier": 0,
        "tx_colls": 0,
        "source": "realtime",
    })
}

fn register_neighbors(routes: &mut Routes, nodes: &str, find: Find) {
    let all = format!("{nodes}/{{id}}/interfaces");
    routes.on("GET", &all, move |call| {
        let fabric = call.world.fabric();
        rows(call, neighbors(find(call, &fabric)?))
    });
    routes.on("GET", &format!("{all}/{{interface}}"), move |call| {
        let fabric = call.world.fabric();
        let found = neighbors(find(call, &fabric)?).find(|(name, _)| name == call.param(1));
        let missing = || missing("InterfaceNeighborProperties", call.param(1));
        Ok(Reply::ok(found.ok_or_else(missing)?.1))
    });
}

/// The cables lead to no switch that tells of itself [spec InterfaceNeighborProperties].
fn neighbors(machine: &Machine) -> impl Iterator<Item = (String, Value)> {
    let cards = machine.switches.iter().flat_map(|own| &own.cards).enumerate();
    cards.map(|(place, name)| {
        let printed = json!({
            "ifindex": place + 1,
            "name": name,
            "mac": machine.card_mac(name),
            "neighbors": [],
        });
        (name.clone(), printed)
    })
}
