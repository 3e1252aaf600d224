//! Single rules that come and go, without a load of the whole program.
//!
//! A change is in force when the call returns. What it means for the rows of the index is worked in
//! later, by [`Dataplane::settle`]: a rule that came is tried by itself until then, and one that went is
//! masked out.

use std::sync::Arc;

use crate::engine::Ground;
use crate::{Dataplane, Layer, Rule, RuleId, RuleProgram};

impl Dataplane {
    /// Puts a rule in force before another of its layer, or behind all. False if that other one is not
    /// in the program.
    pub fn insert_rule(&mut self, rule: Rule, before: Option<RuleId>) -> bool {
        if before.is_some_and(|before| !self.lists.holds(before, rule.layer)) {
            return false;
        }
        let id = rule.id;
        if self.lists.is_crowded() {
            self.settle_one();
        }
        match self.lists.insert(Arc::new(rule), before) {
            Ok(()) => {
                let live = self.filters.values().flat_map(|filter| filter.flow_rules());
                self.counters.know(id, live);
                self.note(true)
            }
            Err(rule) => {
                let mut rules: Vec<Rule> = self.rules_cloned();
                let at = before.and_then(|before| {
                    rules.iter().position(|own| own.id == before && own.layer == rule.layer)
                });
                rules.insert(at.unwrap_or(rules.len()), Arc::unwrap_or_clone(rule));
                self.load(RuleProgram { rules });
                true
            }
        }
    }

    /// Takes a rule out of force. False if there is none of that name.
    pub fn remove_rule(&mut self, rule: RuleId) -> bool {
        if self.lists.remove(rule) {
            self.counters.forget(rule);
            return self.note(true);
        }
        let mut rules = self.rules_cloned();
        let before = rules.len();
        rules.retain(|own| own.id != rule);
        let changed = rules.len() < before;
        if changed {
            self.load(RuleProgram { rules });
        }
        changed
    }

    /// Works what single rules changed into the rows, if anything waits for it. No verdict changes by
    /// it. To be called when there is time: until then every packet pays for each rule that came.
    /// True if there was something to do; there may be more.
    pub fn settle(&mut self) -> bool {
        self.settle_one()
    }

    fn settle_one(&mut self) -> bool {
        match self.lists.settle(&self.sets) {
            Ok(None) => false,
            Ok(Some(new)) => {
                self.place_on(&new);
                true
            }
            Err(_) => {
                self.lists = self.lists.anew(&self.sets);
                self.place_all();
                true
            }
        }
    }

    /// Gives the vNICs on some grounds their classes anew.
    fn place_on(&mut self, grounds: &[Ground]) {
        if grounds.is_empty() {
            return;
        }
        let mut placed = Vec::new();
        for filter in self.filters.values_mut() {
            let on = |ground: &Ground| match ground {
                Ground::Scope(scope) => filter.scopes.contains(scope),
                Ground::Vnic(vnic) => filter.vnic == *vnic,
            };
            if grounds.iter().any(on) {
                self.lists.place(filter);
                placed.push(filter.vnic);
            }
        }
        for vnic in placed {
            self.seat(vnic);
        }
    }

    /// The program once more. Rules of the index stand behind those of Ethernet; between the layers
    /// no order counts.
    fn rules_cloned(&self) -> Vec<Rule> {
        self.lists.program().map(|rule| Rule::clone(rule)).collect()
    }
}

impl crate::list::Lists {
    fn is_crowded(&self) -> bool {
        self.index().is_some_and(|index| index.late().len() >= crate::list::MOST_LATE)
    }

    fn holds(&self, rule: RuleId, layer: Layer) -> bool {
        self.rank_known(rule, layer)
            || self.program().any(|own| own.id == rule && own.layer == layer)
    }
}
