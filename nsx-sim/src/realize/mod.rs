//! From objects to what the dataplane needs, in two lanes.
//!
//! The slow lane compiles the sections that changed, once somebody asks for a verdict, and puts their
//! rules in place of those before. The fast lane follows ports, tags, addresses and members: each
//! change moves a few members of address sets and scopes, and touches no rule. Rules name sets and
//! scopes; so a pod that comes, goes or is relabelled never recompiles anything.

mod catalog;
mod compile;
mod criteria;
mod gate;
mod membership;
mod node;
mod program;
mod stale;

pub use compile::service;
pub use criteria::TagMatching;
pub use gate::Gate;
pub use node::Node;

use crate::inventory::{Change, Inventory, Object, Write};
use crate::kinds::fabric::virtual_machine::{self, VirtualNetworkInterface};
use crate::kinds::firewall::exclude_list::ExcludeList;
use crate::kinds::firewall::{Enforcement, FirewallSection, exclude_list, order, section};
use crate::kinds::logical_port::{self, LogicalPort};
use crate::kinds::ns_group::{self, NSGroup};
use crate::kinds::reference::ResourceReference;
use catalog::Catalog;
use dataplane::{Dataplane, VnicId};
use gate::{EVERY_VNIC, GatePlan, Gates};
use hashbrown::HashMap;
use membership::Membership;
use program::{Program, Section};
use stale::Stale;
use std::sync::Arc;

/// What is realized of an inventory, up to the last change it was told of.
pub struct Realization {
    membership: Membership,
    catalog: Catalog,
    vnics: HashMap<Arc<str>, VnicId>,
    ports: HashMap<VnicId, Arc<str>>,
    /// Where rules of routers are to stand, and where they do.
    plan: GatePlan,
    gates: Gates,
    next_vnic: u32,
    program: Program,
    stale: Stale,
}

/// What a change means for single ports.
#[derive(Debug, Default)]
pub struct Moves {
    /// Ports that have a vNIC now, and did not before.
    pub bound: Vec<Arc<str>>,
    /// Ports whose vNIC is gone.
    pub unbound: Vec<Arc<str>>,
    /// Ports that came to or left the exclude list.
    pub exempted: Vec<Arc<str>>,
}

impl Realization {
    /// Nothing realized yet.
    pub fn new(tags: TagMatching) -> Self {
        Self {
            membership: Membership::default(),
            catalog: Catalog::new(tags),
            vnics: HashMap::new(),
            ports: HashMap::new(),
            plan: GatePlan::default(),
            gates: Gates::new(),
            next_vnic: 0,
            program: Program::default(),
            stale: Stale::everything(),
        }
    }

    /// Follows a change of the inventory; to be called for every change, in order.
    pub fn apply(
        &mut self,
        inventory: &Inventory,
        change: &Change,
        plane: &mut Dataplane,
    ) -> Moves {
        let mut moved = Moves::default();
        for write in &change.writes {
            self.follow(inventory, write, plane, &mut moved);
        }
        moved.exempted = self.membership.take_exempted();
        moved
    }

    /// Brings the dataplane's rules up to date.
    pub fn compile(&mut self, inventory: &Inventory, plane: &mut Dataplane) {
        let mut stale = std::mem::take(&mut self.stale);
        if !stale.is_any() {
            return;
        }
        if stale.sections.iter().any(|id| self.concerns_routers(inventory, id)) {
            stale = Stale::everything();
        }
        let order = if stale.order { order::ids(inventory) } else { self.program.ids() };
        if stale.everything {
            self.place_gates(inventory, plane);
            stale.sections.extend(order.iter().cloned());
        }
        let compiled = stale.sections.into_iter().filter_map(|id| {
            let section = self.compile_section(inventory, &id, plane)?;
            Some((id, section))
        });
        let compiled = compiled.collect();
        let (replacement, gone) = self.program.change(&order, compiled);
        if !plane.replace(&replacement) {
            plane.load(self.program.rules());
        }
        for node in gone.into_iter().flat_map(|section| section.named) {
            self.membership.give_back(node);
        }
        self.membership.forget_unused(plane);
    }

    /// Whether a section stands at routers, or did.
    fn concerns_routers(&self, inventory: &Inventory, id: &str) -> bool {
        let now = inventory.find(section::KIND.name, id);
        let now = now.as_deref().and_then(Object::body::<FirewallSection>);
        self.program.section(id).is_some_and(|section| section.on_routers)
            || now.is_some_and(|section| section.enforcement() == Enforcement::Routers)
    }

    /// Finds out anew where rules of routers stand.
    fn place_gates(&mut self, inventory: &Inventory, plane: &mut Dataplane) {
        let before = std::mem::replace(&mut self.plan, GatePlan::of(inventory));
        let mut gates = Gates::new();
        for gate in self.plan.all(inventory) {
            let known = self.gates.remove(&gate);
            let vnic = known.unwrap_or_else(|| {
                self.next_vnic += 1;
                VnicId(self.next_vnic - 1)
            });
            plane.add_vnic(vnic);
            gates.insert(gate, vnic);
        }
        for gone in std::mem::replace(&mut self.gates, gates).values() {
            plane.remove_vnic(*gone);
        }
        if self.plan.stands() && !before.stands() {
            for vnic in self.vnics.values() {
                plane.join(EVERY_VNIC, *vnic);
            }
        } else if !self.plan.stands() && before.stands() {
            plane.drop_scope(EVERY_VNIC);
        }
    }

    /// A section's rules, which hold the sets and scopes that they name.
    fn compile_section(
        &mut self,
        inventory: &Inventory,
        id: &Arc<str>,
        plane: &mut Dataplane,
    ) -> Option<Section> {
        let object = inventory.find(section::KIND.name, id)?;
        let body = object.body::<FirewallSection>()?;
        let mut named = Vec::new();
        let mut watch = |node: &Node| {
            named.push(node.clone());
            self.membership.watch(node, &self.vnics, plane)
        };
        let rules = compile::rules(inventory, body, &self.plan, &self.gates, &mut watch);
        named.sort_unstable();
        named.dedup();
        for node in &mut named {
            self.membership.hold(node);
            *node = self.membership.known(node);
        }
        named.shrink_to_fit();
        let on_routers = body.enforcement() == Enforcement::Routers;
        Some(Section { id: Arc::clone(id), rules, named, on_routers })
    }

    /// Whether rules changed since they were last compiled.
    pub fn is_stale(&self) -> bool {
        self.stale.is_any()
    }

    /// The vNIC of a port, where it has one.
    pub fn vnic(&self, port: &str) -> Option<VnicId> {
        self.vnics.get(port).copied()
    }

    /// A port's id as everything that has to do with its vNIC keeps it.
    pub fn shared_id(&self, port: &str) -> Arc<str> {
        let known = self.vnics.get_key_value(port);
        known.map_or_else(|| port.into(), |(port, _)| Arc::clone(port))
    }

    /// The port of a vNIC.
    pub fn port(&self, vnic: VnicId) -> Option<&str> {
        self.ports.get(&vnic).map(|port| &**port)
    }

    /// Where rules of routers stand.
    pub fn gates(&self) -> impl Iterator<Item = (&Gate, VnicId)> {
        self.gates.iter().map(|(gate, vnic)| (gate, *vnic))
    }

    /// The gate that stands at a port of a router; where no rule is applied to the port itself, that
    /// of the router, which stands where its services are.
    pub fn gate(&self, router: &str, port: &str, services: bool) -> Option<VnicId> {
        if self.gates.is_empty() {
            return None;
        }
        let gate = Gate { router: router.into(), port: Some(port.into()) };
        let all = Gate { port: None, ..gate.clone() };
        let own = self.gates.get(&gate);
        own.or_else(|| self.gates.get(&all).filter(|_| services)).copied()
    }

    /// Whether the exclude list holds a port or switch, however it came there.
    pub fn excludes(&self, node: &Node) -> bool {
        self.membership.holds(&Node::Excluded, node)
    }

    /// What belongs to a group in the end: ports, switches, sets and so on, however deep, in order.
    pub fn effective<'a>(&'a self, group: &str) -> impl Iterator<Item = &'a Node> + use<'a> {
        self.membership.effective(&Node::group(group))
    }

    /// What holds a node, directly or through others: groups, its switch, the exclude list.
    pub fn holders(&self, node: &Node) -> Vec<&Node> {
        self.membership.holders(node)
    }

    /// What holds a node as a direct member.
    pub fn direct_holders(&self, node: &Node) -> Vec<&Node> {
        self.membership.direct_holders(node)
    }

    /// The members that the dataplane gets of a node: addresses of a port, elements of a set.
    pub fn addresses(&self, node: &Node) -> &[dataplane::Member] {
        self.membership.addresses(node)
    }

    fn follow(
        &mut self,
        inventory: &Inventory,
        write: &Write,
        plane: &mut Dataplane,
        moved: &mut Moves,
    ) {
        let kind = write.kind.name;
        self.stale.follow(inventory, write, self.plan.stands());
        if kind == exclude_list::KIND.name {
            let members = write.after.as_deref().and_then(Object::body::<ExcludeList>);
            let members = members.iter().flat_map(|list| list.members.iter());
            let wanted = members
                .filter_map(ResourceReference::object)
                .filter_map(|named| Node::of(&named.kind, &named.id))
                .collect();
            self.membership.set_direct(&Node::Excluded, &wanted, &self.vnics, plane);
            return;
        }
        let Some(node) = Node::of(kind, &write.id) else { return };
        let gone = write.after.is_none();
        if gone && let Node::Port(port) = &node {
            self.unbind(port, plane, moved);
        }
        let addresses = write.after.as_deref().map(node::addresses).unwrap_or_default();
        self.membership.set_addresses(&node, &addresses, plane);
        match &node {
            Node::Port(port) => {
                self.follow_port(port, write, plane, moved);
                self.follow_attachment(inventory, &node, write, plane);
            }
            Node::Interface(_) => self.follow_interface(inventory, &node, write, plane),
            _ => {}
        }
        for (group, belongs) in self.catalog.follow(inventory, write, &node) {
            self.membership.set_member(&group, &node, belongs, &self.vnics, plane);
        }
        if kind == ns_group::KIND.name {
            let group = write.after.as_deref().and_then(Object::body::<NSGroup>);
            let wanted = self.catalog.follow_group(inventory, &node, group);
            self.membership.set_direct(&node, &wanted, &self.vnics, plane);
        }
        if gone {
            self.membership.leave_all(&node, &self.vnics, plane);
        }
    }

    /// A port belongs to its switch, and has a vNIC while a VIF is attached; another VIF, or the same
    /// container's behind another node, is another vNIC with no connections yet.
    fn follow_port(
        &mut self,
        port: &Arc<str>,
        write: &Write,
        plane: &mut Dataplane,
        moved: &mut Moves,
    ) {
        let after = write.after.as_deref().and_then(Object::body::<LogicalPort>);
        let Some(after) = after else { return };
        let switch = Node::switch(&after.logical_switch_id);
        self.membership.set_member(&switch, &Node::Port(port.clone()), true, &self.vnics, plane);
        let before = write.before.as_deref().and_then(Object::body::<LogicalPort>);
        if before.is_some_and(|before| before.vif() != after.vif()) {
            self.unbind(port, plane, moved);
        }
        if after.has_vif() && !self.vnics.contains_key(port) {
            let vnic = VnicId(self.next_vnic);
            self.next_vnic += 1;
            self.vnics.insert(port.clone(), vnic);
            self.ports.insert(vnic, port.clone());
            plane.add_vnic(vnic);
            if self.plan.stands() {
                plane.join(EVERY_VNIC, vnic);
            }
            self.membership.join_all(port, vnic, plane);
            moved.bound.push(port.clone());
        }
    }

    /// A port belongs to the interface that is attached to it.
    fn follow_attachment(
        &mut self,
        inventory: &Inventory,
        port: &Node,
        write: &Write,
        plane: &mut Dataplane,
    ) {
        let attached = |object: &Option<Arc<Object>>| {
            let port = object.as_deref().and_then(Object::body::<LogicalPort>);
            port.and_then(LogicalPort::vif).map(|(vif, _)| vif.to_owned())
        };
        let (before, after) = (attached(&write.before), attached(&write.after));
        if before == after {
            return;
        }
        for (vif, belongs) in [(before, false), (after, true)] {
            let vif = vif.unwrap_or_default();
            for interface in inventory.by_key(virtual_machine::BY_ATTACHMENT, &vif) {
                let interface = Node::interface(&interface.header.id);
                self.membership.set_member(&interface, port, belongs, &self.vnics, plane);
            }
        }
    }

    /// An interface belongs to its machine, and holds the port that it is attached to.
    fn follow_interface(
        &mut self,
        inventory: &Inventory,
        node: &Node,
        write: &Write,
        plane: &mut Dataplane,
    ) {
        let body = write.after.as_deref().and_then(Object::body::<VirtualNetworkInterface>);
        if let Some(body) = body {
            let machine = Node::Machine(body.owner_vm_id.as_str().into());
            self.membership.set_member(&machine, node, true, &self.vnics, plane);
        }
        let vif = body.and_then(|body| body.lport_attachment_id.as_deref());
        let ports = vif.map(|vif| inventory.by_key(logical_port::BY_ATTACHMENT, vif));
        let attached = |port: &Arc<Object>| {
            let own = port.body::<LogicalPort>().and_then(LogicalPort::vif);
            own.is_some().then(|| Node::port(&port.header.id))
        };
        let ports = ports.iter().flatten().filter_map(attached).collect();
        self.membership.set_direct(node, &ports, &self.vnics, plane);
    }

    fn unbind(&mut self, port: &Arc<str>, plane: &mut Dataplane, moved: &mut Moves) {
        if let Some(vnic) = self.vnics.remove(port) {
            self.ports.remove(&vnic);
            plane.remove_vnic(vnic);
            moved.unbound.push(port.clone());
        }
    }
}
