//! Addresses taken from a pool [spec AllocationIpAddress].

use super::range::IpRange;
use crate::inventory::{
    Action, Error, HeaderFields, Incoming, Kind, Parent, PoolFault, Query, Resource, Transaction,
    Verbs,
};
use crate::kinds::values::Formed;
use crate::wire::{self, Fields};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::net::IpAddr;

/// What is taken from IP pools.
pub static FROM_POOL: Kind = Kind {
    parent: Some(Parent::of("IpPool")),
    verbs: Verbs::NONE,
    ..Kind::of::<AllocationIpAddress>("AllocationIpAddress", "")
};

/// What is taken from subnets of IP blocks.
pub static FROM_SUBNET: Kind = Kind {
    parent: Some(Parent::of("IpBlockSubnet")),
    verbs: Verbs::NONE,
    ..Kind::of::<AllocationIpAddress>("IpBlockSubnetAllocation", "")
};

/// One address that is taken.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AllocationIpAddress {
    allocation_id: Formed<IpAddr>,
}

impl Resource for AllocationIpAddress {}

impl AllocationIpAddress {
    /// The wire form: the address alone, as clients read it [client tf].
    pub fn printed(&self) -> Value {
        json!({ "allocation_id": self.allocation_id })
    }

    /// The address.
    pub fn address(&self) -> IpAddr {
        *self.allocation_id.value()
    }
}

/// What an allocation or a release says [spec AllocationIpAddress]: no address asks for any.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    allocation_id: Option<Formed<IpAddr>>,
}

/// Something that gives out addresses.
pub struct Source<'a> {
    /// The kind of its allocations.
    pub kind: &'static Kind,
    /// Its id.
    pub id: &'a str,
    /// The addresses it has, in the order in which they are given.
    pub ranges: &'a [IpRange],
}

impl Source<'_> {
    /// Takes the address that is asked for, or any.
    ///
    /// The search for any begins as far into the pool as addresses are taken, and comes round: quick
    /// where nothing was released, and what was released rests for a while, as with the product.
    ///
    /// # Errors
    /// [`Error::Pool`] where that address is taken or not there, or all are taken.
    pub fn take(&self, tx: &mut Transaction<'_>, asked: Option<IpAddr>) -> Result<IpAddr, Error> {
        let address = match asked {
            Some(address) if !self.ranges.iter().any(|range| range.contains(address)) => {
                return Err(self.fault(PoolFault::NotAllocated, address.to_string()));
            }
            Some(address) if tx.find(self.kind.name, &self.key(address)).is_some() => {
                return Err(self.fault(PoolFault::Allocated, address.to_string()));
            }
            Some(address) => address,
            None => {
                let total = self.size();
                let free = (0..total).find_map(|step| {
                    let address = self.at((self.taken(tx) as u128 + step) % total)?;
                    tx.find(self.kind.name, &self.key(address)).is_none().then_some(address)
                });
                free.ok_or_else(|| self.fault(PoolFault::Exhausted, self.id.to_owned()))?
            }
        };
        let body = json!({ "id": self.key(address), "allocation_id": address });
        let incoming = Incoming::read(self.kind, wire::fields_of(&body))?;
        tx.create_part(self.kind, Some(self.id), incoming)?;
        Ok(address)
    }

    /// Gives an address back.
    ///
    /// # Errors
    /// [`Error::Pool`] where it is not taken, [`Error::Protected`] where somebody else took it.
    pub fn give_back(&self, tx: &mut Transaction<'_>, address: IpAddr) -> Result<(), Error> {
        let key = self.key(address);
        if tx.find(self.kind.name, &key).is_none() {
            return Err(self.fault(PoolFault::NotAllocated, address.to_string()));
        }
        tx.delete(self.kind, &key, &Query::default())
    }

    /// How many addresses it has.
    pub fn size(&self) -> u128 {
        self.ranges.iter().fold(0, |sum, range| range.size().saturating_add(sum))
    }

    fn taken(&self, tx: &Transaction<'_>) -> usize {
        tx.inventory().count_children(self.kind, self.id)
    }

    fn at(&self, mut place: u128) -> Option<IpAddr> {
        for range in self.ranges {
            if let Some(address) = range.at(place) {
                return Some(address);
            }
            place -= range.size();
        }
        None
    }

    fn key(&self, address: IpAddr) -> String {
        format!("{}/{address}", self.id)
    }

    fn fault(&self, fault: PoolFault, what: String) -> Error {
        Error::Pool { pool: self.id.to_owned(), fault, what }
    }
}

/// Gives an address of an IP pool back for whom it was taken, whoever asks. One that is not taken,
/// for its pool is gone, is given back already.
///
/// # Errors
/// None that an inventory in order has.
pub fn forget(tx: &mut Transaction<'_>, pool: &str, address: IpAddr) -> Result<(), Error> {
    let key = format!("{pool}/{address}");
    match tx.find(FROM_POOL.name, &key) {
        Some(_) => tx.discard(&FROM_POOL, &key),
        None => Ok(()),
    }
}

/// Reads the body of an allocation or a release.
///
/// # Errors
/// For members that are not as they should be.
pub fn asked(body: Value) -> Result<Option<IpAddr>, Error> {
    let mut fields = match body {
        Value::Object(fields) => fields,
        _ => Fields::new(),
    };
    HeaderFields::take(&mut fields)?;
    fields.shift_remove("resource_type");
    let Asked { allocation_id } = wire::read(Value::Object(fields))?;
    Ok(allocation_id.map(|address| *address.value()))
}

/// The two actions on something that gives out addresses.
pub const fn actions(
    allocate: fn(&mut Transaction<'_>, &str, Value, &Query) -> Result<Value, Error>,
    release: fn(&mut Transaction<'_>, &str, Value, &Query) -> Result<Value, Error>,
) -> [Action; 2] {
    [
        Action { word: "ALLOCATE", status: 200, run: allocate },
        // No body at all, on which clients rely [client tf].
        Action { word: "RELEASE", status: 200, run: release },
    ]
}

/// Takes the address that a body asks for, or any, and tells it.
///
/// # Errors
/// As for [`Source::take`].
pub fn allocate(
    tx: &mut Transaction<'_>,
    source: &Source<'_>,
    body: Value,
) -> Result<Value, Error> {
    let address = source.take(tx, asked(body)?)?;
    Ok(json!({ "allocation_id": address }))
}

/// Gives back the address that a body names.
///
/// # Errors
/// As for [`Source::give_back`].
pub fn release(tx: &mut Transaction<'_>, source: &Source<'_>, body: Value) -> Result<Value, Error> {
    let address = asked(body)?.ok_or_else(|| Error::field("allocation_id", "is required"))?;
    source.give_back(tx, address)?;
    Ok(Value::Null)
}
