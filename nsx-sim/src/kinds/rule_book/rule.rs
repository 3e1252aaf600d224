//! A rule of a book.

use super::Book;
use crate::inventory::{Error, Header, HeaderFields, Inventory, Reference};
use crate::kinds::firewall::rule::FirewallService;
use crate::kinds::reference::{ResourceReference, list_fields};
use crate::wire::{self, Fields, Items, Text};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt::Debug;

/// As many services as a rule takes.
pub type Services = Items<FirewallService, 128>;

/// A rule's own members.
pub trait BookRule:
    Clone + Debug + Send + Sync + Serialize + DeserializeOwned + JsonSchema + 'static
{
    /// The lists of references by their wire names.
    fn lists(&self) -> Vec<(&'static str, &[ResourceReference])>;

    /// The services that it matches; none is any.
    fn services(&self) -> Option<&Services>;

    /// Checks what the types do not.
    ///
    /// # Errors
    /// What forbids the rule.
    fn check(&self) -> Result<(), Error>;

    /// One of the lists.
    fn list(&self, name: &str) -> Option<&[ResourceReference]> {
        self.lists().into_iter().find(|(own, _)| *own == name).map(|(_, list)| list)
    }
}

/// A rule with its place among all rules.
#[derive(Clone, Debug)]
pub struct Rule<B: Book> {
    /// Decimal, unique over all rules of the manager, never given twice.
    pub id: u64,
    /// The id is shown where none was given.
    pub display_name: Option<Text<255>>,
    /// Free text.
    pub description: Option<Text<1024>>,
    /// Its own members.
    pub body: B::Rule,
}

/// A rule as a caller sent it.
pub struct Sent<B: Book> {
    /// The rule, still without an id of its own.
    pub rule: Rule<B>,
    /// The id that the caller sent, if any.
    pub id: Option<u64>,
    /// The revision that the caller sent, if any.
    pub revision: Option<i64>,
}

#[derive(Deserialize)]
struct Names {
    display_name: Option<Text<255>>,
    description: Option<Text<1024>>,
}

/// Members that only the manager sets.
const TOLD: [&str; 3] = ["section_id", "is_default", "priority"];

impl<B: Book> Rule<B> {
    /// Reads a rule as a caller sent it.
    ///
    /// # Errors
    /// [`Error::UnknownField`] and [`Error::InvalidFields`].
    pub fn read(mut fields: Fields) -> Result<Sent<B>, Error> {
        if let Some(Value::String(name)) = fields.shift_remove("resource_type")
            && name != B::RULE
        {
            return Err(Error::field("resource_type", format!("must be {}", B::RULE)));
        }
        if fields.contains_key("tags") {
            return Err(Error::UnknownField("tags".into()));
        }
        let id = fields.get("id").and_then(|id| id.as_u64().or_else(|| id.as_str()?.parse().ok()));
        let names = ["display_name", "description"]
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), fields.shift_remove(name)?)));
        let Names { display_name, description } = wire::read(Value::Object(names.collect()))?;
        let header = HeaderFields::take(&mut fields)?;
        if B::TELLS_PLACE {
            fields.retain(|name, _| !TOLD.contains(&name.as_str()));
        }
        let body = wire::read(Value::Object(fields))?;
        let rule = Self { id: 0, display_name, description, body };
        Ok(Sent { rule, id, revision: header.revision })
    }

    /// The objects that it names.
    pub fn references(&self) -> Vec<Reference> {
        let lists = self.body.lists().into_iter().flat_map(|(_, list)| list.iter());
        let services = self.body.services().into_iter().flat_map(|list| list.iter());
        lists
            .filter_map(ResourceReference::object)
            .chain(services.filter_map(FirewallService::object))
            .collect()
    }

    /// The wire form within a section.
    pub fn fields(&self, section: &Header, place: usize, inventory: &Inventory) -> Fields {
        let mut fields = wire::fields_of(&self.body);
        for (name, list) in self.body.lists() {
            fields.insert(name.into(), list_fields(list, inventory));
        }
        if let Some(services) = self.body.services() {
            let services = services.iter().map(|own| Value::Object(own.fields(inventory)));
            fields.insert("services".into(), services.collect());
        }
        let id = self.id.to_string();
        let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        put("resource_type", B::RULE.into());
        put("display_name", self.display_name.as_deref().unwrap_or(&id).into());
        if let Some(description) = &self.description {
            put("description", (**description).into());
        }
        if B::TELLS_PLACE {
            put("section_id", section.id.as_str().into());
            put("is_default", false.into());
            put("priority", place.into());
        }
        put("_revision", section.revision.into());
        put("id", id.into());
        fields
    }
}
