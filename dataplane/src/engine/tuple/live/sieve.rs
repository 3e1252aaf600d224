//! Which headers are worth a look: for most, a few bits say that no edit concerns them.

use super::gone::Gone;
use crate::engine::tuple::{Filter, Header, Span};

/// The most maps by addresses: one for each of a forest's trees.
const MAPS: usize = 4;

/// Filters that leave more of a map's bits open than this are not marked in it.
const MOST_OPEN: u32 = 6;

/// Filters with more destination ports than this are not marked by them.
const MOST_PORTS: u16 = 32;

/// 2,048 marks, so that the words fit four AVX-512 registers.
pub(super) type Map = [u32; 64];

/// Multipliers whose products' upper bits depend on all bits of the factor.
pub(super) const MIX: [u32; 2] = [0x9e37_79b1, 0x85eb_ca77];

/// How far the upper bits of a product are moved to be a place in a map.
pub(super) const SHIFT: u32 = u32::BITS - 11;

/// Whether a place is marked.
pub(super) const fn marked(map: &Map, place: u32) -> bool {
    map[place as usize / 32 % map.len()] >> (place % 32) & 1 == 1
}

/// Marks a place.
pub(super) const fn mark(map: &mut Map, place: u32) {
    map[place as usize / 32 % map.len()] |= 1 << (place % 32);
}

/// Filters that the bits of the addresses under masks tell apart, those of a tree's root: they tell many
/// rules apart.
#[derive(Clone, Debug)]
pub(super) struct ByAddresses {
    pub(super) src: u32,
    pub(super) dst: u32,
    pub(super) map: Map,
}

impl ByAddresses {
    fn place(&self, src: u32, dst: u32) -> u32 {
        let (src, dst) = (src & self.src, dst & self.dst);
        src.wrapping_mul(MIX[0]).wrapping_add(dst.wrapping_mul(MIX[1])) >> SHIFT
    }

    /// How many of the bits that count a filter leaves open.
    fn open(&self, (src, dst): (u32, u32)) -> u32 {
        (self.src & !src).count_ones() + (self.dst & !dst).count_ones()
    }

    /// Marks all values of the bits that filter leaves open.
    fn mark(&mut self, filter: &Filter, (src, dst): (u32, u32)) {
        let join = |src: u32, dst: u32| u64::from(src) << 32 | u64::from(dst);
        let value = join(filter.src.first & src, filter.dst.first & dst);
        let open = join(self.src & !src, self.dst & !dst);
        // All subsets of the open bits.
        let mut some = 0_u64;
        loop {
            let both = value | some;
            let place = self.place((both >> 32) as u32, both as u32);
            mark(&mut self.map, place);
            some = some.wrapping_sub(open) & open;
            if some == 0 {
                break;
            }
        }
    }
}

/// Marks of the filters that were added. They stay until the base is built anew: taking them out would
/// need their counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Sieve {
    pub(super) by_addresses: Vec<ByAddresses>,
    /// Filters that leave too much of the addresses open.
    pub(super) by_port: Option<Map>,
    /// Whether some filter could not be marked, so that every header is worth a look.
    pub(super) all: bool,
}

impl Sieve {
    /// A sieve that tells apart what these masks of both addresses do.
    pub(super) fn new(masks: impl Iterator<Item = u64>) -> Self {
        let map =
            |mask: u64| ByAddresses { src: (mask >> 32) as u32, dst: mask as u32, map: [0; _] };
        Self { by_addresses: masks.take(MAPS).map(map).collect(), ..Self::default() }
    }

    /// Marks what the filter may hold.
    pub(super) fn mark(&mut self, filter: &Filter) {
        let fixed = (fixed(filter.src), fixed(filter.dst));
        let maps = self.by_addresses.iter_mut();
        let best = maps.min_by_key(|map| map.open(fixed));
        let Span { first, last } = filter.carried.dst_port;
        if let Some(map) = best.filter(|map| map.open(fixed) <= MOST_OPEN) {
            map.mark(filter, fixed);
        } else if last - first < MOST_PORTS {
            let map = self.by_port.get_or_insert([0; _]);
            (first..=last).for_each(|port| mark(map, Self::port(port)));
        } else {
            self.all = true;
        }
    }

    /// The place of a port in the map of ports.
    const fn port(port: u16) -> u32 {
        (port as u32).wrapping_mul(MIX[0]) >> SHIFT
    }

    /// Whether a filter may hold the header.
    fn passes(&self, header: &Header) -> bool {
        self.all
            || self.by_addresses.iter().any(|by| marked(&by.map, by.place(header.src, header.dst)))
            || self.by_port.is_some_and(|map| marked(&map, Self::port(header.dst_port)))
    }
}

/// The upper bits that all addresses of a span share.
fn fixed(span: Span<u32>) -> u32 {
    let apart = span.first ^ span.last;
    u32::MAX.checked_shl(u32::BITS - apart.leading_zeros()).unwrap_or(0)
}

/// Headers that are looked up together.
pub(super) const BATCH: usize = 256;

/// Headers of a batch that are worth more work.
#[derive(Debug)]
pub(super) struct Picked {
    places: [u8; BATCH],
    count: usize,
}

impl Default for Picked {
    fn default() -> Self {
        Self { places: [0; BATCH], count: 0 }
    }
}

impl Picked {
    /// The headers that may meet a filter.
    pub(super) fn by_sieve(&mut self, sieve: &Sieve, headers: &[Header]) {
        self.count = 0;
        #[cfg(target_arch = "x86_64")]
        if super::simd::available() {
            return super::simd::by_sieve(sieve, headers, self);
        }
        for (place, header) in headers.iter().enumerate() {
            self.add_if(sieve.passes(header), place);
        }
    }

    /// The headers whose answers are gone.
    pub(super) fn by_gone(&mut self, gone: &Gone, ranks: &[u32]) {
        self.count = 0;
        #[cfg(target_arch = "x86_64")]
        if super::simd::available() {
            return super::simd::by_gone(gone, ranks, self);
        }
        for (place, rank) in ranks.iter().enumerate() {
            self.add_if(gone.holds(*rank), place);
        }
    }

    pub(super) fn add_if(&mut self, so: bool, place: usize) {
        self.places[self.count % BATCH] = place as u8;
        self.count += usize::from(so);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        self.places[..self.count.min(BATCH)].iter().map(|place| usize::from(*place))
    }
}
