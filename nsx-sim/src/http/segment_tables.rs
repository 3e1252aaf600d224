//! Where the guests of a segment are: MAC addresses, and the tunnel endpoints of their hosts.
//!
//! A MAC address is known as soon as a port has it, for nothing has to be learnt here.

use super::call::{Call, Reply};
use super::error::Failure;
use super::list::{Paging, Row};
use super::routes::Routes;
use crate::fabric::{Endpoint, Fabric};
use crate::inventory::{Error, Object};
use crate::kinds::fabric::transport_node;
use crate::kinds::logical_port::{self, BY_SWITCH, LogicalPort};
use crate::kinds::logical_switch::{self, LogicalSwitch};
use crate::kinds::transport_zone::{self, TransportType, TransportZone};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("GET", "/logical-switches/{id}/mac-table", |call| {
        let rows = macs(call)?.into_iter().map(|(mac, endpoint)| {
            let item = json!({
                "mac_address": mac,
                "vtep_ip": endpoint.address,
                "vtep_mac_address": endpoint.mac,
            });
            Row { key: mac.clone().into(), id: mac.into(), item }
        });
        told(call, "logical_switch_id", rows.collect())
    });
    routes.on("GET", "/logical-switches/{id}/mac-table?format=csv", |call| {
        let rows = macs(call)?.into_iter();
        let rows = rows.map(|(mac, end)| [mac, end.address.to_string(), end.mac]);
        Ok(Reply::csv(["mac_address", "vtep_ip", "vtep_mac_address"], rows))
    });
    routes.on("GET", "/logical-switches/{id}/vtep-table", |call| {
        let rows = endpoints(call)?.into_iter().map(|endpoint| {
            let item = json!({
                "vtep_label": endpoint.label,
                "vtep_ip": endpoint.address,
                "segment_id": endpoint.segment,
                "vtep_mac_address": endpoint.mac,
            });
            let key = endpoint.address.to_string();
            Row { key: key.clone().into(), id: key.into(), item }
        });
        told(call, "logical_switch_id", rows.collect())
    });
    routes.on("GET", "/logical-switches/{id}/vtep-table?format=csv", |call| {
        let rows = endpoints(call)?.into_iter().map(|end| {
            [end.label.to_string(), end.address.to_string(), end.segment.to_string(), end.mac]
        });
        Ok(Reply::csv(["vtep_label", "vtep_ip", "segment_id", "vtep_mac_address"], rows))
    });
    routes.on("GET", "/logical-ports/{id}/mac-table", |call| {
        let rows = port_macs(call)?.into_iter().map(|mac| {
            // Nothing is learnt: a port's address is stated.
            let item = json!({"mac_address": mac, "mac_type": "STATIC"});
            Row { key: mac.clone().into(), id: mac.into(), item }
        });
        told(call, "logical_port_id", rows.collect())
    });
    routes.on("GET", "/logical-ports/{id}/mac-table?format=csv", |call| {
        let rows = port_macs(call)?.into_iter().map(|mac| [mac, "STATIC".to_owned()]);
        Ok(Reply::csv(["mac_address", "mac_type"], rows))
    });
}

/// A page of rows about the object that the path names.
fn told(call: &Call<'_>, name: &str, rows: Vec<Row<'_, Value>>) -> Result<Reply, Failure> {
    let mut reply = Paging::read(&call.query, 1000)?.by_member(rows, Value::clone)?;
    if let Some(Value::Object(body)) = &mut reply.body {
        body.insert(name.to_owned(), call.param(0).into());
        body.insert("last_update_timestamp".into(), call.world.clock.now().into());
        if let Some(node) = call.query.get("transport_node_id") {
            body.insert("transport_node_id".into(), node.into());
        }
    }
    Ok(reply)
}

/// The transport node that is asked, if any; without it the controllers are.
fn asked_node<'a>(call: &'a Call<'_>) -> Result<Option<&'a str>, Error> {
    call.query.one_of("source", &["realtime", "cached"])?;
    let node = call.query.get("transport_node_id");
    node.map(|id| call.world.inventory.get(&transport_node::KIND, id)).transpose()?;
    Ok(node)
}

/// The ports of an overlay segment that are on hosts other than the one asked: each with its host's
/// tunnel endpoint. A VLAN's have none.
fn remote(call: &Call<'_>, fabric: &Fabric) -> Result<Vec<(Arc<Object>, Endpoint)>, Error> {
    let inventory = &call.world.inventory;
    let switch = inventory.get(&logical_switch::KIND, call.param(0))?;
    let asked = asked_node(call)?;
    let zone = switch
        .body::<LogicalSwitch>()
        .and_then(|own| inventory.find(transport_zone::KIND.name, &own.transport_zone_id));
    let overlay = zone.is_some_and(|zone| {
        let zone = zone.body::<TransportZone>();
        zone.is_some_and(|own| own.transport_type == TransportType::Overlay)
    });
    if !overlay {
        return Ok(Vec::new());
    }
    let ports = inventory.by_key(BY_SWITCH, &switch.header.id).into_iter();
    let ports = ports.filter_map(|port| {
        let host = fabric.host(&port.header.id).filter(|host| asked != Some(host.id.as_str()))?;
        // A host with several tunnel endpoints uses the first one.
        let endpoint = host.endpoints().next()?.clone();
        Some((port, endpoint))
    });
    Ok(ports.collect())
}

fn macs(call: &Call<'_>) -> Result<BTreeMap<String, Endpoint>, Error> {
    let ports = remote(call, &call.world.fabric())?;
    let rows = ports
        .iter()
        .flat_map(|(port, endpoint)| macs_of(port).into_iter().map(|mac| (mac, endpoint.clone())));
    Ok(rows.collect())
}

fn endpoints(call: &Call<'_>) -> Result<BTreeSet<Endpoint>, Error> {
    Ok(remote(call, &call.world.fabric())?.into_iter().map(|(_, endpoint)| endpoint).collect())
}

fn port_macs(call: &Call<'_>) -> Result<BTreeSet<String>, Error> {
    let port = call.world.inventory.get(&logical_port::KIND, call.param(0))?;
    let fabric = call.world.fabric();
    let host = fabric.host(&port.header.id).map(|host| host.id.as_str());
    match asked_node(call)? {
        Some(asked) if host != Some(asked) => Ok(BTreeSet::new()),
        _ => Ok(macs_of(&port)),
    }
}

/// The MAC addresses that a port has, each in one form.
fn macs_of(port: &Object) -> BTreeSet<String> {
    let bindings = port.body::<LogicalPort>().into_iter();
    let bindings = bindings.flat_map(|own| own.address_bindings.iter());
    let stated = bindings.filter_map(|binding| binding.mac_address.as_ref());
    stated.map(|mac| dataplane::MacAddr(mac.octets()).to_string()).collect()
}
