//! IP sets and MAC sets [facts §4.6].

use serde_json::{Value, json};
use tests::{Answer, Manager, address_set, reference, section};

fn ips(manager: &Manager, addresses: Value) -> Answer {
    let mut body = json!({});
    body["ip_addresses"] = addresses;
    manager.post("/ip-sets", body)
}

#[test]
fn an_ip_set_is_echoed_as_sent() {
    let sent = json!(["10.0.0.9", "10.1.0.7/24", "10.2.0.1-10.2.0.9", "10.0.0.9"]);
    let made = ips(&Manager::new(), sent.clone()).expect(201);
    assert_eq!(made["ip_addresses"], sent, "neither sorted nor made canonical");
    let v6 = json!(["2001:DB8::1", "fe80::/10"]);
    assert_eq!(ips(&Manager::new(), v6.clone()).expect(201)["ip_addresses"], v6);
}

#[test]
fn an_ip_set_holds_one_family_and_only_addresses() {
    let manager = Manager::new();
    ips(&manager, json!(["10.0.0.1", "fe80::1"])).refused(400, 255);
    for wrong in ["10.0.0", "10.0.0.0/33", "10.0.0.9-10.0.0.1", "host", ""] {
        let text = ips(&manager, json!(["10.0.0.1", wrong])).refused(400, 255);
        assert!(text.contains("ip_addresses[1]"), "{text}");
    }
}

#[test]
fn sets_hold_4000_elements() {
    let manager = Manager::new();
    let addresses = |count: u32| -> Value {
        (0..count).map(|at| json!(format!("10.0.{}.{}", at / 256, at % 256))).collect()
    };
    ips(&manager, addresses(4_000)).expect(201);
    ips(&manager, addresses(4_001)).refused(400, 255);
    let id = ips(&manager, addresses(4_000)).expect(201)["id"].as_str().unwrap().to_owned();
    let add = format!("/ip-sets/{id}?action=add_ip");
    manager.post(&add, json!({"ip_address": "192.168.0.1"})).refused(400, 255);
}

#[test]
fn elements_come_and_go_one_by_one() {
    let manager = Manager::new();
    address_set(&manager, "set", &["10.0.0.1"]);
    let element = json!({"ip_address": "10.0.0.2"});
    // Both answer 201 [spec].
    let added = manager.post("/ip-sets/set?action=add_ip", element.clone()).expect(201);
    assert_eq!(added, element);
    let set = manager.get("/ip-sets/set").expect(200);
    assert_eq!((&set["_revision"], &set["ip_addresses"][1]), (&json!(1), &json!("10.0.0.2")));
    let members = manager.get("/ip-sets/set/members").expect(200);
    assert_eq!(members["results"], json!([{"ip_address": "10.0.0.1"}, element]));
    manager.post("/ip-sets/set?action=remove_ip", element.clone()).expect(201);
    assert_eq!(manager.get("/ip-sets/set/members").results().len(), 1);
    manager.post("/ip-sets/set?action=remove_ip", element).expect(400);
    manager.post("/ip-sets/set?action=add_ip", json!({"ip_address": "fe80::1"})).refused(400, 255);
    manager.post("/ip-sets/set?action=add_ip", json!({})).refused(400, 255);
    manager
        .post("/ip-sets/none?action=add_ip", json!({"ip_address": "10.0.0.1"}))
        .refused(404, 600);
    manager.post("/ip-sets/set", json!({"ip_address": "10.0.0.1"})).refused(400, 255);
    manager.post("/ip-sets/set?action=ADD_IP", json!({"ip_address": "10.0.0.1"})).refused(400, 255);
}

#[test]
fn an_element_that_is_there_is_added_once() {
    let manager = Manager::new();
    address_set(&manager, "set", &["10.0.0.1"]);
    manager.post("/ip-sets/set?action=add_ip", json!({"ip_address": "10.0.0.1"})).expect(201);
    assert_eq!(manager.get("/ip-sets/set/members").results().len(), 1);
}

#[test]
fn a_set_in_use_answers_409_and_goes_by_force() {
    let manager = Manager::new();
    address_set(&manager, "set", &["10.0.0.1"]);
    let rule = json!({"action": "DROP", "sources": [reference("IPSet", "set")]});
    let ids = section(&manager, "s", &[rule]);
    let text = manager.delete("/ip-sets/set").expect(409);
    let used = format!("FirewallSection/{}", ids.section);
    assert!(text["error_message"].as_str().unwrap().contains(&used), "{text}");
    manager.delete("/ip-sets/set?force=true").expect(200);
    let rule = manager.get(&format!("/firewall/rules/{}", ids.rules[0])).expect(200);
    assert_eq!(rule["sources"][0]["is_valid"], false);
    address_set(&manager, "set", &["10.0.0.2"]);
    let rule = manager.get(&format!("/firewall/rules/{}", ids.rules[0])).expect(200);
    assert_eq!(rule["sources"][0]["is_valid"], true, "the same id is the same object again");
}

#[test]
fn a_mac_set_takes_colons_and_dashes_and_knows_an_address_in_any_form() {
    let manager = Manager::new();
    let sent = json!(["02:50:56:00:00:0a", "02-50-56-00-00-0B"]);
    let body = json!({"id": "set", "mac_addresses": sent});
    assert_eq!(manager.post("/mac-sets", body).expect(201)["mac_addresses"], sent);
    let again = json!({"mac_address": "02-50-56-00-00-0A"});
    manager.post("/mac-sets/set/members", again).expect(201);
    assert_eq!(manager.get("/mac-sets/set/members").results().len(), 2);
    manager.delete("/mac-sets/set/members/02:50:56:00:00:0b").expect(200);
    manager.delete("/mac-sets/set/members/02:50:56:00:00:0b").refused(404, 600);
    manager.delete("/mac-sets/set/members/nonsense").refused(404, 600);
    let left = manager.get("/mac-sets/set/members").expect(200);
    assert_eq!(left["results"], json!([{"mac_address": "02:50:56:00:00:0a"}]));
    manager.post("/mac-sets/set/members", json!({"mac_address": "02:50"})).refused(400, 255);
    manager.post("/mac-sets", json!({"mac_addresses": ["02:50-56:00:00:0a"]})).refused(400, 255);
}
