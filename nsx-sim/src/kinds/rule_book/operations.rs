//! Every way to change the sections and rules of a book, each one change of the inventory.

use super::{Book, MAX_RULES, Rule, Section, Sent};
use crate::inventory::{Error, Incoming, Object, Transaction};
use crate::kinds::firewall::Placement;
use crate::kinds::firewall::order::SectionOrder;
use crate::wire::Fields;
use serde_json::{Value, json};
use std::sync::Arc;

/// The id of the one object that holds a book's order.
const ORDER_ID: &str = "section-order";

/// Makes a section, with rules where the body holds them.
///
/// # Errors
/// Whatever the section, its rules or its place forbid.
pub fn create<B: Book>(
    tx: &mut Transaction<'_>,
    mut fields: Fields,
    with_rules: bool,
    placement: &Placement,
) -> Result<Arc<Object>, Error> {
    let rules = if with_rules { take_rules::<B>(&mut fields)? } else { Vec::new() };
    let mut incoming = Incoming::read(B::sections(), fields)?;
    sent::<B>(&mut incoming)?.rules = number(tx, rules, &[]);
    let object = tx.create(B::sections(), incoming)?;
    place::<B>(tx, &object.header.id, placement)?;
    Ok(object)
}

/// Changes a section: its own members, its rules where the body holds them, its place where given.
///
/// # Errors
/// As for `create`, and [`Error::StaleRevision`].
pub fn update<B: Book>(
    tx: &mut Transaction<'_>,
    id: &str,
    mut fields: Fields,
    with_rules: bool,
    placement: Option<&Placement>,
) -> Result<Arc<Object>, Error> {
    let before = tx.get(B::sections(), id)?;
    let known = body::<B>(&before)?;
    let rules = if with_rules {
        let rules = take_rules::<B>(&mut fields)?;
        number(tx, rules, &known.rules)
    } else {
        known.rules.clone()
    };
    let mut incoming = Incoming::read(B::sections(), fields)?;
    sent::<B>(&mut incoming)?.rules = rules;
    if let Some(placement) = placement {
        place::<B>(tx, id, placement)?;
    }
    tx.replace(B::sections(), id, incoming)
}

/// Adds rules in one place, in the order given.
///
/// # Errors
/// As for `update`, by the revision in each rule.
pub fn add_rules<B: Book>(
    tx: &mut Transaction<'_>,
    id: &str,
    rules: Vec<Fields>,
    placement: &Placement,
) -> Result<(Arc<Object>, Vec<u64>), Error> {
    if rules.is_empty() {
        return Err(Error::field("rules", "must hold at least 1"));
    }
    let sent = rules.into_iter().map(Rule::<B>::read).collect::<Result<Vec<_>, _>>()?;
    let before = tx.get(B::sections(), id)?;
    for rule in &sent {
        tx.check_revision(&before, rule.revision)?;
    }
    let sent = sent.into_iter().map(|sent| Sent { id: None, ..sent }).collect();
    let rules = number(tx, sent, &[]);
    let ids = rules.iter().map(|rule| rule.id).collect();
    let object = tx.edit(B::sections(), id, |own: &mut Section<B>, _| {
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
pub fn replace_rule<B: Book>(
    tx: &mut Transaction<'_>,
    id: &str,
    rule_id: &str,
    fields: Fields,
    placement: Option<&Placement>,
) -> Result<Arc<Object>, Error> {
    let sent = Rule::<B>::read(fields)?;
    let before = tx.get(B::sections(), id)?;
    let (at, old) = body::<B>(&before)?.rule(rule_id).ok_or_else(|| missing::<B>(rule_id))?;
    tx.check_revision(&before, sent.revision)?;
    let rule = Arc::new(Rule { id: old.id, ..sent.rule });
    tx.edit(B::sections(), id, |own: &mut Section<B>, _| {
        let Some(placement) = placement else {
            own.rules[at] = rule;
            return Ok(());
        };
        if matches!(placement, Placement::Before(id) | Placement::After(id) if id == rule_id) {
            return Err(Error::field("id", "names the rule itself"));
        }
        own.rules.remove(at);
        let to = place_of_rule(own, placement)?;
        own.rules.insert(to, rule);
        Ok(())
    })
}

/// Removes a rule.
///
/// # Errors
/// [`Error::NotFound`].
pub fn delete_rule<B: Book>(
    tx: &mut Transaction<'_>,
    id: &str,
    rule_id: &str,
) -> Result<(), Error> {
    let before = tx.get(B::sections(), id)?;
    let (at, _) = body::<B>(&before)?.rule(rule_id).ok_or_else(|| missing::<B>(rule_id))?;
    tx.edit(B::sections(), id, |own: &mut Section<B>, _| {
        own.rules.remove(at);
        Ok(())
    })?;
    Ok(())
}

/// Takes a section out of the order.
///
/// # Errors
/// None but faults of the program.
pub fn forget<B: Book>(tx: &mut Transaction<'_>, id: &str) -> Result<(), Error> {
    order::<B>(tx, |ids| {
        ids.retain(|own| own != id);
        Ok(())
    })
}

/// The objects of a list of rules.
///
/// # Errors
/// [`Error::InvalidFields`] where an item is none, or there are more than a section holds.
pub fn read_rules(rules: Vec<Value>) -> Result<Vec<Fields>, Error> {
    if rules.len() > MAX_RULES {
        return Err(Error::field("rules", format!("has exceeded maximum size {MAX_RULES}")));
    }
    let item = |(index, value)| match value {
        Value::Object(fields) => Ok(fields),
        _ => Err(Error::field(format!("rules[{index}]"), "must be an object")),
    };
    rules.into_iter().enumerate().map(item).collect()
}

/// The section that an object is.
///
/// # Errors
/// [`Error::NotFound`] where it is none of the book's.
pub fn body<B: Book>(object: &Object) -> Result<&Section<B>, Error> {
    let missing = || Error::NotFound { kind: B::sections().name, id: object.header.id.clone() };
    object.body().ok_or_else(missing)
}

/// A rule that was not found.
pub fn missing<B: Book>(id: &str) -> Error {
    Error::NotFound { kind: B::RULE, id: id.to_owned() }
}

fn sent<B: Book>(incoming: &mut Incoming) -> Result<&mut Section<B>, Error> {
    let body: &mut dyn std::any::Any = incoming.body.as_mut();
    body.downcast_mut().ok_or_else(|| Error::field("resource_type", "is not of this collection"))
}

fn take_rules<B: Book>(fields: &mut Fields) -> Result<Vec<Sent<B>>, Error> {
    match fields.shift_remove("rules") {
        Some(Value::Array(rules)) => read_rules(rules)?.into_iter().map(Rule::read).collect(),
        None | Some(Value::Null) => Err(Error::field("rules", "is required")),
        Some(_) => Err(Error::field("rules", "must be a list")),
    }
}

/// Gives each rule its id: a known one keeps the id it was sent with, the rest get new ones.
fn number<B: Book>(
    tx: &Transaction<'_>,
    rules: Vec<Sent<B>>,
    known: &[Arc<Rule<B>>],
) -> Vec<Arc<Rule<B>>> {
    let mut taken = Vec::new();
    let give = |Sent { rule, id, .. }: Sent<B>| {
        let known = id.filter(|id| known.iter().any(|old| old.id == *id) && !taken.contains(id));
        let id = known.unwrap_or_else(|| tx.inventory().ids().number());
        taken.push(id);
        Arc::new(Rule { id, ..rule })
    };
    rules.into_iter().map(give).collect()
}

fn place_of_rule<B: Book>(section: &Section<B>, placement: &Placement) -> Result<usize, Error> {
    let place = |anchor: &str| section.rule(anchor).map(|(place, _)| place);
    placement.index(section.rules.len(), 0, place, missing::<B>)
}

/// Puts a section, new or known, in its place.
fn place<B: Book>(tx: &mut Transaction<'_>, id: &str, placement: &Placement) -> Result<(), Error> {
    order::<B>(tx, |ids| {
        ids.retain(|own| own != id);
        let place_of = |anchor: &str| ids.iter().position(|own| own == anchor);
        let missing =
            |anchor: &str| Error::NotFound { kind: B::sections().name, id: anchor.into() };
        let at = placement.index(ids.len(), 0, place_of, missing)?;
        ids.insert(at, id.to_owned());
        Ok(())
    })
}

fn order<B: Book>(
    tx: &mut Transaction<'_>,
    change: impl FnOnce(&mut Vec<String>) -> Result<(), Error>,
) -> Result<(), Error> {
    let kind = B::order();
    if tx.find(kind.name, ORDER_ID).is_none() {
        let fields = crate::wire::fields_of(&json!({"id": ORDER_ID, "sections": []}));
        tx.create(kind, Incoming::read(kind, fields)?)?;
    }
    tx.edit(kind, ORDER_ID, |order: &mut SectionOrder, _| change(order.ids_mut()))?;
    Ok(())
}
