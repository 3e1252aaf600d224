//! The plain ordered walk.

use super::{Classifier, EngineKind, RuleList};
use crate::AddressSets;
use crate::matching::Key;

/// Tries the rules in order. Too simple to be wrong, hence the oracle for every other engine.
#[derive(Clone, Debug)]
pub struct Walk {
    rules: RuleList,
}

impl Walk {
    /// A walk over these rules.
    pub const fn new(rules: RuleList) -> Self {
        Self { rules }
    }
}

impl Classifier for Walk {
    fn classify(&self, sets: &AddressSets, key: Key<'_>) -> Option<usize> {
        self.rules.iter().position(|rule| rule.matches(sets, key))
    }

    fn kind(&self) -> EngineKind {
        EngineKind::Walk
    }
}
