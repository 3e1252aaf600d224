//! How much of the load balancer is used: per service, per edge node, over all edge nodes.
//!
//! Capacities are those of the product's configuration limits for 2.5; where the traffic light turns
//! orange and red is this simulator's choice (docs/fidelity.md).

use super::super::call::{Call, Reply};
use super::super::routers;
use super::super::routes::Routes;
use super::scope::{Scope, count_members};
use crate::inventory::{Error, Object};
use crate::kinds::fabric::edge_cluster::{self, EdgeCluster};
use crate::kinds::fabric::transport_node;
use crate::kinds::load_balancer::pool::LbPool;
use crate::kinds::load_balancer::service::{self, Size};
use crate::kinds::routing::placement::Place;
use crate::kinds::routing::router;
use serde_json::{Value, json};
use std::sync::Arc;

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("GET", "/loadbalancer/services/{id}/usage", |call| {
        let scope = Scope::of(call)?;
        Ok(Reply::ok(of_service(&scope, Load::of(call, &scope))))
    });
    routes.on("GET", "/loadbalancer/usage-per-node/{node}", |call| {
        let nodes = nodes(call);
        let node = nodes.iter().find(|node| node.id == call.param(0));
        let missing =
            || Error::NotFound { kind: transport_node::KIND.name, id: call.param(0).to_owned() };
        Ok(Reply::ok(node.ok_or_else(missing)?.print()))
    });
    routes.on("GET", "/loadbalancer/node-usage-summary", |call| {
        let nodes = nodes(call);
        let mut printed = summary(&nodes);
        if call.query.flag("include_usages")? {
            printed["node_usages"] = nodes.iter().map(Node::print).collect();
        }
        Ok(Reply::ok(printed))
    });
}

/// Numbers of virtual servers, pools and pool members.
#[derive(Clone, Copy, Default)]
struct Load {
    servers: u64,
    pools: u64,
    members: u64,
}

impl Load {
    fn of(call: &Call<'_>, scope: &Scope) -> Self {
        let pools = scope.pools.iter().filter_map(|pool| pool.body::<LbPool>());
        let members = pools.map(|pool| count_members(call, pool)).sum::<usize>();
        Self {
            servers: scope.servers.len() as u64,
            pools: scope.pools.len() as u64,
            members: members as u64,
        }
    }
}

/// What a service of a size can carry; nothing is known for those on hosts.
fn capacity(size: Size) -> Option<Load> {
    match size {
        Size::Small => Some(Load { servers: 20, pools: 60, members: 300 }),
        Size::Medium => Some(Load { servers: 100, pools: 300, members: 2_000 }),
        Size::Large => Some(Load { servers: 1_000, pools: 3_000, members: 7_500 }),
        Size::Dlb => None,
    }
}

/// What a service of a size takes of an edge node [spec LbEdgeNodeUsage].
fn credits(size: Size) -> u64 {
    match size {
        Size::Small => 1,
        Size::Medium => 10,
        Size::Large => 40,
        Size::Dlb => 0,
    }
}

/// Hundredths of a whole.
fn percentage(used: u64, whole: u64) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let (used, whole) = (used as f64, whole as f64);
    if whole == 0.0 { 0.0 } else { used * 100.0 / whole }
}

fn severity(percentage: f64) -> &'static str {
    match percentage {
        low if low < 70.0 => "GREEN",
        middle if middle < 90.0 => "ORANGE",
        _ => "RED",
    }
}

/// [spec LbServiceUsage]
fn of_service(scope: &Scope, load: Load) -> Value {
    let size = scope.body().map(|own| own.size).unwrap_or_default();
    let mut printed = json!({
        "service_id": scope.service.header.id,
        "service_size": size,
        "current_virtual_server_count": load.servers,
        "current_pool_count": load.pools,
        "current_pool_member_count": load.members,
    });
    if let Some(capacity) = capacity(size) {
        let parts = [
            (load.servers, capacity.servers),
            (load.pools, capacity.pools),
            (load.members, capacity.members),
        ];
        let most =
            parts.map(|(used, whole)| percentage(used, whole)).into_iter().fold(0.0, f64::max);
        printed["virtual_server_capacity"] = capacity.servers.into();
        printed["pool_capacity"] = capacity.pools.into();
        printed["pool_member_capacity"] = capacity.members.into();
        printed["usage_percentage"] = most.into();
        printed["severity"] = severity(most).into();
    }
    printed
}

/// The edge nodes that a service is on, those first that work: where its router's services are.
pub fn edge_nodes(call: &Call<'_>, scope: &Scope) -> Vec<Place> {
    let inventory = &call.world.inventory;
    let router = scope.body().and_then(|own| own.router());
    let router = router.and_then(|id| inventory.find(router::KIND.name, id));
    router.map(|router| routers::places(call, &router)).unwrap_or_default()
}

/// What load balancers leave of an edge node.
pub struct CreditPool {
    /// The edge node.
    pub node: String,
    /// The credits left.
    pub left: u64,
    /// Those taken, in percent.
    pub usage: f64,
}

/// What load balancers leave of the edge nodes in clusters.
pub fn credit_pools(call: &Call<'_>) -> Vec<CreditPool> {
    let pool = |own: Node| CreditPool {
        left: own.form.capacity().0.saturating_sub(own.credits()),
        usage: own.usage(),
        node: own.id,
    };
    nodes(call).into_iter().map(pool).collect()
}

/// The edge nodes that a load balancer is on.
pub fn places(call: &Call<'_>, service: Arc<Object>) -> Vec<Place> {
    edge_nodes(call, &Scope::around(call, service))
}

/// An edge node in an edge cluster.
struct Node {
    id: String,
    cluster: String,
    form: Form,
    load: Load,
    /// Services on it: small, medium, large.
    services: [u64; 3],
}

/// What sort of edge node.
#[derive(Clone, Copy)]
enum Form {
    Small,
    Medium,
    Large,
    Physical,
}

impl Form {
    fn word(self) -> &'static str {
        match self {
            Self::Small => "SMALL_VIRTUAL_MACHINE",
            Self::Medium => "MEDIUM_VIRTUAL_MACHINE",
            Self::Large => "LARGE_VIRTUAL_MACHINE",
            Self::Physical => "PHYSICAL_MACHINE",
        }
    }

    /// Credits and members of pools that it can carry.
    fn capacity(self) -> (u64, u64) {
        match self {
            Self::Small => (1, 300),
            Self::Medium => (10, 2_000),
            Self::Large => (40, 7_500),
            Self::Physical => (750, 30_000),
        }
    }
}

impl Node {
    fn credits(&self) -> u64 {
        let [small, medium, large] = self.services;
        small * credits(Size::Small) + medium * credits(Size::Medium) + large * credits(Size::Large)
    }

    fn usage(&self) -> f64 {
        percentage(self.credits(), self.form.capacity().0)
    }

    /// [spec LbEdgeNodeUsage]
    fn print(&self) -> Value {
        let (credits, members) = self.form.capacity();
        let left = credits.saturating_sub(self.credits());
        let fits = |size| left / self::credits(size).max(1);
        let [small, medium, large] = self.services;
        json!({
            "type": "LbEdgeNodeUsage",
            "node_id": self.id,
            "edge_cluster_id": self.cluster,
            "form_factor": self.form.word(),
            "current_credit_number": self.credits(),
            "remaining_credit_number": left,
            "current_virtual_servers": self.load.servers,
            "current_pools": self.load.pools,
            "current_pool_members": self.load.members,
            "remaining_pool_members": members.saturating_sub(self.load.members),
            "current_small_load_balancer_services": small,
            "current_medium_load_balancer_services": medium,
            "current_large_load_balancer_services": large,
            "remaining_small_load_balancer_services": fits(Size::Small),
            "remaining_medium_load_balancer_services": fits(Size::Medium),
            "remaining_large_load_balancer_services": fits(Size::Large),
            "usage_percentage": self.usage(),
            "severity": severity(self.usage()),
        })
    }
}

/// The edge nodes of all edge clusters with what is on them.
fn nodes(call: &Call<'_>) -> Vec<Node> {
    let inventory = &call.world.inventory;
    let services = inventory.all(service::KIND.name);
    let placed: Vec<(Vec<String>, Size, Load)> = services
        .into_iter()
        .map(|service| {
            let scope = Scope::around(call, service);
            let size = scope.body().map(|own| own.size).unwrap_or_default();
            let on = edge_nodes(call, &scope).into_iter().map(|place| place.node).collect();
            (on, size, Load::of(call, &scope))
        })
        .collect();
    let clusters: Vec<Arc<Object>> = inventory.all(edge_cluster::KIND.name);
    let members = clusters.iter().flat_map(|cluster| {
        let members = cluster.body::<EdgeCluster>().map(|own| &*own.members).unwrap_or_default();
        members.iter().map(|member| (cluster.header.id.clone(), member.transport_node_id.clone()))
    });
    members
        .map(|(cluster, id)| {
            let (form, load, services) = (form(call, &id), Load::default(), [0; 3]);
            let mut node = Node { id, cluster, form, load, services };
            for (_, size, load) in placed.iter().filter(|(on, ..)| on.contains(&node.id)) {
                node.load.servers += load.servers;
                node.load.pools += load.pools;
                node.load.members += load.members;
                match size {
                    Size::Small => node.services[0] += 1,
                    Size::Medium => node.services[1] += 1,
                    Size::Large => node.services[2] += 1,
                    Size::Dlb => {}
                }
            }
            node
        })
        .collect()
}

/// As its deployment says; an edge node that the manager did not deploy counts as a medium one, or as
/// a physical machine where it says so.
fn form(call: &Call<'_>, node: &str) -> Form {
    let object = call.world.inventory.find(transport_node::KIND.name, node);
    let fields = object.map(|object| call.print(&object)).unwrap_or_default();
    let machine = &fields["node_deployment_info"];
    if machine["deployment_type"] == "PHYSICAL_MACHINE" {
        return Form::Physical;
    }
    match machine["deployment_config"]["form_factor"].as_str() {
        Some("SMALL") => Form::Small,
        Some("LARGE") => Form::Large,
        _ => Form::Medium,
    }
}

/// [spec LbNodeUsageSummary]
fn summary(nodes: &[Node]) -> Value {
    let used = nodes.iter().map(Node::credits).sum::<u64>();
    let whole = nodes.iter().map(|node| node.form.capacity().0).sum::<u64>();
    let all = percentage(used, whole);
    let counts = ["RED", "ORANGE", "GREEN"].map(|word| {
        let count = nodes.iter().filter(|node| severity(node.usage()) == word).count();
        json!({"severity": word, "node_count": count})
    });
    json!({
        "current_credit_number": used,
        "remaining_credit_number": whole.saturating_sub(used),
        "usage_percentage": all,
        "severity": severity(all),
        "node_counts": counts,
    })
}
