//! Rows of bits, one bit for each place that a rule may have.
//!
//! Most rows differ from that of a stranger (an address in no set, a port that no rule names) in few
//! bits. So the stranger's row is kept whole, once, as the [`Base`]; every other row is kept as its
//! difference from it.

use super::arena::Arena;
use super::codes;
use super::layout::Rank;
use super::listed::Tag;
use super::local::{self, Lanes};

/// Bits of one line of a cache, and parts of a packed row.
pub(super) const PARTS: usize = 512;

/// The row of strangers, and of all others who have no difference from them. Nobody gives it back.
const STRANGERS: u32 = 0;

/// A line of a cache.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(C, align(64))]
pub(super) struct Line(pub(super) [u64; 8]);

impl Line {
    pub(super) const ZERO: Self = Self([0; 8]);

    /// One of its 32 numbers of 16 bits.
    #[inline]
    pub(super) const fn lane(&self, lane: usize) -> u16 {
        (self.0[lane >> 2 & 7] >> (16 * (lane & 3)) & 0xffff) as u16
    }

    pub(super) const fn put_lane(&mut self, lane: usize, value: u16) {
        let word = &mut self.0[lane >> 2 & 7];
        let shift = 16 * (lane & 3);
        *word = *word & !(0xffff << shift) | (value as u64) << shift;
    }

    /// One of its 16 numbers of 32 bits.
    #[inline]
    pub(super) const fn number(&self, at: usize) -> u32 {
        (self.0[at >> 1 & 7] >> (32 * (at & 1)) & 0xffff_ffff) as u32
    }

    pub(super) const fn put_number(&mut self, at: usize, value: u32) {
        let word = &mut self.0[at >> 1 & 7];
        let shift = 32 * (at & 1);
        *word = *word & !(0xffff_ffff << shift) | (value as u64) << shift;
    }

    pub(super) const fn get(&self, bit: usize) -> bool {
        self.0[bit >> 6 & 7] >> (bit & 63) & 1 == 1
    }

    pub(super) const fn put(&mut self, bit: usize, value: bool) {
        let word = &mut self.0[bit >> 6 & 7];
        *word = *word & !(1 << (bit & 63)) | (value as u64) << (bit & 63);
    }
}

/// How rows lie in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Shape {
    /// Every bit, in this many lines.
    Flat { lines: usize },
    /// The places are cut into [`PARTS`] parts of `1 << log_bytes` bytes. A row is one line that
    /// tells its parts that are not zero; a count of them before each word of that line; then those
    /// parts one after the other.
    Packed { log_bytes: u32 },
    /// Of as many places as packed rows, those that are set, one after the other: see [`super::listed`].
    Listed { log_bytes: u32 },
    /// Entries of rules that are listed by vNIC: see [`super::local`].
    Local,
    /// Labels: see [`super::signs`].
    Signs,
    /// No rows: their numbers are the bits of what the rules at their places want.
    Wanted,
}

/// The sizes of parts that rows are packed by: for 4,096, 16,384, 131,072 and a million places. The
/// code that searches is compiled for the first and once for all others.
pub(super) const PACKED: [u32; 4] = [0, 2, 5, 8];

/// Where the counts of a packed row stand, in words.
const COUNTS: usize = 8;

impl Shape {
    /// The shape for ends that are listed, where the others are of this one.
    pub(super) const fn listed(self) -> Self {
        match self {
            Self::Packed { log_bytes } => Self::Listed { log_bytes },
            other => other,
        }
    }

    /// The number of places.
    pub(super) const fn places(self) -> usize {
        match self {
            Self::Flat { lines } => lines * PARTS,
            Self::Packed { log_bytes } | Self::Listed { log_bytes } => (PARTS * 8) << log_bytes,
            Self::Local | Self::Signs | Self::Wanted => 0,
        }
    }

    /// The part that a place is in. A flat row is all one.
    pub(super) const fn part(self, place: usize) -> usize {
        match self {
            Self::Flat { .. } | Self::Local | Self::Signs | Self::Wanted => 0,
            Self::Packed { log_bytes } | Self::Listed { log_bytes } => place >> (3 + log_bytes),
        }
    }

    /// Places of one part.
    pub(super) const fn part_size(self) -> usize {
        match self {
            Self::Flat { lines } => lines * PARTS,
            Self::Packed { log_bytes } | Self::Listed { log_bytes } => 8 << log_bytes,
            Self::Local | Self::Signs | Self::Wanted => 0,
        }
    }

    /// The word at which the parts of a packed row begin: none straddles a line that need not.
    pub(super) const fn parts_at(log_bytes: u32) -> usize {
        let words = if log_bytes < 4 { 2 } else { 1 << (log_bytes - 3) };
        if words > 8 { COUNTS + 8 } else { COUNTS + words }
    }

    /// The lines of a packed row with this many parts, and room for one that is not there: it is read
    /// all the same.
    const fn packed_lines(log_bytes: u32, parts: usize) -> usize {
        let lines = (Self::parts_at(log_bytes) * 8 + ((parts + 1) << log_bytes)).div_ceil(64);
        if lines < 2 { 2 } else { lines }
    }
}

/// The row of a stranger, whole, with the parts of it that are not zero.
#[derive(Clone, Debug)]
pub(super) struct Base {
    shape: Shape,
    pub(super) lines: Vec<Line>,
    pub(super) parts: Line,
}

impl Base {
    pub(super) fn new(shape: Shape) -> Self {
        let lines = vec![Line::default(); shape.places().div_ceil(PARTS)];
        Self { shape, lines, parts: Line::default() }
    }

    pub(super) fn get(&self, place: usize) -> bool {
        self.lines[place / PARTS].get(place % PARTS)
    }

    pub(super) fn put(&mut self, place: usize, value: bool) {
        self.lines[place / PARTS].put(place % PARTS, value);
        let part = self.shape.part(place);
        let size = self.shape.part_size();
        // Only ever widened: a part told of though it is zero costs a look and no wrong answer.
        if value || (size <= 64 && self.bits(part * size, size) == 0) {
            self.parts.put(part, value);
        }
    }

    /// Up to 64 bits that lie in one word.
    fn bits(&self, from: usize, count: usize) -> u64 {
        bits_of(&self.lines, from, count)
    }

    pub(super) fn bytes(&self) -> usize {
        self.lines.len() * size_of::<Line>()
    }
}

/// Up to 64 bits that lie in one word.
fn bits_of(lines: &[Line], from: usize, count: usize) -> u64 {
    let word = lines[from >> 9].0[from >> 6 & 7] >> (from & 63);
    if count < 64 { word & ((1 << count) - 1) } else { word }
}

/// Rows by number, each the difference from the base. Row 0 is the stranger's own: no difference.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    shape: Shape,
    pub(super) base: Base,
    pub(super) lines: Arena,
    /// Whether two lines of codes stand before each row: the codes of all rules that want what the row
    /// is of, and of some that are gone.
    coded: bool,
    /// The tag of each place, for lists and codes.
    pub(super) tags: Vec<Tag>,
    /// What lists of entries tell of each.
    pub(super) entries: Vec<Lanes>,
    /// What the rule at each place wants.
    wanted: Vec<u32>,
    /// Room for a row that is not packed yet; all zero.
    whole: Vec<Line>,
}

impl Rows {
    pub(super) fn new(shape: Shape) -> Self {
        Self::of(shape, false)
    }

    /// Rows of what packets carry: with lines of codes each where places of lists have tags.
    pub(super) fn coded(shape: Shape) -> Self {
        Self::of(shape, matches!(shape, Shape::Packed { .. }))
    }

    fn of(shape: Shape, coded: bool) -> Self {
        let tagged = coded || matches!(shape, Shape::Listed { .. });
        let mut rows = Self {
            shape,
            base: Base::new(shape),
            lines: Arena::default(),
            coded,
            whole: Vec::new(),
            entries: Vec::new(),
            wanted: Vec::new(),
            tags: if tagged { vec![Tag::default(); shape.places()] } else { Vec::new() },
        };
        rows.make(&mut Vec::new());
        rows
    }

    /// Tells the tag of a place before any row has it.
    pub(super) fn tag(&mut self, place: u32, tag: Tag) {
        if let Some(own) = self.tags.get_mut(place as usize) {
            *own = tag;
        }
    }

    /// Tells what the rule at a place wants before any row has it.
    pub(super) fn want(&mut self, place: u32, bits: u32) {
        if self.wanted.len() <= place as usize {
            self.wanted.resize(place as usize + 1, 0);
        }
        self.wanted[place as usize] = bits;
    }

    fn wanted_at(&self, place: u32) -> u32 {
        self.wanted.get(place as usize).copied().unwrap_or(0)
    }

    /// Gives the rules of places other ranks, in the same order.
    pub(super) fn rename(&mut self, renamed: impl Fn(Rank) -> Rank) {
        for tag in &mut self.tags {
            tag.rank = renamed(tag.rank);
        }
        for entry in &mut self.entries {
            entry.rank = renamed(entry.rank);
        }
    }

    /// Lines that stand before a row.
    pub(super) fn before(&self) -> usize {
        if self.coded { 2 } else { 0 }
    }

    /// A row with these bits, the stranger's own if there are none. May sort the places.
    pub(super) fn make(&mut self, places: &mut Vec<u32>) -> u32 {
        if places.is_empty() && self.lines.len() > 0 {
            return STRANGERS;
        }
        match self.shape {
            Shape::Flat { lines } => {
                let (row, lines) = self.take(lines);
                for place in places {
                    let place = *place as usize;
                    lines[place / PARTS].put(place % PARTS, true);
                }
                row
            }
            Shape::Packed { log_bytes } => self.pack(log_bytes, places),
            Shape::Listed { log_bytes } => self.list(log_bytes, places),
            Shape::Local => self.list_local(places),
            Shape::Signs => self.sign(places),
            Shape::Wanted => places.iter().fold(0, |bits, place| bits | self.wanted_at(*place)),
        }
    }

    fn pack(&mut self, log_bytes: u32, places: &[u32]) -> u32 {
        // Whole first, so that nothing has to be sorted.
        self.whole.resize(self.shape.places().div_ceil(PARTS), Line::ZERO);
        let (mut head, mut own) = (Line::ZERO, codes::of_anything());
        for place in places {
            let place = *place as usize;
            self.whole[place / PARTS].put(place % PARTS, true);
            head.put(place >> (3 + log_bytes), true);
            if self.coded {
                codes::put(&mut own, self.tags[place].bits);
            }
        }
        let parts: u32 = head.0.iter().map(|word| word.count_ones()).sum();
        let before = self.before();
        let wanted = before + Shape::packed_lines(log_bytes, parts as usize);
        let row = self.lines.take(wanted);
        let lines = self.lines.fresh(row, wanted);
        lines[..before].copy_from_slice(&own[..before]);
        let lines = &mut lines[before..];
        lines[0] = head;
        let size = 8_usize << log_bytes;
        let (mut to, mut before) = (Shape::parts_at(log_bytes) * 64, 0);
        for (word, mut bits) in head.0.into_iter().enumerate() {
            lines[1].0[word / 4] |= u64::from(before) << (16 * (word % 4));
            before += bits.count_ones();
            while bits != 0 {
                let from = (word << 6 | bits.trailing_zeros() as usize) * size;
                bits &= bits - 1;
                for step in (0..size).step_by(64) {
                    let part = bits_of(&self.whole, from + step, size);
                    lines[to >> 9].0[to >> 6 & 7] |= part << (to & 63);
                    to += size.min(64);
                }
            }
        }
        for place in places {
            self.whole[*place as usize / PARTS].0[*place as usize >> 6 & 7] = 0;
        }
        u32::try_from(row).unwrap_or(u32::MAX)
    }

    /// The places of a row's bits, ascending.
    fn places(&self, row: u32) -> Vec<u32> {
        let mut found = Vec::new();
        let mut bits = |from: usize, mut word: u64| {
            while word != 0 {
                found.push(u32::try_from(from).unwrap_or(0) + word.trailing_zeros());
                word &= word - 1;
            }
        };
        match self.shape {
            Shape::Flat { lines } => {
                for at in 0..lines * 8 {
                    bits(at * 64, self.word(row, at));
                }
            }
            Shape::Packed { log_bytes } => {
                let (size, start) = (8_usize << log_bytes, Shape::parts_at(log_bytes) * 64);
                let row = row + if self.coded { 2 } else { 0 };
                let parts = (0..PARTS).filter(|part| self.lines[row as usize].get(*part));
                for (rank, part) in parts.enumerate() {
                    let from = start + rank * size;
                    for step in (0..size).step_by(64) {
                        let word = self.word(row, (from + step) >> 6) >> (from & 63);
                        let word = if size < 64 { word & ((1 << size) - 1) } else { word };
                        bits(part * size + step, word);
                    }
                }
            }
            Shape::Listed { log_bytes } => found.extend(self.listed(log_bytes, row)),
            Shape::Local => found.extend(self.local_places(row)),
            Shape::Signs => found.extend(self.signed(row)),
            Shape::Wanted => {}
        }
        found
    }

    /// A new row of the bits of another.
    pub(super) fn copied(&mut self, row: u32) -> u32 {
        if row == STRANGERS || self.shape == Shape::Wanted { row } else { self.copy(row).0 }
    }

    fn copy(&mut self, row: u32) -> (u32, &mut [Line]) {
        debug_assert!(self.shape != Shape::Local, "the number of a list is not where it begins");
        let lines = self.lines_of(row);
        let new = self.lines.take(lines);
        (u32::try_from(new).unwrap_or(u32::MAX), self.lines.copy(row as usize, new, lines))
    }

    /// A new row of the bits of another, but for one that is set or not.
    pub(super) fn with(&mut self, row: u32, place: u32, value: bool) -> u32 {
        if self.shape == Shape::Wanted {
            // Bits of a rule that went do no harm, and others may have them.
            return row | if value { self.wanted_at(place) } else { 0 };
        }
        if self.shape == Shape::Signs
            && value
            && let Some(more) = self.sign_more(row, place)
        {
            return more;
        }
        if let Some((line, bit)) = self.find(row, place) {
            let code = self.coded.then(|| self.tags[place as usize].bits);
            let (new, copy) = self.copy(row);
            copy[line - row as usize].put(bit, value);
            if let Some(code) = code {
                codes::put(copy, code);
            }
            return new;
        }
        let mut places = self.places(row);
        places.retain(|own| *own != place);
        places.extend(value.then_some(place));
        self.make(&mut places)
    }

    /// Sets a bit of a row; the row may have another number then.
    pub(super) fn set(&mut self, row: u32, place: u32) -> u32 {
        self.change(row, place, true)
    }

    /// Clears a bit of a row; the row may have another number then.
    pub(super) fn clear(&mut self, row: u32, place: u32) -> u32 {
        if self.differs(row, place) { self.change(row, place, false) } else { row }
    }

    fn change(&mut self, row: u32, place: u32, value: bool) -> u32 {
        match self.find(row, place) {
            Some((line, bit)) if !self.lines.is_shared() && row != STRANGERS => {
                self.lines.change(line).put(bit, value);
                if self.coded {
                    let (line, bit) = codes::place(self.tags[place as usize].bits);
                    self.lines.change(row as usize + line).put(bit, true);
                }
                row
            }
            _ => {
                let new = self.with(row, place, value);
                self.give_back(row);
                new
            }
        }
    }

    /// Where the bit of a place stands: line and bit in it; `None` if its part is not there.
    fn find(&self, row: u32, place: u32) -> Option<(usize, usize)> {
        let (row, place) = (row as usize + self.before(), place as usize);
        let bit = match self.shape {
            Shape::Flat { .. } => place,
            Shape::Listed { .. } | Shape::Local | Shape::Signs | Shape::Wanted => return None,
            Shape::Packed { log_bytes } => {
                let part = self.shape.part(place);
                let head = &self.lines[row];
                if !head.get(part) {
                    return None;
                }
                let size = 8_usize << log_bytes;
                let rank = (0..part).filter(|other| head.get(*other)).count();
                Shape::parts_at(log_bytes) * 64 + rank * size + (place & (size - 1))
            }
        };
        Some((row + bit / PARTS, bit % PARTS))
    }

    /// Gives a row's room back. Nobody may ask for it any more.
    pub(super) fn give_back(&mut self, row: u32) {
        if row == STRANGERS || self.shape == Shape::Wanted {
            return;
        }
        let lines = self.lines_of(row);
        let row = if self.shape == Shape::Local { local::first_line(row) } else { row };
        self.lines.give_back(row as usize, lines);
    }

    fn lines_of(&self, row: u32) -> usize {
        match self.shape {
            Shape::Flat { lines } => lines,
            Shape::Packed { log_bytes } => {
                let head = &self.lines[row as usize + self.before()];
                let parts: u32 = head.0.iter().map(|word| word.count_ones()).sum();
                self.before() + Shape::packed_lines(log_bytes, parts as usize)
            }
            Shape::Listed { log_bytes } => self.list_lines(log_bytes, row),
            Shape::Local => self.local_lines(row),
            Shape::Signs => self.sign_lines(row),
            Shape::Wanted => 0,
        }
    }

    /// A new row of zeros.
    fn take(&mut self, lines: usize) -> (u32, &mut [Line]) {
        let row = self.lines.take(lines);
        (u32::try_from(row).unwrap_or(u32::MAX), self.lines.fresh(row, lines))
    }

    fn word(&self, row: u32, at: usize) -> u64 {
        self.lines[row as usize + (at >> 3)].0[at & 7]
    }

    /// Whether a place's bit is set, the base taken into account.
    pub(super) fn holds(&self, row: u32, place: u32) -> bool {
        self.base.get(place as usize) != self.differs(row, place)
    }

    fn differs(&self, row: u32, place: u32) -> bool {
        match self.shape {
            Shape::Listed { log_bytes } => self.listed(log_bytes, row).any(|own| own == place),
            Shape::Local => self.local_places(row).any(|own| own == place),
            Shape::Signs => self.signed(row).any(|own| own == place),
            _ => self.find(row, place).is_some_and(|(line, bit)| self.lines[line].get(bit)),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let tags = self.tags.len() * size_of::<Tag>() + self.entries.len() * size_of::<Lanes>();
        self.base.bytes() + self.lines.len() * size_of::<Line>() + tags
    }
}
