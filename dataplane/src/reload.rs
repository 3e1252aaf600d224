//! A program in place of another, by the few rules that differ.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::engine::Index;
use crate::{Dataplane, Layer, Rule, RuleId, RuleProgram};

/// The most rules that come and go one by one; for more the program is loaded.
const MOST_EDITS: usize = 32;

/// What makes one program of another.
#[derive(Debug, Default)]
struct Differences {
    gone: Vec<RuleId>,
    /// The rules that come, the last of the program first, each with the one that follows it.
    new: Vec<(Arc<Rule>, Option<RuleId>)>,
}

impl Dataplane {
    /// Puts a new program in force, as [`load`](Dataplane::load) does. Where few IP rules differ, those
    /// alone are changed; without any difference nothing is.
    pub fn reload(&mut self, program: RuleProgram) {
        let Some(Differences { gone, new }) = self.differences(&program) else {
            self.load(program);
            return;
        };
        let changed = !gone.is_empty() || !new.is_empty();
        for rule in &gone {
            self.take_out(*rule);
        }
        let mut left: FxHashSet<RuleId> = gone.into_iter().collect();
        for (rule, before) in new {
            // A rule that was edited or moved counts on.
            left.remove(&rule.id);
            if !self.put_in(&rule, before) {
                self.load(program);
                return;
            }
        }
        for rule in left {
            self.counters.forget(rule);
        }
        self.note(changed);
        while self.lists.index().is_some_and(Index::is_due) && self.settle() {}
    }

    /// The differences from the program in force, if they can be made one by one.
    fn differences(&self, program: &RuleProgram) -> Option<Differences> {
        let index = self.lists.index().filter(|_| self.lists.has_names_of_its_own())?;
        let of = |layer| program.rules.iter().filter(move |rule| rule.layer == layer);
        let ethernet = self.lists.program().filter(|rule| rule.layer == Layer::Ethernet);
        if !ethernet.map(|rule| &**rule).eq(of(Layer::Ethernet)) {
            return None;
        }
        let old: Vec<&Rule> = index.rules().map(|(_, rule)| &**rule).collect();
        let new: Vec<&Rule> = of(Layer::Ip).collect();
        let first = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
        let (old, ahead) = (&old[first..], &new[first..]);
        let alike = old.iter().rev().zip(ahead.iter().rev()).take_while(|(old, new)| old == new);
        let last = alike.count();
        let (old, ahead) = (&old[..old.len() - last], &ahead[..ahead.len() - last]);
        let kept = in_order(old, ahead);
        if old.len() + ahead.len() - 2 * kept.len() > MOST_EDITS {
            return None;
        }
        let mut differences = Differences::default();
        let stays: FxHashSet<RuleId> = kept.iter().map(|at| ahead[*at].id).collect();
        let left = old.iter().map(|rule| rule.id).filter(|rule| !stays.contains(rule));
        differences.gone.extend(left);
        let mut names: FxHashSet<RuleId> = differences.gone.iter().copied().collect();
        let mut follows = new.get(first + ahead.len()).map(|rule| rule.id);
        for (at, rule) in ahead.iter().enumerate().rev() {
            if kept.binary_search(&at).is_err() {
                let known = self.lists.rank_known(rule.id, Layer::Ip);
                let twice = differences.new.iter().any(|(own, _)| own.id == rule.id)
                    || of(Layer::Ethernet).any(|own| own.id == rule.id);
                if twice || known && !names.remove(&rule.id) {
                    return None;
                }
                differences.new.push((Arc::new((*rule).clone()), follows));
            }
            follows = Some(rule.id);
        }
        Some(differences)
    }
}

/// The places in the second list of rules that the first has as well, as many in the same order as there
/// can be. The first names each once.
fn in_order(old: &[&Rule], new: &[&Rule]) -> Vec<usize> {
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
