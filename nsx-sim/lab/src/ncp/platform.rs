//! What the platform makes for a cluster before NCP, for clusters that have no such platform: a router
//! with its load balancer, the nodes' switch and ports, blocks and pools.
//!
//! Only what is missing is made, and of each thing only one; so a manager that a platform has prepared
//! is left as it is.

use super::Ncp;
use super::config::Config;
use super::manager::{Error, Manager, Result, id_of};
use super::naming::{Tag, cluster_tags, scope, tag_of};
use k8s_openapi::api::core::v1::Node;
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use uuid::Uuid;

/// Pods' addresses, as in the guide.
const POD_BLOCK: &str = "172.15.0.0/16";
/// Addresses outside, as in the guide: network, first and last.
const OUTSIDE: (&str, &str, &str) = ("10.40.14.0/24", "10.40.14.34", "10.40.14.254");

/// Makes what of it is missing at the manager.
///
/// # Errors
/// Where the manager has no overlay zone or refuses.
pub async fn prepare(manager: &Manager, config: &Config) -> Result<()> {
    let cluster = &*config.cluster;
    let tags = cluster_tags(cluster);
    let is_own = |own: &Value| tag_of(own, scope::CLUSTER) == Some(cluster);
    let is_usable = |own: &Value| is_own(own) || tag_of(own, scope::SHARED) == Some("true");

    let blocks = manager.list("/pools/ip-blocks".to_owned()).await?;
    if config.container_ip_blocks.is_empty() && !blocks.iter().any(is_usable) {
        let name = format!("{cluster}-subnet-block");
        let body = json!({"display_name": name, "cidr": POD_BLOCK, "tags": tags});
        manager.post("/pools/ip-blocks".to_owned(), body).await?;
    }
    let pools = manager.list("/pools/ip-pools".to_owned()).await?;
    let is_external = |own: &Value| is_usable(own) && tag_of(own, scope::EXTERNAL).is_some();
    if config.external_ip_pools.is_empty() && !pools.iter().any(is_external) {
        let (cidr, start, end) = OUTSIDE;
        let mut tags = tags.clone();
        tags.push(Tag::new(scope::EXTERNAL, "true"));
        let range = json!({"start": start, "end": end});
        let body = json!({
            "display_name": format!("{cluster}-vips"),
            "subnets": [{"cidr": cidr, "allocation_ranges": [range]}],
            "tags": tags,
        });
        manager.post("/pools/ip-pools".to_owned(), body).await?;
    }

    if config.top_tier_router.is_none() {
        router(manager, cluster, &tags).await?;
    }
    Ok(())
}

async fn router(manager: &Manager, cluster: &str, tags: &[Tag]) -> Result<()> {
    let is_own = |own: &Value| tag_of(own, scope::CLUSTER) == Some(cluster);
    let routers = manager.list("/logical-routers".to_owned()).await?;
    let own = routers.iter().find(|own| own["router_type"] == "TIER1" && is_own(own));
    let router = match own {
        Some(own) => id_of(own),
        None => {
            let edges = manager.list("/edge-clusters".to_owned()).await?;
            let body = json!({
                "display_name": format!("{cluster}-cluster-router"),
                "router_type": "TIER1",
                "edge_cluster_id": edges.first().map(id_of),
                "tags": tags,
            });
            id_of(&manager.post("/logical-routers".to_owned(), body).await?)
        }
    };
    let ports = manager.list(format!("/logical-router-ports?logical_router_id={router}")).await?;
    let linked = |own: &Value| own["resource_type"] == "LogicalRouterLinkPortOnTIER1";
    let upper = routers.iter().find(|own| own["router_type"] == "TIER0").map(id_of);
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
        let vif = Uuid::new_v5(&Uuid::NAMESPACE_DNS, name.as_bytes()).to_string();
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
        if tag_of(&port, scope::NODE) != Some(&*name) {
            return Err(Error::Missing(format!("the port of node {name} is somebody else's")));
        }
        self.learn_node(&port);
        Ok(())
    }
}
