//! Traceflows.

use super::call::Reply;
use super::list::{Paging, Row, place_key};
use super::routes::Routes;
use crate::observe::TraceRequest;
use serde_json::Value;

/// Filters of observations: the parameter is the member's name.
const OBSERVATION_FILTERS: [&str; 4] =
    ["component_name", "component_type", "resource_type", "transport_node_name"];

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("POST", "/traceflows", |call| {
        let request = TraceRequest::read(call.object()?)?;
        let traceflow = call.world.traceflows.start(call.world, &request)?;
        Ok(Reply::created(traceflow.fields(call.world.clock.now())))
    });
    routes.on("GET", "/traceflows", |call| {
        let paging = Paging::read(&call.query, 1000)?;
        let now = call.world.clock.now();
        let mut traceflows = call.world.traceflows.all(now);
        if let Some(port) = call.query.get("lport_id") {
            traceflows.retain(|own| own.lport_id == port);
        }
        let rows = traceflows.into_iter().enumerate();
        let rows =
            rows.map(|(place, item)| Row { key: place_key(place), id: item.id.clone(), item });
        Ok(paging.ordered(&rows.collect::<Vec<_>>(), |traceflow| traceflow.fields(now)))
    });
    routes.on("GET", "/traceflows/{id}", |call| {
        let now = call.world.clock.now();
        Ok(Reply::ok(call.world.traceflows.get(call.param(0), now)?.fields(now)))
    });
    routes.on("DELETE", "/traceflows/{id}", |call| {
        call.world.traceflows.delete(call.param(0), call.world.clock.now())?;
        Ok(Reply::empty())
    });
    routes.on("GET", "/traceflows/{id}/observations", |call| {
        let paging = Paging::read(&call.query, 1000)?;
        let now = call.world.clock.now();
        let traceflow = call.world.traceflows.get(call.param(0), now)?;
        let steps = traceflow.observations(now).iter();
        let printed = steps.map(|step| Value::Object(crate::wire::fields_of(step)));
        let passes = |step: &Value| {
            OBSERVATION_FILTERS.iter().all(|name| {
                let wanted = call.query.get(name);
                wanted.is_none() || step.get(*name).and_then(Value::as_str) == wanted
            })
        };
        let rows = printed.filter(passes).enumerate().map(|(place, item)| Row {
            key: place_key(place),
            id: place_key(place),
            item,
        });
        Ok(paging.ordered(&rows.collect::<Vec<_>>(), Value::clone))
    });
}
