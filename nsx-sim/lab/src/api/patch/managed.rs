//! Who owns which member of an object: `managedFields`, and server-side apply, which works by it.

use super::lists::{self, List};
use super::paths::{self, Paths};
use crate::api::Resource;
use crate::api::error::Error;
use crate::api::store::now;
use serde_json::{Value, json};

/// Who writes, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Manager {
    /// The name that the client gives.
    pub name: String,
    /// `Apply` or `Update`.
    pub operation: &'static str,
    /// The path below the object that the write goes to; empty for the object.
    pub subresource: String,
}

/// An entry of `managedFields`.
struct Entry {
    manager: String,
    operation: String,
    subresource: String,
    version: String,
    time: Value,
    paths: Paths,
}

impl Entry {
    fn is(&self, manager: &Manager) -> bool {
        self.manager == manager.name
            && self.operation == manager.operation
            && self.subresource == manager.subresource
    }
}

fn entries(object: &Value) -> Vec<Entry> {
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let all = object["metadata"]["managedFields"].as_array();
    all.into_iter()
        .flatten()
        .map(|entry| Entry {
            manager: text(&entry["manager"]),
            operation: text(&entry["operation"]),
            subresource: text(&entry["subresource"]),
            version: text(&entry["apiVersion"]),
            time: entry["time"].clone(),
            paths: paths::read(&entry["fieldsV1"]),
        })
        .collect()
}

fn write(object: &mut Value, entries: &[Entry]) {
    let printed = entries.iter().filter(|e| !e.paths.is_empty()).map(|entry| {
        let mut printed = json!({
            "manager": entry.manager, "operation": entry.operation, "apiVersion": entry.version,
            "time": entry.time, "fieldsType": "FieldsV1", "fieldsV1": paths::print(&entry.paths),
        });
        if !entry.subresource.is_empty() {
            printed["subresource"] = entry.subresource.clone().into();
        }
        printed
    });
    object["metadata"]["managedFields"] = printed.collect();
}

/// Notes that the manager owns all that differs between the two versions.
pub fn track(resource: Resource, old: &Value, new: &mut Value, manager: &Manager) {
    let before = paths::of(resource, old);
    let mut now_there = paths::of(resource, new);
    if manager.subresource != "status" {
        now_there.retain(|path| path[0] != "f:status");
    }
    let mut changed = now_there.clone();
    changed.retain(|path| !before.contains(path) || paths::differ(old, new, path));
    // A client may write the list itself, to hand members on or to empty it.
    let given = !new["metadata"]["managedFields"].is_null()
        && new["metadata"]["managedFields"] != old["metadata"]["managedFields"];
    let mut all = entries(if given { new } else { old });
    if changed.is_empty() && before.is_subset(&now_there) && !given {
        if !old["metadata"]["managedFields"].is_null() {
            new["metadata"]["managedFields"] = old["metadata"]["managedFields"].clone();
        }
        return;
    }
    for entry in &mut all {
        entry.paths.retain(|path| {
            let status = path[0] == "f:status";
            !changed.contains(path) && (status || now_there.contains(path))
        });
    }
    own(&mut all, resource, manager, changed, false);
    write(new, &all);
}

fn own(all: &mut Vec<Entry>, resource: Resource, manager: &Manager, owned: Paths, instead: bool) {
    match all.iter_mut().find(|entry| entry.is(manager)) {
        Some(entry) if instead => {
            if entry.paths != owned {
                entry.time = now().into();
            }
            entry.paths = owned;
        }
        Some(entry) => {
            if !owned.is_subset(&entry.paths) {
                entry.time = now().into();
            }
            entry.paths.extend(owned);
        }
        None => all.push(Entry {
            manager: manager.name.clone(),
            operation: manager.operation.to_owned(),
            subresource: manager.subresource.clone(),
            version: resource.info().api_version(),
            time: now().into(),
            paths: owned,
        }),
    }
}

/// Makes of the object what the manager wants of it: sets what is in `config`, takes away what the
/// manager owned alone and no longer wants. What others own and is to change is a conflict, or by
/// `force` taken from them.
pub fn apply(
    resource: Resource,
    object: &mut Value,
    config: &Value,
    manager: &Manager,
    force: bool,
) -> Result<(), Error> {
    let wanted = paths::of(resource, config);
    let mut all = entries(object);
    let mut conflicts: Vec<(String, String)> = Vec::new();
    for entry in all.iter_mut().filter(|e| !e.is(manager)) {
        let differs = |path: &&paths::Path| paths::differ(object, config, path);
        let taken: Vec<_> = entry.paths.intersection(&wanted).filter(differs).cloned().collect();
        for path in taken {
            if force {
                entry.paths.remove(&path);
            } else {
                let who = match entry.subresource.as_str() {
                    "" => format!("{:?}", entry.manager),
                    sub => format!("{:?} with subresource {sub:?}", entry.manager),
                };
                let who = match entry.operation.as_str() {
                    "Update" => format!("{who} using {}", entry.version),
                    _ => who,
                };
                conflicts.push((who, paths::told(&path)));
            }
        }
    }
    if !conflicts.is_empty() {
        return Err(conflict(&conflicts));
    }
    let before = all.iter().find(|e| e.is(manager)).map(|e| e.paths.clone()).unwrap_or_default();
    merge(object, config, resource, &mut Vec::new());
    for path in before.difference(&wanted) {
        let shared = all.iter().any(|e| !e.is(manager) && holds(&e.paths, path));
        if !shared {
            paths::remove(object, path);
        }
    }
    own(&mut all, resource, manager, wanted, true);
    write(object, &all);
    Ok(())
}

/// Whether somebody owns this path, or something in the item that it stands for.
fn holds(paths: &Paths, path: &paths::Path) -> bool {
    match path.split_last() {
        Some((last, item)) if last == "." => paths.iter().any(|p| p.starts_with(item)),
        _ => paths.contains(path),
    }
}

fn conflict(conflicts: &[(String, String)]) -> Error {
    let mut text = match conflicts.len() {
        1 => "Apply failed with 1 conflict:".to_owned(),
        n => format!("Apply failed with {n} conflicts:"),
    };
    let mut managers: Vec<&String> = conflicts.iter().map(|(manager, _)| manager).collect();
    managers.dedup();
    let separator = if managers.len() > 1 { "\n" } else { " " };
    for manager in managers {
        let fields: Vec<&str> =
            conflicts.iter().filter(|(m, _)| m == manager).map(|(_, f)| f.as_str()).collect();
        match fields.as_slice() {
            [one] => text.push_str(&[separator, "conflict with ", manager, ": ", one].concat()),
            many => {
                let list = many.join("\n- ");
                text.push_str(&[separator, "conflicts with ", manager, ":\n- ", &list].concat());
            }
        }
    }
    let causes: Vec<(String, String)> =
        conflicts.iter().map(|(m, f)| (format!("conflict with {m}"), f.clone())).collect();
    Error::apply_conflict(text, &causes)
}

/// Puts a configuration into an object.
fn merge<'c>(object: &mut Value, config: &'c Value, resource: Resource, names: &mut Vec<&'c str>) {
    match config {
        Value::Object(members) if !paths::atomic(names) => {
            if !object.is_object() {
                *object = json!({});
            }
            for (name, value) in members {
                names.push(name);
                merge(&mut object[name.as_str()], value, resource, names);
                names.pop();
            }
        }
        Value::Array(items) => match lists::kind(resource, names) {
            List::Map(keys) => {
                let mut all = object.as_array().cloned().unwrap_or_default();
                for item in items {
                    let key = paths::key(item, keys);
                    match all.iter_mut().find(|have| paths::key(have, keys) == key) {
                        Some(have) => merge(have, item, resource, names),
                        None => all.push(item.clone()),
                    }
                }
                *object = all.into();
            }
            List::Set => {
                let mut all = object.as_array().cloned().unwrap_or_default();
                let new = items.iter().filter(|i| !all.contains(i)).cloned().collect::<Vec<_>>();
                all.extend(new);
                *object = all.into();
            }
            List::Atomic => *object = config.clone(),
        },
        other => *object = other.clone(),
    }
}
