//! Metadata proxies at run time. No guest runs here, so nobody has ever asked one.

use super::call::{Call, Reply};
use super::routes::Routes;
use crate::inventory::Error;
use crate::kinds::logical_port::{AttachmentType, LogicalPort, attached_ports};
use crate::kinds::logical_switch;
use crate::kinds::metadata_proxy::{KIND, MetadataProxy};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("GET", "/md-proxies/{id}/statistics", |call| Ok(Reply::ok(statistics(call)?)));
    routes.on("GET", "/md-proxies/{id}/{switch}/status", |call| Ok(Reply::ok(status(call)?)));
}

/// The segments on whose ports the proxy is attached.
fn switches(call: &Call<'_>) -> BTreeSet<String> {
    let ports = attached_ports(&call.world.inventory, AttachmentType::MetadataProxy, call.param(0));
    let ports = ports.iter().filter_map(|port| port.body::<LogicalPort>());
    ports.map(|port| port.logical_switch_id.clone()).collect()
}

fn statistics(call: &Call<'_>) -> Result<Value, Error> {
    let proxy = call.world.inventory.get(&KIND, call.param(0))?;
    call.query.one_of("source", &["realtime", "cached"])?;
    let mut switches = switches(call);
    if let Some(asked) = call.query.get("logical_switch_id") {
        switches.retain(|switch| switch == asked);
    }
    let counters = switches.into_iter().map(|switch| {
        json!({
            "logical_switch_id": switch,
            "requests_from_clients": 0,
            "requests_to_nova_server": 0,
            "succeeded_responses_from_nova_server": 0,
            "error_responses_from_nova_server": 0,
            "responses_to_clients": 0,
        })
    });
    Ok(json!({
        "metadata_proxy_id": proxy.header.id,
        "timestamp": call.world.clock.now(),
        "statistics": counters.collect::<Vec<_>>(),
    }))
}

fn status(call: &Call<'_>) -> Result<Value, Error> {
    let inventory = &call.world.inventory;
    let proxy = inventory.get(&KIND, call.param(0))?;
    let switch = inventory.get(&logical_switch::KIND, call.param(1))?;
    let nodes = proxy.body::<MetadataProxy>().map(|own| own.nodes(inventory)).unwrap_or_default();
    let (word, error) = match nodes.as_slice() {
        [] => ("ERROR", Some("The edge cluster has no such members.")),
        _ if !switches(call).contains(&switch.header.id) => {
            ("DOWN", Some("The proxy is not attached to the logical switch."))
        }
        [_] => ("NO_BACKUP", None),
        _ => ("UP", None),
    };
    let mut status = json!({"proxy_status": word, "transport_nodes": nodes});
    if let Some(error) = error {
        status["error_message"] = error.into();
    }
    Ok(status)
}
