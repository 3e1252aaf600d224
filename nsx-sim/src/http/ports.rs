//! Logical ports as they are at run time.

use super::call::{Call, Reply};
use super::collections;
use super::counters;
use super::routes::Routes;
use crate::inventory::{Error, Object};
use crate::kinds::bindings::AdminState;
use crate::kinds::logical_port::{KIND, LogicalPort};
use serde_json::{Value, json};
use std::sync::Arc;

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("GET", "/logical-ports", |call| match call.query.get("transport_node_id") {
        None => collections::list_as_is(call, &KIND),
        Some(_) => collections::page_as_is(call, &KIND, &found(call)?),
    });
    routes.on("GET", "/logical-ports/{id}/state", |call| {
        let object = call.world.inventory.get(&KIND, call.param(0))?;
        let port = object.body::<LogicalPort>();
        let bindings = port.map(|port| &*port.address_bindings).unwrap_or_default();
        // Bindings set by hand are the realized ones; nothing is discovered, for no guest runs here.
        let realized: Vec<Value> = bindings
            .iter()
            .map(|binding| {
                json!({
                    "binding": crate::wire::fields_of(binding),
                    "source": "USER_DEFINED",
                    "binding_timestamp": object.header.modified.time,
                })
            })
            .collect();
        let fabric = call.world.fabric();
        let host = fabric.host(call.param(0)).map(|host| host.id.clone());
        Ok(Reply::ok(json!({
            "id": object.header.id,
            "transport_node_ids": host.into_iter().collect::<Vec<_>>(),
            "realized_bindings": realized,
            "discovered_bindings": [],
            "duplicate_bindings": [],
        })))
    });
    routes.on("GET", "/logical-ports/{id}/status", |call| {
        call.query.one_of("source", &["realtime", "cached"])?;
        let object = call.world.inventory.get(&KIND, call.param(0))?;
        Ok(Reply::ok(json!({
            "logical_port_id": object.header.id,
            "status": if is_up(&object) { "UP" } else { "DOWN" },
            "last_update_timestamp": call.world.clock.now(),
        })))
    });
    routes.on("GET", "/logical-ports/{id}/statistics", |call| {
        call.query.one_of("source", &["realtime", "cached"])?;
        let object = call.world.inventory.get(&KIND, call.param(0))?;
        let traffic = call.world.fabric().traffic(&object.header.id);
        let mut statistics = counters::with_profiles(&traffic);
        statistics["logical_port_id"] = object.header.id.as_str().into();
        statistics["last_update_timestamp"] = call.world.clock.now().into();
        Ok(Reply::ok(statistics))
    });
    routes.on("GET", "/logical-ports/status", |call| {
        call.query.one_of("source", &["realtime", "cached"])?;
        let ports = found(call)?;
        let filters = KIND.filters.iter().filter_map(|filter| {
            let value = call.query.get(filter.name)?;
            Some(json!({"field_names": filter.name, "value": value}))
        });
        Ok(Reply::ok(json!({
            "total_ports": ports.len(),
            "up_ports": ports.iter().filter(|port| is_up(port)).count(),
            "filters": filters.collect::<Vec<_>>(),
            "last_update_timestamp": call.world.clock.now(),
        })))
    });
}

/// The ports that a call asks for. Which host a port is on only the fabric knows, so this filter is
/// not among the kind's own.
fn found(call: &Call<'_>) -> Result<Vec<Arc<Object>>, Error> {
    let mut ports = collections::filtered(call, &KIND)?;
    if let Some(host) = call.query.get("transport_node_id") {
        let fabric = call.world.fabric();
        ports.retain(|port| fabric.host(&port.header.id).is_some_and(|own| own.id == host));
    }
    Ok(ports)
}

/// A port is up when it is meant to be and something is attached to it.
pub fn is_up(object: &Object) -> bool {
    object
        .body::<LogicalPort>()
        .is_some_and(|port| port.admin_state == AdminState::Up && port.attachment.is_some())
}
