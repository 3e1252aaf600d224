//! What all containers of a cluster share.

use std::sync::Arc;

use super::{Host, Wire};

/// Whether the firewall judges lookups of names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Dns {
    /// Lookups are flows as any other: pods behind a section that rejects them resolve nothing.
    #[default]
    Faithful,
    /// Lookups pass, whatever the rules say: the guide's table holds by name, as it is printed.
    Exempt,
}

/// What containers run on.
pub struct Runtime {
    /// The cluster.
    pub host: Arc<dyn Host>,
    /// The network under it.
    pub wire: Arc<dyn Wire>,
    /// Whether lookups are judged.
    pub dns: Dns,
}

impl Runtime {
    /// Containers over a cluster and a network.
    pub fn new(host: Arc<dyn Host>, wire: Arc<dyn Wire>, dns: Dns) -> Self {
        Self { host, wire, dns }
    }
}
