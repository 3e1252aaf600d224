//! What packets of each vNIC meet in the index of rules: kept by vNIC, for batches to look up.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::engine::{Index, Mask};
use crate::filter::Filter;
use crate::{AppliedTo, Dataplane, Rule, ScopeId, VnicId};

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
    seats: FxHashMap<VnicId, Seat>,
    scopes: FxHashMap<ScopeId, FxHashSet<VnicId>>,
}

impl Seats {
    #[inline]
    pub(crate) fn of(&self, vnic: VnicId) -> Option<Seat> {
        self.seats.get(&vnic).copied()
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
        self.seats.remove(&filter.vnic);
        for scope in &filter.scopes {
            self.follow(*scope, filter.vnic, false);
        }
    }
}

impl Dataplane {
    /// A vNIC's seat as it should be.
    fn seat_of(&self, filter: &Filter) -> Option<Seat> {
        let class = filter.class.filter(|_| !filter.excluded)?;
        let late = self.lists.index().map(Index::late);
        let late = late.map_or(0, |late| late.on_some(|applied_to| filter.holds(applied_to)));
        Some(Seat { class, late })
    }

    /// Gives a vNIC its seat anew.
    pub(crate) fn seat(&mut self, vnic: VnicId) {
        let seat = self.filters.get(&vnic).and_then(|filter| self.seat_of(filter));
        match seat {
            Some(seat) => self.seats.seats.insert(vnic, seat),
            None => self.seats.seats.remove(&vnic),
        };
    }

    /// Gives all vNICs their seats anew.
    pub(crate) fn seat_all(&mut self) {
        let seats = self.filters.values();
        let seats = seats.filter_map(|filter| Some((filter.vnic, self.seat_of(filter)?)));
        self.seats.seats = seats.collect();
    }

    /// Notes at the vNICs that a rule stands on that it is late, or no longer.
    pub(crate) fn seat_late(&mut self, rule: &Rule, own: Mask, late: bool) {
        let AppliedTo::OneOf { scopes: named, vnics } = &rule.applied_to else { return };
        let Seats { seats, scopes } = &mut self.seats;
        let within = named.iter().filter_map(|scope| scopes.get(scope));
        for vnic in within.flatten().chain(vnics) {
            if let Some(seat) = seats.get_mut(vnic) {
                seat.late = if late { seat.late | own } else { seat.late & !own };
            }
        }
    }
}
