//! What routers know of the way: all routes that they know, and those that packets take.

use super::call::{Call, Reply};
use super::error::Failure;
use super::list::{Paging, Row, place_key};
use super::router_ports::check_node;
use super::routers::named;
use super::routes::Routes;
use crate::inventory::Error;
use crate::kinds::routing::table::{self, Route, Source};
use ipnet::IpNet;
use serde_json::{Map, Value, json};

/// The columns of a table of routes [spec LogicalRouterRouteCsvRecord], as far as they are known.
const COLUMNS: [&str; 5] =
    ["network", "next_hop", "admin_distance", "route_type", "logical_router_port_id"];

/// Which routes are told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Table {
    /// All that the router knows.
    Known,
    /// The best to each network.
    Forwarding,
}

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    let paths = [
        ("route-table", Table::Known),
        ("routing-table", Table::Known),
        ("forwarding-table", Table::Forwarding),
    ];
    for (path, which) in paths {
        let path = format!("/logical-routers/{{id}}/routing/{path}");
        routes.on("GET", &path, move |call| answer(call, which));
        routes.on("GET", &format!("{path}?format=csv"), move |call| {
            named(call)?;
            let rows = asked(call, which)?.into_iter().map(|route| {
                let printed = print(&route);
                COLUMNS.map(|name| match printed.get(name) {
                    Some(Value::String(text)) => text.clone(),
                    Some(other) => other.to_string(),
                    None => String::new(),
                })
            });
            Ok(Reply::csv(COLUMNS, rows))
        });
    }
}

fn answer(call: &Call<'_>, which: Table) -> Result<Reply, Failure> {
    let router = named(call)?;
    let routes = asked(call, which)?;
    let paging = Paging::read(&call.query, 1000)?;
    let rows: Vec<_> = routes
        .iter()
        .enumerate()
        .map(|(place, route)| Row {
            key: place_key(place),
            id: format!("{} {:?}", route.network, route.next_hop).into(),
            item: route,
        })
        .collect();
    let mut reply = paging.ordered(&rows, |route| Value::Object(print(route)));
    if let Some(body) = &mut reply.body {
        body["logical_router_id"] = router.header.id.as_str().into();
        body["logical_router_name"] = router.header.name().into();
        body["last_update_timestamp"] = call.world.clock.now().into();
    }
    Ok(reply)
}

/// The routes that pass the call's filters.
fn asked(call: &Call<'_>, which: Table) -> Result<Vec<Route>, Error> {
    call.query.one_of("source", &["realtime", "cached"])?;
    check_node(call, true)?;
    let words = ["BGP", "STATIC", "CONNECTED", "NSX_STATIC", "TIER1_NAT", "TIER0_NAT"];
    let source = call.query.one_of("route_source", &words)?;
    let network = call.query.get("network_prefix").map(|text| {
        let network = text.parse::<IpNet>().map(|network| network.trunc());
        network
            .map_err(|_| Error::field("network_prefix", format!("must be a network, not {text}")))
    });
    let network = network.transpose()?;
    let mut routes = table::routes(&call.world.inventory, call.param(0));
    if which == Table::Forwarding {
        let mut best: Option<(IpNet, u8)> = None;
        // By network, the best first; equally good ones share the traffic.
        routes.retain(|route| match best {
            Some((network, distance)) if network == route.network => route.distance == distance,
            _ => {
                best = Some((route.network, route.distance));
                true
            }
        });
    }
    routes.retain(|route| {
        network.is_none_or(|wanted| wanted == route.network)
            && source.is_none_or(|wanted| which != Table::Known || is_of(route.source, wanted))
    });
    Ok(routes)
}

fn is_of(source: Source, word: &str) -> bool {
    source.word() == word || (source == Source::NsxConnected && word == "CONNECTED")
}

fn print(route: &Route) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("network".into(), route.network.to_string().into());
    fields.insert("route_type".into(), route.source.word().into());
    fields.insert("admin_distance".into(), route.distance.into());
    if let Some(next_hop) = route.next_hop {
        fields.insert("next_hop".into(), json!(next_hop));
    }
    if let Some(port) = &route.port {
        fields.insert("logical_router_port_id".into(), port.as_str().into());
    }
    fields
}
