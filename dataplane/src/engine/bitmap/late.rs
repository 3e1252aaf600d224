//! Rules that came since the rows were made, and are tried by themselves until they are worked in.
//!
//! Each has a number below [`MOST`], so that a few of them are a mask. A packet asks which of them may want
//! what it carries, and whether any of those on some vNICs may stand on its own; mostly there is none to
//! try. Both are told by few lines of bits, for at every change readers have to fetch anew what was written.

use std::sync::Arc;

use super::layout::Rank;
use crate::{AppliedTo, Packet, Ports, Rule, RuleId, Service, ServiceMatch, Transport, VnicId};

/// The most rules that are tried by themselves.
pub(crate) const MOST: usize = Mask::BITS as usize;

/// Kinds of what packets carry. A rule is tried for a packet if it may want its kind.
const KINDS: usize = 64;

/// Bits that tell of vNICs.
const VNICS: usize = 2_048;

/// VNICs, and some more whose bits are the same: bits in lines.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(crate) struct SomeVnics([[u64; 8]; VNICS / 512]);

impl SomeVnics {
    pub(crate) const NONE: Self = Self([[0; 8]; VNICS / 512]);

    fn words(&self) -> &[u64] {
        self.0.as_flattened()
    }

    /// Adds a vNIC.
    pub(crate) const fn add(&mut self, vnic: VnicId) {
        let (word, bit) = bit_of(vnic);
        self.0[word / 8][word % 8] |= bit;
    }

    /// Adds others. A line that stays as it is is not written.
    pub(crate) fn add_all(&mut self, others: &Self) {
        for (own, other) in self.0.iter_mut().zip(&others.0) {
            let both = std::array::from_fn(|word| own[word] | other[word]);
            if *own != both {
                *own = both;
            }
        }
    }
}

impl FromIterator<VnicId> for SomeVnics {
    fn from_iter<I: IntoIterator<Item = VnicId>>(vnics: I) -> Self {
        vnics.into_iter().fold(Self::NONE, |mut some, vnic| {
            some.add(vnic);
            some
        })
    }
}

/// Late rules by their number.
pub(crate) type Mask = u32;

#[derive(Clone, Debug)]
struct Entry {
    rank: Rank,
    name: RuleId,
    rule: Arc<Rule>,
    number: u32,
}

/// Late rules, in order.
#[derive(Clone, Debug)]
pub(crate) struct Late {
    rules: Vec<Entry>,
    by_kind: [Mask; KINDS],
    /// Those that stand on every vNIC.
    everywhere: Mask,
    /// Where any other stands.
    somewhere: SomeVnics,
    /// Where each stands, by number; readers have no use for it.
    on: Vec<SomeVnics>,
}

impl Late {
    pub(super) const fn new() -> Self {
        Self {
            rules: Vec::new(),
            by_kind: [0; KINDS],
            everywhere: 0,
            somewhere: SomeVnics::NONE,
            on: Vec::new(),
        }
    }

    /// Whether there is none.
    pub(crate) const fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.rules.len()
    }

    /// All, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Rank, &Arc<Rule>)> {
        self.rules.iter().map(|entry| (entry.rank, &entry.rule))
    }

    /// The rank of the rule of a name; of several, that of the first.
    pub(super) fn rank_of(&self, name: RuleId) -> Option<Rank> {
        self.rules.iter().find(|entry| entry.name == name).map(|entry| entry.rank)
    }

    /// The highest rank below another; 0 if there is none.
    pub(super) fn ahead_of(&self, rank: Rank) -> Rank {
        let mut ahead = self.rules.iter().rev().map(|entry| entry.rank);
        ahead.find(|own| *own < rank).unwrap_or(0)
    }

    /// Whether there is no number for one more.
    pub(crate) const fn is_full(&self) -> bool {
        self.rules.len() >= MOST
    }

    /// Whether there are so many that some should be worked into the rows.
    pub(crate) const fn is_many(&self) -> bool {
        self.rules.len() > MOST / 4
    }

    /// The first, with its rank.
    pub(super) fn first(&self) -> Option<(Rank, &Arc<Rule>)> {
        self.rules.first().map(|entry| (entry.rank, &entry.rule))
    }

    /// Adds a rule that stands on some vNICs, or everywhere. There must be room.
    pub(super) fn insert(&mut self, rank: Rank, rule: Arc<Rule>, on: &SomeVnics) {
        let taken = self.rules.iter().fold(0, |taken, entry| taken | 1 << entry.number);
        let number = Mask::trailing_ones(taken).min(Mask::BITS - 1);
        let kinds = kinds(&rule.service);
        for (kind, mask) in self.by_kind.iter_mut().enumerate() {
            // What stays as it is is not written.
            if kinds >> kind & 1 == 1 {
                *mask |= 1 << number;
            }
        }
        self.on.resize(MOST, SomeVnics::NONE);
        self.on[number as usize] = *on;
        self.somewhere.add_all(on);
        self.everywhere |= Mask::from(rule.applied_to == AppliedTo::Everywhere) << number;
        let at = self.rules.partition_point(|entry| entry.rank < rank);
        self.rules.insert(at, Entry { rank, name: rule.id, rule, number });
    }

    /// Takes a rule out.
    pub(super) fn remove(&mut self, rank: Rank) {
        let Ok(at) = self.rules.binary_search_by_key(&rank, |entry| entry.rank) else { return };
        let number = self.rules.remove(at).number;
        let own: Mask = 1 << number;
        for mask in &mut self.by_kind {
            if *mask & own != 0 {
                *mask &= !own;
            }
        }
        self.everywhere &= !own;
        for (word, all) in self.somewhere.0.as_flattened_mut().iter_mut().enumerate() {
            if self.on[number as usize].words()[word] != 0 {
                let on = |entry: &Entry| self.on[entry.number as usize].words()[word];
                let others = self.rules.iter().map(on);
                *all = others.fold(0, |all, own| all | own);
            }
        }
    }

    /// Tells a vNIC that may have come to some rules.
    pub(crate) fn may_stand_on(&mut self, vnic: VnicId, holds: impl Fn(&AppliedTo) -> bool) {
        let on = |entry: &&Entry| holds(&entry.rule.applied_to);
        let mask = self.rules.iter().filter(on).fold(0, |mask, entry| mask | 1 << entry.number);
        let mut left: Mask = mask & !self.everywhere;
        if left != 0 {
            self.somewhere.add(vnic);
        }
        while left != 0 {
            self.on[left.trailing_zeros() as usize].add(vnic);
            left &= left - 1;
        }
    }

    /// Gives rules other ranks, in the same order.
    pub(super) fn rename(&mut self, renamed: impl Fn(Rank) -> Rank) {
        for entry in &mut self.rules {
            entry.rank = renamed(entry.rank);
        }
    }

    /// Which rules may want what a packet carries.
    #[inline]
    pub(crate) fn wanting(&self, packet: &Packet) -> Mask {
        let transport = packet.ip.as_ref().map(|ip| ip.transport);
        transport.map_or(0, |transport| self.by_kind[kind(transport)])
    }

    /// Which rules to try for a packet on a vNIC; mostly none.
    #[inline]
    pub(crate) fn worth_trying(&self, vnic: VnicId, packet: &Packet) -> Mask {
        let (word, bit) = bit_of(vnic);
        let own = if self.somewhere.words()[word] & bit == 0 { self.everywhere } else { Mask::MAX };
        own & self.wanting(packet)
    }

    /// The first rule of a mask that comes before a rank and matches.
    pub(crate) fn first_of(
        &self,
        mask: Mask,
        before: Rank,
        matches: impl Fn(&Rule) -> bool,
    ) -> Option<&Arc<Rule>> {
        let before = self.rules.iter().take_while(|entry| entry.rank < before);
        let mut some = before.filter(|entry| mask >> entry.number & 1 == 1);
        some.find(|entry| matches(&entry.rule)).map(|entry| &entry.rule)
    }
}

/// The word and the bit that tell of a vNIC.
#[inline]
const fn bit_of(vnic: VnicId) -> (usize, u64) {
    let bit = (vnic.0.wrapping_mul(0x9e37_79b9) >> 21) as usize % VNICS;
    (bit / 64, 1 << (bit % 64))
}

/// The kind of what a packet carries.
#[inline]
const fn kind(transport: Transport) -> usize {
    match transport {
        Transport::Tcp { dst_port, .. } => of_port(dst_port, 0),
        Transport::Udp { dst_port, .. } => of_port(dst_port, KINDS / 2),
        Transport::Icmp { .. } | Transport::Other(_) => 0,
    }
}

const fn of_port(port: u16, turn: usize) -> usize {
    ((port ^ port >> 6 ^ port >> 12) as usize ^ turn) % KINDS
}

/// The kinds that a rule may want, one bit each; some more may be among them.
fn kinds(service: &ServiceMatch) -> u64 {
    let ServiceMatch::OneOf(services) = service else { return u64::MAX };
    services.iter().fold(0, |kinds, service| {
        kinds
            | match service {
                Service::Tcp(ports) => of_ports(ports, 0),
                Service::Udp(ports) => of_ports(ports, KINDS / 2),
                _ => u64::MAX,
            }
    })
}

fn of_ports(ports: &Ports, turn: usize) -> u64 {
    let few = |range: &crate::PortRange| usize::from(range.last - range.first) < KINDS;
    let ranges = || ports.destination.iter().filter(|range| range.first <= range.last);
    if ports.destination.is_empty() || !ranges().all(few) {
        return u64::MAX;
    }
    let all = ranges().flat_map(|range| range.first..=range.last);
    all.fold(0, |kinds, port| kinds | 1 << of_port(port, turn))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PortRange;

    #[test]
    fn a_rule_is_tried_for_every_port_that_it_wants() {
        for (first, last) in [(0, 0), (443, 443), (1_000, 1_063), (1_000, 2_000), (65_535, 65_535)]
        {
            let ports = Ports::to([PortRange { first, last }]);
            let tcp = kinds(&ServiceMatch::OneOf(vec![Service::Tcp(ports.clone())]));
            let udp = kinds(&ServiceMatch::OneOf(vec![Service::Udp(ports)]));
            for port in first..=last {
                let flags = crate::TcpFlags::SYN;
                let own = Transport::Tcp { src_port: 1, dst_port: port, flags };
                assert_eq!(tcp >> kind(own) & 1, 1);
                assert_eq!(udp >> kind(Transport::Udp { src_port: 1, dst_port: port }) & 1, 1);
            }
        }
        let icmp = Service::Icmp { family: crate::Family::V4, kind: None, code: None };
        for service in [icmp, Service::Protocol(6)] {
            assert_eq!(kinds(&ServiceMatch::OneOf(vec![service])), u64::MAX);
        }
        assert_eq!(kinds(&ServiceMatch::OneOf(Vec::new())), 0);
    }
}
