//! What makes a cluster move: deployments, replica sets, the scheduler, kubelets, services, deletion.
//!
//! Each controller is one task. It is told of all objects of its kinds and of every change, notes
//! what it has to look at, and looks when no more changes are there to be told. Since the store is
//! in the same process, a controller knows its own writes before it looks again.

mod addresses;
pub mod boot;
mod collector;
mod containers;
mod deployments;
mod drive;
mod endpoints;
pub(crate) mod events;
mod kubelet;
pub mod log;
pub mod names;
mod namespaces;
mod probes;
mod replicasets;
mod rollout;
mod scheduler;
mod status;
mod turns;

pub(crate) use turns::ended;

use crate::api::{Options, Resource, Store};
use tokio::task::JoinHandle;

/// What can belong to something else or hold something else: all kinds but events, which nothing waits
/// for.
const KEPT: &[Resource] = &[
    Resource::Namespaces,
    Resource::Pods,
    Resource::Services,
    Resource::Endpoints,
    Resource::Nodes,
    Resource::ConfigMaps,
    Resource::Secrets,
    Resource::ServiceAccounts,
    Resource::Deployments,
    Resource::ReplicaSets,
    Resource::NetworkPolicies,
    Resource::Ingresses,
    Resource::EndpointSlices,
];

/// Starts all controllers.
pub fn start(store: &Store, options: &Options) -> Vec<JoinHandle<()>> {
    vec![
        drive::spawn(store, deployments::Deployments::default),
        drive::spawn(store, replicasets::ReplicaSets::default),
        drive::spawn(store, scheduler::Scheduler::default),
        drive::spawn(store, {
            let (network, ending) = (options.network, options.ending);
            let exec = options.exec.clone();
            move || kubelet::Kubelet::new(network, ending, exec.clone())
        }),
        drive::spawn(store, endpoints::Endpoints::default),
        drive::spawn(store, namespaces::Namespaces::default),
        drive::spawn(store, collector::Collector::default),
    ]
}

#[cfg(test)]
mod tests;
