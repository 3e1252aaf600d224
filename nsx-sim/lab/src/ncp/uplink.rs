//! The way out of a tier-0 router that has none: an uplink and a route to everywhere.

use super::manager::{Manager, Result, id_of};
use super::naming::Tag;
use serde_json::{Value, json};
use std::net::Ipv4Addr;

/// The router's own address on the way out and that of the next one, as in the guide's world.
const OWN: Ipv4Addr = Ipv4Addr::new(192, 168, 240, 10);
const NEXT: Ipv4Addr = Ipv4Addr::new(192, 168, 240, 1);

/// Gives a tier-0 router an uplink, unless it has one.
///
/// # Errors
/// Where the manager refuses.
pub async fn prepare(manager: &Manager, router: &str, cluster: &str, tags: &[Tag]) -> Result<()> {
    let ports = manager.list(format!("/logical-router-ports?logical_router_id={router}")).await?;
    if ports.iter().any(|own| own["resource_type"] == "LogicalRouterUpLinkPort") {
        return Ok(());
    }
    let zones = manager.list("/transport-zones".to_owned()).await?;
    let Some(zone) = zones.iter().find(|own: &&Value| own["transport_type"] == "VLAN") else {
        tracing::warn!("there is no VLAN zone for an uplink: nothing comes in from outside");
        return Ok(());
    };
    let name = format!("{cluster}-uplink");
    let switch = json!({
        "display_name": name,
        "transport_zone_id": id_of(zone),
        "admin_state": "UP",
        "vlan": 0,
        "tags": tags,
    });
    let switch = id_of(&manager.post("/logical-switches".to_owned(), switch).await?);
    let port = json!({
        "display_name": name,
        "logical_switch_id": switch,
        "admin_state": "UP",
        "tags": tags,
    });
    let port = id_of(&manager.post("/logical-ports".to_owned(), port).await?);
    let uplink = json!({
        "resource_type": "LogicalRouterUpLinkPort",
        "display_name": name,
        "logical_router_id": router,
        "linked_logical_switch_port_id": {"target_type": "LogicalPort", "target_id": port},
        "edge_cluster_member_index": [0],
        "subnets": [{"ip_addresses": [OWN], "prefix_length": 24}],
        "tags": tags,
    });
    manager.post("/logical-router-ports".to_owned(), uplink).await?;
    let route = json!({
        "display_name": name,
        "network": "0.0.0.0/0",
        "next_hops": [{"ip_address": NEXT}],
        "tags": tags,
    });
    let path = format!("/logical-routers/{router}/routing/static-routes");
    manager.post(path, route).await.map(drop)
}
