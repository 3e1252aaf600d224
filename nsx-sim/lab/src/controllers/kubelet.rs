//! The kubelets of all nodes: a pod on a node gets its containers once its network is there.

use super::addresses::{Key, Plain};
use super::containers::{backoff, containers, lasts, moment, settle};
use super::drive::{BREATH, Controller};
use super::probes::Probes;
use super::status::condition;
use super::turns::{started, turn_over};
use crate::api::error::Error;
use crate::api::kinds::pod::NETWORK_ANNOTATION;
use crate::api::kinds::{list, number, text};
use crate::api::store::{Change, Deletion, Event, Object, now};
use crate::api::{Exec, Network, Resource, Store};
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The controller.
pub struct Kubelet {
    network: Network,
    ending: Duration,
    dirty: BTreeSet<Key>,
    /// What is to be looked at again, and when.
    timers: BTreeSet<(Instant, Key)>,
    /// The same by pod: each has one time.
    due: BTreeMap<Key, Instant>,
    /// When the containers of pods that go will have ended.
    ends: BTreeMap<Key, Instant>,
    /// When the containers of pods that wait will be started.
    waits: BTreeMap<Key, BTreeMap<String, Instant>>,
    probes: Probes,
    plain: Plain,
    /// Pods of which the node has told what it did to start them.
    told: usize,
}

impl Kubelet {
    /// Kubelets of a cluster with this network, whose containers take `ending` to end and are probed
    /// by `exec`.
    pub fn new(network: Network, ending: Duration, exec: Option<Arc<dyn Exec>>) -> Kubelet {
        Kubelet {
            network,
            ending,
            dirty: BTreeSet::new(),
            timers: BTreeSet::new(),
            due: BTreeMap::new(),
            ends: BTreeMap::new(),
            waits: BTreeMap::new(),
            probes: Probes::of(exec),
            plain: Plain::default(),
            told: 0,
        }
    }
}

impl Controller for Kubelet {
    const RESOURCES: &'static [Resource] = &[Resource::Pods];

    fn note(&mut self, event: &Event) {
        let meta = &event.object.meta;
        let key = (meta.namespace.clone(), meta.name.clone());
        if event.change == Change::Deleted {
            self.plain.take_back(&key);
            self.ends.remove(&key);
            self.rest(&key);
            self.call_off(&key);
            self.dirty.remove(&key);
        } else if event.object.field("spec.nodeName").is_some_and(|n| !n.is_empty()) {
            self.dirty.insert(key);
        }
    }

    async fn act(&mut self, store: &Store) -> Option<Duration> {
        let now = Instant::now();
        while let Some((_, key)) = self.timers.first().filter(|(at, _)| *at <= now).cloned() {
            self.call_off(&key);
            self.dirty.insert(key);
        }
        for (place, key) in std::mem::take(&mut self.dirty).into_iter().enumerate() {
            if place % BREATH == BREATH - 1 {
                tokio::task::yield_now().await;
            }
            if let Err(error) = self.sync(store, &key) {
                tracing::debug!(%error, ?key, "a pod is looked at again");
            }
        }
        let next = self.timers.first();
        next.map(|(at, _)| at.saturating_duration_since(Instant::now()))
    }
}

impl Kubelet {
    fn sync(&mut self, store: &Store, key: &Key) -> Result<(), Error> {
        let (namespace, name) = key;
        let Some(found) = store.get(Resource::Pods, namespace, name) else { return Ok(()) };
        if found.meta.deleting {
            self.rest(key);
            return self.end(store, key, &found);
        }
        let phase = found.field("status.phase").unwrap_or_default();
        if matches!(phase, "Succeeded" | "Failed") {
            self.rest(key);
            return Ok(());
        }
        let pod = found.value();
        if phase == "Running" {
            self.probes.follow(store, key, &pod);
            return self.watch_over(store, key, &pod);
        }
        let node = store.get(Resource::Nodes, "", text(&pod, "/spec/nodeName"));
        let Some(node) = node.map(|n| n.value()) else { return Ok(()) };
        let addresses = list(&node, "/status/addresses");
        let host = addresses.iter().find(|a| a["type"] == "InternalIP");
        let host = host.map(|a| text(a, "/address")).unwrap_or_default();
        let Some(address) = self.address(key, &pod, host) else {
            if text(&pod, "/status/startTime").is_empty() {
                return wait(store, &pod, host);
            }
            return Ok(());
        };
        run(store, &pod, host, &address)?;
        // A node tells no more of many pods than a cluster's limits on events let through.
        if self.told < 256 {
            self.told += 1;
            for container in list(&pod, "/spec/containers") {
                started(store, &pod, text(container, "/name"));
            }
        }
        Ok(())
    }

    /// Nothing of a pod is started or asked any more.
    fn rest(&mut self, key: &Key) {
        self.waits.remove(key);
        self.probes.forget(key);
    }

    /// Has a pod looked at again at this time.
    fn call(&mut self, key: &Key, at: Instant) {
        self.call_off(key);
        self.due.insert(key.clone(), at);
        self.timers.insert((at, key.clone()));
    }

    fn call_off(&mut self, key: &Key) {
        if let Some(at) = self.due.remove(key) {
            self.timers.remove(&(at, key.clone()));
        }
    }

    /// The pod's address, once somebody has given it one.
    fn address(&mut self, key: &Key, pod: &Value, host: &str) -> Option<String> {
        if pod["spec"]["hostNetwork"] == true {
            return Some(host.to_owned());
        }
        match self.network {
            Network::Ncp => {
                let given = pod["metadata"]["annotations"][NETWORK_ANNOTATION].as_str()?;
                let given: Value = serde_json::from_str(given).ok()?;
                let address = given["ip"].as_str()?.split('/').next()?;
                address.parse::<std::net::IpAddr>().ok()?;
                Some(address.to_owned())
            }
            Network::Plain => {
                let pinned = crate::pins::pod(&key.0, &key.1).map(|p| p.address);
                Some(self.plain.give(key, pinned)?.to_string())
            }
        }
    }

    /// Ends a pod whose deletion was asked for: its containers get the time that they take.
    fn end(&mut self, store: &Store, key: &Key, found: &Object) -> Result<(), Error> {
        let until = *self.ends.entry(key.clone()).or_insert_with(|| Instant::now() + self.ending);
        if until > Instant::now() {
            self.call(key, until);
            return Ok(());
        }
        let how =
            Deletion { grace: Some(0), uid: Some(found.meta.uid.clone()), ..Deletion::default() };
        store.delete(Resource::Pods, &key.0, &key.1, &how)?;
        Ok(())
    }

    /// Starts containers again that ended, and asks to be called when the next one will.
    fn watch_over(&mut self, store: &Store, key: &Key, pod: &Value) -> Result<(), Error> {
        let (now, wall) = (Instant::now(), Timestamp::now());
        let until = |at: Timestamp| {
            let left = u64::try_from(at.as_millisecond() - wall.as_millisecond()).unwrap_or(0);
            now + Duration::from_millis(left)
        };
        let mut waiting = self.waits.remove(key).unwrap_or_default();
        let mut waits = BTreeMap::new();
        let mut next: Option<Instant> = None;
        let mut changes = Vec::new();
        for status in list(pod, "/status/containerStatuses") {
            let name = text(status, "/name");
            let at = if status["state"]["running"].is_object() {
                let Some(lasts) = lasts(pod, name) else { continue };
                moment(status, "/state/running/startedAt").map(|t| until(t + lasts))
            } else if status["state"]["waiting"].is_object() {
                let left = backoff(number(status, "/restartCount"));
                Some(waiting.remove(name).unwrap_or(now + left))
            } else {
                continue;
            };
            let Some(at) = at else { continue };
            if at <= now {
                changes.push(name.to_owned());
                continue;
            }
            next = Some(next.map_or(at, |next| next.min(at)));
            if status["state"]["waiting"].is_object() {
                waits.insert(name.to_owned(), at);
            }
        }
        if let Some(at) = next {
            self.call(key, at);
        }
        if !waits.is_empty() {
            self.waits.insert(key.clone(), waits);
        }
        if changes.is_empty() {
            return Ok(());
        }
        turn_over(store, (&key.0, &key.1), &changes, 0, |_| true)
    }
}

/// The containers of a pod as they are before they run.
fn wait(store: &Store, pod: &Value, host: &str) -> Result<(), Error> {
    change(store, pod, |pod| {
        condition(pod, "Initialized", true, "", "");
        pod["status"]["hostIP"] = host.into();
        pod["status"]["startTime"] = now().into();
        pod["status"]["containerStatuses"] = containers(pod, false);
        settle(pod);
    })
}

/// The containers of a pod run.
fn run(store: &Store, pod: &Value, host: &str, address: &str) -> Result<(), Error> {
    change(store, pod, |pod| {
        condition(pod, "Initialized", true, "", "");
        pod["status"]["containerStatuses"] = containers(pod, true);
        settle(pod);
        condition(pod, "PodScheduled", true, "", "");
        let status = &mut pod["status"];
        status["phase"] = "Running".into();
        status["hostIP"] = host.into();
        status["podIP"] = address.into();
        status["podIPs"] = json!([{"ip": address}]);
        if status["startTime"].is_null() {
            status["startTime"] = now().into();
        }
    })
}

fn change(store: &Store, pod: &Value, change: impl Fn(&mut Value)) -> Result<(), Error> {
    let (namespace, name) = (text(pod, "/metadata/namespace"), text(pod, "/metadata/name"));
    store.update(Resource::Pods, namespace, name, |pod| {
        change(pod);
        Ok::<_, Error>(())
    })?;
    Ok(())
}
