//! Batches of headers with AVX-512, four filters compared at once.
//!
//! Nothing branches on what a header meets: headers that have further to go are put on a list for the
//! next round, and all loads of a round were asked for in the one before.
#![allow(unsafe_code)] // intrinsics, and unchecked places in tables that only `build` makes
#![allow(clippy::needless_bitwise_bool)] // so that nothing branches

#[allow(clippy::wildcard_imports)] // the intrinsics, which have long names of their own
use std::arch::x86_64::*;

use super::leaf::{Line, Services};
use super::{Entry, Forest, NODE};
use crate::engine::tuple::lanes::{self, prefetch};
use crate::engine::tuple::live::gone::Skip;
use crate::engine::tuple::{Header, NONE};

/// Headers that wait for memory in common.
const BATCH: usize = 128;

/// Whether this processor has what [`classify`] needs.
pub(super) fn available() -> bool {
    lanes::available()
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512vbmi")
        && is_x86_feature_detected!("bmi2")
}

/// Like the scalar lookup, for all headers, where [`available`] is true.
pub(super) fn classify(forest: &Forest, headers: &[Header], ranks: &mut [u32], skip: impl Skip) {
    for (headers, ranks) in headers.chunks(BATCH).zip(ranks.chunks_mut(BATCH)) {
        let count = headers.len().min(ranks.len());
        // SAFETY: `Forest` calls this only where `available` was true.
        unsafe { batch(forest, &headers[..count], &mut ranks[..count], skip) };
    }
}

/// Headers that still go somewhere: their places in the batch and the entries they come to. Twice as
/// many as can be, so that one more may be written and not counted, and an index be cut to fit.
struct Ways {
    places: [u8; 2 * BATCH],
    entries: [Entry; 2 * BATCH],
}

impl Ways {
    const NONE: Self = Self { places: [0; 2 * BATCH], entries: [0; 2 * BATCH] };

    /// Adds a header if `so`, without a branch; says how many there are then.
    #[inline]
    fn add_if(&mut self, count: usize, so: bool, place: usize, entry: Entry) -> usize {
        let at = count % (2 * BATCH);
        (self.places[at], self.entries[at]) = (place as u8, entry);
        count + usize::from(so)
    }

    #[inline]
    fn get(&self, at: usize) -> (usize, Entry) {
        (usize::from(self.places[at % (2 * BATCH)]) % BATCH, self.entries[at % (2 * BATCH)])
    }
}

/// # Safety
///
/// The processor has the features, and there are no more than `BATCH` headers and as many ranks.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
unsafe fn batch<S: Skip>(forest: &Forest, headers: &[Header], ranks: &mut [u32], skip: S) {
    let count = headers.len();
    let mut classes = [0_u32; BATCH];
    // SAFETY: the features are there.
    unsafe { lanes::carried(&forest.carriage, headers, &mut classes[..count]) };
    for &class in &classes[..count] {
        prefetch(&forest.services, class as usize);
    }
    let mut entries = [0 as Entry; BATCH];
    if let [tree, ..] = &*forest.trees {
        roots(headers, tree, &mut entries);
    }
    let mut best = [NONE; BATCH];
    if let Some(rest) = &forest.rest {
        let mut columns = [0_u32; BATCH];
        for (column, &class) in columns.iter_mut().zip(&classes[..count]) {
            *column = rest.columns[class as usize];
        }
        // SAFETY: the features are there, the columns are those of the tables.
        unsafe { rest.ends.ranks(headers, &columns, &mut best) };
        if S::ANY {
            for (header, best) in headers.iter().zip(&mut best) {
                if skip.skips(*best) {
                    *best = rest.filters.rank(header, skip);
                }
            }
        }
    }
    let mut ways = Ways::NONE;
    for (number, tree) in forest.trees.iter().enumerate() {
        let mut leaves = entries;
        // SAFETY: `entries` are places in this tree's root.
        unsafe { descend(forest, tree, headers, &mut leaves, &mut ways) };
        // The next tree's root is on its way while this tree's leaves are searched.
        if let Some(tree) = forest.trees.get(number + 1) {
            roots(headers, tree, &mut entries);
        }
        // SAFETY: `leaves` are leaves, `classes` those of the headers.
        unsafe { search(forest, headers, &classes, &leaves, &mut best, &mut ways, skip) };
    }
    ranks.copy_from_slice(&best[..count]);
}

/// Puts the place of each header in a tree's root into `entries`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
fn roots(headers: &[Header], tree: &super::Tree, entries: &mut [Entry; BATCH]) {
    for (header, entry) in headers.iter().zip(entries) {
        *entry = _pext_u64(header.addresses(), tree.mask) as u32;
        prefetch(&tree.root, *entry as usize);
    }
}

/// From places in a tree's root to leaves.
///
/// # Safety
///
/// The processor has the features, and `entries` are places in the tree's root.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
unsafe fn descend(
    forest: &Forest,
    tree: &super::Tree,
    headers: &[Header],
    entries: &mut [Entry; BATCH],
    ways: &mut Ways,
) {
    let mut inner = 0;
    for (place, entry) in entries[..headers.len()].iter_mut().enumerate() {
        // SAFETY: the caller's.
        *entry = unsafe { *tree.root.get_unchecked(*entry as usize) };
        ahead(forest, *entry);
        inner = ways.add_if(inner, *entry & NODE != 0, place, *entry);
    }
    while inner > 0 {
        let count = std::mem::take(&mut inner);
        for way in 0..count {
            let (place, entry) = ways.get(way);
            let addresses = headers[place].addresses();
            let at = (entry & !NODE) as usize;
            // SAFETY: an entry with the mark names a node: a mask, and an entry for each value that
            // can be extracted with it.
            let below = unsafe {
                let node = forest.nodes.as_ptr().add(at);
                let mask = u64::from(*node.add(1)) << 32 | u64::from(*node);
                *node.add(2 + _pext_u64(addresses, mask) as usize)
            };
            ahead(forest, below);
            entries[place] = below;
            inner = ways.add_if(inner, below & NODE != 0, place, below);
        }
    }
}

/// Lowers `best` to the ranks that headers find in their leaves.
///
/// # Safety
///
/// The processor has the features, `leaves` are leaves of the forest and `classes` of its carriage.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
unsafe fn search<S: Skip>(
    forest: &Forest,
    headers: &[Header],
    classes: &[u32; BATCH],
    leaves: &[Entry; BATCH],
    best: &mut [u32; BATCH],
    ways: &mut Ways,
    skip: S,
) {
    let mut one = |place: usize, leaf: Entry| {
        // SAFETY: a leaf's lines are there, the last of which does not go on; each class has its row.
        let (line, services) = unsafe {
            let services = forest.services.get_unchecked(classes[place] as usize);
            (forest.lines.get_unchecked(leaf as usize), services)
        };
        best[place] = compare(line, &headers[place], services, best[place], skip);
        // What follows in the leaf has higher ranks than this line.
        line.goes_on() & (line.ranks[3] < best[place])
    };
    let mut more = 0;
    for (place, &leaf) in leaves[..headers.len()].iter().enumerate() {
        let on = one(place, leaf);
        more = ways.add_if(more, on, place, leaf + 1);
    }
    while more > 0 {
        let count = std::mem::take(&mut more);
        for way in 0..count {
            let (place, leaf) = ways.get(way);
            let on = one(place, leaf);
            more = ways.add_if(more, on, place, leaf + 1);
        }
    }
}

/// Asks for what an entry names.
#[inline]
fn ahead(forest: &Forest, entry: Entry) {
    let node = forest.nodes.as_ptr().wrapping_add((entry & !NODE) as usize).cast::<i8>();
    let line = forest.lines.as_ptr().wrapping_add(entry as usize).cast::<i8>();
    let address = if entry & NODE == 0 { line } else { node };
    // SAFETY: a prefetch reads nothing, whatever the address.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(address) };
}

/// The rank of the line's first filter that holds the header, or `best` if that is lower.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vbmi,bmi2")]
fn compare<S: Skip>(line: &Line, header: &Header, services: &Services, best: u32, skip: S) -> u32 {
    // SAFETY: a header is 16 bytes, a row of services 64, a line 64 in all: sources and destinations
    // 32, open bits 8, services 8, ranks 16.
    let (header, row, both, open, carried, ranks) = unsafe {
        (
            _mm_load_si128(std::ptr::from_ref(header).cast()),
            _mm512_load_si512(std::ptr::from_ref(services).cast()),
            _mm256_load_si256(line.src.as_ptr().cast()),
            _mm_loadl_epi64(line.open.as_ptr().cast()),
            _mm_loadl_epi64(line.services.as_ptr().cast()),
            _mm_load_si128(line.ranks.as_ptr().cast()),
        )
    };
    // A service's byte in the row, and its bit there, which stands beside the byte's place.
    let byte = _mm512_permutexvar_epi8(_mm512_castsi128_si512(carried), row);
    let bit = _mm_srli_epi16::<8>(carried);
    let carries = _mm_test_epi16_mask(_mm512_castsi512_si128(byte), bit);
    let places = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
    let ends = _mm256_permutevar8x32_epi32(_mm256_castsi128_si256(header), places);
    let apart = _mm256_srlv_epi32(_mm256_xor_si256(both, ends), _mm256_cvtepu8_epi32(open));
    let apart = _mm_or_si128(_mm256_castsi256_si128(apart), _mm256_extracti128_si256::<1>(apart));
    let mut hits = _mm_mask_testn_epi32_mask(carries, apart, apart);
    while S::ANY && hits != 0 && skip.skips(line.ranks[hits.trailing_zeros() as usize % 4]) {
        hits &= hits - 1;
    }
    // Ranks rise along the line: the first hit is the lowest. The lower of two numbers in a register
    // too, for who wins can not be foretold.
    let first = _mm_mask_compress_epi32(_mm_set1_epi32(-1), hits, ranks);
    let lower = _mm_min_epu32(first, _mm_cvtsi32_si128(best.cast_signed()));
    _mm_cvtsi128_si32(lower).cast_unsigned()
}
