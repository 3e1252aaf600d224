//! Sixteen headers in AVX-512 registers.
#![allow(unsafe_code)] // loads and stores of whole registers from checked slices

#[allow(clippy::wildcard_imports)] // the intrinsics, which have long names of their own
use std::arch::x86_64::*;

use super::carriage::Carriage;
use super::table::{Narrow, Table16};
use super::{Header, Kind};

/// One field of sixteen headers in each register, in the headers' order.
#[derive(Clone, Copy)]
pub(super) struct Lanes {
    pub(super) src: __m512i,
    pub(super) dst: __m512i,
    /// The source port in the lower half.
    pub(super) ports: __m512i,
    pub(super) kind: __m512i,
}

/// Whether this processor has AVX-512F and BW.
pub(super) fn available() -> bool {
    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw")
}

/// Reads sixteen headers.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn load(headers: &[Header]) -> Lanes {
    let headers = &headers[..16];
    // SAFETY: sixteen headers are 256 bytes, four registers.
    let four = |at: usize| unsafe { _mm512_loadu_si512(headers.as_ptr().add(4 * at).cast()) };
    let (a, b, c, d) = (four(0), four(1), four(2), four(3));
    // Lane i of a quarter register holds one header of a to d: transpose, then put in order.
    let (ab, cd) = (_mm512_unpacklo_epi32(a, b), _mm512_unpacklo_epi32(c, d));
    let (ab_high, cd_high) = (_mm512_unpackhi_epi32(a, b), _mm512_unpackhi_epi32(c, d));
    let order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    let sorted = |lanes| _mm512_permutexvar_epi32(order, lanes);
    Lanes {
        src: sorted(_mm512_unpacklo_epi64(ab, cd)),
        dst: sorted(_mm512_unpackhi_epi64(ab, cd)),
        ports: sorted(_mm512_unpacklo_epi64(ab_high, cd_high)),
        kind: sorted(_mm512_unpackhi_epi64(ab_high, cd_high)),
    }
}

/// Reads sixteen numbers.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn read(from: &[u32]) -> __m512i {
    let from = &from[..16];
    // SAFETY: sixteen numbers are one register.
    unsafe { _mm512_loadu_si512(from.as_ptr().cast()) }
}

/// Writes sixteen numbers.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn store(to: &mut [u32], lanes: __m512i) {
    let to = &mut to[..16];
    // SAFETY: sixteen numbers are one register.
    unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), lanes) }
}

/// Asks for the cache line of an element, if there is such an element.
#[inline]
pub(super) fn prefetch<T>(slice: &[T], at: usize) {
    // SAFETY: a prefetch reads nothing, whatever the address; wrapping arithmetic makes any address.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(slice.as_ptr().wrapping_add(at).cast()) };
}

/// Sixteen entries of a table.
///
/// # Safety
///
/// The processor has AVX-512F and BW, and every index is less than the table's length without its
/// spare entry: the 32 bits that are loaded reach into the entry behind at most.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) unsafe fn gather(table: &Table16, at: __m512i) -> __m512i {
    // SAFETY: the caller's.
    let both = unsafe { _mm512_i32gather_epi32::<2>(at, table.entries().as_ptr().cast()) };
    _mm512_and_si512(both, _mm512_set1_epi32(0xffff))
}

/// Sixteen entries of a table.
///
/// # Safety
///
/// As for [`gather`].
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn narrow(table: &Narrow, at: __m512i) -> __m512i {
    match table {
        Narrow::Table8(entries) => {
            // SAFETY: the caller's; three bytes to spare make the last load whole.
            let four = unsafe { _mm512_i32gather_epi32::<1>(at, entries.as_ptr().cast()) };
            _mm512_and_si512(four, _mm512_set1_epi32(0xff))
        }
        // SAFETY: the caller's.
        Narrow::Table16(table) => unsafe { gather(table, at) },
    }
}

/// The classes of what headers carry, as many as there are places for.
///
/// # Safety
///
/// The processor has AVX-512F and BW.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) unsafe fn carried(tables: &Carriage, headers: &[Header], classes: &mut [u32]) {
    let count = headers.len().min(classes.len());
    let wide = count - count % 16;
    let low = _mm512_set1_epi32(0xffff);
    for at in (0..wide).step_by(16) {
        let lanes = load(&headers[at..]);
        // SAFETY: the tables of ports have an entry for each port, that of kinds for each kind, and
        // the joined one for each triple of their classes.
        let class = unsafe {
            let mut ports = narrow(&tables.dst_port, _mm512_srli_epi32::<16>(lanes.ports));
            if tables.src_port_matters {
                let src_port = narrow(&tables.src_port, _mm512_and_si512(lanes.ports, low));
                let width = _mm512_set1_epi32(tables.dst_port_classes as i32);
                ports = _mm512_add_epi32(_mm512_mullo_epi32(src_port, width), ports);
            }
            let kinds = _mm512_set1_epi32(Kind::COUNT as i32 - 1);
            let kind = gather(&tables.kind, _mm512_and_si512(lanes.kind, kinds));
            let width = _mm512_set1_epi32(tables.kind_classes as i32);
            gather(&tables.joined, _mm512_add_epi32(_mm512_mullo_epi32(ports, width), kind))
        };
        store(&mut classes[at..], class);
    }
    for at in wide..count {
        classes[at] = tables.class(&headers[at]);
    }
}
