//! Traceflows.

use super::call::Reply;
use super::list::{Paging, Row, place_key};
use super::routes::Routes;
use crate::observe::TraceRequest;
use serde_json::Value;

/// Filters of observations that take any text: the parameter is the member's name.
const TEXT_FILTERS: [&str; 2] = ["component_name", "transport_node_name"];

/// Filters of observations and the words that they take [spec TraceflowObservation].
const WORD_FILTERS: [(&str, &[&str]); 2] =
    [("component_type", &COMPONENT_TYPES), ("resource_type", &RESOURCE_TYPES)];

const COMPONENT_TYPES: [&str; 15] = [
    "PHYSICAL",
    "LR",
    "LS",
    "DFW",
    "BRIDGE",
    "EDGE_TUNNEL",
    "EDGE_HOSTSWITCH",
    "FW_BRIDGE",
    "LOAD_BALANCER",
    "NAT",
    "IPSEC",
    "SERVICE_INSERTION",
    "VMC",
    "EDGE_FW",
    "UNKNOWN",
];

const RESOURCE_TYPES: [&str; 9] = [
    "TraceflowObservationForwarded",
    "TraceflowObservationDropped",
    "TraceflowObservationDelivered",
    "TraceflowObservationReceived",
    "TraceflowObservationForwardedLogical",
    "TraceflowObservationDroppedLogical",
    "TraceflowObservationReceivedLogical",
    "TraceflowObservationReplicationLogical",
    "TraceflowObservationRelayedLogical",
];

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
        let rows = rows.map(|(place, item)| Row {
            key: place_key(place),
            id: item.id.clone().into(),
            item,
        });
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
        let mut filters = TEXT_FILTERS.map(|name| (name, call.query.get(name))).to_vec();
        for (name, words) in WORD_FILTERS {
            filters.push((name, call.query.one_of(name, words)?));
        }
        let passes = |step: &Value| {
            filters.iter().all(|(name, wanted)| {
                wanted.is_none() || step.get(*name).and_then(Value::as_str) == *wanted
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
