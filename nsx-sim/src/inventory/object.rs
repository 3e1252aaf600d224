//! Objects: the managed-resource header that all share, and a body of one kind.

use super::{Actor, Inventory, Kind, Resource};
use crate::clock::Millis;
use crate::wire::{self, Fields, Items, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// The longest scope of a tag, in characters [spec Tag].
pub const MAX_TAG_SCOPE: usize = 128;

/// The longest tag, in characters [spec Tag].
pub const MAX_TAG: usize = 256;

/// The most tags of one object since 2.4 [spec ManagedResource].
pub const MAX_TAGS: usize = 30;

/// A scope and a tag [spec Tag]; an absent part is the empty string.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tag {
    /// For labels of pods the label's key.
    #[serde(default)]
    pub scope: Text<MAX_TAG_SCOPE>,
    /// For labels of pods the label's value.
    #[serde(default)]
    pub tag: Text<MAX_TAG>,
}

/// The tags of an object [spec ManagedResource].
pub type Tags = Items<Tag, MAX_TAGS>;

/// What every managed resource carries beside its own fields [spec ManagedResource].
#[derive(Clone, Debug)]
pub struct Header {
    /// Given by the caller or made by the manager; never changes.
    pub id: String,
    /// Absent means that the id is shown.
    pub display_name: Option<Text<{ Header::MAX_NAME }>>,
    /// Absent unless ever sent; an empty one is kept.
    pub description: Option<Text<{ Header::MAX_DESCRIPTION }>>,
    /// In the caller's order; absent unless ever sent.
    pub tags: Option<Tags>,
    /// Rises by one with each change.
    pub revision: u32,
    /// Who made the object, and when.
    pub created: Stamp,
    /// Who changed it last, and when.
    pub modified: Stamp,
    /// Made by the manager itself.
    pub system_owned: bool,
    /// Made by a principal identity that protects what it makes.
    pub protected: bool,
    /// The id of the object that this one is part of, for kinds that have a parent.
    pub parent: Option<String>,
}

/// A user and a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// User or principal. Few make all there is: the name is shared.
    pub user: Arc<str>,
    /// Milliseconds since 1970.
    pub time: Millis,
}

impl Header {
    /// The longest name, in characters [spec ManagedResource].
    pub const MAX_NAME: usize = 255;

    /// The longest description, in characters [spec ManagedResource].
    pub const MAX_DESCRIPTION: usize = 1024;

    /// The name that lists show: the id where none was given [spec ManagedResource].
    pub fn name(&self) -> &str {
        self.display_name.as_deref().unwrap_or(&self.id)
    }

    /// The tags, none where the member is absent.
    pub fn tags(&self) -> &[Tag] {
        self.tags.as_deref().unwrap_or_default()
    }
}

/// An object that another one names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The kind's name.
    pub kind: String,
    /// The object's id.
    pub id: String,
}

impl Reference {
    /// A reference to an object of a kind.
    pub fn new(kind: impl Into<String>, id: impl Into<String>) -> Self {
        Self { kind: kind.into(), id: id.into() }
    }
}

/// A key by which an object can be found beside its id: an index's name and a value.
pub type IndexKey = (&'static str, String);

/// What the inventory asks of an object's own part, whatever its kind: [`Resource`] behind a
/// pointer.
pub trait Body: Any + Send + Sync {
    /// See [`Resource::resource_type`].
    fn resource_type(&self) -> Option<&'static str>;

    /// See [`Resource::fields`].
    fn fields(&self, header: &Header, inventory: &Inventory) -> Fields;

    /// See [`Resource::print`].
    fn print(&self, header: &Shown<'_>, depth: usize, out: &mut Vec<u8>) -> bool;

    /// See [`Resource::references`].
    fn references(&self) -> Vec<Reference>;

    /// See [`Resource::keys`].
    fn keys(&self) -> Vec<IndexKey>;
}

impl fmt::Debug for dyn Body {
    /// The type alone: to print the members of all kinds would take more code than reading them.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.resource_type().unwrap_or("Body"))
    }
}

impl<T: Resource> Body for T {
    fn resource_type(&self) -> Option<&'static str> {
        Resource::resource_type(self)
    }

    fn fields(&self, header: &Header, inventory: &Inventory) -> Fields {
        Resource::fields(self, header, inventory)
    }

    fn print(&self, header: &Shown<'_>, depth: usize, out: &mut Vec<u8>) -> bool {
        Resource::print(self, header, depth, out)
    }

    fn references(&self) -> Vec<Reference> {
        Resource::references(self)
    }

    fn keys(&self) -> Vec<IndexKey> {
        Resource::keys(self)
    }
}

/// An object as it stands in a table; a change makes a new one.
#[derive(Debug)]
pub struct Object {
    /// The declaration of its kind.
    pub kind: &'static Kind,
    /// The part that all kinds share.
    pub header: Header,
    pub(super) body: Box<dyn Body>,
}

impl Object {
    /// The body, where it is of this type.
    pub fn body<T: Body>(&self) -> Option<&T> {
        let body: &dyn Any = &*self.body;
        body.downcast_ref()
    }

    /// The body, whatever its type.
    pub fn any_body(&self) -> &dyn Body {
        &*self.body
    }

    /// The wire name of the concrete type: the kind's, or one of several where it is polymorphic.
    pub fn resource_type(&self) -> &'static str {
        self.body.resource_type().unwrap_or(self.kind.name)
    }

    /// Keys under which [`Inventory::by_key`] knows the object: the body's, and its parent's.
    pub(super) fn keys(&self) -> Vec<IndexKey> {
        let mut keys = self.body.keys();
        if let (Some(parent), Some(id)) = (&self.kind.parent, &self.header.parent) {
            keys.push((self.kind.name, format!("{}/{id}", parent.kind)));
        }
        keys
    }
}

impl Object {
    /// The wire form as one caller sees it: the kind's own members, then the header's, in the order
    /// of real output [psnsxt, miq].
    pub fn fields(&self, inventory: &Inventory, viewer: &Actor) -> Fields {
        let mut fields = self.body.fields(&self.header, inventory);
        if self.kind.polymorphic {
            // The header prints it in its own place.
            fields.shift_remove("resource_type");
        }
        self.with_header(fields, viewer)
    }

    /// Adds the header to members that were printed otherwise than by the body itself.
    pub fn with_header(&self, mut fields: Fields, viewer: &Actor) -> Fields {
        fields.extend(wire::fields_of(&self.shown(viewer)));
        fields
    }

    /// Adds the object to a text where so many objects are open around it, in the wire form that
    /// [`Object::fields`] gives.
    pub fn print(&self, inventory: &Inventory, viewer: &Actor, depth: usize, out: &mut Vec<u8>) {
        if !self.body.print(&self.shown(viewer), depth, out) {
            wire::print_at(&self.fields(inventory, viewer), depth, out);
        }
    }

    fn shown(&self, viewer: &Actor) -> Shown<'_> {
        let header = &self.header;
        Shown {
            resource_type: self.resource_type(),
            id: &header.id,
            display_name: header.name(),
            description: header.description.as_deref(),
            tags: header.tags.as_deref(),
            create_user: &header.created.user,
            create_time: header.created.time,
            last_modified_user: &header.modified.user,
            last_modified_time: header.modified.time,
            system_owned: header.system_owned,
            protection: self.protection(viewer),
            revision: header.revision,
        }
    }

    /// How the object is protected, seen by one caller [spec ManagedResource._protection].
    fn protection(&self, viewer: &Actor) -> &'static str {
        let header = &self.header;
        if !header.protected || *header.created.user == *viewer.name {
            return "NOT_PROTECTED";
        }
        if viewer.is_super_user() { "REQUIRE_OVERRIDE" } else { "PROTECTED" }
    }
}

/// The header's members as one caller sees them, in the order of real output [psnsxt, miq].
#[derive(Serialize)]
pub struct Shown<'a> {
    resource_type: &'static str,
    id: &'a str,
    display_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<&'a [Tag]>,
    #[serde(rename = "_create_user")]
    create_user: &'a str,
    #[serde(rename = "_create_time")]
    create_time: Millis,
    #[serde(rename = "_last_modified_user")]
    last_modified_user: &'a str,
    #[serde(rename = "_last_modified_time")]
    last_modified_time: Millis,
    #[serde(rename = "_system_owned")]
    system_owned: bool,
    #[serde(rename = "_protection")]
    protection: &'static str,
    #[serde(rename = "_revision")]
    revision: u32,
}

impl Shown<'_> {
    /// Adds an object to a text: a body's own members, none of which prints as null, and the header.
    pub fn print_after<T: Serialize>(&self, body: &T, depth: usize, out: &mut Vec<u8>) {
        #[derive(Serialize)]
        struct Whole<'a, T> {
            #[serde(flatten)]
            body: &'a T,
            #[serde(flatten)]
            header: &'a Shown<'a>,
        }
        wire::print_at(&Whole { body, header: self }, depth, out);
    }
}
