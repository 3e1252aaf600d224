//! The packet that a traceflow asks for [spec TraceflowRequest, FieldsPacketData].

use super::transport::{self, TransportHeader};
use crate::inventory::Error;
use crate::kinds::values::MacText;
use crate::wire::{self, Fields, Int, Text};
use dataplane::{MacAddr, Packet, Transport, ethertype};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How many routers a packet may pass, and one more, unless it is stated
/// [spec Ipv4Header.ttl, Ipv6Header.hop_limit].
const DEFAULT_HOPS: u8 = 64;

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
    transport_type: Option<TransportType>,
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
    src_mac: Option<MacText>,
    dst_mac: Option<MacText>,
    eth_type: Option<Int<1, 65_535>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ipv4Header {
    src_ip: Option<Ipv4Addr>,
    dst_ip: Option<Ipv4Addr>,
    protocol: Option<Int<0, 255>>,
    ttl: Option<Int<0, 255>>,
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
    hop_limit: Option<Int<0, 255>>,
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

fn default_timeout() -> Int<5_000, 15_000> {
    Int::new(10_000)
}

fn default_frame_size() -> Int<60, 1000> {
    Int::new(128)
}

fn is_ip(ethertype: u16) -> bool {
    [ethertype::IPV4, ethertype::IPV6].contains(&ethertype)
}

impl TraceRequest {
    /// Reads a request. Real clients leave out the packet's `resource_type` [client npg].
    ///
    /// # Errors
    /// As for any body; [`Error::Unsupported`] for packets given as bytes or to many targets.
    pub fn read(mut fields: Fields) -> Result<Self, Error> {
        if let Some(Value::Object(packet)) = fields.get_mut("packet")
            && !packet.contains_key("resource_type")
        {
            packet.insert("resource_type".into(), "FieldsPacketData".into());
        }
        let request: Self = wire::read(Value::Object(fields))?;
        match &request.packet {
            PacketData::FieldsPacketData(fields) => fields.check()?,
            PacketData::BinaryPacketData(_) => {
                return Err(Error::Unsupported("a traceflow's BinaryPacketData".into()));
            }
        }
        Ok(request)
    }

    /// Source and destination as the request states them; a source may be left out.
    ///
    /// # Errors
    /// [`Error::InvalidFields`] where no destination is stated, [`Error::Unsupported`] where the
    /// frame carries neither IP nor ARP.
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
            None if fields.ethertype().is_some_and(|own| !is_ip(own)) => {
                Err(Error::Unsupported("a traceflow of a frame without an IP header".into()))
            }
            _ => Err(Error::field("packet.ip_header.dst_ip", "is required")),
        }
    }

    /// How many routers the packet may pass, and one more.
    pub fn hop_limit(&self) -> u8 {
        let PacketData::FieldsPacketData(fields) = &self.packet else { return DEFAULT_HOPS };
        let v4 = fields.ip_header.as_ref().and_then(|ip| ip.ttl);
        let stated = v4.or(fields.ipv6_header.as_ref().and_then(|ip| ip.hop_limit));
        stated.and_then(|own| u8::try_from(own.get()).ok()).unwrap_or(DEFAULT_HOPS)
    }

    /// The packet between two addresses.
    pub fn packet(&self, src: IpAddr, dst: IpAddr) -> Packet {
        let PacketData::FieldsPacketData(fields) = &self.packet else {
            return Packet::frame(MacAddr([0; 6]), MacAddr([0; 6]), 0);
        };
        let ethernet = fields.eth_header.clone().unwrap_or_default();
        let mac = |own: Option<MacText>| MacAddr(own.map_or([0; 6], |own| own.octets()));
        let (src_mac, dst_mac) = (mac(ethernet.src_mac), mac(ethernet.dst_mac));
        let length = u32::try_from(fields.frame_size.get()).unwrap_or(0);
        if fields.arp_header.is_some() {
            return Packet::frame(src_mac, dst_mac, ethertype::ARP).with_length(length);
        }
        // A type that is not IP's makes a frame without an IP header.
        if let Some(other) = fields.ethertype().filter(|own| !is_ip(*own)) {
            return Packet::frame(src_mac, dst_mac, other).with_length(length);
        }
        // Reading refused what has no transport.
        let bare = |_| transport::bare(None, src.is_ipv6());
        let transport = fields.transport(src.is_ipv6()).unwrap_or_else(bare);
        Packet::ip(src, dst, transport).with_macs(src_mac, dst_mac).with_length(length)
    }
}

impl PacketFields {
    /// Refuses what would have to be ignored.
    fn check(&self) -> Result<(), Error> {
        match self.transport_type {
            Some(TransportType::Broadcast | TransportType::Multicast) => {
                return Err(Error::Unsupported("a traceflow to more than one target".into()));
            }
            Some(TransportType::Unicast | TransportType::Unknown) | None => {}
        }
        self.transport(false).map(drop)
    }

    /// The protocol follows from the transport header where there is one, for clients leave the
    /// number out [npg]; otherwise it is the stated one, ICMP by default.
    fn transport(&self, v6: bool) -> Result<Transport, Error> {
        let header = self.transport_header.as_ref().map(|header| header.read(v6)).transpose()?;
        let stated = self.ip_header.as_ref().and_then(|ip| ip.protocol);
        let stated = stated.or(self.ipv6_header.as_ref().and_then(|ip| ip.next_header));
        let number = stated.and_then(|number| u8::try_from(number.get()).ok());
        Ok(header.flatten().unwrap_or_else(|| transport::bare(number, v6)))
    }

    /// The Ethernet type, where one is stated.
    fn ethertype(&self) -> Option<u16> {
        let own = self.eth_header.as_ref()?.eth_type?;
        u16::try_from(own.get()).ok()
    }
}
