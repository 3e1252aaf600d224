//! What a virtual server takes its connections for [spec LbAppProfile].

use super::{Count, MAX, by_type};
use crate::inventory::{Kind, Level, Resource};
use crate::kinds::service_element::L4Protocol;
use crate::wire::{Int, int, polymorphic};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration.
pub static KIND: Kind = Kind {
    level: Level::Semantic,
    polymorphic: true,
    filters: &[by_type(&["LbHttpProfile", "LbFastTcpProfile", "LbFastUdpProfile"])],
    ..Kind::of::<LbAppProfile>("LbAppProfile", "/loadbalancer/application-profiles")
};

/// How connections are treated.
#[derive(Clone, Debug, Deserialize)]
#[allow(clippy::enum_variant_names, reason = "wire names")]
pub enum LbAppProfile {
    /// Layer 7: requests are read.
    LbHttpProfile(Http),
    /// Layer 4, TCP.
    LbFastTcpProfile(FastTcp),
    /// Layer 4, UDP.
    LbFastUdpProfile(FastUdp),
}

polymorphic!(LbAppProfile { LbHttpProfile, LbFastTcpProfile, LbFastUdpProfile });

impl LbAppProfile {
    /// The protocol of a virtual server with this profile.
    pub fn protocol(&self) -> L4Protocol {
        match self {
            Self::LbHttpProfile(_) | Self::LbFastTcpProfile(_) => L4Protocol::Tcp,
            Self::LbFastUdpProfile(_) => L4Protocol::Udp,
        }
    }

    /// Whether the load balancer reads requests rather than handing connections on.
    pub fn is_layer_7(&self) -> bool {
        matches!(self, Self::LbHttpProfile(_))
    }

    /// Whether every request is sent elsewhere, so that none comes to a pool.
    pub fn redirects_all(&self) -> bool {
        match self {
            Self::LbHttpProfile(http) => {
                http.http_redirect_to_https || http.http_redirect_to.is_some()
            }
            Self::LbFastTcpProfile(_) | Self::LbFastUdpProfile(_) => false,
        }
    }

    /// How long a connection without packets is remembered, in seconds.
    pub fn idle_timeout(&self) -> i64 {
        match self {
            Self::LbHttpProfile(http) => http.idle_timeout.get(),
            Self::LbFastTcpProfile(tcp) => tcp.idle_timeout.get(),
            Self::LbFastUdpProfile(udp) => udp.idle_timeout.get(),
        }
    }

    /// How long a connection is remembered after its end, in seconds; none where ends are not seen.
    pub fn close_timeout(&self) -> Option<i64> {
        match self {
            Self::LbFastTcpProfile(tcp) => Some(tcp.close_timeout.get()),
            Self::LbHttpProfile(_) => Some(0),
            Self::LbFastUdpProfile(_) => None,
        }
    }
}

/// Layer 7; times in seconds, sizes in bytes.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Http {
    #[serde(default = "int::<15, 1, MAX>")]
    idle_timeout: Count,
    #[serde(default = "int::<60, 1, MAX>")]
    response_timeout: Count,
    #[serde(default = "int::<1024, 1, 65_536>")]
    request_header_size: Int<1, 65_536>,
    #[serde(default = "int::<4096, 1, 65_536>")]
    response_header_size: Int<1, 65_536>,
    request_body_size: Option<Count>,
    x_forwarded_for: Option<ForwardedFor>,
    http_redirect_to: Option<String>,
    #[serde(default)]
    http_redirect_to_https: bool,
    #[serde(default)]
    ntlm: bool,
}

/// What becomes of the header that tells the client's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum ForwardedFor {
    Insert,
    Replace,
}

/// Layer 4, TCP; times in seconds.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FastTcp {
    #[serde(default = "int::<8, 1, 60>")]
    close_timeout: Int<1, 60>,
    #[serde(default = "int::<1800, 1, MAX>")]
    idle_timeout: Count,
    #[serde(default)]
    ha_flow_mirroring_enabled: bool,
}

/// Layer 4, UDP; times in seconds.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FastUdp {
    #[serde(default = "int::<300, 1, MAX>")]
    idle_timeout: Count,
    #[serde(default)]
    flow_mirroring_enabled: bool,
}

impl Resource for LbAppProfile {
    fn resource_type(&self) -> Option<&'static str> {
        Some(self.variant())
    }
}
