//! The rules that are worked in, by rank and by name, and how rules come among them and go.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::addresses::DESTINATION;
use super::index::{Index, LIST, Spot};
use super::late::SomeVnics;
use super::layout::{Rank, STEP};
use crate::{Rule, RuleId};

/// Where a rule of a name stands.
#[derive(Clone, Copy, Debug)]
struct Standing {
    rank: Rank,
    /// The rank of the one ahead of it, or of one that was there once: between the two there is none. So who
    /// comes before it finds a rank without a look at the order.
    ahead: Rank,
}

/// Rules in order, and where each is to be found. Late ones are not here.
#[derive(Clone, Debug, Default)]
pub(super) struct Order {
    rules: BTreeMap<Rank, (Arc<Rule>, Spot)>,
    names: FxHashMap<RuleId, Standing>,
}

impl Order {
    /// All of them, in any order.
    pub(super) fn of(rules: impl Iterator<Item = (Rank, (Arc<Rule>, Spot))>) -> Self {
        let rules: BTreeMap<_, _> = rules.collect();
        let mut ahead = 0;
        let names = rules.iter().map(|(rank, (rule, _))| {
            let standing = Standing { rank: *rank, ahead };
            ahead = *rank;
            (rule.id, standing)
        });
        Self { names: names.collect(), rules }
    }

    /// Adds a rule.
    pub(super) fn insert(&mut self, rank: Rank, rule: Arc<Rule>, spot: Spot) {
        let ahead = self.ahead_of(rank);
        self.names.insert(rule.id, Standing { rank, ahead });
        if let Some((_, (next, _))) = self.rules.range(rank..).next()
            && let Some(next) = self.names.get_mut(&next.id)
        {
            // Of two rules of one name it may be the other.
            if next.rank > rank {
                next.ahead = next.ahead.max(rank);
            }
        }
        self.rules.insert(rank, (rule, spot));
    }

    /// Takes out the rule of a rank.
    pub(super) fn remove(&mut self, rank: Rank) -> Option<(Arc<Rule>, Spot)> {
        let (rule, spot) = self.rules.remove(&rank)?;
        if self.rank_of(rule.id) == Some(rank) {
            self.names.remove(&rule.id);
        }
        Some((rule, spot))
    }

    /// The rank of the rule of a name; of several, that of the one which came last.
    pub(super) fn rank_of(&self, rule: RuleId) -> Option<Rank> {
        self.names.get(&rule).map(|own| own.rank)
    }

    /// The rank of the rule of a name, and one below which none stands between.
    pub(super) fn gap_before(&self, rule: RuleId) -> Option<[Rank; 2]> {
        self.names.get(&rule).map(|own| [own.ahead, own.rank])
    }

    /// The highest rank below another; 0 if there is none.
    pub(super) fn ahead_of(&self, rank: Rank) -> Rank {
        self.rules.range(..rank).next_back().map_or(0, |(rank, _)| *rank)
    }

    /// Whether no two have one name.
    pub(super) fn has_names_of_its_own(&self) -> bool {
        self.names.len() == self.rules.len()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.rules.len()
    }

    /// All, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Rank, &Arc<Rule>, Spot)> {
        self.rules.iter().map(|(rank, (rule, spot))| (*rank, rule, *spot))
    }

    /// Gives rules other ranks, in the same order.
    pub(super) fn rename(&mut self, renamed: impl Fn(Rank) -> Rank) {
        let rules = std::mem::take(&mut self.rules);
        *self = Self::of(rules.into_iter().map(|(rank, own)| (renamed(rank), own)));
    }
}

impl Index {
    /// Puts a rule that stands on some vNICs, or everywhere, in force before another, or at the end. It is tried
    /// by itself until it is [settled](Index::settle). `None` if there is no such other, or no room.
    pub(crate) fn insert(
        &mut self,
        rule: Arc<Rule>,
        next: Option<RuleId>,
        on: &SomeVnics,
    ) -> Option<()> {
        let gap = self.gap_before(next).filter(|_| !self.late.is_full())?;
        let rank = self.rank_within(gap).or_else(|| {
            self.rename();
            self.rank_within(self.gap_before(next)?)
        })?;
        self.latest = rank;
        self.late.insert(rank, rule, on);
        Some(())
    }

    /// Takes a rule out of force. False if there is none of this name.
    pub(crate) fn remove(&mut self, rule: RuleId) -> bool {
        if let Some(rank) = self.late.rank_of(rule) {
            self.late.remove(rank);
            return true;
        }
        let rank = self.order.rank_of(rule);
        let Some((rule, spot)) = rank.and_then(|rank| self.order.remove(rank)) else {
            return false;
        };
        match spot {
            Spot::Row(place) => {
                for way in &mut self.ways {
                    way.put(place as usize, false);
                }
            }
            Spot::Lists(entries) => self.local.end(entries),
        }
        self.gone.push((spot, rule));
        true
    }

    /// The ranks between which a rule would stand before another, or at the end: those are taken. `None` if
    /// there is no such other.
    fn gap_before(&self, next: Option<RuleId>) -> Option<[Rank; 2]> {
        let [ahead, next] = match next {
            None => [self.order.ahead_of(Rank::MAX), Rank::MAX],
            Some(next) => match self.late.rank_of(next) {
                Some(rank) => [self.order.ahead_of(rank), rank],
                None => self.order.gap_before(next)?,
            },
        };
        Some([ahead.max(self.late.ahead_of(next)), next])
    }

    /// A rank within a gap; `None` if there is none left there.
    fn rank_within(&self, [low, next]: [Rank; 2]) -> Option<Rank> {
        if next == Rank::MAX {
            return low.checked_add(STEP);
        }
        let gap = next - low;
        // Rules often come one behind the other, or one before the other: those to come get most of
        // the gap.
        let part = match self.latest {
            latest if latest == low => gap.div_ceil(1_024),
            latest if latest == next => gap - gap.div_ceil(1_024),
            _ => gap / 2,
        };
        (0 < part && part < gap).then_some(low + part)
    }

    /// Spreads the ranks evenly again.
    fn rename(&mut self) {
        // The ranks of rules that went would be in the way.
        while let Some((spot, rule)) = self.gone.pop() {
            self.clear(&rule, spot);
        }
        let ranks = (1..).map(|at| at * STEP);
        let names: FxHashMap<Rank, Rank> = self.rules().map(|(rank, _)| rank).zip(ranks).collect();
        let renamed = |rank: Rank| names.get(&rank).copied().unwrap_or(rank);
        self.order.rename(renamed);
        self.layout.rename(renamed);
        self.local.rename(renamed);
        self.applied.rows[LIST].rename(renamed);
        self.late.rename(renamed);
        self.addresses.classes.rows[DESTINATION].rename(renamed);
        self.latest = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::bitmap::tests::under_miri;

    #[test]
    fn no_rule_stands_in_the_gap_before_another() {
        let made =
            (1..=40).map(|at| (at * 1_000, (Arc::new(Rule::drop_all(RuleId(at))), Spot::Row(0))));
        let mut order = Order::of(made);
        let mut mixed = 7_u64;
        for id in 100..under_miri(400, 110) {
            mixed = mixed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            order.remove(mixed >> 33 & 0xffff);
            let ranks: Vec<Rank> = order.iter().map(|(rank, ..)| rank).collect();
            order.remove(ranks[usize::try_from(mixed >> 40).unwrap() % ranks.len()]);
            for (name, rank) in [(2 * id, mixed >> 50), (2 * id + 1, mixed >> 49)] {
                if !order.iter().any(|(own, ..)| own == rank) {
                    order.insert(rank, Arc::new(Rule::drop_all(RuleId(name))), Spot::Row(0));
                }
            }
            for (rank, rule, _) in order.iter() {
                let [ahead, own] = order.gap_before(rule.id).unwrap();
                assert!(own == rank && order.ahead_of(rank) <= ahead && ahead < rank);
            }
        }
    }
}
