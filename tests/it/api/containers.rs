//! Containers' clusters, projects and pods, by the tags that are on their ports.

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
