//! References from one object to another as they stand in bodies [spec ResourceReference].

use crate::inventory::{Inventory, Reference};
use crate::kinds::values::IpElement;
use crate::wire::{Fields, Items, Text, Told};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Names an object by id and type. Name and validity are the manager's to tell: what a caller
/// sends for them is not kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResourceReference {
    /// The object's id, or the address itself where the type is `IPv4Address` or `IPv6Address`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_id: Option<Text<64>>,
    /// The object's kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_type: Option<Text<255>>,
    #[serde(default, skip_serializing)]
    target_display_name: Told<String>,
    #[serde(default, skip_serializing)]
    is_valid: Told<bool>,
}

/// As many references as a firewall rule's field takes.
pub type References = Items<ResourceReference, 128>;

/// What a reference points at.
#[derive(Clone, Debug, PartialEq)]
pub enum Target<'a> {
    /// An object of some kind.
    Object {
        /// The kind's name.
        kind: &'a str,
        /// Its id.
        id: &'a str,
    },
    /// An address, block or range written out.
    Address(IpElement),
    /// Neither: a member is missing or the address is none.
    Nothing,
}

impl ResourceReference {
    /// Names an object.
    pub fn to_object(kind: &str, id: &str) -> Self {
        Self {
            target_id: Some(Text::cut(id)),
            target_type: Some(Text::cut(kind)),
            target_display_name: Told(None),
            is_valid: Told(None),
        }
    }

    /// What it points at.
    pub fn target(&self) -> Target<'_> {
        match (self.target_type.as_deref(), self.target_id.as_deref()) {
            (Some(kind @ ("IPv4Address" | "IPv6Address")), Some(text)) => {
                let of_family = |own: &IpElement| own.is_ipv4() == (kind == "IPv4Address");
                IpElement::parse(text).filter(of_family).map_or(Target::Nothing, Target::Address)
            }
            (Some(kind), Some(id)) => Target::Object { kind, id },
            _ => Target::Nothing,
        }
    }

    /// The object it points at, if it is one.
    pub fn object(&self) -> Option<Reference> {
        match self.target() {
            Target::Object { kind, id } => Some(Reference::new(kind, id)),
            _ => None,
        }
    }

    /// The wire form with the object's present name and whether it still exists.
    pub fn fields(&self, inventory: &Inventory) -> Fields {
        let name = match self.target() {
            Target::Object { kind, id } => {
                inventory.find(kind, id).map(|object| object.header.name().to_owned())
            }
            Target::Address(element) => Some((*element).to_owned()),
            Target::Nothing => None,
        };
        let mut fields = crate::wire::fields_of(self);
        let valid = name.is_some();
        if let Some(name) = name {
            fields.insert("target_display_name".into(), name.into());
        }
        fields.insert("is_valid".into(), valid.into());
        fields
    }
}

impl ResourceReference {
    /// As [`ResourceReference::fields`], for objects of one kind whatever type the caller named:
    /// the concrete one, say, of a polymorphic kind.
    pub fn fields_of_a(&self, kind: &str, inventory: &Inventory) -> Fields {
        let mut fields = crate::wire::fields_of(self);
        let found = inventory.find(kind, self.target_id.as_deref().unwrap_or_default());
        if let Some(object) = &found {
            fields.insert("target_display_name".into(), object.header.name().into());
        }
        fields.insert("is_valid".into(), found.is_some().into());
        fields
    }

    /// The object of one kind that it points at, whatever type the caller named.
    pub fn object_of_a(&self, kind: &str) -> Option<Reference> {
        Some(Reference::new(kind, &**self.target_id.as_ref()?))
    }
}

/// The wire form of a list of references.
pub fn list_fields(references: &[ResourceReference], inventory: &Inventory) -> Value {
    references.iter().map(|reference| Value::Object(reference.fields(inventory))).collect()
}
