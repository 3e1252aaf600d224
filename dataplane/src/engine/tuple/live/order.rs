//! The order of rules that come and go anywhere in it.

use rustc_hash::FxHashMap;

use crate::RuleId;
use crate::engine::tuple::Filter;

/// Where a rule comes to stand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Place {
    /// Before all others.
    First,
    /// After all others.
    Last,
    /// Right before this one.
    Before(RuleId),
    /// Right after this one.
    After(RuleId),
}

/// Where a rule's filters are looked up.
#[derive(Clone, Debug)]
pub(super) enum Home {
    /// In the base, where they have this rank.
    Base(u32),
    /// In the overlay, at these places.
    Added(Vec<u32>),
}

/// A rule between its neighbours.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    /// Rises along the order.
    pub(super) key: u64,
    pub(super) name: RuleId,
    pub(super) filters: Box<[Filter]>,
    pub(super) home: Home,
    before: u32,
    after: u32,
}

/// Rules as a list, each with a number that rises along it. There is room between neighbours' numbers
/// for many more; where it runs out, some rules around get new ones.
#[derive(Clone, Debug)]
pub(super) struct Order {
    /// By slot. Slot 0 is before the first rule and after the last.
    rules: Vec<Rule>,
    free: Vec<u32>,
    slots: FxHashMap<RuleId, u32>,
}

/// The slot of no rule.
const END: u32 = 0;

/// The least room that neighbours are to have after they got new numbers.
const ROOM: u64 = 1 << 32;

impl Order {
    /// These rules, in this order; a rule's place is its rank in the base.
    pub(super) fn new(rules: Vec<(RuleId, Box<[Filter]>)>) -> Self {
        let step = u64::MAX / (rules.len() as u64 + 1);
        let last = rules.len() as u32;
        let end = Rule {
            key: 0,
            name: RuleId(0),
            filters: Box::default(),
            home: Home::Added(Vec::new()),
            before: last,
            after: if last == 0 { END } else { 1 },
        };
        let mut order = Self { rules: vec![end], free: Vec::new(), slots: FxHashMap::default() };
        order.slots.reserve(rules.len() * 2);
        order.rules.reserve(rules.len() * 2);
        for (slot, (name, filters)) in (1..).zip(rules) {
            let key = u64::from(slot) * step;
            let after = if slot == last { END } else { slot + 1 };
            let home = Home::Base(slot - 1);
            order.rules.push(Rule { key, name, filters, home, before: slot - 1, after });
            order.slots.insert(name, slot);
        }
        order
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// How many slots there are, taken or not.
    pub(super) fn slots(&self) -> usize {
        self.rules.len()
    }

    pub(super) fn slot(&self, name: RuleId) -> Option<u32> {
        self.slots.get(&name).copied()
    }

    pub(super) fn rule(&self, slot: u32) -> &Rule {
        &self.rules[slot as usize]
    }

    pub(super) fn rule_mut(&mut self, slot: u32) -> &mut Rule {
        &mut self.rules[slot as usize]
    }

    /// Whether a rule is in this slot.
    pub(super) fn is_taken(&self, slot: u32) -> bool {
        slot != END && self.slots.get(&self.rule(slot).name) == Some(&slot)
    }

    /// The slots in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        self.behind(END)
    }

    /// The slots behind one.
    pub(super) fn behind(&self, slot: u32) -> impl Iterator<Item = u32> {
        let next = |slot: &u32| Some(self.rule(*slot).after).filter(|slot| *slot != END);
        std::iter::successors(next(&slot), next)
    }

    /// The slots that a rule at this place would stand between; none if the place is by no rule.
    pub(super) fn gap(&self, place: Place) -> Option<(u32, u32)> {
        let before = |slot: u32| (self.rule(slot).before, slot);
        let after = |slot: u32| (slot, self.rule(slot).after);
        Some(match place {
            Place::First => after(END),
            Place::Last => before(END),
            Place::Before(name) => before(self.slot(name)?),
            Place::After(name) => after(self.slot(name)?),
        })
    }

    /// Puts a rule without a home between two neighbours. Says where it is, and which rules got new
    /// numbers to make room for it.
    pub(super) fn insert(
        &mut self,
        (before, after): (u32, u32),
        name: RuleId,
        filters: Box<[Filter]>,
    ) -> (u32, Vec<u32>) {
        let rule = Rule { key: 0, name, filters, home: Home::Added(Vec::new()), before, after };
        let slot = match self.free.pop() {
            Some(slot) => {
                self.rules[slot as usize] = rule;
                slot
            }
            None => {
                self.rules.push(rule);
                self.rules.len() as u32 - 1
            }
        };
        self.rule_mut(before).after = slot;
        self.rule_mut(after).before = slot;
        self.slots.insert(name, slot);
        let (low, high) = (self.rule(before).key, self.upper(after));
        if high - low > 1 {
            self.rule_mut(slot).key = low + (high - low) / 2;
            return (slot, Vec::new());
        }
        (slot, self.spread(slot))
    }

    /// Takes a rule out.
    pub(super) fn remove(&mut self, name: RuleId) -> Option<(u32, Box<[Filter]>, Home)> {
        let slot = self.slots.remove(&name)?;
        let rule = self.rule_mut(slot);
        let (before, after) = (rule.before, rule.after);
        let filters = std::mem::take(&mut rule.filters);
        let home = std::mem::replace(&mut rule.home, Home::Added(Vec::new()));
        self.rule_mut(before).after = after;
        self.rule_mut(after).before = before;
        self.free.push(slot);
        Some((slot, filters, home))
    }

    /// The number that bounds those before a slot.
    fn upper(&self, slot: u32) -> u64 {
        if slot == END { u64::MAX } else { self.rule(slot).key }
    }

    /// Gives the rules around one new numbers: the fewest so that each gets room. Returns those.
    fn spread(&mut self, around: u32) -> Vec<u32> {
        let (mut low, mut high, mut count) = (around, around, 1);
        loop {
            // One more at either end, up to what bounds them.
            let (before, after) = (self.rule(low).before, self.rule(high).after);
            let (first, last) = (self.rule(before).key, self.upper(after));
            let step = (last - first) / (count + 1);
            if step >= ROOM || (before, after) == (END, END) {
                let slots = std::iter::once(low).chain(self.behind(low));
                let slots: Vec<u32> = slots.take(count as usize).collect();
                for (at, slot) in (1..).zip(&slots) {
                    self.rule_mut(*slot).key = first + at * step;
                }
                return slots;
            }
            for (end, next) in [(&mut low, before), (&mut high, after)] {
                if next != END {
                    (*end, count) = (next, count + 1);
                }
            }
        }
    }
}
