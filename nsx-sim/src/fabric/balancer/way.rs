//! A packet's way through the load balancer: from a client to a member, and back.

use super::super::Fabric;
use super::super::journey::{End, Journey, Leg, NO_MAC, Obstacle, Translation};
use super::super::routing::Routing;
use super::choice::taker;
use super::memory::{Key, Memory, Route};
use crate::clock::Millis;
use crate::inventory::{Change, Inventory};
use crate::kinds::load_balancer::service::{self, LbService};
use crate::kinds::load_balancer::virtual_server;
use crate::kinds::routing::table;
use dataplane::{Direction, Packet, TcpFlags, Transport};
use std::net::{IpAddr, SocketAddr};

/// What the load balancer is to remember of a packet.
#[derive(Clone, Debug)]
pub struct Balanced {
    /// Whose connection it is.
    pub key: Key,
    /// Where that goes.
    pub route: Route,
    /// Whether it comes from the member.
    pub answer: bool,
    /// Its bytes.
    pub bytes: u32,
    /// Its flags, where it is a TCP segment.
    pub flags: Option<TcpFlags>,
}

impl Fabric {
    /// The way of a packet that the load balancer takes; none where it takes none of it.
    ///
    /// With `now` connections and clients that are remembered go where they went before; without,
    /// it is as if there were none.
    pub(in super::super) fn balance(
        &self,
        inventory: &Inventory,
        now: Option<Millis>,
        leg: &Leg,
    ) -> Option<Journey> {
        let packet = leg.packet(Direction::Out);
        let (tcp, from, to) = sockets(packet)?;
        if now.is_some()
            && let Some(key) = self.balancer.answered(tcp, from, to)
            && let Some(known) = self.balancer.connection(&key)
        {
            return Some(self.back(inventory, now, key, known.route.clone(), leg));
        }
        if leg.to.port.is_some() {
            return None;
        }
        let asked = Key { tcp, client: from, server: to };
        let taker = taker(inventory, &asked)?;
        let seat = seat(inventory, &taker.service);
        let (near, lost) = self.leg_from(inventory, now, seat.as_deref(), leg);
        // Routers on the way may have given the client another address.
        let packet = *near.packet(Direction::In);
        let inside = leg.from.port.is_some();
        // From outside a leg without routers of the API's crosses nothing.
        let crosses = inside || (seat.is_some() && lost.is_none());
        let mut journey = Journey::of(if crosses { vec![near] } else { Vec::new() });
        if let Some(why) = lost {
            journey.obstacle = Some(Obstacle::NoRoute(why));
            return Some(journey);
        }
        let (tcp, client, server) = sockets(&packet)?;
        let key = Key { tcp, client, server };
        match self.route(inventory, &taker, &key, now) {
            Err(why) => journey.obstacle = Some(Obstacle::NoRoute(why)),
            Ok(route) => {
                let name = taker.server.header.name();
                self.forth(inventory, name, key, route, &packet, &mut journey);
            }
        }
        Some(journey)
    }

    /// Onwards to the member.
    fn forth(
        &self,
        inventory: &Inventory,
        name: &str,
        key: Key,
        route: Route,
        packet: &Packet,
        journey: &mut Journey,
    ) {
        let (member, source) = (route.member, route.source);
        let behind = packet.between(source, member);
        let routing = self.routing(inventory, None, false);
        let seat = seat(inventory, &route.service);
        let (leg, lost) = self.leg_to(&routing, seat.as_deref(), source.ip(), member.ip(), behind);
        journey.legs.push(leg);
        journey.translation = Some(translation(name, key, source.ip(), member));
        journey.balanced = Some(balanced(key, route, packet, false));
        let to = member.ip();
        if self.port_at(to).is_none() {
            let why = format!("no port has the pool member's address {to}");
            journey.obstacle = Some(Obstacle::NoRoute(why));
        } else if let Some(why) = lost {
            journey.obstacle = Some(Obstacle::NoRoute(why));
        } else {
            journey.stop_at_the_end(inventory);
        }
    }

    /// Back to the client, as if from the virtual server.
    fn back(
        &self,
        inventory: &Inventory,
        now: Option<Millis>,
        key: Key,
        route: Route,
        leg: &Leg,
    ) -> Journey {
        let packet = leg.packet(Direction::Out);
        let server = inventory.find(virtual_server::KIND.name, &route.server);
        let name = server.as_ref().map_or(&*route.server, |server| server.header.name()).to_owned();
        // The load balancer takes it, whoever has the address that it is sent to.
        let taken = End { port: None, address: leg.to.address };
        let near = Leg::new(inventory, leg.from.clone(), taken, *packet);
        let (near, _) = self.leg_from(inventory, now, None, &near);
        let far = packet.between(key.server, key.client);
        let (server, client) = (key.server.ip(), key.client.ip());
        let routing = self.routing(inventory, now, true);
        let seat = seat(inventory, &route.service);
        let (far, lost) = self.leg_to(&routing, seat.as_deref(), server, client, far);
        let mut journey = Journey {
            legs: vec![near, far],
            translation: Some(translation(&name, key, server, key.client)),
            obstacle: lost.map(Obstacle::NoRoute),
            balanced: Some(balanced(key, route, packet, true)),
        };
        if journey.obstacle.is_none() {
            journey.stop_at_the_end(inventory);
        }
        journey
    }

    /// A leg to the load balancer, and why it does not come there: that stands at a router of the
    /// API's, or else at the next router.
    fn leg_from(
        &self,
        inventory: &Inventory,
        now: Option<Millis>,
        seat: Option<&str>,
        leg: &Leg,
    ) -> (Leg, Option<String>) {
        let mut leg = leg.clone();
        let routing = self.routing(inventory, now, true);
        let Some(router) = seat else {
            leg.routers = routing.next_to(&leg.from);
            return (leg, None);
        };
        let routed = routing.way(&leg.from, &leg.to, *leg.packet(Direction::Out));
        let lost = routed.lost_before(router);
        leg.route(inventory, routed, lost.is_some());
        (leg, lost)
    }

    /// A leg from the load balancer, and why it does not come to its end.
    fn leg_to(
        &self,
        routing: &Routing<'_>,
        seat: Option<&str>,
        from: IpAddr,
        to: IpAddr,
        packet: Packet,
    ) -> (Leg, Option<String>) {
        let target = End { port: self.port_at(to).map(str::to_owned), address: to };
        let source = End { port: None, address: from };
        let packet = packet.with_macs(NO_MAC, NO_MAC);
        let mut leg = Leg::new(routing.inventory, source, target, packet);
        let Some(router) = seat else {
            leg.routers = routing.next_to(&leg.to);
            return (leg, None);
        };
        let mut routed = routing.sent_by(router, &leg.to, packet);
        let lost = routed.stuck.take();
        leg.route(routing.inventory, routed, lost.is_some());
        (leg, lost)
    }

    fn routing<'a>(
        &'a self,
        inventory: &'a Inventory,
        now: Option<Millis>,
        translates: bool,
    ) -> Routing<'a> {
        Routing { fabric: self, inventory, now, translates }
    }

    /// Remembers a packet that the load balancer took.
    pub(in super::super) fn note(&mut self, now: Millis, packet: &Balanced) {
        if packet.answer {
            self.balancer.note_answer(now, packet);
        } else {
            self.balancer.note_request(now, packet);
        }
    }

    /// Lets the load balancer and the translations forget connections that have ended.
    pub fn end_connections(&mut self, now: Millis) {
        self.balancer.expire(now);
        self.nat.expire(now);
    }

    /// What the load balancer remembers.
    pub fn balancer(&self) -> &Memory {
        &self.balancer
    }

    /// Forgets what is gone; to be called for every change.
    pub(in super::super) fn follow_balancer(&mut self, change: &Change) {
        for write in change.writes.iter().filter(|write| write.after.is_none()) {
            self.balancer.forget_object(write.kind.name, &write.id);
        }
    }
}

/// The router of the API's that a load balancer stands on; none where it is one without ports,
/// for what has no ports leaves the topology's router to join all.
fn seat(inventory: &Inventory, service: &str) -> Option<String> {
    let object = inventory.find(service::KIND.name, service)?;
    let router = object.body::<LbService>()?.router()?;
    let joined = !table::ports_of(inventory, router).is_empty();
    joined.then(|| router.to_owned())
}

fn translation(name: &str, key: Key, source: IpAddr, target: SocketAddr) -> Translation {
    Translation {
        virtual_server: name.to_owned(),
        virtual_address: key.server.ip(),
        member: (target.ip(), target.port()),
        source,
    }
}

fn balanced(key: Key, route: Route, packet: &Packet, answer: bool) -> Balanced {
    Balanced { key, route, answer, bytes: packet.length, flags: packet.tcp_flags() }
}

/// Whether a packet is TCP, its source and its destination; for TCP and UDP.
fn sockets(packet: &Packet) -> Option<(bool, SocketAddr, SocketAddr)> {
    let tcp = match packet.ip?.transport {
        Transport::Tcp { .. } => true,
        Transport::Udp { .. } => false,
        _ => return None,
    };
    let (from, to) = packet.sockets()?;
    Some((tcp, from, to))
}
