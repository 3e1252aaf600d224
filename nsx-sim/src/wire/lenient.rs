//! Reads typed values out of JSON as leniently as the manager's Jackson does.
//!
//! Clients in production send ports as numbers, ICMP types as strings, booleans as `"True"` and
//! nulls for what they do not mean [nsxlib, sapcc, osp, vmware-samples]; all of that is read by the
//! type that the field has. What cannot be read is told with its path and kind, so that one place
//! can make the manager's errors of it.
//!
//! An enum read from a JSON *object* is one of NSX's polymorphic types: one member, mostly
//! `resource_type`, names the variant and the rest is its content.

mod refusal;
mod values;

use refusal::Refusal;
use serde::de::{self, Deserialize, DeserializeOwned, Deserializer};
use serde_json::Value;
use std::fmt;
use values::Lenient;

/// Why a body is not a value of the type that it should be, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Members and indexes from the outside in, as `services[0].service`; empty for the body itself.
    pub path: String,
    /// What is wrong there.
    pub kind: FaultKind,
}

/// What can be wrong with a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The type has no such member.
    Unknown,
    /// A required member is absent (or null).
    Missing,
    /// The value is not one that the member takes; the text says why.
    Invalid(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            FaultKind::Unknown => write!(out, "{} is unrecognized", self.path),
            FaultKind::Missing => write!(out, "{} is required", self.path),
            FaultKind::Invalid(why) => write!(out, "{} {why}", self.path),
        }
    }
}

impl std::error::Error for Fault {}

/// Reads a typed value.
///
/// # Errors
/// The first member that cannot be read.
pub fn read<T: DeserializeOwned>(value: Value) -> Result<T, Fault> {
    T::deserialize(Lenient(value)).map_err(|Refusal(fault)| *fault)
}

/// Reads a member for which clients send the empty string where they mean none [client sapcc].
///
/// # Errors
/// As for the value itself.
pub fn blank_is_none<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    let value = Value::deserialize(deserializer)?;
    if value == "" {
        return Ok(None);
    }
    read(value).map_err(|fault| match fault.kind {
        FaultKind::Invalid(why) => de::Error::custom(why),
        _ => de::Error::custom(fault),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Service {
        ports: Vec<String>,
        #[serde(default)]
        kind: Option<i64>,
        #[serde(default)]
        logged: bool,
        #[serde(default)]
        share: f64,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    enum Element {
        L4PortSetNSService(Service),
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Rule {
        services: Vec<Element>,
    }

    #[test]
    fn numbers_strings_and_booleans_are_read_by_the_field_they_are_for() {
        let service: Service =
            read(json!({"ports": [67, "80-90"], "kind": "8", "logged": "True", "share": "0.5"}))
                .unwrap();
        let ports = vec!["67".into(), "80-90".into()];
        let expected = Service { ports, kind: Some(8), logged: true, share: 0.5 };
        assert_eq!(service, expected);
        for none in ["many", "NaN", "inf", ""] {
            assert!(read::<Service>(json!({"ports": [], "share": none})).is_err(), "{none}");
        }
    }

    #[test]
    fn a_list_is_no_object() {
        let fault = read::<Service>(json!([[]])).unwrap_err();
        assert_eq!(fault.path, "");
    }

    #[test]
    fn null_is_absent() {
        let service: Service = read(json!({"ports": [], "kind": null, "logged": null})).unwrap();
        assert_eq!(service, Service { ports: vec![], kind: None, logged: false, share: 0.0 });
        let fault = read::<Service>(json!({"ports": null})).unwrap_err();
        assert_eq!(fault, Fault { path: "ports".into(), kind: FaultKind::Missing });
    }

    #[test]
    fn faults_name_their_path() {
        let body =
            json!({"services": [{"resource_type": "L4PortSetNSService", "ports": [], "x": 1}]});
        let fault = read::<Rule>(body).unwrap_err();
        assert_eq!(fault, Fault { path: "services[0].x".into(), kind: FaultKind::Unknown });
        let body = json!({"services": [{"resource_type": "Nothing"}]});
        let fault = read::<Rule>(body).unwrap_err();
        assert_eq!(fault.path, "services[0]");
        let body = json!({"services": [{"ports": []}]});
        let fault = read::<Rule>(body).unwrap_err();
        assert_eq!(
            fault,
            Fault { path: "services[0].resource_type".into(), kind: FaultKind::Missing }
        );
    }
}
