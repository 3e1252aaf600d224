//! VPN sessions as they are at run time.
//!
//! No peer exists, so no session is ever up and no packet goes through one: sessions are DOWN, their
//! tunnels have failed and their counters stand at nothing.

use super::call::{Call, Reply};
use super::routes::Routes;
use crate::inventory::{Error, Object};
use crate::kinds::reference::ResourceReference;
use crate::kinds::vpn::endpoint::{self, IPSecVPNPeerEndpoint};
use crate::kinds::vpn::l2::{self, L2VpnSession};
use crate::kinds::vpn::service::{self, IPSecVPNService};
use crate::kinds::vpn::session::{self, IPSecVPNSession};
use crate::wire;
use serde_json::{Value, json};
use std::sync::Arc;

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    let peer = "/vpn/ipsec/peer-endpoints/{id}?action=show-sensitive-data";
    routes.on("GET", peer, |call| {
        let object = call.world.inventory.get(&endpoint::PEER, call.param(0))?;
        let fields = object.body().map(IPSecVPNPeerEndpoint::with_key).unwrap_or_default();
        Ok(Reply::ok(object.with_header(fields, &call.actor)))
    });
    register_sessions(routes);
    register_l2(routes);
    routes.on("GET", "/vpn/services/{id}/summary", |call| {
        call.query.one_of("source", &["realtime", "cached"])?;
        let object = call.world.inventory.get(&service::KIND, call.param(0))?;
        let mut sessions = call.world.inventory.all(session::KIND.name);
        let id = object.header.id.as_str();
        sessions.retain(|own| ipsec(own).and_then(IPSecVPNSession::service) == Some(id));
        let mut printed = summary(call, &sessions);
        printed["ipsec_vpn_service_id"] = id.into();
        printed["display_name"] = object.header.name().into();
        let router = object.body::<IPSecVPNService>().map(|own| own.logical_router_id.as_str());
        printed["logical_router_id"] = router.unwrap_or_default().into();
        Ok(Reply::ok(printed))
    });
}

fn register_sessions(routes: &mut Routes) {
    routes.on("GET", "/vpn/ipsec/sessions/summary", |call| {
        call.query.one_of("source", &["realtime", "cached"])?;
        let mut sessions = call.world.inventory.all(session::KIND.name);
        if let Some(site) = call.query.get("site_id") {
            sessions.retain(|own| is_to_site(call, own, site));
        }
        Ok(Reply::ok(summary(call, &sessions)))
    });
    routes.on("GET", "/vpn/ipsec/sessions/{id}/state", |call| {
        let object = call.world.inventory.get(&session::KIND, call.param(0))?;
        let service = ipsec(&object)
            .and_then(IPSecVPNSession::service)
            .and_then(|id| call.world.inventory.find(service::KIND.name, id));
        let off = service.and_then(|own| own.body().map(|own: &IPSecVPNService| !own.enabled));
        // A service that is off keeps its sessions from being realized
        // [spec GetIPSecVPNSessionState].
        Ok(Reply::ok(if off == Some(true) {
            json!({"state": "failed", "details": [], "failure_message": "The service is disabled."})
        } else {
            json!({"state": "success", "details": []})
        }))
    });
    routes.on("GET", "/vpn/ipsec/sessions/{id}/status", |call| {
        call.query.one_of("source", &["realtime", "cached"])?;
        let object = call.world.inventory.get(&session::KIND, call.param(0))?;
        Ok(Reply::ok(session_status(call, &object)))
    });
    routes.on("GET", "/vpn/ipsec/sessions/{id}/statistics", |call| {
        call.query.one_of("source", &["realtime", "cached"])?;
        let object = call.world.inventory.get(&session::KIND, call.param(0))?;
        Ok(Reply::ok(json!({
            "ipsec_vpn_session_id": object.header.id,
            "display_name": object.header.name(),
            "ike_status": ike_status(&object),
            "ike_traffic_statistics": {
                "bytes_in": 0, "bytes_out": 0, "fail_count": 0, "packets_in": 0, "packets_out": 0,
            },
            "aggregate_traffic_counters": no_traffic(),
            "policy_statistics": [],
            "partial_stats": false,
            "last_update_timestamp": call.world.clock.now(),
        })))
    });
    routes.on("POST", "/vpn/ipsec/sessions/{id}/statistics?action=reset", |call| {
        // They are at nothing already.
        call.world.inventory.get(&session::KIND, call.param(0))?;
        Ok(Reply::empty())
    });
}

fn register_l2(routes: &mut Routes) {
    routes.on("GET", "/vpn/l2vpn/sessions/summary", |call| {
        call.query.one_of("source", &["realtime", "cached"])?;
        let total = call.world.inventory.all(l2::SESSION.name).len();
        Ok(Reply::ok(json!({
            "total_l2vpn_sessions": total,
            "established_l2vpn_sessions": 0,
            "failed_l2vpn_sessions": total,
        })))
    });
    routes.on("GET", "/vpn/l2vpn/sessions/{id}/status", |call| {
        call.query.one_of("source", &["realtime", "cached"])?;
        let object = call.world.inventory.get(&l2::SESSION, call.param(0))?;
        let own = object.body::<L2VpnSession>();
        let tunnels = own.map(|own| own.tunnels_fields(&call.world.inventory)).unwrap_or_default();
        let status = |tunnel: Value| {
            let id = tunnel["target_id"].as_str().unwrap_or_default();
            let session = call.world.inventory.find(session::KIND.name, id);
            json!({
                "resource_type": "IPSecVPNTransportStatus",
                "status": session.map(|session| session_status(call, &session)),
                "tunnel_id": tunnel,
            })
        };
        let mut tunnels: Value = tunnels.into_iter().map(status).collect();
        wire::without_nulls(&mut tunnels);
        Ok(Reply::ok(json!({
            "session_id": object.header.id,
            "display_name": object.header.name(),
            "status": "DOWN",
            "transport_tunnels": tunnels,
        })))
    });
    routes.on("GET", "/vpn/l2vpn/sessions/{id}/statistics", |call| {
        call.query.one_of("source", &["realtime", "cached"])?;
        let object = call.world.inventory.get(&l2::SESSION, call.param(0))?;
        Ok(Reply::ok(json!({
            "session_id": object.header.id,
            "display_name": object.header.name(),
            "traffic_statistics_per_logical_switch": [],
            "tap_traffic_counters": [],
            "partial_stats": false,
        })))
    });
    routes.on("GET", "/vpn/l2vpn/sessions/{id}/remote-mac", |call| {
        let object = call.world.inventory.get(&l2::SESSION, call.param(0))?;
        if let Some(switch) = call.query.get("logical_switch_id")
            && call.world.inventory.find("LogicalSwitch", switch).is_none()
        {
            let (kind, id) = ("LogicalSwitch", switch.to_owned());
            return Err(Error::NotFound { kind, id }.into());
        }
        Ok(Reply::ok(json!({
            "session_id": object.header.id,
            "display_name": object.header.name(),
            "remote_mac_addresses": [],
        })))
    });
}

fn ipsec(object: &Object) -> Option<&IPSecVPNSession> {
    object.body()
}

/// Whether the peer of a session calls itself so.
fn is_to_site(call: &Call<'_>, session: &Object, site: &str) -> bool {
    let peer = ipsec(session).map(IPSecVPNSession::peer).unwrap_or_default();
    let peer = call.world.inventory.find(endpoint::PEER.name, peer);
    peer.is_some_and(|own| {
        own.body::<IPSecVPNPeerEndpoint>().is_some_and(|own| own.peer_id == site)
    })
}

fn ike_status(object: &Object) -> Value {
    let enabled = ipsec(object).is_some_and(IPSecVPNSession::is_enabled);
    let reason = if enabled { "The peer does not answer." } else { "The session is disabled." };
    json!({"ike_session_state": "DOWN", "fail_reason": reason})
}

fn session_status(call: &Call<'_>, object: &Object) -> Value {
    let tunnels = ipsec(object).map_or(0, IPSecVPNSession::tunnels);
    json!({
        "ipsec_vpn_session_id": object.header.id,
        "display_name": object.header.name(),
        "session_status": "DOWN",
        "ike_status": ike_status(object),
        "total_tunnels": tunnels,
        "negotiated_tunnels": 0,
        "failed_tunnels": tunnels,
        "aggregate_traffic_counters": no_traffic(),
        "last_update_timestamp": call.world.clock.now(),
    })
}

fn no_traffic() -> Value {
    json!({
        "bytes_in": 0,
        "bytes_out": 0,
        "dropped_packets_in": 0,
        "dropped_packets_out": 0,
        "packets_in": 0,
        "packets_out": 0,
    })
}

fn summary(call: &Call<'_>, sessions: &[Arc<Object>]) -> Value {
    let traffic = |own: &Arc<Object>| {
        let mut named = ResourceReference::to_object(own.kind.name, &own.header.id)
            .fields(&call.world.inventory);
        named.insert("target_type".into(), own.resource_type().into());
        json!({"ipsec_vpn_session": named, "traffic_counters": no_traffic()})
    };
    json!({
        "session_summary": {
            "total_sessions": sessions.len(),
            "established_sessions": 0,
            "degraded_sessions": 0,
            "failed_sessions": sessions.len(),
        },
        "aggregate_traffic_counters": no_traffic(),
        "traffic_summary_per_session": sessions.iter().map(traffic).collect::<Vec<_>>(),
        "last_update_timestamp": call.world.clock.now(),
    })
}
