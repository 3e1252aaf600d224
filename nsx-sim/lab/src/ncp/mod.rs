//! NCP: the container plugin, a client of both APIs.
//!
//! It watches the cluster and makes at the manager what the cluster's objects mean there: networks of
//! namespaces, ports of pods with their labels as tags, virtual servers of Services, and sections of
//! probes and NetworkPolicies. It knows both by their HTTP APIs alone and works on any pair of them.
//!
//! Watches name what has changed (`view`), a queue keeps each thing once (`queue`), and workers
//! bring the manager to what the cluster says of that thing *now*. So it does not matter in which order
//! changes are told, or whether one is told twice. What it has made it remembers (`state`) and finds
//! again by tags when it starts (`adopt`): every object says whose it is before it takes something
//! that must be given back. So a process can end between any two calls.

mod adopt;
mod config;
mod external;
mod foundation;
mod identity;
mod ingress;
mod manager;
mod naming;
mod network;
mod platform;
mod pods;
mod policies;
mod probes;
mod queue;
mod reports;
mod services;
mod state;
mod told;
mod uplink;
mod view;

pub use config::{Args, Config, Settings};
pub use identity::register;
pub use manager::{Error, Result};
pub use pods::{NETWORK, PodNetwork};

use foundation::Foundation;
use manager::Manager;
use parking_lot::Mutex;
use queue::Queue;
use state::{Name, State};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::task::JoinSet;
use view::View;

/// After how many failures in a row somebody is told: what waits for something else is done by then.
const TOLD_AFTER: u32 = 5;

/// What can be looked at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Namespace(String),
    Pod(Name),
    Service(Name),
    Nodes,
    Probes,
    Policies,
    Ingresses,
}

/// What everything works on.
struct Ncp {
    config: Config,
    manager: Manager,
    kube: kube::Client,
    foundation: Foundation,
    state: State,
    view: View,
    queue: Queue<Key>,
    tasks: Tasks,
    started: AtomicBool,
}

/// The tasks of a running NCP, which end with it.
#[derive(Clone, Default)]
struct Tasks(Arc<Mutex<JoinSet<()>>>);

impl Tasks {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.0.lock();
        // Those that have ended need not be remembered.
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }
}

/// A running NCP; it ends when this is dropped, as if its process were killed.
pub struct Running {
    ncp: Arc<Ncp>,
}

impl Running {
    /// Whether everything is done that it knows of. What the cluster has not told yet it does not
    /// know of.
    pub fn is_idle(&self) -> bool {
        self.ncp.has_started() && self.ncp.queue.is_idle()
    }

    /// As [`Running::kill`], and returns when those calls have been answered.
    pub async fn stop(self) {
        self.kill();
        self.ncp.manager.is_quiet(self.ncp.config.workers).await;
    }

    /// Ends it at once. Calls that are on their way reach the manager.
    pub fn kill(&self) {
        self.ncp.tasks.0.lock().abort_all();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs NCP until the process is told to end.
///
/// # Errors
/// Where one of the two APIs can not be reached, or the manager lacks what NCP needs.
pub async fn run(args: Args) -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let unheard = |error: std::io::Error| Error::Missing(error.to_string());
    let mut terminate = signal(SignalKind::terminate()).map_err(unheard)?;
    let cluster = args.cluster().await?;
    let running = start(Config::from(&args.settings), cluster, args.manager()?).await?;
    let Config { cluster, .. } = &running.ncp.config;
    tracing::info!(%cluster, "NCP runs; what was there is taken over");
    tokio::select! {
        done = tokio::signal::ctrl_c() => done.map_err(unheard)?,
        _ = terminate.recv() => {}
    }
    running.stop().await;
    Ok(())
}

/// Starts NCP between a cluster and a manager; returns once it has taken over what was there.
///
/// # Errors
/// Where one of the two APIs can not be reached, or the manager lacks what NCP needs.
pub async fn start(
    config: Config,
    cluster: kube::Client,
    manager: nsx_client::Client,
) -> Result<Running> {
    let manager = Manager::new(manager, config.workers);
    if config.prepare {
        platform::prepare(&manager, &config).await?;
    }
    let foundation = Foundation::find(&manager, &config).await?;
    let (view, writers) = View::new();
    let workers = config.workers;
    let ncp = Arc::new(Ncp {
        config,
        manager,
        kube: cluster,
        foundation,
        state: State::default(),
        view,
        queue: Queue::new(),
        tasks: Tasks::default(),
        started: AtomicBool::new(false),
    });
    let running = Running { ncp: ncp.clone() };
    ncp.watch(writers);
    if !ncp.view.is_whole().await {
        return Err(Error::Stopped);
    }
    ncp.advertise().await?;
    ncp.adopt().await?;
    ncp.started.store(true, Ordering::Release);
    ncp.look_at_all();
    for _ in 0..workers {
        let ncp = ncp.clone();
        let tasks = ncp.tasks.clone();
        tasks.spawn(async move { ncp.work().await });
    }
    Ok(running)
}

impl Ncp {
    fn has_started(&self) -> bool {
        self.started.load(Ordering::Acquire)
    }

    async fn work(&self) {
        loop {
            let key = self.queue.take().await;
            let done = self.look_at(&key).await;
            let failures = self.queue.done(key.clone(), done.is_ok());
            let Err(error) = done else { continue };
            if failures == TOLD_AFTER {
                tracing::warn!(?key, %error, "still not done; it is tried again");
                self.report(&key, &error).await;
            } else {
                tracing::debug!(?key, %error, "not done yet");
            }
        }
    }

    async fn look_at(&self, key: &Key) -> Result<()> {
        match key {
            Key::Namespace(name) => self.sync_namespace(name).await,
            Key::Pod(name) => self.sync_pod(name).await,
            Key::Service(name) => self.sync_service(name).await,
            Key::Nodes => self.sync_nodes().await,
            Key::Probes => self.sync_probes().await,
            Key::Policies => self.sync_policies().await,
            Key::Ingresses => self.sync_ingresses().await,
        }
    }
}
