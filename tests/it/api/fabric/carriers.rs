//! Hosts that callers make carry ports like those that were there from the start.

use super::states::{HOST, act};
use serde_json::{Value, json};
use tests::{Manager, OVERLAY, Port, switch};

/// A host with a host switch in the overlay zone, whose tunnel endpoint is as the rest says.
fn host(id: &str, addresses: &Value) -> Value {
    json!({
        "id": id,
        "display_name": id,
        "node_deployment_info": {"resource_type": "HostNode", "os_type": "RHELKVM"},
        "host_switch_spec": {
            "resource_type": "StandardHostSwitchSpec",
            "host_switches": [{
                "host_switch_name": "nsxHostSwitch",
                "pnics": [{"device_name": "eth1", "uplink_name": "uplink-1"}],
                "ip_assignment_spec": addresses,
            }],
        },
        "transport_zone_endpoints": [{"transport_zone_id": OVERLAY}],
    })
}

fn dhcp() -> Value {
    json!({"resource_type": "AssignedByDhcp"})
}

fn host_of(manager: &Manager, port: &str) -> Value {
    let state = manager.get(&format!("/logical-ports/{port}/state")).expect(200);
    state["transport_node_ids"][0].clone()
}

#[test]
fn a_host_made_by_a_caller_takes_its_turn_among_the_others() {
    let manager = Manager::new();
    manager.post("/transport-nodes", host("new", &dhcp())).expect(201);
    // Without a host switch it can carry nothing.
    let bare = json!({"node_deployment_info": {"resource_type": "HostNode", "os_type": "ESXI"}});
    manager.post("/transport-nodes", bare).expect(201);
    switch(&manager, "segment");
    let hosts: Vec<Value> = (1..=5)
        .map(|number| {
            let name = format!("p{number}");
            Port::new("segment", &name).address(&format!("10.0.0.{number}")).make(&manager);
            host_of(&manager, &name)
        })
        .collect();
    assert_eq!((&hosts[3], &hosts[4]), (&json!("new"), &hosts[0]));
    let table = manager.get("/logical-switches/segment/vtep-table").column("vtep_ip");
    assert!(table.contains(&"172.16.0.7".to_owned()), "{table:?}");
    let packet = json!({"from": "p1", "to": "p4"});
    assert_eq!(manager.post("/sim/v1/packets", packet).expect(200)["outcome"], "DELIVERED");
    let firewall = "/firewall/status/transport_nodes/new";
    manager.post(&format!("{firewall}?action=disable_firewall"), json!({})).expect(200);
    let packet = json!({"from": "p4", "to": "p1"});
    let told = manager.post("/sim/v1/packets", packet).expect(200);
    assert_eq!(told["verdicts"][0]["guard"], "DISABLED", "the new host's firewall is off");
}

#[test]
fn ports_leave_a_host_that_goes_and_new_ones_avoid_one_out_of_service() {
    let manager = Manager::new();
    manager.post("/transport-nodes", host("new", &dhcp())).expect(201);
    switch(&manager, "segment");
    for number in 1..=4 {
        Port::new("segment", &format!("p{number}")).make(&manager);
    }
    assert_eq!(host_of(&manager, "p4"), "new");
    manager.delete("/transport-nodes/new").expect(200);
    assert_ne!(host_of(&manager, "p4"), "new");
    manager.get("/transport-nodes/new/state").refused(404, 600);
    act(&manager, HOST, "enter_maintenance_mode");
    assert_eq!(host_of(&manager, "p1"), HOST, "who is there stays");
    for number in 5..=9 {
        let name = format!("p{number}");
        Port::new("segment", &name).make(&manager);
        assert_ne!(host_of(&manager, &name), HOST);
    }
}

#[test]
fn a_host_switch_takes_its_address_from_a_pool_and_gives_it_back() {
    let manager = Manager::new();
    let pool = json!({"id": "teps", "subnets": [{
        "cidr": "10.9.0.0/24",
        "gateway_ip": "10.9.0.1",
        "allocation_ranges": [{"start": "10.9.0.5", "end": "10.9.0.6"}],
    }]});
    manager.post("/pools/ip-pools", pool).expect(201);
    let from_pool = json!({"resource_type": "StaticIpPoolSpec", "ip_pool_id": "teps"});
    for name in ["one", "two"] {
        manager.post("/transport-nodes", host(name, &from_pool)).expect(201);
    }
    let taken = || manager.get("/pools/ip-pools/teps/allocations").column("allocation_id");
    assert_eq!(taken(), ["10.9.0.5", "10.9.0.6"]);
    manager.post("/transport-nodes", host("three", &from_pool)).refused(409, 5109);
    let state = manager.get("/transport-nodes/two/state").expect(200);
    let endpoint = &state["host_switch_states"][0]["endpoints"][0];
    assert_eq!(endpoint["ip"], "10.9.0.6");
    assert_eq!(endpoint["subnet_mask"], "255.255.255.0");
    assert_eq!(endpoint["default_gateway"], "10.9.0.1");
    manager.delete("/pools/ip-pools/teps").refused(400, 500_030);
    let mut two = manager.get("/transport-nodes/two").expect(200);
    two["description"] = json!("the address stays");
    let mut two = manager.put("/transport-nodes/two", two).expect(200);
    assert_eq!(taken().len(), 2);
    two["host_switch_spec"]["host_switches"][0]["ip_assignment_spec"] = dhcp();
    manager.put("/transport-nodes/two", two).expect(200);
    assert_eq!(taken(), ["10.9.0.5"]);
    manager.delete("/transport-nodes/one").expect(200);
    assert!(taken().is_empty());
}

#[test]
fn virtual_machines_hold_their_host_unless_it_goes_by_force() {
    let document = nsx_sim::http::WorldDocument::read(
        &json!({
            "name": "guests",
            "topology": {
                "transport_nodes": [
                    {"id": "h1", "display_name": "h1", "type": "ESX", "tep": "10.1.0.1"},
                    {"id": "h2", "display_name": "h2", "type": "ESX", "tep": "10.1.0.2"},
                ],
                "virtual_machines": [{"external_id": "vm", "display_name": "vm", "host": "h1"}],
                "router": {"id": "r", "display_name": "r"},
                "load_balancer_snat_ip": "100.64.0.1",
            },
            "objects": [],
        })
        .to_string(),
    );
    let manager = Manager::of(&document.unwrap());
    let enter = |word: &str| {
        manager.post(&format!("/transport-nodes/h1?action={word}_maintenance_mode"), json!({}))
    };
    enter("enter").refused(400, 255);
    enter("forced_enter").expect(200);
    let tools = manager.get("/fabric/virtual-machines/tools-info").results();
    assert_eq!((&tools[0]["external_id"], &tools[0]["host_local_id"]), (&json!("vm"), &json!("1")));
    manager.delete("/transport-nodes/h1").refused(400, 500_030);
    manager.delete("/transport-nodes/h1?force=true").expect(200);
    assert!(manager.get("/fabric/virtual-machines").results().is_empty());
}
