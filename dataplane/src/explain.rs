//! Why a verdict is what it is, rule by rule.

use std::sync::Arc;

use crate::list::Lists;
use crate::matching::{Field, Key};
use crate::{Action, AddressSets, Layer, Rule, RuleId, Verdict};

use crate::filter::Filter;

/// The rules a packet met, in order, and the verdict.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Explanation {
    /// The rules considered: Ethernet first, then IP if that layer was consulted. Each layer ends
    /// with the rule that matched, or with its last rule. Empty if a guard stood before the rules.
    pub steps: Vec<Step>,
    /// The verdict, equal to that of [`Dataplane::judge`](crate::Dataplane::judge).
    pub verdict: Verdict,
}

/// One rule a packet met.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Step {
    /// The rule.
    pub rule: RuleId,
    /// Its layer.
    pub layer: Layer,
    /// The field the packet failed; `None` if the rule matched and so decided the layer.
    pub failed: Option<Field>,
}

/// The steps of a packet through both layers of a filter.
pub(crate) fn steps(lists: &Lists, filter: &Filter, sets: &AddressSets, key: Key<'_>) -> Vec<Step> {
    let ethernet = &filter.list.ethernet;
    let mut steps = Vec::new();
    walk(ethernet.rules.iter().map(Arc::as_ref), sets, key, &mut steps);
    let allowed = ethernet.judge(sets, key).action == Action::Allow;
    if allowed && key.packet.ip.is_some() {
        walk(lists.ip_rules(filter), sets, key, &mut steps);
    }
    steps
}

fn walk<'a>(
    rules: impl Iterator<Item = &'a Rule>,
    sets: &AddressSets,
    key: Key<'_>,
    steps: &mut Vec<Step>,
) {
    for rule in rules {
        let failed = rule.check(sets, key).err();
        steps.push(Step { rule: rule.id, layer: rule.layer, failed });
        if failed.is_none() {
            break;
        }
    }
}
