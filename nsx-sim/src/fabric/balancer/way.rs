//! A packet's way through the load balancer: from a client to a member, and back.

use super::super::Fabric;
use super::super::journey::{End, Journey, Leg, NO_MAC, Obstacle, Translation};
use super::super::routing::Routing;
use super::choice::taker;
use super::memory::{Key, Memory, Route};
use crate::clock::Millis;
use crate::inventory::{Change, Inventory};
use crate::kinds::load_balancer::virtual_server;
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
            return Some(self.back(inventory, key, known.route.clone(), leg));
        }
        if leg.to.port.is_some() {
            return None;
        }
        let key = Key { tcp, client: from, server: to };
        let taker = taker(inventory, &key)?;
        // From outside the first leg crosses no vNIC.
        let near = leg.from.port.is_some().then(|| self.leg_from(inventory, leg));
        let mut journey = Journey::of(near.into_iter().collect());
        match self.route(inventory, &taker, &key, now) {
            Err(why) => journey.obstacle = Some(Obstacle::NoRoute(why)),
            Ok(route) => {
                let name = taker.server.header.name();
                self.forth(inventory, name, key, route, packet, &mut journey);
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
        journey.legs.push(self.leg_to(inventory, source.ip(), member.ip(), behind));
        journey.translation = Some(translation(name, key, source.ip(), member));
        journey.balanced = Some(balanced(key, route, packet, false));
        let to = member.ip();
        if self.port_at(to).is_none() {
            let why = format!("no port has the pool member's address {to}");
            journey.obstacle = Some(Obstacle::NoRoute(why));
        } else {
            journey.stop_at_the_end(inventory);
        }
    }

    /// Back to the client, as if from the virtual server.
    fn back(&self, inventory: &Inventory, key: Key, route: Route, leg: &Leg) -> Journey {
        let packet = leg.packet(Direction::Out);
        let server = inventory.find(virtual_server::KIND.name, &route.server);
        let name = server.as_ref().map_or(&*route.server, |server| server.header.name()).to_owned();
        // The load balancer takes it, whoever has the address that it is sent to.
        let taken = End { port: None, address: leg.to.address };
        let near = Leg::new(inventory, leg.from.clone(), taken, *packet);
        let near = self.leg_from(inventory, &near);
        let far = packet.between(key.server, key.client);
        let far = self.leg_to(inventory, key.server.ip(), key.client.ip(), far);
        let mut journey = Journey {
            legs: vec![near, far],
            translation: Some(translation(&name, key, key.server.ip(), key.client)),
            obstacle: None,
            balanced: Some(balanced(key, route, packet, true)),
        };
        journey.stop_at_the_end(inventory);
        journey
    }

    /// A leg to the load balancer, which stands at the next router.
    fn leg_from(&self, inventory: &Inventory, leg: &Leg) -> Leg {
        let mut leg = leg.clone();
        leg.routers = self.routing(inventory).next_to(&leg.from);
        leg
    }

    /// A leg from the load balancer, which stands at the next router.
    fn leg_to(&self, inventory: &Inventory, from: IpAddr, to: IpAddr, packet: Packet) -> Leg {
        let target = End { port: self.port_at(to).map(str::to_owned), address: to };
        let source = End { port: None, address: from };
        let mut leg = Leg::new(inventory, source, target, packet.with_macs(NO_MAC, NO_MAC));
        leg.routers = self.routing(inventory).next_to(&leg.to);
        leg
    }

    /// Routes that nothing is remembered of: they are to and from the next router only.
    fn routing<'a>(&'a self, inventory: &'a Inventory) -> Routing<'a> {
        Routing { fabric: self, inventory, now: None }
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
