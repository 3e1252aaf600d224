//! Router ports as they are at run time.

use super::call::{Call, Reply};
use super::error::Failure;
use super::list::{Paging, Row, place_key};
use super::routers::realized;
use super::routes::Routes;
use crate::fabric::{Passed, Tally};
use crate::inventory::{Error, Inventory, Object};
use crate::kinds::fabric::transport_node;
use crate::kinds::logical_port::{self, LogicalPort};
use crate::kinds::routing::port::{self, RouterPort};
use crate::kinds::routing::table;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("GET", "/logical-router-ports/{id}/statistics", statistics);
    routes.on("GET", "/logical-router-ports/{id}/statistics/summary", |call| {
        call.query.one_of("source", &["realtime", "cached"])?;
        let object = named(call)?;
        let fabric = call.world.fabric();
        let all = fabric.routed().of(&object.header.id).into_iter().flat_map(BTreeMap::values);
        let mut printed = counters(call, all.fold(Passed::default(), |sum, own| sum.and(*own)));
        printed["logical_router_port_id"] = object.header.id.as_str().into();
        Ok(Reply::ok(printed))
    });
    routes.on("GET", "/logical-router-ports/{id}/state", |call| {
        named(call)?;
        Ok(Reply::ok(realized()))
    });
    let path = "/logical-router-ports/{id}/arp-table";
    routes.on("GET", &format!("{path}?format=csv"), |call| {
        let object = asked_for_neighbours(call)?;
        let rows = neighbours(&call.world.inventory, &object).into_iter();
        Ok(Reply::csv(["ip", "mac_address"], rows.map(|(ip, mac)| [ip.to_string(), mac])))
    });
    routes.on("GET", path, |call| {
        let object = asked_for_neighbours(call)?;
        let paging = Paging::read(&call.query, 1000)?;
        let neighbours = neighbours(&call.world.inventory, &object);
        let rows: Vec<_> = neighbours
            .into_iter()
            .enumerate()
            .map(|(place, (ip, mac))| Row {
                key: place_key(place),
                id: ip.to_string().into(),
                item: json!({ "ip": ip, "mac_address": mac }),
            })
            .collect();
        let mut reply = paging.ordered(&rows, Value::clone);
        if let Some(body) = &mut reply.body {
            body["logical_router_port_id"] = object.header.id.as_str().into();
            body["last_update_timestamp"] = call.world.clock.now().into();
        }
        Ok(reply)
    });
}

/// The port whose neighbours a call asks for; one that is no uplink is asked of one node.
fn asked_for_neighbours(call: &Call<'_>) -> Result<Arc<Object>, Error> {
    call.query.one_of("source", &["realtime", "cached"])?;
    let object = named(call)?;
    let uplink = object.body::<RouterPort>().is_some_and(RouterPort::is_uplink);
    check_node(call, !uplink)?;
    Ok(object)
}

/// What passed a port, on one node or on each.
fn statistics(call: &Call<'_>) -> Result<Reply, Failure> {
    call.query.one_of("source", &["realtime", "cached"])?;
    let object = named(call)?;
    let uplink = object.body::<RouterPort>().is_some_and(RouterPort::is_uplink);
    let wanted = check_node(call, !uplink)?;
    let fabric = call.world.fabric();
    let counted = fabric.routed().of(&object.header.id);
    let passed = |node: &str| counted.and_then(|own| own.get(node)).copied().unwrap_or_default();
    let nodes: Vec<&str> = match wanted {
        Some(node) => vec![node],
        None => counted.into_iter().flat_map(|own| own.keys().map(String::as_str)).collect(),
    };
    let per_node = nodes.into_iter().map(|node| {
        let mut printed = counters(call, passed(node));
        printed["transport_node_id"] = node.into();
        printed
    });
    Ok(Reply::ok(json!({
        "logical_router_port_id": object.header.id,
        "per_node_statistics": per_node.collect::<Vec<_>>(),
    })))
}

fn counters(call: &Call<'_>, passed: Passed) -> Value {
    let one = |tally: Tally| {
        json!({
            "total_packets": tally.packets,
            "total_bytes": tally.bytes,
            "dropped_packets": tally.dropped,
        })
    };
    json!({
        "last_update_timestamp": call.world.clock.now(),
        "rx": one(passed.received),
        "tx": one(passed.sent),
    })
}

fn named(call: &Call<'_>) -> Result<Arc<Object>, Error> {
    call.world.inventory.get(&port::KIND, call.param(0))
}

/// The transport node that a call names must be there, and be named where it is needed.
///
/// # Errors
/// [`Error::InvalidFields`] where it is missing, [`Error::NotFound`] where it does not exist.
pub fn check_node<'a>(call: &'a Call<'_>, required: bool) -> Result<Option<&'a str>, Error> {
    let node = call.query.get("transport_node_id");
    if required && node.is_none() {
        return Err(Error::field("transport_node_id", "is required"));
    }
    if let Some(id) = node {
        call.world.inventory.get(&transport_node::KIND, id)?;
    }
    Ok(node)
}

/// The addresses in the networks of a port that something on its switch, or at the other end of
/// its link, has. No router has to ask for them here: it knows them as the switch does.
fn neighbours(inventory: &Inventory, object: &Object) -> BTreeMap<IpAddr, String> {
    let Some(port) = object.body::<RouterPort>() else { return BTreeMap::new() };
    let networks = table::networks(inventory, &object.header.id, port);
    let mut found = BTreeMap::new();
    let mut add = |ip: IpAddr, mac: &str| {
        let own = networks.iter().any(|network| network.addr() == ip);
        if !own && networks.iter().any(|network| network.contains(&ip)) {
            found.insert(ip, mac.to_owned());
        }
    };
    let switch = port.switch();
    for other in switch.iter().flat_map(|id| inventory.by_key(logical_port::BY_SWITCH, id)) {
        let bindings = other.body::<LogicalPort>().map(|port| &port.address_bindings);
        for binding in bindings.into_iter().flat_map(|own| own.iter()) {
            if let (Some(ip), Some(mac)) = (&binding.ip_address, &binding.mac_address)
                && ip.span().0 == ip.span().1
            {
                add(ip.span().0, mac);
            }
        }
    }
    let routers = switch.iter().flat_map(|id| inventory.by_key(port::BY_SWITCH, id));
    let below = table::lower_link(inventory, &object.header.id);
    let above = port.upper().and_then(|id| inventory.find(port::KIND.name, id));
    for other in routers.chain(below).chain(above) {
        let Some(body) = other.body::<RouterPort>() else { continue };
        for network in table::networks(inventory, &other.header.id, body) {
            if let Some(mac) = body.mac() {
                add(network.addr(), mac);
            }
        }
    }
    found
}
