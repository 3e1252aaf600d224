//! The rules by what they name: rows of bits by source, destination, service and Applied To.

use std::iter::from_fn;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::addresses::Addresses;
use super::arena::Arena;
use super::classes::Classes;
use super::homes::Homes;
use super::late::Late;
use super::layout::{Layout, Rank};
use super::local::{Entries, Local};
use super::order::Order;
use super::rows::{Base, Shape};
use super::services::Services;
use super::wide::Processor;
use crate::{
    AddressRange, AddressSets, AppliedTo, Direction, Family, Member, Rule, RuleId, ScopeId, SetId,
    VnicId,
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
pub(super) type Named = Vec<(u32, usize)>;

/// IP rules, and where each stands in every row.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    /// What the processor offers beyond plain code.
    pub(super) processor: Processor,
    pub(super) layout: Layout,
    pub(super) addresses: Addresses,
    pub(super) services: Services,
    pub(super) applied: Classes<2>,
    /// The rules that are listed by the class of the vNIC; rows have all others.
    pub(super) local: Local,
    /// What those ask of the other end where one is the vNIC's own.
    pub(super) homes: Homes,
    pub(super) grounds: FxHashMap<Ground, u32>,
    /// Whether any rule stands on some vNICs only.
    pub(super) restricted: bool,
    /// The rules in force by direction and IP version, and none for what is not IP.
    pub(super) ways: [Base; 5],
    /// Whether there ever was a rule whose service asks for more than the tables look at.
    pub(super) conditions: bool,
    /// Rules that came since: tried by themselves until they are settled.
    pub(super) late: Late,
    /// Rules that went since, by place.
    pub(super) gone: Vec<(Spot, Arc<Rule>)>,
    /// The rank of the rule that came last.
    pub(super) latest: Rank,
    /// All rules in order but the late ones.
    pub(super) order: Order,
}

/// Where a rule is to be found.
#[derive(Clone, Copy, Debug)]
pub(super) enum Spot {
    /// At a place in the rows.
    Row(u32),
    /// In lists of vNICs.
    Lists(Entries),
}

/// The rows of a class of vNICs: of the rules that stand on them, and the list of those of its own.
pub(super) const APPLIED: usize = 0;
pub(super) const LIST: usize = 1;

/// The most rules that went and still take room, before it is time to settle.
const MOST_GONE: usize = 32;

/// The row of [`Index::ways`] for what is not IP.
pub(super) const NO_WAY: usize = 4;

/// The row of [`Index::ways`] for a packet.
pub(super) const fn way(direction: Direction, family: Family) -> usize {
    (direction as usize) << 1 | family as usize
}

/// Where rows lie, of an index that is borrowed one way or the other.
macro_rules! arenas {
    ($index:ident $(, $mutable:ident)?) => {{
        let Self { addresses, services, applied, homes, .. } = $index;
        let [source, destination, signs, _] = & $($mutable)? addresses.classes.rows;
        let [applied, lists] = & $($mutable)? applied.rows;
        [
            & $($mutable)? source.lines,
            & $($mutable)? destination.lines,
            & $($mutable)? signs.lines,
            & $($mutable)? services.rows.lines,
            & $($mutable)? applied.lines,
            & $($mutable)? lists.lines,
            & $($mutable)? homes.lanes,
            & $($mutable)? homes.places,
            & $($mutable)? addresses.table.leaves,
        ]
    }};
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
        let mut layout = Layout::new(&rules)?;
        let mut local = Local::default();
        if applied && matches!(layout.shape, Shape::Packed { .. }) {
            local = Local::of(rules.iter().map(|(_, rule)| rule));
        }
        let (own, rules): (Vec<_>, Vec<_>) =
            rules.into_iter().partition(|(_, rule)| local.takes(rule));
        if !own.is_empty() {
            layout = Layout::new(&rules)?;
        }
        let shape = layout.shape;
        let mut index = Self {
            processor: Processor::best(),
            addresses: Addresses::new(shape),
            services: Services::new(shape),
            applied: Classes::new([shape, Shape::Local]),
            local,
            homes: Homes::new(),
            grounds: FxHashMap::default(),
            restricted: false,
            ways: std::array::from_fn(|_| Base::new(shape)),
            conditions: false,
            late: Late::new(),
            latest: 0,
            gone: Vec::new(),
            order: Order::default(),
            layout,
        };
        let places = index.layout.places(&rules);
        for (place, (rank, rule)) in places.iter().zip(&rules) {
            index.put_bases(rule, *rank, *place);
            for (label, field) in index.peers(rule).0 {
                for field in index.fields(field) {
                    index.addresses.classes.name(label, *field, *place);
                }
            }
            if applied {
                for label in index.grounds(rule).0 {
                    index.applied.name(label, APPLIED, *place);
                }
            }
        }
        index.restricted &= applied;
        let mut order = Vec::with_capacity(own.len() + rules.len());
        index.local.reserve(own.len());
        for (rank, rule) in own {
            let entries = index.enter(&rule, rank).0;
            for label in index.grounds(&rule).0 {
                for place in entries.places() {
                    index.applied.name(label, LIST, place);
                }
            }
            order.push((rank, (rule, Spot::Lists(entries))));
        }
        let wanted = places.iter().zip(&rules).map(|(place, (_, rule))| (*place, &rule.service));
        index.services.fill(wanted);
        index.addresses.fill(sets);
        let spots = places.into_iter().map(Spot::Row);
        order.extend(rules.into_iter().zip(spots).map(|((rank, rule), spot)| (rank, (rule, spot))));
        index.order = Order::of(order.into_iter());
        Some(index)
    }

    /// All rules in order.
    pub(crate) fn rules(&self) -> impl Iterator<Item = (Rank, &Arc<Rule>)> {
        self.in_order().map(|(rank, rule, _)| (rank, rule))
    }

    /// All rules in order, with their place; late ones have none.
    fn in_order(&self) -> impl Iterator<Item = (Rank, &Arc<Rule>, Option<Spot>)> {
        let settled = self.order.iter().map(|(rank, rule, spot)| (rank, rule, Some(spot)));
        let (mut settled, mut late) = (settled.peekable(), self.late.iter().peekable());
        from_fn(move || {
            let before = settled.peek().map_or(Rank::MAX, |(rank, ..)| *rank);
            let next = late.next_if(|(rank, _)| *rank < before);
            next.map(|(rank, rule)| (rank, rule, None)).or_else(|| settled.next())
        })
    }

    /// The number of all rules.
    pub(crate) fn count(&self) -> usize {
        self.order.len() + self.late.len()
    }

    /// Whether no two rules have one name.
    pub(crate) fn has_names_of_its_own(&self) -> bool {
        let late = || self.late.iter().map(|(_, rule)| rule.id);
        let mut names: Vec<RuleId> = late().collect();
        names.sort_unstable();
        names.dedup();
        let alone = |rule| self.order.rank_of(rule).is_none();
        self.order.has_names_of_its_own() && names.len() == self.late.len() && late().all(alone)
    }

    /// Whether there is a rule of that name.
    pub(crate) fn knows(&self, rule: RuleId) -> bool {
        self.late.rank_of(rule).is_some() || self.order.rank_of(rule).is_some()
    }

    /// The rules that have a place in the rows, in order.
    pub(super) fn settled(&self) -> impl Iterator<Item = (&Rule, u32)> {
        self.order.iter().filter_map(|(_, rule, spot)| match spot {
            Spot::Row(place) => Some((&**rule, place)),
            Spot::Lists(_) => None,
        })
    }

    /// Whether vNICs may have lists of their own.
    #[inline]
    pub(super) const fn has_local(&self) -> bool {
        !self.local.is_empty()
    }

    /// Whether rules went that lists still have.
    pub(super) const fn has_gone(&self) -> bool {
        !self.gone.is_empty()
    }

    /// The rules that came since.
    pub(crate) const fn late(&self) -> &Late {
        &self.late
    }

    /// The rules that came since, to be told where they stand.
    pub(crate) const fn late_mut(&mut self) -> &mut Late {
        &mut self.late
    }

    /// Whether so much waits to be settled that it should be done.
    pub(crate) const fn is_due(&self) -> bool {
        self.late.is_many() || self.gone.len() > MOST_GONE
    }

    /// Where rows lie.
    fn arenas(&self) -> [&Arena; 9] {
        arenas!(self)
    }

    fn arenas_mut(&mut self) -> [&mut Arena; 9] {
        arenas!(self, mut)
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

    /// The rules on the vNICs of a class, in order; late ones as `holds` says.
    pub(crate) fn rules_of<'a>(
        &'a self,
        class: u32,
        holds: impl Fn(&AppliedTo) -> bool + 'a,
    ) -> impl Iterator<Item = &'a Rule> {
        let [row, list] = self.applied.of[class as usize];
        let own = self.has_local().then(|| self.applied.rows[LIST].local_places(list));
        let own: FxHashSet<u32> = own.into_iter().flatten().collect();
        let on = move |spot: Option<Spot>, rule: &Rule| match spot {
            Some(Spot::Row(place)) => self.applied.rows[APPLIED].holds(row, place),
            Some(Spot::Lists(entries)) if entries.places().is_empty() => holds(&rule.applied_to),
            Some(Spot::Lists(entries)) => own.contains(&entries.places().start),
            None => holds(&rule.applied_to),
        };
        let rules = self.in_order().filter(move |(_, rule, spot)| on(*spot, rule));
        rules.map(|(_, rule, _)| &**rule)
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

    /// Where addresses may have come to be of another class since this was asked last.
    pub(crate) fn moved(&mut self) -> Vec<AddressRange> {
        std::mem::take(&mut self.addresses.moved)
    }

    /// Bytes of the tables, without the rules themselves.
    pub(crate) fn bytes(&self) -> usize {
        let bases: usize = self.ways.iter().map(Base::bytes).sum();
        let applied = if self.restricted || self.has_local() { self.applied.bytes() } else { 0 };
        let rules = self.layout.bytes() + self.local.bytes() + self.homes.bytes();
        self.addresses.bytes() + self.services.bytes() + applied + bases + rules
    }
}
