//! What tells whether a pool's members are well [spec LbMonitor].

use super::ssl::{Choice, Cipher, Group, PeerAuth, Protocol, certificates};
use super::{Count, MAX, by_type};
use crate::inventory::{
    Error, Filter, Header, Kind, Level, Reference, Resource, Transaction, Words,
};
use crate::kinds::values::PortElement;
use crate::wire::{Int, Items, Told, int, polymorphic};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration.
pub static KIND: Kind = Kind {
    level: Level::Semantic,
    polymorphic: true,
    filters: &[Filter {
        words: Some(Words::Of(&[
            "LbHttpMonitor",
            "LbHttpsMonitor",
            "LbIcmpMonitor",
            "LbTcpMonitor",
            "LbUdpMonitor",
            "LbPassiveMonitor",
            "LbActiveMonitor",
        ])),
        passes: |_, object, word| match word {
            "LbActiveMonitor" => object.body::<LbMonitor>().is_some_and(LbMonitor::is_active),
            word => object.resource_type() == word,
        },
        ..by_type(&[])
    }],
    ..Kind::of::<LbMonitor>("LbMonitor", "/loadbalancer/monitors")
};

/// How health is found out.
#[derive(Clone, Debug, Deserialize)]
#[allow(clippy::enum_variant_names, reason = "wire names")]
pub enum LbMonitor {
    /// By a request.
    LbHttpMonitor(Http),
    /// By a request over TLS.
    LbHttpsMonitor(Https),
    /// By an echo.
    LbIcmpMonitor(Icmp),
    /// By a connection, and what is said on it.
    LbTcpMonitor(Tcp),
    /// By what is answered to a datagram.
    LbUdpMonitor(Udp),
    /// By what becomes of the clients' own connections.
    LbPassiveMonitor(Passive),
}

polymorphic!(LbMonitor {
    LbHttpMonitor,
    LbHttpsMonitor,
    LbIcmpMonitor,
    LbTcpMonitor,
    LbUdpMonitor,
    LbPassiveMonitor,
});

/// The first packet of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// A connection; to this port, or else to the member's own.
    Tcp(Option<u16>),
    /// A datagram; to this port, or else to the member's own.
    Udp(Option<u16>),
    /// An echo.
    Icmp,
}

impl LbMonitor {
    /// Whether it sends checks of its own.
    pub fn is_active(&self) -> bool {
        self.probe().is_some()
    }

    /// What a check begins with; none where nothing is sent.
    pub fn probe(&self) -> Option<Probe> {
        let port = |port: &Option<PortElement>| port.as_ref().map(|own| own.span().0);
        match self {
            Self::LbHttpMonitor(own) => Some(Probe::Tcp(port(&own.monitor_port))),
            Self::LbHttpsMonitor(own) => Some(Probe::Tcp(port(&own.monitor_port))),
            Self::LbTcpMonitor(own) => Some(Probe::Tcp(port(&own.monitor_port))),
            Self::LbUdpMonitor(own) => Some(Probe::Udp(port(&own.monitor_port))),
            Self::LbIcmpMonitor(_) => Some(Probe::Icmp),
            Self::LbPassiveMonitor(_) => None,
        }
    }

    fn monitor_port(&self) -> Option<&PortElement> {
        match self {
            Self::LbHttpMonitor(own) => own.monitor_port.as_ref(),
            Self::LbHttpsMonitor(own) => own.monitor_port.as_ref(),
            Self::LbTcpMonitor(own) => own.monitor_port.as_ref(),
            Self::LbUdpMonitor(own) => own.monitor_port.as_ref(),
            Self::LbIcmpMonitor(own) => own.monitor_port.as_ref(),
            Self::LbPassiveMonitor(_) => None,
        }
    }
}

/// A request and the answer that is wanted; times in seconds.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Http {
    monitor_port: Option<PortElement>,
    #[serde(default = "int::<3, 1, MAX>")]
    fall_count: Count,
    #[serde(default = "int::<5, 1, MAX>")]
    interval: Count,
    #[serde(default = "int::<3, 1, MAX>")]
    rise_count: Count,
    #[serde(default = "int::<15, 1, MAX>")]
    timeout: Count,
    request_body: Option<String>,
    request_headers: Option<Vec<RequestHeader>>,
    #[serde(default)]
    request_method: Method,
    request_url: Option<String>,
    #[serde(default)]
    request_version: Version,
    response_body: Option<String>,
    response_status_codes: Option<Items<i32, 64>>,
}

/// A request over TLS and the answer that is wanted; times in seconds.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Https {
    monitor_port: Option<PortElement>,
    #[serde(default = "int::<3, 1, MAX>")]
    fall_count: Count,
    #[serde(default = "int::<5, 1, MAX>")]
    interval: Count,
    #[serde(default = "int::<3, 1, MAX>")]
    rise_count: Count,
    #[serde(default = "int::<15, 1, MAX>")]
    timeout: Count,
    request_body: Option<String>,
    request_headers: Option<Vec<RequestHeader>>,
    #[serde(default)]
    request_method: Method,
    request_url: Option<String>,
    #[serde(default)]
    request_version: Version,
    response_body: Option<String>,
    response_status_codes: Option<Items<i32, 64>>,
    #[serde(default = "int::<3, 1, MAX>")]
    certificate_chain_depth: Count,
    cipher_group_label: Option<Group>,
    ciphers: Option<Vec<Cipher>>,
    protocols: Option<Vec<Protocol>>,
    client_certificate_id: Option<String>,
    #[serde(default)]
    is_secure: Told<bool>,
    #[serde(default)]
    is_fips: Told<bool>,
    #[serde(default)]
    server_auth: PeerAuth,
    server_auth_ca_ids: Option<Vec<String>>,
    server_auth_crl_ids: Option<Vec<String>>,
}

/// A header of a check's request [spec LbHttpRequestHeader].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RequestHeader {
    header_name: String,
    header_value: String,
}

/// A request's method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "wire names that say it all")]
pub enum Method {
    #[default]
    Get,
    Options,
    Post,
    Head,
    Put,
}

/// A request's version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "wire names that say it all")]
pub enum Version {
    #[serde(rename = "HTTP_VERSION_1_0")]
    Http10,
    #[default]
    #[serde(rename = "HTTP_VERSION_1_1")]
    Http11,
    #[serde(rename = "HTTP_VERSION_2_0")]
    Http20,
}

/// An echo; times in seconds, the length in bytes.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Icmp {
    monitor_port: Option<PortElement>,
    #[serde(default = "int::<3, 1, MAX>")]
    fall_count: Count,
    #[serde(default = "int::<5, 1, MAX>")]
    interval: Count,
    #[serde(default = "int::<3, 1, MAX>")]
    rise_count: Count,
    #[serde(default = "int::<15, 1, MAX>")]
    timeout: Count,
    #[serde(default = "int::<56, 0, 65_507>")]
    data_length: Int<0, 65_507>,
}

/// A connection; times in seconds.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tcp {
    monitor_port: Option<PortElement>,
    #[serde(default = "int::<3, 1, MAX>")]
    fall_count: Count,
    #[serde(default = "int::<5, 1, MAX>")]
    interval: Count,
    #[serde(default = "int::<3, 1, MAX>")]
    rise_count: Count,
    #[serde(default = "int::<15, 1, MAX>")]
    timeout: Count,
    send: Option<String>,
    receive: Option<String>,
}

/// A datagram and its answer; times in seconds.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Udp {
    monitor_port: Option<PortElement>,
    #[serde(default = "int::<3, 1, MAX>")]
    fall_count: Count,
    #[serde(default = "int::<5, 1, MAX>")]
    interval: Count,
    #[serde(default = "int::<3, 1, MAX>")]
    rise_count: Count,
    #[serde(default = "int::<15, 1, MAX>")]
    timeout: Count,
    send: String,
    receive: String,
}

/// How many failures take a member out, and for how many seconds.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Passive {
    #[serde(default = "int::<5, 1, MAX>")]
    max_fails: Count,
    #[serde(default = "int::<5, 1, MAX>")]
    timeout: Count,
}

impl Resource for LbMonitor {
    fn resource_type(&self) -> Option<&'static str> {
        Some(self.variant())
    }

    fn references(&self) -> Vec<Reference> {
        let Self::LbHttpsMonitor(own) = self else { return Vec::new() };
        let ids = own.client_certificate_id.iter();
        certificates(ids.chain(own.server_auth_ca_ids.iter().flatten())).collect()
    }

    fn admit(
        &mut self,
        _: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if let Some((first, last)) = self.monitor_port().map(PortElement::span)
            && first != last
        {
            return Err(Error::field("monitor_port", "can not be a range"));
        }
        if let Self::LbHttpsMonitor(own) = self {
            let Https { cipher_group_label, ciphers, protocols, is_secure, is_fips, .. } = own;
            Choice { group: *cipher_group_label, ciphers, protocols, is_secure, is_fips }.settle();
        }
        Ok(())
    }
}
