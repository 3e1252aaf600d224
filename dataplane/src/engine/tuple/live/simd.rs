//! The overlay's questions, for sixteen headers or filters abreast with AVX-512.
#![allow(unsafe_code)] // intrinsics on whole registers of checked arrays

#[allow(clippy::wildcard_imports)] // the intrinsics, which have long names of their own
use std::arch::x86_64::*;

use super::block::{Block, PLACES, Spans};
use super::gone::Gone;
use super::sieve::{MIX, Map, Picked, SHIFT, Sieve};
use crate::engine::tuple::Header;
pub(super) use crate::engine::tuple::lanes::available;
use crate::engine::tuple::lanes::{load, read};

/// A map of marks in registers.
struct Marks([__m512i; 4]);

impl Marks {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn of(map: &Map) -> Self {
        Self([read(&map[..16]), read(&map[16..32]), read(&map[32..48]), read(&map[48..])])
    }

    /// Which of sixteen places are marked.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn at(&self, places: __m512i) -> __mmask16 {
        let Self([a, b, c, d]) = *self;
        let word = _mm512_srli_epi32::<5>(places);
        let (low, high) =
            (_mm512_permutex2var_epi32(a, word, b), _mm512_permutex2var_epi32(c, word, d));
        let upper = _mm512_test_epi32_mask(word, _mm512_set1_epi32(32));
        let words = _mm512_mask_mov_epi32(low, upper, high);
        let bit = _mm512_and_si512(places, _mm512_set1_epi32(31));
        _mm512_test_epi32_mask(_mm512_srlv_epi32(words, bit), _mm512_set1_epi32(1))
    }
}

/// Like [`Picked::by_sieve`], where [`available`] is true.
pub(super) fn by_sieve(sieve: &Sieve, headers: &[Header], picked: &mut Picked) {
    // SAFETY: it is, says the caller.
    unsafe { sift(sieve, headers, picked) };
}

#[target_feature(enable = "avx512f,avx512bw")]
fn sift(sieve: &Sieve, headers: &[Header], picked: &mut Picked) {
    let mix = MIX.map(|mix| _mm512_set1_epi32(mix.cast_signed()));
    let mut last = [Header::default(); 16];
    for (at, chunk) in headers.chunks(16).enumerate() {
        let full = chunk.len() == 16;
        if !full {
            last[..chunk.len()].copy_from_slice(chunk);
        }
        let lanes = load(if full { chunk } else { &last });
        let mut found: __mmask16 = if sieve.all { !0 } else { 0 };
        for by in &sieve.by_addresses {
            let masked =
                |lane, mask: u32| _mm512_and_si512(lane, _mm512_set1_epi32(mask.cast_signed()));
            let src = _mm512_mullo_epi32(masked(lanes.src, by.src), mix[0]);
            let dst = _mm512_mullo_epi32(masked(lanes.dst, by.dst), mix[1]);
            let places = _mm512_srli_epi32::<SHIFT>(_mm512_add_epi32(src, dst));
            found |= Marks::of(&by.map).at(places);
        }
        if let Some(map) = &sieve.by_port {
            let ports = _mm512_srli_epi32::<16>(lanes.ports);
            let places = _mm512_srli_epi32::<SHIFT>(_mm512_mullo_epi32(ports, mix[0]));
            found |= Marks::of(map).at(places);
        }
        each(found, chunk.len(), |place| picked.add_if(true, 16 * at + place));
    }
}

/// Like [`Picked::by_gone`], where [`available`] is true.
pub(super) fn by_gone(gone: &Gone, ranks: &[u32], picked: &mut Picked) {
    // SAFETY: it is, says the caller.
    unsafe { pass(gone, ranks, picked) };
}

#[target_feature(enable = "avx512f,avx512bw")]
fn pass(gone: &Gone, ranks: &[u32], picked: &mut Picked) {
    let marks = Marks::of(&gone.map);
    let mut last = [0; 16];
    for (at, chunk) in ranks.chunks(16).enumerate() {
        let full = chunk.len() == 16;
        if !full {
            last[..chunk.len()].copy_from_slice(chunk);
        }
        let found = marks.at(read(if full { chunk } else { &last }));
        each(found, chunk.len(), |place| picked.add_if(gone.holds(chunk[place]), 16 * at + place));
    }
}

/// Calls for the places of the bits that are set, those below `count`.
#[inline]
fn each(mut bits: __mmask16, count: usize, mut call: impl FnMut(usize)) {
    while bits != 0 {
        let place = bits.trailing_zeros() as usize;
        bits &= bits - 1;
        if place < count {
            call(place);
        }
    }
}

/// Like [`Block::near`], where [`available`] is true.
pub(super) fn near(block: &Block, header: &Header) -> u64 {
    // SAFETY: it is, says the caller.
    unsafe { compare(block, header) }
}

#[target_feature(enable = "avx512f,avx512bw")]
fn compare(block: &Block, header: &Header) -> u64 {
    let [src, dst, port] = [header.src, header.dst, header.dst_port.into()]
        .map(|value| _mm512_set1_epi32(value.cast_signed()));
    let within = |spans: &Spans, at: usize, value| {
        let distance = _mm512_sub_epi32(value, read(&spans.first[at..]));
        _mm512_cmple_epu32_mask(distance, read(&spans.reach[at..]))
    };
    let mut near = 0_u64;
    for at in (0..PLACES).step_by(16) {
        let both = within(&block.src, at, src) & within(&block.dst, at, dst);
        near |= u64::from(both & within(&block.dst_port, at, port)) << at;
    }
    near & block.taken
}
