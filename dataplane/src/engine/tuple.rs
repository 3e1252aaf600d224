//! Engines for five-tuples: rules with fixed addresses, taken apart into boxes of headers.
//!
//! A rule list becomes [`Filter`]s (ranges of addresses, ports and kinds, with the rule's place as
//! their rank), a packet a [`Header`] of sixteen bytes. [`Scan`] tries all filters and is the oracle;
//! the other engines must answer like it.
//!
//! Engines look many headers up abreast and choose AVX-512 when the processor has it; the scalar way
//! answers the same everywhere.
// Tables hold narrow numbers, whose bounds are checked where they are made.
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]

mod cache;
mod carriage;
mod classes;
mod crossed;
mod expand;
mod forest;
mod header;
#[cfg(target_arch = "x86_64")]
mod lanes;
mod lists;
mod live;
mod paired;
mod places;
mod table;

pub use cache::FlowCache;
pub use crossed::Crossed;
pub use forest::Forest;
pub use header::{Carried, Filter, Header, Kind, NONE, Span};
pub(crate) use lists::TupleLists;
pub use live::{EditError, Live, LiveReader, Place, Rebuild, Rebuilt, Tables};
pub use paired::Paired;

use crate::engine::EngineKind;
use live::gone::{All, Skip};
use std::fmt;

/// Finds the lowest rank among the filters that hold a header.
pub trait HeaderClassifier: fmt::Debug + Send + Sync {
    /// Answers for many headers: `ranks[i]` becomes the answer for `headers[i]`, [`NONE`] if no
    /// filter holds it. Answers as many as the shorter slice has places for; allocates nothing.
    fn classify_headers(&self, headers: &[Header], ranks: &mut [u32]);

    /// Bytes of the tables that answers are read from.
    fn memory(&self) -> usize;

    /// Which engine this is.
    fn kind(&self) -> EngineKind;
}

/// Tries filter after filter: the oracle of the engines here.
#[derive(Clone, Debug, Default)]
pub struct Scan {
    filters: Vec<Filter>,
}

impl Scan {
    /// A scan of these filters.
    pub fn new(mut filters: Vec<Filter>) -> Self {
        filters.sort_by_key(|filter| filter.rank);
        Self { filters }
    }

    /// The lowest rank that is not passed over among the filters that hold a header.
    fn rank(&self, header: &Header, skip: impl Skip) -> u32 {
        let mut holding = self.filters.iter().filter(|filter| filter.holds(header));
        holding.find(|filter| !skip.skips(filter.rank)).map_or(NONE, |filter| filter.rank)
    }

    /// Answers as if there were no filters of the ranks that are passed over.
    fn classify_without(&self, headers: &[Header], ranks: &mut [u32], skip: impl Skip) {
        for (header, rank) in headers.iter().zip(ranks) {
            *rank = self.rank(header, skip);
        }
    }
}

impl HeaderClassifier for Scan {
    fn classify_headers(&self, headers: &[Header], ranks: &mut [u32]) {
        self.classify_without(headers, ranks, All);
    }

    fn memory(&self) -> usize {
        size_of_val(self.filters.as_slice())
    }

    fn kind(&self) -> EngineKind {
        EngineKind::Walk
    }
}
