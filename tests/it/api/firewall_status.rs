//! The exclude list, the firewall's switches, and the counters of rules [facts §4.11].

use super::samples::with;
use serde_json::{Value, json};
use tests::{Answer, DEFAULT_L3, Manager, Port, any_rule, reference, section, switch};

/// Two pods on one segment; a rule drops everything between them.
fn world() -> (Manager, tests::RuleIds) {
    let manager = Manager::new();
    switch(&manager, "segment");
    Port::new("segment", "a").tag("app", "a").address("10.0.0.1").make(&manager);
    Port::new("segment", "b").tag("app", "b").address("10.0.0.2").make(&manager);
    let ids = section(&manager, "s", &[any_rule("all", "DROP")]);
    (manager, ids)
}

fn send(manager: &Manager) -> Value {
    let packet = json!({"from": "a", "to": "b", "dst_port": 80});
    manager.post("/sim/v1/packets", packet).expect(200)["outcome"].clone()
}

fn add(manager: &Manager, kind: &str, id: &str) -> Answer {
    manager.post("/firewall/excludelist?action=add_member", reference(kind, id))
}

#[test]
fn the_exclude_list_is_empty_at_first_and_is_no_ordinary_collection() {
    let (manager, _) = world();
    let list = manager.get("/firewall/excludelist").expect(200);
    assert_eq!((&list["members"], &list["member_count"]), (&json!([]), &json!(0)));
    assert_eq!(list["resource_type"], "ExcludeList");
    manager.post("/firewall/excludelist", json!({})).refused(400, 255);
    manager.delete("/firewall/excludelist").refused(405, 405);
}

#[test]
fn excluded_ports_have_no_firewall() {
    let (manager, _) = world();
    tests::group_by_tag(&manager, "group", "app", "a");
    assert_eq!(send(&manager), "DROPPED");
    let added = add(&manager, "NSGroup", "group").expect(200);
    assert_eq!(added["target_display_name"], "group");
    assert_eq!(send(&manager), "DROPPED", "b still has its own");
    add(&manager, "LogicalPort", "b").expect(200);
    assert_eq!(send(&manager), "DELIVERED");
    let remove = "/firewall/excludelist?action=remove_member&object_id=group&object_type=NSGroup";
    manager.post(remove, json!({})).expect(200);
    assert_eq!(send(&manager), "DROPPED");
    manager.post(remove, json!({})).refused(404, 600);
}

#[test]
fn members_of_the_exclude_list_are_added_once_and_only_such_as_have_ports() {
    let (manager, _) = world();
    manager.post("/ip-sets", json!({"id": "set"})).expect(201);
    add(&manager, "LogicalSwitch", "segment").expect(200);
    add(&manager, "LogicalSwitch", "segment").expect(200);
    assert_eq!(manager.get("/firewall/excludelist").expect(200)["member_count"], 1);
    add(&manager, "IPSet", "set").refused(400, 255);
    add(&manager, "NSGroup", "nobody").refused(404, 600);
    manager.post("/firewall/excludelist?action=add_member", json!({})).refused(400, 255);
    manager.post("/firewall/excludelist?action=add", json!({})).refused(400, 255);
    let remove = "/firewall/excludelist?action=remove_member";
    manager.post(remove, json!({})).refused(400, 255);
    let deep = format!("{remove}&object_id=segment&deep_check=true");
    manager.post(&deep, json!({})).refused(501, 501);
    manager.post(&deep.replace("true", "false"), json!({})).expect(200);
}

#[test]
fn membership_in_the_exclude_list_can_be_asked_for() {
    let (manager, _) = world();
    add(&manager, "LogicalSwitch", "segment").expect(200);
    let ask = |query: &str| {
        let path = format!("/firewall/excludelist?action=check_if_exists&{query}");
        manager.call("POST", &path, "")
    };
    assert_eq!(ask("object_id=segment").expect(200)["target_type"], "LogicalSwitch");
    ask("object_id=a").refused(404, 600);
    assert_eq!(ask("object_id=a&deep_check=true").expect(200)["target_type"], "LogicalPort");
    ask("object_id=nobody&deep_check=true").refused(404, 600);
    ask("").refused(400, 255);
}

#[test]
fn the_whole_exclude_list_can_be_put() {
    let (manager, _) = world();
    let list = manager.get("/firewall/excludelist").expect(200);
    let body = with(list.clone(), json!({"members": [reference("LogicalPort", "a")]}));
    let put = manager.put("/firewall/excludelist", body.clone()).expect(200);
    assert_eq!((&put["member_count"], &put["_revision"]), (&json!(1), &json!(1)));
    manager.put("/firewall/excludelist", body).refused(412, 604);
    manager.put("/firewall/excludelist", put).expect(200);
}

#[test]
fn the_firewall_is_enabled_at_first_everywhere() {
    let (manager, _) = world();
    let listed = manager.get("/firewall/status").results();
    let told: Vec<(&Value, &Value)> =
        listed.iter().map(|own| (&own["context"], &own["global_status"])).collect();
    let enabled = json!("ENABLED");
    let contexts = [json!("logical_routers"), json!("transport_nodes")];
    assert_eq!(told, [(&contexts[0], &enabled), (&contexts[1], &enabled)]);
    manager.get("/firewall/status/nowhere").refused(404, 600);
}

#[test]
fn the_firewall_can_be_switched_off_and_on() {
    let (manager, _) = world();
    let switch = |word: &str| {
        let read = manager.get("/firewall/status/transport_nodes").expect(200);
        let body = with(read, json!({"global_status": word}));
        manager.put("/firewall/status/transport_nodes", body)
    };
    switch("DISABLED").expect(200);
    assert_eq!(send(&manager), "DELIVERED");
    switch("ENABLED").expect(200);
    assert_eq!(send(&manager), "DROPPED");
    switch("disabled").refused(400, 255);
    let foreign = json!({"context": "logical_routers", "global_status": "ENABLED", "_revision": 2});
    manager.put("/firewall/status/transport_nodes", foreign).refused(400, 255);
}

#[test]
fn single_hosts_can_be_switched_off() {
    let (manager, _) = world();
    let nodes = ["a", "b"].map(|id| {
        let state = manager.get(&format!("/logical-ports/{id}/state")).expect(200);
        state["transport_node_ids"][0].as_str().unwrap().to_owned()
    });
    for node in &nodes {
        let one = format!("/firewall/status/transport_nodes/{node}");
        assert_eq!(manager.get(&one).expect(200)["target_status"], "ENABLED");
        let off = manager.call("POST", &format!("{one}?action=disable_firewall"), "").expect(200);
        assert_eq!(off, json!({"target_id": node, "target_status": "DISABLED"}));
    }
    assert_eq!(send(&manager), "DELIVERED");
    let on = format!("/firewall/status/transport_nodes/{}?action=enable_firewall", nodes[1]);
    manager.call("POST", &on, "").expect(200);
    assert_eq!(send(&manager), "DROPPED");
    manager.get("/firewall/status/transport_nodes/nobody").refused(404, 600);
    // Routers are another firewall's targets: a host is none of them.
    for target in ["nobody", &nodes[0]] {
        let one = format!("/firewall/status/logical_routers/{target}");
        manager.get(&one).refused(404, 600);
        manager.call("POST", &format!("{one}?action=disable_firewall"), "").refused(404, 600);
    }
}

#[test]
fn the_targets_that_a_status_names_are_those_of_its_context() {
    let (manager, _) = world();
    let state = manager.get("/logical-ports/a/state").expect(200);
    let node = state["transport_node_ids"][0].clone();
    let off = |id: &Value| json!({"target_id": id, "target_status": "DISABLED"});
    let put = |context: &str, targets: Value| {
        let path = format!("/firewall/status/{context}");
        let read = manager.get(&path).expect(200);
        manager.put(&path, with(read, json!({"target_statuses": targets})))
    };
    put("transport_nodes", json!([off(&json!("nobody"))])).refused(404, 600);
    put("logical_routers", json!([off(&node)])).refused(404, 600);
    put("transport_nodes", json!([off(&node), off(&node)])).refused(400, 255);
    put("transport_nodes", json!([{"target_status": "DISABLED"}])).refused(400, 255);
    let stored = put("transport_nodes", json!([off(&node)])).expect(200);
    assert_eq!(stored["target_statuses"], json!([off(&node)]));
}

#[test]
fn counters_are_told_by_section_and_by_rule_and_can_be_reset() {
    let (manager, ids) = world();
    for _ in 0..3 {
        send(&manager);
    }
    let of_rule = format!("/firewall/sections/{}/rules/{}/stats", ids.section, ids.rules[0]);
    let stats = manager.get(&format!("{of_rule}?source=realtime")).expect(200);
    // A string here, a number in traceflows [facts §7].
    assert_eq!(stats["rule_id"], ids.rules[0].as_str());
    assert_eq!((&stats["packet_count"], &stats["hit_count"]), (&json!(3), &json!(3)));
    assert!(stats["byte_count"].as_u64().unwrap() > 0);
    let of_section = format!("/firewall/sections/{}/rules/stats", ids.section);
    let listed = manager.get(&of_section).expect(200);
    assert_eq!((&listed["result_count"], &listed["results"]), (&json!(1), &json!([stats])));
    manager.get(&format!("{of_section}?source=now")).refused(400, 255);

    let reset = |category: &str| {
        manager.call("POST", &format!("/firewall/stats?action=reset{category}"), "")
    };
    reset("&category=L3EDGE").expect(200);
    assert_eq!(manager.get(&of_rule).expect(200)["packet_count"], 3, "not these");
    reset("").refused(400, 255);
    reset("&category=ALL").refused(400, 255);
    reset("&category=L3DFW").expect(200);
    assert_eq!(manager.get(&of_rule).expect(200)["packet_count"], 0);
}

#[test]
fn counters_survive_changes_of_other_rules_and_go_with_their_own() {
    let (manager, ids) = world();
    send(&manager);
    section(&manager, "later", &[]);
    let stats = format!("/firewall/sections/{}/rules/{}/stats", ids.section, ids.rules[0]);
    assert_eq!(manager.get(&stats).expect(200)["hit_count"], 1);
    manager.delete(&format!("/firewall/sections/{}?cascade=true", ids.section)).expect(200);
    manager.get(&stats).refused(404, 600);
    let default = format!("/firewall/sections/{DEFAULT_L3}/rules/2/stats");
    assert_eq!(manager.get(&default).expect(200)["hit_count"], 0);
}
