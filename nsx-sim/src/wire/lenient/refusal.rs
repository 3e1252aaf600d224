//! Why a value is not read, on its way out of it.

use super::{Fault, FaultKind};
use serde::de::{self, Unexpected};
use serde_json::Value;
use std::fmt;

/// A fault on its way out. The code that reads some six hundred types hands it on at every member:
/// as one pointer it takes half the code.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) Box<Fault>);

impl Refusal {
    fn new(path: &str, kind: FaultKind) -> Self {
        Self(Box::new(Fault { path: path.to_owned(), kind }))
    }

    /// Not a value of the sort that the type takes.
    #[cold]
    #[inline(never)]
    pub(super) fn unexpected(value: &Value, expected: &dyn de::Expected) -> Self {
        let unexpected = match value {
            Value::Null => Unexpected::Unit,
            Value::Bool(flag) => Unexpected::Bool(*flag),
            Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
                (Some(signed), _, _) => Unexpected::Signed(signed),
                (_, Some(unsigned), _) => Unexpected::Unsigned(unsigned),
                (_, _, float) => Unexpected::Float(float.unwrap_or(f64::NAN)),
            },
            Value::String(text) => Unexpected::Str(text),
            Value::Array(_) => Unexpected::Seq,
            Value::Object(_) => Unexpected::Map,
        };
        de::Error::invalid_type(unexpected, expected)
    }

    /// In a member or at an index.
    #[cold]
    #[inline(never)]
    pub(super) fn at(mut self, step: &str) -> Self {
        let path = &mut self.0.path;
        let dot = if path.is_empty() || path.starts_with('[') { "" } else { "." };
        *path = format!("{step}{dot}{path}");
        self
    }

    #[cold]
    #[inline(never)]
    pub(super) fn at_index(self, index: usize) -> Self {
        self.at(&format!("[{index}]"))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl std::error::Error for Refusal {}

impl de::Error for Refusal {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self::new("", FaultKind::Invalid(text.to_string()))
    }

    #[cold]
    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::custom(format_args!("must be {expected}, not {unexpected}"))
    }

    #[cold]
    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::custom(format_args!("must be {expected}, not {unexpected}"))
    }

    #[cold]
    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::custom(format_args!("has value {variant}, which is none of {}", expected.join(", ")))
    }

    #[cold]
    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self::new(field, FaultKind::Unknown)
    }

    #[cold]
    fn missing_field(field: &'static str) -> Self {
        Self::new(field, FaultKind::Missing)
    }
}
