//! Which rule of a router concerns a packet, and what it makes of it.

use super::memory::Way;
use crate::kinds::routing::nat::{NatAction, NatRule};
use crate::kinds::values::{IpElement, PortElement};
use crate::realize;
use dataplane::{Packet, Transport};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The ends of a packet's conversation.
type Ends = (SocketAddr, SocketAddr);

/// A rule that concerns a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its id.
    pub rule: String,
    /// The ends as it has them; none leaves them as they are.
    pub ends: Option<Ends>,
    /// Whether the connection is to be remembered, so that what answers it comes back.
    pub stateful: bool,
}

/// The first of a router's rules that concerns a packet one way, where it crosses by a port.
pub fn choose(
    rules: &[(String, NatRule)],
    port: Option<&str>,
    way: Way,
    packet: &Packet,
) -> Option<Choice> {
    let ends = packet.sockets()?;
    rules.iter().find_map(|(id, rule)| {
        let applied = rule.applied_to();
        if applied.is_some() && applied != port {
            return None;
        }
        let concerned = Concerned { rule, ends, packet };
        let ends = match way {
            Way::Source => concerned.source(),
            Way::Destination => concerned.destination(),
        }?;
        Some(Choice {
            rule: id.clone(),
            ends: ends.translated(),
            stateful: rule.action.is_stateful(),
        })
    })
}

/// What a rule that concerns a packet makes of it.
enum Made {
    Nothing,
    Other(Ends),
}

impl Made {
    fn translated(self) -> Option<Ends> {
        match self {
            Self::Nothing => None,
            Self::Other(ends) => Some(ends),
        }
    }
}

struct Concerned<'a> {
    rule: &'a NatRule,
    ends: Ends,
    packet: &'a Packet,
}

impl Concerned<'_> {
    fn source(&self) -> Option<Made> {
        let (src, dst) = self.ends;
        match self.rule.action {
            NatAction::Snat | NatAction::Reflexive => {
                self.fits(src, dst).then_some(())?;
                let inner = self.rule.match_source_network.as_ref();
                let ip = moved(src.ip(), inner, self.rule.translated_network.as_ref()?)?;
                Some(Made::Other((SocketAddr::new(ip, src.port()), dst)))
            }
            NatAction::NoSnat | NatAction::NoNat => self.fits(src, dst).then_some(Made::Nothing),
            NatAction::Dnat | NatAction::NoDnat => None,
        }
    }

    fn destination(&self) -> Option<Made> {
        let (src, dst) = self.ends;
        match self.rule.action {
            NatAction::Dnat => {
                self.fits(src, dst).then_some(())?;
                let outer = self.rule.match_destination_network.as_ref();
                let ip = moved(dst.ip(), outer, self.rule.translated_network.as_ref()?)?;
                Some(Made::Other((src, SocketAddr::new(ip, self.port(dst.port())))))
            }
            // The way back of what it does to sources.
            NatAction::Reflexive => {
                let outer = self.rule.translated_network.as_ref()?;
                let inner = self.rule.match_source_network.as_ref()?;
                let peer = self.rule.match_destination_network.as_ref();
                let fits = holds(Some(outer), dst.ip()) && holds(peer, src.ip());
                let ip = fits.then(|| moved(dst.ip(), Some(outer), inner))??;
                Some(Made::Other((src, SocketAddr::new(ip, dst.port()))))
            }
            NatAction::NoDnat | NatAction::NoNat => self.fits(src, dst).then_some(Made::Nothing),
            NatAction::Snat | NatAction::NoSnat => None,
        }
    }

    fn fits(&self, src: SocketAddr, dst: SocketAddr) -> bool {
        let service = self.rule.match_service.as_ref();
        holds(self.rule.match_source_network.as_ref(), src.ip())
            && holds(self.rule.match_destination_network.as_ref(), dst.ip())
            && service.is_none_or(|own| realize::service(own).matches(self.packet))
    }

    /// The port that a destination gets: of several the one at the place that the port asked for
    /// has among those of the service, or has itself; else the first (a choice).
    fn port(&self, asked: u16) -> u16 {
        let transport = self.packet.ip.map(|ip| ip.transport);
        if !matches!(transport, Some(Transport::Tcp { .. } | Transport::Udp { .. })) {
            return asked;
        }
        let Some((first, last)) = self.rule.translated_ports.as_ref().map(PortElement::span) else {
            return asked;
        };
        let asked_first = self.rule.destination_ports_around(asked).map_or(first, |own| own.0);
        let place = asked.checked_sub(asked_first).and_then(|place| first.checked_add(place));
        place.filter(|port| *port <= last).unwrap_or(first)
    }
}

/// No network is any.
fn holds(network: Option<&IpElement>, address: IpAddr) -> bool {
    network.is_none_or(|own| {
        let (first, last) = own.span();
        first.is_ipv4() == address.is_ipv4() && first <= address && address <= last
    })
}

/// The address at the same place of another network, going round where that one is smaller; none
/// where it is of another family. Without a network to come from, by its own number: so one client
/// gets one address (a choice).
fn moved(address: IpAddr, from: Option<&IpElement>, to: &IpElement) -> Option<IpAddr> {
    let (first, last) = to.span();
    if first.is_ipv4() != address.is_ipv4() {
        return None;
    }
    let start = from.map_or(0, |own| number(own.span().0));
    let place = number(address).wrapping_sub(start);
    // The whole of IPv6 has one address more than the number can count.
    let size = number(last).wrapping_sub(number(first)).checked_add(1);
    let number = number(first).wrapping_add(size.map_or(place, |size| place % size));
    Some(match first {
        IpAddr::V4(_) => Ipv4Addr::from_bits(u32::try_from(number).ok()?).into(),
        IpAddr::V6(_) => Ipv6Addr::from_bits(number).into(),
    })
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(own) => own.to_bits().into(),
        IpAddr::V6(own) => own.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_keep_their_place_in_the_other_network() {
        let moved = |address: &str, from: Option<&str>, to: &str| {
            let from = from.map(|own| IpElement::parse(own).unwrap());
            let to = IpElement::parse(to).unwrap();
            super::moved(address.parse().unwrap(), from.as_ref(), &to).map(|own| own.to_string())
        };
        let told = |text: &str| Some(text.to_owned());
        let block = Some("10.1.0.0/24");
        assert_eq!(moved("10.1.0.9", block, "192.0.2.0/24"), told("192.0.2.9"));
        assert_eq!(moved("10.1.0.9", block, "192.0.2.7"), told("192.0.2.7"));
        assert_eq!(moved("10.1.0.9", block, "192.0.2.4-192.0.2.6"), told("192.0.2.4"));
        assert_eq!(moved("10.1.0.10", block, "192.0.2.4-192.0.2.6"), told("192.0.2.5"));
        assert_eq!(moved("255.255.255.255", None, "0.0.0.0/0"), told("255.255.255.255"));
        assert_eq!(moved("fd00::9", None, "::/0"), told("fd00::9"));
        assert_eq!(moved("fd00::9", None, "192.0.2.7"), None);
    }
}
