//! The routes of a router, as they follow from its ports, its configuration and the routers that it
//! is linked to. Nothing is learnt from neighbours outside, for there are none.

use super::config::{
    ADVERTISE_RULES, ADVERTISEMENT, AdvertiseAction, AdvertiseRule, AdvertiseRuleList,
    AdvertisementConfig, PrefixOperator, RouteSource,
};
use super::nat::{self, NatAction, NatRule};
use super::port::{self, BY_ROUTER, BY_UPPER_LINK, RouterPort};
use super::router::{self, LogicalRouter, RouterType};
use super::static_route::{self, StaticRoute};
use super::{address, subnet};
use crate::inventory::{Inventory, Object};
use crate::kinds::load_balancer::pool::{self, LbPool};
use crate::kinds::load_balancer::service::LbService;
use crate::kinds::load_balancer::virtual_server::{self, LbVirtualServer};
use crate::kinds::values::IpElement;
use ipnet::{IpNet, IpSubnets, Ipv4Net, Ipv4Subnets, Ipv6Subnets};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// A network that a router knows a way to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The network.
    pub network: IpNet,
    /// How the router came to know it.
    pub source: Source,
    /// The address of the next router; none where there is none before the packet's target.
    pub next_hop: Option<IpAddr>,
    /// The port that leads there; none discards, or stays with the router itself.
    pub port: Option<String>,
    /// The lower, the better.
    pub distance: u8,
}

/// How a router came to know a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// One of its ports is in the network.
    Connected,
    /// Somebody wrote it down.
    Static,
    /// A port of a tier-1 below is in the network.
    NsxConnected,
    /// A static route of a tier-1 below, or the way up to a tier-0.
    NsxStatic,
    /// Addresses that a tier-0's translations stand for.
    Tier0Nat,
    /// Addresses that a tier-1's translations stand for.
    Tier1Nat,
    /// Addresses of virtual servers on the router.
    LoadBalancer,
    /// Addresses that members of pools see instead of clients.
    LoadBalancerSource,
}

impl Source {
    /// Whether the route is about addresses that a service of the router takes packets for.
    pub fn is_service(self) -> bool {
        let translations = matches!(self, Self::Tier0Nat | Self::Tier1Nat);
        translations || matches!(self, Self::LoadBalancer | Self::LoadBalancerSource)
    }

    /// The wire name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Connected => "CONNECTED",
            Self::Static => "STATIC",
            Self::NsxConnected => "NSX_CONNECTED",
            Self::NsxStatic => "NSX_STATIC",
            Self::Tier0Nat => "TIER0_NAT",
            Self::Tier1Nat => "TIER1_NAT",
            Self::LoadBalancer => "TIER1_LB_VIP",
            Self::LoadBalancerSource => "TIER1_LB_SNAT",
        }
    }
}

/// The distance of what routers of one manager tell each other.
const NSX_DISTANCE: u8 = 3;

/// All networks of a family.
const EVERYWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// The routes of a router, those of equal networks from the best on.
pub fn routes(inventory: &Inventory, router: &str) -> Vec<Route> {
    let ports = ports_of(inventory, router);
    let mut routes: Vec<Route> = Vec::new();
    for (id, port) in ports.iter().filter_map(parts) {
        routes.extend(networks(inventory, id, port).iter().map(|own| Route {
            network: own.trunc(),
            source: Source::Connected,
            next_hop: None,
            port: Some(id.to_owned()),
            distance: 0,
        }));
        match port {
            RouterPort::LogicalRouterLinkPortOnTIER0(_) => {
                routes.extend(from_below(inventory, id));
            }
            RouterPort::LogicalRouterLinkPortOnTIER1(own) => {
                routes.extend(upwards(inventory, id, port, own.subnets.is_some()));
            }
            _ => {}
        }
    }
    routes.extend(static_routes(inventory, router, &ports));
    let own = inventory.find(router::KIND.name, router);
    let tier = own.as_deref().and_then(Object::body::<LogicalRouter>).map(|own| own.router_type);
    let source = match tier {
        Some(RouterType::Tier0) => Source::Tier0Nat,
        _ => Source::Tier1Nat,
    };
    let translated = translated(inventory, router).into_iter().map(|network| (network, source));
    let served = translated.chain(balanced(inventory, router));
    routes.extend(served.map(|(network, source)| Route {
        network,
        source,
        next_hop: None,
        port: None,
        distance: NSX_DISTANCE,
    }));
    routes.sort_by_key(|route| (route.network, route.distance));
    routes
}

/// The best route of the longest network that holds an address.
pub fn best(routes: &[Route], target: IpAddr) -> Option<&Route> {
    let fitting = routes.iter().filter(|route| route.network.contains(&target));
    fitting.max_by_key(|route| (route.network.prefix_len(), std::cmp::Reverse(route.distance)))
}

/// The ports of a router, by id.
pub fn ports_of(inventory: &Inventory, router: &str) -> Vec<Arc<Object>> {
    inventory.by_key(BY_ROUTER, router)
}

/// The port on tier-1 that a link port on tier-0 leads to.
pub fn lower_link(inventory: &Inventory, upper: &str) -> Option<Arc<Object>> {
    inventory.by_key(BY_UPPER_LINK, upper).into_iter().next()
}

/// A port's addresses with their networks; on tier-0 those of a link follow from its other end.
pub fn networks(inventory: &Inventory, id: &str, port: &RouterPort) -> Vec<IpNet> {
    let lower = match port {
        RouterPort::LogicalRouterLinkPortOnTIER0(_) => lower_link(inventory, id),
        _ => return subnet::networks(port.subnets()).collect(),
    };
    let lower = lower.as_deref().and_then(Object::body::<RouterPort>);
    let ends = subnet::networks(lower.map(RouterPort::subnets).unwrap_or_default());
    ends.filter_map(|end| match end {
        IpNet::V4(end) => Ipv4Net::new(end.network(), end.prefix_len()).ok().map(IpNet::V4),
        IpNet::V6(_) => None,
    })
    .collect()
}

fn parts(object: &Arc<Object>) -> Option<(&str, &RouterPort)> {
    Some((object.header.id.as_str(), object.body::<RouterPort>()?))
}

/// A tier-1 sends what it knows no better way for to its tier-0.
fn upwards(inventory: &Inventory, id: &str, port: &RouterPort, linked: bool) -> Option<Route> {
    let upper = inventory.find(port::KIND.name, port.upper().filter(|_| linked)?)?;
    let addresses = networks(inventory, &upper.header.id, upper.body()?);
    Some(Route {
        network: IpNet::new(EVERYWHERE, 0).ok()?,
        source: Source::NsxStatic,
        next_hop: addresses.first().map(IpNet::addr),
        port: Some(id.to_owned()),
        distance: NSX_DISTANCE,
    })
}

/// What the tier-1 below a link port advertises.
fn from_below(inventory: &Inventory, upper: &str) -> Vec<Route> {
    let lower = lower_link(inventory, upper);
    let Some(port) = lower.as_deref().and_then(Object::body::<RouterPort>) else {
        return Vec::new();
    };
    let next_hop = subnet::networks(port.subnets()).next().map(|own| own.addr());
    let advertised = advertised(inventory, port.router()).into_iter();
    advertised
        .map(|(network, source)| Route {
            network,
            source,
            next_hop,
            port: Some(upper.to_owned()),
            distance: NSX_DISTANCE,
        })
        .collect()
}

fn static_routes(inventory: &Inventory, router: &str, ports: &[Arc<Object>]) -> Vec<Route> {
    let leads_to = |hop: IpAddr| {
        let (id, _) = ports.iter().filter_map(parts).find(|(id, port)| {
            networks(inventory, id, port).iter().any(|network| network.contains(&hop))
        })?;
        Some(id.to_owned())
    };
    let mut routes = Vec::new();
    for object in inventory.children(&static_route::KIND, router) {
        let Some(route) = object.body::<StaticRoute>() else { continue };
        routes.extend(route.next_hops.iter().map(|hop| {
            let next_hop = hop.ip_address.as_ref().map(address);
            let port = hop.port().map(str::to_owned).or_else(|| leads_to(next_hop?));
            Route {
                network: route.network.value().trunc(),
                source: Source::Static,
                next_hop,
                port,
                distance: u8::try_from(hop.administrative_distance.get()).unwrap_or(u8::MAX),
            }
        }));
    }
    routes
}

/// The networks that a tier-1 tells its tier-0 of, and what they are there.
fn advertised(inventory: &Inventory, router: &str) -> Vec<(IpNet, Source)> {
    let config = inventory.single(&ADVERTISEMENT, Some(router)).ok();
    let Some(config) = config.as_deref().and_then(Object::body::<AdvertisementConfig>) else {
        return Vec::new();
    };
    if !config.enabled {
        return Vec::new();
    }
    let list = inventory.single(&ADVERTISE_RULES, Some(router)).ok();
    let list = list.as_deref().and_then(Object::body::<AdvertiseRuleList>);
    let rules = list.map(|list| list.rules.as_slice()).unwrap_or_default();
    let ports = ports_of(inventory, router);
    let connected = ports
        .iter()
        .filter_map(parts)
        .filter(|(_, port)| port.upper().is_none())
        .flat_map(|(id, port)| networks(inventory, id, port))
        .map(|own| (own.trunc(), Source::NsxConnected));
    let fixed = inventory.children(&static_route::KIND, router);
    let fixed = fixed.iter().filter_map(|object| object.body::<StaticRoute>());
    let fixed = fixed.map(|route| (route.network.value().trunc(), Source::NsxStatic));
    let nat = translated(inventory, router).into_iter().map(|own| (own, Source::Tier1Nat));
    let balanced = balanced(inventory, router);
    let all = connected.chain(fixed).chain(nat).chain(balanced);
    all.filter(|route| is_advertised(*route, config, rules)).collect()
}

/// The first rule that fits decides, else the switch for the route's sort.
fn is_advertised(
    (network, source): (IpNet, Source),
    config: &AdvertisementConfig,
    rules: &[AdvertiseRule],
) -> bool {
    match rules.iter().find(|rule| fits(rule, network, source)) {
        Some(rule) => rule.action == AdvertiseAction::Allow,
        None => match source {
            Source::NsxConnected => config.advertise_nsx_connected_routes,
            Source::NsxStatic => config.advertise_static_routes,
            Source::Tier1Nat => config.advertise_nat_routes,
            Source::LoadBalancer => config.advertise_lb_vip,
            Source::LoadBalancerSource => config.advertise_lb_snat_ip,
            Source::Connected | Source::Static | Source::Tier0Nat => false,
        },
    }
}

fn fits(rule: &AdvertiseRule, network: IpNet, source: Source) -> bool {
    let operator = rule.rule_filter.as_ref().map(|filter| filter.prefix_operator);
    let in_networks = rule.networks.iter().any(|own| match operator.unwrap_or_default() {
        PrefixOperator::Ge => own.value().contains(&network),
        PrefixOperator::Eq => own.value().trunc() == network,
    });
    let of_source = |wanted: &RouteSource| match wanted {
        RouteSource::Any => true,
        RouteSource::Static | RouteSource::T1Static => source == Source::NsxStatic,
        RouteSource::NsxConnected | RouteSource::T1Connected => source == Source::NsxConnected,
        RouteSource::T1Nat => source == Source::Tier1Nat,
        RouteSource::T1LbVip => source == Source::LoadBalancer,
        RouteSource::T1LbSnat => source == Source::LoadBalancerSource,
        RouteSource::T1DnsForwarder | RouteSource::T1IpsecLocalIp => false,
    };
    let sources = rule.rule_filter.as_ref().map(|filter| &filter.match_route_types);
    in_networks && sources.is_none_or(|wanted| wanted.iter().any(of_source))
}

/// The outer addresses that a router's translations stand for.
fn translated(inventory: &Inventory, router: &str) -> Vec<IpNet> {
    let mut networks: Vec<IpNet> = Vec::new();
    for (_, rule) in nat::rules_of(inventory, router) {
        networks.extend(outer(&rule).map(blocks).unwrap_or_default());
    }
    networks.sort_unstable();
    networks.dedup();
    networks
}

/// The addresses of what the load balancers of a router carry while it is on, and what they are.
fn balanced(inventory: &Inventory, router: &str) -> Vec<(IpNet, Source)> {
    let users = inventory.referrers(router::KIND.name, router);
    let services = users.iter().filter_map(|user| user.body::<LbService>());
    let works = |service: &&LbService| service.enabled && service.router() == Some(router);
    let mut networks = Vec::new();
    for id in services.filter(works).flat_map(|service| &service.virtual_server_ids) {
        let object = inventory.find(virtual_server::KIND.name, id);
        let server = object.as_deref().and_then(Object::body::<LbVirtualServer>);
        let Some(server) = server.filter(|server| server.enabled) else { continue };
        networks.push((IpNet::from(*server.ip_address.value()), Source::LoadBalancer));
        for id in server.pools() {
            let object = inventory.find(pool::KIND.name, id);
            let sources = object.as_deref().and_then(Object::body::<LbPool>).map(LbPool::sources);
            let sources = sources.into_iter().flatten().flat_map(blocks);
            networks.extend(sources.map(|own| (own, Source::LoadBalancerSource)));
        }
    }
    networks.sort_unstable_by_key(|(network, source)| (*network, source.word()));
    networks.dedup();
    networks
}

fn outer(rule: &NatRule) -> Option<&IpElement> {
    match rule.action {
        NatAction::Snat | NatAction::Reflexive => rule.translated_network.as_ref(),
        NatAction::Dnat => rule.match_destination_network.as_ref(),
        NatAction::NoNat | NatAction::NoSnat | NatAction::NoDnat => None,
    }
}

/// The fewest blocks that make up an element.
fn blocks(element: &IpElement) -> Vec<IpNet> {
    match element.span() {
        (IpAddr::V4(first), IpAddr::V4(last)) => {
            IpSubnets::V4(Ipv4Subnets::new(first, last, 0)).collect()
        }
        (IpAddr::V6(first), IpAddr::V6(last)) => {
            IpSubnets::V6(Ipv6Subnets::new(first, last, 0)).collect()
        }
        _ => Vec::new(),
    }
}
