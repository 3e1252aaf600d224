//! Addresses out of pools: those that stand for namespaces and Services outside, and those that rest.

use super::manager::{Error, Manager, Result};
use super::state::External;
use super::view::{is_balanced, name_of};
use super::{Key, Ncp};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::net::Ipv4Addr;

/// What a pool has given.
pub async fn allocations(manager: &Manager, pool: &str) -> Result<HashSet<Ipv4Addr>> {
    let given = manager.list(format!("/pools/ip-pools/{pool}/allocations")).await?;
    let address = |own: &Value| own["allocation_id"].as_str()?.parse().ok();
    Ok(given.iter().filter_map(address).collect())
}

/// Takes an address of a pool that is free.
pub async fn allocate(manager: &Manager, pool: &str, address: Ipv4Addr) -> Result<()> {
    let path = format!("/pools/ip-pools/{pool}?action=ALLOCATE");
    manager.post(path, json!({"allocation_id": address})).await.map(drop)
}

/// Gives an address back; that it is free already, or the pool gone, is as good.
pub async fn release(manager: &Manager, pool: &str, address: Ipv4Addr) -> Result<()> {
    let path = format!("/pools/ip-pools/{pool}?action=RELEASE");
    match manager.post(path, json!({"allocation_id": address})).await {
        Err(error) if error.is_refusal() || error.is_gone() => Ok(()),
        done => done.map(drop),
    }
}

/// The first address of a pool, as printed, that is free and not kept for somebody.
fn first_free(pool: &Value, not: impl Fn(Ipv4Addr) -> bool) -> Option<Ipv4Addr> {
    let subnets = pool["subnets"].as_array().into_iter().flatten();
    let mut ranges =
        subnets.flat_map(|own| own["allocation_ranges"].as_array().into_iter().flatten());
    ranges.find_map(|range| {
        let end = |name: &str| range[name].as_str()?.parse::<Ipv4Addr>().ok();
        let (first, last) = (u32::from(end("start")?), u32::from(end("end")?));
        (first..=last).map(Ipv4Addr::from).find(|address| !not(*address))
    })
}

/// Whether the guide has the address for a Service.
fn is_pinned(address: Ipv4Addr) -> bool {
    crate::pins::SERVICES.iter().any(|own| own.external_ip == Some(address))
}

impl Ncp {
    /// An address of the pools that is free, for nobody yet. To be asked for, and taken, under the
    /// lock for outside addresses.
    ///
    /// # Errors
    /// [`Error::Missing`] where all are taken.
    pub async fn free_external(&self, pools: &[String]) -> Result<External> {
        for id in pools {
            let pool = self.manager.get(format!("/pools/ip-pools/{id}")).await?;
            let taken = allocations(&self.manager, id).await?;
            let kept =
                |address| taken.contains(&address) || (self.config.pins && is_pinned(address));
            if let Some(address) = first_free(&pool, kept) {
                return Ok(External { pool: id.clone(), address });
            }
        }
        Err(Error::Missing("the external IP pools are exhausted".to_owned()))
    }

    /// Gives an address back. Services are told that there is none and wait until there is one again;
    /// all else asks again by itself.
    ///
    /// # Errors
    /// Where the manager does not answer.
    pub async fn give_back(&self, own: &External) -> Result<()> {
        release(&self.manager, &own.pool, own.address).await?;
        for other in self.view.services.state().iter().filter(|own| is_balanced(own)) {
            self.queue.push(Key::Service(name_of(&**other)));
        }
        Ok(())
    }

    /// The pool that has an address.
    ///
    /// # Errors
    /// Where the manager does not answer.
    pub async fn pool_with(&self, pools: &[String], wanted: Ipv4Addr) -> Result<Option<String>> {
        for id in pools {
            let pool = self.manager.get(format!("/pools/ip-pools/{id}")).await?;
            if first_free(&pool, |address| address != wanted).is_some() {
                return Ok(Some(id.clone()));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_free_address_of_all_ranges_is_taken() {
        let pool = json!({"subnets": [{"allocation_ranges": [
            {"start": "10.0.0.4", "end": "10.0.0.5"}, {"start": "10.0.0.9", "end": "10.0.0.9"},
        ]}]});
        let mut taken = HashSet::new();
        while let Some(address) = first_free(&pool, |own| taken.contains(&own)) {
            taken.insert(address);
        }
        let mut taken: Vec<_> = taken.into_iter().map(|own| own.octets()[3]).collect();
        taken.sort_unstable();
        assert_eq!(taken, [4, 5, 9]);
        assert_eq!(first_free(&json!({}), |_| false), None);
    }
}
