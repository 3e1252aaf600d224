//! What is taken from pools, and how much is left.

use super::call::{Call, Reply};
use super::collections;
use super::list::{Paging, Row};
use super::routes::Routes;
use crate::inventory::Object;
use crate::kinds::pools::allocation::{AllocationIpAddress, FROM_POOL};
use crate::kinds::pools::ip_pool;
use crate::kinds::pools::range::PoolUsage;
use crate::kinds::pools::vtep_label_pool::{self, VtepLabelPool};
use serde_json::{Value, json};

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("GET", "/pools/vtep-label-pools", |call| {
        collections::list(call, &vtep_label_pool::KIND, |pool| labels(call, pool))
    });
    routes.on("GET", "/pools/vtep-label-pools/{id}", |call| {
        Ok(Reply::ok(labels(call, &*collections::named(call, &vtep_label_pool::KIND)?)))
    });
    routes.on("GET", "/pools/ip-pools/{id}/allocations", |call| {
        let pool = call.world.inventory.get(&ip_pool::KIND, call.param(0))?;
        let paging = Paging::read(&call.query, 1000)?;
        let taken = call.world.inventory.children(&FROM_POOL, &pool.header.id);
        let taken = taken.iter().filter_map(|taken| taken.body::<AllocationIpAddress>());
        let mut addresses: Vec<_> = taken.map(|taken| (taken.address(), taken.printed())).collect();
        addresses.sort_unstable_by_key(|(address, _)| *address);
        let rows = addresses.into_iter().enumerate().map(|(place, (address, item))| Row {
            key: super::list::place_key(place),
            id: address.to_string().into(),
            item,
        });
        Ok(paging.ordered(&rows.collect::<Vec<_>>(), Value::clone))
    });
}

/// A pool of labels with how many of them tunnel endpoints have.
fn labels(call: &Call<'_>, pool: &Object) -> Value {
    let mut fields = call.print(pool);
    if let Some(body) = pool.body::<VtepLabelPool>() {
        let fabric = call.world.fabric();
        let taken = fabric.machines().all().map(|own| own.endpoints().count()).sum();
        fields["pool_usage"] = json!(PoolUsage::new(body.size(), taken));
    }
    fields
}
