//! NCP at a manager on which no platform has prepared anything, and where room ends.

use super::{Lab, OUTSIDE, until};
use k8s_openapi::api::core::v1::{Event, Pod, Service};
use k8s_openapi::api::networking::v1::Ingress;
use kube::api::{DeleteParams, ListParams};
use kube::runtime::wait::await_condition;
use lab::ncp::{self, NETWORK, PodNetwork};
use nsx_sim::http::WorldDocument;
use serde_json::{Value, json};
use std::time::Duration;

fn config() -> ncp::Config {
    ncp::Config {
        cluster: "k8scluster".into(),
        prepare: true,
        pins: false,
        container_ip_blocks: vec!["10.4.0.0/16".into()],
        external_ip_pools: vec!["10.5.0.10-10.5.0.99".into()],
        ..ncp::Config::default()
    }
}

/// A pod by itself.
fn pod(name: &str) -> Value {
    json!({
        "metadata": {"name": name, "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "image": "nginxdemos/nginx-hello:plain-text"}]},
    })
}

fn error_of(pod: Option<&Pod>) -> Option<String> {
    pod?.metadata.annotations.as_ref()?.get("ncp/error").cloned()
}

fn network_of(pod: Option<&Pod>) -> Option<PodNetwork> {
    serde_json::from_str(pod?.metadata.annotations.as_ref()?.get(NETWORK)?).ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_manager_lacks_is_named_at_once() {
    let lab = Lab::over(WorldDocument::empty()).await;
    let config = ncp::Config {
        prepare: false,
        external_ip_pools: vec!["vips".into()],
        container_ip_blocks: Vec::new(),
        ..config()
    };
    let started = ncp::start(config, lab.kube.clone(), lab.admin.clone()).await;
    let told = started.err().expect("it does not start").to_string();
    for word in ["tier-1 router", "--top-tier-router", "IP block", "IP pool vips", "--prepare"] {
        assert!(told.contains(word), "{word} is not named: {told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_manager_is_prepared_and_serves_a_cluster_from_outside() {
    let lab = Lab::over(WorldDocument::empty()).await;
    let ncp = lab.ncp_told(config()).await;
    lab.make(lab.of::<Pod>("default"), pod("web")).await;
    let pods = lab.of::<Pod>("default");
    let made = await_condition(pods, "web", |own: Option<&Pod>| network_of(own).is_some()).await;
    let network = network_of(made.expect("a watch").as_ref()).expect("a network");
    assert!(network.ip.to_string().starts_with("10.4."), "{network:?}");
    let port = lab.pod_port("web").expect("a port");
    assert_eq!(port["address_bindings"][0]["mac_address"], network.mac, "and it is none of ours");
    assert!(network.mac.starts_with("02:50:56:"), "{network:?}");
    let service = json!({
        "metadata": {"name": "web"},
        "spec": {"type": "LoadBalancer", "selector": {"app": "web"},
                 "ports": [{"port": 80, "targetPort": 8080}]},
    });
    lab.make(lab.of::<Service>("default"), service).await;
    until(|| {
        let judged = lab.judged(OUTSIDE, "10.5.0.16", 80);
        (judged.outcome == "DELIVERED").then_some(())
    })
    .await;
    let before = lab.made();
    drop(ncp);
    let _ncp = lab.ncp_told(config()).await;
    assert_eq!(lab.made(), before, "a second start prepares nothing anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_without_snat_keeps_its_addresses_and_has_a_block_of_its_own() {
    let lab = Lab::over(WorldDocument::empty()).await;
    let config = ncp::Config { no_snat_ip_blocks: vec!["10.6.0.0/16".into()], ..config() };
    let _ncp = lab.ncp_told(config).await;
    let routed = json!({"metadata": {"name": "routed", "annotations": {"ncp/no_snat": "true"}}});
    lab.make(lab.namespaces(), routed).await;
    let is_routed = |own: &Value| own["display_name"] == "k8scluster-routed-0";
    let subnet =
        until(|| lab.list("/pools/ip-subnets").into_iter().find(|own| is_routed(own))).await;
    assert_eq!(subnet["cidr"], "10.6.0.0/24");
    until(|| lab.list("/logical-router-ports").iter().any(is_routed).then_some(())).await;
    let routers = lab.list("/logical-routers");
    let router = routers.iter().find(|own| own["router_type"] == "TIER1").expect("a router");
    let path = format!("/logical-routers/{}", router["id"].as_str().expect("an id"));
    assert!(!lab.list(&format!("{path}/nat/rules")).iter().any(is_routed));
    let told = lab.admin.get(&format!("{path}/routing/advertisement")).expect("an answer");
    assert_eq!(told["advertise_nsx_connected_routes"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_no_address_is_left_for_is_told_and_gets_the_next_one() {
    let lab = Lab::over(WorldDocument::empty()).await;
    // Eight networks of five pods each; the cluster has six namespaces from the start.
    let config = ncp::Config {
        container_ip_blocks: vec!["10.4.0.0/26".into()],
        subnet_prefix: 29,
        ip_reallocation_time: Duration::ZERO,
        ..config()
    };
    let _ncp = lab.ncp_told(config).await;
    lab.make(lab.namespaces(), json!({"metadata": {"name": "full"}})).await;
    let pods = lab.of::<Pod>("full");
    for number in 0..11 {
        lab.make(pods.clone(), pod(&format!("web-{number}"))).await;
    }
    let all = || async { pods.list(&ListParams::default()).await.expect("a list").items };
    let blamed = loop {
        let found = all().await.into_iter().find(|own| error_of(Some(own)).is_some());
        if let Some(found) = found {
            break found.metadata.name.expect("a name");
        }
        tokio::task::yield_now().await;
    };
    let events = lab.of::<Event>("full").list(&ListParams::default()).await.expect("a list");
    let mut events = events.items.into_iter().filter(|own| {
        own.involved_object.name.as_ref() == Some(&blamed)
            && own.type_.as_deref() == Some("Warning")
    });
    let event = events.next().expect("an event");
    assert_eq!(event.reason.as_deref(), Some("FailedCreateNetwork"));
    let other = if blamed == "web-0" { "web-1" } else { "web-0" };
    pods.delete(other, &DeleteParams::default()).await.expect("is deleted");
    let is_served = |own: Option<&Pod>| network_of(own).is_some() && error_of(own).is_none();
    await_condition(pods.clone(), &blamed, is_served).await.expect("a watch");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_no_address_is_left_for_gets_the_one_that_an_ingress_gives_back() {
    let lab = Lab::over(WorldDocument::empty()).await;
    // The cluster's six namespaces have one each.
    let config = ncp::Config { external_ip_pools: vec!["10.5.0.10-10.5.0.16".into()], ..config() };
    let _ncp = lab.ncp_told(config).await;
    let backend = json!({"service": {"name": "web", "port": {"number": 80}}});
    let ingresses = lab.of::<Ingress>("default");
    let ingress = json!({"metadata": {"name": "shop"}, "spec": {"defaultBackend": backend}});
    lab.make(ingresses.clone(), ingress).await;
    until(|| (lab.list("/loadbalancer/virtual-servers").len() == 1).then_some(())).await;
    let services = lab.of::<Service>("default");
    let service = json!({
        "metadata": {"name": "web"},
        "spec": {"type": "LoadBalancer", "selector": {"app": "web"},
                 "ports": [{"port": 80, "targetPort": 8080}]},
    });
    lab.make(services.clone(), service).await;
    let is_told = |own: Option<&Service>| {
        let notes = own.and_then(|own| own.metadata.annotations.as_ref());
        notes.is_some_and(|own| own.values().any(|text| text == "IP_POOL_EXHAUSTED"))
    };
    await_condition(services.clone(), "web", is_told).await.expect("a watch");
    ingresses.delete("shop", &DeleteParams::default()).await.expect("is deleted");
    let address = |own: Option<&Service>| {
        let told = own?.status.as_ref()?.load_balancer.as_ref()?.ingress.as_ref()?;
        told.first()?.ip.clone()
    };
    let has_it = |own: Option<&Service>| address(own).as_deref() == Some("10.5.0.16");
    await_condition(services, "web", has_it).await.expect("a watch");
}
