//! Rule books: sections in order, with rules in order, as policy based routing and service
//! insertion have them. The distributed firewall's own sections know more (locks, layers, default
//! rules) and stand apart; what a book is about says [`Book`].

pub mod operations;
mod rule;

pub use rule::{BookRule, Rule, Sent, Services};

use super::firewall::order::SectionOrder;
use crate::inventory::{
    Error, Header, Inventory, Kind, Object, Query, Reference, Resource, Transaction,
};
use crate::kinds::reference::{References, ResourceReference, list_fields};
use crate::wire::{self, Fields};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt::Debug;
use std::sync::Arc;

/// The most rules of a section [spec PBRSectionRuleList, ServiceInsertionSectionRuleList].
pub const MAX_RULES: usize = 1000;

/// What a book is about.
pub trait Book: Clone + Debug + Send + Sync + 'static {
    /// A section's own members.
    type Section: BookSection;
    /// A rule's own members.
    type Rule: BookRule;
    /// The wire name of a rule.
    const RULE: &'static str;
    /// Whether rules tell their section and place.
    const TELLS_PLACE: bool;

    /// The declaration of sections.
    fn sections() -> &'static Kind;

    /// The declaration of the one object that holds their order.
    fn order() -> &'static Kind;
}

/// A section's own members.
pub trait BookSection:
    Clone + Debug + Send + Sync + Serialize + DeserializeOwned + JsonSchema + 'static
{
    /// Where all its rules stand, where the section says so.
    fn applied_tos(&self) -> Option<&References> {
        None
    }

    /// Checks a new or changed section.
    ///
    /// # Errors
    /// What forbids it.
    fn check(&mut self, _before: Option<&Self>) -> Result<(), Error> {
        Ok(())
    }
}

/// A section: its own members and its rules.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent, bound = "")]
pub struct Section<B: Book> {
    /// Its own members.
    pub own: B::Section,
    /// First match wins.
    #[serde(skip)]
    pub rules: Vec<Arc<Rule<B>>>,
}

impl<B: Book> JsonSchema for Section<B> {
    fn inline_schema() -> bool {
        B::Section::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        B::Section::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        B::Section::json_schema(generator)
    }
}

impl<B: Book> Section<B> {
    /// The place and the rule with an id, written as the manager writes it.
    pub fn rule(&self, id: &str) -> Option<(usize, &Arc<Rule<B>>)> {
        let number: u64 = id.parse().ok().filter(|number: &u64| number.to_string() == id)?;
        self.rules.iter().enumerate().find(|(_, rule)| rule.id == number)
    }

    /// Where rules stand: what the section says, else what each says itself.
    pub fn applied_tos<'a>(&'a self, rule: &'a Rule<B>) -> Option<&'a [ResourceReference]> {
        let own = self.own.applied_tos().filter(|list| !list.is_empty());
        own.map(|list| &**list).or_else(|| rule.body.list("applied_tos"))
    }
}

impl<B: Book> Resource for Section<B> {
    fn fields(&self, _: &Header, inventory: &Inventory) -> Fields {
        let mut fields = wire::fields_of(&self.own);
        if let Some(targets) = self.own.applied_tos() {
            fields.insert("applied_tos".into(), list_fields(targets, inventory));
        }
        fields.insert("rule_count".into(), self.rules.len().into());
        fields
    }

    fn references(&self) -> Vec<Reference> {
        let own = self.own.applied_tos().into_iter().flat_map(|list| list.iter());
        let mut references: Vec<Reference> = own
            .filter_map(ResourceReference::object)
            .chain(self.rules.iter().flat_map(|rule| rule.references()))
            .collect();
        references.sort_by(|one, other| (&one.kind, &one.id).cmp(&(&other.kind, &other.id)));
        references.dedup();
        references
    }

    fn admit(
        &mut self,
        _: &mut Header,
        before: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        self.own.check(before.map(|before| &before.own))?;
        if self.rules.len() > MAX_RULES {
            return Err(Error::field("rules", format!("has exceeded maximum size {MAX_RULES}")));
        }
        self.rules.iter().try_for_each(|rule| rule.body.check())
    }

    fn retire(
        object: &Object,
        transaction: &mut Transaction<'_>,
        query: &Query,
    ) -> Result<(), Error> {
        let has_rules = object.body::<Self>().is_some_and(|own| !own.rules.is_empty());
        if has_rules && !query.flag("cascade")? {
            let (kind, id) = (object.kind.name, object.header.id.clone());
            let why = "the section has rules; cascade=true deletes them too";
            return Err(Error::NotModifiable { kind, id, why });
        }
        operations::forget::<B>(transaction, &object.header.id)
    }
}

/// The sections of a book in order.
pub fn sections<B: Book>(inventory: &Inventory) -> Vec<Arc<Object>> {
    let order = inventory.all(B::order().name).into_iter().next();
    let order = order.as_deref().and_then(Object::body::<SectionOrder>);
    order
        .iter()
        .flat_map(|order| order.ids())
        .filter_map(|id| inventory.find(B::sections().name, id))
        .collect()
}
