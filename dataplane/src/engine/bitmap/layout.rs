//! Which place each rule has in the rows.
//!
//! In flat rows places ascend with the order of rules, with free ones between them for rules that come
//! later. In packed rows only those have to that are looked at together: see [`Layout::cell`]. There
//! rules are banded by which of their ends are open to strangers: those with a
//! destination of their own are listed by it, the others are found by parts; there an open end tells
//! nothing apart, and would make every part of a row worth a look if such rules stood among the
//! others. Neighbours stand in different parts: they name much the same sources, and a part that
//! many of them share would tell little.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::rows::{Line, PACKED, PARTS, Shape};
use super::services;
use crate::ruling::Saying;
use crate::{AppliedTo, Peer, Rule, ServiceMatch};

/// A rule's rank in the order: the lowest that matches wins.
pub(crate) type Rank = u64;

/// How far the ranks of rules are apart at first, so that others find a rank between them.
pub(crate) const STEP: Rank = 1 << 40;

/// The rank of a place that no rule has.
pub(super) const FREE: Rank = Rank::MAX;

/// The most lines of a flat row. Beyond it packed rows are faster: measured at 1,000 and 2,000 rules.
pub(super) const MOST_FLAT_LINES: usize = 3;

#[derive(Clone, Debug)]
struct Band {
    /// Its places: from the first, as many as it has.
    first: usize,
    places: usize,
    /// Those of its rules.
    by_rank: BTreeMap<Rank, u32>,
    /// Those that are free.
    free: BTreeSet<u32>,
}

impl Band {
    const fn new(first: usize, places: usize) -> Self {
        Self { first, places, by_rank: BTreeMap::new(), free: BTreeSet::new() }
    }

    /// Where to put rules at first: the place with a number in their order.
    const fn place(&self, size: usize, order: usize) -> usize {
        let parts = self.places / size;
        let level = order / parts;
        // Each round begins one part later, so that rules that stand evenly apart take all parts.
        self.first + (order + level) % parts * size + level
    }
}

/// Places and ranks.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) shape: Shape,
    /// The rank of the rule at each place; some more behind the last, for a word's reach.
    pub(super) ranks: Vec<Rank>,
    /// Likewise the rules.
    rules: Vec<Option<Arc<Rule>>>,
    /// What the rule at each place says, or said.
    pub(super) sayings: Vec<Option<Saying>>,
    /// The parts of rules that no list has: of those that are open to any destination.
    pub(super) unlisted: Line,
    /// None of those has a lower rank.
    pub(super) first_unlisted: Rank,
    /// The place of the rule of that rank, if it takes whatever comes its way: the default rule, mostly.
    pub(super) fallback: Option<u32>,
    bands: [Band; BANDS],
}

const BANDS: usize = 3;

/// The band of rules that are listed by their destination.
const LISTED: usize = 0;

/// Whether strangers match at an end.
pub(super) const fn is_open(peer: &Peer) -> bool {
    matches!(peer, Peer::Any | Peer::OneOf { negated: true, .. })
}

/// Whether a rule takes every IP packet of its direction and IP version.
fn takes_all(rule: &Rule) -> bool {
    (&rule.source, &rule.destination) == (&Peer::Any, &Peer::Any)
        && rule.service == ServiceMatch::Any
        && rule.applied_to == AppliedTo::Everywhere
}

/// The band that a rule belongs to.
const fn band(rule: &Rule) -> usize {
    match (is_open(&rule.source), is_open(&rule.destination)) {
        (_, false) => LISTED,
        (false, true) => 1,
        (true, true) => 2,
    }
}

impl Layout {
    /// A layout for these rules, packed if they are many; `None` if they are more than a million.
    pub(super) fn new(rules: &[(Rank, Arc<Rule>)]) -> Option<Self> {
        // Some room for rules that come later; the smallest lists have most of it anyway.
        let lines = (rules.len() + rules.len() / 64 + 8).div_ceil(PARTS);
        if lines > MOST_FLAT_LINES {
            return Self::packed(rules);
        }
        let shape = Shape::Flat { lines };
        let bands = [Band::new(0, shape.places()), Band::new(0, 0), Band::new(0, 0)];
        Some(Self::with(shape, bands))
    }

    /// A packed layout for these rules; `None` if they are more than a million.
    fn packed(rules: &[(Rank, Arc<Rule>)]) -> Option<Self> {
        let mut sizes = [0; BANDS];
        for (_, rule) in rules {
            sizes[band(rule)] += 1;
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
        let largest = (0..BANDS).max_by_key(|band| sizes[*band]).unwrap_or(0);
        for (own, share) in own.iter_mut().zip(shares) {
            *own += share;
        }
        own[largest] += rest;
        let mut first = 0;
        let bands = own.map(|parts| {
            let places = parts * shape.part_size();
            let band = Band::new(first, places);
            first += places;
            band
        });
        Some(Self::with(shape, bands))
    }

    fn with(shape: Shape, bands: [Band; BANDS]) -> Self {
        let mut unlisted = Line::ZERO;
        if let Shape::Packed { .. } = shape {
            for part in bands[LISTED].places / shape.part_size()..PARTS {
                unlisted.put(part, true);
            }
        }
        let ranks = vec![FREE; shape.places() + 64];
        let (rules, sayings) = (vec![None; shape.places()], vec![None; shape.places()]);
        let (first_unlisted, fallback) = (FREE, None);
        Self { shape, ranks, rules, sayings, unlisted, first_unlisted, fallback, bands }
    }

    fn band_of(&self, rule: &Rule) -> usize {
        match self.shape {
            Shape::Flat { .. } => 0,
            _ => band(rule),
        }
    }

    /// Places for the rules that this layout was made for, spread evenly.
    pub(super) fn places(&mut self, rules: &[(Rank, Arc<Rule>)]) -> Vec<u32> {
        let mut sizes = [0_usize; BANDS];
        for (_, rule) in rules {
            sizes[self.band_of(rule)] += 1;
        }
        for band in &mut self.bands {
            let all = band.first..band.first + band.places;
            band.free = all.filter_map(|place| u32::try_from(place).ok()).collect();
        }
        let mut seen = [0_usize; BANDS];
        let mut places = Vec::with_capacity(rules.len());
        for (rank, rule) in rules {
            let own = self.band_of(rule);
            let band = &self.bands[own];
            let order = seen[own] * band.places / sizes[own];
            seen[own] += 1;
            let place = u32::try_from(band.place(self.shape.part_size(), order));
            let place = place.unwrap_or(u32::MAX);
            self.take(place, *rank, rule);
            places.push(place);
        }
        places
    }

    /// How many places from a multiple of it on have to ascend with the order of rules: of flat rows
    /// the first match is the verdict, and so it is of the places of other rows that are in one word;
    /// lists have an order of their own.
    fn cell(&self, band: usize) -> usize {
        match self.shape {
            Shape::Flat { .. } => self.shape.places(),
            _ if band == LISTED => 1,
            _ => self.shape.part_size().min(64),
        }
    }

    /// A free place for a rule of this rank, if there is one.
    pub(super) fn place(&self, rank: Rank, rule: &Rule) -> Option<u32> {
        let own = self.band_of(rule);
        let (band, cell) = (&self.bands[own], self.cell(own));
        if let Shape::Flat { .. } = self.shape {
            let below = band.by_rank.range(..rank).next_back().map(|(_, place)| place + 1);
            let above = band.by_rank.range(rank..).next().map(|(_, place)| *place);
            let end = u32::try_from(band.places).unwrap_or(u32::MAX);
            let (low, high) = (below.unwrap_or(0), above.unwrap_or(end));
            return (low < high).then_some(low + high.saturating_sub(low) / 2);
        }
        let fits = |place: &&u32| {
            let (place, first) = (**place as usize, **place as usize / cell * cell);
            let before = self.ranks[first..place].iter().all(|own| *own == FREE || *own < rank);
            before && self.ranks[place..first + cell].iter().all(|own| *own > rank)
        };
        // Anywhere: from the place of a neighbour on, so that not all come to the same parts.
        let near = band.by_rank.range(..rank).next_back().map_or(0, |(_, place)| *place);
        let mut places = band.free.range(near..).chain(band.free.range(..near));
        places.find(fits).copied()
    }

    /// Whether more than rows and lists decides about a rule.
    pub(super) fn is_conditional(&self, rule: &Rule) -> bool {
        let excepts = matches!(rule.destination, Peer::OneOf { negated: true, .. });
        services::is_conditional(&rule.service)
            || excepts && matches!(self.shape, Shape::Packed { .. })
    }

    /// Gives a place to the rule of a rank.
    pub(super) fn take(&mut self, place: u32, rank: Rank, rule: &Arc<Rule>) {
        self.rules[place as usize] = Some(Arc::clone(rule));
        self.ranks[place as usize] = rank;
        self.sayings[place as usize] = Some(Saying::from(&**rule));
        let own = self.band_of(rule);
        self.bands[own].free.remove(&place);
        self.bands[own].by_rank.insert(rank, place);
        if self.unlisted.get(self.shape.part(place as usize)) && rank < self.first_unlisted {
            self.first_unlisted = rank;
            self.fallback = takes_all(rule).then_some(place);
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
        let Some(rule) = self.rules[place as usize].take() else { return };
        let rank = std::mem::replace(&mut self.ranks[place as usize], FREE);
        let own = self.band_of(&rule);
        let band = &mut self.bands[own];
        // A rule that came since may have the same rank.
        if band.by_rank.get(&rank) == Some(&place) {
            band.by_rank.remove(&rank);
        }
        band.free.insert(place);
        if rank <= self.first_unlisted {
            self.find_first_unlisted();
        }
    }

    /// Looks for the first of the rules that no list has, and so for the default rule.
    fn find_first_unlisted(&mut self) {
        let firsts =
            self.bands[LISTED + 1..].iter().filter_map(|own| own.by_rank.first_key_value());
        let (rank, place) =
            firsts.min().map_or((FREE, None), |(rank, place)| (*rank, Some(*place)));
        let takes_all = |place: &u32| self.rules[*place as usize].as_deref().is_some_and(takes_all);
        (self.first_unlisted, self.fallback) = (rank, place.filter(takes_all));
    }

    /// Gives rules other ranks, in the same order.
    pub(super) fn rename(&mut self, renamed: impl Fn(Rank) -> Rank) {
        (self.first_unlisted, self.fallback) = (FREE, None);
        for band in &mut self.bands {
            band.by_rank.clear();
        }
        for place in 0..self.rules.len() {
            if let (Some(rule), Ok(at)) = (self.rules[place].clone(), u32::try_from(place)) {
                self.take(at, renamed(self.ranks[place]), &rule);
            }
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.ranks.len() * (size_of::<(Rank, usize, Option<Saying>)>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RuleId, SetId, Term};

    #[test]
    fn the_default_rule_is_known_again_when_what_came_before_it_is_gone() {
        let source = Peer::OneOf { terms: vec![Term::Set(SetId(1))], negated: false };
        let quarantine = Rule { source, ..Rule::drop_all(RuleId(2)) };
        let rules = [(10, Arc::new(quarantine)), (20, Arc::new(Rule::drop_all(RuleId(1))))];
        let mut layout = Layout::packed(&rules).unwrap();
        let places = layout.places(&rules);
        let (before, of_default) = (places[0], places[1]);
        assert_eq!((layout.first_unlisted, layout.fallback), (10, None));
        layout.give_back(before);
        assert_eq!((layout.first_unlisted, layout.fallback), (20, Some(of_default)));
        layout.give_back(of_default);
        assert_eq!((layout.first_unlisted, layout.fallback), (FREE, None));
    }
}
