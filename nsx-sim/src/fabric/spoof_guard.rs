//! SpoofGuard: a port sends from addresses that are bound to it or to its switch, where its profile
//! says so [spec SpoofGuardSwitchingProfile].

use super::journey::{Leg, NO_MAC, Obstacle};
use crate::inventory::Inventory;
use crate::kinds::bindings::{AddressBinding, ProfileClass};
use crate::kinds::logical_port::{self, LogicalPort};
use crate::kinds::logical_switch::{self, LogicalSwitch};
use crate::kinds::switching_profile::{self, SpoofGuard, SwitchingProfile};
use dataplane::{Direction, MacAddr, Packet, Transport};

/// Where a guest asks for its first address from, and by which ports [RFC 2131].
const DHCP_CLIENT: (u16, u16) = (68, 67);

/// Why the source of a leg may not send its packet, if so.
pub fn refuses(inventory: &Inventory, leg: &Leg) -> Option<Obstacle> {
    let id = leg.from.port.as_deref()?;
    let object = inventory.find(logical_port::KIND.name, id)?;
    let port = object.body::<LogicalPort>()?;
    let switch = inventory.find(logical_switch::KIND.name, &port.logical_switch_id)?;
    let switch = switch.body::<LogicalSwitch>()?;
    // A port has the profile that it names, or else its switch's.
    let class = ProfileClass::SpoofGuardSwitchingProfile;
    let own = port.switching_profile_ids.chosen(class);
    let profile = own.or_else(|| switch.switching_profile_ids.chosen(class))?;
    let profile = inventory.find(switching_profile::KIND.name, profile)?;
    let SwitchingProfile::SpoofGuardSwitchingProfile(guard) = profile.body()? else {
        return None;
    };
    let packet = leg.packet(Direction::Out);
    if !guard.is_on() || asks_for_an_address(packet) {
        return None;
    }
    let bindings = bindings(guard, port, switch);
    if bindings.into_iter().flatten().any(|binding| is_bound(binding, packet)) {
        return None;
    }
    let source = packet.ip.map_or_else(|| packet.src_mac.to_string(), |ip| ip.src.to_string());
    let why = format!("{} may not send from {source}: SpoofGuard", object.header.name());
    Some(Obstacle::Spoofed { port: id.to_owned(), why })
}

/// The bindings that a profile trusts.
fn bindings<'a>(
    guard: &SpoofGuard,
    port: &'a LogicalPort,
    switch: &'a LogicalSwitch,
) -> [&'a [AddressBinding]; 2] {
    [
        if guard.trusts_ports() { &port.address_bindings } else { &[] },
        if guard.trusts_switches() { &switch.address_bindings } else { &[] },
    ]
}

/// What is not IP is held to its MAC address alone.
fn is_bound(binding: &AddressBinding, packet: &Packet) -> bool {
    let mac = binding.mac_address.as_ref().map(|own| MacAddr(own.octets()));
    let by_mac = packet.src_mac == NO_MAC || mac.is_none_or(|mac| mac == packet.src_mac);
    let by_ip = packet.ip.is_none_or(|ip| {
        binding.ip_address.as_ref().is_some_and(|own| {
            let (first, last) = own.span();
            first <= ip.src && ip.src <= last
        })
    });
    by_mac && by_ip
}

/// A guest without an address asks for one from none.
fn asks_for_an_address(packet: &Packet) -> bool {
    packet.ip.is_some_and(|ip| match ip.transport {
        Transport::Udp { src_port, dst_port } => {
            ip.src.is_unspecified() && (src_port, dst_port) == DHCP_CLIENT
        }
        _ => false,
    })
}
