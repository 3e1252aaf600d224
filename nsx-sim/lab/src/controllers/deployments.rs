//! Deployments: each has a replica set for each of its templates, and moves pods to the newest.

use super::drive::Controller;
use super::events::Recorder;
use super::names::template_hash;
use super::status::{condition, count, owned_by};
use super::{rollout, rollout::Set};
use crate::api::error::Error;
use crate::api::kinds::{number, text};
use crate::api::store::{Deletion, Event};
use crate::api::{Resource, Store};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

const RECORDER: Recorder = Recorder { component: "deployment-controller" };
const REVISION: &str = "deployment.kubernetes.io/revision";
const HASH: &str = "pod-template-hash";

/// The controller.
#[derive(Default)]
pub struct Deployments {
    dirty: BTreeSet<(String, String)>,
}

impl Controller for Deployments {
    const RESOURCES: &'static [Resource] = &[Resource::Deployments, Resource::ReplicaSets];

    fn note(&mut self, event: &Event) {
        let object = &event.object;
        let namespace = object.meta.namespace.clone();
        match object.controller() {
            Some(owner) if owner.kind == "Deployment" => {
                self.dirty.insert((namespace, owner.name.clone()));
            }
            _ => drop(self.dirty.insert((namespace, object.meta.name.clone()))),
        }
    }

    async fn act(&mut self, store: &Store) -> Option<Duration> {
        for (namespace, name) in std::mem::take(&mut self.dirty) {
            let Some(found) = store.get(Resource::Deployments, &namespace, &name) else { continue };
            if found.meta.deleting {
                continue;
            }
            if let Err(error) = sync(store, &found.value()) {
                tracing::debug!(%error, %namespace, %name, "a deployment is looked at again");
            }
        }
        None
    }
}

fn sync(store: &Store, deployment: &Value) -> Result<(), Error> {
    let mut sets = owned(store, deployment);
    let newest = match sets.iter().position(|s| same_template(deployment, s)) {
        Some(place) => sets.remove(place),
        None if deployment["spec"]["paused"] == true => {
            return tell(store, deployment, None, &sets);
        }
        None => make(store, deployment, &sets)?,
    };
    let newest = revised(store, deployment, newest, &sets)?;
    let views: Vec<Set> = sets.iter().map(Set::of).collect();
    let plan = rollout::plan(deployment, &Set::of(&newest), &views);
    for (set, wanted) in sets.iter().zip(&plan.old) {
        scale(store, deployment, set, *wanted)?;
    }
    scale(store, deployment, &newest, plan.new)?;
    forget(store, deployment, &sets)?;
    tell(store, deployment, Some(&newest), &sets)
}

/// The deployment's replica sets.
fn owned(store: &Store, deployment: &Value) -> Vec<Value> {
    let keys = store.owned_by(text(deployment, "/metadata/uid"));
    let sets = keys.iter().filter(|k| k.resource == Resource::ReplicaSets);
    let mut sets: Vec<Value> = sets
        .filter_map(|k| store.get(k.resource, &k.namespace, &k.name))
        .filter(|o| !o.meta.deleting)
        .map(|o| o.value())
        .collect();
    sets.sort_by_key(revision);
    sets
}

fn revision(object: &Value) -> i64 {
    object["metadata"]["annotations"][REVISION].as_str().and_then(|r| r.parse().ok()).unwrap_or(0)
}

fn same_template(deployment: &Value, set: &Value) -> bool {
    let mut template = set["spec"]["template"].clone();
    if let Some(labels) = template["metadata"]["labels"].as_object_mut() {
        labels.remove(HASH);
    }
    template == deployment["spec"]["template"]
}

/// Makes the replica set of the deployment's template.
fn make(store: &Store, deployment: &Value, others: &[Value]) -> Result<Value, Error> {
    let (namespace, name) =
        (text(deployment, "/metadata/namespace"), text(deployment, "/metadata/name"));
    let pinned = crate::pins::deployment(namespace, name).map(|d| d.hash.to_owned());
    let first = others.is_empty() && revision(deployment) == 0;
    let hash =
        pinned.filter(|_| first).unwrap_or_else(|| template_hash(&deployment["spec"]["template"]));
    let mut template = deployment["spec"]["template"].clone();
    template["metadata"]["labels"][HASH] = hash.clone().into();
    let mut selector = deployment["spec"]["selector"].clone();
    selector["matchLabels"][HASH] = hash.clone().into();
    let mut set = json!({
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": format!("{name}-{hash}"),
            "namespace": namespace,
            "labels": template["metadata"]["labels"],
            "annotations": {},
            "ownerReferences": owned_by(deployment),
        },
        "spec": {"replicas": 0, "selector": selector, "template": template},
        "status": {"replicas": 0},
    });
    let ready = number(deployment, "/spec/minReadySeconds");
    if ready > 0 {
        set["spec"]["minReadySeconds"] = ready.into();
    }
    Ok(store.create(Resource::ReplicaSets, set)?.value())
}

/// Sees to it that the newest replica set has the highest revision, and the deployment the same.
fn revised(
    store: &Store,
    deployment: &Value,
    newest: Value,
    others: &[Value],
) -> Result<Value, Error> {
    let before = others.iter().map(revision).max().unwrap_or(0);
    let is = revision(&newest);
    let wanted = if is > before { is } else { before + 1 };
    let namespace = text(deployment, "/metadata/namespace");
    let set_revision = |object: &mut Value| {
        if !object["metadata"]["annotations"].is_object() {
            object["metadata"]["annotations"] = json!({});
        }
        object["metadata"]["annotations"][REVISION] = wanted.to_string().into();
        Ok::<_, Error>(())
    };
    let mut set = newest;
    if is != wanted {
        let name = text(&set, "/metadata/name").to_owned();
        set = store.update(Resource::ReplicaSets, namespace, &name, set_revision)?.value();
    }
    if revision(deployment) != wanted {
        let name = text(deployment, "/metadata/name");
        store.update(Resource::Deployments, namespace, name, set_revision)?;
    }
    Ok(set)
}

fn scale(store: &Store, deployment: &Value, set: &Value, wanted: i64) -> Result<(), Error> {
    let is = number(set, "/spec/replicas");
    if is == wanted {
        return Ok(());
    }
    let (namespace, name) = (text(set, "/metadata/namespace"), text(set, "/metadata/name"));
    store.update(Resource::ReplicaSets, namespace, name, |set| {
        set["spec"]["replicas"] = wanted.into();
        Ok::<_, Error>(())
    })?;
    let way = if wanted > is { "up" } else { "down" };
    let message = format!("Scaled {way} replica set {name} to {wanted}");
    RECORDER.normal(store, deployment, "", "ScalingReplicaSet", &message);
    Ok(())
}

/// Deletes the oldest replica sets that are not needed for a return.
fn forget(store: &Store, deployment: &Value, old: &[Value]) -> Result<(), Error> {
    let keep = usize::try_from(number(deployment, "/spec/revisionHistoryLimit")).unwrap_or(10);
    let unused: Vec<&Value> = old
        .iter()
        .filter(|s| number(s, "/spec/replicas") == 0 && number(s, "/status/replicas") == 0)
        .collect();
    for set in unused.iter().take(unused.len().saturating_sub(keep)) {
        let (namespace, name) = (text(set, "/metadata/namespace"), text(set, "/metadata/name"));
        store.delete(Resource::ReplicaSets, namespace, name, &Deletion::default())?;
    }
    Ok(())
}

/// Tells how far the deployment is.
fn tell(
    store: &Store,
    deployment: &Value,
    newest: Option<&Value>,
    old: &[Value],
) -> Result<(), Error> {
    let sum = |pointer: &str| old.iter().chain(newest).map(|set| number(set, pointer)).sum::<i64>();
    let of_newest = |pointer: &str| newest.map_or(0, |set| number(set, pointer));
    let (replicas, available) = (sum("/status/replicas"), sum("/status/availableReplicas"));
    let updated = of_newest("/status/replicas");
    let desired = number(deployment, "/spec/replicas");
    let unavailable = (sum("/spec/replicas").max(desired) - available).max(0);
    let enough = available >= desired - rollout::may_miss(deployment);
    let done = updated == desired && replicas == desired && available == desired;
    let set = newest.map(|s| text(s, "/metadata/name")).unwrap_or_default();
    let (namespace, name) =
        (text(deployment, "/metadata/namespace"), text(deployment, "/metadata/name"));
    store.update(Resource::Deployments, namespace, name, |now| {
        // Told is the generation that was looked at; a newer one is looked at next.
        now["status"]["observedGeneration"] = deployment["metadata"]["generation"].clone();
        let status = &mut now["status"];
        count(status, "replicas", replicas);
        count(status, "updatedReplicas", updated);
        count(status, "readyReplicas", sum("/status/readyReplicas"));
        count(status, "availableReplicas", available);
        count(status, "unavailableReplicas", unavailable);
        if enough {
            let message = "Deployment has minimum availability.";
            condition(now, "Available", true, "MinimumReplicasAvailable", message);
        } else {
            let message = "Deployment does not have minimum availability.";
            condition(now, "Available", false, "MinimumReplicasUnavailable", message);
        }
        if done {
            let message = format!("ReplicaSet {set:?} has successfully progressed.");
            condition(now, "Progressing", true, "NewReplicaSetAvailable", &message);
        } else {
            let message = format!("ReplicaSet {set:?} is progressing.");
            condition(now, "Progressing", true, "ReplicaSetUpdated", &message);
        }
        Ok::<_, Error>(())
    })?;
    Ok(())
}
