//! Building the lists.

use rustc_hash::FxHashMap;

use super::Paired;
use super::line::{Line, PLACES};
use crate::engine::Unsupported;
use crate::engine::tuple::carriage::Carriage;
use crate::engine::tuple::classes::{Field, field};
use crate::engine::tuple::crossed::Pairs;
use crate::engine::tuple::forest::leaf::{Service, Services};
use crate::engine::tuple::table::Table16;
use crate::engine::tuple::{Carried, Filter, NONE};

/// The most filters: a class of one end is a row of as many bits.
const MOST_FILTERS: usize = 16_384;

/// The most pairs of classes: a table of 16 MiB.
const MOST_PAIRS: usize = 1 << 23;

/// The most filters of all classes of sources together: each is a step of the build.
const MOST_STEPS: u64 = 1 << 22;

/// The most filters in all lists together.
const MOST_LISTED: usize = 1 << 21;

pub(super) fn build(filters: &[Filter]) -> Result<Paired, Unsupported> {
    if filters.len() > MOST_FILTERS {
        return Err(Unsupported::TooLarge);
    }
    // A row of bits has its filters in the order in which the destinations are walked.
    let mut filters = filters.to_vec();
    filters.sort_by_key(|filter| (filter.dst.first, filter.rank));
    let (services, carried) = numbered(&filters)?;
    let (carriage, classes) = Carriage::new(&carried)?;
    let spans = |of: fn(&Filter) -> (u32, u32)| -> Vec<_> { filters.iter().map(of).collect() };
    let src = field(&spans(|filter| (filter.src.first, filter.src.last)));
    let dst = field(&spans(|filter| (filter.dst.first, filter.dst.last)));
    let pairs = src.rows.len().checked_mul(dst.rows.len()).filter(|pairs| *pairs <= MOST_PAIRS);
    let steps: u64 = src.rows.iter().flatten().map(|word| u64::from(word.count_ones())).sum();
    let (Some(pairs), true) = (pairs, steps <= MOST_STEPS) else {
        return Err(Unsupported::TooLarge);
    };
    let mut table = vec![0; pairs];
    let mut lists = Lists::default();
    for (row, table) in src.rows.iter().zip(table.chunks_exact_mut(dst.rows.len())) {
        walk(row, &filters, &services, &dst, &mut lists, table)?;
    }
    Ok(Paired {
        carriage,
        services: Services::of(&classes),
        pairs: Pairs::new(&src, &dst, Table16::new(table))?,
        lines: lists.lines()?,
        #[cfg(target_arch = "x86_64")]
        simd: super::simd::available(),
    })
}

/// The number of each filter's service, and what the services are; number 0 is nothing.
fn numbered(filters: &[Filter]) -> Result<(Vec<u16>, Vec<Carried>), Unsupported> {
    let (mut numbers, mut services) = (FxHashMap::default(), vec![Services::NOTHING]);
    let number = filters.iter().map(|filter| {
        let number = *numbers.entry(filter.carried).or_insert_with(|| {
            services.push(filter.carried);
            services.len() - 1
        });
        if number < Services::MOST { Ok(number as u16) } else { Err(Unsupported::TooLarge) }
    });
    let number = number.collect::<Result<_, _>>()?;
    Ok((number, services))
}

/// A filter that holds the destination that is reached.
struct Open {
    rank: u32,
    service: u16,
    last: u32,
}

/// Walks through the destinations of one class of sources, and says of each class of destinations which
/// list it has.
fn walk(
    row: &[u64],
    filters: &[Filter],
    services: &[u16],
    dst: &Field,
    lists: &mut Lists,
    table: &mut [u16],
) -> Result<(), Unsupported> {
    let mut open: Vec<Open> = Vec::new();
    let mut starts = dst.starts.iter().peekable();
    // All intervals that start before `end` have the list of those that are open.
    let mut fill = |open: &[Open], end: u64| {
        let mut list = None;
        while let Some((_, class)) = starts.next_if(|(start, _)| u64::from(*start) < end) {
            let list = match list {
                Some(list) => list,
                None => *list.insert(lists.intern(open)?),
            };
            table[*class as usize] = list;
        }
        Ok(())
    };
    let mut reach = |open: &mut Vec<Open>, to: u64| {
        while let Some(last) = open.iter().map(|open| open.last).min()
            && u64::from(last) < to
        {
            fill(open, u64::from(last) + 1)?;
            open.retain(|open| open.last > last);
        }
        fill(open, to)
    };
    for at in bits(row) {
        let filter = &filters[at];
        reach(&mut open, filter.dst.first.into())?;
        let place = open.partition_point(|open| open.rank <= filter.rank);
        let new = Open { rank: filter.rank, service: services[at], last: filter.dst.last };
        open.insert(place, new);
    }
    reach(&mut open, 1 << 32)
}

/// The places of the bits that are set.
fn bits(row: &[u64]) -> impl Iterator<Item = usize> {
    row.iter().enumerate().flat_map(|(at, word)| {
        let mut left = *word;
        std::iter::from_fn(move || {
            let bit = (left != 0).then(|| left.trailing_zeros() as usize)?;
            left &= left - 1;
            Some(64 * at + bit)
        })
    })
}

/// Lists of filters, by service and rank, each stored once.
#[derive(Default)]
struct Lists {
    known: FxHashMap<Box<[(u16, u32)]>, u16>,
    listed: usize,
    scratch: Vec<(u16, u32)>,
}

impl Lists {
    /// The list of these filters. One whose service came before it can not be the first.
    fn intern(&mut self, open: &[Open]) -> Result<u16, Unsupported> {
        let mut seen = [0_u64; Services::MOST / 64];
        self.scratch.clear();
        for open in open {
            let (word, bit) = (usize::from(open.service / 64), 1 << (open.service % 64));
            if seen[word] & bit == 0 {
                seen[word] |= bit;
                self.scratch.push((open.service, open.rank));
            }
        }
        if let Some(list) = self.known.get(&*self.scratch) {
            return Ok(*list);
        }
        let list = u16::try_from(self.known.len()).map_err(|_| Unsupported::TooLarge)?;
        self.listed += self.scratch.len();
        if self.listed > MOST_LISTED {
            return Err(Unsupported::TooLarge);
        }
        self.known.insert(self.scratch.as_slice().into(), list);
        Ok(list)
    }

    /// The lists' first lines by their numbers, and behind them those in which they go on.
    fn lines(self) -> Result<Box<[Line]>, Unsupported> {
        let mut lists: Vec<_> = self.known.into_iter().collect();
        lists.sort_unstable_by_key(|(_, number)| *number);
        let mut lines = vec![Line::EMPTY; lists.len()];
        for (list, number) in lists {
            let mut at = usize::from(number);
            for (nth, part) in list.chunks(PLACES).enumerate() {
                if nth > 0 {
                    let next = u32::try_from(lines.len()).ok().filter(|next| *next != NONE);
                    lines[at].ends[PLACES] = next.ok_or(Unsupported::TooLarge)?;
                    at = lines.len();
                    lines.push(Line::EMPTY);
                }
                for (place, (service, rank)) in part.iter().enumerate() {
                    lines[at].services[place] = Service::of(*service);
                    lines[at].ends[place] = *rank;
                }
            }
        }
        Ok(lines.into())
    }
}
