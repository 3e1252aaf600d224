//! The first rule on a vNIC that matches packets with the vNIC's own address at its end, abreast.
#![allow(clippy::inline_always)] // What runs for every packet is one piece of code, compiled for each processor.
#![allow(unsafe_code)] // Lists are read through `View`; that they are its own is plain here.

use std::hint::select_unpredictable;

use super::addresses::SIGN;
use super::asked::Point;
use super::homes::{self, BLOCK, LONG, MORE};
use super::index::Index;
use super::layout::Rank;
use super::local::tag;
use super::local_search::{Chosen, carries};
use super::rows::Line;
use super::view::View;
use super::wide::Wide;
use crate::Rule;

/// From a block to the next.
#[allow(clippy::cast_possible_truncation)] // Three.
const NEXT: u32 = BLOCK as u32;

/// What is read.
#[derive(Clone, Copy)]
pub(super) struct Lists<'a> {
    lists: View<'a>,
    signs: View<'a>,
    index: &'a Index,
    /// Whether tags tell labels apart.
    exact: bool,
}

/// The line of a block that tells the place of the first entry.
const fn line_of_place(chosen: Chosen) -> usize {
    1 + (chosen.entries.trailing_zeros() as usize & 31) / 16
}

impl<'a> Lists<'a> {
    #[inline(always)]
    pub(super) fn of(index: &'a Index) -> Self {
        Self {
            lists: View::of_lines(&index.homes.lines),
            signs: View::of(&index.addresses.classes.rows[SIGN]),
            index,
            exact: index.tells_labels_apart(),
        }
    }

    /// The sign of the other end.
    #[inline(always)]
    fn peer(point: &Point) -> u32 {
        point.signs[point.peer()]
    }

    /// Asks for what is read of a list first.
    #[inline(always)]
    pub(super) fn fetch(self, wide: impl Wide, point: &Point, list: u32) {
        wide.fetch(self.signs.lines(), Self::peer(point) as usize);
        let first = homes::first_line(list) as usize;
        let next = select_unpredictable(list & LONG == 0, 0, BLOCK);
        wide.fetch(self.lists.lines(), first);
        wide.fetch(self.lists.lines(), first + next);
    }

    /// The entries of the first block of a packet's list that may match, and whether the list ends there.
    #[inline(always)]
    pub(super) fn start(self, wide: impl Wide, point: &Point) -> (Chosen, bool) {
        let block = homes::first_line(point.home.unwrap_or_default());
        self.of_block(wide, point, block)
    }

    /// Those of the next block that has any.
    #[inline(always)]
    pub(super) fn go_on(self, wide: impl Wide, point: &Point, before: Chosen) -> Chosen {
        let (mut chosen, mut ends) = (before, false);
        while !ends && chosen.entries == 0 {
            (chosen, ends) = self.of_block(wide, point, chosen.block + NEXT);
        }
        chosen
    }

    #[inline(always)]
    fn of_block(self, wide: impl Wide, point: &Point, block: u32) -> (Chosen, bool) {
        let lanes = self.line(block, 0);
        // SAFETY: the point's rows are of these tables.
        let sign = unsafe { self.signs.line(Self::peer(point), 0) };
        let entries = wide.toward(sign, homes::of_service(point.carried), lanes);
        (Chosen { block, entries }, homes::mask(lanes) & MORE == 0)
    }

    /// Asks for what tells where the record of the first is, and for what the other end carries.
    #[inline(always)]
    pub(super) fn fetch_place(self, wide: impl Wide, point: &Point, chosen: Chosen) {
        wide.fetch(self.lists.lines(), chosen.block as usize + line_of_place(chosen));
        wide.fetch(self.signs.lines(), Self::peer(point) as usize + 1);
    }

    /// Asks for the record of the first.
    #[inline(always)]
    pub(super) fn fetch_record(self, wide: impl Wide, chosen: Chosen) {
        wide.fetch(self.index.local.records.as_ptr().cast(), self.place(chosen) as usize);
    }

    #[inline(always)]
    fn line(self, block: u32, at: usize) -> &'a Line {
        // SAFETY: lists are of these, and blocks follow as the one before tells.
        unsafe { self.lists.line(block, at) }
    }

    /// The place of the first entry.
    #[inline(always)]
    fn place(self, chosen: Chosen) -> u32 {
        let line = self.line(chosen.block, line_of_place(chosen));
        line.number(chosen.entries.trailing_zeros() as usize % 16)
    }

    /// The place of the first entry that matches, if its rule comes before a rank.
    #[inline(always)]
    pub(super) fn first(
        self,
        wide: impl Wide,
        point: &Point,
        mut chosen: Chosen,
        before: Rank,
        accepts: impl Fn(&Rule) -> bool,
    ) -> Option<u32> {
        let peer = point.peer();
        while chosen.entries != 0 {
            let place = self.place(chosen);
            let record = self.index.local.records.get(place as usize)?;
            if record.rank >= before {
                return None;
            }
            if record.wants(point.key)
                && record.unwanted & point.unwanted == 0
                && self.carries(wide, point, record.ends[peer])
                && (!record.unclear || self.index.local_matches(place, point, &accepts))
            {
                return Some(place);
            }
            chosen.entries &= chosen.entries - 1;
            if chosen.entries == 0 && homes::mask(self.line(chosen.block, 0)) & MORE != 0 {
                chosen = self.go_on(wide, point, chosen);
            }
        }
        None
    }

    /// Whether the other end carries a label.
    #[inline(always)]
    fn carries(self, wide: impl Wide, point: &Point, label: u32) -> bool {
        let peer = point.peer();
        // SAFETY: the point's rows are of these tables.
        let carried = unsafe { carries(wide, self.signs, point.signs[peer], tag(label)) };
        carried && (self.exact || self.index.carries(point.classes[peer], label))
    }
}
