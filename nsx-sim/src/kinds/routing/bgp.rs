//! How a tier-0 exchanges routes with its neighbours [spec BgpConfig, BgpNeighbor].

use super::filters::{PREFIX_LIST, ROUTE_MAP};
use super::{ROUTER, of_router};
use crate::inventory::{Error, Header, Kind, Reference, Resource, Transaction};
use crate::kinds::values::Formed;
use crate::wire::{Int, Items, Text, Told, int, yes};
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// The declaration of a router's own side.
pub static CONFIG: Kind = Kind {
    parent: ROUTER,
    single: true,
    ..Kind::of::<BgpConfig>("BgpConfig", "/logical-routers/{}/routing/bgp")
};

/// The declaration of neighbours.
pub static NEIGHBOR: Kind = Kind {
    parent: ROUTER,
    created: 200, // [spec AddBgpNeighbor]
    ..Kind::of::<BgpNeighbor>("BgpNeighbor", "/logical-routers/{}/routing/bgp/neighbors")
};

/// The number of an autonomous system in the older, plain form [spec BgpConfig.as_number].
type PlainAs = Int<1, 4_294_967_296>;

/// A router's own side.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "the API's own members")]
pub struct BgpConfig {
    /// Whether routes are exchanged.
    #[serde(default)]
    pub enabled: bool,
    as_num: Option<String>,
    as_number: Option<PlainAs>,
    #[serde(default = "yes")]
    ecmp: bool,
    #[serde(default = "yes")]
    multipath_relax: bool,
    graceful_restart: Option<bool>,
    graceful_restart_config: Option<GracefulRestart>,
    inter_sr_ibgp: Option<InterSr>,
    route_aggregation: Option<Items<Aggregation, 1000>>,
    #[serde(default)]
    logical_router_id: Told<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GracefulRestart {
    #[serde(default)]
    graceful_restart_mode: RestartMode,
    graceful_restart_timer: Option<RestartTimer>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum RestartMode {
    Disable,
    #[default]
    HelperOnly,
    GrAndHelper,
}

/// Seconds.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RestartTimer {
    #[serde(default = "int::<180, 1, 3600>")]
    restart_timer: Int<1, 3600>,
    #[serde(default = "int::<600, 1, 3600>")]
    stale_timer: Int<1, 3600>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct InterSr {
    #[serde(default = "yes")]
    enabled: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Aggregation {
    prefix: Formed<IpNet>,
    #[serde(default = "yes")]
    summary_only: bool,
}

/// Times of one BFD session, in milliseconds [spec BfdConfigParameters].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BfdTimes {
    #[serde(default = "int::<1000, 300, 60_000>")]
    receive_interval: Int<300, 60_000>,
    #[serde(default = "int::<1000, 300, 60_000>")]
    transmit_interval: Int<300, 60_000>,
    #[serde(default = "int::<3, 2, 16>")]
    declare_dead_multiple: Int<2, 16>,
}

/// A neighbour.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BgpNeighbor {
    /// Its address.
    pub neighbor_address: Formed<IpAddr>,
    /// The number of its autonomous system, plain or dotted.
    pub remote_as_num: Option<String>,
    remote_as: Option<PlainAs>,
    /// Whether routes are exchanged with it.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Seconds.
    #[serde(default = "int::<180, 1, 65_535>")]
    pub hold_down_timer: Int<1, 65_535>,
    /// Seconds.
    #[serde(default = "int::<60, 1, 65_535>")]
    pub keep_alive_timer: Int<1, 65_535>,
    #[serde(default = "int::<1, 1, 255>")]
    maximum_hop_limit: Int<1, 255>,
    source_address: Option<Formed<IpAddr>>,
    /// Where the sessions start from.
    pub source_addresses: Option<Items<Formed<IpAddr>, 8>>,
    /// What is exchanged.
    pub address_families: Option<Vec<NeighborFamily>>,
    filter_in_ipprefixlist_id: Option<String>,
    filter_out_ipprefixlist_id: Option<String>,
    filter_in_routemap_id: Option<String>,
    filter_out_routemap_id: Option<String>,
    #[serde(default)]
    allow_as_in: bool,
    #[serde(default)]
    enable_bfd: bool,
    bfd_config: Option<BfdTimes>,
    graceful_restart_mode: Option<RestartMode>,
    /// Kept over changes that do not state it, and never printed.
    #[serde(skip_serializing)]
    pub password: Option<Text<{ usize::MAX }, 1>>,
    /// The password goes with this change.
    #[serde(skip)]
    forgets: bool,
    #[serde(default)]
    logical_router_id: Told<String>,
}

/// What is exchanged with a neighbour [spec BgpNeighborAddressFamily].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NeighborFamily {
    /// Routes of which family.
    pub r#type: FamilyType,
    #[serde(default = "yes")]
    enabled: bool,
    in_filter_ipprefixlist_id: Option<String>,
    in_filter_routemap_id: Option<String>,
    out_filter_ipprefixlist_id: Option<String>,
    out_filter_routemap_id: Option<String>,
}

/// A family of routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "wire names that say it all")]
pub enum FamilyType {
    #[serde(rename = "IPV4_UNICAST")]
    Ipv4Unicast,
    #[serde(rename = "VPNV4_UNICAST")]
    Vpnv4Unicast,
    #[serde(rename = "IPV6_UNICAST")]
    Ipv6Unicast,
}

/// Brings the two forms of a system's number in step; the newer one counts.
fn settle_as(
    field: &str,
    newer: &mut Option<String>,
    older: &mut Option<PlainAs>,
) -> Result<(), Error> {
    if let Some(text) = newer.as_deref() {
        let number = plain_as(text).ok_or_else(|| {
            let problem = format!("must be the number of an autonomous system, not {text}");
            Error::field(field, problem)
        })?;
        *older = PlainAs::try_new(i64::from(number));
    } else if let Some(number) = older {
        *newer = Some(number.get().to_string());
    }
    Ok(())
}

/// The number that a plain (`65551`) or dotted (`1.15`) form means.
fn plain_as(text: &str) -> Option<u32> {
    let number = match text.split_once('.') {
        Some((high, low)) => {
            let (high, low): (u16, u16) = (high.parse().ok()?, low.parse().ok()?);
            u32::from(high) << 16 | u32::from(low)
        }
        None => text.parse().ok()?,
    };
    (number > 0).then_some(number)
}

impl Resource for BgpConfig {
    fn admit(
        &mut self,
        header: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        self.logical_router_id = of_router(header);
        settle_as("as_num", &mut self.as_num, &mut self.as_number)?;
        let asked = self.graceful_restart;
        let config = self.graceful_restart_config.get_or_insert(GracefulRestart {
            graceful_restart_mode: match asked {
                Some(true) => RestartMode::GrAndHelper,
                _ => RestartMode::HelperOnly,
            },
            graceful_restart_timer: None,
        });
        config.graceful_restart_timer.get_or_insert(RestartTimer {
            restart_timer: Int::new(180),
            stale_timer: Int::new(600),
        });
        let restarts = config.graceful_restart_mode == RestartMode::GrAndHelper;
        // Both forms given must say the same [spec BgpConfig.graceful_restart].
        if asked.is_some_and(|asked| asked != restarts) {
            let problem = "contradicts graceful_restart_config.graceful_restart_mode";
            return Err(Error::field("graceful_restart", problem));
        }
        self.graceful_restart = Some(restarts);
        Ok(())
    }
}

impl Resource for BgpNeighbor {
    fn references(&self) -> Vec<Reference> {
        let families = || self.address_families.iter().flatten();
        let lists = [&self.filter_in_ipprefixlist_id, &self.filter_out_ipprefixlist_id];
        let maps = [&self.filter_in_routemap_id, &self.filter_out_routemap_id];
        let family_lists = families()
            .flat_map(|own| [&own.in_filter_ipprefixlist_id, &own.out_filter_ipprefixlist_id]);
        let family_maps =
            families().flat_map(|own| [&own.in_filter_routemap_id, &own.out_filter_routemap_id]);
        let lists = lists.into_iter().chain(family_lists).flatten();
        let maps = maps.into_iter().chain(family_maps).flatten();
        lists
            .map(|id| Reference::new(PREFIX_LIST.name, id))
            .chain(maps.map(|id| Reference::new(ROUTE_MAP.name, id)))
            .collect()
    }

    fn admit(
        &mut self,
        header: &mut Header,
        before: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        self.logical_router_id = of_router(header);
        settle_as("remote_as_num", &mut self.remote_as_num, &mut self.remote_as)?;
        if self.remote_as_num.is_none() {
            return Err(Error::field("remote_as_num", "is required"));
        }
        // [spec BgpNeighbor.password]
        if self.password.as_ref().is_some_and(|own| own.chars().count() > 20) {
            return Err(Error::field("password", "has exceeded maximum size 20"));
        }
        if self.source_addresses.is_none() {
            let older = self.source_address.clone().into_iter().collect::<Vec<_>>();
            self.source_addresses = Items::try_new(older).ok().filter(|own| !own.is_empty());
        }
        if self.address_families.as_ref().is_none_or(Vec::is_empty) {
            // [spec BgpNeighbor.address_families]
            self.address_families = Some(vec![NeighborFamily {
                r#type: FamilyType::Ipv4Unicast,
                enabled: true,
                in_filter_ipprefixlist_id: self.filter_in_ipprefixlist_id.clone(),
                in_filter_routemap_id: self.filter_in_routemap_id.clone(),
                out_filter_ipprefixlist_id: self.filter_out_ipprefixlist_id.clone(),
                out_filter_routemap_id: self.filter_out_routemap_id.clone(),
            }]);
        }
        if self.password.is_none() && !std::mem::take(&mut self.forgets) {
            self.password = before.and_then(|before| before.password.clone());
        }
        Ok(())
    }
}

impl BgpNeighbor {
    /// Takes the password away.
    pub fn forget_password(&mut self) {
        self.password = None;
        self.forgets = true;
    }
}
