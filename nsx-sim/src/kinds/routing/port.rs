//! Ports of logical routers [spec LogicalRouterPort].

use super::ipv6::NDRA_PROFILE;
use super::router::{self, LogicalRouter, RouterType};
use super::service_binding::ServiceBinding;
use super::subnet::{self, IpSubnet, Subnets};
use super::{links, placement};
use crate::inventory::{
    Error, Filter, Header, IndexKey, Inventory, Kind, Level, Object, Query, Reference, Resource,
    Transaction, Words,
};
use crate::kinds::bindings::AdminState;
use crate::kinds::logical_port;
use crate::kinds::reference::ResourceReference;
use crate::kinds::values::Formed;
use crate::wire::{self, Fields, Int, Items, Told, polymorphic};
use ipnet::Ipv6Net;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration.
pub static KIND: Kind = Kind {
    level: Level::Semantic,
    polymorphic: true,
    filters: &[
        Filter {
            name: "logical_router_id",
            words: None,
            passes: |_, object, id| port(object).is_some_and(|port| port.router() == id),
        },
        Filter {
            name: "logical_switch_id",
            words: None,
            passes: |_, object, id| port(object).is_some_and(|port| port.switch() == Some(id)),
        },
        Filter {
            name: "resource_type",
            words: Some(Words::Of(&[
                "LogicalRouterUpLinkPort",
                "LogicalRouterDownLinkPort",
                "LogicalRouterLinkPortOnTIER0",
                "LogicalRouterLinkPortOnTIER1",
                "LogicalRouterLoopbackPort",
                "LogicalRouterIPTunnelPort",
                "LogicalRouterCentralizedServicePort",
            ])),
            passes: |_, object, word| object.resource_type() == word,
        },
    ],
    indexed: &[("logical_router_id", BY_ROUTER), ("logical_switch_id", BY_SWITCH)],
    ..Kind::of::<RouterPort>("LogicalRouterPort", "/logical-router-ports")
};

/// Index: router to its ports.
pub const BY_ROUTER: &str = "router-port-by-router";
/// Index: logical switch to the router ports on it.
pub const BY_SWITCH: &str = "router-port-by-switch";
/// Index: link port on tier-0 to the one on tier-1 that it leads to.
pub const BY_UPPER_LINK: &str = "router-port-by-upper-link";

fn port(object: &Object) -> Option<&RouterPort> {
    object.body()
}

/// Where a router meets a switch, another router or the outside.
#[derive(Clone, Debug, Deserialize)]
#[allow(clippy::enum_variant_names, reason = "wire names")]
pub enum RouterPort {
    /// Towards the outside; tier-0 only.
    LogicalRouterUpLinkPort(UpLink),
    /// Towards a segment.
    LogicalRouterDownLinkPort(DownLink),
    /// Towards a segment, on the edge nodes alone.
    LogicalRouterCentralizedServicePort(ServicePort),
    /// Towards nothing but itself.
    LogicalRouterLoopbackPort(Loopback),
    /// Towards a tier-1.
    LogicalRouterLinkPortOnTIER0(UpperLink),
    /// Towards a tier-0.
    LogicalRouterLinkPortOnTIER1(LowerLink),
    /// Towards the other end of a VPN; nobody but a VPN session makes one.
    LogicalRouterIPTunnelPort(Tunnel),
}

polymorphic!(RouterPort {
    LogicalRouterUpLinkPort,
    LogicalRouterDownLinkPort,
    LogicalRouterCentralizedServicePort,
    LogicalRouterLoopbackPort,
    LogicalRouterLinkPortOnTIER0,
    LogicalRouterLinkPortOnTIER1,
    LogicalRouterIPTunnelPort,
});

/// Towards the outside [spec LogicalRouterUpLinkPort].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpLink {
    logical_router_id: String,
    service_bindings: Option<Vec<ServiceBinding>>,
    linked_logical_switch_port_id: Option<ResourceReference>,
    edge_cluster_member_index: Vec<Int<0, { i64::MAX }>>,
    subnets: Subnets,
    #[serde(default)]
    urpf_mode: UrpfMode,
    #[serde(default)]
    mac_address: Told<String>,
    ndra_prefix_config: Option<Vec<NdraPrefix>>,
    ndra_profile_id: Option<String>,
    mtu: Option<Mtu>,
    #[serde(skip)]
    switch: Option<String>,
}

/// Towards a segment [spec LogicalRouterDownLinkPort].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DownLink {
    logical_router_id: String,
    service_bindings: Option<Vec<ServiceBinding>>,
    linked_logical_switch_port_id: Option<ResourceReference>,
    subnets: Subnets,
    #[serde(default)]
    urpf_mode: UrpfMode,
    #[serde(default)]
    mac_address: Told<String>,
    ndra_profile_id: Option<String>,
    #[serde(skip)]
    switch: Option<String>,
}

/// Towards a segment, on the edge nodes alone [spec LogicalRouterCentralizedServicePort].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServicePort {
    logical_router_id: String,
    service_bindings: Option<Vec<ServiceBinding>>,
    linked_logical_switch_port_id: Option<ResourceReference>,
    subnets: Subnets,
    #[serde(default)]
    enable_netx: bool,
    #[serde(default)]
    urpf_mode: UrpfMode,
    ndra_profile_id: Option<String>,
    mtu: Option<Mtu>,
    #[serde(skip)]
    switch: Option<String>,
}

/// Towards nothing but itself [spec LogicalRouterLoopbackPort].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Loopback {
    logical_router_id: String,
    service_bindings: Option<Vec<ServiceBinding>>,
    edge_cluster_member_index: Vec<Int<0, { i64::MAX }>>,
    subnets: Subnets,
}

/// Towards a tier-1 [spec LogicalRouterLinkPortOnTIER0]; what it is linked to, and its address
/// there, follow from the port on the other side.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpperLink {
    logical_router_id: String,
    service_bindings: Option<Vec<ServiceBinding>>,
    #[serde(default)]
    subnets: Told<Vec<IpSubnet>>,
    #[serde(default)]
    linked_logical_router_port_id: Told<String>,
    #[serde(default)]
    mac_address: Told<String>,
}

/// Towards a tier-0 [spec LogicalRouterLinkPortOnTIER1].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LowerLink {
    logical_router_id: String,
    service_bindings: Option<Vec<ServiceBinding>>,
    /// The port on tier-0.
    pub linked_logical_router_port_id: Option<ResourceReference>,
    edge_cluster_member_index: Option<Vec<Int<0, { i64::MAX }>>>,
    /// Its address on the link, given by the manager.
    #[serde(default)]
    pub subnets: Told<Vec<IpSubnet>>,
    #[serde(default)]
    mac_address: Told<String>,
}

/// Towards the other end of a VPN [spec LogicalRouterIPTunnelPort].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tunnel {
    logical_router_id: String,
    service_bindings: Option<Vec<ServiceBinding>>,
    #[serde(default)]
    subnets: Told<Items<IpSubnet, 1, 1>>,
    #[serde(default)]
    admin_state: Told<AdminState>,
    #[serde(default)]
    vpn_session_id: Told<String>,
}

type Mtu = Int<64, { i64::MAX }>;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum UrpfMode {
    None,
    #[default]
    Strict,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NdraPrefix {
    network_prefix: Formed<Ipv6Net>,
    prefix_valid_time: Option<Int<0, 4_294_967_295>>,
    prefix_preferred_time: Option<Int<0, 4_294_967_295>>,
}

impl RouterPort {
    /// The services that serve behind it.
    fn service_bindings(&self) -> Option<&[ServiceBinding]> {
        match self {
            Self::LogicalRouterUpLinkPort(own) => own.service_bindings.as_deref(),
            Self::LogicalRouterDownLinkPort(own) => own.service_bindings.as_deref(),
            Self::LogicalRouterCentralizedServicePort(own) => own.service_bindings.as_deref(),
            Self::LogicalRouterLoopbackPort(own) => own.service_bindings.as_deref(),
            Self::LogicalRouterLinkPortOnTIER0(own) => own.service_bindings.as_deref(),
            Self::LogicalRouterLinkPortOnTIER1(own) => own.service_bindings.as_deref(),
            Self::LogicalRouterIPTunnelPort(own) => own.service_bindings.as_deref(),
        }
    }

    /// The router that it is of.
    pub fn router(&self) -> &str {
        match self {
            Self::LogicalRouterUpLinkPort(own) => &own.logical_router_id,
            Self::LogicalRouterDownLinkPort(own) => &own.logical_router_id,
            Self::LogicalRouterCentralizedServicePort(own) => &own.logical_router_id,
            Self::LogicalRouterLoopbackPort(own) => &own.logical_router_id,
            Self::LogicalRouterLinkPortOnTIER0(own) => &own.logical_router_id,
            Self::LogicalRouterLinkPortOnTIER1(own) => &own.logical_router_id,
            Self::LogicalRouterIPTunnelPort(own) => &own.logical_router_id,
        }
    }

    /// Its addresses and their networks, as far as it states them itself: those of a link port on
    /// tier-0 follow from the other side, see [`super::table`].
    pub fn subnets(&self) -> &[IpSubnet] {
        match self {
            Self::LogicalRouterUpLinkPort(own) => &own.subnets,
            Self::LogicalRouterDownLinkPort(own) => &own.subnets,
            Self::LogicalRouterCentralizedServicePort(own) => &own.subnets,
            Self::LogicalRouterLoopbackPort(own) => &own.subnets,
            Self::LogicalRouterLinkPortOnTIER0(_) | Self::LogicalRouterIPTunnelPort(_) => &[],
            Self::LogicalRouterLinkPortOnTIER1(own) => own.subnets.as_deref().unwrap_or_default(),
        }
    }

    /// The logical switch that it is on.
    pub fn switch(&self) -> Option<&str> {
        match self {
            Self::LogicalRouterUpLinkPort(own) => own.switch.as_deref(),
            Self::LogicalRouterDownLinkPort(own) => own.switch.as_deref(),
            Self::LogicalRouterCentralizedServicePort(own) => own.switch.as_deref(),
            _ => None,
        }
    }

    /// Whether it leads to the outside.
    pub fn is_uplink(&self) -> bool {
        matches!(self, Self::LogicalRouterUpLinkPort(_))
    }

    /// Whether it is where the router's services are, rather than on every host: at an edge node.
    pub fn is_at_services(&self) -> bool {
        matches!(
            self,
            Self::LogicalRouterUpLinkPort(_)
                | Self::LogicalRouterLinkPortOnTIER1(_)
                | Self::LogicalRouterCentralizedServicePort(_)
        )
    }

    /// The port on tier-0 that it is linked to.
    pub fn upper(&self) -> Option<&str> {
        match self {
            Self::LogicalRouterLinkPortOnTIER1(own) => {
                own.linked_logical_router_port_id.as_ref()?.target_id.as_deref()
            }
            _ => None,
        }
    }

    /// The logical port that it is linked to.
    pub fn switch_port(&self) -> Option<&str> {
        self.switch_link()?.target_id.as_deref()
    }

    /// The reference to the logical port that it is linked to.
    pub(super) fn switch_link(&self) -> Option<&ResourceReference> {
        match self {
            Self::LogicalRouterUpLinkPort(own) => own.linked_logical_switch_port_id.as_ref(),
            Self::LogicalRouterDownLinkPort(own) => own.linked_logical_switch_port_id.as_ref(),
            Self::LogicalRouterCentralizedServicePort(own) => {
                own.linked_logical_switch_port_id.as_ref()
            }
            _ => None,
        }
    }

    /// The link to a switch and the place that remembers which one, for those that have them.
    pub(super) fn switch_link_mut(
        &mut self,
    ) -> Option<(&mut Option<ResourceReference>, &mut Option<String>)> {
        match self {
            Self::LogicalRouterUpLinkPort(own) => {
                Some((&mut own.linked_logical_switch_port_id, &mut own.switch))
            }
            Self::LogicalRouterDownLinkPort(own) => {
                Some((&mut own.linked_logical_switch_port_id, &mut own.switch))
            }
            Self::LogicalRouterCentralizedServicePort(own) => {
                Some((&mut own.linked_logical_switch_port_id, &mut own.switch))
            }
            _ => None,
        }
    }

    /// The members of the router's edge cluster that it is on, for those that are on edges only.
    pub fn members(&self) -> impl Iterator<Item = i64> + use<'_> {
        let indexes = match self {
            Self::LogicalRouterUpLinkPort(own) => own.edge_cluster_member_index.as_slice(),
            Self::LogicalRouterLoopbackPort(own) => own.edge_cluster_member_index.as_slice(),
            _ => &[],
        };
        indexes.iter().map(|index| index.get())
    }

    /// Its MAC address, for those that tell one.
    pub fn mac(&self) -> Option<&str> {
        match self {
            Self::LogicalRouterUpLinkPort(own) => own.mac_address.as_deref(),
            Self::LogicalRouterDownLinkPort(own) => own.mac_address.as_deref(),
            Self::LogicalRouterLinkPortOnTIER0(own) => own.mac_address.as_deref(),
            Self::LogicalRouterLinkPortOnTIER1(own) => own.mac_address.as_deref(),
            _ => None,
        }
    }

    fn settle_mac(&mut self, header: &Header, before: Option<&Self>) {
        match self {
            Self::LogicalRouterUpLinkPort(own) => {
                let kept = before.and_then(Self::mac).map(str::to_owned);
                own.mac_address = Told(Some(kept.unwrap_or_else(|| links::uplink_mac(&header.id))));
            }
            Self::LogicalRouterDownLinkPort(DownLink { mac_address, .. })
            | Self::LogicalRouterLinkPortOnTIER0(UpperLink { mac_address, .. }) => {
                *mac_address = Told(Some(links::ROUTER_MAC.to_owned()));
            }
            Self::LogicalRouterLinkPortOnTIER1(own) => {
                own.mac_address = Told(Some(links::LOWER_LINK_MAC.to_owned()));
            }
            _ => {}
        }
    }

    /// Each class of port is at home on some routers only [spec LogicalRouterPort.resource_type].
    fn check_router(&self, router: &LogicalRouter) -> Result<(), Error> {
        let needed = match self {
            Self::LogicalRouterUpLinkPort(_) | Self::LogicalRouterLinkPortOnTIER0(_) => {
                Some(RouterType::Tier0)
            }
            Self::LogicalRouterLinkPortOnTIER1(_) => Some(RouterType::Tier1),
            Self::LogicalRouterCentralizedServicePort(_) if router.is_active_active() => {
                let problem = "must be of a router whose mode is ACTIVE_STANDBY";
                return Err(Error::field("logical_router_id", problem));
            }
            Self::LogicalRouterIPTunnelPort(_) => {
                let problem = "is made by VPN sessions alone";
                return Err(Error::field("LogicalRouterIPTunnelPort", problem));
            }
            _ => None,
        };
        match needed {
            Some(tier) if tier != router.router_type => {
                let problem = format!("must be a {} router for a {}", tier.word(), self.variant());
                Err(Error::field("logical_router_id", problem))
            }
            _ => Ok(()),
        }
    }

    /// Networks of one router do not overlap, save that several uplinks may share one.
    fn check_overlap(&self, header: &Header, inventory: &Inventory) -> Result<(), Error> {
        for other in inventory.by_key(BY_ROUTER, self.router()) {
            let Some(body) = port(&other).filter(|_| other.header.id != header.id) else {
                continue;
            };
            if self.is_uplink() && body.is_uplink() {
                continue;
            }
            for own in subnet::networks(self.subnets()) {
                if subnet::networks(body.subnets()).any(|net| subnet::overlap(&own, &net)) {
                    let problem =
                        format!("overlap those of port {}: {}", other.header.id, own.trunc());
                    return Err(Error::field("subnets", problem));
                }
            }
        }
        Ok(())
    }
}

impl Resource for RouterPort {
    fn resource_type(&self) -> Option<&'static str> {
        Some(self.variant())
    }

    fn fields(&self, header: &Header, inventory: &Inventory) -> Fields {
        let mut fields = wire::fields_of(self);
        if let Some(bindings) = self.service_bindings() {
            let bindings = bindings.iter().map(|own| own.fields(inventory));
            fields.insert("service_bindings".into(), bindings.collect());
        }
        links::tell(self, header, inventory, &mut fields);
        fields
    }

    fn references(&self) -> Vec<Reference> {
        let profile = match self {
            Self::LogicalRouterUpLinkPort(own) => own.ndra_profile_id.as_ref(),
            Self::LogicalRouterDownLinkPort(own) => own.ndra_profile_id.as_ref(),
            Self::LogicalRouterCentralizedServicePort(own) => own.ndra_profile_id.as_ref(),
            _ => None,
        };
        let profile = profile.map(|id| Reference::new(NDRA_PROFILE.name, id));
        let switched = self.switch_port().map(|id| Reference::new(logical_port::KIND.name, id));
        let upper = self.upper().map(|id| Reference::new(KIND.name, id));
        let router = Reference::new(router::KIND.name, self.router());
        let services = self.service_bindings().unwrap_or_default().iter();
        let services = services.filter_map(ServiceBinding::service);
        [router].into_iter().chain(profile).chain(switched).chain(upper).chain(services).collect()
    }

    fn keys(&self) -> Vec<IndexKey> {
        let switch = self.switch().map(|id| (BY_SWITCH, id.to_owned()));
        let upper = self.upper().map(|id| (BY_UPPER_LINK, id.to_owned()));
        let router = (BY_ROUTER, self.router().to_owned());
        [router].into_iter().chain(switch).chain(upper).collect()
    }

    fn admit(
        &mut self,
        header: &mut Header,
        before: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        let missing = || Error::MissingReference {
            kind: router::KIND.name.to_owned(),
            id: self.router().to_owned(),
        };
        let router = transaction.find(router::KIND.name, self.router()).ok_or_else(missing)?;
        let router = router.body::<LogicalRouter>().ok_or_else(missing)?;
        self.check_router(router)?;
        subnet::check(self.subnets())?;
        placement::check("edge_cluster_member_index", self.members(), router, transaction)?;
        self.check_overlap(header, transaction.inventory())?;
        self.settle_mac(header, before);
        links::follow_switch(self, header, before, router, transaction)?;
        links::follow_router(self, header, before, transaction)
    }

    /// A port on tier-0 stays while a tier-1 is linked to it, and any port while routes or
    /// translations name it, unless `force=true`; the switch's port is free afterwards, or goes
    /// too where `cascade_delete_linked_ports=true` [spec DeleteLogicalRouterPort].
    fn retire(
        object: &Object,
        transaction: &mut Transaction<'_>,
        query: &Query,
    ) -> Result<(), Error> {
        let (force, cascade) = (query.flag("force")?, query.flag("cascade_delete_linked_ports")?);
        if force {
            links::release_lower(&object.header.id, transaction)?;
        } else {
            transaction.refuse_if_used(object, |_| true)?;
        }
        let Some(linked) = port(object).and_then(Self::switch_port) else { return Ok(()) };
        logical_port::release_from_router(transaction, linked, &object.header.id)?;
        if cascade && transaction.find(logical_port::KIND.name, linked).is_some() {
            transaction.delete(&logical_port::KIND, linked, query)?;
        }
        Ok(())
    }
}
