//! Who may change what: principal identities protect what they make.

use super::samples::{self, prepared, with};
use serde_json::json;
use tests::{Manager, Port, any_rule, group_by_tag, section, switch};

const PROTECTED: u32 = 289;

#[test]
fn a_principal_protects_objects_of_every_kind_from_all_others() {
    let manager = prepared();
    for sample in samples::all() {
        let (owner, other) = (manager.principal("pks-1"), manager.principal("pks-2"));
        let kind = sample.declaration();
        let made = owner.post(&sample.path(), (sample.body)()).expect(kind.created);
        let one = format!("{}/{}", sample.path(), made["id"].as_str().unwrap());
        let seen = |by: &Manager| by.get(&one).expect(200)["_protection"].clone();
        // [spec ManagedResource._protection]
        assert_eq!(made["_protection"], "NOT_PROTECTED", "{one}");
        assert_eq!(seen(&owner), "NOT_PROTECTED", "{one}");
        assert_eq!(seen(&other), "PROTECTED", "{one}");
        assert_eq!(seen(&manager), "REQUIRE_OVERRIDE", "{one}");

        let change = with((sample.body)(), json!({"_revision": 0}));
        for by in [&manager, &other, &other.overwriting()] {
            if kind.verbs.update {
                by.put(&one, change.clone()).refused(400, PROTECTED);
            }
            by.delete(&one).refused(400, PROTECTED);
        }
        if !kind.verbs.update {
            continue;
        }
        let changed = manager.overwriting().put(&one, change).expect(200);
        assert_eq!(changed["_create_user"], "pks-1", "{one}");
        assert_eq!(changed["_last_modified_user"], "admin", "{one}");
        assert_eq!(seen(&other), "PROTECTED", "still the principal's: {one}");
        manager.overwriting().delete(&one).expect(kind.deleted);
    }
}

#[test]
fn the_refusal_names_user_role_type_and_owner_in_the_products_words() {
    let manager = prepared();
    manager.principal("nsx_policy").post("/ip-sets", json!({"id": "set"})).expect(201);
    let text = manager.delete("/ip-sets/set").refused(400, PROTECTED);
    // [issues]
    assert_eq!(
        text,
        "Principal 'admin' with role '[enterprise_admin]' attempts to delete or modify an object \
         of type IPSet it doesn't own. (createUser=nsx_policy, allowOverwrite=null)"
    );
}

#[test]
fn what_an_administrator_makes_anybody_may_change() {
    let manager = prepared();
    manager.post("/ip-sets", json!({"id": "set"})).expect(201);
    let principal = manager.principal("pks");
    assert_eq!(principal.get("/ip-sets/set").expect(200)["_protection"], "NOT_PROTECTED");
    principal.put("/ip-sets/set", json!({"_revision": 0})).expect(200);
    assert_eq!(manager.get("/ip-sets/set").expect(200)["_create_user"], "admin");
    manager.delete("/ip-sets/set").expect(200);
}

#[test]
fn actions_respect_the_owner_too() {
    let manager = Manager::new();
    let owner = manager.principal("pks");
    group_by_tag(&owner, "group", "s", "t");
    owner.post("/ip-sets", json!({"id": "set"})).expect(201);
    let member = json!({"members": [{
        "resource_type": "NSGroupSimpleExpression",
        "target_type": "IPSet", "target_property": "id", "op": "EQUALS", "value": "set",
    }]});
    let add = "/ns-groups/group?action=ADD_MEMBERS";
    manager.post(add, member.clone()).refused(400, PROTECTED);
    manager
        .post("/ip-sets/set?action=add_ip", json!({"ip_address": "10.0.0.1"}))
        .refused(400, PROTECTED);
    manager.overwriting().post(add, member).expect(200);
}

#[test]
fn a_principals_section_and_its_rules_are_protected() {
    let manager = Manager::new();
    let owner = manager.principal("pks");
    let ids = section(&owner, "hc", &[any_rule("one", "ALLOW")]);
    let one = format!("/firewall/sections/{}", ids.section);
    let rule = format!("{one}/rules/{}", ids.rules[0]);
    let body = json!({"section_type": "LAYER3", "stateful": true, "_revision": 0});
    manager.put(&one, body.clone()).refused(400, PROTECTED);
    manager.delete(&format!("{one}?cascade=true")).refused(400, PROTECTED);
    manager.put(&rule, json!({"action": "DROP", "_revision": 0})).refused(400, PROTECTED);
    manager.delete(&rule).refused(400, PROTECTED);
    let add = json!({"action": "DROP", "_revision": 0});
    manager.post(&format!("{one}/rules"), add).refused(400, PROTECTED);
    manager.overwriting().put(&one, body).expect(200);
    manager.overwriting().delete(&rule).expect(200);
}

#[test]
fn deletion_does_not_take_others_protected_objects_along() {
    let manager = Manager::new();
    switch(&manager, "segment");
    Port::new("segment", "pod").make(&manager.principal("pks"));
    let cascade = "/logical-switches/segment?cascade=true&detach=true";
    manager.delete(cascade).refused(400, PROTECTED);
    manager.get("/logical-ports/pod").expect(200);
    manager.overwriting().delete(cascade).expect(200);
    manager.get("/logical-ports/pod").refused(404, 600);
}

#[test]
fn the_managers_own_objects_do_not_change_or_go() {
    let manager = Manager::new();
    for (list, own) in [
        ("/switching-profiles", "1e7101c8-cfef-415a-9c8c-ce3d8dd078fb"),
        ("/loadbalancer/application-profiles", "57b7e8f5-7b2d-4b3e-9b3f-3b3f6c1e7a01"),
    ] {
        let one = format!("{list}/{own}");
        let printed = manager.get(&one).expect(200);
        assert_eq!(
            (&printed["_system_owned"], &printed["_create_user"]),
            (&json!(true), &json!("system"))
        );
        manager.overwriting().put(&one, printed).expect(400);
        manager.overwriting().delete(&format!("{one}?force=true")).expect(400);
    }
}
