//! Tunnels, network cards and what passes them.

use super::states::{EDGE, HOST, act};
use serde_json::{Value, json};
use tests::{Manager, OVERLAY, Port, switch};

fn tunnels(manager: &Manager, node: &str, query: &str) -> Vec<Value> {
    let told = manager.get(&format!("/transport-nodes/{node}/tunnels{query}")).expect(200);
    assert_eq!(told["result_count"], told["tunnels"].as_array().unwrap().len());
    told["tunnels"].as_array().unwrap().clone()
}

#[test]
fn every_node_has_a_tunnel_to_every_other_one_of_its_overlay_zone() {
    let manager = Manager::new();
    let all = tunnels(&manager, HOST, "");
    assert_eq!(all.len(), 4);
    let edge = tunnels(&manager, HOST, &format!("?remote_node_id={EDGE}"));
    let [edge] = &edge[..] else { panic!("{edge:#?}") };
    assert_eq!(
        (&edge["local_ip"], &edge["remote_ip"]),
        (&json!("192.168.130.51"), &json!("192.168.130.81"))
    );
    assert_eq!((&edge["encap"], &edge["egress_interface"]), (&json!("GENEVE"), &json!("vmnic1")));
    assert_eq!(edge["name"], "geneve3232268881");
    assert_eq!((&edge["status"], &edge["bfd"]["state"]), (&json!("UP"), &json!("UP")));
    let one = format!("/transport-nodes/{HOST}/tunnels/geneve3232268881");
    assert_eq!(manager.get(&one).expect(200), *edge);
    manager.get(&format!("/transport-nodes/{HOST}/tunnels/geneve1")).refused(404, 600);
    let first = manager.get(&format!("/transport-nodes/{HOST}/tunnels?page_size=1")).expect(200);
    assert!(first["cursor"].is_string() && first["tunnels"].as_array().unwrap().len() == 1);
}

#[test]
fn a_tunnel_to_an_edge_out_of_service_is_down_and_both_ends_say_why() {
    let manager = Manager::new();
    act(&manager, EDGE, "enter_maintenance_mode");
    let down = tunnels(&manager, HOST, "?status=DOWN");
    assert_eq!(down.len(), 1);
    assert_eq!(down[0]["remote_node_id"], EDGE);
    assert_eq!(down[0]["bfd"]["remote_state"], "ADMIN_DOWN");
    assert_eq!(down[0]["bfd"]["diagnostic"], "NEIGHBOR_SIGNALED_SESSION_DOWN");
    assert_eq!(tunnels(&manager, HOST, "?bfd_diagnostic_code=3"), down);
    let from_edge = tunnels(&manager, EDGE, "?bfd_diagnostic_code=ADMINISTRATIVELY_DOWN");
    assert_eq!(from_edge.len(), 4);
    let remote = |query: &str| {
        let path = format!("/transport-nodes/{HOST}/remote-transport-node-status{query}");
        manager.get(&path).column("node_uuid")
    };
    assert_eq!(remote("").len(), 4);
    assert_eq!(remote("?tunnel_status=DOWN"), [EDGE]);
    let bad = format!("/transport-nodes/{HOST}/tunnels?bfd_diagnostic_code=9");
    manager.get(&bad).refused(400, 255);
}

#[test]
fn nodes_of_different_overlay_zones_have_no_tunnel() {
    let manager = Manager::new();
    let zone = json!({"id": "z", "transport_type": "OVERLAY", "host_switch_name": "own"});
    manager.post("/transport-zones", zone).expect(201);
    let made = manager.post(
        "/transport-nodes",
        json!({
            "node_deployment_info": {"resource_type": "HostNode", "os_type": "UBUNTUKVM"},
            "host_switch_spec": {
                "resource_type": "StandardHostSwitchSpec",
                "host_switches": [{
                    "host_switch_name": "own",
                    "ip_assignment_spec": {"resource_type": "AssignedByDhcp"},
                }],
            },
            "transport_zone_endpoints": [{"transport_zone_id": "z"}],
        }),
    );
    let made = made.expect(201);
    let id = made["id"].as_str().unwrap();
    assert!(tunnels(&manager, id, "").is_empty());
    let state = manager.get(&format!("/transport-nodes/{id}/state")).expect(200);
    let endpoint = &state["host_switch_states"][0]["endpoints"][0];
    assert_eq!(endpoint["device_name"], "nsx-vtep0.0");
    assert_eq!((&endpoint["ip"], &endpoint["label"]), (&json!("172.16.0.7"), &json!(6)));
}

#[test]
fn a_zone_tells_how_its_nodes_are() {
    let manager = Manager::new();
    act(&manager, EDGE, "enter_maintenance_mode");
    let map = json!({"up_count": 0, "degraded_count": 4, "down_count": 1, "unknown_count": 0});
    assert_eq!(manager.get("/transport-zones/status").expect(200), map);
    let one = format!("/transport-zones/{OVERLAY}");
    assert_eq!(manager.get(&format!("{one}/status")).expect(200), map);
    let down = manager.get(&format!("{one}/transport-node-status?status=DOWN"));
    assert_eq!(down.column("node_uuid"), [EDGE]);
    assert_eq!(manager.get("/transport-zones/transport-node-status").results().len(), 5);
    let report = manager.get(&format!("{one}/transport-node-status-report?status=DOWN"));
    let report = report.expect(200);
    let lines: Vec<&str> = report.as_str().unwrap().lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[1].starts_with(&format!("{EDGE},edge-01a.corp.local,DOWN,UP,UP,UP,DOWN,2.5.1")));
    manager.get("/transport-zones/nobody/status").refused(404, 600);
    manager.get("/transport-zones/nobody/transport-node-status").refused(404, 600);
}

#[test]
fn cards_and_endpoints_are_interfaces_and_count_what_leaves_the_host() {
    let manager = Manager::new();
    switch(&manager, "segment");
    for (name, address) in [("a", "10.0.0.1"), ("b", "10.0.0.2")] {
        Port::new("segment", name).address(address).make(&manager);
    }
    let all = format!("/transport-nodes/{HOST}/network/interfaces");
    let interfaces = manager.get(&all).results();
    assert_eq!(interfaces.len(), 2);
    let card = manager.get(&format!("{all}/vmnic1")).expect(200);
    assert_eq!((&card["interface_type"], &card["mtu"]), (&json!("PHYSICAL"), &json!(1600)));
    let device = manager.get(&format!("{all}/vmk10")).expect(200);
    assert_eq!(device["interface_alias"][0]["ip_address"], "192.168.130.51");
    assert_eq!(device["interface_alias"][0]["broadcast_address"], "192.168.130.255");
    manager.get(&format!("{all}/vmk11")).refused(404, 600);
    // The two ports are on different hosts, for ports go round.
    let sent =
        |name: &str| manager.get(&format!("{all}/{name}/stats")).expect(200)["tx_packets"].clone();
    assert_eq!(sent("vmnic1"), 0);
    manager.post("/sim/v1/packets", json!({"from": "a", "to": "b"})).expect(200);
    assert_eq!((sent("vmnic1"), sent("vmk10")), (json!(1), json!(1)));
    let bonds = format!("/transport-nodes/{HOST}/pnic-bond-status");
    assert_eq!(manager.get(&bonds).column("name"), ["vmnic1"]);
    assert!(manager.get(&format!("{bonds}?status=DOWN")).results().is_empty());
    let neighbors = manager.get(&format!("/lldp/transport-nodes/{HOST}/interfaces")).results();
    assert_eq!(neighbors[0]["mac"], card["interface_alias"][0]["physical_address"]);
    assert_eq!(neighbors[0]["neighbors"], json!([]));
    let of_node = format!("/lldp/fabric-nodes/{HOST}/interfaces/vmnic1");
    assert_eq!(manager.get(&of_node).expect(200), neighbors[0]);
}
