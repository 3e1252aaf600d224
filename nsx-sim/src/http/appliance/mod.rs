//! The appliance and its cluster: `/node`, `/cluster` and what stands beside them.

mod backups;
mod cluster;
mod file_store;
mod host;
mod network;
mod node;
mod services;
pub mod settings;
mod tasks;

pub use node::{missing, names};
pub use settings::rows;

use super::routes::Routes;

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    node::register(routes);
    services::register(routes);
    network::register(routes);
    cluster::register(routes);
    backups::register(routes);
    tasks::register(routes);
    file_store::register(routes);
}
