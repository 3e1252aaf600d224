//! Verdicts on many packets at once.

use crate::matching::Key;
use crate::plane::verdict;
use crate::ruling::Ruling;
use crate::{Dataplane, Direction, Packet, Verdict, VnicId};

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
            // Packets of vNICs without rules are looked up as if there were some, and judged alone; so
            // are those that a late rule may match.
            let mut alone = 0_u64;
            for (at, (vnic, direction, packet)) in asked.iter().enumerate() {
                let seat = self.seats.of(*vnic);
                let tried = seat.map_or(0, |seat| late.worth_trying(seat.late, packet));
                alone |= u64::from(seat.is_none() || tried != 0) << at;
                let class = seat.map_or(0, |seat| seat.class);
                keys[at] = (class, Key { direction: *direction, packet });
            }
            index.first_on_each(&keys[..asked.len()], |at, said| {
                let (vnic, direction, packet) = asked[at];
                verdicts.push(if alone >> at & 1 == 1 {
                    self.judge(vnic, direction, packet)
                } else {
                    // Ethernet has no rule here, and what is no IP meets none.
                    verdict(vnic, direction, Ruling::by_saying(said, packet))
                });
            });
        }
    }
}
