//! Rules that change while others look headers up.

mod block;
pub(super) mod gone;
mod order;
mod sieve;
#[cfg(target_arch = "x86_64")]
mod simd;
mod tables;

use std::fmt;
use std::sync::Arc;

use super::{Filter, NONE};
use crate::RuleId;
use crate::engine::{EngineKind, Unsupported};
use arc_swap::{ArcSwap, Cache};
use block::{Added, Block, PLACES};
pub use order::Place;
use order::{Home, Order};
pub(super) use tables::Base;
pub use tables::Tables;

/// So many filters or missing rules beside the base ask for a new one: a block's worth.
const MANY: usize = PLACES;

/// So many tables that were shown before are kept until it is asked who still holds them.
const OLD: usize = 16;

/// Ordered rules, each of any number of filters, that one thread edits while others look headers up.
///
/// Headers are looked up in a *base*, tables of an engine built for the rules of some time, and answers
/// are put right by an overlay of what has changed since: rules of the base that are gone, which the
/// base passes over, and filters that were added.
///
/// Its laws:
///
/// 1. **First match.** The answer for a header is the first rule, in the order as it is, that has a
///    filter that holds the header: that of a [`Scan`](super::Scan) of all rules.
/// 2. **Whole.** Each call that edits is seen whole or not at all: in one [`Tables`] nothing changes.
/// 3. **Nobody waits.** Readers take what is shown and wait for no edit; an edit waits for no reader.
///    What readers still hold is freed by the writer, when they hold it no more.
/// 4. **An edit touches the overlay alone.** Its cost depends on the rule's filters and on how full the
///    overlay is, not on the number of rules. The overlay is never full, but the fuller the slower: when
///    it [`wants_rebuild`](Live::wants_rebuild), it asks for a new base.
/// 5. **The caller rebuilds**, on a thread of his choice: [`rebuild`](Live::rebuild) takes the rules as
///    they are, [`Rebuild::run`] builds tables for them, [`adopt`](Live::adopt) shows these with an
///    overlay of what has changed meanwhile. Answers are the same before and after.
#[derive(Debug)]
pub struct Live {
    kind: EngineKind,
    order: Order,
    tables: Tables,
    shown: Arc<ArcSwap<Tables>>,
    /// Bases and tables that are shown no more, as long as readers may hold them.
    old_bases: Vec<Arc<Base>>,
    old_tables: Vec<Arc<Tables>>,
    rebuilds: u64,
    /// The slots of rules that were edited since the rebuild began that is to be adopted.
    since: Option<Vec<u32>>,
}

/// Why there was no edit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum EditError {
    /// There is a rule of this name.
    Known(RuleId),
    /// There is no rule of this name.
    Unknown(RuleId),
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(RuleId(rule)) => write!(f, "there is a rule {rule}"),
            Self::Unknown(RuleId(rule)) => write!(f, "there is no rule {rule}"),
        }
    }
}

impl std::error::Error for EditError {}

/// The side that looks up, one for each thread. Clones see the same rules.
#[derive(Clone, Debug)]
pub struct LiveReader {
    shown: Cache<Arc<ArcSwap<Tables>>, Arc<Tables>>,
}

impl LiveReader {
    /// The rules as they are now. Ask again for each batch: where nothing has changed that costs next to
    /// nothing, and until then the tables of the last time are kept.
    pub fn tables(&mut self) -> &Arc<Tables> {
        self.shown.load()
    }
}

/// Rules for which tables are to be built.
#[derive(Debug)]
pub struct Rebuild {
    number: u64,
    kind: EngineKind,
    filters: Vec<Filter>,
    rules: Vec<RuleId>,
    slots: Vec<u32>,
}

/// Tables that were built.
#[derive(Debug)]
pub struct Rebuilt {
    number: u64,
    base: Arc<Base>,
    /// The slot of each rank.
    slots: Vec<u32>,
}

impl Rebuild {
    /// Builds the tables: the long part, which needs nothing of the rules that may be edited meanwhile.
    pub fn run(self) -> Result<Rebuilt, Unsupported> {
        let base = Arc::new(Base::build(self.kind, self.filters, self.rules)?);
        Ok(Rebuilt { number: self.number, base, slots: self.slots })
    }
}

impl Live {
    /// These rules in this order, served by an engine of this kind. The filters' own ranks do not count;
    /// of rules with the same name the first counts.
    pub fn new(
        kind: EngineKind,
        rules: impl IntoIterator<Item = (RuleId, Vec<Filter>)>,
    ) -> Result<Self, Unsupported> {
        let mut names = rustc_hash::FxHashSet::default();
        let rules = rules.into_iter().filter(|(name, _)| names.insert(*name));
        let order = Order::new(rules.map(|(name, filters)| (name, filters.into())).collect());
        let Rebuilt { number, base, .. } = rebuild(&order, kind, 0).run()?;
        let tables = Tables::new(base);
        Ok(Self {
            kind,
            order,
            shown: Arc::new(ArcSwap::from_pointee(tables.clone())),
            tables,
            old_bases: Vec::new(),
            old_tables: Vec::new(),
            rebuilds: number,
            since: None,
        })
    }

    /// A reader of what is shown.
    pub fn reader(&self) -> LiveReader {
        LiveReader { shown: Cache::new(Arc::clone(&self.shown)) }
    }

    /// The rules as they are.
    pub const fn tables(&self) -> &Tables {
        &self.tables
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there are no rules.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rules' names in order.
    pub fn rules(&self) -> impl Iterator<Item = RuleId> {
        self.order.iter().map(|slot| self.order.rule(slot).name)
    }

    /// Adds a rule.
    pub fn insert(
        &mut self,
        name: RuleId,
        place: Place,
        filters: &[Filter],
    ) -> Result<(), EditError> {
        if self.order.slot(name).is_some() {
            return Err(EditError::Known(name));
        }
        self.check(place)?;
        self.add(place, name, filters.into());
        self.show();
        Ok(())
    }

    /// Removes a rule.
    pub fn remove(&mut self, name: RuleId) -> Result<(), EditError> {
        self.take(name)?;
        self.show();
        Ok(())
    }

    /// Gives a rule other filters, at the place that it has.
    pub fn replace(&mut self, name: RuleId, filters: &[Filter]) -> Result<(), EditError> {
        let slot = self.order.slot(name).ok_or(EditError::Unknown(name))?;
        let place = match self.order.behind(slot).next() {
            Some(next) => Place::Before(self.order.rule(next).name),
            None => Place::Last,
        };
        self.take(name)?;
        self.add(place, name, filters.into());
        self.show();
        Ok(())
    }

    /// Moves a rule. Right before or after itself is where it is.
    pub fn shift(&mut self, name: RuleId, place: Place) -> Result<(), EditError> {
        if matches!(place, Place::Before(other) | Place::After(other) if other == name) {
            return self.check(place);
        }
        self.check(place)?;
        let filters = self.take(name)?;
        self.add(place, name, filters);
        self.show();
        Ok(())
    }

    /// Whether the overlay is so full that lookups feel it.
    pub fn wants_rebuild(&self) -> bool {
        self.tables.gone.len() >= MANY || self.tables.added >= MANY
    }

    /// Takes the rules as they are, for tables to be built for them. What an earlier call took will not
    /// be adopted any more.
    pub fn rebuild(&mut self) -> Rebuild {
        self.rebuilds += 1;
        self.since = Some(Vec::new());
        rebuild(&self.order, self.kind, self.rebuilds)
    }

    /// Shows tables that were built, with what has changed meanwhile. False, and nothing else, if
    /// another rebuild has begun since.
    pub fn adopt(&mut self, rebuilt: Rebuilt) -> bool {
        if rebuilt.number != self.rebuilds {
            return false;
        }
        let Some(since) = self.since.take() else { return false };
        let old = std::mem::replace(&mut self.tables, Tables::new(rebuilt.base));
        let mut edited = vec![false; self.order.slots()];
        for slot in &since {
            edited[*slot as usize] = true;
        }
        let gone = Arc::make_mut(&mut self.tables.gone);
        for (rank, slot) in (0..).zip(rebuilt.slots) {
            if edited[slot as usize] {
                gone.insert(rank);
            } else {
                self.order.rule_mut(slot).home = Home::Base(rank);
            }
        }
        for (slot, _) in (0..).zip(edited).filter(|(_, edited)| *edited) {
            if self.order.is_taken(slot) {
                self.settle(slot);
            }
        }
        self.show();
        self.old_bases.push(old.base);
        self.old_tables.retain(|tables| Arc::strong_count(tables) > 1);
        self.old_bases.retain(|base| Arc::strong_count(base) > 1);
        true
    }

    /// Whether there is such a place.
    fn check(&self, place: Place) -> Result<(), EditError> {
        match place {
            Place::Before(name) | Place::After(name) if self.order.slot(name).is_none() => {
                Err(EditError::Unknown(name))
            }
            _ => Ok(()),
        }
    }

    /// Takes a rule out of the order, and out of the overlay or the base's answers.
    fn take(&mut self, name: RuleId) -> Result<Box<[Filter]>, EditError> {
        let (slot, filters, home) = self.order.remove(name).ok_or(EditError::Unknown(name))?;
        match home {
            Home::Base(rank) => Arc::make_mut(&mut self.tables.gone).insert(rank),
            Home::Added(places) => {
                for (number, at) in places.into_iter().map(split) {
                    Arc::make_mut(&mut self.tables.blocks[number]).take(at);
                }
                while self.tables.blocks.last().is_some_and(|block| block.is_empty()) {
                    self.tables.blocks.pop();
                }
            }
        }
        self.edited(slot);
        Ok(filters)
    }

    /// Puts a rule into the order and the overlay. The place is one that there is.
    fn add(&mut self, place: Place, name: RuleId, filters: Box<[Filter]>) {
        let Some(gap) = self.order.gap(place) else { return };
        let (slot, renumbered) = self.order.insert(gap, name, filters);
        for slot in renumbered {
            let rule = self.order.rule(slot);
            if let Home::Added(places) = &rule.home {
                for (number, at) in places.iter().copied().map(split) {
                    Arc::make_mut(&mut self.tables.blocks[number]).rekey(at, rule.key);
                }
            }
        }
        self.settle(slot);
        self.edited(slot);
    }

    /// Puts a rule of the order into the overlay.
    fn settle(&mut self, slot: u32) {
        // What the rule comes before is the base's next one; behind all of those it comes last.
        let before = self.order.behind(slot).find_map(|slot| match self.order.rule(slot).home {
            Home::Base(rank) => Some(rank),
            Home::Added(_) => None,
        });
        let before = before.unwrap_or(NONE);
        let rule = self.order.rule_mut(slot);
        let sieve = Arc::make_mut(&mut self.tables.sieve);
        let blocks = &mut self.tables.blocks;
        let (mut places, mut number) = (Vec::with_capacity(rule.filters.len()), 0);
        for filter in &rule.filters {
            sieve.mark(filter);
            while blocks.get(number).is_some_and(|block| block.is_full()) {
                number += 1;
            }
            if number == blocks.len() {
                blocks.push(Arc::new(Block::new()));
            }
            let added = Added { filter: *filter, key: rule.key, before, rule: rule.name };
            if let Some(at) = Arc::make_mut(&mut blocks[number]).put(added) {
                places.push((number * PLACES + at) as u32);
            }
        }
        self.tables.added += places.len();
        rule.home = Home::Added(places);
    }

    fn edited(&mut self, slot: u32) {
        if let Some(since) = &mut self.since {
            since.push(slot);
        }
    }

    fn show(&mut self) {
        let old = self.shown.swap(Arc::new(self.tables.clone()));
        self.old_tables.push(old);
        // To ask costs what readers have just written: not each time.
        if self.old_tables.len() >= OLD {
            self.old_tables.retain(|tables| Arc::strong_count(tables) > 1);
        }
    }
}

/// The block of a place in the overlay, and the place there.
fn split(place: u32) -> (usize, usize) {
    (place as usize / PLACES, place as usize % PLACES)
}

fn rebuild(order: &Order, kind: EngineKind, number: u64) -> Rebuild {
    let slots: Vec<u32> = order.iter().collect();
    let ranked = (0..).zip(slots.iter().map(|slot| order.rule(*slot)));
    let filters = ranked
        .flat_map(|(rank, rule)| rule.filters.iter().map(move |filter| Filter { rank, ..*filter }));
    Rebuild {
        number,
        kind,
        filters: filters.collect(),
        rules: slots.iter().map(|slot| order.rule(*slot).name).collect(),
        slots,
    }
}
