//! JSON values as serde reads typed ones from them.

use super::refusal::Refusal;
use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde_json::{Map, Value};

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

/// Each kind of type takes the sorts of values that it can be made of, and no other: what is asked of
/// a visitor here is compiled for every type.
pub(super) struct Lenient(pub(super) Value);

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

    fn truth(&self) -> Option<bool> {
        match &self.0 {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    fn float(&self) -> Option<f64> {
        match &self.0 {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => {
                text.trim().parse().ok().filter(|number: &f64| number.is_finite())
            }
            _ => None,
        }
    }

    fn text(self) -> Result<String, Self> {
        match self.0 {
            Value::String(text) => Ok(text),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(flag) => Ok(flag.to_string()),
            other => Err(Self(other)),
        }
    }

    /// The variant of an enum: the name itself, or the object that a member gives the name of.
    fn variant(self) -> Result<Result<Variant, Self>, Refusal> {
        match self.0 {
            Value::String(name) => Ok(Ok(Variant { name, content: Value::Null })),
            Value::Object(mut members) => {
                let told = TELLING.into_iter().find_map(|member| match members.get(member) {
                    Some(Value::String(name)) => Some((member, name.clone())),
                    _ => None,
                });
                let Some((member, name)) = told else {
                    return Err(de::Error::missing_field(TELLING[0]));
                };
                members.shift_remove(member);
                Ok(Ok(Variant { name, content: Value::Object(members) }))
            }
            other => Ok(Err(Self(other))),
        }
    }
}

macro_rules! read_integers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
            match (self.integer(), self.0.as_u64()) {
                (Some(number), _) => visitor.visit_i64(number),
                (None, Some(number)) => visitor.visit_u64(number),
                (None, None) => Err(Refusal::unexpected(&self.0, &visitor)),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Lenient {
    type Error = Refusal;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(flag),
            Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
                (Some(signed), _, _) => visitor.visit_i64(signed),
                (_, Some(unsigned), _) => visitor.visit_u64(unsigned),
                (_, _, float) => visitor.visit_f64(float.unwrap_or(f64::NAN)),
            },
            Value::String(text) => visitor.visit_string(text),
            Value::Array(items) => visitor.visit_seq(Elements::new(items)),
            Value::Object(members) => visitor.visit_map(Members::new(members)),
        }
    }

    read_integers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.float() {
            Some(number) => visitor.visit_f64(number),
            None => Err(Refusal::unexpected(&self.0, &visitor)),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.truth() {
            Some(flag) => visitor.visit_bool(flag),
            None => Err(Refusal::unexpected(&self.0, &visitor)),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.text() {
            Ok(text) => visitor.visit_string(text),
            Err(other) => Err(Refusal::unexpected(&other.0, &visitor)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            value => visitor.visit_some(Lenient(value)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        visitor.visit_newtype_struct(self)
    }

    #[inline]
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        match self.variant()? {
            Ok(variant) => visitor.visit_enum(variant),
            Err(other) => Err(Refusal::unexpected(&other.0, &visitor)),
        }
    }

    /// Never from a list of its members' values, though a derived type would take one.
    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        match self.0 {
            Value::Object(members) => visitor.visit_map(Members::new(members)),
            Value::Array(_) => Err(de::Error::custom("must be an object, not a list")),
            other => Err(Refusal::unexpected(&other, &visitor)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.0 {
            Value::Object(members) => visitor.visit_map(Members::new(members)),
            other => Err(Refusal::unexpected(&other, &visitor)),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Refusal> {
        match self.0 {
            Value::Array(items) => visitor.visit_seq(Elements::new(items)),
            other => Err(Refusal::unexpected(&other, &visitor)),
        }
    }

    serde::forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

struct Elements {
    items: std::vec::IntoIter<Value>,
    next: usize,
}

impl Elements {
    fn new(items: Vec<Value>) -> Self {
        Self { items: items.into_iter(), next: 0 }
    }
}

impl<'de> SeqAccess<'de> for Elements {
    type Error = Refusal;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Refusal> {
        let Some(value) = self.items.next() else { return Ok(None) };
        let index = self.next;
        self.next += 1;
        seed.deserialize(Lenient(value)).map(Some).map_err(|refusal| refusal.at_index(index))
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

    /// Goes on to the next member: its name. A null member is an absent one: defaults apply and
    /// required members count as missing.
    fn advance(&mut self) -> Option<&str> {
        self.current = self.members.find(|(_, value)| !value.is_null());
        self.current.as_ref().map(|(name, _)| name.as_str())
    }
}

impl<'de> MapAccess<'de> for Members {
    type Error = Refusal;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Refusal> {
        match self.advance() {
            Some(name) => seed.deserialize(StrDeserializer::<Refusal>::new(name)).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Refusal> {
        let (name, value) = self.current.take().unwrap_or_default();
        seed.deserialize(Lenient(value)).map_err(|refusal| refusal.at(&name))
    }
}

struct Variant {
    name: String,
    content: Value,
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = Refusal;
    type Variant = Content;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Content), Refusal> {
        let name = StrDeserializer::<Refusal>::new(&self.name);
        Ok((seed.deserialize(name)?, Content(self.content)))
    }
}

struct Content(Value);

impl<'de> VariantAccess<'de> for Content {
    type Error = Refusal;

    fn unit_variant(self) -> Result<(), Refusal> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Refusal> {
        seed.deserialize(Lenient(self.0))
    }

    /// None of NSX's types is one.
    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Refusal> {
        Err(Refusal::unexpected(&self.0, &visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        members: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Refusal> {
        Lenient(self.0).deserialize_struct("", members, visitor)
    }
}
