//! What lies between two ports.

use serde_json::{Value, json};
use tests::{Manager, Port, switch};

fn path(manager: &Manager, from: &str, to: &str) -> Value {
    manager.get(&format!("/logical-ports/{from}/forwarding-path?peer_port_id={to}")).expect(200)
}

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().filter_map(|own| own["id"].as_str()).collect()
}

#[test]
fn ports_of_one_switch_are_joined_by_the_tunnel_between_their_hosts() {
    let manager = Manager::new();
    switch(&manager, "segment");
    for (name, address) in [("a", "10.0.0.1"), ("b", "10.0.0.2")] {
        Port::new("segment", name).address(address).make(&manager);
    }
    let told = path(&manager, "a", "b");
    assert_eq!(ids(&told["logical_switches"]), ["segment"]);
    assert_eq!(ids(&told["logical_switches"][0]["vm_ports"]), ["a", "b"]);
    let hosts = ids(&told["hypervisors"]);
    assert_eq!(hosts.len(), 2);
    let tunnels = told["tunnels"].as_array().unwrap();
    let sources: Vec<_> = tunnels.iter().filter_map(|own| own["src_node_id"].as_str()).collect();
    assert_eq!(sources, hosts, "each host sees the one between them");
    assert_eq!((&told["routers"], &told["errors"]), (&json!([]), &json!([])));
}

#[test]
fn a_path_tells_the_routers_on_it_and_what_is_in_its_way() {
    let manager = Manager::new();
    let router = json!({"id": "t1", "router_type": "TIER1"});
    manager.post("/logical-routers", router).expect(201);
    for (name, number) in [("web", 1), ("app", 2)] {
        switch(&manager, name);
        let link = json!({
            "id": format!("{name}-link"), "logical_switch_id": name, "admin_state": "UP",
        });
        manager.post("/logical-ports", link).expect(201);
        let port = json!({
            "resource_type": "LogicalRouterDownLinkPort",
            "logical_router_id": "t1",
            "linked_logical_switch_port_id":
                {"target_type": "LogicalPort", "target_id": format!("{name}-link")},
            "subnets": [{"ip_addresses": [format!("10.0.{number}.1")], "prefix_length": 24}],
        });
        manager.post("/logical-router-ports", port).expect(201);
        let guest = format!("{name}-1");
        Port::new(name, &guest).address(&format!("10.0.{number}.7")).make(&manager);
    }
    let told = path(&manager, "web-1", "app-1");
    assert_eq!(ids(&told["routers"]), ["t1"]);
    assert_eq!(told["routers"][0]["downlink_ports"].as_array().unwrap().len(), 2);
    assert_eq!(ids(&told["logical_switches"]), ["app", "web"]);
    assert_eq!(ids(&told["logical_switches"][0]["router_ports"]), ["app-link"]);
    let mut port = manager.get("/logical-ports/app-1").expect(200);
    port["admin_state"] = json!("DOWN");
    manager.put("/logical-ports/app-1", port).expect(200);
    assert_eq!(path(&manager, "web-1", "app-1")["errors"][0]["entity_type"], "LogicalPort");
    let link = "/logical-ports/web-1/forwarding-path?peer_port_id=app-link";
    manager.get(link).refused(400, 255);
    manager.get("/logical-ports/web-1/forwarding-path").refused(400, 255);
}
