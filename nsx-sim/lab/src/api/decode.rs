//! A body becomes an object of its kind: what the kind does not know is found and dropped.

use super::error::Error;
use super::resource::Resource;
use serde_json::Value;

/// What to do about members that a kind does not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Validation {
    /// Drop them.
    Ignore,
    /// Drop them and say so in a header.
    #[default]
    Warn,
    /// Refuse the call.
    Strict,
}

impl Validation {
    /// Reads the query's `fieldValidation`.
    pub fn parse(text: &str) -> Result<Validation, Error> {
        match text {
            "" | "Warn" => Ok(Validation::Warn),
            "Ignore" => Ok(Validation::Ignore),
            "Strict" => Ok(Validation::Strict),
            other => Err(Error::bad_request(format!(
                "fieldValidation: Unsupported value: {other:?}: supported values: \"Ignore\", \
                 \"Strict\", \"Warn\""
            ))),
        }
    }
}

/// Reads an object as its kind. Gives the object as the kind prints it and the warnings about what
/// it does not know.
pub fn read(
    resource: Resource,
    value: &Value,
    validation: Validation,
) -> Result<(Value, Vec<String>), Error> {
    let info = resource.info();
    let refused = |why: String| {
        let (kind, version) = (info.kind, info.version);
        Error::bad_request(format!(
            "{kind} in version {version:?} cannot be handled as a {kind}: {why}"
        ))
    };
    let mut typed = (info.rules.typed)(value).map_err(|e| refused(format!("json: {e}")))?;
    let mut unknown = Vec::new();
    if validation != Validation::Ignore {
        missing(value, &typed, &mut String::new(), &mut unknown);
    }
    prune(&mut typed);
    let told: Vec<String> = unknown.iter().map(|path| format!("unknown field {path:?}")).collect();
    if validation == Validation::Strict && !told.is_empty() {
        return Err(refused(format!("strict decoding error: {}", told.join(", "))));
    }
    Ok((typed, told))
}

/// The paths that `given` has and `kept` has not.
fn missing(given: &Value, kept: &Value, path: &mut String, found: &mut Vec<String>) {
    let length = path.len();
    match (given, kept) {
        (Value::Object(given), Value::Object(kept)) => {
            for (member, value) in given {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(member);
                match kept.get(member) {
                    Some(kept) => missing(value, kept, path, found),
                    None if value.is_null() => {}
                    None => found.push(path.clone()),
                }
                path.truncate(length);
            }
        }
        (Value::Array(given), Value::Array(kept)) => {
            for (place, (given, kept)) in given.iter().zip(kept).enumerate() {
                path.push('[');
                path.push_str(&place.to_string());
                path.push(']');
                missing(given, kept, path, found);
                path.truncate(length);
            }
        }
        _ => {}
    }
}

/// Takes out members that are null: to this API that is the same as absent.
pub fn prune(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, v| !v.is_null());
            members.values_mut().for_each(prune);
        }
        Value::Array(all) => all.iter_mut().for_each(prune),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_unknown_member_is_told_by_its_path_or_refused() {
        let pod = json!({
            "metadata": {"name": "a", "labels": null},
            "spec": {"containers": [{"name": "a", "image": "b", "imagee": "c"}]},
        });
        let (kept, told) = read(Resource::Pods, &pod, Validation::Warn).unwrap();
        assert_eq!(told, ["unknown field \"spec.containers[0].imagee\""]);
        assert!(kept["spec"]["containers"][0].get("imagee").is_none());
        let refused = read(Resource::Pods, &pod, Validation::Strict).unwrap_err();
        assert_eq!(
            refused.message,
            "Pod in version \"v1\" cannot be handled as a Pod: strict decoding error: unknown \
             field \"spec.containers[0].imagee\""
        );
    }
}
