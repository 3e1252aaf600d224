//! A table of numbers by key, in pages: what is alike over many keys stands once.
//!
//! Two copies of a table may share the pages of the last step ([`super::arena`]): those are most of what packets
//! read of it, and both copies' would not be in a cache. Then a change is another page, of few lines: readers have
//! in their caches what is written anew.
#![allow(clippy::inline_always)] // What runs for every packet is one piece of code, compiled for each processor.
#![allow(unsafe_code)] // A page is whole before a slot leads to it, and none does when it is given back.

use rustc_hash::FxHashMap;

use super::arena::Arena;
use super::rows::Line;

/// The bits of keys that the last step takes, and the one before it.
const LAST: u32 = 6;
const MIDDLE: u32 = 10;

/// Entries of a page of any step but the last.
const PAGE: u32 = 1 << MIDDLE;

/// Numbers of a line, and lines of a page of the last step.
const NUMBERS: usize = size_of::<Line>() / size_of::<u32>();
const LINES: usize = (1 << LAST) / NUMBERS;

/// A page that is not all alike.
const MIXED: u32 = u32::MAX;

/// A number for every key of 16 or 32 bits.
///
/// Every key is found in as many steps, so that a lookup has no branch and nothing to choose: where
/// many keys have one number, pages that say so for all of them are shared.
#[derive(Clone, Debug)]
pub(super) struct Radix {
    /// The first page, then all others as they came but for those of the last step: where the page of the
    /// next step begins.
    slots: Vec<u32>,
    /// How far the first page's index stands from the key's right end.
    shift: u32,
    /// The pages of the last step, of numbers.
    pub(super) leaves: Arena,
    /// The number that a page has for all of its keys, by page: of the last step, and of all others.
    alike: [Vec<u32>; 2],
    /// The pages of one number, by the step before them and the number.
    shared: FxHashMap<(u32, u32), u32>,
}

impl Radix {
    /// A table for keys of 16 bits, in steps of 10 and 6.
    pub(super) fn short(value: u32) -> Self {
        Self::new(LAST, value)
    }

    /// A table for keys of 32 bits, in steps of 16, 10 and 6.
    pub(super) fn long(value: u32) -> Self {
        Self::new(16, value)
    }

    fn new(shift: u32, value: u32) -> Self {
        let slots = vec![0; if shift == LAST { PAGE as usize } else { 1 << 16 }];
        let first = slots.len();
        let alike = [Vec::new(), vec![MIXED; first / PAGE as usize]];
        let (leaves, shared) = (Arena::default(), FxHashMap::default());
        let mut table = Self { slots, shift, leaves, alike, shared };
        let page = table.all_alike(shift, value);
        table.slots[..first].fill(page);
        table
    }

    /// The number of a key of a [`short`](Radix::short) table.
    #[inline(always)]
    pub(super) fn get_short(&self, key: u16) -> u32 {
        let key = u32::from(key);
        // SAFETY: the first page of a short table has 1,024 entries, each of which leads to a page of the last
        // step.
        unsafe { self.number(self.entry(key >> LAST) + key % (1 << LAST)) }
    }

    /// The number of a key of a [`long`](Radix::long) table.
    #[inline(always)]
    pub(super) fn get_long(&self, key: u32) -> u32 {
        // SAFETY: the first page of a long table has 65,536 entries, each of which leads to a page,
        // whose entries lead to pages of the last step.
        unsafe {
            let page = self.entry(key >> 16);
            let page = self.entry(page + (key >> LAST) % PAGE);
            self.number(page + key % (1 << LAST))
        }
    }

    /// # Safety
    ///
    /// `slot` is one of the slots.
    #[inline(always)]
    unsafe fn entry(&self, slot: u32) -> u32 {
        debug_assert!((slot as usize) < self.slots.len());
        // SAFETY: by the caller's promise.
        unsafe { *self.slots.get_unchecked(slot as usize) }
    }

    /// # Safety
    ///
    /// `at` is one of the 64 of a page of the last step which this table has.
    #[inline(always)]
    unsafe fn number(&self, at: u32) -> u32 {
        debug_assert!((at as usize) < self.leaves.len() * NUMBERS);
        // SAFETY: by the caller's promise; nobody writes a page that a table has. Numbers lie as `Line::number`
        // has them.
        unsafe { self.leaves.start().cast::<u32>().add(at as usize).read() }
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
        page: u32,
        shift: u32,
        start: u32,
        (first, last): (u32, u32),
        change: &mut impl FnMut(u32, u32) -> u32,
    ) {
        let span = 1_u32 << shift;
        for index in (first - start) >> shift..=(last - start) >> shift {
            let (at, low) = ((page + index) as usize, start + (index << shift));
            let high = low + (span - 1);
            let within = (first.max(low), last.min(high));
            let inner = self.slots[at];
            let alike = self.alike_of(shift, inner);
            self.slots[at] = if alike != MIXED && within == (low, high) {
                let value = change(alike, span);
                self.all_alike(shift, value)
            } else if shift == LAST {
                self.map_leaf(inner, alike == MIXED, (within.0 - low, within.1 - low), change)
            } else {
                let own = if alike == MIXED {
                    inner
                } else {
                    self.page(self.slots[inner as usize], MIXED)
                };
                self.map_page(own, shift - MIDDLE, low, within, change);
                own
            };
        }
    }

    /// The page that has what is changed from `first` to `last` in a page of the last step, which is the entry's
    /// own or not.
    fn map_leaf(
        &mut self,
        page: u32,
        own: bool,
        (first, last): (u32, u32),
        change: &mut impl FnMut(u32, u32) -> u32,
    ) -> u32 {
        let row = page as usize / NUMBERS;
        let keys = (first as usize..=last as usize).map(|key| (key / NUMBERS, key % NUMBERS));
        if own && !self.leaves.is_shared() {
            for (line, at) in keys {
                let line = self.leaves.change(row + line);
                line.put_number(at, change(line.number(at), 1));
            }
            return page;
        }
        let new = self.leaves.take(LINES);
        let lines = self.leaves.copy(row, new, LINES);
        for (line, at) in keys {
            lines[line].put_number(at, change(lines[line].number(at), 1));
        }
        if own {
            self.leaves.give_back(row, LINES);
        }
        self.tell_leaf(new, MIXED)
    }

    /// The page that an entry leads to whose keys, of so many bits, all have one number.
    fn all_alike(&mut self, bits: u32, value: u32) -> u32 {
        if let Some(page) = self.shared.get(&(bits, value)) {
            return *page;
        }
        let page = if bits == LAST {
            let row = self.leaves.take(LINES);
            let both = u64::from(value) << 32 | u64::from(value);
            self.leaves.fresh(row, LINES).fill(Line([both; 8]));
            self.tell_leaf(row, value)
        } else {
            let entry = self.all_alike(bits - MIDDLE, value);
            self.page(entry, value)
        };
        self.shared.insert((bits, value), page);
        page
    }

    /// The number that the page which an entry leads to has for all of its keys, of so many bits.
    fn alike_of(&self, bits: u32, page: u32) -> u32 {
        let [leaves, others] = &self.alike;
        if bits == LAST { leaves[(page >> LAST) as usize] } else { others[(page / PAGE) as usize] }
    }

    /// A new page of one entry.
    fn page(&mut self, entry: u32, alike: u32) -> u32 {
        let new = self.slots.len();
        self.slots.resize(new + PAGE as usize, entry);
        self.alike[1].push(alike);
        u32::try_from(new).unwrap_or(0)
    }

    /// Notes of a page of the last step whether it is all alike; where it begins.
    fn tell_leaf(&mut self, row: usize, alike: u32) -> u32 {
        let (number, told) = (row / LINES, &mut self.alike[0]);
        if told.len() <= number {
            told.resize(number + 1, MIXED);
        }
        told[number] = alike;
        u32::try_from(row * NUMBERS).unwrap_or(0)
    }

    pub(super) fn bytes(&self) -> usize {
        let shared = self.shared.capacity() * size_of::<[u32; 3]>();
        let numbers = self.slots.capacity() + self.alike.iter().map(Vec::capacity).sum::<usize>();
        numbers * size_of::<u32>() + self.leaves.len() * size_of::<Line>() + shared
    }
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
    fn copies_share_pages_and_neither_sees_what_the_other_has_changed() {
        let mut shown = Radix::long(0);
        shown.fill(0x0a00_0000, 0x0a00_ffff, 1);
        shown.leaves.share();
        let mut spare = shown.clone();
        spare.leaves.share();
        spare.leaves.turn(&shown.leaves, false);
        let change = |table: &mut Radix| {
            table.fill(0x0a00_0007, 0x0a00_0007, 2);
            table.fill(0x0a00_0008, 0x0a00_0207, 3);
        };
        let numbers = |table: &Radix| {
            [0x0a00_0006, 0x0a00_0007, 0x0a00_0100, 0x0a00_0207].map(|key| table.get_long(key))
        };
        change(&mut spare);
        assert_eq!((numbers(&shown), numbers(&spare)), ([1; 4], [1, 2, 3, 3]));
        shown.leaves.turn(&spare.leaves, true);
        change(&mut shown);
        assert!(shown.leaves.agrees(&spare.leaves));
        assert_eq!(numbers(&shown), numbers(&spare));
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
