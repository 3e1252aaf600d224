//! What the load balancer remembers: connections, clients that it knows again, counts.
//!
//! All of it is bounded: beyond [`MOST`] the entry that would have ended first makes room.

use super::way::Balanced;
use crate::clock::Millis;
use dataplane::TcpFlags;
use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};

/// The most connections that are remembered, and the most clients.
const MOST: usize = 65_536;

/// A client's connection to a virtual server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Otherwise UDP.
    pub tcp: bool,
    /// The client.
    pub client: SocketAddr,
    /// The virtual server's address, and the port asked for.
    pub server: SocketAddr,
}

/// Where a connection went.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Who carries it.
    pub route: Route,
    until: Millis,
    closing: bool,
}

/// From a virtual server to a member, by ids and addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The service.
    pub service: String,
    /// The virtual server.
    pub server: String,
    /// Whether the virtual server is of layer 7.
    pub layer_7: bool,
    /// The pool.
    pub pool: String,
    /// The member.
    pub member: SocketAddr,
    /// The source that the member sees.
    pub source: SocketAddr,
    /// How long it lives without a packet.
    pub idle: Millis,
    /// How long it lives after its end, where ends are seen.
    pub close: Option<Millis>,
    /// The table of clients that it stands in, and how long an entry there lives.
    pub table: Option<(String, Millis)>,
}

/// Counts of connections and packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sessions {
    /// Connections now.
    pub open: u64,
    /// The most connections at once.
    pub max: u64,
    /// Connections ever.
    pub total: u64,
    /// Packets of clients.
    pub packets_in: u64,
    /// Their bytes.
    pub bytes_in: u64,
    /// Packets to clients.
    pub packets_out: u64,
    /// Their bytes.
    pub bytes_out: u64,
}

/// What a count is of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Counted {
    /// A service's virtual servers of layer 7, or of layer 4.
    Service(String, bool),
    /// A virtual server.
    Server(String),
    /// A pool.
    Pool(String),
    /// A member of a pool.
    Member(String, SocketAddr),
}

/// Everything that is remembered.
#[derive(Default)]
pub struct Memory {
    connections: HashMap<Key, Connection>,
    /// By when each connection ends unless packets come.
    ends: BTreeSet<(Millis, Key)>,
    /// Member and the source that it sees to the connection: whose answer it is.
    answers: HashMap<(bool, SocketAddr, SocketAddr), Key>,
    /// Table and client to the member, and until when.
    known: HashMap<(String, IpAddr), (SocketAddr, Millis)>,
    tallies: HashMap<Counted, Sessions>,
    /// Pool to the number of times that its algorithm chose.
    turns: HashMap<String, usize>,
}

impl Memory {
    /// A connection that is remembered.
    pub fn connection(&self, key: &Key) -> Option<&Connection> {
        self.connections.get(key)
    }

    /// The connection that a packet from a member answers.
    pub fn answered(&self, tcp: bool, from: SocketAddr, to: SocketAddr) -> Option<Key> {
        self.answers.get(&(tcp, from, to)).copied()
    }

    /// The member that a client is known to have had.
    pub fn member_of(&self, table: &str, client: IpAddr, now: Millis) -> Option<SocketAddr> {
        let (member, until) = self.known.get(&(table.to_owned(), client))?;
        (*until > now).then_some(*member)
    }

    /// How many clients a table knows.
    pub fn clients(&self, table: &str, now: Millis) -> usize {
        let entries = self.known.iter();
        entries.filter(|((own, _), (_, until))| own == table && *until > now).count()
    }

    /// How often a pool's algorithm chose a member: all connections but those of known clients.
    pub fn turn(&self, pool: &str) -> usize {
        self.turns.get(pool).copied().unwrap_or_default()
    }

    /// The counts of something.
    pub fn tally(&self, of: &Counted) -> Sessions {
        self.tallies.get(of).copied().unwrap_or_default()
    }

    /// The counts of a member of a pool; without a port over all its ports.
    pub fn member_tally(&self, pool: &str, address: IpAddr, port: Option<u16>) -> Sessions {
        let mut sum = Sessions::default();
        for (of, own) in &self.tallies {
            if let Counted::Member(in_pool, member) = of
                && in_pool == pool
                && member.ip() == address
                && port.is_none_or(|port| port == member.port())
            {
                sum.open += own.open;
                sum.max += own.max;
                sum.total += own.total;
                sum.packets_in += own.packets_in;
                sum.bytes_in += own.bytes_in;
                sum.packets_out += own.packets_out;
                sum.bytes_out += own.bytes_out;
            }
        }
        sum
    }

    /// A source for a new connection to a member that no other connection has: the client's own
    /// port, or the next one.
    pub fn free_source(&self, tcp: bool, member: SocketAddr, wanted: SocketAddr) -> SocketAddr {
        let ports = (0..=u16::MAX).map(|step| wanted.port().wrapping_add(step));
        let mut sources = ports.map(|port| SocketAddr::new(wanted.ip(), port));
        sources.find(|source| self.answered(tcp, member, *source).is_none()).unwrap_or(wanted)
    }

    /// Forgets connections that have ended.
    pub fn expire(&mut self, now: Millis) {
        while let Some((until, key)) = self.ends.first().copied()
            && until <= now
        {
            self.forget(&key);
        }
    }

    /// Remembers that a packet of a client came, and where it went.
    pub fn note_request(&mut self, now: Millis, packet: &Balanced) {
        let (key, route) = (packet.key, &packet.route);
        // What went elsewhere before is another connection now.
        if self.connections.get(&key).is_some_and(|own| own.route != *route) {
            self.forget(&key);
        }
        if !self.connections.contains_key(&key) {
            let mut tables = route.table.iter();
            let comes_back = tables.any(|(table, _)| {
                self.member_of(table, key.client.ip(), now) == Some(route.member)
            });
            if !comes_back {
                let turn = self.turns.entry(route.pool.clone()).or_default();
                *turn = turn.wrapping_add(1);
            }
            self.open(key, route.clone());
        }
        if let Some((table, lifetime)) = &route.table {
            self.know(table, key.client.ip(), route.member, now, *lifetime);
        }
        self.each(route, |tally| {
            tally.packets_in += 1;
            tally.bytes_in += u64::from(packet.bytes);
        });
        self.live_on(now, &key, packet.flags);
    }

    /// Remembers that a packet of a member came, for the connection that it answers.
    pub fn note_answer(&mut self, now: Millis, packet: &Balanced) {
        self.each(&packet.route, |tally| {
            tally.packets_out += 1;
            tally.bytes_out += u64::from(packet.bytes);
        });
        self.live_on(now, &packet.key, packet.flags);
    }

    /// Forgets all of an object that is gone.
    pub fn forget_object(&mut self, kind: &str, id: &str) {
        let concerns = |route: &Route| match kind {
            "LbService" => route.service == id,
            "LbVirtualServer" => route.server == id,
            "LbPool" => route.pool == id,
            _ => false,
        };
        let keys: Vec<Key> = self
            .connections
            .iter()
            .filter(|(_, own)| concerns(&own.route))
            .map(|(key, _)| *key)
            .collect();
        for key in keys {
            self.forget(&key);
        }
        self.tallies.retain(|of, _| match (kind, of) {
            ("LbService", Counted::Service(own, _))
            | ("LbVirtualServer", Counted::Server(own))
            | ("LbPool", Counted::Pool(own) | Counted::Member(own, _)) => own != id,
            _ => true,
        });
        if kind == "LbPool" {
            self.turns.remove(id);
        }
    }

    fn open(&mut self, key: Key, route: Route) {
        if self.connections.len() >= MOST
            && let Some((_, first)) = self.ends.first().copied()
        {
            self.forget(&first);
        }
        self.each(&route, |tally| {
            tally.total += 1;
            tally.open += 1;
            tally.max = tally.max.max(tally.open);
        });
        self.answers.insert((key.tcp, route.member, route.source), key);
        self.ends.insert((0, key));
        self.connections.insert(key, Connection { route, until: 0, closing: false });
    }

    fn forget(&mut self, key: &Key) {
        let Some(Connection { route, until, .. }) = self.connections.remove(key) else { return };
        self.ends.remove(&(until, *key));
        self.answers.remove(&(key.tcp, route.member, route.source));
        self.each(&route, |tally| tally.open = tally.open.saturating_sub(1));
    }

    /// A packet came: the connection lives on, unless it is at its end.
    fn live_on(&mut self, now: Millis, key: &Key, flags: Option<TcpFlags>) {
        let Some(own) = self.connections.get_mut(key) else { return };
        let has = |flag| flags.is_some_and(|flags| flags.contains(flag));
        let (was, route) = (own.until, &own.route);
        match route.close {
            Some(close) if !own.closing && (has(TcpFlags::FIN) || has(TcpFlags::RST)) => {
                own.closing = true;
                own.until = now.saturating_add(close);
            }
            _ if own.closing => {}
            _ => own.until = now.saturating_add(route.idle),
        }
        self.ends.remove(&(was, *key));
        self.ends.insert((own.until, *key));
    }

    fn know(&mut self, table: &str, client: IpAddr, to: SocketAddr, now: Millis, life: Millis) {
        let place = (table.to_owned(), client);
        if self.known.len() >= MOST && !self.known.contains_key(&place) {
            self.known.retain(|_, (_, until)| *until > now);
            let first = self.known.iter().min_by_key(|(place, (_, until))| (*until, *place));
            if self.known.len() >= MOST
                && let Some(first) = first.map(|(place, _)| place.clone())
            {
                self.known.remove(&first);
            }
        }
        self.known.insert(place, (to, now.saturating_add(life)));
    }

    /// Changes the counts of all that a connection belongs to.
    fn each(&mut self, route: &Route, change: impl Fn(&mut Sessions)) {
        for of in [
            Counted::Service(route.service.clone(), route.layer_7),
            Counted::Server(route.server.clone()),
            Counted::Pool(route.pool.clone()),
            Counted::Member(route.pool.clone(), route.member),
        ] {
            change(self.tallies.entry(of).or_default());
        }
    }
}
