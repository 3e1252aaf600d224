//! Batches of headers with AVX-512, four filters compared at once.
#![allow(unsafe_code)] // intrinsics; loads are of whole lines of checked slices

#[allow(clippy::wildcard_imports)] // the intrinsics, which have long names of their own
use std::arch::x86_64::*;

use super::leaf::{Line, Packed, Service};
use super::{Entry, Forest, NODE, Tree};
use crate::engine::tuple::lanes::{self, prefetch};
use crate::engine::tuple::{Header, NONE};

/// Headers that wait for memory in common.
const BATCH: usize = 64;

/// Whether this processor has what [`classify`] needs.
pub(super) fn available() -> bool {
    lanes::available()
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512vbmi")
        && is_x86_feature_detected!("bmi2")
}

pub(super) fn classify(forest: &Forest, headers: &[Header], ranks: &mut [u32]) {
    use crate::engine::tuple::HeaderClassifier;
    for (headers, ranks) in headers.chunks(BATCH).zip(ranks.chunks_mut(BATCH)) {
        match &forest.rest {
            Some(rest) => rest.classify_headers(headers, ranks),
            None => ranks.fill(NONE),
        }
        // SAFETY: `Forest` calls this only where `available` was true.
        unsafe { batch(forest, headers, ranks) };
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
fn batch(forest: &Forest, headers: &[Header], ranks: &mut [u32]) {
    let mut entries = [0 as Entry; BATCH];
    for tree in &forest.trees {
        roots(forest, tree, headers, &mut entries);
        for (at, header) in headers.iter().enumerate() {
            ranks[at] = leaf(forest, entries[at], header, ranks[at]);
        }
    }
}

/// Fills in the leaf of each header.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
fn roots(forest: &Forest, tree: &Tree, headers: &[Header], entries: &mut [Entry; BATCH]) {
    for (header, entry) in headers.iter().zip(entries.iter_mut()) {
        let at = _pext_u64(header.addresses(), tree.mask) as u32;
        prefetch(&tree.root, at as usize);
        *entry = at;
    }
    for entry in &mut entries[..headers.len()] {
        *entry = tree.root[*entry as usize];
        ahead(forest, *entry);
    }
    for _ in 0..tree.depth {
        for (header, entry) in headers.iter().zip(entries.iter_mut()) {
            // Without a branch: a leaf goes through the node at 0, whose mask is empty, and stays.
            let inner = *entry & NODE != 0;
            let at = if inner { *entry & !NODE } else { 0 } as usize;
            let mask = u64::from(forest.nodes[at + 1]) << 32 | u64::from(forest.nodes[at]);
            let below = forest.nodes[at + 2 + _pext_u64(header.addresses(), mask) as usize];
            *entry = if inner { below } else { *entry };
            ahead(forest, *entry);
        }
    }
}

#[inline]
fn ahead(forest: &Forest, entry: Entry) {
    let node = forest.nodes.as_ptr().wrapping_add((entry & !NODE) as usize).cast::<i8>();
    let line = forest.leaves.lines.as_ptr().wrapping_add(entry as usize).cast::<i8>();
    let address = if entry & NODE == 0 { line } else { node };
    // SAFETY: a prefetch reads nothing.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(address) };
}

/// The lower of `best` and the leaf's rank for the header.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
fn leaf(forest: &Forest, leaf: Entry, header: &Header, best: u32) -> u32 {
    let four = _mm512_broadcast_i32x4(_mm_set_epi64x(
        Packed::of(header).0 as i64,
        (u64::from(header.dst) << 32 | u64::from(header.src)) as i64,
    ));
    let places = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0);
    let both = _mm512_permutexvar_epi32(places, four);
    // The byte of each filter that says how many bits to shift out, widened to 32 bits.
    let shifts = _mm512_setr_epi32(32, 36, 40, 44, 33, 37, 41, 45, 0, 0, 0, 0, 0, 0, 0, 0);
    let packed = Packed::of(header);
    for line in &forest.leaves.lines[leaf as usize..] {
        // SAFETY: a line is 64 bytes, a register.
        let lanes = unsafe { _mm512_load_si512(std::ptr::from_ref(line).cast()) };
        let open = _mm512_maskz_permutexvar_epi8(0x1111_1111, shifts, lanes);
        let apart = _mm512_srlv_epi32(_mm512_xor_si512(lanes, both), open);
        let equal = _mm512_mask_testn_epi32_mask(0xff, apart, apart);
        let mut hits = equal & equal >> 4 & 0xf;
        while hits != 0 {
            let at = hits.trailing_zeros() as usize;
            if holds(&forest.leaves.services[line.service(at)], packed) {
                return best.min(line.ranks[at]);
            }
            hits &= hits - 1;
        }
        if line.rest[0] & Line::MORE == 0 {
            break;
        }
    }
    best
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
fn holds(service: &Service, packed: Packed) -> bool {
    let masked = _mm_cvtsi64_si128((packed.0 & service.mask) as i64);
    let above = _mm_sub_epi16(masked, _mm_cvtsi64_si128(service.first as i64));
    // The lanes above the third are zero.
    _mm_cmpgt_epu16_mask(above, _mm_cvtsi64_si128(service.span as i64)) == 0
}
