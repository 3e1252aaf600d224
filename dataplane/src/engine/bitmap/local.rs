//! Rules that stand on few vNICs, listed by the class of the vNIC.
//!
//! In a large world most rules are applied to a group or two: of a hundred thousand, a vNIC has some
//! hundred. Rows of all rules would be asked about all of them. So a class of vNICs has a list of its
//! own such rules, and rows (and lists by destination) have the others alone.
//!
//! An entry is a rule with one of its sources and one of its destinations. Those that want one service
//! alone stand in *buckets* by it; the others, that are asked about every packet, stand apart. So of a list
//! two blocks are read, whatever its length, unless one has more entries than a block has room for.
//!
//! A block has a line of *lanes*, 16 bits an entry, for each of source, destination and service. The lane
//! of an end is a slot of the [sign](Rows::sign) of addresses: a line of bits, that an address has set for
//! all labels it carries. So few instructions tell of a block's entries which may match. Those are then
//! held against the entry's [`Record`], and the first that matches in full is the verdict.
#![allow(clippy::cast_possible_truncation)] // Numbers are cut into the bits that lanes have room for.
#![allow(clippy::needless_bitwise_bool)] // A lazy operator is a branch, which would be guessed wrong.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::index::{Ground, way};
use super::layout::Rank;
use super::pages;
use super::rows::{Line, Rows};
use super::services::{self, Span};
use crate::ruling::Saying;
use crate::{Action, AppliedTo, Direction, Family, Peer, Rule, RuleId, ServiceMatch};

/// Entries of a block.
pub(super) const ENTRIES: usize = 31;

/// The lane that no entry has. That of sources names the block with more entries, in blocks from the list's
/// start, or none by 0; that of destinations tells in the first block how many there are.
const LINK: usize = 31;

/// The bits of a list's number that are its row; those above are the logarithm of its buckets.
const ROW: u32 = (1 << BUCKETS_AT) - 1;
const BUCKETS_AT: u32 = 28;
/// The most buckets, as a logarithm.
const MOST_BUCKETS: u32 = 10;

/// How many entries a bucket is to have.
const WANTED_IN_BUCKET: usize = 24;

/// A source lane of no entry: it wants no way at all.
const NOBODY: u16 = 15 << UNWANTED;

/// Lines of a block: lanes of sources, destinations and services, and where the entries' records are.
pub(super) const BLOCK: usize = 5;

/// The service lane of what is never carried.
const NEVER: u16 = 0;

/// The service lane of entries that are asked about every service.
pub(super) const ANY: u16 = u16::MAX;

/// A label that all lists of labels end with, and so that of an end which is open.
pub(super) const EVERYBODY: u32 = u32::MAX;

/// The bits of an end's lane that are a slot.
pub(super) const SLOT: u16 = 511;

/// In a source lane, behind the slot: the first of four bits, one for each way that is not wanted.
const UNWANTED: u32 = 9;

/// In the number of a verdict's place: it is that of a record.
pub(super) const LOCAL: u32 = 1 << 31;

/// Services of a record that are compared.
const SPANS: usize = 4;

/// The most entries of a rule; one with more is asked of the rule itself.
const MOST_ENTRIES: usize = 4;

/// The most rules on a ground for which they are listed by vNIC: longer lists are slower than rows.
const MOST_ON_GROUND: u32 = 64;

/// A label as 16 bits. Labels below [`MOST_TAGS`] have each a tag of its own.
pub(super) const fn tag(label: u32) -> u16 {
    let tag = (label as u16).wrapping_mul(SPREAD);
    if label != EVERYBODY && tag == EVERYBODYS { EVERYBODYS ^ 1 } else { tag }
}

/// The tag of everybody.
pub(super) const EVERYBODYS: u16 = u16::MAX.wrapping_mul(SPREAD);

/// Odd, so that no two tags become one.
const SPREAD: u16 = 0x9e37;

/// So many labels a tag tells apart.
pub(super) const MOST_TAGS: usize = u16::MAX as usize;

/// The slot of a label: some bits of its tag.
pub(super) const fn slot(label: u32) -> u16 {
    tag(label) & SLOT
}

/// The service lane of what a packet carries.
#[inline]
pub(super) const fn lane_of_service(key: u32) -> u16 {
    let lane = (key.wrapping_mul(0x85eb_ca6b) >> 16) as u16;
    match lane {
        NEVER => 1,
        ANY => ANY - 1,
        lane => lane,
    }
}

/// The bit of source lanes that entries have which do not want a packet of this way.
#[inline]
pub(super) const fn unwanted(way: usize) -> u16 {
    1 << (UNWANTED + (way as u32 & 3))
}

/// An entry in full.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(super) struct Record {
    pub(super) rank: Rank,
    /// The labels of source and destination.
    pub(super) ends: [u32; 2],
    /// First and last of what packets may carry.
    pub(super) spans: [[u32; 2]; SPANS],
    /// The ways that the rule does not want.
    pub(super) unwanted: u16,
    /// Whether the rule has to be asked itself.
    pub(super) unclear: bool,
    /// Whether the rule is no longer in force.
    gone: bool,
    /// What it says, with no room between.
    action: Action,
    admits: bool,
    strict: bool,
    rule: RuleId,
}

/// A record is a line.
const _: () = assert!(size_of::<Record>() == size_of::<Line>());

impl Record {
    /// What the rule says.
    #[inline]
    pub(super) const fn saying(&self) -> Saying {
        let Self { rule, action, admits, strict, .. } = *self;
        Saying { rule, action, admits, strict }
    }

    /// Whether the rule wants what a packet carries.
    #[inline]
    pub(super) fn wants(&self, key: u32) -> bool {
        let within = |[first, last]: &[u32; 2]| (*first <= key) & (key <= *last);
        !self.gone & self.spans.iter().fold(false, |any, span| any | within(span))
    }
}

/// What lists tell of an entry.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lanes {
    pub(super) rank: Rank,
    /// Of source, destination and service.
    pub(super) lanes: [u16; 3],
}

/// Where the entries of a rule are: from the first, as many as there are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entries {
    first: u32,
    count: u32,
}

impl Entries {
    pub(super) fn places(self) -> std::ops::Range<u32> {
        self.first..self.first + self.count
    }
}

/// The rules that are listed by vNIC.
#[derive(Clone, Debug, Default)]
pub(super) struct Local {
    /// Whether any may be.
    pub(super) wanted: bool,
    pub(super) records: Vec<Record>,
    rules: Vec<Option<Arc<Rule>>>,
    /// Places in a row that nobody has, by how many.
    free: [Vec<u32>; MOST_ENTRIES + 1],
    /// How many rules are on each ground.
    on: FxHashMap<Ground, u32>,
}

/// What a rule is applied on.
fn grounds(rule: &Rule) -> Option<impl Iterator<Item = Ground>> {
    let AppliedTo::OneOf { scopes, vnics } = &rule.applied_to else { return None };
    let scopes = scopes.iter().copied().map(Ground::Scope);
    Some(scopes.chain(vnics.iter().copied().map(Ground::Vnic)))
}

impl Local {
    /// Lists for those of the rules that stand on few vNICs.
    pub(super) fn of<'r>(rules: impl Iterator<Item = &'r Arc<Rule>>) -> Self {
        let mut local = Self { wanted: true, ..Self::default() };
        for ground in rules.filter_map(|rule| grounds(rule)).flatten() {
            *local.on.entry(ground).or_default() += 1;
        }
        local
    }

    /// Makes room for the entries of so many rules.
    pub(super) fn reserve(&mut self, rules: usize) {
        self.records = Vec::with_capacity(rules + rules / 2);
        pages::ask_for_large(&mut self.records);
    }

    /// Whether there are none.
    pub(super) const fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Whether a rule of the program is to be listed by vNIC. All rules on a ground are alike, so it
    /// takes no other rule to tell.
    pub(super) fn takes(&self, rule: &Rule) -> bool {
        let few = |ground| self.on.get(&ground).is_none_or(|on| *on <= MOST_ON_GROUND);
        self.wanted && grounds(rule).is_some_and(|mut grounds| grounds.all(few))
    }

    /// Counts one more rule, or one less.
    pub(super) fn count(&mut self, rule: &Rule, comes: bool) {
        for ground in grounds(rule).into_iter().flatten() {
            let on = self.on.entry(ground).or_default();
            *on = if comes { *on + 1 } else { on.saturating_sub(1) };
        }
    }

    /// Gives a rule its entries, and tells the lists of them. `named` are the labels of its ends.
    pub(super) fn enter(
        &mut self,
        rule: &Arc<Rule>,
        rank: Rank,
        named: &[(u32, usize)],
        lists: &mut Rows,
    ) -> Entries {
        let mut ends = [Vec::new(), Vec::new()];
        for (label, field) in named {
            ends[*field].push(*label);
        }
        let mut unclear = services::is_conditional(&rule.service);
        for (labels, peer) in ends.iter_mut().zip([&rule.source, &rule.destination]) {
            let excepts = matches!(peer, Peer::OneOf { negated: true, .. });
            unclear |= excepts;
            if excepts || *peer == Peer::Any {
                *labels = vec![EVERYBODY];
            }
        }
        if ends[0].len() * ends[1].len() > MOST_ENTRIES {
            unclear = true;
            ends = [vec![EVERYBODY], vec![EVERYBODY]];
        }
        let services = services::spans(&rule.service);
        let (lane, spans) = wanted(&rule.service, &services);
        unclear |= services.len() > SPANS;
        let mut ways = 0;
        for (direction, family) in WAYS {
            let wanted = rule.direction.is_none_or(|own| own == direction)
                && rule.family.is_none_or(|own| own == family);
            ways |= if wanted { 0 } else { unwanted(way(direction, family)) };
        }
        if lane == NEVER {
            ends[0].clear();
        }
        let Saying { rule: id, action, admits, strict } = Saying::from(&**rule);
        let both = ends[0].iter().flat_map(|source| ends[1].iter().map(|own| [*source, *own]));
        let entries = both.map(|ends| {
            let [source, destination] = ends.map(slot);
            let lanes = Lanes { rank, lanes: [source | ways, destination, lane] };
            let record = Record {
                rank,
                ends,
                spans,
                unwanted: ways,
                unclear,
                gone: false,
                action,
                admits,
                strict,
                rule: id,
            };
            (lanes, record)
        });
        let entries: Vec<_> = entries.collect();
        let places = self.take(entries.len());
        lists.entries.resize(self.records.len(), Lanes::default());
        for (place, (lanes, record)) in places.places().zip(entries) {
            let place = place as usize;
            lists.entries[place] = lanes;
            self.records[place] = record;
            self.rules[place] = Some(Arc::clone(rule));
        }
        places
    }

    /// Room for some entries.
    fn take(&mut self, count: usize) -> Entries {
        let count = count.min(MOST_ENTRIES);
        let first = self.free[count].pop().unwrap_or_else(|| {
            let new = self.records.len();
            let record = Record {
                rank: 0,
                ends: [EVERYBODY; 2],
                spans: [[1, 0]; SPANS],
                unwanted: 0,
                unclear: false,
                gone: true,
                action: Action::Drop,
                admits: false,
                strict: false,
                rule: RuleId(0),
            };
            self.records.resize(new + count, record);
            self.rules.resize(new + count, None);
            new as u32
        });
        Entries { first, count: count as u32 }
    }

    /// A rule is no longer in force, whichever lists still have it.
    pub(super) fn end(&mut self, entries: Entries) {
        for place in entries.places() {
            self.records[place as usize].gone = true;
        }
    }

    /// Frees the places of entries that no list has any more.
    pub(super) fn give_back(&mut self, entries: Entries) {
        for place in entries.places() {
            self.rules[place as usize] = None;
        }
        self.free[entries.count as usize].push(entries.first);
    }

    /// The rule of a place.
    pub(super) fn at(&self, place: u32) -> Option<(Rank, &Arc<Rule>)> {
        let place = place as usize;
        Some((self.records.get(place)?.rank, self.rules[place].as_ref()?))
    }

    /// Gives rules other ranks, in the same order.
    pub(super) fn rename(&mut self, renamed: impl Fn(Rank) -> Rank) {
        for record in &mut self.records {
            record.rank = renamed(record.rank);
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let entry = size_of::<(Record, Lanes, usize)>();
        self.records.capacity() * entry + self.on.capacity() * size_of::<(Ground, u32)>()
    }
}

const WAYS: [(Direction, Family); 4] = [
    (Direction::In, Family::V4),
    (Direction::In, Family::V6),
    (Direction::Out, Family::V4),
    (Direction::Out, Family::V6),
];

/// The service lane of a rule, and what packets may carry.
fn wanted(service: &ServiceMatch, services: &[Span]) -> (u16, [[u32; 2]; SPANS]) {
    let mut spans = [[1, 0]; SPANS];
    if *service == ServiceMatch::Any || services.len() > SPANS {
        spans[0] = [0, u32::MAX];
        return (ANY, spans);
    }
    for (own, (table, first, last)) in spans.iter_mut().zip(services) {
        *own = [services::key(*table, *first), services::key(*table, *last)];
    }
    match services {
        [] => (NEVER, spans),
        [(table, first, last)] if first == last => {
            (lane_of_service(services::key(*table, *first)), spans)
        }
        _ => (ANY, spans),
    }
}

/// The line that a list begins at.
#[inline]
pub(super) const fn first_line(list: u32) -> u32 {
    list & ROW
}

/// The block of a list that entries are in which want a service of this lane.
#[inline]
pub(super) const fn bucket(list: u32, lane: u16) -> usize {
    1 + (lane as usize & ((1 << (list >> BUCKETS_AT)) - 1))
}

/// The block with more entries, if there is one.
#[inline]
pub(super) const fn more(sources: &Line) -> usize {
    sources.lane(LINK) as usize
}

/// Where the next entry of a bucket goes.
struct End {
    block: usize,
    lane: usize,
    /// The block with more entries, once this one is full.
    more: usize,
}

/// The lanes of sources in a block without entries, which is the last of its bucket.
const NO_SOURCES: Line = {
    let mut line = Line::ZERO;
    let mut lane = 0;
    while lane < ENTRIES {
        line.put_lane(lane, NOBODY);
        lane += 1;
    }
    line
};

/// Lists of entries: rows by class of vNIC.
impl Rows {
    /// A new list of these places.
    pub(super) fn list_local(&mut self, places: &[u32]) -> u32 {
        // Each entry is looked at once: what orders it and its service lane become one number.
        let keys = places.iter().map(|place| {
            let own = &self.entries[*place as usize];
            u128::from(own.rank) << 64 | u128::from(*place) << 16 | u128::from(own.lanes[2])
        });
        let mut keys: Vec<u128> = keys.collect();
        keys.sort_unstable();
        keys.dedup();
        let service = |key: &u128| *key as u16;
        let by_service = keys.iter().filter(|key| service(key) != ANY).count();
        let buckets = by_service.div_ceil(WANTED_IN_BUCKET).next_power_of_two();
        let buckets = buckets.trailing_zeros().min(MOST_BUCKETS);
        let head = |key: &u128| match service(key) {
            ANY => 0,
            lane => bucket(buckets << BUCKETS_AT, lane),
        };
        let mut sizes = vec![0_usize; 1 + (1 << buckets)];
        for key in &keys {
            sizes[head(key)] += 1;
        }
        let mut count = sizes.len();
        let ends = sizes.into_iter().enumerate().map(|(block, size)| {
            let more = count;
            count += size.div_ceil(ENTRIES).saturating_sub(1);
            End { block, lane: 0, more }
        });
        let mut ends: Vec<End> = ends.collect();
        let row = self.lines.take(count * BLOCK);
        let (lines, entries) = (self.lines.fresh(row, count * BLOCK), &self.entries);
        lines.iter_mut().step_by(BLOCK).for_each(|sources| *sources = NO_SOURCES);
        lines[1].put_lane(LINK, count as u16);
        for key in &keys {
            let (end, place) = (&mut ends[head(key)], (key >> 16) as u32);
            if end.lane == ENTRIES {
                lines[end.block * BLOCK].put_lane(LINK, end.more as u16);
                *end = End { block: end.more, lane: 0, more: end.more + 1 };
            }
            let block = &mut lines[end.block * BLOCK..][..BLOCK];
            for (line, value) in block.iter_mut().zip(entries[place as usize].lanes) {
                line.put_lane(end.lane, value);
            }
            block[3 + end.lane / 16].put_number(end.lane % 16, place);
            end.lane += 1;
        }
        u32::try_from(row).unwrap_or(u32::MAX) | buckets << BUCKETS_AT
    }

    /// The lines of a list of entries.
    pub(super) fn local_lines(&self, list: u32) -> usize {
        usize::from(self.lines[first_line(list) as usize + 1].lane(LINK)) * BLOCK
    }

    /// The places of a list of entries, in no order.
    pub(super) fn local_places(&self, list: u32) -> impl Iterator<Item = u32> {
        let lines = self.lines.row(first_line(list) as usize, self.local_lines(list));
        lines.chunks_exact(BLOCK).flat_map(|block| {
            let taken = (0..ENTRIES).take_while(|lane| block[0].lane(*lane) != NOBODY);
            taken.map(|lane| place_at(block, lane))
        })
    }
}

/// The place of an entry.
fn place_at(block: &[Line], entry: usize) -> u32 {
    block[3 + entry / 16].number(entry % 16)
}
