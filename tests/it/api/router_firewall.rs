//! Firewall sections that stand on routers: kept, told apart, and without a word on vNICs.

use super::routers::{segment, tier1};
use super::samples::with;
use serde_json::{Value, json};
use tests::{Answer, Manager, Port, reference};

/// A router with a segment, on which the pods `a` and `b` are.
fn world() -> Manager {
    let manager = Manager::new();
    tier1(&manager, "gate");
    segment(&manager, "gate", "inner", "10.0.0.254/24");
    for (name, address) in [("a", "10.0.0.1"), ("b", "10.0.0.2")] {
        Port::new("inner", name).address(address).make(&manager);
    }
    manager
}

/// Makes a section on the router with a rule that drops everything.
fn make(manager: &Manager, section: Value, rule: Value) -> Answer {
    let rule = with(json!({"display_name": "shut", "action": "DROP"}), rule);
    let body = json!({
        "id": "s",
        "section_type": "LAYER3",
        "stateful": false,
        "applied_tos": [reference("LogicalRouter", "gate")],
        "rules": [rule],
    });
    manager.post("/firewall/sections?action=create_with_rules", with(body, section))
}

fn port() -> Value {
    json!({"applied_tos": [reference("LogicalRouterPort", "inner-downlink")]})
}

#[test]
fn a_section_on_a_router_says_so_and_judges_nothing_on_vnics() {
    let manager = world();
    let made = make(&manager, json!({}), port()).expect(201);
    assert_eq!(made["enforced_on"], "LOGICALROUTER");
    assert_eq!(made["rules"][0]["applied_tos"][0]["target_id"], "inner-downlink");
    let column = |query: &str| manager.get(&format!("/firewall/sections?{query}")).column("id");
    assert_eq!(column("enforced_on=LOGICALROUTER"), ["s"]);
    assert!(!column("enforced_on=VIF").contains(&"s".to_owned()));
    assert_eq!(column("include_applied_to_type=LogicalRouter"), ["s"]);
    let summary = manager.get("/firewall/sections/summary").expect(200);
    let counted = json!({
        "section_type": "L3LOGICALROUTERFW", "section_count": 1, "rule_count": 1,
    });
    assert_eq!(summary["sections_summary"][3], counted);
    let packet = json!({"from": "a", "to": "b", "dst_port": 80});
    assert_eq!(manager.post("/sim/v1/explain", packet).expect(200)["outcome"], "DELIVERED");
}

#[test]
fn routers_and_what_has_vnics_are_not_named_together() {
    let manager = world();
    let pod = reference("LogicalPort", "a");
    let both = json!([reference("LogicalRouter", "gate"), pod.clone()]);
    make(&manager, json!({"applied_tos": both}), json!({})).refused(400, 255);
    make(&manager, json!({}), json!({"applied_tos": [pod.clone()]})).refused(400, 255);
    make(&manager, json!({"applied_tos": [pod]}), port()).refused(400, 255);
    make(&manager, json!({"section_type": "LAYER2"}), json!({})).refused(400, 255);
    let nobody = json!([reference("LogicalRouter", "nobody")]);
    make(&manager, json!({"applied_tos": nobody}), json!({})).refused(404, 600);
}

#[test]
fn a_router_has_a_firewall_switch_of_its_own() {
    let manager = world();
    let one = "/firewall/status/logical_routers/gate";
    assert_eq!(manager.get(one).expect(200)["target_status"], "ENABLED");
    manager.call("POST", &format!("{one}?action=disable_firewall"), "").expect(200);
    assert_eq!(manager.get(one).expect(200)["target_status"], "DISABLED");
}
