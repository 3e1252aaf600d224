//! What guests tell of their tools, and what templates made of the hosts of clusters.

use super::super::appliance::rows;
use super::super::call::{Call, Reply};
use super::super::error::Failure;
use super::super::list::{Paging, Row};
use super::super::routes::Routes;
use crate::inventory::{Inventory, Object};
use crate::kinds::fabric::preparation::{ComputeCollectionTransportNodeTemplate, TEMPLATE};
use crate::kinds::fabric::virtual_machine::{MACHINE, VirtualMachine};
use crate::kinds::fabric::{compute, transport_node};
use crate::wire;
use serde_json::{Value, json};

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("GET", "/fabric/virtual-machines/tools-info", |call| {
        let machines = call.world.inventory.all(MACHINE.name);
        let print = |object: &Object| tools(object, &call.world.inventory);
        let paging = Paging::read(&call.query, 1000)?;
        let row = |own: &std::sync::Arc<Object>| Row {
            key: own.header.name().to_owned().into(),
            id: own.header.id.clone().into(),
            item: print(own),
        };
        Ok(paging.by_member(machines.iter().map(row).collect(), Value::clone)?)
    });
    routes.on("GET", "/compute-collection-transport-node-templates/{id}/state", template);
}

/// Versions are not told: no guest runs [spec VmToolsInfo].
fn tools(object: &Object, inventory: &Inventory) -> Value {
    let mut fields = object.any_body().fields(&object.header, inventory);
    let machine = object.body::<VirtualMachine>();
    let mut printed = json!({
        "external_id": object.header.id,
        "display_name": object.header.name(),
        "resource_type": "VmToolsInfo",
        "host_local_id": machine.map(|own| &own.local_id_on_host),
        "vm_type": machine.map(|own| own.r#type),
        "source": fields.shift_remove("source"),
        "_last_sync_time": object.header.modified.time,
    });
    wire::without_nulls(&mut printed);
    printed
}

/// A template makes transport nodes of the hosts of its clusters, and the simulator's hosts are such
/// from the start [spec TransportNodeTemplateState].
fn template(call: &Call<'_>) -> Result<Reply, Failure> {
    let inventory = &call.world.inventory;
    let template = inventory.get(&TEMPLATE, call.param(0))?;
    let own = template.body::<ComputeCollectionTransportNodeTemplate>();
    let clusters = own.iter().flat_map(|own| own.compute_collection_ids.iter());
    let asked = call.query.get("compute_collection_id");
    let clusters = clusters.filter(|id| asked.is_none_or(|asked| asked == *id));
    let clusters = clusters.map(|id| {
        let states = compute::nodes(inventory, id).into_iter().map(|node| {
            match transport_node::of_node(inventory, &node) {
                Some(own) => json!({
                    "node_id": node,
                    "transport_node_id": own.header.id,
                    "state": "SUCCESS",
                }),
                None => json!({"node_id": node, "state": "FAILED_TO_CREATE"}),
            }
        });
        let states: Vec<Value> = states.collect();
        (id.clone(), json!({"compute_collection_id": id, "template_states": states}))
    });
    rows(call, clusters)
}
