//! Firewall sections: making, placing, changing, deleting [facts §4.9].

use super::samples::{with, without};
use serde_json::{Value, json};
use tests::{Answer, DEFAULT_L2, DEFAULT_L3, Manager, Port, any_rule, reference, section, switch};

const STALE: u32 = 604;

fn make(manager: &Manager, name: &str, query: &str, more: Value) -> Answer {
    let body =
        json!({"id": name, "display_name": name, "section_type": "LAYER3", "stateful": true});
    manager.post(&format!("/firewall/sections{query}"), with(body, more))
}

fn order(manager: &Manager, query: &str) -> Vec<String> {
    manager.get(&format!("/firewall/sections{query}")).column("id")
}

fn rule_ids(section: &Value) -> Vec<&str> {
    let rules = section["rules"].as_array().into_iter().flatten();
    rules.filter_map(|rule| rule["id"].as_str()).collect()
}

#[test]
fn a_section_shows_its_defaults() {
    let manager = Manager::new();
    let made = make(&manager, "s", "", json!({})).expect(201);
    let expected = json!({
        "section_type": "LAYER3",
        "stateful": true,
        "tcp_strict": false,
        "rule_count": 0,
        "is_default": false,
        "enforced_on": "VIF",
        "locked": false,
        "autoplumbed": false,
        "resource_type": "FirewallSection",
        "_revision": 0,
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(made[name], *value, "{name}");
    }
    assert_eq!(manager.get("/firewall/sections/s").expect(200), made);
    // The list tells the priority, the single section does not.
    assert_eq!(made.get("priority"), None);
    assert_eq!(manager.get("/firewall/sections").results()[0]["priority"], 0);
}

#[test]
fn what_a_section_must_have_is_asked_for() {
    let manager = Manager::new();
    let post = |body: Value| manager.post("/firewall/sections", body);
    post(json!({"stateful": true})).refused(400, 255);
    post(json!({"section_type": "LAYER3"})).refused(400, 255);
    post(json!({"section_type": "LAYER4", "stateful": true})).refused(400, 255);
    post(json!({"section_type": "LAYER2", "stateful": true})).refused(400, 255);
    post(json!({"section_type": "LAYER2", "stateful": false})).expect(201);
    post(json!({"section_type": "LAYER3", "stateful": true, "colour": 1})).refused(400, 287);
    // In the API, but not modelled.
    post(json!({"section_type": "L3REDIRECT", "stateful": true})).refused(501, 501);
}

#[test]
fn a_section_goes_to_the_top_unless_told_otherwise_and_never_below_the_default_one() {
    let manager = Manager::new();
    for (name, query) in [
        ("a", ""),
        ("b", "?operation=insert_top"),
        ("c", "?operation=insert_bottom"),
        ("d", "?operation=insert_before&id=a"),
        ("e", "?operation=insert_after&id=a"),
        ("f", &*format!("?operation=insert_before&id={DEFAULT_L3}")),
    ] {
        make(&manager, name, query, json!({})).expect(201);
    }
    assert_eq!(order(&manager, ""), ["b", "d", "a", "e", "c", "f", DEFAULT_L3]);
    let below = format!("?operation=insert_after&id={DEFAULT_L3}");
    make(&manager, "g", &below, json!({})).refused(400, 255);
}

#[test]
fn a_place_that_does_not_exist_is_refused_and_nothing_is_made() {
    let manager = Manager::new();
    make(&manager, "s", "?operation=insert_before&id=nobody", json!({})).refused(404, 600);
    make(&manager, "s", "?operation=insert_after&id=nobody", json!({})).refused(404, 600);
    make(&manager, "s", "?operation=insert_before", json!({})).refused(400, 255);
    make(&manager, "s", "?operation=insert_somewhere", json!({})).refused(400, 255);
    let other_layer = format!("?operation=insert_before&id={DEFAULT_L2}");
    make(&manager, "s", &other_layer, json!({})).expect(400);
    assert_eq!(order(&manager, ""), [DEFAULT_L3]);
}

#[test]
fn layers_are_listed_and_ordered_apart() {
    let manager = Manager::new();
    let layer2 = json!({"section_type": "LAYER2", "stateful": false});
    make(&manager, "two", "?operation=insert_bottom", layer2).expect(201);
    make(&manager, "three", "?operation=insert_bottom", json!({})).expect(201);
    assert_eq!(order(&manager, ""), ["three", DEFAULT_L3], "layer 3 unless asked [spec]");
    assert_eq!(order(&manager, "?type=LAYER3"), ["three", DEFAULT_L3]);
    assert_eq!(order(&manager, "?type=LAYER2"), ["two", DEFAULT_L2]);
    manager.get("/firewall/sections?type=layer2").refused(400, 255);
}

#[test]
fn a_section_is_made_with_its_rules_in_their_order() {
    let manager = Manager::new();
    let rules = json!([any_rule("one", "ALLOW"), any_rule("two", "DROP")]);
    let made =
        make(&manager, "s", "?action=create_with_rules", json!({"rules": rules})).expect(201);
    assert_eq!(made["rule_count"], 2);
    let names: Vec<&Value> =
        made["rules"].as_array().unwrap().iter().map(|rule| &rule["display_name"]).collect();
    assert_eq!(names, ["one", "two"]);
    assert!(rule_ids(&made).iter().all(|id| id.parse::<u64>().unwrap() > 1_000), "[tf, sapcc]");
    let read = manager.post("/firewall/sections/s?action=list_with_rules", json!({})).expect(200);
    assert_eq!(read, made);
    // nsxlib posts no body at all.
    let empty = manager.call("POST", "/firewall/sections/s?action=list_with_rules", "");
    assert_eq!(empty.expect(200), made);
    assert_eq!(manager.get("/firewall/sections/s").expect(200).get("rules"), None);
    make(&manager, "t", "?action=create_with_rules", json!({})).refused(400, 255);
}

#[test]
fn a_put_changes_the_section_and_leaves_its_rules() {
    let manager = Manager::new();
    let ids = section(&manager, "s", &[any_rule("one", "ALLOW")]);
    let one = format!("/firewall/sections/{}", ids.section);
    let read = manager.get(&one).expect(200);
    let changed = manager.put(&one, with(read, json!({"tcp_strict": true}))).expect(200);
    assert_eq!((&changed["tcp_strict"], &changed["_revision"]), (&json!(true), &json!(1)));
    let rules = manager.get(&format!("{one}/rules")).column("id");
    assert_eq!(rules, ids.rules);
}

#[test]
fn type_and_statefulness_do_not_change() {
    let manager = Manager::new();
    let made = make(&manager, "s", "", json!({})).expect(201);
    for other in [json!({"section_type": "LAYER2"}), json!({"stateful": false})] {
        manager.put("/firewall/sections/s", with(made.clone(), other)).refused(400, 255);
    }
}

#[test]
fn a_stale_section_answers_409() {
    // The firewall's own text [spec]; clients accept 409 and 412 alike.
    let manager = Manager::new();
    let ids = section(&manager, "s", &[any_rule("one", "ALLOW")]);
    let one = format!("/firewall/sections/{}", ids.section);
    let read = manager.post(&format!("{one}?action=list_with_rules"), json!({})).expect(200);
    let none = without(read.clone(), "_revision");
    let stale = with(read.clone(), json!({"_revision": 7}));
    for body in [none, stale] {
        let text = manager.put(&one, without(body.clone(), "rules")).refused(409, STALE);
        assert!(text.contains("Fetch the latest copy of the object and retry"), "{text}");
        for action in ["update_with_rules", "revise_with_rules"] {
            manager.post(&format!("{one}?action={action}"), body.clone()).refused(409, STALE);
        }
        let revise = format!("{one}?action=revise");
        manager.post(&revise, without(body, "rules")).refused(409, STALE);
    }
    assert_eq!(manager.get(&one).expect(200)["_revision"], read["_revision"]);
}

#[test]
fn updating_with_rules_keeps_the_ids_of_known_rules_and_drops_the_rest() {
    let manager = Manager::new();
    let ids = section(&manager, "s", &["a", "b", "c"].map(|name| any_rule(name, "ALLOW")));
    let update = format!("/firewall/sections/{}?action=update_with_rules", ids.section);
    let body = json!({
        "section_type": "LAYER3", "stateful": true, "_revision": 0,
        "rules": [
            {"id": ids.rules[2], "action": "DROP"},
            any_rule("new", "ALLOW"),
            {"id": ids.rules[0].parse::<u64>().unwrap(), "action": "ALLOW"},
            {"id": "99999", "action": "ALLOW"},
        ],
    });
    let updated = manager.post(&update, body).expect(200);
    let found = rule_ids(&updated);
    assert_eq!((found[0], found[2]), (ids.rules[2].as_str(), ids.rules[0].as_str()));
    assert!(!ids.rules.iter().any(|id| id == found[1]));
    assert_ne!(found[3], "99999", "an id that the section does not know is not taken");
    assert_eq!((&updated["rule_count"], &updated["_revision"]), (&json!(4), &json!(1)));
    manager.get(&format!("/firewall/rules/{}", ids.rules[1])).refused(404, 600);
}

#[test]
fn an_empty_list_of_rules_empties_the_section_and_none_is_refused() {
    let manager = Manager::new();
    let ids = section(&manager, "s", &[any_rule("one", "ALLOW")]);
    let update = format!("/firewall/sections/{}?action=update_with_rules", ids.section);
    let body = json!({"section_type": "LAYER3", "stateful": true, "_revision": 0});
    manager.post(&update, body.clone()).refused(400, 255);
    manager.post(&update, with(body.clone(), json!({"rules": null}))).refused(400, 255);
    let emptied = manager.post(&update, with(body, json!({"rules": []}))).expect(200);
    assert_eq!((&emptied["rules"], &emptied["rule_count"]), (&json!([]), &json!(0)));
}

#[test]
fn revising_changes_and_moves_in_one_call() {
    let manager = Manager::new();
    for name in ["c", "b", "a"] {
        make(&manager, name, "", json!({})).expect(201);
    }
    let revise = |id: &str, query: &str| {
        let read = manager.get(&format!("/firewall/sections/{id}")).expect(200);
        let body = with(read, json!({"description": "moved"}));
        manager.post(&format!("/firewall/sections/{id}?action=revise{query}"), body)
    };
    let revised = revise("a", "&operation=insert_after&id=c").expect(200);
    assert_eq!((&revised["description"], &revised["_revision"]), (&json!("moved"), &json!(1)));
    assert_eq!(order(&manager, ""), ["b", "c", "a", DEFAULT_L3]);
    revise("a", "&operation=insert_top").expect(200);
    assert_eq!(order(&manager, ""), ["a", "b", "c", DEFAULT_L3]);
    revise("a", "&operation=insert_before&id=nobody").refused(404, 600);
    revise("a", "&operation=insert_before&id=a").expect(404);
    assert_eq!(manager.get("/firewall/sections/a").expect(200)["_revision"], 2);
    let with_rules = json!({
        "section_type": "LAYER3", "stateful": true, "_revision": 0, "rules": [any_rule("r", "DROP")],
    });
    let path = "/firewall/sections/b?action=revise_with_rules&operation=insert_bottom";
    assert_eq!(manager.post(path, with_rules).expect(200)["rules"][0]["display_name"], "r");
    assert_eq!(order(&manager, ""), ["a", "c", "b", DEFAULT_L3]);
}

#[test]
fn a_section_with_rules_goes_only_by_cascade() {
    let manager = Manager::new();
    let ids = section(&manager, "s", &[any_rule("one", "ALLOW")]);
    let one = format!("/firewall/sections/{}", ids.section);
    manager.delete(&one).expect(400);
    manager.delete(&format!("{one}?cascade=maybe")).refused(400, 255);
    let deleted = manager.delete(&format!("{one}?cascade=True"));
    assert_eq!(deleted.expect(200), Value::Null);
    manager.delete(&one).refused(404, 600);
    manager.get(&format!("/firewall/rules/{}", ids.rules[0])).refused(404, 600);
    make(&manager, "empty", "", json!({})).expect(201);
    manager.delete("/firewall/sections/empty").expect(200);
    assert_eq!(order(&manager, ""), [DEFAULT_L3]);
}

#[test]
fn both_default_sections_are_there_with_their_one_rule() {
    let manager = Manager::new();
    for (id, name, rule, stateful) in [
        (DEFAULT_L3, "Default Layer3 Section", "Default Layer3 Rule", true),
        (DEFAULT_L2, "Default Layer2 Section", "Default Layer2 Rule", false),
    ] {
        let path = format!("/firewall/sections/{id}?action=list_with_rules");
        let own = manager.post(&path, json!({})).expect(200);
        assert_eq!(own["display_name"], name);
        assert_eq!((&own["is_default"], &own["stateful"]), (&json!(true), &json!(stateful)));
        let rules = own["rules"].as_array().unwrap();
        let last = rules.last().unwrap();
        assert_eq!((&last["display_name"], &last["action"]), (&json!(rule), &json!("ALLOW")));
        assert_eq!(last["is_default"], true);
    }
}

#[test]
fn default_sections_neither_move_nor_go_nor_narrow() {
    let manager = Manager::new();
    let one = format!("/firewall/sections/{DEFAULT_L3}");
    manager.delete(&one).expect(400);
    manager.overwriting().delete(&format!("{one}?cascade=true")).expect(400);
    let read = manager.get(&one).expect(200);
    manager.post(&format!("{one}?action=revise&operation=insert_top"), read.clone()).expect(400);
    switch(&manager, "segment");
    let narrowed = json!({"applied_tos": [reference("LogicalSwitch", "segment")]});
    manager.put(&one, with(read.clone(), narrowed)).refused(400, 255);
    manager.put(&one, read).expect(200);
    assert_eq!(order(&manager, ""), [DEFAULT_L3]);
}

#[test]
fn rules_may_stand_above_the_default_rule_which_stays_last() {
    let manager = Manager::new();
    let one = format!("/firewall/sections/{DEFAULT_L3}");
    let add = |query: &str, revision: u32| {
        let body = json!({"action": "DROP", "_revision": revision});
        manager.post(&format!("{one}/rules{query}"), body)
    };
    add("?operation=insert_bottom", 0).expect(200);
    add("?operation=insert_after&id=2", 1).expect(400);
    let read = manager.post(&format!("{one}?action=list_with_rules"), json!({})).expect(200);
    assert_eq!(*rule_ids(&read).last().unwrap(), "2");
    let mut turned = read.clone();
    turned["rules"].as_array_mut().unwrap().reverse();
    let update = format!("{one}?action=update_with_rules");
    manager.post(&update, turned).expect(400);
    manager.post(&update, with(read.clone(), json!({"rules": []}))).expect(400);
    manager.post(&update, read).expect(200);
}

#[test]
fn sections_apply_to_ports_switches_and_groups_only() {
    let manager = Manager::new();
    switch(&manager, "segment");
    Port::new("segment", "pod").make(&manager);
    manager.post("/ns-groups", json!({"id": "group"})).expect(201);
    manager.post("/ip-sets", json!({"id": "set"})).expect(201);
    let targets = [("NSGroup", "group"), ("LogicalPort", "pod"), ("LogicalSwitch", "segment")];
    let applied: Value = targets.iter().map(|(kind, id)| reference(kind, id)).collect();
    let made = make(&manager, "s", "", json!({"applied_tos": applied})).expect(201);
    assert_eq!(made["applied_tos"][2]["target_display_name"], "segment");
    let with_target = |own: Value| make(&manager, "t", "", json!({"applied_tos": [own]}));
    with_target(reference("IPSet", "set")).refused(400, 255);
    with_target(reference("IPv4Address", "10.0.0.1")).refused(400, 255);
    with_target(reference("NSGroup", "nobody")).refused(404, 600);
    with_target(json!({"target_id": "group"})).refused(400, 255);
    with_target(reference("LogicalRouter", "nobody")).refused(404, 600);
    let many: Value = (0..129).map(|_| reference("NSGroup", "group")).collect();
    make(&manager, "t", "", json!({"applied_tos": many})).refused(400, 255);
}

#[test]
fn a_section_holds_1000_rules() {
    let manager = Manager::new();
    let rules: Vec<Value> = (0..1_001).map(|_| json!({"action": "ALLOW"})).collect();
    let create = "?action=create_with_rules";
    make(&manager, "s", create, json!({"rules": rules})).refused(400, 255);
    let made = make(&manager, "s", create, json!({"rules": rules[1..]})).expect(201);
    assert_eq!(made["rule_count"], 1_000);
    let more = json!({"action": "ALLOW", "_revision": 0});
    manager.post("/firewall/sections/s/rules", more).refused(400, 255);
}

#[test]
fn realization_has_succeeded_when_the_call_returns() {
    let manager = Manager::new();
    let ids = section(&manager, "s", &[any_rule("one", "ALLOW")]);
    let state = manager.get(&format!("/firewall/sections/{}/state?barrier_id=1", ids.section));
    let state = state.expect(200);
    let expected = json!({
        "state": "success", "details": [], "revision_desired": 0, "pending_change_list": [],
    });
    assert_eq!(state, expected);
    let rule = manager.get(&format!("/firewall/rules/{}/state", ids.rules[0])).expect(200);
    assert_eq!(rule["state"], "success");
    manager.get("/firewall/sections/nobody/state").refused(404, 600);
    manager.get("/firewall/rules/99999/state").refused(404, 600);
}

#[test]
fn the_summary_counts_sections_and_rules_by_type() {
    let manager = Manager::new();
    section(&manager, "s", &[any_rule("one", "ALLOW"), any_rule("two", "ALLOW")]);
    let summary = manager.get("/firewall/sections/summary?source=cached").expect(200);
    let counts: Vec<(&str, u64, u64)> = summary["sections_summary"]
        .as_array()
        .unwrap()
        .iter()
        .map(|own| {
            let count = |name: &str| own[name].as_u64().unwrap();
            (own["section_type"].as_str().unwrap(), count("section_count"), count("rule_count"))
        })
        .collect();
    let expected =
        [("L2DFW", 1, 1), ("L3DFW", 2, 3), ("L3BRIDGEPORTFW", 0, 0), ("L3LOGICALROUTERFW", 0, 0)];
    assert_eq!(counts, expected);
    manager.get("/firewall/sections/summary?source=now").refused(400, 255);
}
