//! A cluster that moves, seen by its API.

use crate::api::{Network, Options, Resource, Running, start};
use futures_util::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::{Endpoints, Namespace, Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::runtime::wait::{Condition, await_condition};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Client, Config};
use serde_json::{Value, json};
use std::net::SocketAddr;

async fn cluster(network: Network) -> (Running, Client) {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let options = Options { listen, tls: false, token: None, network, ..Options::default() };
    let running = start(options).await.unwrap();
    let client = Client::try_from(Config::new(running.url.parse().unwrap())).unwrap();
    (running, client)
}

fn deployment(name: &str, replicas: u32) -> Deployment {
    serde_json::from_value(json!({
        "metadata": {"name": name},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [
                {"name": "web", "image": "nginx:1", "ports": [{"name": "http", "containerPort": 8080}]},
                {"name": "busybox", "image": "busybox", "command": ["sleep", "9600"]}]}}},
    }))
    .unwrap()
}

/// Holds when the deployment's newest template has that many available pods and no others are left.
fn has(replicas: i32) -> impl Condition<Deployment> {
    move |deployment: Option<&Deployment>| {
        let Some(deployment) = deployment else { return false };
        let status = deployment.status.clone().unwrap_or_default();
        status.observed_generation == deployment.metadata.generation
            && status.updated_replicas.unwrap_or(0) == replicas
            && status.available_replicas.unwrap_or(0) == replicas
            && status.replicas.unwrap_or(0) == replicas
    }
}

async fn namespace(client: &Client, name: &str) {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let body = serde_json::from_value(json!({"metadata": {"name": name}})).unwrap();
    namespaces.create(&PostParams::default(), &body).await.unwrap();
}

async fn names(pods: &Api<Pod>, selector: &str) -> Vec<String> {
    let list = pods.list(&ListParams::default().labels(selector)).await.unwrap();
    list.items.into_iter().filter_map(|p| p.metadata.name).collect()
}

#[tokio::test]
async fn the_guides_deployment_gets_the_names_hashes_and_nodes_of_its_screens() {
    let (_running, client) = cluster(Network::Plain).await;
    namespace(&client, "x1").await;
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), "x1");
    deployments.create(&PostParams::default(), &deployment("service-a", 2)).await.unwrap();
    await_condition(deployments.clone(), "service-a", has(2)).await.unwrap();
    let pods: Api<Pod> = Api::namespaced(client, "x1");
    let first = ["service-a-84965f57cc-nhbrx", "service-a-84965f57cc-q72fh"];
    assert_eq!(names(&pods, "app=service-a").await, first);
    let pod = pods.get(first[0]).await.unwrap();
    assert_eq!(pod.spec.unwrap().node_name.unwrap(), "a60cfb28-f6d8-4022-8dcb-c202aa9335c3");
    assert_eq!(pod.status.unwrap().pod_ip.unwrap(), "172.15.23.3");
    assert_eq!(pod.metadata.uid.unwrap(), "67dee814-8246-4858-9f06-9c607bbc30b5");

    pods.delete(first[1], &DeleteParams::default()).await.unwrap();
    let config = watcher::Config::default().labels("app=service-a");
    let mut seen = watcher(pods, config).applied_objects().boxed();
    loop {
        let pod = seen.try_next().await.unwrap().unwrap();
        let name = pod.metadata.name.clone().unwrap();
        if !first.contains(&name.as_str()) {
            assert!(name.starts_with("service-a-84965f57cc-"), "another pod takes its place");
            break;
        }
    }
}

#[tokio::test]
async fn a_pod_runs_only_once_its_network_is_there() {
    let (running, client) = cluster(Network::Ncp).await;
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), "default");
    deployments.create(&PostParams::default(), &deployment("web", 1)).await.unwrap();
    let pods: Api<Pod> = Api::namespaced(client, "default");
    let config = watcher::Config::default().labels("app=web");
    let mut seen = watcher(pods.clone(), config).applied_objects().boxed();
    let creating = |pod: &Pod| {
        let status = pod.status.clone().unwrap_or_default();
        let first = status.container_statuses.unwrap_or_default().into_iter().next()?;
        first.state?.waiting?.reason
    };
    let name = loop {
        let pod = seen.try_next().await.unwrap().unwrap();
        if creating(&pod).as_deref() == Some("ContainerCreating") {
            assert_eq!(pod.status.unwrap().pod_ip, None);
            break pod.metadata.name.unwrap();
        }
    };
    let network = json!({"ip": "172.15.2.9", "mac": "02:50:56:00:00:01", "gateway": "172.15.2.1",
                         "port_id": "p"});
    let patch = json!({"metadata": {"annotations": {"ncp/pod-network": network.to_string()}}});
    pods.patch(&name, &PatchParams::default(), &Patch::Merge(patch)).await.unwrap();
    await_condition(pods.clone(), &name, kube::runtime::conditions::is_pod_running())
        .await
        .unwrap();
    let object = running.store.get(Resource::Pods, "default", &name).unwrap();
    assert_eq!(object.field("status.podIP"), Some("172.15.2.9"));
    await_condition(deployments, "web", has(1)).await.unwrap();
}

#[tokio::test]
async fn a_new_template_rolls_out_and_can_be_taken_back() {
    let (_running, client) = cluster(Network::Plain).await;
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), "default");
    deployments.create(&PostParams::default(), &deployment("web", 4)).await.unwrap();
    await_condition(deployments.clone(), "web", has(4)).await.unwrap();
    let image = |image: &str| {
        Patch::Strategic(json!({"spec": {"template": {"spec": {"containers": [
        {"name": "web", "image": image}]}}}}))
    };
    let sets: Api<ReplicaSet> = Api::namespaced(client, "default");
    let mut revisions = Vec::new();
    for wanted in ["nginx:2", "nginx:1"] {
        deployments.patch("web", &PatchParams::default(), &image(wanted)).await.unwrap();
        await_condition(deployments.clone(), "web", has(4)).await.unwrap();
        let list = sets.list(&ListParams::default().labels("app=web")).await.unwrap();
        assert_eq!(list.items.len(), 2, "a template that was there before has its set again");
        let mut full =
            list.items.into_iter().filter(|s| s.spec.as_ref().unwrap().replicas == Some(4));
        let set = full.next().unwrap();
        let revision =
            set.metadata.annotations.unwrap()["deployment.kubernetes.io/revision"].clone();
        revisions.push(revision);
    }
    assert_eq!(revisions, ["2", "3"]);
}

#[tokio::test]
async fn a_relabelled_pod_is_let_go_and_replaced_and_endpoints_follow() {
    let (_running, client) = cluster(Network::Plain).await;
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), "default");
    let services: Api<Service> = Api::namespaced(client.clone(), "default");
    let service = serde_json::from_value(json!({"metadata": {"name": "web"}, "spec": {
        "selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}]}}))
    .unwrap();
    services.create(&PostParams::default(), &service).await.unwrap();
    deployments.create(&PostParams::default(), &deployment("web", 2)).await.unwrap();
    await_condition(deployments.clone(), "web", has(2)).await.unwrap();
    let pods: Api<Pod> = Api::namespaced(client.clone(), "default");
    let moved = names(&pods, "app=web").await.remove(0);
    let patch = Patch::Merge(json!({"metadata": {"labels": {"app": "other"}}}));
    pods.patch(&moved, &PatchParams::default(), &patch).await.unwrap();
    let free = |pod: Option<&Pod>| pod.is_some_and(|p| p.metadata.owner_references.is_none());
    await_condition(pods.clone(), &moved, free).await.unwrap();
    let slices: Api<EndpointSlice> = Api::namespaced(client.clone(), "default");
    let named = |slice: Option<&EndpointSlice>| {
        let ports = slice.and_then(|own| own.ports.as_ref()).map(Vec::as_slice);
        // A name that is empty, and not none: kubectl takes it to be there.
        ports.is_some_and(|own| own.first().is_some_and(|own| own.name.as_deref() == Some("")))
    };
    await_condition(slices, "web", named).await.unwrap();
    let endpoints: Api<Endpoints> = Api::namespaced(client, "default");
    let without = move |endpoints: Option<&Endpoints>| {
        let printed = json!(endpoints).to_string();
        let value: Value = serde_json::from_str(&printed).unwrap();
        let addresses = value["subsets"][0]["addresses"].as_array().map_or(0, Vec::len);
        addresses == 2
            && !printed.contains(&moved)
            && value["subsets"][0]["ports"][0]["port"] == 8080
    };
    await_condition(endpoints, "web", without).await.unwrap();
    assert_eq!(names(&pods, "app=other").await.len(), 1);
}

#[tokio::test]
async fn deletion_takes_what_is_owned_before_after_or_not_at_all() {
    let (_running, client) = cluster(Network::Plain).await;
    namespace(&client, "y1").await;
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), "y1");
    let pods: Api<Pod> = Api::namespaced(client.clone(), "y1");
    for (name, how) in [
        ("before", DeleteParams::foreground()),
        ("after", DeleteParams::background()),
        ("never", DeleteParams::orphan()),
    ] {
        let made = deployments.create(&PostParams::default(), &deployment(name, 2)).await.unwrap();
        await_condition(deployments.clone(), name, has(2)).await.unwrap();
        deployments.delete(name, &how).await.unwrap();
        let uid = made.metadata.uid.unwrap();
        let gone = kube::runtime::conditions::is_deleted(&uid);
        await_condition(deployments.clone(), name, gone).await.unwrap();
        if name == "before" {
            assert!(names(&pods, "app=before").await.is_empty());
        }
    }
    assert_eq!(names(&pods, "app=never").await.len(), 2);
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let uid = namespaces.get("y1").await.unwrap().metadata.uid.unwrap();
    namespaces.delete("y1", &DeleteParams::default()).await.unwrap();
    await_condition(namespaces, "y1", kube::runtime::conditions::is_deleted(&uid)).await.unwrap();
    let sets: Api<ReplicaSet> = Api::namespaced(client, "y1");
    assert!(sets.list(&ListParams::default()).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn pods_that_find_no_room_wait_until_there_is_some() {
    let (_running, client) = cluster(Network::Plain).await;
    let nodes: Api<k8s_openapi::api::core::v1::Node> = Api::all(client.clone());
    let open = |open: bool| Patch::Merge(json!({"spec": {"unschedulable": !open}}));
    for node in crate::pins::NODES {
        nodes.patch(node.name, &PatchParams::default(), &open(false)).await.unwrap();
    }
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), "default");
    deployments.create(&PostParams::default(), &deployment("web", 1)).await.unwrap();
    let pods: Api<Pod> = Api::namespaced(client, "default");
    let config = watcher::Config::default().labels("app=web");
    let mut seen = watcher(pods, config).applied_objects().boxed();
    loop {
        let pod = seen.try_next().await.unwrap().unwrap();
        let conditions = pod.status.unwrap_or_default().conditions.unwrap_or_default();
        if let Some(why) = conditions.iter().find_map(|c| c.message.clone()) {
            assert_eq!(why, "0/3 nodes are available: 3 node(s) were unschedulable.");
            break;
        }
    }
    nodes.patch(crate::pins::NODES[0].name, &PatchParams::default(), &open(true)).await.unwrap();
    await_condition(deployments, "web", has(1)).await.unwrap();
}
