//! The way of a packet from segment to segment.
//!
//! Segments with ports of logical routers are routed by these, as their tables say. Segments
//! without any are joined, all of them, by the one router that the topology names: so worlds need
//! not configure what they do not study. There is no way between the one and the other sort.

use super::{End, Topology};
use crate::inventory::{Inventory, Object};
use crate::kinds::global_config::{self, ForwardingMode, GlobalConfig};
use crate::kinds::logical_port::{self, LogicalPort};
use crate::kinds::routing::port::{self, BY_SWITCH, RouterPort};
use crate::kinds::routing::router::{self, LogicalRouter, RouterType};
use crate::kinds::routing::table::{self, Route};
use std::net::IpAddr;
use std::sync::Arc;

/// The most routers that a packet passes: two of each tier, and as many again for routes by hand.
const MOST_HOPS: usize = 8;

/// A router that a packet passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Its id.
    pub router: String,
    /// Its name.
    pub name: String,
    /// Its tier; the topology's own router counts as of tier-1.
    pub tier: RouterType,
    /// The router port that the packet comes in by, where it is one of the API's.
    pub received_on: Option<String>,
    /// The router port that it goes out by, where it is one of the API's.
    pub sent_on: Option<String>,
}

/// The routers of a packet's way, and why the last of them does not pass it on, if so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routed {
    /// In order; none within one segment.
    pub hops: Vec<Hop>,
    /// In words.
    pub stuck: Option<String>,
}

impl Routed {
    fn stuck(why: String) -> Self {
        Self { hops: Vec::new(), stuck: Some(why) }
    }
}

/// Looks for ways in one inventory.
pub struct Routing<'a> {
    /// What the routers are configured to do.
    pub inventory: &'a Inventory,
    /// What joins segments without routers.
    pub topology: &'a Topology,
}

impl Routing<'_> {
    /// The way between two ends.
    pub fn way(&self, from: &End, to: &End) -> Routed {
        let (near, far) = (self.switch(from), self.switch(to));
        match (&near, &far) {
            (Some(near), Some(far)) if near == far => Routed::default(),
            (Some(near), _) => self.leaving_segment(near, far.as_deref(), from.address, to.address),
            (None, Some(far)) => self.coming_in(far, to.address),
            (None, None) => {
                let (from, to) = (from.address, to.address);
                Routed::stuck(format!("{from} is outside, and so is {to}"))
            }
        }
    }

    /// The router next to an end, for what does not come by routes: the load balancer's packets.
    pub fn next_to(&self, end: &End) -> Vec<Hop> {
        let switch = self.switch(end);
        let gateway = switch.and_then(|switch| {
            let gateways = self.gateways(&switch);
            gateways.into_iter().find(|own| self.has_network(own, end.address))
        });
        let hop = gateway.and_then(|port| {
            let router = port.body::<RouterPort>()?.router().to_owned();
            self.hop(&router, Some(port.header.id.clone()))
        });
        vec![hop.unwrap_or_else(|| self.implicit())]
    }

    fn leaving_segment(&self, near: &str, far: Option<&str>, from: IpAddr, to: IpAddr) -> Routed {
        let gateways = self.gateways(near);
        if gateways.is_empty() {
            return match far {
                Some(far) if !self.gateways(far).is_empty() => Routed {
                    hops: vec![self.implicit()],
                    stuck: Some(format!("{to} is behind a logical router, and {from} is not")),
                },
                _ => Routed { hops: vec![self.implicit()], stuck: None },
            };
        }
        let gateway = gateways.into_iter().find(|own| self.has_network(own, from));
        match gateway {
            Some(port) => match port.body::<RouterPort>() {
                Some(body) => self.walk(body.router(), Some(&port.header.id), to, far),
                None => Routed::default(),
            },
            None => Routed::stuck(format!("no router on its segment is in a network of {from}")),
        }
    }

    /// What is outside comes in by the uplink of any tier-0 that knows the way.
    fn coming_in(&self, far: &str, to: IpAddr) -> Routed {
        let why = format!("there is no route from outside to {to}");
        if self.gateways(far).is_empty() {
            return Routed::stuck(why);
        }
        let uplinks = self.inventory.all(port::KIND.name).into_iter().filter_map(|object| {
            let body = object.body::<RouterPort>().filter(|body| body.is_uplink())?;
            Some((body.router().to_owned(), object.header.id.clone()))
        });
        let ways = uplinks.map(|(router, uplink)| self.walk(&router, Some(&uplink), to, Some(far)));
        ways.into_iter().find(|way| way.stuck.is_none()).unwrap_or_else(|| Routed::stuck(why))
    }

    /// From router to router, as each one's best route says.
    fn walk(&self, first: &str, entry: Option<&str>, to: IpAddr, far: Option<&str>) -> Routed {
        let mut way = Routed::default();
        let (mut router, mut entry) = (first.to_owned(), entry.map(str::to_owned));
        while way.hops.len() < MOST_HOPS {
            let Some(mut hop) = self.hop(&router, entry.take()) else { break };
            if to.is_ipv6() && !self.forwards_ipv6() {
                way.stuck = Some("routers forward IPv4 only".to_owned());
                way.hops.push(hop);
                return way;
            }
            let routes = table::routes(self.inventory, &router);
            let route = table::best(&routes, to);
            hop.sent_on = route.and_then(|route| route.port.clone());
            let name = hop.name.clone();
            way.hops.push(hop);
            let Some(route) = route else {
                way.stuck = Some(format!("{name} has no route to {to}"));
                return way;
            };
            match self.follow(route, to, far) {
                Next::Arrived => return way,
                Next::Stuck(why) => {
                    way.stuck = Some(format!("{name}: {why}"));
                    return way;
                }
                Next::Router(next, port) => (router, entry) = (next, Some(port)),
            }
        }
        way.stuck = Some(format!("the routes to {to} go in a circle"));
        way
    }

    /// Where one route leads.
    fn follow(&self, route: &Route, to: IpAddr, far: Option<&str>) -> Next {
        let Some(id) = &route.port else {
            // Addresses of translations stay with the router; all else is thrown away.
            return match (route.next_hop, far) {
                (Some(hop), _) => Next::Stuck(format!("nothing leads to the next hop {hop}")),
                (None, None) if route.source.is_nat() => Next::Arrived,
                (None, _) => Next::Stuck(format!("packets to {} are discarded", route.network)),
            };
        };
        let object = self.inventory.find(port::KIND.name, id);
        let Some(port) = object.as_deref().and_then(Object::body::<RouterPort>) else {
            return Next::Stuck(format!("the port {id} does not exist"));
        };
        let own = table::networks(self.inventory, id, port);
        if far.is_none() && own.iter().any(|network| network.addr() == to) {
            return Next::Arrived;
        }
        if let Some((router, entry)) = self.other_end(id, port) {
            return match route.next_hop {
                Some(_) => Next::Router(router, entry),
                // The other end's own address.
                None => Next::Arrived,
            };
        }
        let on_switch = port.switch();
        match route.next_hop {
            None if far.is_some() && far == on_switch => Next::Arrived,
            None if far.is_none() && port.is_uplink() => Next::Arrived,
            None => Next::Stuck(format!("nobody in {} has the address {to}", route.network)),
            Some(hop) => match self.router_at(on_switch, hop) {
                Some((router, entry)) => Next::Router(router, entry),
                None if far.is_none() && port.is_uplink() => Next::Arrived,
                None => Next::Stuck(format!("the next hop {hop} is no router of this manager")),
            },
        }
    }

    /// The router at the other end of a link between tiers, and its port there.
    fn other_end(&self, id: &str, port: &RouterPort) -> Option<(String, String)> {
        let other = match port.upper() {
            Some(upper) => self.inventory.find(port::KIND.name, upper)?,
            None => table::lower_link(self.inventory, id)?,
        };
        Some((other.body::<RouterPort>()?.router().to_owned(), other.header.id.clone()))
    }

    /// The router that has an address on a switch, and its port there.
    fn router_at(&self, switch: Option<&str>, address: IpAddr) -> Option<(String, String)> {
        let ports = self.gateways(switch?);
        let object = ports.iter().find(|object| {
            object.body::<RouterPort>().is_some_and(|port| {
                let networks = table::networks(self.inventory, &object.header.id, port);
                networks.iter().any(|network| network.addr() == address)
            })
        })?;
        Some((object.body::<RouterPort>()?.router().to_owned(), object.header.id.clone()))
    }

    fn gateways(&self, switch: &str) -> Vec<Arc<Object>> {
        self.inventory.by_key(BY_SWITCH, switch)
    }

    fn has_network(&self, object: &Object, address: IpAddr) -> bool {
        object.body::<RouterPort>().is_some_and(|port| {
            let networks = table::networks(self.inventory, &object.header.id, port);
            networks.iter().any(|network| network.contains(&address))
        })
    }

    fn switch(&self, end: &End) -> Option<String> {
        let object = self.inventory.find(logical_port::KIND.name, end.port.as_deref()?)?;
        Some(object.body::<LogicalPort>()?.logical_switch_id.clone())
    }

    fn hop(&self, id: &str, received_on: Option<String>) -> Option<Hop> {
        let object = self.inventory.find(router::KIND.name, id)?;
        Some(Hop {
            router: id.to_owned(),
            name: object.header.name().to_owned(),
            tier: object.body::<LogicalRouter>()?.router_type,
            received_on,
            sent_on: None,
        })
    }

    /// The topology's own router.
    fn implicit(&self) -> Hop {
        Hop {
            router: self.topology.router.id.clone(),
            name: self.topology.router.display_name.clone(),
            tier: RouterType::Tier1,
            received_on: None,
            sent_on: None,
        }
    }

    fn forwards_ipv6(&self) -> bool {
        let object = self.inventory.find(global_config::KIND.name, "RoutingGlobalConfig");
        object.is_some_and(|object| {
            matches!(
                object.body::<GlobalConfig>(),
                Some(GlobalConfig::RoutingGlobalConfig(own))
                    if own.l3_forwarding_mode == ForwardingMode::Both
            )
        })
    }
}

/// Where a route leads.
enum Next {
    /// To the packet's target.
    Arrived,
    /// To another router, by its port there.
    Router(String, String),
    /// Nowhere, in words.
    Stuck(String),
}
