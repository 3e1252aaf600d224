//! Logical switches, transport zones and switching profiles as they are at run time.

use super::call::{Call, Reply};
use super::collections;
use super::counters;
use super::list::{Paging, Row};
use super::routes::Routes;
use crate::fabric::{Machine, Traffic};
use crate::inventory::Error;
use crate::kinds::logical_port::{self, BY_SWITCH};
use crate::kinds::logical_switch::{self, LogicalSwitch};
use crate::kinds::{switching_profile, transport_zone};
use serde_json::{Value, json};

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("GET", "/logical-switches/{id}/state", |call| {
        let object = call.world.inventory.get(&logical_switch::KIND, call.param(0))?;
        Ok(Reply::ok(state(&object.header.id)))
    });
    routes.on("GET", "/logical-switches/state", |call| {
        let words = ["PENDING", "IN_PROGRESS", "PARTIAL_SUCCESS", "SUCCESS"];
        let status = call.query.one_of("status", &words)?;
        let paging = Paging::read(&call.query, 1000)?;
        // A switch is realized with the call that makes it.
        let all = status.is_none_or(|status| status == "SUCCESS");
        let switches =
            if all { call.world.inventory.all(logical_switch::KIND.name) } else { Vec::new() };
        let rows = switches.into_iter().map(|object| {
            let key = object.header.name().to_owned();
            Row {
                key: key.into(),
                id: object.header.id.clone().into(),
                item: state(&object.header.id),
            }
        });
        Ok(paging.by_member(rows.collect(), Value::clone)?)
    });
    routes.on("GET", "/logical-switches/{id}/summary", |call| {
        let object = call.world.inventory.get(&logical_switch::KIND, call.param(0))?;
        Ok(Reply::ok(json!({
            "logical_switch_id": object.header.id,
            "num_logical_ports": call.world.inventory.by_key(BY_SWITCH, &object.header.id).len(),
        })))
    });
    routes.on("GET", "/logical-switches/{id}/statistics", |call| {
        call.query.one_of("source", &["realtime", "cached"])?;
        let object = call.world.inventory.get(&logical_switch::KIND, call.param(0))?;
        let ports = call.world.inventory.by_key(BY_SWITCH, &object.header.id);
        let (fabric, mut sum) = (call.world.fabric(), Traffic::default());
        for port in &ports {
            sum += fabric.traffic(&port.header.id);
        }
        let mut statistics = counters::with_profiles(&sum);
        statistics["logical_switch_id"] = object.header.id.as_str().into();
        statistics["last_update_timestamp"] = call.world.clock.now().into();
        Ok(Reply::ok(statistics))
    });
    routes.on("GET", "/logical-switches/status", |call| {
        call.query.one_of("source", &["realtime", "cached"])?;
        let switches = collections::filtered(call, &logical_switch::KIND)?;
        Ok(Reply::ok(json!({
            "total_switches": switches.len(),
            "fully_realized_switches": switches.len(),
            "last_update_timestamp": call.world.clock.now(),
        })))
    });
    routes.on("GET", "/switching-profiles/{id}/summary", |call| {
        let object = call.world.inventory.get(&switching_profile::KIND, call.param(0))?;
        let users = call.world.inventory.referrers(switching_profile::KIND.name, call.param(0));
        let count = |kind: &str| users.iter().filter(|user| user.kind.name == kind).count();
        Ok(Reply::ok(json!({
            "switching_profile_id": object.header.id,
            "num_logical_ports": count(logical_port::KIND.name),
            "num_logical_switches": count(logical_switch::KIND.name),
        })))
    });
    routes.on("GET", "/transport-zones/{id}/summary", |call| Ok(Reply::ok(zone_summary(call)?)));
}

fn state(id: &str) -> Value {
    json!({"logical_switch_id": id, "state": "success", "details": []})
}

fn zone_summary(call: &Call<'_>) -> Result<Value, Error> {
    let inventory = &call.world.inventory;
    let zone = inventory.get(&transport_zone::KIND, call.param(0))?;
    let mut switches = inventory.all(logical_switch::KIND.name);
    switches.retain(|object| {
        object
            .body::<LogicalSwitch>()
            .is_some_and(|switch| switch.transport_zone_id == zone.header.id)
    });
    let ports = switches.iter().map(|switch| inventory.by_key(BY_SWITCH, &switch.header.id).len());
    let fabric = call.world.fabric();
    let within = |own: &&Machine| own.zones.contains(&zone.header.id);
    let nodes = fabric.machines().all().filter(within).count();
    Ok(json!({
        "transport_zone_id": zone.header.id,
        "num_transport_nodes": nodes,
        "num_logical_switches": switches.len(),
        "num_logical_ports": ports.sum::<usize>(),
    }))
}
