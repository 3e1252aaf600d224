//! What traffic a service stands for [spec NSServiceElement].

use super::values::PortElement;
use crate::wire::{Int, Items, blank_is_none, polymorphic};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One element of any class.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[allow(clippy::enum_variant_names, reason = "wire names")]
pub enum ServiceElement {
    /// TCP or UDP by ports.
    L4PortSetNSService(L4PortSet),
    /// ICMP by type and code.
    ICMPTypeNSService(IcmpType),
    /// An IP protocol by number.
    IPProtocolNSService(IpProtocol),
    /// IGMP.
    IGMPTypeNSService(Igmp),
    /// A protocol that negotiates further ports.
    ALGTypeNSService(Alg),
    /// An Ethernet type, for layer 2.
    EtherTypeNSService(EtherType),
}

polymorphic!(ServiceElement {
    L4PortSetNSService,
    ICMPTypeNSService,
    IPProtocolNSService,
    IGMPTypeNSService,
    ALGTypeNSService,
    EtherTypeNSService,
});

/// TCP or UDP by ports; an empty list of ports is any.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct L4PortSet {
    /// Which of the two.
    pub l4_protocol: L4Protocol,
    /// From where.
    #[serde(default)]
    pub source_ports: Items<PortElement, 15>,
    /// To where.
    #[serde(default)]
    pub destination_ports: Items<PortElement, 15>,
}

/// TCP or UDP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "wire names that say it all")]
pub enum L4Protocol {
    #[default]
    Tcp,
    Udp,
}

/// ICMP by type and code; absent is any.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IcmpType {
    /// Of which IP version.
    pub protocol: IcmpProtocol,
    /// The type.
    #[serde(default, deserialize_with = "blank_is_none")]
    pub icmp_type: Option<Int<0, 255>>,
    /// The code.
    #[serde(default, deserialize_with = "blank_is_none")]
    pub icmp_code: Option<Int<0, 255>>,
}

/// ICMP of which IP version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "wire names that say it all")]
pub enum IcmpProtocol {
    ICMPv4,
    ICMPv6,
}

/// An IP protocol by number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IpProtocol {
    /// As in the IP header.
    pub protocol_number: Int<0, 255>,
}

/// IGMP.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Igmp {}

/// A protocol that negotiates further ports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alg {
    /// Which protocol.
    pub alg: AlgProtocol,
    /// From where.
    #[serde(default)]
    pub source_ports: Items<PortElement, 15>,
    /// The control port; exactly one [doc admin guide].
    pub destination_ports: Items<PortElement, 15, 1>,
}

/// Protocols that negotiate further ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "wire names that say it all")]
pub enum AlgProtocol {
    OracleTns,
    Ftp,
    SunRpcTcp,
    SunRpcUdp,
    MsRpcTcp,
    MsRpcUdp,
    NbnsBroadcast,
    NbdgBroadcast,
    Tftp,
}

impl AlgProtocol {
    /// What its control connection runs over.
    pub fn carrier(self) -> L4Protocol {
        match self {
            Self::OracleTns | Self::Ftp | Self::SunRpcTcp | Self::MsRpcTcp => L4Protocol::Tcp,
            Self::SunRpcUdp
            | Self::MsRpcUdp
            | Self::NbnsBroadcast
            | Self::NbdgBroadcast
            | Self::Tftp => L4Protocol::Udp,
        }
    }
}

/// An Ethernet type, for layer 2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EtherType {
    /// As in the Ethernet header.
    pub ether_type: Int<0, 65_535>,
}

impl ServiceElement {
    /// Whether it speaks of Ethernet frames rather than IP packets.
    pub fn is_ether(&self) -> bool {
        matches!(self, Self::EtherTypeNSService(_))
    }

    /// What cannot be told by the types alone.
    pub fn problem(&self) -> Option<&'static str> {
        match self {
            // 9 and 16 together are Mobile IP's, refused since 2.4 [nsxlib constants].
            Self::ICMPTypeNSService(icmp)
                if icmp.protocol == IcmpProtocol::ICMPv4
                    && icmp.icmp_type == Some(Int::new(9))
                    && icmp.icmp_code == Some(Int::new(16)) =>
            {
                Some("icmp_code 16 is not valid for icmp_type 9")
            }
            Self::ICMPTypeNSService(icmp)
                if icmp.icmp_type.is_none() && icmp.icmp_code.is_some() =>
            {
                Some("icmp_type is required where icmp_code is given")
            }
            Self::ALGTypeNSService(alg) if alg.destination_ports.len() != 1 => {
                Some("destination_ports must hold exactly 1")
            }
            _ => None,
        }
    }
}
