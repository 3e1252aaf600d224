//! Counts of connections and packets, as the simulated load balancer saw them. Rates are left out:
//! the API averages them over five seconds, and nothing here is measured by the second.

use super::super::call::{Call, Reply};
use super::super::routes::Routes;
use super::scope::Scope;
use super::{check_source, whole};
use crate::clock::Millis;
use crate::fabric::{Counted, Fabric, Memory, Sessions, table};
use crate::inventory::{Error, Kind, Object};
use crate::kinds::load_balancer::pool::{self, LbPool};
use crate::kinds::load_balancer::virtual_server::{self, LbVirtualServer};
use crate::wire;
use serde_json::{Value, json};
use std::sync::Arc;

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("GET", "/loadbalancer/services/{id}/statistics", |call| {
        let scope = read(call)?;
        Ok(Reply::ok(with_counts(call, |counts| {
            json!({
                "service_id": scope.service.header.id,
                "statistics": counts.service(&scope.service.header.id),
                "virtual_servers": counts.servers(&scope.servers),
                "pools": counts.pools(&scope.pools),
                "last_update_timestamp": counts.now,
            })
        })))
    });
    routes.on("GET", "/loadbalancer/services/{id}/virtual-servers/statistics", |call| {
        let scope = read(call)?;
        Ok(whole(&with_counts(call, |counts| counts.servers(&scope.servers))))
    });
    routes.on("GET", "/loadbalancer/services/{id}/pools/statistics", |call| {
        let scope = read(call)?;
        Ok(whole(&with_counts(call, |counts| counts.pools(&scope.pools))))
    });
    routes.on("GET", "/loadbalancer/services/{id}/virtual-servers/{server}/statistics", |call| {
        let own = own(&read(call)?.servers, &virtual_server::KIND, call.param(1))?;
        Ok(Reply::ok(with_counts(call, |counts| counts.server(&own))))
    });
    routes.on("GET", "/loadbalancer/services/{id}/pools/{pool}/statistics", |call| {
        let own = own(&read(call)?.pools, &pool::KIND, call.param(1))?;
        Ok(Reply::ok(with_counts(call, |counts| counts.pool(&own))))
    });
}

fn read(call: &Call<'_>) -> Result<Scope, Error> {
    check_source(call)?;
    Scope::of(call)
}

/// One of a service's own objects; what is not the service's has no statistics there.
fn own(objects: &[Arc<Object>], kind: &'static Kind, id: &str) -> Result<Arc<Object>, Error> {
    let found = objects.iter().find(|object| object.header.id == id);
    found.cloned().ok_or_else(|| Error::NotFound { kind: kind.name, id: id.to_owned() })
}

/// Prints with the counts of this moment.
fn with_counts<T>(call: &Call<'_>, print: impl FnOnce(&Counts<'_>) -> T) -> T {
    call.world.with_fabric(|fabric, now| {
        fabric.end_connections(now);
        print(&Counts { call, fabric, memory: fabric.balancer(), now })
    })
}

struct Counts<'a> {
    call: &'a Call<'a>,
    fabric: &'a Fabric,
    memory: &'a Memory,
    now: Millis,
}

impl Counts<'_> {
    fn service(&self, id: &str) -> Value {
        let of = |layer_7| self.memory.tally(&Counted::Service(id.to_owned(), layer_7));
        let (l4, l7) = (of(false), of(true));
        json!({
            "l4_current_sessions": l4.open,
            "l4_max_sessions": l4.max,
            "l4_total_sessions": l4.total,
            "l7_current_sessions": l7.open,
            "l7_max_sessions": l7.max,
            "l7_total_sessions": l7.total,
        })
    }

    fn servers(&self, servers: &[Arc<Object>]) -> Vec<Value> {
        servers.iter().map(|server| self.server(server)).collect()
    }

    fn pools(&self, pools: &[Arc<Object>]) -> Vec<Value> {
        pools.iter().map(|pool| self.pool(pool)).collect()
    }

    fn server(&self, object: &Object) -> Value {
        let id = &object.header.id;
        let mut statistics = tally(self.memory.tally(&Counted::Server(id.clone())));
        let body = object.body::<LbVirtualServer>();
        if let Some((table, _)) = body.and_then(|body| table(&self.call.world.inventory, id, body))
        {
            statistics["source_ip_persistence_entry_size"] =
                self.memory.clients(&table, self.now).into();
        }
        json!({
            "virtual_server_id": id,
            "statistics": statistics,
            "last_update_timestamp": self.now,
        })
    }

    fn pool(&self, object: &Object) -> Value {
        let id = &object.header.id;
        let members = object
            .body::<LbPool>()
            .into_iter()
            .flat_map(|pool| self.fabric.members(&self.call.world.inventory, pool, None));
        let members: Vec<Value> = members
            .map(|member| {
                json!({
                    "ip_address": member.address,
                    "port": member.port.map(|port| port.to_string()),
                    "statistics": tally(self.memory.member_tally(id, member.address, member.port)),
                })
            })
            .collect();
        let mut printed = json!({
            "pool_id": id,
            "statistics": tally(self.memory.tally(&Counted::Pool(id.clone()))),
            "members": members,
            "last_update_timestamp": self.now,
        });
        wire::without_nulls(&mut printed);
        printed
    }
}

fn tally(own: Sessions) -> Value {
    json!({
        "current_sessions": own.open,
        "max_sessions": own.max,
        "total_sessions": own.total,
        "packets_in": own.packets_in,
        "bytes_in": own.bytes_in,
        "packets_out": own.packets_out,
        "bytes_out": own.bytes_out,
    })
}
