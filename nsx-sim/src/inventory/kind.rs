//! The declaration of a kind: what the inventory and the API need to know of it, as data.

use super::{Body, Error, Header, IndexKey, Inventory, Object, Reference, Shown, Transaction};
use crate::wire::{self, Fields};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::any::Any;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// Query parameters of a call, by name; empty values count as absent [client nsxt_exporter].
#[derive(Clone, Debug, Default)]
pub struct Query(HashMap<String, String>);

impl Query {
    /// A parameter's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A boolean parameter, `true` or `True` alike [client nsxlib]; absent is false.
    ///
    /// # Errors
    /// [`Error::InvalidFields`] where the value is no boolean.
    pub fn flag(&self, name: &str) -> Result<bool, Error> {
        match self.get(name) {
            None => Ok(false),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
            Some(text) => Err(Error::field(name, format!("must be true or false, not {text}"))),
        }
    }

    /// A parameter that takes one of a few words.
    ///
    /// # Errors
    /// [`Error::InvalidFields`] where the value is none of them.
    pub fn one_of<'a>(&'a self, name: &str, words: &[&str]) -> Result<Option<&'a str>, Error> {
        match self.get(name) {
            Some(word) if !words.contains(&word) => {
                Err(Error::field(name, format!("must be one of {}, not {word}", words.join(", "))))
            }
            word => Ok(word),
        }
    }
}

impl FromIterator<(String, String)> for Query {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect())
    }
}

/// A list filter: a query parameter and the test that an object passes.
pub struct Filter {
    /// The parameter's name.
    pub name: &'static str,
    /// What may be asked; a value that it refuses is a 400. `None` takes any value.
    pub words: Option<Words>,
    /// Whether an object passes, given the value as [`Filter::value`] reads it.
    pub passes: fn(&Inventory, &Object, &str) -> bool,
}

/// The values that a filter takes.
pub enum Words {
    /// One of these.
    Of(&'static [&'static str]),
    /// `true` or `false`, in any case [client nsxlib].
    Boolean,
    /// A whole number.
    Number,
}

impl Filter {
    /// What a call asks of the filter, each value in one form only: `true` for `True`, `7` for
    /// `07`.
    ///
    /// # Errors
    /// [`Error::InvalidFields`] for a value that the filter does not take.
    pub fn value<'a>(&self, query: &'a Query) -> Result<Option<Cow<'a, str>>, Error> {
        let Some(asked) = query.get(self.name) else { return Ok(None) };
        match self.words {
            None => Ok(Some(asked.into())),
            Some(Words::Of(words)) => Ok(query.one_of(self.name, words)?.map(Cow::from)),
            Some(Words::Boolean) => Ok(Some(query.flag(self.name)?.to_string().into())),
            Some(Words::Number) => match asked.parse::<i64>() {
                Ok(number) => Ok(Some(number.to_string().into())),
                Err(_) => Err(Error::field(self.name, format!("must be a number, not {asked}"))),
            },
        }
    }
}

/// A `POST {id}?action=WORD` that changes the inventory alone.
pub struct Action {
    /// The word, case-sensitive.
    pub word: &'static str,
    /// The status of success.
    pub status: u16,
    /// What it does: the object's id, the body and the query in, the answer out.
    pub run: fn(&mut Transaction<'_>, &str, Value, &Query) -> Result<Value, Error>,
}

/// Which of the plain five verbs a kind has.
#[derive(Clone, Copy)]
pub struct Verbs {
    /// `GET` of the collection and of one object.
    pub list: bool,
    /// `POST` to the collection.
    pub create: bool,
    /// `PUT` of one object.
    pub update: bool,
    /// `DELETE` of one object.
    pub delete: bool,
}

impl Verbs {
    /// All five.
    pub const ALL: Self = Self { list: true, create: true, update: true, delete: true };
    /// None at all: a kind whose objects are reached by other paths.
    pub const NONE: Self = Self { list: false, create: false, update: false, delete: false };
}

/// What an object is part of.
#[derive(Clone, Copy)]
pub struct Parent {
    /// The name of the parent's kind.
    pub kind: &'static str,
    /// Whether the parent stays while it has such parts; otherwise they go with it.
    pub kept: bool,
}

impl Parent {
    /// A parent with which its parts go.
    pub const fn of(kind: &'static str) -> Self {
        Self { kind, kept: false }
    }
}

/// How much of an operation is modelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing: it answers 501 and names itself.
    Absent,
    /// It answers in the API's form, from what the program declares.
    Shape,
    /// What is written is checked, kept and read back.
    Stateful,
    /// It acts on other objects or on packets, or tells what follows from them.
    Semantic,
}

/// A kind of managed resource, declared once.
pub struct Kind {
    /// The name that references and errors use.
    pub name: &'static str,
    /// The collection's path below `/api/v1`, with `{}` for the id of each object above it.
    pub path: &'static str,
    /// What its objects are part of, where the path says so.
    pub parent: Option<Parent>,
    /// Whether there is just one object, at the path itself: read and replaced, never made or
    /// deleted by callers. Whoever makes the world, or the parent, makes it.
    pub single: bool,
    /// How much of its plain verbs is modelled.
    pub level: Level,
    /// Which plain verbs it has.
    pub verbs: Verbs,
    /// The status of success when one is made.
    pub created: u16,
    /// The status of success when one is deleted.
    pub deleted: u16,
    /// The most items on a page; some collections cap it below 1000.
    pub page_cap: usize,
    /// Members that callers may send back though only the manager sets them.
    pub read_only: &'static [&'static str],
    /// List filters.
    pub filters: &'static [Filter],
    /// Filters whose objects an index finds: the parameter and the index. What it finds is what the
    /// filter passes.
    pub indexed: &'static [(&'static str, &'static str)],
    /// Actions on one object.
    pub actions: &'static [Action],
    /// Whether a stale revision answers 409 (firewall) rather than 412.
    pub stale_conflicts: bool,
    /// Whether lists leave out what the manager made unless `include_system_owned=true`.
    pub system_owned_hidden: bool,
    /// Whether callers may change objects that the manager made.
    pub system_owned_changes: bool,
    /// Whether `resource_type` chooses among several concrete types.
    pub polymorphic: bool,
    /// Whether `force=true` deletes what others name.
    pub forceable: bool,
    /// Names that clients send as `resource_type` beside the kind's own.
    pub aliases: &'static [&'static str],
    /// Reads a body.
    pub read: fn(Fields) -> Result<Box<dyn Body>, Error>,
    /// Prints the JSON schema of the kind's own members. The program has them from a file that tests
    /// keep true (`http/openapi/schemas.json`): the code that prints them would be a tenth of it.
    #[cfg(test)]
    pub schema: crate::wire::SchemaOf,
    /// Checks a new or changed body and completes it.
    pub admit: fn(&mut Transaction<'_>, &mut Draft<'_>) -> Result<(), Error>,
    /// Checks a deletion and makes the changes that come with it.
    pub retire: fn(&mut Transaction<'_>, &Arc<Object>, &Query) -> Result<(), Error>,
}

impl std::fmt::Debug for Kind {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.name)
    }
}

/// A body on its way into the tables.
pub struct Draft<'a> {
    /// The header as it will be.
    pub header: &'a mut Header,
    /// The object it replaces; none when it is new.
    pub before: Option<&'a Object>,
    /// The new body.
    pub body: &'a mut dyn Body,
}

/// The body type of a kind: what its own members are and mean. All has a default; a kind without
/// rules of its own needs none of it.
pub trait Resource: Any + Send + Sync + Serialize + DeserializeOwned + JsonSchema {
    /// The wire name of the concrete type where the kind is polymorphic.
    fn resource_type(&self) -> Option<&'static str> {
        None
    }

    /// The type's own members in wire order, nulls left out.
    fn fields(&self, _header: &Header, _inventory: &Inventory) -> Fields {
        wire::fields_of(self)
    }

    /// Adds the whole object to a text where so many objects are open around it, without making
    /// values of its members first; `false` where the type leaves that to [`Resource::fields`]. For
    /// kinds of which there are thousands.
    fn print(&self, _header: &Shown<'_>, _depth: usize, _out: &mut Vec<u8>) -> bool {
        false
    }

    /// Objects that must exist when they are named, and that do not go while they are.
    fn references(&self) -> Vec<Reference> {
        Vec::new()
    }

    /// Keys under which [`Inventory::by_key`] knows the object.
    fn keys(&self) -> Vec<IndexKey> {
        Vec::new()
    }

    /// Checks a new or changed body against the rest of the inventory and fills in defaults.
    ///
    /// # Errors
    /// Whatever forbids the change.
    fn admit(
        &mut self,
        _header: &mut Header,
        _before: Option<&Self>,
        _transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        Ok(())
    }

    /// Checks a deletion and makes the changes that come with it. Unless a kind says otherwise, an
    /// object that others name does not go, save by `force=true` where the kind has that parameter.
    ///
    /// # Errors
    /// Whatever forbids the deletion.
    fn retire(
        object: &Object,
        transaction: &mut Transaction<'_>,
        query: &Query,
    ) -> Result<(), Error> {
        if object.kind.forceable && query.flag("force")? {
            return Ok(());
        }
        transaction.refuse_if_used(object, |_| true)
    }
}

impl Kind {
    /// The declaration of a kind with the usual rules; exceptions by struct update.
    pub const fn of<T: Resource>(name: &'static str, path: &'static str) -> Self {
        Self {
            name,
            path,
            parent: None,
            single: false,
            level: Level::Stateful,
            verbs: Verbs::ALL,
            created: 201,
            deleted: 200,
            page_cap: 1000,
            read_only: &[],
            filters: &[],
            indexed: &[],
            actions: &[],
            stale_conflicts: false,
            system_owned_hidden: false,
            system_owned_changes: false,
            polymorphic: false,
            forceable: false,
            aliases: &[],
            read: read::<T>,
            #[cfg(test)]
            schema: T::json_schema,
            admit: admit::<T>,
            retire: retire::<T>,
        }
    }
}

fn read<T: Resource>(fields: Fields) -> Result<Box<dyn Body>, Error> {
    Ok(Box::new(wire::read::<T>(Value::Object(fields))?))
}

fn admit<T: Resource>(
    transaction: &mut Transaction<'_>,
    draft: &mut Draft<'_>,
) -> Result<(), Error> {
    let body: &mut dyn std::any::Any = draft.body;
    let before = draft.before.and_then(Object::body::<T>);
    match body.downcast_mut::<T>() {
        Some(body) => body.admit(draft.header, before, transaction),
        None => Err(Error::field("resource_type", "is not of this collection")),
    }
}

fn retire<T: Resource>(
    transaction: &mut Transaction<'_>,
    object: &Arc<Object>,
    query: &Query,
) -> Result<(), Error> {
    T::retire(object, transaction, query)
}
