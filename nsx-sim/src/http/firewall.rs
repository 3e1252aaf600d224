//! Firewall sections and rules: every operation under `/firewall/sections` and `/firewall/rules`.

use super::call::{Call, Reply};
use super::collections;
use super::error::Failure;
use super::firewall_search::RuleSearch;
use super::list::{Paging, Row, place_key};
use super::routes::Routes;
use crate::inventory::{Error, Object};
use crate::kinds::firewall::rule::RESOURCE_TYPE;
use crate::kinds::firewall::section::{BY_RULE, KIND};
use crate::kinds::firewall::{
    Enforcement, FirewallSection, Placement, SectionType, operations, order,
};
use crate::wire::Fields;
use serde_json::{Value, json};
use std::sync::Arc;

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    register_sections(routes);
    register_section_actions(routes);
    register_rules(routes);
    routes.on("GET", "/firewall/rules/{rule}", |call| {
        let section = section_of_rule(call, call.param(0))?;
        Ok(Reply::ok(print_rule(call, &section, call.param(0))?))
    });
    routes.on("GET", "/firewall/rules/{rule}/state", |call| {
        Ok(Reply::ok(state(&*section_of_rule(call, call.param(0))?)))
    });
}

fn register_sections(routes: &mut Routes) {
    routes.on("GET", "/firewall/sections", list);
    for (path, with_rules) in
        [("/firewall/sections", false), ("/firewall/sections?action=create_with_rules", true)]
    {
        routes.on("POST", path, move |call| {
            let (fields, placement) = (call.object()?, Placement::read(&call.query)?);
            let object =
                call.commit(|tx| operations::create(tx, fields, with_rules, &placement))?;
            Ok(Reply::created(print(call, &object, with_rules)))
        });
    }
    routes.on("GET", "/firewall/sections/summary", |call| {
        call.query.one_of("source", &["realtime", "cached"])?;
        Ok(Reply::ok(summary(call)))
    });
    routes.on("GET", "/firewall/sections/{id}", |call| {
        let object = call.world.inventory.get(&KIND, call.param(0))?;
        Ok(Reply::ok(print(call, &object, false)))
    });
    routes.on("PUT", "/firewall/sections/{id}", |call| update(call, false, None));
    routes.on("DELETE", "/firewall/sections/{id}", |call| {
        call.commit(|tx| tx.delete(&KIND, call.param(0), &call.query))?;
        Ok(Reply::empty())
    });
    routes.on("GET", "/firewall/sections/{id}/state", |call| {
        Ok(Reply::ok(state(&*call.world.inventory.get(&KIND, call.param(0))?)))
    });
}

fn register_section_actions(routes: &mut Routes) {
    let action = |word: &str| format!("/firewall/sections/{{id}}?action={word}");
    routes.on("POST", &action("list_with_rules"), |call| {
        let object = call.world.inventory.get(&KIND, call.param(0))?;
        Ok(Reply::ok(print(call, &object, true)))
    });
    routes.on("POST", &action("update_with_rules"), |call| update(call, true, None));
    for (word, with_rules) in [("revise", false), ("revise_with_rules", true)] {
        routes.on("POST", &action(word), move |call| {
            let placement = Placement::read(&call.query)?;
            update(call, with_rules, Some(&placement))
        });
    }
    for (word, locked) in [("lock", true), ("unlock", false)] {
        routes.on("POST", &action(word), move |call| {
            let request = Value::Object(call.object()?);
            let object = call.commit(|tx| operations::lock(tx, call.param(0), request, locked))?;
            Ok(Reply::ok(print(call, &object, false)))
        });
    }
}

fn register_rules(routes: &mut Routes) {
    routes.on("GET", "/firewall/sections/{id}/rules", list_rules);
    routes.on("POST", "/firewall/sections/{id}/rules", |call| {
        let rules = add_rules(call, vec![call.object()?])?;
        Ok(Reply::ok(rules.into_iter().next().unwrap_or_default()))
    });
    routes.on("POST", "/firewall/sections/{id}/rules?action=create_multiple", |call| {
        let rules = match call.object()?.shift_remove("rules") {
            Some(Value::Array(rules)) => operations::read_rules(rules)?,
            _ => return Err(Error::field("rules", "is required").into()),
        };
        Ok(Reply::ok(json!({"rules": add_rules(call, rules)?})))
    });
    let one = "/firewall/sections/{id}/rules/{rule}";
    routes.on("GET", one, |call| {
        let section = call.world.inventory.get(&KIND, call.param(0))?;
        Ok(Reply::ok(print_rule(call, &section, call.param(1))?))
    });
    routes.on("PUT", one, |call| replace_rule(call, None));
    routes.on("POST", &format!("{one}?action=revise"), |call| {
        let placement = Placement::read(&call.query)?;
        replace_rule(call, Some(&placement))
    });
    routes.on("DELETE", one, |call| {
        call.commit(|tx| operations::delete_rule(tx, call.param(0), call.param(1)))?;
        Ok(Reply::empty())
    });
}

/// Sections stand in the order in which they are judged, whatever sorting is asked for. Layer 3
/// unless layer 2 is asked for [spec ListSections].
fn list(call: &Call<'_>) -> Result<Reply, Failure> {
    let paging = Paging::read(&call.query, KIND.page_cap)?;
    let search = RuleSearch::read(call)?;
    let inventory = &call.world.inventory;
    let applied = ["include_applied_to_type", "exclude_applied_to_type"];
    if applied.iter().all(|name| call.query.get(name).is_some()) {
        return Err(Error::field(applied[0], format!("excludes {}", applied[1])).into());
    }
    let mut sections = order::sections(inventory);
    if call.query.get("type").is_none() {
        sections.retain(|object| section_type(object) == Some(SectionType::Layer3));
    }
    collections::narrow(call, &KIND, &mut sections)?;
    if search.asks() {
        sections.retain(|object| {
            object.body::<FirewallSection>().is_some_and(|section| {
                section.rules.iter().any(|rule| search.finds(inventory, section, rule))
            })
        });
    }
    let rows = sections.into_iter().enumerate().map(|(place, object)| Row {
        key: place_key(place),
        id: object.header.id.clone().into(),
        item: (place, object),
    });
    Ok(paging.ordered(&rows.collect::<Vec<_>>(), |(place, object)| {
        let mut printed = print(call, object, false);
        printed["priority"] = (*place).into();
        printed
    }))
}

fn list_rules(call: &Call<'_>) -> Result<Reply, Failure> {
    let paging = Paging::read(&call.query, KIND.page_cap)?;
    let search = RuleSearch::read(call)?;
    let inventory = &call.world.inventory;
    let object = inventory.get(&KIND, call.param(0))?;
    let section = object.body::<FirewallSection>();
    let rules = section.into_iter().flat_map(|section| {
        let found = section.rules.iter().enumerate();
        found.filter(|(_, rule)| !search.asks() || search.finds(inventory, section, rule))
    });
    let rows = rules.map(|(place, rule)| Row {
        key: place_key(place),
        id: rule.id.to_string().into(),
        item: (place, Arc::clone(rule)),
    });
    Ok(paging.ordered(&rows.collect::<Vec<_>>(), |(place, rule)| {
        Value::Object(rule.fields(&object.header, *place, inventory))
    }))
}

fn update(
    call: &Call<'_>,
    with_rules: bool,
    placement: Option<&Placement>,
) -> Result<Reply, Failure> {
    let fields = call.object()?;
    let object =
        call.commit(|tx| operations::update(tx, call.param(0), fields, with_rules, placement))?;
    Ok(Reply::ok(print(call, &object, with_rules)))
}

fn add_rules(call: &Call<'_>, rules: Vec<Fields>) -> Result<Vec<Value>, Failure> {
    let placement = Placement::read(&call.query)?;
    let (object, ids) =
        call.commit(|tx| operations::add_rules(tx, call.param(0), rules, &placement))?;
    ids.iter().map(|id| Ok(print_rule(call, &object, &id.to_string())?)).collect()
}

fn replace_rule(call: &Call<'_>, placement: Option<&Placement>) -> Result<Reply, Failure> {
    let fields = call.object()?;
    let object = call.commit(|tx| {
        operations::replace_rule(tx, call.param(0), call.param(1), fields, placement)
    })?;
    Ok(Reply::ok(print_rule(call, &object, call.param(1))?))
}

/// A section, with its rules where asked for.
fn print(call: &Call<'_>, object: &Object, with_rules: bool) -> Value {
    let mut printed = call.print(object);
    if with_rules && let Some(section) = object.body::<FirewallSection>() {
        let rules = section.rules_fields(&object.header, &call.world.inventory);
        printed["rules"] = rules.into_iter().map(Value::Object).collect();
    }
    printed
}

fn print_rule(call: &Call<'_>, object: &Object, id: &str) -> Result<Value, Error> {
    let missing = || Error::NotFound { kind: RESOURCE_TYPE, id: id.to_owned() };
    let section = object.body::<FirewallSection>().ok_or_else(missing)?;
    let (place, rule) = section.rule(id).ok_or_else(missing)?;
    Ok(Value::Object(rule.fields(&object.header, place, &call.world.inventory)))
}

/// The section that holds a rule.
pub(super) fn section_of_rule(call: &Call<'_>, id: &str) -> Result<Arc<Object>, Error> {
    let missing = || Error::NotFound { kind: RESOURCE_TYPE, id: id.to_owned() };
    call.world.inventory.by_key(BY_RULE, id).into_iter().next().ok_or_else(missing)
}

/// What a call changed, packets obey when it returns: nothing is ever pending.
fn state(object: &Object) -> Value {
    json!({
        "state": "success",
        "details": [],
        "revision_desired": object.header.revision,
        "pending_change_list": [],
    })
}

fn section_type(object: &Object) -> Option<SectionType> {
    object.body::<FirewallSection>().map(|section| section.section_type)
}

fn summary(call: &Call<'_>) -> Value {
    let sections = order::sections(&call.world.inventory);
    let of = |name: &str, wanted: Option<(SectionType, Enforcement)>| {
        let matching = || {
            sections.iter().filter_map(|object| object.body::<FirewallSection>()).filter(
                move |section| Some((section.section_type, section.enforcement())) == wanted,
            )
        };
        json!({
            "section_type": name,
            "section_count": matching().count(),
            "rule_count": matching().map(|section| section.rules.len()).sum::<usize>(),
        })
    };
    json!({
        "last_compute_time": call.world.clock.now(),
        // Bridges have no firewall here.
        "sections_summary": [
            of("L2DFW", Some((SectionType::Layer2, Enforcement::Vnics))),
            of("L3DFW", Some((SectionType::Layer3, Enforcement::Vnics))),
            of("L3BRIDGEPORTFW", None),
            of("L3LOGICALROUTERFW", Some((SectionType::Layer3, Enforcement::Routers))),
        ],
    })
}
