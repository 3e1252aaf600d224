//! The compact form of a packet's headers, and of what filters ask of them.

use crate::{Direction, Family};

/// What a header or filter says of direction and protocol, in ten bits: the protocol's number, then
/// whether the transport header is missing (a later fragment, or a protocol without ports), then the
/// direction. One number, so that filters can leave any of the three open with a mask.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[repr(transparent)]
pub struct Kind(pub u16);

impl Kind {
    /// The bits that tell the direction.
    pub const DIRECTION: u16 = 1;
    /// The bits that tell whether the transport header is missing.
    pub const BARE: u16 = 2;
    /// The bits of the protocol's number.
    pub const PROTOCOL: u16 = 0xff << 2;
    /// How many kinds there are.
    pub const COUNT: usize = 1 << 10;

    /// The kind of a packet.
    pub const fn new(direction: Direction, protocol: u8, bare: bool) -> Self {
        let direction = match direction {
            Direction::In => 0,
            Direction::Out => Self::DIRECTION,
        };
        let bare = if bare { Self::BARE } else { 0 };
        Self((protocol as u16) << 2 | bare | direction)
    }
}

/// A packet's five-tuple. Sixteen bytes, so that four make a cache line.
///
/// Addresses are 32 bits wide: IPv4 as it is; IPv6 as its place among the addresses that the
/// filters tell apart (see `Places`). ICMP's type and code stand for ports.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[repr(C, align(16))]
pub struct Header {
    /// Source address.
    pub src: u32,
    /// Destination address.
    pub dst: u32,
    /// Source port, or ICMP's type.
    pub src_port: u16,
    /// Destination port, or ICMP's code.
    pub dst_port: u16,
    /// Protocol and direction.
    pub kind: Kind,
    spare: u16,
}

impl Header {
    /// A header of these fields.
    pub const fn new(src: u32, dst: u32, src_port: u16, dst_port: u16, kind: Kind) -> Self {
        Self { src, dst, src_port, dst_port, kind, spare: 0 }
    }

    /// Both addresses as one number, the source in the upper half.
    pub(super) const fn addresses(&self) -> u64 {
        (self.src as u64) << 32 | self.dst as u64
    }
}

/// Numbers from `first` to `last`, both included.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Span<T> {
    /// The lowest number.
    pub first: T,
    /// The highest number.
    pub last: T,
}

impl<T: Copy + PartialOrd> Span<T> {
    /// The span between two numbers; none if they are the wrong way round.
    pub fn new(first: T, last: T) -> Option<Self> {
        (first <= last).then_some(Self { first, last })
    }

    /// Whether the number lies within.
    pub fn contains(&self, number: T) -> bool {
        self.first <= number && number <= self.last
    }
}

impl Span<u16> {
    /// Every port.
    pub const ALL: Self = Self { first: 0, last: u16::MAX };
}

impl Span<u32> {
    /// Every address.
    pub const ALL: Self = Self { first: 0, last: u32::MAX };

    /// The addresses that share the first `length` bits with `address`.
    pub const fn prefix(address: u32, length: u8) -> Self {
        let host = if length >= 32 { 0 } else { u32::MAX >> length };
        Self { first: address & !host, last: address | host }
    }
}

/// What a filter asks of the header beside its addresses.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Carried {
    /// Source ports, or ICMP types.
    pub src_port: Span<u16>,
    /// Destination ports, or ICMP codes.
    pub dst_port: Span<u16>,
    /// The bits of the kind that count.
    pub kind_mask: u16,
    /// What those bits must be.
    pub kind: u16,
}

impl Carried {
    /// Anything.
    pub const ANY: Self =
        Self { src_port: Span::<u16>::ALL, dst_port: Span::<u16>::ALL, kind_mask: 0, kind: 0 };

    /// Whether a header carries this.
    pub fn holds(&self, header: &Header) -> bool {
        self.src_port.contains(header.src_port)
            && self.dst_port.contains(header.dst_port)
            && header.kind.0 & self.kind_mask == self.kind
    }
}

/// A box in the space of headers, and the rank of the rule it belongs to: among the filters that
/// hold a header the one of the lowest rank decides.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Filter {
    /// Source addresses.
    pub src: Span<u32>,
    /// Destination addresses.
    pub dst: Span<u32>,
    /// Ports, protocol and direction.
    pub carried: Carried,
    /// The rule's place in its list. Filters of one rule share it; it is never [`NONE`].
    pub rank: u32,
}

/// The rank that says that no filter holds the header.
pub const NONE: u32 = u32::MAX;

impl Filter {
    /// Whether the filter holds the header.
    pub fn holds(&self, header: &Header) -> bool {
        self.src.contains(header.src) && self.dst.contains(header.dst) && self.carried.holds(header)
    }
}

/// The protocol number that ICMP has in a family.
pub(crate) const fn icmp_protocol(family: Family) -> u8 {
    match family {
        Family::V4 => 1,
        Family::V6 => 58,
    }
}
