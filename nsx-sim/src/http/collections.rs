//! The plain five verbs of every kind, and the actions on single objects: all from the kinds'
//! declarations.

use super::call::{Call, Reply};
use super::error::Failure;
use super::list::{Paging, Row};
use super::routes::Routes;
use crate::inventory::{Error, Incoming, Kind, Object};
use crate::kinds::KINDS;
use serde_json::Value;
use std::sync::Arc;

/// Adds the routes of all kinds.
pub fn register(routes: &mut Routes) {
    for kind in KINDS.iter().copied().filter(|kind| !kind.path.is_empty()) {
        let (collection, one) = (kind.path.to_owned(), format!("{}/{{id}}", kind.path));
        let verbs = kind.verbs;
        if verbs.list {
            routes
                .on("GET", &collection, move |call| list(call, kind, |object| call.print(object)));
            routes.on("GET", &one, move |call| {
                let object = call.world.inventory.get(kind, call.param(0))?;
                Ok(Reply::ok(call.print(&object)))
            });
        }
        if verbs.create {
            routes.on("POST", &collection, move |call| create(call, kind));
        }
        if verbs.update {
            routes.on("PUT", &one, move |call| update(call, kind));
        }
        if verbs.delete {
            routes.on("DELETE", &one, move |call| {
                call.commit(|tx| tx.delete(kind, call.param(0), &call.query))?;
                Ok(Reply::empty())
            });
        }
        for action in kind.actions {
            routes.on("POST", &format!("{one}?action={}", action.word), move |call| {
                let body = Value::Object(call.object()?);
                let answer =
                    call.commit(|tx| (action.run)(tx, call.param(0), body, &call.query))?;
                Ok(Reply { status: action.status, body: Some(answer) })
            });
        }
    }
}

/// The objects of a kind that pass the filters of a call, in no order.
///
/// # Errors
/// [`Error::InvalidFields`] for a filter's value that it does not take.
pub fn filtered(call: &Call<'_>, kind: &'static Kind) -> Result<Vec<Arc<Object>>, Error> {
    let inventory = &call.world.inventory;
    let mut objects = inventory.all(kind.name);
    if kind.system_owned_hidden && !call.query.flag("include_system_owned")? {
        objects.retain(|object| !object.header.system_owned);
    }
    narrow(call, kind, &mut objects)?;
    Ok(objects)
}

/// Keeps the objects that pass the filters of a call.
///
/// # Errors
/// As for [`filtered`].
pub fn narrow(
    call: &Call<'_>,
    kind: &'static Kind,
    objects: &mut Vec<Arc<Object>>,
) -> Result<(), Error> {
    for filter in kind.filters {
        if let Some(value) = filter.value(&call.query)? {
            objects.retain(|object| (filter.passes)(&call.world.inventory, object, &value));
        }
    }
    Ok(())
}

/// A page of a kind's objects.
///
/// # Errors
/// For a query that does not read.
pub fn list(
    call: &Call<'_>,
    kind: &'static Kind,
    print: impl Fn(&Object) -> Value,
) -> Result<Reply, Failure> {
    page(call, kind, filtered(call, kind)?, print)
}

/// A page of some of a kind's objects.
///
/// # Errors
/// For a query that does not read.
pub fn page(
    call: &Call<'_>,
    kind: &'static Kind,
    objects: Vec<Arc<Object>>,
    print: impl Fn(&Object) -> Value,
) -> Result<Reply, Failure> {
    let paging = Paging::read(&call.query, kind.page_cap)?;
    let rows = objects.into_iter().map(|object| {
        let (key, id) = (object.header.name().to_owned(), object.header.id.clone());
        Row { key, id, item: object }
    });
    Ok(paging.by_member(rows.collect(), |object| print(object))?)
}

fn create(call: &Call<'_>, kind: &'static Kind) -> Result<Reply, Failure> {
    let incoming = Incoming::read(kind, call.object()?)?;
    let object = call.commit(|tx| tx.create(kind, incoming))?;
    Ok(Reply::created(call.print(&object)))
}

fn update(call: &Call<'_>, kind: &'static Kind) -> Result<Reply, Failure> {
    let incoming = Incoming::read(kind, call.object()?)?;
    let object = call.commit(|tx| tx.replace(kind, call.param(0), incoming))?;
    Ok(Reply::ok(call.print(&object)))
}
