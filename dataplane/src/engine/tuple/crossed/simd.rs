//! Sixteen headers abreast with AVX-512.
#![allow(unsafe_code)] // gathers; each states why its indexes lie inside

#[allow(clippy::wildcard_imports)] // the intrinsics, which have long names of their own
use std::arch::x86_64::*;

use super::{Crossed, Table16};
use crate::engine::tuple::Header;
use crate::engine::tuple::lanes::{self, Lanes};

/// Headers that go through the tables together: enough to wait for memory in common.
const BATCH: usize = 128;

/// Whether this processor has what [`classify`] needs.
pub(super) fn available() -> bool {
    lanes::available()
}

/// Like the scalar lookup, for all headers.
pub(super) fn classify(tables: &Crossed, headers: &[Header], ranks: &mut [u32]) {
    let count = headers.len().min(ranks.len());
    let (headers, ranks) = (&headers[..count], &mut ranks[..count]);
    let wide = count - count % 16;
    // SAFETY: `Crossed` calls this only where `available` was true.
    unsafe { wide_part(tables, &headers[..wide], &mut ranks[..wide]) };
    for (header, rank) in headers[wide..].iter().zip(&mut ranks[wide..]) {
        *rank = tables.one(header);
    }
}

/// # Safety
///
/// The processor has AVX-512F and BW.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn wide_part(tables: &Crossed, headers: &[Header], ranks: &mut [u32]) {
    let mut pairs = [0_u32; BATCH];
    let mut lasts = [0_u32; BATCH];
    let far = tables.pair.bytes() + tables.last.bytes() > FAR;
    for (headers, ranks) in headers.chunks(BATCH).zip(ranks.chunks_mut(BATCH)) {
        for (at, sixteen) in headers.chunks_exact(16).enumerate() {
            let lanes = lanes::load(sixteen);
            let (pair, carried) = unsafe { first(tables, &lanes) };
            lanes::store(&mut pairs[at * 16..], pair);
            lanes::store(&mut lasts[at * 16..], carried);
        }
        if far {
            for &pair in &pairs[..headers.len()] {
                lanes::prefetch(&tables.pair.0, pair as usize);
            }
        }
        let width = _mm512_set1_epi32(tables.carried_classes as i32);
        for at in (0..headers.len()).step_by(16) {
            let row = unsafe { gather(&tables.pair, lanes::read(&pairs[at..])) };
            let last = _mm512_add_epi32(_mm512_mullo_epi32(row, width), lanes::read(&lasts[at..]));
            lanes::store(&mut lasts[at..], last);
        }
        if far {
            for &last in &lasts[..headers.len()] {
                lanes::prefetch(&tables.last.0, last as usize);
            }
        }
        for at in (0..headers.len()).step_by(16) {
            let place = unsafe { gather(&tables.last, lanes::read(&lasts[at..])) };
            // SAFETY: `last` holds places in `ranks`.
            let rank = unsafe { _mm512_i32gather_epi32::<4>(place, tables.ranks.as_ptr().cast()) };
            lanes::store(&mut ranks[at..], rank);
        }
    }
}

/// The size from which on the later tables are waited for: about what the second-level cache has
/// left beside the others.
const FAR: usize = 256 << 10;

/// The index in the table of pairs and the class of what is carried.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn first(tables: &Crossed, lanes: &Lanes) -> (__m512i, __m512i) {
    let low = _mm512_set1_epi32(0xffff);
    let half = |halves: &super::Halves, address: __m512i| unsafe {
        let upper = gather(&halves.upper, _mm512_srli_epi32::<16>(address));
        let lower = gather(&halves.lower, _mm512_and_si512(address, low));
        let width = _mm512_set1_epi32(halves.lower_classes as i32);
        gather(&halves.joined, _mm512_add_epi32(_mm512_mullo_epi32(upper, width), lower))
    };
    unsafe {
        let (src, dst) = (half(&tables.src, lanes.src), half(&tables.dst, lanes.dst));
        let dst_classes = _mm512_set1_epi32(tables.dst_classes as i32);
        let pair = _mm512_add_epi32(_mm512_mullo_epi32(src, dst_classes), dst);

        let dst_port = gather(&tables.dst_port, _mm512_srli_epi32::<16>(lanes.ports));
        let ports = if tables.src_port_matters {
            let src_port = gather(&tables.src_port, _mm512_and_si512(lanes.ports, low));
            let width = _mm512_set1_epi32(tables.dst_port_classes as i32);
            _mm512_add_epi32(_mm512_mullo_epi32(src_port, width), dst_port)
        } else {
            dst_port
        };
        let kind = gather(&tables.kind, _mm512_and_si512(lanes.kind, _mm512_set1_epi32(0x3ff)));
        let width = _mm512_set1_epi32(tables.kind_classes as i32);
        let carried = _mm512_add_epi32(_mm512_mullo_epi32(ports, width), kind);
        (pair, gather(&tables.carried, carried))
    }
}

/// Sixteen entries of a table.
///
/// # Safety
///
/// Every index is one that the scalar lookup would use, so less than the table's length without
/// its spare entry; the 32 bits that are loaded reach into the entry behind at most.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn gather(table: &Table16, at: __m512i) -> __m512i {
    let both = unsafe { _mm512_i32gather_epi32::<2>(at, table.0.as_ptr().cast()) };
    _mm512_and_si512(both, _mm512_set1_epi32(0xffff))
}
