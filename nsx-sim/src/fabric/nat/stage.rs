//! A packet where it comes into a router or goes out of one.

use super::super::Fabric;
use super::choice::{Choice, choose};
use super::memory::{Key, NatMemory, Note, Said, Tuple, Way};
use crate::clock::Millis;
use crate::inventory::{Change, Inventory, Object};
use crate::kinds::routing::nat::{self, NatRule};
use crate::kinds::routing::placement;
use crate::kinds::routing::router::{self, LogicalRouter};
use dataplane::{Packet, Transport};
use std::net::SocketAddr;

/// What a router made of a packet.
#[derive(Clone, Debug)]
pub struct Translated {
    /// The rule that concerned it, if one did.
    pub rule: Option<String>,
    /// The packet afterwards.
    pub packet: Packet,
    /// Whether it was changed.
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
        let rules = nat::rules_of(inventory, at.router);
        if rules.is_empty() {
            return None;
        }
        let tuple = Tuple::of(packet)?;
        let transport = packet.ip?.transport;
        let key = Key { router: at.router.into(), way, before: tuple };
        let memory = now.map(|_| &self.nat);
        let said = |key: &Key, after: Tuple, answer: bool| {
            Some(Said { key: key.clone(), after, answer, transport })
        };
        // Only what comes to an address that stands for another leaves the hosts' own routing.
        let here = |rule: Option<&str>, changes: bool| {
            let drawn = changes && way == Way::Destination;
            at.services || drawn || rule.is_some_and(|rule| is_applied(&rules, rule))
        };
        if let Some(memory) = memory {
            // What answers a translated source has a destination to translate, and the reverse.
            let other = match way {
                Way::Source => Way::Destination,
                Way::Destination => Way::Source,
            };
            let answer = Key { way: other, ..key.clone() };
            if let Some((asked, rule, node)) = memory.answered(&answer) {
                let after = asked.before.reversed();
                if here(rule, after != tuple) {
                    let said = said(asked, tuple, true);
                    return Some(translated(packet, rule, node.to_owned(), (tuple, after), said));
                }
            }
            if let Some((after, rule, node)) = memory.known(&key, packet)
                && here(rule, after != tuple)
            {
                let said = said(&key, after, false);
                return Some(translated(packet, rule, node.to_owned(), (tuple, after), said));
            }
        }
        let chosen = choose(&rules, at.port, way, packet);
        let chosen = chosen.filter(|own| here(Some(&own.rule), own.ends.is_some()));
        // Where connections are remembered, so is one that no rule changes: rules are asked for
        // its first packet alone, and its answers keep their addresses too.
        let tracked = at.services && rules.iter().any(|(_, rule)| rule.action.is_stateful());
        if chosen.is_none() && !tracked {
            return None;
        }
        let node = working_node(inventory, at.router);
        let rule = chosen.as_ref().map(|own| own.rule.as_str());
        let ends = chosen.as_ref().and_then(|own| own.ends);
        let mut after = ends.map_or(tuple, |ends| tuple.between(ends));
        let stateful = match &chosen {
            Some(Choice { stateful, ends: Some(_), .. }) => *stateful,
            _ => tracked,
        };
        if !stateful {
            return Some(translated(packet, rule, node, (tuple, after), None));
        }
        if let Some(memory) = memory.filter(|_| way == Way::Source && ends.is_some()) {
            after = free(memory, &key, after, transport);
        }
        let clashes = memory.is_some_and(|memory| memory.is_taken(&key, after));
        let said = said(&key, after, false);
        let own = translated(packet, rule, node, (tuple, after), said);
        Some(Translated { clashes, ..own })
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
            let object = write.after.as_ref().or(write.before.as_ref());
            let router = object.and_then(|own| own.header.parent.as_deref()).unwrap_or_default();
            self.nat.forget_rule(router, &write.id, write.after.is_none());
        }
    }
}

/// A packet whose ends were those of the first tuple, and are those of the second.
fn translated(
    packet: &Packet,
    rule: Option<&str>,
    node: String,
    (before, after): (Tuple, Tuple),
    said: Option<Said>,
) -> Translated {
    let rule = rule.map(str::to_owned);
    let note = Note { rule: rule.clone(), node, bytes: packet.length, said };
    let changed = before != after;
    let packet = if changed { packet.between(after.src, after.dst) } else { *packet };
    Translated { rule, packet, changed, clashes: false, note }
}

/// Whether a rule names the port that it is applied to.
fn is_applied(rules: &[(String, NatRule)], id: &str) -> bool {
    rules.iter().any(|(own, rule)| own == id && rule.applied_to().is_some())
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
