//! The packet that a traceflow asks for [spec TraceflowRequest, FieldsPacketData].

use crate::inventory::Error;
use crate::wire::{self, Fields, Int, Text};
use dataplane::{MacAddr, Packet, TcpFlags, Transport, ethertype};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

type Port = Int<0, 65_535>;

/// A request for a traceflow.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraceRequest {
    /// The port that the packet starts from.
    pub lport_id: String,
    /// Milliseconds until the result is final.
    #[serde(default = "default_timeout")]
    pub timeout: Int<5_000, 15_000>,
    packet: PacketData,
}

#[derive(Clone, Debug, Deserialize)]
enum PacketData {
    FieldsPacketData(Box<PacketFields>),
    BinaryPacketData(IgnoredAny),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PacketFields {
    #[serde(default, rename = "routed")]
    _routed: Option<bool>,
    #[serde(default, rename = "transport_type")]
    _transport_type: Option<TransportType>,
    #[serde(default = "default_frame_size")]
    frame_size: Int<60, 1000>,
    #[serde(default, rename = "payload")]
    _payload: Option<Text<1336>>,
    eth_header: Option<EthernetHeader>,
    ip_header: Option<Ipv4Header>,
    ipv6_header: Option<Ipv6Header>,
    arp_header: Option<ArpHeader>,
    transport_header: Option<TransportHeader>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum TransportType {
    Unicast,
    Broadcast,
    Multicast,
    Unknown,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct EthernetHeader {
    src_mac: Option<String>,
    dst_mac: Option<String>,
    eth_type: Option<Int<1, 65_535>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ipv4Header {
    src_ip: Option<Ipv4Addr>,
    dst_ip: Option<Ipv4Addr>,
    protocol: Option<Int<0, 255>>,
    #[serde(default, rename = "ttl")]
    _ttl: Option<Int<0, 255>>,
    #[serde(default, rename = "flags")]
    _flags: Option<Int<0, 8>>,
    #[serde(default, rename = "src_subnet_prefix_len")]
    _src_subnet_prefix_len: Option<Int<1, 32>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ipv6Header {
    src_ip: Option<Ipv6Addr>,
    dst_ip: Option<Ipv6Addr>,
    next_header: Option<Int<0, 255>>,
    #[serde(default, rename = "hop_limit")]
    _hop_limit: Option<Int<0, 255>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ArpHeader {
    #[serde(default, rename = "op_code")]
    _op_code: ArpOperation,
    src_ip: Option<Ipv4Addr>,
    dst_ip: Ipv4Addr,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum ArpOperation {
    #[default]
    ArpRequest,
    ArpReply,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TransportHeader {
    tcp_header: Option<TcpHeader>,
    udp_header: Option<UdpHeader>,
    icmp_echo_request_header: Option<IcmpHeader>,
    dns_header: Option<Value>,
    dhcp_header: Option<Value>,
    dhcpv6_header: Option<Value>,
    ndp_header: Option<Value>,
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

fn default_timeout() -> Int<5_000, 15_000> {
    Int::new(10_000)
}

fn default_frame_size() -> Int<60, 1000> {
    Int::new(128)
}

fn port(value: Option<Port>) -> u16 {
    value.and_then(|port| u16::try_from(port.get()).ok()).unwrap_or(0)
}

impl TraceRequest {
    /// Reads a request. Real clients leave out the packet's `resource_type` [client npg].
    ///
    /// # Errors
    /// As for any body; [`Error::Unsupported`] for packets given as bytes.
    pub fn read(mut fields: Fields) -> Result<Self, Error> {
        if let Some(Value::Object(packet)) = fields.get_mut("packet")
            && !packet.contains_key("resource_type")
        {
            packet.insert("resource_type".into(), "FieldsPacketData".into());
        }
        let request: Self = wire::read(Value::Object(fields))?;
        match request.packet {
            PacketData::FieldsPacketData(_) => Ok(request),
            PacketData::BinaryPacketData(_) => {
                Err(Error::Unsupported("a traceflow's BinaryPacketData".into()))
            }
        }
    }

    /// Source and destination as the request states them; a source may be left out.
    ///
    /// # Errors
    /// [`Error::InvalidFields`] where no destination is stated.
    pub fn addresses(&self) -> Result<(Option<IpAddr>, IpAddr), Error> {
        let PacketData::FieldsPacketData(fields) = &self.packet else {
            return Err(Error::Unsupported("a traceflow's BinaryPacketData".into()));
        };
        let v4 = fields
            .ip_header
            .as_ref()
            .map(|ip| (ip.src_ip.map(IpAddr::V4), ip.dst_ip.map(IpAddr::V4)));
        let v6 = fields
            .ipv6_header
            .as_ref()
            .map(|ip| (ip.src_ip.map(IpAddr::V6), ip.dst_ip.map(IpAddr::V6)));
        let arp = fields
            .arp_header
            .as_ref()
            .map(|arp| (arp.src_ip.map(IpAddr::V4), Some(IpAddr::V4(arp.dst_ip))));
        match v4.or(v6).or(arp) {
            Some((source, Some(destination))) => Ok((source, destination)),
            _ => Err(Error::field("packet.ip_header.dst_ip", "is required")),
        }
    }

    /// The packet between two addresses.
    pub fn packet(&self, src: IpAddr, dst: IpAddr) -> Packet {
        let PacketData::FieldsPacketData(fields) = &self.packet else {
            return Packet::frame(MacAddr([0; 6]), MacAddr([0; 6]), 0);
        };
        let ethernet = fields.eth_header.clone().unwrap_or_default();
        let mac = |text: Option<String>| {
            text.and_then(|text| text.parse().ok()).unwrap_or(MacAddr([0; 6]))
        };
        let (src_mac, dst_mac) = (mac(ethernet.src_mac), mac(ethernet.dst_mac));
        let length = u32::try_from(fields.frame_size.get()).unwrap_or(0);
        if fields.arp_header.is_some() {
            return Packet::frame(src_mac, dst_mac, ethertype::ARP).with_length(length);
        }
        // A type that is not IP's makes a frame without an IP header.
        let ethertype = ethernet.eth_type.and_then(|own| u16::try_from(own.get()).ok());
        if let Some(other) = ethertype
            && ![ethertype::IPV4, ethertype::IPV6].contains(&other)
        {
            return Packet::frame(src_mac, dst_mac, other).with_length(length);
        }
        Packet::ip(src, dst, fields.transport(src.is_ipv6()))
            .with_macs(src_mac, dst_mac)
            .with_length(length)
    }
}

impl PacketFields {
    /// The protocol follows from the transport header where there is one, for clients leave the
    /// number out [npg]; otherwise it is the stated one, ICMP by default.
    fn transport(&self, v6: bool) -> Transport {
        let header = self.transport_header.clone().unwrap_or_default();
        if let Some(tcp) = header.tcp_header {
            // Unless told otherwise the packet opens a connection [doc traceflow].
            let flags = tcp.tcp_flags.and_then(|flags| u16::try_from(flags.get()).ok());
            return Transport::Tcp {
                src_port: port(tcp.src_port),
                dst_port: port(tcp.dst_port),
                flags: flags.map_or(TcpFlags::SYN, TcpFlags),
            };
        }
        if let Some(udp) = header.udp_header {
            return Transport::Udp { src_port: port(udp.src_port), dst_port: port(udp.dst_port) };
        }
        let udp = |src_port, dst_port| Transport::Udp { src_port, dst_port };
        if header.dns_header.is_some() {
            return udp(0, 53);
        }
        if header.dhcp_header.is_some() {
            return udp(68, 67);
        }
        if header.dhcpv6_header.is_some() {
            return udp(546, 547);
        }
        if header.ndp_header.is_some() {
            return Transport::Icmp { kind: 135, code: 0, id: 0 };
        }
        let echo = Transport::Icmp {
            kind: if v6 { 128 } else { 8 },
            code: 0,
            id: port(header.icmp_echo_request_header.and_then(|icmp| icmp.id)),
        };
        let stated = self.ip_header.as_ref().and_then(|ip| ip.protocol);
        let stated = stated.or(self.ipv6_header.as_ref().and_then(|ip| ip.next_header));
        match stated.and_then(|number| u8::try_from(number.get()).ok()) {
            None | Some(1 | 58) => echo,
            Some(6) => Transport::Tcp { src_port: 0, dst_port: 0, flags: TcpFlags::SYN },
            Some(17) => udp(0, 0),
            Some(other) => Transport::Other(other),
        }
    }
}
