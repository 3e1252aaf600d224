//! Classifiers: which rule of a list matches a packet first.
//!
//! All engines keep one contract and pass one suite of cases. The plain walk is the oracle the
//! others are held against.

mod walk;

use std::fmt;
use std::sync::Arc;

pub use walk::Walk;

use crate::matching::Key;
use crate::{AddressSets, Rule};

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
}

/// The engines there are.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum EngineKind {
    /// Tries rule after rule: no build, no memory, time linear in the list.
    #[default]
    Walk,
}

impl EngineKind {
    /// Every engine, for suites and benches that try them all.
    pub const ALL: &[Self] = &[Self::Walk];

    /// Builds an engine of this kind for a list.
    pub fn build(self, rules: RuleList) -> Box<dyn Classifier> {
        match self {
            Self::Walk => Box::new(Walk::new(rules)),
        }
    }
}
