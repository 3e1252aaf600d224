//! Which edge nodes a router's services are on.

use super::port::{BY_ROUTER, RouterPort};
use super::router::{LogicalRouter, RouterType};
use crate::inventory::{Error, Inventory, Object, Transaction};
use crate::kinds::fabric::edge_cluster::{self, EdgeCluster};

/// An edge node with a router's services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The edge's transport node.
    pub node: String,
    /// Whether its services work, rather than wait for others to fail.
    pub active: bool,
}

/// The edge nodes of a router's services, the one that works first. A tier-0 is where its uplinks
/// and loopbacks are; a tier-1 where its members were named, else on the cluster's first two
/// [spec LogicalRouter.edge_cluster_member_indices].
pub fn places(inventory: &Inventory, id: &str, router: &LogicalRouter) -> Vec<Place> {
    let cluster = router.edge_cluster_id.as_deref();
    let cluster = cluster.and_then(|id| inventory.find(edge_cluster::KIND.name, id));
    let Some(cluster) = cluster.as_deref().and_then(Object::body::<EdgeCluster>) else {
        return Vec::new();
    };
    let mut wanted: Vec<i64> = match router.router_type {
        RouterType::Tier0 => {
            let ports = inventory.by_key(BY_ROUTER, id);
            let ports = ports.iter().filter_map(|port| port.body::<RouterPort>());
            ports.flat_map(RouterPort::members).collect()
        }
        RouterType::Tier1 => router.members().collect(),
    };
    if wanted.is_empty() && router.router_type == RouterType::Tier1 {
        let all = cluster.members.iter().filter_map(|member| member.member_index);
        wanted = all.map(i64::from).take(2).collect();
    }
    wanted.sort_unstable();
    wanted.dedup();
    if let Some(preferred) = router.preferred_member() {
        // The preferred one works while it can; the order of the others stays.
        wanted.sort_by_key(|index| *index != preferred);
    }
    let node = |index: &i64| {
        let own = |own: &Option<i32>| own.map(i64::from) == Some(*index);
        let member = cluster.members.iter().find(|member| own(&member.member_index))?;
        Some(member.transport_node_id.clone())
    };
    let nodes = wanted.iter().filter_map(node).enumerate();
    nodes
        .map(|(place, node)| Place { node, active: place == 0 || router.is_active_active() })
        .collect()
}

/// Refuses indexes that are no members of a router's edge cluster.
///
/// # Errors
/// [`Error::InvalidFields`].
pub fn check(
    field: &str,
    indexes: impl Iterator<Item = i64>,
    router: &LogicalRouter,
    transaction: &Transaction<'_>,
) -> Result<(), Error> {
    let cluster = router.edge_cluster_id.as_deref();
    let cluster = cluster.and_then(|id| transaction.find(edge_cluster::KIND.name, id));
    let cluster = cluster.as_deref().and_then(Object::body::<EdgeCluster>);
    let members = cluster.map(|cluster| cluster.members.as_slice()).unwrap_or_default();
    for index in indexes {
        if !members.iter().any(|member| member.member_index.map(i64::from) == Some(index)) {
            let problem = format!("must be of members of the router's edge cluster, not {index}");
            return Err(Error::field(field, problem));
        }
    }
    Ok(())
}
