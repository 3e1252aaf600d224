//! What belongs to a service: its virtual servers, and all that those lead to.

use super::super::call::Call;
use crate::fabric::Health;
use crate::inventory::{Error, Kind, Object};
use crate::kinds::load_balancer::action::Action;
use crate::kinds::load_balancer::pool::{self, LbPool};
use crate::kinds::load_balancer::rule::{self, LbRule};
use crate::kinds::load_balancer::service::{self, LbService};
use crate::kinds::load_balancer::virtual_server::{self, LbVirtualServer};
use crate::kinds::load_balancer::{
    application_profile, monitor, persistence_profile, ssl, tcp_profile,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A service with its virtual servers, in the service's order, and their pools, each once.
pub struct Scope {
    /// The service.
    pub service: Arc<Object>,
    /// Its virtual servers.
    pub servers: Vec<Arc<Object>>,
    /// The pools of the virtual servers and of their rules.
    pub pools: Vec<Arc<Object>>,
}

impl Scope {
    /// What belongs to the service that the path names.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn of(call: &Call<'_>) -> Result<Self, Error> {
        let service = call.world.inventory.get(&service::KIND, call.param(0))?;
        Ok(Self::around(call, service))
    }

    /// What belongs to a service.
    pub fn around(call: &Call<'_>, service: Arc<Object>) -> Self {
        let ids = service.body::<LbService>().map(|own| &*own.virtual_server_ids);
        let servers = found(call, &virtual_server::KIND, ids.into_iter().flatten());
        let pools: Vec<String> = servers.iter().flat_map(|server| pools(call, server)).collect();
        let pools = found(call, &pool::KIND, &pools);
        Self { service, servers, pools }
    }

    /// The service itself.
    pub fn body(&self) -> Option<&LbService> {
        self.service.body()
    }

    /// The virtual servers that send connections to a pool.
    pub fn users<'a>(
        &'a self,
        call: &'a Call<'_>,
        pool: &'a str,
    ) -> impl Iterator<Item = &'a LbVirtualServer> {
        let uses = move |server: &&Arc<Object>| pools(call, server).iter().any(|own| own == pool);
        self.servers.iter().filter(uses).filter_map(|server| server.body())
    }

    /// All of it as printed [spec LbServiceDebugInfo].
    pub fn everything(&self, call: &Call<'_>) -> Value {
        let named = |objects: &[Arc<Object>], kind: &'static Kind| {
            let references = objects.iter().flat_map(|own| own.any_body().references());
            let ids: Vec<String> =
                references.filter(|own| own.kind == kind.name).map(|own| own.id).collect();
            found(call, kind, &ids)
        };
        let print = |objects: &[Arc<Object>]| -> Vec<Value> {
            objects.iter().map(|own| call.print(own)).collect()
        };
        let by_servers = |kind| print(&named(&self.servers, kind));
        let rules = named(&self.servers, &rule::KIND);
        let users: Vec<Arc<Object>> = self.servers.iter().chain(&rules).cloned().collect();
        json!({
            "service": call.print(&self.service),
            "virtual_servers": print(&self.servers),
            "pools": print(&self.pools),
            "rules": print(&rules),
            "monitors": print(&named(&self.pools, &monitor::KIND)),
            "application_profiles": by_servers(&application_profile::KIND),
            "persistence_profiles": print(&named(&users, &persistence_profile::KIND)),
            "client_ssl_profiles": by_servers(&ssl::CLIENT),
            "server_ssl_profiles": by_servers(&ssl::SERVER),
            "tcp_profiles": by_servers(&tcp_profile::KIND),
        })
    }
}

/// The pools of a virtual server and of its rules.
fn pools(call: &Call<'_>, server: &Object) -> Vec<String> {
    let Some(server) = server.body::<LbVirtualServer>() else { return Vec::new() };
    let mut pools: Vec<String> = server.pools().cloned().collect();
    for rule in found(call, &rule::KIND, server.rules()) {
        let actions = rule.body::<LbRule>().map(|own| &*own.actions).unwrap_or_default();
        pools.extend(actions.iter().filter_map(|action| match action {
            Action::LbSelectPoolAction(own) => Some(own.pool_id.clone()),
            _ => None,
        }));
    }
    pools
}

/// The objects with some ids that are there, each once.
fn found<'a>(
    call: &Call<'_>,
    kind: &'static Kind,
    ids: impl IntoIterator<Item = &'a String>,
) -> Vec<Arc<Object>> {
    let mut seen = BTreeSet::new();
    let new = ids.into_iter().filter(|id| seen.insert(*id));
    new.filter_map(|id| call.world.inventory.find(kind.name, id)).collect()
}

/// How many members a pool has: those that it lists, or the addresses that its group brings and the
/// pool uses.
pub fn count_members(call: &Call<'_>, pool: &LbPool) -> usize {
    let fabric = call.world.fabric();
    let members = fabric.members(&call.world.inventory, pool, None);
    members.iter().filter(|member| member.health != Health::Unused).count()
}
