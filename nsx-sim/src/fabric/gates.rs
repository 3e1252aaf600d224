//! Routers' firewalls, and all the filters that a packet crosses.

use super::{Fabric, Leg};
use crate::inventory::{Inventory, Object};
use crate::kinds::firewall::status::{self, Context, FirewallStatus, Switch};
use crate::realize::Gate;
use dataplane::{Direction, Explanation, Outcome, Packet, Path, Time, Transit, Verdict, VnicId};

/// What became of a packet on a leg.
#[derive(Clone, Debug)]
pub struct Carried {
    /// What the sender's filter said.
    pub outbound: Option<Verdict>,
    /// What filters of routers said, in order.
    pub at_routers: Vec<Verdict>,
    /// What the receiver's filter said, where it came that far.
    pub inbound: Option<Verdict>,
    /// The end of it.
    pub outcome: Outcome,
}

impl Carried {
    pub(super) fn of(transit: &Transit) -> Self {
        let Transit { outbound, inbound, outcome } = *transit;
        Self { outbound, at_routers: Vec::new(), inbound, outcome }
    }

    /// Whether the packet came as far as the receiver's filter.
    pub(super) fn comes_to_the_end(&self) -> bool {
        self.outbound.iter().chain(&self.at_routers).all(Verdict::allows)
    }

    /// Whether the packet came to the end of the leg.
    pub fn delivered(&self) -> bool {
        matches!(self.outcome, Outcome::Delivered)
    }

    /// All verdicts, in order.
    pub fn verdicts(&self) -> impl Iterator<Item = Verdict> + '_ {
        self.outbound.into_iter().chain(self.at_routers.iter().copied()).chain(self.inbound)
    }
}

impl Fabric {
    /// Judges a packet at a filter and tells every rule considered; changes nothing.
    pub fn explain(&self, filter: VnicId, direction: Direction, packet: &Packet) -> Explanation {
        self.plane.explain(filter, direction, packet)
    }

    /// The filters that a packet crosses on a leg, each with the packet as it sees it.
    pub fn filters<'a>(&'a self, leg: &'a Leg) -> Vec<(VnicId, Direction, &'a Packet)> {
        let own = |direction| {
            let vnic = self.realization.vnic(leg.filter(direction)?)?;
            Some((vnic, direction, leg.packet(direction)))
        };
        let gates = leg.routers.iter().flat_map(|router| &router.gates);
        let gates = gates.map(|own| (own.gate, own.direction, &own.packet));
        own(Direction::Out).into_iter().chain(gates).chain(own(Direction::In)).collect()
    }

    /// The router that a filter stands at, if it stands at one.
    pub fn gate_of(&self, filter: VnicId) -> Option<&Gate> {
        self.realization.gates().find(|(_, own)| *own == filter).map(|(gate, _)| gate)
    }

    pub(super) fn gate(&self, router: &str, port: &str, services: bool) -> Option<VnicId> {
        self.realization.gate(router, port, services)
    }

    /// Sends a packet past the filters of a leg's routers: what they said, and where it was kept,
    /// if so: by which router, and how.
    pub(super) fn pass_gates(
        &mut self,
        now: Time,
        leg: &Leg,
    ) -> (Vec<Verdict>, Option<(usize, Outcome)>) {
        let mut verdicts = Vec::new();
        for (place, router) in leg.routers.iter().enumerate() {
            for own in &router.gates {
                let path = match own.direction {
                    Direction::Out => Path { from: Some(own.gate), to: None },
                    Direction::In => Path { from: None, to: Some(own.gate) },
                };
                let transit = self.plane.transit(now, path, &own.packet);
                verdicts.extend(transit.outbound.or(transit.inbound));
                if !transit.delivered() {
                    return (verdicts, Some((place, transit.outcome)));
                }
            }
        }
        (verdicts, None)
    }

    /// Brings the dataplane's rules up to date.
    pub fn compile(&mut self, inventory: &Inventory) {
        if self.realization.is_stale() {
            self.realization.compile(inventory, &mut self.plane);
            self.switch_gates(inventory);
        }
    }

    /// A router's filters have no rules while its firewall is off.
    pub(super) fn switch_gates(&mut self, inventory: &Inventory) {
        let status = inventory.find(status::KIND.name, Context::LogicalRouters.word());
        let Some(status) = status.as_deref().and_then(Object::body::<FirewallStatus>) else {
            return;
        };
        for (gate, filter) in self.realization.gates() {
            self.plane.set_vnic_enabled(filter, status.of_target(&gate.router) != Switch::Disabled);
        }
    }
}
