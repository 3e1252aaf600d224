//! How values look on the wire: lenient reading and Jackson's form of printing.
//!
//! A leaf: it knows JSON and nothing of NSX.

mod bounded;
mod jackson;
mod lenient;

pub use bounded::{Int, Items, Text, Told, int, text, yes};
pub use jackson::{print_at, to_pretty_bytes};
pub use lenient::{Fault, FaultKind, blank_is_none, read};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value};

/// A JSON object in wire order.
pub type Fields = Map<String, Value>;

/// Removes every null member, at any depth: the manager never prints nulls [client miq].
pub fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, member| !member.is_null());
            fields.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

/// Prints a typed value as the fields of a JSON object, nulls left out.
///
/// A value that does not print as an object (no declared kind does that) gives no fields.
pub fn fields_of<T: serde::Serialize>(value: &T) -> Fields {
    let mut printed = serde_json::to_value(value).unwrap_or_default();
    without_nulls(&mut printed);
    match printed {
        Value::Object(fields) => fields,
        _ => Fields::new(),
    }
}

/// Makes an enum one of NSX's polymorphic types: it prints with the member that tells the variant
/// first (`resource_type` unless another is named), and its schema is one of the variants'.
/// (Reading needs no help: see [`read`].)
macro_rules! polymorphic {
    ($name:ident { $($variant:ident),+ $(,)? }) => {
        $crate::wire::polymorphic!($name by "resource_type" { $($variant),+ });
    };
    ($name:ident by $member:literal { $($variant:ident),+ $(,)? }) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                #[derive(serde::Serialize)]
                struct Tagged<'a, T> {
                    #[serde(rename = $member)]
                    variant: &'static str,
                    #[serde(flatten)]
                    value: &'a T,
                }
                match self {
                    $(Self::$variant(value) => {
                        Tagged { variant: stringify!($variant), value }.serialize(serializer)
                    })+
                }
            }
        }
        impl $name {
            /// The wire name of this variant.
            #[must_use]
            #[allow(dead_code, reason = "not every polymorphic type is asked for its variant")]
            pub fn variant(&self) -> &'static str {
                match self { $(Self::$variant(_) => stringify!($variant),)+ }
            }
        }
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::wire::one_of(generator, $member, &[
                    $((stringify!($variant), $crate::wire::content_of(Self::$variant)),)+
                ])
            }
        }
    };
}
pub(crate) use polymorphic;

/// Prints the schema of a type.
pub(crate) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// The schema of what a variant holds.
pub(crate) fn content_of<T: JsonSchema, E>(_: impl Fn(T) -> E) -> SchemaOf {
    T::json_schema
}

/// The schema of a polymorphic type: one of its variants, each told by a member.
pub(crate) fn one_of(
    generator: &mut SchemaGenerator,
    member: &str,
    variants: &[(&'static str, SchemaOf)],
) -> Schema {
    let variants: Vec<Schema> = variants
        .iter()
        .map(|(name, schema)| {
            let mut schema = schema(generator);
            let tag = serde_json::json!({ "type": "string", "enum": [name] });
            let object = schema.ensure_object();
            object.insert("title".to_owned(), (*name).into());
            if let Value::Object(properties) =
                object.entry("properties").or_insert_with(|| Value::Object(Map::new()))
            {
                properties.insert(member.to_owned(), tag);
            }
            if let Value::Array(required) =
                object.entry("required").or_insert_with(|| Value::Array(Vec::new()))
            {
                required.push(member.into());
            }
            schema
        })
        .collect();
    schemars::json_schema!({ "oneOf": variants })
}
