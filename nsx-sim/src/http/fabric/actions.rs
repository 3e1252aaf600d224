//! What callers tell nodes to do.

use super::super::call::{Call, Reply};
use super::super::error::Failure;
use super::super::routes::Routes;
use super::named;
use crate::inventory::Query;
use crate::inventory::{Error, Level, Object};
use crate::kinds::fabric::compute::{self, COLLECTION};
use crate::kinds::fabric::node::{self, Node};
use crate::kinds::fabric::preparation;
use crate::kinds::fabric::transport_node::{self, MaintenanceMode, TransportNode};

/// Words of maintenance, and what becomes of a node.
const MAINTENANCE: [(&str, MaintenanceMode); 3] = [
    ("enter_maintenance_mode", MaintenanceMode::Enabled),
    ("forced_enter_maintenance_mode", MaintenanceMode::ForceEnabled),
    ("exit_maintenance_mode", MaintenanceMode::Disabled),
];

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    for (word, mode) in MAINTENANCE {
        routes.on("POST", &format!("/transport-nodes/{{id}}?action={word}"), move |call| {
            call.commit(|tx| transport_node::enter(tx, call.param(0), mode))?;
            Ok(Reply::empty())
        });
    }
    for (word, mode) in [MAINTENANCE[0], MAINTENANCE[2]] {
        // Of edges alone [spec PerformNodeAction].
        routes.on("POST", &format!("/fabric/nodes/{{id}}?action={word}"), move |call| {
            let node = call.world.inventory.get(&node::KIND, call.param(0))?;
            if !node.body::<Node>().is_some_and(Node::is_edge) {
                return Err(Error::field("action", "is for edge nodes only").into());
            }
            let object = transport_node::of_node(&call.world.inventory, &node.header.id);
            let missing =
                || Error::NotFound { kind: transport_node::KIND.name, id: node.header.id.clone() };
            let id = &object.ok_or_else(missing)?.header.id;
            call.commit(|tx| transport_node::enter(tx, id, mode))?;
            Ok(Reply::empty())
        });
    }
    routes.on("POST", "/transport-nodes/{id}?action=restore_cluster_config", |call| {
        call.commit(|tx| preparation::restore(tx, call.param(0)))?;
        Ok(Reply::empty())
    });
    register_syncs(routes);
    routes.on("POST", "/fabric/compute-collections/{id}?action=remove_nsx", remove);
}

/// What is configured is on the nodes already, and what they tell is known: nothing is left to do.
fn register_syncs(routes: &mut Routes) {
    routes.on_as(
        Level::Shape,
        "POST",
        "/transport-nodes/{id}?action=restart_inventory_sync",
        |call| {
            named(call)?;
            Ok(Reply::empty())
        },
    );
    routes.on_as(
        Level::Shape,
        "POST",
        "/fabric/nodes/{id}?action=restart_inventory_sync",
        |call| {
            call.world.inventory.get(&node::KIND, call.param(0))?;
            Ok(Reply::empty())
        },
    );
    routes.on_as(Level::Shape, "POST", "/transport-nodes/{id}?action=resync_host_config", |call| {
        of_sort(call, false)
    });
    let path = "/transport-nodes/{id}?action=refresh_node_configuration";
    routes.on_as(Level::Shape, "POST", path, |call| {
        call.query.one_of("resource_type", &["EdgeNode"])?;
        of_sort(call, true)
    });
}

/// Nothing, for a node of the sort that an action is for.
fn of_sort(call: &Call<'_>, edges: bool) -> Result<Reply, Failure> {
    let object = named(call)?;
    let node = object.body::<TransportNode>().and_then(|own| own.node(&call.world.inventory));
    let edge = node.as_deref().and_then(Object::body::<Node>).is_some_and(Node::is_edge);
    if edge != edges {
        let whom = if edges { "edge nodes" } else { "hosts" };
        return Err(Error::field("action", format!("is for {whom} only")).into());
    }
    Ok(Reply::empty())
}

/// The hosts of a cluster are no transport nodes any more [spec PerformActionOnComputeCollection].
fn remove(call: &Call<'_>) -> Result<Reply, Failure> {
    let inventory = &call.world.inventory;
    inventory.get(&COLLECTION, call.param(0))?;
    let nodes = compute::nodes(inventory, call.param(0));
    let nodes: Vec<_> =
        nodes.iter().filter_map(|id| transport_node::of_node(inventory, id)).collect();
    call.commit(|tx| {
        nodes
            .iter()
            .try_for_each(|own| tx.delete(&transport_node::KIND, &own.header.id, &Query::default()))
    })?;
    Ok(Reply::empty())
}
