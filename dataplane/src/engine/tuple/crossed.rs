//! Crossed tables of equivalence classes.
//!
//! Two values of a field are of one class when the same filters hold them. A header's classes are
//! looked up field by field, pairs of classes are crossed into classes of both, and the last table
//! holds the answer: a fixed number of loads, whatever the rules. (Recursive flow classification,
//! Gupta and McKeown 1999.)

mod build;
mod classes;
mod halves;
#[cfg(target_arch = "x86_64")]
mod simd;

use super::{Filter, Header, HeaderClassifier};
use crate::engine::Unsupported;
use halves::Halves;

/// Tables of 16-bit entries with one spare entry behind them, so that a 32-bit load of any entry
/// stays inside.
#[derive(Clone, Debug, Default)]
struct Table16(Box<[u16]>);

impl Table16 {
    fn new(mut entries: Vec<u16>) -> Self {
        entries.push(0);
        Self(entries.into_boxed_slice())
    }

    fn get(&self, at: u32) -> u32 {
        u32::from(self.0[at as usize])
    }

    fn bytes(&self) -> usize {
        size_of_val(&*self.0)
    }
}

/// The engine. See the module.
#[derive(Clone, Debug)]
pub struct Crossed {
    src: Halves,
    dst: Halves,
    src_port: Table16,
    dst_port: Table16,
    kind: Table16,
    /// Class of what is carried, by source port × destination port × kind.
    carried: Table16,
    /// Class of both addresses, by source × destination.
    pair: Table16,
    /// Place in `ranks`, by pair × carried.
    last: Table16,
    ranks: Box<[u32]>,
    /// Class counts: how far apart rows of the crossed tables are.
    dst_classes: u32,
    dst_port_classes: u32,
    kind_classes: u32,
    carried_classes: u32,
    /// Whether filters tell source ports apart at all.
    src_port_matters: bool,
    #[cfg(target_arch = "x86_64")]
    simd: bool,
}

impl Crossed {
    /// Tables for these filters.
    pub fn new(filters: &[Filter]) -> Result<Self, Unsupported> {
        build::build(filters)
    }

    fn one(&self, header: &Header) -> u32 {
        let ports = self.src_port.get(header.src_port.into()) * self.dst_port_classes
            + self.dst_port.get(header.dst_port.into());
        let kind = self.kind.get(header.kind.0.into());
        let carried = self.carried.get(ports * self.kind_classes + kind);
        let pair = self.src.class(header.src) * self.dst_classes + self.dst.class(header.dst);
        let last = self.last.get(self.pair.get(pair) * self.carried_classes + carried);
        self.ranks[last as usize]
    }
}

impl HeaderClassifier for Crossed {
    fn classify_headers(&self, headers: &[Header], ranks: &mut [u32]) {
        #[cfg(target_arch = "x86_64")]
        if self.simd {
            return simd::classify(self, headers, ranks);
        }
        for (header, rank) in headers.iter().zip(ranks) {
            *rank = self.one(header);
        }
    }

    fn memory(&self) -> usize {
        let crossed = [&self.carried, &self.pair, &self.last];
        let fields = [&self.src_port, &self.dst_port, &self.kind];
        crossed.into_iter().chain(fields).map(Table16::bytes).sum::<usize>()
            + self.src.bytes()
            + self.dst.bytes()
            + size_of_val(&*self.ranks)
    }
}
