//! Where rows lie: lines that two copies of the tables may share.
//!
//! A [`Publisher`](crate::Publisher) has two copies of a plane, of which readers see one. Rows are most
//! of a plane by far; with rows of their own, the copies would push each other out of the caches at
//! every change. So they share the lines, and a row that readers may see is never changed: its change
//! is another row.
//!
//! A shared arena belongs to the copy that readers see, the *shown* one, and to the *spare*, which
//! takes the next changes. What makes that sound:
//!
//! 1. Only the spare is changed, and only while nobody reads it.
//! 2. A row that is given back is handed out again with the next [turn](Arena::turn) at the earliest.
//!    By then the copy that had it has been the spare and repeated that. So no reader can reach a row
//!    that is written.
//! 3. Before the spare takes a turn of its own, it repeats the one that the shown copy has made:
//!    again the same rows at the same lines, which are written already. The spare reckons which they
//!    are, and writes into a scratch buffer what it would have written.
//!
//! Whatever is cloned otherwise has lines of its own and changes them in place.
#![allow(unsafe_code)] // Lines are written while others read other lines of the same memory.
#![allow(clippy::cast_ptr_alignment)] // The first line begins where it is aligned.

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::ops::Index;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::pages;
use super::rows::Line;

/// Lines, some of which are written while others are read.
#[derive(Debug)]
struct Slots {
    /// Quarters of lines, for those are aligned as any memory is: so the library can ask the system to
    /// move their pages, instead of copying them. A line holds nothing before it is written.
    memory: Vec<UnsafeCell<MaybeUninit<u128>>>,
    /// The quarter that the first line begins at.
    first: usize,
    /// How many lines there are.
    lines: usize,
}

/// Quarters of a line.
const QUARTERS: usize = size_of::<Line>() / size_of::<u128>();

// SAFETY: lines are plain data, and nobody reads a line while it is written: see the module. A reader
// learns of a row from the copy that names it, which is shown after the row was written.
unsafe impl Sync for Slots {}

impl Slots {
    /// As many lines.
    fn new(lines: usize) -> Self {
        let mut slots = Self { memory: Vec::new(), first: 0, lines: 0 };
        slots.grow(lines);
        slots
    }

    /// Makes them so many, which must not be fewer.
    fn grow(&mut self, lines: usize) {
        // One more than lines, so that the last has room wherever the first begins.
        let quarters = (lines + 1) * QUARTERS;
        if quarters * size_of::<u128>() < pages::LARGE {
            self.memory.reserve_exact(quarters - self.memory.len());
        } else {
            self.move_to_large(quarters);
        }
        self.memory.resize_with(quarters, || UnsafeCell::new(MaybeUninit::uninit()));
        let (from, before) = (self.start().cast_const(), self.lines);
        self.first = self.memory.as_ptr().align_offset(align_of::<Line>());
        debug_assert!(self.first < QUARTERS, "a line begins within any four quarters");
        self.lines = lines;
        // Where they stood in memory that was aligned otherwise.
        if from != self.start().cast_const() {
            // SAFETY: both are within the memory, of which nobody else has any.
            unsafe { self.start().cast::<u8>().copy_from(from.cast(), before * size_of::<Line>()) }
        }
    }

    /// Moves all to other memory, for as many quarters, that is asked to have large pages: which only memory may
    /// get that was not written yet.
    fn move_to_large(&mut self, quarters: usize) {
        let mut memory = Vec::with_capacity(quarters);
        pages::ask_for_large(&mut memory);
        memory.append(&mut self.memory);
        self.memory = memory;
    }

    /// Where the first line is.
    fn start(&self) -> *mut Line {
        UnsafeCell::raw_get(self.memory.as_ptr()).wrapping_add(self.first).cast()
    }

    /// Where some lines are.
    fn at(&self, line: usize, lines: usize) -> *mut Line {
        assert!(line <= self.lines && lines <= self.lines - line, "a row beyond the lines");
        self.start().wrapping_add(line)
    }
}

impl Default for Slots {
    fn default() -> Self {
        Self::new(0)
    }
}

/// Lines by number.
#[derive(Debug, Default)]
pub(super) struct Arena {
    slots: Arc<Slots>,
    /// Where their first line is: once more, for that is asked for every packet.
    start: AtomicPtr<Line>,
    /// Lines in use, from the first.
    len: usize,
    shared: bool,
    repeats: bool,
    /// What would have been written to this row.
    scratch: Vec<Line>,
    scratch_row: usize,
    /// Rows given back in this turn, with their number of lines.
    returned: Vec<(usize, usize)>,
    /// Rows that can be handed out, by their number of lines.
    free: Vec<Vec<usize>>,
    /// Of all that was handed out and given back: equal for copies that have done the same.
    digest: u64,
}

/// Lines of its own.
impl Clone for Arena {
    fn clone(&self) -> Self {
        let slots = self.moved(self.len + self.len / 4);
        let (free, len, digest) = (self.free.clone(), self.len, self.digest);
        let mut own = Self { len, free, digest, ..Self::default() };
        own.set_slots(slots);
        for (row, lines) in &self.returned {
            own.set_free(*row, *lines);
        }
        own
    }
}

impl Arena {
    /// Whether another copy may have rows here, so that none may be changed in place.
    pub(super) const fn is_shared(&self) -> bool {
        self.shared
    }

    /// From now on no row is changed in place.
    pub(super) const fn share(&mut self) {
        self.shared = true;
    }

    /// Begins a turn in the lines of the shown copy, which may have moved. With `repeats` it is the turn
    /// that the shown copy has made.
    ///
    /// What stays as it is is not written: readers have it in their caches, and so the count of those who
    /// share the lines.
    pub(super) fn turn(&mut self, shown: &Self, repeats: bool) {
        if !Arc::ptr_eq(&self.slots, &shown.slots) {
            self.set_slots(Arc::clone(&shown.slots));
        }
        if self.repeats != repeats {
            self.repeats = repeats;
        }
        if !self.scratch.is_empty() {
            self.scratch.clear();
        }
        if !self.returned.is_empty() {
            for (row, lines) in std::mem::take(&mut self.returned) {
                self.set_free(row, lines);
            }
        }
    }

    /// Whether both copies have the same rows at the same lines.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        debug_assert!(self.has_repeated(), "what is written again differs");
        Arc::ptr_eq(&self.slots, &other.slots)
            && (self.len, self.digest) == (other.len, other.digest)
    }

    /// The number of lines in use.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Lines for a new row. They are written by way of [`Arena::fresh`].
    pub(super) fn take(&mut self, lines: usize) -> usize {
        let free = self.free.get_mut(lines).and_then(Vec::pop);
        let row = free.unwrap_or_else(|| {
            let row = self.len;
            self.len += lines;
            let room = self.len.max(2 * self.slots.lines);
            if self.len > self.slots.lines {
                if let Some(slots) = Arc::get_mut(&mut self.slots) {
                    slots.grow(room);
                    self.start = AtomicPtr::new(slots.start());
                } else {
                    self.set_slots(self.moved(room));
                }
                // Its own now, whatever they were.
                self.repeats = false;
            }
            row
        });
        self.note(row, lines);
        row
    }

    /// The lines of a new row, all zero, to be written.
    pub(super) fn fresh(&mut self, row: usize, lines: usize) -> &mut [Line] {
        self.copied(row, lines, |_, _| Line::ZERO)
    }

    /// The lines of a new row, a copy of another's, to be changed.
    pub(super) fn copy(&mut self, from: usize, row: usize, lines: usize) -> &mut [Line] {
        self.copied(row, lines, |own, at| own[from + at])
    }

    fn copied(
        &mut self,
        row: usize,
        lines: usize,
        line: impl Fn(&Self, usize) -> Line,
    ) -> &mut [Line] {
        if self.repeats {
            debug_assert!(self.has_repeated(), "what is written again differs");
            let mut scratch = std::mem::take(&mut self.scratch);
            scratch.clear();
            scratch.extend((0..lines).map(|at| line(self, at)));
            (self.scratch, self.scratch_row) = (scratch, row);
            return &mut self.scratch;
        }
        let start = self.slots.at(row, lines);
        // SAFETY: the row is new, so that nobody reads it, by the module's rules; nobody else writes,
        // for `self` is borrowed for as long as these lines are.
        unsafe {
            for at in 0..lines {
                start.add(at).write(line(self, at));
            }
            std::slice::from_raw_parts_mut(start, lines)
        }
    }

    /// Whether the shown copy wrote what this one would have written last.
    fn has_repeated(&self) -> bool {
        let mut lines = self.scratch.iter().enumerate();
        lines.all(|(at, line)| self[self.scratch_row + at] == *line)
    }

    /// The lines of a row.
    pub(super) fn row(&self, row: usize, lines: usize) -> &[Line] {
        let start = self.slots.at(row, lines);
        // SAFETY: who has a row may read it: nobody writes it meanwhile.
        unsafe { std::slice::from_raw_parts(start, lines) }
    }

    /// A line of a row, to be changed in place.
    pub(super) fn change(&mut self, line: usize) -> &mut Line {
        debug_assert!(!self.shared, "a row that others may read");
        // SAFETY: nobody shares the lines, and `self` is borrowed for as long as this one is.
        unsafe { &mut *self.slots.at(line, 1) }
    }

    /// Takes a row back. Nobody asks this copy for it any more.
    pub(super) fn give_back(&mut self, row: usize, lines: usize) {
        self.note(row, lines);
        if self.shared {
            self.returned.push((row, lines));
        } else {
            self.set_free(row, lines);
        }
    }

    fn set_free(&mut self, row: usize, lines: usize) {
        if self.free.len() <= lines {
            self.free.resize(lines + 1, Vec::new());
        }
        self.free[lines].push(row);
    }

    fn note(&mut self, row: usize, lines: usize) {
        let both = (row as u64) << 20 ^ lines as u64;
        self.digest = (self.digest.rotate_left(5) ^ both).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    /// Where the first line is: for reading rows unchecked.
    #[inline]
    pub(super) fn start(&self) -> *const Line {
        self.start.load(Ordering::Relaxed)
    }

    fn set_slots(&mut self, slots: Arc<Slots>) {
        self.start = AtomicPtr::new(slots.start());
        self.slots = slots;
    }

    /// The same lines elsewhere, with room for more.
    fn moved(&self, room: usize) -> Arc<Slots> {
        let slots = Slots::new(room);
        let lines = self.len.min(self.slots.lines).min(room);
        // SAFETY: who may call this is the one that writes, and does not meanwhile; the new lines are
        // nobody else's yet.
        unsafe { self.slots.at(0, lines).copy_to_nonoverlapping(slots.at(0, lines), lines) }
        Arc::new(slots)
    }
}

impl Index<usize> for Arena {
    type Output = Line;

    fn index(&self, line: usize) -> &Line {
        // SAFETY: who has a row may read it: nobody writes it meanwhile.
        unsafe { &*self.slots.at(line, 1) }
    }
}
