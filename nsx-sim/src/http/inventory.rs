//! What the manager finds by itself: clusters, hosts, virtual machines and their network cards.

use super::call::{Call, Reply};
use super::collections;
use super::routes::Routes;
use crate::inventory::{Error, Object};
use crate::kinds::fabric::compute::{COLLECTION, DISCOVERED_NODE, MANAGER};
use crate::kinds::fabric::preparation::TransportNodeCollection;
use crate::kinds::fabric::virtual_machine::{INTERFACE, MACHINE, MachineTags};
use crate::kinds::fabric::{compute, discovered, preparation, transport_node, virtual_machine};
use crate::wire;
use serde::Deserialize;
use serde_json::{Value, json};

/// New tags of a machine [spec VirtualMachineTagUpdate].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TagUpdate {
    external_id: String,
    tags: MachineTags,
}

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    for kind in [&MACHINE, &INTERFACE, &COLLECTION, &DISCOVERED_NODE] {
        routes.on("GET", kind.path, move |call| {
            collections::list(call, kind, |object| print(call, object))
        });
    }
    for kind in [&COLLECTION, &DISCOVERED_NODE] {
        routes.on("GET", &format!("{}/{{id}}", kind.path), move |call| {
            let object = call.world.inventory.get(kind, call.param(0))?;
            Ok(Reply::ok(print(call, &object)))
        });
    }
    routes.on("POST", "/fabric/virtual-machines?action=update_tags", |call| {
        let TagUpdate { external_id, tags } =
            wire::read(Value::Object(call.object()?)).map_err(Error::from)?;
        call.commit(|tx| virtual_machine::set_tags(tx, &external_id, &tags))?;
        Ok(Reply::of(204, None))
    });
    routes.on("GET", "/fabric/compute-collections/{id}/member-status", |call| {
        let inventory = &call.world.inventory;
        inventory.get(&COLLECTION, call.param(0))?;
        let nodes = compute::nodes(inventory, call.param(0));
        let nodes = nodes.iter().filter_map(|id| transport_node::of_node(inventory, id));
        // A host is prepared with the call that makes it a transport node.
        let rows = nodes.map(|node| {
            json!({
                "node_id": node.header.id,
                "config_status": "success",
                "deployment_status": "INSTALL_SUCCESSFUL",
            })
        });
        let rows: Vec<Value> = rows.collect();
        Ok(Reply::ok(json!({"result_count": rows.len(), "results": rows})))
    });
    routes.on("GET", "/transport-node-collections/{id}/state", |call| {
        let inventory = &call.world.inventory;
        let object = inventory.get(&preparation::COLLECTION, call.param(0))?;
        let own = object.body::<TransportNodeCollection>();
        let applied = own.is_some_and(|own| own.is_applied(inventory));
        let state = if applied { "SUCCESS" } else { "PROFILE_MISMATCH" };
        Ok(Reply::ok(json!({"state": state, "aggregate_progress_percentage": 100})))
    });
    routes.on("GET", "/fabric/compute-managers/{id}/state", |call| {
        call.world.inventory.get(&MANAGER, call.param(0))?;
        Ok(Reply::ok(json!({"state": "success", "details": []})))
    });
    routes.on("GET", "/fabric/compute-managers/{id}/status", |call| {
        let manager = call.world.inventory.get(&MANAGER, call.param(0))?;
        // Nobody is asked: every compute manager counts as connected (docs/fidelity.md).
        Ok(Reply::ok(json!({
            "connection_status": "UP",
            "connection_errors": [],
            "registration_status": "REGISTERED",
            "registration_errors": [],
            "last_sync_time": manager.header.modified.time,
        })))
    });
}

fn print(call: &Call<'_>, object: &Object) -> Value {
    Value::Object(discovered::print(object, &call.world.inventory))
}
