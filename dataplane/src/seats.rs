//! What packets of each vNIC meet in the index of rules: kept by vNIC, for batches to look up.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::engine::{Index, Mask};
use crate::filter::Filter;
use crate::{AppliedTo, Dataplane, Rule, ScopeId, VnicId};

/// Names below this are low.
const LOW: u32 = 1 << 20;

/// A vNIC's place in the index of rules.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seat {
    /// Its class.
    pub(crate) class: u32,
    /// The late rules that stand on it, but not on every vNIC.
    pub(crate) late: Mask,
}

/// Seats, and who is in each scope. A vNIC that is exempt, or whose list is searched by itself, has no
/// seat.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seats {
    /// Those of vNICs whose names are low, by name: a look at a table, where names are given in turn.
    low: Vec<Option<Seat>>,
    /// All others.
    high: FxHashMap<VnicId, Seat>,
    scopes: FxHashMap<ScopeId, FxHashSet<VnicId>>,
}

impl Seats {
    #[inline]
    pub(crate) fn of(&self, vnic: VnicId) -> Option<Seat> {
        match self.low.get(vnic.0 as usize) {
            Some(seat) => *seat,
            None => self.high.get(&vnic).copied(),
        }
    }

    fn get_mut(&mut self, vnic: VnicId) -> Option<&mut Seat> {
        match self.low.get_mut(vnic.0 as usize) {
            Some(seat) => seat.as_mut(),
            None => self.high.get_mut(&vnic),
        }
    }

    fn set(&mut self, vnic: VnicId, seat: Option<Seat>) {
        let at = vnic.0 as usize;
        if at >= self.low.len() && seat.is_some() && vnic.0 < LOW {
            self.low.resize(at + 1, None);
        }
        match (self.low.get_mut(at), seat) {
            (Some(own), seat) => *own = seat,
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
    /// A vNIC's seat as it should be.
    fn seat_of(&self, filter: &Filter) -> Option<Seat> {
        let class = filter.class.filter(|_| filter.exemption(true).is_none())?;
        let late = self.lists.index().map(Index::late);
        let late = late.map_or(0, |late| late.on_some(|applied_to| filter.holds(applied_to)));
        Some(Seat { class, late })
    }

    /// Gives a vNIC its seat anew.
    pub(crate) fn seat(&mut self, vnic: VnicId) {
        let seat = self.filters.get(&vnic).and_then(|filter| self.seat_of(filter));
        self.seats.set(vnic, seat);
    }

    /// Gives all vNICs their seats anew.
    pub(crate) fn seat_all(&mut self) {
        let seats = self.filters.values().map(|filter| (filter.vnic, self.seat_of(filter)));
        let seats: Vec<_> = seats.collect();
        for (vnic, seat) in seats {
            self.seats.set(vnic, seat);
        }
    }

    /// Notes at the vNICs that a rule stands on that it is late, or no longer.
    pub(crate) fn seat_late(&mut self, rule: &Rule, own: Mask, late: bool) {
        let AppliedTo::OneOf { scopes: named, vnics } = &rule.applied_to else { return };
        let within: Vec<VnicId> =
            named.iter().flat_map(|scope| self.seats.within(*scope)).collect();
        for vnic in within.iter().chain(vnics) {
            if let Some(seat) = self.seats.get_mut(*vnic) {
                seat.late = if late { seat.late | own } else { seat.late & !own };
            }
        }
    }
}
