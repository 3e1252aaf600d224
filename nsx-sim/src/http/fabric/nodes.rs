//! Fabric nodes at run time [spec NodeStatus]: the machines below transport nodes, in the API's older
//! form. Those that are no transport nodes yet are machines, too, with nothing on them.

use super::super::call::{Call, Reply};
use super::super::routes::Routes;
use super::state;
use crate::fabric::{Fabric, Machine};
use crate::inventory::{Error, Object};
use crate::kinds::appliance::node::ADDRESS;
use crate::kinds::fabric::node::{self, Node};
use crate::kinds::fabric::transport_node;
use serde_json::{Value, json};

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("GET", "/fabric/nodes/{id}/status", |call| {
        super::check_source(call)?;
        Ok(Reply::ok(of_node(call, &*call.world.inventory.get(&node::KIND, call.param(0))?)))
    });
    routes.on("GET", "/fabric/nodes/{id}/state", |call| {
        let node = call.world.inventory.get(&node::KIND, call.param(0))?;
        let fabric = call.world.fabric();
        let edge = node.body::<Node>().is_some_and(Node::is_edge);
        let fault = of(call, &fabric, &node.header.id).and_then(state::fault);
        let ready = if edge { "NODE_READY" } else { "success" };
        Ok(Reply::ok(json!({"state": fault.unwrap_or(ready), "details": []})))
    });
    routes.on("GET", "/fabric/nodes/status", |call| {
        let ids = call.query.get("node_ids");
        let ids = ids.ok_or_else(|| Error::field("node_ids", "is required"))?;
        let one = |id: &str| -> Result<Value, Error> {
            let node = call.world.inventory.get(&node::KIND, id.trim())?;
            Ok(of_node(call, &node))
        };
        let results = ids.split(',').map(one).collect::<Result<Vec<_>, _>>()?;
        Ok(Reply::ok(json!({"results": results})))
    });
}

/// The machine of a fabric node, where it is a transport node.
pub fn of<'a>(call: &Call<'_>, fabric: &'a Fabric, node: &str) -> Option<&'a Machine> {
    let object = transport_node::of_node(&call.world.inventory, node)?;
    fabric.machines().get(&object.header.id)
}

/// The machine of the fabric node that the path names.
///
/// # Errors
/// [`Error::NotFound`] where there is no such node, or it has no interfaces to tell of, for it is no
/// transport node.
pub fn machine_of_node<'a>(call: &Call<'_>, fabric: &'a Fabric) -> Result<&'a Machine, Error> {
    let id = call.param(0);
    call.world.inventory.get(&node::KIND, id)?;
    let missing = || Error::NotFound { kind: transport_node::KIND.name, id: id.to_owned() };
    of(call, fabric, id).ok_or_else(missing)
}

/// The status of a transport node's machine.
pub fn status(call: &Call<'_>, machine: &Machine) -> Value {
    let inventory = &call.world.inventory;
    let object = inventory.find(transport_node::KIND.name, &machine.id);
    let node = object.as_deref().and_then(Object::body::<transport_node::TransportNode>);
    match node.and_then(|own| own.node(inventory)) {
        Some(node) => print(call, &node, Some(machine)),
        None => Value::Null,
    }
}

fn of_node(call: &Call<'_>, node: &Object) -> Value {
    let fabric = call.world.fabric();
    print(call, node, of(call, &fabric, &node.header.id))
}

fn print(call: &Call<'_>, node: &Object, machine: Option<&Machine>) -> Value {
    let own = node.body::<Node>();
    let edge = own.is_some_and(Node::is_edge);
    let fault = machine.and_then(state::fault);
    // The controller knows a node once it has a host switch [spec ReadNodeStatus].
    let connected = if machine.is_some_and(|own| own.prepared) { "UP" } else { "DOWN" };
    let away = machine.is_some_and(|own| own.in_maintenance);
    json!({
        "external_id": own.and_then(Node::external_id),
        "host_node_deployment_status":
            fault.unwrap_or(if edge { "NODE_READY" } else { "INSTALL_SUCCESSFUL" }),
        "inventory_sync_paused": false,
        "inventory_sync_reenable_time": 0,
        "last_heartbeat_timestamp": call.world.clock.now(),
        "last_sync_time": node.header.modified.time,
        "lcp_connectivity_status": connected,
        "lcp_connectivity_status_details": [{"control_node_ip": ADDRESS, "status": connected}],
        "maintenance_mode": if away { "ON" } else { "OFF" },
        "mpa_connectivity_status": "UP",
        "software_version": call.world.inventory.version().node(),
    })
}
