//! Those who watch packets: IPFIX, port mirroring, packet captures.

use super::call::{Call, Reply};
use super::list::{Paging, Row};
use super::routes::Routes;
use crate::inventory::{Error, Object};
use crate::kinds::ipfix::config;
use crate::kinds::mirror_session::{self, Participant, PortMirroringSession};
use crate::kinds::packet_capture::{self, PacketCaptureSession};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("GET", "/ipfix-obs-points", |call| {
        let paging = Paging::read(&call.query, config::GLOBAL.page_cap)?;
        let only = call.world.inventory.single(&config::GLOBAL, None)?;
        let row =
            Row { key: only.header.name().into(), id: (&*only.header.id).into(), item: &only };
        Ok(paging.by_member(vec![row], |object| call.print(object))?)
    });
    routes.on("POST", "/mirror-sessions/{id}?action=verify", |call| {
        let object = call.world.inventory.get(&mirror_session::KIND, call.param(0))?;
        verify(call, &object)?;
        Ok(Reply::empty())
    });
    register_captures(routes);
}

/// All ports and nodes of a session must be on one transport node
/// [spec VerifyPortMirroringSession]; a port without a vNIC is on none.
fn verify(call: &Call<'_>, object: &Object) -> Result<(), Error> {
    let Some(session) = object.body::<PortMirroringSession>() else { return Ok(()) };
    let fabric = call.world.fabric();
    let mut nodes = BTreeSet::new();
    for participant in session.participants() {
        match participant {
            Participant::Node(id) => nodes.insert(id.to_owned()),
            Participant::Port(id) => match fabric.host(id) {
                Some(host) => nodes.insert(host.id.clone()),
                None => {
                    let problem = format!("hold the port {id}, which is on no transport node");
                    return Err(Error::field("mirror_sources", problem));
                }
            },
        };
    }
    if nodes.len() > 1 {
        let nodes: Vec<String> = nodes.into_iter().collect();
        let problem = format!("are on several transport nodes: {}", nodes.join(", "));
        return Err(Error::field("mirror_sources", problem));
    }
    Ok(())
}

fn register_captures(routes: &mut Routes) {
    routes.on("POST", "/pktcap/session", |call| {
        let request = call.object()?;
        let object = call.commit(|tx| packet_capture::start(tx, request))?;
        Ok(Reply::ok(capture(call, &object)))
    });
    routes.on("GET", "/pktcap/session/{id}", |call| {
        let object = call.world.inventory.get(&packet_capture::KIND, call.param(0))?;
        Ok(Reply::ok(capture(call, &object)))
    });
    routes.on("POST", "/pktcap/session/{id}?action=terminate", |call| {
        let object = call.commit(|tx| packet_capture::stop(tx, call.param(0)))?;
        Ok(Reply::ok(capture(call, &object)))
    });
    routes.on("POST", "/pktcap/session/{id}?action=restart", |call| {
        let object = call.commit(|tx| packet_capture::restart(tx, call.param(0)))?;
        Ok(Reply::ok(capture(call, &object)))
    });
    routes.on("POST", "/pktcap/session/{id}?action=delete", |call| {
        let object = call.world.inventory.get(&packet_capture::KIND, call.param(0))?;
        call.commit(|tx| packet_capture::delete(tx, call.param(0)))?;
        Ok(Reply::ok(capture(call, &object)))
    });
    routes.on("GET", "/pktcap/sessions", |call| Ok(Reply::ok(captures(call))));
    routes.on("POST", "/pktcap/sessions?action=delete", |call| {
        let gone = captures(call);
        call.commit(|tx| {
            let all = tx.all(&packet_capture::KIND);
            all.iter().try_for_each(|own| {
                packet_capture::stop(tx, &own.header.id)?;
                packet_capture::delete(tx, &own.header.id)
            })
        })?;
        Ok(Reply::ok(gone))
    });
}

fn capture(call: &Call<'_>, object: &Object) -> Value {
    let own = object.body::<PacketCaptureSession>();
    let fields = own.map(|own| own.at(&object.header, call.world.clock.now())).unwrap_or_default();
    Value::Object(object.with_header(fields, &call.actor))
}

fn captures(call: &Call<'_>) -> Value {
    let all = call.world.inventory.all(packet_capture::KIND.name);
    let results: Vec<Value> = all.iter().map(|own| capture(call, own)).collect();
    json!({"result_count": results.len(), "results": results})
}
