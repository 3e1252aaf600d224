//! Whether a rule matches a packet: the one place that says so.

use std::net::IpAddr;

use crate::rule::{Layer, Peer, PortRange, Ports, Rule, Service, ServiceMatch, Term};
use crate::{AddressSet, AddressSets, Direction, IpHeader, MacAddr, Packet, Transport};

/// What a classifier is asked about: a packet on its way through a filter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key<'p> {
    /// The way the packet goes, seen from the vNIC.
    pub direction: Direction,
    /// The packet.
    pub packet: &'p Packet,
}

/// A field of a rule that a packet can fail, in the order they are tried.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Field {
    /// The packet crosses the filter the other way.
    Direction,
    /// The packet is of another IP version, or not IP.
    Family,
    /// The packet comes from elsewhere.
    Source,
    /// The packet goes elsewhere.
    Destination,
    /// The packet carries something else.
    Service,
}

/// One end of a packet as a layer sees it.
#[derive(Clone, Copy)]
enum End {
    Mac(MacAddr),
    Ip(IpAddr),
}

impl Rule {
    /// The first field that the packet fails; `Ok` if the rule matches.
    pub fn check(&self, sets: &AddressSets, key: Key<'_>) -> Result<(), Field> {
        let Key { direction, packet } = key;
        let ensure = |holds: bool, field: Field| if holds { Ok(()) } else { Err(field) };
        let family = packet.ip.as_ref().map(IpHeader::family);

        ensure(self.direction.is_none_or(|wanted| wanted == direction), Field::Direction)?;
        ensure(self.family.is_none_or(|wanted| family == Some(wanted)), Field::Family)?;
        let (source, destination) = match (self.layer, &packet.ip) {
            (Layer::Ethernet, _) => (End::Mac(packet.src_mac), End::Mac(packet.dst_mac)),
            (Layer::Ip, Some(ip)) => (End::Ip(ip.src), End::Ip(ip.dst)),
            (Layer::Ip, None) => return Err(Field::Family),
        };
        ensure(self.source.holds(sets, source), Field::Source)?;
        ensure(self.destination.holds(sets, destination), Field::Destination)?;
        ensure(self.service.holds(self.layer, packet), Field::Service)
    }

    /// Whether the rule matches the packet.
    pub fn matches(&self, sets: &AddressSets, key: Key<'_>) -> bool {
        self.check(sets, key).is_ok()
    }
}

impl Peer {
    fn holds(&self, sets: &AddressSets, end: End) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf { terms, negated } => {
                terms.iter().any(|term| term.holds(sets, end)) != *negated
            }
        }
    }
}

impl Term {
    fn holds(&self, sets: &AddressSets, end: End) -> bool {
        match (self, end) {
            (Self::Set(id), _) => sets.get(*id).is_some_and(|set| set_holds(set, end)),
            (Self::Range(range), End::Ip(address)) => range.contains(address),
            (Self::Mac(mac), End::Mac(address)) => *mac == address,
            (Self::Range(_), End::Mac(_)) | (Self::Mac(_), End::Ip(_)) => false,
        }
    }
}

fn set_holds(set: &AddressSet, end: End) -> bool {
    match end {
        End::Mac(address) => set.contains_mac(address),
        End::Ip(address) => set.contains_ip(address),
    }
}

impl ServiceMatch {
    pub(crate) fn holds(&self, layer: Layer, packet: &Packet) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(services) => services.iter().any(|service| service.holds(layer, packet)),
        }
    }
}

impl Service {
    /// Whether an IP packet carries the service.
    pub fn matches(&self, packet: &Packet) -> bool {
        self.holds(Layer::Ip, packet)
    }

    fn holds(&self, layer: Layer, packet: &Packet) -> bool {
        match (layer, &packet.ip) {
            (Layer::Ethernet, _) => {
                matches!(self, Self::EtherType(wanted) if *wanted == packet.ethertype)
            }
            (Layer::Ip, Some(ip)) => self.holds_ip(ip),
            (Layer::Ip, None) => false,
        }
    }

    fn holds_ip(&self, ip: &IpHeader) -> bool {
        match (self, &ip.transport) {
            (Self::Tcp(ports), Transport::Tcp { src_port, dst_port, .. })
            | (Self::Udp(ports), Transport::Udp { src_port, dst_port }) => {
                ports.hold(*src_port, *dst_port)
            }
            (
                Self::Icmp { family, kind, code },
                Transport::Icmp { kind: seen_kind, code: seen_code, .. },
            ) => {
                *family == ip.family()
                    && kind.is_none_or(|kind| kind == *seen_kind)
                    && code.is_none_or(|code| code == *seen_code)
            }
            (Self::Protocol(number), transport) => *number == transport.protocol(ip.family()),
            _ => false,
        }
    }
}

impl Ports {
    fn hold(&self, source: u16, destination: u16) -> bool {
        let one_of = |ranges: &[PortRange], port: u16| {
            ranges.is_empty() || ranges.iter().any(|r| r.first <= port && port <= r.last)
        };
        one_of(&self.source, source) && one_of(&self.destination, destination)
    }
}
