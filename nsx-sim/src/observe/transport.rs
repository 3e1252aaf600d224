//! The transport header that a traceflow asks for [spec TransportProtocolHeader].

use crate::inventory::Error;
use crate::wire::Int;
use dataplane::{TcpFlags, Transport};
use serde::Deserialize;
use std::net::Ipv6Addr;

type Port = Int<0, 65_535>;

/// One of these headers; protocols without one are told by number in the IP header.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransportHeader {
    tcp_header: Option<TcpHeader>,
    udp_header: Option<UdpHeader>,
    icmp_echo_request_header: Option<IcmpHeader>,
    dns_header: Option<DnsHeader>,
    dhcp_header: Option<DhcpHeader>,
    dhcpv6_header: Option<Dhcpv6Header>,
    ndp_header: Option<NdpHeader>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TcpHeader {
    src_port: Option<Port>,
    dst_port: Option<Port>,
    tcp_flags: Option<Int<0, 511>>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UdpHeader {
    src_port: Option<Port>,
    dst_port: Option<Port>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct IcmpHeader {
    id: Option<Port>,
    #[serde(default, rename = "sequence")]
    _sequence: Option<Port>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DnsHeader {
    #[serde(default, rename = "address")]
    _address: Option<String>,
    #[serde(default, rename = "address_type")]
    _address_type: Option<AddressType>,
    #[serde(default)]
    message_type: DnsMessage,
}

#[derive(Clone, Copy, Debug, Deserialize)]
enum AddressType {
    V4,
    V6,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum DnsMessage {
    #[default]
    Query,
    Response,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DhcpHeader {
    #[serde(default)]
    op_code: DhcpOperation,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum DhcpOperation {
    #[default]
    BootRequest,
    BootReply,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dhcpv6Header {
    #[serde(default)]
    msg_type: Dhcpv6Message,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Dhcpv6Message {
    #[default]
    Solicit,
    Advertise,
    Request,
    Reply,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NdpHeader {
    #[serde(default, rename = "dst_ip")]
    _dst_ip: Option<Ipv6Addr>,
    #[serde(default)]
    msg_type: NdpMessage,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum NdpMessage {
    #[default]
    NeighborSolicitation,
    NeighborAdvertisement,
}

impl TransportHeader {
    /// The header that is stated, if one is.
    ///
    /// # Errors
    /// [`Error::InvalidFields`] where there are several: a packet has one.
    pub fn read(&self, v6: bool) -> Result<Option<Transport>, Error> {
        let stated = [
            self.tcp_header.map(TcpHeader::transport),
            self.udp_header.map(|udp| datagram(port(udp.src_port), port(udp.dst_port))),
            self.icmp_echo_request_header.map(|icmp| echo(v6, port(icmp.id))),
            self.dns_header.as_ref().map(DnsHeader::transport),
            self.dhcp_header.map(DhcpHeader::transport),
            self.dhcpv6_header.map(Dhcpv6Header::transport),
            self.ndp_header.map(NdpHeader::transport),
        ];
        let mut stated = stated.into_iter().flatten();
        let first = stated.next();
        match stated.next() {
            Some(_) => Err(Error::field("packet.transport_header", "must have a single header")),
            None => Ok(first),
        }
    }
}

impl TcpHeader {
    /// Unless told otherwise the packet opens a connection [doc traceflow].
    fn transport(self) -> Transport {
        let flags = self.tcp_flags.and_then(|flags| u16::try_from(flags.get()).ok());
        Transport::Tcp {
            src_port: port(self.src_port),
            dst_port: port(self.dst_port),
            flags: flags.map_or(TcpFlags::SYN, TcpFlags),
        }
    }
}

impl DnsHeader {
    fn transport(&self) -> Transport {
        match self.message_type {
            DnsMessage::Query => datagram(0, 53),
            DnsMessage::Response => datagram(53, 0),
        }
    }
}

impl DhcpHeader {
    fn transport(self) -> Transport {
        match self.op_code {
            DhcpOperation::BootRequest => datagram(68, 67),
            DhcpOperation::BootReply => datagram(67, 68),
        }
    }
}

impl Dhcpv6Header {
    fn transport(self) -> Transport {
        match self.msg_type {
            Dhcpv6Message::Solicit | Dhcpv6Message::Request => datagram(546, 547),
            Dhcpv6Message::Advertise | Dhcpv6Message::Reply => datagram(547, 546),
        }
    }
}

impl NdpHeader {
    fn transport(self) -> Transport {
        let kind = match self.msg_type {
            NdpMessage::NeighborSolicitation => 135,
            NdpMessage::NeighborAdvertisement => 136,
        };
        Transport::Icmp { kind, code: 0, id: 0 }
    }
}

/// The header of a protocol that is told by number alone; none is ICMP.
pub fn bare(protocol: Option<u8>, v6: bool) -> Transport {
    match protocol {
        None | Some(1 | 58) => echo(v6, 0),
        Some(6) => Transport::Tcp { src_port: 0, dst_port: 0, flags: TcpFlags::SYN },
        Some(17) => datagram(0, 0),
        Some(other) => Transport::Other(other),
    }
}

fn datagram(src_port: u16, dst_port: u16) -> Transport {
    Transport::Udp { src_port, dst_port }
}

fn echo(v6: bool, id: u16) -> Transport {
    Transport::Icmp { kind: if v6 { 128 } else { 8 }, code: 0, id }
}

fn port(value: Option<Port>) -> u16 {
    value.and_then(|port| u16::try_from(port.get()).ok()).unwrap_or(0)
}
