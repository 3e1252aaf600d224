//! The plain five verbs, on every kind that has them.

use super::samples::{self, Sample, prepared, with, without};
use nsx_sim::kinds::KINDS;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use tests::{Manager, START};

/// Runs a test on every kind: with a manager, the kind's sample and its collection.
fn on_every_kind(test: impl Fn(&Manager, &Sample, &str)) {
    let manager = prepared();
    for sample in samples::all() {
        // Shown where the test fails.
        println!("{}", sample.kind);
        test(&manager, sample, &sample.path());
    }
}

/// The same, on the kinds whose objects can be changed.
fn on_every_kind_that_changes(test: impl Fn(&Manager, &Sample, &str)) {
    on_every_kind(|manager, sample, path| {
        if sample.declaration().verbs.update {
            test(manager, sample, path);
        }
    });
}

fn make(manager: &Manager, sample: &Sample, path: &str) -> (Value, String) {
    let made = manager.post(path, (sample.body)()).expect(sample.declaration().created);
    let one = format!("{path}/{}", made["id"].as_str().unwrap_or_default());
    (made, one)
}

#[test]
fn every_kind_that_can_be_made_has_a_sample() {
    let declared: BTreeSet<_> = KINDS
        .iter()
        .filter(|kind| kind.verbs.create && !kind.single)
        .map(|kind| kind.name)
        .collect();
    let sampled: BTreeSet<_> = samples::all().map(|sample| sample.kind).collect();
    assert_eq!(declared, sampled);
}

#[test]
fn what_is_made_has_the_header_of_every_managed_resource() {
    on_every_kind(|manager, sample, path| {
        let (made, _) = make(manager, sample, path);
        let id = made["id"].as_str().unwrap();
        assert_eq!(id.len(), 36);
        assert_eq!((&id[14..15], id.to_lowercase().as_str()), ("4", id), "a UUID v4");
        assert_eq!(made["display_name"], id, "the name defaults to the id [spec]");
        assert_eq!(made["_revision"], 0);
        assert_eq!(made["_create_time"], START);
        assert_eq!(made["_last_modified_time"], made["_create_time"]);
        assert_eq!(made["_create_user"], "admin");
        assert_eq!(made["_last_modified_user"], "admin");
        assert_eq!(made["_system_owned"], false);
        assert_eq!(made["_protection"], "NOT_PROTECTED");
        let members: Vec<&str> = made.as_object().unwrap().keys().map(String::as_str).collect();
        // The order of real output [psnsxt, miq].
        let header = [
            "resource_type",
            "id",
            "display_name",
            "_create_user",
            "_create_time",
            "_last_modified_user",
            "_last_modified_time",
            "_system_owned",
            "_protection",
            "_revision",
        ];
        assert_eq!(members[members.len() - header.len()..], header);
    });
}

#[test]
fn a_get_answers_what_the_create_answered_and_lists_hold_it() {
    on_every_kind(|manager, sample, path| {
        let (made, one) = make(manager, sample, path);
        assert_eq!(manager.get(&one).expect(200), made);
        let listed = manager.get(&sample.list_with()).results();
        assert!(listed.contains(&made), "{listed:#?}");
    });
}

#[test]
fn a_caller_may_choose_the_id_once() {
    on_every_kind(|manager, sample, path| {
        let body = with((sample.body)(), json!({"id": "my-own"}));
        assert_eq!(
            manager.post(path, body.clone()).expect(sample.declaration().created)["id"],
            "my-own"
        );
        manager.post(path, body).expect(400);
        let long = with((sample.body)(), json!({"id": "x".repeat(65)}));
        manager.post(path, long).refused(400, 255);
    });
}

#[test]
fn a_put_needs_the_current_revision_and_raises_it() {
    on_every_kind_that_changes(|manager, sample, path| {
        let (made, one) = make(manager, sample, path);
        let absent = manager.put(&one, (sample.body)()).refused(412, 604);
        assert!(absent.contains("Fetch the latest copy of the object and retry"), "[sapcc]");
        for stale in [json!(1), json!(-1), Value::Null] {
            let body = with((sample.body)(), json!({"_revision": stale}));
            manager.put(&one, body).refused(412, 604);
        }
        manager.advance(Duration::from_secs(5));
        let body = with((sample.body)(), json!({"_revision": 0, "display_name": "renamed"}));
        let changed = manager.put(&one, body.clone()).expect(200);
        assert_eq!(
            (&changed["_revision"], &changed["display_name"]),
            (&json!(1), &json!("renamed"))
        );
        assert_eq!(changed["_create_time"], made["_create_time"]);
        let made_at = made["_create_time"].as_u64().unwrap();
        assert_eq!(changed["_last_modified_time"], made_at + 5_000);
        assert_eq!(manager.get(&one).expect(200), changed);
        manager.put(&one, body).refused(412, 604);
    });
}

#[test]
fn a_get_can_be_put_back_whole() {
    on_every_kind_that_changes(|manager, sample, path| {
        let (made, one) = make(manager, sample, path);
        let back = manager.put(&one, made.clone()).expect(200);
        let sent = with(made, json!({"_revision": 1}));
        assert_eq!(back, sent, "nothing but the revision changes");
    });
}

#[test]
fn a_put_replaces_the_whole_object() {
    on_every_kind_that_changes(|manager, sample, path| {
        let described = json!({
            "display_name": "named", "description": "", "tags": [{"scope": "s", "tag": "t"}],
        });
        let made = manager
            .post(path, with((sample.body)(), described))
            .expect(sample.declaration().created);
        assert_eq!(made["description"], "", "an empty description is kept");
        let one = format!("{path}/{}", made["id"].as_str().unwrap());
        let plain = manager.put(&one, with((sample.body)(), json!({"_revision": 0}))).expect(200);
        assert_eq!(plain["display_name"], plain["id"]);
        assert_eq!((plain.get("description"), plain.get("tags")), (None, None));
    });
}

#[test]
fn a_member_that_the_type_does_not_have_is_refused_by_name() {
    on_every_kind(|manager, sample, path| {
        let (_, one) = make(manager, sample, path);
        let strange = with((sample.body)(), json!({"_revision": 0, "nat_pass": true}));
        // The product's own words [tf #945].
        let expected = "Json de-serialization error: property nat_pass is unrecognized.";
        assert_eq!(manager.post(path, strange.clone()).refused(400, 287), expected);
        if sample.declaration().verbs.update {
            assert_eq!(manager.put(&one, strange).refused(400, 287), expected);
        }
        assert_eq!(manager.get(&one).expect(200)["_revision"], 0, "and nothing changed");
    });
}

#[test]
fn members_that_only_the_manager_sets_are_accepted_and_dropped() {
    on_every_kind(|manager, sample, path| {
        let sent = json!({sample.read_only: "mine", "_create_user": "me", "_system_owned": true});
        let made =
            manager.post(path, with((sample.body)(), sent)).expect(sample.declaration().created);
        assert_ne!(made.get(sample.read_only), Some(&json!("mine")));
        assert_eq!(
            (&made["_create_user"], &made["_system_owned"]),
            (&json!("admin"), &json!(false))
        );
    });
}

#[test]
fn a_required_member_that_is_absent_or_null_is_named() {
    on_every_kind(|manager, sample, path| {
        let Some(required) = sample.required else { return };
        let expected = format!("Field level validation errors: {{{required} is required}}");
        let absent = manager.post(path, without((sample.body)(), required));
        assert_eq!(absent.body["details"], expected.as_str(), "[bosh spec]");
        assert_eq!(absent.refused(400, 255), expected);
        let null = with((sample.body)(), json!({required: null}));
        assert_eq!(manager.post(path, null).refused(400, 255), expected);
    });
}

#[test]
fn null_members_are_absent_ones() {
    on_every_kind(|manager, sample, path| {
        let nulls = json!({
            "id": null, "display_name": null, "description": null, "tags": null, "_revision": null,
        });
        let made =
            manager.post(path, with((sample.body)(), nulls)).expect(sample.declaration().created);
        assert_eq!(made["display_name"], made["id"]);
        assert_eq!((made.get("description"), made.get("tags")), (None, None));
    });
}

#[test]
fn a_create_takes_any_revision() {
    on_every_kind(|manager, sample, path| {
        // The Go SDK always sends one [gosdk].
        let made = manager
            .post(path, with((sample.body)(), json!({"_revision": 17})))
            .expect(sample.declaration().created);
        assert_eq!(made["_revision"], 0);
    });
}

#[test]
fn a_put_names_no_other_object_than_its_path() {
    on_every_kind_that_changes(|manager, sample, path| {
        let (made, one) = make(manager, sample, path);
        let other = with((sample.body)(), json!({"_revision": 0, "id": "other"}));
        manager.put(&one, other).refused(400, 255);
        let own = with((sample.body)(), json!({"_revision": 0, "id": made["id"]}));
        manager.put(&one, own).expect(200);
    });
}

#[test]
fn a_deleted_object_is_gone() {
    on_every_kind(|manager, sample, path| {
        let (made, one) = make(manager, sample, path);
        let deleted = manager.delete(&one);
        let status = sample.declaration().deleted;
        assert_eq!((deleted.status, deleted.body), (status, Value::Null), "no body [nsxlib]");
        let text = manager.delete(&one).refused(404, 600);
        let id = made["id"].as_str().unwrap();
        assert!(text.contains(id) && text.contains("could not be found"), "{text}");
        manager.get(&one).refused(404, 600);
        // No upsert on this API [facts §3.2].
        if sample.declaration().verbs.update {
            manager.put(&one, with((sample.body)(), json!({"_revision": 0}))).refused(404, 600);
        }
        assert!(!manager.get(&sample.list_with()).column("id").contains(&id.to_owned()));
    });
}

#[test]
fn ids_are_case_sensitive() {
    on_every_kind(|manager, sample, path| {
        manager
            .post(path, with((sample.body)(), json!({"id": "Case"})))
            .expect(sample.declaration().created);
        manager.get(&format!("{path}/case")).refused(404, 600);
        manager
            .post(path, with((sample.body)(), json!({"id": "case"})))
            .expect(sample.declaration().created);
    });
}

#[test]
fn a_body_that_is_no_json_object_is_refused() {
    on_every_kind(|manager, _, path| {
        for body in ["[]", "null", "7", "\"text\"", "{", "{\"a\":}", "{} {}", "\u{feff}{}"] {
            manager.call("POST", path, body).refused(400, 287);
        }
        let deep = "[".repeat(100_000);
        manager.call("POST", path, &deep).refused(400, 287);
    });
}

#[test]
fn a_resource_type_of_another_kind_is_refused() {
    on_every_kind(|manager, sample, path| {
        let wrong = with((sample.body)(), json!({"resource_type": "NoSuchType"}));
        manager.post(path, wrong).refused(400, 255);
    });
}

#[test]
fn a_query_parameter_that_nobody_knows_is_ignored() {
    on_every_kind(|manager, sample, path| {
        let (_, one) = make(manager, sample, path);
        // nsxlib sends several that old versions lack.
        manager.get(&format!("{}nobody=knows", sample.list_with())).expect(200);
        manager.get(&format!("{one}?nobody=knows")).expect(200);
        let deleted = manager.delete(&format!("{one}?skip_host_detach=true"));
        deleted.expect(sample.declaration().deleted);
    });
}
