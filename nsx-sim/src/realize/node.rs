//! What can be a member of a group, and what holds members.

use crate::inventory::Object;
use crate::kinds::bindings::AddressBinding;
use crate::kinds::logical_port::LogicalPort;
use crate::kinds::sets::{IPSet, MACSet};
use crate::kinds::values::{IpElement, MacText};
use dataplane::{AddressRange, MacAddr, Member};
use std::sync::Arc;

/// A place in the graph of membership.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Node {
    /// An NSGroup: holds others.
    Group(Arc<str>),
    /// A logical switch: holds its ports, and is a member itself.
    Switch(Arc<str>),
    /// A logical port.
    Port(Arc<str>),
    /// A virtual machine: holds its network interfaces, and is a member itself.
    Machine(Arc<str>),
    /// A network interface: holds the port that it is attached to, and is a member itself.
    Interface(Arc<str>),
    /// A transport node.
    TransportNode(Arc<str>),
    /// An IP set.
    IpSet(Arc<str>),
    /// A MAC set.
    MacSet(Arc<str>),
    /// The exclude list: holds others.
    Excluded,
}

impl Node {
    /// The node of an object; none for kinds that are no members of anything.
    pub fn of(kind: &str, id: &str) -> Option<Self> {
        let id = id.into();
        match kind {
            "NSGroup" => Some(Self::Group(id)),
            "LogicalSwitch" => Some(Self::Switch(id)),
            "LogicalPort" => Some(Self::Port(id)),
            "VirtualMachine" => Some(Self::Machine(id)),
            "VirtualNetworkInterface" => Some(Self::Interface(id)),
            "TransportNode" => Some(Self::TransportNode(id)),
            "IPSet" => Some(Self::IpSet(id)),
            "MACSet" => Some(Self::MacSet(id)),
            _ => None,
        }
    }

    /// A group's node.
    pub fn group(id: &str) -> Self {
        Self::Group(id.into())
    }

    /// A switch's node.
    pub fn switch(id: &str) -> Self {
        Self::Switch(id.into())
    }

    /// A port's node.
    pub fn port(id: &str) -> Self {
        Self::Port(id.into())
    }

    /// A network interface's node.
    pub fn interface(id: &str) -> Self {
        Self::Interface(id.into())
    }

    /// Kind and id of the object.
    pub fn object(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::Group(id) => Some(("NSGroup", id)),
            Self::Switch(id) => Some(("LogicalSwitch", id)),
            Self::Port(id) => Some(("LogicalPort", id)),
            Self::Machine(id) => Some(("VirtualMachine", id)),
            Self::Interface(id) => Some(("VirtualNetworkInterface", id)),
            Self::TransportNode(id) => Some(("TransportNode", id)),
            Self::IpSet(id) => Some(("IPSet", id)),
            Self::MacSet(id) => Some(("MACSet", id)),
            Self::Excluded => None,
        }
    }

    /// Whether it counts itself among what it brings to a group; a group brings only its members.
    pub fn is_leaf(&self) -> bool {
        !matches!(self, Self::Group(_) | Self::Excluded)
    }
}

/// What an object itself brings to an address set: a port its realized bindings, a set its elements.
pub fn addresses(object: &Object) -> Vec<Member> {
    if let Some(port) = object.body::<LogicalPort>() {
        return port.address_bindings.iter().flat_map(bound).collect();
    }
    if let Some(set) = object.body::<IPSet>() {
        return set.ip_addresses.iter().filter_map(range).collect();
    }
    if let Some(set) = object.body::<MACSet>() {
        return set.mac_addresses.iter().map(mac).collect();
    }
    Vec::new()
}

fn bound(binding: &AddressBinding) -> impl Iterator<Item = Member> {
    let ip = binding.ip_address.as_ref().and_then(range);
    ip.into_iter().chain(binding.mac_address.as_ref().map(mac))
}

/// The addresses of an element as the dataplane takes them.
pub fn address_range(element: &IpElement) -> Option<AddressRange> {
    let (first, last) = element.span();
    AddressRange::new(first, last).ok()
}

fn range(element: &IpElement) -> Option<Member> {
    address_range(element).map(Member::Range)
}

fn mac(text: &MacText) -> Member {
    Member::Mac(MacAddr(text.octets()))
}
