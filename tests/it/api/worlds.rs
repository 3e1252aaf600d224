//! World documents.

use nsx_sim::http::WorldDocument;
use serde_json::{Value, json};
use tests::{Manager, OVERLAY};

fn document(topology: Value, objects: Value) -> Value {
    let mut document = json!({"name": "w", "description": "d"});
    document["topology"] = topology;
    document["objects"] = objects;
    document
}

fn topology(more: Value) -> Value {
    let own = json!({
        "transport_nodes": [
            {"id": "n1", "display_name": "host", "type": "UBUNTUKVM", "tep": "192.168.0.1"},
        ],
        "router": {"id": "r", "display_name": "router"},
        "load_balancer_snat_ip": "100.64.0.1",
    });
    super::samples::with(own, more)
}

fn read(document: &Value) -> Result<WorldDocument, String> {
    WorldDocument::read(&document.to_string()).map_err(|error| error.to_string())
}

#[test]
fn a_document_is_a_script_of_calls() {
    let switch = json!({"id": "s", "transport_zone_id": OVERLAY, "admin_state": "UP"});
    let port = json!({
        "id": "p", "logical_switch_id": "s", "admin_state": "UP", "attachment": {"id": "vif"},
    });
    let section = json!({
        "section_type": "LAYER3", "stateful": true, "rules": [{"action": "ALLOW"}],
    });
    let objects = json!([
        {"owner": "pks", "post": "/logical-switches", "body": switch},
        {"post": "/logical-ports", "body": port},
        {"post": "/firewall/sections?action=create_with_rules", "body": section},
    ]);
    let own = topology(json!({"first_rule_id": 14_438, "next_rule_id": 15_399}));
    let manager = Manager::of(&read(&document(own, objects)).unwrap());
    assert_eq!(manager.get("/logical-switches/s").expect(200)["_create_user"], "pks");
    assert_eq!(manager.get("/logical-ports/p").expect(200)["_create_user"], "admin");
    let host = manager.get("/logical-ports/p/state").expect(200)["transport_node_ids"].clone();
    assert_eq!(host, json!(["n1"]));
    manager.get("/firewall/rules/14438").expect(200);
    let next = tests::section(&manager, "next", &[json!({"action": "DROP"})]);
    assert_eq!(next.rules, ["15399"]);
}

#[test]
fn an_object_that_is_refused_names_itself_and_why() {
    let objects = json!([
        {"post": "/ip-sets", "body": {"id": "fine"}},
        {"post": "/ip-sets", "body": {"ip_addresses": ["nowhere"]}},
    ]);
    let error = Manager::try_of(&read(&document(topology(json!({})), objects)).unwrap()).err();
    let error = error.unwrap();
    assert!(error.contains("object 1, POST /ip-sets: 400"), "{error}");
    assert!(error.contains("ip_addresses[0]"), "{error}");
}

#[test]
fn a_document_of_another_form_is_refused() {
    let hosts = |nodes: Value| document(topology(json!({"transport_nodes": nodes})), json!([]));
    let kind = json!([{"id": "n", "display_name": "n", "type": "TOASTER", "tep": "192.168.0.1"}]);
    let tep = json!([{"id": "n", "display_name": "n", "type": "ESX", "tep": "nowhere"}]);
    for (wrong, told) in [
        (json!([]), "not a world document"),
        (json!({}), "missing field `name`"),
        (json!({"name": "w", "colour": 1}), "unknown field `colour`"),
        (document(json!({}), json!([])), "missing field `transport_nodes`"),
        (document(topology(json!({"colour": 1})), json!([])), "unknown field `colour`"),
        (document(topology(json!({})), json!([{"body": {}}])), "missing field `post`"),
        (hosts(json!([])), "vNICs need a host to be on"),
        (hosts(kind), "unknown variant `TOASTER`"),
        (hosts(tep), "invalid IP address"),
    ] {
        let error = read(&wrong).err().unwrap_or_default();
        assert!(error.contains(told), "{wrong}: {error}");
    }
    assert!(WorldDocument::read("{").is_err());
}

#[test]
fn a_topology_may_be_left_out() {
    let manager = Manager::of(&read(&json!({"name": "w"})).unwrap());
    let zone = manager.get(&format!("/transport-zones/{OVERLAY}/summary")).expect(200);
    assert_eq!(zone["num_transport_nodes"], 5, "hosts and edges");
}

#[test]
fn the_guides_world_loads_and_belongs_to_its_cluster() {
    let manager = Manager::of(&WorldDocument::read(fixtures::GUIDE_WORLD).unwrap());
    let pod = manager.get("/logical-ports/df5da5ee-8b43-4b2a-9990-5f749b9c57ed").expect(200);
    assert_eq!(pod["_create_user"], "pks-592ff063-c3b0-46b4-81ce-0bcfaffd6246");
    assert_eq!(pod["_protection"], "REQUIRE_OVERRIDE");
    assert_eq!(pod["attachment"]["id"], "792d07b7-dff1-4892-8a1e-85ee07f825ac");
    assert_eq!(pod["address_bindings"][0]["ip_address"], "172.15.23.3");
    let sections = manager.get("/firewall/sections").column("display_name");
    assert_eq!(sections.last().unwrap(), "Default Layer3 Section");
    assert!(!sections.iter().any(|name| name.contains("PtoP")), "the guide makes it");
}
