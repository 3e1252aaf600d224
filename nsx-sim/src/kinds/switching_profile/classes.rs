//! What each class of switching profile says, with the schema's defaults and limits.

use crate::inventory::Error;
use crate::kinds::values::IpElement;
use crate::wire::{Int, Items, polymorphic};
use schemars::JsonSchema;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

/// Filters are off unless enabled.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SwitchSecurity {
    block_non_ip_traffic: bool,
    bpdu_filter: Option<BpduFilter>,
    dhcp_filter: Option<DhcpFilter>,
    rate_limits: Option<RateLimits>,
    #[serde(default = "yes")]
    ra_guard_enabled: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct BpduFilter {
    enabled: bool,
    #[serde(default)]
    white_list: Items<String, 32>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DhcpFilter {
    client_block_enabled: bool,
    server_block_enabled: bool,
    #[serde(default)]
    v6_client_block_enabled: bool,
    #[serde(default)]
    v6_server_block_enabled: bool,
}

type Rate = Int<0, { i32::MAX as i64 }>;
const NO_RATE: Rate = Rate::new(0);

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct RateLimits {
    enabled: bool,
    rx_broadcast: Rate,
    tx_broadcast: Rate,
    rx_multicast: Rate,
    tx_multicast: Rate,
}

impl Default for RateLimits {
    fn default() -> Self {
        let [rx_broadcast, tx_broadcast, rx_multicast, tx_multicast] = [NO_RATE; 4];
        Self { enabled: false, rx_broadcast, tx_broadcast, rx_multicast, tx_multicast }
    }
}

/// Which addresses are trusted; none switches the guard off.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpoofGuard {
    white_list_providers: Vec<WhiteListProvider>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum WhiteListProvider {
    LportBindings,
    LswitchBindings,
}

impl SpoofGuard {
    /// Whether it looks at addresses at all.
    pub fn is_on(&self) -> bool {
        !self.white_list_providers.is_empty()
    }

    /// Whether a port may use what is bound to it.
    pub fn trusts_ports(&self) -> bool {
        self.white_list_providers.contains(&WhiteListProvider::LportBindings)
    }

    /// Whether a port may use what is bound to its switch.
    pub fn trusts_switches(&self) -> bool {
        self.white_list_providers.contains(&WhiteListProvider::LswitchBindings)
    }
}

/// How addresses of guests are learnt.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct IpDiscovery {
    arp_snooping_enabled: bool,
    arp_bindings_limit: Int<1, 256>,
    dhcp_snooping_enabled: bool,
    vm_tools_enabled: bool,
    nd_snooping_enabled: bool,
    nd_bindings_limit: Int<2, 15>,
    dhcpv6_snooping_enabled: bool,
    vm_tools_v6_enabled: bool,
    trust_on_first_use_enabled: bool,
    arp_nd_binding_timeout: Int<5, 120>,
    duplicate_ip_detection: DuplicateIpDetection,
}

impl Default for IpDiscovery {
    fn default() -> Self {
        Self {
            arp_snooping_enabled: true,
            arp_bindings_limit: Int::new(1),
            dhcp_snooping_enabled: true,
            vm_tools_enabled: true,
            nd_snooping_enabled: false,
            nd_bindings_limit: Int::new(3),
            dhcpv6_snooping_enabled: false,
            vm_tools_v6_enabled: false,
            trust_on_first_use_enabled: true,
            arp_nd_binding_timeout: Int::new(10),
            duplicate_ip_detection: DuplicateIpDetection::default(),
        }
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct DuplicateIpDetection {
    duplicate_ip_detection_enabled: bool,
}

/// How MAC addresses of guests are learnt and may change.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MacManagement {
    mac_change_allowed: bool,
    mac_learning: Option<MacLearning>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MacLearning {
    enabled: bool,
    #[serde(default = "mac_limit")]
    limit: Int<0, 4096>,
    #[serde(default)]
    limit_policy: LimitPolicy,
    #[serde(default = "yes")]
    unicast_flooding_allowed: bool,
    /// Seconds; callers may send it back, but it is the manager's.
    #[serde(default = "mac_aging", deserialize_with = "read_over")]
    #[schemars(extend("readOnly" = true))]
    aging_time: Int<600, 600>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum LimitPolicy {
    #[default]
    Allow,
    Drop,
}

/// Where copies of packets go.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PortMirroring {
    direction: Option<MirrorDirection>,
    #[serde(default)]
    destinations: Items<IpElement, 3>,
    key: Option<i64>,
    snap_length: Option<Int<60, 65_535>>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum MirrorDirection {
    Ingress,
    Egress,
    Bidirectional,
}

/// Marks and rates of a port's packets.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Qos {
    #[serde(default = "best_effort")]
    class_of_service: Int<0, 7>,
    dscp: Option<Dscp>,
    #[serde(default)]
    shaper_configuration: Items<Shaper, 3>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Dscp {
    mode: Option<DscpMode>,
    #[serde(default = "no_priority")]
    priority: Int<0, 63>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum DscpMode {
    Trusted,
    Untrusted,
}

#[derive(Clone, Debug, Deserialize)]
#[allow(clippy::enum_variant_names, reason = "wire names")]
enum Shaper {
    IngressRateShaper(RateShaper),
    EgressRateShaper(RateShaper),
    IngressBroadcastRateShaper(BroadcastRateShaper),
}

polymorphic!(Shaper { IngressRateShaper, EgressRateShaper, IngressBroadcastRateShaper });

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RateShaper {
    enabled: bool,
    #[serde(default = "no_rate")]
    average_bandwidth_mbps: Rate,
    #[serde(default = "no_rate")]
    peak_bandwidth_mbps: Rate,
    #[serde(default = "no_rate")]
    burst_size_bytes: Rate,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct BroadcastRateShaper {
    enabled: bool,
    #[serde(default = "no_rate")]
    average_bandwidth_kbps: Rate,
    #[serde(default = "no_rate")]
    peak_bandwidth_kbps: Rate,
    #[serde(default = "no_rate")]
    burst_size_bytes: Rate,
}

fn yes() -> bool {
    true
}

fn no_rate() -> Rate {
    NO_RATE
}

fn mac_limit() -> Int<0, 4096> {
    Int::new(4096)
}

fn mac_aging() -> Int<600, 600> {
    Int::new(600)
}

fn read_over<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Int<600, 600>, D::Error> {
    IgnoredAny::deserialize(deserializer)?;
    Ok(mac_aging())
}

fn best_effort() -> Int<0, 7> {
    Int::new(0)
}

fn no_priority() -> Int<0, 63> {
    Int::new(0)
}

impl Qos {
    /// Clients look for all three shapers in what was stored [nsxlib core_resources].
    pub(super) fn complete(&mut self) -> Result<(), Error> {
        let off = RateShaper {
            enabled: false,
            average_bandwidth_mbps: NO_RATE,
            peak_bandwidth_mbps: NO_RATE,
            burst_size_bytes: NO_RATE,
        };
        let broadcast_off = BroadcastRateShaper {
            enabled: false,
            average_bandwidth_kbps: NO_RATE,
            peak_bandwidth_kbps: NO_RATE,
            burst_size_bytes: NO_RATE,
        };
        for shaper in [
            Shaper::IngressRateShaper(off.clone()),
            Shaper::IngressBroadcastRateShaper(broadcast_off),
            Shaper::EgressRateShaper(off),
        ] {
            let class = shaper.variant();
            let present = self.shaper_configuration.iter().any(|own| own.variant() == class);
            if !present && !self.shaper_configuration.try_push(shaper) {
                return Err(Error::field("shaper_configuration", "names a shaper twice"));
            }
        }
        Ok(())
    }
}
