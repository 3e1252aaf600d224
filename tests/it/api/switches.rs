//! Transport zones and logical switches [facts §4.2, §4.3].

use serde_json::{Value, json};
use tests::{Answer, Manager, OVERLAY, Port, START, VLAN, reference, switch};

fn overlay(manager: &Manager, more: Value) -> Answer {
    let body = json!({"transport_zone_id": OVERLAY, "admin_state": "UP"});
    manager.post("/logical-switches", super::samples::with(body, more))
}

fn vlan(manager: &Manager, more: Value) -> Answer {
    let body = json!({"transport_zone_id": VLAN, "admin_state": "UP"});
    manager.post("/logical-switches", super::samples::with(body, more))
}

#[test]
fn an_overlay_switch_shows_its_defaults() {
    let made = overlay(&Manager::new(), json!({})).expect(201);
    assert_eq!(made["replication_mode"], "MTEP");
    assert_eq!(made["hybrid"], false);
    assert_eq!(made["address_bindings"], json!([]));
    assert_eq!(made["span"], json!([]));
    assert_eq!(made.get("vlan"), None);
    let classes: Vec<&Value> =
        made["switching_profile_ids"].as_array().unwrap().iter().map(|own| &own["key"]).collect();
    assert_eq!(classes.len(), 6, "one of each class");
}

#[test]
fn overlay_switches_get_numbers_of_their_own() {
    let manager = Manager::new();
    let vni = |made: Value| made["vni"].as_i64().unwrap();
    let first = vni(overlay(&manager, json!({})).expect(201));
    let second = vni(overlay(&manager, json!({})).expect(201));
    assert_ne!(first, second);
    overlay(&manager, json!({"vni": first})).refused(400, 255);
    // Inside the pool, and for overlay segments alone [spec LogicalSwitch.vni].
    overlay(&manager, json!({"vni": 5_000})).refused(400, 255);
    overlay(&manager, json!({"vni": 75_001})).refused(400, 255);
    vlan(&manager, json!({"vlan": 7, "vni": 6_001})).refused(400, 255);
    let chosen = overlay(&manager, json!({"id": "own", "vni": 6_000})).expect(201);
    assert_eq!(vni(chosen.clone()), 6_000);
    let body = super::samples::with(chosen, json!({"vni": 6_001}));
    assert_eq!(
        vni(manager.put("/logical-switches/own", body).expect(200)),
        6_000,
        "read only then"
    );
}

#[test]
fn the_go_sdks_vlan_zero_is_no_vlan_in_an_overlay_zone() {
    let manager = Manager::new();
    assert_eq!(overlay(&manager, json!({"vlan": 0})).expect(201).get("vlan"), None);
    overlay(&manager, json!({"vlan": 7})).refused(400, 255);
    // Guests' own tags may pass all the same [spec LogicalSwitch.vlan_trunk_spec].
    let trunk = json!({"vlan_ranges": [{"start": 1, "end": 9}]});
    let made = overlay(&manager, json!({"vlan_trunk_spec": trunk})).expect(201);
    assert_eq!(made["vlan_trunk_spec"], trunk);
}

#[test]
fn a_vlan_switch_has_a_vlan_or_a_trunk_and_no_vni() {
    let manager = Manager::new();
    let made = vlan(&manager, json!({"vlan": 0})).expect(201);
    assert_eq!(
        (&made["vlan"], made.get("vni"), made.get("replication_mode")),
        (&json!(0), None, None)
    );
    let trunk = json!({"vlan_ranges": [{"start": 1, "end": 9}]});
    vlan(&manager, json!({"vlan_trunk_spec": trunk})).expect(201);
    vlan(&manager, json!({})).refused(400, 255);
    let reversed = json!({"vlan_ranges": [{"start": 9, "end": 1}]});
    vlan(&manager, json!({"vlan_trunk_spec": reversed})).refused(400, 255);
    vlan(&manager, json!({"vlan": 1, "vlan_trunk_spec": trunk})).refused(400, 255);
    vlan(&manager, json!({"vlan": 4095})).refused(400, 255);
}

#[test]
fn a_switch_needs_a_zone_that_exists() {
    let manager = Manager::new();
    let text = overlay(&manager, json!({"transport_zone_id": "nowhere"})).refused(404, 600);
    assert!(text.contains("object identifier TransportZone/nowhere is missing"), "{text}");
}

#[test]
fn zone_and_hybrid_do_not_change() {
    let manager = Manager::new();
    let made = overlay(&manager, json!({"id": "own"})).expect(201);
    for other in [json!({"transport_zone_id": VLAN}), json!({"hybrid": true})] {
        let body = super::samples::with(made.clone(), other);
        manager.put("/logical-switches/own", body).refused(400, 255);
    }
}

#[test]
fn a_switch_with_ports_goes_only_with_them() {
    let manager = Manager::new();
    switch(&manager, "own");
    Port::new("own", "pod").make(&manager);
    let text = manager.delete("/logical-switches/own").expect(400);
    assert!(text["error_message"].as_str().unwrap().contains("LogicalPort/pod"), "{text}");
    // The port is attached: cascade alone does not take it.
    manager.delete("/logical-switches/own?cascade=true").refused(400, 8402);
    manager.get("/logical-switches/own").expect(200);
    // nsxlib prints its booleans so.
    manager.delete("/logical-switches/own?detach=True&cascade=True").expect(200);
    manager.get("/logical-ports/pod").refused(404, 600);
}

#[test]
fn free_ports_go_with_their_switch_by_cascade() {
    let manager = Manager::new();
    switch(&manager, "own");
    let port = json!({"id": "free", "logical_switch_id": "own", "admin_state": "UP"});
    manager.post("/logical-ports", port).expect(201);
    manager.delete("/logical-switches/own").expect(400);
    manager.delete("/logical-switches/own?cascade=true").expect(200);
    manager.get("/logical-ports/free").refused(404, 600);
}

#[test]
fn a_switch_that_is_a_member_of_a_group_goes_only_by_force() {
    let manager = Manager::new();
    switch(&manager, "own");
    let member = json!({
        "target_type": "LogicalSwitch", "target_property": "id", "op": "EQUALS", "value": "own",
    });
    manager.post("/ns-groups", json!({"members": [member]})).expect(201);
    manager.delete("/logical-switches/own").expect(400);
    manager.delete("/logical-switches/own?detach=true").expect(200);
}

#[test]
fn the_state_of_a_switch_is_success_at_once_in_lower_case() {
    let manager = Manager::new();
    switch(&manager, "own");
    // Terraform polls it until then.
    let state = manager.get("/logical-switches/own/state").expect(200);
    assert_eq!(state, json!({"logical_switch_id": "own", "state": "success", "details": []}));
    assert_eq!(manager.get("/logical-switches/state?status=SUCCESS").results(), [state]);
    assert_eq!(manager.get("/logical-switches/state?status=PENDING").results().len(), 0);
    manager.get("/logical-switches/state?status=success").refused(400, 255);
    manager.get("/logical-switches/state?sort_by=nothing").refused(400, 255);
    manager.get("/logical-switches/other/state").refused(404, 600);
}

#[test]
fn summaries_count_what_is_there() {
    let manager = Manager::new();
    switch(&manager, "own");
    Port::new("own", "pod").make(&manager);
    let summary = manager.get("/logical-switches/own/summary").expect(200);
    assert_eq!(summary, json!({"logical_switch_id": "own", "num_logical_ports": 1}));
    let zone = manager.get(&format!("/transport-zones/{OVERLAY}/summary")).expect(200);
    assert_eq!(
        zone,
        json!({
            "transport_zone_id": OVERLAY,
            "num_transport_nodes": 5,
            "num_logical_switches": 1,
            "num_logical_ports": 1,
        })
    );
    let status = manager.get("/logical-switches/status").expect(200);
    assert_eq!(status["total_switches"], 1);
    assert_eq!(status["last_update_timestamp"], START);
}

#[test]
fn a_zone_shows_its_defaults_and_keeps_what_is_fixed() {
    let manager = Manager::new();
    let made = manager.post("/transport-zones", json!({"id": "z", "transport_type": "OVERLAY"}));
    let made = made.expect(201);
    assert_eq!(made["host_switch_name"], "nsxDefaultHostSwitch");
    assert_eq!(made["host_switch_mode"], "STANDARD");
    assert_eq!((&made["nested_nsx"], &made["is_default"]), (&json!(false), &json!(false)));
    // [psnsxt]
    let profile = json!({
        "resource_type": "BfdHealthMonitoringProfile",
        "profile_id": "52035bb3-ab02-4a08-9884-18631312e50a",
    });
    assert_eq!(made["transport_zone_profile_ids"], json!([profile]));
    for other in [json!({"transport_type": "VLAN"}), json!({"host_switch_name": "other"})] {
        let body = super::samples::with(made.clone(), other);
        manager.put("/transport-zones/z", body).refused(400, 255);
    }
    let back = manager.put("/transport-zones/z", made.clone()).expect(200);
    assert_eq!(back["host_switch_id"], made["host_switch_id"]);
}

#[test]
fn a_zone_with_switches_does_not_go() {
    let manager = Manager::new();
    let zone = json!({"id": "zone", "transport_type": "OVERLAY"});
    manager.post("/transport-zones", zone).expect(201);
    let body = json!({"id": "own", "transport_zone_id": "zone", "admin_state": "UP"});
    manager.post("/logical-switches", body).expect(201);
    manager.delete("/transport-zones/zone").expect(400);
    manager.delete("/logical-switches/own").expect(200);
    manager.delete("/transport-zones/zone").expect(200);
    // The nodes of the data center are in the other.
    manager.delete(&format!("/transport-zones/{OVERLAY}")).refused(400, 500_030);
}

#[test]
fn both_zones_that_clients_look_for_exist_from_the_start() {
    // Terraform's acceptance tests by name; nsxlib demands at least one zone.
    let zones = Manager::new().get("/transport-zones").column("display_name");
    assert_eq!(zones, ["1-transportzone", "transportzone2"]);
}

#[test]
fn a_switch_named_by_a_rule_can_be_read_as_such() {
    let manager = Manager::new();
    switch(&manager, "own");
    let rule = json!({"action": "DROP", "sources": [reference("LogicalSwitch", "own")]});
    let ids = tests::section(&manager, "s", &[rule]);
    let rule = manager.get(&format!("/firewall/rules/{}", ids.rules[0])).expect(200);
    assert_eq!(rule["sources"][0]["target_display_name"], "own");
    assert_eq!(rule["sources"][0]["is_valid"], true);
    // A rule does not hold the switch; the reference is shown to be dangling then.
    manager.delete("/logical-switches/own").expect(200);
    let rule = manager.get(&format!("/firewall/rules/{}", ids.rules[0])).expect(200);
    assert_eq!(rule["sources"][0]["is_valid"], false);
    assert_eq!(rule["sources"][0].get("target_display_name"), None);
}
