//! The way of a packet from segment to segment.
//!
//! Segments with ports of logical routers are routed by these, as their tables say. Segments
//! without any are joined, all of them, by the one router that the topology names: so worlds need
//! not configure what they do not study. There is no way between the one and the other sort.

use super::nat::{Crossing, Translated};
use super::{End, Fabric};
use crate::clock::Millis;
use crate::inventory::{Inventory, Object};
use crate::kinds::global_config::{self, ForwardingMode, GlobalConfig};
use crate::kinds::logical_port::{self, LogicalPort};
use crate::kinds::routing::nat::{self, FirewallMatch, NatRule};
use crate::kinds::routing::port::{self, BY_SWITCH, RouterPort};
use crate::kinds::routing::router::{self, LogicalRouter, RouterType};
use crate::kinds::routing::table::{self, Route};
use dataplane::{Direction, Packet, VnicId};
use std::net::IpAddr;
use std::sync::Arc;

/// The most routers that a packet passes: two of each tier, and as many again for routes by hand.
const MOST_HOPS: usize = 8;

/// A router that a packet passes.
#[derive(Clone, Debug)]
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
    /// What its rules made of the packet's addresses: as it came in, and as it went out.
    pub translated: Vec<Translated>,
    /// The filters of its firewall that the packet crosses, in order.
    pub gates: Vec<Gated>,
}

/// A packet at a filter of a router's firewall.
#[derive(Clone, Debug)]
pub struct Gated {
    /// The filter.
    pub gate: VnicId,
    /// Into the router or out of it.
    pub direction: Direction,
    /// As the filter sees it.
    pub packet: Packet,
}

/// The routers of a packet's way, and why the last of them does not pass it on, if so.
#[derive(Clone, Debug)]
pub struct Routed {
    /// In order; none within one segment.
    pub hops: Vec<Hop>,
    /// The packet as it comes out of the last one.
    pub packet: Packet,
    /// Where it goes in the end.
    pub to: End,
    /// In words.
    pub stuck: Option<String>,
    /// Whether it goes out of an uplink.
    outside: bool,
    /// Whether its last router has what it was sent to.
    at_router: bool,
    /// Whether a router gave it another address.
    translated: bool,
}

impl Routed {
    fn from(packet: Packet, to: End) -> Self {
        let (hops, stuck) = (Vec::new(), None);
        Self { hops, packet, to, stuck, outside: false, at_router: false, translated: false }
    }

    fn through(self, hop: Hop) -> Self {
        Self { hops: vec![hop], ..self }
    }

    fn stuck(self, why: String) -> Self {
        Self { stuck: Some(why), ..self }
    }

    /// Why the packet does not come to a service of a router, if so.
    pub fn lost_before(&self, router: &str) -> Option<String> {
        let last = self.hops.last();
        if self.at_router && last.is_some_and(|hop| hop.router == router) {
            return None;
        }
        let to = self.to.address;
        let why = || format!("the routes for {to} do not lead to its load balancer");
        Some(self.stuck.clone().unwrap_or_else(why))
    }
}

/// Looks for ways in one inventory.
pub struct Routing<'a> {
    /// Who has which address, what joins segments without routers, and what is remembered.
    pub fabric: &'a Fabric,
    /// What the routers are configured to do.
    pub inventory: &'a Inventory,
    /// The moment; none as if nothing were remembered.
    pub now: Option<Millis>,
    /// Whether rules of routers may give packets other addresses.
    pub translates: bool,
}

impl Routing<'_> {
    /// The way of a packet between two ends.
    pub fn way(&self, from: &End, to: &End, packet: Packet) -> Routed {
        let (near, far) = (self.switch(from), self.switch(to));
        let way = Routed::from(packet, to.clone());
        match (&near, &far) {
            (Some(near), Some(far)) if near == far => way,
            (Some(near), _) => self.leaving_segment(way, near, far.as_deref(), from.address),
            (None, _) => self.coming_in(way, far.as_deref(), from.address),
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

    fn leaving_segment(&self, way: Routed, near: &str, far: Option<&str>, from: IpAddr) -> Routed {
        let gateways = self.gateways(near);
        if gateways.is_empty() {
            let to = way.to.address;
            let way = way.through(self.implicit());
            return match far {
                Some(far) if !self.gateways(far).is_empty() => {
                    way.stuck(format!("{to} is behind a logical router, and {from} is not"))
                }
                _ => way,
            };
        }
        let to = way.to.address;
        let beside = |own: &&Arc<Object>| self.has_network(own, to) && self.serves(own, to);
        let beside = gateways.iter().find(beside);
        let gateway = beside.or_else(|| gateways.iter().find(|own| self.has_network(own, from)));
        match gateway {
            Some(port) => match port.body::<RouterPort>() {
                Some(body) => self.walk(way, body.router(), Some(port.header.id.clone())),
                None => way,
            },
            None => way.stuck(format!("no router on its segment is in a network of {from}")),
        }
    }

    /// What is outside comes in by the uplink of any tier-0 that knows the way.
    fn coming_in(&self, way: Routed, far: Option<&str>, from: IpAddr) -> Routed {
        let to = way.to.address;
        let why = match far {
            Some(_) => format!("there is no route from outside to {to}"),
            None => format!("{from} is outside, and so is {to}"),
        };
        if far.is_some_and(|far| self.gateways(far).is_empty()) {
            return way.stuck(why);
        }
        let uplinks = self.inventory.all(port::KIND.name).into_iter().filter_map(|object| {
            let body = object.body::<RouterPort>().filter(|body| body.is_uplink())?;
            Some((body.router().to_owned(), object.header.id.clone()))
        });
        let mut kept = None;
        for (router, uplink) in uplinks {
            let own = self.walk(way.clone(), &router, Some(uplink));
            let through = own.outside && !own.translated;
            if own.stuck.is_none() && !through {
                return own;
            }
            if own.at_router || own.translated {
                kept.get_or_insert(own);
            }
        }
        kept.unwrap_or_else(|| way.stuck(why))
    }

    /// The way of a packet that a service of a router sends.
    pub fn sent_by(&self, router: &str, to: &End, packet: Packet) -> Routed {
        self.walk(Routed::from(packet, to.clone()), router, None)
    }

    /// From router to router, as each one's best route says.
    fn walk(&self, mut way: Routed, first: &str, entry: Option<String>) -> Routed {
        let (mut router, mut entry) = (first.to_owned(), entry);
        while way.hops.len() < MOST_HOPS {
            let Some(mut hop) = self.hop(&router, entry) else { return way };
            if let Err(why) = self.come_in(&mut way, &mut hop) {
                way.hops.push(hop);
                return Routed { at_router: true, ..way.stuck(why) };
            }
            let to = way.to.address;
            let far = self.switch(&way.to);
            if to.is_ipv6() && !self.forwards_ipv6() {
                way.hops.push(hop);
                return way.stuck("routers forward IPv4 only".to_owned());
            }
            let routes = table::routes(self.inventory, &router);
            let route = table::best(&routes, to);
            hop.sent_on = route.and_then(|route| route.port.clone());
            let name = hop.name.clone();
            let Some(route) = route else {
                way.hops.push(hop);
                return way.stuck(format!("{name} has no route to {to}"));
            };
            let next = self.follow(route, to, far.as_deref());
            let out = if next.leaves() { self.go_out(&mut way, &mut hop) } else { Ok(()) };
            way.hops.push(hop);
            if let Err(why) = out {
                return Routed { at_router: true, ..way.stuck(why) };
            }
            match next {
                Next::Router(next, port) => (router, entry) = (next, Some(port)),
                Next::Segment => return way,
                Next::Outside => return Routed { outside: true, ..way },
                Next::Own => return Routed { at_router: true, ..way },
                Next::Kept => {
                    let why = format!("no service of {name} takes what comes for {to}");
                    return Routed { at_router: true, ..way.stuck(why) };
                }
                Next::Stuck(why) => return way.stuck(format!("{name}: {why}")),
            }
        }
        let to = way.to.address;
        way.stuck(format!("the routes to {to} go in a circle"))
    }

    /// What the router makes of a packet before it looks for its way.
    fn come_in(&self, way: &mut Routed, hop: &mut Hop) -> Result<(), String> {
        let before = way.packet;
        let port = hop.received_on.clone();
        let router = hop.router.clone();
        let at = self.crossing(&router, port.as_deref());
        if self.translates {
            let found = self.fabric.translate_in(self.inventory, self.now, at, &before);
            take(found, way, hop)?;
        }
        if let Some(ip) = way.packet.ip.filter(|ip| ip.dst != way.to.address) {
            let port = self.fabric.port_at(ip.dst).map(str::to_owned);
            way.to = End { port, address: ip.dst };
        }
        self.guard(at, Direction::In, before, way.packet, &hop.translated, &mut hop.gates);
        Ok(())
    }

    /// What the router makes of a packet whose way it knows.
    fn go_out(&self, way: &mut Routed, hop: &mut Hop) -> Result<(), String> {
        let inner = way.packet;
        let port = hop.sent_on.clone();
        let router = hop.router.clone();
        let at = self.crossing(&router, port.as_deref());
        let earlier = hop.translated.len();
        if self.translates {
            let found = self.fabric.translate_out(self.inventory, self.now, at, &inner);
            take(found, way, hop)?;
        }
        // What a service of the router itself sends is none of its firewall's.
        if hop.received_on.is_some() {
            let own = &hop.translated[earlier..];
            self.guard(at, Direction::Out, way.packet, inner, own, &mut hop.gates);
        }
        Ok(())
    }

    /// Puts the filter that stands at a crossing on the packet's way. Which form of a translated
    /// packet it sees is up to the rule [spec NatRule.firewall_match].
    fn guard(
        &self,
        at: Crossing<'_>,
        direction: Direction,
        outer: Packet,
        inner: Packet,
        translated: &[Translated],
        gates: &mut Vec<Gated>,
    ) {
        let Some(gate) = at.port.and_then(|port| self.fabric.gate(at.router, port, at.services))
        else {
            return;
        };
        let rule = translated.first().and_then(|own| own.rule.as_deref());
        let rule = rule.and_then(|id| self.inventory.find(nat::KIND.name, id));
        let rule = rule.as_deref().and_then(Object::body::<NatRule>);
        let packet = match rule.map(NatRule::seen_by_firewall) {
            Some(FirewallMatch::Bypass) => return,
            Some(FirewallMatch::MatchExternalAddress) => outer,
            Some(FirewallMatch::MatchInternalAddress) | None => inner,
        };
        gates.push(Gated { gate, direction, packet });
    }

    fn crossing<'a>(&self, router: &'a str, port: Option<&'a str>) -> Crossing<'a> {
        let object = port.and_then(|id| self.inventory.find(port::KIND.name, id));
        let body = object.as_deref().and_then(Object::body::<RouterPort>);
        Crossing { router, port, services: body.is_some_and(RouterPort::is_at_services) }
    }

    /// Where one route leads.
    fn follow(&self, route: &Route, to: IpAddr, far: Option<&str>) -> Next {
        let Some(id) = &route.port else {
            // Addresses that stand for others stay with the router; all else is thrown away.
            return match route.next_hop {
                Some(hop) => Next::Stuck(format!("nothing leads to the next hop {hop}")),
                None if route.source.is_service() => Next::Kept,
                None => Next::Stuck(format!("packets to {} are discarded", route.network)),
            };
        };
        let object = self.inventory.find(port::KIND.name, id);
        let Some(port) = object.as_deref().and_then(Object::body::<RouterPort>) else {
            return Next::Stuck(format!("the port {id} does not exist"));
        };
        let own = table::networks(self.inventory, id, port);
        if far.is_none() && own.iter().any(|network| network.addr() == to) {
            return Next::Own;
        }
        if let Some((router, entry)) = self.other_end(id, port) {
            return match route.next_hop {
                Some(_) => Next::Router(router, entry),
                // The other end's own address.
                None => Next::Own,
            };
        }
        let on_switch = port.switch();
        match route.next_hop {
            None if far.is_some() && far == on_switch => Next::Segment,
            None if far.is_none() && port.is_uplink() => Next::Outside,
            None => match self.server_at(on_switch, to) {
                Some((router, entry)) => Next::Router(router, entry),
                None => Next::Stuck(format!("nobody in {} has the address {to}", route.network)),
            },
            Some(hop) => match self.router_at(on_switch, hop) {
                Some((router, entry)) => Next::Router(router, entry),
                None if far.is_none() && port.is_uplink() => Next::Outside,
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

    /// The router on a switch that has a service for an address of the switch's network, and its
    /// port there.
    fn server_at(&self, switch: Option<&str>, address: IpAddr) -> Option<(String, String)> {
        let ports = self.gateways(switch?);
        let object = ports
            .iter()
            .find(|object| self.has_network(object, address) && self.serves(object, address))?;
        Some((object.body::<RouterPort>()?.router().to_owned(), object.header.id.clone()))
    }

    /// Whether the router of a port has a service for an address.
    fn serves(&self, object: &Object, address: IpAddr) -> bool {
        let router = object.body::<RouterPort>().map(RouterPort::router);
        let routes = router.map(|router| table::routes(self.inventory, router));
        let best = routes.as_deref().and_then(|routes| table::best(routes, address));
        best.is_some_and(|route| route.port.is_none() && route.source.is_service())
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
            translated: Vec::new(),
            gates: Vec::new(),
        })
    }

    /// The topology's own router.
    fn implicit(&self) -> Hop {
        let router = &self.fabric.topology().router;
        Hop {
            router: router.id.clone(),
            name: router.display_name.clone(),
            tier: RouterType::Tier1,
            received_on: None,
            sent_on: None,
            translated: Vec::new(),
            gates: Vec::new(),
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

/// The packet goes on as a rule made it.
fn take(found: Option<Translated>, way: &mut Routed, hop: &mut Hop) -> Result<(), String> {
    let Some(translated) = found else { return Ok(()) };
    if translated.clashes {
        let name = &hop.name;
        return Err(format!("{name} could not tell its answers from those to another connection"));
    }
    way.packet = translated.packet;
    way.translated |= translated.changed;
    hop.translated.push(translated);
    Ok(())
}

/// Where a route leads.
enum Next {
    /// To the packet's target on a segment.
    Segment,
    /// Out of an uplink.
    Outside,
    /// To an address of the router's own.
    Own,
    /// To an address that a service of the router stands for.
    Kept,
    /// To another router, by its port there.
    Router(String, String),
    /// Nowhere, in words.
    Stuck(String),
}

impl Next {
    /// Whether the packet goes out of the router.
    fn leaves(&self) -> bool {
        matches!(self, Self::Segment | Self::Outside | Self::Router(..))
    }
}
