//! What the rules that are listed by a vNIC ask of the other end, where one end is the vNIC's own.
//!
//! Of the rules on a vNIC most name other addresses than its own on its own side: those can not match what
//! it sends or is sent. So for a class of vNICs and the class of their own address, their *home*, there
//! are two lists, one for each direction, of the rules that name the own end. Only the other end and the
//! service are left to ask.
//!
//! A block has a line of *lanes*, 16 bits an entry, and two lines that tell the places of the entries'
//! records. A lane has the slot of the other end's label and some bits of the service; or, of an entry that
//! is asked about every service, the whole tag of that label. So one line of memory tells of thirty rules
//! which may match. Entries ascend by rank. Longer lists are cut into *buckets* by service, a block each, and those that
//! are asked about every service stand in all of them: so one block is read, whatever the list's length, but
//! for the few lists that no such cut leaves with blocks that are not full. Those are read to the end.
#![allow(clippy::cast_possible_truncation)] // Lanes have room for some bits of what they are of.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::arena::Arena;
use super::classes::STRANGER;
use super::index::way;
use super::index::{Index, LIST};
use super::layout::Rank;
use super::local::{ANY, EVERYBODY, slot, tag, unwanted};
use super::rows::Line;
use crate::{Direction, Family};

/// Entries of a block.
pub(super) const ENTRIES: usize = 30;

/// The number behind the lanes: the entries that are asked about every service, one bit each, and whether
/// another block follows.
const MASK: usize = 15;
pub(super) const MORE: u32 = 1 << 31;

/// The bits of a list's number that are its first block; those above are the logarithm of its buckets.
const ROW: u32 = (1 << BUCKETS_AT) - 1;
const BUCKETS_AT: u32 = 29;
/// The most buckets, as a logarithm.
const MOST_BUCKETS: u32 = 5;

/// Lines of a block that tell the places of its entries.
const PLACES: usize = 2;

/// In a lane, behind the slot: bits of the service.
pub(super) const SERVICE: u32 = 9;

/// The lane that no entry has: its bits are of no service.
const UNUSED: u16 = u16::MAX << SERVICE;

/// In a tag, from this bit on: a second slot of the label.
pub(super) const SECOND: u32 = 7;

/// The home of vNICs of which none is known. Its lists have no entry.
pub(crate) const NOWHERE: u32 = 0;

/// The field of a record's ends that is a vNIC's own for packets of a direction.
pub(super) const fn own_end(direction: Direction) -> usize {
    match direction {
        Direction::In => 1,
        Direction::Out => 0,
    }
}

/// Classes of vNICs and of their own addresses, in pairs.
#[derive(Clone, Debug)]
pub(super) struct Homes {
    /// The lists of each, by direction.
    pub(super) lists: Vec<[u32; 2]>,
    /// How many vNICs are at home in each, and the pair of classes.
    of: Vec<(u32, [u32; 2])>,
    by_classes: BTreeMap<[u32; 2], u32>,
    free: Vec<u32>,
    /// The lanes of blocks, a line each: apart from all else, for of most blocks nothing else is read.
    pub(super) lanes: Arena,
    /// The places of their entries: those of a block at twice its number, for lines are taken and given back
    /// as those of lanes are.
    pub(super) places: Arena,
    /// Room to work in.
    entries: [Vec<(Rank, u32)>; 2],
}

impl Homes {
    pub(super) fn new() -> Self {
        let (mut lanes, mut places) = (Arena::default(), Arena::default());
        let row = take(&mut lanes, &mut places, 1);
        unused(&mut lanes.fresh(row, 1)[0]);
        Self {
            lists: vec![[0; 2]],
            of: vec![(1, [0; 2])],
            by_classes: BTreeMap::new(),
            free: Vec::new(),
            lanes,
            places,
            entries: [Vec::new(), Vec::new()],
        }
    }

    fn give_back(&mut self, list: u32) {
        let (first, buckets) = ((list & ROW) as usize, 1 << (list >> BUCKETS_AT));
        let more = (first..).take_while(|block| mask(&self.lanes[*block]) & MORE != 0);
        let blocks = more.count() + buckets;
        self.lanes.give_back(first, blocks);
        self.places.give_back(PLACES * first, PLACES * blocks);
    }

    pub(super) fn bytes(&self) -> usize {
        let home = size_of::<([u32; 2], u32, [u32; 2])>();
        (self.lanes.len() + self.places.len()) * size_of::<Line>() + self.of.capacity() * home
    }
}

/// The bucket of entries that want a service of this lane.
#[inline]
const fn bucket_of(buckets: u32, lane: u16) -> u32 {
    lane as u32 & ((1 << buckets) - 1)
}

/// The block that the entries of a list begin at which want a service of this lane.
#[inline]
pub(super) const fn first_block(list: u32, lane: u16) -> u32 {
    (list & ROW) + bucket_of(list >> BUCKETS_AT, lane)
}

/// The first line of the places of a block.
#[inline]
pub(super) const fn places_of(block: u32) -> u32 {
    PLACES as u32 * block
}

/// The entries of a block that are asked about every service, and whether another block follows.
#[inline]
pub(super) const fn mask(lanes: &Line) -> u32 {
    lanes.number(MASK)
}

/// The bits of a service that lanes have.
#[inline]
pub(super) const fn of_service(lane: u16) -> u16 {
    let bits = lane >> SERVICE;
    if bits == UNUSED >> SERVICE { bits - 1 } else { bits }
}

/// As many new blocks, one behind the other: the number of the first.
fn take(lanes: &mut Arena, places: &mut Arena, blocks: usize) -> usize {
    let (first, own) = (lanes.take(blocks), places.take(PLACES * blocks));
    assert_eq!(PLACES * first, own, "places that are not where their lanes are");
    first
}

/// A block without entries.
fn unused(lanes: &mut Line) {
    (0..ENTRIES).for_each(|lane| lanes.put_lane(lane, UNUSED));
}

impl Index {
    /// Whether vNICs may have homes.
    pub(crate) const fn has_homes(&self) -> bool {
        self.local.wanted
    }

    /// The home of a vNIC of a class whose own address this is, for one vNIC more; and the class of the
    /// address.
    pub(crate) fn settle_home(&mut self, class: u32, address: IpAddr) -> (u32, u32) {
        if !self.local.wanted {
            return (NOWHERE, STRANGER);
        }
        let pair = [class, self.addresses.class(address)];
        if let Some(&home) = self.homes.by_classes.get(&pair) {
            self.homes.of[home as usize].0 += 1;
            return (home, pair[1]);
        }
        // So that neither class becomes another before the home is left.
        self.applied.retain(pair[0]);
        self.addresses.classes.retain(pair[1]);
        let lists = self.lists_at_home(pair);
        let homes = &mut self.homes;
        let home = if let Some(home) = homes.free.pop() {
            homes.lists[home as usize] = lists;
            homes.of[home as usize] = (1, pair);
            home
        } else {
            homes.lists.push(lists);
            homes.of.push((1, pair));
            homes.of.len() as u32 - 1
        };
        homes.by_classes.insert(pair, home);
        (home, pair[1])
    }

    /// A vNIC leaves its home.
    pub(crate) fn leave_home(&mut self, home: u32) {
        let Some((count, pair)) = self.homes.of.get_mut(home as usize) else { return };
        if home == NOWHERE {
            return;
        }
        *count -= 1;
        if *count == 0 {
            let pair = *pair;
            self.homes.by_classes.remove(&pair);
            for list in std::mem::take(&mut self.homes.lists[home as usize]) {
                self.homes.give_back(list);
            }
            self.homes.free.push(home);
            self.applied.release(pair[0]);
            self.addresses.classes.release(pair[1]);
        }
    }

    /// Follows a change of the lists of all vNICs that carry a label.
    pub(super) fn renew_homes(&mut self, label: u32) {
        for class in self.applied.with(label) {
            let homes = self.homes.by_classes.range([class, 0]..=[class, u32::MAX]);
            let homes: Vec<_> = homes.map(|(pair, home)| (*pair, *home)).collect();
            for (pair, home) in homes {
                let new = self.lists_at_home(pair);
                for list in std::mem::replace(&mut self.homes.lists[home as usize], new) {
                    self.homes.give_back(list);
                }
            }
        }
    }

    /// The lists of a pair of classes.
    fn lists_at_home(&mut self, [class, own]: [u32; 2]) -> [u32; 2] {
        let rows = &self.applied.rows[LIST];
        let carried = self.addresses.classes.labels_of(own);
        let carries = |label: u32| label == EVERYBODY || carried.binary_search(&label).is_ok();
        let Homes { lanes, places, entries: room, .. } = &mut self.homes;
        for place in rows.local_places(self.applied.of[class as usize][LIST]) {
            let record = &self.local.records[place as usize];
            for direction in [Direction::In, Direction::Out] {
                let ways = [Family::V4, Family::V6].map(|family| unwanted(way(direction, family)));
                let wanted = ways.iter().any(|way| record.unwanted & way == 0);
                if wanted && carries(record.ends[own_end(direction)]) {
                    room[direction as usize].push((record.rank, place));
                }
            }
        }
        [Direction::In, Direction::Out].map(|direction| {
            let room = &mut room[direction as usize];
            room.sort_unstable();
            let service = |place: u32| rows.entries[place as usize].lanes[2];
            let buckets = buckets(room.iter().map(|(_, place)| service(*place)));
            let within = |bucket: u32, lane: u16| lane == ANY || bucket_of(buckets, lane) == bucket;
            // Where the buckets are many each is a block; else what is in none begins another.
            let own =
                |bucket| room.iter().filter(move |(_, place)| within(bucket, service(*place)));
            let blocks =
                if buckets > 0 { 1 << buckets } else { room.len().div_ceil(ENTRIES).max(1) };
            let list = take(lanes, places, blocks);
            let lanes = lanes.fresh(list, blocks);
            let places = places.fresh(PLACES * list, PLACES * blocks).chunks_exact_mut(PLACES);
            for (at, (block, places)) in lanes.iter_mut().zip(places).enumerate() {
                unused(block);
                let (bucket, skipped) =
                    if buckets > 0 { (at as u32, 0) } else { (0, at * ENTRIES) };
                let more = buckets == 0 && at + 1 < blocks;
                let mut mask = if more { MORE } else { 0 };
                for (lane, (_, place)) in own(bucket).skip(skipped).take(ENTRIES).enumerate() {
                    let peer = self.local.records[*place as usize].ends[1 - own_end(direction)];
                    let (any, service) = (service(*place) == ANY, of_service(service(*place)));
                    let one = slot(peer) | service << SERVICE;
                    block.put_lane(lane, if any { tag(peer) } else { one });
                    mask |= u32::from(any) << lane;
                    places[lane / 16].put_number(lane % 16, *place);
                }
                block.put_number(MASK, mask);
            }
            room.clear();
            u32::try_from(list).unwrap_or(u32::MAX) | buckets << BUCKETS_AT
        })
    }
}

/// Into how many buckets a list is cut, as a logarithm, whose entries want services of these lanes: into as few as leave
/// each one block, if any do.
fn buckets(services: impl Iterator<Item = u16>) -> u32 {
    let (mut any, mut of) = (0, [0_usize; 1 << MOST_BUCKETS]);
    for lane in services {
        match lane {
            ANY => any += 1,
            lane => of[bucket_of(MOST_BUCKETS, lane) as usize] += 1,
        }
    }
    let fits = |buckets: &u32| {
        let within = |bucket: usize| of.iter().skip(bucket).step_by(1 << buckets).sum::<usize>();
        (0..1 << buckets).all(|bucket| any + within(bucket) <= ENTRIES)
    };
    (0..=MOST_BUCKETS).find(fits).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_cut_into_as_few_buckets_as_leave_each_a_block() {
        let alike = |count: usize, lane: u16| std::iter::repeat_n(lane, count);
        let cut = |any: usize, of: &[(usize, u16)]| {
            let of = of.iter().flat_map(|(count, lane)| alike(*count, *lane));
            buckets(alike(any, ANY).chain(of))
        };
        assert_eq!(cut(0, &[]), 0);
        assert_eq!(cut(10, &[(20, 1)]), 0, "all of it is a block");
        assert_eq!(cut(10, &[(20, 0), (20, 1)]), 1);
        assert_eq!(cut(10, &[(20, 0), (20, 2)]), 2, "told apart by the second bit alone");
        assert_eq!(cut(10, &[(21, 1), (1, 0)]), 0, "no cut makes room");
        assert_eq!(cut(31, &[]), 0, "no cut makes room");
    }

    #[test]
    fn entries_and_packets_of_a_service_are_in_the_same_bucket() {
        for lane in (1..u16::MAX).step_by(7) {
            let list = 40 + (3 << BUCKETS_AT);
            assert_eq!(first_block(list, lane), 40 + bucket_of(3, lane));
            assert_eq!(first_block(40, lane), 40);
        }
    }
}
