//! Which routes a tier-0 passes on to its neighbours [spec RedistributionConfig,
//! RedistributionRuleList].

use super::filters::ROUTE_MAP;
use super::{ROUTER, of_router};
use crate::inventory::{Error, Header, Kind, Reference, Resource, Transaction};
use crate::wire::{Items, Text, Told};
use schemars::JsonSchema;
use serde::de::{Deserializer, IgnoredAny};
use serde::{Deserialize, Serialize};

/// The declaration of the switch.
pub static CONFIG: Kind = Kind {
    parent: ROUTER,
    single: true,
    ..Kind::of::<RedistributionConfig>(
        "RedistributionConfig",
        "/logical-routers/{}/routing/redistribution",
    )
};

/// The declaration of the rules.
pub static RULES: Kind = Kind {
    parent: ROUTER,
    single: true,
    ..Kind::of::<RedistributionRuleList>(
        "RedistributionRuleList",
        "/logical-routers/{}/routing/redistribution/rules",
    )
};

/// Whether routes are passed on at all.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RedistributionConfig {
    #[serde(default)]
    bgp_enabled: bool,
    #[serde(default)]
    logical_router_id: Told<String>,
}

/// Which routes are passed on.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RedistributionRuleList {
    #[serde(default)]
    rules: Items<RedistributionRule, 5>,
    #[serde(default)]
    logical_router_id: Told<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RedistributionRule {
    display_name: Option<Text<255>>,
    description: Option<Text<1024>>,
    sources: Vec<Protocol>,
    destination: Protocol,
    route_map_id: Option<String>,
    #[serde(default, deserialize_with = "both")]
    #[schemars(extend("readOnly" = true))]
    address_family: AddressFamily,
}

/// The families of a rule, which the manager alone sets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
enum AddressFamily {
    #[default]
    #[serde(rename = "IPV4_AND_IPV6")]
    Both,
}

/// Reads over what a caller sends.
fn both<'de, D: Deserializer<'de>>(deserializer: D) -> Result<AddressFamily, D::Error> {
    IgnoredAny::deserialize(deserializer)?;
    Ok(AddressFamily::Both)
}

/// Where a route comes from or goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(clippy::enum_variant_names, reason = "wire names")]
enum Protocol {
    Static,
    #[serde(rename = "T0_STATIC")]
    T0Static,
    NsxConnected,
    #[serde(rename = "T0_CONNECTED")]
    T0Connected,
    NsxStatic,
    #[serde(rename = "T1_STATIC")]
    T1Static,
    #[serde(rename = "T0_UPLINK")]
    T0Uplink,
    #[serde(rename = "T0_DOWNLINK")]
    T0Downlink,
    #[serde(rename = "T0_ROUTER_LINK")]
    T0RouterLink,
    #[serde(rename = "T0_CSP")]
    T0Csp,
    #[serde(rename = "T0_LOOPBACK")]
    T0Loopback,
    #[serde(rename = "T0_DNS_FORWARDER_IP")]
    T0DnsForwarderIp,
    #[serde(rename = "T0_IPSEC_LOCAL_IP")]
    T0IpsecLocalIp,
    #[serde(rename = "TIER0_NAT")]
    Tier0Nat,
    #[serde(rename = "T0_NAT")]
    T0Nat,
    #[serde(rename = "TIER1_NAT")]
    Tier1Nat,
    #[serde(rename = "T1_NAT")]
    T1Nat,
    #[serde(rename = "TIER1_LB_VIP")]
    Tier1LbVip,
    #[serde(rename = "T1_LB_VIP")]
    T1LbVip,
    #[serde(rename = "TIER1_LB_SNAT")]
    Tier1LbSnat,
    #[serde(rename = "T1_LB_SNAT")]
    T1LbSnat,
    #[serde(rename = "T1_DNS_FORWARDER_IP")]
    T1DnsForwarderIp,
    #[serde(rename = "T1_CONNECTED")]
    T1Connected,
    #[serde(rename = "T1_DOWNLINK")]
    T1Downlink,
    #[serde(rename = "T1_CSP")]
    T1Csp,
    Bgp,
    #[serde(rename = "T1_IPSEC_LOCAL_IP")]
    T1IpsecLocalIp,
}

impl Resource for RedistributionConfig {
    fn admit(
        &mut self,
        header: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        self.logical_router_id = of_router(header);
        Ok(())
    }
}

impl Resource for RedistributionRuleList {
    fn references(&self) -> Vec<Reference> {
        let maps = self.rules.iter().filter_map(|rule| rule.route_map_id.as_ref());
        maps.map(|id| Reference::new(ROUTE_MAP.name, id)).collect()
    }

    fn admit(
        &mut self,
        header: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        self.logical_router_id = of_router(header);
        Ok(())
    }
}
