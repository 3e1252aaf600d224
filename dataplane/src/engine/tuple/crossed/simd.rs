//! Sixteen headers abreast with AVX-512.
#![allow(unsafe_code)] // gathers; each states why its indexes lie inside

#[allow(clippy::wildcard_imports)] // the intrinsics, which have long names of their own
use std::arch::x86_64::*;

use super::{Crossed, Ends, Halves};
use crate::engine::tuple::Header;
use crate::engine::tuple::lanes::{self, gather};

/// Headers that go through the tables together: enough to wait for memory in common.
const BATCH: usize = 128;

/// The size from which on the later tables are waited for: about what the second-level cache has
/// left beside the others.
const FAR: usize = 256 << 10;

/// Like the scalar lookup, for all headers, where [`lanes::available`] is true.
pub(super) fn classify(tables: &Crossed, headers: &[Header], ranks: &mut [u32]) {
    let mut carried = [0_u32; BATCH];
    for (headers, ranks) in headers.chunks(BATCH).zip(ranks.chunks_mut(BATCH)) {
        // SAFETY: `Crossed` calls this only where AVX-512 is there; the classes are its carriage's.
        unsafe {
            lanes::carried(&tables.carriage, headers, &mut carried);
            ends(&tables.ends, headers, &carried, ranks);
        }
    }
}

/// Like [`Ends::rank`], for up to a batch of headers and as many ranks as there are places for.
///
/// # Safety
///
/// The processor has AVX-512F and BW; the classes are of the carriage the tables were built for.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) unsafe fn ends(tables: &Ends, headers: &[Header], carried: &[u32], ranks: &mut [u32]) {
    let count = headers.len().min(ranks.len()).min(carried.len()).min(BATCH);
    let wide = count - count % 16;
    let (mut pairs, mut lasts) = ([0_u32; BATCH], [0_u32; BATCH]);
    let far = tables.pair.bytes() + tables.last.bytes() > FAR;
    // Filters that all take any address have one pair of classes: place 0, as it stands.
    if tables.ends_matter {
        for at in (0..wide).step_by(16) {
            // SAFETY: the index is the scalar lookup's.
            lanes::store(&mut pairs[at..], unsafe { pair(tables, &headers[at..]) });
        }
    }
    if far {
        for &pair in &pairs[..wide] {
            lanes::prefetch(tables.pair.entries(), pair as usize);
        }
    }
    let width = _mm512_set1_epi32(tables.width as i32);
    for at in (0..wide).step_by(16) {
        // SAFETY: a pair of classes is a place in the table of pairs.
        let row = unsafe { gather(&tables.pair, lanes::read(&pairs[at..])) };
        let last = _mm512_add_epi32(_mm512_mullo_epi32(row, width), lanes::read(&carried[at..]));
        lanes::store(&mut lasts[at..], last);
    }
    if far {
        for &last in &lasts[..wide] {
            lanes::prefetch(tables.last.entries(), last as usize);
        }
    }
    for at in (0..wide).step_by(16) {
        // SAFETY: a row and a column of the last table, which holds places in `ranks`.
        let rank = unsafe {
            let place = gather(&tables.last, lanes::read(&lasts[at..]));
            _mm512_i32gather_epi32::<4>(place, tables.ranks.as_ptr().cast())
        };
        lanes::store(&mut ranks[at..], rank);
    }
    for at in wide..count {
        ranks[at] = tables.rank(&headers[at], carried[at]);
    }
}

/// The places of sixteen headers in the table of pairs.
///
/// # Safety
///
/// The processor has AVX-512F and BW.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn pair(tables: &Ends, headers: &[Header]) -> __m512i {
    let lanes = lanes::load(headers);
    let low = _mm512_set1_epi32(0xffff);
    let class = |halves: &Halves, address: __m512i| {
        // SAFETY: the half tables have an entry for each half, the joined one for each pair of
        // their classes.
        unsafe {
            let shift = _mm_cvtsi32_si128(halves.shift as i32);
            let upper = gather(&halves.upper, _mm512_srl_epi32(address, shift));
            let Some(with) = &halves.lower else {
                return upper;
            };
            let lower = gather(&with.table, _mm512_and_si512(address, low));
            let width = _mm512_set1_epi32(with.width as i32);
            gather(&with.joined, _mm512_add_epi32(_mm512_mullo_epi32(upper, width), lower))
        }
    };
    let (src, dst) = (class(&tables.src, lanes.src), class(&tables.dst, lanes.dst));
    let width = _mm512_set1_epi32(tables.dst_classes as i32);
    _mm512_add_epi32(_mm512_mullo_epi32(src, width), dst)
}
