//! How routers speak IPv6 to their segments [spec DADProfile, NDRAProfile].

use crate::inventory::{Kind, Resource};
use crate::kinds::values::Formed;
use crate::wire::{Int, Items, int};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::Ipv6Addr;

/// The declaration of profiles for detecting addresses given twice.
pub static DAD_PROFILE: Kind = Kind {
    created: 200, // [spec CreateDADProfile]
    ..Kind::of::<DadProfile>("DADProfile", "/ipv6/dad-profiles")
};

/// The declaration of profiles for router advertisements.
pub static NDRA_PROFILE: Kind = Kind {
    created: 200, // [spec CreateNDRAProfile]
    ..Kind::of::<NdraProfile>("NDRAProfile", "/ipv6/nd-ra-profiles")
};

/// As many seconds or milliseconds as 32 bits hold.
type Word = Int<0, 4_294_967_295>;

/// How addresses given twice are detected.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DadProfile {
    #[serde(default)]
    dad_mode: DadMode,
    #[serde(default = "int::<3, 0, 10>")]
    ns_retries: Int<0, 10>,
    /// Seconds.
    #[serde(default = "int::<1, 0, 60>")]
    wait_time: Int<0, 60>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum DadMode {
    #[default]
    Loose,
    Strict,
}

/// What routers advertise.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NdraProfile {
    // Required by the description, which states a default all the same.
    #[serde(default)]
    ra_mode: RaMode,
    ra_config: RaConfig,
    dns_config: Option<RaDns>,
    /// Milliseconds.
    #[serde(default = "int::<1000, 0, 4_294_967_295>")]
    retransmit_interval: Word,
    /// Milliseconds.
    #[serde(default = "int::<0, 0, 3_600_000>")]
    reachable_timer: Int<0, 3_600_000>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum RaMode {
    Disabled,
    #[default]
    SlaacDnsThroughRa,
    SlaacDnsThroughDhcp,
    DhcpAddressAndDnsThroughDhcp,
    SlaacAndAddressDnsThroughDhcp,
}

/// Times in seconds.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RaConfig {
    #[serde(default = "int::<64, 0, 255>")]
    hop_limit: Int<0, 255>,
    #[serde(default = "int::<1800, 0, 65_520>")]
    router_lifetime: Int<0, 65_520>,
    #[serde(default = "int::<600, 4, 1800>")]
    ra_interval: Int<4, 1800>,
    #[serde(default = "int::<604_800, 0, 4_294_967_295>")]
    prefix_preferred_time: Word,
    #[serde(default = "int::<2_592_000, 0, 4_294_967_295>")]
    prefix_lifetime: Word,
}

/// Times in milliseconds.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RaDns {
    domain_name: Option<Items<String, 8>>,
    #[serde(default = "int::<1_800_000, 0, 4_294_967_295>")]
    domain_name_lifetime: Word,
    dns_server: Option<Items<Formed<Ipv6Addr>, 8>>,
    #[serde(default = "int::<1_800_000, 0, 4_294_967_295>")]
    dns_server_lifetime: Word,
}

impl Resource for DadProfile {}

impl Resource for NdraProfile {}
