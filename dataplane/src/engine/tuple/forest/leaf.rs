//! Leaves: runs of cache lines with four filters each.

use crate::engine::tuple::{Carried, Header, NONE};

/// What is carried, as three rows of 16-bit lanes: source port, destination port, kind, zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C, align(32))]
pub(super) struct Service {
    /// The bits that count.
    pub(super) mask: u64,
    /// The lowest values.
    pub(super) first: u64,
    /// How far above them a value may lie.
    pub(super) span: u64,
}

impl Service {
    /// The highest number of a service: one bit of a leaf's sixteen says something else.
    pub(super) const LAST: u16 = 0x7fff;

    /// Holds no header: the kind, masked to nothing, is never at least 1.
    pub(super) const NOTHING: Self = Self { mask: 0, first: 1 << 32, span: 0 };

    pub(super) fn of(carried: Carried) -> Self {
        let lanes = |src: u16, dst: u16, kind: u16| {
            u64::from(src) | u64::from(dst) << 16 | u64::from(kind) << 32
        };
        let (src, dst) = (carried.src_port, carried.dst_port);
        Self {
            mask: lanes(u16::MAX, u16::MAX, carried.kind_mask),
            first: lanes(src.first, dst.first, carried.kind),
            span: lanes(src.last - src.first, dst.last - dst.first, 0),
        }
    }

    /// Whether a header carries this.
    pub(super) fn holds(&self, packed: Packed) -> bool {
        let masked = packed.0 & self.mask;
        (0..3).all(|lane| {
            let of = |word: u64| (word >> (16 * lane)) as u16;
            of(masked).wrapping_sub(of(self.first)) <= of(self.span)
        })
    }
}

/// What a header carries, in the lanes of a [`Service`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Packed(pub(super) u64);

impl Packed {
    pub(super) fn of(header: &Header) -> Self {
        let ports = u64::from(header.src_port) | u64::from(header.dst_port) << 16;
        Self(ports | u64::from(header.kind.0) << 32)
    }
}

/// Four filters, field by field, so that four compare as fast as one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(C, align(64))]
pub(super) struct Line {
    pub(super) src: [u32; 4],
    pub(super) dst: [u32; 4],
    /// How many low bits of the source and of the destination do not count, a byte each; then the
    /// service. The highest bit of the first says that the leaf goes on in the next line.
    pub(super) rest: [u32; 4],
    pub(super) ranks: [u32; 4],
}

impl Line {
    /// Set in `rest[0]` if another line follows.
    pub(super) const MORE: u32 = 1 << 31;

    /// Holds nothing.
    pub(super) const EMPTY: Self =
        Self { src: [0; 4], dst: [0; 4], rest: [0; 4], ranks: [NONE; 4] };

    fn holds(&self, at: usize, header: &Header) -> bool {
        let apart = |a: u32, b: u32, open: u32| u64::from(a ^ b) >> (open & 0xff) != 0;
        !apart(self.src[at], header.src, self.rest[at])
            && !apart(self.dst[at], header.dst, self.rest[at] >> 8)
    }

    pub(super) fn service(&self, at: usize) -> usize {
        (self.rest[at] >> 16 & u32::from(Service::LAST)) as usize
    }
}

/// All lines and what their filters carry.
#[derive(Clone, Debug)]
pub(super) struct Leaves {
    pub(super) lines: Box<[Line]>,
    pub(super) services: Box<[Service]>,
}

impl Leaves {
    /// The lowest rank among the filters of the leaf that starts at a line.
    pub(super) fn first(&self, leaf: u32, header: &Header, packed: Packed) -> u32 {
        for line in &self.lines[leaf as usize..] {
            let found = (0..4).find(|&at| {
                line.holds(at, header) && self.services[line.service(at)].holds(packed)
            });
            if let Some(at) = found {
                return line.ranks[at];
            }
            if line.rest[0] & Line::MORE == 0 {
                break;
            }
        }
        NONE
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.lines) + size_of_val(&*self.services)
    }

    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    pub(super) fn services(&self) -> usize {
        self.services.len()
    }
}
