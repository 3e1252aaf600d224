//! The simulated data center: ports on hosts, packets between them.
//!
//! The fabric owns the dataplane and what is realized on it. It follows every change of the
//! inventory, knows which host a port is on and which port an address belongs to, and takes packets
//! from end to end.

mod balancer;
mod journey;
mod passed;
mod routing;
mod timers;
mod topology;
mod traffic;

pub use balancer::{Counted, Health, Member, Memory, Sessions, Standing, table};
pub use journey::{End, Journey, Leg, Obstacle, Place, Translation};
pub use passed::{Passed, RouterCounters, Tally};
pub use routing::Hop;
pub use timers::Applied;
pub use topology::{
    Cluster, ComputeManager, Edge, EdgeCluster, Endpoint, Interface, NodeType, Router, Topology,
    TransportNode, VirtualMachine,
};
pub use traffic::{Flow, Traffic};

use crate::clock::Millis;
use crate::inventory::{Change, Inventory, Object};
use crate::kinds::fabric::virtual_machine::{self, VirtualNetworkInterface};
use crate::kinds::firewall::status::{self, Context, FirewallStatus, Switch};
use crate::kinds::logical_port::{self, LogicalPort};
use crate::kinds::routing::port as router_port;
use crate::kinds::values::IpElement;
use crate::realize::{Node, Realization, TagMatching};
use dataplane::{
    AddressRange, Config, Dataplane, Direction, Explanation, Layer, Packet, Path, RuleCounters,
    RuleId, Time, Transit, Verdict, VnicId,
};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;
use traffic::Meter;

/// Ports on hosts, and the dataplane between them.
pub struct Fabric {
    topology: Topology,
    realization: Realization,
    plane: Dataplane,
    /// Port to the place of its host in the topology.
    hosts: HashMap<Arc<str>, usize>,
    next_host: usize,
    /// Single addresses to the ports that have them.
    addresses: HashMap<IpAddr, BTreeSet<Arc<str>>>,
    /// Blocks and ranges that ports have; few.
    ranges: BTreeMap<Arc<str>, Vec<AddressRange>>,
    /// Hosts on which the firewall is switched off.
    unguarded: HashSet<String>,
    /// How long connections live.
    timers: timers::SessionTimers,
    /// What passed router ports.
    routed: RouterCounters,
    meter: Meter,
    /// What the load balancer remembers.
    balancer: Memory,
}

impl Fabric {
    /// Hosts without ports.
    pub fn new(topology: Topology, tags: TagMatching, config: Config) -> Self {
        Self {
            topology,
            realization: Realization::new(tags),
            plane: Dataplane::new(config),
            hosts: HashMap::new(),
            next_host: 0,
            addresses: HashMap::new(),
            ranges: BTreeMap::new(),
            unguarded: HashSet::new(),
            timers: timers::SessionTimers::default(),
            routed: RouterCounters::default(),
            meter: Meter::default(),
            balancer: Memory::default(),
        }
    }

    /// What the fabric stands on.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// What is realized.
    pub fn realization(&self) -> &Realization {
        &self.realization
    }

    /// Follows a change; to be called for every change, in order.
    pub fn apply(&mut self, inventory: &Inventory, change: &Change) {
        self.follow_balancer(change);
        let moved = self.realization.apply(inventory, change, &mut self.plane);
        for write in change.writes.iter().filter(|write| write.kind.name == logical_port::KIND.name)
        {
            let port: Arc<str> = write.id.as_str().into();
            self.follow_addresses(&port, write.before.as_deref(), false);
            self.follow_addresses(&port, write.after.as_deref(), true);
            if write.after.is_none() {
                self.meter.forget(&port);
            }
        }
        for port in &moved.unbound {
            self.hosts.remove(port);
        }
        for port in moved.bound.iter().chain(&self.attached_anew(inventory, change)) {
            self.place(inventory, port);
        }
        for port in moved.bound.iter().chain(&moved.exempted) {
            self.refresh_exemption(port);
        }
        if change.writes.iter().any(|write| timers::concern(write.kind)) {
            self.timers = timers::SessionTimers::read(inventory);
            self.plane.set_timers(self.timers.in_general());
        }
        for write in change.writes.iter().filter(|write| write.after.is_none()) {
            if write.kind.name == router_port::KIND.name {
                self.routed.forget(&write.id);
            }
        }
        for write in change.writes.iter().filter(|write| write.kind.name == status::KIND.name) {
            if let Some(status) = write.after.as_deref().and_then(Object::body::<FirewallStatus>)
                && status.context == Context::TransportNodes
            {
                self.follow_status(status);
            }
        }
    }

    /// Brings the dataplane's rules up to date.
    pub fn compile(&mut self, inventory: &Inventory) {
        self.realization.compile(inventory, &mut self.plane);
    }

    /// Whether rules changed since they were last compiled.
    pub fn is_stale(&self) -> bool {
        self.realization.is_stale()
    }

    /// The port that has an address; the one with the smallest id where several claim it.
    pub fn port_at(&self, address: IpAddr) -> Option<&str> {
        if let Some(ports) = self.addresses.get(&address) {
            return ports.first().map(|port| &**port);
        }
        let holds = |ranges: &Vec<AddressRange>| ranges.iter().any(|range| range.contains(address));
        self.ranges.iter().find(|(_, ranges)| holds(ranges)).map(|(port, _)| &**port)
    }

    /// The host that a port is on; none for ports without a vNIC.
    pub fn host(&self, port: &str) -> Option<&TransportNode> {
        self.topology.transport_nodes.get(*self.hosts.get(port)?)
    }

    /// Judges a packet at a port as if no connection existed; changes nothing.
    pub fn judge(&self, port: &str, direction: Direction, packet: &Packet) -> Option<Verdict> {
        Some(self.plane.judge(self.realization.vnic(port)?, direction, packet))
    }

    /// Judges a packet at a port and tells every rule considered; changes nothing.
    pub fn explain(
        &self,
        port: &str,
        direction: Direction,
        packet: &Packet,
    ) -> Option<Explanation> {
        Some(self.plane.explain(self.realization.vnic(port)?, direction, packet))
    }

    /// Sends a packet past the filters of its ends, with connections and counters.
    fn send(&mut self, now: Millis, leg: &Leg) -> Transit {
        let transit = self.transit(now, leg);
        self.meter.count(leg, &transit);
        transit
    }

    /// What has passed a port since it was made.
    pub fn traffic(&self, port: &str) -> Traffic {
        self.meter.of(port)
    }

    fn transit(&mut self, now: Millis, leg: &Leg) -> Transit {
        for port in [Direction::Out, Direction::In].into_iter().filter_map(|way| leg.filter(way)) {
            self.wind(port);
        }
        let vnic = |direction| self.realization.vnic(leg.filter(direction)?);
        let (from, to) = (vnic(Direction::Out), vnic(Direction::In));
        let out = Path { from, to: None };
        let left = self.plane.transit(Time(now), out, leg.packet(Direction::Out));
        if !left.delivered() {
            return left;
        }
        let ends = [&leg.from.port, &leg.to.port];
        let host = ends.into_iter().flatten().find_map(|port| self.host(port));
        if let Some(host) = host.map(|host| host.id.clone()) {
            self.routed.count(&host, leg);
        }
        // Judged apart, for a router in between gives the frame other MAC addresses.
        let come = Path { from: None, to };
        let came = self.plane.transit(Time(now), come, leg.packet(Direction::In));
        Transit { outbound: left.outbound, ..came }
    }

    /// Sends a packet all its way, until a filter keeps it: what became of it on each leg.
    pub fn carry(&mut self, now: Millis, journey: &Journey) -> Vec<Transit> {
        let mut transits = Vec::new();
        for (place, leg) in journey.legs.iter().enumerate() {
            // The load balancer stands before the last leg.
            if let Some(packet) = &journey.balanced
                && place + 1 == journey.legs.len()
            {
                self.note(now, packet);
            }
            let transit = self.send(now, leg);
            let delivered = transit.delivered();
            transits.push(transit);
            if !delivered {
                break;
            }
        }
        transits
    }

    /// What passed router ports.
    pub fn routed(&self) -> &RouterCounters {
        &self.routed
    }

    /// The counters of a rule.
    pub fn counters(&self, rule: u64) -> RuleCounters {
        self.plane.counters(RuleId(rule))
    }

    /// Sets the counters of both layers to nothing.
    pub fn reset_counters(&mut self, layer: Option<Layer>) {
        self.plane.reset_counters(layer);
    }

    /// The ids of the rules that stand on a port's vNIC, in order.
    pub fn rules_on(&self, port: &str) -> Vec<u64> {
        let vnic = self.realization.vnic(port);
        vnic.map(|vnic| self.plane.rules_on(vnic).map(|rule| rule.id.0).collect())
            .unwrap_or_default()
    }

    /// The port of a vNIC.
    pub fn port_of(&self, vnic: VnicId) -> Option<&str> {
        self.realization.port(vnic)
    }

    fn follow_addresses(&mut self, port: &Arc<str>, object: Option<&Object>, has: bool) {
        let bindings = object.and_then(Object::body::<LogicalPort>);
        let mut ranges = Vec::new();
        for binding in bindings.into_iter().flat_map(|port| port.address_bindings.iter()) {
            let Some((first, last)) = binding.ip_address.as_ref().map(IpElement::span) else {
                continue;
            };
            if first != last {
                ranges.extend(AddressRange::new(first, last));
            } else if has {
                self.addresses.entry(first).or_default().insert(port.clone());
            } else if let Some(ports) = self.addresses.get_mut(&first) {
                ports.remove(port);
                if ports.is_empty() {
                    self.addresses.remove(&first);
                }
            }
        }
        if has && !ranges.is_empty() {
            self.ranges.insert(port.clone(), ranges);
        } else {
            self.ranges.remove(port);
        }
    }

    /// The placed ports of machines' interfaces that a change made or moved.
    fn attached_anew(&self, inventory: &Inventory, change: &Change) -> Vec<Arc<str>> {
        let interfaces = change.writes.iter().filter_map(|write| write.after.as_deref());
        let vifs = interfaces
            .filter_map(Object::body::<VirtualNetworkInterface>)
            .filter_map(|own| own.lport_attachment_id.as_deref());
        let ports = vifs.flat_map(|vif| inventory.by_key(logical_port::BY_ATTACHMENT, vif));
        let placed = ports.filter_map(|port| {
            let (port, _) = self.hosts.get_key_value(port.header.id.as_str())?;
            Some(Arc::clone(port))
        });
        placed.collect()
    }

    /// The host of the machine whose interface has this attachment.
    fn host_of_vif(&self, inventory: &Inventory, vif: &str) -> Option<usize> {
        let interfaces = inventory.by_key(virtual_machine::BY_ATTACHMENT, vif);
        let host = interfaces.iter().find_map(|own| own.body::<VirtualNetworkInterface>())?;
        self.topology.transport_nodes.iter().position(|own| own.id == host.host_id)
    }

    /// A machine's port is where the machine is, and a container's where its node's port is,
    /// whichever came first; all others go round the hosts in turn.
    fn place(&mut self, inventory: &Inventory, port: &Arc<str>) {
        let object = inventory.find(logical_port::KIND.name, port);
        let vif =
            object.as_deref().and_then(Object::body::<LogicalPort>).and_then(LogicalPort::vif);
        let parents = vif
            .and_then(|(_, parent)| parent)
            .map(|parent| inventory.by_key(logical_port::BY_ATTACHMENT, parent));
        let with_parent = parents
            .iter()
            .flatten()
            .find_map(|parent| self.hosts.get(parent.header.id.as_str()).copied());
        let with_machine = vif.and_then(|(vif, _)| self.host_of_vif(inventory, vif));
        let known = self.hosts.get(port).copied();
        let host = with_machine.or(with_parent).or(known).unwrap_or_else(|| {
            let next = self.next_host % self.topology.transport_nodes.len().max(1);
            self.next_host += 1;
            next
        });
        self.hosts.insert(port.clone(), host);
        let children = vif.map(|(vif, _)| inventory.by_key(logical_port::BY_PARENT, vif));
        for child in children.iter().flatten() {
            if let Some(place) = self.hosts.get_mut(child.header.id.as_str()) {
                *place = host;
                self.refresh_exemption(&child.header.id);
            }
        }
    }

    fn follow_status(&mut self, status: &FirewallStatus) {
        let hosts = &self.topology.transport_nodes;
        self.unguarded = hosts
            .iter()
            .filter(|host| status.of_target(&host.id) == Switch::Disabled)
            .map(|host| host.id.clone())
            .collect();
        self.plane.set_enabled(self.unguarded.len() < hosts.len());
        let ports: Vec<Arc<str>> = self.hosts.keys().cloned().collect();
        for port in ports {
            self.refresh_exemption(&port);
        }
    }

    /// A port has no rules while it is excluded or its host's firewall is off.
    fn refresh_exemption(&mut self, port: &str) {
        let off = self.host(port).is_some_and(|host| self.unguarded.contains(&host.id));
        let excluded = off || self.realization.excludes(&Node::port(port));
        if let Some(vnic) = self.realization.vnic(port) {
            self.plane.exclude(vnic, excluded);
        }
    }
}
