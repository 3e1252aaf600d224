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
use super::classes::Field;
use super::table::Table16;
use super::{Filter, Header, HeaderClassifier};
use crate::engine::{EngineKind, Unsupported};
pub(in crate::engine::tuple) use build::columns;
use halves::Halves;
#[cfg(target_arch = "x86_64")]
pub(in crate::engine::tuple) use simd::{BATCH, pairs};

/// The engine. See the module.
#[derive(Clone, Debug)]
pub struct Crossed {
    carriage: Carriage,
    ends: Ends,
    #[cfg(target_arch = "x86_64")]
    simd: bool,
}

/// Classes of both addresses.
#[derive(Clone, Debug)]
pub(super) struct Pairs {
    src: Halves,
    dst: Halves,
    dst_classes: u32,
    /// Whether addresses are told apart at all.
    matter: bool,
    /// By source × destination.
    table: Table16,
}

impl Pairs {
    /// The classes of pairs of these.
    pub(super) fn new(src: &Field, dst: &Field, table: Table16) -> Result<Self, Unsupported> {
        Ok(Self {
            dst_classes: dst.rows.count(),
            matter: src.rows.len() * dst.rows.len() > 1,
            src: Halves::new(&src.starts)?,
            dst: Halves::new(&dst.starts)?,
            table,
        })
    }

    /// The class of a header's addresses.
    pub(super) fn class(&self, header: &Header) -> u32 {
        self.table.get(self.place(header))
    }

    /// The place of a header's addresses in the table.
    fn place(&self, header: &Header) -> u32 {
        self.src.class(header.src) * self.dst_classes + self.dst.class(header.dst)
    }

    pub(super) fn bytes(&self) -> usize {
        self.src.bytes() + self.dst.bytes() + self.table.bytes()
    }
}

/// The tables behind the classes of what is carried: both addresses, and the answer.
#[derive(Clone, Debug)]
pub(super) struct Ends {
    pairs: Pairs,
    /// Place in `ranks`, by pair × carried.
    last: Table16,
    width: u32,
    ranks: Box<[u32]>,
}

impl Ends {
    /// The rank for a header that carries something of this class.
    pub(super) fn rank(&self, header: &Header, carried: u32) -> u32 {
        let last = self.last.get(self.pairs.class(header) * self.width + carried);
        self.ranks[last as usize]
    }

    pub(super) fn bytes(&self) -> usize {
        self.pairs.bytes() + self.last.bytes() + size_of_val(&*self.ranks)
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

    fn kind(&self) -> EngineKind {
        EngineKind::Crossed
    }

    fn memory(&self) -> usize {
        self.carriage.bytes() + self.ends.bytes()
    }
}
