//! Which answers of the base do not count any more.

use super::sieve::{Map, mark, marked};

/// Says of ranks whether they are to be passed over.
pub(in crate::engine::tuple) trait Skip: Copy {
    /// Whether there are any at all, so that searches without need not ask.
    const ANY: bool;

    /// Whether this one is.
    fn skips(self, rank: u32) -> bool;
}

/// Passes over nothing.
#[derive(Clone, Copy)]
pub(in crate::engine::tuple) struct All;

impl Skip for All {
    const ANY: bool = false;

    fn skips(self, _: u32) -> bool {
        false
    }
}

/// Ranks of rules that were removed, or took another shape or place.
#[derive(Clone, Debug)]
pub(in crate::engine::tuple) struct Gone {
    /// By the lowest bits of a rank (ranks are dense, so these spread them well): whether any such rank
    /// is gone.
    pub(super) map: Map,
    /// Ascending.
    ranks: Vec<u32>,
}

impl Default for Gone {
    fn default() -> Self {
        Self { map: [0; _], ranks: Vec::new() }
    }
}

impl Gone {
    pub(super) fn len(&self) -> usize {
        self.ranks.len()
    }

    pub(super) fn insert(&mut self, rank: u32) {
        if let Err(at) = self.ranks.binary_search(&rank) {
            self.ranks.insert(at, rank);
            mark(&mut self.map, rank);
        }
    }

    pub(super) fn holds(&self, rank: u32) -> bool {
        marked(&self.map, rank) && self.ranks.binary_search(&rank).is_ok()
    }
}

impl Skip for &Gone {
    const ANY: bool = true;

    fn skips(self, rank: u32) -> bool {
        self.holds(rank)
    }
}
