//! Verdicts on many packets at once.
#![allow(clippy::inline_always)] // Part of the one piece of code that runs for every packet.

use std::sync::Arc;

use crate::engine::{Apart, Late, OnVnic, OnVnics, Rank};
use crate::matching::Key;
use crate::plane::verdict;
use crate::ruling::Ruling;
use crate::seats::{Seat, Seats};
use crate::{AppliedTo, Dataplane, Direction, Packet, Rule, Verdict, VnicId};

/// How much later than a packet the question about it is needed.
const AHEAD: usize = 32;

/// A packet on a vNIC, to be judged.
type Asked<'p> = (VnicId, Direction, &'p Packet);

/// Packets to be looked up.
struct Batch<'a, 'p> {
    asked: &'a [Asked<'p>],
    seats: &'a Seats,
    late: &'a Late,
}

impl OnVnics for Batch<'_, '_> {
    fn count(&self) -> usize {
        self.asked.len()
    }

    #[inline(always)]
    fn key(&self, at: usize) -> Key<'_> {
        let (_, direction, packet) = self.asked[at];
        Key { direction, packet }
    }

    #[inline(always)]
    fn at(&self, at: usize) -> OnVnic<'_> {
        let (vnic, direction, packet) = self.asked[at];
        let key = Key { direction, packet };
        // Packets of vNICs without rules are looked up as if there were some, and judged alone; those that
        // a late rule may match try it then.
        let Some(seat) = self.seats.of(vnic) else {
            return OnVnic::away(0, key, Apart::Alone);
        };
        let late = !self.late.is_empty() && self.late.worth_trying(vnic, packet) != 0;
        let apart = if late { Apart::Late } else { Apart::No };
        let Seat { class, own, .. } = seat;
        OnVnic { class, home: seat.home_of(direction, packet), own, key, apart }
    }

    #[inline(always)]
    fn ahead(&self, at: usize, fetch: impl Fn(*const u8)) {
        if let Some(later) = self.asked.get(at + AHEAD) {
            fetch(std::ptr::from_ref(later).cast());
        }
        if let Some((vnic, _, packet)) = self.asked.get(at) {
            let packet = std::ptr::from_ref(*packet);
            fetch(packet.cast());
            fetch(packet.cast::<u8>().wrapping_add(size_of::<Packet>() - 1));
            self.seats.ahead(*vnic, fetch);
        }
    }
}

impl Dataplane {
    /// [`Dataplane::judge`] for many packets: `verdicts` is cleared and holds one verdict for each, in
    /// order. Allocates only where `verdicts` has no room yet.
    pub fn judge_batch(&self, asked: &[Asked<'_>], verdicts: &mut Vec<Verdict>) {
        verdicts.clear();
        verdicts.reserve(asked.len());
        let index = self.lists.index().filter(|_| self.lists.all_indexed() && self.is_enabled());
        let Some(index) = index else {
            let judge = asked.iter().map(|(vnic, way, packet)| self.judge(*vnic, *way, packet));
            verdicts.extend(judge);
            return;
        };
        let batch = Batch { asked, seats: &self.seats, late: index.late() };
        index.first_on_each(batch, |first, told| {
            // All at once, so that room is asked for once. Ethernet has no rule here, and what is no IP meets none.
            verdicts.extend(asked[first..].iter().zip(told).map(|(asked, (_, place))| {
                let (vnic, direction, packet) = *asked;
                verdict(vnic, direction, Ruling::by_saying(index.said(*place), packet))
            }));
            if told.iter().all(|(apart, _)| matches!(apart, Apart::No)) {
                return;
            }
            for (at, (apart, place)) in (first..).zip(told) {
                let (vnic, direction, packet) = asked[at];
                verdicts[at] = match apart {
                    Apart::No => continue,
                    Apart::Alone => self.judge(vnic, direction, packet),
                    Apart::Late => {
                        let (key, found) = (Key { direction, packet }, index.rule_of(*place));
                        verdict(vnic, direction, self.or_late(vnic, key, found))
                    }
                };
            }
        });
    }

    /// What the first of the late rules and the one found among all others says.
    #[cold]
    fn or_late(&self, vnic: VnicId, key: Key<'_>, found: Option<(Rank, &Arc<Rule>)>) -> Ruling {
        let holds = |applied_to: &AppliedTo| {
            *applied_to == AppliedTo::Everywhere
                || self.filters.get(&vnic).is_some_and(|filter| filter.holds(applied_to))
        };
        let first = self.lists.or_late(holds, &self.sets, key, found);
        Ruling::of(first.map(Arc::as_ref), key.packet)
    }
}
