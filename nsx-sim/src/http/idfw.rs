//! Where the identity firewall is on, and whether it could work there: the master switch, the
//! clusters that it is on for, and the firewall that it stands on.

use super::call::{Call, Reply};
use super::error::Failure;
use super::list::{Paging, Row};
use super::routes::Routes;
use crate::inventory::{Error, Incoming, Object};
use crate::kinds::fabric::compute::{self, COLLECTION};
use crate::kinds::fabric::transport_node;
use crate::kinds::fabric::virtual_machine::{self, MACHINE, VirtualMachine};
use crate::kinds::firewall::status::{self, Context, FirewallStatus, Switch};
use crate::kinds::identity_firewall::{
    BY_CLUSTER, ENABLED, IdfwEnabledComputeCollection, IdfwMasterSwitchSetting, MASTER,
};
use serde_json::{Value, json};
use std::sync::Arc;

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    let all = "/idfw/idfw-compute-collections";
    routes.on("GET", all, |call| {
        let clusters = call.world.inventory.all(COLLECTION.name);
        page(call, clusters.iter().map(|own| (own.header.id.clone(), print(call, own))))
    });
    routes.on("GET", &format!("{all}/{{id}}"), |call| {
        let cluster = call.world.inventory.get(&COLLECTION, call.param(0))?;
        Ok(Reply::ok(print(call, &cluster)))
    });
    routes.on("PUT", &format!("{all}/{{id}}"), switch);
    routes.on("GET", "/idfw/compute-collections/status", |call| {
        let clusters = call.world.inventory.all(COLLECTION.name);
        page(call, clusters.iter().map(|own| (own.header.id.clone(), of_cluster(call, own))))
    });
    routes.on("GET", "/idfw/compute-collections/{id}/status", |call| {
        let cluster = call.world.inventory.get(&COLLECTION, call.param(0))?;
        Ok(Reply::ok(of_cluster(call, &cluster)))
    });
    routes.on("GET", "/idfw/compute-collections/{id}/transport-nodes/status", |call| {
        let inventory = &call.world.inventory;
        let cluster = inventory.get(&COLLECTION, call.param(0))?;
        let nodes = compute::nodes(inventory, &cluster.header.id);
        let nodes: Vec<_> =
            nodes.iter().filter_map(|id| transport_node::of_node(inventory, id)).collect();
        let row = |own: &Arc<Object>| {
            let status = conditions(&[of_node(call, &cluster.header.id, &own.header.id)]);
            let id = own.header.id.clone();
            (id.clone(), json!({"transport_node_id": id, "transport_node_status": status}))
        };
        page(call, nodes.iter().map(row))
    });
    routes.on("GET", "/idfw/transport-nodes/{id}/vms/status", machines);
    routes.on("GET", "/idfw/vm-stats/{id}", |call| {
        let machine = call.world.inventory.get(&MACHINE, call.param(0))?;
        // No guest runs, so nobody logs in.
        Ok(Reply::ok(json!({
            "vm_ext_id": machine.header.id, "active_sessions": [], "archived_sessions": [],
        })))
    });
}

fn page(call: &Call<'_>, rows: impl Iterator<Item = (String, Value)>) -> Result<Reply, Failure> {
    let paging = Paging::read(&call.query, 1000)?;
    let rows = rows.map(|(id, item)| Row { key: id.clone().into(), id: id.into(), item });
    Ok(paging.by_member(rows.collect(), Value::clone)?)
}

/// The setting of a cluster; off until somebody switches it.
fn setting(call: &Call<'_>, cluster: &str) -> Option<Arc<Object>> {
    call.world.inventory.by_key(BY_CLUSTER, cluster).into_iter().next()
}

fn is_on(call: &Call<'_>, cluster: &str) -> bool {
    let own = setting(call, cluster);
    own.is_some_and(|own| own.body().is_some_and(|own: &IdfwEnabledComputeCollection| own.enabled))
}

/// [spec IdfwEnabledComputeCollection]
fn print(call: &Call<'_>, cluster: &Object) -> Value {
    let mut printed = match setting(call, &cluster.header.id) {
        Some(own) => call.print(&own),
        None => json!({
            "compute_collection_id": cluster.header.id,
            "enabled": false,
            "resource_type": ENABLED.name,
            "_revision": 0,
        }),
    };
    printed["compute_collection_name"] = cluster.header.name().into();
    printed
}

/// Switches it on or off for a cluster; the first time there is no revision to be stale.
fn switch(call: &Call<'_>) -> Result<Reply, Failure> {
    let cluster = call.world.inventory.get(&COLLECTION, call.param(0))?;
    let id = &cluster.header.id;
    let incoming = Incoming::read(&ENABLED, call.object()?)?;
    let body: &dyn std::any::Any = incoming.body.as_ref();
    let sent =
        body.downcast_ref().map(|own: &IdfwEnabledComputeCollection| &own.compute_collection_id);
    if sent.is_some_and(|sent| sent != id) {
        return Err(Error::field("compute_collection_id", format!("must be {id}")).into());
    }
    let known = setting(call, id).map(|own| own.header.id.clone());
    call.commit(|tx| match &known {
        Some(known) => tx.replace(&ENABLED, known, incoming),
        None => tx.create(&ENABLED, incoming),
    })?;
    Ok(Reply::ok(print(call, &cluster)))
}

/// Why the identity firewall does nothing for a cluster, or that it could.
fn of_switches(call: &Call<'_>, cluster: &str) -> &'static str {
    let master = call.world.inventory.single(&MASTER, None).ok();
    let master = master.as_deref().and_then(Object::body::<IdfwMasterSwitchSetting>);
    let on = master.is_some_and(|own| own.idfw_master_switch_enabled) && is_on(call, cluster);
    if on { "UP" } else { "IDFW_DISABLED" }
}

fn is_guarded(call: &Call<'_>, node: &str) -> bool {
    let object = call.world.inventory.find(status::KIND.name, Context::TransportNodes.word());
    let own = object.as_deref().and_then(Object::body::<FirewallStatus>);
    own.is_some_and(|own| own.of_target(node) == Switch::Enabled)
}

/// [spec IdfwTransportNodeCondition]
fn of_node(call: &Call<'_>, cluster: &str, node: &str) -> &'static str {
    let prepared = call.world.fabric().machines().get(node).is_some_and(|own| own.prepared);
    match of_switches(call, cluster) {
        _ if !prepared => "NOT_PREPARED",
        _ if !is_guarded(call, node) => "DFW_DISABLED",
        word => word,
    }
}

/// [spec IdfwComputeCollectionStatus]: as its hosts, the worst of them.
fn of_cluster(call: &Call<'_>, cluster: &Object) -> Value {
    let (inventory, id) = (&call.world.inventory, &cluster.header.id);
    let nodes = compute::nodes(inventory, id);
    let nodes = nodes.iter().filter_map(|own| transport_node::of_node(inventory, own));
    let words: Vec<_> = nodes.map(|own| of_node(call, id, &own.header.id)).collect();
    let word = match of_switches(call, id) {
        _ if !words.is_empty() && words.iter().all(|own| *own == "DFW_DISABLED") => "DFW_DISABLED",
        word => word,
    };
    json!({"compute_collection_id": id, "compute_collection_status": conditions(&[word])})
}

fn conditions(words: &[&str]) -> Value {
    words.iter().map(|word| json!({"status": word})).collect()
}

/// [spec IdfwVirtualMachineStatus]: a machine whose guest tells nothing has no tools.
fn machines(call: &Call<'_>) -> Result<Reply, Failure> {
    let inventory = &call.world.inventory;
    let node = inventory.get(&transport_node::KIND, call.param(0))?;
    let own = node.body::<transport_node::TransportNode>().and_then(|own| own.node_id.as_deref());
    let cluster = own.and_then(|own| compute::cluster_of(inventory, own)).unwrap_or_default();
    let host = of_node(call, &cluster, &node.header.id);
    let guests = virtual_machine::on_host(inventory, &node.header.id);
    let row = |guest: &Arc<Object>| {
        let machine = guest.body::<VirtualMachine>();
        let tells = machine.is_some_and(|own| own.guest_info.os_name.is_some());
        let word = match host {
            "NOT_PREPARED" => "UNKNOWN",
            "UP" if !tells => "VM_TOOLS_NOT_INSTALLED",
            "UP" if !virtual_machine::runs(guest) => "DOWN",
            word => word,
        };
        let id = guest.header.id.clone();
        (id.clone(), json!({"vm_id": id, "vm_status": conditions(&[word])}))
    };
    page(call, guests.iter().map(row))
}
