//! Firewall rules [facts §4.10] and their coupling to the section.

use super::samples::{with, without};
use serde_json::{Value, json};
use tests::{
    Answer, DEFAULT_L3, Manager, RuleIds, address_set, any_rule, group_by_tag, reference, section,
    switch,
};

const STALE: u32 = 604;

/// A section with rules named as given.
fn named(names: &[&str]) -> (Manager, RuleIds, String) {
    let manager = Manager::new();
    let rules: Vec<Value> = names.iter().map(|name| any_rule(name, "ALLOW")).collect();
    let ids = section(&manager, "s", &rules);
    let path = format!("/firewall/sections/{}/rules", ids.section);
    (manager, ids, path)
}

fn names(manager: &Manager, path: &str) -> Vec<String> {
    manager.get(path).column("display_name")
}

fn one(manager: &Manager, more: Value) -> Answer {
    let rule = with(json!({"action": "ALLOW"}), more);
    let body = json!({"section_type": "LAYER3", "stateful": true, "rules": [rule]});
    manager.post("/firewall/sections?action=create_with_rules", body)
}

#[test]
fn a_rule_shows_its_defaults() {
    let manager = Manager::new();
    let made = one(&manager, json!({})).expect(201);
    let rule = &made["rules"][0];
    let expected = json!({
        "resource_type": "FirewallRule",
        "id": rule["id"],
        "display_name": rule["id"],
        "section_id": made["id"],
        "is_default": false,
        "priority": 0,
        "action": "ALLOW",
        "direction": "IN_OUT",
        "ip_protocol": "IPV4_IPV6",
        "sources_excluded": false,
        "destinations_excluded": false,
        "logged": false,
        "disabled": false,
        "_revision": 0,
    });
    assert_eq!(*rule, expected);
    assert!(rule["id"].is_string(), "a string of digits");
    let id = rule["id"].as_str().unwrap();
    assert_eq!(manager.get(&format!("/firewall/rules/{id}")).expect(200), *rule);
}

#[test]
fn every_member_of_a_rule_is_kept() {
    let manager = Manager::new();
    switch(&manager, "segment");
    address_set(&manager, "set", &["10.0.0.1"]);
    group_by_tag(&manager, "group", "s", "t");
    let service = json!({
        "service": {
            "resource_type": "L4PortSetNSService",
            "l4_protocol": "TCP",
            "source_ports": [],
            "destination_ports": ["8080"],
        },
    });
    let sent = json!({
        "display_name": "full",
        "description": "d",
        "notes": "n",
        "rule_tag": "t",
        "action": "REJECT",
        "direction": "IN",
        "ip_protocol": "IPV4",
        "sources": [reference("NSGroup", "group"), reference("IPv4Address", "10.0.0.0/24")],
        "sources_excluded": true,
        "destinations": [reference("IPSet", "set"), reference("LogicalSwitch", "segment")],
        "destinations_excluded": true,
        "services": [service],
        "applied_tos": [reference("NSGroup", "group")],
        "logged": true,
        "disabled": true,
    });
    let rule = one(&manager, sent.clone()).expect(201)["rules"][0].take();
    for (name, value) in sent.as_object().unwrap() {
        let plain = |value: &Value| -> Value {
            let Some(list) = value.as_array() else { return value.clone() };
            list.iter()
                .map(|own| without(without(own.clone(), "target_display_name"), "is_valid"))
                .collect()
        };
        assert_eq!(plain(&rule[name]), *value, "{name}");
    }
    assert_eq!(rule["sources"][0]["target_display_name"], "group");
    assert_eq!(rule["sources"][1]["target_display_name"], "10.0.0.0/24");
    assert_eq!(rule["sources"][1]["is_valid"], true);
}

#[test]
fn rules_outside_their_limits_are_refused() {
    let manager = Manager::new();
    address_set(&manager, "set", &[]);
    manager.post("/mac-sets", json!({"id": "macs"})).expect(201);
    let many: Value = (0..129).map(|_| reference("IPSet", "set")).collect();
    for wrong in [
        json!({"action": "REDIRECT"}),
        json!({"action": "allow"}),
        json!({"action": null}),
        json!({"direction": "BOTH"}),
        json!({"ip_protocol": "IPV5"}),
        json!({"sources": many}),
        json!({"sources": [reference("MACSet", "macs")]}),
        json!({"sources": [reference("IPv4Address", "10.0.0.300")]}),
        json!({"sources": [reference("VirtualMachine", "vm")]}),
        json!({"sources": [{"target_id": "set"}]}),
        json!({"services": [{}]}),
        json!({"services": [reference("IPSet", "set")]}),
        json!({"services": [{"service": {"resource_type": "EtherTypeNSService", "ether_type": 1}}]}),
        json!({"applied_tos": [reference("IPSet", "set")]}),
        json!({"rule_tag": "t".repeat(33)}),
        json!({"notes": "n".repeat(2_049)}),
        json!({"display_name": "n".repeat(256)}),
        json!({"resource_type": "NatRule"}),
    ] {
        one(&manager, wrong).refused(400, 255);
    }
    one(&manager, json!({"colour": "red"})).refused(400, 287);
    one(&manager, json!({"tags": []})).refused(400, 287);
    one(&manager, json!({"sources": [reference("NSGroup", "nobody")]})).refused(404, 600);
    one(&manager, json!({"services": [reference("NSService", "nobody")]})).refused(404, 600);
    // In the API, but not modelled: said, not ignored.
    one(&manager, json!({"context_profiles": [reference("NSProfile", "p")]})).refused(501, 501);
    assert_eq!(manager.get("/firewall/sections").results().len(), 1, "nothing was made");
}

#[test]
fn a_layer_2_rule_takes_mac_sets_and_ether_types_only() {
    let manager = Manager::new();
    manager.post("/mac-sets", json!({"id": "macs"})).expect(201);
    address_set(&manager, "set", &[]);
    let post = |rule: Value| {
        let rule = with(json!({"action": "DROP"}), rule);
        let body = json!({"section_type": "LAYER2", "stateful": false, "rules": [rule]});
        manager.post("/firewall/sections?action=create_with_rules", body)
    };
    let ether = json!([{"service": {"resource_type": "EtherTypeNSService", "ether_type": 2054}}]);
    post(json!({"sources": [reference("MACSet", "macs")], "services": ether})).expect(201);
    post(json!({"sources": [reference("IPSet", "set")]})).refused(400, 255);
    post(json!({"services": [{"service": {"resource_type": "IGMPTypeNSService"}}]}))
        .refused(400, 255);
}

#[test]
fn a_rule_is_added_where_it_is_told_to_the_top_by_default() {
    let (manager, ids, path) = named(&["a", "b"]);
    let first = ids.rules[0].as_str();
    for (revision, (name, query)) in [
        ("top", String::new()),
        ("bottom", "?operation=insert_bottom".into()),
        ("before", format!("?operation=insert_before&id={first}")),
        ("after", format!("?operation=insert_after&id={first}")),
    ]
    .into_iter()
    .enumerate()
    {
        let rule = with(any_rule(name, "DROP"), json!({"_revision": revision}));
        let added = manager.post(&format!("{path}{query}"), rule).expect(200);
        assert_eq!(added["_revision"], revision + 1, "the section's new revision");
    }
    assert_eq!(names(&manager, &path), ["top", "before", "a", "after", "b", "bottom"]);
    let rule = |query: &str| {
        let body = json!({"action": "DROP", "_revision": 4});
        manager.post(&format!("{path}?{query}"), body)
    };
    rule("operation=insert_before&id=99999").refused(404, 600);
    rule("operation=insert_before").refused(400, 255);
    rule("operation=nowhere").refused(400, 255);
}

#[test]
fn a_rule_is_added_only_at_the_sections_current_revision() {
    let (manager, ids, path) = named(&["a"]);
    // Since 2.4; 0 counted for all before.
    manager.post(&path, any_rule("none", "DROP")).refused(409, STALE);
    manager
        .post(&path, with(any_rule("stale", "DROP"), json!({"_revision": 5})))
        .refused(409, STALE);
    manager.post(&path, with(any_rule("fresh", "DROP"), json!({"_revision": 0}))).expect(200);
    manager
        .post(&path, with(any_rule("late", "DROP"), json!({"_revision": 0})))
        .refused(409, STALE);
    assert_eq!(names(&manager, &path), ["fresh", "a"]);
    let section = manager.get(&format!("/firewall/sections/{}", ids.section)).expect(200);
    assert_eq!((&section["_revision"], &section["rule_count"]), (&json!(1), &json!(2)));
}

#[test]
fn every_rule_carries_the_revision_of_its_section() {
    let (manager, ids, path) = named(&["a", "b"]);
    manager.delete(&format!("{path}/{}", ids.rules[1])).expect(200);
    let rule = manager.get(&format!("{path}/{}", ids.rules[0])).expect(200);
    assert_eq!(rule["_revision"], 1, "deleting its neighbour raised it");
    let section = manager.get(&format!("/firewall/sections/{}", ids.section)).expect(200);
    manager.put(&format!("/firewall/sections/{}", ids.section), section).expect(200);
    let rule = manager.get(&format!("{path}/{}", ids.rules[0])).expect(200);
    assert_eq!(rule["_revision"], 2, "changing the section raised it");
    let changed = manager.put(&format!("{path}/{}", ids.rules[0]), rule).expect(200);
    assert_eq!(changed["_revision"], 3);
    let all = manager.get(&path).results();
    assert!(all.iter().all(|rule| rule["_revision"] == 3));
}

#[test]
fn several_rules_are_added_together_in_their_order() {
    let (manager, _, path) = named(&["a"]);
    let create = format!("{path}?action=create_multiple&operation=insert_bottom");
    let rules = |revision: u32| {
        let rule = |name| with(any_rule(name, "DROP"), json!({"_revision": revision}));
        json!({"rules": [rule("b"), rule("c")]})
    };
    manager.post(&create, rules(3)).refused(409, STALE);
    let added = manager.post(&create, rules(0)).expect(200);
    let found: Vec<&Value> =
        added["rules"].as_array().unwrap().iter().map(|rule| &rule["display_name"]).collect();
    assert_eq!(found, ["b", "c"]);
    assert_eq!(added["rules"][1]["_revision"], 1, "one change");
    assert_eq!(names(&manager, &path), ["a", "b", "c"]);
    manager.post(&create, json!({})).refused(400, 255);
    manager.post(&create, json!({"rules": [7]})).refused(400, 255);
    manager.post(&create, json!({"rules": [{"action": "DROP"}]})).refused(409, STALE);
}

#[test]
fn an_id_is_the_managers_to_give_and_is_never_given_twice() {
    let (manager, ids, path) = named(&["a"]);
    let claimed = json!({"id": ids.rules[0], "action": "DROP", "_revision": 0});
    let added = manager.post(&path, claimed).expect(200);
    assert_ne!(added["id"], ids.rules[0].as_str());
    let id = added["id"].as_str().unwrap();
    manager.delete(&format!("{path}/{id}")).expect(200);
    let next = json!({"action": "DROP", "_revision": 2});
    assert_ne!(manager.post(&path, next).expect(200)["id"], id);
}

#[test]
fn a_put_replaces_the_rule_in_its_place() {
    let (manager, ids, path) = named(&["a", "b"]);
    let rule = format!("{path}/{}", ids.rules[1]);
    let body = json!({"action": "DROP", "_revision": 0});
    let changed = manager.put(&rule, body.clone()).expect(200);
    assert_eq!((&changed["id"], &changed["action"]), (&json!(ids.rules[1]), &json!("DROP")));
    assert_eq!(changed["display_name"], changed["id"], "the name was not sent again");
    assert_eq!(manager.get(&path).column("id"), ids.rules);
    manager.put(&rule, body).refused(409, STALE);
    manager.put(&rule, json!({"action": "DROP"})).refused(409, STALE);
    manager
        .put(&format!("{path}/99999"), json!({"action": "DROP", "_revision": 1}))
        .refused(404, 600);
    manager.put(&rule, changed).expect(200);
}

#[test]
fn a_rule_is_revised_and_moved_in_one_call() {
    let (manager, ids, path) = named(&["a", "b", "c"]);
    let revise = |at: usize, query: &str, revision: u32| {
        let body = with(any_rule("moved", "DROP"), json!({"_revision": revision}));
        manager.post(&format!("{path}/{}?action=revise{query}", ids.rules[at]), body)
    };
    revise(0, &format!("&operation=insert_after&id={}", ids.rules[2]), 0).expect(200);
    assert_eq!(names(&manager, &path), ["b", "c", "moved"]);
    revise(0, "", 1).expect(200);
    assert_eq!(names(&manager, &path), ["moved", "b", "c"]);
    revise(0, &format!("&operation=insert_before&id={}", ids.rules[0]), 2).refused(400, 255);
    revise(0, "&operation=insert_before&id=99999", 2).refused(404, 600);
    revise(0, "&operation=insert_bottom", 0).refused(409, STALE);
    assert_eq!(names(&manager, &path), ["moved", "b", "c"]);
}

#[test]
fn a_rule_is_deleted_without_a_revision() {
    let (manager, ids, path) = named(&["a", "b"]);
    let rule = format!("{path}/{}", ids.rules[0]);
    assert_eq!(manager.delete(&rule).expect(200), Value::Null);
    manager.delete(&rule).refused(404, 600);
    manager.get(&rule).refused(404, 600);
    manager.get(&format!("/firewall/rules/{}", ids.rules[0])).refused(404, 600);
    assert_eq!(names(&manager, &path), ["b"]);
}

#[test]
fn a_rule_is_found_only_in_its_own_section_and_by_its_exact_id() {
    let (manager, ids, path) = named(&["a"]);
    let id = &ids.rules[0];
    for wrong in [
        format!("/firewall/sections/{DEFAULT_L3}/rules/{id}"),
        format!("/firewall/sections/{DEFAULT_L3}/rules/{id}/stats"),
        format!("{path}/0{id}"),
        format!("{path}/+{id}"),
        format!("{path}/{id}x"),
        format!("/firewall/rules/0{id}"),
    ] {
        manager.get(&wrong).refused(404, 600);
    }
}

#[test]
fn of_a_default_rule_only_action_logging_and_names_change() {
    let manager = Manager::new();
    address_set(&manager, "set", &[]);
    let rule = format!("/firewall/sections/{DEFAULT_L3}/rules/2");
    // An Ansible client sends just these [yasensim].
    let body = json!({"action": "DROP", "display_name": "Default Layer3 Rule", "_revision": 0});
    let changed = manager.put(&rule, body.clone()).expect(200);
    assert_eq!((&changed["action"], &changed["is_default"]), (&json!("DROP"), &json!(true)));
    let current = with(body, json!({"_revision": 1, "logged": true}));
    for narrowed in [
        json!({"sources": [reference("IPSet", "set")]}),
        json!({"services": [{"service": {"resource_type": "IGMPTypeNSService"}}]}),
        json!({"destinations": [reference("IPv4Address", "10.0.0.1")]}),
        json!({"sources_excluded": true}),
        json!({"direction": "IN"}),
        json!({"ip_protocol": "IPV4"}),
        json!({"disabled": true}),
    ] {
        manager.put(&rule, with(current.clone(), narrowed)).expect(400);
    }
    manager.delete(&rule).expect(400);
    let moved = format!("{rule}?action=revise&operation=insert_top");
    manager.post(&moved, current.clone()).expect(400);
    manager.put(&rule, current).expect(200);
}

#[test]
fn a_disabled_rule_is_kept_and_does_nothing() {
    let manager = Manager::new();
    switch(&manager, "segment");
    tests::Port::new("segment", "a").address("10.0.0.1").make(&manager);
    tests::Port::new("segment", "b").address("10.0.0.2").make(&manager);
    one(&manager, json!({"action": "DROP", "disabled": true})).expect(201);
    let body = json!({"from": "a", "to": "b", "dst_port": 80});
    assert_eq!(manager.post("/sim/v1/explain", body).expect(200)["outcome"], "DELIVERED");
}

#[test]
fn a_service_of_another_layer_is_refused_whether_named_or_in_a_group() {
    let manager = Manager::new();
    let element = json!({"resource_type": "EtherTypeNSService", "ether_type": 2054});
    manager.post("/ns-services", json!({"id": "arp", "nsservice_element": element})).expect(201);
    let members = json!([reference("NSService", "arp")]);
    manager.post("/ns-service-groups", json!({"id": "l2", "members": members})).expect(201);
    for named in [reference("NSService", "arp"), reference("NSServiceGroup", "l2")] {
        one(&manager, json!({"action": "DROP", "services": [named]})).refused(400, 255);
    }
}

#[test]
fn a_service_that_is_gone_never_matches() {
    let manager = Manager::new();
    switch(&manager, "segment");
    tests::Port::new("segment", "a").address("10.0.0.1").make(&manager);
    tests::Port::new("segment", "b").address("10.0.0.2").make(&manager);
    let element = json!({"resource_type": "L4PortSetNSService", "l4_protocol": "TCP"});
    manager.post("/ns-services", json!({"id": "tcp", "nsservice_element": element})).expect(201);
    one(&manager, json!({"action": "DROP", "services": [reference("NSService", "tcp")]}))
        .expect(201);
    let outcome = || {
        let body = json!({"from": "a", "to": "b", "dst_port": 80});
        manager.post("/sim/v1/explain", body).expect(200)["outcome"].clone()
    };
    assert_eq!(outcome(), "DROPPED");
    manager.delete("/ns-services/tcp?force=true").expect(200);
    assert_eq!(outcome(), "DELIVERED");
}

#[test]
fn a_raw_address_is_of_the_family_that_its_type_names() {
    let manager = Manager::new();
    for (kind, text) in [("IPv4Address", "fe80::1"), ("IPv6Address", "10.0.0.1")] {
        let rule = json!({"action": "ALLOW", "sources": [reference(kind, text)]});
        one(&manager, rule).refused(400, 255);
    }
}

#[test]
fn adding_no_rules_at_all_is_refused_and_changes_nothing() {
    let manager = Manager::new();
    let body = json!({"id": "s", "section_type": "LAYER3", "stateful": true});
    manager.post("/firewall/sections", body).expect(201);
    let path = "/firewall/sections/s/rules?action=create_multiple";
    manager.post(path, json!({"rules": []})).refused(400, 255);
    assert_eq!(manager.get("/firewall/sections/s").expect(200)["_revision"], 0);
}

#[test]
fn a_section_put_without_its_action_has_no_member_rules() {
    let manager = Manager::new();
    let body = json!({"id": "s", "section_type": "LAYER3", "stateful": true});
    let mut made = manager.post("/firewall/sections", body).expect(201);
    made["rules"] = json!([]);
    manager.put("/firewall/sections/s", made).refused(400, 287);
}

#[test]
fn references_to_kinds_that_are_not_modelled_say_so() {
    let manager = Manager::new();
    let member = json!({
        "target_type": "DirectoryGroup", "target_property": "id", "op": "EQUALS", "value": "x",
    });
    manager.post("/ns-groups", json!({"members": [member]})).refused(501, 501);
}
