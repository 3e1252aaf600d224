//! Whether a rule matches, field by field, over a plain list of members.

use std::net::IpAddr;

use dataplane::{
    AddressRange, Direction, Family, Layer, MacAddr, Member, Packet, Peer, PortRange, Ports, Rule,
    Service, ServiceMatch, SetId, Term, Transport,
};

pub(crate) fn matches(
    members: &[(SetId, Member)],
    rule: &Rule,
    direction: Direction,
    packet: &Packet,
) -> bool {
    let at_ethernet = rule.layer == Layer::Ethernet;
    let Some((src, dst)) = packet.ip.map(|ip| (ip.src, ip.dst)) else {
        return at_ethernet
            && rule.family.is_none()
            && (rule.direction.is_none() || rule.direction == Some(direction))
            && mac_peer(members, &rule.source, packet.src_mac)
            && mac_peer(members, &rule.destination, packet.dst_mac)
            && ethernet_service(&rule.service, packet.ethertype);
    };
    let family = if src.is_ipv4() { Family::V4 } else { Family::V6 };
    let general = (rule.direction.is_none() || rule.direction == Some(direction))
        && (rule.family.is_none() || rule.family == Some(family));
    if at_ethernet {
        general
            && mac_peer(members, &rule.source, packet.src_mac)
            && mac_peer(members, &rule.destination, packet.dst_mac)
            && ethernet_service(&rule.service, packet.ethertype)
    } else {
        general
            && ip_peer(members, &rule.source, src)
            && ip_peer(members, &rule.destination, dst)
            && ip_service(&rule.service, family, packet)
    }
}

fn mac_peer(members: &[(SetId, Member)], peer: &Peer, mac: MacAddr) -> bool {
    peer_matches(peer, |term| match term {
        Term::Set(set) => members.contains(&(*set, Member::Mac(mac))),
        Term::Mac(wanted) => *wanted == mac,
        Term::Range(_) => false,
    })
}

fn ip_peer(members: &[(SetId, Member)], peer: &Peer, ip: IpAddr) -> bool {
    peer_matches(peer, |term| {
        match term {
        Term::Set(set) => members.iter().any(
            |(id, member)| matches!(member, Member::Range(range) if id == set && within(*range, ip)),
        ),
        Term::Range(range) => within(*range, ip),
        Term::Mac(_) => false,
    }
    })
}

fn peer_matches(peer: &Peer, holds: impl Fn(&Term) -> bool) -> bool {
    match peer {
        Peer::Any => true,
        Peer::OneOf { terms, negated: false } => terms.iter().any(holds),
        Peer::OneOf { terms, negated: true } => !terms.iter().any(holds),
    }
}

/// By number, unlike the crate, which compares addresses.
pub(crate) fn within(range: AddressRange, ip: IpAddr) -> bool {
    match (range.first(), range.last(), ip) {
        (IpAddr::V4(first), IpAddr::V4(last), IpAddr::V4(ip)) => {
            (u32::from(first)..=u32::from(last)).contains(&u32::from(ip))
        }
        (IpAddr::V6(first), IpAddr::V6(last), IpAddr::V6(ip)) => {
            (u128::from(first)..=u128::from(last)).contains(&u128::from(ip))
        }
        _ => false,
    }
}

fn ethernet_service(wanted: &ServiceMatch, ethertype: u16) -> bool {
    match wanted {
        ServiceMatch::Any => true,
        ServiceMatch::OneOf(services) => services.contains(&Service::EtherType(ethertype)),
    }
}

fn ip_service(wanted: &ServiceMatch, family: Family, packet: &Packet) -> bool {
    let ServiceMatch::OneOf(services) = wanted else { return true };
    let Some(transport) = packet.ip.map(|ip| ip.transport) else { return false };
    services.iter().any(|service| match service {
        Service::Tcp(wanted) => match transport {
            Transport::Tcp { src_port, dst_port, .. } => ports(wanted, src_port, dst_port),
            _ => false,
        },
        Service::Udp(wanted) => match transport {
            Transport::Udp { src_port, dst_port } => ports(wanted, src_port, dst_port),
            _ => false,
        },
        Service::Icmp { family: version, kind: wanted_kind, code: wanted_code } => {
            match transport {
                Transport::Icmp { kind, code, .. } => {
                    *version == family
                        && wanted_kind.unwrap_or(kind) == kind
                        && wanted_code.unwrap_or(code) == code
                }
                _ => false,
            }
        }
        Service::Protocol(number) => {
            let icmp = if family == Family::V4 { 1 } else { 58 };
            let carried = match transport {
                Transport::Tcp { .. } => 6,
                Transport::Udp { .. } => 17,
                Transport::Icmp { .. } => icmp,
                Transport::Other(number) => number,
            };
            *number == carried
        }
        Service::EtherType(_) => false,
    })
}

fn ports(wanted: &Ports, source: u16, destination: u16) -> bool {
    let one = |list: &Vec<PortRange>, port: u16| {
        list.is_empty() || list.iter().any(|range| (range.first..=range.last).contains(&port))
    };
    one(&wanted.source, source) && one(&wanted.destination, destination)
}
