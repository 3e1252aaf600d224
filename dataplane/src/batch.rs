//! Verdicts on many packets at once.

use std::sync::Arc;

use crate::engine::Rank;
use crate::matching::Key;
use crate::plane::verdict;
use crate::ruling::Ruling;
use crate::{AppliedTo, Dataplane, Direction, Packet, Rule, Verdict, VnicId};

/// How many packets are judged abreast.
const BATCH: usize = 64;

impl Dataplane {
    /// [`Dataplane::judge`] for many packets: `verdicts` is cleared and holds one verdict for each, in
    /// order. Allocates only where `verdicts` has no room yet.
    pub fn judge_batch(&self, asked: &[(VnicId, Direction, &Packet)], verdicts: &mut Vec<Verdict>) {
        verdicts.clear();
        verdicts.reserve(asked.len());
        let index = self.lists.index().filter(|_| self.lists.all_indexed() && self.is_enabled());
        let Some(index) = index else {
            let judge = asked.iter().map(|(vnic, way, packet)| self.judge(*vnic, *way, packet));
            verdicts.extend(judge);
            return;
        };
        let late = index.late();
        for asked in asked.chunks(BATCH) {
            let Some(&(_, direction, packet)) = asked.first() else { return };
            let mut keys = [(0, Key { direction, packet }); BATCH];
            // Packets of vNICs without rules are looked up as if there were some, and judged alone; those
            // that a late rule may match try it then.
            let (mut alone, mut unsure) = (0_u64, 0_u64);
            for (at, (vnic, direction, packet)) in asked.iter().enumerate() {
                let class = self.seats.of(*vnic);
                alone |= u64::from(class.is_none()) << at;
                unsure |= u64::from(late.worth_trying(*vnic, packet) != 0) << at;
                keys[at] = (class.unwrap_or(0), Key { direction: *direction, packet });
            }
            index.first_on_each(&keys[..asked.len()], |at, said, place| {
                let (vnic, direction, packet) = asked[at];
                verdicts.push(if (alone | unsure) >> at & 1 == 0 {
                    // Ethernet has no rule here, and what is no IP meets none.
                    verdict(vnic, direction, Ruling::by_saying(said, packet))
                } else if alone >> at & 1 == 1 {
                    self.judge(vnic, direction, packet)
                } else {
                    let found = index.rule_of(place);
                    verdict(vnic, direction, self.or_late(vnic, keys[at].1, found))
                });
            });
        }
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
