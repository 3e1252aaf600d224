//! Logical routers, their ports and what these do to what they are linked to.

use serde_json::{Value, json};
use tests::{Manager, OVERLAY, VLAN, switch};

/// The edge cluster that every manager has.
pub fn edges(manager: &Manager) -> Value {
    manager.get("/edge-clusters").results()[0]["id"].clone()
}

/// Makes a tier-0 in a mode.
pub fn tier0(manager: &Manager, id: &str, mode: &str) -> Value {
    let body = json!({
        "id": id,
        "display_name": id,
        "router_type": "TIER0",
        "edge_cluster_id": edges(manager),
        "high_availability_mode": mode,
    });
    manager.post("/logical-routers", body).expect(201)
}

/// Makes a tier-1 without services.
pub fn tier1(manager: &Manager, id: &str) -> Value {
    let body = json!({"id": id, "display_name": id, "router_type": "TIER1"});
    manager.post("/logical-routers", body).expect(201)
}

/// A port on a switch with nothing attached.
pub fn free_port(manager: &Manager, switch: &str, id: &str) {
    let body = json!({"id": id, "logical_switch_id": switch, "admin_state": "UP"});
    manager.post("/logical-ports", body).expect(201);
}

/// The body of a downlink with one address, `10.0.0.1/24`, on a port.
pub fn downlink(router: &str, id: &str, network: &str, port: &str) -> Value {
    let (address, length) = network.split_once('/').unwrap();
    let length: u8 = length.parse().unwrap();
    json!({
        "id": id,
        "resource_type": "LogicalRouterDownLinkPort",
        "logical_router_id": router,
        "subnets": [{"ip_addresses": [address], "prefix_length": length}],
        "linked_logical_switch_port_id": {"target_type": "LogicalPort", "target_id": port},
    })
}

/// Makes a segment with a downlink on it.
pub fn segment(manager: &Manager, router: &str, id: &str, network: &str) {
    switch(manager, id);
    free_port(manager, id, &format!("{id}-gateway"));
    let body = downlink(router, &format!("{id}-downlink"), network, &format!("{id}-gateway"));
    manager.post("/logical-router-ports", body).expect(201);
}

/// Links a tier-1 to a tier-0 and gives the ids of the ports.
pub fn link(manager: &Manager, lower: &str, upper: &str) -> (String, String) {
    let (above, below) = (format!("{upper}-{lower}"), format!("{lower}-{upper}"));
    let body = json!({
        "id": above, "resource_type": "LogicalRouterLinkPortOnTIER0", "logical_router_id": upper,
    });
    manager.post("/logical-router-ports", body).expect(201);
    let body = json!({
        "id": below,
        "resource_type": "LogicalRouterLinkPortOnTIER1",
        "logical_router_id": lower,
        "linked_logical_router_port_id": {
            "target_type": "LogicalRouterLinkPortOnTIER0", "target_id": above,
        },
    });
    manager.post("/logical-router-ports", body).expect(201);
    (above, below)
}

#[test]
fn a_router_has_the_defaults_of_its_tier_and_mode() {
    let manager = Manager::new();
    let standby = tier0(&manager, "standby", "ACTIVE_STANDBY");
    assert_eq!(standby["failover_mode"], "NON_PREEMPTIVE");
    let config = &standby["advanced_config"];
    assert_eq!(config["internal_transit_network"], "169.254.0.0/28");
    assert_eq!(config["external_transit_networks"], json!(["100.64.0.0/16"]));
    let active = tier0(&manager, "active", "ACTIVE_ACTIVE");
    assert_eq!(active["advanced_config"]["internal_transit_network"], "169.254.0.0/24");
    assert_eq!(active.get("failover_mode"), None);
    let lower = tier1(&manager, "lower");
    assert_eq!(lower["high_availability_mode"], "ACTIVE_STANDBY");
    assert_eq!(manager.get("/logical-routers?router_type=TIER1").column("id"), ["lower"]);
    assert_eq!(
        manager.get("/logical-routers?router_type=TIER0").column("id"),
        ["6d1b9a1e-7f52-4c9e-a4a1-52d0a1c60e3f", "active", "standby"],
        "with the one that every manager has"
    );
    manager.get("/logical-routers?router_type=TIER2").refused(400, 255);
}

#[test]
fn routers_that_contradict_themselves_are_refused() {
    let manager = Manager::new();
    let cluster = edges(&manager);
    for body in [
        json!({"router_type": "TIER0"}),
        json!({"router_type": "TIER1", "high_availability_mode": "ACTIVE_ACTIVE"}),
        json!({"router_type": "TIER0", "edge_cluster_id": cluster, "failover_mode": "PREEMPTIVE"}),
        json!({"router_type": "TIER1", "edge_cluster_id": cluster, "edge_cluster_member_indices": [7]}),
        json!({
            "router_type": "TIER1",
            "advanced_config": {"internal_transit_network": "nowhere"},
        }),
    ] {
        manager.post("/logical-routers", body).refused(400, 255);
    }
    let body = json!({"router_type": "TIER1", "edge_cluster_id": "nobody"});
    manager.post("/logical-routers", body).refused(404, 600);
    let mut made = tier1(&manager, "lower");
    made["router_type"] = "TIER0".into();
    manager.put("/logical-routers/lower", made).refused(400, 255);
}

#[test]
fn a_downlink_holds_the_switch_port_until_it_goes() {
    let manager = Manager::new();
    tier1(&manager, "lower");
    segment(&manager, "lower", "web", "10.1.0.1/24");
    let port = manager.get("/logical-ports/web-gateway").expect(200);
    let attachment = json!({"attachment_type": "LOGICALROUTER", "id": "web-downlink"});
    assert_eq!(port["attachment"], attachment);
    assert_eq!(manager.get("/logical-ports?attachment_type=LOGICALROUTER").results().len(), 1);
    let own = manager.get("/logical-router-ports/web-downlink").expect(200);
    assert_eq!(own["mac_address"], "02:50:56:56:44:52");
    assert_eq!(own["urpf_mode"], "STRICT");
    assert_eq!(own["linked_logical_switch_port_id"]["is_valid"], true);
    assert_eq!(manager.get("/logical-router-ports?logical_switch_id=web").results().len(), 1);
    assert_eq!(manager.get("/logical-router-ports?logical_router_id=lower").results().len(), 1);

    let mut dropped = port.clone();
    dropped["attachment"] = Value::Null;
    manager.put("/logical-ports/web-gateway", dropped).refused(400, 8409);
    manager.delete("/logical-ports/web-gateway").refused(400, 8402);
    let again = downlink("lower", "again", "10.2.0.1/24", "web-gateway");
    manager.post("/logical-router-ports", again).refused(400, 255);
    manager.delete("/logical-routers/lower").expect(400);

    manager.delete("/logical-router-ports/web-downlink").expect(200);
    let port = manager.get("/logical-ports/web-gateway").expect(200);
    assert_eq!(port.get("attachment"), None);
    manager.delete("/logical-ports/web-gateway").expect(200);
    manager.delete("/logical-routers/lower").expect(200);
}

#[test]
fn a_downlink_can_move_to_another_switch_port() {
    let manager = Manager::new();
    tier1(&manager, "lower");
    segment(&manager, "lower", "web", "10.1.0.1/24");
    switch(&manager, "app");
    free_port(&manager, "app", "app-gateway");
    let mut own = manager.get("/logical-router-ports/web-downlink").expect(200);
    own["linked_logical_switch_port_id"] = json!({"target_id": "app-gateway"});
    let own = manager.put("/logical-router-ports/web-downlink", own).expect(200);
    assert_eq!(own["linked_logical_switch_port_id"]["target_type"], "LogicalPort");
    let attached =
        |id: &str| manager.get(&format!("/logical-ports/{id}")).body["attachment"].clone();
    assert_eq!(attached("web-gateway"), Value::Null);
    assert_eq!(attached("app-gateway")["id"], "web-downlink");
    assert_eq!(manager.get("/logical-router-ports?logical_switch_id=app").results().len(), 1);
    assert_eq!(manager.get("/logical-router-ports?logical_switch_id=web").results().len(), 0);
    let query = "?force=true&cascade_delete_linked_ports=true";
    manager.delete(&format!("/logical-routers/lower{query}")).expect(200);
    manager.get("/logical-router-ports/web-downlink").refused(404, 600);
    manager.get("/logical-ports/app-gateway").refused(404, 600);
}

#[test]
fn subnets_of_one_router_do_not_overlap() {
    let manager = Manager::new();
    tier1(&manager, "lower");
    segment(&manager, "lower", "web", "10.1.0.1/24");
    switch(&manager, "app");
    free_port(&manager, "app", "app-gateway");
    let mut body = downlink("lower", "app-downlink", "10.1.0.129/25", "app-gateway");
    manager.post("/logical-router-ports", body.clone()).refused(400, 255);
    body["subnets"] = json!([{"ip_addresses": ["10.2.0.1", "10.3.0.1"], "prefix_length": 24}]);
    manager.post("/logical-router-ports", body.clone()).refused(400, 255);
    body["subnets"] = json!([{"ip_addresses": ["10.2.0.1"], "prefix_length": 33}]);
    manager.post("/logical-router-ports", body.clone()).refused(400, 255);
    body["subnets"] = json!([]);
    manager.post("/logical-router-ports", body.clone()).refused(400, 255);
    body["subnets"] = json!([{"ip_addresses": ["10.2.0.1", "10.2.0.2"], "prefix_length": 24}]);
    manager.post("/logical-router-ports", body).expect(201);
}

#[test]
fn a_linked_tier_1_and_its_tier_0_tell_of_each_other() {
    let manager = Manager::new();
    tier0(&manager, "upper", "ACTIVE_ACTIVE");
    tier1(&manager, "one");
    tier1(&manager, "two");
    let (above, below) = link(&manager, "one", "upper");
    let get = |id: &str| manager.get(&format!("/logical-router-ports/{id}")).expect(200);
    assert_eq!(get(&above)["linked_logical_router_port_id"], below.as_str());
    let subnet = |address: &str| json!([{"ip_addresses": [address], "prefix_length": 31}]);
    assert_eq!(get(&above)["subnets"], subnet("100.64.0.0"));
    assert_eq!(get(&below)["subnets"], subnet("100.64.0.1"));
    assert_eq!(get(&below)["linked_logical_router_port_id"]["is_valid"], true);
    let (second, _) = link(&manager, "two", "upper");
    assert_eq!(get(&second)["subnets"], subnet("100.64.0.2"), "the next free link");

    // One router to each port, and of the other tier.
    let taken = json!({
        "resource_type": "LogicalRouterLinkPortOnTIER1",
        "logical_router_id": "two",
        "linked_logical_router_port_id": {"target_id": above},
    });
    manager.post("/logical-router-ports", taken).refused(400, 255);
    let wrong = json!({
        "resource_type": "LogicalRouterLinkPortOnTIER0", "logical_router_id": "one",
    });
    manager.post("/logical-router-ports", wrong).refused(400, 255);

    manager.delete(&format!("/logical-router-ports/{above}")).expect(400);
    manager.delete(&format!("/logical-router-ports/{above}?force=true")).expect(200);
    let alone = get(&below);
    assert_eq!(alone.get("linked_logical_router_port_id"), None);
    assert_eq!(alone.get("subnets"), None);
}

#[test]
fn a_link_keeps_its_address_over_changes() {
    let manager = Manager::new();
    tier0(&manager, "upper", "ACTIVE_ACTIVE");
    tier1(&manager, "one");
    let (above, below) = link(&manager, "one", "upper");
    for id in [above, below] {
        let path = format!("/logical-router-ports/{id}");
        let before = manager.get(&path).expect(200);
        let mut after = manager.put(&path, before.clone()).expect(200);
        after["_revision"] = before["_revision"].clone();
        assert_eq!(after, before);
    }
}

#[test]
fn service_ports_and_uplinks_are_on_vlan_switches_too() {
    let manager = Manager::new();
    tier0(&manager, "upper", "ACTIVE_STANDBY");
    tier0(&manager, "active", "ACTIVE_ACTIVE");
    let body = json!({"id": "outer", "transport_zone_id": VLAN, "vlan": 7, "admin_state": "UP"});
    manager.post("/logical-switches", body).expect(201);
    free_port(&manager, "outer", "one");
    free_port(&manager, "outer", "two");
    let subnets = json!([{"ip_addresses": ["192.0.2.1"], "prefix_length": 24}]);
    let uplink = json!({
        "resource_type": "LogicalRouterUpLinkPort",
        "logical_router_id": "upper",
        "edge_cluster_member_index": [0],
        "linked_logical_switch_port_id": {"target_type": "LogicalPort", "target_id": "one"},
        "subnets": subnets,
    });
    let made = manager.post("/logical-router-ports", uplink.clone()).expect(201);
    assert!(made["mac_address"].as_str().unwrap().starts_with("02:50:56:"));
    let mut elsewhere = uplink;
    elsewhere["edge_cluster_member_index"] = json!([9]);
    manager.post("/logical-router-ports", elsewhere).refused(400, 255);
    let service = json!({
        "resource_type": "LogicalRouterCentralizedServicePort",
        "logical_router_id": "active",
        "linked_logical_switch_port_id": {"target_type": "LogicalPort", "target_id": "two"},
        "subnets": [{"ip_addresses": ["198.51.100.1"], "prefix_length": 24}],
    });
    let text = manager.post("/logical-router-ports", service.clone()).refused(400, 255);
    assert!(text.contains("ACTIVE_STANDBY"), "{text}");
    let mut service = service;
    service["logical_router_id"] = "upper".into();
    manager.post("/logical-router-ports", service).expect(201);
    let words = "?resource_type=LogicalRouterCentralizedServicePort";
    assert_eq!(manager.get(&format!("/logical-router-ports{words}")).results().len(), 1);

    // Where the uplink is, there the services are.
    let status = manager.get("/logical-routers/upper/status").expect(200);
    let nodes = status["per_node_status"].as_array().unwrap();
    assert_eq!(nodes.len(), 1);
    assert_eq!(nodes[0]["high_availability_status"], "ACTIVE");
    let state = manager.get("/logical-routers/upper/service-cluster/state").expect(200);
    assert_eq!(state["state"], "success");
    manager.get("/logical-routers/active/service-cluster/state").refused(404, 600);
}

#[test]
fn downlinks_stay_in_the_zone_of_their_router() {
    let manager = Manager::new();
    let body = json!({
        "id": "lower", "router_type": "TIER1", "advanced_config": {"transport_zone_id": OVERLAY},
    });
    manager.post("/logical-routers", body).expect(201);
    let zone = manager.post("/transport-zones", json!({"transport_type": "OVERLAY"})).expect(201);
    let body = json!({"id": "far", "transport_zone_id": zone["id"], "admin_state": "UP"});
    manager.post("/logical-switches", body).expect(201);
    free_port(&manager, "far", "far-gateway");
    let body = downlink("lower", "far-downlink", "10.1.0.1/24", "far-gateway");
    manager.post("/logical-router-ports", body).refused(400, 255);
    segment(&manager, "lower", "near", "10.1.0.1/24");
}

#[test]
fn a_tier_1_is_placed_by_hand_or_by_itself() {
    let manager = Manager::new();
    let body = json!({"id": "lower", "router_type": "TIER1", "edge_cluster_id": edges(&manager)});
    manager.post("/logical-routers", body).expect(201);
    let words = |status: Value| -> Vec<Value> {
        let nodes = status["per_node_status"].as_array().unwrap();
        nodes.iter().map(|own| own["high_availability_status"].clone()).collect()
    };
    let status = manager.get("/logical-routers/lower/status").expect(200);
    assert_eq!(words(status), ["ACTIVE", "STANDBY"]);
    let body = json!({"edge_cluster_id": edges(&manager), "edge_cluster_member_indices": [1]});
    let path = "/logical-routers/lower?action=reallocate";
    let moved = manager.post(path, body.clone()).expect(200);
    assert_eq!(moved["edge_cluster_member_indices"], json!([1]));
    let status = manager.get("/logical-routers/lower/status").expect(200);
    assert_eq!(words(status), ["ACTIVE"]);
    manager.post("/logical-routers/lower?action=reprocess", json!({})).expect(200);
    tier1(&manager, "plain");
    manager.post("/logical-routers/plain?action=reallocate", body).refused(400, 255);
}

#[test]
fn settings_of_the_manager_are_one_object_per_class() {
    let manager = Manager::new();
    let path = "/global-configs/RoutingGlobalConfig";
    let mut own = manager.get(path).expect(200);
    assert_eq!(own["l3_forwarding_mode"], "IPV4_ONLY");
    assert_eq!(own["logical_uplink_mtu"], 1500);
    own["logical_uplink_mtu"] = 9000.into();
    let own = manager.put(path, own).expect(200);
    assert_eq!((&own["logical_uplink_mtu"], &own["_revision"]), (&json!(9000), &json!(1)));
    let again = manager.put(&format!("{path}?action=resync_config"), own.clone()).expect(200);
    assert_eq!(again["_revision"], 2);
    manager.put("/global-configs/SwitchingGlobalConfig", own).refused(400, 255);
    assert_eq!(manager.get("/global-configs").results().len(), 7);
    manager.get("/global-configs/NoSuchConfig").refused(404, 600);
}
