//! DNS forwarders at run time. No guest runs here, so nobody has ever asked one.

use super::call::{Call, Reply};
use super::node::date;
use super::routes::Routes;
use super::{realized, routers};
use crate::inventory::{Error, Object};
use crate::kinds::dns_forwarder::{DnsForwarder, KIND};
use crate::kinds::routing::placement::{Place, Standing};
use crate::kinds::routing::router;
use crate::wire;
use serde_json::{Value, json};
use std::net::Ipv4Addr;

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    realized::register(routes, &KIND);
    routes.on("GET", "/dns/forwarders/{id}/statistics", |call| Ok(Reply::ok(statistics(call)?)));
    routes.on("GET", "/dns/forwarders/{id}/status", |call| {
        let forwarder = call.world.inventory.get(&KIND, call.param(0))?;
        Ok(Reply::ok(status(call, &forwarder)))
    });
    routes.on("GET", "/dns/forwarders/{id}/failed-queries", |call| {
        let forwarder = call.world.inventory.get(&KIND, call.param(0))?;
        if let Some(count) = call.query.get("count") {
            let count = count.parse().ok().filter(|own| (1..=1000).contains::<u32>(own));
            count.ok_or_else(|| Error::field("count", "must lie between 1 and 1000"))?;
        }
        let now = date(call.world.clock.now());
        let nodes = places(call, &forwarder).into_iter().map(
            |own| json!({"node_id": own.node, "result_count": 0, "results": [], "timestamp": now}),
        );
        let nodes: Vec<Value> = nodes.collect();
        Ok(Reply::ok(json!({"timestamp": now, "per_node_failed_queries": nodes})))
    });
    routes.on("GET", "/dns/forwarders/{id}/nslookup", |call| Ok(Reply::ok(lookup(call)?)));
}

/// The edge nodes of a forwarder's router.
fn places(call: &Call<'_>, forwarder: &Object) -> Vec<Place> {
    let own = forwarder.body::<DnsForwarder>();
    let router =
        own.and_then(|own| call.world.inventory.find(router::KIND.name, &own.logical_router_id));
    router.map(|router| routers::places(call, &router)).unwrap_or_default()
}

/// Up while it is enabled and an edge node works for its router [spec DnsForwarderStatus].
fn status(call: &Call<'_>, forwarder: &Object) -> Value {
    let places = places(call, forwarder);
    let of = |standing| places.iter().find(|own| own.standing == standing).map(|own| &own.node);
    let (active, standby) = (of(Standing::Active), of(Standing::Standby));
    let enabled = forwarder.body::<DnsForwarder>().is_some_and(|own| own.enabled);
    let word = match (enabled, active, standby) {
        (false, ..) | (_, None, _) => "DOWN",
        (_, _, None) => "NO_BACKUP",
        _ => "UP",
    };
    let now = call.world.clock.now();
    let mut printed =
        json!({"status": word, "active_node": active, "standby_node": standby, "timestamp": now});
    wire::without_nulls(&mut printed);
    printed
}

/// No server answers: nobody outside is there [spec DnsAnswer].
fn lookup(call: &Call<'_>) -> Result<Value, Error> {
    let forwarder = call.world.inventory.get(&KIND, call.param(0))?;
    let required = |name: &str| Error::field(name, "is required");
    call.query.get("address").ok_or_else(|| required("address"))?;
    let address = |name: &str| {
        let wrong = |text: &str| Error::field(name, format!("must be an address, not {text}"));
        let sent = call.query.get(name);
        sent.map(|text| text.parse::<Ipv4Addr>().map_err(|_| wrong(text))).transpose()
    };
    let (server, source) = (address("server_ip")?, address("source_ip")?);
    let places = places(call, &forwarder);
    let active = places.iter().find(|own| own.is_active());
    let (Some(own), Some(active)) = (forwarder.body::<DnsForwarder>(), active) else {
        return Err(Error::field("forwarder-id", "names a forwarder that no edge node works for"));
    };
    Ok(json!({
        "dns_server": server.unwrap_or_else(|| own.first_server()).to_string(),
        "source_ip": source.unwrap_or_else(|| own.source()),
        "edge_node_id": active.node,
        "raw_answer": ";; connection timed out; no servers could be reached",
    }))
}

fn statistics(call: &Call<'_>) -> Result<Value, Error> {
    let forwarder = call.world.inventory.get(&KIND, call.param(0))?;
    let now = call.world.clock.now();
    let mut statistics = json!({
        "timestamp": now,
        "total_queries": 0,
        "queries_forwarded": 0,
        "queries_answered_locally": 0,
        "conditional_forwarder_statistics": [],
        "used_cache_statistics": [],
    });
    if let Some(body) = forwarder.body::<DnsForwarder>() {
        let zones = body.conditional_forwarders.iter().flat_map(|zones| zones.iter());
        let zones = zones.map(|zone| {
            let servers = zone.upstream_servers.iter().map(|own| &**own);
            zone_statistics(servers, &zone.domain_names)
        });
        statistics["conditional_forwarder_statistics"] = zones.collect();
        let servers = body.default_forwarder.upstream_servers.iter().map(|own| &**own);
        statistics["default_forwarder_statistics"] = zone_statistics(servers, &[]);
        statistics["configured_cache_size"] = body.cache_size.get().into();
    }
    Ok(statistics)
}

fn zone_statistics<'a>(servers: impl Iterator<Item = &'a str>, names: &[String]) -> Value {
    let servers = servers.map(
        |server| json!({"upstream_server": server, "queries_succeeded": 0, "queries_failed": 0}),
    );
    json!({"domain_names": names, "upstream_statistics": servers.collect::<Vec<_>>()})
}
