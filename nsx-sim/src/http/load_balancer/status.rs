//! How services, virtual servers, pools and members are.
//!
//! Members without an active monitor count as well; those with one are well if a check would reach
//! them (see `Fabric::members`).

use super::super::call::{Call, Reply};
use super::super::routes::Routes;
use super::scope::Scope;
use super::usage::edge_nodes;
use super::{check_source, whole};
use crate::fabric::{Fabric, Health, Member, Standing};
use crate::inventory::Object;
use crate::kinds::load_balancer::pool::{self, LbPool};
use crate::kinds::load_balancer::service::LbService;
use crate::kinds::load_balancer::virtual_server::{self, LbVirtualServer};
use crate::kinds::routing::placement;
use crate::wire;
use serde_json::{Value, json};

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("GET", "/loadbalancer/services/{id}/status", |call| {
        check_source(call)?;
        let scope = Scope::of(call)?;
        let nodes = edge_nodes(call, &scope);
        let printer = Printer::new(call, &scope);
        let named = |standing| -> Vec<&str> {
            let own = nodes.iter().filter(|place| place.standing == standing);
            own.map(|place| &*place.node).collect()
        };
        let printed = json!({
            "service_id": scope.service.header.id,
            "service_status": printer.service(nodes.len()),
            "active_transport_nodes": named(placement::Standing::Active),
            "standby_transport_nodes": named(placement::Standing::Standby),
            "virtual_servers": printer.servers(),
            "pools": printer.pools(),
            "last_update_timestamp": call.world.clock.now(),
        });
        Ok(Reply::ok(printed))
    });
    routes.on("GET", "/loadbalancer/services/{id}/virtual-servers/status", |call| {
        check_source(call)?;
        let scope = Scope::of(call)?;
        Ok(whole(&Printer::new(call, &scope).servers()))
    });
    routes.on("GET", "/loadbalancer/services/{id}/pools/status", |call| {
        check_source(call)?;
        let scope = Scope::of(call)?;
        Ok(whole(&Printer::new(call, &scope).pools()))
    });
    routes.on("GET", "/loadbalancer/services/{id}/virtual-servers/{server}/status", |call| {
        check_source(call)?;
        let scope = Scope::of(call)?;
        let server = call.world.inventory.get(&virtual_server::KIND, call.param(1))?;
        Ok(Reply::ok(Printer::new(call, &scope).server(&server)))
    });
    routes.on("GET", "/loadbalancer/services/{id}/pools/{pool}/status", |call| {
        check_source(call)?;
        let scope = Scope::of(call)?;
        let pool = call.world.inventory.get(&pool::KIND, call.param(1))?;
        Ok(Reply::ok(Printer::new(call, &scope).pool(&pool)))
    });
}

/// Prints what is of one service.
struct Printer<'a> {
    call: &'a Call<'a>,
    scope: &'a Scope,
    fabric: parking_lot::RwLockReadGuard<'a, Fabric>,
}

impl<'a> Printer<'a> {
    fn new(call: &'a Call<'a>, scope: &'a Scope) -> Self {
        Self { call, scope, fabric: call.world.fabric() }
    }

    /// Whether the service carries anything at all.
    fn works(&self) -> bool {
        self.scope.body().is_some_and(|own| own.enabled && own.is_attached())
    }

    fn service(&self, nodes: usize) -> &'static str {
        match self.scope.body() {
            Some(LbService { enabled: false, .. }) => "DISABLED",
            Some(own) if !own.is_attached() => "DETACHED",
            // One edge node has none to stand in for it.
            _ if nodes == 1 => "NO_STANDBY",
            _ => "UP",
        }
    }

    fn servers(&self) -> Vec<Value> {
        self.scope.servers.iter().map(|server| self.server(server)).collect()
    }

    fn pools(&self) -> Vec<Value> {
        self.scope.pools.iter().map(|pool| self.pool(pool)).collect()
    }

    fn server(&self, server: &Object) -> Value {
        json!({
            "virtual_server_id": server.header.id,
            "status": self.server_status(server),
            "last_update_timestamp": self.call.world.clock.now(),
        })
    }

    /// [spec LbVirtualServerStatus.status]
    fn server_status(&self, server: &Object) -> &'static str {
        let bound = self.scope.servers.iter().any(|own| own.header.id == server.header.id);
        let Some(own) = server.body::<LbVirtualServer>().filter(|_| bound) else {
            return "DETACHED";
        };
        if !own.enabled {
            return "DISABLED";
        }
        if !self.works() {
            return "UNKNOWN";
        }
        let inventory = &self.call.world.inventory;
        let pool = own.pool_id.as_deref().and_then(|id| inventory.find(pool::KIND.name, id));
        match pool.as_deref().and_then(Object::body::<LbPool>) {
            Some(pool) => standing(pool, &self.members(pool, Some(own))).word(),
            None if own.is_layer_7(inventory) => Standing::Up.word(),
            None => Standing::Down.word(),
        }
    }

    /// [spec LbPoolStatus.status]
    fn pool(&self, object: &Object) -> Value {
        let now = self.call.world.clock.now();
        let mut users = self.scope.users(self.call, &object.header.id).peekable();
        let bound = users.peek().is_some();
        let user = users.find(|server| server.enabled);
        let Some(pool) = object.body::<LbPool>() else { return Value::Null };
        let members = self.members(pool, user);
        let status = match user {
            _ if !bound => "DETACHED",
            Some(_) if self.works() => standing(pool, &members).word(),
            _ => "UNKNOWN",
        };
        let checked = pool.active_monitor_ids.as_ref().is_some_and(|ids| !ids.is_empty());
        let members = members.iter().map(|member| {
            json!({
                "ip_address": member.address,
                "port": member.port.map(|port| port.to_string()),
                "status": member.health.word(),
                "failure_cause": match &member.health {
                    Health::Down(why) => Some(why),
                    _ => None,
                },
                "last_check_time": checked.then_some(now),
            })
        });
        let mut printed = json!({
            "pool_id": object.header.id,
            "status": status,
            "members": members.collect::<Vec<_>>(),
            "last_update_timestamp": now,
        });
        wire::without_nulls(&mut printed);
        printed
    }

    fn members(&self, pool: &LbPool, server: Option<&LbVirtualServer>) -> Vec<Member> {
        let default = server.and_then(LbVirtualServer::first_member_port);
        self.fabric.members(&self.call.world.inventory, pool, default)
    }
}

fn standing(pool: &LbPool, members: &[Member]) -> Standing {
    Standing::of(members, u64::try_from(pool.min_active_members.get()).unwrap_or(1))
}
