//! Clusters of edges and of hosts at run time.

use super::states::{EDGE, HOST, OTHER_EDGE, act};
use serde_json::{Value, json};
use tests::{Manager, OVERLAY};

const EDGES: &str = "/edge-clusters/f6d6b3e8-5f6a-4c65-9d9b-2f3b9c1d7e10";
const HOSTS: &str = "0b0a5e3c-6f0e-4a2b-9a55-8f7e5d2c1b01:domain-c7";

#[test]
fn an_edge_cluster_is_as_well_as_its_members() {
    let manager = Manager::new();
    assert_eq!(manager.get(&format!("{EDGES}/state")).expect(200)["state"], "success");
    let status = || manager.get(&format!("{EDGES}/status")).expect(200);
    assert_eq!(status()["edge_cluster_status"], "UP");
    assert_eq!(status()["member_status"][0]["transport_node"]["target_id"], EDGE);
    act(&manager, EDGE, "enter_maintenance_mode");
    assert_eq!(status()["edge_cluster_status"], "DEGRADED");
    assert_eq!(status()["member_status"][0]["status"], "ADMIN_DOWN");
    act(&manager, OTHER_EDGE, "enter_maintenance_mode");
    assert_eq!(status()["edge_cluster_status"], "DOWN");
}

#[test]
fn the_services_of_an_edge_out_of_service_go_on_on_the_other_one() {
    let manager = Manager::new();
    let router = json!({
        "id": "t1", "display_name": "t1", "router_type": "TIER1",
        "edge_cluster_id": EDGES.rsplit('/').next(),
    });
    manager.post("/logical-routers", router).expect(201);
    let link = json!({"resource_type": "LogicalRouterLinkPortOnTIER1", "logical_router_id": "t1"});
    manager.post("/logical-router-ports", link).expect(201);
    let balancer = json!({
        "id": "lb", "size": "SMALL",
        "attachment": {"target_type": "LogicalRouter", "target_id": "t1"},
    });
    manager.post("/loadbalancer/services", balancer).expect(201);
    let on = |member: usize| {
        let told = manager.get(&format!("{EDGES}/allocation-status")).expect(200);
        assert_eq!(told["member_count"], 2);
        told["members"][member].clone()
    };
    let standings = |member: &Value| {
        let services = member["allocated_services"].as_array().unwrap().clone();
        let print = |own: &Value| {
            let name = own["service_reference"]["target_id"].as_str().unwrap_or_default();
            format!("{name} {}", own["high_availability_status"].as_str().unwrap_or_default())
        };
        services.iter().map(print).collect::<Vec<_>>()
    };
    assert_eq!(standings(&on(0)), ["t1 ACTIVE", "lb ACTIVE"]);
    assert_eq!(standings(&on(1)), ["t1 STANDBY", "lb STANDBY"]);
    let pool = on(0)["allocation_pools"][0].clone();
    assert_eq!(
        (&pool["active_service_count"], &pool["standby_service_count"]),
        (&json!(2), &json!(0))
    );
    assert_eq!(pool["sub_pools"][0]["remaining_credit_number"], 9, "of a medium edge's ten");
    act(&manager, EDGE, "enter_maintenance_mode");
    assert_eq!(standings(&on(0)), ["t1 DOWN", "lb DOWN"]);
    assert_eq!(standings(&on(1)), ["t1 ACTIVE", "lb ACTIVE"]);
    let status = manager.get("/logical-routers/t1/status").expect(200);
    assert_eq!(status["per_node_status"][0]["transport_node_id"], OTHER_EDGE);
    assert_eq!(status["per_node_status"][1]["high_availability_status"], "DOWN");
}

#[test]
fn a_cluster_of_hosts_tells_its_cards_and_gets_its_profile_back() {
    let manager = Manager::new();
    let path = format!("/fabric/compute-collections/{HOSTS}");
    let cards = manager.get(&format!("{path}/network/physical-interfaces")).results();
    assert_eq!(cards.len(), 3);
    assert_eq!(cards[0]["network_interfaces"][0]["interface_id"], "vmnic1");
    let template = json!({"id": "t", "compute_collection_ids": [HOSTS]});
    manager.post("/compute-collection-transport-node-templates", template).expect(201);
    let states = manager.get("/compute-collection-transport-node-templates/t/state").results();
    assert_eq!(states[0]["template_states"][0]["state"], "SUCCESS");

    let restore = format!("/transport-nodes/{HOST}?action=restore_cluster_config");
    manager.post(&restore, json!({})).refused(400, 255);
    let profile = json!({
        "id": "p",
        "host_switch_spec": {
            "resource_type": "StandardHostSwitchSpec",
            "host_switches": [{
                "host_switch_name": "nsxHostSwitch",
                "pnics": [{"device_name": "vmnic7", "uplink_name": "uplink-1"}],
                "ip_assignment_spec": {"resource_type": "AssignedByDhcp"},
            }],
        },
        "transport_zone_endpoints": [{"transport_zone_id": OVERLAY}],
    });
    manager.post("/transport-node-profiles", profile).expect(201);
    let applied = json!({"compute_collection_id": HOSTS, "transport_node_profile_id": "p"});
    manager.post("/transport-node-collections", applied).expect(201);
    let one = format!("/transport-nodes/{HOST}");
    let mut own = manager.get(&one).expect(200);
    own["host_switch_spec"]["host_switches"][0]["pnics"][0]["device_name"] = json!("vmnic1");
    assert_eq!(manager.put(&one, own).expect(200)["is_overridden"], true);
    manager.post(&restore, json!({})).expect(200);
    let node = manager.get(&one).expect(200);
    assert_eq!(node["is_overridden"], false);
    assert_eq!(node["host_switches"][0]["pnics"][0]["device_name"], "vmnic7");
}

#[test]
fn a_cluster_can_be_rid_of_its_transport_nodes() {
    let manager = Manager::new();
    let path = format!("/fabric/compute-collections/{HOSTS}?action=remove_nsx");
    manager.post(&path, json!({})).expect(200);
    assert!(manager.get("/transport-nodes?node_types=HostNode").results().is_empty());
    let cards = format!("/fabric/compute-collections/{HOSTS}/network/physical-interfaces");
    assert_eq!(manager.get(&cards).results()[0]["network_interfaces"], json!([]));
    // Ports wait for a host.
    tests::switch(&manager, "segment");
    tests::Port::new("segment", "a").make(&manager);
    let state = manager.get("/logical-ports/a/state").expect(200);
    assert_eq!(state["transport_node_ids"], json!([]));
}
