//! The lowest-ranked rule of packets, one by one or abreast, by the code for the rows and the processor.
#![allow(clippy::inline_always)] // What runs for every packet is one piece of code, compiled for each processor.

use std::sync::Arc;

use super::addresses::SIGN;
use super::asked::{Asked, Keys, Point};
use super::index::{Index, LIST};
use super::layout::Rank;
use super::local::{self, LOCAL};
use super::local_search::Before;
use super::rows::Shape;
use super::services;
use super::tables::Tables;
use super::view::View;
use super::wide::{Wide, Work};
use crate::Rule;
use crate::matching::Key;
use crate::ruling::Saying;

/// How many packets are looked up abreast.
pub(super) const BATCH: usize = 32;

/// No place.
pub(super) const NOWHERE: u32 = u32::MAX;

/// Finds the place of the first rule whose rows all have its bit, over rows of one shape.
/// `APPLIED` tells whether the vNIC's row counts.
trait Find: Copy {
    /// Lines at the start of a destination's row that are sure to be read.
    const LINES: usize;
    /// Likewise of a source's.
    const SOURCE_LINES: usize;

    fn find(self, wide: impl Wide, tables: &Tables<'_>, point: &Point) -> u32;

    /// The same at the first guess, and whether it is right; without a branch.
    fn guess(self, wide: impl Wide, tables: &Tables<'_>, point: &Point) -> (u32, bool);
}

#[derive(Clone, Copy)]
struct Flat<const APPLIED: bool, const LINES: usize>;

impl<const APPLIED: bool, const LINES: usize> Find for Flat<APPLIED, LINES> {
    const LINES: usize = LINES;
    const SOURCE_LINES: usize = LINES;

    #[inline(always)]
    fn find(self, wide: impl Wide, tables: &Tables<'_>, point: &Point) -> u32 {
        tables.flat::<APPLIED, LINES>(wide, point)
    }

    #[inline(always)]
    fn guess(self, wide: impl Wide, tables: &Tables<'_>, point: &Point) -> (u32, bool) {
        (tables.flat::<APPLIED, LINES>(wide, point), true)
    }
}

#[derive(Clone, Copy)]
struct Packed<const APPLIED: bool, const LOG: u32>;

impl<const APPLIED: bool, const LOG: u32> Find for Packed<APPLIED, LOG> {
    const LINES: usize = 2;
    const SOURCE_LINES: usize = 3;

    #[inline(always)]
    fn find(self, wide: impl Wide, tables: &Tables<'_>, point: &Point) -> u32 {
        tables.packed::<APPLIED, LOG>(wide, point)
    }

    #[inline(always)]
    fn guess(self, wide: impl Wide, tables: &Tables<'_>, point: &Point) -> (u32, bool) {
        tables.guess::<APPLIED, LOG>(wide, point)
    }
}

/// A lookup that waits for the code of the rows' shape.
trait Lookup {
    fn with(self, find: impl Find);
}

struct Many<'a, A, T> {
    index: &'a Index,
    asked: A,
    tell: T,
}

impl<A: Asked, T: FnMut(usize, u32)> Lookup for Many<'_, A, T> {
    #[inline(always)]
    fn with(self, find: impl Find) {
        let Self { index, asked, tell } = self;
        index.processor.run(Each { index, asked, tell, find });
    }
}

struct Single<'a, A> {
    index: &'a Index,
    asked: A,
    found: &'a mut u32,
}

impl<A: Asked> Lookup for Single<'_, A> {
    #[inline(always)]
    fn with(self, find: impl Find) {
        let Self { index, asked, found } = self;
        index.processor.run(One { index, asked, find, found });
    }
}

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
        let (sources, destinations) = (tables.source.lines(), tables.destination.lines());
        let signs = View::of(&index.addresses.classes.rows[SIGN]).lines();
        let lists = View::of(&index.applied.rows[LIST]).lines();
        let (mut points, mut places) = ([Point::default(); BATCH], [NOWHERE; BATCH]);
        for first in (0..self.asked.count()).step_by(BATCH) {
            let count = BATCH.min(self.asked.count() - first);
            for (ahead, own) in points[..count].iter_mut().enumerate() {
                let point = self.asked.point(tables, first + ahead);
                for line in 0..F::SOURCE_LINES {
                    wide.fetch(sources, point.source as usize + line);
                }
                for line in 0..F::LINES {
                    wide.fetch(destinations, point.destination as usize + line);
                }
                if A::OF_VNICS && index.has_local() {
                    for sign in point.signs {
                        wide.fetch(signs, sign as usize);
                    }
                    let list = local::first_line(point.list) as usize;
                    let bucket = local::bucket(point.list, point.carried) * local::BLOCK;
                    for line in [0, 1, bucket, bucket + 1, bucket + 2] {
                        wide.fetch(lists, list + line);
                    }
                }
                *own = point;
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
            if A::OF_VNICS && index.has_local() {
                let accepts = |at: usize, rule: &Rule| self.asked.accepts(first + at, rule);
                index.before(&points[..count], &mut places[..count], accepts);
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
        *self.found = self.find.find(wide, tables, &point);
        if self.index.conditions && self.index.asks_more(*self.found) {
            let accepts = |rule: &Rule| self.asked.accepts(0, rule);
            *self.found = self.index.first_accepted(&point, accepts);
        }
        if A::OF_VNICS && self.index.has_local() {
            let accepts = |_: usize, rule: &Rule| self.asked.accepts(0, rule);
            self.index.before(&[point], std::slice::from_mut(self.found), accepts);
        }
    }
}

impl Index {
    /// The first rule that matches, on a vNIC of this class; late rules aside.
    pub(crate) fn first(&self, class: u32, key: Key<'_>) -> Option<(Rank, &Arc<Rule>)> {
        let mut found = NOWHERE;
        self.by_shape(Single { index: self, asked: Keys(class, &[key]), found: &mut found });
        self.rule_of(found)
    }

    /// [`Index::first`] of keys on vNICs of the classes given: tells what it says, and its place.
    pub(crate) fn first_on_each(
        &self,
        asked: &[(u32, Key<'_>)],
        mut tell: impl FnMut(usize, Option<Saying>, u32),
    ) {
        let (sayings, own) = (self.layout.sayings.as_slice(), self.local.sayings.as_slice());
        let said = |place: u32| {
            let (sayings, place) =
                if place & LOCAL == 0 { (sayings, place) } else { (own, place & !LOCAL) };
            sayings.get(place as usize).copied().flatten()
        };
        self.first_of_each(asked, |at, place| tell(at, said(place), place));
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

    /// Runs with the code for the rows' shape.
    fn by_shape(&self, lookup: impl Lookup) {
        match (self.layout.shape, self.restricted) {
            (Shape::Flat { lines: 1 }, false) => lookup.with(Flat::<false, 1>),
            (Shape::Flat { lines: 1 }, true) => lookup.with(Flat::<true, 1>),
            (Shape::Flat { lines: 2 }, false) => lookup.with(Flat::<false, 2>),
            (Shape::Flat { lines: 2 }, true) => lookup.with(Flat::<true, 2>),
            (Shape::Flat { .. }, false) => lookup.with(Flat::<false, 3>),
            (Shape::Flat { .. }, true) => lookup.with(Flat::<true, 3>),
            (Shape::Packed { log_bytes: 0 }, false) => lookup.with(Packed::<false, 0>),
            (Shape::Packed { log_bytes: 0 }, true) => lookup.with(Packed::<true, 0>),
            (Shape::Packed { log_bytes: 2 }, false) => lookup.with(Packed::<false, 2>),
            (Shape::Packed { log_bytes: 2 }, true) => lookup.with(Packed::<true, 2>),
            (Shape::Packed { log_bytes: 5 }, false) => lookup.with(Packed::<false, 5>),
            (Shape::Packed { log_bytes: 5 }, true) => lookup.with(Packed::<true, 5>),
            (_, false) => lookup.with(Packed::<false, 8>),
            (_, true) => lookup.with(Packed::<true, 8>),
        }
    }

    /// Whether a rule's service asks for more than the tables look at.
    fn asks_more(&self, place: u32) -> bool {
        self.layout.at(place).is_some_and(|(_, rule)| self.layout.is_conditional(rule))
    }

    /// The place of the first rule whose rows all have its bit, and whose service wants the packet
    /// where it asks for more than the tables look at: rule after rule.
    #[cold]
    fn first_accepted(&self, point: &Point, accepts: impl Fn(&Rule) -> bool) -> u32 {
        let [sources, destinations, _] = &self.addresses.classes.rows;
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

    /// The first rule that is listed by the vNIC, where it comes before the one found.
    fn before(&self, points: &[Point], places: &mut [u32], accepts: impl Fn(usize, &Rule) -> bool) {
        self.processor.run(Before { index: self, points, places, accepts });
    }

    /// Whether the rule of an entry matches, asked itself.
    #[cold]
    pub(super) fn local_matches(
        &self,
        place: u32,
        point: &Point,
        accepts: impl Fn(&Rule) -> bool,
    ) -> bool {
        let Some((_, rule)) = self.local.at(place) else { return false };
        let [source, destination] = point.classes;
        self.addresses.meets(source, &rule.source)
            && self.addresses.meets(destination, &rule.destination)
            && accepts(rule)
    }
}
