//! The rule list of each vNIC, shared between vNICs whose lists are equal.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::{Arc, Weak};

use crate::engine::{Classifier, EngineKind, RuleList};
use crate::matching::Key;
use crate::ruling::Ruling;
use crate::{Action, AddressSets, AppliedTo, Layer, Rule, RuleProgram, ScopeId, VnicId};

/// The rules in force on a vNIC, by layer.
#[derive(Debug)]
pub(crate) struct VnicList {
    pub(crate) ethernet: Table,
    pub(crate) ip: Table,
}

/// One layer's rules and the engine that searches them.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) rules: RuleList,
    engine: Box<dyn Classifier>,
}

impl Table {
    /// What this layer says of a packet.
    pub(crate) fn judge(&self, sets: &AddressSets, key: Key<'_>) -> Ruling {
        let first = self.engine.classify(sets, key).and_then(|at| self.rules.get(at));
        Ruling::of(first.map(Arc::as_ref), key.packet)
    }
}

impl VnicList {
    fn new(rules: &[Arc<Rule>], engine: EngineKind) -> Self {
        let table = |layer| {
            let rules: RuleList = rules.iter().filter(|r| r.layer == layer).cloned().collect();
            Table { engine: engine.build_or_walk(Arc::clone(&rules)), rules }
        };
        Self { ethernet: table(Layer::Ethernet), ip: table(Layer::Ip) }
    }

    /// What both layers together say of a packet as if there were no flow.
    pub(crate) fn judge(&self, sets: &AddressSets, key: Key<'_>) -> Ruling {
        let ruling = self.ethernet.judge(sets, key);
        if ruling.action == Action::Allow && key.packet.ip.is_some() {
            self.ip.judge(sets, key)
        } else {
            ruling
        }
    }

    /// The rules in the order they are tried.
    pub(crate) fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.ethernet.rules.iter().chain(self.ip.rules.iter()).map(Arc::as_ref)
    }
}

/// All that decides a vNIC's list under one program: the scopes it is in, as far as the program
/// names them, and its own name, if the program names it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Signature {
    scopes: Box<[ScopeId]>,
    named: Option<VnicId>,
}

/// A program taken apart by applied-to, and the lists built from it that are in use.
///
/// A vNIC that joins or leaves a scope looks up the list of its new signature; a list nobody has
/// yet is merged from the positions of its parts, without a look at any other rule. The maps hold
/// lists weakly: a list lives as long as a vNIC uses it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lists {
    engine: EngineKind,
    rules: Vec<Arc<Rule>>,
    /// Positions in `rules`, ascending, of the rules for everybody, for a scope, for a vNIC.
    everywhere: Vec<usize>,
    by_scope: HashMap<ScopeId, Vec<usize>>,
    by_vnic: HashMap<VnicId, Vec<usize>>,
    by_signature: WeakMap<Signature>,
    by_positions: WeakMap<Box<[usize]>>,
}

impl Lists {
    pub(crate) fn new(program: RuleProgram, engine: EngineKind) -> Self {
        let rules: Vec<Arc<Rule>> = program.rules.into_iter().map(Arc::new).collect();
        let mut lists = Self { engine, ..Self::default() };
        for (position, rule) in rules.iter().enumerate() {
            match &rule.applied_to {
                AppliedTo::Everywhere => lists.everywhere.push(position),
                AppliedTo::OneOf { scopes, vnics } => {
                    for scope in scopes {
                        lists.by_scope.entry(*scope).or_default().push(position);
                    }
                    for vnic in vnics {
                        lists.by_vnic.entry(*vnic).or_default().push(position);
                    }
                }
            }
        }
        lists.rules = rules;
        lists
    }

    /// The whole program, in order.
    pub(crate) fn program(&self) -> &[Arc<Rule>] {
        &self.rules
    }

    /// Whether any rule is applied to the scope.
    pub(crate) fn mentions(&self, scope: ScopeId) -> bool {
        self.by_scope.contains_key(&scope)
    }

    /// The list of a vNIC that is in these scopes.
    pub(crate) fn list_for(&mut self, vnic: VnicId, scopes: &BTreeSet<ScopeId>) -> Arc<VnicList> {
        let signature = Signature {
            scopes: scopes.iter().copied().filter(|scope| self.mentions(*scope)).collect(),
            named: self.by_vnic.contains_key(&vnic).then_some(vnic),
        };
        if let Some(list) = self.by_signature.get(&signature) {
            return list;
        }
        let positions = self.positions(&signature);
        let list = self.by_positions.get(&positions).unwrap_or_else(|| {
            let rules = positions.iter().filter_map(|&position| self.rules.get(position));
            let rules: Vec<Arc<Rule>> = rules.cloned().collect();
            Arc::new(VnicList::new(&rules, self.engine))
        });
        self.by_positions.insert(positions, &list);
        self.by_signature.insert(signature, &list);
        list
    }

    fn positions(&self, signature: &Signature) -> Box<[usize]> {
        let scopes = signature.scopes.iter().filter_map(|scope| self.by_scope.get(scope));
        let named = signature.named.iter().filter_map(|vnic| self.by_vnic.get(vnic));
        let parts = std::iter::once(&self.everywhere).chain(scopes).chain(named);
        // A rule may reach the vNIC on several ways; it stands in the list once.
        let mut positions: Vec<usize> = parts.flatten().copied().collect();
        positions.sort_unstable();
        positions.dedup();
        positions.into_boxed_slice()
    }

    /// The number of different lists in use.
    #[cfg(test)]
    pub(crate) fn in_use(&self) -> usize {
        self.by_positions.lists.values().filter(|list| list.strong_count() > 0).count()
    }
}

/// Lists by key, as long as somebody else holds them.
#[derive(Clone, Debug)]
struct WeakMap<K> {
    lists: HashMap<K, Weak<VnicList>>,
    /// Dead entries are swept when the map has grown to this size.
    sweep_at: usize,
}

impl<K> WeakMap<K> {
    /// Small enough never to matter, large enough to sweep seldom.
    const SMALLEST_SWEEP: usize = 64;
}

impl<K> Default for WeakMap<K> {
    fn default() -> Self {
        Self { lists: HashMap::new(), sweep_at: Self::SMALLEST_SWEEP }
    }
}

impl<K: Eq + Hash> WeakMap<K> {
    fn get(&self, key: &K) -> Option<Arc<VnicList>> {
        self.lists.get(key).and_then(Weak::upgrade)
    }

    fn insert(&mut self, key: K, list: &Arc<VnicList>) {
        if self.lists.len() >= self.sweep_at {
            self.lists.retain(|_, list| list.strong_count() > 0);
            // Twice what lives: each sweep is paid for by as many insertions.
            self.sweep_at = (2 * self.lists.len()).max(Self::SMALLEST_SWEEP);
        }
        self.lists.insert(key, Arc::downgrade(list));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Peer, RuleId, ServiceMatch};

    fn rule(id: u64, scopes: &[u32], vnics: &[u32]) -> Rule {
        Rule {
            id: RuleId(id),
            layer: Layer::Ip,
            action: Action::Drop,
            direction: None,
            family: None,
            source: Peer::Any,
            destination: Peer::Any,
            service: ServiceMatch::Any,
            applied_to: AppliedTo::OneOf {
                scopes: scopes.iter().copied().map(ScopeId).collect(),
                vnics: vnics.iter().copied().map(VnicId).collect(),
            },
            stateful: false,
            tcp_strict: false,
        }
    }

    fn lists(rules: Vec<Rule>) -> Lists {
        Lists::new(RuleProgram { rules }, EngineKind::Walk)
    }

    fn scopes(ids: impl IntoIterator<Item = u32>) -> BTreeSet<ScopeId> {
        ids.into_iter().map(ScopeId).collect()
    }

    #[test]
    fn equal_lists_are_stored_once() {
        // Scopes 1 and 2 name the same rule, scope 9 none, and vNIC 5 is named for it as well.
        let mut lists = lists(vec![rule(1, &[1, 2], &[5]), rule(2, &[3], &[])]);
        let one = lists.list_for(VnicId(1), &scopes([1]));
        for (vnic, joined) in [(2, vec![2]), (3, vec![1, 2]), (4, vec![1, 9]), (5, vec![])] {
            let list = lists.list_for(VnicId(vnic), &scopes(joined));
            assert!(Arc::ptr_eq(&one, &list), "vNIC {vnic}");
        }
        let other = lists.list_for(VnicId(1), &scopes([1, 3]));
        assert_eq!(other.rules().map(|rule| rule.id.0).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(lists.in_use(), 2);
        // Scope 9 made no difference: [1], [2], [1, 2], vNIC 5 and [1, 3].
        assert_eq!(lists.by_signature.lists.len(), 5);
    }

    #[test]
    fn lists_that_nobody_uses_are_swept() {
        let names: Vec<u32> = (0..10).collect();
        let mut lists = lists(names.iter().map(|&id| rule(id.into(), &[id], &[])).collect());
        let kept = lists.list_for(VnicId(1), &scopes([0]));
        for mask in 0..1024_u32 {
            let joined = names.iter().copied().filter(|id| mask >> id & 1 == 1);
            drop(lists.list_for(VnicId(2), &scopes(joined)));
        }
        assert_eq!(lists.in_use(), 1);
        assert!(lists.by_positions.lists.len() <= WeakMap::<Signature>::SMALLEST_SWEEP);
        assert!(lists.by_signature.lists.len() <= WeakMap::<Signature>::SMALLEST_SWEEP);
        assert!(Arc::ptr_eq(&kept, &lists.list_for(VnicId(3), &scopes([0]))));
    }
}
