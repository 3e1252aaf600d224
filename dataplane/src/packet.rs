//! Parsed packet headers: all that rules and flows look at.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::BitOr;

use crate::icmp::{self, Role};
use crate::{Family, MacAddr};

/// Well-known Ethernet types.
pub mod ethertype {
    /// IP version 4.
    pub const IPV4: u16 = 0x0800;
    /// Address resolution.
    pub const ARP: u16 = 0x0806;
    /// IP version 6.
    pub const IPV6: u16 = 0x86dd;
}

/// The headers of one frame.
///
/// Addresses of a header are of one family; a header that mixes families comes from no real wire
/// and is matched field by field like any other.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Packet {
    /// Source Ethernet address.
    pub src_mac: MacAddr,
    /// Destination Ethernet address.
    pub dst_mac: MacAddr,
    /// Ethernet type, see [`ethertype`].
    pub ethertype: u16,
    /// The IP header; `None` for everything else, such as ARP.
    pub ip: Option<IpHeader>,
    /// Bytes on the wire, the Ethernet header included.
    pub length: u32,
}

/// The IP part of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct IpHeader {
    /// Source address.
    pub src: IpAddr,
    /// Destination address.
    pub dst: IpAddr,
    /// What the IP packet carries.
    pub transport: Transport,
}

/// The transport header. A later fragment carries none: give it as [`Transport::Other`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Transport {
    /// A TCP segment.
    Tcp {
        /// Source port.
        src_port: u16,
        /// Destination port.
        dst_port: u16,
        /// Control bits.
        flags: TcpFlags,
    },
    /// A UDP datagram.
    Udp {
        /// Source port.
        src_port: u16,
        /// Destination port.
        dst_port: u16,
    },
    /// An ICMP message, of version 4 or 6 by the header's family.
    Icmp {
        /// The message's type.
        kind: u8,
        /// The message's code.
        code: u8,
        /// The identifier of a query; 0 where the message has none.
        id: u16,
    },
    /// Any other IP protocol, by number.
    Other(u8),
}

impl Transport {
    /// The IP protocol number.
    pub const fn protocol(&self, family: Family) -> u8 {
        match (self, family) {
            (Self::Tcp { .. }, _) => 6,
            (Self::Udp { .. }, _) => 17,
            (Self::Icmp { .. }, Family::V4) => 1,
            (Self::Icmp { .. }, Family::V6) => 58,
            (Self::Other(number), _) => *number,
        }
    }

    /// Bytes of the smallest header of this kind.
    const fn header_length(self) -> u32 {
        match self {
            Self::Tcp { .. } => 20,
            Self::Udp { .. } | Self::Icmp { .. } => 8,
            Self::Other(_) => 0,
        }
    }

    /// The transport header of an answer.
    fn reply(self, family: Family) -> Self {
        match self {
            Self::Tcp { src_port, dst_port, flags } => {
                Self::Tcp { src_port: dst_port, dst_port: src_port, flags: flags.reply() }
            }
            Self::Udp { src_port, dst_port } => {
                Self::Udp { src_port: dst_port, dst_port: src_port }
            }
            Self::Icmp { kind, code, id } => match icmp::role(family, kind) {
                Role::Request { reply } => Self::Icmp { kind: reply, code, id },
                Role::Reply { request } => Self::Icmp { kind: request, code, id },
                Role::Error | Role::Notice => self,
            },
            Self::Other(_) => self,
        }
    }
}

impl IpHeader {
    /// The header's IP version.
    pub const fn family(&self) -> Family {
        Family::of(self.src)
    }
}

impl Packet {
    /// A frame that is not IP, such as ARP, at the smallest frame size.
    pub const fn frame(src_mac: MacAddr, dst_mac: MacAddr, ethertype: u16) -> Self {
        Self { src_mac, dst_mac, ethertype, ip: None, length: 60 }
    }

    /// An IP packet of bare headers with zero Ethernet addresses.
    pub const fn ip(src: IpAddr, dst: IpAddr, transport: Transport) -> Self {
        let ip = IpHeader { src, dst, transport };
        let (ethertype, ip_header) = match ip.family() {
            Family::V4 => (ethertype::IPV4, 20),
            Family::V6 => (ethertype::IPV6, 40),
        };
        Self {
            src_mac: MacAddr([0; 6]),
            dst_mac: MacAddr([0; 6]),
            ethertype,
            ip: Some(ip),
            length: 14 + ip_header + transport.header_length(),
        }
    }

    /// A TCP segment without data.
    pub const fn tcp(src: SocketAddr, dst: SocketAddr, flags: TcpFlags) -> Self {
        let transport = Transport::Tcp { src_port: src.port(), dst_port: dst.port(), flags };
        Self::ip(src.ip(), dst.ip(), transport)
    }

    /// A UDP datagram without data.
    pub const fn udp(src: SocketAddr, dst: SocketAddr) -> Self {
        let transport = Transport::Udp { src_port: src.port(), dst_port: dst.port() };
        Self::ip(src.ip(), dst.ip(), transport)
    }

    /// An echo request ("ping") of the addresses' family.
    pub const fn icmp_echo(src: IpAddr, dst: IpAddr, id: u16) -> Self {
        let kind = icmp::echo_request(Family::of(src));
        Self::ip(src, dst, Transport::Icmp { kind, code: 0, id })
    }

    /// The same packet with other Ethernet addresses.
    #[must_use]
    pub const fn with_macs(mut self, src: MacAddr, dst: MacAddr) -> Self {
        self.src_mac = src;
        self.dst_mac = dst;
        self
    }

    /// The same packet with another length on the wire.
    #[must_use]
    pub const fn with_length(mut self, length: u32) -> Self {
        self.length = length;
        self
    }

    /// The packet that answers this one: ends swapped, SYN answered by SYN+ACK, FIN by FIN+ACK,
    /// other segments by ACK, an ICMP request by its reply. The length stays.
    #[must_use]
    pub fn reply(&self) -> Self {
        let ip = self.ip.map(|ip| IpHeader {
            src: ip.dst,
            dst: ip.src,
            transport: ip.transport.reply(ip.family()),
        });
        Self { src_mac: self.dst_mac, dst_mac: self.src_mac, ip, ..*self }
    }

    /// The two ends of the packet's conversation: addresses, and what tells conversations between
    /// them apart. That is ports; or an ICMP query's id at the end that asks, and 0 at the other; or
    /// 0 where the protocol has nothing of the kind. `None` for ICMP errors, which report on another
    /// conversation, and for frames that are not IP.
    pub fn sockets(&self) -> Option<(SocketAddr, SocketAddr)> {
        let ip = self.ip?;
        let (src, dst) = match ip.transport {
            Transport::Tcp { src_port, dst_port, .. } | Transport::Udp { src_port, dst_port } => {
                (src_port, dst_port)
            }
            Transport::Icmp { kind, id, .. } => match icmp::role(ip.family(), kind) {
                Role::Request { .. } | Role::Notice => (id, 0),
                Role::Reply { .. } => (0, id),
                Role::Error => return None,
            },
            Transport::Other(_) => (0, 0),
        };
        Some((SocketAddr::new(ip.src, src), SocketAddr::new(ip.dst, dst)))
    }

    /// The same packet between other ends, given as [`sockets`](Packet::sockets) tells them.
    #[must_use]
    pub fn between(&self, src: SocketAddr, dst: SocketAddr) -> Self {
        let (src_port, dst_port) = (src.port(), dst.port());
        let ip = self.ip.map(|ip| IpHeader {
            src: src.ip(),
            dst: dst.ip(),
            transport: match ip.transport {
                Transport::Tcp { flags, .. } => Transport::Tcp { src_port, dst_port, flags },
                Transport::Udp { .. } => Transport::Udp { src_port, dst_port },
                Transport::Icmp { kind, code, .. } => match icmp::role(ip.family(), kind) {
                    Role::Request { .. } | Role::Notice => {
                        Transport::Icmp { kind, code, id: src_port }
                    }
                    Role::Reply { .. } => Transport::Icmp { kind, code, id: dst_port },
                    Role::Error => ip.transport,
                },
                Transport::Other(_) => ip.transport,
            },
        });
        Self { ip, ..*self }
    }

    /// The control bits, if this is a TCP segment.
    pub const fn tcp_flags(&self) -> Option<TcpFlags> {
        match self.ip {
            Some(IpHeader { transport: Transport::Tcp { flags, .. }, .. }) => Some(flags),
            _ => None,
        }
    }
}

/// TCP control bits, joined with `|`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct TcpFlags(pub u16);

impl TcpFlags {
    /// No more data from the sender.
    pub const FIN: Self = Self(0x01);
    /// Open a connection.
    pub const SYN: Self = Self(0x02);
    /// Abort the connection.
    pub const RST: Self = Self(0x04);
    /// Hand data to the reader at once.
    pub const PSH: Self = Self(0x08);
    /// The acknowledgement number counts.
    pub const ACK: Self = Self(0x10);
    /// The urgent pointer counts.
    pub const URG: Self = Self(0x20);
    /// Congestion was met on the way.
    pub const ECE: Self = Self(0x40);
    /// The sender slowed down.
    pub const CWR: Self = Self(0x80);

    /// Whether all bits of `other` are set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether a segment with these bits asks for a new connection: SYN without ACK, FIN or RST.
    pub const fn opens(self) -> bool {
        self.0 & (Self::SYN.0 | Self::ACK.0 | Self::FIN.0 | Self::RST.0) == Self::SYN.0
    }

    fn reply(self) -> Self {
        if self.opens() {
            Self::SYN | Self::ACK
        } else if self.contains(Self::FIN) {
            Self::FIN | Self::ACK
        } else {
            Self::ACK
        }
    }
}

impl BitOr for TcpFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Display for TcpFlags {
    /// One letter a bit in the order packet filters print them, such as `S`, `SA` or `SEW`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = "FSRPAUEW".chars().enumerate();
        letters.filter(|(bit, _)| self.0 >> bit & 1 == 1).try_for_each(|(_, c)| write!(f, "{c}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_swaps_the_ends_and_answers_the_flags() {
        let (client, server) = ("10.0.0.1:40000".parse().unwrap(), "10.0.0.2:80".parse().unwrap());
        let syn = Packet::tcp(client, server, TcpFlags::SYN);
        assert_eq!(syn.reply(), Packet::tcp(server, client, TcpFlags::SYN | TcpFlags::ACK));
        assert_eq!(syn.reply().reply(), Packet::tcp(client, server, TcpFlags::ACK));
        let fin = Packet::tcp(client, server, TcpFlags::FIN | TcpFlags::ACK);
        assert_eq!(fin.reply().tcp_flags(), Some(TcpFlags::FIN | TcpFlags::ACK));
        assert_eq!(Packet::udp(client, server).reply(), Packet::udp(server, client));
    }

    #[test]
    fn a_packet_between_its_own_ends_is_itself_and_its_reply_goes_the_other_way() {
        let (one, other) = ("10.0.0.1:40000".parse().unwrap(), "10.0.0.2:80".parse().unwrap());
        let ping = Packet::icmp_echo("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap(), 7);
        let bare = Packet::ip(ping.ip.unwrap().src, ping.ip.unwrap().dst, Transport::Other(47));
        for packet in [Packet::tcp(one, other, TcpFlags::SYN), Packet::udp(one, other), ping, bare]
        {
            let (src, dst) = packet.sockets().unwrap();
            assert_eq!(packet.between(src, dst), packet);
            assert_eq!(packet.reply().sockets(), Some((dst, src)));
        }
        let moved = ping.between("192.0.2.1:9".parse().unwrap(), "10.0.0.2:0".parse().unwrap());
        assert_eq!(moved, Packet::icmp_echo("192.0.2.1".parse().unwrap(), ping.ip.unwrap().dst, 9));
        let error = Transport::Icmp { kind: 3, code: 1, id: 0 };
        assert_eq!(Packet::ip(ping.ip.unwrap().src, ping.ip.unwrap().dst, error).sockets(), None);
    }

    #[test]
    fn an_echo_request_is_answered_by_an_echo_reply() {
        let ping = Packet::icmp_echo("fd00::1".parse().unwrap(), "fd00::2".parse().unwrap(), 7);
        let pong = ping.reply().ip.unwrap();
        assert_eq!(pong.transport, Transport::Icmp { kind: 129, code: 0, id: 7 });
        assert_eq!(pong.transport.protocol(pong.family()), 58);
    }

    #[test]
    fn flags_print_as_letters() {
        let ecn = TcpFlags::SYN | TcpFlags::ECE | TcpFlags::CWR;
        assert_eq!(ecn.to_string(), "SEW");
        assert_eq!((TcpFlags::SYN | TcpFlags::ACK).to_string(), "SA");
        assert!(ecn.opens() && !(ecn | TcpFlags::ACK).opens());
    }

    #[test]
    fn lengths_count_all_headers() {
        let v4 = Packet::udp("10.0.0.1:1".parse().unwrap(), "10.0.0.2:2".parse().unwrap());
        let v6 = Packet::udp("[fd00::1]:1".parse().unwrap(), "[fd00::2]:2".parse().unwrap());
        assert_eq!((v4.length, v6.length), (42, 62));
    }
}
