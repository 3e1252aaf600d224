//! Addresses that ports take from the pools of their segment
//! [spec AttachmentContext.allocate_addresses].

use super::bindings::AddressBinding;
use super::logical_switch::LogicalSwitch;
use super::pools::mac_pool::{self, MacPool};
use super::pools::{allocation, ip_pool};
use super::values::{IpElement, MacText};
use crate::inventory::{Error, IndexKey, Transaction};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// Index: a MAC address that was given, and the pool that it is of, to ports.
const BY_POOL_MAC: &str = "port-by-pool-mac";

/// Which pools of the segment give a port an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "wire names that say it all")]
pub enum AllocateAddresses {
    IpPool,
    MacPool,
    Both,
    None,
}

/// What a port was given: each address with its pool.
#[derive(Clone, Debug, Default)]
pub struct Allocated {
    ip: Option<(IpAddr, String)>,
    mac: Option<(MacText, String)>,
}

impl Allocated {
    /// The binding of what was given.
    pub fn binding(&self) -> Option<AddressBinding> {
        let ip = self.ip.as_ref().and_then(|(ip, _)| IpElement::parse(&ip.to_string()));
        let mac = self.mac.as_ref().map(|(mac, _)| mac.clone());
        (ip.is_some() || mac.is_some()).then_some(AddressBinding {
            ip_address: ip,
            mac_address: mac,
            vlan: None,
        })
    }

    /// Keeps what is still asked for, takes what is asked for now, gives back the rest. A segment
    /// without such a pool gives nothing.
    ///
    /// # Errors
    /// [`Error::Pool`] where the pool has nothing left.
    pub fn settle(
        self,
        asked: AllocateAddresses,
        switch: Option<&LogicalSwitch>,
        tx: &mut Transaction<'_>,
    ) -> Result<Self, Error> {
        let mut settled = Self::default();
        if matches!(asked, AllocateAddresses::IpPool | AllocateAddresses::Both) {
            let pool = switch.and_then(|own| own.ip_pool_id.clone());
            settled.ip = match (self.ip, pool) {
                (Some(held), _) => Some(held),
                (None, Some(pool)) => Some((ip_pool::take(tx, &pool)?, pool)),
                (None, None) => None,
            };
        } else {
            self.give_back(tx)?;
        }
        if matches!(asked, AllocateAddresses::MacPool | AllocateAddresses::Both) {
            let pool = switch.and_then(|own| own.mac_pool_id.as_deref());
            settled.mac = match (self.mac, pool) {
                (Some(held), _) => Some(held),
                (None, Some(pool)) => Some((free_mac(tx, pool)?, pool.to_owned())),
                (None, None) => None,
            };
        }
        Ok(settled)
    }

    /// Gives back what was taken; a pool that went by force has nothing to get.
    ///
    /// # Errors
    /// None that an inventory in order has.
    pub fn give_back(&self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        match &self.ip {
            Some((address, pool)) => allocation::forget(tx, pool, *address),
            None => Ok(()),
        }
    }

    /// The keys by which the MAC pool sees what it has given.
    pub fn keys(&self) -> impl Iterator<Item = IndexKey> {
        let given = self.mac.iter().flat_map(|(mac, pool)| [pool.clone(), mac.to_string()]);
        given.map(|key| (BY_POOL_MAC, key))
    }
}

fn free_mac(tx: &Transaction<'_>, id: &str) -> Result<MacText, Error> {
    let pool = tx.get(&mac_pool::KIND, id)?;
    let missing = || Error::NotFound { kind: mac_pool::KIND.name, id: id.to_owned() };
    let body = pool.body::<MacPool>().ok_or_else(missing)?;
    body.free(id, BY_POOL_MAC, tx.inventory())
}
