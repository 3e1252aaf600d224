//! Firewall profiles: how long connections live, and the limits of what filters keep
//! [spec BaseFirewallProfile].

use crate::inventory::{Error, Header, Kind, Resource, Transaction};
use crate::wire::{Int, int, polymorphic};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration. Its list asks for a type, so that route is in `http::firewall_profiles`.
pub static KIND: Kind = Kind {
    level: crate::inventory::Level::Semantic,
    polymorphic: true,
    system_owned_changes: true,
    ..Kind::of::<FirewallProfile>("FirewallProfile", "/firewall/profiles")
};

/// The concrete types, as `resource_type` names them.
pub const TYPES: [&str; 4] = [
    "FirewallSessionTimerProfile",
    "FirewallCpuMemThresholdsProfile",
    "FirewallFloodProtectionProfile",
    "FirewallDnsProfile",
];

/// The id of the session timers that hold wherever no other profile is applied.
pub const DEFAULT_TIMERS: &str = "9b6d0c42-5f0e-4d0c-8f86-6f0a7a3c1d52";

/// One profile of any type.
#[derive(Clone, Debug, Deserialize)]
#[allow(clippy::enum_variant_names, reason = "wire names")]
pub enum FirewallProfile {
    /// Idle times of connections.
    FirewallSessionTimerProfile(SessionTimers),
    /// When the use of processor and memory is worth an alarm.
    FirewallCpuMemThresholdsProfile(CpuMemThresholds),
    /// How many half-open and active connections are too many.
    FirewallFloodProtectionProfile(FloodProtection),
    /// How long addresses learnt from DNS answers count.
    FirewallDnsProfile(Dns),
}

polymorphic!(FirewallProfile {
    FirewallSessionTimerProfile,
    FirewallCpuMemThresholdsProfile,
    FirewallFloodProtectionProfile,
    FirewallDnsProfile,
});

/// Seconds without a packet after which a connection is forgotten.
pub type Idle = Int<10, 4_320_000>;

/// Idle times by protocol and state, in seconds [spec FirewallSessionTimerProfile].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionTimers {
    /// After the first segment of a TCP connection.
    #[serde(default = "int::<120, 10, 4_320_000>")]
    pub tcp_first_packet: Idle,
    /// After the second segment.
    #[serde(default = "int::<30, 10, 4_320_000>")]
    pub tcp_opening: Idle,
    /// While it is open.
    #[serde(default = "int::<43_200, 120, 4_320_000>")]
    pub tcp_established: Int<120, 4_320_000>,
    /// After one side's FIN.
    #[serde(default = "int::<120, 10, 4_320_000>")]
    pub tcp_closing: Idle,
    /// After both sides' FINs.
    #[serde(default = "int::<45, 10, 4_320_000>")]
    pub tcp_finwait: Idle,
    /// After a reset, or once both FINs are acknowledged.
    #[serde(default = "int::<20, 10, 4_320_000>")]
    pub tcp_closed: Idle,
    /// After the first datagram.
    #[serde(default = "int::<60, 10, 4_320_000>")]
    pub udp_first_packet: Idle,
    /// While only one side has sent more than one.
    #[serde(default = "int::<30, 10, 4_320_000>")]
    pub udp_single: Idle,
    /// Once both have.
    #[serde(default = "int::<60, 10, 4_320_000>")]
    pub udp_multiple: Idle,
    /// After the first message of ICMP.
    #[serde(default = "int::<20, 10, 4_320_000>")]
    pub icmp_first_packet: Idle,
    /// After an error that answers it.
    #[serde(default = "int::<10, 10, 4_320_000>")]
    pub icmp_error_reply: Idle,
}

/// Percentages [spec FirewallCpuMemThresholdsProfile].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CpuMemThresholds {
    #[serde(default = "int::<90, 10, 100>")]
    cpu_threshold_percentage: Int<10, 100>,
    #[serde(default = "int::<90, 10, 100>")]
    mem_threshold_percentage: Int<10, 100>,
}

type Limit = Int<1, 1_000_000>;

/// Limits on connections; an absent one is none [spec FirewallFloodProtectionProfile].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FloodProtection {
    tcp_half_open_conn_limit: Option<Limit>,
    udp_active_flow_limit: Option<Limit>,
    icmp_active_flow_limit: Option<Limit>,
    other_active_conn_limit: Option<Limit>,
    #[serde(default)]
    enable_syncache: bool,
    #[serde(default)]
    enable_rst_spoofing: bool,
}

/// How long names hold [spec FirewallDnsProfile].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dns {
    dns_ttl_config: Option<DnsTtl>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DnsTtl {
    dns_ttl_type: DnsTtlType,
    #[serde(default = "int::<86_400, 3600, 864_000>")]
    ttl: Int<3600, 864_000>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum DnsTtlType {
    UseTtl,
    Auto,
    NeverExpire,
}

impl Resource for FirewallProfile {
    fn resource_type(&self) -> Option<&'static str> {
        Some(self.variant())
    }

    fn admit(
        &mut self,
        _: &mut Header,
        before: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if before.is_some_and(|before| before.variant() != self.variant()) {
            return Err(Error::field("resource_type", "can not be changed"));
        }
        match self {
            Self::FirewallFloodProtectionProfile(own)
                if own.enable_rst_spoofing && !own.enable_syncache =>
            {
                Err(Error::field("enable_rst_spoofing", "needs enable_syncache"))
            }
            _ => Ok(()),
        }
    }
}
