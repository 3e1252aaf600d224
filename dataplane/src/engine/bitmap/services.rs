//! From what a packet carries to the row of the rules that want it.

use rustc_hash::FxHashMap;

use super::codes::Codes;
use super::radix::Radix;
use super::rows::{Rows, Shape};
use crate::engine::tuple::{Header, Kind};
use crate::matching::Key;
use crate::{Family, Ports, Rule, Service, ServiceMatch, Transport};

/// The tables: TCP and UDP by destination port, ICMP by type and code, the rest by protocol.
const TCP: usize = 0;
const UDP: usize = 1;
const ICMP: [usize; 2] = [2, 3];
const OTHER: usize = 4;

/// Keys of one table from the first to the last.
pub(super) type Span = (usize, u32, u32);

/// Rows by what packets carry. A row serves all keys of which rules say the same.
#[derive(Clone, Debug)]
pub(super) struct Services {
    pub(super) rows: Rows,
    tables: [Radix; 5],
    /// How many keys each row serves.
    count: FxHashMap<u32, u32>,
    pub(super) codes: Codes,
}

/// How many keys the tables have.
const KEYS: u32 = 5 * (1 << 16);

impl Services {
    pub(super) fn new(shape: Shape) -> Self {
        let tables = std::array::from_fn(|_| Radix::short(0));
        let count = FxHashMap::from_iter([(0, KEYS)]);
        Self { rows: Rows::coded(shape), tables, count, codes: Codes::new() }
    }

    /// The row of what a packet carries, by the number of its key.
    #[inline]
    pub(super) fn row(&self, key: u32) -> u32 {
        let table = self.tables.get((key >> 16) as usize);
        table.map_or(0, |table| table.get_short(low(key)))
    }

    /// The row of what an IPv4 header tells.
    #[inline]
    pub(super) fn row_of(&self, header: &Header) -> u32 {
        const TCP_PORTS: u16 = 6 << 2;
        const UDP_PORTS: u16 = 17 << 2;
        const ICMP_TYPES: u16 = 1 << 2;
        let kind = header.kind.0 & (Kind::PROTOCOL | Kind::BARE);
        let (table, key) = if kind == TCP_PORTS || kind == UDP_PORTS {
            // A number, not a branch: both come all the time.
            (usize::from(kind == UDP_PORTS), header.dst_port)
        } else if kind == ICMP_TYPES {
            (ICMP[0], header.src_port << 8 | header.dst_port)
        } else {
            (OTHER, kind >> 2)
        };
        self.tables[table].get_short(key)
    }

    /// Rows for rules at their places, all at once. `Any` is the base's matter.
    pub(super) fn fill<'r>(&mut self, rules: impl Iterator<Item = (u32, &'r ServiceMatch)>) {
        // From each key on: the places that come and those that go.
        let mut edges: [Vec<(u32, bool, u32)>; 5] = Default::default();
        for (place, service) in rules {
            for (table, first, last) in spans(service) {
                edges[table].push((first, true, place));
                edges[table].push((last + 1, false, place));
            }
        }
        let mut known: FxHashMap<Box<[u32]>, u32> = FxHashMap::default();
        for (table, mut edges) in edges.into_iter().enumerate() {
            edges.sort_unstable();
            // A place may be wanted by several services at once.
            let mut wanted: std::collections::BTreeMap<u32, u32> =
                std::collections::BTreeMap::new();
            let mut edges = edges.chunk_by(|a, b| a.0 == b.0).peekable();
            while let Some(here) = edges.next() {
                for (_, comes, place) in here {
                    let times = wanted.entry(*place).or_default();
                    *times = times.wrapping_add(if *comes { 1 } else { u32::MAX });
                    if *times == 0 {
                        wanted.remove(place);
                    }
                }
                let Some(next) = edges.peek() else { break };
                let (first, last) = (here[0].0, next[0].0 - 1);
                let places: Vec<u32> = wanted.keys().copied().collect();
                if places.is_empty() {
                    continue;
                }
                let rows = &mut self.rows;
                let row = *known
                    .entry(places.into_boxed_slice())
                    .or_insert_with_key(|places| rows.make(&mut places.to_vec()));
                self.tables[table].fill(first, last, row);
                *self.count.entry(row).or_default() += last - first + 1;
                *self.count.entry(0).or_default() -= last - first + 1;
            }
        }
    }

    /// A rule that wants a service comes or goes.
    pub(super) fn change(&mut self, service: &ServiceMatch, place: u32, wanted: bool) {
        let spans = disjoint(spans(service));
        let mut concerned: FxHashMap<u32, u32> = FxHashMap::default();
        for (table, first, last) in &spans {
            self.tables[*table].map(*first, *last, &mut |row, keys| {
                *concerned.entry(row).or_default() += keys;
                row
            });
        }
        let mut now: FxHashMap<u32, u32> = FxHashMap::default();
        for (row, keys) in concerned {
            let all = self.count.get(&row).copied().unwrap_or(0);
            self.count.insert(row, all - keys);
            // Row 0 is the stranger's own and stays as it is.
            let own = match (keys == all && row != 0, wanted) {
                (false, _) => self.rows.with(row, place, wanted),
                (true, true) => self.rows.set(row, place),
                (true, false) => self.rows.clear(row, place),
            };
            if self.count.get(&row) == Some(&0) && row != 0 {
                self.count.remove(&row);
            }
            now.insert(row, own);
            // A number given back may be taken again at once: count by the new number last.
            *self.count.entry(own).or_default() += keys;
        }
        for (table, first, last) in &spans {
            self.tables[*table]
                .map(*first, *last, &mut |row, _| now.get(&row).copied().unwrap_or(row));
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.rows.bytes() + self.codes.bytes() + self.tables.iter().map(Radix::bytes).sum::<usize>()
    }
}

/// The lower bits of a number.
#[allow(clippy::cast_possible_truncation)] // That is what is wanted.
const fn low(key: u32) -> u16 {
    key as u16
}

/// A key of a table as a number of its own.
#[allow(clippy::cast_possible_truncation)] // There are five tables.
pub(super) const fn key(table: usize, key: u32) -> u32 {
    (table as u32) << 16 | key
}

/// What a packet carries, as the number of a key.
#[inline]
pub(super) fn key_of(transport: Transport, family: Family) -> u32 {
    let (udp, port) = match transport {
        Transport::Tcp { dst_port, .. } => (false, dst_port),
        Transport::Udp { dst_port, .. } => (true, dst_port),
        Transport::Icmp { kind, code, .. } => {
            return key(ICMP[family as usize], u32::from(kind) << 8 | u32::from(code));
        }
        Transport::Other(protocol) => return key(OTHER, protocol.into()),
    };
    // A number, not a branch: both come all the time.
    key(usize::from(udp), port.into())
}

/// Whether a rule's service asks for more than the tables look at.
pub(super) fn is_conditional(service: &ServiceMatch) -> bool {
    let ServiceMatch::OneOf(services) = service else { return false };
    services.iter().any(|service| {
        matches!(service, Service::Tcp(ports) | Service::Udp(ports) if !ports.source.is_empty())
    })
}

/// So many bits tell of single keys, the others of the many that have the same upper bits.
const FINE: u32 = 20;

/// One of so many bits, by a number of 16 bits.
const fn one_of(bits: u32, mixed: u32) -> u32 {
    1 << (((mixed & 0xffff) * bits) >> 16)
}

/// The bits of one key: two, for rules that want other keys seldom have both.
const fn fine(key: u32) -> u32 {
    let mixed = key.wrapping_mul(0x85eb_ca6b);
    one_of(FINE, mixed) | one_of(FINE, mixed >> 16)
}

/// The bit of all keys that have these upper bits.
const fn coarse(upper: u32) -> u32 {
    one_of(u32::BITS - FINE, upper.wrapping_mul(0x9e37_79b9) >> 16) << FINE
}

/// Some bits of what a rule wants, by which [`may_want`] tells.
pub(super) fn wanted(service: &ServiceMatch) -> u32 {
    if *service == ServiceMatch::Any {
        return u32::MAX;
    }
    spans(service).into_iter().fold(0, |bits, (table, first, last)| {
        let (first, last) = (key(table, first), key(table, last));
        bits | match (last >> 8) - (first >> 8) {
            _ if first == last => fine(first),
            0..8 => (first >> 8..=last >> 8).fold(0, |bits, upper| bits | coarse(upper)),
            _ => u32::MAX,
        }
    })
}

/// Whether one of the rules that have these bits together may want what a packet carries.
#[inline]
#[allow(clippy::needless_bitwise_bool)] // A lazy operator is a branch, which would be guessed wrong.
pub(super) const fn may_want(wanted: u32, key: u32) -> bool {
    let (fine, coarse) = (fine(key), coarse(key >> 8));
    (wanted & fine == fine) | (wanted & coarse != 0)
}

/// Whether a rule wants what a packet carries, asked itself.
#[cold]
pub(super) fn accepts(rule: &Rule, key: Key<'_>) -> bool {
    rule.service.holds(rule.layer, key.packet)
}

/// The keys that a service match wants.
pub(super) fn spans(service: &ServiceMatch) -> Vec<Span> {
    let ServiceMatch::OneOf(services) = service else { return Vec::new() };
    let mut spans = Vec::new();
    for service in services {
        match service {
            Service::Tcp(ports) => to_ports(TCP, ports, &mut spans),
            Service::Udp(ports) => to_ports(UDP, ports, &mut spans),
            Service::Icmp { family, kind, code } => {
                let table = ICMP[*family as usize];
                let kinds = kind.map_or(0..=u8::MAX, |kind| kind..=kind);
                let codes = code.map_or((0, u8::MAX), |code| (code, code));
                let key = |kind: u8, code: u8| u32::from(kind) << 8 | u32::from(code);
                spans.extend(kinds.map(|kind| (table, key(kind, codes.0), key(kind, codes.1))));
            }
            Service::Protocol(number) => {
                spans.push((OTHER, u32::from(*number), u32::from(*number)));
                let whole = match number {
                    6 => Some(TCP),
                    17 => Some(UDP),
                    1 => Some(ICMP[Family::V4 as usize]),
                    58 => Some(ICMP[Family::V6 as usize]),
                    _ => None,
                };
                spans.extend(whole.map(|table| (table, 0, u32::from(u16::MAX))));
            }
            Service::EtherType(_) => {}
        }
    }
    spans
}

fn to_ports(table: usize, ports: &Ports, spans: &mut Vec<Span>) {
    if ports.destination.is_empty() {
        spans.push((table, 0, u32::from(u16::MAX)));
    }
    let some = ports.destination.iter().filter(|range| range.first <= range.last);
    spans.extend(some.map(|range| (table, u32::from(range.first), u32::from(range.last))));
}

/// The same keys, each in one span.
fn disjoint(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut merged: Vec<Span> = Vec::new();
    for (table, first, last) in spans {
        match merged.last_mut() {
            Some(open) if open.0 == table && first <= open.2 => open.2 = open.2.max(last),
            _ => merged.push((table, first, last)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PortRange;

    #[test]
    fn whatever_a_rule_wants_its_bits_may_want() {
        for (first, last) in [(443, 443), (8_000, 8_150), (1_000, 2_500), (1, u16::MAX)] {
            let ports = Ports::to([PortRange { first, last }]);
            let services = vec![Service::Udp(ports.clone()), Service::Tcp(ports)];
            let bits = wanted(&ServiceMatch::OneOf(services));
            for port in (first..=last).step_by(7) {
                for table in [TCP, UDP] {
                    assert!(may_want(bits, key(table, port.into())), "{first} to {last}: {port}");
                }
            }
        }
        let of_one = wanted(&ServiceMatch::OneOf(vec![Service::Protocol(47)]));
        assert!(may_want(of_one, key(OTHER, 47)));
        let others = (0..1_000).filter(|port| may_want(of_one, key(TCP, *port))).count();
        assert!(others < 50, "{others} of a thousand others");
        assert!(may_want(wanted(&ServiceMatch::Any), key(TCP, 80)));
    }
}
