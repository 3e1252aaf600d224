//! The strategic merge patch: members are merged, null takes away, lists of items with a key are
//! merged item by item, and members that begin with `$` say what else shall happen.

use super::lists::{self, List};
use crate::api::Resource;
use crate::api::error::Error;
use serde_json::{Map, Value, json};

const DIRECTIVE: &str = "$patch";
const RETAIN: &str = "$retainKeys";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";
const ORDER: &str = "$setElementOrder/";

/// Changes an object.
pub fn merge(object: &mut Value, patch: &Value, resource: Resource) -> Result<(), Error> {
    let Some(patch) = patch.as_object() else {
        return Err(Error::bad_request("error decoding patch: expected a JSON object"));
    };
    members(object, patch, resource, &mut Vec::new())
}

fn members<'p>(
    object: &mut Value,
    patch: &'p Map<String, Value>,
    resource: Resource,
    path: &mut Vec<&'p str>,
) -> Result<(), Error> {
    match patch.get(DIRECTIVE).and_then(Value::as_str) {
        None | Some("merge") => {}
        Some("replace") => {
            let rest = patch.iter().filter(|(k, _)| *k != DIRECTIVE);
            *object = rest.map(|(k, v)| (k.clone(), v.clone())).collect::<Map<_, _>>().into();
            return Ok(());
        }
        Some("delete") => {
            *object = json!({});
            return Ok(());
        }
        Some(other) => {
            return Err(Error::bad_request(format!("Unknown patch directive: {other}")));
        }
    }
    if !object.is_object() {
        *object = json!({});
    }
    if let (Some(keep), Some(members)) =
        (patch.get(RETAIN).and_then(Value::as_array), object.as_object_mut())
    {
        members.retain(|name, _| keep.iter().any(|k| k == name));
    }
    for (name, value) in patch {
        if name == DIRECTIVE || name == RETAIN || name.starts_with(ORDER) {
            continue;
        }
        if let Some(list) = name.strip_prefix(DELETE_FROM) {
            if let (Some(all), Some(gone)) = (object[list].as_array_mut(), value.as_array()) {
                all.retain(|item| !gone.contains(item));
            }
            continue;
        }
        path.push(name);
        match value {
            Value::Null => drop(object.as_object_mut().and_then(|m| m.remove(name))),
            Value::Object(patch) => members(&mut object[name.as_str()], patch, resource, path)?,
            Value::Array(items) => {
                let list = lists::kind(resource, path);
                merge_list(&mut object[name.as_str()], items, list, resource, path)?;
            }
            scalar => object[name.as_str()] = scalar.clone(),
        }
        path.pop();
    }
    for (name, order) in patch {
        if let (Some(list), Some(order)) = (name.strip_prefix(ORDER), order.as_array()) {
            path.push(list);
            if let Some(all) = object[list].as_array_mut() {
                arrange(all, order, lists::kind(resource, path));
            }
            path.pop();
        }
    }
    Ok(())
}

fn merge_list<'p>(
    there: &mut Value,
    items: &'p [Value],
    list: List,
    resource: Resource,
    path: &mut Vec<&'p str>,
) -> Result<(), Error> {
    let key = match list {
        List::Map(keys) => keys[0],
        List::Set => {
            let mut all = there.as_array().cloned().unwrap_or_default();
            for item in items {
                if !all.contains(item) {
                    all.push(item.clone());
                }
            }
            *there = all.into();
            return Ok(());
        }
        List::Atomic => {
            *there = items.to_vec().into();
            return Ok(());
        }
    };
    let replaces = |i: &Value| i[DIRECTIVE] == "replace" && i.get(key).is_none();
    let mut all = there.as_array().cloned().unwrap_or_default();
    if items.iter().any(replaces) {
        all.clear();
    }
    for item in items.iter().filter(|i| !replaces(i)) {
        let Some(patch) = item.as_object() else {
            return Err(Error::bad_request("error decoding patch: a list's item is no object"));
        };
        let Some(id) = patch.get(key) else {
            return Err(Error::bad_request(format!(
                "map: {item} does not contain declared merge key: {key}"
            )));
        };
        if item[DIRECTIVE] == "delete" {
            all.retain(|have| have[key] != *id);
            continue;
        }
        match all.iter_mut().find(|have| have[key] == *id) {
            Some(have) => members(have, patch, resource, path)?,
            None => {
                let mut new = json!({});
                members(&mut new, patch, resource, path)?;
                all.push(new);
            }
        }
    }
    *there = all.into();
    Ok(())
}

/// Puts the items that `order` names into its order, in the places that they have among the others.
fn arrange(all: &mut [Value], order: &[Value], list: List) {
    let rank = |item: &Value| match list {
        List::Map(keys) => order.iter().position(|o| o[keys[0]] == item[keys[0]]),
        _ => order.iter().position(|o| o == item),
    };
    let places: Vec<usize> = (0..all.len()).filter(|p| rank(&all[*p]).is_some()).collect();
    let mut named: Vec<Value> = places.iter().map(|p| all[*p].clone()).collect();
    named.sort_by_key(|item| rank(item));
    for (place, item) in places.into_iter().zip(named) {
        all[place] = item;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patched(mut object: Value, patch: &Value) -> Value {
        merge(&mut object, patch, Resource::Deployments).unwrap();
        object
    }

    #[test]
    fn containers_are_merged_by_name_and_taken_away_by_directive() {
        let object = json!({"spec": {"template": {"spec": {"containers": [
            {"name": "a", "image": "x"}, {"name": "b", "image": "y"}]}}}});
        let patch = json!({"spec": {"template": {"spec": {
            "$setElementOrder/containers": [{"name": "c"}, {"name": "a"}],
            "containers": [
                {"name": "b", "$patch": "delete"}, {"name": "a", "image": "z"},
                {"name": "c", "image": "w"}]}}}});
        let expected = json!({"spec": {"template": {"spec": {"containers": [
            {"name": "c", "image": "w"}, {"name": "a", "image": "z"}]}}}});
        assert_eq!(patched(object, &patch), expected);
    }

    #[test]
    fn null_takes_away_and_plain_lists_are_replaced() {
        let object = json!({"a": 1, "b": {"c": [1, 2], "d": 2}, "metadata": {"finalizers": ["x"]}});
        let patch = json!({"a": null, "b": {"c": [3]}, "metadata": {"finalizers": ["y"],
            "$deleteFromPrimitiveList/finalizers": ["x"]}, "e": {"$retainKeys": ["f"], "f": 1}});
        let expected =
            json!({"b": {"c": [3], "d": 2}, "metadata": {"finalizers": ["y"]}, "e": {"f": 1}});
        assert_eq!(patched(object, &patch), expected);
    }

    #[test]
    fn a_patch_without_its_key_is_refused() {
        let mut object = json!({});
        let patch = json!({"spec": {"template": {"spec": {"containers": [{"image": "x"}]}}}});
        assert!(merge(&mut object, &patch, Resource::Deployments).is_err());
    }
}
