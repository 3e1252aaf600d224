//! The Kubernetes API server: a store of objects and what kubectl asks of it.
//!
//! `resource.rs` lists the kinds as data and `kinds/` has what is particular about each; `store/` keeps
//! the objects; `http/` reads a call, does one thing, prints the answer; `patch/` changes objects by
//! patches and knows who owns which member. What moves by itself is in [`crate::controllers`].

pub mod decode;
pub mod error;
mod http;
pub mod kinds;
pub mod patch;
mod path;
pub mod probe;
pub mod protobuf;
mod query;
pub mod resource;
pub mod selector;
mod serve;
pub mod store;

pub use error::Error;
pub use resource::Resource;
pub use store::Store;

use crate::spdy::Session;
use axum::extract::ws::WebSocket;
use futures_util::future::BoxFuture;
use probe::ProbeRequest;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// The release that a cluster says it is unless told otherwise: the guide's.
pub const VERSION: &str = "v1.16.7";

/// How to serve.
#[derive(Clone)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Whether to speak TLS, with a certificate made for the occasion.
    pub tls: bool,
    /// The token that callers show; none lets everybody in, as clients send none without TLS.
    pub token: Option<String>,
    /// The nodes of the cluster: name and address.
    pub nodes: Vec<(String, std::net::Ipv4Addr)>,
    /// The release that it says it is.
    pub version: String,
    /// Whether the guide's namespaces and pods are there from the start.
    pub guide: bool,
    /// Who gives pods their addresses.
    pub network: Network,
    /// How long a container takes to end when it is asked to.
    pub ending: Duration,
    /// Who runs commands in containers and answers their probes. Without, all probes succeed.
    pub exec: Option<Arc<dyn Exec>>,
}

/// Who gives pods their addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Network {
    /// NCP, by an annotation.
    #[default]
    Ncp,
    /// The kubelet itself, from a plain range: a cluster without NSX.
    Plain,
}

/// A command that somebody wants to run in a container. Pod and container are there and running.
#[derive(Clone, Debug)]
pub struct ExecRequest {
    /// Namespace of the pod.
    pub namespace: String,
    /// The pod.
    pub pod: String,
    /// The container.
    pub container: String,
    /// The command and its arguments; empty for the container's own process.
    pub command: Vec<String>,
    /// Whether the caller sends input.
    pub stdin: bool,
    /// Whether the caller wants output.
    pub stdout: bool,
    /// Whether the caller wants what is written to standard error.
    pub stderr: bool,
    /// Whether the command gets a terminal.
    pub tty: bool,
}

/// A connection over which a command is served: what is spoken on it is agreed on.
pub enum Socket {
    /// A WebSocket with subprotocol `v5.channel.k8s.io` or `v4.channel.k8s.io`.
    WebSocket(WebSocket),
    /// SPDY, with `v4.channel.k8s.io` over it.
    Spdy(Session),
}

/// Runs commands in containers, and asks them how they are.
pub trait Exec: Send + Sync {
    /// Serves one command until it ends, and gives its exit code; nothing if the client went first.
    fn serve(
        &self,
        store: Store,
        request: ExecRequest,
        socket: Socket,
    ) -> BoxFuture<'static, Option<u8>>;

    /// Carries the client's connections to ports of a pod, until the client goes.
    fn forward(
        &self,
        store: Store,
        namespace: String,
        pod: String,
        session: Session,
    ) -> BoxFuture<'static, ()>;

    /// Asks a container as its node does.
    ///
    /// # Errors
    /// What the node tells of it, where the answer is none that a healthy container gives.
    fn probe(&self, store: Store, request: ProbeRequest) -> BoxFuture<'static, Result<(), String>>;
}

impl Default for Options {
    fn default() -> Options {
        Options {
            listen: SocketAddr::from(([127, 0, 0, 1], 6443)),
            tls: true,
            token: Some(uuid::Uuid::new_v4().simple().to_string()),
            nodes: Vec::new(),
            version: VERSION.to_owned(),
            guide: true,
            network: Network::Ncp,
            ending: Duration::ZERO,
            exec: None,
        }
    }
}

/// A server at work.
pub struct Running {
    /// Where it is reached.
    pub url: String,
    /// What callers show; empty without one.
    pub token: String,
    /// What callers check its certificate against; empty without TLS.
    pub ca_pem: String,
    /// What it serves.
    pub store: Store,
    serving: listener::Serving,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Running {
    /// Ends listener and controllers.
    pub fn stop(&self) {
        self.serving.abort();
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Starts the server and the controllers.
pub async fn start(options: Options) -> anyhow::Result<Running> {
    let store = Store::default();
    crate::controllers::boot::fill(&store, &options)?;
    let app = http::App::new(store.clone(), &options);
    let served = serve::listen(&options, http::router(app)).await?;
    let tasks = crate::controllers::start(&store, &options);
    Ok(Running {
        url: served.url,
        token: options.token.unwrap_or_default(),
        ca_pem: served.ca_pem,
        store,
        serving: served.serving,
        tasks,
    })
}

#[cfg(test)]
mod tests;
