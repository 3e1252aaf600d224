//! Bridges at run time: where they are. Nothing passes them, for there is nothing beyond.

use super::call::{Call, Reply};
use super::counters;
use super::routes::Routes;
use crate::fabric::Traffic;
use crate::inventory::Error;
use crate::kinds::bridge::{
    BridgeCluster, BridgeEndpoint, BridgeEndpointProfile, CLUSTER, ENDPOINT, PROFILE,
};
use serde_json::{Value, json};

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("GET", "/bridge-clusters/{id}/status", |call| {
        call.query.one_of("source", &["realtime", "cached"])?;
        let cluster = call.world.inventory.get(&CLUSTER, call.param(0))?;
        let nodes = cluster.body::<BridgeCluster>().map_or(0, |own| own.nodes().count());
        Ok(Reply::ok(json!({
            "cluster_id": cluster.header.id,
            // Hosts here are always up; without any there is nothing to tell.
            "health": if nodes == 0 { "UNKNOWN" } else { "UP" },
            "last_update_timestamp": call.world.clock.now(),
        })))
    });
    routes.on("GET", "/bridge-endpoints/{id}/status", |call| Ok(Reply::ok(status(call)?)));
    routes.on("GET", "/bridge-endpoints/{id}/statistics", |call| {
        call.query.one_of("source", &["realtime", "cached"])?;
        let endpoint = call.world.inventory.get(&ENDPOINT, call.param(0))?;
        let mut statistics = counters::aggregated(&Traffic::default());
        statistics["endpoint_id"] = endpoint.header.id.as_str().into();
        statistics["last_update_timestamp"] = call.world.clock.now().into();
        Ok(Reply::ok(statistics))
    });
}

/// The first node carries the bridge, the others stand by.
fn status(call: &Call<'_>) -> Result<Value, Error> {
    call.query.one_of("source", &["realtime", "cached"])?;
    let inventory = &call.world.inventory;
    let endpoint = inventory.get(&ENDPOINT, call.param(0))?;
    let mut nodes = Vec::new();
    if let Some(body) = endpoint.body::<BridgeEndpoint>() {
        if let Some(id) = body.bridge_cluster_id.as_deref()
            && let Some(cluster) = inventory.find(CLUSTER.name, id)
        {
            let own = cluster.body::<BridgeCluster>();
            nodes.extend(own.iter().flat_map(|own| own.nodes()).map(str::to_owned));
        }
        if let Some(id) = body.bridge_endpoint_profile_id.as_deref()
            && let Some(profile) = inventory.find(PROFILE.name, id)
        {
            let own = profile.body::<BridgeEndpointProfile>();
            nodes.extend(own.iter().flat_map(|own| own.nodes(inventory)));
        }
    }
    nodes.truncate(1);
    Ok(json!({
        "endpoint_id": endpoint.header.id,
        "active_nodes": nodes,
        "last_update_timestamp": call.world.clock.now(),
    }))
}
