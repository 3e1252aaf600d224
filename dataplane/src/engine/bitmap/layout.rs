//! Which place each rule has in the rows.
//!
//! Within a band places ascend with the order of rules, with free ones between them for rules that
//! come later. In packed rows rules are banded by which of their ends are open to strangers: an open
//! end tells nothing apart, and would make every part of a row worth a look if such rules stood
//! among the others.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::rows::{Line, PACKED, PARTS, Shape};
use crate::{Peer, Rule};

/// A rule's rank in the order: the lowest that matches wins.
pub(crate) type Rank = u64;

/// How far the ranks of rules are apart at first, so that others find a rank between them.
pub(crate) const STEP: Rank = 1 << 20;

/// The rank of a place that no rule has.
pub(super) const FREE: Rank = Rank::MAX;

/// The most lines of a flat row. Beyond it packed rows are faster: measured at 1,000 and 2,000 rules.
const MOST_FLAT_LINES: usize = 3;

#[derive(Clone, Debug)]
struct Band {
    /// Its places: from the first, as many as it has.
    first: usize,
    places: usize,
    by_rank: BTreeMap<Rank, u32>,
}

/// Places and ranks.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) shape: Shape,
    /// The rank of the rule at each place; some more behind the last, for a word's reach.
    pub(super) ranks: Vec<Rank>,
    /// Likewise the rules.
    rules: Vec<Option<Arc<Rule>>>,
    /// The parts of rules that are open at both ends.
    pub(super) open: Line,
    /// None of those has a lower rank.
    pub(super) first_open: Rank,
    bands: [Band; 4],
}

/// The band of rules that are open at both ends.
const OPEN: usize = 3;

/// Whether only the source and whether only the destination of strangers match, as a number.
fn band(rule: &Rule) -> usize {
    let open =
        |peer: &Peer| usize::from(matches!(peer, Peer::Any | Peer::OneOf { negated: true, .. }));
    open(&rule.source) | open(&rule.destination) << 1
}

impl Layout {
    /// A layout for these rules; `None` if they are more than a million.
    pub(super) fn new(rules: &[(Rank, Arc<Rule>)]) -> Option<Self> {
        let mut sizes = [0; 4];
        for (_, rule) in rules {
            sizes[band(rule)] += 1;
        }
        // Some room for rules that come later; the smallest lists have most of it anyway.
        let lines = (rules.len() + rules.len() / 64 + 8).div_ceil(PARTS);
        if lines <= MOST_FLAT_LINES {
            let shape = Shape::Flat { lines };
            let all = Band { first: 0, places: shape.places(), by_rank: BTreeMap::new() };
            let none = || Band { first: 0, places: 0, by_rank: BTreeMap::new() };
            return Some(Self::with(shape, [all, none(), none(), none()]));
        }
        let parts = |log_bytes: u32| sizes.map(|size: usize| size.div_ceil(8 << log_bytes));
        let fits = |log_bytes: &u32| parts(*log_bytes).iter().sum::<usize>() <= PARTS;
        let log_bytes = PACKED.into_iter().find(fits)?;
        let shape = Shape::Packed { log_bytes };
        let mut own = parts(log_bytes);
        // What is left goes to the bands by their size; the rest of that to the largest.
        let left = PARTS - own.iter().sum::<usize>();
        let shares = sizes.map(|size| left * size / rules.len().max(1));
        let rest = left - shares.iter().sum::<usize>();
        let largest = (0..4).max_by_key(|band| sizes[*band]).unwrap_or(0);
        for (own, share) in own.iter_mut().zip(shares) {
            *own += share;
        }
        own[largest] += rest;
        let mut first = 0;
        let bands = own.map(|parts| {
            let places = parts * shape.part_size();
            let band = Band { first, places, by_rank: BTreeMap::new() };
            first += places;
            band
        });
        Some(Self::with(shape, bands))
    }

    fn with(shape: Shape, bands: [Band; 4]) -> Self {
        let mut open = Line::ZERO;
        if let Shape::Packed { .. } = shape {
            let own = &bands[OPEN];
            let parts = own.places / shape.part_size();
            let first = own.first / shape.part_size();
            for part in first..first + parts {
                open.put(part, true);
            }
        }
        let ranks = vec![FREE; shape.places() + 64];
        let rules = vec![None; shape.places()];
        Self { shape, ranks, rules, open, first_open: FREE, bands }
    }

    fn band_of(&self, rule: &Rule) -> usize {
        match self.shape {
            Shape::Flat { .. } => 0,
            Shape::Packed { .. } => band(rule),
        }
    }

    /// Places for the rules that this layout was made for, spread evenly.
    pub(super) fn places(&mut self, rules: &[(Rank, Arc<Rule>)]) -> Vec<u32> {
        let mut sizes = [0_usize; 4];
        for (_, rule) in rules {
            sizes[self.band_of(rule)] += 1;
        }
        let mut seen = [0_usize; 4];
        let mut places = Vec::with_capacity(rules.len());
        for (rank, rule) in rules {
            let own = self.band_of(rule);
            let band = &self.bands[own];
            let place = band.first + seen[own] * band.places / sizes[own];
            seen[own] += 1;
            let place = u32::try_from(place).unwrap_or(u32::MAX);
            self.bands[own].by_rank.insert(*rank, place);
            self.take(place, *rank, rule);
            places.push(place);
        }
        places
    }

    /// A free place for a rule of this rank, if there is one between its neighbours.
    pub(super) fn place(&mut self, rank: Rank, rule: &Rule) -> Option<u32> {
        let own = self.band_of(rule);
        let band = &mut self.bands[own];
        let below = band.by_rank.range(..rank).next_back().map(|(_, place)| *place as usize + 1);
        let above = band.by_rank.range(rank..).next().map(|(_, place)| *place as usize);
        let low = below.unwrap_or(band.first);
        let high = above.unwrap_or(band.first + band.places);
        let place = (low < high).then(|| u32::try_from(low + (high - low) / 2).ok())??;
        band.by_rank.insert(rank, place);
        Some(place)
    }

    /// Gives a place to the rule of a rank.
    pub(super) fn take(&mut self, place: u32, rank: Rank, rule: &Arc<Rule>) {
        self.rules[place as usize] = Some(Arc::clone(rule));
        self.ranks[place as usize] = rank;
        if self.open.get(self.shape.part(place as usize)) {
            self.first_open = self.first_open.min(rank);
        }
    }

    /// The rule at a place.
    #[inline]
    pub(super) fn at(&self, place: u32) -> Option<(Rank, &Arc<Rule>)> {
        let rule = self.rules.get(place as usize)?.as_ref()?;
        Some((self.ranks[place as usize], rule))
    }

    /// Frees a place.
    pub(super) fn give_back(&mut self, place: u32) {
        self.rules[place as usize] = None;
        let rank = std::mem::replace(&mut self.ranks[place as usize], FREE);
        for band in &mut self.bands {
            if band.by_rank.get(&rank) == Some(&place) {
                band.by_rank.remove(&rank);
            }
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.ranks.len() * (size_of::<Rank>() + size_of::<usize>())
    }
}
