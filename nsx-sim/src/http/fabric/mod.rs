//! Hosts, edges and zones as they are at run time: all of it follows from the fabric's machines, and
//! which of them are out of service.

mod actions;
mod edge_clusters;
mod interfaces;
mod machines;
mod nodes;
mod path;
mod software;
mod state;
mod status;
mod tunnels;
mod zones;

use super::call::Call;
use super::routes::Routes;
use crate::fabric::{Fabric, Machine};
use crate::inventory::{Error, Object};
use crate::kinds::fabric::transport_node;
use std::sync::Arc;

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    state::register(routes);
    status::register(routes);
    tunnels::register(routes);
    interfaces::register(routes);
    zones::register(routes);
    edge_clusters::register(routes);
    nodes::register(routes);
    software::register(routes);
    machines::register(routes);
    actions::register(routes);
    path::register(routes);
}

/// The transport node that the path names.
fn named(call: &Call<'_>) -> Result<Arc<Object>, Error> {
    call.world.inventory.get(&transport_node::KIND, call.param(0))
}

/// The machine that the path names as a transport node.
fn machine<'a>(call: &Call<'_>, fabric: &'a Fabric) -> Result<&'a Machine, Error> {
    let id = call.param(0);
    let missing = || Error::NotFound { kind: transport_node::KIND.name, id: id.to_owned() };
    fabric.machines().get(id).ok_or_else(missing)
}

/// What is told is always as it is now, whichever source is asked for.
fn check_source(call: &Call<'_>) -> Result<(), Error> {
    call.query.one_of("source", &["realtime", "cached"]).map(|_| ())
}
