//! A few search trees whose nodes pick the bits of the addresses that tell filters apart.
//!
//! A tree's root picks up to some eighteen bits at once and its leaves are cache lines of four filters
//! each, so a lookup costs two or three loads that can be waited for in common with those of other
//! headers. A filter that leaves many of the picked bits open would stand in many leaves: it goes to
//! the next tree, which picks other bits. What no tree takes goes to crossed tables.

mod bits;
mod build;
mod leaf;
mod pieces;
#[cfg(target_arch = "x86_64")]
mod simd;

use super::{Crossed, Filter, Header, HeaderClassifier, NONE};
use crate::engine::Unsupported;
use bits::extract;
use leaf::{Leaves, Packed};

/// Where a child of a node is: a node or, without the mark, a leaf.
type Entry = u32;

/// Marks entries that name a node. The rest is the place of its mask among the nodes' words.
const NODE: Entry = 1 << 31;

/// One tree: the bits that its root picks, and an entry for each of their values.
#[derive(Clone, Debug)]
struct Tree {
    mask: u64,
    root: Box<[Entry]>,
    /// The most nodes between the root and a leaf.
    depth: usize,
}

/// The engine. See the module.
#[derive(Clone, Debug)]
pub struct Forest {
    trees: Vec<Tree>,
    /// Nodes: a mask's lower and upper half, then an entry for each value of its bits.
    nodes: Box<[u32]>,
    leaves: Leaves,
    rest: Option<Box<Crossed>>,
    #[cfg(target_arch = "x86_64")]
    simd: bool,
}

impl Forest {
    /// Trees for these filters.
    pub fn new(filters: &[Filter]) -> Result<Self, Unsupported> {
        build::build(filters)
    }

    /// The leaf that a tree has for both addresses.
    fn leaf(&self, tree: &Tree, addresses: u64) -> Entry {
        let mut entry = tree.root[extract(addresses, tree.mask) as usize];
        while entry & NODE != 0 {
            let at = (entry & !NODE) as usize;
            let mask = u64::from(self.nodes[at + 1]) << 32 | u64::from(self.nodes[at]);
            entry = self.nodes[at + 2 + extract(addresses, mask) as usize];
        }
        entry
    }

    /// The lowest rank that the trees have for a header.
    fn one(&self, header: &Header) -> u32 {
        let packed = Packed::of(header);
        let ranks = self
            .trees
            .iter()
            .map(|tree| self.leaves.first(self.leaf(tree, header.addresses()), header, packed));
        ranks.min().unwrap_or(NONE)
    }

    /// Figures of the tables, for those who tune them.
    #[doc(hidden)]
    pub fn shape(&self) -> String {
        use std::fmt::Write;
        let mut text = String::new();
        for tree in &self.trees {
            let leaves = tree.root.iter().filter(|entry| *entry & NODE == 0).count();
            let _ = write!(
                text,
                "[bits {:016x} ({}) root {} nodes {} depth {}] ",
                tree.mask,
                tree.mask.count_ones(),
                leaves,
                tree.root.len() - leaves,
                tree.depth
            );
        }
        let _ = write!(
            text,
            "nodes {} KB lines {} ({} KB) services {} rest {} KB",
            self.nodes.len() * 4 / 1024,
            self.leaves.len(),
            self.leaves.bytes() / 1024,
            self.leaves.services(),
            self.rest.as_ref().map_or(0, |rest| rest.memory() / 1024)
        );
        text
    }
}

impl HeaderClassifier for Forest {
    fn classify_headers(&self, headers: &[Header], ranks: &mut [u32]) {
        let count = headers.len().min(ranks.len());
        let (headers, ranks) = (&headers[..count], &mut ranks[..count]);
        #[cfg(target_arch = "x86_64")]
        if self.simd {
            return simd::classify(self, headers, ranks);
        }
        self.scalar(headers, ranks);
    }

    fn memory(&self) -> usize {
        let roots: usize = self.trees.iter().map(|tree| size_of_val(&*tree.root)).sum();
        let rest = self.rest.as_ref().map_or(0, |rest| rest.memory());
        roots + size_of_val(&*self.nodes) + self.leaves.bytes() + rest
    }
}

impl Forest {
    fn scalar(&self, headers: &[Header], ranks: &mut [u32]) {
        match &self.rest {
            Some(rest) => rest.classify_headers(headers, ranks),
            None => ranks.fill(NONE),
        }
        for (header, rank) in headers.iter().zip(ranks) {
            *rank = (*rank).min(self.one(header));
        }
    }
}
