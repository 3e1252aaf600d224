//! How the transport nodes of zones are.

use super::super::call::{Call, Reply};
use super::super::error::Failure;
use super::super::list::Paging;
use super::super::routes::Routes;
use super::{check_source, nodes, status};
use crate::fabric::Machine;
use crate::inventory::Error;
use crate::kinds::transport_zone;
use serde_json::Value;

/// The statuses that a report is asked for; a list knows one more.
const REPORTED: [&str; 3] = ["UP", "DOWN", "DEGRADED"];
const LISTED: [&str; 4] = ["UP", "DOWN", "DEGRADED", "UNKNOWN"];

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    // Of one zone, or of all.
    for below in ["/{id}", ""] {
        routes.on("GET", &format!("/transport-zones{below}/status"), |call| {
            check_source(call)?;
            let (fabric, zone) = (call.world.fabric(), zone(call)?);
            let within = fabric.machines().all().filter(|own| is_in(own, zone));
            Ok(Reply::ok(status::heat_map(&fabric, within)))
        });
        let path = format!("/transport-zones{below}/transport-node-status");
        routes.on("GET", &path, list);
        routes.on("GET", &format!("{path}-report"), report);
    }
}

/// The zone that the path names, if it names one.
fn zone<'a>(call: &'a Call<'_>) -> Result<Option<&'a str>, Error> {
    let Some(id) = call.params.first() else { return Ok(None) };
    call.world.inventory.get(&transport_zone::KIND, id)?;
    Ok(Some(id))
}

fn is_in(machine: &Machine, zone: Option<&str>) -> bool {
    zone.is_none_or(|zone| machine.zones.iter().any(|own| own == zone))
}

/// [spec TransportNodeStatusListResult]
fn list(call: &Call<'_>) -> Result<Reply, Failure> {
    check_source(call)?;
    let paging = Paging::read(&call.query, 1000)?;
    let (fabric, zone) = (call.world.fabric(), zone(call)?);
    let within = fabric.machines().all().filter(|own| is_in(own, zone));
    let wanted = status::wanted(call, &fabric, &LISTED, within)?;
    let rows = wanted.into_iter().map(|own| status::row(call, &fabric, own));
    Ok(paging.by_member(rows.collect(), Value::clone)?)
}

/// The same as a table; which columns it has is a choice (docs/fidelity.md).
fn report(call: &Call<'_>) -> Result<Reply, Failure> {
    check_source(call)?;
    let (fabric, zone) = (call.world.fabric(), zone(call)?);
    let within = fabric.machines().all().filter(|own| is_in(own, zone));
    let mut wanted = status::wanted(call, &fabric, &REPORTED, within)?;
    wanted.sort_by_key(|own| (&own.display_name, &own.id));
    let names = [
        "node_uuid",
        "node_display_name",
        "status",
        "pnic_status",
        "mgmt_connection_status",
        "control_connection_status",
        "tunnel_status",
        "software_version",
    ];
    let rows = wanted.into_iter().map(|own| {
        let printed = status::print(call, &fabric, own);
        names.map(|name| {
            let member = match name {
                "software_version" => &nodes::status(call, own)[name],
                _ => &printed[name],
            };
            // Counts have their grade as a member of the same name.
            member.as_str().or_else(|| member["status"].as_str()).unwrap_or_default().to_owned()
        })
    });
    Ok(Reply::csv(names, rows).as_bytes())
}
