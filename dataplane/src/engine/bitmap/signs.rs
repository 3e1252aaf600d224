//! The labels that an address carries, as far as rules that are listed by vNIC name them: as bits, as
//! tags, and in full.

use super::homes::SECOND;
use super::local::{EVERYBODY, EVERYBODYS, slot, tag};
use super::rows::{Line, Rows};

/// Numbers in a line.
const NUMBERS: usize = 16;

/// Tags in a line.
const TAGS: usize = 32;

impl Rows {
    /// A new row of these labels: a line with the bits of their slots, of both sorts, then their tags, then the labels
    /// themselves. The last line of tags and that of labels are filled up with at least one of everybody.
    pub(super) fn sign(&mut self, labels: &mut Vec<u32>) -> u32 {
        labels.sort_unstable();
        labels.dedup();
        let tags = 1 + labels.len() / TAGS;
        let count = 1 + tags + 1 + labels.len() / NUMBERS;
        let row = self.lines.take(count);
        let lines = self.lines.fresh(row, count);
        for at in 0..tags * TAGS {
            let label = labels.get(at).copied().unwrap_or(EVERYBODY);
            lines[0].put(slot(label).into(), true);
            lines[0].put((tag(label) >> SECOND).into(), true);
            lines[1 + at / TAGS].put_lane(at % TAGS, tag(label));
        }
        lines[1 + tags..].fill(Line([u64::MAX; 8]));
        for (at, label) in labels.iter().enumerate() {
            lines[1 + tags + at / NUMBERS].put_number(at % NUMBERS, *label);
        }
        u32::try_from(row).unwrap_or(u32::MAX)
    }

    /// A new row of another's labels and one more; `None` if its lines have no room for it.
    pub(super) fn sign_more(&mut self, row: u32, label: u32) -> Option<u32> {
        let looked = |(count, has), own| (count + 1, has || own == label);
        let (count, has) = self.signed(row).fold((0_usize, false), looked);
        // What tells the end of the labels, and so that of the tags, stays.
        if has || (count + 1).is_multiple_of(NUMBERS) {
            return None;
        }
        let (in_full, lines) = (self.in_full(row) - row as usize, self.sign_lines(row));
        let new = self.lines.take(lines);
        let own = self.lines.copy(row as usize, new, lines);
        own[0].put(slot(label).into(), true);
        own[0].put((tag(label) >> SECOND).into(), true);
        own[1 + count / TAGS].put_lane(count % TAGS, tag(label));
        own[in_full + count / NUMBERS].put_number(count % NUMBERS, label);
        Some(u32::try_from(new).unwrap_or(u32::MAX))
    }

    /// The first line of labels in full.
    fn in_full(&self, row: u32) -> usize {
        let mut lines = row as usize + 1..;
        row as usize + 2 + lines.by_ref().take_while(|line| goes_on(&self.lines[*line])).count()
    }

    /// The lines of a row of labels.
    pub(super) fn sign_lines(&self, row: u32) -> usize {
        let first = self.in_full(row);
        let more = |line: &usize| self.lines[*line].number(NUMBERS - 1) != EVERYBODY;
        let mut lines = first..;
        first + lines.by_ref().take_while(more).count() + 1 - row as usize
    }

    /// The labels of a row.
    pub(super) fn signed(&self, row: u32) -> impl Iterator<Item = u32> {
        let lines = &self.lines.row(row as usize, self.sign_lines(row));
        let lines = &lines[self.in_full(row) - row as usize..];
        let numbers = lines.iter().flat_map(|line| (0..NUMBERS).map(|at| line.number(at)));
        numbers.take_while(|label| *label != EVERYBODY)
    }
}

/// Whether another line of tags follows.
#[inline]
pub(super) const fn goes_on(tags: &Line) -> bool {
    tags.lane(TAGS - 1) != EVERYBODYS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::bitmap::rows::Shape;

    #[test]
    fn labels_that_come_one_by_one_are_signed_like_all_at_once() {
        let mut rows = Rows::new(Shape::Signs);
        let mut row = rows.make(&mut Vec::new());
        for count in 1..100 {
            row = rows.with(row, 7 * count, true);
            let once = rows.make(&mut (1..=count).map(|at| 7 * at).collect());
            let lines = |row| rows.lines.row(row as usize, rows.sign_lines(row)).to_vec();
            assert_eq!(lines(row), lines(once), "{count} labels");
        }
    }
}
