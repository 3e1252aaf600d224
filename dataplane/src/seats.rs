//! What packets of each vNIC meet in the index of rules: kept by vNIC, for batches to look up.
#![allow(clippy::inline_always)] // What batches ask is part of the one piece of code that runs for every packet.

use std::collections::BTreeSet;
use std::hint::select_unpredictable;
use std::net::{IpAddr, Ipv4Addr};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::engine::{Index, NO_HOME, SomeVnics};
use crate::filter::Filter;
use crate::{AddressRange, AppliedTo, Dataplane, Direction, Packet, ScopeId, VnicId};

/// Names below this are low.
const LOW: u32 = 1 << 20;

/// How many vNICs wait for a home at most, where nobody settles what waits.
const MOST_HOMELESS: usize = 64;

/// A vNIC's place in the index of rules. Aligned so that none lies in two lines, of which one would be asked for.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
pub(crate) struct Seat {
    /// Its class.
    pub(crate) class: u32,
    /// Where it is at home with its address, if that is known.
    home: u32,
    /// The class of its address, where it is at home.
    pub(crate) own: u32,
    /// Whether that is still to be found.
    waits: bool,
    address: IpAddr,
}

impl Seat {
    /// Where the vNIC is at home, if a packet has its address at the end that is its own.
    #[inline(always)]
    pub(crate) fn home_of(self, direction: Direction, packet: &Packet) -> u32 {
        let Some(ip) = &packet.ip else { return NO_HOME };
        let own = select_unpredictable(direction == Direction::In, &ip.dst, &ip.src);
        // One comparison of numbers for most packets.
        let same = match (own, &self.address) {
            (IpAddr::V4(one), IpAddr::V4(other)) => u32::from(*one) == u32::from(*other),
            (one, other) => one == other,
        };
        select_unpredictable(same, self.home, NO_HOME)
    }
}

/// Who is in a scope.
#[derive(Clone, Debug)]
struct Within {
    vnics: FxHashSet<VnicId>,
    /// Those, and some that are no longer.
    some: SomeVnics,
    /// How many have left since `some` were told.
    left: usize,
}

/// Seats, and who is in each scope. A vNIC that is exempt, or whose list is searched by itself, has no
/// seat.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seats {
    /// Those of vNICs whose names are low, by name: a look at a table, where names are given in turn.
    low: Vec<Option<Seat>>,
    /// All others.
    high: FxHashMap<VnicId, Seat>,
    scopes: FxHashMap<ScopeId, Within>,
    /// The vNICs whose address is known, by it.
    addresses: BTreeSet<(IpAddr, VnicId)>,
    /// The vNICs that may wait for a home, and the homes that they come from.
    homeless: Vec<(VnicId, u32)>,
}

impl Within {
    fn nobody() -> Self {
        Self { vnics: FxHashSet::default(), some: SomeVnics::NONE, left: 0 }
    }

    fn leave(&mut self, vnic: VnicId) {
        self.left += usize::from(self.vnics.remove(&vnic));
        // Each look at all is paid for by as many that left.
        if self.left > self.vnics.len() / 2 {
            self.some = self.vnics.iter().copied().collect();
            self.left = 0;
        }
    }
}

impl Seats {
    #[inline(always)]
    pub(crate) fn of(&self, vnic: VnicId) -> Option<Seat> {
        match self.low.get(vnic.0 as usize) {
            Some(seat) => *seat,
            None => self.high.get(&vnic).copied(),
        }
    }

    /// Asks for the memory that tells of a vNIC.
    #[inline(always)]
    pub(crate) fn ahead(&self, vnic: VnicId, fetch: impl Fn(*const u8)) {
        fetch(self.low.as_ptr().wrapping_add(vnic.0 as usize).cast());
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
        self.scopes.get(&scope).into_iter().flat_map(|within| &within.vnics).copied()
    }

    /// The vNICs that a rule stands on, unless that is every one.
    pub(crate) fn on(&self, applied_to: &AppliedTo) -> SomeVnics {
        let AppliedTo::OneOf { scopes, vnics } = applied_to else { return SomeVnics::NONE };
        let mut on: SomeVnics = vnics.iter().copied().collect();
        for within in scopes.iter().filter_map(|scope| self.scopes.get(scope)) {
            on.add_all(&within.some);
        }
        on
    }

    /// Follows a vNIC into a scope or out of it.
    pub(crate) fn follow(&mut self, scope: ScopeId, vnic: VnicId, joined: bool) {
        if joined {
            let within = self.scopes.entry(scope).or_insert_with(Within::nobody);
            within.vnics.insert(vnic);
            within.some.add(vnic);
        } else if let Some(within) = self.scopes.get_mut(&scope) {
            within.leave(vnic);
            if within.vnics.is_empty() {
                self.scopes.remove(&scope);
            }
        }
    }

    /// Follows a vNIC from one address to another.
    pub(crate) fn follow_address(
        &mut self,
        vnic: VnicId,
        before: Option<IpAddr>,
        after: Option<IpAddr>,
    ) {
        if let Some(before) = before {
            self.addresses.remove(&(before, vnic));
        }
        self.addresses.extend(after.map(|after| (after, vnic)));
    }

    /// The vNICs with an address in a range.
    fn at(&self, range: AddressRange) -> impl Iterator<Item = VnicId> {
        let within = (range.first(), VnicId(0))..=(range.last(), VnicId(u32::MAX));
        self.addresses.range(within).map(|(_, vnic)| *vnic)
    }

    /// Whether any vNIC waits for a home.
    pub(crate) const fn are_due(&self) -> bool {
        !self.homeless.is_empty()
    }

    /// Forgets all homes, of an index that is no more.
    pub(crate) fn forget_homes(&mut self) {
        let seats = self.low.iter_mut().flatten().chain(self.high.values_mut());
        seats.for_each(|seat| (seat.home, seat.waits) = (NO_HOME, false));
        self.homeless.clear();
    }
}

impl Dataplane {
    /// A vNIC's seat as it should be.
    fn seat_of(&self, filter: &Filter) -> Option<Seat> {
        let class = filter.class.filter(|_| filter.exemption(true).is_none())?;
        let waits = filter.address.is_some() && self.lists.index().is_some_and(Index::has_homes);
        let address = filter.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        Some(Seat { class, home: NO_HOME, own: 0, waits, address })
    }

    /// Gives a vNIC its seat anew. Its home is found later: until then its packets are looked up without.
    pub(crate) fn seat(&mut self, vnic: VnicId) {
        let Some(filter) = self.filters.get(&vnic) else { return };
        let (seat, before) = (self.seat_of(filter), self.seats.of(vnic));
        self.seats.set(vnic, seat);
        if let Some(index) = self.lists.index_mut() {
            index.late_mut().may_stand_on(vnic, |applied_to| filter.holds(applied_to));
        }
        let left = before.map_or(NO_HOME, |seat| seat.home);
        let waited = before.is_some_and(|seat| seat.waits);
        self.has_left(vnic, left, !waited && seat.is_some_and(|seat| seat.waits));
    }

    /// Notes the home that a vNIC has left, and whether it waits for one since.
    fn has_left(&mut self, vnic: VnicId, left: u32, waits: bool) {
        if left != NO_HOME || waits {
            self.seats.homeless.push((vnic, left));
        }
        if self.seats.homeless.len() > MOST_HOMELESS {
            self.find_home();
        }
    }

    /// Finds the home of a vNIC that waits for it. False if none does.
    pub(crate) fn find_home(&mut self) -> bool {
        let Some((vnic, left)) = self.seats.homeless.pop() else { return false };
        let Some(index) = self.lists.index_mut() else { return true };
        if let Some(seat) = self.seats.get_mut(vnic).filter(|seat| seat.waits) {
            (seat.home, seat.own) = index.settle_home(seat.class, seat.address);
            seat.waits = false;
        }
        index.leave_home(left);
        true
    }

    /// Gives all vNICs their seats anew, after a load: no rule is late.
    pub(crate) fn seat_all(&mut self) {
        let vnics: Vec<VnicId> = self.filters.keys().copied().collect();
        for vnic in vnics {
            self.seat(vnic);
        }
        while self.find_home() {}
    }

    /// Takes vNICs from their homes whose address may have come to meet other rules.
    pub(crate) fn seat_moved(&mut self) {
        let has_homes = self.lists.index().is_some_and(Index::has_homes);
        for range in self.lists.moved() {
            let vnics: Vec<VnicId> = self.seats.at(range).collect();
            for vnic in vnics {
                let Some(seat) = self.seats.get_mut(vnic) else { continue };
                let left = std::mem::replace(&mut seat.home, NO_HOME);
                let waited = std::mem::replace(&mut seat.waits, has_homes);
                self.has_left(vnic, left, has_homes && !waited);
            }
        }
    }

    /// Forgets the seat of a vNIC that goes, its address and that it was in its scopes.
    pub(crate) fn forget_seat(&mut self, filter: &Filter) {
        if let (Some(seat), Some(index)) = (self.seats.of(filter.vnic), self.lists.index_mut()) {
            index.leave_home(seat.home);
        }
        self.seats.set(filter.vnic, None);
        self.seats.follow_address(filter.vnic, filter.address, None);
        for scope in &filter.scopes {
            self.seats.follow(*scope, filter.vnic, false);
        }
    }
}
