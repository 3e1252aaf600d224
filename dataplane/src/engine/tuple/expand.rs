//! Rules taken apart into filters.

use std::net::IpAddr;

use super::header::icmp_protocol;
use super::{Carried, Filter, Kind, Span};
use crate::engine::Unsupported;
use crate::{
    AddressRange, Direction, Family, Layer, Peer, PortRange, Ports, Rule, Service, ServiceMatch,
    Term,
};

/// The most filters that a rule list may become.
const MOST_FILTERS: usize = 1 << 20;

/// A filter whose addresses are still as wide as those of its family.
pub(super) struct Wide {
    pub(super) src: Span<u128>,
    pub(super) dst: Span<u128>,
    pub(super) carried: Carried,
    pub(super) rank: u32,
}

impl Wide {
    /// The filter of an IPv4 one, whose addresses are 32 bits wide already.
    pub(super) fn narrow(&self) -> Filter {
        let span = |wide: Span<u128>| Span { first: wide.first as u32, last: wide.last as u32 };
        Filter { src: span(self.src), dst: span(self.dst), carried: self.carried, rank: self.rank }
    }
}

/// The filters that the rules make of one family's packets. A rule's place is its filters' rank.
pub(super) fn expand<'r>(
    rules: impl IntoIterator<Item = &'r Rule>,
    family: Family,
) -> Result<Vec<Wide>, Unsupported> {
    let mut filters = Vec::new();
    for (rank, rule) in (0..).zip(rules) {
        if rule.layer != Layer::Ip {
            return Err(Unsupported::EthernetRules);
        }
        let (sources, destinations) =
            (spans(&rule.source, family)?, spans(&rule.destination, family)?);
        if rule.family.is_some_and(|wanted| wanted != family) {
            continue;
        }
        let carried = carried(&rule.service, rule.direction, family);
        let count = sources.len().saturating_mul(destinations.len()).saturating_mul(carried.len());
        if filters.len() + count > MOST_FILTERS {
            return Err(Unsupported::TooLarge);
        }
        for &src in &sources {
            for &dst in &destinations {
                filters.extend(carried.iter().map(|&carried| Wide { src, dst, carried, rank }));
            }
        }
    }
    Ok(filters)
}

/// An address as a number.
pub(super) fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

fn everything(family: Family) -> Span<u128> {
    let last = match family {
        Family::V4 => u32::MAX.into(),
        Family::V6 => u128::MAX,
    };
    Span { first: 0, last }
}

/// The family's addresses that the peer holds: ascending and apart from each other.
fn spans(peer: &Peer, family: Family) -> Result<Vec<Span<u128>>, Unsupported> {
    let Peer::OneOf { terms, negated } = peer else { return Ok(vec![everything(family)]) };
    let mut ranges: Vec<AddressRange> = Vec::with_capacity(terms.len());
    for term in terms {
        match term {
            Term::Set(_) => return Err(Unsupported::AddressSets),
            Term::Range(range) if Family::of(range.first()) == family => ranges.push(*range),
            // Holds none of the family's addresses.
            Term::Range(_) | Term::Mac(_) => {}
        }
    }
    ranges.sort_unstable();
    let mut merged: Vec<Span<u128>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        let (first, last) = (number(range.first()), number(range.last()));
        match merged.last_mut() {
            Some(open) if first <= open.last => open.last = open.last.max(last),
            _ => merged.push(Span { first, last }),
        }
    }
    Ok(if *negated { gaps(&merged, everything(family)) } else { merged })
}

/// What of `whole` lies between the spans, which are ascending and apart.
fn gaps(spans: &[Span<u128>], whole: Span<u128>) -> Vec<Span<u128>> {
    let (mut gaps, mut next) = (Vec::new(), Some(whole.first));
    for span in spans {
        let before = next.zip(span.first.checked_sub(1));
        gaps.extend(before.and_then(|(first, last)| Span::new(first, last)));
        next = span.last.checked_add(1);
    }
    gaps.extend(next.and_then(|first| Span::new(first, whole.last)));
    gaps
}

fn carried(service: &ServiceMatch, direction: Option<Direction>, family: Family) -> Vec<Carried> {
    let way = direction.map_or(0, |_| Kind::DIRECTION);
    let direction = direction.unwrap_or(Direction::In);
    let any = Carried { kind_mask: way, kind: Kind::new(direction, 0, false).0, ..Carried::ANY };
    let services = match service {
        ServiceMatch::Any => return vec![any],
        ServiceMatch::OneOf(services) => services,
    };
    let headed = |protocol| Carried {
        kind_mask: way | Kind::BARE | Kind::PROTOCOL,
        kind: Kind::new(direction, protocol, false).0,
        ..Carried::ANY
    };
    let exactly = |number: Option<u8>| {
        number.map_or(Span::<u16>::ALL, |number| Span { first: number.into(), last: number.into() })
    };
    let mut found = Vec::new();
    for service in services {
        match service {
            Service::Tcp(ports) => found.extend(with_ports(headed(6), ports)),
            Service::Udp(ports) => found.extend(with_ports(headed(17), ports)),
            Service::Icmp { family: wanted, kind, code } if *wanted == family => {
                let (src_port, dst_port) = (exactly(*kind), exactly(*code));
                found.push(Carried { src_port, dst_port, ..headed(icmp_protocol(family)) });
            }
            Service::Protocol(number) => {
                let kind = Kind::new(direction, *number, false).0;
                found.push(Carried { kind_mask: way | Kind::PROTOCOL, kind, ..Carried::ANY });
            }
            Service::Icmp { .. } | Service::EtherType(_) => {}
        }
    }
    found
}

fn with_ports(carried: Carried, ports: &Ports) -> impl Iterator<Item = Carried> {
    let spans = |ranges: &[PortRange]| -> Vec<Span<u16>> {
        if ranges.is_empty() {
            return vec![Span::<u16>::ALL];
        }
        ranges.iter().filter_map(|range| Span::new(range.first, range.last)).collect()
    };
    let (sources, destinations) = (spans(&ports.source), spans(&ports.destination));
    sources.into_iter().flat_map(move |src_port| {
        let with = move |dst_port| Carried { src_port, dst_port, ..carried };
        destinations.clone().into_iter().map(with)
    })
}
