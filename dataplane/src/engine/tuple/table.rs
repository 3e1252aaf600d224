//! Tables of narrow numbers.

use crate::engine::Unsupported;

/// Entries of 16 bits, with one to spare behind them, so that a 32-bit load of any entry stays
/// inside.
#[derive(Clone, Debug, Default)]
pub(super) struct Table16(Box<[u16]>);

impl Table16 {
    pub(super) fn new(mut entries: Vec<u16>) -> Self {
        entries.push(0);
        Self(entries.into_boxed_slice())
    }

    /// A table of numbers that should fit.
    pub(super) fn of(entries: impl IntoIterator<Item = u32>) -> Result<Self, Unsupported> {
        let entries = entries.into_iter().map(u16::try_from).collect::<Result<Vec<_>, _>>();
        entries.map(Self::new).map_err(|_| Unsupported::TooLarge)
    }

    /// The table with each entry replaced by what `map` has for it.
    pub(super) fn through(&self, map: &[u32]) -> Result<Self, Unsupported> {
        let entries = &self.0[..self.0.len() - 1];
        Self::of(entries.iter().map(|&entry| map[usize::from(entry)]))
    }

    pub(super) fn get(&self, at: u32) -> u32 {
        u32::from(self.0[at as usize])
    }

    /// The entries and the spare one.
    #[cfg(target_arch = "x86_64")]
    pub(super) fn entries(&self) -> &[u16] {
        &self.0
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.0)
    }
}
