//! Endpoints: which pods a service reaches. Endpoint slices say the same in newer clients' form.

use super::drive::Controller;
use crate::api::error::Error;
use crate::api::kinds::{fill, list, text};
use crate::api::selector::has_all;
use crate::api::store::{Change, Deletion, Event};
use crate::api::{Resource, Store};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

/// How many addresses endpoints name, as in Kubernetes.
const MOST: usize = 1000;

/// The controller.
#[derive(Default)]
pub struct Endpoints {
    services: HashMap<String, BTreeMap<String, Value>>,
    dirty: BTreeSet<(String, String)>,
}

impl Controller for Endpoints {
    const RESOURCES: &'static [Resource] = &[Resource::Services, Resource::Pods];

    fn note(&mut self, event: &Event) {
        let meta = &event.object.meta;
        if event.object.resource() == Resource::Services {
            let services = self.services.entry(meta.namespace.clone()).or_default();
            if event.change == Change::Deleted {
                services.remove(&meta.name);
            } else {
                services.insert(meta.name.clone(), event.object.value()["spec"]["selector"].take());
            }
            self.dirty.insert((meta.namespace.clone(), meta.name.clone()));
            return;
        }
        let Some(services) = self.services.get(&meta.namespace) else { return };
        for (name, selector) in services {
            let versions = [Some(&event.object), event.previous.as_ref()];
            if versions.into_iter().flatten().any(|o| has_all(selector, &o.meta.labels)) {
                self.dirty.insert((meta.namespace.clone(), name.clone()));
            }
        }
    }

    async fn act(&mut self, store: &Store) -> Option<Duration> {
        for (namespace, name) in std::mem::take(&mut self.dirty) {
            if let Err(error) = sync(store, &namespace, &name) {
                tracing::debug!(%error, %namespace, %name, "endpoints are looked at again");
            }
        }
        None
    }
}

struct End {
    address: Value,
    ready: bool,
    ports: Vec<Value>,
}

fn sync(store: &Store, namespace: &str, name: &str) -> Result<(), Error> {
    let Some(service) = store.get(Resource::Services, namespace, name) else {
        for kind in [Resource::Endpoints, Resource::EndpointSlices] {
            match store.delete(kind, namespace, name, &Deletion::default()) {
                Ok(_) => {}
                Err(error) if error.code == 404 => {}
                Err(error) => return Err(error),
            }
        }
        return Ok(());
    };
    let labels = json!(service.meta.labels);
    let service = service.value();
    let selector = &service["spec"]["selector"];
    if selector.as_object().is_none_or(serde_json::Map::is_empty) {
        // Whoever made a service without selector keeps its endpoints.
        return Ok(());
    }
    let ends = ends(store, namespace, &service);
    let mut meta = json!({"name": name, "namespace": namespace});
    if labels != json!({}) {
        meta["labels"] = labels;
    }
    put(
        store,
        Resource::Endpoints,
        namespace,
        name,
        json!({
            "metadata": meta, "subsets": subsets(&ends),
        }),
    )?;
    meta["labels"]["kubernetes.io/service-name"] = name.into();
    meta["ownerReferences"] = super::status::owned_by(&service);
    let endpoints: Vec<Value> = ends
        .iter()
        .map(|end| {
            json!({"addresses": [end.address["ip"]], "targetRef": end.address["targetRef"],
                   "nodeName": end.address["nodeName"],
                   "conditions": {"ready": end.ready, "serving": end.ready, "terminating": false}})
        })
        .collect();
    let mut ports = ends.first().map(|e| e.ports.clone()).unwrap_or_default();
    for port in &mut ports {
        // kubectl describes Ingresses by names that it takes to be there.
        fill(port, "name", "");
    }
    put(
        store,
        Resource::EndpointSlices,
        namespace,
        name,
        json!({
            "metadata": meta, "addressType": "IPv4", "endpoints": endpoints, "ports": ports,
        }),
    )
}

/// The pods that the service selects and that have an address.
fn ends(store: &Store, namespace: &str, service: &Value) -> Vec<End> {
    let selector = &service["spec"]["selector"];
    let (pods, _) = store.list(Resource::Pods, Some(namespace));
    let all = service["spec"]["publishNotReadyAddresses"] == true;
    let named = list(service, "/spec/ports").iter().any(|p| p["targetPort"].is_string());
    pods.iter()
        .filter(|p| !p.meta.deleting && has_all(selector, &p.meta.labels))
        .filter(|p| !matches!(p.field("status.phase"), Some("Succeeded" | "Failed")))
        .filter_map(|pod| {
            let ip = pod.field("status.podIP").filter(|ip| !ip.is_empty())?;
            let address = json!({
                "ip": ip,
                "nodeName": pod.field("spec.nodeName"),
                "targetRef": {"kind": "Pod", "namespace": namespace, "name": pod.meta.name,
                              "uid": pod.meta.uid},
            });
            let value = if named { pod.value() } else { Value::Null };
            let ports = list(service, "/spec/ports").iter();
            let ports = ports.filter_map(|port| {
                let number = target(port, &value)?;
                let mut own = json!({"port": number, "protocol": port["protocol"]});
                if !text(port, "/name").is_empty() {
                    own["name"] = port["name"].clone();
                }
                Some(own)
            });
            let ready = all || pod.field("~ready") == Some("true");
            Some(End { address, ready, ports: ports.collect() })
        })
        .take(MOST)
        .collect()
}

/// The port of a pod that a service's port leads to; nothing if the pod has none of that name.
fn target(port: &Value, pod: &Value) -> Option<Value> {
    let Some(name) = port["targetPort"].as_str() else { return Some(port["targetPort"].clone()) };
    let containers = list(pod, "/spec/containers").iter();
    let mut ports = containers.flat_map(|c| list(c, "/ports"));
    ports.find(|p| p["name"] == name).map(|p| p["containerPort"].clone())
}

/// Addresses with the same ports stand together.
fn subsets(ends: &[End]) -> Value {
    let mut groups: Vec<(&Vec<Value>, Vec<&Value>, Vec<&Value>)> = Vec::new();
    for end in ends {
        let place = match groups.iter().position(|(ports, ..)| *ports == &end.ports) {
            Some(place) => place,
            None => {
                groups.push((&end.ports, Vec::new(), Vec::new()));
                groups.len() - 1
            }
        };
        let group = &mut groups[place];
        if end.ready { group.1.push(&end.address) } else { group.2.push(&end.address) }
    }
    let printed = groups.into_iter().map(|(ports, ready, other)| {
        let mut subset = json!({"ports": ports});
        if !ready.is_empty() {
            subset["addresses"] = json!(ready);
        }
        if !other.is_empty() {
            subset["notReadyAddresses"] = json!(other);
        }
        subset
    });
    printed.collect()
}

fn put(
    store: &Store,
    kind: Resource,
    namespace: &str,
    name: &str,
    wanted: Value,
) -> Result<(), Error> {
    if store.get(kind, namespace, name).is_none() {
        store.create(kind, wanted)?;
        return Ok(());
    }
    store.update(kind, namespace, name, |there| {
        for (member, value) in wanted.as_object().into_iter().flatten() {
            if member == "metadata" {
                there["metadata"]["labels"] = value["labels"].clone();
                crate::api::decode::prune(&mut there["metadata"]);
            } else {
                there[member.as_str()] = value.clone();
            }
        }
        Ok::<_, Error>(())
    })?;
    Ok(())
}
