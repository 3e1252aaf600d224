//! Classes of what is carried: ports, protocol and direction together.

use super::classes::{Field, Rows, cross, field};
use super::header::Carried;
use super::table::{Narrow, Table16};
use super::{Header, Kind, Span};
use crate::engine::Unsupported;

/// The most classes of ports, and of ports and kinds.
const MOST_ENTRIES: usize = 1 << 24;

/// Tables from what a header carries to its class.
#[derive(Clone, Debug)]
pub(super) struct Carriage {
    pub(super) src_port: Narrow,
    pub(super) dst_port: Narrow,
    pub(super) kind: Table16,
    /// By source port × destination port × kind.
    pub(super) joined: Table16,
    pub(super) dst_port_classes: u32,
    pub(super) kind_classes: u32,
    /// Whether source ports are told apart at all.
    pub(super) src_port_matters: bool,
}

impl Carriage {
    /// Classes that tell these apart. Bit `i` of a class's row says whether it is in `carried[i]`.
    pub(super) fn new(carried: &[Carried]) -> Result<(Self, Rows), Unsupported> {
        let spans = |of: fn(&Carried) -> Span<u16>| {
            let span = |one| (of(one).first.into(), of(one).last.into());
            field(&carried.iter().map(span).collect::<Vec<_>>())
        };
        let src_port = spans(|one| one.src_port);
        let dst_port = spans(|one| one.dst_port);
        let (kind, kinds) = kinds(carried);
        let cross =
            |a: &Rows, b: &Rows| cross(a, b, MOST_ENTRIES, |_| ()).ok_or(Unsupported::TooLarge);
        let (by_ports, ports) = cross(&src_port.rows, &dst_port.rows)?;
        let (by_kind, rows) = cross(&ports, &kinds)?;
        if by_ports.len().saturating_mul(kinds.len()) > MOST_ENTRIES {
            return Err(Unsupported::TooLarge);
        }
        // By source port, destination port and kind at once: one load instead of two.
        let kinds = kinds.len();
        let joined = by_ports.iter().flat_map(|&ports| &by_kind[ports as usize * kinds..][..kinds]);
        let tables = Self {
            dst_port_classes: dst_port.rows.count(),
            kind_classes: kinds as u32,
            src_port_matters: src_port.rows.len() > 1,
            src_port: by_value(&src_port)?,
            dst_port: by_value(&dst_port)?,
            kind: Table16::of(kind)?,
            joined: Table16::of(joined.copied())?,
        };
        Ok((tables, rows))
    }

    /// The class of what a header carries.
    pub(super) fn class(&self, header: &Header) -> u32 {
        let ports = self.src_port.get(header.src_port.into()) * self.dst_port_classes
            + self.dst_port.get(header.dst_port.into());
        let kind = self.kind.get(u32::from(header.kind.0) % Kind::COUNT as u32);
        self.joined.get(ports * self.kind_classes + kind)
    }

    pub(super) fn bytes(&self) -> usize {
        let ports = self.src_port.bytes() + self.dst_port.bytes();
        ports + self.kind.bytes() + self.joined.bytes()
    }
}

/// The class of every kind, and the classes.
fn kinds(carried: &[Carried]) -> (Vec<u32>, Rows) {
    let mut rows = Rows::new(carried.len());
    let mut row = rows.empty();
    let classes = (0..Kind::COUNT).map(|kind| {
        row.fill(0);
        for (at, one) in carried.iter().enumerate() {
            if kind & usize::from(one.kind_mask) == usize::from(one.kind) {
                row[at / 64] |= 1 << (at % 64);
            }
        }
        rows.intern(&row)
    });
    let classes = classes.collect();
    (classes, rows)
}

/// The class of every port.
fn by_value(field: &Field) -> Result<Narrow, Unsupported> {
    let mut entries = Vec::with_capacity(1 << 16);
    let ends = field.starts.iter().skip(1).map(|(start, _)| *start as usize).chain([1 << 16]);
    for ((_, class), end) in field.starts.iter().zip(ends) {
        entries.resize(end, *class);
    }
    Narrow::of(entries)
}
