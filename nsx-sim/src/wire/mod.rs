//! How values look on the wire: lenient reading and Jackson's form of printing.
//!
//! A leaf: it knows JSON and nothing of NSX.

mod bounded;
mod jackson;
mod lenient;

pub use bounded::{Int, Items, Text};
pub use jackson::to_pretty_bytes;
pub use lenient::{Fault, FaultKind, blank_is_none, read};

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

/// Implements `Serialize` for an enum of polymorphic NSX types: the member `resource_type` first,
/// then the variant's own members. (Reading needs no help: see [`read`].)
macro_rules! serialize_by_resource_type {
    ($name:ident { $($variant:ident),+ $(,)? }) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                #[derive(serde::Serialize)]
                struct Tagged<'a, T> {
                    resource_type: &'static str,
                    #[serde(flatten)]
                    value: &'a T,
                }
                match self {
                    $(Self::$variant(value) => {
                        Tagged { resource_type: stringify!($variant), value }.serialize(serializer)
                    })+
                }
            }
        }
        impl $name {
            /// The wire name of this variant.
            #[must_use]
            pub fn resource_type(&self) -> &'static str {
                match self { $(Self::$variant(_) => stringify!($variant),)+ }
            }
        }
    };
}
pub(crate) use serialize_by_resource_type;
