//! Frames: a packet with what connections, but no rules, look at; and how it is read from bytes.
//!
//! Reading allocates nothing and ends for any bytes with a frame or with the header that is not
//! whole. It is our own because it is half of what the crate does, and because it takes what a
//! general parser refuses: packets that a capture cut off behind their headers, first fragments,
//! and the eight bytes of a transport header that an ICMP error quotes. A general parser is what
//! the tests hold it against.

mod bytes;
mod error;
mod ip;

pub use error::{Fault, FrameError, FrameLayer};

use bytes::{Bytes, u16_at};

use crate::{IpHeader, MacAddr, Packet, ethertype};

/// A packet and what its frame tells beside the headers that rules look at.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Frame {
    /// The headers.
    pub packet: Packet,
    /// Which part of a datagram that was cut in pieces it is; `None` for a whole one.
    pub fragment: Option<Fragment>,
    /// The header of the packet that an ICMP error reports on, as far as the error quotes it.
    pub reports: Option<IpHeader>,
}

/// A piece of an IP datagram.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Fragment {
    /// The datagram's identification, from its sender.
    pub id: u32,
    /// Whether it is the first piece, which alone holds the transport header.
    pub first: bool,
}

impl From<Packet> for Frame {
    /// A whole packet that reports on nothing.
    fn from(packet: Packet) -> Self {
        Self { packet, fragment: None, reports: None }
    }
}

/// Types of VLAN tags: 802.1Q, 802.1ad, and the one in use before that.
const TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];
/// The bytes of an Ethernet header.
const ETHERNET: usize = 14;

impl Frame {
    /// Reads an Ethernet frame, with or without VLAN tags. What follows the headers need not be
    /// there; the length is that of the bytes.
    ///
    /// # Errors
    /// The first header that is not whole or contradicts itself. What is not IP has no header that
    /// could be wrong, save ARP.
    pub fn parse(bytes: &[u8]) -> Result<Self, FrameError> {
        let mut rest = Bytes::new(bytes);
        let header: [u8; ETHERNET] = rest.take(FrameLayer::Ethernet)?;
        let [d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, ..] = header;
        let mut ethertype = u16_at(&header, 12);
        while TAGS.contains(&ethertype) {
            ethertype = u16_at(&rest.take::<4>(FrameLayer::Vlan)?, 2);
        }
        let src_mac = MacAddr([s0, s1, s2, s3, s4, s5]);
        let dst_mac = MacAddr([d0, d1, d2, d3, d4, d5]);
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let packet = Packet::frame(src_mac, dst_mac, ethertype).with_length(length);
        match ethertype {
            ethertype::IPV4 => ip::version_4(rest, packet),
            ethertype::IPV6 => ip::version_6(rest, packet),
            ethertype::ARP => {
                let [.., hardware, protocol, _, _] = rest.peek::<8>(FrameLayer::Arp)?;
                let addresses = 2 * (usize::from(hardware) + usize::from(protocol));
                rest.skip(FrameLayer::Arp, 8 + addresses)?;
                Ok(packet.into())
            }
            _ => Ok(packet.into()),
        }
    }

    /// Reads an IP packet without an Ethernet header, as some captures hold them. Its Ethernet
    /// addresses are zero, and its length counts a header all the same.
    ///
    /// # Errors
    /// As [`parse`](Frame::parse).
    pub fn parse_ip(bytes: &[u8]) -> Result<Self, FrameError> {
        let rest = Bytes::new(bytes);
        let [first] = rest.peek(FrameLayer::Ipv4)?;
        let ethertype = if first >> 4 == 6 { ethertype::IPV6 } else { ethertype::IPV4 };
        let length = u32::try_from(bytes.len().saturating_add(ETHERNET)).unwrap_or(u32::MAX);
        let no_mac = MacAddr([0; 6]);
        let packet = Packet::frame(no_mac, no_mac, ethertype).with_length(length);
        match ethertype {
            ethertype::IPV6 => ip::version_6(rest, packet),
            _ => ip::version_4(rest, packet),
        }
    }
}
