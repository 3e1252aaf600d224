//! The lowest-ranked rules of many packets on vNICs, step by step.
//!
//! In a large world nearly all that a lookup reads is in no cache, and each step has to know what the one
//! before has read. So many packets take a step before the first takes the next one, and each ends by
//! asking for what the next will read.
#![allow(clippy::cast_possible_truncation)] // Numbers of packets abreast are below 64.
#![allow(clippy::inline_always)] // What runs for every packet is one piece of code, compiled for each processor.

use super::asked::{Apart, OnVnics, Point};
use super::index::Index;
use super::local::LOCAL;
use super::local_search::{self, Chosen};
use super::search::{Find, NOWHERE, fetch_rows};
use super::tables::Tables;
use super::wide::{Wide, Work};
use super::{home_search, services};
use crate::Rule;

/// How many packets take a step together.
const ABREAST: usize = 64;

/// Numbers of packets that take a step which others do not: told apart without a branch, for none could be
/// guessed.
#[derive(Clone, Copy)]
struct Few {
    numbers: [u8; ABREAST],
    count: usize,
}

impl Few {
    const NONE: Self = Self { numbers: [0; ABREAST], count: 0 };

    /// Adds a packet, or does not.
    #[inline(always)]
    fn add(&mut self, number: usize, takes: bool) {
        self.numbers[self.count & (ABREAST - 1)] = (number & (ABREAST - 1)) as u8;
        self.count += usize::from(takes);
    }

    /// Those that were added.
    #[inline(always)]
    fn iter(&self) -> impl Iterator<Item = usize> {
        self.numbers[..self.count.min(ABREAST)].iter().map(|number| usize::from(*number))
    }
}

/// Tells the places of packets' rules, and whether their verdicts take more.
pub(super) struct Steps<'a, A, T, F> {
    pub(super) index: &'a Index,
    pub(super) asked: A,
    pub(super) tell: T,
    pub(super) find: F,
}

impl<A: OnVnics, T: FnMut(usize, Apart, u32), F: Find> Work for Steps<'_, A, T, F> {
    #[inline(always)]
    fn run(self, wide: impl Wide) {
        let Self { index, asked, mut tell, find } = self;
        let tables = &Tables::new(index);
        let lists = local_search::Lists::of(index);
        let at_home = home_search::Lists::of(index);
        let (mut classes, mut apart) = ([[0; 2]; ABREAST], [Apart::No; ABREAST]);
        let (mut points, mut places) = ([Point::default(); ABREAST], [0; ABREAST]);
        let mut chosen = [[Chosen::default(); 2]; ABREAST];
        let fetch = |place: *const u8| wide.fetch(place.cast(), 0);
        (0..ABREAST.min(asked.count())).for_each(|at| asked.ahead(at, fetch));
        for first in (0..asked.count()).step_by(ABREAST) {
            let count = ABREAST.min(asked.count() - first);
            let accepts = |at: usize| {
                let key = asked.key(first + at);
                move |rule: &Rule| services::accepts(rule, key)
            };
            for (at, (classes, apart)) in classes.iter_mut().zip(&mut apart).take(count).enumerate()
            {
                asked.ahead(first + at + ABREAST, fetch);
                let packet = asked.at(first + at);
                (*classes, *apart) = (packet.classes(tables), packet.apart);
                for class in *classes {
                    wide.fetch(tables.of.as_ptr().wrapping_add(class as usize).cast(), 0);
                }
            }
            let (mut listed, mut home, mut away) = (Few::NONE, Few::NONE, Few::NONE);
            for (at, (point, classes)) in points.iter_mut().zip(classes).take(count).enumerate() {
                *point = asked.at(first + at).point(tables, classes);
                places[at] = tables.fallback(point);
                let looks = places[at] == NOWHERE;
                listed.add(at, looks);
                fetch_rows(wide, find, tables, point, looks);
                let at_its = point.home.is_some();
                home.add(at, at_its);
                away.add(at, !at_its);
                match point.home {
                    Some(list) => at_home.fetch(wide, point, list),
                    None => lists.fetch(wide, point),
                }
            }
            let mut unsure = Few::NONE;
            for at in listed.iter() {
                let right;
                (places[at], right) = find.guess(wide, tables, &points[at]);
                unsure.add(at, !right);
            }
            for at in unsure.iter() {
                places[at] = find.find(wide, tables, &points[at]);
            }
            if index.conditions {
                for (at, place) in places[..count].iter_mut().enumerate() {
                    if index.asks_more(*place) {
                        *place = index.first_accepted(&points[at], accepts(at));
                    }
                }
            }
            // The first block of most lists is all of it, or tells enough.
            let (mut more, mut some) = (Few::NONE, Few::NONE);
            for at in home.iter() {
                let (own, ends) = at_home.start(wide, &points[at]);
                chosen[at][0] = own;
                some.add(at, own.entries != 0);
                more.add(at, !ends && own.entries == 0);
            }
            for at in more.iter() {
                chosen[at][0] = at_home.go_on(wide, &points[at], chosen[at][0]);
                some.add(at, chosen[at][0].entries != 0);
            }
            for at in some.iter() {
                at_home.fetch_place(wide, &points[at], chosen[at][0]);
            }
            for at in away.iter() {
                chosen[at] = lists.choose(wide, &points[at]);
            }
            for at in some.iter() {
                at_home.fetch_record(wide, chosen[at][0]);
            }
            for at in away.iter() {
                lists.fetch_records(wide, &points[at], chosen[at]);
            }
            for at in some.iter() {
                let before = index.rank_of(places[at]);
                let found = at_home.first(wide, &points[at], chosen[at][0], before, accepts(at));
                places[at] = found.map_or(places[at], |place| LOCAL | place);
                index.fetch_saying(wide, places[at]);
            }
            for at in away.iter() {
                let before = index.rank_of(places[at]);
                let found = lists.first_of(wide, &points[at], chosen[at], before, accepts(at));
                places[at] = found.map_or(places[at], |place| LOCAL | place);
                index.fetch_saying(wide, places[at]);
            }
            for (at, (place, apart)) in places[..count].iter().zip(&apart).enumerate() {
                tell(first + at, *apart, *place);
            }
        }
    }
}
