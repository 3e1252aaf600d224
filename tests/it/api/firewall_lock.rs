//! Locks on sections [spec FirewallSectionLock].

use super::samples::with;
use serde_json::{Value, json};
use tests::{Manager, START, any_rule, section};

const LOCKED: u32 = 423;

fn comment(revision: u32) -> Value {
    json!({"comments": "maintenance", "section_revision": revision})
}

fn locked() -> (Manager, Manager, String, String) {
    let manager = Manager::new();
    let ids = section(&manager, "s", &[any_rule("one", "ALLOW")]);
    let path = format!("/firewall/sections/{}", ids.section);
    manager.post(&format!("{path}?action=lock"), comment(0)).expect(200);
    let other = manager.admin("other").overwriting();
    (manager, other, path, ids.rules[0].clone())
}

#[test]
fn a_lock_shows_who_holds_the_section_and_why() {
    let (manager, _, path, _) = locked();
    let section = manager.get(&path).expect(200);
    assert_eq!(section["locked"], true);
    assert_eq!(section["lock_modified_by"], "admin");
    assert_eq!(section["lock_modified_time"], START);
    assert_eq!(section["comments"], "maintenance");
    assert_eq!(section["_revision"], 1);
    let found = |word: &str| manager.get(&format!("/firewall/sections?locked={word}")).results();
    assert_eq!((found("true").len(), found("False").len()), (1, 1));
}

#[test]
fn a_locked_section_refuses_every_change_by_others() {
    let (manager, other, path, rule) = locked();
    let read = manager.post(&format!("{path}?action=list_with_rules"), json!({})).expect(200);
    let plain = super::samples::without(read.clone(), "rules");
    let change = json!({"action": "DROP", "_revision": 1});
    let rule = format!("{path}/rules/{rule}");
    for answer in [
        other.put(&path, plain.clone()),
        other.post(&format!("{path}?action=update_with_rules"), read.clone()),
        other.post(&format!("{path}?action=revise"), plain),
        other.post(&format!("{path}?action=revise_with_rules"), read.clone()),
        other.post(&format!("{path}/rules"), change.clone()),
        other.post(
            &format!("{path}/rules?action=create_multiple"),
            json!({"rules": [change.clone()]}),
        ),
        other.put(&rule, change.clone()),
        other.post(&format!("{rule}?action=revise"), change),
        other.delete(&rule),
        other.delete(&format!("{path}?cascade=true")),
        other.post(&format!("{path}?action=lock"), comment(1)),
        other.post(&format!("{path}?action=unlock"), comment(1)),
    ] {
        let text = answer.refused(423, LOCKED);
        assert!(text.contains("locked by user admin"), "{text}");
    }
    assert_eq!(
        manager.post(&format!("{path}?action=list_with_rules"), json!({})).expect(200),
        read
    );
}

#[test]
fn the_holder_may_change_the_section_and_keeps_the_lock() {
    let (manager, other, path, _) = locked();
    let read = manager.get(&path).expect(200);
    let changed = manager.put(&path, with(read, json!({"description": "d"}))).expect(200);
    assert_eq!((&changed["locked"], &changed["comments"]), (&json!(true), &json!("maintenance")));
    other.delete(&format!("{path}?cascade=true")).refused(423, LOCKED);
}

#[test]
fn unlocking_lets_others_in_again() {
    let (manager, other, path, rule) = locked();
    let unlocked = manager.post(&format!("{path}?action=unlock"), comment(1)).expect(200);
    assert_eq!(unlocked["locked"], false);
    assert_eq!((unlocked.get("lock_modified_by"), &unlocked["_revision"]), (None, &json!(2)));
    other.delete(&format!("{path}/rules/{rule}")).expect(200);
}

#[test]
fn a_lock_needs_a_comment_and_the_current_revision() {
    let manager = Manager::new();
    let ids = section(&manager, "s", &[]);
    let lock = format!("/firewall/sections/{}?action=lock", ids.section);
    manager.post(&lock, comment(7)).refused(409, 604);
    manager.post(&lock, json!({"comments": "maintenance"})).refused(400, 255);
    manager.post(&lock, json!({"section_revision": 0})).refused(400, 255);
    manager.post(&lock, json!({"comments": "why", "section_revision": 0})).refused(400, 255);
    let long = json!({"comments": "w".repeat(4_097), "section_revision": 0});
    manager.post(&lock, long).refused(400, 255);
    manager.post(&lock, comment(0)).expect(200);
    manager.post("/firewall/sections/nobody?action=lock", comment(0)).refused(404, 600);
    // Words of actions are case-sensitive [facts §7].
    manager.post(&lock.replace("=lock", "=LOCK"), comment(1)).refused(400, 255);
}
