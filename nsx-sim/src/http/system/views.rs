//! Views of the user interface and their widgets. Lists have no pages here, and a widget goes with
//! the last view that shows it [spec ViewList, DeleteWidgetConfiguration].

use super::super::call::{Call, Reply};
use super::super::routes::Routes;
use crate::inventory::{Error, Incoming, Kind, Level, Object, Query, Transaction};
use crate::kinds::system::ui::{VIEW, View, WIDGET, WidgetConfiguration};
use serde_json::{Value, json};
use std::sync::Arc;

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    let (all, one) = ("/ui-views", "/ui-views/{view}");
    routes.on_as(Level::Stateful, "GET", all, |call| {
        let mut views = call.world.inventory.all(VIEW.name);
        views.retain(|object| is_asked_for(call, object));
        let views: Vec<Value> = views.iter().map(|object| call.print(object)).collect();
        Ok(Reply::ok(json!({"views": views})))
    });
    routes.on_as(Level::Stateful, "POST", all, |call| {
        let incoming = Incoming::read(&VIEW, call.object()?)?;
        let object = call.commit(|tx| tx.create(&VIEW, incoming))?;
        Ok(Reply::created(call.print(&object)))
    });
    routes.on_as(Level::Stateful, "GET", one, |call| {
        Ok(Reply::ok(call.print(&*call.world.inventory.get(&VIEW, call.param(0))?)))
    });
    routes.on_as(Level::Stateful, "PUT", one, |call| replace(call, &VIEW, 0));
    routes.on_as(Level::Stateful, "DELETE", one, |call| {
        call.commit(|tx| {
            let object = tx.get(&VIEW, call.param(0))?;
            tx.delete(&VIEW, call.param(0), &Query::default())?;
            let widgets = object.body::<View>().into_iter().flat_map(View::widgets);
            widgets.into_iter().try_for_each(|widget| purge(tx, widget))
        })?;
        Ok(Reply::empty())
    });
    register_widgets(routes);
}

fn register_widgets(routes: &mut Routes) {
    let all = "/ui-views/{view}/widgetconfigurations";
    let one = &format!("{all}/{{widget}}");
    routes.on_as(Level::Stateful, "GET", all, |call| {
        let wanted = call.query.get("widget_ids");
        let widgets: Vec<Value> = shown(call)?
            .iter()
            .filter(|own| wanted.is_none_or(|ids| has(ids, &own.header.id)))
            .map(|own| call.print(own))
            .collect();
        Ok(Reply::ok(json!({"widgetconfigurations": widgets})))
    });
    routes.on_as(Level::Stateful, "POST", all, |call| {
        let incoming = Incoming::read(&WIDGET, call.object()?)?;
        let widget = call.commit(|tx| {
            tx.get(&VIEW, call.param(0))?;
            let widget = tx.create(&WIDGET, incoming)?;
            tx.edit(&VIEW, call.param(0), |view: &mut View, _| {
                view.attach(&widget.header.id);
                Ok(())
            })?;
            Ok(widget)
        })?;
        Ok(Reply::created(call.print(&widget)))
    });
    routes.on_as(Level::Stateful, "GET", one, |call| Ok(Reply::ok(call.print(&*named(call)?))));
    routes.on_as(Level::Stateful, "PUT", one, |call| {
        named(call)?;
        replace(call, &WIDGET, 1)
    });
    routes.on_as(Level::Stateful, "DELETE", one, |call| {
        named(call)?;
        call.commit(|tx| {
            tx.edit(&VIEW, call.param(0), |view: &mut View, _| {
                view.detach(call.param(1));
                Ok(())
            })?;
            purge(tx, call.param(1))
        })?;
        Ok(Reply::empty())
    });
}

fn replace(
    call: &Call<'_>,
    kind: &'static Kind,
    place: usize,
) -> Result<Reply, super::super::error::Failure> {
    let incoming = Incoming::read(kind, call.object()?)?;
    let object = call.commit(|tx| tx.replace(kind, call.param(place), incoming))?;
    Ok(Reply::ok(call.print(&object)))
}

/// What a caller may see [spec ListViews]: its own views and the shared ones, narrowed by the query.
fn is_asked_for(call: &Call<'_>, object: &Object) -> bool {
    let Some(view) = object.body::<View>() else { return false };
    let header = &object.header;
    let visible = view.is_shared() || *header.created.user == *call.actor.name;
    let asked = |name: &str| call.query.get(name);
    visible
        && asked("view_ids").is_none_or(|ids| has(ids, &header.id))
        && asked("widget_id").is_none_or(|id| view.widgets().any(|own| own == id))
        && asked("tag").is_none_or(|tag| header.tags().iter().any(|own| &*own.tag == tag))
}

fn has(ids: &str, id: &str) -> bool {
    ids.split(',').any(|own| own.trim() == id)
}

/// The widgets of the path's view, or of one of its containers, as far as they exist.
fn shown(call: &Call<'_>) -> Result<Vec<Arc<Object>>, Error> {
    let inventory = &call.world.inventory;
    let object = inventory.get(&VIEW, call.param(0))?;
    let ids: Vec<String> = match call.query.get("container") {
        Some(container) => {
            let container = inventory.get(&WIDGET, container)?;
            let contents =
                container.body::<WidgetConfiguration>().map(WidgetConfiguration::contents);
            contents.unwrap_or_default().iter().map(|own| own.widget_id.to_string()).collect()
        }
        None => {
            let view = object.body::<View>();
            view.into_iter().flat_map(View::widgets).map(str::to_owned).collect()
        }
    };
    Ok(ids.iter().filter_map(|id| inventory.find(WIDGET.name, id)).collect())
}

/// The widget that the path names, which its view must show.
fn named(call: &Call<'_>) -> Result<Arc<Object>, Error> {
    let found = shown(call)?.into_iter().find(|own| own.header.id == call.param(1));
    found.ok_or_else(|| Error::NotFound { kind: WIDGET.name, id: call.param(1).to_owned() })
}

/// Lets a widget go that no view shows any more.
fn purge(tx: &mut Transaction<'_>, widget: &str) -> Result<(), Error> {
    let shows = |object: &Arc<Object>| {
        object.body::<View>().is_some_and(|view| view.widgets().any(|own| own == widget))
    };
    if tx.find(WIDGET.name, widget).is_some() && !tx.all(&VIEW).iter().any(shows) {
        tx.delete(&WIDGET, widget, &Query::default())?;
    }
    Ok(())
}
