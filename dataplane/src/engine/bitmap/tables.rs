//! All that lookups read, and how rows are laid over one another.
#![allow(clippy::inline_always)] // What runs for every packet is one piece of code, compiled for each processor.
#![allow(clippy::cast_possible_truncation)] // Places are fewer than four million.
#![allow(clippy::needless_bitwise_bool)] // A lazy operator is a branch, which would be guessed wrong.
#![allow(unsafe_code)] // Rows are read through `View`; that the rows are its own is plain here.

use std::hint::select_unpredictable;

use super::asked::Point;
use super::codes::CodeLines;
use super::index::{Index, NO_WAY};
use super::layout::{FREE, MOST_FLAT_LINES, Rank};
use super::listed;
use super::rows::{Line, PARTS};
use super::search::NOWHERE;
use super::services;
use super::view::{View, read};
use super::wide::Wide;

/// What of rows' form the code for them is compiled for.
pub(super) trait Form: Copy {
    /// Whether the vNIC's row counts.
    fn applied(self) -> bool;
    /// Of flat rows the number of lines, of packed ones the size of parts: the two's logarithm of bytes.
    fn size(self) -> u32;
}

/// A form that is in the code.
#[derive(Clone, Copy)]
pub(super) struct Known<const APPLIED: bool, const SIZE: u32>;

impl<const APPLIED: bool, const SIZE: u32> Form for Known<APPLIED, SIZE> {
    #[inline(always)]
    fn applied(self) -> bool {
        APPLIED
    }

    #[inline(always)]
    fn size(self) -> u32 {
        SIZE
    }
}

/// Any form.
#[derive(Clone, Copy)]
pub(super) struct Told {
    pub(super) applied: bool,
    pub(super) size: u32,
}

impl Form for Told {
    #[inline(always)]
    fn applied(self) -> bool {
        self.applied
    }

    #[inline(always)]
    fn size(self) -> u32 {
        self.size
    }
}

/// How many parts are looked into before asking whether there are more.
const AT_ONCE: usize = 3;

/// All that a lookup reads, gathered once.
pub(super) struct Tables<'a> {
    pub(super) index: &'a Index,
    pub(super) of: &'a [[u32; 4]],
    pub(super) source: View<'a>,
    pub(super) destination: View<'a>,
    service: View<'a>,
    applied: View<'a>,
    ways: [Way<'a>; 8],
    /// The codes that packets of each way may have.
    codes: &'a [CodeLines; 8],
    /// Whether codes tell less than rows do.
    doubtful: bool,
    ranks: &'a [Rank],
    /// The place of the rule that takes whatever no list has, by way; nowhere if that is not sure.
    fallbacks: [u32; 8],
}

/// A row of ways and which of its parts are not zero.
#[derive(Clone, Copy)]
struct Way<'a>(&'a [Line], &'a Line);

impl<'a> Tables<'a> {
    #[inline(always)]
    pub(super) fn new(index: &'a Index) -> Self {
        let [source, destination, ..] = &index.addresses.classes.rows;
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
            codes: &index.services.codes.ways,
            doubtful: index.services.codes.shared || index.has_gone(),
            ranks: &index.layout.ranks,
            fallbacks: std::array::from_fn(|at| {
                let stands = |place: &u32| index.ways[at.min(NO_WAY)].get(*place as usize);
                index.layout.fallback.filter(stands).unwrap_or(NOWHERE)
            }),
        }
    }

    /// The place of the rule that takes what no list has, if no rule that is listed by the packet's destination
    /// wants it (by bits of what those want); nowhere if that is not sure.
    #[inline(always)]
    pub(super) fn fallback(&self, wanted: u32, key: u32, way: usize) -> u32 {
        let wanted = services::may_want(wanted, key);
        select_unpredictable(wanted, NOWHERE, self.fallbacks[way & 7])
    }

    /// Where the first lines of codes are.
    #[inline(always)]
    pub(super) const fn service_codes(&self) -> *const Line {
        self.service.code_lines()
    }

    #[inline(always)]
    pub(super) fn flat(&self, wide: impl Wide, form: impl Form, point: &Point) -> u32 {
        let (source, destination, service) = (self.source, self.destination, self.service);
        let Way(way, _) = self.ways[point.way & 7];
        let (mut met, mut words) = ([wide.row(&Line::ZERO); MOST_FLAT_LINES], 0);
        // No way out before the last line: where a packet's rule is can not be guessed.
        for (at, met) in met.iter_mut().enumerate().take(form.size() as usize) {
            // SAFETY: the point's rows are of these tables, and all flat rows and bases have as
            // many lines.
            let row = unsafe {
                let met = wide.row(way.get_unchecked(at));
                let met = wide.lay(met, source.base(at), source.line(point.source, at));
                let row = destination.line(point.destination, at);
                let met = wide.lay(met, destination.base(at), row);
                let met = wide.lay(met, service.base(at), service.line(point.service, at));
                if form.applied() {
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
        for (at, met) in met.iter().enumerate().take(form.size() as usize).skip(1) {
            let here = wide.first(*met, words >> (8 * at));
            bits = select_unpredictable(words & ((1 << (8 * at)) - 1) == 0, here, bits);
        }
        let place = words.trailing_zeros() << 6 | bits.trailing_zeros();
        select_unpredictable(words == 0, NOWHERE, place)
    }

    /// First the rules that are listed by the destination, then what else may come before.
    #[inline(always)]
    pub(super) fn packed(&self, wide: impl Wide, form: impl Form, point: &Point) -> u32 {
        let found = self.listed(wide, form, point);
        // SAFETY: there are more ranks than places.
        let rank = if found == NOWHERE {
            FREE
        } else {
            unsafe { *self.ranks.get_unchecked(found as usize) }
        };
        if rank < self.index.layout.first_unlisted {
            return found;
        }
        // SAFETY: the point's rows are of these tables.
        let met = unsafe {
            let Way(_, way_parts) = self.ways[point.way & 7];
            let met = wide.row(way_parts);
            let met = wide.narrow(met, self.source.parts, self.source.line(point.source, 0));
            let met = wide.narrow(met, self.service.parts, self.service.line(point.service, 0));
            if form.applied() {
                wide.narrow(met, self.applied.parts, self.applied.line(point.applied, 0))
            } else {
                met
            }
        };
        let unlisted = &self.index.layout.unlisted;
        let met = wide.line(wide.narrow(met, unlisted, unlisted));
        self.among(wide, form, point, met, (found, rank)).0
    }

    /// The first rule that is chosen from the first block of the destination's list, and whether it
    /// is the first that matches.
    #[inline(always)]
    pub(super) fn guess(&self, wide: impl Wide, form: impl Form, point: &Point) -> (u32, bool) {
        // SAFETY: the rows are of these tables, every list has a block, all of whose lanes name
        // places that there are, and there are more ranks than places.
        unsafe {
            let parts = self.source.line(point.source, 0);
            let block = self.destination.block(form.size(), point.destination, 0);
            let codes = [self.service.codes(point.service), &self.codes[point.way & 7]];
            let chosen = wide.choose(parts, codes, [&block[0], &block[1]]);
            let key = listed::key_at(form.size(), block, chosen.trailing_zeros() as usize & 31);
            let (place, holds) = self.holds(form, point, key);
            let rank = *self.ranks.get_unchecked(place as usize);
            let first = rank < self.index.layout.first_unlisted;
            // Most packets are of no listed rule: then it is the default rule.
            let (none, fallback) = (chosen == 0, self.fallbacks[point.way & 7]);
            let last = !listed::goes_on(&block[1]) & (fallback != NOWHERE);
            let sure = select_unpredictable(none, last, holds & first);
            (select_unpredictable(none, fallback, place), sure)
        }
    }

    /// The place with a list's key, and whether all rows hold it, where the list's destination and
    /// the codes do.
    ///
    /// # Safety
    ///
    /// The rows are of these tables, and the key is of a list for places of the form.
    #[inline(always)]
    unsafe fn holds(&self, form: impl Form, point: &Point, key: u32) -> (u32, bool) {
        let (part, nth) = (key as usize & (PARTS - 1), key as usize / PARTS);
        let place = (part << (3 + form.size())) + nth;
        // SAFETY: by the caller's promise.
        let holds = unsafe {
            let holds = self.source.holds(form.size(), point.source, part, nth)
                & (!form.applied() || self.applied.holds(form.size(), point.applied, part, nth));
            if self.doubtful {
                let Way(way, _) = self.ways[point.way & 7];
                holds
                    & way.get_unchecked(place / PARTS).get(place % PARTS)
                    & self.service.holds(form.size(), point.service, part, nth)
            } else {
                holds
            }
        };
        (place as u32, holds)
    }

    /// The place of the first rule that is listed by the destination.
    #[inline(always)]
    fn listed(&self, wide: impl Wide, form: impl Form, point: &Point) -> u32 {
        // SAFETY: the rows are of these tables; a list goes on for as long as its blocks say; lanes
        // that are chosen name places that there are.
        unsafe {
            let parts = self.source.line(point.source, 0);
            let codes = [self.service.codes(point.service), &self.codes[point.way & 7]];
            let mut block = self.destination.block(form.size(), point.destination, 0);
            let mut next = 0;
            loop {
                let mut chosen = wide.choose(parts, codes, [&block[0], &block[1]]);
                while chosen != 0 {
                    let key =
                        listed::key_at(form.size(), block, chosen.trailing_zeros() as usize & 31);
                    if let (place, true) = self.holds(form, point, key) {
                        return place;
                    }
                    chosen &= chosen - 1;
                }
                if !listed::goes_on(&block[1]) {
                    return NOWHERE;
                }
                next += 1;
                block = self.destination.block(form.size(), point.destination, next);
            }
        }
    }

    /// The place and rank of the first rule in some parts, if it comes before another.
    #[inline(always)]
    fn among(
        &self,
        wide: impl Wide,
        form: impl Form,
        point: &Point,
        parts: Line,
        (mut found, mut best): (u32, Rank),
    ) -> (u32, Rank) {
        let (source, destination, service) = (self.source, self.destination, self.service);
        let Way(way, _) = self.ways[point.way & 7];
        let destination = destination.whole();
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
                for step in (0..8_usize << form.size()).step_by(64) {
                    // SAFETY: the rows are of these tables, the part is below 512, the step within
                    // it; ways have all places, and there are 64 ranks more than places.
                    unsafe {
                        let at = (part << form.size()) + step / 8;
                        let mut bits = read(form.size(), way.as_ptr().cast::<u8>().add(at))
                            & read(form.size(), destination.as_ptr().cast::<u8>().add(at))
                            & source.bits(form.size(), point.source, part, step)
                            & service.bits(form.size(), point.service, part, step);
                        if form.applied() {
                            bits &= self.applied.bits(form.size(), point.applied, part, step);
                        }
                        let place = (part << (3 + form.size())) + step;
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
