//! The way of a packet between vNICs, and what the firewall makes of it.

use std::net::{IpAddr, SocketAddr};

/// Judges packets as the dataplane under the pods does.
///
/// Calls may block: whoever is in an asynchronous context calls from a thread for that.
pub trait Wire: Send + Sync {
    /// Sends one packet and tells what became of it.
    ///
    /// # Errors
    /// The reason, in words, if nobody could judge the packet.
    fn send(&self, packet: &Packet) -> Result<Fate, String>;
}

/// A packet as it leaves a vNIC: addresses are those of pods, never of services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packet {
    /// A segment of TCP.
    Tcp {
        /// Sender.
        from: SocketAddr,
        /// Receiver.
        to: SocketAddr,
        /// Its place in the conversation.
        segment: Segment,
    },
    /// A datagram of UDP.
    Udp {
        /// Sender.
        from: SocketAddr,
        /// Receiver.
        to: SocketAddr,
    },
    /// An echo request of ICMP.
    Echo {
        /// Sender.
        from: IpAddr,
        /// Receiver.
        to: IpAddr,
        /// What tells one `ping` from another.
        identifier: u16,
    },
}

/// Segments of TCP that the firewall tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment {
    /// The first of a connection.
    Syn,
    /// The answer to it.
    SynAck,
    /// The last: whoever sends it forgets the connection.
    Reset,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrived: here, where a load balancer chose another address than the packet named.
    Delivered(Option<SocketAddr>),
    /// A filter took it away and said nothing.
    Dropped,
    /// A filter refused it and reset the connection in the receiver's name.
    Reset,
    /// A filter refused it by ICMP "destination unreachable", administratively prohibited.
    Prohibited,
    /// There is no way to its receiver.
    NoRoute,
}

/// A wire without a firewall: what a cluster without NSX has under it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Open;

impl Wire for Open {
    fn send(&self, _: &Packet) -> Result<Fate, String> {
        Ok(Fate::Delivered(None))
    }
}
