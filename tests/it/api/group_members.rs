//! What belongs to a group in the end, and what uses it.

use serde_json::{Value, json};
use tests::{Manager, Port, address_set, any_rule, group_by_tag, reference, section, switch};

/// Two pods, a set, a switch; groups `pods` (by tag), `mixed` (all sorts) and `outer` (holds both).
fn world() -> Manager {
    let manager = Manager::new();
    switch(&manager, "segment");
    switch(&manager, "other");
    Port::new("segment", "one").tag("app", "a").address("10.0.0.2").make(&manager);
    Port::new("segment", "two").tag("app", "a").address("10.0.0.1").make(&manager);
    Port::new("other", "three").tag("app", "b").address("10.0.1.0/30").make(&manager);
    address_set(&manager, "set", &["10.9.0.0/24", "10.0.0.1"]);
    group_by_tag(&manager, "pods", "app", "a");
    let members = [("LogicalSwitch", "other"), ("IPSet", "set")].map(|(kind, id)| member(kind, id));
    manager.post("/ns-groups", json!({"id": "mixed", "members": members})).expect(201);
    let members = [("NSGroup", "pods"), ("NSGroup", "mixed")].map(|(kind, id)| member(kind, id));
    manager.post("/ns-groups", json!({"id": "outer", "members": members})).expect(201);
    manager
}

fn member(kind: &str, id: &str) -> Value {
    json!({
        "resource_type": "NSGroupSimpleExpression",
        "target_type": kind,
        "target_property": "id",
        "op": "EQUALS",
        "value": id,
    })
}

fn effective(manager: &Manager, group: &str, kind: &str) -> Vec<String> {
    let path = format!("/ns-groups/{group}/effective-{kind}-members");
    manager.get(&path).column("target_id")
}

fn addresses(manager: &Manager, group: &str) -> Vec<Value> {
    manager.get(&format!("/ns-groups/{group}/effective-ip-address-members")).results()
}

#[test]
fn effective_members_are_told_by_kind_however_deep() {
    let manager = world();
    assert_eq!(effective(&manager, "pods", "logical-port"), ["one", "two"]);
    assert_eq!(effective(&manager, "outer", "logical-port"), ["one", "three", "two"]);
    assert_eq!(effective(&manager, "outer", "logical-switch"), ["other"]);
    assert_eq!(effective(&manager, "outer", "ipset"), ["set"]);
    for absent in ["virtual-machine", "vif", "transport-node", "directory-group"] {
        assert_eq!(effective(&manager, "outer", absent).len(), 0);
    }
    let first = &manager.get("/ns-groups/pods/effective-logical-port-members").results()[0];
    let expected = json!({
        "target_id": "one",
        "target_type": "LogicalPort",
        "target_display_name": "one",
        "is_valid": true,
    });
    assert_eq!(*first, expected);
}

#[test]
fn effective_addresses_are_strings_in_order_and_each_once() {
    let manager = world();
    assert_eq!(addresses(&manager, "pods"), ["10.0.0.1", "10.0.0.2"]);
    let all = addresses(&manager, "outer");
    assert_eq!(all, ["10.0.0.1", "10.0.0.2", "10.0.1.0/30", "10.9.0.0/24"]);
    let first = manager.get("/ns-groups/outer/effective-ip-address-members?page_size=3");
    let first = first.expect(200);
    assert_eq!(first["result_count"], 4);
    let cursor = first["cursor"].as_str().unwrap();
    let rest =
        manager.get(&format!("/ns-groups/outer/effective-ip-address-members?cursor={cursor}"));
    assert_eq!(rest.results(), ["10.9.0.0/24"]);
}

#[test]
fn lists_about_a_group_obey_the_sorting_asked_for() {
    let manager = Manager::new();
    switch(&manager, "segment");
    for (id, name) in [("a", "second"), ("b", "first")] {
        let port = json!({
            "id": id, "display_name": name, "logical_switch_id": "segment", "admin_state": "UP",
            "tags": [tests::tag("app", "a")],
        });
        manager.post("/logical-ports", port).expect(201);
    }
    group_by_tag(&manager, "pods", "app", "a");
    let rule = |name: &str| json!({"display_name": name, "action": "DROP", "sources": [reference("NSGroup", "pods")]});
    section(&manager, "s", &[rule("y"), rule("x")]);
    let list = |name: &str, query: &str| manager.get(&format!("/ns-groups/pods/{name}{query}"));
    let members = "effective-logical-port-members";
    assert_eq!(list(members, "").column("target_id"), ["b", "a"]);
    assert_eq!(list(members, "?sort_by=target_id").column("target_id"), ["a", "b"]);
    list(members, "?sort_by=nothing").refused(400, 255);
    list("effective-ip-address-members", "?sort_by=ip").refused(400, 255);
    let users = "service-associations?service_type=firewall";
    assert_eq!(list(users, "").column("display_name"), ["x", "y"]);
    assert_eq!(list(users, "&sort_by=id").column("display_name"), ["y", "x"]);
    list(users, "&sort_by=sources").refused(400, 255);
}

#[test]
fn members_follow_tags_at_once() {
    let manager = world();
    let pod = manager.get("/logical-ports/three").expect(200);
    let relabelled = super::samples::with(pod, json!({"tags": [tests::tag("app", "a")]}));
    manager.put("/logical-ports/three", relabelled).expect(200);
    assert_eq!(effective(&manager, "pods", "logical-port"), ["one", "three", "two"]);
    manager.delete("/logical-ports/one?detach=true").expect(200);
    assert_eq!(effective(&manager, "pods", "logical-port"), ["three", "two"]);
    Port::new("segment", "four").tag("app", "a").make(&manager);
    assert_eq!(effective(&manager, "pods", "logical-port"), ["four", "three", "two"]);
}

#[test]
fn all_parts_of_a_complex_criterion_must_hold_and_any_of_the_criteria() {
    let manager = world();
    let by_tag = |scope: &str, own: &str| {
        json!({
            "resource_type": "NSGroupTagExpression",
            "target_type": "LogicalPort",
            "scope": scope,
            "tag": own,
        })
    };
    Port::new("other", "both").tag("app", "a").tag("tier", "web").make(&manager);
    let complex = json!({
        "resource_type": "NSGroupComplexExpression",
        "expressions": [by_tag("app", "a"), by_tag("tier", "web")],
    });
    let body = json!({"id": "g", "membership_criteria": [complex.clone()]});
    manager.post("/ns-groups", body).expect(201);
    assert_eq!(effective(&manager, "g", "logical-port"), ["both"]);
    let body = json!({"membership_criteria": [complex, by_tag("app", "b")], "_revision": 0});
    manager.put("/ns-groups/g", body).expect(200);
    assert_eq!(effective(&manager, "g", "logical-port"), ["both", "three"]);
}

#[test]
fn an_absent_part_of_a_tag_criterion_fits_anything() {
    let manager = world();
    let body = |criterion: Value| json!({"id": "g", "membership_criteria": [criterion]});
    let scope = json!({
        "resource_type": "NSGroupTagExpression", "target_type": "LogicalPort", "scope": "app",
    });
    manager.post("/ns-groups", body(scope)).expect(201);
    assert_eq!(effective(&manager, "g", "logical-port"), ["one", "three", "two"]);
    manager.delete("/ns-groups/g").expect(200);
    let only_tag = json!({
        "resource_type": "NSGroupTagExpression", "target_type": "LogicalPort", "tag": "b",
    });
    manager.post("/ns-groups", body(only_tag)).expect(201);
    assert_eq!(effective(&manager, "g", "logical-port"), ["three"]);
}

#[test]
fn groups_can_choose_by_name() {
    let manager = world();
    let criterion = |op: &str, value: &str| {
        json!({
            "resource_type": "NSGroupSimpleExpression",
            "target_type": "LogicalPort",
            "target_property": "name",
            "op": op,
            "value": value,
        })
    };
    for (op, value, expected) in [
        ("EQUALS", "one", &["one"][..]),
        ("STARTSWITH", "t", &["three", "two"]),
        ("ENDSWITH", "e", &["one", "three"]),
        ("CONTAINS", "w", &["two"]),
        ("NOTEQUALS", "one", &["three", "two"]),
    ] {
        let body = json!({"id": "g", "membership_criteria": [criterion(op, value)]});
        manager.post("/ns-groups", body).expect(201);
        assert_eq!(effective(&manager, "g", "logical-port"), expected, "{op} {value}");
        manager.delete("/ns-groups/g").expect(200);
    }
}

#[test]
fn member_types_are_words() {
    let types = world().get("/ns-groups/mixed/member-types").expect(200);
    assert_eq!(types, json!({"result_count": 2, "results": ["IPSet", "LogicalSwitch"]}));
}

#[test]
fn service_associations_tell_the_rules_that_use_a_group() {
    let manager = world();
    let rules = [
        json!({"action": "DROP", "sources": [reference("NSGroup", "pods")]}),
        any_rule("unrelated", "ALLOW"),
        json!({"action": "DROP", "applied_tos": [reference("NSGroup", "outer")]}),
    ];
    let ids = section(&manager, "s", &rules);
    let found = |query: &str| {
        manager.get(&format!("/ns-groups/pods/service-associations?{query}")).expect(200)
    };
    let direct = found("service_type=firewall");
    // The odd capital is the product's [facts §4.5].
    assert_eq!(direct["service_type"], "FireWallServiceAssociationListResult");
    assert_eq!(direct["result_count"], 1);
    assert_eq!(direct["results"][0]["id"], ids.rules[0].as_str());
    let parents = found("service_type=firewall&fetch_parentgroup_associations=true");
    assert_eq!(parents["result_count"], 2);
    assert_eq!(found("service_type=ipfix")["result_count"], 0);
    let path = "/ns-groups/pods/service-associations";
    manager.get(path).refused(400, 255);
    manager.get(&format!("{path}?service_type=other")).refused(400, 255);
}

#[test]
fn the_lists_of_an_unknown_group_are_not_found() {
    let manager = world();
    for list in [
        "effective-logical-port-members",
        "effective-ip-address-members",
        "effective-vif-members",
        "member-types",
        "service-associations?service_type=firewall",
    ] {
        manager.get(&format!("/ns-groups/nobody/{list}")).refused(404, 600);
    }
    assert_eq!(manager.get("/ns-groups/unassociated-virtual-machines").results().len(), 0);
}
