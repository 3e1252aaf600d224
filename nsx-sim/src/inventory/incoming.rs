//! A body as a caller sent it, taken apart by name into header and kind.

use super::{Body, Error, Kind, Tags};
use crate::wire::{self, Fault, Fields, Text};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A request's object before it meets the inventory.
#[derive(Debug)]
pub struct Incoming {
    /// A caller may choose the id of a new object [spec ManagedResource].
    pub id: Option<Text<64>>,
    /// See `Header`.
    pub display_name: Option<Text<255>>,
    /// See `Header`.
    pub description: Option<Text<1024>>,
    /// See `Header`.
    pub tags: Option<Tags>,
    /// Required to change an object, ignored when one is made.
    pub revision: Option<i64>,
    /// The kind's own part.
    pub body: Box<dyn Body>,
}

impl Incoming {
    /// A body without a header, as the program itself makes one.
    pub fn of(body: impl Body) -> Self {
        Self {
            id: None,
            display_name: None,
            description: None,
            tags: None,
            revision: None,
            body: Box::new(body),
        }
    }

    /// Reads the JSON object of a request.
    ///
    /// # Errors
    /// [`Error::UnknownField`] and [`Error::InvalidFields`].
    pub fn read(kind: &'static Kind, mut fields: Fields) -> Result<Self, Error> {
        let header = HeaderFields::take(&mut fields)?;
        for name in kind.read_only {
            fields.shift_remove(*name);
        }
        if !kind.polymorphic
            && let Some(Value::String(name)) = fields.shift_remove("resource_type")
            && name != kind.name
            && !kind.aliases.contains(&name.as_str())
        {
            return Err(Error::field(
                "resource_type",
                format!("must be {}, not {name}", kind.name),
            ));
        }
        Ok(header.with((kind.read)(fields)?))
    }
}

/// The members that every managed resource has.
pub struct HeaderFields {
    id: Option<Text<64>>,
    display_name: Option<Text<255>>,
    description: Option<Text<1024>>,
    tags: Option<Tags>,
    /// `_revision` as sent.
    pub revision: Option<i64>,
}

impl HeaderFields {
    /// Takes the header's members out of a JSON object; those that only the manager sets
    /// (`_create_time` and all its like) are dropped unread, for clients send back what they got.
    ///
    /// # Errors
    /// [`Error::InvalidFields`].
    pub fn take(fields: &mut Fields) -> Result<Self, Error> {
        let header = Self {
            id: take(fields, "id")?,
            display_name: take(fields, "display_name")?,
            description: take(fields, "description")?,
            tags: take(fields, "tags")?,
            revision: take(fields, "_revision")?,
        };
        fields.retain(|name, _| !READ_ONLY.contains(&name.as_str()));
        Ok(header)
    }

    /// Joins the header with the rest.
    pub fn with(self, body: Box<dyn Body>) -> Incoming {
        let Self { id, display_name, description, tags, revision } = self;
        Incoming {
            id: id.filter(|id| !id.is_empty()),
            display_name,
            description,
            tags,
            revision,
            body,
        }
    }
}

/// Members of [spec ManagedResource] that only the manager sets.
const READ_ONLY: &[&str] = &[
    "_create_user",
    "_create_time",
    "_last_modified_user",
    "_last_modified_time",
    "_system_owned",
    "_protection",
    "_schema",
    "_self",
    "_links",
    "_owner",
];

fn take<T: DeserializeOwned>(fields: &mut Fields, name: &str) -> Result<Option<T>, Error> {
    let value = fields.shift_remove(name).unwrap_or_default();
    wire::read(value).map_err(|fault| {
        let dot = if fault.path.is_empty() || fault.path.starts_with('[') { "" } else { "." };
        Error::from(Fault { path: format!("{name}{dot}{}", fault.path), ..fault })
    })
}
