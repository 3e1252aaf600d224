//! The tunnels of a transport node [spec TunnelProperties], and the nodes that they lead to.

use super::super::call::{Call, Reply};
use super::super::error::Failure;
use super::super::list::{Paging, Row};
use super::super::routes::Routes;
use super::{check_source, machine, status};
use crate::clock::Millis;
use crate::fabric::{Machine, Tunnel};
use crate::inventory::Error;
use crate::kinds::fabric::transport_node;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The codes of RFC 5880 and their words.
const DIAGNOSTICS: [&str; 9] = [
    "NO_DIAGNOSTIC",
    "CONTROL_DETECTION_TIME_EXPIRED",
    "ECHO_FUNCTION_FAILED",
    "NEIGHBOR_SIGNALED_SESSION_DOWN",
    "FORWARDING_PLANE_RESET",
    "PATH_DOWN",
    "CONCATENATED_PATH_DOWN",
    "ADMINISTRATIVELY_DOWN",
    "REVERSE_CONCATENATED_PATH_DOWN",
];

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    let all = "/transport-nodes/{id}/tunnels";
    routes.on("GET", all, list);
    routes.on("GET", &format!("{all}/{{tunnel}}"), |call| {
        check_source(call)?;
        let fabric = call.world.fabric();
        let mut tunnels = fabric.machines().tunnels(machine(call, &fabric)?);
        let missing = || Error::NotFound { kind: "TunnelProperties", id: call.param(1).to_owned() };
        let found = tunnels.find(|own| own.name() == call.param(1)).ok_or_else(missing)?;
        Ok(Reply::ok(print(&found, call.world.clock.now())))
    });
    routes.on("GET", "/transport-nodes/{id}/remote-transport-node-status", remote);
}

/// What a call asks of tunnels.
struct Wanted<'a> {
    up: Option<bool>,
    diagnostic: Option<usize>,
    remote: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    fn read(call: &'a Call<'_>, status: &str) -> Result<Self, Error> {
        let up = call.query.one_of(status, &["UP", "DOWN"])?.map(|word| word == "UP");
        let name = "bfd_diagnostic_code";
        let code = |text: &str| {
            let known = DIAGNOSTICS.iter().position(|word| *word == text);
            let known = known.or_else(|| text.parse().ok().filter(|own| *own < DIAGNOSTICS.len()));
            known.ok_or_else(|| Error::field(name, format!("is no code: {text}")))
        };
        let diagnostic = call.query.get(name).map(code).transpose()?;
        let remote = call.query.get("remote_node_id");
        if let Some(id) = remote {
            call.world.inventory.get(&transport_node::KIND, id)?;
        }
        Ok(Self { up, diagnostic, remote })
    }

    fn fits(&self, tunnel: &Tunnel<'_>) -> bool {
        let ((code, _), _) = tunnel.diagnostics();
        self.up.is_none_or(|up| up == tunnel.is_up())
            && self.diagnostic.is_none_or(|own| own == usize::from(code))
            && self.remote.is_none_or(|id| id == tunnel.far.id)
    }
}

/// [spec TunnelList]
fn list(call: &Call<'_>) -> Result<Reply, Failure> {
    check_source(call)?;
    let wanted = Wanted::read(call, "status")?;
    let paging = Paging::read(&call.query, 1000)?;
    let (fabric, now) = (call.world.fabric(), call.world.clock.now());
    let tunnels = fabric.machines().tunnels(machine(call, &fabric)?);
    let rows = tunnels.filter(|own| wanted.fits(own)).map(|own| {
        let name = own.name();
        Row { key: name.clone().into(), id: name.into(), item: own }
    });
    let mut reply = paging.by_member(rows.collect(), |own| print(own, now))?;
    // Under a name of their own.
    if let Some(Value::Object(body)) = &mut reply.body
        && let Some(results) = body.shift_remove("results")
    {
        body.insert("tunnels".into(), results);
    }
    Ok(reply)
}

/// How the nodes are that a node's tunnels lead to.
fn remote(call: &Call<'_>) -> Result<Reply, Failure> {
    check_source(call)?;
    let wanted = Wanted::read(call, "tunnel_status")?;
    let paging = Paging::read(&call.query, 1000)?;
    let fabric = call.world.fabric();
    let tunnels = fabric.machines().tunnels(machine(call, &fabric)?);
    let far: BTreeMap<&str, &Machine> =
        tunnels.filter(|own| wanted.fits(own)).map(|own| (&*own.far.id, own.far)).collect();
    let rows = far.into_values().map(|own| status::row(call, &fabric, own));
    Ok(paging.by_member(rows.collect(), Value::clone)?)
}

/// A tunnel as its near end sees it.
pub fn print(tunnel: &Tunnel<'_>, now: Millis) -> Value {
    let ((_, own), (_, other)) = tunnel.diagnostics();
    let (session, remote) = tunnel.sessions();
    let mut printed = json!({
        "name": tunnel.name(),
        "status": if tunnel.is_up() { "UP" } else { "DOWN" },
        "encap": tunnel.switch.encapsulation,
        "local_ip": tunnel.local.address,
        "remote_ip": tunnel.remote.address,
        "remote_node_id": tunnel.far.id,
        "remote_node_display_name": tunnel.far.display_name,
        "bfd": {
            "state": session.word(),
            "remote_state": remote.word(),
            "diagnostic": own,
            "remote_diagnostic": other,
            "forwarding": tunnel.is_up(),
        },
        "last_updated_time": now,
    });
    if let Some(card) = tunnel.switch.cards.first() {
        printed["egress_interface"] = card.as_str().into();
    }
    printed
}
