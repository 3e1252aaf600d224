//! A cache of answers by flow, in front of an engine.

#[cfg(target_arch = "x86_64")]
mod simd;

use super::live::Base;
use super::{Header, HeaderClassifier, Kind, NONE, Tables};
use std::sync::{Arc, Weak};

/// Headers that are looked up together.
const BATCH: usize = 64;

/// Flows of a cache line.
const SLOTS: usize = 4;

/// The bits of a slot's last word that are the kind; the others are the answer.
const KIND: u32 = Kind::COUNT as u32 - 1;

/// A header and its rank in sixteen bytes: the rank stands in what the kind leaves of the last word,
/// as a signed number, so that -1 is [`NONE`].
#[derive(Clone, Copy, Debug)]
#[repr(C, align(16))]
struct Slot([u32; 4]);

impl Slot {
    /// The highest rank that fits. What lies beyond is not kept.
    const MOST: u32 = (1 << 21) - 1;

    /// What stands for the rank where there is no flow: the lowest number.
    const FREE: i32 = i32::MIN >> KIND.count_ones();

    /// No flow.
    const EMPTY: Self = Self([0, 0, 0, (Self::FREE << KIND.count_ones()).cast_unsigned()]);

    /// The header, with no rank.
    fn key(header: &Header) -> [u32; 4] {
        let ports = u32::from(header.src_port) | u32::from(header.dst_port) << 16;
        [header.src, header.dst, ports, u32::from(header.kind.0) & KIND]
    }

    fn new(header: &Header, rank: u32) -> Option<Self> {
        let fits = rank == NONE || rank <= Self::MOST;
        let [src, dst, ports, kind] = Self::key(header);
        fits.then_some(Self([src, dst, ports, kind | rank << KIND.count_ones()]))
    }

    /// The rank that is kept, or [`Slot::FREE`].
    const fn kept(&self) -> i32 {
        self.0[3].cast_signed() >> KIND.count_ones()
    }

    /// The rank for a header, if the slot is of its flow.
    fn rank(&self, key: &[u32; 4]) -> Option<u32> {
        let [src, dst, ports, last] = self.0;
        let same = self.kept() != Self::FREE && [src, dst, ports, last & KIND] == *key;
        same.then(|| self.kept().cast_unsigned())
    }
}

/// Four flows, compared at once.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line([Slot; SLOTS]);

/// Answers of one engine by flow. Of bounded size: a new flow takes the place of another when its
/// line is full. [Clear](FlowCache::clear) it when the engine is another.
///
/// A header's line is chosen by a keyed hash, so that nobody who does not know the seed can send flows
/// that all meet in one line.
#[derive(Clone, Debug)]
pub struct FlowCache {
    lines: Box<[Line]>,
    seed: [u64; 2],
    /// Which slot of a full line is taken next.
    next: usize,
    /// Whose answers are kept, where they are those of a base.
    of: Weak<Base>,
    #[cfg(target_arch = "x86_64")]
    simd: bool,
}

impl FlowCache {
    /// A cache with room for this many flows and more: lines are to be three fifths full.
    pub fn new(flows: usize, seed: u64) -> Self {
        let lines = (flows * 5).div_ceil(3 * SLOTS).next_power_of_two();
        let word = |at: u64| mix(seed.wrapping_add(at.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        Self {
            lines: vec![Line([Slot::EMPTY; SLOTS]); lines].into(),
            seed: [word(1), word(2)],
            next: 0,
            of: Weak::new(),
            #[cfg(target_arch = "x86_64")]
            simd: simd::available(),
        }
    }

    /// The cache with the lookups of any processor. Its flows are to be met anew.
    #[must_use]
    pub fn without_simd(self) -> Self {
        Self {
            #[cfg(target_arch = "x86_64")]
            simd: false,
            ..self
        }
    }

    /// Forgets all flows.
    pub fn clear(&mut self) {
        self.lines.fill(Line([Slot::EMPTY; SLOTS]));
    }

    /// Bytes taken.
    pub fn memory(&self) -> usize {
        size_of_val(&*self.lines)
    }

    /// Answers like the engine, which is asked for flows that are not here.
    pub fn classify_headers(
        &mut self,
        engine: &dyn HeaderClassifier,
        headers: &[Header],
        ranks: &mut [u32],
    ) {
        let mut missing = Missing::default();
        for (headers, ranks) in headers.chunks(BATCH).zip(ranks.chunks_mut(BATCH)) {
            let count = headers.len().min(ranks.len());
            let (headers, ranks) = (&headers[..count], &mut ranks[..count]);
            self.look_up(headers, ranks, &mut missing);
            if missing.count > 0 {
                self.fill(engine, ranks, &mut missing);
            }
        }
    }

    /// Answers like the tables, places of them. The answers of their base are kept, and put right each
    /// time, so that an edit leaves the flows as they are; another base makes them be met anew.
    pub fn classify_tables(&mut self, tables: &Tables, headers: &[Header], places: &mut [u32]) {
        if !std::ptr::eq(self.of.as_ptr(), Arc::as_ptr(&tables.base)) {
            self.clear();
            self.of = Arc::downgrade(&tables.base);
        }
        for (headers, places) in headers.chunks(BATCH).zip(places.chunks_mut(BATCH)) {
            self.classify_headers(&*tables.base, headers, places);
            tables.amend(headers, places);
        }
    }

    fn look_up(&self, headers: &[Header], ranks: &mut [u32], missing: &mut Missing) {
        #[cfg(target_arch = "x86_64")]
        if self.simd {
            return simd::look_up(self, headers, ranks, missing);
        }
        for (place, (header, rank)) in headers.iter().zip(ranks).enumerate() {
            let key = Slot::key(header);
            let line = self.line(&key);
            match self.lines[line].0.iter().find_map(|slot| slot.rank(&key)) {
                Some(found) => *rank = found,
                None => missing.push(place, header, line),
            }
        }
    }

    /// Asks the engine for what is missing, and keeps the answers.
    fn fill(&mut self, engine: &dyn HeaderClassifier, ranks: &mut [u32], missing: &mut Missing) {
        let count = std::mem::take(&mut missing.count);
        let mut found = [NONE; BATCH];
        engine.classify_headers(&missing.headers[..count], &mut found);
        for at in 0..count {
            ranks[missing.places[at]] = found[at];
            let Some(slot) = Slot::new(&missing.headers[at], found[at]) else { continue };
            let key = Slot::key(&missing.headers[at]);
            let line = &mut self.lines[missing.lines[at]].0;
            // The flow may have come twice in this batch, or the slot be free.
            let place =
                line.iter().position(|slot| slot.rank(&key).is_some() || slot.kept() == Slot::FREE);
            let place = place.unwrap_or_else(|| {
                self.next = (self.next + 1) % SLOTS;
                self.next
            });
            line[place] = slot;
        }
    }

    /// The line of a header where AES is not at hand.
    fn line(&self, key: &[u32; 4]) -> usize {
        let half = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
        let first = mix(half(key[0], key[1]) ^ self.seed[0]);
        let hash = mix(first ^ half(key[2], key[3]) ^ self.seed[1]);
        hash as usize & (self.lines.len() - 1)
    }
}

/// Each bit of the result depends on each of the number's (the last steps of splitmix64).
const fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// Headers of a batch that the cache does not know, with their places in it and their lines.
struct Missing {
    headers: [Header; BATCH],
    places: [usize; BATCH],
    lines: [usize; BATCH],
    count: usize,
}

impl Default for Missing {
    fn default() -> Self {
        Self {
            headers: [Header::default(); BATCH],
            places: [0; BATCH],
            lines: [0; BATCH],
            count: 0,
        }
    }
}

impl Missing {
    fn push(&mut self, place: usize, header: &Header, line: usize) {
        self.headers[self.count] = *header;
        (self.places[self.count], self.lines[self.count]) = (place, line);
        self.count += 1;
    }
}
