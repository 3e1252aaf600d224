//! The rules of each vNIC: a list shared between vNICs whose lists are equal, or the class that the
//! vNIC has in the index of all rules.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::{Arc, Weak};

use crate::engine::{
    Classifier, Crowded, EngineKind, Ground, Index, Rank, RuleList, STEP, SomeVnics,
};
use crate::filter::Filter;
use crate::matching::Key;
use crate::ruling::Ruling;
use crate::{
    Action, AddressRange, AddressSets, AppliedTo, Layer, Member, Rule, RuleId, RuleProgram,
    ScopeId, SetId, VnicId,
};

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

    /// The engine that searches the layer.
    pub(crate) fn engine(&self) -> EngineKind {
        self.engine.kind()
    }
}

impl Default for VnicList {
    fn default() -> Self {
        Self::new(&[], EngineKind::Walk)
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
///
/// With an index the IP rules are there, once for all vNICs, and lists hold Ethernet rules alone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lists {
    engine: EngineKind,
    index: Option<Box<Index>>,
    rules: Vec<Arc<Rule>>,
    /// Positions in `rules`, ascending, of the rules for everybody, for a scope, for a vNIC.
    everywhere: Vec<usize>,
    by_scope: HashMap<ScopeId, Vec<usize>>,
    by_vnic: HashMap<VnicId, Vec<usize>>,
    /// The list of a vNIC on which no rule stands, but for those of the index.
    nothing: Arc<VnicList>,
    by_signature: WeakMap<Signature>,
    by_positions: WeakMap<Box<[usize]>>,
}

impl Lists {
    pub(crate) fn new(program: RuleProgram, engine: EngineKind, sets: &AddressSets) -> Self {
        Self::of(program.rules, engine, sets)
    }

    fn of(mut rules: Vec<Arc<Rule>>, engine: EngineKind, sets: &AddressSets) -> Self {
        let nothing = Arc::new(VnicList::new(&[], engine));
        let mut lists = Self { engine, nothing, ..Self::default() };
        let of_ip = rules.iter().filter(|rule| rule.layer == Layer::Ip);
        if engine.serves_all_vnics(of_ip.clone().count()) {
            let ranked = (1..).map(|at| at * STEP).zip(of_ip.cloned());
            lists.index = Index::new(ranked.collect(), sets).map(Box::new);
        }
        if lists.index.is_some() {
            rules.retain(|rule| rule.layer == Layer::Ethernet);
        }
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

    /// All rules of the program: those of the index come last.
    pub(crate) fn program(&self) -> impl Iterator<Item = &Arc<Rule>> {
        let indexed = self.index.iter().flat_map(|index| index.rules());
        self.rules.iter().chain(indexed.map(|(_, rule)| rule))
    }

    /// The index of IP rules, if there is one.
    pub(crate) fn index(&self) -> Option<&Index> {
        self.index.as_deref()
    }

    pub(crate) fn index_mut(&mut self) -> Option<&mut Index> {
        self.index.as_deref_mut()
    }

    /// Whether all rules are in the index.
    pub(crate) fn all_indexed(&self) -> bool {
        self.index.is_some() && self.rules.is_empty()
    }

    /// Whether any rule is applied to the scope.
    pub(crate) fn mentions(&self, scope: ScopeId) -> bool {
        let indexed = self.index.as_ref();
        self.by_scope.contains_key(&scope)
            || indexed.is_some_and(|index| index.mentions(Ground::Scope(scope)))
    }

    /// Gives a vNIC the rules of the scopes that it is in now.
    pub(crate) fn place(&mut self, filter: &mut Filter) {
        filter.list = self.list_for(filter.vnic, &filter.scopes);
        if let Some(index) = &mut self.index {
            let scopes = filter.scopes.iter().copied().map(Ground::Scope);
            let class = index.acquire(scopes.chain([Ground::Vnic(filter.vnic)]));
            if let Some(before) = filter.class.replace(class) {
                index.release(before);
            }
        } else {
            filter.class = None;
        }
    }

    /// Forgets the place of a vNIC that goes.
    pub(crate) fn forget(&mut self, filter: &Filter) {
        if let (Some(index), Some(class)) = (&mut self.index, filter.class) {
            index.release(class);
        }
    }

    /// What IP rules say of a packet as if there were no flow.
    pub(crate) fn judge_ip(&self, filter: &Filter, sets: &AddressSets, key: Key<'_>) -> Ruling {
        let (Some(index), Some(class)) = (&self.index, filter.class) else {
            return filter.list.ip.judge(sets, key);
        };
        let first = index.first(class, key);
        let first = self.or_late(|applied_to| filter.holds(applied_to), sets, key, first);
        Ruling::of(first.map(Arc::as_ref), key.packet)
    }

    /// A late rule that comes before the one found, or that; `holds` tells of a vNIC which rules stand on
    /// it.
    pub(crate) fn or_late<'a>(
        &'a self,
        holds: impl Fn(&AppliedTo) -> bool,
        sets: &AddressSets,
        key: Key<'_>,
        found: Option<(Rank, &'a Arc<Rule>)>,
    ) -> Option<&'a Arc<Rule>> {
        let before = found.map_or(Rank::MAX, |(rank, _)| rank);
        let late = self.index.iter().filter(|index| !index.late().is_empty());
        let first = late.map(|index| index.late()).find_map(|late| {
            let matches = |rule: &Rule| rule.matches(sets, key) && holds(&rule.applied_to);
            late.first_of(late.wanting(key.packet), before, matches)
        });
        first.or(found.map(|(_, rule)| rule))
    }

    /// What both layers together say of a packet as if there were no flow.
    pub(crate) fn judge(&self, filter: &Filter, sets: &AddressSets, key: Key<'_>) -> Ruling {
        let ruling = filter.list.ethernet.judge(sets, key);
        if ruling.action == Action::Allow && key.packet.ip.is_some() {
            self.judge_ip(filter, sets, key)
        } else {
            ruling
        }
    }

    /// A vNIC's IP rules in the order they are tried.
    pub(crate) fn ip_rules<'a>(&'a self, filter: &'a Filter) -> impl Iterator<Item = &'a Rule> {
        let indexed = self
            .index
            .as_ref()
            .zip(filter.class)
            .map(|(index, class)| index.rules_of(class, |applied_to| filter.holds(applied_to)));
        let listed = filter.list.ip.rules.iter().map(Arc::as_ref);
        indexed.into_iter().flatten().chain(listed)
    }

    /// Follows a change of one member of a set; the sets are as they are now.
    pub(crate) fn follow(&mut self, sets: &AddressSets, set: SetId, member: &Member) {
        if let Some(index) = &mut self.index {
            index.follow(sets, set, member);
        }
    }

    /// Where addresses may have come to meet other rules since this was asked last.
    pub(crate) fn moved(&mut self) -> Vec<AddressRange> {
        self.index.as_mut().map(|index| index.moved()).unwrap_or_default()
    }

    /// Puts an IP rule that stands on some vNICs, or everywhere, in force before another, or at the end,
    /// without a look at the rest. `None` where that can not be done: then the program has to be loaded anew.
    pub(crate) fn insert(
        &mut self,
        rule: &Arc<Rule>,
        before: Option<RuleId>,
        on: &SomeVnics,
    ) -> Option<()> {
        let index = self.index.as_mut().filter(|_| rule.layer == Layer::Ip)?;
        index.insert(Arc::clone(rule), before, on)
    }

    /// Whether no two rules of the index have one name.
    pub(crate) fn has_names_of_its_own(&self) -> bool {
        self.index.as_ref().is_some_and(|index| index.has_names_of_its_own())
    }

    /// Whether the index has a rule of that name.
    pub(crate) fn rank_known(&self, rule: RuleId, layer: Layer) -> bool {
        layer == Layer::Ip && self.index.as_ref().is_some_and(|index| index.knows(rule))
    }

    /// Whether a rule of that name is in the program and not in the index.
    pub(crate) fn has_outside_index(&self, rule: RuleId) -> bool {
        self.rules.iter().any(|own| own.id == rule)
    }

    /// Takes a rule out of force, as [`insert`](Lists::insert) puts one in.
    pub(crate) fn remove(&mut self, rule: RuleId) -> bool {
        self.index.as_mut().is_some_and(|index| index.remove(rule))
    }

    /// Works one late change of rules in; `None` if there was no change. `Err` if there is no room: the
    /// rows must be made anew.
    pub(crate) fn settle(&mut self, sets: &AddressSets) -> Result<Option<Vec<Ground>>, Crowded> {
        self.index.as_mut().map_or(Ok(None), |index| index.settle(sets))
    }

    /// The same rules, with rows of which nothing is late.
    pub(crate) fn anew(&self, sets: &AddressSets) -> Self {
        Self::of(self.program().cloned().collect(), self.engine, sets)
    }

    fn list_for(&mut self, vnic: VnicId, scopes: &BTreeSet<ScopeId>) -> Arc<VnicList> {
        if self.rules.is_empty() {
            return Arc::clone(&self.nothing);
        }
        let named = |scope: &ScopeId| self.by_scope.contains_key(scope);
        let signature = Signature {
            scopes: scopes.iter().copied().filter(named).collect(),
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
    use crate::RuleId;

    fn rule(id: u64, scopes: &[u32], vnics: &[u32]) -> Rule {
        Rule {
            applied_to: AppliedTo::OneOf {
                scopes: scopes.iter().copied().map(ScopeId).collect(),
                vnics: vnics.iter().copied().map(VnicId).collect(),
            },
            ..Rule::drop_all(RuleId(id))
        }
    }

    fn lists(rules: Vec<Rule>) -> Lists {
        Lists::new(rules.into_iter().collect(), EngineKind::Walk, &AddressSets::default())
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
        assert_eq!(other.ip.rules.iter().map(|rule| rule.id.0).collect::<Vec<_>>(), [1, 2]);
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
