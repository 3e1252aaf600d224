//! Rules, and virtual servers together with them.

use super::with;
use serde_json::{Value, json};
use tests::{Answer, Manager};

const SERVERS: &str = "/loadbalancer/virtual-servers";

#[allow(clippy::needless_pass_by_value, reason = "calls read better with json! in place")]
fn rule(phase: &str, action: Value) -> Value {
    json!({"phase": phase, "match_strategy": "ALL", "actions": [action]})
}

fn reject(status: &str) -> Value {
    let action = json!({"type": "LbHttpRejectAction", "reply_status": status});
    rule("HTTP_FORWARDING", action)
}

/// A manager with an HTTP profile, and the body of a virtual server with it.
fn prepared() -> (Manager, Value) {
    let manager = Manager::new();
    let profile = json!({"id": "http", "resource_type": "LbHttpProfile"});
    manager.post("/loadbalancer/application-profiles", profile).expect(201);
    let server = json!({"id": "vip", "ip_address": "192.0.2.1", "application_profile_id": "http"});
    (manager, server)
}

#[allow(clippy::needless_pass_by_value, reason = "calls read better with json! in place")]
fn create(manager: &Manager, server: Value, rules: Value) -> Answer {
    let body = json!({"virtual_server": server, "rules": rules});
    manager.post(&format!("{SERVERS}?action=create_with_rules"), body)
}

#[allow(clippy::needless_pass_by_value, reason = "calls read better with json! in place")]
fn update(manager: &Manager, server: Value, rules: Value) -> Answer {
    let body = json!({"virtual_server": server, "rules": rules});
    manager.put(&format!("{SERVERS}/vip?action=update_with_rules"), body)
}

#[test]
fn conditions_and_actions_have_their_phases() {
    let (manager, _) = prepared();
    let post = |body: Value| manager.post("/loadbalancer/rules", body);
    let delete = json!({"type": "LbHttpRequestHeaderDeleteAction", "header_name": "X"});
    post(rule("HTTP_REQUEST_REWRITE", delete.clone())).expect(201);
    post(rule("HTTP_FORWARDING", delete.clone())).refused(400, 255);
    post(rule("HTTP_RESPONSE_REWRITE", delete)).refused(400, 255);
    let response = json!([{
        "type": "LbHttpResponseHeaderCondition", "header_name": "X", "header_value": "1",
    }]);
    post(with(reject("403"), json!({"match_conditions": response}))).refused(400, 255);
    let twice = json!([reject("403")["actions"][0], reject("404")["actions"][0]]);
    post(with(reject("403"), json!({"actions": twice}))).expect(201);
    let alien = json!([{"type": "LbHttpRejectAction", "reply_status": "403", "pool_id": "x"}]);
    post(with(reject("403"), json!({"actions": alien}))).refused(400, 287);
}

#[test]
fn conditions_show_their_defaults_and_actions_their_pools_name() {
    let (manager, _) = prepared();
    let pool = json!({"id": "pool", "display_name": "shop"});
    manager.post("/loadbalancer/pools", pool).expect(201);
    let action = json!({"type": "LbSelectPoolAction", "pool_id": "pool"});
    let conditions = json!([{"type": "LbHttpRequestUriCondition", "uri": "/shop"}]);
    let body = with(rule("HTTP_FORWARDING", action), json!({"match_conditions": conditions}));
    let made = manager.post("/loadbalancer/rules", body).expect(201);
    assert_eq!(
        made["match_conditions"],
        json!([{
            "type": "LbHttpRequestUriCondition",
            "uri": "/shop",
            "match_type": "REGEX",
            "case_sensitive": true,
            "inverse": false,
        }])
    );
    assert_eq!(made["actions"][0]["pool_name"], "shop");
    manager.delete("/loadbalancer/pools/pool").refused(400, 500_030);
}

#[test]
fn a_server_is_made_with_its_rules_at_once_or_not_at_all() {
    let (manager, server) = prepared();
    let old = manager.post("/loadbalancer/rules", reject("401")).expect(201);
    let named = with(server.clone(), json!({"rule_ids": [old["id"]]}));
    let made = create(&manager, named, json!([reject("402"), reject("403")])).expect(201);
    let statuses: Vec<&Value> = made["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| &own["actions"][0]["reply_status"])
        .collect();
    assert_eq!(statuses, ["401", "402", "403"], "in the order of rule_ids");
    let ids: Vec<&Value> = made["rules"].as_array().unwrap().iter().map(|own| &own["id"]).collect();
    assert_eq!(made["virtual_server"]["rule_ids"], json!(ids));
    let before = manager.get("/loadbalancer/rules").results().len();
    create(&manager, server, json!([reject("404")])).expect(400);
    assert_eq!(manager.get("/loadbalancer/rules").results().len(), before);
}

#[test]
fn an_update_with_rules_makes_changes_and_deletes_them() {
    let (manager, server) = prepared();
    let made = create(&manager, server, json!([reject("401"), reject("402")])).expect(201);
    let (first, second) = (made["rules"][0].clone(), made["rules"][1].clone());
    let server = with(made["virtual_server"].clone(), json!({"rule_ids": [first["id"]]}));
    let changed = with(first.clone(), json!({"actions": reject("410")["actions"]}));
    let made = update(&manager, server, json!([changed, reject("403")])).expect(200);
    let statuses: Vec<&Value> = made["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| &own["actions"][0]["reply_status"])
        .collect();
    assert_eq!(statuses, ["410", "403"]);
    assert_eq!(made["virtual_server"]["_revision"], 1);
    let gone = format!("/loadbalancer/rules/{}", second["id"].as_str().unwrap());
    manager.get(&gone).refused(404, 600);
    let kept = manager.get(&format!("/loadbalancer/rules/{}", first["id"].as_str().unwrap()));
    assert_eq!(kept.expect(200)["_revision"], 1);
}

#[test]
fn a_server_takes_its_own_rules_along_when_asked_to() {
    let (manager, server) = prepared();
    let made = create(&manager, server.clone(), json!([reject("401"), reject("402")])).expect(201);
    let shared = json!({"id": "other", "rule_ids": [made["rules"][1]["id"]]});
    manager.post(SERVERS, with(server, shared)).expect(201);
    manager.delete(&format!("{SERVERS}/vip?delete_associated_rules=true")).expect(200);
    let left = manager.get("/loadbalancer/rules").column("id");
    assert_eq!(left, [made["rules"][1]["id"].as_str().unwrap()], "another server has it");
    manager.delete(&format!("{SERVERS}/other")).expect(200);
    assert_eq!(manager.get("/loadbalancer/rules").column("id").len(), 1);
}

#[test]
fn rules_are_for_layer_7() {
    let (manager, server) = prepared();
    manager.post("/loadbalancer/rules", with(reject("401"), json!({"id": "rule"}))).expect(201);
    let rules = with(server, json!({"rule_ids": ["rule"]}));
    let layer_4 = with(rules.clone(), json!({"application_profile_id": super::FAST_TCP}));
    manager.post(SERVERS, layer_4).refused(400, 255);
    manager.post(SERVERS, rules).expect(201);
    manager.delete("/loadbalancer/rules/rule").refused(400, 500_030);
}
