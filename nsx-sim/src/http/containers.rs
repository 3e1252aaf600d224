//! Containers' clusters, nodes, projects, pods, applications and policies, as the tags on objects tell
//! of them.
//!
//! The container plugin tells the product of them by another way, which the published API does not
//! have; the tags that it leaves on objects say the same, save states of the platform
//! (docs/fidelity.md).

use super::call::{Call, Reply};
use super::error::Failure;
use super::list::{Paging, Row};
use super::ports::is_up;
use super::routes::Routes;
use crate::inventory::{Error, Object};
use crate::kinds::firewall::section;
use crate::kinds::load_balancer::virtual_server;
use crate::kinds::logical_port::{self, LogicalPort};
use crate::kinds::logical_switch;
use crate::wire;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What is told of one thing, by its identifier.
type Found = BTreeMap<String, Value>;

/// Finds things of one sort.
type Find = fn(&Call<'_>) -> Found;

/// Scopes of tags [client ncp].
const CLUSTER: &str = "ncp/cluster";
const PROJECT: &str = "ncp/project";
const PROJECT_UID: &str = "ncp/project_uid";
const POD: &str = "ncp/pod";
const POD_UID: &str = "ncp/pod_uid";
const NODE: &str = "ncp/node_name";

/// Scopes that the lab's own plugin has: what others call them is not known (docs/fidelity.md).
const SERVICE: &str = "ncp/service";
const SERVICE_UID: &str = "ncp/service_uid";
const POLICY: &str = "ncp/policy";

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    let all: [(&str, &'static str, Find); 6] = [
        ("/fabric/container-clusters", "ContainerCluster", clusters),
        ("/fabric/container-projects", "ContainerProject", projects),
        ("/fabric/container-application-instances", "ContainerApplicationInstance", instances),
        ("/fabric/container-applications", "ContainerApplication", applications),
        ("/fabric/container-cluster-nodes", "ContainerClusterNode", nodes),
        ("/fabric/container-network-policies", "ContainerNetworkPolicy", policies),
    ];
    for (path, kind, found) in all {
        routes.on("GET", path, move |call| list(call, found(call)));
        routes.on("GET", &format!("{path}/{{id}}"), move |call| {
            let missing = || Error::NotFound { kind, id: call.param(0).to_owned() };
            Ok(Reply::ok(found(call).remove(call.param(0)).ok_or_else(missing)?))
        });
    }
}

/// The members that lists are narrowed by.
const FILTERS: [&str; 5] = [
    "container_cluster_id",
    "container_project_id",
    "cluster_node_id",
    "cluster_type",
    "container_application_id",
];

fn list(call: &Call<'_>, found: Found) -> Result<Reply, Failure> {
    let paging = Paging::read(&call.query, 1000)?;
    let asked: Vec<(&str, &str)> =
        FILTERS.iter().filter_map(|name| Some((*name, call.query.get(name)?))).collect();
    let fits = |own: &Value| asked.iter().all(|(name, value)| own[*name] == *value);
    let rows = found.into_iter().filter(|(_, own)| fits(own)).map(|(id, item)| Row {
        key: item["display_name"].as_str().unwrap_or_default().to_owned().into(),
        id: id.into(),
        item,
    });
    Ok(paging.by_member(rows.collect(), Value::clone)?)
}

fn tag<'a>(object: &'a Object, scope: &str) -> Option<&'a str> {
    let mut tags = object.header.tags().iter();
    tags.find(|own| &*own.scope == scope).map(|own| &*own.tag)
}

/// An identifier for what the platform gave none: made from names, so it is the same on each call.
fn made(names: &[&str]) -> String {
    let name = names.join("\0");
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, name.as_bytes()).to_string()
}

fn cluster_id(object: &Object) -> Option<String> {
    Some(made(&[tag(object, CLUSTER)?]))
}

/// The project's own identifier, else one of the names above it.
fn project_id(object: &Object) -> Option<String> {
    let name = tag(object, PROJECT)?;
    let known = tag(object, PROJECT_UID).map(str::to_owned);
    Some(known.unwrap_or_else(|| made(&[tag(object, CLUSTER).unwrap_or_default(), name])))
}

/// The objects that containers leave tags on, ports and switches.
fn tagged(call: &Call<'_>) -> impl Iterator<Item = std::sync::Arc<Object>> {
    let inventory = &call.world.inventory;
    let switches = inventory.all(logical_switch::KIND.name);
    switches.into_iter().chain(inventory.all(logical_port::KIND.name))
}

fn clusters(call: &Call<'_>) -> Found {
    let mut found = Found::new();
    for object in tagged(call) {
        let (Some(name), Some(id)) = (tag(&object, CLUSTER), cluster_id(&object)) else { continue };
        found.entry(id.clone()).or_insert_with(|| {
            json!({
                "external_id": id,
                "display_name": name,
                "resource_type": "ContainerCluster",
                "_last_sync_time": object.header.modified.time,
            })
        });
    }
    found
}

/// What all things below a cluster tell [spec DiscoveredResource].
fn described(object: &Object, kind: &str, id: &str, name: &str) -> Value {
    json!({
        "external_id": id,
        "display_name": name,
        "resource_type": kind,
        "container_cluster_id": cluster_id(object),
        "_last_sync_time": object.header.modified.time,
    })
}

fn projects(call: &Call<'_>) -> Found {
    let mut found = Found::new();
    for object in tagged(call) {
        let (Some(name), Some(id)) = (tag(&object, PROJECT), project_id(&object)) else { continue };
        found.entry(id.clone()).or_insert_with(|| {
            let mut printed = described(&object, "ContainerProject", &id, name);
            wire::without_nulls(&mut printed);
            printed
        });
    }
    found
}

/// Pods, each by its port; it is up while the port is.
fn instances(call: &Call<'_>) -> Found {
    let ports = call.world.inventory.all(logical_port::KIND.name);
    let pods = ports.iter().filter_map(|object| {
        let name = tag(object, POD)?;
        let id = tag(object, POD_UID).unwrap_or(&object.header.id).to_owned();
        let up = is_up(object);
        let mut printed = described(object, "ContainerApplicationInstance", &id, name);
        printed["container_project_id"] = project_id(object).into();
        printed["cluster_node_id"] = node_below(call, object).into();
        printed["status"] = if up { "UP" } else { "DOWN" }.into();
        printed["tags"] = json!(object.header.tags());
        wire::without_nulls(&mut printed);
        Some((id, printed))
    });
    pods.collect()
}

/// A node's identifier, on the port that it has itself.
fn node_id(port: &Object) -> Option<String> {
    let name = tag(port, NODE)?;
    Some(made(&[tag(port, CLUSTER).unwrap_or_default(), name]))
}

/// The node that carries a pod: that of the port that the pod's is a child of.
fn node_below(call: &Call<'_>, pod: &Object) -> Option<String> {
    let (_, parent) = pod.body::<LogicalPort>()?.vif()?;
    let ports = call.world.inventory.by_key(logical_port::BY_ATTACHMENT, parent?);
    ports.iter().find_map(|port| node_id(port))
}

/// Nodes, each by its own port, where containers' ports hang below.
fn nodes(call: &Call<'_>) -> Found {
    let ports = call.world.inventory.all(logical_port::KIND.name);
    let nodes = ports.iter().filter_map(|object| {
        let (id, name) = (node_id(object)?, tag(object, NODE)?);
        let mut printed = described(object, "ContainerClusterNode", &id, name);
        wire::without_nulls(&mut printed);
        Some((id, printed))
    });
    nodes.collect()
}

/// Services that a load balancer carries, by their virtual servers: one for each of a service's ports.
fn applications(call: &Call<'_>) -> Found {
    let mut found = Found::new();
    for object in call.world.inventory.all(virtual_server::KIND.name) {
        let Some(name) = tag(&object, SERVICE) else { continue };
        let known = tag(&object, SERVICE_UID).map(str::to_owned);
        let id = known.unwrap_or_else(|| named_in_project(&object, name));
        found.entry(id.clone()).or_insert_with(|| {
            let mut printed = described(&object, "ContainerApplication", &id, name);
            printed["container_project_id"] = project_id(&object).into();
            wire::without_nulls(&mut printed);
            printed
        });
    }
    found
}

/// Policies, by the sections that carry them out: one or more for each.
fn policies(call: &Call<'_>) -> Found {
    let mut found = Found::new();
    for object in call.world.inventory.all(section::KIND.name) {
        let Some(name) = tag(&object, POLICY) else { continue };
        let id = named_in_project(&object, name);
        found.entry(id.clone()).or_insert_with(|| {
            let mut printed = described(&object, "ContainerNetworkPolicy", &id, name);
            printed["container_project_id"] = project_id(&object).into();
            printed["policy_type"] = "NETWORK_POLICY".into();
            wire::without_nulls(&mut printed);
            printed
        });
    }
    found
}

/// An identifier of something that has a name within its project.
fn named_in_project(object: &Object, name: &str) -> String {
    let above = [CLUSTER, PROJECT].map(|scope| tag(object, scope).unwrap_or_default());
    made(&[above[0], above[1], object.kind.name, name])
}
