//! What translations are remembered: connections, and counts of each rule.
//!
//! Connections live by the session timers, as those of the firewall do: both are one table in the
//! product. Beyond [`MOST`] the one that would have ended first makes room.

use crate::clock::Millis;
use dataplane::{Packet, SessionState, Timers, Transport};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;

/// The most connections that are remembered.
const MOST: usize = 65_536;

/// Which end of packets is translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// Where they come from.
    Source,
    /// Where they go.
    Destination,
}

/// One direction of a conversation, by protocol and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tuple {
    protocol: u8,
    /// From where.
    pub src: SocketAddr,
    /// To where.
    pub dst: SocketAddr,
}

impl Tuple {
    /// That of a packet; none where it has none of its own.
    pub fn of(packet: &Packet) -> Option<Self> {
        let (src, dst) = packet.sockets()?;
        let ip = packet.ip?;
        Some(Self { protocol: ip.transport.protocol(ip.family()), src, dst })
    }

    /// The same conversation between other ends.
    pub fn between(self, (src, dst): (SocketAddr, SocketAddr)) -> Self {
        Self { src, dst, ..self }
    }

    /// The other direction.
    pub fn reversed(self) -> Self {
        self.between((self.dst, self.src))
    }
}

/// A connection as it comes to a router.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The router.
    pub router: Arc<str>,
    /// The end that is translated.
    pub way: Way,
    /// Before the translation.
    pub before: Tuple,
}

/// A connection that is remembered.
#[derive(Clone, Debug)]
struct Connection {
    after: Tuple,
    /// None where no rule concerned it: then it goes on untranslated, and so do its answers.
    rule: Option<String>,
    node: String,
    state: SessionState,
    packets: u64,
    until: Millis,
}

/// A packet to be remembered once it has passed.
#[derive(Clone, Debug)]
pub struct Note {
    /// The rule that concerned it, if one did.
    pub rule: Option<String>,
    /// The edge node that works for the router; empty where there is none.
    pub node: String,
    /// Its bytes.
    pub bytes: u32,
    /// What it says of a connection, where one is remembered.
    pub said: Option<Said>,
}

/// What a packet says of a connection.
#[derive(Clone, Debug)]
pub struct Said {
    /// Whose packet it is.
    pub key: Key,
    /// After the translation.
    pub after: Tuple,
    /// Whether it answers.
    pub answer: bool,
    /// Its transport header.
    pub transport: Transport,
}

/// What a rule did on one node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NatTally {
    /// Packets either way.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Connections now.
    pub sessions: u64,
}

impl NatTally {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            packets: self.packets + other.packets,
            bytes: self.bytes + other.bytes,
            sessions: self.sessions + other.sessions,
        }
    }
}

/// Everything that is remembered.
#[derive(Debug, Default)]
pub struct NatMemory {
    connections: HashMap<Key, Connection>,
    /// By when each connection ends unless packets come.
    ends: BTreeSet<(Millis, Key)>,
    /// An answer as it comes to its router, to the connection that it belongs to.
    answers: HashMap<Key, Key>,
    /// Rule to what it did, by node.
    tallies: HashMap<String, BTreeMap<String, NatTally>>,
}

impl NatMemory {
    /// The connection that a packet answers, the rule and the edge node that translate it.
    pub fn answered(&self, answer: &Key) -> Option<(&Key, Option<&str>, &str)> {
        let key = self.answers.get(answer)?;
        let own = self.connections.get(key)?;
        Some((key, own.rule.as_deref(), &own.node))
    }

    /// What a connection's packets are translated to, the rule and the edge node that do it. None
    /// where the packet begins another connection on the ports of one that is over.
    pub fn known(&self, key: &Key, packet: &Packet) -> Option<(Tuple, Option<&str>, &str)> {
        let own = self.connections.get(key)?;
        let opens = packet.tcp_flags().is_some_and(dataplane::TcpFlags::opens);
        let anew = own.state.is_over() && opens;
        (!anew).then_some((own.after, own.rule.as_deref(), &*own.node))
    }

    /// Whether an answer to a new connection would be taken for one to another.
    pub fn is_taken(&self, key: &Key, after: Tuple) -> bool {
        let answer = Key { before: after.reversed(), ..key.clone() };
        self.answers.get(&answer).is_some_and(|own| own != key)
    }

    /// What a rule did, by edge node; by the empty name where its router has none.
    pub fn of(&self, rule: &str) -> impl Iterator<Item = (&str, NatTally)> {
        let nodes = self.tallies.get(rule).into_iter().flatten();
        nodes.map(|(node, tally)| (node.as_str(), *tally))
    }

    /// What all rules did on an edge node.
    pub fn on(&self, node: &str) -> NatTally {
        let own = self.tallies.values().filter_map(|nodes| nodes.get(node));
        own.fold(NatTally::default(), |sum, own| sum.and(*own))
    }

    /// Remembers and counts a packet that was translated, or let alone by a rule.
    pub fn note(&mut self, now: Millis, timers: &Timers, note: &Note) {
        if let Some(rule) = &note.rule {
            let tally = self.tally(rule, &note.node);
            tally.packets += 1;
            tally.bytes += u64::from(note.bytes);
        }
        let Some(said) = &note.said else { return };
        let opens = matches!(said.transport, Transport::Tcp { flags, .. } if flags.opens());
        let ends = |own: &Connection| own.after != said.after || (own.state.is_over() && opens);
        if !said.answer && self.connections.get(&said.key).is_none_or(ends) {
            self.forget(&said.key);
            self.open(now, note, said);
        }
        let Some(own) = self.connections.get_mut(&said.key) else { return };
        own.state.observe(!said.answer, said.transport);
        own.packets += 1;
        let patience = own.state.patience(timers, own.packets == 1).as_millis();
        let before = (own.until, said.key.clone());
        own.until = now.saturating_add(u64::try_from(patience).unwrap_or(Millis::MAX));
        let until = own.until;
        self.ends.remove(&before);
        self.ends.insert((until, said.key.clone()));
    }

    /// Forgets connections that have ended.
    pub fn expire(&mut self, now: Millis) {
        while let Some((until, key)) = self.ends.first()
            && *until <= now
        {
            let key = key.clone();
            self.forget(&key);
        }
    }

    /// Forgets the connections that a rule of a router may see otherwise now that it changed: its
    /// own, and those that none concerned. Forgets what it did where it is gone.
    pub fn forget_rule(&mut self, router: &str, rule: &str, gone: bool) {
        let concerned = |key: &Key, own: &Connection| match &own.rule {
            Some(own) => own == rule,
            None => &*key.router == router,
        };
        let own = self.connections.iter().filter(|(key, own)| concerned(key, own));
        let keys: Vec<Key> = own.map(|(key, _)| key.clone()).collect();
        for key in keys {
            self.forget(&key);
        }
        if gone {
            self.tallies.remove(rule);
        }
    }

    fn open(&mut self, now: Millis, note: &Note, said: &Said) {
        if self.connections.len() >= MOST
            && let Some((_, first)) = self.ends.first().cloned()
        {
            self.forget(&first);
        }
        if let Some(rule) = &note.rule {
            self.tally(rule, &note.node).sessions += 1;
        }
        let answer = Key { before: said.after.reversed(), ..said.key.clone() };
        self.answers.insert(answer, said.key.clone());
        self.ends.insert((now, said.key.clone()));
        let connection = Connection {
            after: said.after,
            rule: note.rule.clone(),
            node: note.node.clone(),
            state: SessionState::new(said.transport),
            packets: 0,
            until: now,
        };
        self.connections.insert(said.key.clone(), connection);
    }

    fn forget(&mut self, key: &Key) {
        let Some(own) = self.connections.remove(key) else { return };
        let answer = Key { before: own.after.reversed(), ..key.clone() };
        // A later connection may have taken its place.
        if self.answers.get(&answer) == Some(key) {
            self.answers.remove(&answer);
        }
        if let Some(rule) = &own.rule {
            let tally = self.tally(rule, &own.node);
            tally.sessions = tally.sessions.saturating_sub(1);
        }
        self.ends.remove(&(own.until, key.clone()));
    }

    fn tally(&mut self, rule: &str, node: &str) -> &mut NatTally {
        self.tallies.entry(rule.to_owned()).or_default().entry(node.to_owned()).or_default()
    }
}
