//! A few search trees whose nodes pick the bits of the addresses that tell filters apart.
//!
//! A tree's root picks up to some eighteen bits at once and its leaves are cache lines of four filters
//! each, so a lookup costs two or three loads that can be waited for in common with those of other
//! headers. A filter that leaves many of the picked bits open would stand in many leaves: it goes to
//! the next tree, which picks other bits. What no tree takes goes to crossed tables.

mod bits;
mod build;
pub(super) mod leaf;
mod pieces;
#[cfg(target_arch = "x86_64")]
mod simd;

use super::carriage::Carriage;
use super::crossed::Ends;
use super::live::gone::{All, Skip};
use super::{Filter, Header, HeaderClassifier, NONE, Scan};
use crate::engine::{EngineKind, Unsupported};
use bits::extract;
use leaf::{Line, Services};

/// Where a child of a node is: a node or, without the mark, the first line of a leaf.
type Entry = u32;

/// Marks entries that name a node. The rest is the place of its mask among the nodes' words.
const NODE: Entry = 1 << 31;

/// One tree: the bits that its root picks, and an entry for each of their values.
#[derive(Clone, Debug)]
struct Tree {
    mask: u64,
    root: Box<[Entry]>,
}

/// The engine. See the module.
#[derive(Clone, Debug)]
pub struct Forest {
    carriage: Carriage,
    /// By class of what is carried.
    services: Box<[Services]>,
    trees: Box<[Tree]>,
    /// Nodes: a mask's lower and upper half, then an entry for each value of its bits.
    nodes: Box<[u32]>,
    lines: Box<[Line]>,
    rest: Option<Rest>,
    #[cfg(target_arch = "x86_64")]
    simd: bool,
}

/// Crossed tables for the filters that no tree takes.
#[derive(Clone, Debug)]
struct Rest {
    ends: Ends,
    /// The column of each class of what is carried.
    columns: Box<[u32]>,
    /// The filters themselves: the tables do not know who comes second.
    filters: Scan,
}

impl Forest {
    /// Trees for these filters.
    pub fn new(filters: &[Filter]) -> Result<Self, Unsupported> {
        build::build(filters)
    }

    /// The same tables, looked up one header after another as on any processor.
    #[must_use]
    pub fn without_simd(self) -> Self {
        Self {
            #[cfg(target_arch = "x86_64")]
            simd: false,
            ..self
        }
    }

    /// How many searches a lookup takes: one in each tree, and one in what no tree took.
    pub(in crate::engine) fn searches(&self) -> usize {
        self.trees.len() + usize::from(self.rest.is_some())
    }

    /// The bits of the addresses that each tree's root picks.
    pub(super) fn masks(&self) -> impl Iterator<Item = u64> {
        self.trees.iter().map(|tree| tree.mask)
    }

    /// Answers as if there were no filters of the ranks that are passed over.
    pub(super) fn classify_without(&self, headers: &[Header], ranks: &mut [u32], skip: impl Skip) {
        #[cfg(target_arch = "x86_64")]
        if self.simd {
            return simd::classify(self, headers, ranks, skip);
        }
        for (header, rank) in headers.iter().zip(ranks) {
            *rank = self.one(header, skip);
        }
    }

    /// The entry of a node for both addresses.
    fn below(&self, node: Entry, addresses: u64, extract: impl Fn(u64, u64) -> u64) -> Entry {
        let at = (node & !NODE) as usize;
        let mask = u64::from(self.nodes[at + 1]) << 32 | u64::from(self.nodes[at]);
        self.nodes[at + 2 + extract(addresses, mask) as usize]
    }

    fn one(&self, header: &Header, skip: impl Skip) -> u32 {
        let class = self.carriage.class(header);
        let services = &self.services[class as usize];
        let rest = self.rest.as_ref();
        let mut best =
            rest.map_or(NONE, |rest| rest.ends.rank(header, rest.columns[class as usize]));
        if let Some(rest) = rest
            && skip.skips(best)
        {
            best = rest.filters.rank(header, skip);
        }
        let addresses = header.addresses();
        for tree in &self.trees {
            let mut entry = tree.root[extract(addresses, tree.mask) as usize];
            while entry & NODE != 0 {
                entry = self.below(entry, addresses, extract);
            }
            best = best.min(leaf::rank(&self.lines[entry as usize..], header, services, skip));
        }
        best
    }
}

impl HeaderClassifier for Forest {
    fn classify_headers(&self, headers: &[Header], ranks: &mut [u32]) {
        self.classify_without(headers, ranks, All);
    }

    fn kind(&self) -> EngineKind {
        EngineKind::Forest
    }

    fn memory(&self) -> usize {
        let roots: usize = self.trees.iter().map(|tree| size_of_val(&*tree.root)).sum();
        let rest = self.rest.as_ref();
        roots
            + self.carriage.bytes()
            + size_of_val(&*self.services)
            + size_of_val(&*self.nodes)
            + size_of_val(&*self.lines)
            + rest.map_or(0, |rest| rest.ends.bytes() + size_of_val(&*rest.columns))
    }
}
