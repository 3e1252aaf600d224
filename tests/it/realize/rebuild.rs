//! A fabric that knows nothing of how the inventory came to its state.

use nsx_sim::fabric::Fabric;
use nsx_sim::inventory::{Change, Object, Write};
use nsx_sim::kinds::KINDS;
use nsx_sim::realize::TagMatching;
use nsx_sim::world::World;
use std::collections::BTreeMap;
use std::sync::Arc;

/// All objects of a world by place of the kind and by id.
#[derive(Default)]
pub(super) struct Objects(BTreeMap<(usize, String), Arc<Object>>);

impl Objects {
    /// Those of a world as it is.
    pub(super) fn of(world: &World) -> Self {
        let all = KINDS.iter().enumerate().flat_map(|(place, kind)| {
            let objects = world.inventory.all(kind.name).into_iter();
            objects.map(move |object| ((place, object.header.id.clone()), object))
        });
        Self(all.collect())
    }

    /// What happened since an earlier state, as one change.
    pub(super) fn since(&self, earlier: &Self) -> Change {
        let write = |place: &(usize, String)| {
            let (before, after) = (earlier.0.get(place).cloned(), self.0.get(place).cloned());
            let same = match (&before, &after) {
                (Some(before), Some(after)) => Arc::ptr_eq(before, after),
                _ => false,
            };
            let write = Write { kind: KINDS[place.0], id: place.1.clone(), before, after };
            (!same).then_some(write)
        };
        let gone = earlier.0.keys().filter(|place| !self.0.contains_key(place));
        Change { generation: 1, writes: self.0.keys().chain(gone).filter_map(write).collect() }
    }
}

/// A fabric that is told of all objects at once, in the order of kinds or against it, and compiles
/// the rules then.
pub(super) fn from_scratch(world: &World, backwards: bool) -> Fabric {
    let topology = world.fabric().topology().clone();
    let config = dataplane::Config::default();
    let mut fabric = Fabric::new(topology, TagMatching::default(), config);
    let mut change = Objects::of(world).since(&Objects::default());
    if backwards {
        change.writes.reverse();
    }
    fabric.apply(&world.inventory, &change);
    fabric.compile(&world.inventory);
    fabric
}
