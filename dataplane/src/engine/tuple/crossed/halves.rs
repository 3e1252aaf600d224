//! From an address to its class by way of its two halves.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use crate::engine::Unsupported;
use crate::engine::tuple::table::Table16;

/// Each half of the address has classes of its own; crossed they give the address's class.
#[derive(Clone, Debug)]
pub(super) struct Halves {
    /// The class of the upper half, or of fewer upper bits if no others make a difference.
    pub(super) upper: Table16,
    /// How many bits the others are.
    pub(super) shift: u32,
    pub(super) lower: Option<Lower>,
}

/// What the lower half adds.
#[derive(Clone, Debug)]
pub(super) struct Lower {
    pub(super) table: Table16,
    /// By upper × lower.
    pub(super) joined: Table16,
    pub(super) width: u32,
}

impl Halves {
    /// Tables for intervals given as their first addresses and classes, ascending from 0.
    pub(super) fn new(starts: &[(u32, u32)]) -> Result<Self, Unsupported> {
        let fits = |number: usize| u16::try_from(number).map_err(|_| Unsupported::TooLarge);
        // What an upper half leaves open: the intervals of lower halves and their classes.
        let mut shapes = FxHashMap::default();
        let mut upper = Vec::with_capacity(1 << 16);
        let (mut at, mut class) = (0, 0);
        for half in 0..=u16::MAX {
            let mut shape = vec![(0, class)];
            while let Some(&(start, next)) = starts.get(at)
                && start >> 16 == u32::from(half)
            {
                let low = start & 0xffff;
                if low == 0 {
                    shape.clear();
                }
                shape.push((low, next));
                (class, at) = (next, at + 1);
            }
            let count = shapes.len();
            upper.push(fits(*shapes.entry(shape).or_insert(count))?);
        }
        let mut by_number: Vec<_> = shapes.into_iter().collect();
        by_number.sort_unstable_by_key(|(_, number)| *number);
        let shapes: Vec<Vec<(u32, u32)>> = by_number.into_iter().map(|(shape, _)| shape).collect();

        let cuts: BTreeSet<u32> = shapes.iter().flatten().map(|&(low, _)| low).collect();
        let cuts: Vec<u32> = cuts.into_iter().chain([1 << 16]).collect();
        let mut known = FxHashMap::default();
        let (mut lower, mut columns) = (Vec::with_capacity(1 << 16), Vec::new());
        // Where in each shape the interval lies that the cut has reached.
        let mut reached = vec![0; shapes.len()];
        for cut in cuts.windows(2) {
            let column: Vec<u32> = shapes
                .iter()
                .zip(&mut reached)
                .map(|(shape, at)| {
                    while shape.get(*at + 1).is_some_and(|&(low, _)| low <= cut[0]) {
                        *at += 1;
                    }
                    shape[*at].1
                })
                .collect();
            let class = *known.entry(column).or_insert_with_key(|column| {
                columns.push(column.clone());
                columns.len() - 1
            });
            lower.extend(std::iter::repeat_n(fits(class)?, (cut[1] - cut[0]) as usize));
        }
        if let [column] = &*columns {
            // Where all intervals start at multiples of a larger block, one entry a block is enough.
            let shift = starts.iter().map(|(start, _)| start.trailing_zeros()).min();
            let shift = shift.unwrap_or(32).clamp(16, 31);
            let blocks = upper.into_iter().step_by(1 << (shift - 16));
            let upper = Table16::of(blocks.map(|shape| column[usize::from(shape)]))?;
            return Ok(Self { upper, shift, lower: None });
        }
        let joined = (0..shapes.len()).flat_map(|shape| columns.iter().map(move |c| c[shape]));
        let lower = Lower {
            table: Table16::new(lower),
            joined: Table16::of(joined)?,
            width: u32::from(fits(columns.len())?),
        };
        Ok(Self { upper: Table16::new(upper), shift: 16, lower: Some(lower) })
    }

    pub(super) fn class(&self, address: u32) -> u32 {
        let upper = self.upper.get(address >> self.shift);
        self.lower.as_ref().map_or(upper, |lower| {
            lower.joined.get(upper * lower.width + lower.table.get(address & 0xffff))
        })
    }

    pub(super) fn bytes(&self) -> usize {
        let lower = self.lower.as_ref();
        self.upper.bytes() + lower.map_or(0, |lower| lower.table.bytes() + lower.joined.bytes())
    }
}
