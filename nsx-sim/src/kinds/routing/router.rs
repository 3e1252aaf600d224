//! Logical routers [spec LogicalRouter].

use super::ipv6::{DAD_PROFILE, NDRA_PROFILE};
use super::{bgp, config, placement, port, redistribution, stated};
use crate::inventory::{
    Action, Error, Filter, Header, Incoming, Kind, Level, Object, Query, Reference, Resource,
    Transaction, Words,
};
use crate::kinds::fabric::edge_cluster;
use crate::kinds::reference::ResourceReference;
use crate::kinds::transport_zone;
use crate::kinds::values::Formed;
use crate::wire::{self, Fields, Int, Items, Told, blank_is_none, polymorphic, yes};
use ipnet::{IpNet, Ipv4Net};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::net::IpAddr;

/// The declaration.
pub static KIND: Kind = Kind {
    level: Level::Semantic,
    filters: &[Filter {
        name: "router_type",
        words: Some(Words::Of(&["TIER0", "TIER1"])),
        passes: |_, object, word| {
            object.body::<LogicalRouter>().is_some_and(|router| router.router_type.word() == word)
        },
    }],
    actions: &[Action { word: "reallocate", status: 200, run: reallocate }],
    ..Kind::of::<LogicalRouter>("LogicalRouter", "/logical-routers")
};

/// The networks that links between tier-0 and tier-1 take their addresses from
/// [spec LogicalRouterConfig].
const EXTERNAL_TRANSIT: &str = "100.64.0.0/16";

/// A router of one of the two tiers.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogicalRouter {
    /// Towards the outside or towards the segments; fixed.
    pub router_type: RouterType,
    /// Where its services run; a tier-0 needs one.
    #[serde(default, deserialize_with = "blank_is_none")]
    pub edge_cluster_id: Option<String>,
    /// The cluster's members that a tier-1's services are placed on by hand.
    edge_cluster_member_indices: Option<Vec<i64>>,
    /// How its services are spread over the members.
    pub high_availability_mode: Option<HighAvailability>,
    failover_mode: Option<FailoverMode>,
    preferred_edge_cluster_member_index: Option<Int<0, { i64::MAX }>>,
    allocation_profile: Option<AllocationProfile>,
    /// Its transit networks and shared addresses.
    pub advanced_config: Option<AdvancedConfig>,
    ipv6_profiles: Option<Ipv6Profiles>,
    #[serde(default)]
    firewall_sections: Told<Vec<ResourceReference>>,
}

/// The tier of a router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum RouterType {
    /// Towards the outside.
    Tier0,
    /// Towards the segments.
    Tier1,
}

impl RouterType {
    /// The wire name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Tier0 => "TIER0",
            Self::Tier1 => "TIER1",
        }
    }
}

/// How a router's services are spread over edge nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum HighAvailability {
    /// All work.
    ActiveActive,
    /// One works, another takes over.
    ActiveStandby,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum FailoverMode {
    Preemptive,
    NonPreemptive,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AllocationProfile {
    allocation_pool: Option<AllocationPool>,
    #[serde(default)]
    enable_standby_relocation: bool,
}

#[derive(Clone, Debug, Deserialize)]
enum AllocationPool {
    LoadBalancerAllocationPool(LoadBalancerPool),
}

polymorphic!(AllocationPool by "allocation_pool_type" { LoadBalancerAllocationPool });

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LoadBalancerPool {
    // Required by the description, which states a default all the same.
    #[serde(default)]
    allocation_size: AllocationSize,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum AllocationSize {
    #[default]
    Small,
    Medium,
    Large,
}

/// Transit networks and shared addresses [spec LogicalRouterConfig].
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdvancedConfig {
    /// Where the links to other tiers take their addresses from.
    pub external_transit_networks: Option<Vec<Formed<IpNet>>>,
    internal_transit_network: Option<Formed<Ipv4Net>>,
    /// The zone that all downlinks' switches must be of, where it is set.
    pub transport_zone_id: Option<String>,
    ha_vip_configs: Option<Vec<HaVipConfig>>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct HaVipConfig {
    ha_vip_subnets: Items<VipSubnet, 2, 1>,
    redundant_uplink_port_ids: Items<String, 2, 2>,
    #[serde(default = "yes")]
    enabled: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct VipSubnet {
    active_vip_addresses: Items<Formed<IpAddr>, 1, 1>,
    prefix_length: Int<1, 128>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Ipv6Profiles {
    dad_profile_id: Option<String>,
    ndra_profile_id: Option<String>,
}

/// What `?action=reallocate` asks for [spec ServiceRouterAllocationConfig].
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Reallocation {
    edge_cluster_id: String,
    edge_cluster_member_indices: Option<Vec<i64>>,
    allocation_pool: Option<AllocationPool>,
}

impl LogicalRouter {
    /// Whether some of its services keep state, which needs one of them to be the active one.
    pub fn is_active_active(&self) -> bool {
        self.high_availability_mode == Some(HighAvailability::ActiveActive)
    }

    /// The members of its edge cluster that it is placed on by hand.
    pub fn members(&self) -> impl Iterator<Item = i64> {
        self.edge_cluster_member_indices.iter().flatten().copied()
    }

    /// The member of its edge cluster that works while it can, where one does.
    pub fn preferred_member(&self) -> Option<i64> {
        let preempts = self.failover_mode == Some(FailoverMode::Preemptive);
        self.preferred_edge_cluster_member_index.filter(|_| preempts).map(Int::get)
    }

    /// The networks that links to tier-1 routers take their addresses from.
    pub fn transit_networks(&self) -> impl Iterator<Item = IpNet> {
        let networks = self.advanced_config.as_ref();
        let networks = networks.and_then(|own| own.external_transit_networks.as_deref());
        networks.unwrap_or_default().iter().map(|network| *network.value())
    }

    fn settle_availability(&mut self) -> Result<(), Error> {
        let default = match self.router_type {
            RouterType::Tier0 => HighAvailability::ActiveActive,
            RouterType::Tier1 => HighAvailability::ActiveStandby,
        };
        let mode = *self.high_availability_mode.get_or_insert(default);
        if mode == HighAvailability::ActiveStandby {
            self.failover_mode.get_or_insert(FailoverMode::NonPreemptive);
            return Ok(());
        }
        if self.router_type == RouterType::Tier1 {
            let problem = "must be ACTIVE_STANDBY for a TIER1 router";
            return Err(Error::field("high_availability_mode", problem));
        }
        if self.failover_mode.is_some() {
            let problem = "needs high_availability_mode ACTIVE_STANDBY";
            return Err(Error::field("failover_mode", problem));
        }
        Ok(())
    }

    fn settle_networks(&mut self) -> Result<(), Error> {
        let active_active = self.is_active_active();
        let config = self.advanced_config.get_or_insert_with(AdvancedConfig::default);
        if active_active && config.ha_vip_configs.as_ref().is_some_and(|own| !own.is_empty()) {
            let problem = "needs high_availability_mode ACTIVE_STANDBY";
            return Err(Error::field("advanced_config.ha_vip_configs", problem));
        }
        if config.internal_transit_network.is_none() {
            // [spec LogicalRouterConfig.internal_transit_network]
            let network = if active_active { "169.254.0.0/24" } else { "169.254.0.0/28" };
            config.internal_transit_network = stated(network);
        }
        if config.external_transit_networks.as_ref().is_none_or(Vec::is_empty) {
            config.external_transit_networks = Some(stated(EXTERNAL_TRANSIT).into_iter().collect());
        }
        Ok(())
    }

    /// Makes what each router has one of.
    fn make_parts(&self, header: &Header, tx: &mut Transaction<'_>) -> Result<(), Error> {
        let mut make = |kind: &'static Kind, body: Value| {
            let incoming = Incoming::read(kind, wire::fields_of(&body))?;
            tx.create_part(kind, Some(&header.id), incoming).map(|_| ())
        };
        let nothing = || Value::Object(Fields::new());
        make(&config::ROUTING, nothing())?;
        match self.router_type {
            RouterType::Tier0 => {
                // [spec BgpConfig.enabled, BgpConfig.ecmp]
                let on = self.is_active_active();
                make(&bgp::CONFIG, json!({ "enabled": on, "ecmp": on }))?;
                make(&config::BFD, nothing())?;
                make(&redistribution::CONFIG, nothing())?;
                make(&redistribution::RULES, nothing())
            }
            RouterType::Tier1 => {
                make(&config::ADVERTISEMENT, nothing())?;
                make(&config::ADVERTISE_RULES, nothing())
            }
        }
    }
}

impl Resource for LogicalRouter {
    fn references(&self) -> Vec<Reference> {
        let zone = self.advanced_config.as_ref().and_then(|own| own.transport_zone_id.as_ref());
        let zone = zone.map(|id| Reference::new(transport_zone::KIND.name, id));
        let cluster = self.edge_cluster_id.as_ref();
        let cluster = cluster.map(|id| Reference::new(edge_cluster::KIND.name, id));
        let profiles = self.ipv6_profiles.as_ref();
        let dad = profiles.and_then(|own| own.dad_profile_id.as_ref());
        let ndra = profiles.and_then(|own| own.ndra_profile_id.as_ref());
        zone.into_iter()
            .chain(cluster)
            .chain(dad.map(|id| Reference::new(DAD_PROFILE.name, id)))
            .chain(ndra.map(|id| Reference::new(NDRA_PROFILE.name, id)))
            .collect()
    }

    fn admit(
        &mut self,
        header: &mut Header,
        before: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if before.is_some_and(|before| before.router_type != self.router_type) {
            return Err(Error::field("router_type", "can not be changed"));
        }
        if self.router_type == RouterType::Tier0 && self.edge_cluster_id.is_none() {
            return Err(Error::field("edge_cluster_id", "is required for a TIER0 router"));
        }
        self.settle_availability()?;
        self.settle_networks()?;
        if self.members().count() > 2 {
            let problem = "must be at most two for a router in ACTIVE_STANDBY";
            return Err(Error::field("edge_cluster_member_indices", problem));
        }
        let preferred = self.preferred_edge_cluster_member_index.map(Int::get);
        placement::check(
            "preferred_edge_cluster_member_index",
            preferred.into_iter(),
            self,
            transaction,
        )?;
        placement::check("edge_cluster_member_indices", self.members(), self, transaction)?;
        match before {
            None => self.make_parts(header, transaction),
            Some(_) => Ok(()),
        }
    }

    /// A router with ports stays; `force=true` takes them with it [spec DeleteLogicalRouter].
    fn retire(
        object: &Object,
        transaction: &mut Transaction<'_>,
        query: &Query,
    ) -> Result<(), Error> {
        if !query.flag("force")? {
            return transaction.refuse_if_used(object, |_| true);
        }
        for user in transaction.referrers(KIND.name, &object.header.id) {
            if user.kind.name == port::KIND.name {
                transaction.delete(&port::KIND, &user.header.id, query)?;
            }
        }
        Ok(())
    }
}

/// Gives a tier-1's services other edge nodes [spec ReAllocateServiceRouters].
fn reallocate(tx: &mut Transaction<'_>, id: &str, body: Value, _: &Query) -> Result<Value, Error> {
    let asked: Reallocation = wire::read(body)?;
    let router = tx.edit(&KIND, id, |router: &mut LogicalRouter, _| {
        if router.router_type != RouterType::Tier1 {
            return Err(Error::field("router_type", "must be TIER1 to be reallocated"));
        }
        if router.edge_cluster_id.is_none() {
            return Err(Error::field("edge_cluster_id", "is of no router without edge cluster"));
        }
        router.edge_cluster_id = Some(asked.edge_cluster_id);
        router.edge_cluster_member_indices = asked.edge_cluster_member_indices;
        if let Some(pool) = asked.allocation_pool {
            let relocation =
                router.allocation_profile.as_ref().is_some_and(|own| own.enable_standby_relocation);
            router.allocation_profile = Some(AllocationProfile {
                allocation_pool: Some(pool),
                enable_standby_relocation: relocation,
            });
        }
        Ok(())
    })?;
    Ok(Value::Object(router.fields(tx.inventory(), tx.actor())))
}
