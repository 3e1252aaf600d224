//! Ingresses as rules of the load balancer.

use super::{Lab, OUTSIDE, until};
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::networking::v1::Ingress;
use kube::api::{DeleteParams, Patch, PatchParams};
use kube::runtime::wait::await_condition;
use serde_json::{Value, json};

fn path(path: &str, service: &str) -> Value {
    json!({"path": path, "pathType": "Prefix",
           "backend": {"service": {"name": service, "port": {"number": 80}}}})
}

fn address_of(ingress: Option<&Ingress>) -> Option<String> {
    let balancer = ingress?.status.as_ref()?.load_balancer.as_ref()?;
    balancer.ingress.as_ref()?.first()?.ip.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ingress_is_rules_of_a_virtual_server_that_is_reached_from_outside() {
    let lab = Lab::start().await;
    let before = lab.made();
    let ncp = lab.ncp().await;
    lab.deploy("x1", "service-a").await;
    lab.running("x1", "service-a").await;
    let service = json!({
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "service-a"}, "ports": [{"port": 80, "targetPort": 8080}]},
    });
    lab.make(lab.of::<Service>("x1"), service).await;
    let ingress = json!({
        "metadata": {"name": "shop"},
        "spec": {"rules": [
            {"http": {"paths": [path("/", "web")]}},
            {"host": "shop.corp.local", "http": {"paths": [path("/cart", "none"), path("/", "web")]}},
        ]},
    });
    let ingresses = lab.of::<Ingress>("x1");
    lab.make(ingresses.clone(), ingress).await;
    let has_address = |own: Option<&Ingress>| address_of(own).is_some();
    let told = await_condition(ingresses.clone(), "shop", has_address).await.expect("a watch");
    let address = address_of(told.as_ref()).expect("an address");
    until(|| {
        let judged = lab.judged(OUTSIDE, &address, 80);
        let to = judged.translation.filter(|_| judged.outcome == "DELIVERED")?.to_ip?;
        to.starts_with("172.15.23.").then_some(())
    })
    .await;
    let server = lab.list("/loadbalancer/virtual-servers").remove(0);
    assert_eq!((&server["ip_address"], &server["ports"]), (&json!(address), &json!(["80"])));
    let rules = lab.list("/loadbalancer/rules");
    let conditions = |place: usize| {
        let rule = rules.iter().find(|own| own["id"] == server["rule_ids"][place]);
        let conditions = rule.expect("a rule")["match_conditions"].as_array().cloned();
        conditions
            .unwrap_or_default()
            .into_iter()
            .map(|own| own["type"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(conditions(0), ["LbHttpRequestHeaderCondition", "LbHttpRequestUriCondition"]);
    assert_eq!(conditions(1), ["LbHttpRequestHeaderCondition"]);
    assert!(conditions(2).is_empty());
    assert_eq!(lab.list("/loadbalancer/pools").len(), 2, "one for each backend");

    // Another start leaves it as it is.
    let whole = lab.made();
    ncp.stop().await;
    let _ncp = lab.ncp().await;
    assert_eq!(lab.made(), whole);

    let narrower = json!({"spec": {"rules": [{"http": {"paths": [path("/", "web")]}}]}});
    let done = ingresses.patch("shop", &PatchParams::default(), &Patch::Merge(narrower)).await;
    done.expect("is changed");
    until(|| (lab.list("/loadbalancer/rules").len() == 1).then_some(())).await;
    until(|| (lab.list("/loadbalancer/pools").len() == 1).then_some(())).await;
    ingresses.delete("shop", &DeleteParams::default()).await.expect("is deleted");
    until(|| lab.list("/loadbalancer/pools").is_empty().then_some(())).await;
    let balanced = |made: &[String]| -> Vec<String> {
        made.iter().filter(|own| own.starts_with("/loadbalancer/virtual")).cloned().collect()
    };
    assert_eq!(balanced(&lab.made()), balanced(&before));
}
