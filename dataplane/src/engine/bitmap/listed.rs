//! Rows as lists of the places that are set, for ends that few rules name.
//!
//! A list is cut into blocks of 32 places. A block is a line of *lanes* and a line of *tags*, 16 bits
//! a place. A lane tells the place's part, so that one line of another row tells of all 32 whether it
//! has anything there; a tag tells what the rule at the place wants, by a number of nine bits that
//! many services may share, and whether every source will do. So a few instructions leave, of all
//! rules that name a packet's destination, the one or two that are worth a closer look.

#![allow(clippy::cast_possible_truncation)] // Keys are cut into the bits that lanes have room for.

use super::layout::is_open;
use super::rows::{Line, PARTS, Rows};
use super::services;
use crate::{Peer, Rule};

/// Places of one block.
pub(super) const LANES: usize = 32;

/// The bits of a tag that tell what the rule wants: a bit of the packet's line of codes.
const CODE: u16 = 511;

/// The code of rules that want anything. Every line of codes has it.
pub(super) const ANYTHING: u16 = 0;

/// The code of rules that the list's destination is excepted from. No line of codes has it.
pub(super) const EXCEPTED: u16 = CODE - 1;

/// The code of lanes that are not taken. No line of codes has it.
const NEVER: u16 = CODE;

/// Whether the rule takes every source, but for some that are told to it.
pub(super) const OPEN: u16 = 1 << 9;

/// In the first tag of a block: another block follows.
const MORE: u16 = 1 << 15;

/// The code of a service: any number that rules can be told apart by, mostly.
pub(super) fn code(hash: u64) -> u16 {
    u16::try_from(hash % u64::from(EXCEPTED - 1)).unwrap_or(0) + 1
}

/// What lists tell of a place.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Tag {
    /// Lists ascend by it.
    pub(super) order: u32,
    pub(super) bits: u16,
}

impl Tag {
    /// The tag of a rule.
    pub(super) fn of(rule: &Rule, order: u32) -> Self {
        let code = match rule.destination {
            Peer::OneOf { negated: true, .. } => EXCEPTED,
            _ => services::code(&rule.service),
        };
        let open = if is_open(&rule.source) { OPEN } else { 0 };
        Self { order, bits: code | open }
    }

    /// The code that packets of the rule's service bring.
    pub(super) const fn code(self) -> u16 {
        match self.bits & CODE {
            EXCEPTED => ANYTHING,
            code => code,
        }
    }
}

/// The largest parts whose places are told by 16 bits, as the logarithm of their bytes.
const SHORT: u32 = 4;

/// The lines of a block. Places that lanes have no room for stand behind the tags.
pub(super) const fn block_lines(log_bytes: u32) -> usize {
    if log_bytes <= SHORT { 2 } else { 4 }
}

/// A place as it is listed: the part in the lower bits, that lines are asked by; then its place in it.
const fn key(log_bytes: u32, place: u32) -> u32 {
    let size = 8_u32 << log_bytes;
    (place & (size - 1)) * PARTS as u32 + (place >> (3 + log_bytes))
}

/// The place of a key.
#[inline]
pub(super) const fn place(log_bytes: u32, key: u32) -> u32 {
    let parts = PARTS as u32;
    ((key & (parts - 1)) << (3 + log_bytes)) | (key / parts)
}

/// The key in a lane of a block that is taken.
#[inline]
pub(super) fn key_at(log_bytes: u32, block: &[Line], lane: usize) -> u32 {
    if log_bytes <= SHORT {
        block[0].lane(lane).into()
    } else {
        let word = block[2 + lane / 16].0[lane / 2 % 8];
        (word >> (32 * (lane % 2)) & u64::from(u32::MAX)) as u32
    }
}

/// Whether another block follows the one with these tags.
#[inline]
pub(super) const fn goes_on(tags: &Line) -> bool {
    tags.lane(0) & MORE != 0
}

impl Rows {
    /// A new list of these places.
    pub(super) fn list(&mut self, log_bytes: u32, places: &mut Vec<u32>) -> u32 {
        places.sort_unstable();
        places.dedup();
        let blocks = places.len().div_ceil(LANES).max(1);
        let row = self.take(blocks * block_lines(log_bytes));
        self.write(log_bytes, row, blocks, places);
        row
    }

    /// Writes a list of so many blocks anew.
    fn write(&mut self, log_bytes: u32, row: u32, blocks: usize, places: &mut Vec<u32>) {
        places.sort_unstable_by_key(|place| self.tags[*place as usize].order);
        places.dedup();
        let stride = block_lines(log_bytes);
        for block in 0..blocks {
            let mut lines = [Line::ZERO; 4];
            for lane in 0..LANES {
                let Some(&place) = places.get(block * LANES + lane) else {
                    lines[1].put_lane(lane, NEVER);
                    continue;
                };
                let key = key(log_bytes, place);
                lines[0].put_lane(lane, (key & u32::from(u16::MAX)) as u16);
                lines[1].put_lane(lane, self.tags[place as usize].bits);
                lines[2 + lane / 16].0[lane / 2 % 8] |= u64::from(key) << (32 * (lane % 2));
            }
            if block + 1 < blocks {
                lines[1].put_lane(0, lines[1].lane(0) | MORE);
            }
            let at = row as usize + block * stride;
            self.lines[at..at + stride].copy_from_slice(&lines[..stride]);
        }
    }

    /// How many blocks a list has.
    fn blocks(&self, log_bytes: u32, row: u32) -> usize {
        let tags = self.lines[row as usize + 1..].iter().step_by(block_lines(log_bytes));
        tags.take_while(|tags| goes_on(tags)).count() + 1
    }

    /// The lines of a list.
    pub(super) fn list_lines(&self, log_bytes: u32, row: u32) -> usize {
        self.blocks(log_bytes, row) * block_lines(log_bytes)
    }

    /// The places of a list.
    pub(super) fn listed(&self, log_bytes: u32, row: u32) -> impl Iterator<Item = u32> {
        let stride = block_lines(log_bytes);
        let blocks = self.lines[row as usize..].chunks_exact(stride);
        let blocks = blocks.take(self.blocks(log_bytes, row));
        blocks.flat_map(move |block| {
            let taken = (0..LANES).filter(|lane| block[1].lane(*lane) & CODE != NEVER);
            taken.map(move |lane| place(log_bytes, key_at(log_bytes, block, lane)))
        })
    }

    /// Puts a place into a list, which may have another number then.
    pub(super) fn list_more(&mut self, log_bytes: u32, row: u32, place: u32) -> u32 {
        let mut places: Vec<u32> = self.listed(log_bytes, row).collect();
        if places.contains(&place) {
            return row;
        }
        places.push(place);
        let blocks = self.blocks(log_bytes, row);
        if places.len() <= blocks * LANES {
            self.write(log_bytes, row, blocks, &mut places);
            return row;
        }
        self.give_back(row);
        self.list(log_bytes, &mut places)
    }

    /// Takes a place out of a list.
    pub(super) fn list_less(&mut self, log_bytes: u32, row: u32, place: u32) {
        let mut places: Vec<u32> = self.listed(log_bytes, row).collect();
        let before = places.len();
        places.retain(|own| *own != place);
        if places.len() < before {
            let blocks = self.blocks(log_bytes, row);
            self.write(log_bytes, row, blocks, &mut places);
        }
    }
}
