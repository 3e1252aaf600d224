//! The lowest-ranked rules of many packets on vNICs, step by step.
//!
//! In a large world nearly all that a lookup reads is in no cache, and each step has to know what the one
//! before has read. So packets take the steps in groups, each group one step behind the next one, and a
//! step ends by asking for what the next will read. A group takes a step in a loop of its own, which has little to
//! remember: most of a verdict's time are instructions.
#![allow(clippy::cast_possible_truncation)] // Numbers of packets under way are below 128.
#![allow(clippy::inline_always)] // What runs for every packet is one piece of code, compiled for each processor.
#![allow(clippy::needless_bitwise_bool)] // A lazy operator is a branch, which would be guessed wrong.
#![allow(unsafe_code)] // Rows of classes are read unchecked; that there is such a class is plain here.

use std::hint::select_unpredictable;
use std::ops::Range;

use super::addresses::{SIGN, WANTED};
use super::asked::{Apart, Met, OnVnics, Point};
use super::homes::NOWHERE as NO_HOME;
use super::index::Index;
use super::local::{LOCAL, lane_of_service};
use super::local_search::{self, Chosen};
use super::search::{Find, NOWHERE, fetch_rows};
use super::tables::Tables;
use super::view::rows_of;
use super::wide::{Wide, Work};
use super::{home_search, services};
use crate::Rule;

/// How many packets take a step together.
const GROUP: usize = 16;

/// How many packets are under way, at most; a few more than the steps need.
const UNDER_WAY: usize = 8 * GROUP;

/// How much later than a packet's memory is asked for it is read.
const AHEAD: usize = 4 * GROUP;

/// A packet under way: a line, and so found by its number without a product.
#[derive(Clone, Copy, Default)]
#[repr(align(64))]
struct Packet {
    met: Met,
    apart: Apart,
    /// Where its vNIC is at home.
    home: u32,
    /// What is asked of the other end, and its labels.
    own: home_search::Own,
    /// The entries that may match: at home the first alone.
    chosen: [Chosen; 2],
    /// The place of its rule, as far as that is known.
    place: u32,
}

/// Those of a group that take a step which others do not, a bit each: told apart without a branch, for none could
/// be guessed.
#[derive(Clone, Copy, Default)]
struct Few(u32);

impl Few {
    /// Adds a packet, or does not.
    #[inline(always)]
    fn add(&mut self, number: usize, takes: bool) {
        self.0 |= u32::from(takes) << (number % GROUP);
    }
}

/// The packets of a group, by the steps that they take.
#[derive(Clone, Copy, Default)]
struct Group {
    /// The first among those under way.
    first: usize,
    /// Those that are looked up in the rows.
    listed: Few,
    /// Those of vNICs at home of whose entries some may match.
    some: Few,
    /// Those that are not at home.
    away: Few,
}

impl Group {
    /// Those of them, by their numbers among those under way.
    #[inline(always)]
    fn each(&self, Few(mut left): Few) -> impl Iterator<Item = usize> + use<> {
        let first = self.first;
        std::iter::from_fn(move || {
            let at = (left != 0).then_some((first + left.trailing_zeros() as usize) % UNDER_WAY);
            left &= left.wrapping_sub(1);
            at
        })
    }
}

/// Tells the places of packets' rules, and whether their verdicts take more.
pub(super) struct Steps<'a, A, T, F> {
    pub(super) index: &'a Index,
    pub(super) asked: A,
    pub(super) tell: T,
    pub(super) find: F,
}

/// What steps read.
struct Reads<'a, A, W> {
    index: &'a Index,
    asked: A,
    wide: W,
    tables: Tables<'a>,
    lists: local_search::Lists<'a>,
    at_home: home_search::Lists<'a>,
}

impl<A: OnVnics, T: FnMut(usize, &[(Apart, u32)]), F: Find> Work for Steps<'_, A, T, F> {
    #[inline(always)]
    fn run(self, wide: impl Wide) {
        let Self { index, asked, mut tell, find } = self;
        let reads = Reads {
            index,
            asked,
            wide,
            tables: Tables::new(index),
            lists: local_search::Lists::of(index),
            at_home: home_search::Lists::of(index),
        };
        let mut packets = [Packet::default(); UNDER_WAY];
        let mut points = [Point::default(); UNDER_WAY];
        let mut groups = [Group::default(); UNDER_WAY / GROUP];
        let count = reads.asked.count();
        (0..AHEAD.min(count)).for_each(|number| reads.ahead(number));
        // The numbers of the packets that take a step.
        let taking = |turn: usize, step: usize| -> Range<usize> {
            let first = turn.checked_sub(step).map_or(count, |turn| (turn * GROUP).min(count));
            first..count.min(first + GROUP)
        };
        for turn in 0..count.div_ceil(GROUP) + LAST {
            let [asking, meeting, choosing] = [0, 1, 2].map(|step| taking(turn, step));
            let group = |step| turn.wrapping_sub(step) % groups.len();
            let [asked, met, chosen, fetched, ended] = [0, 1, 2, 3, LAST].map(group);
            groups[asked] = Group { first: asked * GROUP, ..Group::default() };
            for number in choosing.clone() {
                reads.choose(number, &mut packets[number % UNDER_WAY], &mut groups[chosen]);
            }
            for number in meeting {
                let own = number % UNDER_WAY;
                reads.meet(find, number, &mut packets[own], &mut points[own], &mut groups[met]);
            }
            for number in asking {
                reads.ahead(number + AHEAD);
                reads.ask(number, &mut packets[number % UNDER_WAY]);
            }
            reads.choose_others(find, choosing, &mut packets, &points, &mut groups[chosen]);
            for at in groups[fetched].each(groups[fetched].some) {
                reads.at_home.fetch_record(wide, packets[at].chosen[0]);
            }
            for at in groups[fetched].each(groups[fetched].away) {
                reads.lists.fetch_records(wide, &points[at], packets[at].chosen);
            }
            let ending = taking(turn, LAST);
            reads.end(ending.start, &mut packets, &points, &groups[ended]);
            let own = ending.start % UNDER_WAY;
            let told = std::array::from_fn::<_, GROUP, _>(|at| {
                let Packet { apart, place, .. } = packets[(own + at) % UNDER_WAY];
                (apart, place)
            });
            tell(ending.start, &told[..ending.len()]);
        }
    }
}

/// The turn in which a packet's place is told, counted from the one in which it is asked.
const LAST: usize = 4;

impl<A: OnVnics, W: Wide> Reads<'_, A, W> {
    /// Asks for what tells of a packet that is asked for later.
    #[inline(always)]
    fn ahead(&self, number: usize) {
        self.asked.ahead(number, |place| self.wide.fetch(place.cast(), 0));
    }

    /// First step: from the packet to its classes. What the next steps tell is still that of another packet.
    #[inline(always)]
    fn ask(&self, number: usize, packet: &mut Packet) {
        let asked = self.asked.at(number);
        let met = asked.met(self.index);
        for class in [met.peer, met.own] {
            self.wide.fetch(self.tables.of.as_ptr().wrapping_add(class as usize).cast(), 0);
        }
        let home = self.index.homes.lists.as_ptr().wrapping_add(asked.home as usize);
        self.wide.fetch(home.cast(), 0);
        (packet.met, packet.apart, packet.home) = (met, asked.apart, asked.home);
    }

    /// Second step: from classes to rows and lists.
    #[inline(always)]
    fn meet(
        &self,
        find: impl Find,
        number: usize,
        packet: &mut Packet,
        point: &mut Point,
        group: &mut Group,
    ) {
        let Packet { met, home, .. } = *packet;
        let at_home = home != NO_HOME;
        // SAFETY: addresses are of classes that there are.
        let [peer, own] =
            unsafe { [met.peer, met.own].map(|class| rows_of(self.tables.of, class)) };
        let wanted = select_unpredictable(met.sends(), peer[WANTED], own[WANTED]);
        packet.place = self.tables.fallback(wanted, met.key, met.way as usize);
        let looks = packet.place == NOWHERE;
        group.listed.add(number, looks);
        group.away.add(number, !at_home);
        if at_home {
            let [to, from] = self.index.homes.lists.get(home as usize).copied().unwrap_or_default();
            packet.own = home_search::Own {
                list: select_unpredictable(met.sends(), from, to),
                sign: peer[SIGN],
                carried: lane_of_service(met.key),
            };
            self.at_home.fetch(self.wide, packet.own);
        }
        if !at_home {
            *point = met.point(&self.tables);
            fetch_rows(self.wide, find, &self.tables, point, looks);
            self.lists.fetch(self.wide, point);
        } else if looks {
            *point = met.rows(&self.tables);
            fetch_rows(self.wide, find, &self.tables, point, true);
        }
    }

    /// Third step, at home: the entries that may match. The first block of most lists is all of it, or tells
    /// enough.
    #[inline(always)]
    fn choose(&self, number: usize, packet: &mut Packet, group: &mut Group) {
        let (chosen, ends) = self.at_home.start(self.wide, packet.own);
        let at_home = packet.home != NO_HOME;
        packet.chosen[0] = chosen;
        group.some.add(number, at_home & (!ends | (chosen.entries != 0)));
    }

    /// Third step of all others, and what is found in the rows.
    #[inline(always)]
    fn choose_others(
        &self,
        find: impl Find,
        numbers: Range<usize>,
        packets: &mut [Packet; UNDER_WAY],
        points: &[Point; UNDER_WAY],
        group: &mut Group,
    ) {
        let mut unsure = Few::default();
        for at in group.each(group.listed) {
            let right;
            (packets[at].place, right) = find.guess(self.wide, &self.tables, &points[at]);
            unsure.add(at, !right);
        }
        for at in group.each(unsure) {
            packets[at].place = find.find(self.wide, &self.tables, &points[at]);
        }
        if self.index.conditions {
            for number in numbers {
                let packet = &mut packets[number % UNDER_WAY];
                if self.index.asks_more(packet.place) {
                    let point = packet.met.point(&self.tables);
                    packet.place = self.index.first_accepted(&point, self.accepts(number));
                }
            }
        }
        let candidates = std::mem::take(&mut group.some);
        for at in group.each(candidates) {
            let packet = &mut packets[at];
            packet.chosen[0] = self.at_home.go_on(self.wide, packet.own, packet.chosen[0]);
            group.some.add(at, packet.chosen[0].entries != 0);
            self.at_home.fetch_place(self.wide, packet.own, packet.chosen[0]);
        }
        for at in group.each(group.away) {
            packets[at].chosen = self.lists.choose(self.wide, &points[at]);
        }
    }

    /// Last step: the first entry that does match.
    #[inline(always)]
    fn end(
        &self,
        first: usize,
        packets: &mut [Packet; UNDER_WAY],
        points: &[Point; UNDER_WAY],
        group: &Group,
    ) {
        let number = |at: usize| first + (at.wrapping_sub(first) % UNDER_WAY);
        for at in group.each(group.some) {
            let (packet, accepts) = (&mut packets[at], self.accepts(number(at)));
            let before = self.index.rank_of(packet.place);
            let Packet { met, own, chosen: [chosen, _], .. } = *packet;
            let found = self.at_home.first(self.wide, met, own, chosen, before, accepts);
            packet.place = found.map_or(packet.place, |place| LOCAL | place);
        }
        for at in group.each(group.away) {
            let (packet, accepts) = (&mut packets[at], self.accepts(number(at)));
            let before = self.index.rank_of(packet.place);
            let chosen = packet.chosen;
            let found = self.lists.first_of(self.wide, &points[at], chosen, before, accepts);
            packet.place = found.map_or(packet.place, |place| LOCAL | place);
        }
    }

    /// Whether a rule wants what a packet carries.
    #[inline(always)]
    fn accepts(&self, number: usize) -> impl Fn(&Rule) -> bool {
        let key = self.asked.key(number);
        move |rule: &Rule| services::accepts(rule, key)
    }
}
