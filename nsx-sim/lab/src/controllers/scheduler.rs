//! The scheduler: a pod goes to the node that has the fewest, if one has room.

use super::drive::{BREATH, Controller};
use super::events::Recorder;
use super::status::condition;
use crate::api::error::Error;
use crate::api::kinds::{list, text};
use crate::api::store::{Change, Event};
use crate::api::{Resource, Store};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

const RECORDER: Recorder = Recorder { component: "default-scheduler" };

/// The controller.
#[derive(Default)]
pub struct Scheduler {
    nodes: BTreeMap<String, Node>,
    /// How many pods are on each node, and how many of each owner.
    load: HashMap<String, Load>,
    waiting: BTreeSet<(String, String)>,
    /// Pods that no node had room for; looked at again when there may be room.
    stuck: BTreeSet<(String, String)>,
    /// What was put on nodes since the last changes were noted; they tell of it in their turn.
    placed: HashMap<String, Load>,
}

#[derive(Default)]
struct Load {
    pods: usize,
    owners: HashMap<String, usize>,
}

struct Node {
    open: bool,
    room: usize,
    labels: BTreeMap<String, String>,
}

impl Controller for Scheduler {
    const RESOURCES: &'static [Resource] = &[Resource::Nodes, Resource::Pods];

    fn note(&mut self, event: &Event) {
        let meta = &event.object.meta;
        if event.object.resource() == Resource::Nodes {
            self.waiting.append(&mut self.stuck);
            if event.change == Change::Deleted {
                self.nodes.remove(&meta.name);
            } else {
                self.nodes.insert(meta.name.clone(), Node::of(event));
            }
            return;
        }
        let on = |object: &crate::api::store::Object| {
            let node = object.field("spec.nodeName").unwrap_or_default().to_owned();
            let owner = object.controller().map(|o| o.uid.clone()).unwrap_or_default();
            (!node.is_empty()).then_some((node, owner))
        };
        if let Some((node, owner)) = event.previous.as_deref().and_then(on) {
            let load = self.load.entry(node).or_default();
            load.pods = load.pods.saturating_sub(1);
            if let Some(count) = load.owners.get_mut(&owner) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    load.owners.remove(&owner);
                }
            }
            if event.change == Change::Deleted {
                self.waiting.append(&mut self.stuck);
            }
        }
        let key = (meta.namespace.clone(), meta.name.clone());
        self.waiting.remove(&key);
        if event.change == Change::Deleted {
            self.stuck.remove(&key);
            return;
        }
        match on(&event.object) {
            Some((node, owner)) => {
                let load = self.load.entry(node).or_default();
                load.pods += 1;
                *load.owners.entry(owner).or_default() += 1;
            }
            None if !meta.deleting && !self.stuck.contains(&key) => {
                self.waiting.insert(key);
            }
            None => {}
        }
    }

    async fn act(&mut self, store: &Store) -> Option<Duration> {
        for (place, (namespace, name)) in std::mem::take(&mut self.waiting).into_iter().enumerate()
        {
            if place % BREATH == BREATH - 1 {
                tokio::task::yield_now().await;
            }
            let Some(pod) = store.get(Resource::Pods, &namespace, &name) else { continue };
            if pod.field("spec.nodeName").is_some_and(|n| !n.is_empty()) {
                continue;
            }
            let owner = pod.controller().map(|o| o.uid.clone()).unwrap_or_default();
            let value = pod.value();
            let bound = match self.choose(&value, &owner) {
                Ok(node) => bind(store, &value, &node).map(|()| {
                    let load = self.placed.entry(node).or_default();
                    load.pods += 1;
                    *load.owners.entry(owner).or_default() += 1;
                }),
                Err(why) => {
                    self.stuck.insert((namespace, name));
                    refuse(store, &value, &why)
                }
            };
            if let Err(error) = bound {
                tracing::debug!(%error, "a pod was not scheduled");
            }
        }
        self.placed.clear();
        None
    }
}

impl Node {
    fn of(event: &Event) -> Node {
        let value = event.object.value();
        let room = text(&value, "/status/allocatable/pods").parse().unwrap_or(110);
        let ready = list(&value, "/status/conditions")
            .iter()
            .all(|c| c["type"] != "Ready" || c["status"] == "True");
        let open = ready && event.object.field("spec.unschedulable") == Some("false");
        Node { open, room, labels: event.object.meta.labels.clone() }
    }
}

impl Scheduler {
    /// The node for a pod, or why there is none.
    fn choose(&self, pod: &Value, owner: &str) -> Result<String, String> {
        let (namespace, name) = (text(pod, "/metadata/namespace"), text(pod, "/metadata/name"));
        let pinned = crate::pins::pod(namespace, name).map(|p| p.node);
        let wanted = pod["spec"]["nodeSelector"].as_object();
        let load = |node: &str| {
            let both = [self.load.get(node), self.placed.get(node)];
            both.into_iter().flatten().fold((0, 0), |(of_owner, pods), load| {
                let own = if owner.is_empty() { None } else { load.owners.get(owner) };
                (of_owner + own.copied().unwrap_or_default(), pods + load.pods)
            })
        };
        let (mut closed, mut other, mut full) = (0, 0, 0);
        let mut best: Option<((usize, usize), &String)> = None;
        for (node, state) in &self.nodes {
            let fits = wanted
                .into_iter()
                .flatten()
                .all(|(key, value)| state.labels.get(key).map(String::as_str) == value.as_str());
            let has = load(node);
            if !state.open {
                closed += 1;
            } else if !fits {
                other += 1;
            } else if has.1 >= state.room {
                full += 1;
            } else if pinned == Some(node.as_str()) {
                return Ok(node.clone());
            } else if best.is_none_or(|(least, _)| has < least) {
                best = Some((has, node));
            }
        }
        if let Some((_, node)) = best {
            return Ok(node.clone());
        }
        let reasons = [
            (closed, "node(s) were unschedulable"),
            (other, "node(s) didn't match node selector"),
            (full, "Too many pods"),
        ];
        let told: Vec<String> = reasons
            .iter()
            .filter(|(many, _)| *many > 0)
            .map(|(many, why)| format!("{many} {why}"))
            .collect();
        if told.is_empty() {
            return Err("no nodes available to schedule pods".to_owned());
        }
        Err(format!("0/{} nodes are available: {}.", self.nodes.len(), told.join(", ")))
    }
}

fn bind(store: &Store, pod: &Value, node: &str) -> Result<(), Error> {
    let (namespace, name) = (text(pod, "/metadata/namespace"), text(pod, "/metadata/name"));
    store.update(Resource::Pods, namespace, name, |pod| {
        pod["spec"]["nodeName"] = node.into();
        condition(pod, "PodScheduled", true, "", "");
        Ok::<_, Error>(())
    })?;
    let message = format!("Successfully assigned {namespace}/{name} to {node}");
    RECORDER.normal(store, pod, "", "Scheduled", &message);
    Ok(())
}

/// Says once why a pod waits.
fn refuse(store: &Store, pod: &Value, why: &str) -> Result<(), Error> {
    let conditions = list(pod, "/status/conditions");
    if conditions.iter().any(|c| c["type"] == "PodScheduled" && c["message"] == why) {
        return Ok(());
    }
    let (namespace, name) = (text(pod, "/metadata/namespace"), text(pod, "/metadata/name"));
    store.update(Resource::Pods, namespace, name, |pod| {
        condition(pod, "PodScheduled", false, "Unschedulable", why);
        Ok::<_, Error>(())
    })?;
    RECORDER.warning(store, pod, "", "FailedScheduling", why);
    Ok(())
}
