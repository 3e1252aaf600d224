//! Which members of an object somebody owns: sets of paths, and their printed form `fieldsV1`.

use super::lists::{self, List};
use crate::api::Resource;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// A path: `f:` and a member's name, `k:` and an item's key, `v:` and a value of a set; `.` at its
/// end is the item itself.
pub type Path = Vec<String>;
/// Paths.
pub type Paths = BTreeSet<Path>;

/// What is never owned: what the server alone sets, and what names the object.
const NEVER: [&str; 10] = [
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
    "selfLink",
];

/// All members of an object that can be owned.
pub fn of(resource: Resource, object: &Value) -> Paths {
    let mut found = Paths::new();
    for (name, value) in object.as_object().into_iter().flatten() {
        if name == "apiVersion" || name == "kind" {
            continue;
        }
        if name == "metadata" {
            for (name, value) in value.as_object().into_iter().flatten() {
                if !NEVER.contains(&name.as_str()) {
                    let mut at = vec!["f:metadata".to_owned(), format!("f:{name}")];
                    collect(resource, value, &mut vec!["metadata", name], &mut at, &mut found);
                }
            }
            continue;
        }
        collect(resource, value, &mut vec![name], &mut vec![format!("f:{name}")], &mut found);
    }
    found
}

fn collect<'v>(
    resource: Resource,
    value: &'v Value,
    names: &mut Vec<&'v str>,
    at: &mut Path,
    found: &mut Paths,
) {
    match value {
        // A selector of labels is one thing; half of it makes no sense.
        Value::Object(members) if !members.is_empty() && !atomic(names) => {
            for (name, value) in members {
                names.push(name);
                at.push(format!("f:{name}"));
                collect(resource, value, names, at, found);
                at.pop();
                names.pop();
            }
        }
        Value::Array(items) => match lists::kind(resource, names) {
            List::Map(keys) => {
                for item in items {
                    at.push(format!("k:{}", key(item, keys)));
                    at.push(".".to_owned());
                    found.insert(at.clone());
                    at.pop();
                    for (name, value) in item.as_object().into_iter().flatten() {
                        names.push(name);
                        at.push(format!("f:{name}"));
                        collect(resource, value, names, at, found);
                        at.pop();
                        names.pop();
                    }
                    at.pop();
                }
            }
            List::Set => {
                for item in items {
                    at.push(format!("v:{item}"));
                    found.insert(at.clone());
                    at.pop();
                }
            }
            List::Atomic => drop(found.insert(at.clone())),
        },
        _ => drop(found.insert(at.clone())),
    }
}

/// Whether a structure is owned as a whole (`x-kubernetes-map-type: atomic`).
pub fn atomic(names: &[&str]) -> bool {
    matches!(
        names.last(),
        Some(
            &("selector"
                | "labelSelector"
                | "podSelector"
                | "namespaceSelector"
                | "fieldRef"
                | "configMapKeyRef"
                | "secretKeyRef"
                | "resourceFieldRef"
                | "targetRef"
                | "nodeSelector")
        )
    )
}

/// What makes an item itself, printed.
pub fn key(item: &Value, keys: &[&str]) -> String {
    let members: Map<String, Value> = keys
        .iter()
        .filter_map(|k| match (&item[*k], *k) {
            (Value::Null, "protocol") => Some(((*k).to_owned(), json!("TCP"))),
            (Value::Null, _) => None,
            (value, k) => Some((k.to_owned(), value.clone())),
        })
        .collect();
    Value::Object(members).to_string()
}

/// The value at a path.
pub fn at<'v>(object: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(object, |value, step| match step.split_at_checked(2) {
        Some(("f:", name)) => value.get(name),
        Some(("k:", key)) => {
            let key: Map<String, Value> = serde_json::from_str(key).ok()?;
            value.as_array()?.iter().find(|item| is(item, &key))
        }
        Some(("v:", wanted)) => {
            let wanted: Value = serde_json::from_str(wanted).ok()?;
            value.as_array()?.iter().find(|item| **item == wanted)
        }
        _ => Some(value),
    })
}

/// Whether two objects differ at a path. An item is the same item whatever is in it.
pub fn differ(one: &Value, other: &Value, path: &[String]) -> bool {
    match path.split_last() {
        Some((last, item)) if last == "." => at(one, item).is_some() != at(other, item).is_some(),
        _ => at(one, path) != at(other, path),
    }
}

/// Takes the value at a path away; an item goes when its `.` goes.
pub fn remove(object: &mut Value, path: &[String]) {
    let Some((step, rest)) = path.split_first() else { return };
    let last = rest.is_empty() || rest == ["."];
    match step.split_at_checked(2) {
        Some(("f:", name)) => {
            let Some(members) = object.as_object_mut() else { return };
            if last {
                members.remove(name);
            } else if let Some(inner) = members.get_mut(name) {
                remove(inner, rest);
                let empty = inner.as_object().is_some_and(Map::is_empty)
                    || inner.as_array().is_some_and(Vec::is_empty);
                if empty {
                    members.remove(name);
                }
            }
        }
        Some(("k:", key)) => {
            let Ok(key) = serde_json::from_str::<Map<String, Value>>(key) else { return };
            let Some(items) = object.as_array_mut() else { return };
            if last {
                items.retain(|item| !is(item, &key));
            } else if let Some(item) = items.iter_mut().find(|item| is(item, &key)) {
                remove(item, rest);
            }
        }
        Some(("v:", value)) => {
            let Ok(value) = serde_json::from_str::<Value>(value) else { return };
            if let Some(items) = object.as_array_mut() {
                items.retain(|item| *item != value);
            }
        }
        _ => {}
    }
}

fn is(item: &Value, key: &Map<String, Value>) -> bool {
    key.iter().all(|(name, value)| {
        item[name.as_str()] == *value
            || (name == "protocol" && value == "TCP" && item[name.as_str()].is_null())
    })
}

/// The printed form.
pub fn print(paths: &Paths) -> Value {
    let mut root = json!({});
    for path in paths {
        let mut node = &mut root;
        for step in path {
            if !node[step.as_str()].is_object() {
                node[step.as_str()] = json!({});
            }
            node = &mut node[step.as_str()];
        }
    }
    root
}

/// Reads the printed form.
pub fn read(printed: &Value) -> Paths {
    fn walk(node: &Value, at: &mut Path, found: &mut Paths) {
        match node.as_object() {
            Some(members) if !members.is_empty() => {
                for (step, inner) in members {
                    at.push(step.clone());
                    walk(inner, at, found);
                    at.pop();
                }
            }
            _ if at.is_empty() => {}
            _ => drop(found.insert(at.clone())),
        }
    }
    let mut found = Paths::new();
    walk(printed, &mut Vec::new(), &mut found);
    found
}

/// A path as messages tell it: `.spec.containers[name="a"].image`.
pub fn told(path: &[String]) -> String {
    let steps = path.iter().map(|step| match step.split_at_checked(2) {
        Some(("f:", name)) => [".", name].concat(),
        Some(("k:", key)) => {
            let key: Map<String, Value> = serde_json::from_str(key).unwrap_or_default();
            let pairs: Vec<String> = key.iter().map(|(k, v)| format!("{k}={v}")).collect();
            ["[", &pairs.join(","), "]"].concat()
        }
        Some(("v:", value)) => ["[=", value, "]"].concat(),
        _ => String::new(),
    });
    steps.collect()
}
