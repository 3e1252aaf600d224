//! Growing the trees.

use rustc_hash::FxHashMap;

use super::bits::{Spread, pick};
use super::leaf::{Leaves, Line};
use super::pieces::{Piece, cut};
use super::{Entry, Forest, NODE, Tree};
use crate::engine::Unsupported;
use crate::engine::tuple::{Carried, Crossed, Filter, NONE};

/// The most trees: each costs every lookup its loads.
const MOST_TREES: usize = 4;

/// Filters that are left to crossed tables once they are so few.
const FEW: usize = 96;

/// A leaf of up to this many pieces, a line, is fine.
const FINE: usize = 4;

/// Pieces that bits are picked by: a sample of more.
const SAMPLE: usize = 8_192;

/// The most bits of a root and of another node.
const ROOT_BITS: u32 = 18;
const NODE_BITS: u32 = 4;

/// The deepest a tree may go.
const MOST_DEPTH: usize = 12;

pub(super) fn build(filters: &[Filter]) -> Result<Forest, Unsupported> {
    let (mut pieces, services) = cut(filters)?;
    let any =
        services.iter().position(|service| *service == super::leaf::Service::of(Carried::ANY));
    let mut grower = Grower {
        any: any.map_or(0, |at| at as u16),
        nodes: vec![0; 16],
        lines: Vec::new(),
        known: FxHashMap::default(),
    };
    let mut trees = Vec::new();
    while pieces.len() > FEW && trees.len() < MOST_TREES {
        let (mask, open) = root_bits(&pieces);
        let (taken, left): (Vec<Piece>, Vec<Piece>) =
            pieces.iter().partition(|piece| (mask & !piece.care).count_ones() <= open);
        trees.push(grower.tree(&taken, mask)?);
        pieces = left;
    }
    let rest = rest(filters, &pieces)?;
    Ok(Forest {
        trees,
        nodes: grower.nodes.into(),
        leaves: Leaves { lines: grower.lines.into(), services: services.into() },
        rest,
        #[cfg(target_arch = "x86_64")]
        simd: super::simd::available(),
    })
}

/// Crossed tables for the filters of these pieces.
fn rest(filters: &[Filter], pieces: &[Piece]) -> Result<Option<Box<Crossed>>, Unsupported> {
    if pieces.is_empty() {
        return Ok(None);
    }
    let mut left: Vec<u32> = pieces.iter().map(|piece| piece.filter).collect();
    left.sort_unstable();
    left.dedup();
    let left: Vec<Filter> = left.iter().map(|&at| filters[at as usize]).collect();
    Ok(Some(Box::new(Crossed::new(&left)?)))
}

/// The bits of a root, and how many of them a piece may leave open to stand in this tree.
fn root_bits(pieces: &[Piece]) -> (u64, u32) {
    let step = pieces.len().div_ceil(SAMPLE);
    let sample: Vec<Piece> = pieces.iter().step_by(step).copied().collect();
    let most = (pieces.len().ilog2() + 1).min(ROOT_BITS);
    let mask = pick(&sample, most, FINE.div_ceil(step), 4);
    let mut by_open = [0_usize; 65];
    for piece in pieces {
        by_open[(mask & !piece.care).count_ones() as usize] += 1;
    }
    let room = (pieces.len() * 2).max(1 << 14);
    let (mut copies, mut open) = (0, 0);
    for (bits, count) in by_open.iter().enumerate().take(20) {
        copies += count << bits;
        if copies > room && bits > 0 {
            break;
        }
        open = bits as u32;
    }
    (mask, open)
}

struct Grower {
    /// The service that is anything.
    any: u16,
    nodes: Vec<u32>,
    lines: Vec<Line>,
    /// Leaves that are there already, by their pieces.
    known: FxHashMap<Vec<(u64, u64, u32)>, Entry>,
}

impl Grower {
    fn tree(&mut self, pieces: &[Piece], mask: u64) -> Result<Tree, Unsupported> {
        let spread = Spread::new(pieces, mask, super::bits::extract);
        let mut depth = 0;
        let root = spread.iter().map(|places| {
            let bucket: Vec<Piece> = places.iter().map(|&at| pieces[at as usize]).collect();
            let (entry, below) = self.entry(bucket, mask, 0)?;
            depth = depth.max(below);
            Ok(entry)
        });
        let root = root.collect::<Result<Vec<Entry>, Unsupported>>()?;
        Ok(Tree { mask, root: root.into(), depth })
    }

    /// A node or leaf for pieces, the first of which decides, and how many nodes lie on the way.
    /// `told` are the bits that are equal in all addresses that come here.
    fn entry(
        &mut self,
        mut pieces: Vec<Piece>,
        told: u64,
        above: usize,
    ) -> Result<(Entry, usize), Unsupported> {
        // Nothing comes after a piece that takes all that comes here.
        let all = |piece: &Piece| piece.care & !told == 0 && piece.service == self.any;
        if let Some(at) = pieces.iter().position(all) {
            pieces.truncate(at + 1);
        }
        if pieces.len() > FINE && above < MOST_DEPTH {
            let mask = pick(&pieces, NODE_BITS, FINE, u32::MAX);
            if mask != 0 {
                return self.node(&pieces, mask, told, above);
            }
        }
        Ok((self.leaf(&pieces)?, above))
    }

    fn node(
        &mut self,
        pieces: &[Piece],
        mask: u64,
        told: u64,
        above: usize,
    ) -> Result<(Entry, usize), Unsupported> {
        let words = 2 + (1 << mask.count_ones());
        // A node of up to a line lies in one line.
        let left = 16 - self.nodes.len() % 16;
        if left < words {
            self.nodes.resize(self.nodes.len() + left % 16, 0);
        }
        let at = self.nodes.len();
        self.nodes.resize(at + words, 0);
        self.nodes[at] = mask as u32;
        self.nodes[at + 1] = (mask >> 32) as u32;
        let spread = Spread::new(pieces, mask, super::bits::extract);
        let mut depth = above + 1;
        for (value, places) in spread.iter().enumerate() {
            let bucket = places.iter().map(|&place| pieces[place as usize]).collect();
            let (entry, below) = self.entry(bucket, told | mask, above + 1)?;
            self.nodes[at + 2 + value] = entry;
            depth = depth.max(below);
        }
        let entry =
            u32::try_from(at).ok().filter(|at| at & NODE == 0).ok_or(Unsupported::TooLarge)?;
        Ok((entry | NODE, depth))
    }

    fn leaf(&mut self, pieces: &[Piece]) -> Result<Entry, Unsupported> {
        let key: Vec<(u64, u64, u32)> =
            pieces.iter().map(|piece| (piece.value, piece.care, piece.rank)).collect();
        if let Some(entry) = self.known.get(&key) {
            return Ok(*entry);
        }
        let at = u32::try_from(self.lines.len()).ok().filter(|at| at & NODE == 0);
        let at = at.ok_or(Unsupported::TooLarge)?;
        self.lines.push(Line::EMPTY);
        for (place, piece) in pieces.iter().enumerate() {
            if place > 0 && place % 4 == 0 {
                self.lines.push(Line::EMPTY);
            }
            if let Some(line) = self.lines.last_mut() {
                put(line, place % 4, piece);
            }
        }
        let end = self.lines.len() - 1;
        for line in &mut self.lines[at as usize..end] {
            line.rest[0] |= Line::MORE;
        }
        self.known.insert(key, at);
        Ok(at)
    }
}

fn put(line: &mut Line, at: usize, piece: &Piece) {
    let open = |care: u32| 32 - care.count_ones();
    line.src[at] = (piece.value >> 32) as u32;
    line.dst[at] = piece.value as u32;
    line.rest[at] = open((piece.care >> 32) as u32)
        | open(piece.care as u32) << 8
        | u32::from(piece.service) << 16;
    line.ranks[at] = piece.rank;
    debug_assert_ne!(piece.rank, NONE);
}
