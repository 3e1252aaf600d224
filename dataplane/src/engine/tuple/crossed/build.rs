//! Building the crossed tables.

use rustc_hash::FxHashMap;

use super::classes::{Field, Rows, cross, field};
use super::halves::Halves;
use super::{Crossed, Table16};
use crate::engine::Unsupported;
use crate::engine::tuple::{Carried, Filter, Kind, NONE, Span};

/// The most filters: a set of filters is a row of as many bits, and rows are crossed.
const MOST_FILTERS: usize = 8_192;

/// The most entries of a crossed table.
const MOST_ENTRIES: usize = 1 << 24;

pub(super) fn build(filters: &[Filter]) -> Result<Crossed, Unsupported> {
    let too_large = Unsupported::TooLarge;
    if filters.len() > MOST_FILTERS {
        return Err(too_large);
    }
    let mut filters = filters.to_vec();
    filters.sort_by_key(|filter| filter.rank);
    let spans = |of: fn(&Filter) -> (u32, u32)| field(&filters.iter().map(of).collect::<Vec<_>>());
    let src = spans(|filter| (filter.src.first, filter.src.last));
    let dst = spans(|filter| (filter.dst.first, filter.dst.last));
    let src_port = spans(|filter| ports(filter.carried.src_port));
    let dst_port = spans(|filter| ports(filter.carried.dst_port));
    let (kind, kinds) = kinds(&filters);

    // A filter that takes whatever is carried hides all that come after it.
    let mut closing = src.rows.empty();
    for (at, filter) in filters.iter().enumerate() {
        if filter.carried == Carried::ANY {
            closing[at / 64] |= 1 << (at % 64);
        }
    }
    let prune = |row: &mut [u64]| hide(row, &closing);
    let (pair, pairs) = cross(&src.rows, &dst.rows, MOST_ENTRIES, prune).ok_or(too_large)?;
    let (both, both_ports) =
        cross(&src_port.rows, &dst_port.rows, MOST_ENTRIES, |_| ()).ok_or(too_large)?;
    let (with_kind, carried) = cross(&both_ports, &kinds, MOST_ENTRIES, |_| ()).ok_or(too_large)?;
    let last = Last::new(&pairs, &carried, filters.len())?;
    // By source port, destination port and kind at once: one load instead of two.
    let by_ports =
        both.iter().flat_map(|&ports| &with_kind[ports as usize * kinds.len()..][..kinds.len()]);
    let carried_table = table16(by_ports.map(|&class| last.columns[class as usize]))?;
    Ok(Crossed {
        dst_classes: number(dst.rows.len())?,
        dst_port_classes: number(dst_port.rows.len())?,
        kind_classes: number(kinds.len())?,
        carried_classes: number(last.width)?,
        src: Halves::new(&src.starts)?,
        dst: Halves::new(&dst.starts)?,
        src_port: by_value(&src_port)?,
        dst_port: by_value(&dst_port)?,
        kind: table16(kind)?,
        carried: carried_table,
        pair: table16(pair.iter().map(|&class| last.rows[class as usize]))?,
        src_port_matters: src_port.rows.len() > 1,
        last: Table16::new(last.table),
        ranks: filters.iter().map(|filter| filter.rank).chain([NONE]).collect(),
        #[cfg(target_arch = "x86_64")]
        simd: super::simd::available(),
    })
}

/// The last table, in which equal rows and equal columns are stored once.
struct Last {
    table: Vec<u16>,
    width: usize,
    /// The row of each class of address pairs.
    rows: Vec<u32>,
    /// The column of each class of what is carried.
    columns: Vec<u32>,
}

impl Last {
    fn new(pairs: &Rows, carried: &Rows, filters: usize) -> Result<Self, Unsupported> {
        let entries = pairs.len().checked_mul(carried.len()).ok_or(Unsupported::TooLarge)?;
        if entries > 4 * MOST_ENTRIES {
            return Err(Unsupported::TooLarge);
        }
        let none = u16::try_from(filters).map_err(|_| Unsupported::TooLarge)?;
        let first = |pair: &[(usize, u64)], carried: &[u64]| {
            let hit = pair.iter().find(|(at, word)| word & carried[*at] != 0);
            hit.map_or(none, |(at, word)| {
                // Less than `filters`, which fits.
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
        let (height, width) = (rows.kept.len(), columns.kept.len());
        if height * width > MOST_ENTRIES {
            return Err(Unsupported::TooLarge);
        }
        let kept = &columns.kept;
        let table = (0..height).flat_map(|row| kept.iter().map(move |column| column[row]));
        Ok(Self { table: table.collect(), width, rows: rows.class, columns: columns.class })
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

fn ports(span: Span<u16>) -> (u32, u32) {
    (span.first.into(), span.last.into())
}

/// The class of every kind, and the classes.
fn kinds(filters: &[Filter]) -> (Vec<u32>, Rows) {
    let mut rows = Rows::new(filters.len());
    let mut row = rows.empty();
    let classes = (0..Kind::COUNT).map(|kind| {
        row.fill(0);
        for (at, Filter { carried, .. }) in filters.iter().enumerate() {
            if kind & usize::from(carried.kind_mask) == usize::from(carried.kind) {
                row[at / 64] |= 1 << (at % 64);
            }
        }
        rows.intern(&row)
    });
    let classes = classes.collect();
    (classes, rows)
}

/// The class of every port.
fn by_value(field: &Field) -> Result<Table16, Unsupported> {
    let mut starts = field.starts.iter().peekable();
    let mut class = 0;
    table16((0..=u32::from(u16::MAX)).map(|port| {
        while let Some((_, next)) = starts.next_if(|(start, _)| *start <= port) {
            class = *next;
        }
        class
    }))
}

fn table16(entries: impl IntoIterator<Item = u32>) -> Result<Table16, Unsupported> {
    let entries = entries.into_iter().map(u16::try_from).collect::<Result<Vec<_>, _>>();
    entries.map(Table16::new).map_err(|_| Unsupported::TooLarge)
}

fn number(count: usize) -> Result<u32, Unsupported> {
    u32::try_from(count).map_err(|_| Unsupported::TooLarge)
}
