//! The labels that an address carries, as far as rules that are listed by vNIC name them: as bits, and
//! in full.

use super::local::{EVERYBODY, slot};
use super::rows::{Line, Rows};

/// Numbers in a line.
const NUMBERS: usize = 16;

impl Rows {
    /// A new row of these labels: a line with the bits of their slots, then the labels, the last line
    /// filled up with at least one label of everybody.
    pub(super) fn sign(&mut self, labels: &mut Vec<u32>) -> u32 {
        labels.sort_unstable();
        labels.dedup();
        let count = 2 + labels.len() / NUMBERS;
        let row = self.lines.take(count);
        let lines = self.lines.fresh(row, count);
        lines[1..].fill(Line([u64::MAX; 8]));
        lines[0].put(slot(EVERYBODY).into(), true);
        for (at, label) in labels.iter().enumerate() {
            lines[0].put(slot(*label).into(), true);
            lines[1 + at / NUMBERS].put_number(at % NUMBERS, *label);
        }
        u32::try_from(row).unwrap_or(u32::MAX)
    }

    /// The lines of a row of labels.
    pub(super) fn sign_lines(&self, row: u32) -> usize {
        let mut lines = row as usize + 1..;
        lines.by_ref().take_while(|line| goes_on(&self.lines[*line])).count() + 2
    }

    /// The labels of a row.
    pub(super) fn signed(&self, row: u32) -> impl Iterator<Item = u32> {
        let lines = &self.lines.row(row as usize, self.sign_lines(row))[1..];
        let numbers = lines.iter().flat_map(|line| (0..NUMBERS).map(|at| line.number(at)));
        numbers.take_while(|label| *label != EVERYBODY)
    }
}

/// Whether another line of labels follows.
#[inline]
pub(super) const fn goes_on(labels: &Line) -> bool {
    labels.number(NUMBERS - 1) != EVERYBODY
}
