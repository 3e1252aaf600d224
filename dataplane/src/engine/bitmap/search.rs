//! The lowest-ranked rule of a packet: the rows of what it is, laid over one another.
#![allow(clippy::inline_always)] // What runs for every packet is one piece of code, compiled for each processor.
#![allow(clippy::cast_possible_truncation)] // Places are fewer than four million.
#![allow(clippy::needless_bitwise_bool)] // A lazy operator is a branch, which would be guessed wrong.
#![allow(unsafe_code)] // Rows are read through `View`; that the rows are its own is plain here.

use std::hint::select_unpredictable;
use std::sync::Arc;

use super::asked::{Asked, Keys, Point};
use super::index::{Index, NO_WAY};
use super::layout::{FREE, Rank};
use super::rows::{Line, Shape};
use super::services;
use super::view::{View, read};
use super::wide::{Plain, Wide, Work};
use crate::Rule;
use crate::matching::Key;

/// How many packets are looked up abreast.
const BATCH: usize = 32;

/// How many parts are looked into before asking whether there are more.
const AT_ONCE: usize = 3;

/// No place.
const NOWHERE: u32 = u32::MAX;

/// Finds the place of the first rule whose rows all have its bit, over rows of one shape.
/// `APPLIED` tells whether the vNIC's row counts.
trait Find: Copy {
    /// Lines at the start of a row that are sure to be read.
    const LINES: usize;

    fn find(self, wide: impl Wide, tables: &Tables<'_>, point: &Point) -> u32;
}

#[derive(Clone, Copy)]
struct Flat<const APPLIED: bool, const LINES: usize>;

impl<const APPLIED: bool, const LINES: usize> Find for Flat<APPLIED, LINES> {
    const LINES: usize = LINES;

    #[inline(always)]
    fn find(self, wide: impl Wide, tables: &Tables<'_>, point: &Point) -> u32 {
        tables.flat::<APPLIED, LINES>(wide, point)
    }
}

#[derive(Clone, Copy)]
struct Packed<const APPLIED: bool, const LOG: u32>;

impl<const APPLIED: bool, const LOG: u32> Find for Packed<APPLIED, LOG> {
    const LINES: usize = 2;

    #[inline(always)]
    fn find(self, wide: impl Wide, tables: &Tables<'_>, point: &Point) -> u32 {
        tables.packed::<APPLIED, LOG>(wide, point)
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
        index.run(Each { index, asked, tell, find });
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
        index.run(One { index, asked, find, found });
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
        let mut points = [Point::default(); BATCH];
        for first in (0..self.asked.count()).step_by(BATCH) {
            let count = BATCH.min(self.asked.count() - first);
            for (ahead, own) in points[..count].iter_mut().enumerate() {
                let point = self.asked.point(tables, first + ahead);
                for line in 0..F::LINES {
                    wide.fetch(sources, point.source as usize + line);
                    wide.fetch(destinations, point.destination as usize + line);
                }
                *own = point;
            }
            for (ahead, point) in points[..count].iter().enumerate() {
                let mut place = self.find.find(wide, tables, point);
                if index.conditions && index.asks_more(place) {
                    let accepts = |rule: &Rule| self.asked.accepts(first + ahead, rule);
                    place = index.first_accepted(point, accepts);
                }
                (self.tell)(first + ahead, place);
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
    }
}

impl Index {
    /// The first rule that matches, on a vNIC of this class; late rules aside.
    pub(crate) fn first(&self, class: u32, key: Key<'_>) -> Option<(Rank, &Arc<Rule>)> {
        let mut found = NOWHERE;
        self.by_shape(Single { index: self, asked: Keys(class, &[key]), found: &mut found });
        self.layout.at(found)
    }

    /// [`Index::first`] for keys on vNICs of the classes given.
    pub(crate) fn first_on_each<'a>(
        &'a self,
        asked: &[(u32, Key<'_>)],
        mut tell: impl FnMut(usize, Option<(Rank, &'a Arc<Rule>)>),
    ) {
        self.first_of_each(asked, |at, place| tell(at, self.layout.at(place)));
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
            (Shape::Packed { .. }, false) => lookup.with(Packed::<false, 8>),
            (Shape::Packed { .. }, true) => lookup.with(Packed::<true, 8>),
        }
    }

    /// Runs with the widest instructions there are.
    #[inline(always)]
    fn run(&self, work: impl Work) {
        #[cfg(target_arch = "x86_64")]
        if let Some(wide) = self.wide {
            wide.run(work);
            return;
        }
        work.run(Plain);
    }

    /// Whether a rule's service asks for more than the tables look at.
    fn asks_more(&self, place: u32) -> bool {
        self.layout.at(place).is_some_and(|(_, rule)| services::is_conditional(&rule.service))
    }

    /// The place of the first rule whose rows all have its bit, and whose service wants the packet
    /// where it asks for more than the tables look at: rule after rule.
    #[cold]
    fn first_accepted(&self, point: &Point, accepts: impl Fn(&Rule) -> bool) -> u32 {
        let [sources, destinations] = &self.addresses.classes.rows;
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

    #[inline(always)]
    pub(super) fn applied_row(&self, class: u32) -> u32 {
        if self.restricted { self.applied.of[class as usize][0] } else { 0 }
    }
}

/// All that a lookup reads, gathered once.
pub(super) struct Tables<'a> {
    pub(super) index: &'a Index,
    pub(super) of: &'a [[u32; 2]],
    source: View<'a>,
    destination: View<'a>,
    service: View<'a>,
    applied: View<'a>,
    ways: [Way<'a>; 8],
    ranks: &'a [Rank],
}

/// A row of ways and which of its parts are not zero.
#[derive(Clone, Copy)]
struct Way<'a>(&'a [Line], &'a Line);

impl<'a> Tables<'a> {
    #[inline(always)]
    fn new(index: &'a Index) -> Self {
        let [source, destination] = &index.addresses.classes.rows;
        Self {
            index,
            of: &index.addresses.classes.of,
            source: View::of(source),
            destination: View::of(destination),
            service: View::of(&index.services.rows),
            applied: View::of(&index.applied.rows[0]),
            // Eight, so that no number of three bits is out of bounds.
            ways: std::array::from_fn(|at| {
                let own = &index.ways[at.min(NO_WAY)];
                Way(&own.lines, &own.parts)
            }),
            ranks: &index.layout.ranks,
        }
    }

    #[inline(always)]
    fn flat<const APPLIED: bool, const LINES: usize>(&self, wide: impl Wide, point: &Point) -> u32 {
        let (source, destination, service) = (self.source, self.destination, self.service);
        let Way(way, _) = self.ways[point.way & 7];
        let (mut met, mut words) = ([wide.row(&Line::ZERO); LINES], 0);
        // No way out before the last line: where a packet's rule is can not be guessed.
        for (at, met) in met.iter_mut().enumerate() {
            // SAFETY: the point's rows are of these tables, and all flat rows and bases have as
            // many lines.
            let row = unsafe {
                let met = wide.row(way.get_unchecked(at));
                let met = wide.lay(met, source.base(at), source.line(point.source, at));
                let row = destination.line(point.destination, at);
                let met = wide.lay(met, destination.base(at), row);
                let met = wide.lay(met, service.base(at), service.line(point.service, at));
                if APPLIED {
                    let row = self.applied.line(point.applied, at);
                    wide.lay(met, self.applied.base(at), row)
                } else {
                    met
                }
            };
            words |= wide.some(row) << (8 * at);
            *met = row;
        }
        let mut bits = wide.first(met[0], words);
        for (at, met) in met.iter().enumerate().skip(1) {
            let here = wide.first(*met, words >> (8 * at));
            bits = select_unpredictable(words & ((1 << (8 * at)) - 1) == 0, here, bits);
        }
        let place = words.trailing_zeros() << 6 | bits.trailing_zeros();
        select_unpredictable(words == 0, NOWHERE, place)
    }

    /// First the parts that all rows have, then what is in them.
    #[inline(always)]
    fn packed<const APPLIED: bool, const LOG: u32>(&self, wide: impl Wide, point: &Point) -> u32 {
        let (source, destination, service) = (self.source, self.destination, self.service);
        let Way(_, way_parts) = self.ways[point.way & 7];
        // SAFETY: the point's rows are of these tables.
        let met = unsafe {
            let met = wide.row(way_parts);
            let met = wide.narrow(met, source.parts, source.line(point.source, 0));
            let met = wide.narrow(met, destination.parts, destination.line(point.destination, 0));
            let met = wide.narrow(met, service.parts, service.line(point.service, 0));
            if APPLIED {
                wide.narrow(met, self.applied.parts, self.applied.line(point.applied, 0))
            } else {
                met
            }
        };
        // Rules open at both ends have a part in common with every packet, and mostly stand at the
        // end of a list: they are looked at only when no rule before the first of them matches.
        let met = wide.line(met);
        let open_parts = &self.index.layout.open;
        let open = Line(std::array::from_fn(|at| met.0[at] & open_parts.0[at]));
        let others = Line(std::array::from_fn(|at| met.0[at] & !open_parts.0[at]));
        let none = (NOWHERE, FREE);
        let found = self.among::<APPLIED, LOG>(wide, point, others, none);
        if found.1 > self.index.layout.first_open {
            self.among::<APPLIED, LOG>(wide, point, open, found).0
        } else {
            found.0
        }
    }

    /// The place and rank of the first rule in some parts, if it comes before another.
    #[inline(always)]
    fn among<const APPLIED: bool, const LOG: u32>(
        &self,
        wide: impl Wide,
        point: &Point,
        parts: Line,
        (mut found, mut best): (u32, Rank),
    ) -> (u32, Rank) {
        let (source, destination, service) = (self.source, self.destination, self.service);
        let Way(way, _) = self.ways[point.way & 7];
        let mut words = wide.some(wide.row(&parts));
        let mut met = parts;
        while words != 0 {
            // Several without a branch between them, whether there are as many or not: how many are
            // left can not be guessed.
            for _ in 0..AT_ONCE {
                let word = words.trailing_zeros() as usize & 7;
                let parts = met.0[word];
                let part = word << 6 | parts.trailing_zeros() as usize & 63;
                let rest = parts & parts.wrapping_sub(1);
                met.0[word] = rest;
                words &= !(u32::from(rest == 0) << word);
                for step in (0..8_usize << LOG).step_by(64) {
                    // SAFETY: the rows are of these tables, the part is below 512, the step within
                    // it; ways have all places, and there are 64 ranks more than places.
                    unsafe {
                        let way = way.as_ptr().cast::<u8>().add((part << LOG) + step / 8);
                        let mut bits = read::<LOG>(way)
                            & source.bits::<LOG>(point.source, part, step)
                            & destination.bits::<LOG>(point.destination, part, step)
                            & service.bits::<LOG>(point.service, part, step);
                        if APPLIED {
                            bits &= self.applied.bits::<LOG>(point.applied, part, step);
                        }
                        let place = (part << (3 + LOG)) + step;
                        let place = place + (bits | 1 << 63).trailing_zeros() as usize;
                        let rank = *self.ranks.get_unchecked(place);
                        let better = (bits != 0) & (parts != 0) & (rank < best);
                        best = select_unpredictable(better, rank, best);
                        found = select_unpredictable(better, place as u32, found);
                    }
                }
            }
        }
        (found, best)
    }
}
