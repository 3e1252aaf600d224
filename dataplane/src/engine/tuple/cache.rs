//! A cache of answers by flow, in front of an engine.

#[cfg(target_arch = "x86_64")]
mod simd;

use super::live::Base;
use super::{Header, HeaderClassifier, Kind, NONE, Tables};
use std::sync::{Arc, Weak};

/// Headers that are looked up together.
const BATCH: usize = 256;

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

    fn new(header: &Header, rank: u32) -> Option<Self> {
        let fits = rank == NONE || rank <= Self::MOST;
        let Key([src, dst, ports, kind]) = Key::of(header);
        fits.then_some(Self([src, dst, ports, kind | rank << KIND.count_ones()]))
    }

    /// The flow's header, where there is a flow.
    const fn key(&self) -> Key {
        let Self([src, dst, ports, last]) = *self;
        Key([src, dst, ports, last & KIND])
    }

    /// The rank that is kept, or [`Slot::FREE`].
    const fn kept(&self) -> i32 {
        self.0[3].cast_signed() >> KIND.count_ones()
    }

    const fn is_free(&self) -> bool {
        self.kept() == Self::FREE
    }
}

/// What a slot says of a header: all but the rank.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C, align(16))]
struct Key([u32; 4]);

impl Key {
    fn of(header: &Header) -> Self {
        let ports = u32::from(header.src_port) | u32::from(header.dst_port) << 16;
        Self([header.src, header.dst, ports, u32::from(header.kind.0) & KIND])
    }
}

/// Four flows, compared at once. Flows stand before free slots.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line([Slot; SLOTS]);

impl Line {
    /// The place of a flow.
    fn of(&self, key: Key) -> Option<usize> {
        self.0.iter().position(|slot| !slot.is_free() && slot.key() == key)
    }

    /// What is kept of a flow, [`Slot::FREE`] if nothing is.
    fn kept(&self, key: Key) -> i32 {
        self.of(key).map_or(Slot::FREE, |at| self.0[at].kept())
    }

    fn free(&self) -> Option<usize> {
        self.0.iter().position(Slot::is_free)
    }
}

/// Answers of one engine by flow. Of bounded size: a new flow takes the place of another when its
/// lines are full. [Clear](FlowCache::clear) it when the engine is another.
///
/// A flow stands in one of two lines: in the second if the first was full when it came, or when another
/// that came took its place. So few flows have none, though lines hold only four. The lines are chosen
/// by a keyed hash, so that nobody who does not know the seed can send flows that all meet in one.
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
            lines: vec![Line([Slot::EMPTY; SLOTS]); lines.max(2)].into(),
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
        for (headers, ranks) in headers.chunks(BATCH).zip(ranks.chunks_mut(BATCH)) {
            let count = headers.len().min(ranks.len());
            let (headers, ranks) = (&headers[..count], &mut ranks[..count]);
            let mut missing = Missing::NONE;
            self.look_up(headers, ranks, &mut missing);
            if missing.count > 0 {
                self.fill(engine, headers, ranks, &missing);
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
            let key = Key::of(header);
            let kept = self.ways(key).map(|line| self.lines[line].kept(key));
            let found = kept.into_iter().find(|kept| *kept != Slot::FREE);
            *rank = found.unwrap_or(Slot::FREE).cast_unsigned();
            missing.add_if(found.is_none(), place);
        }
    }

    /// Asks the engine for what is missing, and keeps the answers.
    fn fill(
        &mut self,
        engine: &dyn HeaderClassifier,
        headers: &[Header],
        ranks: &mut [u32],
        missing: &Missing,
    ) {
        let (mut asked, mut found) = ([Header::default(); BATCH], [NONE; BATCH]);
        for (asked, place) in asked.iter_mut().zip(missing.iter()) {
            *asked = headers[place];
        }
        let asked = &asked[..missing.count];
        engine.classify_headers(asked, &mut found);
        for ((place, header), found) in missing.iter().zip(asked).zip(found) {
            ranks[place] = found;
            if let Some(slot) = Slot::new(header, found) {
                self.keep(slot);
            }
        }
    }

    /// Keeps a flow that was missing.
    fn keep(&mut self, slot: Slot) {
        let key = slot.key();
        let ways = self.ways(key);
        // It may have come twice in its batch.
        if ways.iter().any(|line| self.lines[*line].of(key).is_some()) {
            return;
        }
        if self.put(ways[0], slot) || self.put(ways[1], slot) {
            return;
        }
        self.next = (self.next + 1) % SLOTS;
        let other = std::mem::replace(&mut self.lines[ways[0]].0[self.next], slot);
        // To its other line, or away.
        let [first, second] = self.ways(other.key());
        self.put(if first == ways[0] { second } else { first }, other);
    }

    /// Puts a flow into a line, if there is a place.
    fn put(&mut self, line: usize, slot: Slot) -> bool {
        let line = &mut self.lines[line];
        line.free().map(|at| line.0[at] = slot).is_some()
    }

    /// The two lines in which a flow may stand.
    fn ways(&self, key: Key) -> [usize; 2] {
        #[cfg(target_arch = "x86_64")]
        if self.simd {
            return simd::ways(self, key);
        }
        let half = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
        let first = mix(half(key.0[0], key.0[1]) ^ self.seed[0]);
        let hash = mix(first ^ half(key.0[2], key.0[3]) ^ self.seed[1]);
        [hash, hash >> 32 ^ hash << 32].map(|hash| hash as usize & (self.lines.len() - 1))
    }
}

/// Each bit of the result depends on each of the number's (the last steps of splitmix64).
const fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// Places in a batch of the headers that the cache does not know.
struct Missing {
    places: [u32; BATCH + ROOM],
    count: usize,
}

/// How many places may be written at once, of which not all need count.
const ROOM: usize = 16;

impl Missing {
    const NONE: Self = Self { places: [0; BATCH + ROOM], count: 0 };

    /// Adds a place if `so`, without a branch: who is missing can not be foretold.
    fn add_if(&mut self, so: bool, place: usize) {
        self.room()[0] = place as u32;
        self.count += usize::from(so);
    }

    /// Where the next places are.
    fn room(&mut self) -> &mut [u32] {
        let start = self.count.min(BATCH);
        &mut self.places[start..start + ROOM]
    }

    fn iter(&self) -> impl Iterator<Item = usize> {
        self.places[..self.count.min(BATCH)].iter().map(|place| *place as usize)
    }
}
