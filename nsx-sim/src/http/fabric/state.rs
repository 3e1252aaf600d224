//! How far the configuration of transport nodes is realized [spec TransportNodeState]. It is with
//! the call that makes it, save where an edge can not be as it is told.

use super::super::appliance::rows;
use super::super::call::{Call, Reply};
use super::super::error::Failure;
use super::super::routes::Routes;
use super::machine;
use crate::fabric::{Endpoint, HostSwitch, Machine};
use crate::inventory::Error;
use crate::wire;
use serde_json::{Value, json};
use std::net::IpAddr;

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("GET", "/transport-nodes/{id}/state", |call| {
        let fabric = call.world.fabric();
        Ok(Reply::ok(print(machine(call, &fabric)?)))
    });
    routes.on("GET", "/transport-nodes/state", list);
}

fn list(call: &Call<'_>) -> Result<Reply, Failure> {
    let modes = ["ENTERING", "ENABLED", "EXITING", "DISABLED"];
    let mode = call.query.one_of("mm_state", &modes)?;
    let words = ["PENDING", "IN_PROGRESS", "SUCCESS", "PARTIAL_SUCCESS", "FAILED", "ORPHANED"];
    let status = call.query.one_of("status", &words)?;
    let address = call.query.get("vtep_ip").map(|text| {
        let wrong = |_| Error::field("vtep_ip", format!("must be an address, not {text}"));
        text.parse::<IpAddr>().map_err(wrong)
    });
    let address = address.transpose()?;
    let fabric = call.world.fabric();
    let wanted = |own: &&Machine| {
        let realized = if fault(own).is_none() { "SUCCESS" } else { "FAILED" };
        mode.is_none_or(|mode| mode == maintenance(own))
            && status.is_none_or(|status| status == realized)
            && address.is_none_or(|asked| own.endpoints().any(|end| end.address == asked))
    };
    rows(call, fabric.machines().all().filter(wanted).map(|own| (own.id.clone(), print(own))))
}

/// The state of one node.
pub fn print(machine: &Machine) -> Value {
    let fault = fault(machine);
    let deployed = match fault {
        None if machine.is_edge() => "NODE_READY",
        None => "success",
        Some(fault) => fault,
    };
    let mut state = json!({
        "transport_node_id": machine.id,
        "state": fault.unwrap_or("success"),
        "details": [],
        "host_switch_states": machine.switches.iter().map(switch).collect::<Vec<_>>(),
        "maintenance_mode_state": maintenance(machine),
        "node_deployment_state": {"state": deployed, "details": []},
        "deployment_progress_state": {"progress": 100},
    });
    if let Some(fault) = fault {
        state["failure_message"] = format!("{}: {fault}", machine.display_name).into();
    }
    state
}

/// Whether a node is out of service, as states tell it.
fn maintenance(machine: &Machine) -> &'static str {
    if machine.in_maintenance { "ENABLED" } else { "DISABLED" }
}

/// Why an edge can not be what it is told to be, in the words of its state: hosts always can. Which
/// edges can not follows from these words [spec TransportNodeState.state].
pub fn fault(machine: &Machine) -> Option<&'static str> {
    if !machine.is_edge() {
        return None;
    }
    let switches = || machine.switches.iter();
    if !machine.prepared {
        Some("TRANSPORT_NODE_CONFIGURATION_MISSING")
    } else if machine.zones.is_empty() {
        Some("TZ_ENDPOINTS_NOT_SPECIFIED")
    } else if switches().map(|own| own.overlays.len()).sum::<usize>() > 1 {
        Some("MULTIPLE_OVERLAY_TZS_NOT_SUPPORTED")
    } else if switches().all(|own| own.cards.is_empty()) {
        Some("NO_PNIC_SPECIFIED_IN_TN")
    } else if switches().any(|own| own.dhcp && !own.overlays.is_empty()) {
        Some("VTEP_DHCP_NOT_SUPPORTED")
    } else {
        None
    }
}

/// [spec HostSwitchState]
fn switch(own: &HostSwitch) -> Value {
    let mut printed = json!({
        "host_switch_id": own.id,
        "host_switch_name": own.name,
        "endpoints": own.endpoints.iter().map(endpoint).collect::<Vec<_>>(),
        "transport_zone_ids": own.zones,
    });
    wire::without_nulls(&mut printed);
    printed
}

/// [spec Endpoint]
fn endpoint(own: &Endpoint) -> Value {
    let mut printed = json!({
        "device_name": own.device,
        "ip": own.address,
        "default_gateway": own.gateway,
        "subnet_mask": own.mask,
        "mac": own.mac,
        "label": own.label,
    });
    wire::without_nulls(&mut printed);
    printed
}
