//! A host or an edge as packets and tables meet it: its host switches, and where tunnels end on it.

use crate::inventory::{Inventory, Object};
use crate::kinds::fabric::host_switch::{Addressing, HostSwitchSpec, StandardHostSwitch};
use crate::kinds::fabric::host_switch_profile::{self, Encapsulation, HostSwitchProfile};
use crate::kinds::fabric::node::{Node, OsType};
use crate::kinds::fabric::transport_node::TransportNode;
use crate::kinds::fabric::tunnel_endpoint::TunnelEndpoint;
use crate::kinds::global_config::{self, GlobalConfig};
use crate::kinds::routing::links::uplink_mac;
use crate::kinds::transport_zone::{self, TransportType, TransportZone};
use dataplane::MacAddr;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// A transport node.
#[derive(Clone, Debug)]
pub struct Machine {
    /// The transport node's id.
    pub id: String,
    /// Its name.
    pub display_name: String,
    /// What runs on it; none for edges.
    pub system: Option<OsType>,
    /// Its host switches, those that were there before it joined left out.
    pub switches: Vec<HostSwitch>,
    /// Whether it is out of service.
    pub in_maintenance: bool,
    /// Whether it has a host switch of any sort.
    pub prepared: bool,
    /// The ids of the zones that it is in.
    pub zones: Vec<String>,
}

/// A host switch on one machine.
#[derive(Clone, Debug)]
pub struct HostSwitch {
    /// Its name.
    pub name: String,
    /// Its id, which it has with the first zone that it carries.
    pub id: Option<String>,
    /// The ids of the machine's zones that it carries.
    pub zones: Vec<String>,
    /// Those of them that are of tunnels.
    pub overlays: Vec<String>,
    /// Its network cards; the first one carries the traffic.
    pub cards: Vec<String>,
    /// The largest frame on them.
    pub mtu: i64,
    /// How frames are wrapped in tunnels.
    pub encapsulation: Encapsulation,
    /// Whether its tunnel endpoints have their addresses by DHCP.
    pub dhcp: bool,
    /// Where tunnels end; nowhere unless it carries such a zone.
    pub endpoints: Vec<Endpoint>,
}

/// Where tunnels end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    /// Its address.
    pub address: IpAddr,
    /// Its MAC address: made from the address where nobody states it.
    pub mac: String,
    /// Its label, by which tunnels know it.
    pub label: usize,
    /// The network that it is in.
    pub segment: IpAddr,
    /// The mask of that network.
    pub mask: IpAddr,
    /// The gateway of that network, if it has one.
    pub gateway: Option<IpAddr>,
    /// The device that has it.
    pub device: String,
}

/// Gives out the labels of tunnel endpoints, from 1 up; none is given twice.
#[derive(Debug, Default)]
pub struct Labels(usize);

impl Labels {
    fn next(&mut self) -> usize {
        self.0 += 1;
        self.0
    }
}

impl Machine {
    /// What the inventory says of a transport node; endpoints that it had before keep their labels.
    pub fn read(
        object: &Object,
        inventory: &Inventory,
        before: Option<&Self>,
        labels: &mut Labels,
    ) -> Option<Self> {
        let own: &TransportNode = object.body()?;
        let node = own.node(inventory);
        let system = match node.as_deref().and_then(Object::body::<Node>) {
            Some(Node::HostNode(host)) => Some(host.os_type),
            _ => None,
        };
        let zones: Vec<Arc<Object>> =
            own.zones().filter_map(|id| inventory.find(transport_zone::KIND.name, id)).collect();
        let spec = own.switches();
        let mut switches = Vec::new();
        for switch in spec.map(HostSwitchSpec::standard).unwrap_or_default() {
            let same = |known: &&HostSwitch| known.name == switch.host_switch_name;
            let known = before.and_then(|before| before.switches.iter().find(same));
            let mut read = HostSwitch::read(switch, &zones, inventory);
            if !read.overlays.is_empty() {
                let stated = own.endpoints(switch, inventory);
                read.end_tunnels(&stated, known, system, labels);
            }
            switches.push(read);
        }
        Some(Self {
            id: object.header.id.clone(),
            display_name: object.header.name().to_owned(),
            system,
            switches,
            in_maintenance: own.in_maintenance(),
            prepared: spec.is_some_and(HostSwitchSpec::is_any),
            zones: own.zones().map(str::to_owned).collect(),
        })
    }

    /// Whether routers' services are on it, rather than guests.
    pub fn is_edge(&self) -> bool {
        self.system.is_none()
    }

    /// Whether it can carry the ports of a zone.
    pub fn carries(&self, zone: &str) -> bool {
        !self.is_edge() && self.prepared && self.zones.iter().any(|own| own == zone)
    }

    /// Whether packets pass its tunnels: an edge out of service stops its dataplane, a host goes on
    /// for the guests that are still on it (docs/fidelity.md).
    pub fn forwards(&self) -> bool {
        !(self.is_edge() && self.in_maintenance)
    }

    /// The MAC address of a network card: made from the machine's id and the card's name.
    pub fn card_mac(&self, card: &str) -> String {
        uplink_mac(&format!("{}/{card}", self.id))
    }

    /// The tunnel endpoints of all its host switches.
    pub fn endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.switches.iter().flat_map(|switch| &switch.endpoints)
    }
}

impl HostSwitch {
    fn read(switch: &StandardHostSwitch, zones: &[Arc<Object>], inventory: &Inventory) -> Self {
        let name = &switch.host_switch_name;
        let carried = zones.iter().filter_map(|zone| Some((zone, zone.body::<TransportZone>()?)));
        let carried: Vec<_> = carried.filter(|(_, own)| own.host_switch_name == *name).collect();
        let ids = |overlays_alone: bool| -> Vec<String> {
            let wanted = carried
                .iter()
                .filter(|(_, own)| !overlays_alone || own.transport_type == TransportType::Overlay);
            wanted.map(|(zone, _)| zone.header.id.clone()).collect()
        };
        let uplinks = switch.profiles().find_map(|id| {
            let profile = inventory.find(host_switch_profile::KIND.name, id)?;
            match profile.body() {
                Some(HostSwitchProfile::UplinkHostSwitchProfile(own)) => {
                    Some((own.mtu(), own.overlay_encap))
                }
                _ => None,
            }
        });
        let (mtu, encapsulation) = uplinks.unwrap_or_default();
        Self {
            name: name.clone(),
            id: carried.iter().find_map(|(_, zone)| zone.host_switch_id.clone()),
            zones: ids(false),
            overlays: ids(true),
            cards: switch.pnics().iter().map(|own| own.device_name.clone()).collect(),
            mtu: mtu.or_else(|| general_mtu(inventory)).unwrap_or_default(),
            encapsulation,
            dhcp: matches!(switch.addressing(), Some(Addressing::Dhcp)),
            endpoints: Vec::new(),
        }
    }

    fn end_tunnels(
        &mut self,
        stated: &[TunnelEndpoint],
        known: Option<&Self>,
        system: Option<OsType>,
        labels: &mut Labels,
    ) {
        let known = known.map(|own| &*own.endpoints).unwrap_or_default();
        if self.dhcp {
            let label = known.first().map_or_else(|| labels.next(), |own| own.label);
            self.endpoints = vec![Endpoint::leased(label, device(system, 0))];
            return;
        }
        for (place, own) in stated.iter().enumerate() {
            let same = known.iter().find(|known| known.address == own.address);
            let label = same.map_or_else(|| labels.next(), |known| known.label);
            self.endpoints.push(Endpoint::stated(own, label, device(system, place)));
        }
    }
}

/// What the product calls the devices: `vmk10` and up on ESX, by VTEP elsewhere.
fn device(system: Option<OsType>, place: usize) -> String {
    match system {
        Some(OsType::Esxi) => format!("vmk{}", 10 + place),
        _ => format!("nsx-vtep{place}.0"),
    }
}

/// What holds for uplinks whose profile states no size.
fn general_mtu(inventory: &Inventory) -> Option<i64> {
    let settings = inventory.find(global_config::KIND.name, "SwitchingGlobalConfig")?;
    match settings.body() {
        Some(GlobalConfig::SwitchingGlobalConfig(own)) => Some(own.physical_uplink_mtu.into()),
        _ => None,
    }
}

impl Endpoint {
    fn stated(own: &TunnelEndpoint, label: usize, device: String) -> Self {
        let mac = match &own.mac {
            Some(stated) => MacAddr(stated.octets()),
            None => made_mac(own.address),
        };
        Self {
            address: own.address,
            mac: mac.to_string(),
            label,
            segment: network(own.address, own.mask),
            mask: own.mask,
            gateway: own.gateway,
            device,
        }
    }

    /// What the simulated network's DHCP server gives: an address of 172.16.0.0/12 by the label
    /// (docs/fidelity.md).
    fn leased(label: usize, device: String) -> Self {
        const NETWORK: u32 = 0xac10_0000;
        const HOSTS: u32 = 0x000f_ffff;
        // The first address is the gateway's.
        let number = u32::try_from(label + 1).unwrap_or(HOSTS) & HOSTS;
        let address = IpAddr::from(Ipv4Addr::from(NETWORK | number));
        Self {
            address,
            mac: made_mac(address).to_string(),
            label,
            segment: Ipv4Addr::from(NETWORK).into(),
            mask: Ipv4Addr::from(!HOSTS).into(),
            gateway: Some(Ipv4Addr::from(NETWORK | 1).into()),
            device,
        }
    }
}

fn made_mac(address: IpAddr) -> MacAddr {
    let [x, y, z] = match address {
        IpAddr::V4(own) => {
            let [_, x, y, z] = own.octets();
            [x, y, z]
        }
        IpAddr::V6(own) => {
            let octets = own.octets();
            [octets[13], octets[14], octets[15]]
        }
    };
    MacAddr([0x00, 0x50, 0x56, x, y, z])
}

/// The network of an address; the address itself where the mask is of the other family.
fn network(address: IpAddr, mask: IpAddr) -> IpAddr {
    match (address, mask) {
        (IpAddr::V4(own), IpAddr::V4(mask)) => (own & mask).into(),
        (IpAddr::V6(own), IpAddr::V6(mask)) => (own & mask).into(),
        _ => address,
    }
}
