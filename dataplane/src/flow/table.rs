//! The flows of one filter.

use ahash::RandomState;
use hashbrown::HashTable;

use super::paged::Paged;
use super::wheel::Wheel;
use super::{Flow, FlowKey, FlowView};
use crate::{RuleId, Time, VnicId};

/// The most flows of a table, whatever its limit: slots and marks share 32 bits.
const MOST: usize = (1 << 31) - 1;

/// The flows of one filter, found by key, and by time where that has run out.
///
/// Flows lie dense in pages; an index holds their slots by a keyed hash, so that nobody who does
/// not know the seed can choose packets that collide. A table without flows holds no memory.
#[derive(Clone, Debug)]
pub(crate) struct FlowTable {
    flows: Paged<Flow>,
    index: HashTable<u32>,
    wheel: Wheel,
    hasher: RandomState,
    /// The generation before that of epoch 1.
    epoch_base: u64,
}

impl FlowTable {
    /// An empty table.
    pub(crate) fn new(hasher: RandomState) -> Self {
        Self {
            flows: Paged::default(),
            index: HashTable::new(),
            wheel: Wheel::default(),
            hasher,
            epoch_base: 0,
        }
    }

    /// Whether a table of this limit holds all the flows that it may.
    pub(crate) fn is_full(&self, limit: usize) -> bool {
        self.flows.len() as usize >= limit.min(MOST)
    }

    /// The name of a generation of rules in flows of this table, never 0. Half the generation's
    /// size; once in four thousand million changes all flows are marked as due to be judged again.
    pub(crate) fn epoch(&mut self, generation: u64) -> u32 {
        let since = generation.wrapping_sub(self.epoch_base).wrapping_add(1);
        match u32::try_from(since) {
            Ok(epoch) if epoch != 0 => epoch,
            _ => {
                self.flows.iter_mut().for_each(|flow| flow.epoch = 0);
                self.epoch_base = generation;
                1
            }
        }
    }

    /// The slot of a conversation's flow. It holds until a flow is taken out.
    pub(crate) fn find(&self, key: &FlowKey) -> Option<u32> {
        let is_it = |slot: &u32| self.flows.get(*slot).is_some_and(|flow| flow.key == *key);
        self.index.find(self.hasher.hash_one(key), is_it).copied()
    }

    /// The flow in a slot.
    pub(crate) fn get(&self, slot: u32) -> Option<&Flow> {
        self.flows.get(slot)
    }

    /// Puts a flow in whose conversation has none yet.
    pub(crate) fn insert(&mut self, flow: Flow) {
        let (slot, hash) = (self.flows.len(), self.hasher.hash_one(flow.key));
        self.flows.push(flow);
        self.wheel.push(flow.expires.0);
        let (flows, hasher) = (&self.flows, &self.hasher);
        let hash_of = |slot: &u32| flows.get(*slot).map_or(0, |flow| hasher.hash_one(flow.key));
        self.index.insert_unique(hash, slot, hash_of);
    }

    /// Changes a flow in place.
    pub(crate) fn update(&mut self, slot: u32, change: impl FnOnce(&mut Flow)) {
        let Some(flow) = self.flows.get_mut(slot) else { return };
        let before = flow.expires;
        change(flow);
        let expires = flow.expires;
        if expires < before {
            self.wheel.set(slot, expires.0);
        }
    }

    /// Takes a flow out.
    pub(crate) fn remove(&mut self, slot: u32) -> Option<Flow> {
        let (removed, last) = (*self.flows.get(slot)?, self.flows.len().saturating_sub(1));
        let moved = *self.flows.get(last)?;
        let hash = self.hasher.hash_one(removed.key);
        if let Ok(entry) = self.index.find_entry(hash, |own| *own == slot) {
            entry.remove();
        }
        if let Some(own) = self.index.find_mut(self.hasher.hash_one(moved.key), |own| *own == last)
        {
            *own = slot;
        }
        self.wheel.swap_remove(slot);
        self.flows.swap_remove(slot);
        if self.flows.len() == 0 {
            (self.index, self.wheel) = (HashTable::new(), Wheel::default());
        }
        Some(removed)
    }

    /// Takes out one flow whose timer has run down, if there is any.
    pub(crate) fn take_expired(&mut self, now: Time) -> Option<Flow> {
        let flows = &self.flows;
        let deadline = |slot| flows.get(slot).map_or(0, |flow| flow.expires.0);
        let slot = self.wheel.due(now.0, deadline)?;
        self.remove(slot)
    }

    /// Takes out the flows whose timer has run down, in order of their keys.
    pub(crate) fn take_all_expired(&mut self, vnic: VnicId, now: Time) -> Vec<FlowView> {
        let ended = std::iter::from_fn(|| self.take_expired(now)).collect();
        in_order(ended, vnic)
    }

    /// The admitting rule of every flow.
    pub(crate) fn rules(&self) -> impl Iterator<Item = RuleId> {
        self.flows.iter().map(|flow| flow.rule)
    }

    /// All flows in order of their keys, expired ones included that nobody has met since.
    pub(crate) fn views(&self, vnic: VnicId) -> impl Iterator<Item = FlowView> + use<> {
        in_order(self.flows.iter().copied().collect(), vnic).into_iter()
    }
}

/// A keyed hash with a key made from a seed.
pub(crate) fn hasher(seed: u64) -> RandomState {
    // Any four words that differ from seed to seed; the hash mixes them.
    let [one, two, three, four] = [1, 2, 3, 4].map(|n: u64| seed.wrapping_mul(2 * n + 1) ^ n);
    RandomState::with_seeds(one, two, three, four)
}

fn in_order(mut flows: Vec<Flow>, vnic: VnicId) -> Vec<FlowView> {
    flows.sort_unstable_by_key(|flow| flow.key);
    flows.iter().map(|flow| flow.view(vnic)).collect()
}
