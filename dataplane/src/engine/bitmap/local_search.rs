//! The first rule of a vNIC's own list that matches, for packets abreast.
#![allow(clippy::inline_always)] // What runs for every packet is one piece of code, compiled for each processor.
#![allow(unsafe_code)] // Lists are read through `View`; that they are its own is plain here.

use super::addresses::SIGN;
use super::asked::Point;
use super::index::{Index, LIST};
use super::layout::{FREE, Rank};
use super::local::{self, BLOCK, LOCAL, Local, Record};
use super::rows::Line;
use super::search::BATCH;
use super::signs;
use super::view::View;
use super::wide::{Wide, Work};
use crate::Rule;

/// Puts the places of rules that are listed by vNIC where they come before those found.
pub(super) struct Before<'a, A> {
    pub(super) index: &'a Index,
    pub(super) points: &'a [Point],
    pub(super) places: &'a mut [u32],
    /// Whether the service of a rule wants one of the packets.
    pub(super) accepts: A,
}

/// Entries of a block that may match.
#[derive(Clone, Copy, Default)]
struct Chosen {
    block: usize,
    entries: u32,
}

impl Chosen {
    /// The line of the list that tells the place of the first entry.
    const fn line_of_place(self) -> usize {
        self.block * BLOCK + 3 + (self.entries.trailing_zeros() as usize & 31) / 16
    }
}

/// What is read.
#[derive(Clone, Copy)]
struct Lists<'a> {
    lists: View<'a>,
    signs: View<'a>,
    local: &'a Local,
}

impl<A: Fn(usize, &Rule) -> bool> Work for Before<'_, A> {
    #[inline(always)]
    fn run(self, wide: impl Wide) {
        let Self { index, points, places, accepts } = self;
        let lists = Lists::of(index);
        // Those of any service, and those of the packet's.
        let mut chosen = [[Chosen::default(); 2]; BATCH];
        for (point, chosen) in points.iter().zip(&mut chosen) {
            *chosen = [lists.of_any(wide, point), lists.of_service(wide, point)];
            for some in chosen.iter().filter(|some| some.entries != 0) {
                lists.fetch_place(wide, point, *some);
            }
        }
        for (point, chosen) in points.iter().zip(&chosen) {
            for some in chosen.iter().filter(|some| some.entries != 0) {
                let place = lists.place(point, *some);
                wide.fetch(lists.local.records.as_ptr().cast(), place as usize);
                for sign in point.signs {
                    wide.fetch(lists.signs.lines(), sign as usize + 1);
                }
            }
        }
        for (at, (point, chosen)) in points.iter().zip(chosen).enumerate() {
            if chosen[0].entries | chosen[1].entries == 0 {
                continue;
            }
            let mut before = index.layout.ranks.get(places[at] as usize).copied().unwrap_or(FREE);
            for (some, any) in chosen.into_iter().zip([true, false]) {
                let matches = |record: &Record, place: u32| {
                    lists.holds(wide, point, record)
                        && (!record.unclear
                            || index.local_matches(place, point, |rule| accepts(at, rule)))
                };
                if let Some((place, rank)) = lists.first(wide, point, some, any, before, matches) {
                    (places[at], before) = (LOCAL | place, rank);
                }
            }
        }
    }
}

impl<'a> Lists<'a> {
    #[inline(always)]
    fn of(index: &'a Index) -> Self {
        let lists = View::of(&index.applied.rows[LIST]);
        Self { lists, signs: View::of(&index.addresses.classes.rows[SIGN]), local: &index.local }
    }

    /// A line of a block of the packet's list.
    #[inline(always)]
    fn line(self, point: &Point, block: usize, at: usize) -> &'a Line {
        // SAFETY: the point's list is one of these, and blocks are named by lists that have them.
        unsafe { self.lists.line(local::first_line(point.list), block * BLOCK + at) }
    }

    /// The entries of a block between the packet's ends.
    #[inline(always)]
    fn between(self, wide: impl Wide, point: &Point, block: usize) -> u32 {
        // SAFETY: the point's rows are of these tables.
        let signs = point.signs.map(|row| unsafe { self.signs.line(row, 0) });
        wide.between(signs, point.unwanted, [0, 1].map(|at| self.line(point, block, at)))
    }

    /// The entries that are asked about every service.
    #[inline(always)]
    fn of_any(self, wide: impl Wide, point: &Point) -> Chosen {
        self.chosen(wide, point, 0, true)
    }

    /// The entries that want the packet's service.
    #[inline(always)]
    fn of_service(self, wide: impl Wide, point: &Point) -> Chosen {
        self.chosen(wide, point, local::bucket(point.list, point.carried), false)
    }

    /// The entries that may match of the first block from one on that has any.
    #[inline(always)]
    fn chosen(self, wide: impl Wide, point: &Point, mut block: usize, any: bool) -> Chosen {
        loop {
            let mut entries = self.between(wide, point, block);
            if !any {
                entries &= wide.alike(self.line(point, block, 2), point.carried);
            }
            let more = local::more(self.line(point, block, 0));
            if entries != 0 || more == 0 {
                return Chosen { block, entries };
            }
            block = more;
        }
    }

    /// Asks for the line that tells the place of the first entry.
    #[inline(always)]
    fn fetch_place(self, wide: impl Wide, point: &Point, chosen: Chosen) {
        let line = local::first_line(point.list) as usize + chosen.line_of_place();
        wide.fetch(self.lists.lines(), line);
    }

    /// The place of the first entry.
    #[inline(always)]
    fn place(self, point: &Point, chosen: Chosen) -> u32 {
        // SAFETY: the list has the block, whose last two lines tell places.
        let first = local::first_line(point.list);
        let line = unsafe { self.lists.line(first, chosen.line_of_place()) };
        line.number(chosen.entries.trailing_zeros() as usize % 16)
    }

    /// The first entry that matches, if its rule comes before a rank.
    #[inline(always)]
    fn first(
        self,
        wide: impl Wide,
        point: &Point,
        mut chosen: Chosen,
        any: bool,
        before: Rank,
        matches: impl Fn(&Record, u32) -> bool,
    ) -> Option<(u32, Rank)> {
        while chosen.entries != 0 {
            let place = self.place(point, chosen);
            let record = self.local.records.get(place as usize)?;
            if record.rank >= before {
                return None;
            }
            if matches(record, place) {
                return Some((place, record.rank));
            }
            chosen.entries &= chosen.entries - 1;
            if chosen.entries == 0 {
                match local::more(self.line(point, chosen.block, 0)) {
                    0 => return None,
                    more => chosen = self.chosen(wide, point, more, any),
                }
            }
        }
        None
    }

    /// Whether an entry matches but for what only its rule can tell.
    #[inline(always)]
    fn holds(self, wide: impl Wide, point: &Point, record: &Record) -> bool {
        let [source, destination] = point.signs;
        record.wants(point.key)
            && self.carries(wide, source, record.ends[0])
            && self.carries(wide, destination, record.ends[1])
    }

    /// Whether a label is among those of a row, or that of everybody.
    #[inline(always)]
    fn carries(self, wide: impl Wide, row: u32, label: u32) -> bool {
        let mut at = 1;
        loop {
            // SAFETY: the point's rows are of these tables; a row goes on for as long as its lines say.
            let line = unsafe { self.signs.line(row, at) };
            if wide.has_number(line, label) {
                return true;
            }
            if !signs::goes_on(line) {
                return false;
            }
            at += 1;
        }
    }
}
