//! The simulated data center: ports on hosts, packets between them.
//!
//! The fabric owns the dataplane and what is realized on it. It follows every change of the
//! inventory, knows which host a port is on and which port an address belongs to, and takes packets
//! from end to end.

mod balancer;
mod gates;
mod journey;
mod machine;
mod machines;
mod nat;
mod passed;
mod placement;
mod replay;
mod routing;
mod spoof_guard;
mod timers;
mod topology;
mod traffic;
mod tunnels;

pub use balancer::{Counted, Health, Member, Memory, Sessions, Standing, table};
pub use gates::Carried;
pub use journey::{End, Journey, Leg, Obstacle, Place, Translation};
pub use machine::{Endpoint, HostSwitch, Machine};
pub use machines::Machines;
pub use nat::{NatMemory, NatTally, Translated};
pub use passed::{Passed, RouterCounters, Tally};
pub use replay::Post;
pub use routing::{Gated, Hop};
pub use timers::Applied;
pub use topology::{
    Cluster, ComputeManager, Edge, EdgeCluster, Interface, NodeType, Router, Topology,
    TransportNode, VirtualMachine,
};
pub use traffic::{Flow, Traffic};
pub use tunnels::{Session, Tunnel};

use crate::clock::Millis;
use crate::inventory::{Change, Few, Inventory, Object};
use crate::kinds::firewall::status;
use crate::kinds::logical_port::{self, LogicalPort};
use crate::kinds::routing::port as router_port;
use crate::kinds::values::IpElement;
use crate::realize::{Realization, TagMatching};
use dataplane::{
    AddressRange, Config, Dataplane, Direction, EngineKind, Packet, Path, RuleCounters, RuleId,
    Time, Verdict, VnicId,
};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;
use traffic::Meter;

/// Ports on hosts, and the dataplane between them.
pub struct Fabric {
    topology: Topology,
    realization: Realization,
    plane: Dataplane,
    machines: Machines,
    /// Port to the place of its host; none while there is no host at all.
    hosts: HashMap<Arc<str>, Option<usize>>,
    /// Single addresses to the ports that have them.
    addresses: HashMap<IpAddr, Few<Arc<str>>>,
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
    /// What routers' translations remember.
    nat: NatMemory,
}

impl Fabric {
    /// Hosts without ports.
    pub fn new(topology: Topology, tags: TagMatching, config: Config) -> Self {
        Self {
            topology,
            realization: Realization::new(tags),
            plane: Dataplane::new(config),
            machines: Machines::default(),
            hosts: HashMap::new(),
            addresses: HashMap::new(),
            ranges: BTreeMap::new(),
            unguarded: HashSet::new(),
            timers: timers::SessionTimers::default(),
            routed: RouterCounters::default(),
            meter: Meter::default(),
            balancer: Memory::default(),
            nat: NatMemory::default(),
        }
    }

    /// What the fabric stands on.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// The hosts and edges.
    pub fn machines(&self) -> &Machines {
        &self.machines
    }

    /// What searches rules for packets: [`Dataplane::engines`].
    pub fn engines(&self) -> (EngineKind, Vec<(EngineKind, usize)>) {
        self.plane.engines()
    }

    /// What is realized.
    pub fn realization(&self) -> &Realization {
        &self.realization
    }

    /// Follows a change; to be called for every change, in order.
    pub fn apply(&mut self, inventory: &Inventory, change: &Change) {
        self.follow_balancer(change);
        self.follow_machines(inventory, change);
        self.follow_translations(change);
        let moved = self.realization.apply(inventory, change, &mut self.plane);
        for write in change.writes.iter().filter(|write| write.kind.name == logical_port::KIND.name)
        {
            let port = self.realization.shared_id(&write.id);
            self.follow_addresses(&port, write.before.as_deref(), false);
            self.follow_addresses(&port, write.after.as_deref(), true);
            if let Some(vnic) = self.realization.vnic(&port) {
                self.plane.set_vnic_address(vnic, single_address(write.after.as_deref()));
            }
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
        if change.writes.iter().any(|write| write.kind.name == status::KIND.name) {
            self.follow_status(inventory);
            self.switch_gates(inventory);
        }
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
    pub fn host(&self, port: &str) -> Option<&Machine> {
        self.machines.at((*self.hosts.get(port)?)?)
    }

    /// Judges a packet at a port as if no connection existed; changes nothing.
    pub fn judge(&self, port: &str, direction: Direction, packet: &Packet) -> Option<Verdict> {
        Some(self.plane.judge(self.realization.vnic(port)?, direction, packet))
    }

    /// Sends a packet past the filters of its ends, with connections and counters.
    fn send(&mut self, now: Millis, leg: &Leg) -> Carried {
        let carried = self.transit(now, leg);
        self.meter.count(leg, &carried);
        if carried.comes_to_the_end() {
            let place = |port: &Option<String>| *self.hosts.get(port.as_deref()?)?;
            self.meter.count_crossing(place(&leg.from.port), place(&leg.to.port), leg);
        }
        carried
    }

    /// What has left a machine by its cards and come by them.
    pub fn carried(&self, machine: &str) -> Traffic {
        self.machines.place(machine).map(|own| self.meter.of_machine(own)).unwrap_or_default()
    }

    /// What has passed a port since it was made.
    pub fn traffic(&self, port: &str) -> Traffic {
        self.meter.of(port)
    }

    fn transit(&mut self, now: Millis, leg: &Leg) -> Carried {
        for port in [Direction::Out, Direction::In].into_iter().filter_map(|way| leg.filter(way)) {
            self.wind(port);
        }
        let vnic = |direction| self.realization.vnic(leg.filter(direction)?);
        let (from, to) = (vnic(Direction::Out), vnic(Direction::In));
        let out = Path { from, to: None };
        let left = self.plane.transit(Time(now), out, leg.packet(Direction::Out));
        if !left.delivered() {
            return Carried::of(&left);
        }
        let (at_routers, kept) = self.pass_gates(Time(now), leg);
        let ends = [&leg.from.port, &leg.to.port];
        let host = ends.into_iter().flatten().find_map(|port| self.host(port));
        let passed = kept.map_or(leg.routers.len(), |(router, _)| router);
        if let Some(host) = host.map(|host| host.id.clone()) {
            self.routed.count(&host, leg, passed);
        }
        for translated in leg.routers.iter().take(passed).flat_map(|router| &router.translated) {
            self.note_translation(now, translated);
        }
        let carried = Carried { at_routers, ..Carried::of(&left) };
        if let Some((_, outcome)) = kept {
            return Carried { outcome, ..carried };
        }
        // Judged apart, for a router in between gives the frame other MAC addresses.
        let come = Path { from: None, to };
        let came = self.plane.transit(Time(now), come, leg.packet(Direction::In));
        Carried { inbound: came.inbound, outcome: came.outcome, ..carried }
    }

    /// Sends a packet all its way, until a filter keeps it: what became of it on each leg.
    pub fn carry(&mut self, now: Millis, journey: &Journey) -> Vec<Carried> {
        let mut passed = Vec::new();
        for (place, leg) in journey.legs.iter().enumerate() {
            // The load balancer stands before the last leg.
            if let Some(packet) = &journey.balanced
                && place + 1 == journey.legs.len()
            {
                self.note(now, packet);
            }
            let carried = self.send(now, leg);
            let delivered = carried.delivered();
            passed.push(carried);
            if !delivered {
                break;
            }
        }
        passed
    }

    /// What passed router ports.
    pub fn routed(&self) -> &RouterCounters {
        &self.routed
    }

    /// The counters of a rule.
    pub fn counters(&self, rule: u64) -> RuleCounters {
        self.plane.counters(RuleId(rule))
    }

    /// Sets the counters of a rule to nothing.
    pub fn reset_counters(&mut self, rule: u64) {
        self.plane.reset_rule(RuleId(rule));
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
}

/// The first single address that a port is bound to.
fn single_address(object: Option<&Object>) -> Option<IpAddr> {
    let bindings = &object.and_then(Object::body::<LogicalPort>)?.address_bindings;
    let spans = bindings.iter().filter_map(|binding| binding.ip_address.as_ref());
    spans.map(IpElement::span).find(|(first, last)| first == last).map(|(first, _)| first)
}
