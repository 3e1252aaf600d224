//! What readers see: tables of some time ago, and what has changed since.

use std::sync::Arc;

use super::block::{Block, PLACES};
use super::gone::Gone;
use super::sieve::{BATCH, Picked, Sieve};
use crate::RuleId;
use crate::engine::tuple::{Filter, Forest, Header, HeaderClassifier, NONE, Scan};
use crate::engine::{EngineKind, Unsupported};

/// Tables for all rules of one time. A rule's place in the order of that time is its filters' rank.
#[derive(Debug)]
pub(in crate::engine::tuple) struct Base {
    /// Answers first, where it is not the whole that does.
    quick: Option<Box<dyn HeaderClassifier>>,
    /// Can pass over what is gone, because it knows what comes next.
    whole: Whole,
    pub(super) rules: Box<[RuleId]>,
}

#[derive(Debug)]
enum Whole {
    Forest(Box<Forest>),
    /// Where there can be no forest.
    Scan(Scan),
}

impl Base {
    pub(super) fn build(
        kind: EngineKind,
        filters: Vec<Filter>,
        rules: Vec<RuleId>,
    ) -> Result<Self, Unsupported> {
        let quick = match kind {
            EngineKind::Bitmap => return Err(Unsupported::FiltersAlone),
            EngineKind::Walk => {
                let whole = Whole::Scan(Scan::new(filters));
                return Ok(Self { quick: None, whole, rules: rules.into() });
            }
            EngineKind::Forest => None,
            EngineKind::Crossed | EngineKind::Paired => Some(kind.build_for_headers(&filters)?),
            EngineKind::Auto => kind.build_for_headers(&filters).ok(),
        };
        let quick = quick.filter(|quick| quick.kind() != EngineKind::Forest);
        let whole = match (Forest::new(&filters), kind) {
            (Ok(forest), _) => Whole::Forest(Box::new(forest)),
            (Err(error), EngineKind::Forest) => return Err(error),
            (Err(_), _) => Whole::Scan(Scan::new(filters)),
        };
        Ok(Self { quick, whole, rules: rules.into() })
    }

    /// What answers first.
    fn first(&self) -> &dyn HeaderClassifier {
        self.quick.as_deref().unwrap_or_else(|| self.whole.engine())
    }

    fn without(&self, headers: &[Header], ranks: &mut [u32], gone: &Gone) {
        match &self.whole {
            Whole::Forest(forest) => forest.classify_without(headers, ranks, gone),
            Whole::Scan(scan) => scan.classify_without(headers, ranks, gone),
        }
    }
}

impl Whole {
    fn engine(&self) -> &dyn HeaderClassifier {
        match self {
            Self::Forest(forest) => &**forest,
            Self::Scan(scan) => scan,
        }
    }
}

impl HeaderClassifier for Base {
    fn classify_headers(&self, headers: &[Header], ranks: &mut [u32]) {
        self.first().classify_headers(headers, ranks);
    }

    fn kind(&self) -> EngineKind {
        self.first().kind()
    }

    fn memory(&self) -> usize {
        let quick = self.quick.as_ref().map_or(0, |quick| quick.memory());
        quick + self.whole.engine().memory() + size_of_val(&*self.rules)
    }
}

/// The rules as they were at one moment. See [`Live`](super::Live).
#[derive(Clone, Debug)]
pub struct Tables {
    pub(in crate::engine::tuple) base: Arc<Base>,
    pub(super) gone: Arc<Gone>,
    pub(super) sieve: Arc<Sieve>,
    pub(super) blocks: Vec<Arc<Block>>,
    /// How many filters were added since the base was built, those that went again as well.
    pub(super) added: usize,
}

impl Tables {
    pub(super) fn new(base: Arc<Base>) -> Self {
        let masks = match &base.whole {
            Whole::Forest(forest) => Some(forest.masks()),
            Whole::Scan(_) => None,
        };
        let sieve = Arc::new(Sieve::new(masks.into_iter().flatten()));
        Self { base, gone: Arc::default(), sieve, blocks: Vec::new(), added: 0 }
    }

    /// Answers for many headers: `places[i]` becomes the place of the first rule that holds
    /// `headers[i]`, [`NONE`] if none does. Answers as many as the shorter slice has places for;
    /// allocates nothing.
    ///
    /// Places say nothing of the order: ask for the [rule](Tables::rule) at them, of these same tables.
    pub fn classify_headers(&self, headers: &[Header], places: &mut [u32]) {
        for (headers, places) in headers.chunks(BATCH).zip(places.chunks_mut(BATCH)) {
            self.base.classify_headers(headers, places);
            self.amend(headers, places);
        }
    }

    /// The rule at a place that these tables answered.
    pub fn rule(&self, place: u32) -> Option<RuleId> {
        if let Some(rule) = self.base.rules.get(place as usize) {
            return Some(*rule);
        }
        let at = place.checked_sub(self.base.rules.len() as u32)? as usize;
        self.blocks.get(at / PLACES)?.rule(at % PLACES)
    }

    /// Bytes of all tables.
    pub fn memory(&self) -> usize {
        let added = self.blocks.len() * size_of::<Block>();
        self.base.memory() + added + size_of::<Gone>() + self.gone.len() * size_of::<u32>()
    }

    /// Puts the base's answers right, for up to a batch of headers.
    pub(in crate::engine::tuple) fn amend(&self, headers: &[Header], places: &mut [u32]) {
        let count = headers.len().min(places.len());
        let (headers, places) = (&headers[..count], &mut places[..count]);
        let mut picked = Picked::default();
        if self.gone.len() > 0 {
            picked.by_gone(&self.gone, places);
            self.pass_over(&picked, headers, places);
        }
        if self.blocks.is_empty() {
            return;
        }
        picked.by_sieve(&self.sieve, headers);
        for at in picked.iter() {
            let found = (0_u32..).zip(&self.blocks).filter_map(|(number, block)| {
                let (key, place) = block.first(&headers[at], places[at])?;
                Some((key, number * PLACES as u32 + place as u32))
            });
            if let Some((_, first)) = found.min() {
                places[at] = self.base.rules.len() as u32 + first;
            }
        }
    }

    /// Asks the base again where the answer is gone.
    fn pass_over(&self, picked: &Picked, headers: &[Header], places: &mut [u32]) {
        let (mut asked, mut found) = ([Header::default(); AGAIN], [NONE; AGAIN]);
        let mut left = picked.iter().peekable();
        while left.peek().is_some() {
            let (mut at, mut count) = ([0; AGAIN], 0);
            for place in left.by_ref().take(AGAIN) {
                (asked[count], at[count]) = (headers[place], place);
                count += 1;
            }
            self.base.without(&asked[..count], &mut found, &self.gone);
            for (place, found) in at[..count].iter().zip(found) {
                places[*place] = found;
            }
        }
    }
}

/// Headers that are looked up again together.
const AGAIN: usize = 32;
