//! Batches of headers with AVX-512: sixteen abreast to their classes, ten services compared at once.
#![allow(unsafe_code)] // intrinsics, and unchecked places in tables that only `build` makes
#![allow(clippy::needless_bitwise_bool)] // so that nothing branches

#[allow(clippy::wildcard_imports)] // the intrinsics, which have long names of their own
use std::arch::x86_64::*;

use super::Paired;
use super::line::{Line, PLACES};
use crate::engine::tuple::crossed::{BATCH, pairs};
use crate::engine::tuple::forest::leaf::Services;
use crate::engine::tuple::lanes::{self, prefetch};
use crate::engine::tuple::{Header, NONE};

/// Whether this processor has what [`classify`] needs.
pub(super) fn available() -> bool {
    lanes::available()
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512vbmi")
}

/// Like the scalar lookup, for all headers, where [`available`] is true.
pub(super) fn classify(tables: &Paired, headers: &[Header], ranks: &mut [u32]) {
    for (headers, ranks) in headers.chunks(BATCH).zip(ranks.chunks_mut(BATCH)) {
        let count = headers.len().min(ranks.len());
        // SAFETY: `Paired` calls this only where `available` was true.
        unsafe { batch(tables, &headers[..count], &mut ranks[..count]) };
    }
}

/// # Safety
///
/// The processor has the features, and there are no more than `BATCH` headers and as many ranks.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
unsafe fn batch(tables: &Paired, headers: &[Header], ranks: &mut [u32]) {
    let count = headers.len();
    let (mut lists, mut classes) = ([0_u32; BATCH], [0_u32; BATCH]);
    // SAFETY: the features are there; the places are those of these pairs.
    unsafe {
        pairs::places(&tables.pairs, headers, &mut lists, true);
        lanes::carried(&tables.carriage, headers, &mut classes[..count]);
        for &class in &classes[..count] {
            prefetch(&tables.services, class as usize);
        }
        pairs::classes(&tables.pairs, &mut lists, count);
    }
    for &list in &lists[..count] {
        prefetch(&tables.lines, list as usize);
    }
    // Where lists go on stands among the ranks until they end.
    let (mut places, mut more) = ([0_u8; BATCH], 0);
    for (at, (rank, &list)) in ranks.iter_mut().zip(&lists).enumerate() {
        // SAFETY: the classes are those of the services and the lists, by the tables they come from.
        let (found, on) = unsafe { find(tables, list, classes[at]) };
        *rank = found;
        places[more % BATCH] = at as u8;
        more += usize::from(on);
    }
    while more > 0 {
        let count = std::mem::take(&mut more);
        for &at in &places[..count] {
            prefetch(&tables.lines, ranks[usize::from(at)] as usize);
        }
        for way in 0..count {
            let at = usize::from(places[way]);
            // SAFETY: as above; a list goes on in a line that is there.
            let (found, on) = unsafe { find(tables, ranks[at], classes[at]) };
            ranks[at] = found;
            places[more] = at as u8;
            more += usize::from(on);
        }
    }
}

/// The rank of a line's first filter with a service of the class, or where the list goes on and that it
/// does.
///
/// # Safety
///
/// The processor has the features, and there are such a line and class.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi")]
unsafe fn find(tables: &Paired, line: u32, class: u32) -> (u32, bool) {
    // SAFETY: the caller's; a line is 64 bytes, of which 32 hold its services, and so are a class's
    // services.
    let (line, row, carried) = unsafe {
        let line: &Line = tables.lines.get_unchecked(line as usize);
        let row: &Services = tables.services.get_unchecked(class as usize);
        let row = _mm512_load_si512(std::ptr::from_ref(row).cast());
        (line, row, _mm256_load_si256(std::ptr::from_ref(line).cast()))
    };
    // A service's byte in the row, and its bit there, which stands beside the byte's place.
    let byte = _mm512_permutexvar_epi8(_mm512_castsi256_si512(carried), row);
    let bit = _mm256_srli_epi16::<8>(carried);
    let hits = u32::from(_mm256_test_epi16_mask(_mm512_castsi512_si256(byte), bit));
    // What stands behind the ranks is where the list goes on.
    let first = (hits | 1 << PLACES).trailing_zeros();
    // SAFETY: bit ten is set, so that the first bit set is no higher.
    let found = unsafe { *line.ends.get_unchecked(first as usize) };
    (found, (first as usize == PLACES) & (found != NONE))
}
