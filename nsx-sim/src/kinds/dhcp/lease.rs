//! What a DHCP server gives out: from pools, and to hosts by their MAC addresses
//! [spec DhcpIpPool, DhcpStaticBinding].

use super::options::DhcpOptions;
use crate::inventory::{Error, Header, Kind, Parent, Resource, Transaction};
use crate::kinds::pools::range::{IpRange, check_ranges};
use crate::kinds::values::{Formed, Hostname, MacText};
use crate::wire::{Int, int};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// The declaration of pools.
pub static POOL: Kind = Kind {
    parent: Some(Parent::of("LogicalDhcpServer")),
    ..Kind::of::<DhcpIpPool>("DhcpIpPool", "/dhcp/servers/{}/ip-pools")
};

/// The declaration of bindings.
pub static BINDING: Kind = Kind {
    parent: Some(Parent::of("LogicalDhcpServer")),
    ..Kind::of::<DhcpStaticBinding>("DhcpStaticBinding", "/dhcp/servers/{}/static-bindings")
};

/// Seconds for which an address is given.
type LeaseTime = Int<60, 4_294_967_295>;

/// Addresses for whoever asks.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DhcpIpPool {
    #[serde(default = "int::<86_400, 60, 4_294_967_295>")]
    lease_time: LeaseTime,
    gateway_ip: Option<Formed<IpAddr>>,
    options: Option<DhcpOptions>,
    allocation_ranges: Vec<IpRange>,
    /// Percent in use at which to warn.
    #[serde(default = "int::<80, 50, 80>")]
    warning_threshold: Int<50, 80>,
    /// Percent in use at which to raise an alarm.
    #[serde(default = "int::<100, 80, 100>")]
    error_threshold: Int<80, 100>,
}

/// The address of one host.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DhcpStaticBinding {
    #[serde(default = "int::<86_400, 60, 4_294_967_295>")]
    lease_time: LeaseTime,
    gateway_ip: Option<Formed<IpAddr>>,
    options: Option<DhcpOptions>,
    ip_address: Formed<IpAddr>,
    host_name: Option<Formed<Hostname>>,
    mac_address: MacText,
}

impl DhcpIpPool {
    /// How many addresses it has.
    pub fn size(&self) -> u128 {
        self.allocation_ranges.iter().fold(0, |sum, range| sum.saturating_add(range.size()))
    }
}

impl Resource for DhcpIpPool {
    fn admit(
        &mut self,
        header: &mut Header,
        _: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if let Some(options) = &self.options {
            options.check("options")?;
        }
        check_ranges(&self.allocation_ranges, "allocation_ranges")?;
        let others = transaction.children(&POOL, header.parent.as_deref().unwrap_or_default());
        for other in others.iter().filter(|other| other.header.id != header.id) {
            let Some(pool) = other.body::<Self>() else { continue };
            let shared =
                |range: &IpRange| pool.allocation_ranges.iter().any(|taken| taken.overlaps(range));
            if let Some(place) = self.allocation_ranges.iter().position(shared) {
                let problem = format!("overlaps the pool {}", other.header.id);
                return Err(Error::field(format!("allocation_ranges[{place}]"), problem));
            }
        }
        Ok(())
    }
}

impl Resource for DhcpStaticBinding {
    fn admit(
        &mut self,
        header: &mut Header,
        _: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if let Some(options) = &self.options {
            options.check("options")?;
        }
        let others = transaction.children(&BINDING, header.parent.as_deref().unwrap_or_default());
        for other in others.iter().filter(|other| other.header.id != header.id) {
            let Some(binding) = other.body::<Self>() else { continue };
            let problem = || format!("is that of the binding {}", other.header.id);
            if binding.mac_address.octets() == self.mac_address.octets() {
                return Err(Error::field("mac_address", problem()));
            }
            if binding.ip_address.value() == self.ip_address.value() {
                return Err(Error::field("ip_address", problem()));
            }
        }
        Ok(())
    }
}
