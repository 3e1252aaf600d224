//! The inventory's law, with a kind of its own: it knows no other.

use super::*;
use crate::version::Version;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

static WIDGET: Kind = Kind { forceable: true, ..Kind::of::<Widget>("Widget", "/widgets") };

/// Screws are parts of widgets.
static SCREW: Kind = Kind {
    parent: Some(Parent::of("Widget")),
    ..Kind::of::<Widget>("Screw", "/widgets/{}/screws")
};

/// A widget stays while it has a manual.
static MANUAL: Kind = Kind {
    parent: Some(Parent { kind: "Widget", kept: true }),
    single: true,
    ..Kind::of::<Widget>("Manual", "/widgets/{}/manual")
};

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Widget {
    #[serde(default)]
    size: i64,
    part_of: Option<String>,
}

impl Resource for Widget {
    fn references(&self) -> Vec<Reference> {
        self.part_of.iter().map(|id| Reference::new(WIDGET.name, id)).collect()
    }

    fn keys(&self) -> Vec<IndexKey> {
        vec![("widget-by-size", self.size.to_string())]
    }
}

fn inventory() -> Inventory {
    Inventory::new(&[&WIDGET, &SCREW, &MANUAL], 1, Version::default())
}

fn incoming(body: &Value) -> Incoming {
    Incoming::read(&WIDGET, crate::wire::fields_of(body)).unwrap()
}

fn commit<T>(
    inventory: &Inventory,
    work: impl FnOnce(&mut Transaction<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    inventory.commit(&Actor::admin("admin"), 1_000, work, |_, land| land())
}

fn create(inventory: &Inventory, body: &Value) -> Result<Arc<Object>, Error> {
    commit(inventory, |tx| tx.create(&WIDGET, incoming(body)))
}

#[test]
fn a_change_that_fails_leaves_nothing_behind() {
    let inventory = inventory();
    let failed = commit(&inventory, |tx| {
        tx.create(&WIDGET, incoming(&json!({"id": "a"})))?;
        tx.create(&WIDGET, incoming(&json!({"id": "b", "part_of": "nobody"})))
    });
    assert!(matches!(failed, Err(Error::MissingReference { .. })), "{failed:?}");
    assert!(inventory.find("Widget", "a").is_none());
    assert_eq!(inventory.generation(), 0);
}

#[test]
fn a_change_sees_its_own_writes_and_tells_each_object_once() {
    let inventory = inventory();
    let mut told = Vec::new();
    let actor = Actor::admin("admin");
    let work = |tx: &mut Transaction<'_>| {
        tx.create(&WIDGET, incoming(&json!({"id": "a"})))?;
        tx.create(&WIDGET, incoming(&json!({"id": "b", "part_of": "a"})))?;
        tx.edit(&WIDGET, "a", |widget: &mut Widget, _| {
            widget.size = 7;
            Ok(())
        })
    };
    let follow = |change: &Change, land: &dyn Fn()| {
        land();
        told.extend(change.writes.iter().map(|write| write.id.clone()));
    };
    inventory.commit(&actor, 1_000, work, follow).unwrap();
    assert_eq!(told, ["a", "b"]);
    assert_eq!(inventory.by_key("widget-by-size", "7").len(), 1);
    assert_eq!(inventory.by_key("widget-by-size", "0").len(), 1);
}

#[test]
fn only_the_current_revision_replaces_and_it_rises_by_one() {
    let inventory = inventory();
    create(&inventory, &json!({"id": "a"})).unwrap();
    let replace = |revision: Value| {
        let body = json!({"_revision": revision, "size": 3});
        commit(&inventory, |tx| tx.replace(&WIDGET, "a", incoming(&body)))
    };
    for wrong in [json!(1), json!(-1), Value::Null] {
        assert!(matches!(replace(wrong), Err(Error::StaleRevision { current: 0, .. })));
    }
    assert_eq!(replace(json!(0)).unwrap().header.revision, 1);
    assert!(matches!(replace(json!(0)), Err(Error::StaleRevision { current: 1, .. })));
}

#[test]
fn what_others_name_stays_unless_forced_and_then_dangles() {
    let inventory = inventory();
    create(&inventory, &json!({"id": "a"})).unwrap();
    create(&inventory, &json!({"id": "b", "part_of": "a"})).unwrap();
    let delete = |id: &str, query: &[(&str, &str)]| {
        let pairs = query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let query: Query = pairs.collect();
        commit(&inventory, |tx| tx.delete(&WIDGET, id, &query))
    };
    assert!(matches!(delete("a", &[]), Err(Error::InUse { .. })));
    delete("a", &[("force", "True")]).unwrap();
    // What named it before may be put back whole; a new name for what is gone may not.
    let back = json!({"_revision": 0, "part_of": "a", "size": 2});
    commit(&inventory, |tx| tx.replace(&WIDGET, "b", incoming(&back))).unwrap();
    let new = create(&inventory, &json!({"part_of": "a"}));
    assert!(matches!(new, Err(Error::MissingReference { .. })));
    delete("b", &[]).unwrap();
    assert!(inventory.referrers("Widget", "a").is_empty());
}

#[test]
fn a_principals_object_changes_for_others_only_by_overwrite() {
    let inventory = inventory();
    let (owner, admin) = (Actor::principal("pks"), Actor::admin("admin"));
    let overwriting = Actor { overwrite: true, ..admin.clone() };
    let stranger = Actor { overwrite: true, ..Actor::principal("other") };
    let body = json!({"id": "a"});
    inventory
        .commit(&owner, 1, |tx| tx.create(&WIDGET, incoming(&body)), |_, land| land())
        .unwrap();
    let object = inventory.find("Widget", "a").unwrap();
    let seen = |by: &Actor| object.fields(&inventory, by)["_protection"].clone();
    assert_eq!(seen(&owner), "NOT_PROTECTED");
    assert_eq!(seen(&admin), "REQUIRE_OVERRIDE");
    assert_eq!(seen(&stranger), "PROTECTED");
    let grow = |actor: &Actor| {
        let work = |tx: &mut Transaction<'_>| {
            tx.edit(&WIDGET, "a", |widget: &mut Widget, _| {
                widget.size += 1;
                Ok(())
            })
        };
        inventory.commit(actor, 2, work, |_, land| land())
    };
    assert!(matches!(grow(&admin), Err(Error::Protected { .. })));
    assert!(matches!(grow(&stranger), Err(Error::Protected { .. })));
    grow(&owner).unwrap();
    assert_eq!(grow(&overwriting).unwrap().header.modified.user[..], *"admin");
}

fn create_part(inventory: &Inventory, kind: &'static Kind, parent: &str) -> Arc<Object> {
    commit(inventory, |tx| tx.create_part(kind, Some(parent), incoming(&json!({})))).unwrap()
}

#[test]
fn parts_are_found_below_their_parent_alone_and_go_with_it() {
    let inventory = inventory();
    for id in ["a", "b"] {
        create(&inventory, &json!({ "id": id })).unwrap();
    }
    let screw = create_part(&inventory, &SCREW, "a");
    create_part(&inventory, &SCREW, "b");
    let found = inventory.children(&SCREW, "a");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].header.id, screw.header.id);
    commit(&inventory, |tx| tx.delete(&WIDGET, "a", &Query::default())).unwrap();
    assert!(inventory.find("Screw", &screw.header.id).is_none());
    assert_eq!(inventory.children(&SCREW, "b").len(), 1);
}

#[test]
fn a_part_that_keeps_its_parent_refuses_its_deletion() {
    let inventory = inventory();
    create(&inventory, &json!({ "id": "a" })).unwrap();
    assert!(matches!(inventory.single(&MANUAL, Some("a")), Err(Error::NotFound { .. })));
    let manual = create_part(&inventory, &MANUAL, "a");
    assert_eq!(inventory.single(&MANUAL, Some("a")).unwrap().header.id, manual.header.id);
    let refused = commit(&inventory, |tx| tx.delete(&WIDGET, "a", &Query::default()));
    assert!(matches!(refused, Err(Error::InUse { .. })), "{refused:?}");
}
