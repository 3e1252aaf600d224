//! Rows as lists of the places that are set, for ends that few rules name.
//!
//! A list is cut into blocks of 32 places. A block is a line of *lanes* and a line of *tags*, 16 bits
//! a place. A lane tells the place's part, so that one line of another row tells of all 32 whether it
//! has anything there; a tag tells what the rule at the place wants, by its [code](super::codes), and
//! whether every source will do. So a few instructions leave, of all rules that name a packet's
//! destination, the one or two that are worth a closer look.

#![allow(clippy::cast_possible_truncation)] // Keys are cut into the bits that lanes have room for.

use super::codes::{CODE, EXCEPTED, NEVER};
use super::layout::{Rank, is_open};
use super::rows::{Line, PARTS, Rows};
use crate::{Peer, Rule};

/// Places of one block.
pub(super) const LANES: usize = 32;

/// Whether the rule takes every source, but for some that are told to it.
pub(super) const OPEN: u16 = 1 << 10;

/// In the first tag of a block: another block follows.
const MORE: u16 = 1 << 15;

/// What lists tell of a place.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Tag {
    /// Lists ascend by it.
    pub(super) rank: Rank,
    pub(super) bits: u16,
}

impl Tag {
    /// The tag of a rule that wants what has this code.
    pub(super) const fn of(rule: &Rule, rank: Rank, code: u16) -> Self {
        let code = match rule.destination {
            Peer::OneOf { negated: true, .. } => EXCEPTED,
            _ => code,
        };
        let open = if is_open(&rule.source) { OPEN } else { 0 };
        Self { rank, bits: code | open }
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
        places.sort_unstable_by_key(|place| self.tags[*place as usize].rank);
        places.dedup();
        let blocks = places.len().div_ceil(LANES).max(1);
        let stride = block_lines(log_bytes);
        let row = self.lines.take(blocks * stride);
        let lines = self.lines.fresh(row, blocks * stride);
        for (block, lines) in lines.chunks_exact_mut(stride).enumerate() {
            for lane in 0..LANES {
                let Some(&place) = places.get(block * LANES + lane) else {
                    lines[1].put_lane(lane, NEVER);
                    continue;
                };
                let key = key(log_bytes, place);
                lines[0].put_lane(lane, (key & u32::from(u16::MAX)) as u16);
                lines[1].put_lane(lane, self.tags[place as usize].bits);
                if let Some(line) = lines.get_mut(2 + lane / 16) {
                    line.0[lane / 2 % 8] |= u64::from(key) << (32 * (lane % 2));
                }
            }
            if block + 1 < blocks {
                lines[1].put_lane(0, lines[1].lane(0) | MORE);
            }
        }
        u32::try_from(row).unwrap_or(u32::MAX)
    }

    /// The lines of a list.
    pub(super) fn list_lines(&self, log_bytes: u32, row: u32) -> usize {
        let stride = block_lines(log_bytes);
        let mut tags = (row as usize + 1..).step_by(stride);
        let more = tags.by_ref().take_while(|tags| goes_on(&self.lines[*tags])).count();
        (more + 1) * stride
    }

    /// The places of a list.
    pub(super) fn listed(&self, log_bytes: u32, row: u32) -> impl Iterator<Item = u32> {
        let lines = self.lines.row(row as usize, self.list_lines(log_bytes, row));
        let blocks = lines.chunks_exact(block_lines(log_bytes));
        blocks.flat_map(move |block| {
            let taken = (0..LANES).filter(|lane| block[1].lane(*lane) & CODE != NEVER);
            taken.map(move |lane| place(log_bytes, key_at(log_bytes, block, lane)))
        })
    }
}
