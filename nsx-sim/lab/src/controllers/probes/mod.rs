//! The probes of all nodes' kubelets: whether containers have started, live and take traffic.
//!
//! Each probe of a container that runs is a task, which ends with the container's first process. A
//! container that has a startup probe is asked by that one alone until it has started. Pods without
//! probes have nothing here.

mod probe;
#[cfg(test)]
mod tests;
mod worker;

use super::addresses::Key;
use super::containers::probe;
use crate::api::kinds::{list, number, text};
use crate::api::{Exec, Store};
use probe::{Kind, Probe};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use worker::Worker;

/// Who is asked what.
pub struct Probes {
    exec: Option<Arc<dyn Exec>>,
    pods: BTreeMap<Key, Vec<Probed>>,
}

/// A container that is asked.
struct Probed {
    process: Process,
    /// When it was first seen to run.
    since: Instant,
    /// Those who ask; dropped, they end.
    _workers: JoinSet<()>,
}

/// A container's first process, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Process {
    /// The pod's identity.
    uid: String,
    /// The container.
    container: String,
    /// How often it was started again.
    restarts: i64,
    /// Whether it counts as started.
    started: bool,
}

impl Probes {
    /// Probes that this one answers; where there is nobody, they all succeed.
    pub fn of(exec: Option<Arc<dyn Exec>>) -> Probes {
        Probes { exec, pods: BTreeMap::new() }
    }

    /// Asks the containers of a pod that run and have probes, and no others.
    pub fn follow(&mut self, store: &Store, key: &Key, pod: &Value) {
        let mut before = self.pods.remove(key).unwrap_or_default();
        let mut probed = Vec::new();
        for container in list(pod, "/spec/containers") {
            if Kind::ALL.iter().all(|kind| probe(container, kind.member()).is_none()) {
                continue;
            }
            let mut statuses = list(pod, "/status/containerStatuses").iter();
            let status = statuses.find(|own| own["name"] == container["name"]);
            let Some(status) = status.filter(|own| own["state"]["running"].is_object()) else {
                continue;
            };
            let process = Process {
                uid: text(pod, "/metadata/uid").to_owned(),
                container: text(container, "/name").to_owned(),
                restarts: number(status, "/restartCount"),
                started: status["started"] == true,
            };
            let known = before.iter().position(|own| own.process == process);
            if let Some(place) = known {
                probed.push(before.swap_remove(place));
                continue;
            }
            // One that has started by now is the same that ran before.
            let same = before.iter().find(|own| own.process.is_same(&process));
            let since = same.map_or_else(Instant::now, |own| own.since);
            let ready = status["ready"] == true;
            let workers = self.ask(store, key, container, &process, (since, ready));
            probed.push(Probed { process, since, _workers: workers });
        }
        if !probed.is_empty() {
            self.pods.insert(key.clone(), probed);
        }
    }

    /// Asks nobody of a pod any more.
    pub fn forget(&mut self, key: &Key) {
        self.pods.remove(key);
    }

    /// Has a process asked that runs since that moment, and takes traffic or not.
    fn ask(
        &self,
        store: &Store,
        (namespace, name): &Key,
        container: &Value,
        process: &Process,
        (since, ready): (Instant, bool),
    ) -> JoinSet<()> {
        let kinds = Kind::ALL.iter().filter(|kind| (**kind != Kind::Startup) == process.started);
        let mut workers = JoinSet::new();
        for probe in kinds.filter_map(|kind| Probe::of(container, *kind)) {
            let worker = Worker {
                store: store.clone(),
                exec: self.exec.clone(),
                namespace: namespace.clone(),
                name: name.clone(),
                process: process.clone(),
                ready,
                probe,
            };
            workers.spawn(worker.run(since));
        }
        workers
    }
}
