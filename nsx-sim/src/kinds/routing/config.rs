//! What each router has just one of: general routing, advertisement towards tier-0, detection of
//! dead neighbours [spec RoutingConfig, AdvertisementConfig, AdvertiseRuleList, BfdConfig].

use super::{ROUTER, of_router};
use crate::inventory::{Error, Header, Kind, Level, Resource, Transaction};
use crate::kinds::values::Formed;
use crate::wire::{Int, Items, Text, Told, int};
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration of general routing.
pub static ROUTING: Kind = Kind {
    parent: ROUTER,
    single: true,
    ..Kind::of::<RoutingConfig>("RoutingConfig", "/logical-routers/{}/routing")
};

/// The declaration of a tier-1's advertisement.
pub static ADVERTISEMENT: Kind = Kind {
    parent: ROUTER,
    single: true,
    level: Level::Semantic,
    ..Kind::of::<AdvertisementConfig>(
        "AdvertisementConfig",
        "/logical-routers/{}/routing/advertisement",
    )
};

/// The declaration of a tier-1's rules of advertisement.
pub static ADVERTISE_RULES: Kind = Kind {
    parent: ROUTER,
    single: true,
    level: Level::Semantic,
    ..Kind::of::<AdvertiseRuleList>(
        "AdvertiseRuleList",
        "/logical-routers/{}/routing/advertisement/rules",
    )
};

/// The declaration of a tier-0's detection of dead neighbours.
pub static BFD: Kind = Kind {
    parent: ROUTER,
    single: true,
    ..Kind::of::<BfdConfig>("BfdConfig", "/logical-routers/{}/routing/bfd-config")
};

/// General routing of a router.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoutingConfig {
    /// Seconds that the router waits before it forwards by a new route.
    #[serde(default)]
    forwarding_up_timer: i64,
    #[serde(default)]
    logical_router_id: Told<String>,
}

/// Which of a tier-1's routes its tier-0 learns.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "the API's own members")]
pub struct AdvertisementConfig {
    /// Whether it learns any.
    #[serde(default)]
    pub enabled: bool,
    /// Networks of the tier-1's own ports.
    #[serde(default)]
    pub advertise_nsx_connected_routes: bool,
    /// Its static routes.
    #[serde(default)]
    pub advertise_static_routes: bool,
    /// The addresses that its translations stand for.
    #[serde(default)]
    pub advertise_nat_routes: bool,
    /// The addresses of its virtual servers.
    #[serde(default)]
    pub advertise_lb_vip: bool,
    #[serde(default)]
    /// Addresses that members see instead of clients.
    pub advertise_lb_snat_ip: bool,
    #[serde(default)]
    advertise_dns_forwarder: bool,
    #[serde(default)]
    advertise_ipsec_local_ip: bool,
    #[serde(default)]
    logical_router_id: Told<String>,
}

/// What a tier-1 advertises beyond, or short of, its switches, in order.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdvertiseRuleList {
    /// The rules; the first that fits a route decides.
    #[serde(default)]
    pub rules: Vec<AdvertiseRule>,
    #[serde(default)]
    logical_router_id: Told<String>,
}

/// One rule of advertisement.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdvertiseRule {
    display_name: Option<Text<255>>,
    description: Option<Text<1024>>,
    /// Whether routes that fit are advertised.
    #[serde(default)]
    pub action: AdvertiseAction,
    /// The networks that it is about.
    pub networks: Vec<Formed<IpNet>>,
    /// Which routes in these networks.
    pub rule_filter: Option<AdvertiseFilter>,
}

/// Whether a route is advertised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "wire names that say it all")]
pub enum AdvertiseAction {
    Deny,
    #[default]
    Allow,
}

/// Which routes a rule of advertisement is about [spec AdvertisementRuleFilter].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdvertiseFilter {
    /// How a route's network compares with the rule's.
    // Required by the description, which states a default all the same.
    #[serde(default)]
    pub prefix_operator: PrefixOperator,
    /// Where the routes come from.
    pub match_route_types: Items<RouteSource, { usize::MAX }, 1>,
}

/// How a route's network compares with a rule's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum PrefixOperator {
    /// It lies within.
    #[default]
    Ge,
    /// It is the same.
    Eq,
}

/// Where an advertised route comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "wire names that say it all")]
pub enum RouteSource {
    Any,
    Static,
    #[serde(rename = "T1_STATIC")]
    T1Static,
    NsxConnected,
    #[serde(rename = "T1_CONNECTED")]
    T1Connected,
    #[serde(rename = "T1_NAT")]
    T1Nat,
    #[serde(rename = "T1_LB_VIP")]
    T1LbVip,
    #[serde(rename = "T1_LB_SNAT")]
    T1LbSnat,
    #[serde(rename = "T1_DNSFORWARDER")]
    T1DnsForwarder,
    #[serde(rename = "T1_IPSEC_LOCAL_IP")]
    T1IpsecLocalIp,
}

/// Times in milliseconds for all BFD sessions of a router without their own.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BfdConfig {
    #[serde(default)]
    enabled: bool,
    #[serde(default = "int::<1000, 100, 60_000>")]
    receive_interval: Int<100, 60_000>,
    #[serde(default = "int::<1000, 100, 60_000>")]
    transmit_interval: Int<100, 60_000>,
    #[serde(default = "int::<3, 2, 16>")]
    declare_dead_multiple: Int<2, 16>,
    #[serde(default)]
    logical_router_id: Told<String>,
}

/// The parts of a router that know nothing but which router they are of.
macro_rules! plain_part {
    ($($name:ident),+) => {$(
        impl Resource for $name {
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
    )+};
}

plain_part!(RoutingConfig, AdvertisementConfig, AdvertiseRuleList, BfdConfig);
