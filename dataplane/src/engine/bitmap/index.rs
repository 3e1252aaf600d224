//! The rules by what they name: rows of bits by source, destination, service and Applied To.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::addresses::{Addresses, DESTINATION, SOURCE};
use super::arena::Arena;
use super::classes::Classes;
use super::late::{Late, Mask};
use super::layout::{Layout, Rank, STEP, is_open};
use super::listed::Tag;
use super::rows::Base;
use super::services::Services;
use super::wide::Processor;
use crate::{
    AddressRange, AddressSets, AppliedTo, Direction, Family, Member, Peer, Rule, ScopeId,
    ServiceMatch, SetId, Term, VnicId,
};

/// What puts a rule on a vNIC, where not every vNIC has it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Ground {
    /// The vNIC is in the scope.
    Scope(ScopeId),
    /// The vNIC is named.
    Vnic(VnicId),
}

/// The label and field of each condition of a rule that is not "any".
type Named = Vec<(u32, usize)>;

/// IP rules, and where each stands in every row.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    /// What the processor offers beyond plain code.
    pub(super) processor: Processor,
    pub(super) layout: Layout,
    pub(super) addresses: Addresses,
    pub(super) services: Services,
    pub(super) applied: Classes<1>,
    grounds: FxHashMap<Ground, u32>,
    /// Whether any rule stands on some vNICs only.
    pub(super) restricted: bool,
    /// The rules in force by direction and IP version, and none for what is not IP.
    pub(super) ways: [Base; 5],
    /// Whether there ever was a rule whose service asks for more than the tables look at.
    pub(super) conditions: bool,
    /// Rules that came since: tried by themselves until they are settled.
    late: Late,
    /// Rules that went since, by place.
    gone: Vec<(u32, Arc<Rule>)>,
    /// The rank of the rule that came last.
    latest: Rank,
    /// All rules in order, with their place; late ones have none.
    order: BTreeMap<Rank, (Arc<Rule>, Option<u32>)>,
}

/// The most rules that went and still take room, before it is time to settle.
const MOST_GONE: usize = 32;

/// The row of [`Index::ways`] for what is not IP.
pub(super) const NO_WAY: usize = 4;

/// The row of [`Index::ways`] for a packet.
pub(super) const fn way(direction: Direction, family: Family) -> usize {
    (direction as usize) << 1 | family as usize
}

impl Index {
    /// Rows for these rules, whose ranks ascend; `None` if they are more than a million.
    pub(crate) fn new(rules: Vec<(Rank, Arc<Rule>)>, sets: &AddressSets) -> Option<Self> {
        Self::build(rules, sets, true)
    }

    /// Rows for the rules of one vNIC's list, all of which stand on it.
    pub(crate) fn of_one_list(rules: Vec<(Rank, Arc<Rule>)>, sets: &AddressSets) -> Option<Self> {
        Self::build(rules, sets, false)
    }

    fn build(rules: Vec<(Rank, Arc<Rule>)>, sets: &AddressSets, applied: bool) -> Option<Self> {
        let layout = Layout::new(&rules)?;
        let shape = layout.shape;
        let mut index = Self {
            processor: Processor::best(),
            addresses: Addresses::new(shape),
            services: Services::new(shape),
            applied: Classes::new([shape]),
            grounds: FxHashMap::default(),
            restricted: false,
            ways: std::array::from_fn(|_| Base::new(shape)),
            conditions: false,
            late: Late::new(),
            latest: 0,
            gone: Vec::new(),
            order: BTreeMap::new(),
            layout,
        };
        let places = index.layout.places(&rules);
        for (place, (rank, rule)) in places.iter().zip(&rules) {
            index.put_bases(rule, *rank, *place);
            for (label, field) in index.peers(rule).0 {
                index.addresses.classes.name(label, field, *place);
            }
            if applied {
                for label in index.grounds(rule).0 {
                    index.applied.name(label, 0, *place);
                }
            }
        }
        index.restricted &= applied;
        let wanted = places.iter().zip(&rules).map(|(place, (_, rule))| (*place, &rule.service));
        index.services.fill(wanted);
        index.addresses.fill(sets);
        let places = places.into_iter().map(Some);
        let ordered = rules.into_iter().zip(places);
        index.order = ordered.map(|((rank, rule), place)| (rank, (rule, place))).collect();
        Some(index)
    }

    /// All rules in order.
    pub(crate) fn rules(&self) -> impl DoubleEndedIterator<Item = (Rank, &Arc<Rule>)> {
        self.order.iter().map(|(rank, (rule, _))| (*rank, rule))
    }

    /// The rules that have a place, in order.
    pub(super) fn settled(&self) -> impl Iterator<Item = (&Rule, u32)> {
        self.order.values().filter_map(|(rule, place)| Some((&**rule, (*place)?)))
    }

    /// Whether rules went that lists still have.
    pub(super) const fn has_gone(&self) -> bool {
        !self.gone.is_empty()
    }

    /// The rules that came since.
    pub(crate) const fn late(&self) -> &Late {
        &self.late
    }

    /// Whether so much waits to be settled that it should be done.
    pub(crate) const fn is_due(&self) -> bool {
        self.late.is_many() || self.gone.len() > MOST_GONE
    }

    /// Where rows lie.
    fn arenas(&self) -> [&Arena; 4] {
        let [source, destination] = &self.addresses.classes.rows;
        [source, destination, &self.services.rows, &self.applied.rows[0]].map(|rows| &rows.lines)
    }

    fn arenas_mut(&mut self) -> [&mut Arena; 4] {
        let [source, destination] = &mut self.addresses.classes.rows;
        let all = [source, destination, &mut self.services.rows, &mut self.applied.rows[0]];
        all.map(|rows| &mut rows.lines)
    }

    /// From now on rows are shared with another copy: see [`super::arena`].
    pub(crate) fn share(&mut self) {
        for arena in self.arenas_mut() {
            arena.share();
        }
    }

    /// Whether rows are shared with another copy.
    pub(crate) fn is_shared(&self) -> bool {
        self.arenas().iter().all(|arena| arena.is_shared())
    }

    /// Begins a turn as the copy that nobody sees: one of its own, or with `repeats` the one that the
    /// shown copy has made.
    pub(crate) fn turn(&mut self, shown: &Self, repeats: bool) {
        for (own, shown) in self.arenas_mut().into_iter().zip(shown.arenas()) {
            own.turn(shown, repeats);
        }
    }

    /// Whether both copies came to the same rows.
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        self.arenas().iter().zip(other.arenas()).all(|(own, other)| own.agrees(other))
    }

    /// A rank for a rule before another, or at the end; `None` if there is none left there.
    pub(crate) fn rank_before(&self, next: Option<Rank>) -> Option<Rank> {
        let before = match next {
            Some(next) => self.order.range(..next).next_back(),
            None => self.order.iter().next_back(),
        };
        let low = before.map_or(0, |(rank, _)| *rank);
        let Some(next) = next else { return low.checked_add(STEP) };
        let gap = next - low;
        // Rules often come one behind the other, or one before the other: those to come get most of
        // the gap.
        let part = match self.latest {
            latest if latest == low => gap.div_ceil(1_024),
            latest if latest == next => gap - gap.div_ceil(1_024),
            _ => gap / 2,
        };
        (0 < part && part < gap).then_some(low + part)
    }

    /// Spreads the ranks evenly again.
    pub(crate) fn rename(&mut self) {
        // The ranks of rules that went would be in the way.
        while let Some((place, rule)) = self.gone.pop() {
            self.clear(&rule, place);
        }
        let ranks = (1..).map(|at| at * STEP);
        let names: FxHashMap<Rank, Rank> = self.order.keys().copied().zip(ranks).collect();
        let renamed = |rank: Rank| names.get(&rank).copied().unwrap_or(rank);
        let order = std::mem::take(&mut self.order);
        self.order = order.into_iter().map(|(rank, own)| (renamed(rank), own)).collect();
        self.layout.rename(renamed);
        self.late.rename(renamed);
        self.addresses.classes.rows[DESTINATION].rename(renamed);
        self.latest = 0;
    }

    /// The rules on the vNICs of a class, in order; late ones as `holds` says.
    pub(crate) fn rules_of<'a>(
        &'a self,
        class: u32,
        holds: impl Fn(&AppliedTo) -> bool + 'a,
    ) -> impl Iterator<Item = &'a Rule> {
        let row = self.applied.of[class as usize][0];
        let on = move |place: &Option<u32>, rule: &Rule| match place {
            Some(place) => self.applied.rows[0].holds(row, *place),
            None => holds(&rule.applied_to),
        };
        let rules = self.order.values().filter(move |(rule, place)| on(place, rule));
        rules.map(|(rule, _)| &**rule)
    }

    /// The class of a vNIC on these grounds, for one vNIC more.
    pub(crate) fn acquire(&mut self, grounds: impl Iterator<Item = Ground>) -> u32 {
        let mut labels: Vec<u32> =
            grounds.filter_map(|ground| self.grounds.get(&ground)).copied().collect();
        labels.sort_unstable();
        self.applied.acquire(&labels)
    }

    /// Whether any rule has been applied on this ground.
    pub(crate) fn mentions(&self, ground: Ground) -> bool {
        self.grounds.contains_key(&ground)
    }

    /// Gives a class of vNICs back for one of them.
    pub(crate) fn release(&mut self, class: u32) {
        self.applied.release(class);
    }

    /// Follows a change of one member of a set; the sets are as they are now.
    pub(crate) fn follow(&mut self, sets: &AddressSets, set: SetId, member: &Member) {
        self.addresses.follow(sets, set, member);
    }

    /// Puts a rule in force. It is tried by itself until it is [settled](Index::settle), by the number
    /// told.
    pub(crate) fn insert(&mut self, rank: Rank, rule: Arc<Rule>) -> Mask {
        self.latest = rank;
        self.order.insert(rank, (Arc::clone(&rule), None));
        self.late.insert(rank, rule)
    }

    /// Takes a rule out of force. Tells the rule and, if it was late, its number.
    pub(crate) fn remove(&mut self, rank: Rank) -> Option<(Arc<Rule>, Mask)> {
        let (rule, place) = self.order.remove(&rank)?;
        let Some(place) = place else {
            let number = self.late.remove(rank);
            return Some((rule, number));
        };
        for way in &mut self.ways {
            way.put(place as usize, false);
        }
        self.gone.push((place, Arc::clone(&rule)));
        Some((rule, 0))
    }

    /// Works one change of rules into the rows, if one waits. No answer changes by it. An error says
    /// that there is no room at a rule's place in the order, and the rows must be made anew.
    pub(crate) fn settle(&mut self, sets: &AddressSets) -> Result<Option<Settled>, Crowded> {
        let next = self.late.first().map(|(rank, rule)| (rank, Arc::clone(rule)));
        let place = next.as_ref().and_then(|(rank, rule)| self.layout.place(*rank, rule));
        // Every packet may have to try late rules; those that went only take room.
        if (place.is_none() || !self.late.is_many())
            && let Some((place, rule)) = self.gone.pop()
        {
            self.clear(&rule, place);
            return Ok(Some(Settled { late: None, new: Vec::new() }));
        }
        let Some((rank, rule)) = next else { return Ok(None) };
        let place = place.ok_or(Crowded)?;
        let number = self.late.remove(rank);
        let new = self.work_in(&rule, rank, place, sets);
        self.layout.take(place, rank, &rule);
        self.order.insert(rank, (Arc::clone(&rule), Some(place)));
        Ok(Some(Settled { late: Some((rule, number)), new }))
    }

    fn work_in(&mut self, rule: &Rule, rank: Rank, place: u32, sets: &AddressSets) -> Vec<Ground> {
        self.put_bases(rule, rank, place);
        let (named, new) = self.peers(rule);
        for (label, field) in named {
            self.addresses.classes.enter(label, field, place);
        }
        for (label, origin) in new {
            match origin {
                Origin::Range(range) => self.addresses.cover(range, label),
                Origin::Set(set) => {
                    let set = sets.get(set);
                    for member in set.into_iter().flat_map(crate::AddressSet::iter) {
                        if let Member::Range(range) = member {
                            self.addresses.follow_label(set, label, range);
                        }
                    }
                }
            }
        }
        self.services.change(&rule.service, place, true);
        let (labels, new) = self.grounds(rule);
        for label in labels {
            self.applied.enter(label, 0, place);
        }
        new
    }

    /// Takes a rule's bits out of all rows, and frees its place.
    fn clear(&mut self, rule: &Rule, place: u32) {
        for (label, field) in self.peers(rule).0 {
            self.addresses.classes.quit(label, field, place);
        }
        for label in self.grounds(rule).0 {
            self.applied.quit(label, 0, place);
        }
        self.services.change(&rule.service, place, false);
        for base in [SOURCE, DESTINATION] {
            self.addresses.classes.rows[base].base.put(place as usize, false);
        }
        self.services.rows.base.put(place as usize, false);
        self.applied.rows[0].base.put(place as usize, false);
        self.layout.give_back(place);
    }

    /// What a stranger meets of a rule.
    fn put_bases(&mut self, rule: &Rule, rank: Rank, place: u32) {
        let code = self.services.codes.code(rule);
        self.services.rows.tag(place, Tag { rank, bits: code });
        let tag = Tag::of(rule, rank, code);
        let [source, destination] = &mut self.addresses.classes.rows;
        destination.tag(place, tag);
        let place = place as usize;
        source.base.put(place, is_open(&rule.source));
        destination.base.put(place, is_open(&rule.destination));
        self.services.rows.base.put(place, rule.service == ServiceMatch::Any);
        let everywhere = rule.applied_to == AppliedTo::Everywhere;
        self.applied.rows[0].base.put(place, everywhere);
        self.restricted |= !everywhere;
        self.conditions |= self.layout.is_conditional(rule);
        for direction in [Direction::In, Direction::Out] {
            for family in [Family::V4, Family::V6] {
                let holds = rule.direction.is_none_or(|own| own == direction)
                    && rule.family.is_none_or(|own| own == family);
                self.ways[way(direction, family)].put(place, holds);
            }
        }
    }

    /// The labels of a rule's ends, each once, and what those stand for that are new.
    fn peers(&mut self, rule: &Rule) -> (Named, Vec<(u32, Origin)>) {
        let (mut named, mut new) = (Named::new(), Vec::new());
        for (field, peer) in [(SOURCE, &rule.source), (DESTINATION, &rule.destination)] {
            let Peer::OneOf { terms, .. } = peer else { continue };
            for term in terms {
                let (label, origin) = match term {
                    Term::Set(set) => (self.addresses.set_label(*set), Origin::Set(*set)),
                    Term::Range(range) => {
                        (self.addresses.range_label(*range), Origin::Range(*range))
                    }
                    Term::Mac(_) => continue,
                };
                if label.1 {
                    new.push((label.0, origin));
                }
                if !named.contains(&(label.0, field)) {
                    named.push((label.0, field));
                }
            }
        }
        (named, new)
    }

    /// The labels of what a rule is applied to, and the grounds that are new.
    fn grounds(&mut self, rule: &Rule) -> (Vec<u32>, Vec<Ground>) {
        let (mut labels, mut new) = (Vec::new(), Vec::new());
        let AppliedTo::OneOf { scopes, vnics } = &rule.applied_to else { return (labels, new) };
        let scopes = scopes.iter().copied().map(Ground::Scope);
        for ground in scopes.chain(vnics.iter().copied().map(Ground::Vnic)) {
            let label = *self.grounds.entry(ground).or_insert_with(|| {
                new.push(ground);
                self.applied.label()
            });
            if !labels.contains(&label) {
                labels.push(label);
            }
        }
        (labels, new)
    }

    /// Bytes of the tables, without the rules themselves.
    pub(crate) fn bytes(&self) -> usize {
        let bases: usize = self.ways.iter().map(Base::bytes).sum();
        let applied = if self.restricted { self.applied.bytes() } else { 0 };
        self.addresses.bytes() + self.services.bytes() + applied + bases + self.layout.bytes()
    }
}

/// What was worked into the rows.
#[derive(Debug)]
pub(crate) struct Settled {
    /// The rule that is late no more, and its number until then; none if one went.
    pub(crate) late: Option<(Arc<Rule>, Mask)>,
    /// The grounds that are new with it: the vNICs on them must be given classes anew.
    pub(crate) new: Vec<Ground>,
}

/// There is no free place between a rule's neighbours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Crowded;

/// What a label of an address stands for.
enum Origin {
    Set(SetId),
    Range(AddressRange),
}
