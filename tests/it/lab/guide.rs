//! What the guide's commands make at the manager.

use super::{Lab, OUTSIDE, until};
use k8s_openapi::api::core::v1::{Pod, Service};
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::runtime::wait::await_condition;
use lab::pins;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn what_ncp_finds_whole_it_leaves_as_it_is() {
    let lab = Lab::start().await;
    let before = lab.made();
    let _ncp = lab.ncp().await;
    assert_eq!(lab.made(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_s_pods_get_the_guide_s_addresses_and_tags() {
    let lab = Lab::start().await;
    let _ncp = lab.ncp().await;
    lab.deploy_guide().await;
    for own in pins::DEPLOYMENTS {
        let expected = pins::PODS.iter().filter(|pod| {
            pod.namespace == own.namespace && pod.labels.contains(&("app", own.name))
        });
        let expected = expected.map(|pod| (pod.name.to_owned(), pod.address.to_string())).collect();
        assert_eq!(lab.running(own.namespace, own.name).await, expected);
    }
    let port = lab.pod_port("service-a-84965f57cc-nhbrx").expect("a port");
    let name = format!("{}-x1-service-a-84965f57cc-nhbrx", pins::CLUSTER);
    assert_eq!(port["display_name"], name);
    assert_eq!(port["_create_user"], pins::CLUSTER);
    assert_eq!(port["_protection"], "REQUIRE_OVERRIDE");
    let tags = [
        ("ncp/version", "1.2.0"),
        ("ncp/cluster", pins::CLUSTER),
        ("ncp/project", "x1"),
        ("ncp/project_uid", "f2cb34bf-c7e1-4e3c-9c2e-8b9505bb16f3"),
        ("ncp/pod", "service-a-84965f57cc-nhbrx"),
        ("ncp/pod_uid", "67dee814-8246-4858-9f06-9c607bbc30b5"),
        ("app", "service-a"),
        ("pod-template-hash", "84965f57cc"),
    ];
    let tags: Vec<_> =
        tags.iter().map(|(scope, tag)| json!({"scope": scope, "tag": tag})).collect();
    assert_eq!(port["tags"], json!(tags));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_reached_from_outside_as_long_as_it_has_pods() {
    let lab = Lab::start().await;
    let _ncp = lab.ncp().await;
    lab.deploy("x1", "service-a").await;
    lab.running("x1", "service-a").await;
    let service = json!({
        "metadata": {"name": "service-a-lb"},
        "spec": {
            "type": "LoadBalancer",
            "selector": {"app": "service-a"},
            "ports": [{"port": 80, "targetPort": 8080}],
        },
    });
    lab.make(lab.of::<Service>("x1"), service).await;
    let has_address = |own: Option<&Service>| {
        let status = own.and_then(|own| own.status.as_ref()?.load_balancer.as_ref());
        let first = status.and_then(|own| own.ingress.as_ref()?.first()?.ip.as_deref());
        first == Some("10.40.14.50")
    };
    let services = lab.of::<Service>("x1");
    await_condition(services, "service-a-lb", has_address).await.expect("a watch");
    let reached = || {
        let judged = lab.judged(OUTSIDE, "10.40.14.50", 80);
        judged.translation.filter(|_| judged.outcome == "DELIVERED").and_then(|own| own.to_ip)
    };
    for member in ["172.15.23.2", "172.15.23.3"] {
        until(|| reached().filter(|own| own == member)).await;
    }
    let services = lab.of::<Service>("x1");
    services.delete("service-a-lb", &DeleteParams::default()).await.expect("is deleted");
    until(|| lab.list("/loadbalancer/virtual-servers").is_empty().then_some(())).await;
    until(|| lab.list("/loadbalancer/pools").is_empty().then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_label_becomes_a_tag_and_moves_the_pod_from_group_to_group() {
    let lab = Lab::start().await;
    let _ncp = lab.ncp().await;
    lab.deploy("x1", "service-a").await;
    lab.running("x1", "service-a").await;
    let group = json!({"display_name": "other", "membership_criteria": [{
        "resource_type": "NSGroupTagExpression", "target_type": "LogicalPort",
        "scope": "app", "scope_op": "EQUALS", "tag": "other", "tag_op": "EQUALS",
    }]});
    let group = tokio::task::block_in_place(|| lab.admin.post("/ns-groups", &group));
    let group = group.expect("a group")["id"].as_str().expect("an id").to_owned();
    let label = Patch::Merge(json!({"metadata": {"labels": {"app": "other"}}}));
    let pods = lab.of::<Pod>("x1");
    let done = pods.patch("service-a-84965f57cc-nhbrx", &PatchParams::default(), &label).await;
    done.expect("is labelled");
    let path = format!("/ns-groups/{group}/effective-ip-address-members");
    until(|| {
        let members = lab.admin.get(&path).expect("members");
        (members["results"] == json!(["172.15.23.3"])).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_lets_its_node_in() {
    let lab = Lab::start().await;
    let _ncp = lab.ncp().await;
    let pod = json!({
        "metadata": {"name": "probed"},
        "spec": {"containers": [{
            "name": "web",
            "image": "nginx",
            "readinessProbe": {"httpGet": {"path": "/", "port": 8080}},
        }]},
    });
    lab.make(lab.of::<Pod>("default"), pod).await;
    let section = "/firewall/sections/907bfa6b-41cd-4ded-8307-92bfa1b0f7eb/rules";
    let port = until(|| lab.pod_port("probed")).await;
    let rule = until(|| {
        let rules = lab.list(section);
        rules.into_iter().find(|own| own["applied_tos"][0]["target_id"] == port["id"])
    })
    .await;
    assert_eq!(rule["action"], "ALLOW");
    assert_eq!(rule["services"][0]["service"]["destination_ports"], json!(["8080"]));
    assert_eq!(lab.list(section).len(), 7, "the others stay");
    lab.of::<Pod>("default").delete("probed", &DeleteParams::default()).await.expect("is deleted");
    until(|| (lab.list(section).len() == 6).then_some(())).await;
}
