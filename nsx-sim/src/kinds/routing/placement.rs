//! Which edge nodes a router's services are on.

use super::port::{BY_ROUTER, RouterPort};
use super::router::{LogicalRouter, RouterType};
use crate::inventory::{Error, Inventory, Object, Transaction};
use crate::kinds::fabric::edge_cluster::{self, EdgeCluster};
use crate::kinds::fabric::transport_node::{self, TransportNode};

/// An edge node with a router's services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The edge's transport node.
    pub node: String,
    /// What its services do.
    pub standing: Standing,
}

/// What a router's services do on an edge node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// They work.
    Active,
    /// They wait for others to fail.
    Standby,
    /// The node is out of service.
    Down,
}

impl Standing {
    /// The wire name [spec LogicalRouterStatusPerNode].
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Standby => "STANDBY",
            Self::Down => "DOWN",
        }
    }
}

impl Place {
    /// Whether its services work.
    pub fn is_active(&self) -> bool {
        self.standing == Standing::Active
    }
}

/// The edge nodes of a router's services, the one that works first; a node in maintenance mode
/// leaves the work to the next. A tier-0 is where its uplinks
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
    let down = |id: &String| {
        let node = inventory.find(transport_node::KIND.name, id);
        let own = node.as_deref().and_then(Object::body::<TransportNode>);
        own.is_some_and(TransportNode::in_maintenance)
    };
    let (down, up): (Vec<String>, Vec<String>) = wanted.iter().filter_map(node).partition(down);
    let up = up.into_iter().enumerate().map(|(place, node)| {
        let works = place == 0 || router.is_active_active();
        Place { node, standing: if works { Standing::Active } else { Standing::Standby } }
    });
    let down = down.into_iter().map(|node| Place { node, standing: Standing::Down });
    up.chain(down).collect()
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
