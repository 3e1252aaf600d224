//! State and status of transport nodes, and what taking them out of service does to both.

use serde_json::{Value, json};
use tests::{Manager, START};

pub const HOST: &str = "45a71150-f39e-4118-9890-e08d1bcd9ae1";
pub const EDGE: &str = "5e0c2f4a-7b1d-4d6e-8a9f-3c5b7d9e1f01";
pub const OTHER_EDGE: &str = "5e0c2f4a-7b1d-4d6e-8a9f-3c5b7d9e1f02";

pub fn act(manager: &Manager, node: &str, word: &str) {
    manager.post(&format!("/transport-nodes/{node}?action={word}"), json!({})).expect(200);
}

#[test]
fn a_node_is_realized_with_the_call_that_makes_it() {
    let manager = Manager::new();
    let state = manager.get(&format!("/transport-nodes/{HOST}/state")).expect(200);
    assert_eq!(state["state"], "success", "[nsxlib], [ansible] wait for it");
    assert_eq!(state["transport_node_id"], HOST);
    assert_eq!(state["maintenance_mode_state"], "DISABLED");
    let switch = &state["host_switch_states"][0];
    assert_eq!(switch["host_switch_name"], "nsxHostSwitch");
    assert_eq!(switch["transport_zone_ids"].as_array().unwrap().len(), 2);
    let endpoint = &switch["endpoints"][0];
    assert_eq!((&endpoint["ip"], &endpoint["label"]), (&json!("192.168.130.51"), &json!(1)));
    assert_eq!(endpoint["default_gateway"], "192.168.130.1");
    let zone = manager.get(&format!("/transport-zones/{}", tests::OVERLAY)).expect(200);
    assert_eq!(switch["host_switch_id"], zone["host_switch_id"]);
    let edge = manager.get(&format!("/transport-nodes/{EDGE}/state")).expect(200);
    assert_eq!(edge["node_deployment_state"]["state"], "NODE_READY");
    manager.get("/transport-nodes/nobody/state").refused(404, 600);
}

#[test]
fn states_are_listed_by_what_is_asked_of_them() {
    let manager = Manager::new();
    let ids = |query: &str| {
        manager.get(&format!("/transport-nodes/state{query}")).column("transport_node_id")
    };
    assert_eq!(ids("").len(), 5);
    assert_eq!(ids("?status=SUCCESS").len(), 5);
    assert!(ids("?status=PENDING").is_empty());
    assert_eq!(ids("?vtep_ip=192.168.130.51"), [HOST]);
    assert!(ids("?mm_state=ENABLED").is_empty());
    act(&manager, HOST, "enter_maintenance_mode");
    assert_eq!(ids("?mm_state=ENABLED"), [HOST]);
    manager.get("/transport-nodes/state?vtep_ip=here").refused(400, 255);
    manager.get("/transport-nodes/state?mm_state=AWAY").refused(400, 255);
}

#[test]
fn an_edge_that_can_not_be_as_it_is_told_says_why() {
    let manager = Manager::new();
    let edge = |switch: Value, zones: &[&str]| {
        let zones: Vec<Value> = zones.iter().map(|id| json!({"transport_zone_id": id})).collect();
        let body = json!({
            "node_deployment_info": {"resource_type": "EdgeNode"},
            "host_switch_spec": {
                "resource_type": "StandardHostSwitchSpec", "host_switches": [switch],
            },
            "transport_zone_endpoints": zones,
        });
        let made = manager.post("/transport-nodes", body).expect(201);
        let path = format!("/transport-nodes/{}/state", made["id"].as_str().unwrap());
        manager.get(&path).expect(200)["state"].clone()
    };
    let pnics = json!([{"device_name": "fp-eth0", "uplink_name": "uplink-1"}]);
    let switch = |pnics: &Value, assignment: &str| {
        json!({
            "host_switch_name": "nsxHostSwitch",
            "pnics": pnics,
            "ip_assignment_spec": {"resource_type": assignment},
        })
    };
    let zone = [tests::OVERLAY];
    assert_eq!(edge(switch(&pnics, "AssignedByDhcp"), &zone), "VTEP_DHCP_NOT_SUPPORTED");
    assert_eq!(edge(switch(&pnics, "AssignedByDhcp"), &[]), "TZ_ENDPOINTS_NOT_SPECIFIED");
    assert_eq!(edge(switch(&json!([]), "AssignedByDhcp"), &zone), "NO_PNIC_SPECIFIED_IN_TN");
    assert_eq!(edge(switch(&pnics, "AssignedByDhcp"), &[tests::VLAN]), "success");
}

#[test]
fn a_host_without_a_host_switch_has_no_connection_to_the_controller() {
    let manager = Manager::new();
    let body = json!({"node_deployment_info": {"resource_type": "HostNode", "os_type": "ESXI"}});
    let made = manager.post("/transport-nodes", body).expect(201);
    let path = format!("/transport-nodes/{}/status", made["id"].as_str().unwrap());
    let status = manager.get(&path).expect(200);
    assert_eq!(
        (&status["status"], &status["tunnel_status"]["status"]),
        (&json!("DOWN"), &json!("UNKNOWN"))
    );
    assert_eq!(status["control_connection_status"]["down_count"], 1);
    assert_eq!(status["node_status"]["lcp_connectivity_status"], "DOWN");
    let map = manager.get("/transport-nodes/status").expect(200);
    assert_eq!((&map["up_count"], &map["down_count"]), (&json!(5), &json!(1)));
    let map = manager.get("/transport-nodes/status?node_type=EDGE").expect(200);
    assert_eq!((&map["up_count"], &map["down_count"]), (&json!(2), &json!(0)));
}

#[test]
fn maintenance_shows_wherever_a_node_is_told_of() {
    let manager = Manager::new();
    let one = format!("/transport-nodes/{EDGE}");
    act(&manager, EDGE, "enter_maintenance_mode");
    assert_eq!(manager.get(&one).expect(200)["maintenance_mode"], "ENABLED");
    assert_eq!(manager.get("/transport-nodes?in_maintenance_mode=true").column("id"), [EDGE]);
    let state = manager.get(&format!("{one}/state")).expect(200);
    assert_eq!(state["maintenance_mode_state"], "ENABLED");
    let status = manager.get(&format!("{one}/status")).expect(200);
    assert_eq!(status["node_status"]["maintenance_mode"], "ON");
    assert_eq!(status["status"], "DOWN", "its dataplane stands still");
    assert_eq!(status["tunnel_status"]["bfd_diagnostic"]["administratively_down_count"], 4);
    let host = manager.get(&format!("/transport-nodes/{HOST}/status")).expect(200);
    assert_eq!(host["status"], "DEGRADED", "one of its tunnels leads to the edge");
    let node = manager.get(&format!("/fabric/nodes/{EDGE}/status")).expect(200);
    assert_eq!(node, status["node_status"]);
    act(&manager, EDGE, "exit_maintenance_mode");
    assert_eq!(manager.get(&one).expect(200)["maintenance_mode"], "DISABLED");
    assert_eq!(manager.get(&format!("{one}/status")).expect(200)["status"], "UP");
    act(&manager, HOST, "forced_enter_maintenance_mode");
    let host = manager.get(&format!("/transport-nodes/{HOST}")).expect(200);
    assert_eq!(host["maintenance_mode"], "FORCE_ENABLED");
    assert_eq!(host["node_deployment_info"]["maintenance_mode_state"], "ON");
}

#[test]
fn actions_are_for_nodes_of_their_sort() {
    let manager = Manager::new();
    let post = |path: &str| manager.post(path, json!({}));
    post(&format!("/transport-nodes/{HOST}?action=resync_host_config")).expect(200);
    post(&format!("/transport-nodes/{EDGE}?action=resync_host_config")).refused(400, 255);
    let refresh = "action=refresh_node_configuration&resource_type=EdgeNode";
    post(&format!("/transport-nodes/{EDGE}?{refresh}")).expect(200);
    post(&format!("/transport-nodes/{HOST}?{refresh}")).refused(400, 255);
    post(&format!("/transport-nodes/{HOST}?action=restart_inventory_sync")).expect(200);
    post(&format!("/transport-nodes/{HOST}?action=rest")).refused(400, 255);
    post(&format!("/fabric/nodes/{EDGE}?action=enter_maintenance_mode")).expect(200);
    assert_eq!(manager.get("/transport-nodes?in_maintenance_mode=true").column("id"), [EDGE]);
    post(&format!("/fabric/nodes/{HOST}?action=enter_maintenance_mode")).refused(400, 255);
    post("/transport-nodes/nobody?action=enter_maintenance_mode").refused(404, 600);
    // A dataplane that is not there has no cache.
    post(&format!("/transport-nodes/{EDGE}?action=enable_flow_cache")).refused(501, 501);
}

#[test]
fn fabric_nodes_tell_of_themselves_in_the_older_form() {
    let manager = Manager::new();
    let body = json!({"resource_type": "HostNode", "os_type": "ESXI", "external_id": "bare"});
    let bare = manager.post("/fabric/nodes", body).expect(201);
    let bare = bare["id"].as_str().unwrap();
    let status = manager.get(&format!("/fabric/nodes/status?node_ids={bare},{HOST}"));
    let status = status.results();
    assert_eq!(status[0]["external_id"], "bare");
    assert_eq!(status[0]["lcp_connectivity_status"], "DOWN", "no transport node yet");
    assert_eq!(status[1]["lcp_connectivity_status"], "UP");
    assert_eq!(status[1]["last_heartbeat_timestamp"], START);
    manager.get("/fabric/nodes/status").refused(400, 255);
    manager.get(&format!("/fabric/nodes/{bare}/network/interfaces")).refused(404, 600);
    let state = |id: &str| manager.get(&format!("/fabric/nodes/{id}/state")).expect(200);
    assert_eq!(state(EDGE)["state"], "NODE_READY");
    assert_eq!(state(HOST)["state"], "success");
    let modules = manager.get(&format!("/fabric/nodes/{HOST}/modules")).expect(200);
    let version = manager.get("/node/version").expect(200);
    assert_eq!(modules["software_modules"][0]["module_version"], version["node_version"]);
    let types = manager.get("/fabric/ostypes").expect(200);
    assert!(types["results"].as_array().unwrap().contains(&json!("UBUNTUKVM")));
}
