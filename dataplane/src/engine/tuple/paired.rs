//! Lists of filters by classes of address pairs.
//!
//! Both addresses become a class by crossed tables, as in [`Crossed`](super::Crossed); each class has the
//! list of the filters that hold its addresses, in the order of their ranks. What a header carries becomes
//! a class as well, that says of each service whether it is that; the first filter of the list with such a
//! service decides. So a lookup compares no address, and nearly always reads one line of its list.
//!
//! The table of pairs grows with the product of the classes of either end, the lists with how much filters
//! overlap: lists of some ten thousand filters fit, if addresses repeat in them.

mod build;
mod line;
#[cfg(target_arch = "x86_64")]
mod simd;

use super::carriage::Carriage;
use super::crossed::Pairs;
use super::forest::leaf::Services;
use super::{Filter, Header, HeaderClassifier};
use crate::engine::{EngineKind, Unsupported};
use line::Line;

/// The engine. See the module.
#[derive(Clone, Debug)]
pub struct Paired {
    carriage: Carriage,
    /// By class of what is carried.
    services: Box<[Services]>,
    /// The class of both addresses is the place of its list's first line.
    pairs: Pairs,
    lines: Box<[Line]>,
    #[cfg(target_arch = "x86_64")]
    simd: bool,
}

impl Paired {
    /// Tables for these filters.
    pub fn new(filters: &[Filter]) -> Result<Self, Unsupported> {
        build::build(filters)
    }

    /// The same tables, looked up one header after another as on any processor.
    #[must_use]
    pub fn without_simd(self) -> Self {
        Self {
            #[cfg(target_arch = "x86_64")]
            simd: false,
            ..self
        }
    }

    fn rank(&self, header: &Header) -> u32 {
        let services = &self.services[self.carriage.class(header) as usize];
        let mut at = self.pairs.class(header);
        loop {
            let line = &self.lines[at as usize];
            match line.found(services) {
                Ok(rank) => return rank,
                Err(next) => at = next,
            }
        }
    }
}

impl HeaderClassifier for Paired {
    fn classify_headers(&self, headers: &[Header], ranks: &mut [u32]) {
        #[cfg(target_arch = "x86_64")]
        if self.simd {
            return simd::classify(self, headers, ranks);
        }
        for (header, rank) in headers.iter().zip(ranks) {
            *rank = self.rank(header);
        }
    }

    fn kind(&self) -> EngineKind {
        EngineKind::Paired
    }

    fn memory(&self) -> usize {
        self.carriage.bytes()
            + self.pairs.bytes()
            + size_of_val(&*self.services)
            + size_of_val(&*self.lines)
    }
}
