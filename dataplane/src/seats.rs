//! What packets of each vNIC meet in the index of rules: kept by vNIC, for batches to look up.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::engine::Mask;
use crate::filter::Filter;
use crate::{AppliedTo, Dataplane, Rule, ScopeId, VnicId};

/// Names below this are low.
const LOW: u32 = 1 << 20;

/// The seat of nobody.
const NONE: u32 = u32::MAX;

/// Seats, which are classes of vNICs in the index of rules, and who is in each scope. A vNIC that is exempt,
/// or whose list is searched by itself, has no seat.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seats {
    /// Those of vNICs whose names are low, by name: a look at a table, where names are given in turn.
    low: Vec<u32>,
    /// All others.
    high: FxHashMap<VnicId, u32>,
    scopes: FxHashMap<ScopeId, FxHashSet<VnicId>>,
}

impl Seats {
    #[inline]
    pub(crate) fn of(&self, vnic: VnicId) -> Option<u32> {
        match self.low.get(vnic.0 as usize) {
            Some(seat) => Some(*seat).filter(|seat| *seat != NONE),
            None => self.high.get(&vnic).copied(),
        }
    }

    fn set(&mut self, vnic: VnicId, seat: Option<u32>) {
        let at = vnic.0 as usize;
        if at >= self.low.len() && seat.is_some() && vnic.0 < LOW {
            self.low.resize(at + 1, NONE);
        }
        match (self.low.get_mut(at), seat) {
            (Some(own), seat) => *own = seat.unwrap_or(NONE),
            (None, Some(seat)) => {
                self.high.insert(vnic, seat);
            }
            (None, None) => {
                self.high.remove(&vnic);
            }
        }
    }

    /// The vNICs in a scope.
    pub(crate) fn within(&self, scope: ScopeId) -> impl Iterator<Item = VnicId> {
        self.scopes.get(&scope).into_iter().flatten().copied()
    }

    /// Follows a vNIC into a scope or out of it.
    pub(crate) fn follow(&mut self, scope: ScopeId, vnic: VnicId, joined: bool) {
        if joined {
            self.scopes.entry(scope).or_default().insert(vnic);
        } else if let Some(within) = self.scopes.get_mut(&scope) {
            within.remove(&vnic);
            if within.is_empty() {
                self.scopes.remove(&scope);
            }
        }
    }

    /// Forgets a vNIC that goes.
    pub(crate) fn forget(&mut self, filter: &Filter) {
        self.set(filter.vnic, None);
        for scope in &filter.scopes {
            self.follow(*scope, filter.vnic, false);
        }
    }
}

impl Dataplane {
    /// Gives a vNIC its seat anew.
    pub(crate) fn seat(&mut self, vnic: VnicId) {
        let filter = self.filters.get(&vnic);
        self.seats.set(vnic, filter.and_then(seat_of));
        if let (Some(filter), Some(index)) = (filter, self.lists.index_mut()) {
            index.late_mut().may_stand_on(vnic, |applied_to| filter.holds(applied_to));
        }
    }

    /// Gives all vNICs their seats anew, after a load: no rule is late.
    pub(crate) fn seat_all(&mut self) {
        for filter in self.filters.values() {
            self.seats.set(filter.vnic, seat_of(filter));
        }
    }

    /// Tells a late rule the vNICs that it stands on, unless it stands on every one.
    pub(crate) fn tell_late(&mut self, rule: &Rule, own: Mask) {
        let AppliedTo::OneOf { scopes, vnics } = &rule.applied_to else { return };
        let within = scopes.iter().flat_map(|scope| self.seats.within(*scope));
        if let Some(index) = self.lists.index_mut() {
            index.late_mut().stands_on(own, within.chain(vnics.iter().copied()));
        }
    }
}

/// A vNIC's seat as it should be.
fn seat_of(filter: &Filter) -> Option<u32> {
    filter.class.filter(|_| filter.exemption(true).is_none())
}
