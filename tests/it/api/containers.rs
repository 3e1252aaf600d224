//! Containers' clusters, nodes, projects, pods, applications and policies, by the tags that are on
//! their objects.

use serde_json::{Value, json};
use tests::{Manager, Port, switch};

fn world() -> Manager {
    let manager = Manager::new();
    switch(&manager, "segment");
    for (name, project) in [("web", "shop"), ("db", "shop"), ("job", "batch")] {
        Port::new("segment", name)
            .tag("ncp/cluster", "k8s")
            .tag("ncp/project", project)
            .tag("ncp/project_uid", &format!("uid-{project}"))
            .tag("ncp/pod", name)
            .make(&manager);
    }
    Port::new("segment", "machine").make(&manager);
    manager
}

#[test]
fn a_cluster_has_projects_and_these_have_pods() {
    let manager = world();
    let clusters = manager.get("/fabric/container-clusters").results();
    assert_eq!(clusters.len(), 1);
    assert_eq!(clusters[0]["display_name"], "k8s");
    let cluster = clusters[0]["external_id"].as_str().unwrap();
    let one = format!("/fabric/container-clusters/{cluster}");
    assert_eq!(manager.get(&one).expect(200), clusters[0]);
    let projects = manager.get("/fabric/container-projects");
    assert_eq!(projects.column("external_id"), ["uid-batch", "uid-shop"]);
    let project = manager.get("/fabric/container-projects/uid-shop").expect(200);
    assert_eq!(project["container_cluster_id"], cluster);
    let pods = |query: &str| {
        let path = format!("/fabric/container-application-instances{query}");
        manager.get(&path).column("display_name")
    };
    assert_eq!(pods(""), ["db", "job", "web"]);
    assert_eq!(pods("?container_project_id=uid-shop"), ["db", "web"]);
    assert!(pods("?container_cluster_id=other").is_empty());
    manager.get("/fabric/container-projects/nobody").refused(404, 600);
}

#[test]
fn a_pod_is_up_while_its_port_is() {
    let manager = world();
    let status = || {
        let pod = manager.get("/fabric/container-application-instances/web").expect(200);
        pod["status"].clone()
    };
    assert_eq!(status(), "UP");
    let mut port: Value = manager.get("/logical-ports/web").expect(200);
    port["admin_state"] = json!("DOWN");
    manager.put("/logical-ports/web", port).expect(200);
    assert_eq!(status(), "DOWN");
}

fn tags(project: &str, more: &[(&str, &str)]) -> Value {
    let all = [("ncp/cluster", "k8s"), ("ncp/project", project)];
    let all = all.iter().chain(more).map(|(scope, tag)| json!({"scope": scope, "tag": tag}));
    all.collect()
}

#[test]
fn a_pod_is_on_the_node_whose_port_carries_its_own() {
    let manager = Manager::new();
    switch(&manager, "segment");
    let port = |id: &str, context: Value, tags: Value| {
        let attachment = json!({"attachment_type": "VIF", "id": id, "context": context});
        let body = json!({
            "id": id, "logical_switch_id": "segment", "admin_state": "UP",
            "attachment": attachment, "tags": tags,
        });
        manager.post("/logical-ports", body).expect(201);
    };
    let parent = json!({"resource_type": "VifAttachmentContext", "vif_type": "PARENT"});
    port("worker", parent, tags("", &[("ncp/node_name", "node-1")]));
    let child = json!({
        "resource_type": "VifAttachmentContext", "vif_type": "CHILD", "parent_vif_id": "worker",
        "traffic_tag": 7, "app_id": "web",
    });
    port("web", child, tags("shop", &[("ncp/pod", "web")]));
    let nodes = manager.get("/fabric/container-cluster-nodes").results();
    assert_eq!(nodes.len(), 1);
    assert_eq!(
        (&nodes[0]["display_name"], nodes[0].get("container_project_id")),
        (&json!("node-1"), None)
    );
    let node = nodes[0]["external_id"].as_str().unwrap();
    let cluster = manager.get("/fabric/container-clusters").column("external_id").swap_remove(0);
    assert_eq!(nodes[0]["container_cluster_id"], *cluster);
    let one = format!("/fabric/container-cluster-nodes/{node}");
    assert_eq!(manager.get(&one).expect(200), nodes[0]);
    let pods = "/fabric/container-application-instances";
    assert_eq!(manager.get(&format!("{pods}/web")).expect(200)["cluster_node_id"], node);
    let of_node = manager.get(&format!("{pods}?cluster_node_id={node}"));
    assert_eq!(of_node.column("display_name"), ["web"]);
    manager.get("/fabric/container-cluster-nodes/nobody").refused(404, 600);
}

#[test]
fn applications_and_policies_are_told_once_however_many_objects_carry_them_out() {
    let manager = world();
    let service = tags("shop", &[("ncp/service", "web"), ("ncp/service_uid", "uid-web")]);
    let profile = json!({"id": "fast", "resource_type": "LbFastTcpProfile"});
    manager.post("/loadbalancer/application-profiles", profile).expect(201);
    for port in ["80", "443"] {
        let body = json!({
            "ip_address": "10.9.9.9", "ports": [port], "ip_protocol": "TCP", "tags": service,
            "application_profile_id": "fast",
        });
        manager.post("/loadbalancer/virtual-servers", body).expect(201);
    }
    for part in ["allow", "isolate"] {
        let body = json!({
            "display_name": part, "section_type": "LAYER3", "stateful": true,
            "tags": tags("shop", &[("ncp/policy", "only-web")]),
        });
        manager.post("/firewall/sections", body).expect(201);
    }
    let cluster = manager.get("/fabric/container-clusters").column("external_id").swap_remove(0);
    let project = manager.get("/fabric/container-projects/uid-shop").expect(200);
    assert_eq!(project["container_cluster_id"], *cluster);
    let applications = manager.get("/fabric/container-applications").results();
    assert_eq!(applications.len(), 1);
    assert_eq!(
        (&applications[0]["external_id"], &applications[0]["display_name"]),
        (&json!("uid-web"), &json!("web"))
    );
    assert_eq!(applications[0]["container_cluster_id"], *cluster);
    let policies = format!("/fabric/container-network-policies?container_cluster_id={cluster}");
    let policies = manager.get(&policies).results();
    assert_eq!(policies.len(), 1);
    assert_eq!(
        (&policies[0]["display_name"], &policies[0]["policy_type"]),
        (&json!("only-web"), &json!("NETWORK_POLICY"))
    );
    let id = policies[0]["external_id"].as_str().unwrap();
    let one = manager.get(&format!("/fabric/container-network-policies/{id}")).expect(200);
    assert_eq!(one, policies[0]);
    manager.get("/fabric/container-ingress-policies").refused(501, 501);
}
