//! Nodes, host switches and edge clusters.

mod carriers;
mod clusters;
mod states;
mod tunnels;

use serde_json::{Value, json};
use tests::{Manager, OVERLAY};

fn edge(manager: &Manager, name: &str) -> String {
    let body = json!({
        "display_name": name,
        "node_deployment_info": {"resource_type": "EdgeNode", "ip_addresses": ["10.0.0.9"]},
    });
    let made = manager.post("/transport-nodes", body).expect(201);
    made["id"].as_str().unwrap().to_owned()
}

fn host() -> Value {
    json!({
        "display_name": "kvm-1",
        "node_deployment_info": {
            "resource_type": "HostNode",
            "os_type": "UBUNTUKVM",
            "ip_addresses": ["10.0.0.7"],
            "host_credential": {"username": "root", "password": "secret", "thumbprint": "x"},
        },
    })
}

fn cluster(members: &[&str]) -> Value {
    let members: Vec<Value> = members.iter().map(|id| json!({"transport_node_id": id})).collect();
    json!({"members": members})
}

#[test]
fn a_manager_begins_with_hosts_edges_and_their_cluster() {
    let manager = Manager::new();
    let nodes = manager.get("/transport-nodes");
    assert_eq!(
        nodes.column("display_name"),
        [
            "edge-01a.corp.local",
            "edge-02a.corp.local",
            "esx-01a.corp.local",
            "esx-02a.corp.local",
            "esx-03a.corp.local",
        ]
    );
    let edges = manager.get("/transport-nodes?node_types=EdgeNode");
    assert_eq!(edges.results().len(), 2);
    let clusters = manager.get("/edge-clusters").results();
    assert_eq!(clusters[0]["display_name"], "EDGECLUSTER1", "[tf]");
    assert_eq!(clusters[0]["deployment_type"], "VIRTUAL_MACHINE");
    assert_eq!(clusters[0]["member_node_type"], "EDGE_NODE");
    let indexes: Vec<_> =
        clusters[0]["members"].as_array().unwrap().iter().map(|own| &own["member_index"]).collect();
    assert_eq!(indexes, [0, 1], "two members [tf]");
    let zone = manager.get(&format!("/transport-nodes?transport_zone_id={OVERLAY}"));
    assert_eq!(zone.results().len(), 5);
    let names = manager.get("/host-switch-profiles?include_system_owned=true");
    assert!(names.column("display_name").contains(&"nsx-default-uplink-hostswitch-profile".into()));
    assert!(manager.get("/host-switch-profiles").results().is_empty());
    let names = manager.get("/cluster-profiles?include_system_owned=true");
    assert!(
        names.column("display_name").contains(&"nsx-default-edge-high-availability-profile".into())
    );
}

#[test]
fn a_transport_node_brings_its_fabric_node_and_takes_it_away() {
    let manager = Manager::new();
    let made = manager.post("/transport-nodes", host()).expect(201);
    let id = made["id"].as_str().unwrap();
    let one = format!("/transport-nodes/{id}");
    assert_eq!(made["node_id"], id);
    let node = manager.get(&format!("/fabric/nodes/{id}")).expect(200);
    assert_eq!(made["node_deployment_info"], node);
    assert_eq!((&node["display_name"], &node["os_type"]), (&json!("kvm-1"), &json!("UBUNTUKVM")));
    assert_eq!(node["host_credential"], json!({"username": "root", "thumbprint": "x"}));
    assert_eq!(manager.get("/transport-nodes?node_ip=10.0.0.7").column("id"), [id]);
    assert_eq!(manager.get("/fabric/nodes?ip_address=10.0.0.7").column("id"), [id]);
    manager.delete(&format!("/fabric/nodes/{id}")).refused(400, 500_030);

    let mut changed = made.clone();
    changed["node_deployment_info"]["os_version"] = json!("16.04");
    let changed = manager.put(&one, changed).expect(200);
    assert_eq!(changed["node_deployment_info"]["os_version"], "16.04");
    assert_eq!(changed["node_deployment_info"]["_revision"], 1);

    manager.delete(&one).expect(200);
    manager.get(&format!("/fabric/nodes/{id}")).refused(404, 600);
}

#[test]
fn a_fabric_node_becomes_a_transport_node_once() {
    let manager = Manager::new();
    let body = json!({"resource_type": "HostNode", "os_type": "ESXI"});
    let node = manager.post("/fabric/nodes", body).expect(201);
    let body = json!({"node_id": node["id"]});
    let made = manager.post("/transport-nodes", body.clone()).expect(201);
    assert_eq!(made["node_deployment_info"]["os_type"], "ESXI");
    manager.post("/transport-nodes", body).refused(400, 255);
    manager.post("/transport-nodes", json!({"node_id": "nobody"})).refused(404, 600);
}

#[test]
fn both_forms_of_host_switches_say_the_same() {
    let manager = Manager::new();
    let pnics = json!([{"device_name": "vmnic1", "uplink_name": "uplink-1"}]);
    let mut body = host();
    body["host_switches"] = json!([{"host_switch_name": "", "pnics": pnics}]);
    let made = manager.post("/transport-nodes", body).expect(201);
    let one = format!("/transport-nodes/{}", made["id"].as_str().unwrap());
    let newer = |node: &Value| node["host_switch_spec"]["host_switches"][0].clone();
    assert_eq!(newer(&made)["host_switch_name"], "nsxDefaultHostSwitch");
    assert_eq!(newer(&made)["ip_assignment_spec"]["resource_type"], "AssignedByDhcp");
    let classes: Vec<Value> = newer(&made)["host_switch_profile_ids"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| own["key"].clone())
        .collect();
    assert_eq!(classes, ["UplinkHostSwitchProfile", "LldpHostSwitchProfile", "NiocProfile"]);

    let mut older = made.clone();
    older["host_switches"][0]["host_switch_name"] = json!("older");
    let older = manager.put(&one, older).expect(200);
    assert_eq!(newer(&older)["host_switch_name"], "older");
    let mut both = older.clone();
    both["host_switch_spec"]["host_switches"][0]["host_switch_name"] = json!("newer");
    let both = manager.put(&one, both).expect(200);
    assert_eq!(both["host_switches"][0]["host_switch_name"], "newer");
    let mut twice = both.clone();
    twice["host_switch_spec"]["host_switches"] = json!([newer(&both), newer(&both)]);
    manager.put(&one, twice).refused(400, 255);
}

#[test]
fn members_keep_their_index_and_new_ones_get_the_next() {
    let manager = Manager::new();
    let edges = ["a", "b", "c"].map(|name| edge(&manager, name));
    let made = manager.post("/edge-clusters", cluster(&[&edges[0], &edges[1]])).expect(201);
    let one = format!("/edge-clusters/{}", made["id"].as_str().unwrap());
    let mut body = made.clone();
    body["members"] = cluster(&[&edges[2], &edges[1]])["members"].clone();
    let changed = manager.put(&one, body).expect(200);
    let member = |index: i32, id: &str| json!({"member_index": index, "transport_node_id": id});
    assert_eq!(changed["members"], json!([member(2, &edges[2]), member(1, &edges[1])]));

    let mut replaced = changed.clone();
    replaced["members"][1]["transport_node_id"] = json!(edges[0]);
    manager.put(&one, replaced).refused(400, 255);
    let action = format!("{one}?action=replace_transport_node");
    let body = json!({"member_index": 1, "transport_node_id": edges[0]});
    let replaced = manager.post(&action, body).expect(200);
    assert_eq!(replaced["members"], json!([member(2, &edges[2]), member(1, &edges[0])]));
    let body = json!({"member_index": 7, "transport_node_id": edges[1]});
    manager.post(&action, body).refused(400, 255);
    let body = json!({"member_index": 1, "transport_node_id": edges[2]});
    manager.post(&action, body).refused(400, 255);
}

#[test]
fn clusters_take_edges_that_no_other_cluster_has() {
    let manager = Manager::new();
    let first = edge(&manager, "a");
    manager.post("/edge-clusters", cluster(&[&first])).expect(201);
    manager.post("/edge-clusters", cluster(&[&first])).refused(400, 255);
    manager.post("/edge-clusters", cluster(&["nobody"])).refused(404, 600);
    let host = manager.post("/transport-nodes", host()).expect(201);
    let host = host["id"].as_str().unwrap();
    manager.post("/edge-clusters", cluster(&[host])).refused(400, 255);
    manager.delete(&format!("/transport-nodes/{first}?force=true")).refused(400, 500_030);
    manager.delete(&format!("/transport-nodes/{host}")).expect(200);
}

#[test]
fn uplink_profiles_name_the_links_of_their_groups() {
    let manager = Manager::new();
    let lag = json!({
        "name": "lag-1", "mode": "ACTIVE", "load_balance_algorithm": "SRCDESTMAC",
        "number_of_uplinks": 2,
    });
    let teaming = json!({
        "policy": "FAILOVER_ORDER",
        "active_list": [{"uplink_name": "lag-1", "uplink_type": "LAG"}],
    });
    let body = json!({
        "resource_type": "UplinkHostSwitchProfile", "lags": [lag], "teaming": teaming,
    });
    let made = manager.post("/host-switch-profiles", body.clone()).expect(201);
    assert_eq!(made["overlay_encap"], "GENEVE");
    assert_eq!(made["lags"][0]["timeout_type"], "SLOW");
    assert_eq!(made["lags"][0]["uplinks"][1]["uplink_name"], "lag-1-1");
    let mut twice = body;
    twice["lags"] = json!([lag, lag]);
    manager.post("/host-switch-profiles", twice).refused(400, 255);
    let share = |reservation: f64| json!({"reservation": reservation, "traffic_type": {"traffic_name": "NFS"}});
    let nioc =
        |shares: Value| json!({"resource_type": "NiocProfile", "host_infra_traffic_res": shares});
    manager.post("/host-switch-profiles", nioc(json!([share(40.0), share(35.0)]))).expect(201);
    manager
        .post("/host-switch-profiles", nioc(json!([share(40.0), share(36.0)])))
        .refused(400, 255);
}
