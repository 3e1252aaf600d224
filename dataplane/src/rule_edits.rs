//! Single rules that come and go, without a load of the whole program.
//!
//! A change is in force when the call returns. What it means for the rows of the index is worked in
//! later, by [`Dataplane::settle`]: a rule that came is tried by itself until then, and one that went is
//! masked out.

use std::sync::Arc;

use crate::engine::{Crowded, Ground};
use crate::{Dataplane, Layer, Rule, RuleId, RuleProgram};

impl Dataplane {
    /// Puts a rule in force before another of its layer, or behind all. False if that other one is not
    /// in the program.
    pub fn insert_rule(&mut self, rule: impl Into<Arc<Rule>>, before: Option<RuleId>) -> bool {
        let rule: Arc<Rule> = rule.into();
        if self.put_in(&rule, before) {
            return self.note(true);
        }
        if before.is_some_and(|before| !self.lists.holds(before, rule.layer)) {
            return false;
        }
        let mut rules = self.rules_in_order();
        let at = before.and_then(|before| {
            rules.iter().position(|own| own.id == before && own.layer == rule.layer)
        });
        rules.insert(at.unwrap_or(rules.len()), rule);
        self.load(RuleProgram { rules });
        true
    }

    /// Puts a rule in force among those of the index. False, and nothing done, if that can not be.
    pub(crate) fn put_in(&mut self, rule: &Arc<Rule>, before: Option<RuleId>) -> bool {
        while self.lists.index().is_some_and(|index| index.late().is_full()) && self.settle() {}
        // Both are looked up at once: neither is in a cache.
        let on = self.seats.on(&rule.applied_to);
        if self.lists.insert(rule, before, &on).is_none() {
            return false;
        }
        self.counters.know(rule.id);
        true
    }

    /// Takes a rule out of the index, and leaves its counters. False if it is not there.
    pub(crate) fn take_out(&mut self, rule: RuleId) -> bool {
        self.lists.remove(rule)
    }

    /// Takes a rule out of force. False if there is none of that name.
    pub fn remove_rule(&mut self, rule: RuleId) -> bool {
        if self.take_out(rule) {
            self.counters.forget(rule);
            return self.note(true);
        }
        let mut rules = self.rules_in_order();
        let before = rules.len();
        rules.retain(|own| own.id != rule);
        let changed = rules.len() < before;
        if changed {
            self.load(RuleProgram { rules });
        }
        changed
    }

    /// Works what single rules changed into the rows, if anything waits for it, or finds the list of a vNIC
    /// and its address, if one waits for that. No verdict changes by it. To be called when there is time:
    /// until then every packet pays for each rule that came. True if there was something to do; there may be more.
    pub fn settle(&mut self) -> bool {
        if self.find_home() {
            return true;
        }
        match self.lists.settle(&self.sets) {
            Ok(None) => return false,
            Ok(Some(new)) => {
                self.place_on(&new);
                self.seat_moved();
            }
            Err(Crowded) => {
                self.lists = self.lists.anew(&self.sets);
                self.place_all();
            }
        }
        true
    }

    /// Gives the vNICs on some grounds their classes anew.
    fn place_on(&mut self, grounds: &[Ground]) {
        let mut vnics = Vec::new();
        for ground in grounds {
            match ground {
                Ground::Scope(scope) => vnics.extend(self.seats.within(*scope)),
                Ground::Vnic(vnic) => vnics.push(*vnic),
            }
        }
        vnics.sort_unstable();
        vnics.dedup();
        for vnic in vnics {
            if let Some(filter) = self.filters.get_mut(&vnic) {
                self.lists.place(filter);
                self.seat(vnic);
            }
        }
    }

    /// The program once more. Rules of the index stand behind those of Ethernet; between the layers
    /// no order counts.
    fn rules_in_order(&self) -> Vec<Arc<Rule>> {
        self.lists.program().cloned().collect()
    }
}

impl crate::list::Lists {
    fn holds(&self, rule: RuleId, layer: Layer) -> bool {
        self.rank_known(rule, layer)
            || self.program().any(|own| own.id == rule && own.layer == layer)
    }
}
