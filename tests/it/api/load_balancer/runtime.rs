//! Services as they are at run time: status, statistics, usage.

use super::{FAST_TCP, pool, server};
use serde_json::{Value, json};
use tests::{Manager, Port, load_balancer, reference, switch};

const SERVICE: &str = "/loadbalancer/services/balancer";

/// A service with one virtual server, whose pool has two members; the second has no port.
fn world() -> Manager {
    let manager = Manager::new();
    switch(&manager, "segment");
    Port::new("segment", "one").address("10.0.0.1").make(&manager);
    let monitor = json!({"id": "monitor", "resource_type": "LbTcpMonitor"});
    manager.post("/loadbalancer/monitors", monitor).expect(201);
    let members = json!([
        {"ip_address": "10.0.0.1", "port": "8080"},
        {"ip_address": "10.0.0.2", "port": "8080"},
    ]);
    pool(&manager, json!({"members": members})).expect(201);
    server(&manager, json!({"pool_id": "pool", "ports": ["80"]})).expect(201);
    load_balancer(&manager, &["vip"]);
    manager
}

fn edit(manager: &Manager, path: &str, edit: impl FnOnce(&mut Value)) {
    let path = format!("/loadbalancer/{path}");
    let mut body = manager.get(&path).expect(200);
    edit(&mut body);
    manager.put(&path, body).expect(200);
}

/// The status of the service, its virtual server and its pool.
fn status(manager: &Manager) -> [String; 3] {
    let service = manager.get(&format!("{SERVICE}/status")).expect(200);
    let alone = manager.get(&format!("{SERVICE}/virtual-servers/vip/status")).expect(200);
    assert_eq!(alone, service["virtual_servers"][0]);
    let alone = manager.get(&format!("{SERVICE}/pools/pool/status")).expect(200);
    assert_eq!(alone, service["pools"][0]);
    let [server, pool] = [&service["virtual_servers"][0], &service["pools"][0]];
    [&service["service_status"], &server["status"], &pool["status"]]
        .map(|own| own.as_str().unwrap_or_default().to_owned())
}

#[test]
fn members_are_well_until_a_monitor_finds_that_they_are_not() {
    let manager = world();
    assert_eq!(status(&manager), ["UP", "UP", "UP"], "nothing checks them");
    edit(&manager, "pools/pool", |pool| pool["active_monitor_ids"] = json!(["monitor"]));
    assert_eq!(status(&manager), ["UP", "PARTIALLY_UP", "PARTIALLY_UP"]);
    let pool = manager.get(&format!("{SERVICE}/pools/pool/status")).expect(200);
    let second = &pool["members"][1];
    assert_eq!((&second["ip_address"], &second["port"]), (&json!("10.0.0.2"), &json!("8080")));
    assert_eq!(second["status"], "DOWN");
    assert!(second["failure_cause"].as_str().unwrap().contains("no port has"), "{second}");
    edit(&manager, "pools/pool", |pool| pool["members"][0]["admin_state"] = json!("DISABLED"));
    assert_eq!(status(&manager), ["UP", "DOWN", "DOWN"]);
    edit(&manager, "pools/pool", |pool| {
        pool["members"][0] = json!({
            "ip_address": "10.0.0.1", "port": "8080", "backup_member": true,
        });
    });
    assert_eq!(status(&manager), ["UP", "PRIMARY_DOWN", "PRIMARY_DOWN"]);
}

#[test]
fn what_is_switched_off_or_nowhere_says_so() {
    let manager = world();
    edit(&manager, "virtual-servers/vip", |own| own["enabled"] = json!(false));
    assert_eq!(status(&manager), ["UP", "DISABLED", "UNKNOWN"]);
    edit(&manager, "virtual-servers/vip", |own| own["enabled"] = json!(true));
    edit(&manager, "services/balancer", |own| own["enabled"] = json!(false));
    assert_eq!(status(&manager), ["DISABLED", "UNKNOWN", "UNKNOWN"]);
    edit(&manager, "services/balancer", |own| {
        own["enabled"] = json!(true);
        own["size"] = json!("SMALL");
    });
    assert_eq!(status(&manager), ["DETACHED", "UNKNOWN", "UNKNOWN"]);
    let other = json!({
        "id": "other", "ip_address": "192.0.2.2", "application_profile_id": FAST_TCP,
    });
    manager.post("/loadbalancer/virtual-servers", other).expect(201);
    let alone = manager.get(&format!("{SERVICE}/virtual-servers/other/status")).expect(200);
    assert_eq!(alone["status"], "DETACHED");
    manager.get(&format!("{SERVICE}/virtual-servers/nobody/status")).refused(404, 600);
    manager.get("/loadbalancer/services/nobody/status").refused(404, 600);
    manager.get(&format!("{SERVICE}/status?source=somewhere")).refused(400, 255);
}

#[test]
fn connections_and_packets_are_counted_all_the_way() {
    let manager = world();
    edit(&manager, "pools/pool", |pool| {
        pool["members"].as_array_mut().unwrap().pop();
        pool["snat_translation"] = json!({"type": "LbSnatAutoMap"});
    });
    let packet = |from: &str, to: &str, src: u16, dst: u16, flags: &str| {
        let packet = json!({
            "from": from, "to": to, "src_port": src, "dst_port": dst, "tcp_flags": flags,
        });
        let sent = manager.post("/sim/v1/packets", packet).expect(200);
        assert_eq!(sent["outcome"], "DELIVERED", "{sent}");
    };
    let client = "203.0.113.9";
    packet(client, "192.0.2.1", 40_000, 80, "SYN");
    packet("one", "100.64.128.1", 8080, 40_000, "SYN,ACK");
    packet(client, "192.0.2.1", 40_000, 80, "ACK");
    packet(client, "192.0.2.1", 40_001, 80, "SYN");
    let told = manager.get(&format!("{SERVICE}/statistics")).expect(200);
    let expected = |own: &Value| {
        let count = |name: &str| own[name].as_u64();
        assert_eq!(count("current_sessions"), Some(2), "{own}");
        assert_eq!(count("total_sessions"), Some(2));
        assert_eq!((count("packets_in"), count("packets_out")), (Some(3), Some(1)));
        assert_eq!(count("bytes_in"), count("bytes_out").map(|bytes| bytes * 3));
    };
    expected(&told["virtual_servers"][0]["statistics"]);
    expected(&told["pools"][0]["statistics"]);
    expected(&told["pools"][0]["members"][0]["statistics"]);
    assert_eq!(told["statistics"]["l4_current_sessions"], 2);
    packet(client, "192.0.2.1", 40_000, 80, "FIN,ACK");
    // The close timeout of the default profile.
    manager.advance(std::time::Duration::from_secs(8));
    let alone = manager.get(&format!("{SERVICE}/virtual-servers/vip/statistics")).expect(200);
    let own = &alone["statistics"];
    assert_eq!((&own["current_sessions"], &own["max_sessions"]), (&json!(1), &json!(2)));
    let listed = manager.get(&format!("{SERVICE}/virtual-servers/statistics")).expect(200);
    assert_eq!((&listed["results"][0], &listed["result_count"]), (&alone, &json!(1)));
    manager.get(&format!("{SERVICE}/pools/nobody/statistics")).refused(404, 600);
}

#[test]
fn usage_is_counted_against_the_size() {
    let manager = world();
    edit(&manager, "services/balancer", |own| own["size"] = json!("SMALL"));
    let usage = manager.get(&format!("{SERVICE}/usage")).expect(200);
    for (name, value) in [
        ("service_size", json!("SMALL")),
        ("current_virtual_server_count", json!(1)),
        ("virtual_server_capacity", json!(20)),
        ("current_pool_count", json!(1)),
        ("current_pool_member_count", json!(2)),
        ("usage_percentage", json!(5.0)),
        ("severity", json!("GREEN")),
    ] {
        assert_eq!(usage[name], value, "{name}");
    }
}

#[test]
fn edge_nodes_have_room_until_services_are_on_them() {
    let manager = world();
    let summary = manager.get("/loadbalancer/node-usage-summary?include_usages=true").expect(200);
    let nodes = summary["node_usages"].as_array().unwrap();
    assert_eq!(nodes.len(), 2, "the edges that every manager has");
    assert_eq!(
        (&summary["severity"], &summary["current_credit_number"]),
        (&json!("GREEN"), &json!(0))
    );
    let id = nodes[0]["node_id"].as_str().unwrap();
    let alone = manager.get(&format!("/loadbalancer/usage-per-node/{id}")).expect(200);
    assert_eq!(alone, nodes[0]);
    assert_eq!(alone["remaining_small_load_balancer_services"], 10);
    manager.get("/loadbalancer/usage-per-node/nobody").refused(404, 600);
    let plain = manager.get("/loadbalancer/node-usage-summary").expect(200);
    assert_eq!(plain.get("node_usages"), None);
}

#[test]
fn a_service_is_on_the_edge_nodes_of_its_router() {
    let manager = world();
    let cluster = manager.get("/edge-clusters").results().remove(0);
    let router = json!({
        "id": "router", "router_type": "TIER1", "edge_cluster_id": cluster["id"],
    });
    manager.post("/logical-routers", router).expect(201);
    edit(&manager, "services/balancer", |own| {
        own["size"] = json!("MEDIUM");
        own["attachment"] = reference("LogicalRouter", "router");
    });
    assert_eq!(status(&manager), ["UP", "UP", "UP"]);
    let told = manager.get(&format!("{SERVICE}/status")).expect(200);
    let node = |place: usize| cluster["members"][place]["transport_node_id"].clone();
    assert_eq!(told["active_transport_nodes"], json!([node(0)]));
    assert_eq!(told["standby_transport_nodes"], json!([node(1)]));
    let usage = format!("/loadbalancer/usage-per-node/{}", node(0).as_str().unwrap());
    let usage = manager.get(&usage).expect(200);
    for (name, value) in [
        ("form_factor", json!("MEDIUM_VIRTUAL_MACHINE")),
        ("current_medium_load_balancer_services", json!(1)),
        ("current_credit_number", json!(10)),
        ("remaining_credit_number", json!(0)),
        ("current_pool_members", json!(2)),
        ("severity", json!("RED")),
    ] {
        assert_eq!(usage[name], value, "{name}");
    }
    let found = manager.get("/loadbalancer/services?logical_router_id=router").column("id");
    assert_eq!(found, ["balancer"]);
    manager.get("/loadbalancer/services?logical_router_id=other").expect(200);
    manager.delete("/logical-routers/router").refused(400, 500_030);
    let mut router = manager.get("/logical-routers/router").expect(200);
    router["edge_cluster_member_indices"] = json!([1]);
    manager.put("/logical-routers/router", router).expect(200);
    assert_eq!(status(&manager)[0], "NO_STANDBY");
}

#[test]
fn debug_info_holds_all_that_a_service_leads_to() {
    let manager = world();
    edit(&manager, "pools/pool", |pool| pool["active_monitor_ids"] = json!(["monitor"]));
    let info = manager.get(&format!("{SERVICE}/debug-info")).expect(200);
    for (name, id) in [
        ("virtual_servers", "vip"),
        ("pools", "pool"),
        ("monitors", "monitor"),
        ("application_profiles", FAST_TCP),
    ] {
        assert_eq!(info[name][0]["id"], id, "{name}");
    }
    assert_eq!(info["service"]["id"], "balancer");
    assert_eq!(info["rules"], json!([]));
}
