//! The order of sections, kept beside them so that placing one changes no other.

use super::section::{self, FirewallSection, SectionType};
use crate::inventory::{
    Error, Header, Incoming, Inventory, Kind, Object, Query, Resource, Transaction, Verbs,
};
use crate::wire::Fields;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The declaration: one object, reached by no path.
pub static KIND: Kind = Kind {
    verbs: Verbs::NONE,
    system_owned_changes: true,
    ..Kind::of::<SectionOrder>("SectionOrder", "")
};

/// The one object's id.
const ID: &str = "section-order";

/// Section ids, first judged first; layer 2 and layer 3 sections stand in one list and are told
/// apart by their type, for they are judged apart.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct SectionOrder {
    sections: Vec<String>,
}

impl SectionOrder {
    /// The ids, first judged first.
    pub fn ids(&self) -> &[String] {
        &self.sections
    }

    /// The ids, to be changed.
    pub fn ids_mut(&mut self) -> &mut Vec<String> {
        &mut self.sections
    }
}

impl Resource for SectionOrder {
    fn fields(&self, _: &Header, _: &Inventory) -> Fields {
        Fields::new()
    }
}

/// Where a section or a rule goes [spec AddSection.operation].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Placement {
    /// First.
    #[default]
    Top,
    /// Last, but above a default.
    Bottom,
    /// Right above another.
    Before(String),
    /// Right below another.
    After(String),
}

impl Placement {
    /// Reads `operation` and `id`; absent is the top.
    ///
    /// # Errors
    /// [`Error::InvalidFields`] for an unknown operation, or one that lacks its anchor.
    pub fn read(query: &Query) -> Result<Self, Error> {
        let words = ["insert_top", "insert_bottom", "insert_before", "insert_after"];
        let anchor = || {
            let problem = "is required with insert_before and insert_after";
            query.get("id").map(str::to_owned).ok_or_else(|| Error::field("id", problem))
        };
        Ok(match query.one_of("operation", &words)? {
            Some("insert_bottom") => Self::Bottom,
            Some("insert_before") => Self::Before(anchor()?),
            Some("insert_after") => Self::After(anchor()?),
            _ => Self::Top,
        })
    }

    /// The place in a list of `len` items of which the last `fixed` stay last.
    ///
    /// # Errors
    /// `missing` of the anchor where it is not in the list.
    pub fn index(
        &self,
        len: usize,
        fixed: usize,
        place_of: impl Fn(&str) -> Option<usize>,
        missing: impl Fn(&str) -> Error,
    ) -> Result<usize, Error> {
        let end = len - fixed;
        match self {
            Self::Top => Ok(0),
            Self::Bottom => Ok(end),
            Self::Before(anchor) => place_of(anchor).ok_or_else(|| missing(anchor)),
            Self::After(anchor) => match place_of(anchor) {
                Some(place) if place < end => Ok(place + 1),
                Some(_) => Err(Error::field("operation", "can not place anything below a default")),
                None => Err(missing(anchor)),
            },
        }
    }
}

/// The ids of the sections in order, both layers.
pub fn ids(inventory: &Inventory) -> Vec<Arc<str>> {
    let order = inventory.find(KIND.name, ID);
    let order = order.as_ref().and_then(|order| order.body::<SectionOrder>());
    order.iter().flat_map(|order| &order.sections).map(|id| id.as_str().into()).collect()
}

/// The sections in order, both layers.
pub fn sections(inventory: &Inventory) -> Vec<Arc<Object>> {
    ids(inventory).iter().filter_map(|id| inventory.find(section::KIND.name, id)).collect()
}

/// Puts a section, new or known, in its place among those of its type.
///
/// # Errors
/// [`Error::NotFound`] where the anchor is no section, [`Error::InvalidFields`] where it is of
/// another type.
pub(super) fn place(
    transaction: &mut Transaction<'_>,
    id: &str,
    section_type: SectionType,
    placement: &Placement,
) -> Result<(), Error> {
    let current = current(transaction)?;
    let of_type = |own: &str| {
        let object = transaction.find(section::KIND.name, own);
        object.and_then(|object| {
            let section = object.body::<FirewallSection>()?;
            (section.section_type == section_type).then_some(section.is_default)
        })
    };
    let (mut same, others): (Vec<_>, Vec<_>) =
        current.into_iter().filter(|own| own != id).partition(|own| of_type(own).is_some());
    if let Placement::Before(anchor) | Placement::After(anchor) = placement
        && others.contains(anchor)
    {
        return Err(Error::field("id", "names a section of another type"));
    }
    let fixed = usize::from(same.last().and_then(|last| of_type(last)).unwrap_or(false));
    let place_of = |anchor: &str| same.iter().position(|own| own == anchor);
    let missing = |anchor: &str| Error::NotFound { kind: section::KIND.name, id: anchor.into() };
    let at = placement.index(same.len(), fixed, place_of, missing)?;
    same.insert(at, id.to_owned());
    same.extend(others);
    write(transaction, same)
}

/// Takes a section out of the order.
pub(super) fn remove(transaction: &mut Transaction<'_>, id: &str) -> Result<(), Error> {
    let mut current = current(transaction)?;
    current.retain(|own| own != id);
    write(transaction, current)
}

fn current(transaction: &mut Transaction<'_>) -> Result<Vec<String>, Error> {
    let known = transaction.find(KIND.name, ID);
    let order = known.as_ref().and_then(|object| object.body::<SectionOrder>());
    if let Some(order) = order {
        return Ok(order.sections.clone());
    }
    let mut fields = Fields::new();
    fields.insert("id".into(), ID.into());
    fields.insert("sections".into(), serde_json::json!([]));
    let incoming = Incoming::read(&KIND, fields)?;
    transaction.create(&KIND, incoming)?;
    Ok(Vec::new())
}

fn write(transaction: &mut Transaction<'_>, sections: Vec<String>) -> Result<(), Error> {
    transaction.edit(&KIND, ID, |order: &mut SectionOrder, _| {
        order.sections = sections;
        Ok(())
    })?;
    Ok(())
}
