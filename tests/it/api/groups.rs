//! Groups: what may stand in them, and how they hold each other [facts §4.5].

use serde_json::{Value, json};
use tests::{Answer, Manager, address_set, group_by_tag, reference, section};

fn group(manager: &Manager, id: &str, members: &[Value], criteria: &[Value]) -> Answer {
    let body = json!({"id": id, "members": members, "membership_criteria": criteria});
    manager.post("/ns-groups", body)
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

fn by_tag(kind: &str, scope: &str, own: &str) -> Value {
    json!({
        "resource_type": "NSGroupTagExpression", "target_type": kind, "scope": scope, "tag": own,
    })
}

fn all_of(expressions: &[Value]) -> Value {
    json!({"resource_type": "NSGroupComplexExpression", "expressions": expressions})
}

#[test]
fn expressions_show_the_defaults_of_the_schema() {
    let manager = Manager::new();
    address_set(&manager, "set", &[]);
    let made = group(&manager, "g", &[member("IPSet", "set")], &[by_tag("LogicalPort", "s", "t")]);
    let made = made.expect(201);
    assert_eq!(made["members"], json!([member("IPSet", "set")]));
    assert_eq!(made["member_count"], 1, "static members alone are counted");
    let expected = json!({
        "resource_type": "NSGroupTagExpression",
        "target_type": "LogicalPort",
        "scope": "s",
        "scope_op": "EQUALS",
        "tag": "t",
        "tag_op": "EQUALS",
    });
    assert_eq!(made["membership_criteria"], json!([expected]));
    let empty = group(&manager, "empty", &[], &[]).expect(201);
    assert_eq!((&empty["members"], &empty["member_count"]), (&json!([]), &json!(0)));
}

#[test]
fn criteria_that_the_schema_excludes_are_refused() {
    let port = by_tag("LogicalPort", "s", "t");
    let simple = |property: &str, op: &str| {
        json!({
            "resource_type": "NSGroupSimpleExpression",
            "target_type": "VirtualMachine",
            "target_property": property,
            "op": op,
            "value": "v",
        })
    };
    let mut contains = by_tag("VirtualMachine", "s", "t");
    contains["tag_op"] = json!("CONTAINS");
    for fine in [
        vec![simple("name", "STARTSWITH"), simple("os_name", "NOTEQUALS")],
        vec![contains.clone()],
        vec![all_of(&[port.clone(), port.clone()])],
        vec![all_of(&[contains.clone(), simple("name", "CONTAINS")])],
        vec![port.clone(); 5],
    ] {
        group(&Manager::new(), "g", &[], &fine).expect(201);
    }
    let mut unlike = contains.clone();
    unlike["tag_op"] = json!("NOTEQUALS");
    contains["target_type"] = json!("LogicalPort");
    let mut starts = port.clone();
    starts["scope_op"] = json!("STARTSWITH");
    for wrong in [
        vec![port.clone(); 6],
        // Other comparisons are for virtual machines alone.
        vec![contains],
        vec![unlike],
        vec![starts],
        vec![simple("colour", "EQUALS")],
        vec![simple("name", "LIKE")],
        vec![by_tag("NSGroup", "s", "t")],
        vec![by_tag("LogicalPort", &"s".repeat(129), "t")],
        vec![by_tag("LogicalPort", "s", &"t".repeat(257))],
        vec![json!({"resource_type": "NSGroupTagExpression", "target_type": "LogicalPort"})],
        // Complex ones hold two to five simple ones of one kind.
        vec![all_of(std::slice::from_ref(&port))],
        vec![all_of(&vec![port.clone(); 6])],
        vec![all_of(&[port.clone(), all_of(&[port.clone(), port.clone()])])],
        vec![all_of(&[port.clone(), by_tag("LogicalSwitch", "s", "t")])],
        vec![json!({"resource_type": "NSGroupOtherExpression"})],
        vec![json!({"target_type": "LogicalPort", "tag": "t"})],
    ] {
        group(&Manager::new(), "g", &[], &wrong).refused(400, 255);
    }
}

#[test]
fn static_members_are_named_by_id_and_are_no_virtual_machines() {
    let manager = Manager::new();
    address_set(&manager, "set", &[]);
    group(&manager, "g", &[member("VirtualMachine", "vm")], &[]).expect(400);
    let mut by_name = member("IPSet", "set");
    by_name["target_property"] = json!("name");
    group(&manager, "g", &[by_name], &[]).refused(400, 255);
    let mut similar = member("IPSet", "set");
    similar["op"] = json!("CONTAINS");
    group(&manager, "g", &[similar], &[]).refused(400, 255);
    group(&manager, "g", &[by_tag("LogicalPort", "s", "t")], &[]).expect(400);
}

#[test]
fn a_member_must_exist_when_it_is_named() {
    let manager = Manager::new();
    for kind in ["IPSet", "MACSet", "LogicalPort", "LogicalSwitch", "NSGroup"] {
        let text = group(&manager, "g", &[member(kind, "nobody")], &[]).refused(404, 600);
        assert!(text.contains(&format!("object identifier {kind}/nobody is missing")), "{text}");
    }
}

#[test]
fn a_group_holds_500_members() {
    let manager = Manager::new();
    let members: Vec<Value> = (0..501)
        .map(|at| member("IPSet", &address_set(&manager, &format!("set-{at}"), &[])))
        .collect();
    group(&manager, "g", &members, &[]).refused(400, 255);
    group(&manager, "g", &members[..500], &[]).expect(201);
    let more = json!({"members": [members[500]]});
    manager.post("/ns-groups/g?action=ADD_MEMBERS", more).refused(400, 255);
}

#[test]
fn members_are_added_and_removed_without_a_revision() {
    let manager = Manager::new();
    group(&manager, "g", &[], &[]).expect(201);
    address_set(&manager, "set", &[]);
    let body = json!({"members": [member("IPSet", "set")]});
    let (add, remove) = ("/ns-groups/g?action=ADD_MEMBERS", "/ns-groups/g?action=REMOVE_MEMBERS");
    let added = manager.post(add, body.clone()).expect(200);
    assert_eq!((&added["member_count"], &added["_revision"]), (&json!(1), &json!(1)));
    assert_eq!(manager.get("/ns-groups/g").expect(200), added, "the whole group is answered");
    assert_eq!(manager.post(add, body.clone()).expect(200)["member_count"], 1, "once is enough");
    assert_eq!(manager.post(remove, body.clone()).expect(200)["member_count"], 0);
    // nsxlib tells an absent member by the error.
    manager.post(remove, body.clone()).expect(400);
    manager.post("/ns-groups/g?action=add_members", body.clone()).refused(400, 255);
    manager.post("/ns-groups/none?action=ADD_MEMBERS", body).refused(404, 600);
    manager.post(add, json!({})).refused(400, 255);
    let missing = json!({"members": [member("IPSet", "nobody")]});
    manager.post(add, missing).refused(404, 600);
}

#[test]
fn a_group_can_not_hold_itself_however_far_around() {
    let manager = Manager::new();
    group(&manager, "a", &[], &[]).expect(201);
    group(&manager, "b", &[member("NSGroup", "a")], &[]).expect(201);
    group(&manager, "c", &[member("NSGroup", "b")], &[]).expect(201);
    for around in ["a", "b", "c"] {
        let body = json!({"members": [member("NSGroup", around)]});
        manager.post("/ns-groups/a?action=ADD_MEMBERS", body).refused(400, 255);
    }
    let put = json!({"members": [member("NSGroup", "c")], "_revision": 0});
    manager.put("/ns-groups/a", put).refused(400, 255);
    assert_eq!(manager.get("/ns-groups/a").expect(200)["_revision"], 0);
}

#[test]
fn a_group_in_use_goes_only_by_force() {
    let manager = Manager::new();
    group(&manager, "inner", &[], &[]).expect(201);
    group(&manager, "outer", &[member("NSGroup", "inner")], &[]).expect(201);
    let rule = json!({"action": "DROP", "destinations": [reference("NSGroup", "outer")]});
    let ids = section(&manager, "s", &[rule]);
    manager.delete("/ns-groups/inner").expect(400);
    manager.delete("/ns-groups/inner?force=true").expect(200);
    manager.delete("/ns-groups/outer").expect(400);
    manager.delete("/ns-groups/outer?force=True").expect(200);
    let rule = manager.get(&format!("/firewall/rules/{}", ids.rules[0])).expect(200);
    assert_eq!(rule["destinations"][0]["is_valid"], false);
}

#[test]
fn references_are_shown_only_on_request_and_can_be_put_back() {
    let manager = Manager::new();
    address_set(&manager, "set", &[]);
    group(&manager, "g", &[member("IPSet", "set")], &[]).expect(201);
    let plain = manager.get("/ns-groups/g").expect(200);
    assert_eq!(plain["members"][0].get("target_resource"), None);
    let populated = manager.get("/ns-groups/g?populate_references=True").expect(200);
    let target = json!({
        "target_id": "set", "target_type": "IPSet", "target_display_name": "set", "is_valid": true,
    });
    assert_eq!(populated["members"][0]["target_resource"], target);
    let listed = manager.get("/ns-groups?populate_references=true").results();
    assert_eq!(listed, std::slice::from_ref(&populated));
    manager.put("/ns-groups/g", populated).expect(200);
}

#[test]
fn groups_are_found_by_the_kinds_of_their_members() {
    let manager = Manager::new();
    address_set(&manager, "set", &[]);
    group(&manager, "sets", &[member("IPSet", "set")], &[]).expect(201);
    group_by_tag(&manager, "ports", "s", "t");
    let found = |types: &str| manager.get(&format!("/ns-groups?member_types={types}")).column("id");
    assert_eq!(found("IPSet"), ["sets"]);
    assert_eq!(found("LogicalPort,IPSet"), ["ports", "sets"]);
    assert_eq!(found("MACSet").len(), 0);
}
