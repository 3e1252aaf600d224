//! Lookups with AES for the hash and AVX-512 for a line's four flows.
#![allow(unsafe_code)] // intrinsics; lines are chosen by a mask of their number

#[allow(clippy::wildcard_imports)] // the intrinsics, which have long names of their own
use std::arch::x86_64::*;

use super::{BATCH, FlowCache, KIND, Key, Line, Missing, Slot};
use crate::engine::tuple::Header;
use crate::engine::tuple::lanes::{self, prefetch};

/// Headers whose lines are waited for in common: about as many as the processor can.
const AHEAD: usize = 64;

/// Whether this processor has what [`look_up`] needs.
pub(super) fn available() -> bool {
    lanes::available() && is_x86_feature_detected!("aes") && is_x86_feature_detected!("vaes")
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

/// The two lines of a flow, where [`available`] is true.
pub(super) fn ways(cache: &FlowCache, key: Key) -> [usize; 2] {
    // SAFETY: the cache calls this only where `available` was true.
    unsafe { Hash::new(cache).ways(key) }
}

/// A hash by the cache's seed: two rounds of AES, so that each byte depends on all of the key and the
/// seed.
#[derive(Clone, Copy)]
struct Hash {
    first: __m128i,
    second: __m128i,
    /// The bits of a line's number.
    mask: usize,
}

impl Hash {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,aes,vaes")]
    fn new(cache: &FlowCache) -> Self {
        let [one, two] = cache.seed.map(u64::cast_signed);
        let (first, second) = (_mm_set_epi64x(one, two), _mm_set_epi64x(two, !one));
        Self { first, second, mask: cache.lines.len() - 1 }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,aes,vaes")]
    fn ways(self, key: Key) -> [usize; 2] {
        // SAFETY: a key is sixteen bytes, aligned to them.
        let key = unsafe { _mm_load_si128(std::ptr::from_ref(&key).cast()) };
        let mixed = _mm_aesenc_si128(_mm_xor_si128(key, self.first), self.second);
        let mixed = _mm_cvtsi128_si64(_mm_aesenc_si128(mixed, self.first)).cast_unsigned();
        [mixed, mixed >> 32].map(|hash| hash as u32 as usize & self.mask)
    }

    /// The first lines of sixteen headers.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,aes,vaes")]
    fn lines(self, headers: &[Header; 16]) -> __m512i {
        let (first, second) =
            (_mm512_broadcast_i32x4(self.first), _mm512_broadcast_i32x4(self.second));
        let four = |at: usize| {
            // SAFETY: four of sixteen headers are one register.
            let keys = unsafe { _mm512_loadu_si512(headers.as_ptr().add(4 * at).cast()) };
            // first ^ keys & counts
            let keys = _mm512_ternarylogic_epi64::<0x78>(first, keys, counts());
            _mm512_aesenc_epi128(_mm512_aesenc_epi128(keys, second), first)
        };
        // The lowest number of each header's hash.
        let of = _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28);
        let low = _mm512_permutex2var_epi32(four(0), of, four(1));
        let high = _mm512_permutex2var_epi32(four(2), of, four(3));
        let all = _mm512_mask_mov_epi64(low, 0xf0, high);
        _mm512_and_si512(all, _mm512_set1_epi32(self.mask as i32))
    }
}

/// The bits of four slots that say which flows they are.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,aes,vaes")]
fn counts() -> __m512i {
    _mm512_broadcast_i32x4(_mm_set_epi32(KIND as i32, -1, -1, -1))
}

/// # Safety
///
/// The processor has the features.
#[target_feature(enable = "avx512f,avx512bw,aes,vaes")]
unsafe fn batch(cache: &FlowCache, headers: &[Header], ranks: &mut [u32], missing: &mut Missing) {
    let hash = Hash::new(cache);
    let mut lines = [0_u32; AHEAD];
    let free = _mm512_set1_epi32(Slot::FREE);
    let first = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    let mut start = 0;
    for (headers, ranks) in headers.chunks(AHEAD).zip(ranks.chunks_mut(AHEAD)) {
        let (headers, left) = headers.as_chunks::<16>();
        let (ranks, left_ranks) = ranks.as_chunks_mut::<16>();
        for (headers, lines) in headers.iter().zip(lines.as_chunks_mut::<16>().0) {
            lanes::store(lines, hash.lines(headers));
            for line in lines {
                prefetch(&cache.lines, *line as usize);
            }
        }
        let lines = lines.as_chunks::<16>().0;
        for ((headers, ranks), lines) in headers.iter().zip(ranks).zip(lines) {
            for ((header, rank), line) in headers.iter().zip(ranks.iter_mut()).zip(lines) {
                // SAFETY: a line's number is less than their count.
                *rank = find(unsafe { cache.lines.get_unchecked(*line as usize) }, header);
            }
            let kept = _mm512_srai_epi32::<{ KIND.count_ones() }>(lanes::read(ranks));
            lanes::store(ranks, kept);
            let none = _mm512_cmpeq_epi32_mask(kept, free);
            if none != 0 {
                let places = _mm512_add_epi32(first, _mm512_set1_epi32(start as i32));
                lanes::store(missing.room(), _mm512_maskz_compress_epi32(none, places));
                missing.count += none.count_ones() as usize;
            }
            start += 16;
        }
        for (header, rank) in left.iter().zip(left_ranks) {
            let key = Key::of(header);
            let kept = cache.lines[hash.ways(key)[0]].kept(key);
            *rank = kept.cast_unsigned();
            missing.add_if(kept == Slot::FREE, start);
            start += 1;
        }
    }
    if missing.count > 0 {
        again(cache, hash, headers, ranks, missing);
    }
}

/// Looks for what is missing in its second line.
#[cold]
#[target_feature(enable = "avx512f,avx512bw,aes,vaes")]
fn again(
    cache: &FlowCache,
    hash: Hash,
    headers: &[Header],
    ranks: &mut [u32],
    missing: &mut Missing,
) {
    let mut lines = [0_u32; BATCH];
    for (at, line) in missing.iter().zip(&mut lines) {
        *line = hash.ways(Key::of(&headers[at]))[1] as u32;
        prefetch(&cache.lines, *line as usize);
    }
    let mut left = Missing::NONE;
    for (at, line) in missing.iter().zip(lines) {
        let kept = find(&cache.lines[line as usize], &headers[at]).cast_signed();
        let kept = kept >> KIND.count_ones();
        ranks[at] = kept.cast_unsigned();
        left.add_if(kept == Slot::FREE, at);
    }
    *missing = left;
}

/// The last word of a header's slot in a line, that of [`Slot::EMPTY`] if there is none.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,aes,vaes")]
fn find(line: &Line, header: &Header) -> u32 {
    // SAFETY: a line is 64 bytes, a header sixteen, and either is aligned to its size.
    let (slots, key) = unsafe {
        (
            _mm512_load_si512(std::ptr::from_ref(line).cast()),
            _mm_load_si128(std::ptr::from_ref(header).cast()),
        )
    };
    // (slots ^ key) & counts
    let apart = _mm512_ternarylogic_epi64::<0x28>(slots, _mm512_broadcast_i32x4(key), counts());
    // Either half of a slot has what sets both apart, so that the upper one tells of both.
    let apart = _mm512_or_si512(apart, _mm512_shuffle_epi32::<0b01_00_11_10>(apart));
    let found = _mm512_mask_testn_epi64_mask(0b1010_1010, apart, apart);
    // A free slot equals the header of zeros, and tells that it is free. Flows stand before free
    // slots, so no flow hides behind one.
    let none = _mm512_set1_epi32(Slot::EMPTY.0[3].cast_signed());
    let last = _mm512_mask_compress_epi64(none, found, slots);
    (_mm_cvtsi128_si64(_mm512_castsi512_si128(last)).cast_unsigned() >> 32) as u32
}
