//! IP headers and what they carry.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::bytes::{Bytes, u16_at};
use super::{Fault, Fragment, Frame, FrameError, FrameLayer};
use crate::icmp::{self, Role};
use crate::{Family, IpHeader, Packet, TcpFlags, Transport};

/// Protocol numbers. [IANA]
mod protocol {
    pub(super) const ICMP: u8 = 1;
    pub(super) const TCP: u8 = 6;
    pub(super) const UDP: u8 = 17;
    pub(super) const ICMPV6: u8 = 58;
    /// Extension headers of IPv6 of the usual form: hop-by-hop, routing, destination options,
    /// mobility, host identity, shim.
    pub(super) const EXTENSIONS: [u8; 6] = [0, 43, 60, 135, 139, 140];
    pub(super) const FRAGMENT: u8 = 44;
    pub(super) const AUTHENTICATION: u8 = 51;
}

/// An IP header up to what it carries.
struct Carrier {
    src: IpAddr,
    dst: IpAddr,
    /// The number of what it carries.
    protocol: u8,
    fragment: Option<Fragment>,
}

pub(super) fn version_4(mut rest: Bytes<'_>, packet: Packet) -> Result<Frame, FrameError> {
    let carrier = header_4(&mut rest)?;
    carried(rest, packet, &carrier)
}

pub(super) fn version_6(mut rest: Bytes<'_>, packet: Packet) -> Result<Frame, FrameError> {
    let carrier = header_6(&mut rest)?;
    carried(rest, packet, &carrier)
}

fn header_4(rest: &mut Bytes<'_>) -> Result<Carrier, FrameError> {
    const LAYER: FrameLayer = FrameLayer::Ipv4;
    let header: [u8; 20] = rest.peek(LAYER)?;
    let length = usize::from(header[0] & 0xf) * 4;
    check_version(rest, LAYER, header[0] >> 4, 4)?;
    if length < header.len() {
        return Err(rest.error(LAYER, Fault::TooShort(length)));
    }
    match usize::from(u16_at(&header, 2)) {
        // The sender's network card was to cut it into packets: the capture is from before.
        0 => {}
        total if total < length => return Err(rest.error(LAYER, Fault::TooShort(total))),
        total => rest.limit(total),
    }
    rest.skip(LAYER, length)?;
    let (id, place) = (u16_at(&header, 4), u16_at(&header, 6));
    let (more, offset) = (place & 0x2000 != 0, place & 0x1fff);
    let [.., s0, s1, s2, s3, d0, d1, d2, d3] = header;
    Ok(Carrier {
        src: Ipv4Addr::new(s0, s1, s2, s3).into(),
        dst: Ipv4Addr::new(d0, d1, d2, d3).into(),
        protocol: header[9],
        fragment: fragment(id.into(), offset, more),
    })
}

fn header_6(rest: &mut Bytes<'_>) -> Result<Carrier, FrameError> {
    const LAYER: FrameLayer = FrameLayer::Ipv6;
    let header: [u8; 40] = rest.peek(LAYER)?;
    check_version(rest, LAYER, header[0] >> 4, 6)?;
    rest.skip(LAYER, header.len())?;
    // Zero stands for a length that an option tells, or that nobody knew yet.
    match usize::from(u16_at(&header, 4)) {
        0 => {}
        length => rest.limit(length),
    }
    let address = |at: usize| {
        let octets = header.get(at..).and_then(|rest| rest.first_chunk::<16>());
        Ipv6Addr::from(octets.copied().unwrap_or_default()).into()
    };
    let (src, dst) = (address(8), address(24));
    let mut carrier = Carrier { src, dst, protocol: header[6], fragment: None };
    // Each header takes eight bytes or more, so there is an end to it.
    loop {
        let layer = FrameLayer::Extension(carrier.protocol);
        match carrier.protocol {
            protocol::FRAGMENT => {
                let [next, _, high, low, id @ ..] = rest.take::<8>(layer)?;
                let place = u16::from_be_bytes([high, low]);
                carrier.protocol = next;
                let own = fragment(u32::from_be_bytes(id), place >> 3, place & 1 != 0);
                if own.is_some_and(|own| !own.first) {
                    return Ok(Carrier { fragment: own, ..carrier });
                }
                // One that is whole all the same stands for itself. [RFC 6946]
                carrier.fragment = carrier.fragment.or(own);
            }
            protocol::AUTHENTICATION => {
                let [next, words] = rest.peek(layer)?;
                rest.skip(layer, (usize::from(words) + 2) * 4)?;
                carrier.protocol = next;
            }
            number if protocol::EXTENSIONS.contains(&number) => {
                let [next, eights] = rest.peek(layer)?;
                rest.skip(layer, (usize::from(eights) + 1) * 8)?;
                carrier.protocol = next;
            }
            _ => return Ok(carrier),
        }
    }
}

fn check_version(
    rest: &Bytes<'_>,
    layer: FrameLayer,
    version: u8,
    wanted: u8,
) -> Result<(), FrameError> {
    if version == wanted { Ok(()) } else { Err(rest.error(layer, Fault::Version(version))) }
}

/// A fragment, unless it is the whole datagram.
fn fragment(id: u32, offset: u16, more: bool) -> Option<Fragment> {
    (more || offset != 0).then_some(Fragment { id, first: offset == 0 })
}

/// The frame of what an IP header carries.
fn carried(rest: Bytes<'_>, packet: Packet, carrier: &Carrier) -> Result<Frame, FrameError> {
    let Carrier { src, dst, protocol, fragment } = *carrier;
    let (transport, reports) = if fragment.is_some_and(|fragment| !fragment.first) {
        (Transport::Other(protocol), None)
    } else {
        transport(rest, Family::of(src), protocol)?
    };
    let packet = Packet { ip: Some(IpHeader { src, dst, transport }), ..packet };
    Ok(Frame { packet, fragment, reports })
}

/// A transport header, and what it reports on if it is an ICMP error.
fn transport(
    mut rest: Bytes<'_>,
    family: Family,
    number: u8,
) -> Result<(Transport, Option<IpHeader>), FrameError> {
    let transport = match (number, family) {
        (protocol::TCP, _) => {
            let header: [u8; 20] = rest.peek(FrameLayer::Tcp)?;
            let length = usize::from(header[12] >> 4) * 4;
            if length < header.len() {
                return Err(rest.error(FrameLayer::Tcp, Fault::TooShort(length)));
            }
            tcp(&header)
        }
        (protocol::UDP, _) => udp(rest.peek(FrameLayer::Udp)?),
        (protocol::ICMP, Family::V4) | (protocol::ICMPV6, Family::V6) => {
            let header: [u8; 8] = rest.take(FrameLayer::Icmp)?;
            let transport = icmp(family, header);
            let is_error = matches!(icmp::role(family, header[0]), Role::Error);
            return Ok((transport, quoted(rest).filter(|_| is_error)));
        }
        _ => Transport::Other(number),
    };
    Ok((transport, None))
}

fn tcp(header: &[u8; 20]) -> Transport {
    let flags = TcpFlags(u16_at(header, 12) & 0x1ff);
    Transport::Tcp { src_port: u16_at(header, 0), dst_port: u16_at(header, 2), flags }
}

fn udp(header: [u8; 8]) -> Transport {
    Transport::Udp { src_port: u16_at(&header, 0), dst_port: u16_at(&header, 2) }
}

fn icmp(family: Family, header: [u8; 8]) -> Transport {
    let [kind, code, ..] = header;
    let id = match icmp::role(family, kind) {
        Role::Request { .. } | Role::Reply { .. } => u16_at(&header, 4),
        Role::Error | Role::Notice => 0,
    };
    Transport::Icmp { kind, code, id }
}

/// The header of a packet that an ICMP error quotes, with the first eight bytes of what it carries:
/// more need not be there. [RFC 792] None where it is not whole, or a later fragment.
fn quoted(mut rest: Bytes<'_>) -> Option<IpHeader> {
    let [first] = rest.peek(FrameLayer::Ipv4).ok()?;
    let carrier = if first >> 4 == 6 { header_6(&mut rest) } else { header_4(&mut rest) }.ok()?;
    if carrier.fragment.is_some_and(|fragment| !fragment.first) {
        return None;
    }
    let Carrier { src, dst, protocol: number, .. } = carrier;
    let head = rest.peek::<8>(FrameLayer::Icmp);
    let transport = match (number, Family::of(src)) {
        // The flags may lie beyond what is quoted.
        (protocol::TCP, _) => {
            let mut header = [0; 20];
            header[..8].copy_from_slice(&head.ok()?);
            tcp(&rest.peek(FrameLayer::Tcp).unwrap_or(header))
        }
        (protocol::UDP, _) => udp(head.ok()?),
        (protocol::ICMP, Family::V4) | (protocol::ICMPV6, Family::V6) => {
            icmp(Family::of(src), head.ok()?)
        }
        _ => Transport::Other(number),
    };
    Some(IpHeader { src, dst, transport })
}
