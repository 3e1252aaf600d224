//! What the platform makes for a cluster before NCP, for clusters that have no such platform: a router
//! with its load balancer, the nodes' switch and ports, blocks and pools.
//!
//! Only what is missing is made, and of each thing only one; so a manager that a platform has prepared
//! is left as it is.

use super::Ncp;
use super::config::Config;
use super::foundation::{named, own_router};
use super::manager::{Error, Manager, Result, id_of};
use super::naming::{Tag, cluster_tags, scope, tag_of};
use ipnet::Ipv4Net;
use k8s_openapi::api::core::v1::Node;
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use uuid::Uuid;

/// Pods' addresses, as in the guide.
const POD_BLOCK: &str = "172.15.0.0/16";
/// Addresses outside, as in the guide.
const OUTSIDE: Range =
    Range { first: Ipv4Addr::new(10, 40, 14, 34), last: Ipv4Addr::new(10, 40, 14, 254) };

/// Makes what of it is missing at the manager.
///
/// # Errors
/// Where the manager refuses.
pub async fn prepare(manager: &Manager, config: &Config) -> Result<()> {
    let cluster = &*config.cluster;
    let tags = cluster_tags(cluster);
    let is_own = |own: &Value| tag_of(own, scope::CLUSTER) == Some(cluster);
    let is_usable = |own: &Value| is_own(own) || tag_of(own, scope::SHARED) == Some("true");

    let blocks = manager.list("/pools/ip-blocks".to_owned()).await?;
    for text in config.container_ip_blocks.iter().chain(&config.no_snat_ip_blocks) {
        if named(&blocks, text).is_none() && text.parse::<Ipv4Net>().is_ok() {
            block(manager, text, text, &tags).await?;
        }
    }
    if config.container_ip_blocks.is_empty() && !blocks.iter().any(is_usable) {
        block(manager, &format!("{cluster}-subnet-block"), POD_BLOCK, &tags).await?;
    }
    let pools = manager.list("/pools/ip-pools".to_owned()).await?;
    for text in config.external_ip_pools.iter().chain(&config.external_ip_pools_lb) {
        if let (None, Some(range)) = (named(&pools, text), Range::read(text)) {
            pool(manager, text, range, &tags).await?;
        }
    }
    let is_external = |own: &Value| is_usable(own) && tag_of(own, scope::EXTERNAL).is_some();
    if config.external_ip_pools.is_empty() && !pools.iter().any(is_external) {
        pool(manager, &format!("{cluster}-vips"), OUTSIDE, &tags).await?;
    }
    router(manager, config, &tags).await
}

async fn block(manager: &Manager, name: &str, cidr: &str, tags: &[Tag]) -> Result<()> {
    let body = json!({"display_name": name, "cidr": cidr, "tags": tags});
    manager.post("/pools/ip-blocks".to_owned(), body).await.map(drop)
}

async fn pool(manager: &Manager, name: &str, range: Range, tags: &[Tag]) -> Result<()> {
    let mut tags = tags.to_vec();
    tags.push(Tag::new(scope::EXTERNAL, "true"));
    let body = json!({
        "display_name": name,
        "subnets": [{
            "cidr": range.network().to_string(),
            "allocation_ranges": [{"start": range.first, "end": range.last}],
        }],
        "tags": tags,
    });
    manager.post("/pools/ip-pools".to_owned(), body).await.map(drop)
}

/// Addresses in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    first: Ipv4Addr,
    last: Ipv4Addr,
}

impl Range {
    /// A network's, or those between two that have a dash between them.
    fn read(text: &str) -> Option<Self> {
        if let Ok(network) = text.parse::<Ipv4Net>() {
            let mut hosts = network.hosts();
            let first = hosts.next()?;
            return Some(Self { first, last: hosts.next_back().unwrap_or(first) });
        }
        let (first, last) = text.split_once('-')?;
        let range = Self { first: first.parse().ok()?, last: last.parse().ok()? };
        (range.first <= range.last).then_some(range)
    }

    /// The smallest network in which they all are hosts.
    fn network(self) -> Ipv4Net {
        let holds = |net: &Ipv4Net| {
            net.network() < self.first && self.last < net.broadcast() && net.contains(&self.last)
        };
        let nets = (0..=30).rev().filter_map(|length| Ipv4Net::new(self.first, length).ok());
        nets.map(|net| net.trunc()).find(holds).unwrap_or_default()
    }
}

/// The cluster's router with its way up and its load balancer, unless another router is named.
async fn router(manager: &Manager, config: &Config, tags: &[Tag]) -> Result<()> {
    let cluster = &*config.cluster;
    let is_own = |own: &Value| tag_of(own, scope::CLUSTER) == Some(cluster);
    let routers = manager.list("/logical-routers".to_owned()).await?;
    let top = config.top_tier_router.as_ref().and_then(|wanted| named(&routers, wanted));
    let is = |own: &Value, tier: &str| own["router_type"] == tier;
    if config.top_tier_router.is_some() && top.is_none_or(|own| is(own, "TIER1")) {
        return Ok(());
    }
    let router = match own_router(&routers, cluster) {
        Some(own) => id_of(own),
        None => {
            let edges = manager.list("/edge-clusters".to_owned()).await?;
            let edge = match &config.edge_cluster {
                None => edges.first(),
                Some(wanted) => Some(named(&edges, wanted).ok_or_else(|| {
                    Error::Missing(format!("the manager has no edge cluster {wanted}"))
                })?),
            };
            let body = json!({
                "display_name": format!("{cluster}-cluster-router"),
                "router_type": "TIER1",
                "edge_cluster_id": edge.map(id_of),
                "tags": tags,
            });
            id_of(&manager.post("/logical-routers".to_owned(), body).await?)
        }
    };
    let ports = manager.list(format!("/logical-router-ports?logical_router_id={router}")).await?;
    let linked = |own: &Value| own["resource_type"] == "LogicalRouterLinkPortOnTIER1";
    let upper = top.or_else(|| routers.iter().find(|own| is(own, "TIER0"))).map(id_of);
    if upper.is_none() {
        tracing::warn!("the manager has no tier-0 router: nothing leads out of the cluster");
    }
    if let Some(upper) = &upper {
        super::uplink::prepare(manager, upper, cluster, tags).await?;
    }
    if let Some(upper) = upper.filter(|_| !ports.iter().any(linked)) {
        let body = json!({
            "resource_type": "LogicalRouterLinkPortOnTIER0",
            "display_name": format!("{cluster}-t0-to-t1-port"),
            "logical_router_id": upper,
            "tags": tags,
        });
        let upper = id_of(&manager.post("/logical-router-ports".to_owned(), body).await?);
        let body = json!({
            "resource_type": "LogicalRouterLinkPortOnTIER1",
            "display_name": format!("{cluster}-t1-to-t0-port"),
            "logical_router_id": router,
            "linked_logical_router_port_id": {
                "target_type": "LogicalRouterLinkPortOnTIER0",
                "target_id": upper,
            },
            "tags": tags,
        });
        manager.post("/logical-router-ports".to_owned(), body).await?;
    }
    let balancers = manager.list("/loadbalancer/services".to_owned()).await?;
    if !balancers.iter().any(is_own) {
        let body = json!({
            "display_name": format!("lb-{cluster}"),
            "size": "SMALL",
            "attachment": {"target_type": "LogicalRouter", "target_id": router},
            "tags": tags,
        });
        manager.post("/loadbalancer/services".to_owned(), body).await?;
    }
    Ok(())
}

impl Ncp {
    /// Makes ports for nodes that have none, where no platform does.
    ///
    /// # Errors
    /// Where the manager refuses.
    pub async fn sync_nodes(&self) -> Result<()> {
        if !self.config.prepare {
            return Ok(());
        }
        let known = |node: &str| self.state.nodes.lock().contains_key(node);
        let nodes = self.view.nodes.state();
        let unknown = nodes.iter().filter(|own| !known(&super::view::name_of(&***own).1));
        let unknown: Vec<_> = unknown.collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let switch = self.node_switch().await?;
        for node in unknown {
            self.node_port(node, &switch).await?;
        }
        Ok(())
    }

    async fn node_switch(&self) -> Result<String> {
        let name = format!("{}-cluster-switch", self.config.cluster);
        let switches = self.manager.list("/logical-switches".to_owned()).await?;
        let own = |own: &&Value| own["display_name"] == name && self.is_own(own);
        if let Some(found) = switches.iter().find(own) {
            return Ok(id_of(found));
        }
        let body = json!({
            "display_name": name,
            "transport_zone_id": self.foundation.overlay_zone,
            "admin_state": "UP",
            "replication_mode": "MTEP",
            "tags": cluster_tags(&self.config.cluster),
        });
        Ok(id_of(&self.manager.post("/logical-switches".to_owned(), body).await?))
    }

    async fn node_port(&self, node: &Node, switch: &str) -> Result<()> {
        let name = super::view::name_of(node).1;
        // Another cluster of this manager may have a node of that name.
        let whole = format!("{}/{name}", self.config.cluster);
        let vif = Uuid::new_v5(&Uuid::NAMESPACE_DNS, whole.as_bytes()).to_string();
        let mut tags = cluster_tags(&self.config.cluster);
        tags.push(Tag::new(scope::NODE, &*name));
        let binding = |address: Ipv4Addr| {
            let [_, second, third, last] = address.octets();
            let mac = format!("00:50:56:{:02x}:{third:02x}:{last:02x}", 0x80 | (second & 0x3f));
            json!({"ip_address": address, "mac_address": mac})
        };
        let bindings: Vec<_> = super::probes::address_of(node).map(binding).into_iter().collect();
        let body = json!({
            "display_name": format!("{}-{name}", self.config.cluster),
            "logical_switch_id": switch,
            "admin_state": "UP",
            "attachment": {
                "attachment_type": "VIF",
                "id": vif,
                "context": {"resource_type": "VifAttachmentContext", "vif_type": "PARENT"},
            },
            "address_bindings": bindings,
            "tags": tags,
        });
        let port = match self.manager.post("/logical-ports".to_owned(), body).await {
            // A call whose answer was lost has made it.
            Err(error) if error.is_refusal() => {
                let path = format!("/logical-ports?attachment_id={vif}");
                self.manager.list(path).await?.into_iter().next().ok_or(error)?
            }
            made => made?,
        };
        if tag_of(&port, scope::NODE) != Some(&*name) || !self.is_own(&port) {
            return Err(Error::Missing(format!("the port of node {name} is somebody else's")));
        }
        self.learn_node(&port);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_a_row_are_a_network_s_or_between_two() {
        let read = |text: &str| {
            Range::read(text).map(|own| format!("{} {} {}", own.network(), own.first, own.last))
        };
        let read = |text: &str| read(text).unwrap_or_default();
        assert_eq!(read("10.5.0.0/24"), "10.5.0.0/24 10.5.0.1 10.5.0.254");
        assert_eq!(read("10.40.14.34-10.40.14.254"), "10.40.14.0/24 10.40.14.34 10.40.14.254");
        assert_eq!(read("10.5.0.255-10.5.1.0"), "10.5.0.0/23 10.5.0.255 10.5.1.0");
        assert_eq!(
            read("10.5.0.0-10.5.0.9"),
            "10.4.0.0/15 10.5.0.0 10.5.0.9",
            "no host is .0 of it"
        );
        assert_eq!(read("10.5.0.9-10.5.0.1"), "");
        assert_eq!(read("vips"), "");
    }
}
