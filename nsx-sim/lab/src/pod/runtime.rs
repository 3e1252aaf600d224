//! What all containers of a cluster share.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;

use super::store_host::Told;
use super::wire::{Fate, Packet};
use super::{Host, StoreHost, Wire, exec, forward, probe};
use crate::api::probe::ProbeRequest;
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

/// How many packets are on their way at once: as many threads wait for their fates.
const ON_THE_WAY: usize = 32;

/// What containers run on.
pub struct Runtime {
    /// The cluster.
    pub host: Arc<dyn Host>,
    /// The network under it.
    pub wire: Arc<dyn Wire>,
    /// Whether lookups are judged.
    pub dns: Dns,
    turns: Arc<Semaphore>,
}

impl Runtime {
    /// Containers over a cluster and a network.
    pub fn new(host: Arc<dyn Host>, wire: Arc<dyn Wire>, dns: Dns) -> Self {
        Self { host, wire, dns, turns: Arc::new(Semaphore::new(ON_THE_WAY)) }
    }

    /// Sends a packet, once it is its turn.
    pub(super) async fn send(&self, packet: Packet) -> Fate {
        // Nobody closes it.
        let _turn = self.turns.acquire().await;
        let wire = self.wire.clone();
        let sent = tokio::task::spawn_blocking(move || wire.send(&packet)).await;
        match sent.map_err(|error| error.to_string()).and_then(|fate| fate) {
            Ok(fate) => fate,
            Err(why) => {
                // Without a judge there is no network: a packet that passes would be a lie.
                tracing::warn!(?packet, "nobody judged a packet, it is lost: {why}");
                Fate::Dropped
            }
        }
    }
}

/// Containers for an API server: what it hands commands to.
#[derive(Clone)]
pub struct Containers {
    wire: Arc<dyn Wire>,
    dns: Dns,
    told: Told,
    turns: Arc<Semaphore>,
}

impl Containers {
    /// Containers whose packets go over this wire.
    pub fn new(wire: Arc<dyn Wire>, dns: Dns) -> Self {
        Self { wire, dns, told: Told::default(), turns: Arc::new(Semaphore::new(ON_THE_WAY)) }
    }
}

impl Containers {
    fn runtime(&self, store: Store) -> Arc<Runtime> {
        let host = Arc::new(StoreHost::new(store, self.told.clone()));
        let (wire, turns) = (self.wire.clone(), self.turns.clone());
        Arc::new(Runtime { host, wire, dns: self.dns, turns })
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

    fn probe(&self, store: Store, request: ProbeRequest) -> BoxFuture<'static, Result<(), String>> {
        probe::ask(request, self.runtime(store)).boxed()
    }
}
