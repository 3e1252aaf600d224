//! Leaves: runs of cache lines with four filters each.

use super::pieces::Piece;
use crate::engine::tuple::classes::Rows;
use crate::engine::tuple::live::gone::Skip;
use crate::engine::tuple::{Carried, Header, NONE};

/// Which services a class of what is carried belongs to, a bit each: a cache line.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(in crate::engine::tuple) struct Services(pub(super) [u64; 8]);

impl Services {
    /// How many services there can be.
    pub(in crate::engine::tuple) const MOST: usize = 512;

    /// What no header carries: service 0, that of places in a line which no filter takes.
    pub(in crate::engine::tuple) const NOTHING: Carried =
        Carried { kind_mask: 0, kind: 1, ..Carried::ANY };

    /// The rows as lines.
    pub(in crate::engine::tuple) fn of(rows: &Rows) -> Box<[Self]> {
        let line = |row: &[u64]| {
            let mut line = [0; 8];
            line[..row.len()].copy_from_slice(row);
            Self(line)
        };
        rows.iter().map(line).collect()
    }

    /// Whether a service is among them.
    pub(in crate::engine::tuple) fn holds(&self, service: Service) -> bool {
        let byte = self.0[usize::from(service.byte & Service::BYTE) / 8].to_le_bytes();
        byte[usize::from(service.byte) % 8] & service.bit != 0
    }
}

/// A service by where its bit is among [`Services`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(C)]
pub(in crate::engine::tuple) struct Service {
    byte: u8,
    /// With one bit set.
    bit: u8,
}

impl Service {
    /// The bits of `byte` that count. Another says something else of the line.
    const BYTE: u8 = 63;

    /// That of [`Services::NOTHING`].
    pub(in crate::engine::tuple) const NOTHING: Self = Self { byte: 0, bit: 1 };

    pub(in crate::engine::tuple) fn of(number: u16) -> Self {
        Self { byte: (number / 8) as u8 & Self::BYTE, bit: 1 << (number % 8) }
    }
}

/// Four filters in the order of their ranks, field by field, so that four compare as fast as one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(C, align(64))]
pub(super) struct Line {
    pub(super) src: [u32; 4],
    pub(super) dst: [u32; 4],
    /// How many low bits of the sources and of the destinations do not count.
    pub(super) open: [u8; 8],
    pub(super) services: [Service; 4],
    pub(super) ranks: [u32; 4],
}

impl Line {
    /// Set in the first service's byte if the leaf goes on in the next line.
    const MORE: u8 = 1 << 7;

    /// Holds nothing: service 0 is nothing.
    pub(super) const EMPTY: Self = Self {
        src: [0; 4],
        dst: [0; 4],
        open: [0; 8],
        services: [Service::NOTHING; 4],
        ranks: [NONE; 4],
    };

    pub(super) fn put(&mut self, at: usize, piece: &Piece) {
        let open = |care: u64| 32 - (care as u32).count_ones() as u8;
        (self.src[at], self.dst[at]) = ((piece.value >> 32) as u32, piece.value as u32);
        (self.open[at], self.open[at + 4]) = (open(piece.care >> 32), open(piece.care));
        (self.services[at], self.ranks[at]) = (Service::of(piece.service), piece.rank);
    }

    /// Says that the leaf goes on in the next line.
    pub(super) fn go_on(&mut self) {
        self.services[0].byte |= Self::MORE;
    }

    pub(super) fn goes_on(&self) -> bool {
        self.services[0].byte & Self::MORE != 0
    }

    fn holds(&self, at: usize, header: &Header, services: &Services) -> bool {
        let same = |a: u32, b: u32, open: u8| u64::from(a ^ b) >> open == 0;
        same(self.src[at], header.src, self.open[at])
            && same(self.dst[at], header.dst, self.open[at + 4])
            && services.holds(self.services[at])
    }

    /// The rank of the first filter that holds the header.
    fn rank(&self, header: &Header, services: &Services, skip: impl Skip) -> u32 {
        let mut holding = (0..4).filter(|&at| self.holds(at, header, services));
        let found = holding.find(|&at| !skip.skips(self.ranks[at]));
        found.map_or(NONE, |at| self.ranks[at])
    }
}

/// The lowest rank in the leaf that begins with these lines.
pub(super) fn rank(lines: &[Line], header: &Header, services: &Services, skip: impl Skip) -> u32 {
    for line in lines {
        let rank = line.rank(header, services, skip);
        if rank != NONE || !line.goes_on() {
            return rank;
        }
    }
    NONE
}
