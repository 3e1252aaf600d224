//! The plain five verbs of every kind, and the actions on single objects: all from the kinds'
//! declarations.

use super::call::{Call, Reply};
use super::error::Failure;
use super::list::{ByName, Paging, ROW_DEPTH, Row};
use super::routes::{Routes, Verb};
use crate::inventory::{Error, Incoming, Kind, Level, Object};
use crate::kinds::KINDS;
use crate::wire;
use serde_json::Value;
use std::sync::Arc;

/// Adds the routes of all kinds.
pub fn register(routes: &mut Routes) {
    for kind in KINDS.iter().copied().filter(|kind| !kind.path.is_empty()) {
        if kind.single {
            single(routes, kind);
        } else {
            plain(routes, kind);
        }
    }
}

/// `GET` and `PUT` of the only object there is.
fn single(routes: &mut Routes, kind: &'static Kind) {
    if kind.verbs.list {
        routes.verb(kind, Verb::Read, kind.path, move |call| {
            Ok(Reply::ok(call.print(&*the_one(call, kind)?)))
        });
    }
    if kind.verbs.update {
        routes.verb(kind, Verb::Update, kind.path, move |call| {
            let incoming = Incoming::read(kind, call.object()?)?;
            let id = the_one(call, kind)?.header.id.clone();
            let object = call.commit(|tx| tx.replace(kind, &id, incoming))?;
            Ok(Reply::ok(call.print(&object)))
        });
    }
}

fn plain(routes: &mut Routes, kind: &'static Kind) {
    let (collection, one) = (kind.path.to_owned(), format!("{}/{{id}}", kind.path));
    let verbs = kind.verbs;
    if verbs.list {
        routes.verb(kind, Verb::List, &collection, move |call| list_as_is(call, kind));
        routes.verb(kind, Verb::Read, &one, move |call| Ok(call.show(&*named(call, kind)?)));
    }
    if verbs.create {
        routes.verb(kind, Verb::Create, &collection, move |call| create(call, kind));
    }
    if verbs.update {
        routes.verb(kind, Verb::Update, &one, move |call| {
            let incoming = Incoming::read(kind, call.object()?)?;
            let id = &named(call, kind)?.header.id;
            let object = call.commit(|tx| tx.replace(kind, id, incoming))?;
            Ok(Reply::ok(call.print(&object)))
        });
    }
    if verbs.delete {
        routes.verb(kind, Verb::Delete, &one, move |call| {
            let id = &named(call, kind)?.header.id;
            call.commit(|tx| tx.delete(kind, id, &call.query))?;
            Ok(Reply::of(kind.deleted, None))
        });
    }
    for action in kind.actions {
        let path = format!("{one}?action={}", action.word);
        routes.on_as(Level::Semantic, "POST", &path, move |call| {
            let body = Value::Object(call.object()?);
            let id = &named(call, kind)?.header.id;
            let answer = call.commit(|tx| (action.run)(tx, id, body, &call.query))?;
            // What an action has nothing to say to answers with an empty body.
            Ok(Reply::of(action.status, Some(answer).filter(|body| !body.is_null())))
        });
    }
}

/// The id of the object that the path puts above those of a kind, which must be there; none for
/// kinds without a parent.
///
/// # Errors
/// [`Error::NotFound`] where it, or one above it, is not there.
pub fn parent<'a>(call: &'a Call<'_>, kind: &Kind) -> Result<Option<&'a str>, Error> {
    let Some(parent) = &kind.parent else { return Ok(None) };
    let depth = kind.path.matches("{}").count();
    let id = call.param(depth - 1);
    let missing = || Error::NotFound { kind: parent.kind, id: id.to_owned() };
    let object = call.world.inventory.find(parent.kind, id).ok_or_else(missing)?;
    if depth > 1 && object.header.parent.as_deref() != Some(call.param(depth - 2)) {
        return Err(missing());
    }
    Ok(Some(id))
}

/// The only object of a kind, in the world or below the path's parent.
fn the_one(call: &Call<'_>, kind: &'static Kind) -> Result<Arc<Object>, Error> {
    call.world.inventory.single(kind, parent(call, kind)?)
}

/// The object of a kind that the path names, below the parent that it names.
///
/// # Errors
/// [`Error::NotFound`] where either is not there.
pub fn named(call: &Call<'_>, kind: &'static Kind) -> Result<Arc<Object>, Error> {
    let id = call.param(kind.path.matches("{}").count());
    let object = call.world.inventory.get(kind, id)?;
    if object.header.parent.as_deref() != parent(call, kind)? {
        return Err(Error::NotFound { kind: kind.name, id: id.to_owned() });
    }
    Ok(object)
}

/// The objects of a kind that pass the filters of a call, by name unless an index found them.
///
/// # Errors
/// [`Error::InvalidFields`] for a filter's value that it does not take.
pub fn filtered(call: &Call<'_>, kind: &'static Kind) -> Result<Vec<Arc<Object>>, Error> {
    let inventory = &call.world.inventory;
    let mut objects = match parent(call, kind)? {
        Some(parent) => inventory.children(kind, parent),
        None => match indexed(call, kind)? {
            Some(found) => found,
            None => inventory.all(kind.name),
        },
    };
    if kind.system_owned_hidden && !call.query.flag("include_system_owned")? {
        objects.retain(|object| !object.header.system_owned);
    }
    narrow(call, kind, &mut objects)?;
    Ok(objects)
}

/// Up to so many objects are put into order for each page.
const MANY: usize = 1000;

/// Where an index finds a smaller share of all objects, they are put into order for each page.
const SPARSE: usize = 8;

/// The objects that an index finds for one of the call's filters; none where no index helps.
fn indexed(call: &Call<'_>, kind: &'static Kind) -> Result<Option<Vec<Arc<Object>>>, Error> {
    for (parameter, index) in kind.indexed {
        let filter = kind.filters.iter().find(|filter| filter.name == *parameter);
        if let Some(value) = filter.map(|filter| filter.value(&call.query)).transpose()?.flatten() {
            return Ok(Some(call.world.inventory.by_key(index, &value)));
        }
    }
    Ok(None)
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
    let write = |object: &Object, out: &mut Vec<u8>| {
        wire::print_at(&print(object), ROW_DEPTH, out);
    };
    listed(call, kind, &print, write)
}

/// A page of a kind's objects as the caller sees each by itself.
///
/// # Errors
/// For a query that does not read.
pub fn list_as_is(call: &Call<'_>, kind: &'static Kind) -> Result<Reply, Failure> {
    listed(call, kind, |object| call.print(object), writer(call))
}

/// Adds an object to the text of a page as the caller sees it.
fn writer(call: &Call<'_>) -> impl Fn(&Object, &mut Vec<u8>) {
    move |object, out| object.print(&call.world.inventory, &call.actor, ROW_DEPTH, out)
}

/// As [`list`]; `write` adds a whole object to the text of the page.
fn listed(
    call: &Call<'_>,
    kind: &'static Kind,
    print: impl Fn(&Object) -> Value,
    write: impl Fn(&Object, &mut Vec<u8>),
) -> Result<Reply, Failure> {
    let paging = Paging::read(&call.query, kind.page_cap)?;
    let (print, write) = (
        |object: &&Arc<Object>| print(object),
        |object: &&Arc<Object>, out: &mut _| write(object, out),
    );
    if is_whole(call, kind)
        && let Some(ByName { after, ascending, most }) = paging.by_name()
    {
        // The inventory keeps this order: however many there are, a page costs what it shows.
        let (objects, count) = call.world.inventory.page(kind.name, after, ascending, most);
        let rows: Vec<_> = objects.iter().map(row).collect();
        return Ok(paging.printed(&rows, count, print, write));
    }
    if let Some(wanted) = paging.by_name()
        && let Some((objects, count)) = met_in_order(call, kind, &wanted)?
    {
        let rows: Vec<_> = objects.iter().map(row).collect();
        return Ok(paging.printed(&rows, count, print, write));
    }
    let objects = filtered(call, kind)?;
    Ok(paging.printed_by_member(objects.iter().map(row).collect(), print, write)?)
}

/// Objects for a page, and how many there are in all.
type Picked = (Vec<Arc<Object>>, usize);

/// The rows of a page by name of what a single filter picks, and how many that are in all. None where
/// the filter's index finds so few that they are sooner put into order than met in it.
fn met_in_order(
    call: &Call<'_>,
    kind: &'static Kind,
    wanted: &ByName<'_>,
) -> Result<Option<Picked>, Error> {
    if kind.parent.is_some() || kind.system_owned_hidden {
        return Ok(None);
    }
    let mut asked = kind.filters.iter().filter(|filter| call.query.get(filter.name).is_some());
    let (Some(filter), None) = (asked.next(), asked.next()) else { return Ok(None) };
    let index = kind.indexed.iter().find(|(parameter, _)| *parameter == filter.name);
    let (Some((_, index)), Some(value)) = (index, filter.value(&call.query)?) else {
        return Ok(None);
    };
    let inventory = &call.world.inventory;
    let picked = inventory.count_by_key(index, &value);
    let (_, all) = inventory.page(kind.name, None, true, 0);
    if picked < MANY || picked < all / SPARSE {
        return Ok(None);
    }
    let (mut rows, mut last) = (Vec::new(), None::<Arc<Object>>);
    while rows.len() < wanted.most {
        let behind = last.as_ref().map(|own| (own.header.name(), own.header.id.as_str()));
        let after = behind.or(wanted.after);
        let (met, _) = inventory.page(kind.name, after, wanted.ascending, wanted.most);
        let Some(end) = met.last() else { break };
        last = Some(Arc::clone(end));
        rows.extend(met.into_iter().filter(|own| (filter.passes)(inventory, own, &value)));
    }
    rows.truncate(wanted.most);
    Ok(Some((rows, picked)))
}

/// Whether a call asks for all objects of a kind.
fn is_whole(call: &Call<'_>, kind: &Kind) -> bool {
    kind.parent.is_none()
        && !kind.system_owned_hidden
        && kind.filters.iter().all(|filter| call.query.get(filter.name).is_none())
}

/// A page of some of a kind's objects.
///
/// # Errors
/// For a query that does not read.
pub fn page(
    call: &Call<'_>,
    kind: &'static Kind,
    objects: &[Arc<Object>],
    print: impl Fn(&Object) -> Value,
) -> Result<Reply, Failure> {
    let paging = Paging::read(&call.query, kind.page_cap)?;
    let rows = objects.iter().map(row).collect();
    Ok(paging.printed_by_value(rows, |object| print(object))?)
}

/// As [`page`], each object as the caller sees it by itself.
///
/// # Errors
/// For a query that does not read.
pub fn page_as_is(
    call: &Call<'_>,
    kind: &'static Kind,
    objects: &[Arc<Object>],
) -> Result<Reply, Failure> {
    let paging = Paging::read(&call.query, kind.page_cap)?;
    let (rows, write) = (objects.iter().map(row).collect(), writer(call));
    let print = |object: &&Arc<Object>| call.print(object);
    Ok(paging.printed_by_member(rows, print, |object, out| write(object, out))?)
}

/// An object in a list.
pub fn row(object: &Arc<Object>) -> Row<'_, &Arc<Object>> {
    let header = &object.header;
    Row { key: header.name().into(), id: header.id.as_str().into(), item: object }
}

fn create(call: &Call<'_>, kind: &'static Kind) -> Result<Reply, Failure> {
    let incoming = Incoming::read(kind, call.object()?)?;
    let parent = parent(call, kind)?;
    let object = call.commit(|tx| tx.create_part(kind, parent, incoming))?;
    Ok(Reply::of(kind.created, Some(call.print(&object))))
}
