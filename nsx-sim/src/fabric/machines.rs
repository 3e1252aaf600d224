//! The hosts and edges that there are now: those of the topology, and those that callers made.

use super::machine::{Labels, Machine};
use crate::inventory::{Change, Inventory, Object};
use crate::kinds::fabric::{host_switch_profile, node, transport_node};
use std::collections::HashMap;

/// Hosts and edges in the order in which they came; a place is never given twice.
#[derive(Debug, Default)]
pub struct Machines {
    places: Vec<Option<Machine>>,
    by_id: HashMap<String, usize>,
    /// The place after the one that was last taken for a port.
    next: usize,
    labels: Labels,
}

/// What a change did to hosts.
#[derive(Debug, Default)]
pub struct Moved {
    /// The places of machines that are gone.
    pub left: Vec<usize>,
    /// Whether machines came or changed.
    pub came: bool,
}

impl Machines {
    /// Follows a change.
    pub fn follow(&mut self, inventory: &Inventory, change: &Change) -> Moved {
        let mut moved = Moved::default();
        for write in &change.writes {
            if write.kind.name == transport_node::KIND.name {
                match &write.after {
                    Some(object) => self.put(inventory, object, &mut moved),
                    None => self.remove(&write.id, &mut moved),
                }
            } else if write.kind.name == node::KIND.name {
                // It may be gone, or not be a transport node yet.
                if let Some(object) = transport_node::of_node(inventory, &write.id) {
                    self.put(inventory, &object, &mut moved);
                }
            } else if write.kind.name == host_switch_profile::KIND.name && write.before.is_some() {
                for object in inventory.all(transport_node::KIND.name) {
                    self.put(inventory, &object, &mut moved);
                }
            }
        }
        moved
    }

    fn put(&mut self, inventory: &Inventory, object: &Object, moved: &mut Moved) {
        let id = &object.header.id;
        let place = self.by_id.get(id).copied();
        let known = place.and_then(|place| self.places[place].as_ref());
        let machine = Machine::read(object, inventory, known, &mut self.labels);
        let place = place.unwrap_or_else(|| {
            self.places.push(None);
            self.by_id.insert(id.clone(), self.places.len() - 1);
            self.places.len() - 1
        });
        self.places[place] = machine;
        moved.came = true;
    }

    fn remove(&mut self, id: &str, moved: &mut Moved) {
        if let Some(place) = self.by_id.remove(id) {
            self.places[place] = None;
            moved.left.push(place);
        }
    }

    /// The machine at a place.
    pub fn at(&self, place: usize) -> Option<&Machine> {
        self.places.get(place)?.as_ref()
    }

    /// The place of a machine.
    pub fn place(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// A machine by its transport node's id.
    pub fn get(&self, id: &str) -> Option<&Machine> {
        self.at(self.place(id)?)
    }

    /// All of them, in the order in which they came.
    pub fn all(&self) -> impl Iterator<Item = &Machine> {
        self.places.iter().flatten()
    }

    /// Those that guests are on.
    pub fn hosts(&self) -> impl Iterator<Item = &Machine> {
        self.all().filter(|own| !own.is_edge())
    }

    /// The host for a port that nobody places, going round: one that carries the zone and is in
    /// service; where there is none, any host (docs/fidelity.md).
    pub fn pick(&mut self, zone: Option<&str>) -> Option<usize> {
        let fits =
            |own: &Machine| !own.in_maintenance && zone.is_some_and(|zone| own.carries(zone));
        let place = self.round(fits).or_else(|| self.round(|own| !own.is_edge()))?;
        self.next = place + 1;
        Some(place)
    }

    fn round(&self, fits: impl Fn(&Machine) -> bool) -> Option<usize> {
        let (before, after) = self.places.split_at(self.next.min(self.places.len()));
        let found =
            |part: &[Option<Machine>]| part.iter().position(|own| own.as_ref().is_some_and(&fits));
        found(after).map(|place| place + before.len()).or_else(|| found(before))
    }
}
