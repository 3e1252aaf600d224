//! The first rule on a vNIC that matches packets with the vNIC's own address at its end, abreast.
#![allow(clippy::inline_always)] // What runs for every packet is one piece of code, compiled for each processor.
#![allow(unsafe_code)] // Lists are read through `View`; that they are its own is plain here.

use super::addresses::SIGN;
use super::asked::Met;
use super::homes::{self, MORE};
use super::index::Index;
use super::layout::Rank;
use super::local::{tag, unwanted};
use super::local_search::{Chosen, carries};
use super::rows::Line;
use super::view::View;
use super::wide::Wide;
use crate::Rule;

/// What is read.
#[derive(Clone, Copy)]
pub(super) struct Lists<'a> {
    lanes: View<'a>,
    places: View<'a>,
    signs: View<'a>,
    index: &'a Index,
    /// Whether tags tell labels apart.
    exact: bool,
}

/// What is looked up at home.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Own {
    /// The list of the vNIC.
    pub(super) list: u32,
    /// The labels of the other end.
    pub(super) sign: u32,
    /// What is carried, as a lane.
    pub(super) carried: u16,
}

/// The line that tells the place of the first entry.
const fn line_of_place(chosen: Chosen) -> u32 {
    homes::places_of(chosen.block) + (chosen.entries.trailing_zeros() & 31) / 16
}

impl<'a> Lists<'a> {
    #[inline(always)]
    pub(super) fn of(index: &'a Index) -> Self {
        Self {
            lanes: View::of_lines(&index.homes.lanes),
            places: View::of_lines(&index.homes.places),
            signs: View::of(&index.addresses.classes.rows[SIGN]),
            index,
            exact: index.tells_labels_apart(),
        }
    }

    /// Asks for what is read of a list first.
    #[inline(always)]
    pub(super) fn fetch(self, wide: impl Wide, own: Own) {
        wide.fetch(self.signs.lines(), own.sign as usize);
        wide.fetch(self.lanes.lines(), homes::first_block(own.list, own.carried) as usize);
    }

    /// The entries of the first block of a list that may match, and whether the list ends there.
    #[inline(always)]
    pub(super) fn start(self, wide: impl Wide, own: Own) -> (Chosen, bool) {
        self.of_block(wide, own, homes::first_block(own.list, own.carried))
    }

    /// Those of the next block that has any, where this one has none.
    #[inline(always)]
    pub(super) fn go_on(self, wide: impl Wide, own: Own, before: Chosen) -> Chosen {
        let mut chosen = before;
        let mut ends = homes::mask(self.lanes(chosen.block)) & MORE == 0;
        while !ends && chosen.entries == 0 {
            (chosen, ends) = self.of_block(wide, own, chosen.block + 1);
        }
        chosen
    }

    #[inline(always)]
    fn of_block(self, wide: impl Wide, own: Own, block: u32) -> (Chosen, bool) {
        let lanes = self.lanes(block);
        // SAFETY: the sign is of these tables.
        let sign = unsafe { self.signs.line(own.sign, 0) };
        let entries = wide.toward(sign, homes::of_service(own.carried), lanes);
        (Chosen { block, entries }, homes::mask(lanes) & MORE == 0)
    }

    /// Asks for what tells where the record of the first is, and for what the other end carries.
    #[inline(always)]
    pub(super) fn fetch_place(self, wide: impl Wide, own: Own, chosen: Chosen) {
        wide.fetch(self.places.lines(), line_of_place(chosen) as usize);
        wide.fetch(self.signs.lines(), own.sign as usize + 1);
    }

    /// Asks for the record of the first.
    #[inline(always)]
    pub(super) fn fetch_record(self, wide: impl Wide, chosen: Chosen) {
        wide.fetch(self.index.local.records.as_ptr().cast(), self.place(chosen) as usize);
    }

    /// The lanes of a block.
    #[inline(always)]
    fn lanes(self, block: u32) -> &'a Line {
        // SAFETY: lists are of these, and blocks follow as the one before tells.
        unsafe { self.lanes.line(block, 0) }
    }

    /// The place of the first entry.
    #[inline(always)]
    fn place(self, chosen: Chosen) -> u32 {
        // SAFETY: every block has its lines of places.
        let line = unsafe { self.places.line(line_of_place(chosen), 0) };
        line.number(chosen.entries.trailing_zeros() as usize % 16)
    }

    /// The place of the first entry that matches, if its rule comes before a rank.
    #[inline(always)]
    pub(super) fn first(
        self,
        wide: impl Wide,
        met: Met,
        own: Own,
        mut chosen: Chosen,
        before: Rank,
        accepts: impl Fn(&Rule) -> bool,
    ) -> Option<u32> {
        let peer = usize::from(met.sends());
        let carries = |label: u32| {
            // SAFETY: the sign is of these tables.
            let carried = unsafe { carries(wide, self.signs, own.sign, tag(label)) };
            carried && (self.exact || self.index.carries(met.peer, label))
        };
        while chosen.entries != 0 {
            let place = self.place(chosen);
            let record = self.index.local.records.get(place as usize)?;
            if record.rank >= before {
                return None;
            }
            if record.wants(met.key)
                && record.unwanted & unwanted(met.way as usize) == 0
                && carries(record.ends[peer])
                && (!record.unclear || self.index.local_matches(place, met.classes(), &accepts))
            {
                return Some(place);
            }
            chosen.entries &= chosen.entries - 1;
            if chosen.entries == 0 {
                chosen = self.go_on(wide, own, chosen);
            }
        }
        None
    }
}
