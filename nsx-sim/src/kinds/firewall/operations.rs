//! Every way to change sections and rules, each one change of the inventory.

use super::order::{self, Placement};
use super::rule::{FirewallRule, Sent};
use super::section::{self, FirewallSection, Lock, missing_rule};
use crate::inventory::{Actor, Error, Incoming, Object, Transaction};
use crate::wire::{self, Fields, Text};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

/// Makes a section, with rules where the body holds them.
///
/// # Errors
/// Whatever the section, its rules or its place forbid.
pub fn create(
    tx: &mut Transaction<'_>,
    mut fields: Fields,
    with_rules: bool,
    placement: &Placement,
) -> Result<Arc<Object>, Error> {
    let rules = if with_rules { take_rules(&mut fields)? } else { Vec::new() };
    let mut incoming = Incoming::read(&section::KIND, fields)?;
    let sent = sent_section(&mut incoming)?;
    sent.rules = number_rules(tx, rules, &[]);
    let section_type = sent.section_type;
    let object = tx.create(&section::KIND, incoming)?;
    order::place(tx, &object.header.id, section_type, placement)?;
    Ok(object)
}

/// Changes a section: its own members, its rules where the body holds them, its place where given.
///
/// # Errors
/// As for `create`, and [`Error::StaleRevision`], [`Error::Locked`], [`Error::NotModifiable`].
pub fn update(
    tx: &mut Transaction<'_>,
    id: &str,
    mut fields: Fields,
    with_rules: bool,
    placement: Option<&Placement>,
) -> Result<Arc<Object>, Error> {
    let before = tx.get(&section::KIND, id)?;
    check_lock(&before, tx.actor())?;
    let known = body(&before)?.clone();
    let rules = if with_rules {
        let sent = take_rules(&mut fields)?;
        let rules = number_rules(tx, sent, &known.rules);
        check_default_kept(&before, &known, &rules)?;
        rules
    } else {
        known.rules.clone()
    };
    let mut incoming = Incoming::read(&section::KIND, fields)?;
    let sent = sent_section(&mut incoming)?;
    sent.rules = rules;
    sent.is_default = known.is_default;
    sent.lock = known.lock;
    sent.comments = known.comments;
    if let Some(placement) = placement {
        if known.is_default {
            return Err(not_modifiable(&before, "a default section can not be moved"));
        }
        order::place(tx, id, known.section_type, placement)?;
    }
    tx.replace(&section::KIND, id, incoming)
}

/// Adds rules in one place, in the order given.
///
/// # Errors
/// As for `update`. The revision in each rule must be the section's [sapcc, nsxlib].
pub fn add_rules(
    tx: &mut Transaction<'_>,
    id: &str,
    rules: Vec<Fields>,
    placement: &Placement,
) -> Result<(Arc<Object>, Vec<u64>), Error> {
    if rules.is_empty() {
        return Err(Error::field("rules", "must hold at least 1"));
    }
    let sent = rules.into_iter().map(FirewallRule::read).collect::<Result<Vec<_>, _>>()?;
    let before = tx.get(&section::KIND, id)?;
    check_lock(&before, tx.actor())?;
    for rule in &sent {
        tx.check_revision(&before, rule.revision)?;
    }
    let sent = sent.into_iter().map(|sent| Sent { id: None, ..sent }).collect();
    let rules = number_rules(tx, sent, &[]);
    let ids = rules.iter().map(|rule| rule.id).collect();
    let object = tx.edit(&section::KIND, id, |own: &mut FirewallSection, _| {
        let at = place_of_rule(own, placement)?;
        own.rules.splice(at..at, rules);
        Ok(())
    })?;
    Ok((object, ids))
}

/// Replaces a rule, and moves it where a place is given.
///
/// # Errors
/// As for `update`, and [`Error::NotFound`] for the rule.
pub fn replace_rule(
    tx: &mut Transaction<'_>,
    id: &str,
    rule_id: &str,
    fields: Fields,
    placement: Option<&Placement>,
) -> Result<Arc<Object>, Error> {
    let sent = FirewallRule::read(fields)?;
    let before = tx.get(&section::KIND, id)?;
    check_lock(&before, tx.actor())?;
    let known = body(&before)?;
    let (at, old) = known.rule(rule_id).ok_or_else(|| missing_rule(rule_id))?;
    tx.check_revision(&before, sent.revision)?;
    let rule =
        FirewallRule { id: old.id, is_default: old.is_default, created: old.created, ..sent.rule };
    if old.is_default {
        check_default_rule(&before, &rule, placement)?;
    }
    tx.edit(&section::KIND, id, |own: &mut FirewallSection, _| {
        let Some(placement) = placement else {
            own.rules[at] = Arc::new(rule);
            return Ok(());
        };
        if matches!(placement, Placement::Before(id) | Placement::After(id) if id == rule_id) {
            return Err(Error::field("id", "names the rule itself"));
        }
        own.rules.remove(at);
        let to = place_of_rule(own, placement)?;
        own.rules.insert(to, Arc::new(rule));
        Ok(())
    })
}

/// Removes a rule. Clients send no revision with it [client tf].
///
/// # Errors
/// [`Error::NotFound`], [`Error::Locked`], and [`Error::NotModifiable`] for a default rule.
pub fn delete_rule(tx: &mut Transaction<'_>, id: &str, rule_id: &str) -> Result<(), Error> {
    let before = tx.get(&section::KIND, id)?;
    check_lock(&before, tx.actor())?;
    let known = body(&before)?;
    let (at, rule) = known.rule(rule_id).ok_or_else(|| missing_rule(rule_id))?;
    if rule.is_default {
        return Err(not_modifiable(&before, "a default rule can not be deleted"));
    }
    tx.edit(&section::KIND, id, |own: &mut FirewallSection, _| {
        own.rules.remove(at);
        Ok(())
    })?;
    Ok(())
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LockRequest {
    comments: Text<4096>,
    section_revision: i64,
}

/// Locks or unlocks a section for the caller [spec FirewallSectionLock].
///
/// # Errors
/// [`Error::Locked`] where somebody else holds it, [`Error::StaleRevision`].
pub fn lock(
    tx: &mut Transaction<'_>,
    id: &str,
    request: Value,
    locked: bool,
) -> Result<Arc<Object>, Error> {
    let request: LockRequest = wire::read(request)?;
    if request.comments.chars().count() < 4 {
        return Err(Error::field("comments", "must hold at least 4 characters"));
    }
    let before = tx.get(&section::KIND, id)?;
    check_lock(&before, tx.actor())?;
    tx.check_revision(&before, Some(request.section_revision))?;
    let lock = locked.then(|| Lock { user: tx.actor().name.clone(), time: tx.now() });
    tx.edit(&section::KIND, id, |own: &mut FirewallSection, _| {
        own.lock = lock;
        own.comments = Some(request.comments.to_string());
        Ok(())
    })
}

/// Refuses where somebody else holds the section.
pub(super) fn check_lock(object: &Object, actor: &Actor) -> Result<(), Error> {
    match &body(object)?.lock {
        Some(lock) if lock.user != actor.name => {
            Err(Error::Locked { id: object.header.id.clone(), by: lock.user.clone() })
        }
        _ => Ok(()),
    }
}

/// Makes a default section of the manager's own.
///
/// # Errors
/// Where it exists already.
pub fn create_default(
    tx: &mut Transaction<'_>,
    fields: Fields,
    section: FirewallSection,
) -> Result<(), Error> {
    let section_type = section.section_type;
    let mut incoming = Incoming::read(&section::KIND, fields)?;
    incoming.body = Box::new(section);
    let object = tx.create(&section::KIND, incoming)?;
    order::place(tx, &object.header.id, section_type, &Placement::Bottom)
}

fn body(object: &Object) -> Result<&FirewallSection, Error> {
    let missing = || Error::NotFound { kind: section::KIND.name, id: object.header.id.clone() };
    object.body::<FirewallSection>().ok_or_else(missing)
}

fn sent_section(incoming: &mut Incoming) -> Result<&mut FirewallSection, Error> {
    let body: &mut dyn std::any::Any = incoming.body.as_mut();
    body.downcast_mut().ok_or_else(|| Error::field("resource_type", "must be FirewallSection"))
}

fn take_rules(fields: &mut Fields) -> Result<Vec<Sent>, Error> {
    match fields.shift_remove("rules") {
        Some(Value::Array(rules)) => {
            read_rules(rules)?.into_iter().map(FirewallRule::read).collect()
        }
        None | Some(Value::Null) => Err(Error::field("rules", "is required")),
        Some(_) => Err(Error::field("rules", "must be a list")),
    }
}

/// Takes the JSON objects out of a list of rules.
///
/// # Errors
/// [`Error::InvalidFields`] where an item is none, or there are more than a section holds.
pub fn read_rules(rules: Vec<Value>) -> Result<Vec<Fields>, Error> {
    if rules.len() > section::MAX_RULES {
        let problem = format!("has exceeded maximum size {}", section::MAX_RULES);
        return Err(Error::field("rules", problem));
    }
    let item = |(index, value)| match value {
        Value::Object(fields) => Ok(fields),
        _ => Err(Error::field(format!("rules[{index}]"), "must be an object")),
    };
    rules.into_iter().enumerate().map(item).collect()
}

/// Gives each rule its id: a known one keeps the id it was sent with, the rest get new ones.
fn number_rules(
    tx: &Transaction<'_>,
    rules: Vec<Sent>,
    known: &[Arc<FirewallRule>],
) -> Vec<Arc<FirewallRule>> {
    let mut taken = Vec::new();
    let mut number = |Sent { rule, id, .. }: Sent| {
        let old = id.and_then(|id| known.iter().find(|old| old.id == id && !taken.contains(&id)));
        let is_default = old.is_some_and(|old| old.is_default);
        let id = old.map_or_else(|| tx.inventory().ids().number(), |old| old.id);
        let created = old.map_or_else(|| tx.now(), |old| old.created);
        taken.push(id);
        Arc::new(FirewallRule { id, is_default, created, ..rule })
    };
    rules.into_iter().map(&mut number).collect()
}

fn place_of_rule(section: &FirewallSection, placement: &Placement) -> Result<usize, Error> {
    let fixed = usize::from(section.rules.last().is_some_and(|rule| rule.is_default));
    let place = |anchor: &str| section.rule(anchor).map(|(place, _)| place);
    placement.index(section.rules.len(), fixed, place, missing_rule)
}

/// A default section ends with its default rule, whatever else is put above it.
fn check_default_kept(
    object: &Object,
    known: &FirewallSection,
    rules: &[Arc<FirewallRule>],
) -> Result<(), Error> {
    if !known.is_default {
        return Ok(());
    }
    match rules.last() {
        Some(last) if last.is_default => check_default_rule(object, last, None),
        _ => Err(not_modifiable(object, "the default rule must stay the last")),
    }
}

/// Of a default rule only action, logging and the names change.
fn check_default_rule(
    object: &Object,
    rule: &FirewallRule,
    placement: Option<&Placement>,
) -> Result<(), Error> {
    let lists = [&rule.sources, &rule.destinations, &rule.applied_tos];
    let narrows = lists.into_iter().flatten().any(|list| !list.is_empty())
        || rule.sources_excluded
        || rule.destinations_excluded
        || rule.services.as_ref().is_some_and(|services| !services.is_empty())
        || rule.disabled
        || rule.direction != super::rule::Direction::InOut
        || rule.ip_protocol != super::rule::IpProtocol::Both;
    if narrows {
        return Err(not_modifiable(object, "a default rule matches everything"));
    }
    if placement.is_some() {
        return Err(not_modifiable(object, "a default rule can not be moved"));
    }
    Ok(())
}

fn not_modifiable(object: &Object, why: &'static str) -> Error {
    Error::NotModifiable { kind: section::KIND.name, id: object.header.id.clone(), why }
}
