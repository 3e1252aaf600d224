//! Which host a port is on, and what follows from that.

use super::{Fabric, Machine};
use crate::inventory::{Change, Inventory, Object};
use crate::kinds::fabric::virtual_machine::{self, VirtualNetworkInterface};
use crate::kinds::firewall::status::{self, Context, FirewallStatus, Switch};
use crate::kinds::logical_port::{self, LogicalPort};
use crate::kinds::logical_switch::{self, LogicalSwitch};
use crate::realize::Node;
use std::collections::HashSet;
use std::sync::Arc;

impl Fabric {
    /// The placed ports of machines' interfaces that a change made or moved.
    pub(super) fn attached_anew(&self, inventory: &Inventory, change: &Change) -> Vec<Arc<str>> {
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
        self.machines.place(&host.host_id)
    }

    /// A machine's port is where the machine is, and a container's where its node's port is,
    /// whichever came first; all others go round the hosts in turn.
    pub(super) fn place(&mut self, inventory: &Inventory, port: &Arc<str>) {
        let object = inventory.find(logical_port::KIND.name, port);
        let vif =
            object.as_deref().and_then(Object::body::<LogicalPort>).and_then(LogicalPort::vif);
        let parents = vif
            .and_then(|(_, parent)| parent)
            .map(|parent| inventory.by_key(logical_port::BY_ATTACHMENT, parent));
        let with_parent = parents
            .iter()
            .flatten()
            .find_map(|parent| self.hosts.get(parent.header.id.as_str()).copied().flatten());
        let with_machine = vif.and_then(|(vif, _)| self.host_of_vif(inventory, vif));
        let known = self.hosts.get(port).copied().flatten();
        let known = known.filter(|place| self.machines.at(*place).is_some());
        let host = with_machine.or(with_parent).or(known).or_else(|| {
            let zone = object.as_deref().and_then(|port| zone_of(inventory, port));
            self.machines.pick(zone.as_deref())
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

    /// Follows hosts that come, change and go: ports whose host is gone, or that had none, go
    /// elsewhere.
    pub(super) fn follow_machines(&mut self, inventory: &Inventory, change: &Change) {
        let homeless = self.machines.hosts().next().is_none();
        let moved = self.machines.follow(inventory, change);
        if moved.left.is_empty() && !moved.came {
            return;
        }
        if homeless || !moved.left.is_empty() {
            let lost = |place: &Option<usize>| place.is_none_or(|own| moved.left.contains(&own));
            let ports = self.hosts.iter().filter(|(_, place)| lost(place));
            let ports: Vec<Arc<str>> = ports.map(|(port, _)| Arc::clone(port)).collect();
            for port in ports {
                self.place(inventory, &port);
                self.refresh_exemption(&port);
            }
        }
        for place in moved.left {
            self.meter.forget_machine(place);
        }
        self.follow_status(inventory);
    }

    /// Follows which hosts' firewall is switched off.
    pub(super) fn follow_status(&mut self, inventory: &Inventory) {
        let status = inventory.find(status::KIND.name, Context::TransportNodes.word());
        let Some(status) = status.as_deref().and_then(Object::body::<FirewallStatus>) else {
            return;
        };
        let off = |host: &&Machine| status.of_target(&host.id) == Switch::Disabled;
        let unguarded: HashSet<String> =
            self.machines.hosts().filter(off).map(|host| host.id.clone()).collect();
        if unguarded == self.unguarded {
            return;
        }
        self.unguarded = unguarded;
        let ports: Vec<Arc<str>> = self.hosts.keys().cloned().collect();
        for port in ports {
            self.refresh_exemption(&port);
        }
    }

    /// A port has no rules while it is excluded, its host's firewall is off, or there is no host.
    pub(super) fn refresh_exemption(&mut self, port: &str) {
        if let Some(vnic) = self.realization.vnic(port) {
            let on = self.host(port).is_some_and(|host| !self.unguarded.contains(&host.id));
            self.plane.set_vnic_enabled(vnic, on);
            self.plane.exclude(vnic, self.realization.excludes(&Node::port(port)));
        }
    }
}

/// The zone of a port's switch.
fn zone_of(inventory: &Inventory, port: &Object) -> Option<String> {
    let switch = &port.body::<LogicalPort>()?.logical_switch_id;
    let switch = inventory.find(logical_switch::KIND.name, switch)?;
    Some(switch.body::<LogicalSwitch>()?.transport_zone_id.clone())
}
