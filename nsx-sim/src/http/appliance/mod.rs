//! The appliance and its cluster: `/node`, `/cluster` and what stands beside them.

mod cluster;
mod host;
mod network;
mod node;
mod services;
mod settings;
mod tasks;

use super::routes::Routes;

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    node::register(routes);
    services::register(routes);
    network::register(routes);
    cluster::register(routes);
    tasks::register(routes);
}
