//! The printed form of objects and refusals, word for word, as it goes over the wire. To read and
//! accept a change: `UPDATE_GOLDEN=1 cargo test -p tests`.

use nsx_sim::wire::to_pretty_bytes;
use serde_json::{Value, json};
use tests::{Manager, Port, address_set, golden, group_by_tag, reference, section, switch};

#[track_caller]
fn print(name: &str, value: &Value) {
    let text = String::from_utf8(to_pretty_bytes(value).expect("JSON prints")).expect("as text");
    golden(name, &format!("{text}\n"));
}

fn world() -> Manager {
    let manager = Manager::new().principal("pks-592ff063");
    switch(&manager, "segment");
    Port::new("segment", "pod")
        .tag("ncp/project", "x1")
        .tag("app", "service-a")
        .address("172.15.23.3")
        .child_of("node")
        .make(&manager);
    address_set(&manager, "addresses", &["172.16.0.0/24"]);
    group_by_tag(&manager, "nsg-service-a", "app", "service-a");
    manager
}

#[test]
fn a_logical_port() {
    print("logical-port.json", &world().get("/logical-ports/pod").expect(200));
}

#[test]
fn a_logical_switch() {
    print("logical-switch.json", &world().get("/logical-switches/segment").expect(200));
}

#[test]
fn a_group() {
    print("ns-group.json", &world().get("/ns-groups/nsg-service-a").expect(200));
}

#[test]
fn a_section_with_its_rules() {
    let manager = world();
    let service = json!({"service": {
        "resource_type": "L4PortSetNSService", "l4_protocol": "TCP", "destination_ports": ["8080"],
    }});
    let rules = [
        json!({
            "display_name": "aTob",
            "action": "ALLOW",
            "sources": [reference("NSGroup", "nsg-service-a")],
            "destinations": [reference("IPSet", "addresses")],
            "services": [service],
            "applied_tos": [reference("LogicalPort", "pod")],
        }),
        json!({"display_name": "DenyAll", "action": "REJECT", "logged": true}),
    ];
    let ids = section(&manager, "PtoPDFW-MicroSegmentation", &rules);
    let list = format!("/firewall/sections/{}?action=list_with_rules", ids.section);
    print("section-with-rules.json", &manager.post(&list, json!({})).expect(200));
}

#[test]
fn a_list() {
    print("list.json", &world().get("/ip-sets?page_size=1").expect(200));
}

#[test]
fn the_observations_of_a_traceflow() {
    let manager = world();
    Port::new("segment", "other").address("172.15.23.2").make(&manager);
    let packet = json!({
        "ip_header": {"dst_ip": "172.15.23.2"},
        "transport_header": {"tcp_header": {"dst_port": 8080}},
    });
    let body = json!({"lport_id": "pod", "packet": packet});
    let started = manager.post("/traceflows", body).expect(201);
    manager.advance(std::time::Duration::from_secs(1));
    let path = format!("/traceflows/{}/observations", started["id"].as_str().unwrap());
    print("observations.json", &manager.get(&path).expect(200));
}

#[test]
fn refusals() {
    let manager = world();
    let admin = manager.admin("admin");
    let other = manager.admin("other").overwriting();
    let ids = section(&manager, "s", &[]);
    let section = format!("/firewall/sections/{}", ids.section);
    let lock = json!({"comments": "mine", "section_revision": 0});
    manager.post(&format!("{section}?action=lock"), lock).expect(200);
    let answers = json!({
        "not found": admin.get("/ip-sets/nobody").body,
        "missing reference": admin
            .post("/logical-ports", json!({"logical_switch_id": "nowhere", "admin_state": "UP"})).body,
        "unknown member": admin.post("/ip-sets", json!({"colour": "red"})).body,
        "invalid members": admin.post("/ip-sets", json!({"ip_addresses": ["nowhere"]})).body,
        "required member": admin.post("/transport-zones", json!({})).body,
        "malformed": admin.call("POST", "/ip-sets", "{").body,
        "exists": admin.post("/ip-sets", json!({"id": "addresses"})).body,
        "stale": admin.put("/ip-sets/addresses", json!({})).body,
        "stale in the firewall": manager
            .put(&section, json!({"section_type": "LAYER3", "stateful": true})).body,
        "protected": admin.delete("/ip-sets/addresses").body,
        "attached": manager.delete("/logical-ports/pod").body,
        "in use": manager.delete("/logical-switches/segment").body,
        "locked": other.delete(&section).body,
        "system owned": admin
            .delete("/switching-profiles/1e7101c8-cfef-415a-9c8c-ce3d8dd078fb").body,
        "unknown path": admin.get("/nothing").body,
        "wrong verb": admin.call("PATCH", "/ip-sets", "").body,
        "not modelled": admin.call("POST", "/node?action=restart", "").body,
    });
    print("refusals.json", &answers);
}
