//! What all containers of a cluster share.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::store_host::Told;
use super::{Host, StoreHost, Wire, exec, forward};
use crate::api::{Exec, ExecRequest, Socket, Store};
use crate::spdy::Session;

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

/// Containers for an API server: what it hands commands to.
#[derive(Clone)]
pub struct Containers {
    wire: Arc<dyn Wire>,
    dns: Dns,
    told: Told,
}

impl Containers {
    /// Containers whose packets go over this wire.
    pub fn new(wire: Arc<dyn Wire>, dns: Dns) -> Self {
        Self { wire, dns, told: Told::default() }
    }
}

impl Containers {
    fn runtime(&self, store: Store) -> Arc<Runtime> {
        let host = Arc::new(StoreHost::new(store, self.told.clone()));
        Arc::new(Runtime::new(host, self.wire.clone(), self.dns))
    }
}

impl Exec for Containers {
    fn serve(
        &self,
        store: Store,
        request: ExecRequest,
        socket: Socket,
    ) -> BoxFuture<'static, Option<u8>> {
        exec::serve(socket, request, self.runtime(store)).boxed()
    }

    fn forward(
        &self,
        store: Store,
        namespace: String,
        pod: String,
        session: Session,
    ) -> BoxFuture<'static, ()> {
        let runtime = self.runtime(store);
        async move { forward::serve(session, &namespace, &pod, runtime).await }.boxed()
    }
}
