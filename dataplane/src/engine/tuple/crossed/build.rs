//! Building the crossed tables.

use rustc_hash::FxHashMap;

use super::{Crossed, Ends, Pairs};
use crate::engine::Unsupported;
use crate::engine::tuple::carriage::Carriage;
use crate::engine::tuple::classes::{Rows, cross, field};
use crate::engine::tuple::table::Table16;
use crate::engine::tuple::{Carried, Filter, NONE};

/// The most filters: a set of filters is a row of as many bits, and rows are crossed.
const MOST_FILTERS: usize = 8_192;

/// The most entries of a crossed table.
const MOST_ENTRIES: usize = 1 << 24;

pub(super) fn build(filters: &[Filter]) -> Result<Crossed, Unsupported> {
    let mut filters = filters.to_vec();
    filters.sort_by_key(|filter| filter.rank);
    if filters.len() > MOST_FILTERS {
        return Err(Unsupported::TooLarge);
    }
    let carried: Vec<Carried> = filters.iter().map(|filter| filter.carried).collect();
    let (mut carriage, rows) = Carriage::new(&carried)?;
    let (ends, columns) = Ends::new(&filters, &rows)?;
    // Classes that no answer tells apart share a column.
    carriage.joined = carriage.joined.through(&columns)?;
    Ok(Crossed {
        carriage,
        ends,
        #[cfg(target_arch = "x86_64")]
        simd: crate::engine::tuple::lanes::available(),
    })
}

/// The rows for filters, by their places in the rows for others: bit `i` of the new rows is bit
/// `of[i]` of the old ones. No row is left out or merged.
pub(in crate::engine::tuple) fn columns(rows: &Rows, of: &[u16]) -> Vec<Vec<u64>> {
    let picked = |row: &[u64]| {
        let mut picked = vec![0_u64; of.len().div_ceil(64).max(1)];
        for (at, &old) in of.iter().enumerate() {
            let bit = row[usize::from(old) / 64] >> (old % 64) & 1;
            picked[at / 64] |= bit << (at % 64);
        }
        picked
    };
    rows.iter().map(picked).collect()
}

impl Ends {
    /// Tables for filters in the order of their ranks, and the column of each class of what is
    /// carried. Bit `i` of such a class says whether filter `i` holds it.
    fn new(filters: &[Filter], carried: &Rows) -> Result<(Self, Vec<u32>), Unsupported> {
        let carried: Vec<&[u64]> = carried.iter().collect();
        let made = Self::with_columns(filters, &carried)?;
        Ok((made.0, made.1.class))
    }

    /// Tables for filters in the order of their ranks, with a column for each of these classes.
    pub(in crate::engine::tuple) fn of(
        filters: &[Filter],
        carried: &[Vec<u64>],
    ) -> Result<(Self, Vec<u32>), Unsupported> {
        let carried: Vec<&[u64]> = carried.iter().map(Vec::as_slice).collect();
        let made = Self::with_columns(filters, &carried)?;
        Ok((made.0, made.1.class))
    }

    fn with_columns(
        filters: &[Filter],
        carried: &[&[u64]],
    ) -> Result<(Self, Interned), Unsupported> {
        if filters.len() > MOST_FILTERS {
            return Err(Unsupported::TooLarge);
        }
        let src: Vec<_> =
            filters.iter().map(|filter| (filter.src.first, filter.src.last)).collect();
        let dst: Vec<_> =
            filters.iter().map(|filter| (filter.dst.first, filter.dst.last)).collect();
        let (src, dst) = (field(&src), field(&dst));
        // A filter that takes whatever is carried hides all that come after it.
        let mut closing = src.rows.empty();
        for (at, filter) in filters.iter().enumerate() {
            if filter.carried == Carried::ANY {
                closing[at / 64] |= 1 << (at % 64);
            }
        }
        let (pair, pairs) = cross(&src.rows, &dst.rows, MOST_ENTRIES, |row| hide(row, &closing))
            .ok_or(Unsupported::TooLarge)?;
        let last = Last::new(&pairs, carried, filters.len())?;
        let pair = Table16::of(pair.iter().map(|&class| last.rows[class as usize]))?;
        let ends = Self {
            pairs: Pairs::new(&src, &dst, pair)?,
            last: Table16::new(last.table),
            width: last.columns.kept.len() as u32,
            ranks: filters.iter().map(|filter| filter.rank).chain([NONE]).collect(),
        };
        Ok((ends, last.columns))
    }
}

/// The last table, in which equal rows and equal columns are stored once.
struct Last {
    table: Vec<u16>,
    /// The row of each class of address pairs.
    rows: Vec<u32>,
    columns: Interned,
}

impl Last {
    fn new(pairs: &Rows, carried: &[&[u64]], filters: usize) -> Result<Self, Unsupported> {
        let entries = pairs.len().checked_mul(carried.len()).ok_or(Unsupported::TooLarge)?;
        if entries > 4 * MOST_ENTRIES {
            return Err(Unsupported::TooLarge);
        }
        let none = u16::try_from(filters).map_err(|_| Unsupported::TooLarge)?;
        let first = |pair: &[(usize, u64)], carried: &[u64]| {
            let hit = pair.iter().find(|(at, word)| word & carried[*at] != 0);
            hit.map_or(none, |(at, word)| {
                (at * 64) as u16 + (word & carried[*at]).trailing_zeros() as u16
            })
        };
        let mut rows = Interned::default();
        for pair in pairs.iter() {
            // Few words of a pair's row are set; the others hold nothing to find.
            let words = pair.iter().copied().enumerate().filter(|(_, word)| *word != 0);
            let words: Vec<(usize, u64)> = words.collect();
            rows.add(carried.iter().map(|carried| first(&words, carried)).collect());
        }
        let mut columns = Interned::default();
        for at in 0..carried.len() {
            columns.add(rows.kept.iter().map(|row| row[at]).collect());
        }
        let height = rows.kept.len();
        if height * columns.kept.len() > MOST_ENTRIES {
            return Err(Unsupported::TooLarge);
        }
        let kept = &columns.kept;
        let table =
            (0..height).flat_map(|row| kept.iter().map(move |column| column[row])).collect();
        Ok(Self { table, rows: rows.class, columns })
    }
}

/// Equal lines of a table stored once.
#[derive(Default)]
struct Interned {
    kept: Vec<Vec<u16>>,
    known: FxHashMap<Vec<u16>, u32>,
    class: Vec<u32>,
}

impl Interned {
    fn add(&mut self, line: Vec<u16>) {
        let class = *self.known.entry(line).or_insert_with_key(|line| {
            self.kept.push(line.clone());
            u32::try_from(self.kept.len() - 1).unwrap_or(u32::MAX)
        });
        self.class.push(class);
    }
}

/// Takes out of a row what lies behind its first closing filter.
fn hide(row: &mut [u64], closing: &[u64]) {
    let found = row.iter().zip(closing).position(|(row, closing)| row & closing != 0);
    if let Some(at) = found {
        let first = (row[at] & closing[at]).trailing_zeros();
        row[at] &= u64::MAX >> (63 - first);
        row[at + 1..].fill(0);
    }
}
