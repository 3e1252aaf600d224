//! Filters that were added since the base was built.

use crate::RuleId;
use crate::engine::tuple::{Filter, Header, Span};

/// Filters of a block: a bit of a word each.
pub(super) const PLACES: usize = u64::BITS as usize;

/// One filter of a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Added {
    pub(super) filter: Filter,
    /// The rule's place in the order of all rules.
    pub(super) key: u64,
    /// The first rank of the base that comes after the rule: what is lower goes before it.
    pub(super) before: u32,
    pub(super) rule: RuleId,
}

/// Spans of one field: where they start, and how far they reach from there.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(super) struct Spans {
    pub(super) first: [u32; PLACES],
    pub(super) reach: [u32; PLACES],
}

impl Spans {
    const NONE: Self = Self { first: [0; _], reach: [0; _] };

    fn put(&mut self, at: usize, span: Span<u32>) {
        (self.first[at], self.reach[at]) = (span.first, span.last.wrapping_sub(span.first));
    }

    fn holds(&self, at: usize, value: u32) -> bool {
        value.wrapping_sub(self.first[at]) <= self.reach[at]
    }
}

/// Up to 64 filters in any order, field by field, so that many are compared at once.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) src: Spans,
    pub(super) dst: Spans,
    pub(super) dst_port: Spans,
    pub(super) taken: u64,
    added: [Option<Added>; PLACES],
}

impl Block {
    pub(super) const fn new() -> Self {
        Self {
            src: Spans::NONE,
            dst: Spans::NONE,
            dst_port: Spans::NONE,
            taken: 0,
            added: [None; PLACES],
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.taken == 0
    }

    pub(super) fn is_full(&self) -> bool {
        self.taken == u64::MAX
    }

    /// Takes a filter in. Says where it is; nowhere if the block is full.
    pub(super) fn put(&mut self, added: Added) -> Option<usize> {
        let at = self.taken.trailing_ones() as usize;
        let Filter { src, dst, carried, .. } = added.filter;
        let Span { first, last } = carried.dst_port;
        *self.added.get_mut(at)? = Some(added);
        self.taken |= 1 << at;
        self.src.put(at, src);
        self.dst.put(at, dst);
        self.dst_port.put(at, Span { first: first.into(), last: last.into() });
        Some(at)
    }

    /// Takes a filter out.
    pub(super) fn take(&mut self, at: usize) {
        self.taken &= !(1 << at);
        self.added[at] = None;
    }

    /// Changes the place of a filter's rule in the order of all.
    pub(super) fn rekey(&mut self, at: usize, key: u64) {
        if let Some(added) = &mut self.added[at] {
            added.key = key;
        }
    }

    /// The filters that hold the header's addresses and destination port.
    fn near(&self, header: &Header) -> u64 {
        #[cfg(target_arch = "x86_64")]
        if super::simd::available() {
            return super::simd::near(self, header);
        }
        let holds = |at: &usize| {
            self.src.holds(*at, header.src)
                && self.dst.holds(*at, header.dst)
                && self.dst_port.holds(*at, header.dst_port.into())
        };
        (0..PLACES).filter(holds).fold(0, |near, at| near | 1 << at) & self.taken
    }

    /// The first of the rules that hold a header and come before an answer: its key and the place of
    /// a filter of it.
    pub(super) fn first(&self, header: &Header, answer: u32) -> Option<(u64, usize)> {
        let (mut left, mut found) = (self.near(header), None);
        while left != 0 {
            let at = left.trailing_zeros() as usize;
            left &= left - 1;
            let Some(Added { filter, key, before, .. }) = &self.added[at] else { continue };
            let sooner = found.is_none_or(|(first, _)| *key < first);
            if sooner && *before <= answer && filter.carried.holds(header) {
                found = Some((*key, at));
            }
        }
        found
    }

    pub(super) fn rule(&self, at: usize) -> Option<RuleId> {
        self.added.get(at)?.map(|added| added.rule)
    }
}
