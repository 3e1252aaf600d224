//! Sections and rules of policy based routing and of service insertion.

use super::call::{Call, Reply};
use super::collections;
use super::error::Failure;
use super::list::{Paging, Row, place_key};
use super::routes::Routes;
use crate::inventory::{Error, Level, Object, Query};
use crate::kinds::firewall::Placement;
use crate::kinds::firewall::rule::FirewallService;
use crate::kinds::pbr::Pbr;
use crate::kinds::reference::ResourceReference;
use crate::kinds::rule_book::{Book, BookRule, BookSection, Rule, Section, operations, sections};
use crate::kinds::service_insertion::section::Redirection;
use crate::wire::Fields;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::sync::Arc;

/// Rules are kept in order and have no effect on packets.
const LEVEL: Level = Level::Stateful;

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    book::<Pbr>(routes);
    book::<Redirection>(routes);
    // No packet meets these rules, so they have counted none.
    routes.on("GET", "/pbr/sections/{id}/rules/stats", |call| {
        let object = call.world.inventory.get(Pbr::sections(), call.param(0))?;
        let rules = &operations::body::<Pbr>(&object)?.rules;
        let results: Vec<Value> = rules.iter().map(|rule| stats(rule.id)).collect();
        Ok(Reply::ok(json!({
            "section_id": object.header.id,
            "result_count": results.len(),
            "results": results,
        })))
    });
    routes.on("GET", "/pbr/sections/{id}/rules/{rule}/stats", |call| {
        let object = call.world.inventory.get(Pbr::sections(), call.param(0))?;
        let rule = operations::body::<Pbr>(&object)?.rule(call.param(1));
        let (_, rule) = rule.ok_or_else(|| operations::missing::<Pbr>(call.param(1)))?;
        Ok(Reply::ok(stats(rule.id)))
    });
}

fn stats(rule: u64) -> Value {
    json!({"rule_id": rule.to_string(), "packet_count": 0, "byte_count": 0})
}

fn book<B: Book>(routes: &mut Routes) {
    let all = B::sections().path;
    let one = &format!("{all}/{{id}}");
    routes.on_as(LEVEL, "GET", all, list::<B>);
    for (path, with_rules) in
        [(all.to_owned(), false), (format!("{all}?action=create_with_rules"), true)]
    {
        routes.on_as(LEVEL, "POST", &path, move |call| {
            let (fields, placement) = (call.object()?, Placement::read(&call.query)?);
            let object =
                call.commit(|tx| operations::create::<B>(tx, fields, with_rules, &placement))?;
            Ok(Reply::created(print::<B>(call, &object, with_rules)?))
        });
    }
    routes.on_as(LEVEL, "GET", one, |call| {
        let object = call.world.inventory.get(B::sections(), call.param(0))?;
        Ok(Reply::ok(call.print(&object)))
    });
    routes.on_as(LEVEL, "PUT", one, |call| update::<B>(call, false, None));
    routes.on_as(LEVEL, "DELETE", one, |call| {
        call.commit(|tx| tx.delete(B::sections(), call.param(0), &call.query))?;
        Ok(Reply::empty())
    });
    routes.on_as(LEVEL, "POST", &format!("{one}?action=list_with_rules"), |call| {
        let object = call.world.inventory.get(B::sections(), call.param(0))?;
        Ok(Reply::ok(print::<B>(call, &object, true)?))
    });
    routes.on_as(LEVEL, "POST", &format!("{one}?action=update_with_rules"), |call| {
        update::<B>(call, true, None)
    });
    for (word, with_rules) in [("revise", false), ("revise_with_rules", true)] {
        routes.on_as(LEVEL, "POST", &format!("{one}?action={word}"), move |call| {
            let placement = Placement::read(&call.query)?;
            update::<B>(call, with_rules, Some(&placement))
        });
    }
    rules::<B>(routes, &format!("{one}/rules"));
}

fn rules<B: Book>(routes: &mut Routes, all: &str) {
    let one = &format!("{all}/{{rule}}");
    routes.on_as(LEVEL, "GET", all, list_rules::<B>);
    routes.on_as(LEVEL, "POST", all, |call| {
        let rules = add_rules::<B>(call, vec![call.object()?])?;
        Ok(Reply::ok(rules.into_iter().next().unwrap_or_default()))
    });
    routes.on_as(LEVEL, "POST", &format!("{all}?action=create_multiple"), |call| {
        let rules = match call.object()?.shift_remove("rules") {
            Some(Value::Array(rules)) => operations::read_rules(rules)?,
            _ => return Err(Error::field("rules", "is required").into()),
        };
        Ok(Reply::ok(json!({"rules": add_rules::<B>(call, rules)?})))
    });
    routes.on_as(LEVEL, "GET", one, |call| {
        let section = call.world.inventory.get(B::sections(), call.param(0))?;
        Ok(Reply::ok(print_rule::<B>(call, &section, call.param(1))?))
    });
    routes.on_as(LEVEL, "PUT", one, |call| replace_rule::<B>(call, None));
    routes.on_as(LEVEL, "POST", &format!("{one}?action=revise"), |call| {
        let placement = Placement::read(&call.query)?;
        replace_rule::<B>(call, Some(&placement))
    });
    routes.on_as(LEVEL, "DELETE", one, |call| {
        call.commit(|tx| operations::delete_rule::<B>(tx, call.param(0), call.param(1)))?;
        Ok(Reply::empty())
    });
}

/// Sections stand in their own order, whatever sorting is asked for.
fn list<B: Book>(call: &Call<'_>) -> Result<Reply, Failure> {
    let paging = Paging::read(&call.query, B::sections().page_cap)?;
    let search = Search::read(&call.query)?;
    let applied = Applied::read(&call.query)?;
    let mut found = sections::<B>(&call.world.inventory);
    collections::narrow(call, B::sections(), &mut found)?;
    found.retain(|object| {
        object.body::<Section<B>>().is_some_and(|section| {
            applied.finds(section)
                && (!search.asks() || section.rules.iter().any(|rule| search.finds(section, rule)))
        })
    });
    let rows = found.iter().enumerate().map(|(place, object)| Row {
        key: place_key(place),
        id: (&*object.header.id).into(),
        item: object,
    });
    Ok(paging.ordered(&rows.collect::<Vec<_>>(), |object| call.print(object)))
}

fn list_rules<B: Book>(call: &Call<'_>) -> Result<Reply, Failure> {
    let paging = Paging::read(&call.query, B::sections().page_cap)?;
    let search = Search::read(&call.query)?;
    let object = call.world.inventory.get(B::sections(), call.param(0))?;
    let section = operations::body::<B>(&object)?;
    let rules = section.rules.iter().enumerate();
    let rows = rules.filter(|(_, rule)| search.finds(section, rule)).map(|(place, rule)| Row {
        key: place_key(place),
        id: rule.id.to_string().into(),
        item: (place, rule),
    });
    Ok(paging.ordered(&rows.collect::<Vec<_>>(), |(place, rule)| {
        Value::Object(rule.fields(&object.header, *place, &call.world.inventory))
    }))
}

fn update<B: Book>(
    call: &Call<'_>,
    with_rules: bool,
    placement: Option<&Placement>,
) -> Result<Reply, Failure> {
    let fields = call.object()?;
    let object = call
        .commit(|tx| operations::update::<B>(tx, call.param(0), fields, with_rules, placement))?;
    Ok(Reply::ok(print::<B>(call, &object, with_rules)?))
}

fn add_rules<B: Book>(call: &Call<'_>, rules: Vec<Fields>) -> Result<Vec<Value>, Failure> {
    let placement = Placement::read(&call.query)?;
    let (object, ids) =
        call.commit(|tx| operations::add_rules::<B>(tx, call.param(0), rules, &placement))?;
    ids.iter().map(|id| Ok(print_rule::<B>(call, &object, &id.to_string())?)).collect()
}

fn replace_rule<B: Book>(call: &Call<'_>, placement: Option<&Placement>) -> Result<Reply, Failure> {
    let fields = call.object()?;
    let object = call.commit(|tx| {
        operations::replace_rule::<B>(tx, call.param(0), call.param(1), fields, placement)
    })?;
    Ok(Reply::ok(print_rule::<B>(call, &object, call.param(1))?))
}

/// A section, with its rules where asked for.
fn print<B: Book>(call: &Call<'_>, object: &Object, with_rules: bool) -> Result<Value, Error> {
    let mut printed = call.print(object);
    if with_rules {
        let rules = operations::body::<B>(object)?.rules.iter().enumerate();
        let print = |(place, rule): (usize, &Arc<Rule<B>>)| {
            Value::Object(rule.fields(&object.header, place, &call.world.inventory))
        };
        printed["rules"] = rules.map(print).collect();
    }
    Ok(printed)
}

fn print_rule<B: Book>(call: &Call<'_>, object: &Object, id: &str) -> Result<Value, Error> {
    let rule = operations::body::<B>(object)?.rule(id);
    let (place, rule) = rule.ok_or_else(|| operations::missing::<B>(id))?;
    Ok(Value::Object(rule.fields(&object.header, place, &call.world.inventory)))
}

/// What rules are searched for: ids that their lists name.
struct Search {
    lists: Vec<(&'static str, HashSet<String>)>,
    services: Option<HashSet<String>>,
}

impl Search {
    /// Reads `sources`, `destinations`, `applied_tos` and `services`, each ids with commas between.
    fn read(query: &Query) -> Result<Self, Error> {
        query.one_of("filter_type", &["FILTER", "SEARCH"])?;
        let ids = |name: &str| {
            let ids = query.get(name)?.split(',').map(|id| id.trim().to_owned());
            Some(ids.collect::<HashSet<_>>())
        };
        let lists = ["sources", "destinations", "applied_tos"];
        Ok(Self {
            lists: lists.into_iter().filter_map(|name| Some((name, ids(name)?))).collect(),
            services: ids("services"),
        })
    }

    /// Whether anything is asked at all.
    fn asks(&self) -> bool {
        !self.lists.is_empty() || self.services.is_some()
    }

    /// Whether a rule names one of the ids of each list that is asked for.
    fn finds<B: Book>(&self, section: &Section<B>, rule: &Rule<B>) -> bool {
        let lists = self.lists.iter().all(|(name, wanted)| {
            let own = match *name {
                "applied_tos" => section.applied_tos(rule),
                name => rule.body.list(name),
            };
            let ids = own.into_iter().flatten().filter_map(|own| own.target_id.as_deref());
            ids.into_iter().any(|id| wanted.contains(id))
        });
        let services = rule.body.services().into_iter().flat_map(|list| list.iter());
        lists
            && self.services.as_ref().is_none_or(|wanted| {
                services.filter_map(FirewallService::object).any(|own| wanted.contains(&own.id))
            })
    }
}

/// Which sections are asked for by the kinds that they are applied to.
struct Applied {
    include: Option<String>,
    exclude: Option<String>,
}

impl Applied {
    fn read(query: &Query) -> Result<Self, Error> {
        let kinds = ["NSGroup", "LogicalSwitch", "LogicalRouter", "LogicalPort"];
        let read = |name| Ok::<_, Error>(query.one_of(name, &kinds)?.map(str::to_owned));
        let own = Self {
            include: read("include_applied_to_type")?,
            exclude: read("exclude_applied_to_type")?,
        };
        if own.include.is_some() && own.exclude.is_some() {
            let problem = "excludes exclude_applied_to_type";
            return Err(Error::field("include_applied_to_type", problem));
        }
        Ok(own)
    }

    fn finds<B: Book>(&self, section: &Section<B>) -> bool {
        let targets = section.own.applied_tos().into_iter().flat_map(|list| list.iter());
        let kinds: Vec<&str> =
            targets.filter_map(|own: &ResourceReference| own.target_type.as_deref()).collect();
        self.include.as_deref().is_none_or(|kind| kinds.contains(&kind))
            && self.exclude.as_deref().is_none_or(|kind| !kinds.contains(&kind))
    }
}
