//! The search over all objects: `/search`, `/search/query` and their kin, which the published API
//! of 2.5.1 leaves out and clients call [nsxlib lib.py].
//!
//! A query's answer is exact at once: there is no index that lags behind. Its cursor is the decimal
//! number of the next row, and stands on every page, the last included.

use super::call::{Call, Reply};
use super::error::Failure;
use super::list::page_size;
use super::routes::Routes;
use crate::inventory::{Error, Object};
use crate::kinds::KINDS;
use crate::kinds::firewall::rule::RESOURCE_TYPE as RULE;
use crate::kinds::firewall::{FirewallSection, section};
use crate::search::{self, Expression, Searched, SyntaxError};
use crate::wire::{self, Items};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::cell::OnceCell;
use std::cmp::Ordering;
use std::sync::Arc;

/// What a query is limited by where it names a type.
const TYPE: &str = "resource_type";

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    // The path of 2.x, and that of 3.0 and later [nsxlib lib.py].
    for path in ["/search", "/search/query"] {
        routes.on("GET", path, |call| {
            let query = call.query.get("query").ok_or_else(|| Error::field("query", "is required"));
            answer(call, &parse(query?)?, |printed| printed)
        });
    }
    routes.on("POST", "/search/querypipeline", |call| {
        let Pipeline { query_pipeline } = wire::read(call.json()?).map_err(Error::from)?;
        match &*query_pipeline {
            [Stage { query }] => answer(call, &parse(query)?, |printed| printed),
            _ => Err(Error::Unsupported("A pipeline of several queries".into()).into()),
        }
    });
    routes.on("POST", "/search/aggregate", |call| {
        let Aggregate { primary, related } = wire::read(call.json()?).map_err(Error::from)?;
        if !related.is_empty() {
            return Err(Error::Unsupported("An aggregate with related objects".into()).into());
        }
        let mut parts = vec![Expression::field(TYPE, &primary.resource_type)];
        for filter in &primary.filters {
            parts.push(filter.expression()?);
        }
        answer(call, &Expression::And(parts), |primary| json!({"primary": primary, "related": []}))
    });
}

/// Queries one after the other [nsxlib lib.py].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pipeline {
    query_pipeline: Items<Stage, 16, 1>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stage {
    query: String,
}

/// Objects of one type, and what belongs to them [nsxlib lib.py].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Aggregate {
    primary: Primary,
    #[serde(default)]
    related: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Primary {
    resource_type: String,
    #[serde(default)]
    filters: Vec<FieldFilter>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldFilter {
    field_names: String,
    value: String,
}

impl FieldFilter {
    /// Any of the fields, parted by commas, has the value.
    fn expression(&self) -> Result<Expression, Error> {
        let names = self.field_names.split(',').map(str::trim).filter(|name| !name.is_empty());
        let parts: Result<Vec<_>, _> =
            names.map(|name| Expression::of_field(name, &self.value)).collect();
        Ok(Expression::Or(parts.map_err(|error| wrong(&error))?))
    }
}

fn parse(query: &str) -> Result<Expression, Error> {
    Expression::parse(query).map_err(|error| wrong(&error))
}

fn wrong(error: &SyntaxError) -> Error {
    Error::field("query", format!("can not be read {error}"))
}

/// An object, or a rule of a section, as queries see it.
struct Document<'a> {
    call: &'a Call<'a>,
    object: Arc<Object>,
    /// The rule's place in its section.
    rule: Option<usize>,
    /// Most queries are answered by the header alone; the rest is printed once, when asked for.
    printed: OnceCell<Value>,
}

impl Document<'_> {
    fn printed(&self) -> &Value {
        self.printed.get_or_init(|| self.print())
    }

    fn print(&self) -> Value {
        let header = &self.object.header;
        let rule = self.rule.and_then(|place| {
            let rule = self.object.body::<FirewallSection>()?.rules.get(place)?;
            Some(Value::Object(rule.fields(header, place, &self.call.world.inventory)))
        });
        rule.unwrap_or_else(|| self.call.print(&self.object))
    }
}

impl Searched for Document<'_> {
    fn at(&self, path: &str, enough: &mut dyn FnMut(&str) -> bool) -> bool {
        let header = &self.object.header;
        match path {
            TYPE if self.rule.is_some() => enough(RULE),
            _ if self.rule.is_some() => search::at(self.printed(), path, enough),
            TYPE => enough(self.object.resource_type()),
            "id" => enough(&header.id),
            "display_name" => enough(header.name()),
            "tags.scope" => header.tags().iter().any(|tag| enough(&tag.scope)),
            "tags.tag" => header.tags().iter().any(|tag| enough(&tag.tag)),
            _ => search::at(self.printed(), path, enough),
        }
    }

    fn everywhere(&self, enough: &mut dyn FnMut(&str) -> bool) -> bool {
        search::everywhere(self.printed(), enough)
    }
}

/// The documents that a query finds, kind by kind and by name.
fn find<'a>(call: &'a Call<'a>, query: &Expression) -> Vec<Document<'a>> {
    let types = query.demands(TYPE);
    let wanted = |name: &str| {
        types.as_ref().is_none_or(|types| types.iter().any(|own| name.eq_ignore_ascii_case(own)))
    };
    let document = |object, rule| Document { call, object, rule, printed: OnceCell::new() };
    let mut found = Vec::new();
    // Kinds without a path are the simulator's own.
    for kind in KINDS.iter().filter(|kind| !kind.path.is_empty()) {
        if wanted(kind.name) || kind.polymorphic {
            let objects = call.world.inventory.all(kind.name).into_iter();
            found.extend(
                objects.map(|object| document(object, None)).filter(|own| query.matches(own)),
            );
        }
    }
    if wanted(RULE) {
        for object in call.world.inventory.all(section::KIND.name) {
            let rules = object.body::<FirewallSection>().map_or(0, |section| section.rules.len());
            let rules = (0..rules).map(|place| document(Arc::clone(&object), Some(place)));
            found.extend(rules.filter(|own| query.matches(own)));
        }
    }
    found
}

/// What a row is sorted by: rows without such a member go first, numbers before texts.
enum Key {
    Absent,
    Number(f64),
    Text(String),
}

impl Key {
    fn of(document: &Document<'_>, path: &str) -> Self {
        let mut first = None;
        document.at(path, &mut |value| {
            first = Some(value.to_owned());
            true
        });
        match first {
            None => Self::Absent,
            Some(text) => text.parse().map_or(Self::Text(text), Self::Number),
        }
    }

    fn cmp(&self, other: &Self) -> Ordering {
        let rank = |key: &Self| match key {
            Self::Absent => 0,
            Self::Number(_) => 1,
            Self::Text(_) => 2,
        };
        match (self, other) {
            (Self::Number(one), Self::Number(other)) => one.total_cmp(other),
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            _ => rank(self).cmp(&rank(other)),
        }
    }
}

fn answer(
    call: &Call<'_>,
    query: &Expression,
    shape: impl Fn(Value) -> Value,
) -> Result<Reply, Failure> {
    let size = page_size(&call.query)?;
    let start = call.query.get("cursor").map_or(Ok(0), |cursor| {
        cursor.parse::<usize>().map_err(|_| Error::field("cursor", "must be a number"))
    })?;
    let ascending =
        call.query.get("sort_ascending").is_none() || call.query.flag("sort_ascending")?;
    let fields: Option<Vec<&str>> =
        call.query.get("included_fields").map(|names| names.split(',').map(str::trim).collect());
    let mut found = find(call, query);
    if let Some(path) = call.query.get("sort_by") {
        let mut keyed: Vec<_> = found.into_iter().map(|own| (Key::of(&own, path), own)).collect();
        keyed.sort_by(|one, other| one.0.cmp(&other.0));
        found = keyed.into_iter().map(|(_, own)| own).collect();
    }
    if !ascending {
        found.reverse();
    }
    let page = found.iter().skip(start).take(size);
    let results: Vec<Value> = page
        .map(|document| {
            let mut printed = document.printed().clone();
            if let (Some(wanted), Value::Object(own)) = (&fields, &mut printed) {
                own.retain(|name, _| name == "id" || wanted.contains(&name.as_str()));
            }
            shape(printed)
        })
        .collect();
    let next = start.saturating_add(results.len()).min(found.len());
    let mut body = Map::new();
    body.insert("results".into(), results.into());
    body.insert("result_count".into(), found.len().into());
    body.insert("cursor".into(), next.to_string().into());
    Ok(Reply::ok(body))
}
