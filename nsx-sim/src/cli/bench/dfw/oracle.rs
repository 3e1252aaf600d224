//! The walk that verdicts are held against.

use super::Asked;
use dataplane::{AddressSets, AppliedTo, Evidence, Key, Rule, ScopeId, Verdict};
use fixtures::grouped::World;
use std::collections::BTreeMap;

/// What judges by walking: the oracle.
pub(super) struct Oracle {
    pub(super) sets: AddressSets,
    rules: BTreeMap<usize, Rule>,
    scopes: Vec<Vec<ScopeId>>,
    everywhere: Vec<usize>,
    by_scope: BTreeMap<ScopeId, Vec<usize>>,
}

impl Oracle {
    pub(super) fn new(world: &World, sets: AddressSets) -> Self {
        let mut scopes = vec![Vec::new(); world.pods.len()];
        for (group, pods) in (0..).zip(&world.groups) {
            for pod in pods {
                scopes[*pod as usize].push(ScopeId(group));
            }
        }
        let (mut everywhere, mut by_scope) = (Vec::new(), BTreeMap::<_, Vec<_>>::new());
        for (at, rule) in world.rules.iter().enumerate() {
            match &rule.applied_to {
                AppliedTo::Everywhere => everywhere.push(at),
                AppliedTo::OneOf { scopes, .. } => {
                    for scope in scopes {
                        by_scope.entry(*scope).or_default().push(at);
                    }
                }
            }
        }
        let rules = world.rules.iter().cloned().enumerate().collect();
        Self { sets, rules, scopes, everywhere, by_scope }
    }

    fn judge(&self, (vnic, direction, packet): Asked<'_>) -> Evidence {
        let key = Key { direction, packet };
        let first = |places: &[usize], below: usize| {
            let places = places.iter().take_while(|at| **at < below);
            places
                .copied()
                .find(|at| self.rules.get(at).is_some_and(|rule| rule.matches(&self.sets, key)))
        };
        let scopes = self.scopes.get(vnic.0 as usize).into_iter().flatten();
        let own = scopes.filter_map(|scope| self.by_scope.get(scope));
        let best = own.fold(usize::MAX, |best, places| first(places, best).unwrap_or(best));
        let best = first(&self.everywhere, best).unwrap_or(best);
        self.rules.get(&best).map_or(Evidence::NoRule, |rule| Evidence::Rule(rule.id))
    }

    pub(super) fn check(&self, asked: &[Asked<'_>], verdicts: &[Verdict]) -> usize {
        let wrong = |(asked, own): &(&Asked<'_>, &Verdict)| self.judge(**asked) != own.by;
        asked.iter().zip(verdicts).filter(wrong).count()
    }
}
