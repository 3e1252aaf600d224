//! The first rule of a vNIC's own list that matches, for packets abreast.
#![allow(clippy::inline_always)] // What runs for every packet is one piece of code, compiled for each processor.
#![allow(clippy::cast_possible_truncation)] // Blocks are named by 16 bits.
#![allow(unsafe_code)] // Lists are read through `View`; that they are its own is plain here.

use super::addresses::SIGN;
use super::asked::Point;
use super::index::{Index, LIST};
use super::layout::Rank;
use super::local::{self, BLOCK, EVERYBODYS, Local, Record, tag};
use super::rows::Line;
use super::signs;
use super::view::View;
use super::wide::Wide;
use crate::Rule;

/// Entries of a block that may match.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Chosen {
    pub(super) block: u32,
    pub(super) entries: u32,
}

impl Chosen {
    /// The line of the list that tells the place of the first entry.
    const fn line_of_place(self) -> usize {
        self.block as usize * BLOCK + 3 + (self.entries.trailing_zeros() as usize & 31) / 16
    }
}

/// What is read.
#[derive(Clone, Copy)]
pub(super) struct Lists<'a> {
    lists: View<'a>,
    signs: View<'a>,
    local: &'a Local,
    index: &'a Index,
    /// Whether tags tell labels apart.
    exact: bool,
}

/// Whether a tag is among those of a row, or that of everybody.
///
/// # Safety
///
/// The row is one of these signs.
#[inline(always)]
pub(super) unsafe fn carries(wide: impl Wide, signs: View<'_>, row: u32, tag: u16) -> bool {
    let mut at = 1;
    loop {
        // SAFETY: by the caller's promise; a row goes on for as long as its lines say.
        let line = unsafe { signs.line(row, at) };
        if wide.alike(line, tag) != 0 {
            return true;
        }
        if tag == EVERYBODYS || !signs::goes_on(line) {
            return tag == EVERYBODYS;
        }
        at += 1;
    }
}

impl<'a> Lists<'a> {
    #[inline(always)]
    pub(super) fn of(index: &'a Index) -> Self {
        let lists = View::of(&index.applied.rows[LIST]);
        let signs = View::of(&index.addresses.classes.rows[SIGN]);
        Self { lists, signs, local: &index.local, index, exact: index.tells_labels_apart() }
    }

    /// Asks for what is read of a packet's list first.
    #[inline(always)]
    pub(super) fn fetch(self, wide: impl Wide, point: &Point) {
        for sign in point.signs {
            wide.fetch(self.signs.lines(), sign as usize);
        }
        let list = local::first_line(point.list) as usize;
        let bucket = local::bucket(point.list, point.carried) * BLOCK;
        for line in [0, 1, bucket, bucket + 1, bucket + 2] {
            wide.fetch(self.lists.lines(), list + line);
        }
    }

    /// The entries that may match: those of any service, and those of the packet's.
    #[inline(always)]
    pub(super) fn choose(self, wide: impl Wide, point: &Point) -> [Chosen; 2] {
        let chosen = [self.of_any(wide, point), self.of_service(wide, point)];
        for some in chosen.iter().filter(|some| some.entries != 0) {
            self.fetch_place(wide, point, *some);
        }
        chosen
    }

    /// Asks for what tells whether they do.
    #[inline(always)]
    pub(super) fn fetch_records(self, wide: impl Wide, point: &Point, chosen: [Chosen; 2]) {
        for some in chosen.iter().filter(|some| some.entries != 0) {
            let place = self.place(point, *some);
            wide.fetch(self.local.records.as_ptr().cast(), place as usize);
            for sign in point.signs {
                wide.fetch(self.signs.lines(), sign as usize + 1);
            }
        }
    }

    /// The place of the first that does, if its rule comes before a rank.
    #[inline(always)]
    pub(super) fn first_of(
        self,
        wide: impl Wide,
        point: &Point,
        chosen: [Chosen; 2],
        mut before: Rank,
        accepts: impl Fn(&Rule) -> bool,
    ) -> Option<u32> {
        let matches = |record: &Record, place: u32| {
            self.holds(wide, point, record)
                && (!record.unclear || self.index.local_matches(place, point.classes, &accepts))
        };
        let mut found = None;
        for (some, any) in chosen.into_iter().zip([true, false]) {
            if let Some((place, rank)) = self.first(wide, point, some, any, before, matches) {
                (found, before) = (Some(place), rank);
            }
        }
        found
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
                return Chosen { block: block as u32, entries };
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
                match local::more(self.line(point, chosen.block as usize, 0)) {
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
        record.wants(point.key)
            && (0..2).all(|end| {
                let (own, label) = (point.signs[end], record.ends[end]);
                // SAFETY: the point's rows are of these tables.
                let carried = unsafe { carries(wide, self.signs, own, tag(label)) };
                carried && (self.exact || self.index.carries(point.classes[end], label))
            })
    }
}
