//! Edge clusters at run time: which members are in service, and what is on them.

use super::super::call::{Call, Reply};
use super::super::load_balancer::{self, CreditPool};
use super::super::realized;
use super::super::routers;
use super::super::routes::Routes;
use super::check_source;
use crate::inventory::{Error, Object};
use crate::kinds::fabric::edge_cluster::{EdgeCluster, KIND, Member};
use crate::kinds::fabric::transport_node::{self, TransportNode};
use crate::kinds::load_balancer::service;
use crate::kinds::reference::ResourceReference;
use crate::kinds::routing::placement::{Place, Standing};
use crate::kinds::routing::router;
use serde_json::{Value, json};
use std::sync::Arc;

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    realized::register(routes, &KIND);
    routes.on("GET", "/edge-clusters/{id}/status", |call| {
        check_source(call)?;
        Ok(Reply::ok(status(call)?))
    });
    routes.on("GET", "/edge-clusters/{id}/allocation-status", |call| {
        Ok(Reply::ok(allocations(call)?))
    });
}

fn members(cluster: &Object) -> &[Member] {
    cluster.body::<EdgeCluster>().map(|own| &*own.members).unwrap_or_default()
}

/// A member in maintenance mode is out of service [spec EdgeClusterMemberStatus].
fn status(call: &Call<'_>) -> Result<Value, Error> {
    let inventory = &call.world.inventory;
    let cluster = inventory.get(&KIND, call.param(0))?;
    let mut away = 0;
    let statuses = members(&cluster).iter().map(|member| {
        let id = &member.transport_node_id;
        let node = inventory.find(transport_node::KIND.name, id);
        let node = node.as_deref().and_then(Object::body::<TransportNode>);
        let down = node.is_some_and(TransportNode::in_maintenance);
        away += usize::from(down);
        let node = ResourceReference::to_object(transport_node::KIND.name, id).fields(inventory);
        json!({"transport_node": node, "status": if down { "ADMIN_DOWN" } else { "UP" }})
    });
    let statuses: Vec<Value> = statuses.collect();
    let word = match (statuses.len(), away) {
        (0, _) => "UNKNOWN",
        (_, 0) => "UP",
        (all, away) if all == away => "DOWN",
        _ => "DEGRADED",
    };
    Ok(json!({
        "edge_cluster_id": cluster.header.id,
        "edge_cluster_status": word,
        "last_update_timestamp": call.world.clock.now(),
        "member_status": statuses,
    }))
}

/// A service on edge nodes: what it is, and where.
struct Service {
    object: Arc<Object>,
    places: Vec<Place>,
    /// Its size, where it is a load balancer.
    size: Option<Value>,
}

impl Service {
    /// Routers with services, and the load balancers on them.
    fn all(call: &Call<'_>) -> Vec<Self> {
        let inventory = &call.world.inventory;
        let routers = inventory.all(router::KIND.name).into_iter().map(|object| {
            let places = routers::places(call, &object);
            Self { object, places, size: None }
        });
        let balancers = inventory.all(service::KIND.name).into_iter().map(|object| {
            let places = load_balancer::places(call, Arc::clone(&object));
            let size = object.body::<service::LbService>().map(|own| json!(own.size));
            Self { object, places, size }
        });
        routers.chain(balancers).collect()
    }

    fn on(&self, node: &str) -> Option<Standing> {
        self.places.iter().find(|own| own.node == node).map(|own| own.standing)
    }

    /// [spec AllocatedService]
    fn print(&self, call: &Call<'_>, standing: Standing) -> Value {
        let kind = self.object.kind.name;
        let reference = ResourceReference::to_object(kind, &self.object.header.id);
        let size = self.size.iter().filter_map(Value::as_str);
        let details = size.map(|size| json!({"key": "sub_pool_size", "value": size}));
        json!({
            "service_reference": reference.fields(&call.world.inventory),
            "high_availability_status": standing.word(),
            "allocation_details": details.collect::<Vec<_>>(),
        })
    }
}

/// [spec EdgeClusterAllocationStatus]
fn allocations(call: &Call<'_>) -> Result<Value, Error> {
    let inventory = &call.world.inventory;
    let cluster = inventory.get(&KIND, call.param(0))?;
    let services = Service::all(call);
    let pools = load_balancer::credit_pools(call);
    let member = |member: &Member| {
        let id = &member.transport_node_id;
        let node = inventory.find(transport_node::KIND.name, id);
        let own: Vec<(&Service, Standing)> =
            services.iter().filter_map(|own| Some((own, own.on(id)?))).collect();
        let count = |standing| own.iter().filter(|(_, own)| *own == standing).count();
        let pool = pools.iter().find(|pool| pool.node == *id);
        json!({
            "node_id": id,
            "node_display_name": node.as_ref().map_or(id.as_str(), |own| own.header.name()),
            "member_index": member.member_index,
            "allocated_services":
                own.iter().map(|(own, at)| own.print(call, *at)).collect::<Vec<_>>(),
            "allocation_pools": [{
                "active_service_count": count(Standing::Active),
                "standby_service_count": count(Standing::Standby),
                "sub_pools": pool.iter().map(|own| sub_pool(own)).collect::<Vec<_>>(),
            }],
        })
    };
    Ok(json!({
        "id": cluster.header.id,
        "display_name": cluster.header.name(),
        "member_count": members(&cluster).len(),
        "members": members(&cluster).iter().map(member).collect::<Vec<_>>(),
    }))
}

/// [spec SubPool]
fn sub_pool(pool: &CreditPool) -> Value {
    json!({
        "sub_pool_type": "LoadBalancerAllocationPool",
        "remaining_credit_number": pool.left,
        "usage_percentage": pool.usage,
    })
}
