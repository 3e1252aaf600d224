//! Crossed tables of equivalence classes.
//!
//! Two values of a field are of one class when the same filters hold them. A header's classes are
//! looked up field by field, pairs of classes are crossed into classes of both, and the last table
//! holds the answer: a fixed number of loads, whatever the rules. (Recursive flow classification,
//! Gupta and McKeown 1999.)

mod build;
mod halves;
#[cfg(target_arch = "x86_64")]
mod simd;

use super::carriage::Carriage;
use super::table::Table16;
use super::{Filter, Header, HeaderClassifier};
use crate::engine::Unsupported;
pub(in crate::engine::tuple) use build::columns;
use halves::Halves;

/// The engine. See the module.
#[derive(Clone, Debug)]
pub struct Crossed {
    carriage: Carriage,
    ends: Ends,
    #[cfg(target_arch = "x86_64")]
    simd: bool,
}

/// The tables behind the classes of what is carried: both addresses, and the answer.
#[derive(Clone, Debug)]
pub(super) struct Ends {
    src: Halves,
    dst: Halves,
    dst_classes: u32,
    /// Whether addresses are told apart at all.
    ends_matter: bool,
    /// Class of both addresses, by source × destination.
    pair: Table16,
    /// Place in `ranks`, by pair × carried.
    last: Table16,
    width: u32,
    ranks: Box<[u32]>,
}

impl Ends {
    /// The rank for a header that carries something of this class.
    pub(super) fn rank(&self, header: &Header, carried: u32) -> u32 {
        let pair = self.src.class(header.src) * self.dst_classes + self.dst.class(header.dst);
        let last = self.last.get(self.pair.get(pair) * self.width + carried);
        self.ranks[last as usize]
    }

    pub(super) fn bytes(&self) -> usize {
        let tables = self.src.bytes() + self.dst.bytes() + self.pair.bytes() + self.last.bytes();
        tables + size_of_val(&*self.ranks)
    }

    /// The ranks for headers that carry something of these classes.
    ///
    /// # Safety
    ///
    /// [`lanes::available`](super::lanes::available) was true; the classes are of the carriage that
    /// the tables were built for.
    #[cfg(target_arch = "x86_64")]
    #[allow(unsafe_code)] // passed on
    pub(super) unsafe fn ranks(&self, headers: &[Header], carried: &[u32], ranks: &mut [u32]) {
        // SAFETY: the caller's.
        unsafe { simd::ends(self, headers, carried, ranks) };
    }
}

impl Crossed {
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
}

impl HeaderClassifier for Crossed {
    fn classify_headers(&self, headers: &[Header], ranks: &mut [u32]) {
        #[cfg(target_arch = "x86_64")]
        if self.simd {
            return simd::classify(self, headers, ranks);
        }
        for (header, rank) in headers.iter().zip(ranks) {
            *rank = self.ends.rank(header, self.carriage.class(header));
        }
    }

    fn memory(&self) -> usize {
        self.carriage.bytes() + self.ends.bytes()
    }
}
