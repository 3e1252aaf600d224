//! IP blocks and the subnets that are carved out of them [spec IpBlock, IpBlockSubnet].

use super::allocation::{self, FROM_SUBNET, Source};
use super::ip_pool::refuse_if_taken;
use super::range::IpRange;
use crate::inventory::{
    Action, Error, Filter, Header, Kind, Level, Object, PoolFault, Query, Reference, Resource,
    Transaction, Verbs,
};
use crate::kinds::values::Formed;
use crate::wire::Told;
use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr};

/// The declaration of blocks.
pub static BLOCK: Kind =
    Kind { level: Level::Semantic, ..Kind::of::<IpBlock>("IpBlock", "/pools/ip-blocks") };

/// The declaration of subnets, which are made and unmade but never changed.
pub static SUBNET: Kind = Kind {
    level: Level::Semantic,
    verbs: Verbs { update: false, ..Verbs::ALL },
    filters: &[Filter {
        name: "block_id",
        words: None,
        passes: |_, object, id| {
            object.body::<IpBlockSubnet>().is_some_and(|subnet| subnet.block_id == id)
        },
    }],
    actions: &ACTIONS,
    ..Kind::of::<IpBlockSubnet>("IpBlockSubnet", "/pools/ip-subnets")
};

static ACTIONS: [Action; 2] = allocation::actions(allocate, release);

/// Addresses of IPv4 in one piece, to be divided.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IpBlock {
    cidr: Formed<Ipv4Net>,
}

/// A part of a block, of its own network.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IpBlockSubnet {
    #[serde(default)]
    cidr: Told<Formed<Ipv4Net>>,
    #[serde(default)]
    allocation_ranges: Told<Vec<IpRange>>,
    block_id: String,
    /// How many addresses; a power of two.
    size: i64,
}

impl IpBlockSubnet {
    fn network(&self) -> Option<Ipv4Net> {
        self.cidr.as_ref().map(|cidr| cidr.value().trunc())
    }

    fn ranges(&self) -> &[IpRange] {
        self.allocation_ranges.as_deref().unwrap_or_default()
    }
}

impl Resource for IpBlock {
    /// A new network must hold the subnets that are carved out already [spec UpdateIpBlock].
    fn admit(
        &mut self,
        header: &mut Header,
        _: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        let own = self.cidr.value().trunc();
        for subnet in subnets(transaction, &header.id) {
            if !own.contains(&subnet) {
                let (pool, what) = (header.id.clone(), subnet.to_string());
                return Err(Error::Pool { pool, fault: PoolFault::BlockTooSmall, what });
            }
        }
        Ok(())
    }
}

impl Resource for IpBlockSubnet {
    fn references(&self) -> Vec<Reference> {
        vec![Reference::new(BLOCK.name, &self.block_id)]
    }

    fn admit(
        &mut self,
        _: &mut Header,
        _: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        let size = u64::try_from(self.size).ok().filter(|size| size.is_power_of_two());
        let Some(size) = size.filter(|size| *size <= 1 << 32) else {
            return Err(Error::field("size", "must be a power of two"));
        };
        let missing =
            || Error::MissingReference { kind: BLOCK.name.into(), id: self.block_id.clone() };
        let block = transaction.find(BLOCK.name, &self.block_id).ok_or_else(missing)?;
        let block = block.body::<IpBlock>().ok_or_else(missing)?.cidr.value().trunc();
        let taken = subnets(transaction, &self.block_id);
        let Some(network) = carve(block, taken, size) else {
            let (pool, what) = (self.block_id.clone(), self.block_id.clone());
            return Err(Error::Pool { pool, fault: PoolFault::Exhausted, what });
        };
        self.cidr = Told(Formed::parse(&network.to_string()));
        self.allocation_ranges = Told(usable(network).map(|range| vec![range]));
        Ok(())
    }

    /// Addresses that are taken hold the subnet [spec DeleteIpBlockSubnet].
    fn retire(object: &Object, transaction: &mut Transaction<'_>, _: &Query) -> Result<(), Error> {
        transaction.refuse_if_used(object, |_| true)?;
        refuse_if_taken(&FROM_SUBNET, &object.header.id, transaction)
    }
}

/// The networks of the subnets of a block.
fn subnets(transaction: &Transaction<'_>, block: &str) -> Vec<Ipv4Net> {
    let users = transaction.referrers(BLOCK.name, block);
    users.iter().filter_map(|user| user.body().and_then(IpBlockSubnet::network)).collect()
}

/// The first free network of `size` addresses, a power of two, in a block.
fn carve(block: Ipv4Net, mut taken: Vec<Ipv4Net>, size: u64) -> Option<Ipv4Net> {
    taken.sort_unstable();
    let first = |network: &Ipv4Net| u64::from(u32::from(network.network()));
    let last = |network: &Ipv4Net| u64::from(u32::from(network.broadcast()));
    let mut start = first(&block);
    for network in &taken {
        if start + size <= first(network) {
            break;
        }
        start = start.max(last(network) + 1).next_multiple_of(size);
    }
    // A block smaller than what is asked for begins where no such network does.
    if start % size != 0 || start + size > last(&block) + 1 {
        return None;
    }
    let length = 32 - u8::try_from(size.trailing_zeros()).ok()?;
    Ipv4Net::new(Ipv4Addr::from(u32::try_from(start).ok()?), length).ok()
}

/// What of a network can be given out: all but the network's own address and that of all hosts,
/// where there is room for both.
fn usable(network: Ipv4Net) -> Option<IpRange> {
    let (first, last) = (u32::from(network.network()), u32::from(network.broadcast()));
    let edge = u32::from(network.prefix_len() < 31);
    let address = |number: u32| IpAddr::V4(number.into());
    IpRange::new(address(first + edge), address(last - edge))
}

fn with_source(
    tx: &mut Transaction<'_>,
    id: &str,
    work: impl FnOnce(&mut Transaction<'_>, &Source<'_>) -> Result<Value, Error>,
) -> Result<Value, Error> {
    let subnet = tx.get(&SUBNET, id)?;
    let ranges = subnet.body().map(IpBlockSubnet::ranges).unwrap_or_default();
    work(tx, &Source { kind: &FROM_SUBNET, id, ranges })
}

fn allocate(tx: &mut Transaction<'_>, id: &str, body: Value, _: &Query) -> Result<Value, Error> {
    with_source(tx, id, |tx, source| allocation::allocate(tx, source, body))
}

fn release(tx: &mut Transaction<'_>, id: &str, body: Value, _: &Query) -> Result<Value, Error> {
    with_source(tx, id, |tx, source| allocation::release(tx, source, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> Ipv4Net {
        text.parse().unwrap()
    }

    fn carved(block: &str, taken: &[&str], size: u64) -> Option<String> {
        let taken = taken.iter().map(|text| net(text)).collect();
        carve(net(block), taken, size).map(|network| network.to_string())
    }

    #[test]
    fn subnets_are_carved_from_the_first_gap_that_fits() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(carved("10.0.0.0/16", &[], 256), some("10.0.0.0/24"));
        assert_eq!(carved("10.0.0.0/16", &["10.0.0.0/24"], 256), some("10.0.1.0/24"));
        assert_eq!(carved("10.0.0.0/16", &["10.0.1.0/24"], 256), some("10.0.0.0/24"));
        let taken = ["10.0.0.64/26", "10.0.0.0/27"];
        assert_eq!(carved("10.0.0.0/24", &taken, 64), some("10.0.0.128/26"));
        assert_eq!(carved("10.0.0.0/24", &taken, 32), some("10.0.0.32/27"));
        assert_eq!(carved("10.0.0.0/24", &taken, 256), None);
        assert_eq!(carved("10.0.0.128/25", &[], 256), None);
        assert_eq!(carved("0.0.0.0/0", &[], 1 << 32), some("0.0.0.0/0"));
        assert_eq!(carved("255.255.255.0/24", &["255.255.255.0/24"], 1), None);
    }

    #[test]
    fn the_edges_of_a_network_are_not_given_out_where_there_is_room() {
        let span = |text: &str| usable(net(text)).map(|range| range.span());
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(span("10.0.0.0/29"), Some((address("10.0.0.1"), address("10.0.0.6"))));
        assert_eq!(span("10.0.0.0/31"), Some((address("10.0.0.0"), address("10.0.0.1"))));
        assert_eq!(span("10.0.0.7/32"), Some((address("10.0.0.7"), address("10.0.0.7"))));
    }
}
