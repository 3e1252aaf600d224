//! Rules in place of others, by the few that differ.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::engine::Index;
use crate::{Dataplane, Layer, Rule, RuleId, RuleProgram};

/// The most rules that come and go one by one, beside one for so many of the program; for more the
/// program is loaded.
const MOST_EDITS: usize = 32;
const RULES_AN_EDIT: usize = 100;

/// Rules in place of others that stand in a row in the order of the program.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Replacement {
    /// Those that are in force, in order.
    pub old: Vec<Arc<Rule>>,
    /// Those that shall be, in order.
    pub new: Vec<Arc<Rule>>,
    /// The IP rule that follows them; none at the end.
    pub before: Option<RuleId>,
}

/// What makes some rules of others.
#[derive(Debug, Default)]
struct Differences {
    gone: Vec<RuleId>,
    /// The rules that come, the last of them first, each with the one that follows it.
    new: Vec<(Arc<Rule>, Option<RuleId>)>,
}

impl Dataplane {
    /// Puts a new program in force, as [`load`](Dataplane::load) does. Where few IP rules differ, those
    /// alone are changed; without any difference nothing is.
    pub fn reload(&mut self, program: RuleProgram) {
        let old = self.lists.program().cloned().collect();
        let whole = Replacement { old, new: program.rules, before: None };
        if !self.replace(&whole) {
            self.load(RuleProgram { rules: whole.new });
        }
    }

    /// Puts rules in place of others, without a look at the rest of the program. Where that can not be
    /// done this is false, and the rules in force may be some of both: then the program that is meant
    /// has to be [loaded](Dataplane::load).
    #[must_use]
    pub fn replace(&mut self, replacement: &Replacement) -> bool {
        if replacement.old == replacement.new {
            return true;
        }
        let Some(Differences { gone, new }) = self.differences(replacement) else { return false };
        let changed = !gone.is_empty() || !new.is_empty();
        if !gone.iter().all(|rule| self.take_out(*rule)) {
            return false;
        }
        let mut left: FxHashSet<RuleId> = gone.into_iter().collect();
        for (rule, before) in new {
            // A rule that was edited or moved counts on.
            left.remove(&rule.id);
            if !self.put_in(&rule, before) {
                return false;
            }
        }
        for rule in left {
            self.counters.forget(rule);
        }
        self.note(changed);
        while self.lists.index().is_some_and(Index::is_due) && self.settle() {}
        true
    }

    /// What differs, if that can be changed one by one.
    fn differences(&self, replacement: &Replacement) -> Option<Differences> {
        let index = self.lists.index().filter(|_| self.lists.has_names_of_its_own())?;
        let Replacement { old, new, before } = replacement;
        let of = |rules, layer| -> Vec<&Arc<Rule>> {
            let rules: &Vec<Arc<Rule>> = rules;
            rules.iter().filter(|rule| rule.layer == layer).collect()
        };
        if of(old, Layer::Ethernet) != of(new, Layer::Ethernet) {
            return None;
        }
        let (old, new) = (of(old, Layer::Ip), of(new, Layer::Ip));
        let first = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
        let (old, ahead) = (&old[first..], &new[first..]);
        let alike = old.iter().rev().zip(ahead.iter().rev()).take_while(|(old, new)| old == new);
        let last = alike.count();
        let (old, ahead) = (&old[..old.len() - last], &ahead[..ahead.len() - last]);
        let kept = in_order(old, ahead);
        let most = MOST_EDITS + index.count() / RULES_AN_EDIT;
        if old.len() + ahead.len() - 2 * kept.len() > most {
            return None;
        }
        let mut differences = Differences::default();
        let stays: FxHashSet<RuleId> = kept.iter().map(|at| ahead[*at].id).collect();
        let left = old.iter().map(|rule| rule.id).filter(|rule| !stays.contains(rule));
        differences.gone.extend(left);
        let mut names: FxHashSet<RuleId> = differences.gone.iter().copied().collect();
        let mut follows = new.get(first + ahead.len()).map_or(*before, |rule| Some(rule.id));
        for (at, rule) in ahead.iter().enumerate().rev() {
            if kept.binary_search(&at).is_err() {
                let known = self.lists.rank_known(rule.id, Layer::Ip);
                let twice = differences.new.iter().any(|(own, _)| own.id == rule.id)
                    || self.lists.has_outside_index(rule.id);
                if twice || known && !names.remove(&rule.id) {
                    return None;
                }
                differences.new.push((Arc::clone(rule), follows));
            }
            follows = Some(rule.id);
        }
        Some(differences)
    }
}

/// The places in the second list of rules that the first has as well, as many in the same order as there
/// can be. The first names each once.
fn in_order(old: &[&Arc<Rule>], new: &[&Arc<Rule>]) -> Vec<usize> {
    let places: FxHashMap<RuleId, usize> =
        old.iter().enumerate().map(|(at, rule)| (rule.id, at)).collect();
    // The longest ascending run of places, by the least ends of runs of each length.
    let mut ends: Vec<(usize, usize)> = Vec::new();
    let mut before: Vec<Option<usize>> = vec![None; new.len()];
    for (at, rule) in new.iter().enumerate() {
        let Some(place) = places.get(&rule.id).copied().filter(|place| old[*place] == *rule) else {
            continue;
        };
        let length = ends.partition_point(|(end, _)| *end < place);
        before[at] = length.checked_sub(1).map(|shorter| ends[shorter].1);
        match ends.get_mut(length) {
            Some(end) => *end = (place, at),
            None => ends.push((place, at)),
        }
    }
    let mut kept = Vec::with_capacity(ends.len());
    let mut next = ends.last().map(|(_, at)| *at);
    while let Some(at) = next {
        kept.push(at);
        next = before[at];
    }
    kept.reverse();
    kept
}
