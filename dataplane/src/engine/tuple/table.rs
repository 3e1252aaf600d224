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

/// Entries of 8 bits if they fit, with spare ones behind them as in [`Table16`].
#[derive(Clone, Debug)]
pub(super) enum Narrow {
    Table8(Box<[u8]>),
    Table16(Table16),
}

impl Narrow {
    /// A table of numbers of which at least 16 bits should be enough.
    pub(super) fn of(entries: Vec<u32>) -> Result<Self, Unsupported> {
        let narrow = entries.iter().copied().chain([0; 3]).map(u8::try_from);
        match narrow.collect::<Result<_, _>>() {
            Ok(entries) => Ok(Self::Table8(entries)),
            Err(_) => Table16::of(entries).map(Self::Table16),
        }
    }

    pub(super) fn get(&self, at: u32) -> u32 {
        match self {
            Self::Table8(entries) => u32::from(entries[at as usize]),
            Self::Table16(table) => table.get(at),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Table8(entries) => size_of_val(&**entries),
            Self::Table16(table) => table.bytes(),
        }
    }
}
