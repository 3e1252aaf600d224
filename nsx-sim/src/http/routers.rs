//! Routers as they are at run time, and the manager's settings.

use super::call::{Call, Reply};
use super::collections;
use super::routes::Routes;
use crate::inventory::{Error, Incoming, Level, Object};
use crate::kinds::global_config;
use crate::kinds::routing::placement;
use crate::kinds::routing::router::{self, LogicalRouter};
use serde_json::{Value, json};
use std::sync::Arc;

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("GET", "/logical-routers/{id}/state", |call| {
        named(call)?;
        Ok(Reply::ok(realized()))
    });
    routes.on("GET", "/logical-routers/{id}/service-cluster/state", |call| {
        let router = named(call)?;
        if places(call, &router).is_empty() {
            let id = router.header.id.clone();
            return Err(Error::NotFound { kind: "LogicalServiceRouterCluster", id }.into());
        }
        Ok(Reply::ok(realized()))
    });
    routes.on("GET", "/logical-routers/{id}/status", |call| {
        call.query.one_of("source", &["realtime", "cached"])?;
        let router = named(call)?;
        let nodes = places(call, &router).into_iter().map(|place| {
            let status = place.standing.word();
            json!({ "high_availability_status": status, "transport_node_id": place.node })
        });
        Ok(Reply::ok(json!({
            "logical_router_id": router.header.id,
            "last_update_timestamp": call.world.clock.now(),
            "per_node_status": nodes.collect::<Vec<_>>(),
        })))
    });
    // What is configured is realized already.
    routes.on("POST", "/logical-routers/{id}?action=reprocess", |call| {
        named(call)?;
        Ok(Reply::empty())
    });
    routes.on_as(Level::Stateful, "PUT", "/global-configs/{}?action=resync_config", |call| {
        let incoming = Incoming::read(&global_config::KIND, call.object()?)?;
        let id = &collections::named(call, &global_config::KIND)?.header.id;
        let object = call.commit(|tx| tx.replace(&global_config::KIND, id, incoming))?;
        Ok(Reply::ok(call.print(&object)))
    });
}

/// The router that the path names.
///
/// # Errors
/// [`Error::NotFound`].
pub fn named(call: &Call<'_>) -> Result<Arc<Object>, Error> {
    call.world.inventory.get(&router::KIND, call.param(0))
}

/// The edge nodes that a router's services are on.
pub fn places(call: &Call<'_>, router: &Object) -> Vec<placement::Place> {
    let body = router.body::<LogicalRouter>();
    body.map(|body| placement::places(&call.world.inventory, &router.header.id, body))
        .unwrap_or_default()
}

/// The state of what landed with the call that made it [spec ConfigurationState].
pub fn realized() -> Value {
    json!({ "state": "success", "details": [] })
}
