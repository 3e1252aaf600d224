//! Documents and entries that have no managed resource's header: their own members are all that is
//! sent and printed.

use super::super::call::{Call, Reply};
use super::super::error::Failure;
use super::super::list::{Paging, Row};
use super::super::routes::Routes;
use crate::inventory::{Error, Incoming, Kind, Level, Object};
use crate::wire::{Fields, Text};
use serde_json::Value;
use std::sync::Arc;

/// Members that every body may carry and only the manager sets [spec Resource].
const LINKS: [&str; 3] = ["_self", "_links", "_schema"];

/// Adds `GET` and `PUT` of a document.
pub fn document(routes: &mut Routes, path: &str, kind: &'static Kind) {
    routes.on_as(Level::Stateful, "GET", path, move |call| Ok(Reply::ok(read(call, kind)?)));
    routes.on_as(Level::Stateful, "PUT", path, move |call| {
        replace(call, kind)?;
        Ok(Reply::ok(read(call, kind)?))
    });
}

/// As [`document`], for one that has a `_revision` [spec RevisionedResource].
pub fn revisioned(routes: &mut Routes, path: &str, kind: &'static Kind) {
    routes
        .on_as(Level::Stateful, "GET", path, move |call| Ok(Reply::ok(with_revision(call, kind)?)));
    routes.on_as(Level::Stateful, "PUT", path, move |call| {
        let mut fields = body(call)?;
        let revision = fields.shift_remove("_revision").and_then(|sent| sent.as_i64());
        let incoming = Incoming { revision, ..incoming(kind, fields)? };
        let id = call.world.inventory.single(kind, None)?.header.id.clone();
        call.commit(|tx| tx.replace(kind, &id, incoming))?;
        Ok(Reply::ok(with_revision(call, kind)?))
    });
}

fn with_revision(call: &Call<'_>, kind: &'static Kind) -> Result<Value, Error> {
    let object = call.world.inventory.single(kind, None)?;
    let mut printed = print(call, &object);
    printed["_revision"] = object.header.revision.into();
    Ok(printed)
}

/// A document as it is printed.
///
/// # Errors
/// [`Error::NotFound`] where there is none.
pub fn read(call: &Call<'_>, kind: &'static Kind) -> Result<Value, Error> {
    Ok(print(call, &*call.world.inventory.single(kind, None)?))
}

/// Puts the call's body in a document's place, whatever revision it is at.
///
/// # Errors
/// Where the body does not read, or may not be.
pub fn replace(call: &Call<'_>, kind: &'static Kind) -> Result<(), Error> {
    let id = call.world.inventory.single(kind, None)?.header.id.clone();
    replace_entry(call, kind, &id)?;
    Ok(())
}

/// As [`replace`], for an entry by its id.
///
/// # Errors
/// As there, and [`Error::NotFound`].
pub fn replace_entry(call: &Call<'_>, kind: &'static Kind, id: &str) -> Result<Value, Error> {
    let mut incoming = incoming(kind, body(call)?)?;
    let object = call.commit(|tx| {
        incoming.revision = Some(i64::from(tx.get(kind, id)?.header.revision));
        tx.replace(kind, id, incoming)
    })?;
    Ok(print(call, &object))
}

/// Makes an entry of the call's body, by a name or an id of the manager's own.
///
/// # Errors
/// Where the body does not read, may not be, or the name is taken.
pub fn create(call: &Call<'_>, kind: &'static Kind, name: Option<&str>) -> Result<Value, Error> {
    let mut incoming = incoming(kind, body(call)?)?;
    incoming.id = name.map(Text::cut);
    let object = call.commit(|tx| tx.create(kind, incoming))?;
    Ok(print(call, &object))
}

/// A page of a kind's entries.
///
/// # Errors
/// For a query that does not read.
pub fn list(call: &Call<'_>, kind: &'static Kind) -> Result<Reply, Failure> {
    let objects = call.world.inventory.all(kind.name);
    rows(call, objects.iter().map(|object| (object.header.id.clone(), print(call, object))))
}

/// A page of rows that are no objects, each with what tells it from the others.
///
/// # Errors
/// For a query that does not read.
pub fn rows(
    call: &Call<'_>,
    rows: impl IntoIterator<Item = (String, Value)>,
) -> Result<Reply, Failure> {
    let paging = Paging::read(&call.query, 1000)?;
    let rows =
        rows.into_iter().map(|(id, item)| Row { key: id.clone().into(), id: id.into(), item });
    Ok(paging.by_member(rows.collect(), Value::clone)?)
}

/// The entry that the path names.
///
/// # Errors
/// [`Error::NotFound`].
pub fn named(call: &Call<'_>, kind: &'static Kind) -> Result<Arc<Object>, Error> {
    call.world.inventory.get(kind, call.param(0))
}

/// An object without its header.
pub fn print(call: &Call<'_>, object: &Object) -> Value {
    Value::Object(object.any_body().fields(&object.header, &call.world.inventory))
}

fn body(call: &Call<'_>) -> Result<Fields, Error> {
    let mut fields = call.object()?;
    fields.retain(|name, _| !LINKS.contains(&name.as_str()));
    Ok(fields)
}

fn incoming(kind: &'static Kind, fields: Fields) -> Result<Incoming, Error> {
    // No header: all members are the body's own.
    Ok(Incoming {
        id: None,
        display_name: None,
        description: None,
        tags: None,
        revision: None,
        body: (kind.read)(fields)?,
    })
}
