//! What a router port and the thing on its other side mean for each other.

use super::port::{self, BY_UPPER_LINK, RouterPort};
use super::router::{self, LogicalRouter};
use super::subnet::{self, IpSubnet};
use super::table;
use crate::inventory::{Error, Header, Inventory, Object, Reference, Transaction};
use crate::kinds::logical_port::{self, LogicalPort};
use crate::kinds::logical_switch::{self, LogicalSwitch};
use crate::kinds::reference::ResourceReference;
use crate::wire::{Fields, Text, Told};
use ipnet::{IpNet, Ipv4Net};
use serde_json::json;
use std::collections::HashSet;

/// The MAC address of distributed routers, the same everywhere.
pub const ROUTER_MAC: &str = "02:50:56:56:44:52";

/// The MAC address of a tier-1's end of its link to tier-0.
pub const LOWER_LINK_MAC: &str = "02:50:56:56:44:55";

/// The class of the port that a tier-1 links to.
const UPPER_LINK: &str = "LogicalRouterLinkPortOnTIER0";

/// A MAC address for an uplink or a card: made from its id, so that it is the same wherever the world is.
pub fn uplink_mac(id: &str) -> String {
    // FNV-1a: the same in every build, which the standard hasher does not promise.
    let hash = id
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let [_, a, b, c] = hash.to_be_bytes();
    format!("02:50:56:{a:02x}:{b:02x}:{c:02x}")
}

/// Takes hold of the switch's port that a router port is linked to, and lets go of the one that it
/// was linked to before.
///
/// # Errors
/// Where the switch's port is missing, in use, or of a zone that the router is not in.
pub fn follow_switch(
    own: &mut RouterPort,
    header: &Header,
    before: Option<&RouterPort>,
    router: &LogicalRouter,
    tx: &mut Transaction<'_>,
) -> Result<(), Error> {
    const FIELD: &str = "linked_logical_switch_port_id";
    let linked_before = before.and_then(RouterPort::switch_port);
    let switch_before = before.and_then(RouterPort::switch).map(str::to_owned);
    let linked = own.switch_port().map(str::to_owned);
    if let Some(gone) = linked_before.filter(|before| linked.as_deref() != Some(*before)) {
        logical_port::release_from_router(tx, gone, &header.id)?;
    }
    let Some((reference, switch)) = own.switch_link_mut() else { return Ok(()) };
    let Some(reference) = reference else { return Ok(()) };
    let Some(linked) = linked.filter(|id| !id.is_empty()) else {
        return Err(Error::field(format!("{FIELD}.target_id"), "is required"));
    };
    let kind = logical_port::KIND.name;
    reference.target_type.get_or_insert_with(|| Text::cut(kind));
    let Some(object) = tx.find(kind, &linked) else {
        // It may have gone since; what is put back whole names it still.
        *switch = switch_before;
        if linked_before == Some(linked.as_str()) {
            return Ok(());
        }
        return Err(Error::MissingReference { kind: kind.to_owned(), id: linked });
    };
    let switch_id = object.body::<LogicalPort>().map(|port| port.logical_switch_id.clone());
    if let Some(zone) =
        router.advanced_config.as_ref().and_then(|own| own.transport_zone_id.as_ref())
    {
        let found = switch_id.as_deref().and_then(|id| tx.find(logical_switch::KIND.name, id));
        let of_zone = found
            .as_deref()
            .and_then(Object::body::<LogicalSwitch>)
            .is_some_and(|switch| switch.transport_zone_id == *zone);
        if !of_zone {
            let problem = format!("must be on a switch of the router's transport zone {zone}");
            return Err(Error::field(FIELD, problem));
        }
    }
    *switch = switch_id;
    logical_port::attach_to_router(tx, &linked, &header.id)
}

/// Gives a link port on tier-1 its address, from what is free of the tier-0's transit networks.
///
/// # Errors
/// Where the port on tier-0 is none, or linked to another router, or no address is free.
pub fn follow_router(
    own: &mut RouterPort,
    header: &Header,
    before: Option<&RouterPort>,
    tx: &Transaction<'_>,
) -> Result<(), Error> {
    const FIELD: &str = "linked_logical_router_port_id";
    let upper = own.upper().map(str::to_owned);
    let RouterPort::LogicalRouterLinkPortOnTIER1(own) = own else { return Ok(()) };
    let Some(reference) = &mut own.linked_logical_router_port_id else { return Ok(()) };
    let Some(upper) = upper.filter(|id| !id.is_empty()) else {
        return Err(Error::field(format!("{FIELD}.target_id"), "is required"));
    };
    reference.target_type.get_or_insert_with(|| Text::cut(UPPER_LINK));
    if let Some(before) = before.filter(|before| before.upper() == Some(upper.as_str())) {
        own.subnets = Told(Some(before.subnets().to_vec()));
        return Ok(());
    }
    let missing =
        || Error::MissingReference { kind: port::KIND.name.to_owned(), id: upper.clone() };
    let object = tx.find(port::KIND.name, &upper).ok_or_else(missing)?;
    let Some(body @ RouterPort::LogicalRouterLinkPortOnTIER0(_)) = object.body::<RouterPort>()
    else {
        return Err(Error::field(FIELD, format!("must name a {UPPER_LINK}")));
    };
    let others = tx.inventory().by_key(BY_UPPER_LINK, &upper);
    if let Some(other) = others.iter().find(|other| other.header.id != header.id) {
        let problem = format!("is linked to {} already", other.header.id);
        return Err(Error::field(FIELD, problem));
    }
    let tier0 = tx.find(router::KIND.name, body.router());
    let tier0 = tier0.as_deref().and_then(Object::body::<LogicalRouter>);
    let free = tier0.and_then(|router| free_link(router, body.router(), tx.inventory()));
    let free = free.ok_or_else(|| Error::field(FIELD, "has no free address to give"))?;
    own.subnets = Told(IpSubnet::of(free).map(|subnet| vec![subnet]));
    Ok(())
}

/// The tier-1's end of the first link of two addresses that no port of the tier-0 has yet.
fn free_link(router: &LogicalRouter, id: &str, inventory: &Inventory) -> Option<IpNet> {
    let used: HashSet<IpNet> = inventory
        .by_key(port::BY_ROUTER, id)
        .iter()
        .filter_map(|upper| table::lower_link(inventory, &upper.header.id))
        .flat_map(|lower| {
            let own = lower.body::<RouterPort>().map(RouterPort::subnets).unwrap_or_default();
            subnet::networks(own).collect::<Vec<_>>()
        })
        .collect();
    router.transit_networks().find_map(|network| match network {
        IpNet::V4(network) => network
            .subnets(31.max(network.prefix_len()))
            .ok()?
            .filter_map(|link| Ipv4Net::new(link.broadcast(), link.prefix_len()).ok())
            .map(IpNet::V4)
            .find(|link| !used.contains(link)),
        IpNet::V6(_) => None,
    })
}

/// Unlinks the tier-1 that a port on tier-0 leads to.
///
/// # Errors
/// Where the tier-1's port may not be changed.
pub fn release_lower(upper: &str, tx: &mut Transaction<'_>) -> Result<(), Error> {
    let named = Reference::new(port::KIND.name, upper);
    for user in tx.referrers(port::KIND.name, upper) {
        if user.kind.name == port::KIND.name && user.any_body().references().contains(&named) {
            tx.edit(&port::KIND, &user.header.id, |port: &mut RouterPort, _| {
                if let RouterPort::LogicalRouterLinkPortOnTIER1(own) = port {
                    own.linked_logical_router_port_id = None;
                    own.subnets = Told(None);
                }
                Ok(())
            })?;
        }
    }
    Ok(())
}

/// Adds to a port's members what follows from its other side.
pub fn tell(own: &RouterPort, header: &Header, inventory: &Inventory, fields: &mut Fields) {
    if let Some(link) = own.switch_link() {
        fields.insert("linked_logical_switch_port_id".into(), link.fields(inventory).into());
    }
    if let Some(upper) = own.upper() {
        let mut link = ResourceReference::to_object(port::KIND.name, upper).fields(inventory);
        link.insert("target_type".into(), UPPER_LINK.into());
        fields.insert("linked_logical_router_port_id".into(), link.into());
    }
    if matches!(own, RouterPort::LogicalRouterLinkPortOnTIER0(_))
        && let Some(lower) = table::lower_link(inventory, &header.id)
    {
        let id = lower.header.id.as_str();
        fields.insert("linked_logical_router_port_id".into(), id.into());
        let networks = table::networks(inventory, header.id.as_str(), own);
        let subnets: Vec<IpSubnet> = networks.into_iter().filter_map(IpSubnet::of).collect();
        fields.insert("subnets".into(), json!(subnets));
    }
}
