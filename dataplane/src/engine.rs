//! Classifiers: which rule of a list matches a packet first.
//!
//! All engines keep one contract and pass one suite of cases. The plain walk is the oracle the
//! others are held against.

pub mod tuple;
mod walk;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

pub use walk::Walk;

use crate::matching::Key;
use crate::{AddressSets, Rule};
use tuple::{Crossed, Filter, Forest, HeaderClassifier, Scan, TupleLists};

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
/// 3. **Sets are read when asked.** Membership changes without the engine being told, so it keeps
///    no copy of it. What a faster engine wants to know of addresses beforehand belongs beside the
///    membership itself, in [`AddressSets`], whose mutators are the only place it changes.
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

    /// Bytes of the engine's own tables; none where it reads the rules themselves.
    fn memory(&self) -> usize {
        0
    }
}

/// Why an engine can not serve a rule list. The list is served by another engine then; it is never
/// served wrongly.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Unsupported {
    /// A rule names an address set, whose members change without the engine being told.
    AddressSets,
    /// A rule belongs to the Ethernet layer.
    EthernetRules,
    /// The list is larger, once taken apart, than the engine's tables may grow.
    TooLarge,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AddressSets => "a rule names an address set",
            Self::EthernetRules => "a rule belongs to the Ethernet layer",
            Self::TooLarge => "the rules need more room than the engine's tables may take",
        })
    }
}

impl std::error::Error for Unsupported {}

/// The engines there are. Each reads and prints its name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum EngineKind {
    /// Tries rule after rule: no build, no memory, time linear in the list.
    #[default]
    Walk,
    /// Crossed tables of equivalence classes, for some thousand rules without address sets.
    Crossed,
    /// Search trees on telling bits of the addresses, for up to hundreds of thousands of rules
    /// without address sets.
    Forest,
}

impl EngineKind {
    /// Every engine, for suites and benches that try them all.
    pub const ALL: &[Self] = &[Self::Walk, Self::Crossed, Self::Forest];

    /// The name that [`FromStr`] reads.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Walk => "walk",
            Self::Crossed => "crossed",
            Self::Forest => "forest",
        }
    }

    /// Builds an engine of this kind for a list, or says why it can not serve the list.
    pub fn build(self, rules: RuleList) -> Result<Box<dyn Classifier>, Unsupported> {
        match self {
            Self::Walk => Ok(Box::new(Walk::new(rules))),
            Self::Crossed | Self::Forest => Ok(Box::new(TupleLists::new(rules, self)?)),
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
            Self::Forest => Ok(Box::new(Forest::new(filters)?)),
        }
    }

    /// The engine that is fastest for so many filters.
    ///
    /// Crossed tables of some thousand filters leave the caches, and take long to build; up to about
    /// two thousand they answer twice as fast as the forest (`docs/performance.md`).
    pub const fn for_filters(count: usize) -> Self {
        if count <= 2_048 { Self::Crossed } else { Self::Forest }
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
