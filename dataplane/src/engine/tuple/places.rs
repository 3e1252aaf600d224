//! Wide addresses as 32-bit numbers.

use std::hint::select_unpredictable;

use super::expand::Wide;
use super::{Filter, Span};
use crate::engine::Unsupported;

/// Numbers the intervals of addresses that filters tell apart, so that engines for 32-bit addresses
/// serve IPv6 as well: an address's place is the number of its interval.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    /// Where each interval starts, ascending from 0.
    starts: Box<[u128]>,
}

impl Places {
    /// The places that these filters tell apart, and the filters by them.
    pub(super) fn of(filters: &[Wide]) -> Result<(Self, Vec<Filter>), Unsupported> {
        let ends = filters.iter().flat_map(|filter| [filter.src, filter.dst]);
        let edges = ends.flat_map(|end| [Some(end.first), end.last.checked_add(1)]);
        let mut starts: Vec<u128> = edges.flatten().chain([0]).collect();
        starts.sort_unstable();
        starts.dedup();
        if u32::try_from(starts.len()).is_err() {
            return Err(Unsupported::TooLarge);
        }
        let places = Self { starts: starts.into() };
        let span = |wide: Span<u128>| Span {
            first: places.place(wide.first),
            last: places.place(wide.last),
        };
        let filters = filters.iter().map(|wide| Filter {
            src: span(wide.src),
            dst: span(wide.dst),
            carried: wide.carried,
            rank: wide.rank,
        });
        let filters = filters.collect();
        Ok((places, filters))
    }

    /// The place of an address.
    pub(super) fn place(&self, address: u128) -> u32 {
        let after = self.starts.partition_point(|start| *start <= address);
        // The first interval starts at 0, and there are no more than 2^32.
        after.saturating_sub(1) as u32
    }

    /// The places of as many addresses as there is room for. They are searched for step by step side by
    /// side, so that they wait for memory in common.
    pub(super) fn places(&self, addresses: &[u128], places: &mut [u32]) {
        places.fill(0);
        let mut size = self.starts.len();
        while size > 1 {
            let half = size / 2;
            for (address, place) in addresses.iter().zip(places.iter_mut()) {
                let middle = *place + half as u32;
                let beyond = self.starts[middle as usize] <= *address;
                *place = select_unpredictable(beyond, middle, *place);
            }
            size -= half;
        }
    }

    /// Bytes taken.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.starts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_addresses_have_the_places_that_each_has_alone() {
        for count in [1, 2, 3, 7, 8, 40] {
            let places = Places { starts: (0..count).map(|at| at * at * 3).collect() };
            let addresses: Vec<u128> = (0..count * count * 3).chain([u128::MAX]).collect();
            let mut found = vec![7; addresses.len()];
            places.places(&addresses, &mut found);
            let alone: Vec<u32> = addresses.iter().map(|own| places.place(*own)).collect();
            assert_eq!(found, alone, "{count} intervals");
            assert_eq!(found.last().copied(), u32::try_from(count - 1).ok());
        }
    }
}
