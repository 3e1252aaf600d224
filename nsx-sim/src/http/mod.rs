//! The API over HTTP: reads a call, finds what answers it, prints the answer. No rules of its own.

mod aaa;
mod api_service;
mod appliance;
mod auth;
mod batch;
mod bgp;
mod bridges;
mod call;
mod collections;
mod containers;
mod counters;
mod coverage;
mod dhcp;
mod dns;
mod error;
mod fabric;
mod firewall;
mod firewall_profiles;
mod firewall_search;
mod firewall_stats;
mod firewall_status;
mod groups;
mod header_names;
mod identity;
mod idfw;
mod inventory;
mod licenses;
mod list;
mod load_balancer;
mod metadata_proxies;
mod monitoring;
mod nat;
mod node;
mod node_users;
mod normalizations;
mod ns_profiles;
mod openapi;
mod pools;
mod ports;
mod realized;
pub mod replay;
mod reply;
mod route_tables;
mod router_ports;
mod routers;
mod routes;
mod rule_books;
mod search;
mod segment_tables;
mod server;
mod service_insertion;
mod sets;
mod simulator;
mod switches;
mod system;
mod throttle;
mod tls;
mod traceflow;
mod trust;
mod vpn;
mod world_file;

pub use auth::Peer;
pub use call::Reply;
pub use error::{Answer, Failure};
pub use routes::{Listed, Published, Verb};
pub use server::{Options, Running, StartError, Tls, start};
pub use world_file::{WorldDocument, WorldFileError};

use crate::access::{self, Feature};
use crate::inventory::{Actor, Query};
use crate::version::MANAGER_API_DEPRECATED;
use crate::world::World;
use crate::x509::Certificate;
use auth::Door;
use axum::body::Bytes;
use call::Call;
use routes::Routes;
use std::net::SocketAddr;
use std::sync::Arc;
use throttle::Throttle;

/// The most bytes of a request's body that are read.
pub const MAX_BODY: usize = 16 * 1024 * 1024;

/// The API of one world.
pub struct Api {
    world: Arc<World>,
    routes: Routes,
    door: Door,
    throttle: Throttle,
    /// Where it is listened for, if with TLS.
    pub endpoint: Option<Endpoint>,
}

/// A place where the API is served, and the certificate that is shown there.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The address, with the real port.
    pub address: SocketAddr,
    /// The certificate.
    pub certificate: Certificate,
}

impl Api {
    /// The API of a world.
    pub fn new(world: Arc<World>) -> Self {
        let mut routes = Routes::new();
        collections::register(&mut routes);
        node::register(&mut routes);
        groups::register(&mut routes);
        sets::register(&mut routes);
        ports::register(&mut routes);
        switches::register(&mut routes);
        firewall::register(&mut routes);
        firewall_stats::register(&mut routes);
        firewall_status::register(&mut routes);
        inventory::register(&mut routes);
        fabric::register(&mut routes);
        load_balancer::register(&mut routes);
        traceflow::register(&mut routes);
        aaa::register(&mut routes);
        node_users::register(&mut routes);
        api_service::register(&mut routes);
        trust::register(&mut routes);
        licenses::register(&mut routes);
        firewall_profiles::register(&mut routes);
        ns_profiles::register(&mut routes);
        vpn::register(&mut routes);
        monitoring::register(&mut routes);
        rule_books::register(&mut routes);
        service_insertion::register(&mut routes);
        identity::register(&mut routes);
        idfw::register(&mut routes);
        containers::register(&mut routes);
        normalizations::register(&mut routes);
        simulator::register(&mut routes);
        replay::register(&mut routes);
        appliance::register(&mut routes);
        system::register(&mut routes);
        batch::register(&mut routes);
        search::register(&mut routes);
        pools::register(&mut routes);
        dhcp::register(&mut routes);
        metadata_proxies::register(&mut routes);
        dns::register(&mut routes);
        bridges::register(&mut routes);
        segment_tables::register(&mut routes);

        routers::register(&mut routes);
        router_ports::register(&mut routes);
        route_tables::register(&mut routes);
        bgp::register(&mut routes);
        nat::register(&mut routes);
        routes.keep(world.inventory.version());
        openapi::register(&mut routes);
        coverage::register(&mut routes);
        Self { world, routes, door: Door::default(), throttle: Throttle::default(), endpoint: None }
    }

    /// The world that the API serves.
    pub fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// Every operation of the 2.5.1 API and of the simulator, and whether it is modelled.
    pub fn operations(&self) -> Vec<Listed> {
        self.routes.listed()
    }

    /// Whether the manager warns that an operation is deprecated: by the description of the API, or
    /// because the release has it in the Policy API, too [tf].
    fn is_deprecated(&self, method: &str, path: &str, query: &str) -> bool {
        let shared = |feature| {
            use Feature::{Grouping, LoadBalancing, Networking, Security};
            matches!(feature, Networking | Security | Grouping | LoadBalancing)
        };
        let below = path.strip_prefix("/api/v1");
        self.routes.is_deprecated(method, path, query)
            || (self.world.inventory.version().has(MANAGER_API_DEPRECATED)
                && below.is_some_and(|path| shared(Feature::of_path(path))))
    }

    /// Answers a call made in somebody's name.
    ///
    /// # Errors
    /// Why it is not served.
    pub fn call(
        &self,
        actor: Actor,
        method: &str,
        path: &str,
        query: &str,
        body: Bytes,
    ) -> Result<Reply, Failure> {
        let query: Query = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        access::check(&actor.roles, method, path, query.get("action"))
            .map_err(|_| Failure::Forbidden)?;
        let (handler, params) = self.routes.find(method, path, &query)?;
        handler(&Call { api: self, world: &self.world, actor, params, query, body })
    }
}

/// A path without the slashes that some clients leave at its end [nsxlib].
fn trimmed(path: &str) -> &str {
    path.trim_end_matches('/')
}
