//! A table of numbers by key, in pages of 256: what is alike over many keys stands once.
#![allow(clippy::inline_always)] // What runs for every packet is one piece of code, compiled for each processor.
#![allow(unsafe_code)] // Pages are made whole, in `map_page` alone, and never taken away.

use std::hint::select_unpredictable;

/// Marks an entry that leads to a page.
const PAGE: u32 = 1 << 31;

/// A number below 2³¹ for every key of 16 or 32 bits.
#[derive(Clone, Debug)]
pub(super) struct Radix {
    /// The first page, then all others as they came.
    slots: Vec<u32>,
    /// How far the first page's index stands from the key's right end.
    shift: u32,
}

impl Radix {
    /// A table for keys of 16 bits, in two steps of 8.
    pub(super) fn short(value: u32) -> Self {
        Self { slots: vec![value; 1 << 8], shift: 8 }
    }

    /// A table for keys of 32 bits, in steps of 16, 8 and 8.
    pub(super) fn long(value: u32) -> Self {
        Self { slots: vec![value; 1 << 16], shift: 16 }
    }

    /// The number of a key of a [`short`](Radix::short) table.
    #[inline(always)]
    pub(super) fn get_short(&self, key: u16) -> u32 {
        let key = u32::from(key);
        let slots = self.slots.as_slice();
        // SAFETY: the first page of a short table has 256 entries.
        unsafe { entry(slots, step(slots, (key >> 8) as usize, key & 255)) }
    }

    /// The number of a key of a [`long`](Radix::long) table.
    #[inline(always)]
    pub(super) fn get_long(&self, key: u32) -> u32 {
        let slots = self.slots.as_slice();
        // SAFETY: the first page of a long table has 65,536 entries; `step` gives entries.
        unsafe {
            let slot = step(slots, (key >> 16) as usize, key >> 8 & 255);
            entry(slots, step(slots, slot, key & 255))
        }
    }

    /// Gives all keys from `first` to `last` one number.
    pub(super) fn fill(&mut self, first: u32, last: u32, value: u32) {
        self.map(first, last, &mut |_, _| value);
    }

    /// Gives keys from `first` to `last` other numbers; the function is told the number and of how
    /// many keys in a row, and is called again for others of the same number.
    pub(super) fn map(&mut self, first: u32, last: u32, change: &mut impl FnMut(u32, u32) -> u32) {
        self.map_page(0, self.shift, 0, (first, last), change);
    }

    fn map_page(
        &mut self,
        page: usize,
        shift: u32,
        start: u32,
        (first, last): (u32, u32),
        change: &mut impl FnMut(u32, u32) -> u32,
    ) {
        let span = (1_u64 << shift) - 1;
        let span = u32::try_from(span).unwrap_or(u32::MAX);
        for index in (first - start) >> shift..=(last - start) >> shift {
            let low = start + (index << shift);
            let high = low + span;
            let at = page + index as usize;
            let entry = self.slots[at];
            if entry & PAGE == 0 {
                if first <= low && high <= last {
                    self.slots[at] = change(entry, span + 1);
                    continue;
                }
                let new = self.slots.len();
                self.slots.resize(new + 256, entry);
                self.slots[at] = PAGE | u32::try_from(new).unwrap_or(0);
            }
            let inner = (self.slots[at] & !PAGE) as usize;
            let within = (first.max(low), last.min(high));
            self.map_page(inner, shift - 8, low, within, change);
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.slots.capacity() * size_of::<u32>()
    }
}

/// The slot that an entry leads to, or the entry's own where it leads nowhere: always a load, never a
/// branch that would be guessed wrong wherever known and unknown keys alternate.
///
/// # Safety
///
/// `slot` is one of the slots, all of which lead to whole pages of them; `index` is below 256.
#[inline(always)]
unsafe fn step(slots: &[u32], slot: usize, index: u32) -> usize {
    // SAFETY: by the caller's promise.
    let entry = unsafe { entry(slots, slot) };
    let inner = ((entry & !PAGE) + index) as usize;
    select_unpredictable(entry & PAGE != 0, inner, slot)
}

/// # Safety
///
/// `slot` is one of the slots.
#[inline(always)]
unsafe fn entry(slots: &[u32], slot: usize) -> u32 {
    debug_assert!(slot < slots.len());
    // SAFETY: by the caller's promise.
    unsafe { *slots.get_unchecked(slot) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_overwrite_what_they_cover_and_nothing_else() {
        let mut table = Radix::long(0);
        table.fill(0x0a00_0000, 0x0aff_ffff, 1);
        table.fill(0x0a01_0203, 0x0a01_0203, 2);
        table.fill(0x0a01_00f0, 0x0a01_0110, 3);
        table.fill(0xffff_ffff, u32::MAX, 4);
        for (key, value) in [
            (0x09ff_ffff, 0),
            (0x0a00_0000, 1),
            (0x0a01_0202, 1),
            (0x0a01_0203, 2),
            (0x0a01_00ef, 1),
            (0x0a01_00f0, 3),
            (0x0a01_0110, 3),
            (0x0a01_0111, 1),
            (0x0b00_0000, 0),
            (u32::MAX, 4),
        ] {
            assert_eq!(table.get_long(key), value, "{key:x}");
        }
        table.fill(0, u32::MAX, 7);
        assert_eq!((table.get_long(0x0a01_0203), table.get_long(0)), (7, 7));
    }

    #[test]
    fn a_change_is_told_how_many_keys_it_concerns() {
        let mut table = Radix::short(5);
        table.fill(10, 20, 6);
        let (mut fives, mut sixes) = (0, 0);
        table.map(0, 65_535, &mut |value, keys| {
            *if value == 5 { &mut fives } else { &mut sixes } += keys;
            value
        });
        assert_eq!((fives, sixes), (65_525, 11));
    }
}
