//! Kubelets' probes as flows from the nodes, judged at the pods' ports.

use super::{Lab, until};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Endpoints, Event, Service};
use kube::api::ListParams;
use serde_json::{Value, json};

impl Lab {
    /// Two pods behind a load balancer, which are asked every second whether they are ready.
    async fn deploy_probed(&self) {
        let web = json!({
            "name": "web",
            "image": "nginxdemos/nginx-hello:plain-text",
            "ports": [{"name": "http", "containerPort": 8080}],
            "readinessProbe": {
                "httpGet": {"port": "http"}, "periodSeconds": 1, "failureThreshold": 1,
            },
        });
        let labels = json!({"app": "web"});
        let deployment = json!({
            "metadata": {"name": "web"},
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [web]}},
            },
        });
        let service = json!({
            "metadata": {"name": "web"},
            "spec": {
                "type": "LoadBalancer",
                "selector": labels,
                "ports": [{"port": 80, "targetPort": 8080}],
            },
        });
        self.make(self.of::<Service>("default"), service).await;
        self.make(self.of::<Deployment>("default"), deployment).await;
        self.running("default", "web").await;
    }

    fn rules_for_probes(&self) -> (String, Vec<Value>) {
        let sections = self.list("/firewall/sections?type=LAYER3");
        let hc = sections
            .iter()
            .find(|own| own["display_name"].as_str().is_some_and(|name| name.starts_with("hc-")));
        let section = hc.expect("the section")["id"].as_str().expect("an id").to_owned();
        let mut rules = self.list(&format!("/firewall/sections/{section}/rules"));
        rules.retain(|rule| {
            let name = rule["applied_tos"][0]["target_display_name"].as_str();
            name.is_some_and(|name| name.contains("-default-web-"))
        });
        (section, rules)
    }

    /// How often the rules for the pods' probes have let a probe pass.
    fn passed(&self) -> u64 {
        let (section, rules) = self.rules_for_probes();
        let hits = rules.iter().map(|rule| {
            let id = rule["id"].as_str().expect("an id");
            let path = format!("/firewall/sections/{section}/rules/{id}/stats");
            let stats = self.admin.get(&path).expect("statistics");
            stats["hit_count"].as_u64().unwrap_or_default()
        });
        hits.sum()
    }

    /// A section that rejects all that comes to the pods, beside the one for probes.
    fn deny(&self, place: &str) -> String {
        let (hc, rules) = self.rules_for_probes();
        let ports: Vec<_> = rules.iter().map(|rule| rule["applied_tos"][0].clone()).collect();
        let body = json!({
            "display_name": "DenyAll",
            "section_type": "LAYER3",
            "stateful": true,
            "rules": [{"action": "REJECT", "direction": "IN", "applied_tos": ports}],
        });
        let path = format!("/firewall/sections?action=create_with_rules&operation={place}&id={hc}");
        let made = self.admin.overwriting().post(&path, &body).expect("a section");
        made["id"].as_str().expect("an id").to_owned()
    }

    fn members(&self) -> usize {
        let pools = self.list("/loadbalancer/pools");
        let web = pools
            .iter()
            .find(|own| own["display_name"].as_str().is_some_and(|name| name.contains("web")));
        web.and_then(|own| own["members"].as_array()).map_or(0, Vec::len)
    }

    async fn has_ready(&self, wanted: usize) {
        loop {
            let endpoints = self.of::<Endpoints>("default").get("web").await.expect("endpoints");
            let subsets = endpoints.subsets.unwrap_or_default();
            let ready = subsets.iter().flat_map(|own| own.addresses.iter().flatten()).count();
            if ready == wanted {
                return;
            }
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_section_that_denies_all_takes_pods_out_of_traffic_unless_it_stands_below_the_probes() {
    let lab = Lab::start().await;
    let ncp = lab.ncp().await;
    lab.deploy_probed().await;
    until(|| (lab.rules_for_probes().1.len() == 2 && lab.members() == 2).then_some(())).await;

    lab.deny("insert_after");
    let passed = lab.passed();
    until(|| (lab.passed() >= passed + 4).then_some(())).await;
    lab.has_ready(2).await;
    let params = ListParams::default().fields("reason=Unhealthy");
    let told = lab.of::<Event>("default").list(&params).await.expect("events").items;
    assert!(told.is_empty(), "{told:?}");

    let above = lab.deny("insert_before");
    lab.has_ready(0).await;
    until(|| (lab.members() == 0).then_some(())).await;
    let told = lab.of::<Event>("default").list(&params).await.expect("events").items;
    let message = told[0].message.clone().unwrap_or_default();
    assert!(message.starts_with("Readiness probe failed: Get \"http://172.15.2."), "{message}");
    assert!(message.ends_with(":8080: connect: connection refused"), "{message}");
    let path = format!("/firewall/sections/{above}?cascade=true");
    lab.admin.delete(&path).expect("is deleted");
    lab.has_ready(2).await;
    until(|| (lab.members() == 2).then_some(())).await;

    // Without NCP nobody puts back what lets the nodes in.
    ncp.kill();
    let (hc, rules) = lab.rules_for_probes();
    for rule in rules {
        let id = rule["id"].as_str().expect("an id");
        let path = format!("/firewall/sections/{hc}/rules/{id}");
        lab.admin.overwriting().delete(&path).expect("is deleted");
    }
    lab.has_ready(0).await;
}
