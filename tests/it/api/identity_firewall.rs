//! Where the identity firewall is on.

use serde_json::json;
use tests::Manager;

const CLUSTER: &str = "0b0a5e3c-6f0e-4a2b-9a55-8f7e5d2c1b01:domain-c7";
const HOST: &str = "45a71150-f39e-4118-9890-e08d1bcd9ae1";

#[test]
fn it_works_on_a_cluster_once_all_its_switches_are_on() {
    let manager = Manager::new();
    let one = format!("/idfw/idfw-compute-collections/{CLUSTER}");
    let word = || {
        let path = format!("/idfw/compute-collections/{CLUSTER}/status");
        manager.get(&path).expect(200)["compute_collection_status"][0]["status"].clone()
    };
    assert_eq!(manager.get("/idfw/idfw-compute-collections").column("enabled"), ["false"]);
    assert_eq!(word(), "IDFW_DISABLED");
    let mut own = manager.get(&one).expect(200);
    assert_eq!(own["compute_collection_name"], "RegionA01-COMP01");
    own["enabled"] = json!(true);
    let own = manager.put(&one, own).expect(200);
    assert_eq!(own["enabled"], true);
    let master = "/idfw/master-switch-setting";
    let mut switch = manager.get(master).expect(200);
    switch["idfw_master_switch_enabled"] = json!(false);
    let mut switch = manager.put(master, switch).expect(200);
    assert_eq!(word(), "IDFW_DISABLED");
    switch["idfw_master_switch_enabled"] = json!(true);
    manager.put(master, switch).expect(200);
    assert_eq!(word(), "UP");

    // One host without its firewall, then a stale revision.
    let firewall = format!("/firewall/status/transport_nodes/{HOST}?action=disable_firewall");
    manager.post(&firewall, json!({})).expect(200);
    let nodes = format!("/idfw/compute-collections/{CLUSTER}/transport-nodes/status");
    let nodes = manager.get(&nodes).results();
    let of = |id: &str| {
        let own = nodes.iter().find(|own| own["transport_node_id"] == id).unwrap();
        own["transport_node_status"][0]["status"].clone()
    };
    assert_eq!(of(HOST), "DFW_DISABLED");
    assert_eq!(of("45a71150-f39e-4118-9890-e08d1bcd9ae2"), "UP");
    let mut again = own.clone();
    again["enabled"] = json!(false);
    manager.put(&one, again).expect(200);
    manager.put(&one, own).refused(412, 604);
    let statuses = manager.get("/idfw/compute-collections/status");
    assert_eq!(statuses.column("compute_collection_id"), [CLUSTER]);
    let path = format!("/idfw/transport-nodes/{HOST}/vms/status");
    assert!(manager.get(&path).results().is_empty(), "no machine is there");
    manager.get("/idfw/vm-stats/nobody").refused(404, 600);
}
