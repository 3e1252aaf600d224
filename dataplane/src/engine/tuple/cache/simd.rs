//! Lookups with AES for the hash and AVX-512 for a line's four flows.
#![allow(unsafe_code)] // intrinsics; lines are chosen by a mask of their number

#[allow(clippy::wildcard_imports)] // the intrinsics, which have long names of their own
use std::arch::x86_64::*;

use super::{BATCH, FlowCache, KIND, Line, Missing, Slot};
use crate::engine::tuple::Header;
use crate::engine::tuple::lanes::{self, prefetch};

/// Whether this processor has what [`look_up`] needs.
pub(super) fn available() -> bool {
    lanes::available() && is_x86_feature_detected!("aes")
}

/// Like the scalar lookup, for up to a batch of headers and as many ranks, where [`available`] is
/// true.
pub(super) fn look_up(
    cache: &FlowCache,
    headers: &[Header],
    ranks: &mut [u32],
    missing: &mut Missing,
) {
    // SAFETY: the cache calls this only where `available` was true.
    unsafe { batch(cache, headers, ranks, missing) };
}

/// # Safety
///
/// The processor has the features.
#[target_feature(enable = "avx512f,avx512bw,aes")]
unsafe fn batch(cache: &FlowCache, headers: &[Header], ranks: &mut [u32], missing: &mut Missing) {
    let mut lines = [0_u32; BATCH];
    let mask = cache.lines.len() - 1;
    let [one, two] = cache.seed.map(u64::cast_signed);
    let (first, second) = (_mm_set_epi64x(one, two), _mm_set_epi64x(two, !one));
    for (header, at) in headers.iter().zip(&mut lines) {
        // Two rounds: each byte of the low half depends on all of the header and the seed.
        let mixed = _mm_aesenc_si128(_mm_xor_si128(key(header), first), second);
        let mixed = _mm_aesenc_si128(mixed, first);
        let line = _mm_cvtsi128_si64(mixed).cast_unsigned() as usize & mask;
        *at = line as u32;
        prefetch(&cache.lines, line);
    }
    for (place, ((header, rank), &at)) in headers.iter().zip(ranks).zip(&lines).enumerate() {
        // SAFETY: a line's number is less than their count.
        let line = unsafe { cache.lines.get_unchecked(at as usize) };
        let kept = find(line, key(header));
        *rank = kept.cast_unsigned();
        if kept == Slot::FREE {
            missing.push(place, header, at as usize);
        }
    }
}

/// The header as [`Slot::key`] has it.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,aes")]
fn key(header: &Header) -> __m128i {
    // SAFETY: a header is sixteen bytes.
    let header = unsafe { _mm_load_si128(std::ptr::from_ref(header).cast()) };
    _mm_and_si128(header, _mm_set_epi32(KIND as i32, -1, -1, -1))
}

/// What is kept of the flow in its line, [`Slot::FREE`] if nothing is.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,aes")]
fn find(line: &Line, key: __m128i) -> i32 {
    // SAFETY: a line is 64 bytes.
    let slots = unsafe { _mm512_load_si512(std::ptr::from_ref(line).cast()) };
    let counts = _mm512_broadcast_i32x4(_mm_set_epi32(KIND as i32, -1, -1, -1));
    let apart = _mm512_and_si512(_mm512_xor_si512(slots, _mm512_broadcast_i32x4(key)), counts);
    // Both halves of a slot are equal: the lower one's bit stays.
    let equal = _mm512_testn_epi64_mask(apart, apart);
    let found = equal & equal >> 1 & 0x55;
    // A free slot equals the header of zeros, and tells that it is free. Flows stand before free
    // slots, so no flow hides behind one.
    let kept = line.0[found.trailing_zeros() as usize / 2 % line.0.len()].kept();
    if found == 0 { Slot::FREE } else { kept }
}
