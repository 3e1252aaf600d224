//! The node's own network, as it is kept.

use super::super::call::Reply;
use super::super::routes::Routes;
use super::{node, settings};
use crate::inventory::Level;
use crate::kinds::appliance::network::{INTERFACE, NAME_SERVERS, ROUTE, SEARCH_DOMAINS};
use serde_json::json;

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    // The type has no members beside its links [spec NodeNetworkProperties].
    routes.on_as(Level::Shape, "GET", "/node/network", |_| Ok(Reply::ok(json!({}))));
    settings::document(routes, "/node/network/name-servers", &NAME_SERVERS);
    settings::document(routes, "/node/network/search-domains", &SEARCH_DOMAINS);
    let (all, one) = ("/node/network/interfaces", "/node/network/interfaces/{id}");
    routes.on_as(Level::Stateful, "GET", all, |call| settings::list(call, &INTERFACE));
    routes.on_as(Level::Stateful, "GET", one, |call| {
        Ok(Reply::ok(settings::print(call, &*settings::named(call, &INTERFACE)?)))
    });
    routes.on_as(Level::Stateful, "PUT", one, |call| {
        Ok(Reply::ok(settings::replace_entry(call, &INTERFACE, call.param(0))?))
    });
    let (all, one) = ("/node/network/routes", "/node/network/routes/{id}");
    routes.on_as(Level::Stateful, "GET", all, |call| settings::list(call, &ROUTE));
    routes.on_as(Level::Stateful, "POST", all, |call| {
        Ok(Reply::created(settings::create(call, &ROUTE, None)?))
    });
    routes.on_as(Level::Stateful, "GET", one, |call| {
        Ok(Reply::ok(settings::print(call, &*settings::named(call, &ROUTE)?)))
    });
    routes.on_as(Level::Stateful, "DELETE", one, |call| {
        node::delete(call, &ROUTE, call.param(0))?;
        Ok(Reply::empty())
    });
}
