//! IP pools [spec IpPool].

use super::allocation::{self, AllocationIpAddress, FROM_POOL, Source};
use super::range::{IpRange, PoolUsage, check_ranges, fault_of};
use crate::inventory::{
    Action, Error, Header, Inventory, Kind, Level, Object, PoolFault, Query, Resource, Transaction,
};
use crate::kinds::values::{Formed, Hostname};
use crate::wire::{self, Fields, Items, Told};
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::net::IpAddr;

/// The declaration.
pub static KIND: Kind = Kind {
    level: Level::Semantic,
    forceable: true,
    actions: &ACTIONS,
    ..Kind::of::<IpPool>("IpPool", "/pools/ip-pools")
};

static ACTIONS: [Action; 2] = allocation::actions(allocate, release);

/// Addresses that are given out one by one.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IpPool {
    subnets: Option<Items<IpPoolSubnet, 5>>,
    #[serde(default)]
    pool_usage: Told<PoolUsage>,
}

/// A network and what of it is given out [spec IpPoolSubnet].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct IpPoolSubnet {
    dns_nameservers: Option<Items<Formed<IpAddr>, 3>>,
    cidr: Formed<IpNet>,
    gateway_ip: Option<Formed<IpAddr>>,
    allocation_ranges: Vec<IpRange>,
    dns_suffix: Option<Formed<Hostname>>,
}

impl IpPoolSubnet {
    fn check(&self, field: &str) -> Result<(), Error> {
        let ranges = format!("{field}.allocation_ranges");
        check_ranges(&self.allocation_ranges, &ranges)?;
        let cidr = self.cidr.value();
        for (place, range) in self.allocation_ranges.iter().enumerate() {
            let (start, end) = range.span();
            if !cidr.contains(&start) || !cidr.contains(&end) {
                let problem = format!("must lie in {}", &*self.cidr);
                return Err(Error::field(format!("{ranges}[{place}]"), problem));
            }
        }
        match &self.gateway_ip {
            Some(gateway) if !cidr.contains(gateway.value()) => {
                let problem = format!("must lie in {}", &*self.cidr);
                Err(Error::field(format!("{field}.gateway_ip"), problem))
            }
            _ => Ok(()),
        }
    }
}

impl IpPool {
    /// All that the pool can give, in order.
    pub fn ranges(&self) -> Vec<IpRange> {
        let subnets = self.subnets.iter().flat_map(|subnets| subnets.iter());
        subnets.flat_map(|subnet| subnet.allocation_ranges.iter().cloned()).collect()
    }

    /// The network that an address of the pool is in, with its gateway.
    pub fn network_of(&self, address: IpAddr) -> Option<(IpNet, Option<IpAddr>)> {
        let mut subnets = self.subnets.iter().flat_map(|subnets| subnets.iter());
        let subnet = subnets.find(|subnet| subnet.cidr.value().contains(&address))?;
        Some((*subnet.cidr.value(), subnet.gateway_ip.as_ref().map(|own| *own.value())))
    }

    /// What is taken must stay in the pool.
    fn check_taken(
        &self,
        id: &str,
        before: &Self,
        transaction: &Transaction<'_>,
    ) -> Result<(), Error> {
        let (old, new) = (before.ranges(), self.ranges());
        if old == new {
            return Ok(());
        }
        for taken in transaction.children(&FROM_POOL, id) {
            let Some(address) = taken.body().map(AllocationIpAddress::address) else { continue };
            if new.iter().any(|range| range.contains(address)) {
                continue;
            }
            let lost = old.iter().find(|range| range.contains(address)).map(IpRange::span);
            let fault = lost.map_or(PoolFault::RangeDeleted, |lost| {
                fault_of(lost, new.iter().map(IpRange::span))
            });
            return Err(Error::Pool { pool: id.to_owned(), fault, what: address.to_string() });
        }
        Ok(())
    }
}

impl Resource for IpPool {
    fn fields(&self, header: &Header, inventory: &Inventory) -> Fields {
        let mut fields = wire::fields_of(self);
        let total =
            self.ranges().iter().fold(0, |sum: u128, range| sum.saturating_add(range.size()));
        let taken = inventory.count_children(&FROM_POOL, &header.id);
        fields.insert("pool_usage".into(), json!(PoolUsage::new(total, taken)));
        fields
    }

    fn admit(
        &mut self,
        header: &mut Header,
        before: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        let subnets = self.subnets.as_deref().unwrap_or_default();
        for (place, subnet) in subnets.iter().enumerate() {
            let field = format!("subnets[{place}]");
            subnet.check(&field)?;
            let own = subnet.cidr.value();
            if subnets[..place].iter().any(|other| overlap(own, other.cidr.value())) {
                return Err(Error::field(format!("{field}.cidr"), "overlaps another subnet"));
            }
        }
        before.map_or(Ok(()), |before| self.check_taken(&header.id, before, transaction))
    }

    /// Addresses that are taken hold the pool, and so do configurations that use it; `force=true`
    /// lets it go all the same [spec DeleteIpPool].
    fn retire(
        object: &Object,
        transaction: &mut Transaction<'_>,
        query: &Query,
    ) -> Result<(), Error> {
        if query.flag("force")? {
            return Ok(());
        }
        transaction.refuse_if_used(object, |_| true)?;
        refuse_if_taken(&FROM_POOL, &object.header.id, transaction)
    }
}

fn overlap(one: &IpNet, other: &IpNet) -> bool {
    one.contains(&other.network()) || other.contains(&one.network())
}

/// Refuses to let go of what addresses are taken from.
///
/// # Errors
/// [`Error::Pool`] that names the first of them.
pub fn refuse_if_taken(
    kind: &'static Kind,
    id: &str,
    transaction: &Transaction<'_>,
) -> Result<(), Error> {
    let taken = transaction.children(kind, id);
    let first =
        taken.iter().filter_map(|taken| taken.body().map(AllocationIpAddress::address)).min();
    first.map_or(Ok(()), |address| {
        let (pool, what) = (id.to_owned(), address.to_string());
        Err(Error::Pool { pool, fault: PoolFault::RangeDeleted, what })
    })
}

fn with_source<T>(
    tx: &mut Transaction<'_>,
    id: &str,
    work: impl FnOnce(&mut Transaction<'_>, &Source<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let pool = tx.get(&KIND, id)?;
    let ranges = pool.body().map(IpPool::ranges).unwrap_or_default();
    work(tx, &Source { kind: &FROM_POOL, id, ranges: &ranges })
}

/// Takes any address of a pool.
///
/// # Errors
/// [`Error::NotFound`], or [`Error::Pool`] where all are taken.
pub fn take(tx: &mut Transaction<'_>, id: &str) -> Result<IpAddr, Error> {
    with_source(tx, id, |tx, source| source.take(tx, None))
}

fn allocate(tx: &mut Transaction<'_>, id: &str, body: Value, _: &Query) -> Result<Value, Error> {
    with_source(tx, id, |tx, source| allocation::allocate(tx, source, body))
}

fn release(tx: &mut Transaction<'_>, id: &str, body: Value, _: &Query) -> Result<Value, Error> {
    with_source(tx, id, |tx, source| allocation::release(tx, source, body))
}
