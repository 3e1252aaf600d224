//! All that realization decides, in a form in which two of them can be compared.

use dataplane::{
    Action, Direction, Evidence, Guard, MacAddr, Member, Packet, TcpFlags, Transport, ethertype,
};
use nsx_sim::fabric::Fabric;
use nsx_sim::inventory::Inventory;
use nsx_sim::kinds::{logical_port, ns_group};
use nsx_sim::realize::Node;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

/// What is realized of an inventory.
#[derive(Default)]
pub(super) struct Picture {
    /// Group to its effective members, as `Kind/id`.
    pub(super) members: BTreeMap<String, BTreeSet<String>>,
    /// Group to what its members bring to an address set.
    pub(super) addresses: BTreeMap<String, BTreeSet<Member>>,
    /// Port with a vNIC to its filter.
    pub(super) ports: BTreeMap<String, Filter>,
}

/// What stands in front of a vNIC.
#[derive(Default)]
pub(super) struct Filter {
    /// The place of its host.
    pub(super) host: String,
    /// Whether it has no filter at work, whatever its rules.
    pub(super) exempt: Option<Guard>,
    /// Its rules in order.
    pub(super) rules: Vec<u64>,
    /// What becomes of each packet of [`packets`], out and in; none while the filter is exempt.
    pub(super) verdicts: Vec<(Action, Evidence)>,
}

impl Picture {
    /// What a fabric has realized.
    pub(super) fn of(fabric: &Fabric, inventory: &Inventory) -> Self {
        let mut picture = Self::default();
        for object in inventory.all(ns_group::KIND.name) {
            let id = object.header.id.clone();
            let nodes: Vec<&Node> = fabric.realization().effective(&id).collect();
            let names = nodes.iter().copied().filter_map(Node::object);
            let names = names.map(|(kind, id)| format!("{kind}/{id}")).collect();
            let brought = nodes.iter().flat_map(|node| fabric.realization().addresses(node));
            picture.addresses.insert(id.clone(), brought.copied().collect());
            picture.members.insert(id, names);
        }
        let packets = packets();
        for object in inventory.all(logical_port::KIND.name) {
            let id = object.header.id.as_str();
            let Some(host) = fabric.host(id) else { continue };
            let mut filter =
                Filter { host: host.id.clone(), rules: fabric.rules_on(id), ..Filter::default() };
            for (packet, direction) in crossings(&packets) {
                match fabric
                    .judge(id, direction, packet)
                    .map(|verdict| (verdict.action, verdict.by))
                {
                    Some((_, Evidence::Guard(guard))) => filter.exempt = Some(guard),
                    Some(verdict) => filter.verdicts.push(verdict),
                    None => {}
                }
            }
            picture.ports.insert(id.to_owned(), filter);
        }
        picture
    }

    /// Leaves out what depends on a port's host wherever that is another one in `other`.
    pub(super) fn take_hosts_of(&mut self, other: &Self) {
        for (id, filter) in &mut self.ports {
            if let Some(own) = other.ports.get(id).filter(|own| own.host != filter.host) {
                filter.host.clone_from(&own.host);
                filter.exempt = own.exempt;
                filter.verdicts.clone_from(&own.verdicts);
            }
        }
    }

    /// Fails with the first difference.
    pub(super) fn same_as(&self, other: &Self, what: &str) -> Result<(), TestCaseError> {
        prop_assert_eq!(&self.members, &other.members, "members: realized, {}", what);
        prop_assert_eq!(&self.addresses, &other.addresses, "addresses: realized, {}", what);
        let ports = |picture: &Self| picture.ports.keys().cloned().collect::<Vec<_>>();
        prop_assert_eq!(ports(self), ports(other), "ports with a vNIC: realized, {}", what);
        let packets = packets();
        for ((id, own), other) in self.ports.iter().zip(other.ports.values()) {
            prop_assert_eq!(&own.host, &other.host, "host of {}: realized, {}", id, what);
            prop_assert_eq!(&own.rules, &other.rules, "rules on {}: realized, {}", id, what);
            prop_assert_eq!(own.exempt, other.exempt, "guard of {}: realized, {}", id, what);
            prop_assert_eq!(own.verdicts.len(), other.verdicts.len());
            let verdicts = own.verdicts.iter().zip(&other.verdicts);
            for ((own, other), crossing) in verdicts.zip(crossings(&packets)) {
                prop_assert_eq!(own, other, "{:?} at {}: realized, {}", crossing, id, what);
            }
        }
        Ok(())
    }
}

/// Every packet in both directions, in the order of [`Filter::verdicts`].
pub(super) fn crossings(packets: &[Packet]) -> impl Iterator<Item = (&Packet, Direction)> {
    packets.iter().flat_map(|packet| [(packet, Direction::Out), (packet, Direction::In)])
}

/// Packets between the addresses that ports and sets are given, and some that nobody has.
pub(super) fn packets() -> Vec<Packet> {
    let v4 = ["10.0.0.1", "10.0.0.2", "10.0.0.5", "192.168.0.9"];
    let v6 = ["fd00::1", "fd00::9"];
    let ends = |texts: &[&str]| {
        let addresses: Vec<IpAddr> = texts.iter().filter_map(|text| text.parse().ok()).collect();
        let from = addresses.clone().into_iter();
        from.flat_map(move |from| addresses.clone().into_iter().map(move |to| (from, to)))
            .collect::<Vec<_>>()
    };
    let ip = ends(&v4).into_iter().chain(ends(&v6)).enumerate().flat_map(|(number, (from, to))| {
        let at = |address, port| SocketAddr::new(address, port);
        let all = [
            Packet::tcp(at(from, 1500), at(to, 80), TcpFlags::SYN),
            Packet::tcp(at(from, 3000), at(to, 22), TcpFlags::SYN),
            Packet::udp(at(from, 1500), at(to, 53)),
            Packet::ip(from, to, Transport::Other(47)),
        ];
        // Each pair of ends meets two of the services, and each service many pairs.
        [all[number % 4], all[(number + 1) % 4]]
    });
    let mac =
        |number: usize| MacAddr([2, 0, 0, 0, 0, u8::try_from(number % 4).unwrap_or_default()]);
    let arp = Packet::frame(mac(1), mac(2), ethertype::ARP);
    let numbered = ip.chain([arp]).enumerate();
    numbered.map(|(number, packet)| packet.with_macs(mac(number), mac(number / 4))).collect()
}
