//! Sixteen headers in AVX-512 registers.
#![allow(unsafe_code)] // loads and stores of whole registers from checked slices

#[allow(clippy::wildcard_imports)] // the intrinsics, which have long names of their own
use std::arch::x86_64::*;

use super::Header;

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
