//! The rules that are in force, by section: what changes of a section is found without a look at the
//! others.

use super::node::Node;
use dataplane::{Layer, Replacement, Rule, RuleId, RuleProgram};
use hashbrown::HashMap;
use std::sync::Arc;

/// What was compiled of a section.
#[derive(Debug)]
pub struct Section {
    /// Its id.
    pub id: Arc<str>,
    /// Its enabled rules in order.
    pub rules: Vec<Arc<Rule>>,
    /// The nodes that they name, each once.
    pub named: Vec<Node>,
    /// Whether it stands at routers.
    pub on_routers: bool,
}

/// The sections in order.
#[derive(Debug, Default)]
pub struct Program {
    sections: Vec<Section>,
}

impl Program {
    /// All rules.
    pub fn rules(&self) -> RuleProgram {
        self.sections.iter().flat_map(|section| &section.rules).cloned().collect()
    }

    /// A section.
    pub fn section(&self, id: &str) -> Option<&Section> {
        self.sections.iter().find(|section| *section.id == *id)
    }

    /// The ids of all sections in order.
    pub fn ids(&self) -> Vec<Arc<str>> {
        self.sections.iter().map(|section| Arc::clone(&section.id)).collect()
    }

    /// Puts sections in order and those that were compiled anew in place of what was compiled of them
    /// before. Tells what of the rules that replaces, and which sections are no more, or no more as they were.
    pub fn change(
        &mut self,
        order: &[Arc<str>],
        mut compiled: HashMap<Arc<str>, Section>,
    ) -> (Replacement, Vec<Section>) {
        let same =
            |(own, id): &(&Section, &Arc<str>)| own.id == **id && !compiled.contains_key(*id);
        let first = self.sections.iter().zip(order).take_while(same).count();
        let (own, ahead) = (&self.sections[first..], &order[first..]);
        let last = own.iter().rev().zip(ahead.iter().rev()).take_while(same).count();
        let end = self.sections.len() - last;
        let mut before: HashMap<Arc<str>, Section> = HashMap::new();
        let mut replacement = Replacement::default();
        for section in self.sections.drain(first..end) {
            replacement.old.extend(section.rules.iter().cloned());
            before.insert(Arc::clone(&section.id), section);
        }
        let now = ahead[..ahead.len() - last].iter().filter_map(|id| {
            let Some(mut new) = compiled.remove(id) else { return before.remove(id) };
            if let Some(before) = before.get(id) {
                new.share_rules(before);
            }
            Some(new)
        });
        let now: Vec<Section> = now.collect();
        replacement.new = now.iter().flat_map(|section| &section.rules).cloned().collect();
        let follow = self.sections[first..].iter().flat_map(|section| &section.rules);
        let mut follow = follow.filter(|rule| rule.layer == Layer::Ip);
        replacement.before = follow.next().map(|rule| rule.id);
        self.sections.splice(first..first, now);
        (replacement, before.into_values().collect())
    }
}

impl Section {
    /// Rules that are as they were lie in memory once.
    fn share_rules(&mut self, before: &Self) {
        let known: HashMap<RuleId, &Arc<Rule>> =
            before.rules.iter().map(|rule| (rule.id, rule)).collect();
        for rule in &mut self.rules {
            if let Some(known) = known.get(&rule.id).filter(|known| **known == rule) {
                *rule = Arc::clone(known);
            }
        }
    }
}
