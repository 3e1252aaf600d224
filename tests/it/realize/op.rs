//! One change of the inventory, made through the API as a client would.

use serde_json::{Value, json};
use tests::Manager;

/// A change that fits most states of the inventory; one that does not is refused and changes
/// nothing.
#[derive(Clone, Debug)]
pub(super) enum Op {
    /// Makes an object, or replaces the one with this id.
    Put { path: &'static str, id: String, body: Value },
    /// Makes a section with its rules, or replaces the one with this id and moves it.
    Section { id: String, placement: String, body: Value },
    /// Makes a rule in a section, or changes, moves or removes the one at this place, counted round.
    Rule { section: String, place: usize, change: RuleChange },
    /// Removes an object.
    Delete { path: &'static str, id: String, query: &'static str },
    /// Removes an object whoever names it, and makes it anew as it was.
    Remake { path: &'static str, id: String },
    /// `ADD_MEMBERS` or `REMOVE_MEMBERS`.
    Member { group: String, action: &'static str, member: Value },
    /// `add_member` or `remove_member` of the exclude list.
    Exclude { action: &'static str, kind: &'static str, id: String },
    /// Switches the firewall, as a whole or on one host.
    Firewall { host: Option<usize>, on: bool },
}

/// What happens to a rule.
#[derive(Clone, Debug)]
pub(super) enum RuleChange {
    /// It is made, at the top or at the bottom.
    Make { top: bool, body: Value },
    /// It becomes another one of the same id.
    Edit(Value),
    /// It goes to the top or to the bottom.
    Move { top: bool },
    /// It goes.
    Remove,
}

impl Op {
    /// Makes the change, unless the manager refuses it; a fault of the manager fails the test.
    #[track_caller]
    pub(super) fn apply(&self, manager: &Manager) {
        let answer = match self {
            Self::Put { path, id, body } => put(manager, path, id, body.clone()),
            Self::Section { id, placement, body } => section(manager, id, placement, body.clone()),
            Self::Rule { section, place, change } => rule(manager, section, *place, change),
            Self::Delete { path, id, query } => {
                manager.delete(&format!("{path}/{id}{query}")).status
            }
            Self::Remake { path, id } => remake(manager, path, id),
            Self::Member { group, action, member } => {
                let body = json!({"members": [member]});
                manager.post(&format!("/ns-groups/{group}?action={action}"), body).status
            }
            Self::Exclude { action: "add_member", kind, id } => {
                let body = json!({"target_type": kind, "target_id": id});
                manager.post("/firewall/excludelist?action=add_member", body).status
            }
            Self::Exclude { action, kind, id } => {
                let query = format!("action={action}&object_id={id}&object_type={kind}");
                manager.post(&format!("/firewall/excludelist?{query}"), json!({})).status
            }
            Self::Firewall { host, on } => firewall(manager, *host, *on),
        };
        assert!([200, 201, 400, 404, 409].contains(&answer), "{answer} for {self:?}");
    }
}

fn put(manager: &Manager, path: &str, id: &str, mut body: Value) -> u16 {
    let one = format!("{path}/{id}");
    let known = manager.get(&one);
    if known.status != 200 {
        body["id"] = id.into();
        prune(manager, &mut body, &[]);
        return manager.post(path, body).status;
    }
    prune(manager, &mut body, &named_in(&known.body));
    body["_revision"] = known.body["_revision"].clone();
    // A port stays on the switch on which it was made.
    if let Some(switch) = known.body.get("logical_switch_id") {
        body["logical_switch_id"] = switch.clone();
    }
    manager.put(&one, body).status
}

fn remake(manager: &Manager, path: &str, id: &str) -> u16 {
    let one = format!("{path}/{id}");
    let known = manager.get(&one);
    let gone = manager.delete(&format!("{one}?force=true&detach=true"));
    if gone.status != 200 {
        return gone.status;
    }
    let mut body = known.expect(200);
    prune(manager, &mut body, &[]);
    manager.post(path, body).status
}

fn section(manager: &Manager, id: &str, placement: &str, mut body: Value) -> u16 {
    let known = manager.post(&format!("/firewall/sections/{id}?action=list_with_rules"), json!({}));
    if known.status != 200 {
        body["id"] = id.into();
        prune(manager, &mut body, &[]);
        let query = format!("action=create_with_rules&{placement}");
        return manager.post(&format!("/firewall/sections?{query}"), body).status;
    }
    prune(manager, &mut body, &named_in(&known.body));
    for fixed in ["_revision", "section_type", "stateful"] {
        body[fixed] = known.body[fixed].clone();
    }
    let query = format!("action=revise_with_rules&{placement}");
    manager.post(&format!("/firewall/sections/{id}?{query}"), body).status
}

fn rule(manager: &Manager, section: &str, place: usize, change: &RuleChange) -> u16 {
    let path = format!("/firewall/sections/{section}/rules");
    let known = manager.get(&path);
    if known.status != 200 {
        return known.status;
    }
    let operation = |top: &bool| if *top { "insert_top" } else { "insert_bottom" };
    let rules = known.results();
    let known = rules.get(place % rules.len().max(1));
    if let RuleChange::Make { top, body } = change {
        let mut body = body.clone();
        prune(manager, &mut body, &[]);
        body["_revision"] =
            manager.get(&format!("/firewall/sections/{section}")).body["_revision"].clone();
        return manager.post(&format!("{path}?operation={}", operation(top)), body).status;
    }
    let Some(known) = known else { return 404 };
    let one = format!("{path}/{}", known["id"].as_str().unwrap_or_default());
    match change {
        RuleChange::Make { .. } | RuleChange::Remove => manager.delete(&one).status,
        RuleChange::Move { top } => {
            let query = format!("action=revise&operation={}", operation(top));
            manager.post(&format!("{one}?{query}"), known.clone()).status
        }
        RuleChange::Edit(body) => {
            let mut body = body.clone();
            prune(manager, &mut body, &named_in(known));
            for own in ["id", "_revision"] {
                body[own] = known[own].clone();
            }
            manager.put(&one, body).status
        }
    }
}

fn firewall(manager: &Manager, host: Option<usize>, on: bool) -> u16 {
    let path = "/firewall/status/transport_nodes";
    if let Some(host) = host {
        let action = if on { "enable_firewall" } else { "disable_firewall" };
        let world = manager.api().world();
        let id = world.fabric().topology().transport_nodes[host].id.clone();
        return manager.post(&format!("{path}/{id}?action={action}"), json!({})).status;
    }
    let mut body = manager.get(path).expect(200);
    body["global_status"] = if on { "ENABLED" } else { "DISABLED" }.into();
    manager.put(path, body).status
}

/// The kind and id of a reference or of a static member of a group.
fn named(value: &Value) -> Option<(&str, &str)> {
    let by_id = value["target_property"] == "id";
    let id = if by_id { &value["value"] } else { &value["target_id"] };
    Some((value["target_type"].as_str()?, id.as_str()?))
}

/// Everything that a body names.
fn named_in(body: &Value) -> Vec<(String, String)> {
    match body {
        Value::Array(items) => items.iter().flat_map(named_in).collect(),
        Value::Object(fields) => {
            let own = named(body).map(|(kind, id)| (kind.to_owned(), id.to_owned()));
            own.into_iter().chain(fields.values().flat_map(named_in)).collect()
        }
        _ => Vec::new(),
    }
}

/// Takes out what names nothing, for it would have the whole refused; what the object names
/// already may have gone since and stays.
fn prune(manager: &Manager, body: &mut Value, known: &[(String, String)]) {
    match body {
        Value::Array(items) => {
            items.retain(|item| {
                named(item).is_none_or(|(kind, id)| {
                    let inventory = &manager.api().world().inventory;
                    let own = (kind.to_owned(), id.to_owned());
                    inventory.find(kind, id).is_some()
                        || kind.ends_with("Address")
                        || known.contains(&own)
                })
            });
            for item in items {
                prune(manager, item, known);
            }
        }
        Value::Object(fields) => {
            for own in fields.values_mut() {
                prune(manager, own, known);
            }
        }
        _ => {}
    }
}
