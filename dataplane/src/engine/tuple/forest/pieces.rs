//! Filters cut into pieces whose addresses are prefixes.

use rustc_hash::FxHashMap;

use super::leaf::Services;
use crate::engine::Unsupported;
use crate::engine::tuple::{Carried, Filter, Span};

/// The most pieces: what the trees' entries can count.
const MOST: usize = 1 << 22;

/// A filter, or a part of one, with a prefix at either end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    /// Both addresses, the source in the upper half; bits that do not count are zero.
    pub(super) value: u64,
    /// The bits that count.
    pub(super) care: u64,
    /// The number of what is carried.
    pub(super) service: u16,
    pub(super) rank: u32,
    /// Which filter the piece is of.
    pub(super) filter: u32,
}

/// The pieces in the order of their ranks, and what they carry by number; number 0 is nothing.
pub(super) fn cut(filters: &[Filter]) -> Result<(Vec<Piece>, Vec<Carried>), Unsupported> {
    let mut numbers = FxHashMap::default();
    let mut services = vec![Services::NOTHING];
    let mut pieces = Vec::with_capacity(filters.len());
    for (at, filter) in (0..).zip(filters) {
        let service = *numbers.entry(filter.carried).or_insert_with(|| {
            services.push(filter.carried);
            services.len() - 1
        });
        if service >= Services::MOST {
            return Err(Unsupported::TooLarge);
        }
        let (sources, destinations) = (prefixes(filter.src), prefixes(filter.dst));
        if pieces.len() + sources.len() * destinations.len() > MOST {
            return Err(Unsupported::TooLarge);
        }
        for &(src, src_care) in &sources {
            pieces.extend(destinations.iter().map(|&(dst, dst_care)| Piece {
                value: u64::from(src) << 32 | u64::from(dst),
                care: u64::from(src_care) << 32 | u64::from(dst_care),
                service: service as u16,
                rank: filter.rank,
                filter: at,
            }));
        }
    }
    pieces.sort_by_key(|piece| piece.rank);
    Ok((pieces, services))
}

/// The fewest prefixes that make up a span, as value and mask.
fn prefixes(span: Span<u32>) -> Vec<(u32, u32)> {
    let (mut next, end) = (u64::from(span.first), u64::from(span.last) + 1);
    let mut found = Vec::with_capacity(1);
    while next < end {
        // The largest block that starts here and does not reach beyond the end.
        let aligned = next.trailing_zeros().min(32);
        let size = aligned.min((end - next).ilog2());
        found.push((next as u32, (u64::from(u32::MAX) << size) as u32));
        next += 1 << size;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_cut_into_the_fewest_prefixes() {
        for (first, last, count) in [
            (0, u32::MAX, 1),
            (7, 7, 1),
            (u32::MAX, u32::MAX, 1),
            (1, u32::MAX - 1, 62),
            (4, 11, 2),
        ] {
            let cut = prefixes(Span { first, last });
            assert_eq!(cut.len(), count, "{first}-{last}");
            let size: u64 = cut.iter().map(|(_, mask)| u64::from(!mask) + 1).sum();
            assert_eq!(size, u64::from(last) - u64::from(first) + 1);
            assert_eq!(cut[0].0, first);
            assert!(cut.iter().all(|(value, mask)| value & mask == *value));
        }
    }
}
