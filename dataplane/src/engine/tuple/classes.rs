//! Equivalence classes: sets of filters as rows of bits, equal rows stored once.

use rustc_hash::{FxHashMap, FxHasher};
use std::hash::{Hash, Hasher};

/// Rows of bits, each stored once. A row's number is its class.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    words: usize,
    bits: Vec<u64>,
    by_hash: FxHashMap<u64, Vec<u32>>,
}

impl Rows {
    /// No rows yet, each for this many bits.
    pub(super) fn new(bits: usize) -> Self {
        Self { words: bits.div_ceil(64).max(1), bits: Vec::new(), by_hash: FxHashMap::default() }
    }

    /// The class of a row.
    pub(super) fn intern(&mut self, row: &[u64]) -> u32 {
        let mut hasher = FxHasher::default();
        row.hash(&mut hasher);
        let (words, bits) = (self.words, &mut self.bits);
        let same = self.by_hash.entry(hasher.finish()).or_default();
        let found = same.iter().find(|&&at| bits[at as usize * words..][..words] == *row);
        if let Some(class) = found {
            return *class;
        }
        let class = u32::try_from(bits.len() / words).unwrap_or(u32::MAX);
        bits.extend_from_slice(row);
        same.push(class);
        class
    }

    pub(super) fn len(&self) -> usize {
        self.bits.len() / self.words
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u64]> {
        self.bits.chunks_exact(self.words)
    }

    /// How many rows there are: as many as fit a class.
    pub(super) fn count(&self) -> u32 {
        self.len() as u32
    }

    /// A row without a bit set.
    pub(super) fn empty(&self) -> Vec<u64> {
        vec![0; self.words]
    }
}

/// The classes of one field: where each interval of values starts, and its class.
pub(super) struct Field {
    pub(super) starts: Vec<(u32, u32)>,
    pub(super) rows: Rows,
}

/// The classes of a field that filter `i` limits to `spans[i]`, both ends included.
pub(super) fn field(spans: &[(u32, u32)]) -> Field {
    let mut edges = Vec::with_capacity(2 * spans.len());
    for (filter, &(first, last)) in spans.iter().enumerate() {
        edges.push((first, filter));
        if let Some(after) = last.checked_add(1) {
            edges.push((after, filter));
        }
    }
    edges.sort_unstable();
    let mut rows = Rows::new(spans.len());
    let (mut row, mut starts) = (rows.empty(), Vec::new());
    if edges.first().is_none_or(|&(at, _)| at > 0) {
        starts.push((0, rows.intern(&row)));
    }
    let mut edges = edges.into_iter().peekable();
    while let Some((at, filter)) = edges.next() {
        row[filter / 64] ^= 1 << (filter % 64);
        if edges.peek().is_none_or(|&(next, _)| next != at) {
            starts.push((at, rows.intern(&row)));
        }
    }
    Field { starts, rows }
}

/// Crosses two sets of classes: the class of every pair, row by row, unless there are more than
/// `most` pairs. `prune` may take bits out of a row that no answer can depend on.
pub(super) fn cross(
    a: &Rows,
    b: &Rows,
    most: usize,
    prune: impl Fn(&mut [u64]),
) -> Option<(Vec<u32>, Rows)> {
    if a.len().checked_mul(b.len())? > most {
        return None;
    }
    let mut rows = Rows { words: a.words, bits: Vec::new(), by_hash: FxHashMap::default() };
    let mut table = Vec::with_capacity(a.len() * b.len());
    let mut both = rows.empty();
    for a in a.iter() {
        for b in b.iter() {
            for ((both, a), b) in both.iter_mut().zip(a).zip(b) {
                *both = a & b;
            }
            prune(&mut both);
            table.push(rows.intern(&both));
        }
    }
    Some((table, rows))
}
