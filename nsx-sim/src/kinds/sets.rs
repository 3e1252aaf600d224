//! IP sets and MAC sets [spec IPSet, MACSet].

use super::values::{IpElement, MacText};
use crate::inventory::{Action, Error, Header, Kind, Level, Query, Resource, Transaction};
use crate::wire::{self, Items};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The declaration of IP sets.
pub static IP_SET: Kind = Kind {
    level: Level::Semantic,
    forceable: true,
    // Both answer 201 [spec AddRemoveIPAddress].
    actions: &[
        Action { word: "add_ip", status: 201, run: add_ip },
        Action { word: "remove_ip", status: 201, run: remove_ip },
    ],
    ..Kind::of::<IPSet>("IPSet", "/ip-sets")
};

/// The declaration of MAC sets.
pub static MAC_SET: Kind =
    Kind { level: Level::Semantic, forceable: true, ..Kind::of::<MACSet>("MACSet", "/mac-sets") };

/// Addresses, blocks and ranges of one family, kept in order and as sent.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IPSet {
    /// The elements.
    #[serde(default)]
    pub ip_addresses: Items<IpElement, 4000>,
}

/// MAC addresses, kept in order and as sent.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MACSet {
    /// The elements.
    #[serde(default)]
    pub mac_addresses: Items<MacText, 4000>,
}

/// One element of a MAC set as its own body [spec MACAddressElement].
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MacElement {
    /// The address.
    pub mac_address: MacText,
    #[serde(default, rename = "_revision")]
    _revision: Option<i64>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AddressElement {
    ip_address: IpElement,
    #[serde(default, rename = "_revision")]
    _revision: Option<i64>,
}

impl Resource for IPSet {
    fn admit(
        &mut self,
        _: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        let v4 = self.ip_addresses.iter().filter(|element| element.is_ipv4()).count();
        if v4 != 0 && v4 != self.ip_addresses.len() {
            return Err(Error::field("ip_addresses", "can not mix IPv4 and IPv6"));
        }
        Ok(())
    }
}

impl Resource for MACSet {}

fn add_ip(tx: &mut Transaction<'_>, id: &str, body: Value, _: &Query) -> Result<Value, Error> {
    let AddressElement { ip_address, .. } = wire::read(body)?;
    let answer = json!({ "ip_address": ip_address });
    tx.edit(&IP_SET, id, |set: &mut IPSet, _| {
        if !set.ip_addresses.contains(&ip_address) && !set.ip_addresses.try_push(ip_address) {
            return Err(Error::field("ip_addresses", "has exceeded maximum size 4000"));
        }
        Ok(())
    })?;
    Ok(answer)
}

fn remove_ip(tx: &mut Transaction<'_>, id: &str, body: Value, _: &Query) -> Result<Value, Error> {
    let AddressElement { ip_address, .. } = wire::read(body)?;
    let answer = json!({ "ip_address": ip_address });
    tx.edit(&IP_SET, id, |set: &mut IPSet, _| {
        if !set.ip_addresses.contains(&ip_address) {
            return Err(Error::field("ip_address", format!("{} is not in the set", &*ip_address)));
        }
        set.ip_addresses.retain(|own| *own != ip_address);
        Ok(())
    })?;
    Ok(answer)
}

/// Adds an address to a MAC set; one that is there stays once.
///
/// # Errors
/// [`Error::NotFound`], and [`Error::InvalidFields`] where the set is full.
pub fn add_mac(tx: &mut Transaction<'_>, id: &str, address: MacText) -> Result<(), Error> {
    tx.edit(&MAC_SET, id, |set: &mut MACSet, _| {
        let known = set.mac_addresses.iter().any(|own| own.octets() == address.octets());
        if !known && !set.mac_addresses.try_push(address) {
            return Err(Error::field("mac_addresses", "has exceeded maximum size 4000"));
        }
        Ok(())
    })?;
    Ok(())
}

/// Takes an address out of a MAC set.
///
/// # Errors
/// [`Error::NotFound`] where the set or the address is not there.
pub fn remove_mac(tx: &mut Transaction<'_>, id: &str, address: &str) -> Result<(), Error> {
    let missing = || Error::NotFound { kind: "MACAddressElement", id: address.to_owned() };
    let octets = MacText::parse(address).ok_or_else(missing)?.octets();
    tx.edit(&MAC_SET, id, |set: &mut MACSet, _| {
        if !set.mac_addresses.iter().any(|own| own.octets() == octets) {
            return Err(missing());
        }
        set.mac_addresses.retain(|own| own.octets() != octets);
        Ok(())
    })?;
    Ok(())
}
