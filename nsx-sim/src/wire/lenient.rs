//! Reads typed values out of JSON as leniently as the manager's Jackson does.
//!
//! Clients in production send ports as numbers, ICMP types as strings, booleans as `"True"` and
//! nulls for what they do not mean [nsxlib, sapcc, osp, vmware-samples]; all of that is read by the
//! type that the field has. What cannot be read is told with its path and kind, so that one place
//! can make the manager's errors of it.
//!
//! An enum read from a JSON *object* is one of NSX's polymorphic types: one member, mostly
//! `resource_type`, names the variant and the rest is its content.

use serde::de::value::StringDeserializer;
use serde::de::{
    self, Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess,
    IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde_json::{Map, Value};
use std::fmt;

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

impl Fault {
    fn at(mut self, step: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = format!("{step}{dot}{}", self.path);
        self
    }
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

impl de::Error for Fault {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self { path: String::new(), kind: FaultKind::Invalid(text.to_string()) }
    }

    fn invalid_type(unexpected: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::custom(format_args!("must be {expected}, not {unexpected}"))
    }

    fn invalid_value(unexpected: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::custom(format_args!("must be {expected}, not {unexpected}"))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::custom(format_args!("has value {variant}, which is none of {}", expected.join(", ")))
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self { path: field.to_owned(), kind: FaultKind::Unknown }
    }

    fn missing_field(field: &'static str) -> Self {
        Self { path: field.to_owned(), kind: FaultKind::Missing }
    }
}

/// Reads a typed value.
///
/// # Errors
/// The first member that cannot be read.
pub fn read<T: DeserializeOwned>(value: Value) -> Result<T, Fault> {
    T::deserialize(Lenient(value))
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

/// The members that tell the variant of a polymorphic type; where an object has several, the first
/// of this list counts [spec discriminators].
const TELLING: [&str; 9] = [
    "resource_type",
    "type",
    "placement_type",
    "credential_type",
    "clustering_type",
    "action_type",
    "allocation_pool_type",
    "frequency_type",
    "name",
];

struct Lenient(Value);

impl Lenient {
    fn integer(&self) -> Option<i64> {
        match &self.0 {
            Value::Number(number) => {
                number.as_i64().or_else(|| number.to_string().strip_suffix(".0")?.parse().ok())
            }
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }
}

macro_rules! read_integers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            match self.integer() {
                Some(number) => visitor.visit_i64(number),
                None => self.deserialize_any(visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Lenient {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(flag),
            Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
                (Some(signed), _, _) => visitor.visit_i64(signed),
                (_, Some(unsigned), _) => visitor.visit_u64(unsigned),
                (_, _, float) => visitor.visit_f64(float.unwrap_or(f64::NAN)),
            },
            Value::String(text) => visitor.visit_string(text),
            Value::Array(items) => {
                visitor.visit_seq(Elements { items: items.into_iter(), next: 0 })
            }
            Value::Object(members) => visitor.visit_map(Members::new(members)),
        }
    }

    read_integers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.0 {
            Value::String(text) => match text.trim().parse::<f64>() {
                Ok(number) if number.is_finite() => visitor.visit_f64(number),
                _ => self.deserialize_any(visitor),
            },
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.0 {
            Value::String(text) if text.eq_ignore_ascii_case("true") => visitor.visit_bool(true),
            Value::String(text) if text.eq_ignore_ascii_case("false") => visitor.visit_bool(false),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.0 {
            Value::Number(number) => visitor.visit_string(number.to_string()),
            Value::Bool(flag) => visitor.visit_string(flag.to_string()),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            value => visitor.visit_some(Lenient(value)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.0 {
            Value::String(name) => visitor.visit_enum(Variant { name, content: Value::Null }),
            Value::Object(mut members) => {
                let told = TELLING.into_iter().find_map(|member| match members.get(member) {
                    Some(Value::String(name)) => Some((member, name.clone())),
                    _ => None,
                });
                let Some((member, name)) = told else {
                    return Err(de::Error::missing_field(TELLING[0]));
                };
                members.shift_remove(member);
                visitor.visit_enum(Variant { name, content: Value::Object(members) })
            }
            other => Lenient(other).deserialize_any(visitor),
        }
    }

    /// Never from a list of its members' values, though a derived type would take one.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Array(_) => Err(de::Error::custom("must be an object, not a list")),
            _ => self.deserialize_any(visitor),
        }
    }

    serde::forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct seq tuple tuple_struct map
        identifier ignored_any
    }
}

struct Elements {
    items: std::vec::IntoIter<Value>,
    next: usize,
}

impl<'de> SeqAccess<'de> for Elements {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        let Some(value) = self.items.next() else { return Ok(None) };
        let step = format!("[{}]", self.next);
        self.next += 1;
        seed.deserialize(Lenient(value)).map(Some).map_err(|fault| fault.at(&step))
    }
}

struct Members {
    members: serde_json::map::IntoIter,
    current: Option<(String, Value)>,
}

impl Members {
    fn new(members: Map<String, Value>) -> Self {
        Self { members: members.into_iter(), current: None }
    }
}

impl<'de> MapAccess<'de> for Members {
    type Error = Fault;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Fault> {
        // A null member is an absent one: defaults apply and required members count as missing.
        let Some((key, value)) = self.members.find(|(_, value)| !value.is_null()) else {
            return Ok(None);
        };
        let read = seed.deserialize(StringDeserializer::<Fault>::new(key.clone()))?;
        self.current = Some((key, value));
        Ok(Some(read))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Fault> {
        let (key, value) = self.current.take().unwrap_or_default();
        seed.deserialize(Lenient(value)).map_err(|fault| fault.at(&key))
    }
}

struct Variant {
    name: String,
    content: Value,
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = Fault;
    type Variant = Content;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Content), Fault> {
        let name: StringDeserializer<Fault> = self.name.into_deserializer();
        Ok((seed.deserialize(name)?, Content(self.content)))
    }
}

struct Content(Value);

impl<'de> VariantAccess<'de> for Content {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Fault> {
        seed.deserialize(Lenient(self.0))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Fault> {
        Lenient(self.0).deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        Lenient(self.0).deserialize_any(visitor)
    }
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
