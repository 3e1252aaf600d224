//! The node's file store, and small reports of the manager.

use nsx_sim::inventory::Actor;
use serde_json::json;
use tests::{Manager, START, VLAN};

const STORE: &str = "/node/file-store";

#[test]
fn files_are_kept_byte_by_byte() {
    let manager = Manager::new();
    let one = format!("{STORE}/backup.tar");
    let made = manager.call("POST", &one, "some text").expect(201);
    assert_eq!((&made["name"], &made["size"]), (&json!("backup.tar"), &json!(9)));
    assert_eq!(made["created_epoch_ms"], START);
    manager.call("POST", &one, "other text").refused(409, 500_127);
    assert_eq!(manager.get(STORE).column("name"), ["backup.tar"]);
    // Text or not.
    let data = [0, 159, 146, 150];
    let path = format!("/api/v1{one}/data");
    let call = |method, body: &[u8]| {
        let body = body.to_vec().into();
        manager.api().call(Actor::admin("admin"), method, &path, "", body).unwrap()
    };
    assert_eq!(call("PUT", &data).status, 200);
    let read = call("GET", &[]);
    assert_eq!(read.media, Some("application/octet-stream"));
    assert_eq!(read.bytes.as_deref(), Some(&data[..]));
    assert_eq!(manager.get(&one).expect(200)["size"], 4);
    manager.delete(&one).expect(200);
    manager.get(&format!("{one}/data")).refused(404, 600);
    manager.delete(&one).refused(404, 600);
}

#[test]
fn a_file_tells_its_digests() {
    let manager = Manager::new();
    manager.call("POST", &format!("{STORE}/abc"), "abc").expect(201);
    let told = manager.get(&format!("{STORE}/abc/thumbprint")).expect(200);
    // The examples of FIPS 180.
    assert_eq!(told["sha1"], "a9993e364706816aba3e25717850c26c9cd0d89d");
    let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(told["sha256"], sha256);
    manager.call("PUT", &format!("{STORE}/none/data"), "x").refused(404, 600);
    let copy = format!("{STORE}/abc?action=copy_to_remote_file");
    manager.post(&copy, json!({})).refused(501, 501);
}

#[test]
fn a_health_check_finds_every_vlan_on_the_uplinks_of_the_zones_nodes() {
    let manager = Manager::new();
    let ranges = json!({"vlan_ranges": [{"start": 10, "end": 20}]});
    let body = json!({"transport_zone_id": VLAN, "vlans": ranges});
    let made = manager.post("/manual-health-checks", body).expect(201);
    assert_eq!(made["operation_status"], "FINISHED");
    assert_eq!(made["result"]["vlan_mtu_status"], "TRUNKED");
    let nodes = made["result"]["results_per_transport_node"].as_array().unwrap();
    assert_eq!(nodes.len(), 5);
    let uplink = &nodes[0]["result_on_host_switch"]["results_per_uplink"][0];
    assert_eq!(uplink["vlan_and_mtu_allowed"], json!([{"start": 10, "end": 20}]));
    let bad = json!({"vlan_ranges": [{"start": 20, "end": 10}]});
    let body = json!({"transport_zone_id": VLAN, "vlans": bad});
    manager.post("/manual-health-checks", body).refused(400, 255);
    let zone = json!({"id": "empty", "transport_type": "VLAN"});
    manager.post("/transport-zones", zone).expect(201);
    let body = json!({"transport_zone_id": "empty", "vlans": ranges});
    let made = manager.post("/manual-health-checks", body).expect(201);
    assert_eq!(made["result"]["vlan_mtu_status"], "UNKNOWN", "no node is in the zone");
}

#[test]
fn an_upgrades_agreement_is_accepted_once_somebody_does() {
    let manager = Manager::new();
    let accepted = || manager.get("/upgrade/eula/acceptance").expect(200)["acceptance"].clone();
    assert_eq!(accepted(), false);
    manager.post("/upgrade/eula/accept", json!({})).expect(200);
    assert_eq!(accepted(), true);
}

#[test]
fn licences_are_used_by_the_machines_that_there_are() {
    let manager = Manager::new();
    let told = manager.get("/licenses/licenses-usage").expect(200);
    let usage = &told["feature_usage_info"][1];
    assert_eq!(
        (&usage["feature"], &usage["capacity_usage"][0]["usage_count"]),
        (&json!("DFW"), &json!(0))
    );
    let table = manager.get("/licenses/licenses-usage?format=csv").expect(200);
    assert_eq!(table, "feature,vm_usage_count\nCONTAINER,0\nDFW,0\n");
}
