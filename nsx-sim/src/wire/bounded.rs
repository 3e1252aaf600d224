//! Values that carry their limits in their types: what was read is within them.

use compact_str::CompactString;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error};
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::ops::Deref;

/// A string of at least `MIN` and at most `MAX` characters; a short one takes no room of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text<const MAX: usize, const MIN: usize = 0>(CompactString);

impl<const MAX: usize, const MIN: usize> Text<MAX, MIN> {
    /// Takes a string the program itself made; a longer one is cut at a character's edge.
    pub fn cut(text: impl Into<CompactString>) -> Self {
        let mut text = text.into();
        if let Some((edge, _)) = text.char_indices().nth(MAX) {
            text.truncate(edge);
        }
        Self(text)
    }
}

impl<const MAX: usize, const MIN: usize> Deref for Text<MAX, MIN> {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize, const MIN: usize> Serialize for Text<MAX, MIN> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de, const MAX: usize, const MIN: usize> Deserialize<'de> for Text<MAX, MIN> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = CompactString::deserialize(deserializer)?;
        within::<D::Error>(text.chars().count(), MIN, MAX)?;
        Ok(Self(text))
    }
}

impl<const MAX: usize, const MIN: usize> JsonSchema for Text<MAX, MIN> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut schema = json_schema!({ "type": "string" });
        limit(&mut schema, "minLength", MIN, 0);
        limit(&mut schema, "maxLength", MAX, usize::MAX);
        schema
    }
}

/// States a limit, unless it is none.
fn limit(schema: &mut Schema, name: &str, value: usize, none: usize) {
    if value != none {
        schema.insert(name.to_owned(), value.into());
    }
}

/// The text of the upper limit is the manager's own, seen for tags [bosh spec].
fn within<E: Error>(size: usize, min: usize, max: usize) -> Result<(), E> {
    if size > max {
        return Err(E::custom(format_args!("has exceeded maximum size {max}")));
    }
    if size < min {
        return Err(E::custom(format_args!("is below minimum size {min}")));
    }
    Ok(())
}

/// A list of at least `MIN` and at most `MAX` items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Items<T, const MAX: usize, const MIN: usize = 0>(Vec<T>);

impl<T, const MAX: usize> Default for Items<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const MAX: usize, const MIN: usize> Items<T, MAX, MIN> {
    /// Takes a list the program itself made; what is beyond the limit is given back.
    ///
    /// # Errors
    /// The list, where it is longer than `MAX`.
    pub fn try_new(items: Vec<T>) -> Result<Self, Vec<T>> {
        if items.len() > MAX { Err(items) } else { Ok(Self(items)) }
    }

    /// Adds an item; `false` where the list is full.
    #[must_use]
    pub fn try_push(&mut self, item: T) -> bool {
        let room = self.0.len() < MAX;
        if room {
            self.0.push(item);
        }
        room
    }

    /// Keeps the items that a test allows.
    pub fn retain(&mut self, keep: impl FnMut(&T) -> bool) {
        self.0.retain(keep);
    }
}

impl<T, const MAX: usize, const MIN: usize> Deref for Items<T, MAX, MIN> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Serialize, const MAX: usize, const MIN: usize> Serialize for Items<T, MAX, MIN> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>, const MAX: usize, const MIN: usize> Deserialize<'de>
    for Items<T, MAX, MIN>
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut items = Vec::deserialize(deserializer)?;
        within::<D::Error>(items.len(), MIN, MAX)?;
        // Kept for long, and seldom added to.
        items.shrink_to_fit();
        Ok(Self(items))
    }
}

impl<T: JsonSchema, const MAX: usize, const MIN: usize> JsonSchema for Items<T, MAX, MIN> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Items".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let items = generator.subschema_for::<T>();
        let mut schema = json_schema!({ "type": "array", "items": items });
        limit(&mut schema, "minItems", MIN, 0);
        limit(&mut schema, "maxItems", MAX, usize::MAX);
        schema
    }
}

/// A whole number between `MIN` and `MAX`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Int<const MIN: i64, const MAX: i64>(i64);

impl<const MIN: i64, const MAX: i64> Int<MIN, MAX> {
    /// A number that the program itself states; held to the range when the constant is evaluated.
    pub const fn new(value: i64) -> Self {
        assert!(MIN <= value && value <= MAX, "a declared default lies within its own range");
        Self(value)
    }

    /// The number of the range that is nearest.
    pub fn clamped(value: i64) -> Self {
        Self(value.clamp(MIN, MAX))
    }

    /// A number that something else gave; none where it is out of range.
    pub fn try_new(value: i64) -> Option<Self> {
        (MIN..=MAX).contains(&value).then_some(Self(value))
    }

    /// The number.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl<const MIN: i64, const MAX: i64> Serialize for Int<MIN, MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

impl<'de, const MIN: i64, const MAX: i64> Deserialize<'de> for Int<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = i64::deserialize(deserializer)?;
        if (MIN..=MAX).contains(&value) {
            Ok(Self(value))
        } else {
            Err(D::Error::custom(format_args!("must lie between {MIN} and {MAX}")))
        }
    }
}

impl<const MIN: i64, const MAX: i64> JsonSchema for Int<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Int".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let mut schema = json_schema!({ "type": "integer", "minimum": MIN });
        if MAX != i64::MAX {
            schema.insert("maximum".to_owned(), MAX.into());
        }
        schema
    }
}

/// A number's default, for `#[serde(default = "int::<5, 0, 9>")]`; the limits are written out, for the
/// schema asks for the default without the field's type.
pub const fn int<const VALUE: i64, const MIN: i64, const MAX: i64>() -> Int<MIN, MAX> {
    Int::new(VALUE)
}

/// A boolean's default where it is not `false`, for `#[serde(default = "yes")]`.
pub const fn yes() -> bool {
    true
}

/// A string's default, for `#[serde(default)]` fields whose default is not empty.
pub fn text<const MAX: usize, const MIN: usize>(value: &str) -> Text<MAX, MIN> {
    Text::cut(value)
}

/// A member that only the manager sets: what a caller sends for it is read over, not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told<T>(pub Option<T>);

impl<T> Default for Told<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Deref for Told<T> {
    type Target = Option<T>;
    fn deref(&self) -> &Option<T> {
        &self.0
    }
}

impl<T: Serialize> Serialize for Told<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T> Deserialize<'de> for Told<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer)?;
        Ok(Self(None))
    }
}

impl<T: JsonSchema> JsonSchema for Told<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = generator.subschema_for::<T>();
        schema.insert("readOnly".to_owned(), true.into());
        schema
    }
}
