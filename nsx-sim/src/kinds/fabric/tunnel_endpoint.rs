//! Which addresses a node's tunnels end at: stated one by one, or taken from a pool for as long as
//! the host switch has its addresses from there.

use super::host_switch::{Addressing, HostSwitchSpec, StandardHostSwitch};
use crate::inventory::{Error, Inventory, Transaction};
use crate::kinds::pools::allocation;
use crate::kinds::pools::ip_pool::{self, IpPool};
use crate::kinds::values::MacText;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// An address that tunnels end at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TunnelEndpoint {
    /// The address.
    pub address: IpAddr,
    /// Its MAC address, where that is stated.
    pub mac: Option<MacText>,
    /// The mask of its network.
    pub mask: IpAddr,
    /// The gateway of its network, if it has one.
    pub gateway: Option<IpAddr>,
}

/// What a node has taken from pools: by host switch, the pool and the address.
#[derive(Clone, Debug, Default)]
pub struct Taken(BTreeMap<String, (String, IpAddr)>);

impl Taken {
    /// Keeps what is still asked for, takes what is asked for now, gives back the rest. One address
    /// for each host switch (docs/fidelity.md).
    ///
    /// # Errors
    /// [`Error::Pool`] where a pool has nothing left.
    pub fn settle(
        mut self,
        spec: Option<&HostSwitchSpec>,
        tx: &mut Transaction<'_>,
    ) -> Result<Self, Error> {
        let mut settled = BTreeMap::new();
        for switch in spec.map(HostSwitchSpec::standard).unwrap_or_default() {
            let Some(pool) = switch.pool() else { continue };
            let name = switch.host_switch_name.clone();
            let held = self.0.get(&name).is_some_and(|(own, _)| own == pool);
            let taken = match self.0.remove(&name).filter(|_| held) {
                Some(taken) => Some(taken),
                // A pool that is not there is refused as a reference.
                None if tx.find(ip_pool::KIND.name, pool).is_none() => None,
                None => Some((pool.to_owned(), ip_pool::take(tx, pool)?)),
            };
            settled.extend(taken.map(|taken| (name, taken)));
        }
        self.give_back(tx)?;
        Ok(Self(settled))
    }

    /// Gives back all that was taken.
    ///
    /// # Errors
    /// None that an inventory in order has.
    pub fn give_back(&self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        self.0.values().try_for_each(|(pool, address)| allocation::forget(tx, pool, *address))
    }

    /// The addresses of one host switch that the manager knows; it does not know those that come
    /// by DHCP.
    pub fn endpoints(
        &self,
        switch: &StandardHostSwitch,
        inventory: &Inventory,
    ) -> Vec<TunnelEndpoint> {
        match switch.addressing() {
            Some(Addressing::Stated { addresses, mask, gateway }) => {
                let one =
                    |(address, mac)| TunnelEndpoint { address, mac, mask, gateway: Some(gateway) };
                addresses.into_iter().map(one).collect()
            }
            Some(Addressing::Pool(_)) => {
                let taken = self.0.get(&switch.host_switch_name);
                taken
                    .and_then(|(pool, address)| of_pool(inventory, pool, *address))
                    .into_iter()
                    .collect()
            }
            Some(Addressing::Dhcp) | None => Vec::new(),
        }
    }
}

fn of_pool(inventory: &Inventory, pool: &str, address: IpAddr) -> Option<TunnelEndpoint> {
    let pool = inventory.find(ip_pool::KIND.name, pool)?;
    let (network, gateway) = pool.body::<IpPool>()?.network_of(address)?;
    Some(TunnelEndpoint { address, mac: None, mask: network.netmask(), gateway })
}
