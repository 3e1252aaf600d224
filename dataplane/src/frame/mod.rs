//! Frames: a packet with what connections, but no rules, look at.

use crate::{IpHeader, Packet};

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
