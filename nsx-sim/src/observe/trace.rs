//! The steps of a packet's way: told from the verdicts of the dataplane, which nobody gives twice.
//!
//! Order and names follow the schema, what public clients look for (the list ends with a drop or a
//! delivery; each vNIC passed shows one rule id, the source's first [npg]) and product practice; no
//! raw capture is known.

use super::observation::Observation;
use crate::clock::Millis;
use crate::fabric::{Fabric, Hop, Journey, Leg, Machine, Obstacle};
use crate::inventory::Inventory;
use crate::kinds::fabric::node::OsType;
use crate::kinds::logical_port::{self, LogicalPort};
use crate::kinds::logical_switch::{self, LogicalSwitch};
use crate::kinds::routing::router::RouterType;
use dataplane::Direction;

/// The component that drops by rule [product screens].
const DFW: &str = "Distributed Firewall";

/// Tells the way of a packet that starts from a port.
pub fn steps(
    fabric: &Fabric,
    inventory: &Inventory,
    journey: &Journey,
    hop_limit: u8,
    now: Millis,
) -> Vec<Observation> {
    let start = journey.legs.first().and_then(|leg| leg.from.port.as_deref());
    let host = start.and_then(|port| fabric.host(port));
    let mut trace = Trace { fabric, inventory, hop_limit, now, host, hops: 0, steps: Vec::new() };
    let finished = journey.legs.iter().enumerate().all(|(place, leg)| {
        let last = place + 1 == journey.legs.len();
        trace.leg(leg, journey, last)
    });
    if finished {
        trace.arrive(journey);
    }
    trace.steps.into_iter().map(Observation::of_its_kind).collect()
}

struct Trace<'a> {
    fabric: &'a Fabric,
    inventory: &'a Inventory,
    /// As the packet leaves its source.
    hop_limit: u8,
    now: Millis,
    /// Where the packet is.
    host: Option<&'a Machine>,
    /// Hosts passed so far.
    hops: u32,
    steps: Vec<Observation>,
}

/// A logical switch as steps name it.
struct Segment {
    id: String,
    name: String,
    vni: Option<i32>,
}

impl Trace<'_> {
    /// Takes the packet along a leg; false where a filter keeps it, or the router.
    fn leg(&mut self, leg: &Leg, journey: &Journey, last: bool) -> bool {
        if let Some(source) = leg.from.port.as_deref() {
            self.at_switch(source, "TraceflowObservationReceivedLogical");
            let Some(source) = leg.filter(Direction::Out) else { return true };
            if !self.filter(source, Direction::Out, leg) {
                return false;
            }
            if !self.leave(leg) {
                return false;
            }
        }
        if let Some(translation) = journey.translation.as_ref().filter(|_| last) {
            let mut step = self.step("TraceflowObservationForwardedLogical", "LOAD_BALANCER");
            step.component_name.clone_from(&translation.virtual_server);
            step.translated_src_ip = Some(translation.source);
            step.translated_dst_ip = Some(translation.member.0);
            self.steps.push(step);
        }
        let Some(target) = leg.filter(Direction::In) else { return true };
        self.cross(target);
        self.filter(target, Direction::In, leg)
    }

    /// From the source's switch to the target's, or to the router on the way to it; false where
    /// the packet may pass no router.
    fn leave(&mut self, leg: &Leg) -> bool {
        let source = leg.from.port.as_deref().and_then(|port| self.segment(port));
        let target = leg.to.port.as_deref().and_then(|port| self.segment(port));
        let same = matches!((&source, &target), (Some(a), Some(b)) if a.id == b.id);
        let mut step = self.step("TraceflowObservationForwardedLogical", "LS");
        fill_segment(&mut step, source);
        if same {
            step.lport_id.clone_from(&leg.to.port);
            step.lport_name = leg.to.port.as_deref().and_then(|port| self.port_name(port));
            self.steps.push(step);
            return true;
        }
        for (place, router) in leg.routers.iter().enumerate() {
            step.dst_component_type = Some("LR");
            step.dst_component_id = Some(router.router.clone());
            step.dst_component_name = Some(router.name.clone());
            self.steps.push(step);
            self.steps.push(self.router(router, "TraceflowObservationReceivedLogical"));
            if usize::from(self.hop_limit) <= place + 1 {
                let mut step = self.router(router, "TraceflowObservationDroppedLogical");
                step.reason = Some("TTL_ZERO");
                self.steps.push(step);
                return false;
            }
            self.translations(router);
            if !self.gates(router) {
                return false;
            }
            step = self.router(router, "TraceflowObservationForwardedLogical");
        }
        if leg.stranded {
            return true;
        }
        self.steps.push(step);
        if let Some(target) = target {
            let mut step = self.step("TraceflowObservationReceivedLogical", "LS");
            fill_segment(&mut step, Some(target));
            self.steps.push(step);
        }
        true
    }

    /// What a router's firewall made of the packet; false where it keeps it.
    fn gates(&mut self, router: &Hop) -> bool {
        for own in &router.gates {
            let verdict = self.fabric.explain(own.gate, own.direction, &own.packet).verdict;
            let mut step = self.step("TraceflowObservationForwardedLogical", "EDGE_FW");
            step.component_id = Some(router.router.clone());
            step.component_name.clone_from(&router.name);
            step.acl_rule_id = verdict.by.rule().map(|rule| rule.0);
            if !verdict.allows() {
                step.resource_type = "TraceflowObservationDroppedLogical";
                step.reason = Some("FW_RULE");
                self.steps.push(step);
                return false;
            }
            self.steps.push(step);
        }
        true
    }

    /// What a router's rules made of the packet's addresses.
    fn translations(&mut self, router: &Hop) {
        for own in router.translated.iter().filter(|own| own.changed) {
            let mut step = self.step("TraceflowObservationForwardedLogical", "NAT");
            step.component_id = Some(router.router.clone());
            step.component_name.clone_from(&router.name);
            step.nat_rule_id = own.rule.as_deref().and_then(|rule| rule.parse().ok());
            step.translated_src_ip = own.packet.ip.map(|ip| ip.src);
            step.translated_dst_ip = own.packet.ip.map(|ip| ip.dst);
            self.steps.push(step);
        }
    }

    /// Over the tunnel where the target is on another host.
    fn cross(&mut self, target: &str) {
        let (Some(near), Some(far)) = (self.host, self.fabric.host(target)) else { return };
        if near.id == far.id {
            return;
        }
        let tep = |own: &Machine| own.endpoints().next().map(|own| own.address);
        let mut step = self.step("TraceflowObservationForwarded", "PHYSICAL");
        step.local_ip_address = tep(near);
        step.remote_ip_address = tep(far);
        step.dst_transport_node_id = Some(far.id.clone());
        step.dst_transport_node_name = Some(far.display_name.clone());
        self.steps.push(step);
        self.host = Some(far);
        self.hops += 1;
        let mut step = self.step("TraceflowObservationReceived", "PHYSICAL");
        step.local_ip_address = tep(far);
        step.remote_ip_address = tep(near);
        self.steps.push(step);
    }

    /// The filter of a port: what it received, and what it made of it.
    fn filter(&mut self, port: &str, direction: Direction, leg: &Leg) -> bool {
        let Some(verdict) = self.fabric.judge(port, direction, leg.packet(direction)) else {
            return true;
        };
        let mut received = self.step("TraceflowObservationReceivedLogical", "DFW");
        self.fill_filter(&mut received, port);
        let mut decided = received.clone();
        decided.acl_rule_id = verdict.by.rule().map(|rule| rule.0);
        if verdict.allows() {
            decided.resource_type = "TraceflowObservationForwardedLogical";
            decided.dst_component_type = Some("LS");
        } else {
            decided.resource_type = "TraceflowObservationDroppedLogical";
            decided.reason = Some("FW_RULE");
        }
        self.steps.extend([received, decided]);
        verdict.allows()
    }

    /// The end of the way: delivered to a port, or kept by what passes no traffic or knows no way.
    fn arrive(&mut self, journey: &Journey) {
        let target = journey.legs.last().and_then(|leg| leg.to.port.as_deref());
        match (&journey.obstacle, target) {
            (None, Some(target)) => self.at_switch(target, "TraceflowObservationDelivered"),
            (Some(Obstacle::PortDown { port, .. } | Obstacle::Spoofed { port, .. }), _) => {
                self.at_switch(port, "TraceflowObservationDroppedLogical");
                if let Some(step) = self.steps.last_mut() {
                    step.reason = Some("LSWITCH");
                }
            }
            (Some(Obstacle::NoRoute(_)), _) => self.lose(journey),
            // Outside: the router's uplink is as far as anything is modelled.
            (None, None) => {
                if let Some(router) = last_router(journey) {
                    self.steps.push(self.router(router, "TraceflowObservationDelivered"));
                }
            }
        }
    }

    /// Where nobody knows the way: at the last router, or on the segment where there is none.
    fn lose(&mut self, journey: &Journey) {
        let (step, reason) = match (last_router(journey), journey.legs.last()) {
            (Some(router), _) => {
                (self.router(router, "TraceflowObservationDroppedLogical"), "NO_ROUTE")
            }
            (None, Some(leg)) => {
                let mut step = self.step("TraceflowObservationDroppedLogical", "LS");
                let source = leg.from.port.as_deref();
                fill_segment(&mut step, source.and_then(|port| self.segment(port)));
                // Nobody answers for the gateway.
                (step, "ARP_FAIL")
            }
            (None, None) => return,
        };
        self.steps.push(Observation { reason: Some(reason), ..step });
    }

    fn at_switch(&mut self, port: &str, resource_type: &'static str) {
        let mut step = self.step(resource_type, "LS");
        fill_segment(&mut step, self.segment(port));
        step.lport_id = Some(port.to_owned());
        step.lport_name = self.port_name(port);
        self.steps.push(step);
    }

    fn router(&self, router: &Hop, resource_type: &'static str) -> Observation {
        let mut step = self.step(resource_type, "LR");
        step.component_sub_type = match router.tier {
            RouterType::Tier0 => "LR_TIER0",
            RouterType::Tier1 => "LR_TIER1",
        };
        step.component_id = Some(router.router.clone());
        step.component_name.clone_from(&router.name);
        step
    }

    fn fill_filter(&self, step: &mut Observation, port: &str) {
        step.component_name = DFW.into();
        step.lport_id = Some(port.to_owned());
        step.lport_name = self.port_name(port);
    }

    /// A step on the host where the packet is.
    fn step(&self, resource_type: &'static str, component_type: &'static str) -> Observation {
        let mut step = Observation {
            resource_type,
            component_type,
            component_sub_type: "UNKNOWN",
            sequence_no: self.hops,
            timestamp: self.now,
            timestamp_micro: self.now.saturating_mul(1000),
            ..Observation::default()
        };
        if let Some(host) = self.host {
            step.transport_node_id.clone_from(&host.id);
            step.transport_node_name.clone_from(&host.display_name);
            step.transport_node_type = match host.system {
                Some(OsType::Esxi) => "ESX",
                Some(OsType::RhelKvm) => "RHELKVM",
                Some(OsType::UbuntuKvm) => "UBUNTUKVM",
                Some(OsType::HyperV) => "HYPERV",
                Some(_) => "OTHERS",
                None => "EDGE",
            };
        }
        step
    }

    fn port_name(&self, port: &str) -> Option<String> {
        let object = self.inventory.find(logical_port::KIND.name, port)?;
        Some(object.header.name().to_owned())
    }

    fn segment(&self, port: &str) -> Option<Segment> {
        let object = self.inventory.find(logical_port::KIND.name, port)?;
        let port = object.body::<LogicalPort>()?;
        let switch = self.inventory.find(logical_switch::KIND.name, &port.logical_switch_id)?;
        Some(Segment {
            id: switch.header.id.clone(),
            name: switch.header.name().to_owned(),
            vni: switch.body::<LogicalSwitch>().and_then(|own| own.vni),
        })
    }
}

fn last_router(journey: &Journey) -> Option<&Hop> {
    journey.legs.iter().rev().find_map(|leg| leg.routers.last())
}

fn fill_segment(step: &mut Observation, segment: Option<Segment>) {
    if let Some(Segment { id, name, vni }) = segment {
        step.component_id = Some(id);
        step.component_name = name;
        step.vni = vni;
    }
}
