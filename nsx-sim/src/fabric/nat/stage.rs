//! A packet where it comes into a router or goes out of one.

use super::super::Fabric;
use super::choice::{Choice, choose};
use super::memory::{Key, NatMemory, Note, Said, Tuple, Way};
use crate::clock::Millis;
use crate::inventory::{Change, Inventory, Object};
use crate::kinds::routing::nat;
use crate::kinds::routing::placement;
use crate::kinds::routing::router::{self, LogicalRouter};
use dataplane::{Packet, Transport};
use std::net::SocketAddr;

/// What a rule made of a packet.
#[derive(Clone, Debug)]
pub struct Translated {
    /// The rule.
    pub rule: String,
    /// The packet afterwards.
    pub packet: Packet,
    /// Whether the rule changed it.
    pub changed: bool,
    /// Whether its answers could not be told from those to another connection, so that it is
    /// dropped.
    pub clashes: bool,
    /// What is to be remembered of it.
    pub(super) note: Note,
}

/// Where a packet crosses a router.
#[derive(Clone, Copy, Debug)]
pub struct Crossing<'a> {
    /// The router.
    pub router: &'a str,
    /// The port that it comes in or goes out by.
    pub port: Option<&'a str>,
    /// Whether the port is where the router's services are, rather than on every host.
    pub services: bool,
}

impl Fabric {
    /// What the rules of a router make of a packet that comes in: of its destination. Addresses
    /// that stand for others are with the router's services, whichever port leads to them.
    ///
    /// With `now` the connections that are remembered go on as they were; without, it is as if
    /// there were none.
    pub(in super::super) fn translate_in(
        &self,
        inventory: &Inventory,
        now: Option<Millis>,
        at: Crossing<'_>,
        packet: &Packet,
    ) -> Option<Translated> {
        self.translate(inventory, now, at, Way::Destination, packet)
    }

    /// What the rules of a router make of a packet that goes out: of its source.
    pub(in super::super) fn translate_out(
        &self,
        inventory: &Inventory,
        now: Option<Millis>,
        at: Crossing<'_>,
        packet: &Packet,
    ) -> Option<Translated> {
        self.translate(inventory, now, at, Way::Source, packet)
    }

    fn translate(
        &self,
        inventory: &Inventory,
        now: Option<Millis>,
        at: Crossing<'_>,
        way: Way,
        packet: &Packet,
    ) -> Option<Translated> {
        let tuple = Tuple::of(packet)?;
        let transport = packet.ip?.transport;
        let key = Key { router: at.router.into(), way, before: tuple };
        let memory = now.map(|_| &self.nat);
        let said = |key: &Key, after: Tuple, answer: bool| {
            Some(Said { key: key.clone(), after, answer, transport })
        };
        // Only what comes to an address that stands for another leaves the hosts' own routing.
        let here = |rule: &str, translates: bool| {
            let drawn = translates && way == Way::Destination;
            at.services || drawn || self.is_applied(inventory, rule)
        };
        if let Some(memory) = memory {
            // What answers a translated source has a destination to translate, and the reverse.
            let other = match way {
                Way::Source => Way::Destination,
                Way::Destination => Way::Source,
            };
            let answer = Key { way: other, ..key.clone() };
            if let Some((asked, rule, node)) = memory.answered(&answer)
                && here(rule, true)
            {
                let (after, said) = (asked.before.reversed(), said(asked, tuple, true));
                return Some(translated(packet, rule, node.to_owned(), Some(after), said));
            }
            if let Some((after, rule, node)) = memory.known(&key, packet)
                && here(rule, true)
            {
                let said = said(&key, after, false);
                return Some(translated(packet, rule, node.to_owned(), Some(after), said));
            }
        }
        let chosen = choose(inventory, at.router, at.port, way, packet);
        let Choice { rule, ends, stateful } =
            chosen.filter(|own| here(&own.rule, own.ends.is_some()))?;
        let node = working_node(inventory, at.router);
        let Some(ends) = ends else { return Some(translated(packet, &rule, node, None, None)) };
        let mut after = tuple.between(ends);
        if !stateful {
            return Some(translated(packet, &rule, node, Some(after), None));
        }
        if let Some(memory) = memory.filter(|_| way == Way::Source) {
            after = free(memory, &key, after, transport);
        }
        let clashes = memory.is_some_and(|memory| memory.is_taken(&key, after));
        let said = said(&key, after, false);
        let own = translated(packet, &rule, node, Some(after), said);
        Some(Translated { clashes, ..own })
    }

    /// Whether a rule names the port that it is applied to.
    fn is_applied(&self, inventory: &Inventory, rule: &str) -> bool {
        let object = inventory.find(nat::KIND.name, rule);
        let rule = object.as_deref().and_then(Object::body::<nat::NatRule>);
        rule.is_some_and(|rule| rule.applied_to().is_some())
    }

    /// Remembers what rules made of a packet that has passed.
    pub(in super::super) fn note_translation(&mut self, now: Millis, packet: &Translated) {
        self.nat.note(now, &self.timers.in_general(), &packet.note);
    }

    /// What is remembered of translations.
    pub fn translations(&self) -> &NatMemory {
        &self.nat
    }

    /// Forgets connections whose rule changed; to be called for every change.
    pub(in super::super) fn follow_translations(&mut self, change: &Change) {
        for write in change.writes.iter().filter(|write| write.kind.name == nat::KIND.name) {
            self.nat.forget_rule(&write.id, write.after.is_none());
        }
    }
}

fn translated(
    packet: &Packet,
    rule: &str,
    node: String,
    after: Option<Tuple>,
    said: Option<Said>,
) -> Translated {
    let bytes = packet.length;
    Translated {
        rule: rule.to_owned(),
        packet: after.map_or(*packet, |own| packet.between(own.src, own.dst)),
        changed: after.is_some(),
        clashes: false,
        note: Note { rule: rule.to_owned(), node, bytes, said },
    }
}

/// The translation with the sender's own port, or the next one that tells its answers from those
/// to others; where there are no ports, as it is.
fn free(memory: &NatMemory, key: &Key, wanted: Tuple, transport: Transport) -> Tuple {
    if matches!(transport, Transport::Other(_)) {
        return wanted;
    }
    let ports = (0..=u16::MAX).map(|step| wanted.src.port().wrapping_add(step));
    let mut others =
        ports.map(|port| wanted.between((SocketAddr::new(wanted.src.ip(), port), wanted.dst)));
    others.find(|after| !memory.is_taken(key, *after)).unwrap_or(wanted)
}

/// The edge node that works for a router; empty where there is none.
fn working_node(inventory: &Inventory, id: &str) -> String {
    let object = inventory.find(router::KIND.name, id);
    let body = object.as_deref().and_then(Object::body::<LogicalRouter>);
    let places = body.map(|body| placement::places(inventory, id, body)).unwrap_or_default();
    places.into_iter().next().map(|place| place.node).unwrap_or_default()
}
