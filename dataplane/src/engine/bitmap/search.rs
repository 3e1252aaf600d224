//! The lowest-ranked rule of packets, one by one or abreast, by the code for the rows and the processor.
#![allow(clippy::inline_always)] // What runs for every packet is one piece of code, compiled for each processor.

use std::hint::select_unpredictable;
use std::sync::Arc;

use super::addresses::{DESTINATION, WANTED};
use super::asked::{Apart, Asked, Keys, OnVnics, Point};
use super::index::Index;
use super::layout::{FREE, Rank};
use super::local::{self, LOCAL, Record};
use super::local_search::Lists;
use super::on_vnics::Steps;
use super::rows::{PARTS, Shape};
use super::services;
use super::tables::{Form, Known, Tables, Told};
use super::wide::{Plain, Processor, Runs, Wide, Work};
use crate::Rule;
use crate::matching::Key;
use crate::ruling::Saying;

/// How many packets are looked up abreast.
pub(super) const BATCH: usize = 32;

/// How many are gathered to be looked up.
const CHUNK: usize = 64;

/// No place.
pub(super) const NOWHERE: u32 = u32::MAX;

/// Finds the place of the first rule whose rows all have its bit, over rows of one shape.
pub(super) trait Find: Copy {
    /// Lines at the start of a destination's row that may be asked for early.
    fn lines(self) -> usize;
    /// Likewise of a source's.
    fn source_lines(self) -> usize;
    /// Likewise of codes.
    fn codes(self) -> usize;

    fn find(self, wide: impl Wide, tables: &Tables<'_>, point: &Point) -> u32;

    /// The same at the first guess, and whether it is right; without a branch.
    fn guess(self, wide: impl Wide, tables: &Tables<'_>, point: &Point) -> (u32, bool);
}

#[derive(Clone, Copy)]
struct Flat<F>(F);

impl<F: Form> Find for Flat<F> {
    #[inline(always)]
    fn lines(self) -> usize {
        self.0.size() as usize
    }

    #[inline(always)]
    fn source_lines(self) -> usize {
        self.0.size() as usize
    }

    #[inline(always)]
    fn codes(self) -> usize {
        0
    }

    #[inline(always)]
    fn find(self, wide: impl Wide, tables: &Tables<'_>, point: &Point) -> u32 {
        tables.flat(wide, self.0, point)
    }

    #[inline(always)]
    fn guess(self, wide: impl Wide, tables: &Tables<'_>, point: &Point) -> (u32, bool) {
        (tables.flat(wide, self.0, point), true)
    }
}

#[derive(Clone, Copy)]
struct Packed<F>(F);

impl<F: Form> Find for Packed<F> {
    #[inline(always)]
    fn lines(self) -> usize {
        2
    }

    #[inline(always)]
    fn source_lines(self) -> usize {
        3
    }

    #[inline(always)]
    fn codes(self) -> usize {
        2
    }

    #[inline(always)]
    fn find(self, wide: impl Wide, tables: &Tables<'_>, point: &Point) -> u32 {
        tables.packed(wide, self.0, point)
    }

    #[inline(always)]
    fn guess(self, wide: impl Wide, tables: &Tables<'_>, point: &Point) -> (u32, bool) {
        tables.guess(wide, self.0, point)
    }
}

/// A lookup that waits for the processor and the code of the rows' shape.
trait Lookup {
    fn with(self, runs: impl Runs, find: impl Find);
}

struct Many<'a, A, T> {
    index: &'a Index,
    asked: A,
    tell: T,
}

impl<A: Asked, T: FnMut(usize, u32)> Lookup for Many<'_, A, T> {
    #[inline(always)]
    fn with(self, runs: impl Runs, find: impl Find) {
        let Self { index, asked, tell } = self;
        runs.run(Each { index, asked, tell, find });
    }
}

struct Stream<'a, A, T> {
    index: &'a Index,
    asked: A,
    tell: T,
}

impl<A: OnVnics, T: FnMut(usize, &[(Apart, u32)])> Lookup for Stream<'_, A, T> {
    #[inline(always)]
    fn with(self, runs: impl Runs, find: impl Find) {
        let Self { index, asked, tell } = self;
        runs.run(Steps { index, asked, tell, find });
    }
}

struct Single<'a, A> {
    index: &'a Index,
    asked: A,
    found: &'a mut u32,
}

impl<A: Asked> Lookup for Single<'_, A> {
    #[inline(always)]
    fn with(self, runs: impl Runs, find: impl Find) {
        let Self { index, asked, found } = self;
        runs.run(One { index, asked, find, found });
    }
}

/// So many lines of rows lie in the second-level cache, and those of most traffic in the first.
const NEAR_LINES: usize = 8_192;

/// Looks up many, some abreast.
struct Each<'a, A, T, F> {
    index: &'a Index,
    asked: A,
    tell: T,
    find: F,
}

impl<A: Asked, T: FnMut(usize, u32), F: Find> Work for Each<'_, A, T, F> {
    #[inline(always)]
    fn run(mut self, wide: impl Wide) {
        let index = self.index;
        let tables = &Tables::new(index);
        // Where rows are at hand anyway, points of packets, which are large, are not kept until then.
        let near = tables.source.len() + tables.destination.len() <= NEAR_LINES;
        if A::LARGE && self.find.lines() == 1 && near && !index.conditions {
            for at in 0..self.asked.count() {
                let point = self.asked.point(tables, at);
                (self.tell)(at, self.find.find(wide, tables, &point));
            }
            return;
        }
        let (mut points, mut places) = ([Point::default(); BATCH], [NOWHERE; BATCH]);
        for first in (0..self.asked.count()).step_by(BATCH) {
            let count = BATCH.min(self.asked.count() - first);
            for (ahead, own) in points[..count].iter_mut().enumerate() {
                *own = self.asked.point(tables, first + ahead);
                fetch_rows(wide, self.find, tables, own, true);
            }
            let (mut unsure, mut left) = ([0; BATCH], 0);
            for (ahead, point) in points[..count].iter().enumerate() {
                let (place, right) = self.find.guess(wide, tables, point);
                places[ahead] = place;
                unsure[left & (BATCH - 1)] = ahead;
                left += usize::from(!right);
            }
            for ahead in &unsure[..left.min(BATCH)] {
                places[*ahead] = self.find.find(wide, tables, &points[*ahead]);
            }
            for (ahead, point) in points[..count].iter().enumerate() {
                if index.conditions && index.asks_more(places[ahead]) {
                    let accepts = |rule: &Rule| self.asked.accepts(first + ahead, rule);
                    places[ahead] = index.first_accepted(point, accepts);
                }
            }
            for (ahead, place) in places[..count].iter().enumerate() {
                (self.tell)(first + ahead, *place);
            }
        }
    }
}

/// Looks up one.
struct One<'a, A, F> {
    index: &'a Index,
    asked: A,
    find: F,
    found: &'a mut u32,
}

impl<A: Asked, F: Find> Work for One<'_, A, F> {
    #[inline(always)]
    fn run(self, wide: impl Wide) {
        let tables = &Tables::new(self.index);
        let point = self.asked.point(tables, 0);
        let destination = tables.of.get(point.classes[DESTINATION] as usize);
        let wanted = destination.map_or(u32::MAX, |rows| rows[WANTED]);
        *self.found = tables.fallback(wanted, point.key, point.way);
        if *self.found == NOWHERE {
            let (place, right) = self.find.guess(wide, tables, &point);
            *self.found = if right { place } else { self.find.find(wide, tables, &point) };
        }
        if self.index.conditions && self.index.asks_more(*self.found) {
            let accepts = |rule: &Rule| self.asked.accepts(0, rule);
            *self.found = self.index.first_accepted(&point, accepts);
        }
        if self.index.has_local() {
            let lists = Lists::of(self.index);
            let before = self.index.rank_of(*self.found);
            let accepts = |rule: &Rule| self.asked.accepts(0, rule);
            let chosen = lists.choose(wide, &point);
            if let Some(place) = lists.first_of(wide, &point, chosen, before, accepts) {
                *self.found = LOCAL | place;
            }
        }
    }
}

/// Asks for the lines of rows that are sure to be read, if any are to be.
#[inline(always)]
pub(super) fn fetch_rows(
    wide: impl Wide,
    find: impl Find,
    tables: &Tables<'_>,
    point: &Point,
    looks: bool,
) {
    // The stranger's, if not, which are at hand: no branch.
    let [destination, service] =
        [point.destination, point.service].map(|row| select_unpredictable(looks, row, 0));
    for line in 0..find.source_lines() {
        wide.fetch(tables.source.lines(), point.source as usize + line);
    }
    for line in 0..find.lines() {
        wide.fetch(tables.destination.lines(), destination as usize + line);
    }
    for line in 0..find.codes() {
        wide.fetch(tables.service_codes(), service as usize + line);
    }
}

impl Index {
    /// The first rule that matches, on a vNIC of this class; late rules aside.
    pub(crate) fn first(&self, class: u32, key: Key<'_>) -> Option<(Rank, &Arc<Rule>)> {
        let mut found = NOWHERE;
        self.by_shape(Single { index: self, asked: Keys(class, &[key]), found: &mut found });
        self.rule_of(found)
    }

    /// [`Index::first`] of packets on vNICs: tells the places of their rules, of some that follow one another at once.
    pub(crate) fn first_on_each(
        &self,
        asked: impl OnVnics,
        mut tell: impl FnMut(usize, &[(Apart, u32)]),
    ) {
        if self.has_local() {
            self.by_shape(Stream { index: self, asked, tell });
            return;
        }
        for first in (0..asked.count()).step_by(CHUNK) {
            let count = CHUNK.min(asked.count() - first);
            let mut packets = [asked.at(first); CHUNK];
            let mut told = [(Apart::No, NOWHERE); CHUNK];
            for (at, packet) in packets[..count].iter_mut().enumerate() {
                *packet = asked.at(first + at);
                told[at].0 = packet.apart;
            }
            self.first_of_each(&packets[..count], |at, place| told[at].1 = place);
            tell(first, &told[..count]);
        }
    }

    /// What the rule of a place says that a lookup has told.
    #[inline(always)]
    pub(crate) fn said(&self, place: u32) -> Option<Saying> {
        match place & LOCAL {
            0 => self.layout.sayings.get(place as usize).copied().flatten(),
            _ => self.local.records.get((place & !LOCAL) as usize).map(Record::saying),
        }
    }

    /// The rule of a place that a lookup has told, if it found one.
    pub(crate) fn rule_of(&self, place: u32) -> Option<(Rank, &Arc<Rule>)> {
        match place {
            NOWHERE => None,
            local if local & LOCAL != 0 => self.local.at(local & !LOCAL),
            place => self.layout.at(place),
        }
    }

    /// [`Index::first`] for many packets; tells the place of each one's rule.
    pub(super) fn first_of_each(&self, asked: impl Asked, tell: impl FnMut(usize, u32)) {
        self.by_shape(Many { index: self, asked, tell });
    }

    /// Runs with the code for the processor and the rows' shape. What is worth being fast has code of
    /// its own for each common shape; the rest is compiled once for all.
    fn by_shape(&self, lookup: impl Lookup) {
        match self.processor {
            Processor::Any => self.by_any_shape(Plain, lookup),
            #[cfg(target_arch = "x86_64")]
            Processor::Avx512(wide) => match (self.layout.shape, self.restricted) {
                (Shape::Flat { lines: 1 }, false) => lookup.with(wide, Flat(Known::<false, 1>)),
                (Shape::Flat { lines: 1 }, true) => lookup.with(wide, Flat(Known::<true, 1>)),
                (Shape::Flat { lines: 2 }, false) => lookup.with(wide, Flat(Known::<false, 2>)),
                (Shape::Flat { lines: 2 }, true) => lookup.with(wide, Flat(Known::<true, 2>)),
                (Shape::Flat { .. }, false) => lookup.with(wide, Flat(Known::<false, 3>)),
                (Shape::Flat { .. }, true) => lookup.with(wide, Flat(Known::<true, 3>)),
                (Shape::Packed { log_bytes: 0 }, false) => {
                    lookup.with(wide, Packed(Known::<false, 0>));
                }
                (Shape::Packed { log_bytes: 0 }, true) => {
                    lookup.with(wide, Packed(Known::<true, 0>));
                }
                _ => self.by_any_shape(wide, lookup),
            },
        }
    }

    #[allow(clippy::cast_possible_truncation)] // Flat rows have three lines at most.
    fn by_any_shape(&self, runs: impl Runs, lookup: impl Lookup) {
        let told = |size: u32| Told { applied: self.restricted, size };
        match self.layout.shape {
            Shape::Packed { log_bytes } => lookup.with(runs, Packed(told(log_bytes))),
            flat => lookup.with(runs, Flat(told((flat.places() / PARTS) as u32))),
        }
    }

    /// Whether a rule's service asks for more than the tables look at.
    pub(super) fn asks_more(&self, place: u32) -> bool {
        self.layout.at(place).is_some_and(|(_, rule)| self.layout.is_conditional(rule))
    }

    /// The place of the first rule whose rows all have its bit, and whose service wants the packet
    /// where it asks for more than the tables look at: rule after rule.
    #[cold]
    pub(super) fn first_accepted(&self, point: &Point, accepts: impl Fn(&Rule) -> bool) -> u32 {
        let [sources, destinations, ..] = &self.addresses.classes.rows;
        let way = &self.ways[point.way];
        let matches = |rule: &Rule, place: u32| {
            way.get(place as usize)
                && sources.holds(point.source, place)
                && destinations.holds(point.destination, place)
                && self.services.rows.holds(point.service, place)
                && (!self.restricted || self.applied.rows[0].holds(point.applied, place))
                && (!services::is_conditional(&rule.service) || accepts(rule))
        };
        let mut rules = self.settled();
        let found = rules.find(|(rule, place)| matches(rule, *place));
        found.map_or(NOWHERE, |(_, place)| place)
    }

    /// The rows of a class of vNICs, where they count.
    #[inline(always)]
    pub(super) fn applied_rows(&self, class: u32) -> [u32; 2] {
        if self.restricted || self.has_local() { self.applied.of[class as usize] } else { [0; 2] }
    }

    /// The rank of the rule at a place of the rows.
    #[inline(always)]
    pub(super) fn rank_of(&self, place: u32) -> Rank {
        self.layout.ranks.get(place as usize).copied().unwrap_or(FREE)
    }

    /// Whether no two labels have one tag.
    pub(super) const fn tells_labels_apart(&self) -> bool {
        self.addresses.classes.count_labels() < local::MOST_TAGS
    }

    /// Whether addresses of a class carry a label, or that of everybody.
    #[cold]
    pub(super) fn carries(&self, class: u32, label: u32) -> bool {
        label == local::EVERYBODY || self.addresses.classes.carries(class, label)
    }

    /// Whether the rule of an entry matches, asked itself.
    #[cold]
    pub(super) fn local_matches(
        &self,
        place: u32,
        [source, destination]: [u32; 2],
        accepts: impl Fn(&Rule) -> bool,
    ) -> bool {
        let Some((_, rule)) = self.local.at(place) else { return false };
        self.addresses.meets(source, &rule.source)
            && self.addresses.meets(destination, &rule.destination)
            && accepts(rule)
    }
}
