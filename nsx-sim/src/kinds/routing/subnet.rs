//! The addresses of router ports [spec IPSubnet].

use super::address;
use crate::inventory::Error;
use crate::kinds::values::Formed;
use crate::wire::{self, Int, Items};
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::net::IpAddr;

/// A port's addresses in one network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IpSubnet {
    /// The port's own addresses.
    pub ip_addresses: Items<Formed<IpAddr>, 2, 1>,
    /// How many leading bits the network has.
    pub prefix_length: Int<1, 128>,
}

/// As many networks as a router port has.
pub type Subnets = Items<IpSubnet, { usize::MAX }, 1>;

impl IpSubnet {
    /// One address with its network.
    pub fn of(network: IpNet) -> Option<Self> {
        let (address, length) = (network.addr(), network.prefix_len());
        wire::read(json!({ "ip_addresses": [address], "prefix_length": length })).ok()
    }

    /// Each of the port's addresses with its network.
    pub fn networks(&self) -> impl Iterator<Item = IpNet> {
        let length = u8::try_from(self.prefix_length.get()).unwrap_or(u8::MAX);
        self.ip_addresses.iter().filter_map(move |own| IpNet::new(address(own), length).ok())
    }
}

/// All of a port's addresses with their networks.
pub fn networks(subnets: &[IpSubnet]) -> impl Iterator<Item = IpNet> {
    subnets.iter().flat_map(IpSubnet::networks)
}

/// Whether two networks have an address in common.
pub fn overlap(one: &IpNet, other: &IpNet) -> bool {
    one.contains(&other.network()) || other.contains(&one.network())
}

/// The addresses of each subnet are of one network, and no two subnets of one port overlap.
///
/// # Errors
/// [`Error::InvalidFields`] for the first that breaks this.
pub fn check(subnets: &[IpSubnet]) -> Result<(), Error> {
    for (place, subnet) in subnets.iter().enumerate() {
        let own: Vec<IpNet> = subnet.networks().collect();
        if own.len() < subnet.ip_addresses.len() {
            let field = format!("subnets[{place}].prefix_length");
            return Err(Error::field(field, "must be at most 32 for IPv4"));
        }
        if own.iter().any(|one| Some(one.trunc()) != own.first().map(IpNet::trunc)) {
            let field = format!("subnets[{place}].ip_addresses");
            return Err(Error::field(field, "must be of one network"));
        }
        let mut earlier = networks(&subnets[..place]);
        if own.first().is_some_and(|one| earlier.any(|other| overlap(one, &other))) {
            return Err(Error::field(format!("subnets[{place}]"), "overlaps an earlier one"));
        }
    }
    Ok(())
}
