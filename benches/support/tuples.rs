//! Five-tuple filters in the manner of ClassBench's seeds, made from a seed of our own: a few thousand
//! networks that nest, filters that overlap, services that repeat.

use dataplane::engine::tuple::{Carried, Filter, Header, Kind, Span};
use dataplane::{
    Action, AddressRange, AppliedTo, Layer, Packet, Peer, PortRange, Ports, Rule, RuleId, Service,
    ServiceMatch, TcpFlags, Term, Transport,
};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

/// What sort of list it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Profile {
    /// An access list: both ends specific, few services, any source port.
    Acl,
    /// A firewall: most filters leave one end open; source ports count.
    Fw,
    /// IP chains: lengths of all sorts on either end.
    Ipc,
}

impl Profile {
    /// Every profile.
    pub const ALL: &[Self] = &[Self::Acl, Self::Fw, Self::Ipc];

    /// Lengths of a source's and a destination's prefix, each with its share in percent.
    const fn lengths(self) -> &'static [(u64, u8, u8)] {
        match self {
            Self::Acl => {
                &[(75, 32, 32), (8, 23, 32), (8, 32, 22), (5, 30, 24), (3, 23, 8), (1, 8, 0)]
            }
            Self::Fw => {
                &[(58, 0, 32), (22, 32, 0), (12, 30, 32), (6, 28, 28), (1, 12, 0), (1, 0, 0)]
            }
            Self::Ipc => {
                &[(27, 32, 32), (25, 24, 24), (20, 24, 32), (10, 16, 24), (15, 0, 24), (3, 24, 0)]
            }
        }
    }
}

/// Numbers from a seed (splitmix64).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// An address: its upper half one of few, so that networks nest.
    fn address(&mut self, networks: u64) -> u32 {
        let network = Self(self.below(networks)).next();
        u32::try_from(network & 0xffff_0000 | self.next() & 0xffff).unwrap_or(0)
    }

    fn within<T: Copy + Into<u64> + TryFrom<u64>>(&mut self, span: Span<T>) -> T {
        let (first, last) = (span.first.into(), span.last.into());
        T::try_from(first + self.below(last - first + 1)).unwrap_or(span.first)
    }
}

/// `count` filters, the last of which takes everything. The same from the same seed.
pub fn filters(profile: Profile, count: u32, seed: u64) -> Vec<Filter> {
    let mut chance = Chance(seed);
    let networks = u64::from(count / 64 + 4);
    let filters = (0..count).map(|rank| {
        if rank + 1 == count {
            let (src, dst) = (Span::<u32>::ALL, Span::<u32>::ALL);
            return Filter { src, dst, carried: Carried::ANY, rank };
        }
        let mut share = chance.below(100);
        let lengths = profile.lengths().iter().find(|(own, ..)| {
            let here = share < *own;
            share = share.saturating_sub(*own);
            here
        });
        let &(_, src, dst) = lengths.unwrap_or(&profile.lengths()[0]);
        Filter {
            src: Span::<u32>::prefix(chance.address(networks), src),
            dst: Span::<u32>::prefix(chance.address(networks), dst),
            carried: carried(&mut chance, profile),
            rank,
        }
    });
    filters.collect()
}

fn carried(chance: &mut Chance, profile: Profile) -> Carried {
    let one = |port: u16| Span { first: port, last: port };
    let well_known = [22, 25, 53, 80, 110, 123, 161, 443, 445, 1433, 3306, 8080];
    let known = well_known[usize::try_from(chance.below(12)).unwrap_or(0)];
    let dst_port = match chance.below(10) {
        0..=5 => one(known),
        6 => Span { first: 1024, last: u16::MAX },
        7 => Span { first: known, last: known + 20 },
        _ => Span::<u16>::ALL,
    };
    let src_port = match (profile, chance.below(8)) {
        (Profile::Fw, 0) => one(known),
        (Profile::Fw, 1) => Span { first: 1024, last: u16::MAX },
        _ => Span::<u16>::ALL,
    };
    match chance.below(10) {
        0 => Carried::ANY,
        share => {
            let protocol = if share < 7 { 6 } else { 17 };
            let (kind, kind_mask) = (protocol << 2, Kind::PROTOCOL);
            Carried { src_port, dst_port, kind_mask, kind }
        }
    }
}

/// Headers that each lie in a filter drawn at random. The same from the same seed.
pub fn headers(filters: &[Filter], count: usize, seed: u64) -> Vec<Header> {
    let mut chance = Chance(seed);
    let headers = (0..count).map(|_| {
        let at = usize::try_from(chance.below(filters.len() as u64)).unwrap_or(0);
        let Filter { src, dst, carried, .. } = filters[at];
        let kind = if carried.kind_mask == 0 { 17 << 2 } else { carried.kind };
        let (src_port, dst_port) =
            (chance.within(carried.src_port), chance.within(carried.dst_port));
        Header::new(chance.within(src), chance.within(dst), src_port, dst_port, Kind(kind))
    });
    headers.collect()
}

/// As many headers again, of the flows of these by Zipf's law: the n-th comes in proportion to 1/n.
pub fn zipf(flows: &[Header], seed: u64) -> Vec<Header> {
    let mut chance = Chance(seed);
    let mut sum = 0.0;
    let shares = (1_u32..).take(flows.len()).map(|place| {
        sum += 1.0 / f64::from(place);
        sum
    });
    let shares: Vec<f64> = shares.collect();
    let last = shares.last().copied().unwrap_or_default();
    let headers = flows.iter().map(|_| {
        let drawn = f64::from(u32::try_from(chance.below(1 << 32)).unwrap_or(0)) / 4_294_967_296.0;
        let at = shares.partition_point(|share| *share < drawn * last);
        flows[at.min(flows.len() - 1)]
    });
    headers.collect()
}

/// The IPv6 network that stands for IPv4's in the rules and packets here.
fn v6(address: u32) -> IpAddr {
    let [a, b, c, d] = address.to_be_bytes().map(u16::from);
    Ipv6Addr::new(0xfd00, 0, 0, a << 8 | b, 0, 0, 0, c << 8 | d).into()
}

/// The same filters as rules between IPv6 addresses.
pub fn v6_rules(filters: &[Filter]) -> Vec<Arc<Rule>> {
    let peer = |span: Span<u32>| match AddressRange::new(v6(span.first), v6(span.last)) {
        Ok(range) if span != Span::<u32>::ALL => {
            Peer::OneOf { terms: vec![Term::Range(range)], negated: false }
        }
        _ => Peer::Any,
    };
    let ports = |span: Span<u16>| vec![PortRange { first: span.first, last: span.last }];
    let rules = filters.iter().map(|filter| {
        let Carried { src_port, dst_port, kind, kind_mask } = filter.carried;
        let ports = Ports { source: ports(src_port), destination: ports(dst_port) };
        let service = match (kind_mask, kind >> 2) {
            (0, _) => ServiceMatch::Any,
            (_, 6) => ServiceMatch::OneOf(vec![Service::Tcp(ports)]),
            _ => ServiceMatch::OneOf(vec![Service::Udp(ports)]),
        };
        Arc::new(Rule {
            id: RuleId(u64::from(filter.rank)),
            layer: Layer::Ip,
            action: Action::Allow,
            direction: None,
            family: None,
            source: peer(filter.src),
            destination: peer(filter.dst),
            service,
            applied_to: AppliedTo::Everywhere,
            stateful: true,
            tcp_strict: false,
        })
    });
    rules.collect()
}

/// The same headers as IPv6 packets.
pub fn v6_packets(headers: &[Header]) -> Vec<Packet> {
    let packets = headers.iter().map(|header| {
        let Header { src, dst, src_port, dst_port, kind, .. } = *header;
        let transport = if kind.0 >> 2 == 6 {
            Transport::Tcp { src_port, dst_port, flags: TcpFlags::SYN }
        } else {
            Transport::Udp { src_port, dst_port }
        };
        Packet::ip(v6(src), v6(dst), transport)
    });
    packets.collect()
}
