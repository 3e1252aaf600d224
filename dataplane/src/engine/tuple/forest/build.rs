//! Growing the trees.

use rustc_hash::FxHashMap;

use super::bits::{Spread, extract, pick};
use super::leaf::{Line, Services};
use super::pieces::{Piece, cut};
use super::{Entry, Forest, NODE, Rest, Tree};
use crate::engine::Unsupported;
use crate::engine::tuple::carriage::Carriage;
use crate::engine::tuple::classes::Rows;
use crate::engine::tuple::crossed::{Ends, columns};
use crate::engine::tuple::{Filter, Scan};

/// The most trees: each costs every lookup its loads.
const MOST_TREES: usize = 4;

/// The fewest bits of a root: what they do not tell apart is better left to crossed tables.
const LEAST_BITS: u32 = 4;

/// Filters that are left to crossed tables once they are so few.
const FEW: usize = 48;

/// A leaf of up to this many pieces, a line, is fine.
const FINE: usize = 4;

/// A leaf of up to this many pieces stays one: to read on in the next line costs less than a node.
const FULL: usize = 12;

/// How many copies of others' pieces a leaf may get on average, and up to how many pieces a tree is
/// small, so that it may grow to more than double by them.
const COPIES: usize = 12;
const SMALL: usize = 1 << 14;

/// Pieces that bits are picked by: a sample of more.
const SAMPLE: usize = 8_192;

/// The most bits of a root and of another node.
const ROOT_BITS: u32 = 18;
const NODE_BITS: u32 = 4;

/// The deepest a tree may go.
const MOST_DEPTH: usize = 12;

pub(super) fn build(filters: &[Filter]) -> Result<Forest, Unsupported> {
    let (pieces, services) = cut(filters)?;
    let (carriage, rows) = Carriage::new(&services)?;
    let mut grower = Grower {
        // The node that leads back to itself, for those who have arrived.
        nodes: vec![0; 16],
        lines: Vec::new(),
        known: FxHashMap::default(),
    };
    let plans = LATER.map(|later| Plan::new(pieces.clone(), later));
    let [plan, other] = plans;
    let plan = if other.steps() < plan.steps() { other } else { plan };
    let trees = plan.trees.iter().map(|(pieces, mask)| grower.tree(pieces, *mask));
    let trees = trees.collect::<Result<_, Unsupported>>()?;
    Ok(Forest {
        rest: rest(filters, &plan.left, &rows)?,
        carriage,
        services: Services::of(&rows),
        trees,
        nodes: grower.nodes.into(),
        lines: grower.lines.into(),
        #[cfg(target_arch = "x86_64")]
        simd: super::simd::available(),
    })
}

/// Which pieces go to which tree.
struct Plan {
    /// The pieces of each tree and the bits of its root.
    trees: Vec<(Vec<Piece>, u64)>,
    /// The pieces that no tree takes.
    left: Vec<Piece>,
}

impl Plan {
    fn new(mut left: Vec<Piece>, later: u64) -> Self {
        let mut trees = Vec::new();
        while left.len() > FEW && trees.len() < MOST_TREES {
            let (mask, open) = root_bits(&left, later);
            if mask.count_ones() < LEAST_BITS {
                break;
            }
            let taken = |piece: &Piece| (mask & !piece.care).count_ones() <= open;
            let (taken, others) = left.into_iter().partition(taken);
            trees.push((taken, mask));
            left = others;
        }
        Self { trees, left }
    }

    /// How many searches a lookup takes.
    fn steps(&self) -> usize {
        self.trees.len() + usize::from(!self.left.is_empty())
    }
}

/// Crossed tables for the filters of these pieces.
fn rest(filters: &[Filter], pieces: &[Piece], rows: &Rows) -> Result<Option<Rest>, Unsupported> {
    if pieces.is_empty() {
        return Ok(None);
    }
    // Pieces are in the order of their ranks, those of a filter one after another.
    let mut left: Vec<(u32, u16)> =
        pieces.iter().map(|piece| (piece.filter, piece.service)).collect();
    left.dedup();
    let (filters, services): (Vec<Filter>, Vec<u16>) =
        left.iter().map(|&(at, service)| (filters[at as usize], service)).unzip();
    let (ends, columns) = Ends::of(&filters, &columns(rows, &services))?;
    Ok(Some(Rest { ends, columns: columns.into(), filters: Scan::new(filters) }))
}

/// The bits of a root, and how many of them a piece may leave open to stand in this tree.
fn root_bits(pieces: &[Piece], later: u64) -> (u64, u32) {
    let step = pieces.len().div_ceil(SAMPLE);
    let sample: Vec<Piece> = pieces.iter().step_by(step).copied().collect();
    let among = ends(pieces, later);
    let sample: Vec<Piece> = sample.into_iter().filter(|piece| among & !piece.care == 0).collect();
    let most = (pieces.len().ilog2() + 1).min(ROOT_BITS);
    let mask = pick(&sample, among, most, FINE.div_ceil(step), 0);
    let mut by_open = [0_usize; 65];
    for piece in pieces {
        by_open[(mask & !piece.care).count_ones() as usize] += 1;
    }
    // A dozen copies a leaf at most, and no more than double, unless the tree is small.
    let room = pieces.len() + (COPIES << mask.count_ones()).min(pieces.len().max(SMALL));
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

/// The upper bits of either address among which a root's are picked: many pieces give them all, and
/// few pieces give the same.
fn ends(pieces: &[Piece], later: u64) -> u64 {
    const LENGTHS: [u32; 10] = [0, 8, 12, 16, 20, 21, 22, 23, 24, 32];
    let step = pieces.len().div_ceil(SAMPLE / 4);
    let sample: Vec<Piece> = pieces.iter().step_by(step).copied().collect();
    let prefix = |length: u32| if length == 0 { 0 } else { u64::from(u32::MAX << (32 - length)) };
    let mut best = (u64::MAX, 0);
    for src in LENGTHS {
        for dst in LENGTHS {
            let among = prefix(src) << 32 | prefix(dst);
            let mut counts: FxHashMap<u64, u64> = FxHashMap::default();
            let (mut given, mut pairs) = (0, 0);
            for piece in sample.iter().filter(|piece| among & !piece.care == 0) {
                let count = counts.entry(piece.value & among).or_default();
                // Pairs that stay together, counted once each.
                pairs += *count;
                *count += 1;
                given += 1;
            }
            // Lines read for all pieces: one each, one more for every four pieces beside it in the
            // whole, and some in a later tree for each that this one does not take.
            let beside = 2 * pairs * step as u64;
            let cost = given + beside / FINE as u64 + (sample.len() as u64 - given) * later;
            if given > 0 && cost < best.0 {
                best = (cost, among);
            }
        }
    }
    best.1
}

/// What a piece that goes to a later tree costs, in lines: what suits one list makes a tree too many
/// of another, so both are tried.
const LATER: [u64; 2] = [6, 15];

struct Grower {
    nodes: Vec<u32>,
    lines: Vec<Line>,
    /// Leaves that are there already, by their pieces.
    known: FxHashMap<Vec<(u64, u64, u32, u16)>, Entry>,
}

impl Grower {
    fn tree(&mut self, pieces: &[Piece], mask: u64) -> Result<Tree, Unsupported> {
        let spread = Spread::new(pieces, mask, extract);
        let root = spread.iter().map(|places| {
            let bucket: Vec<Piece> = places.iter().map(|&at| pieces[at as usize]).collect();
            self.entry(&bucket, 0)
        });
        let root = root.collect::<Result<_, Unsupported>>()?;
        Ok(Tree { mask, root })
    }

    /// A node or leaf for pieces. None is left out that another hides: the other may be passed over.
    fn entry(&mut self, pieces: &[Piece], above: usize) -> Result<Entry, Unsupported> {
        if pieces.len() > FULL && above < MOST_DEPTH {
            let mask = pick(pieces, u64::MAX, NODE_BITS, FINE, u32::MAX);
            if mask != 0 {
                return self.node(pieces, mask, above);
            }
        }
        self.leaf(pieces)
    }

    fn node(&mut self, pieces: &[Piece], mask: u64, above: usize) -> Result<Entry, Unsupported> {
        let words = 2 + (1 << mask.count_ones());
        // A node that fits a cache line lies in one.
        let left = 16 - self.nodes.len() % 16;
        if left < words {
            self.nodes.resize(self.nodes.len() + left % 16, 0);
        }
        let at = self.nodes.len();
        self.nodes.resize(at + words, 0);
        self.nodes[at] = mask as u32;
        self.nodes[at + 1] = (mask >> 32) as u32;
        let spread = Spread::new(pieces, mask, extract);
        for (value, places) in spread.iter().enumerate() {
            let bucket: Vec<Piece> = places.iter().map(|&place| pieces[place as usize]).collect();
            self.nodes[at + 2 + value] = self.entry(&bucket, above + 1)?;
        }
        Ok(place(at)? | NODE)
    }

    fn leaf(&mut self, pieces: &[Piece]) -> Result<Entry, Unsupported> {
        let key = pieces.iter().map(|piece| (piece.value, piece.care, piece.rank, piece.service));
        let key = key.collect();
        if let Some(entry) = self.known.get(&key) {
            return Ok(*entry);
        }
        let at = place(self.lines.len())?;
        self.lines.push(Line::EMPTY);
        for (place, piece) in pieces.iter().enumerate() {
            if place > 0 && place % 4 == 0 {
                self.lines.push(Line::EMPTY);
            }
            if let Some(line) = self.lines.last_mut() {
                line.put(place % 4, piece);
            }
        }
        let end = self.lines.len() - 1;
        for line in &mut self.lines[at as usize..end] {
            line.go_on();
        }
        self.known.insert(key, at);
        Ok(at)
    }
}

/// A place that is no mark.
fn place(at: usize) -> Result<Entry, Unsupported> {
    u32::try_from(at).ok().filter(|at| at & NODE == 0).ok_or(Unsupported::TooLarge)
}
