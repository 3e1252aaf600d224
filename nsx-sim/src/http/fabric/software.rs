//! What is installed on nodes, and what they may run.

use super::super::call::{Call, Reply};
use super::super::routes::Routes;
use crate::inventory::{Error, Level, Object};
use crate::kinds::fabric::node::{self, Node, OsType};
use crate::kinds::fabric::transport_node::{self, TransportNode};
use serde_json::{Value, json};
use std::sync::Arc;

/// What the product installs on a host, and what on an edge: the names of its packages as its
/// installers print them; which of them the manager tells is a choice (docs/fidelity.md).
const ON_HOSTS: [&str; 9] = [
    "nsx-cfgagent",
    "nsx-esx-datapath",
    "nsx-exporter",
    "nsx-host",
    "nsx-mpa",
    "nsx-nestdb",
    "nsx-opsagent",
    "nsx-proxy",
    "nsx-sfhc",
];
const ON_EDGES: [&str; 6] =
    ["nsx-edge-datapath", "nsx-exporter", "nsx-mpa", "nsx-nestdb", "nsx-opsagent", "nsx-proxy"];

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on_as(Level::Shape, "GET", "/transport-nodes/{id}/modules", |call| {
        Ok(modules(call, &*of_transport_node(call)?))
    });
    routes.on_as(Level::Shape, "GET", "/fabric/nodes/{id}/modules", |call| {
        Ok(modules(call, &*call.world.inventory.get(&node::KIND, call.param(0))?))
    });
    // No profile here asks for a capability, and edges have none.
    routes.on_as(Level::Shape, "GET", "/transport-nodes/{id}/capabilities", |call| {
        of_transport_node(call)?;
        Ok(Reply::ok(json!({"capabilities": []})))
    });
    routes.on_as(Level::Shape, "GET", "/fabric/nodes/{id}/capabilities", |call| {
        call.world.inventory.get(&node::KIND, call.param(0))?;
        Ok(Reply::ok(json!({"capabilities": []})))
    });
    routes.on_as(Level::Shape, "GET", "/fabric/ostypes", |_| {
        let words: Vec<&str> = OsType::ALL.iter().map(|own| own.word()).collect();
        Ok(Reply::ok(json!({"results": words})))
    });
}

fn of_transport_node(call: &Call<'_>) -> Result<Arc<Object>, Error> {
    let id = call.param(0);
    let object = call.world.inventory.get(&transport_node::KIND, id)?;
    let own = object.body::<TransportNode>();
    let missing = || Error::NotFound { kind: node::KIND.name, id: id.to_owned() };
    own.and_then(|own| own.node(&call.world.inventory)).ok_or_else(missing)
}

/// Everything is at the manager's version [spec SoftwareModule].
fn modules(call: &Call<'_>, node: &Object) -> Reply {
    let edge = node.body::<Node>().is_some_and(Node::is_edge);
    let names: &[&str] = if edge { &ON_EDGES } else { &ON_HOSTS };
    let version = call.world.inventory.version().node();
    let print = |name: &&str| json!({"module_name": name, "module_version": version});
    let modules: Vec<Value> = names.iter().map(print).collect();
    Reply::ok(json!({"software_modules": modules}))
}
