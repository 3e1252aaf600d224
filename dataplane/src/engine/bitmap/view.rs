//! Rows as searching reads them: without asking each time whether they are there.
#![allow(clippy::inline_always)] // What runs for every packet is one piece of code, compiled for each processor.
#![allow(clippy::cast_ptr_alignment)] // Lines are aligned to 64 bytes, and parts to their size.
#![allow(unsafe_code)] // A bound checked at every read is a third of a lookup's instructions.

use std::hint::select_unpredictable;

use super::arena::Arena;
use super::codes::CodeLines;
use super::listed::block_lines;
use super::rows::{Line, PARTS, Rows, Shape};

/// Rows are written word by word and read part by part.
const _: () = assert!(cfg!(target_endian = "little"));

/// The rows of each class, by number.
///
/// # Safety
///
/// The class is one that these are the rows of.
#[inline(always)]
pub(super) unsafe fn rows_of<const D: usize>(of: &[[u32; D]], class: u32) -> [u32; D] {
    debug_assert!((class as usize) < of.len());
    // SAFETY: by the caller's promise.
    unsafe { *of.get_unchecked(class as usize) }
}

/// The rows of one field, for as long as nobody changes them.
///
/// Its one invariant: a row number that [`Rows`] gave out and has not taken back is that of as many
/// lines as any read of a row can touch, which nobody writes: a flat row's, or a packed row's with room
/// for one part more than there are.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    /// No slice: lines of other rows may be written meanwhile, see [`super::arena`].
    lines: *const Line,
    /// Likewise, from where each row's lines of codes are.
    codes: *const Line,
    len: usize,
    base: &'a [Line],
    /// Parts of the base that are not zero.
    pub(super) parts: &'a Line,
}

impl<'a> View<'a> {
    pub(super) fn of(rows: &'a Rows) -> Self {
        let (codes, len) = (rows.lines.start(), rows.lines.len());
        let lines = codes.wrapping_add(rows.before());
        Self { lines, codes, len, base: &rows.base.lines, parts: &rows.base.parts }
    }

    /// Lines alone, that are no rows of bits.
    pub(super) fn of_lines(lines: &'a Arena) -> Self {
        let (start, len) = (lines.start(), lines.len());
        Self { lines: start, codes: start, len, base: &[], parts: &Line::ZERO }
    }

    /// How many lines there are.
    pub(super) const fn len(self) -> usize {
        self.len
    }

    /// Where the first line is.
    pub(super) const fn lines(self) -> *const Line {
        self.lines
    }

    /// Where the first line of codes is.
    pub(super) const fn code_lines(self) -> *const Line {
        self.codes
    }

    /// The base.
    pub(super) const fn whole(self) -> &'a [Line] {
        self.base
    }

    /// The lines of codes of a row.
    ///
    /// # Safety
    ///
    /// The row is one of these [`Rows`], which are coded.
    #[inline(always)]
    pub(super) unsafe fn codes(self, row: u32) -> &'a CodeLines {
        debug_assert!((row as usize + 1) < self.len);
        // SAFETY: by the caller's promise; two lines that follow one another are an array of two.
        unsafe { &*self.codes.add(row as usize).cast() }
    }

    /// A block of a list.
    ///
    /// # Safety
    ///
    /// The row is one of these [`Rows`], whose shape is listed with `log`, and has the block.
    #[inline(always)]
    pub(super) unsafe fn block(self, log: u32, row: u32, at: usize) -> &'a [Line] {
        let lines = block_lines(log);
        let first = row as usize + at * lines;
        debug_assert!(first + lines <= self.len);
        // SAFETY: by the caller's promise.
        unsafe { std::slice::from_raw_parts(self.lines.add(first), lines) }
    }

    /// A line of the base.
    ///
    /// # Safety
    ///
    /// `at` is below the lines that all places take.
    #[inline(always)]
    pub(super) unsafe fn base(self, at: usize) -> &'a Line {
        debug_assert!(at < self.base.len());
        // SAFETY: by the caller's promise.
        unsafe { self.base.get_unchecked(at) }
    }

    /// The first line of a row, and others behind it.
    ///
    /// # Safety
    ///
    /// The row is one of these [`Rows`], and has more than `at` lines.
    #[inline(always)]
    pub(super) unsafe fn line(self, row: u32, at: usize) -> &'a Line {
        debug_assert!(row as usize + at < self.len);
        // SAFETY: within the row, by the caller's promise.
        unsafe { &*self.lines.add(row as usize + at) }
    }

    /// Whether a packed row holds a place: `nth` of a part.
    ///
    /// # Safety
    ///
    /// The row is one of these [`Rows`], whose shape is packed with `log`; `part` is below 512 and
    /// `nth` below the size of a part.
    #[inline(always)]
    pub(super) unsafe fn holds(self, log: u32, row: u32, part: usize, nth: usize) -> bool {
        // SAFETY: by the caller's promise.
        let bits = unsafe { self.bits(log, row, part, nth & !63) };
        bits >> (nth & 63) & 1 == 1
    }

    /// Up to 64 places of one part of a packed row, from `step` places on.
    ///
    /// # Safety
    ///
    /// The row is one of these [`Rows`], whose shape is packed with `log`; `part` is below 512 and
    /// `step` a multiple of 64 below the size of a part.
    #[inline(always)]
    pub(super) unsafe fn bits(self, log: u32, row: u32, part: usize, step: usize) -> u64 {
        debug_assert!(part < PARTS && step < 8 << log);
        debug_assert!((row as usize + 1) < self.len);
        let (word, bit) = (part >> 6, part & 63);
        // SAFETY: every packed row has two lines; the first is the eight words of its head, at the
        // second's start are eight counts of 16 bits. Then come its parts: the one asked for is
        // where its rank says if it is there. If not, that is at most one part beyond the last, and
        // the row has room for that. It is read all the same, for a branch would be
        // guessed wrong often. The base has every part.
        unsafe {
            let start = self.lines.cast::<u8>().add(row as usize * size_of::<Line>());
            let head = start.cast::<u64>().add(word).read();
            let before = usize::from(start.add(size_of::<Line>()).cast::<u16>().add(word).read());
            let rank = before + (head & !(u64::MAX << bit)).count_ones() as usize;
            let parts = start.add(Shape::parts_at(log) * size_of::<u64>());
            let own = read(log, parts.add((rank << log) + step / 8));
            let base = self.base.as_ptr().cast::<u8>().add((part << log) + step / 8);
            read(log, base) ^ select_unpredictable(head >> bit & 1 == 1, own, 0)
        }
    }
}

/// Up to 64 places from an address on.
///
/// # Safety
///
/// As many bytes as a part has, but no more than eight, can be read there, and it is aligned to them.
#[inline(always)]
pub(super) unsafe fn read(log: u32, at: *const u8) -> u64 {
    // SAFETY: by the caller's promise.
    unsafe {
        match log {
            0 => at.read().into(),
            1 => at.cast::<u16>().read().into(),
            2 => at.cast::<u32>().read().into(),
            _ => at.cast::<u64>().read(),
        }
    }
}
