//! NetworkPolicies as sections.

use super::{Lab, until};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use kube::api::DeleteParams;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_lets_in_whom_it_names_and_nobody_else() {
    let lab = Lab::start().await;
    let _ncp = lab.ncp().await;
    lab.deploy_guide().await;
    for (namespace, service) in
        [("x1", "service-a"), ("y1", "service-b"), ("z1", "service-c"), ("z1", "service-d")]
    {
        lab.running(namespace, service).await;
    }
    let sections = lab.list("/firewall/sections").len();
    let judged = |from: &str, to: &str, dst_port: u16| lab.judged(from, to, dst_port).outcome;
    let (a, b, d) = ("172.15.23.3", "172.15.13.3", "172.15.9.4");
    assert_eq!(judged(b, d, 8080), "DELIVERED");
    let policy = json!({
        "metadata": {"name": "only-a"},
        "spec": {
            "podSelector": {"matchLabels": {"app": "service-d"}},
            "ingress": [{
                "from": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"app": "service-a"}}}],
                "ports": [{"port": 8080}],
            }],
        },
    });
    lab.make(lab.of::<NetworkPolicy>("z1"), policy).await;
    until(|| (judged(b, d, 8080) == "DROPPED").then_some(())).await;
    assert_eq!(judged(a, d, 8080), "DELIVERED");
    assert_eq!(judged(a, d, 9090), "DROPPED", "another port");
    assert_eq!(judged(d, b, 8080), "DELIVERED", "what it sends is not closed");
    let policies = lab.of::<NetworkPolicy>("z1");
    policies.delete("only-a", &DeleteParams::default()).await.expect("is deleted");
    until(|| (judged(b, d, 8080) == "DELIVERED").then_some(())).await;
    until(|| (lab.list("/firewall/sections").len() == sections).then_some(())).await;
}
