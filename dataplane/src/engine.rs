//! Classifiers: which rule of a list matches a packet first.
//!
//! All engines keep one contract and pass one suite of cases. The plain walk is the oracle the
//! others are held against.

mod bitmap;
pub mod tuple;
mod walk;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

pub use bitmap::Bitmap;
pub(crate) use bitmap::{
    Apart, Crowded, Ground, Index, Late, NO_HOME, OnVnic, OnVnics, Rank, STEP, SomeVnics,
};
pub use walk::Walk;

use crate::matching::Key;
use crate::{AddressSets, Member, Rule, SetId};
use tuple::{Crossed, Filter, Forest, HeaderClassifier, Paired, Scan, TupleLists};

/// The rules of one layer on one vNIC, in order. Shared, so that engines may keep it.
pub type RuleList = Arc<[Arc<Rule>]>;

/// Finds the first matching rule of the list it was built from.
///
/// Laws for implementors:
///
/// 1. **First match.** The answer is the smallest index whose [`Rule::check`] is `Ok` for this
///    key and these sets; `None` if there is none. It equals the answer of [`Walk`], always.
/// 2. **Pure.** The answer depends on the list, the sets and the key alone. Asking changes
///    nothing.
/// 3. **As of now.** The answer is that of the sets given, as they are when asked. An engine may keep
///    what it [learned](Classifier::learn) of them; the sets tell by their state whether they are
///    still what it knows, and if not, it reads them like the walk. So nobody can make an engine's
///    answer stale by forgetting to tell it; he only makes it slow.
/// 4. **Total.** Any key has an answer; none panics.
pub trait Classifier: fmt::Debug + Send + Sync {
    /// The index of the first rule that matches.
    fn classify(&self, sets: &AddressSets, key: Key<'_>) -> Option<usize>;

    /// Answers for many keys at once: `answers` is cleared and holds one answer a key, in order.
    ///
    /// Engines override it when they can look up several keys abreast; the answers must be those
    /// of [`Classifier::classify`].
    fn classify_batch(
        &self,
        sets: &AddressSets,
        keys: &[Key<'_>],
        answers: &mut Vec<Option<usize>>,
    ) {
        answers.clear();
        answers.extend(keys.iter().map(|key| self.classify(sets, *key)));
    }

    /// The engine's kind; never [`EngineKind::Auto`], which stands for others.
    fn kind(&self) -> EngineKind;

    /// Bytes of the engine's own tables; none where it reads the rules themselves.
    fn memory(&self) -> usize {
        0
    }

    /// Looks ahead: takes in all of the sets. Engines that keep nothing of them have nothing to do.
    fn learn(&mut self, _sets: &AddressSets) {}

    /// Follows a change of one member; the sets are as they are after it. If they are not those
    /// learned but for that change, all of them are learned anew.
    fn follow(&mut self, _sets: &AddressSets, _set: SetId, _member: &Member) {}
}

/// Why an engine can not serve a rule list. The list is served by another engine then; it is never
/// served wrongly.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Unsupported {
    /// A rule names an address set, whose members change without the engine being told.
    AddressSets,
    /// The engine serves rules, not filters taken out of them.
    FiltersAlone,
    /// A rule belongs to the Ethernet layer.
    EthernetRules,
    /// The list is larger, once taken apart, than the engine's tables may grow.
    TooLarge,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AddressSets => "a rule names an address set",
            Self::FiltersAlone => "the engine serves rules, not filters alone",
            Self::EthernetRules => "a rule belongs to the Ethernet layer",
            Self::TooLarge => "the rules need more room than the engine's tables may take",
        })
    }
}

impl std::error::Error for Unsupported {}

/// The engines there are. Each reads and prints its name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum EngineKind {
    /// The walk for a few rules, rows of bits for more.
    #[default]
    Auto,
    /// Tries rule after rule: no build, no memory, time linear in the list.
    Walk,
    /// Crossed tables of equivalence classes, for some thousand rules without address sets.
    Crossed,
    /// Search trees on telling bits of the addresses, for up to hundreds of thousands of rules
    /// without address sets.
    Forest,
    /// Lists of filters by classes of address pairs, for some ten thousand rules without address sets
    /// whose addresses repeat.
    Paired,
    /// Rows of bits by address class: the engine for rules between address sets.
    Bitmap,
}

impl EngineKind {
    /// The most rules that are walked where the kind is [`Auto`](EngineKind::Auto): up to about so many the
    /// walk is as fast as the rows, and needs none.
    pub const MOST_WALKED: usize = 4;

    /// The most filters for which crossed tables are the fastest.
    pub const MOST_CROSSED: usize = 2_048;

    /// The most searches in which a forest is the fastest.
    pub const MOST_SEARCHES: usize = 2;

    /// Whether this kind serves all vNICs of a plane with as many IP rules by one index, not each list
    /// by itself.
    pub(crate) const fn serves_all_vnics(self, rules: usize) -> bool {
        match self {
            Self::Auto => rules > Self::MOST_WALKED,
            Self::Bitmap => true,
            _ => false,
        }
    }

    /// Every engine, for suites and benches that try them all.
    pub const ALL: &[Self] =
        &[Self::Auto, Self::Walk, Self::Crossed, Self::Paired, Self::Forest, Self::Bitmap];

    /// The name that [`FromStr`] reads.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Walk => "walk",
            Self::Crossed => "crossed",
            Self::Paired => "paired",
            Self::Forest => "forest",
            Self::Bitmap => "bitmap",
        }
    }

    /// Builds an engine of this kind for a list, or says why it can not serve the list.
    pub fn build(self, rules: RuleList) -> Result<Box<dyn Classifier>, Unsupported> {
        match self {
            Self::Auto if rules.len() <= Self::MOST_WALKED => Ok(Box::new(Walk::new(rules))),
            Self::Walk => Ok(Box::new(Walk::new(rules))),
            Self::Crossed | Self::Paired | Self::Forest => {
                Ok(Box::new(TupleLists::new(rules, self)?))
            }
            Self::Auto | Self::Bitmap => Ok(Box::new(Bitmap::new(rules)?)),
        }
    }

    /// Builds an engine of this kind for headers alone, or says why it can not serve the filters.
    pub fn build_for_headers(
        self,
        filters: &[Filter],
    ) -> Result<Box<dyn HeaderClassifier>, Unsupported> {
        match self {
            Self::Walk => Ok(Box::new(Scan::new(filters.to_vec()))),
            Self::Crossed => Ok(Box::new(Crossed::new(filters)?)),
            Self::Paired => Ok(Box::new(Paired::new(filters)?)),
            Self::Forest => Ok(Box::new(Forest::new(filters)?)),
            Self::Auto => Self::suited(filters),
            Self::Bitmap => Err(Unsupported::FiltersAlone),
        }
    }

    /// The engine that is fastest for the filters.
    ///
    /// Crossed tables of some thousand filters leave the caches, and take long to build; up to about
    /// two thousand they answer twice as fast as the forest. Where that needs more than two searches, lists
    /// by address pairs are twice as fast, if they fit (`docs/performance.md`).
    fn suited(filters: &[Filter]) -> Result<Box<dyn HeaderClassifier>, Unsupported> {
        if filters.len() <= Self::MOST_CROSSED
            && let Ok(crossed) = Crossed::new(filters)
        {
            return Ok(Box::new(crossed));
        }
        let forest = Forest::new(filters)?;
        if forest.searches() > Self::MOST_SEARCHES
            && let Ok(paired) = Paired::new(filters)
        {
            return Ok(Box::new(paired));
        }
        Ok(Box::new(forest))
    }

    /// Builds an engine of this kind, or the plain walk where this kind can not serve the list.
    pub fn build_or_walk(self, rules: RuleList) -> Box<dyn Classifier> {
        self.build(Arc::clone(&rules)).unwrap_or_else(|_| Box::new(Walk::new(rules)))
    }
}

impl fmt::Display for EngineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// No engine goes by this name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownEngine(pub String);

impl fmt::Display for UnknownEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no engine is called {:?}; there are", self.0)?;
        EngineKind::ALL.iter().try_for_each(|kind| write!(f, " {kind}"))
    }
}

impl std::error::Error for UnknownEngine {}

impl FromStr for EngineKind {
    type Err = UnknownEngine;

    fn from_str(name: &str) -> Result<Self, UnknownEngine> {
        let kind = Self::ALL.iter().find(|kind| kind.name() == name);
        kind.copied().ok_or_else(|| UnknownEngine(name.to_owned()))
    }
}
