//! BGP neighbours as they are at run time. Nobody outside answers, so no session is ever up and no
//! route is exchanged.

use super::call::{Call, Reply};
use super::collections;
use super::error::Failure;
use super::list::{Paging, Row};
use super::router_ports::check_node;
use super::routers::{named, places};
use super::routes::Routes;
use crate::inventory::{Incoming, Level, Object};
use crate::kinds::routing::bgp::{BgpConfig, BgpNeighbor, CONFIG, NEIGHBOR};
use crate::kinds::routing::filters::COMMUNITY_LIST;
use crate::kinds::routing::placement::Place;
use serde_json::{Value, json};

const NEIGHBORS: &str = "/logical-routers/{}/routing/bgp/neighbors";

/// The columns of a table of what was exchanged [spec BgpNeighborRouteDetailsCsvRecord].
const COLUMNS: [&str; 11] = [
    "logical_router_id",
    "neighbor_id",
    "neighbor_address",
    "source_address",
    "transport_node_id",
    "network",
    "next_hop",
    "as_path",
    "local_pref",
    "med",
    "weight",
];

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("GET", &format!("{NEIGHBORS}/status"), statuses);
    let one = format!("{NEIGHBORS}/{{id}}");
    routes.on_as(Level::Stateful, "GET", &format!("{one}?action=show-sensitive-data"), |call| {
        let object = collections::named(call, &NEIGHBOR)?;
        let mut printed = call.print(&object);
        let neighbor = object.body::<BgpNeighbor>();
        if let Some(password) = neighbor.and_then(|own| own.password.as_deref()) {
            printed["password"] = password.into();
        }
        Ok(Reply::ok(printed))
    });
    routes.on_as(Level::Stateful, "POST", &format!("{one}?action=clear_password"), |call| {
        let id = &collections::named(call, &NEIGHBOR)?.header.id;
        let object = call.commit(|tx| {
            tx.edit(&NEIGHBOR, id, |neighbor: &mut BgpNeighbor, _| {
                neighbor.forget_password();
                Ok(())
            })
        })?;
        Ok(Reply::ok(call.print(&object)))
    });
    for word in ["routes", "advertised-routes"] {
        routes.on("GET", &format!("{one}/{word}"), exchanged);
        routes.on("GET", &format!("{one}/{word}?format=csv"), |call| {
            collections::named(call, &NEIGHBOR)?;
            named(call)?;
            Ok(Reply::csv(COLUMNS, []))
        });
    }
    // The misspelt path of the older description works like the right one.
    let older = "/logical-routers/{}/routing/bgp/communty-lists/{id}";
    routes.on_as(Level::Stateful, "PUT", older, |call| {
        let incoming = Incoming::read(&COMMUNITY_LIST, call.object()?)?;
        let id = &collections::named(call, &COMMUNITY_LIST)?.header.id;
        let object = call.commit(|tx| tx.replace(&COMMUNITY_LIST, id, incoming))?;
        Ok(Reply::ok(call.print(&object)))
    });
}

/// Each neighbour as each edge node with the router's services sees it.
fn statuses(call: &Call<'_>) -> Result<Reply, Failure> {
    call.query.one_of("source", &["realtime", "cached"])?;
    let router = named(call)?;
    let wanted = check_node(call, false)?;
    let paging = Paging::read(&call.query, 1000)?;
    let inventory = &call.world.inventory;
    let config = inventory.single(&CONFIG, Some(&router.header.id)).ok();
    let runs = config.as_deref().and_then(Object::body::<BgpConfig>).is_some_and(|own| own.enabled);
    let neighbors = inventory.children(&NEIGHBOR, &router.header.id);
    let mut rows = Vec::new();
    let places = places(call, &router).into_iter().filter(Place::is_active);
    for place in places.filter(|place| wanted.is_none_or(|node| node == place.node)) {
        for object in &neighbors {
            let Some(neighbor) = object.body::<BgpNeighbor>() else { continue };
            let address = neighbor.neighbor_address.to_string();
            rows.push(Row {
                key: address.into(),
                id: format!("{} {}", object.header.id, place.node).into(),
                item: status(neighbor, runs, &place.node),
            });
        }
    }
    let mut reply = paging.by_member(rows, Value::clone)?;
    if let Some(body) = &mut reply.body {
        body["logical_router_id"] = router.header.id.as_str().into();
        body["logical_router_name"] = router.header.name().into();
        body["last_update_timestamp"] = call.world.clock.now().into();
    }
    Ok(reply)
}

fn status(neighbor: &BgpNeighbor, runs: bool, node: &str) -> Value {
    let tries = runs && neighbor.enabled;
    let families = neighbor.address_families.iter().flatten();
    let families = families
        .map(|own| json!({ "type": own.r#type, "in_prefix_count": 0, "out_prefix_count": 0 }));
    json!({
        "neighbor_address": neighbor.neighbor_address,
        "remote_as_number": neighbor.remote_as_num,
        "connection_state": if tries { "ACTIVE" } else { "IDLE" },
        "transport_node": { "target_type": "TransportNode", "target_id": node, "is_valid": true },
        "keep_alive_interval": neighbor.keep_alive_timer,
        "hold_time": neighbor.hold_down_timer,
        "established_connection_count": 0,
        "connection_drop_count": 0,
        "messages_sent": 0,
        "messages_received": 0,
        "total_in_prefix_count": 0,
        "total_out_prefix_count": 0,
        "address_families": families.collect::<Vec<_>>(),
    })
}

/// What was learnt from a neighbour, or told to it: nothing, on each edge node that is in touch.
fn exchanged(call: &Call<'_>) -> Result<Reply, Failure> {
    let object = collections::named(call, &NEIGHBOR)?;
    let router = named(call)?;
    let neighbor = object.body::<BgpNeighbor>().filter(|own| own.enabled);
    let places = places(call, &router).into_iter().filter(Place::is_active);
    let nodes = places
        .filter(|_| neighbor.is_some())
        .map(|place| json!({ "transport_node_id": place.node, "routes": [] }));
    Ok(Reply::ok(json!({
        "logical_router_id": router.header.id,
        "neighbor_id": object.header.id,
        "neighbor_address": object.body::<BgpNeighbor>().map(|own| &own.neighbor_address),
        "per_transport_node_routes": nodes.collect::<Vec<_>>(),
    })))
}
