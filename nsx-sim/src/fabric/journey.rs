//! A packet's way from end to end: who its ends are, and what lies between them.

use super::Fabric;
use super::balancer::Balanced;
use super::routing::{Hop, Routed, Routing};
use super::spoof_guard;
use crate::clock::Millis;
use crate::inventory::{Inventory, Object};
use crate::kinds::bindings::{AddressBinding, AdminState};
use crate::kinds::logical_port::{self, LogicalPort};
use crate::kinds::logical_switch::{self, LogicalSwitch};
use crate::kinds::values::{IpElement, MacText};
use dataplane::{Direction, Family, MacAddr, Packet};
use std::net::IpAddr;
use std::sync::Arc;

/// What a caller names as an end of a packet's way, once it is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A logical port.
    Port(String),
    /// A logical port that takes an address of the caller's choice, whether or not it has that one.
    PortAs(String, IpAddr),
    /// An address, whoever has it.
    Address(IpAddr),
}

/// One end of a leg.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// The port; none is outside.
    pub port: Option<String>,
    /// The address in the packet.
    pub address: IpAddr,
}

/// A packet between two ends, as the firewall sees it.
#[derive(Clone, Debug)]
pub struct Leg {
    /// Where it comes from.
    pub from: End,
    /// Where it goes.
    pub to: End,
    /// As it leaves its source.
    leaving: Packet,
    /// As it comes to its target; a router between segments puts its own MAC address into it.
    arriving: Packet,
    /// The routers in between, in order; none within one segment.
    pub routers: Vec<Hop>,
    /// Whether the last router, or the lack of any, keeps it from its target.
    pub stranded: bool,
    /// The filter that it stops before: that of an end that passes no traffic.
    stop: Option<Direction>,
}

/// The MAC address of the distributed router, the same everywhere in NSX-T.
const ROUTER_MAC: MacAddr = MacAddr([0x02, 0x50, 0x56, 0x56, 0x44, 0x52]);

/// What stands in a packet where nobody stated a MAC address.
pub(super) const NO_MAC: MacAddr = MacAddr([0; 6]);

impl Leg {
    /// A packet between two ends, with the MAC addresses that it has on its segments; those that
    /// were stated stay as it leaves.
    pub(super) fn new(inventory: &Inventory, from: End, to: End, packet: Packet) -> Self {
        let (near, far) = (card(inventory, &from), card(inventory, &to));
        let (near_mac, far_mac) = (mac(near.as_ref()), mac(far.as_ref()));
        let switched = match (&near, &far) {
            (Some((_, one)), Some((_, other))) => one == other,
            _ => false,
        };
        let or = |stated: MacAddr, own: MacAddr| if stated == NO_MAC { own } else { stated };
        let next = if switched { far_mac } else { ROUTER_MAC };
        let leaving = packet.with_macs(or(packet.src_mac, near_mac), or(packet.dst_mac, next));
        let arriving = if switched { leaving } else { packet.with_macs(ROUTER_MAC, far_mac) };
        Self { from, to, leaving, arriving, routers: Vec::new(), stranded: false, stop: None }
    }

    /// Puts the routers of the packet's way into it, and what they made of the packet.
    pub(super) fn route(&mut self, inventory: &Inventory, routed: Routed, stranded: bool) {
        if !routed.hops.is_empty() {
            let far = mac(card(inventory, &routed.to).as_ref());
            self.arriving = routed.packet.with_macs(ROUTER_MAC, far);
        }
        (self.to, self.routers) = (routed.to, routed.hops);
        self.stranded = stranded;
    }

    /// The port whose filter the packet crosses; none outside, and where it does not come that far.
    pub fn filter(&self, direction: Direction) -> Option<&str> {
        match (direction, self.stop) {
            (_, Some(Direction::Out)) | (Direction::In, Some(Direction::In)) => None,
            (Direction::In, _) if self.stranded => None,
            (Direction::Out, _) => self.from.port.as_deref(),
            (Direction::In, _) => self.to.port.as_deref(),
        }
    }

    /// The packet as it crosses the filter of its source, or of its target.
    pub fn packet(&self, direction: Direction) -> &Packet {
        match direction {
            Direction::Out => &self.leaving,
            Direction::In => &self.arriving,
        }
    }
}

/// What the load balancer made of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Translation {
    /// The virtual server.
    pub virtual_server: String,
    /// Its address.
    pub virtual_address: IpAddr,
    /// The member's address and port.
    pub member: (IpAddr, u16),
    /// The source that the member sees.
    pub source: IpAddr,
}

/// A packet's way.
#[derive(Clone, Debug)]
pub struct Journey {
    /// One leg, or two where it passes the load balancer from inside.
    pub legs: Vec<Leg>,
    /// What the load balancer made of it, if it passed it.
    pub translation: Option<Translation>,
    /// Why it does not arrive, whatever the firewall says. The last leg is where it gets stuck.
    pub obstacle: Option<Obstacle>,
    /// What the load balancer is to remember of it.
    pub(super) balanced: Option<Balanced>,
}

impl Journey {
    /// A way with nothing on it.
    pub(super) fn of(legs: Vec<Leg>) -> Self {
        Self { legs, translation: None, obstacle: None, balanced: None }
    }

    /// The last leg stops before its target where that one passes no traffic.
    pub(super) fn stop_at_the_end(&mut self, inventory: &Inventory) {
        if let Some(leg) = self.legs.last_mut()
            && let Some(down) = port_down(inventory, &leg.to)
        {
            leg.stop = Some(Direction::In);
            self.obstacle = Some(down);
        }
    }
}

/// What keeps a packet from its end beside the firewall; in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Nobody knows the way.
    NoRoute(String),
    /// A port passes no traffic.
    PortDown {
        /// Its id.
        port: String,
        /// In words.
        why: String,
    },
    /// A port sends from an address that is not its own.
    Spoofed {
        /// Its id.
        port: String,
        /// In words.
        why: String,
    },
}

impl Fabric {
    /// Finds what a caller means: a port's id or name, a pod as `pod` or `namespace/pod`, an address.
    pub fn find_place(&self, inventory: &Inventory, text: &str) -> Option<Place> {
        if let Ok(address) = text.parse() {
            return Some(Place::Address(address));
        }
        if inventory.find(logical_port::KIND.name, text).is_some() {
            return Some(Place::Port(text.to_owned()));
        }
        let mut found: Vec<Arc<Object>> = inventory.all(logical_port::KIND.name);
        found.retain(|object| object.header.name() == text || is_pod(object, text));
        found.sort_by(|one, other| one.header.id.cmp(&other.header.id));
        found.first().map(|object| Place::Port(object.header.id.clone()))
    }

    /// The way of a packet between two places, as if the load balancer remembered nothing. `build`
    /// makes the packet for two addresses.
    ///
    /// # Errors
    /// Text, where an end has no address of the family.
    pub fn journey(
        &self,
        inventory: &Inventory,
        from: &Place,
        to: &Place,
        build: impl Fn(IpAddr, IpAddr) -> Packet,
    ) -> Result<Journey, String> {
        self.way(inventory, None, from, to, build)
    }

    /// The way of a packet between two places at a moment, for [`Fabric::carry`].
    ///
    /// # Errors
    /// Text, where an end has no address of the family.
    pub fn journey_at(
        &mut self,
        inventory: &Inventory,
        now: Millis,
        from: &Place,
        to: &Place,
        build: impl Fn(IpAddr, IpAddr) -> Packet,
    ) -> Result<Journey, String> {
        self.end_connections(now);
        self.way(inventory, Some(now), from, to, build)
    }

    fn way(
        &self,
        inventory: &Inventory,
        now: Option<Millis>,
        from: &Place,
        to: &Place,
        build: impl Fn(IpAddr, IpAddr) -> Packet,
    ) -> Result<Journey, String> {
        let family = match (from, to) {
            (_, Place::Address(address)) | (Place::Address(address), _) => {
                Some(Family::of(*address))
            }
            _ => None,
        };
        let to = self.end(inventory, to, family)?;
        let from = self.end(inventory, from, Some(Family::of(to.address)))?;
        let packet = build(from.address, to.address);
        let mut leg = Leg::new(inventory, from, to, packet);
        if let Some(obstacle) = port_down(inventory, &leg.from) {
            leg.stop = Some(Direction::Out);
            return Ok(Journey { obstacle: Some(obstacle), ..Journey::of(vec![leg]) });
        }
        if let Some(obstacle) = spoof_guard::refuses(inventory, &leg) {
            leg.stop = Some(Direction::Out);
            return Ok(Journey { obstacle: Some(obstacle), ..Journey::of(vec![leg]) });
        }
        if let Some(journey) = self.balance(inventory, now, &leg) {
            return Ok(journey);
        }
        let snat = self.topology().load_balancer_snat_ip;
        let routing = Routing { fabric: self, inventory, now, translates: true };
        if leg.from.port.is_none() && leg.from.address == snat {
            leg.routers = routing.next_to(&leg.to);
        } else {
            // Networks behind the topology's router are reached from outside through the load
            // balancer alone: they are not advertised (NCP's subnets are behind SNAT).
            let mut routed = routing.way(&leg.from, &leg.to, packet);
            let stuck = routed.stuck.take();
            leg.route(inventory, routed, stuck.is_some());
            if let Some(why) = stuck {
                let legs = if leg.from.port.is_some() { vec![leg] } else { Vec::new() };
                let obstacle = Some(Obstacle::NoRoute(why));
                return Ok(Journey { obstacle, ..Journey::of(legs) });
            }
        }
        let mut journey = Journey::of(vec![leg]);
        journey.stop_at_the_end(inventory);
        Ok(journey)
    }

    fn end(
        &self,
        inventory: &Inventory,
        place: &Place,
        family: Option<Family>,
    ) -> Result<End, String> {
        match place {
            Place::Address(address) => {
                Ok(End { port: self.port_at(*address).map(str::to_owned), address: *address })
            }
            Place::PortAs(id, address) => Ok(End { port: Some(id.clone()), address: *address }),
            Place::Port(id) => {
                let object = inventory.find(logical_port::KIND.name, id);
                let port = object.as_deref().and_then(Object::body::<LogicalPort>);
                let own = port.into_iter().flat_map(|port| port.address_bindings.iter());
                let fits = |address: &IpAddr| family.is_none_or(|f| Family::of(*address) == f);
                let address = own
                    .filter_map(|binding| binding.ip_address.as_ref())
                    .map(|element| element.span().0)
                    .find(fits);
                let address = address.ok_or_else(|| format!("port {id} has no address to use"))?;
                Ok(End { port: Some(id.clone()), address })
            }
        }
    }
}

/// The MAC address that an end has for its address, or else its first one, and the switch that it
/// is on; none outside.
fn card(inventory: &Inventory, end: &End) -> Option<(MacAddr, String)> {
    let object = inventory.find(logical_port::KIND.name, end.port.as_deref()?)?;
    let port = object.body::<LogicalPort>()?;
    let has_address = |binding: &&AddressBinding| {
        let span = binding.ip_address.as_ref().map(IpElement::span);
        span.is_some_and(|(first, last)| first <= end.address && end.address <= last)
    };
    let bindings = &port.address_bindings;
    let binding = bindings.iter().find(has_address).or(bindings.first());
    let octets = binding.and_then(|own| own.mac_address.as_ref()).map(MacText::octets);
    Some((octets.map_or(NO_MAC, MacAddr), port.logical_switch_id.clone()))
}

fn mac(card: Option<&(MacAddr, String)>) -> MacAddr {
    card.map_or(NO_MAC, |(mac, _)| *mac)
}

/// The end's port, where it passes no traffic.
pub(super) fn port_down(inventory: &Inventory, end: &End) -> Option<Obstacle> {
    let port = end.port.clone()?;
    let why = down(inventory, &port)?;
    Some(Obstacle::PortDown { port, why })
}

/// Why a port passes no traffic, if so.
fn down(inventory: &Inventory, id: &str) -> Option<String> {
    let object = inventory.find(logical_port::KIND.name, id)?;
    let port = object.body::<LogicalPort>()?;
    let name = object.header.name();
    if !port.has_vif() {
        return Some(format!("no VIF is attached to {name}"));
    }
    if port.admin_state == AdminState::Down {
        return Some(format!("{name} is administratively down"));
    }
    let switch = inventory.find(logical_switch::KIND.name, &port.logical_switch_id)?;
    let down = switch.body::<LogicalSwitch>()?.admin_state == AdminState::Down;
    down.then(|| format!("{} is administratively down", switch.header.name()))
}

fn is_pod(object: &Object, text: &str) -> bool {
    let tag = |scope: &str| object.header.tags().iter().find(|tag| &*tag.scope == scope);
    let Some(pod) = tag("ncp/pod") else { return false };
    match text.split_once('/') {
        Some((namespace, name)) => {
            &*pod.tag == name && tag("ncp/project").is_some_and(|tag| &*tag.tag == namespace)
        }
        None => &*pod.tag == text,
    }
}
