//! DHCP servers at run time. No guest runs here, so nobody has ever asked for an address.

use super::call::{Call, Reply};
use super::error::Failure;
use super::realized;
use super::routes::Routes;
use crate::inventory::{Error, Object};
use crate::kinds::dhcp::lease::{BINDING, DhcpIpPool, POOL};
use crate::kinds::dhcp::profile::{self, DhcpProfile};
use crate::kinds::dhcp::server::{KIND, LogicalDhcpServer};
use crate::kinds::logical_port::{AttachmentType, attached_port};
use crate::kinds::values::{IpElement, MacText};
use serde_json::{Value, json};
use std::sync::Arc;

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    for kind in [&KIND, &POOL, &BINDING] {
        realized::register(routes, kind);
    }
    routes.on("GET", "/dhcp/servers/{id}/status", |call| Ok(Reply::ok(status(call)?)));
    routes.on("GET", "/dhcp/servers/{id}/statistics", |call| Ok(Reply::ok(statistics(call)?)));
    routes.on("GET", "/dhcp/servers/{id}/leases", leases);
    routes.on("DELETE", "/dhcp/servers/{id}/leases", |call| {
        server(call)?;
        let given =
            |name: &str| call.query.get(name).ok_or_else(|| Error::field(name, "is required"));
        let (ip, mac) = (given("ip")?, given("mac")?);
        ip.parse::<std::net::IpAddr>().map_err(|_| Error::field("ip", "must be an IP address"))?;
        MacText::parse(mac).ok_or_else(|| Error::field("mac", "must be a MAC address"))?;
        // There is none; a lease that does not exist is no error [spec DeleteADhcpLease].
        Ok(Reply::empty())
    });
}

fn server(call: &Call<'_>) -> Result<Arc<Object>, Error> {
    call.world.inventory.get(&KIND, call.param(0))
}

/// A server serves once a segment's port is attached to it, from the edge nodes of its profile.
fn status(call: &Call<'_>) -> Result<Value, Error> {
    let (server, inventory) = (server(call)?, &call.world.inventory);
    let profile = server
        .body::<LogicalDhcpServer>()
        .and_then(|own| inventory.find(profile::KIND.name, &own.dhcp_profile_id));
    let profile = profile.as_ref().and_then(|profile| profile.body::<DhcpProfile>());
    let nodes = profile.map(|profile| profile.nodes(inventory)).unwrap_or_default();
    let attached = attached_port(inventory, AttachmentType::DhcpService, &server.header.id);
    let (word, error) = match (&attached, nodes.as_slice()) {
        (_, []) => ("ERROR", Some("The edge cluster of the profile has no such members.")),
        (None, _) => ("DOWN", Some("No logical port is attached to the server.")),
        (_, [_]) => ("NO_STANDBY", None),
        _ => ("UP", None),
    };
    let mut status = json!({
        "service_status": word,
        "active_node": nodes.first().map_or("", String::as_str),
    });
    if let Some(standby) = nodes.get(1) {
        status["stand_by_node"] = standby.as_str().into();
    }
    if let Some(error) = error {
        status["error_message"] = error.into();
    }
    Ok(status)
}

fn statistics(call: &Call<'_>) -> Result<Value, Error> {
    let server = server(call)?;
    let pools = call.world.inventory.children(&POOL, &server.header.id);
    let pools = pools.iter().map(|pool| {
        let size = pool.body::<DhcpIpPool>().map_or(0, DhcpIpPool::size);
        json!({
            "dhcp_ip_pool_id": pool.header.id,
            "pool_size": i64::try_from(size).unwrap_or(i64::MAX),
            "allocated_number": 0,
            "allocated_percentage": 0,
        })
    });
    Ok(json!({
        "dhcp_server_id": server.header.id,
        "timestamp": call.world.clock.now(),
        "discovers": 0,
        "offers": 0,
        "requests": 0,
        "acks": 0,
        "nacks": 0,
        "declines": 0,
        "releases": 0,
        "informs": 0,
        "errors": 0,
        "ip_pool_stats": pools.collect::<Vec<_>>(),
    }))
}

fn leases(call: &Call<'_>) -> Result<Reply, Failure> {
    let server = server(call)?;
    call.query.one_of("source", &["realtime", "cached"])?;
    match (call.query.get("pool_id"), call.query.get("address")) {
        (Some(_), Some(_)) => {
            return Err(Error::field("address", "excludes pool_id").into());
        }
        (Some(pool), None) => {
            let pool = call.world.inventory.get(&POOL, pool)?;
            if pool.header.parent.as_ref() != Some(&server.header.id) {
                return Err(Error::NotFound { kind: POOL.name, id: pool.header.id.clone() }.into());
            }
        }
        (None, Some(address)) => {
            if IpElement::parse(address).is_none() && MacText::parse(address).is_none() {
                let problem = "must be an IP address, a range of them or a MAC address";
                return Err(Error::field("address", problem).into());
            }
        }
        (None, None) => {}
    }
    Ok(Reply::ok(json!({
        "dhcp_server_id": server.header.id,
        "timestamp": call.world.clock.now(),
        "leases": [],
    })))
}
