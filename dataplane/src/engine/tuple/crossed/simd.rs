//! Sixteen headers abreast with AVX-512.
#![allow(unsafe_code)] // gathers; each states why its indexes lie inside

#[allow(clippy::wildcard_imports)] // the intrinsics, which have long names of their own
use std::arch::x86_64::*;

use super::{Crossed, Ends};
use crate::engine::tuple::Header;
use crate::engine::tuple::lanes::{self, gather};

/// Headers that go through the tables together: enough to wait for memory in common.
pub(in crate::engine::tuple) const BATCH: usize = 128;

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
    let (mut rows, mut lasts) = ([0_u32; BATCH], [0_u32; BATCH]);
    let far = tables.pairs.table.bytes() + tables.last.bytes() > FAR;
    // SAFETY: the features are there; the places are those of these pairs.
    unsafe {
        pairs::places(&tables.pairs, &headers[..count], &mut rows, far);
        pairs::classes(&tables.pairs, &mut rows, count);
    }
    let width = _mm512_set1_epi32(tables.width as i32);
    for at in (0..wide).step_by(16) {
        let row = _mm512_mullo_epi32(lanes::read(&rows[at..]), width);
        let last = _mm512_add_epi32(row, lanes::read(&carried[at..]));
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

/// Classes of both addresses, in two steps, so that there is something to do while memory is waited for.
pub(in crate::engine::tuple) mod pairs {
    #[allow(clippy::wildcard_imports)] // the intrinsics, which have long names of their own
    use std::arch::x86_64::*;

    use super::super::{Halves, Pairs};
    use super::BATCH;
    use crate::engine::tuple::Header;
    use crate::engine::tuple::lanes::{self, gather, prefetch};

    /// The places of up to a batch of headers in the table of pairs, which are asked for if it is `far`.
    ///
    /// # Safety
    ///
    /// The processor has AVX-512F and BW.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(in crate::engine::tuple) unsafe fn places(
        tables: &Pairs,
        headers: &[Header],
        places: &mut [u32; BATCH],
        far: bool,
    ) {
        // Filters that all take any address have one pair of classes: place 0, as it stands.
        if !tables.matter {
            return;
        }
        let count = headers.len().min(BATCH);
        let wide = count - count % 16;
        let width = _mm512_set1_epi32(tables.dst_classes as i32);
        for at in (0..wide).step_by(16) {
            let lanes = lanes::load(&headers[at..]);
            // SAFETY: the features are there.
            let (src, dst) =
                unsafe { (class(&tables.src, lanes.src), class(&tables.dst, lanes.dst)) };
            let place = _mm512_add_epi32(_mm512_mullo_epi32(src, width), dst);
            lanes::store(&mut places[at..], place);
        }
        for (header, place) in headers.iter().zip(places.iter_mut()).skip(wide) {
            *place = tables.place(header);
        }
        if far {
            for &place in &places[..count] {
                prefetch(tables.table.entries(), place as usize);
            }
        }
    }

    /// The classes at these places.
    ///
    /// # Safety
    ///
    /// The processor has AVX-512F and BW, and the places are of this table.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(in crate::engine::tuple) unsafe fn classes(
        tables: &Pairs,
        places: &mut [u32; BATCH],
        count: usize,
    ) {
        let wide = count - count % 16;
        for at in (0..wide).step_by(16) {
            // SAFETY: the caller's.
            let class = unsafe { gather(&tables.table, lanes::read(&places[at..])) };
            lanes::store(&mut places[at..], class);
        }
        for place in &mut places[wide..count] {
            *place = tables.table.get(*place);
        }
    }

    /// The classes of sixteen addresses.
    ///
    /// # Safety
    ///
    /// The processor has AVX-512F and BW.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    unsafe fn class(halves: &Halves, address: __m512i) -> __m512i {
        let low = _mm512_set1_epi32(0xffff);
        // SAFETY: the half tables have an entry for each half, the joined one for each pair of their
        // classes.
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
    }
}
