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
//! which may match. Entries ascend by rank.
#![allow(clippy::cast_possible_truncation)] // Lanes have room for some bits of what they are of.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::arena::Arena;
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

/// In the number of a list: it has more than one block.
pub(super) const LONG: u32 = 1 << 31;

/// Lines of a block.
pub(super) const BLOCK: usize = 3;

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
    pub(super) lines: Arena,
    /// Room to work in.
    entries: [Vec<(Rank, u32)>; 2],
}

impl Homes {
    pub(super) fn new() -> Self {
        let mut lines = Arena::default();
        let row = lines.take(BLOCK);
        unused(&mut lines.fresh(row, BLOCK)[0]);
        Self {
            lists: vec![[0; 2]],
            of: vec![(1, [0; 2])],
            by_classes: BTreeMap::new(),
            free: Vec::new(),
            lines,
            entries: [Vec::new(), Vec::new()],
        }
    }

    fn give_back(&mut self, list: u32) {
        let list = first_line(list) as usize;
        let mut blocks = (list..).step_by(BLOCK);
        let more = blocks.by_ref().take_while(|block| mask(&self.lines[*block]) & MORE != 0);
        let lines = (more.count() + 1) * BLOCK;
        self.lines.give_back(list, lines);
    }

    pub(super) fn bytes(&self) -> usize {
        let home = size_of::<([u32; 2], u32, [u32; 2])>();
        self.lines.len() * size_of::<Line>() + self.of.capacity() * home
    }
}

/// The line that a list begins at.
#[inline]
pub(super) const fn first_line(list: u32) -> u32 {
    list & !LONG
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

/// A block without entries.
fn unused(lanes: &mut Line) {
    (0..ENTRIES).for_each(|lane| lanes.put_lane(lane, UNUSED));
}

impl Index {
    /// Whether vNICs may have homes.
    pub(crate) const fn has_homes(&self) -> bool {
        self.local.wanted
    }

    /// The home of a vNIC of a class whose own address this is, for one vNIC more.
    pub(crate) fn settle_home(&mut self, class: u32, address: IpAddr) -> u32 {
        if !self.local.wanted {
            return NOWHERE;
        }
        let pair = [class, self.addresses.class(address)];
        if let Some(&home) = self.homes.by_classes.get(&pair) {
            self.homes.of[home as usize].0 += 1;
            return home;
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
        home
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
        let Homes { lines, entries: room, .. } = &mut self.homes;
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
            let blocks = room.len().div_ceil(ENTRIES).max(1);
            let list = lines.take(blocks * BLOCK);
            let written = lines.fresh(list, blocks * BLOCK);
            for (at, block) in written.chunks_exact_mut(BLOCK).enumerate() {
                unused(&mut block[0]);
                let mut mask = if at + 1 < blocks { MORE } else { 0 };
                for (lane, (_, place)) in room.iter().skip(at * ENTRIES).take(ENTRIES).enumerate() {
                    let peer = self.local.records[*place as usize].ends[1 - own_end(direction)];
                    let any = rows.entries[*place as usize].lanes[2] == ANY;
                    let service = of_service(rows.entries[*place as usize].lanes[2]);
                    let one = slot(peer) | service << SERVICE;
                    block[0].put_lane(lane, if any { tag(peer) } else { one });
                    mask |= u32::from(any) << lane;
                    block[1 + lane / 16].put_number(lane % 16, *place);
                }
                block[0].put_number(MASK, mask);
            }
            room.clear();
            let long = if blocks > 1 { LONG } else { 0 };
            u32::try_from(list).unwrap_or(u32::MAX) | long
        })
    }
}
