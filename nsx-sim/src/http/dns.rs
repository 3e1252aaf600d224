//! DNS forwarders at run time. No guest runs here, so nobody has ever asked one.

use super::call::{Call, Reply};
use super::realized;
use super::routes::Routes;
use crate::inventory::Error;
use crate::kinds::dns_forwarder::{DnsForwarder, KIND};
use serde_json::{Value, json};

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    realized::register(routes, &KIND);
    routes.on("GET", "/dns/forwarders/{id}/statistics", |call| Ok(Reply::ok(statistics(call)?)));
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
