//! Replica sets: each has as many pods as it wants.

use super::drive::{BREATH, Controller};
use super::events::Recorder;
use super::names::suffix;
use super::status::{count, owned_by};
use crate::api::error::Error;
use crate::api::kinds::{number, text};
use crate::api::selector;
use crate::api::store::{Change, Deletion, Event, Object};
use crate::api::{Resource, Store};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

const RECORDER: Recorder = Recorder { component: "replicaset-controller" };
/// Of how many pods a replica set tells at once; more are the same again.
const TOLD: usize = 10;

/// The controller.
#[derive(Default)]
pub struct ReplicaSets {
    dirty: BTreeSet<(String, String)>,
    /// The pods of each replica set, by its identity.
    pods: HashMap<String, BTreeMap<String, Pod>>,
    /// Pods that belong to nobody.
    orphans: BTreeSet<(String, String)>,
    /// Pods whose labels are others now.
    relabelled: BTreeSet<(String, String)>,
}

#[derive(Clone, Copy)]
struct Pod {
    ready: bool,
    active: bool,
    scheduled: bool,
    /// The version: the younger go first.
    version: u64,
}

impl Controller for ReplicaSets {
    const RESOURCES: &'static [Resource] = &[Resource::ReplicaSets, Resource::Pods];

    fn note(&mut self, event: &Event) {
        let meta = &event.object.meta;
        let key = (meta.namespace.clone(), meta.name.clone());
        if event.object.resource() == Resource::ReplicaSets {
            if event.change == Change::Deleted {
                self.pods.remove(&meta.uid);
            }
            self.dirty.insert(key);
            return;
        }
        if let Some(before) = event.previous.as_ref().and_then(|p| p.controller())
            && let Some(pods) = self.pods.get_mut(&before.uid)
        {
            pods.remove(&meta.name);
            self.dirty.insert((meta.namespace.clone(), before.name.clone()));
        }
        self.orphans.remove(&key);
        if event.change == Change::Deleted {
            return;
        }
        match event.object.controller() {
            Some(owner) if owner.kind == "ReplicaSet" => {
                if event.previous.as_ref().is_some_and(|p| p.meta.labels != meta.labels) {
                    self.relabelled.insert(key);
                }
                let pods = self.pods.entry(owner.uid.clone()).or_default();
                pods.insert(meta.name.clone(), Pod::of(&event.object));
                self.dirty.insert((meta.namespace.clone(), owner.name.clone()));
            }
            None if !meta.deleting && !meta.labels.is_empty() => drop(self.orphans.insert(key)),
            _ => {}
        }
    }

    async fn act(&mut self, store: &Store) -> Option<Duration> {
        for (namespace, name) in std::mem::take(&mut self.relabelled) {
            if let Err(error) = release(store, &namespace, &name) {
                tracing::debug!(%error, %namespace, %name, "a pod was not released");
            }
        }
        for (namespace, name) in std::mem::take(&mut self.orphans) {
            if let Err(error) = adopt(store, &namespace, &name) {
                tracing::debug!(%error, %namespace, %name, "a pod was not adopted");
            }
        }
        for (namespace, name) in std::mem::take(&mut self.dirty) {
            let Some(found) = store.get(Resource::ReplicaSets, &namespace, &name) else { continue };
            if found.meta.deleting {
                continue;
            }
            if let Err(error) = self.sync(store, &found).await {
                tracing::debug!(%error, %namespace, %name, "a replica set is looked at again");
            }
        }
        None
    }
}

impl Pod {
    fn of(object: &Object) -> Pod {
        let phase = object.field("status.phase").unwrap_or_default();
        Pod {
            ready: object.field("~ready") == Some("true"),
            active: !object.meta.deleting && !matches!(phase, "Succeeded" | "Failed"),
            scheduled: object.field("spec.nodeName").is_some_and(|n| !n.is_empty()),
            version: object.meta.resource_version,
        }
    }
}

impl ReplicaSets {
    async fn sync(&mut self, store: &Store, found: &Object) -> Result<(), Error> {
        let set = found.value();
        let pods = self.pods.get(&found.meta.uid);
        let active: Vec<(&String, &Pod)> =
            pods.into_iter().flatten().filter(|(_, p)| p.active).collect();
        let is = i64::try_from(active.len()).unwrap_or(i64::MAX);
        let ready = active.iter().filter(|(_, p)| p.ready).count();
        let wanted = number(&set, "/spec/replicas");
        let mut surplus = Vec::new();
        if is > wanted {
            let mut all = active.clone();
            all.sort_by_key(|(_, p)| (p.scheduled, p.ready, std::cmp::Reverse(p.version)));
            let many = usize::try_from(is - wanted).unwrap_or_default();
            surplus = all.into_iter().take(many).map(|(name, _)| name.clone()).collect();
        }
        tell(store, &set, is, i64::try_from(ready).unwrap_or(i64::MAX))?;
        for (place, name) in surplus.iter().enumerate() {
            let namespace = &found.meta.namespace;
            match store.delete(Resource::Pods, namespace, name, &Deletion::default()) {
                Ok(_) if place < TOLD => {
                    let message = format!("Deleted pod: {name}");
                    RECORDER.normal(store, &set, "", "SuccessfulDelete", &message);
                }
                _ => {}
            }
            if place % BREATH == BREATH - 1 {
                tokio::task::yield_now().await;
            }
        }
        if is < wanted {
            make(store, &set, usize::try_from(wanted - is).unwrap_or_default()).await?;
        }
        Ok(())
    }
}

/// Lets a pod go that its replica set no longer selects.
fn release(store: &Store, namespace: &str, name: &str) -> Result<(), Error> {
    let Some(pod) = store.get(Resource::Pods, namespace, name) else { return Ok(()) };
    let Some(owner) = pod.controller().filter(|_| !pod.meta.deleting) else { return Ok(()) };
    let Some(set) = store.get(Resource::ReplicaSets, namespace, &owner.name) else { return Ok(()) };
    if selector::selects(&set.value()["spec"]["selector"], &json!(pod.meta.labels)) {
        return Ok(());
    }
    store.update(Resource::Pods, namespace, name, |pod| {
        if let Some(owners) = pod["metadata"]["ownerReferences"].as_array_mut() {
            owners.retain(|o| o["uid"] != owner.uid);
        }
        Ok::<_, Error>(())
    })?;
    Ok(())
}

/// Gives a pod without owner to the replica set that selects it.
fn adopt(store: &Store, namespace: &str, name: &str) -> Result<(), Error> {
    let Some(pod) = store.get(Resource::Pods, namespace, name) else { return Ok(()) };
    if pod.meta.deleting || pod.controller().is_some() {
        return Ok(());
    }
    let labels = json!(pod.meta.labels);
    let (sets, _) = store.list(Resource::ReplicaSets, Some(namespace));
    for set in sets.iter().filter(|s| !s.meta.deleting) {
        let set = set.value();
        if selector::selects(&set["spec"]["selector"], &labels) {
            store.update(Resource::Pods, namespace, name, |pod| {
                pod["metadata"]["ownerReferences"] = owned_by(&set);
                Ok::<_, Error>(())
            })?;
            return Ok(());
        }
    }
    Ok(())
}

fn tell(store: &Store, set: &Value, is: i64, ready: i64) -> Result<(), Error> {
    let (namespace, name) = (text(set, "/metadata/namespace"), text(set, "/metadata/name"));
    store.update(Resource::ReplicaSets, namespace, name, |now| {
        let status = &mut now["status"];
        status["replicas"] = is.into();
        status["observedGeneration"] = set["metadata"]["generation"].clone();
        count(status, "fullyLabeledReplicas", is);
        count(status, "readyReplicas", ready);
        count(status, "availableReplicas", ready);
        Ok::<_, Error>(())
    })?;
    Ok(())
}

async fn make(store: &Store, set: &Value, many: usize) -> Result<(), Error> {
    let (namespace, name) = (text(set, "/metadata/namespace"), text(set, "/metadata/name"));
    let template = &set["spec"]["template"];
    let mut pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": template["metadata"],
        "spec": template["spec"],
        "status": {"phase": "Pending", "qosClass": "BestEffort"},
    });
    pod["metadata"]["generateName"] = format!("{name}-").into();
    pod["metadata"]["namespace"] = namespace.into();
    pod["metadata"]["ownerReferences"] = owned_by(set);
    pod["spec"]["enableServiceLinks"] = true.into();
    // The guide's pods come when their replica set is new, whether or not it was looked at before its
    // deployment scaled it; later ones are others.
    let new = number(set, "/status/replicas") == 0 && number(set, "/metadata/generation") <= 2;
    let mut pinned = crate::pins::pods_of(namespace, name).filter(|_| new);
    for place in 0..many {
        let mut pod = pod.clone();
        match pinned.next().filter(|p| !store.exists(p.uid)) {
            Some(pin) => {
                pod["metadata"]["name"] = pin.name.into();
                pod["metadata"]["uid"] = pin.uid.into();
            }
            None => pod["metadata"]["name"] = format!("{name}-{}", suffix(5)).into(),
        }
        let made = match store.create(Resource::Pods, pod) {
            Ok(made) => made,
            // The same chance twice; the next look makes what is missing.
            Err(error) if error.reason == "AlreadyExists" => continue,
            Err(error) => return Err(error),
        };
        if place < TOLD {
            let message = format!("Created pod: {}", made.meta.name);
            RECORDER.normal(store, set, "", "SuccessfulCreate", &message);
        }
        if place % BREATH == BREATH - 1 {
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}
