//! What is looked up: keys of packets or parsed headers, and the rows that each of them meets.
#![allow(clippy::cast_possible_truncation)] // Ways are fewer than eight.
#![allow(clippy::inline_always)] // Part of the one piece of code that runs for every packet.
#![allow(unsafe_code)] // Rows of classes are read unchecked; that there is such a class is plain here.

use std::hint::select_unpredictable;

use super::addresses::{DESTINATION, SIGN, SOURCE};
use super::classes::STRANGER;
use super::homes::{NOWHERE as NO_HOME, own_end};
use super::index::{APPLIED, Index, LIST, NO_WAY, way};
use super::tables::Tables;
use super::view::rows_of;
use super::{local, services};
use crate::engine::tuple::{Header, Kind};
use crate::matching::Key;
use crate::{Direction, Family, Packet, Rule, TcpFlags, Transport};

/// The rows that a packet meets.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Point {
    pub(super) source: u32,
    pub(super) destination: u32,
    pub(super) service: u32,
    pub(super) applied: u32,
    /// The number of a row of ways.
    pub(super) way: usize,
    /// The labels of source and destination.
    pub(super) signs: [u32; 2],
    /// The vNIC's own list.
    pub(super) list: u32,
    /// What is carried, as a key and as a lane.
    pub(super) key: u32,
    pub(super) carried: u16,
    /// What source lanes may not have.
    pub(super) unwanted: u16,
    /// The classes of source and destination.
    pub(super) classes: [u32; 2],
}

/// What the rows that a packet meets are found by.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Met {
    /// The class of the address that is not at the vNIC's own end, and of that which is.
    pub(super) peer: u32,
    pub(super) own: u32,
    /// The class of the vNIC.
    pub(super) vnic: u32,
    /// What is carried.
    pub(super) key: u32,
    /// The number of a row of ways.
    pub(super) way: u32,
}

impl Met {
    /// Whether the vNIC sends the packet.
    #[inline(always)]
    pub(super) const fn sends(&self) -> bool {
        self.way >> 1 & 1 == Direction::Out as u32
    }

    /// The classes of source and destination.
    #[inline(always)]
    pub(super) fn classes(&self) -> [u32; 2] {
        let Self { peer, own, .. } = *self;
        [!self.sends(), self.sends()].map(|other| select_unpredictable(other, peer, own))
    }

    /// The rows, and the list of the vNIC.
    #[inline(always)]
    pub(super) fn point(self, tables: &Tables<'_>) -> Point {
        Point::of(tables, self.classes(), self.vnic, self.key, self.way as usize)
    }

    /// The rows alone.
    #[inline(always)]
    pub(super) fn rows(self, tables: &Tables<'_>) -> Point {
        Point::rows(tables, self.classes(), self.vnic, self.key, self.way as usize)
    }
}

impl Point {
    /// The rows of addresses of some classes, on vNICs of a class, for what is carried and its way.
    #[inline(always)]
    fn rows(tables: &Tables<'_>, classes: [u32; 2], vnic: u32, key: u32, way: usize) -> Self {
        if way == NO_WAY {
            return Self { way, ..Self::default() };
        }
        let Tables { index, of, .. } = *tables;
        // SAFETY: addresses are of classes that there are.
        let [source, destination] = unsafe { classes.map(|class| rows_of(of, class)) };
        Self {
            source: source[SOURCE],
            destination: destination[DESTINATION],
            service: index.services.row(key),
            applied: if index.restricted { index.applied_rows(vnic)[APPLIED] } else { 0 },
            way,
            signs: [source[SIGN], destination[SIGN]],
            ..Self::default()
        }
    }

    /// Those and the vNICs' list.
    #[inline(always)]
    fn of(tables: &Tables<'_>, classes: [u32; 2], vnic: u32, key: u32, way: usize) -> Self {
        let rows = Self::rows(tables, classes, vnic, key, way);
        if way == NO_WAY {
            return rows;
        }
        Self {
            list: tables.index.applied_rows(vnic)[LIST],
            key,
            carried: local::lane_of_service(key),
            unwanted: local::unwanted(way),
            classes,
            ..rows
        }
    }
}

/// Packets that are looked up together.
pub(super) trait Asked {
    /// Whether points have much beside the rows that headers meet.
    const LARGE: bool;

    /// How many.
    fn count(&self) -> usize;
    /// The rows that one of them meets.
    fn point(&self, tables: &Tables<'_>, at: usize) -> Point;
    /// Whether a rule wants what one of them carries.
    fn accepts(&self, at: usize, rule: &Rule) -> bool;
}

/// A packet on a vNIC.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OnVnic<'p> {
    /// The class of the vNIC.
    pub(crate) class: u32,
    /// Where the vNIC is at home, if the packet has its address at the end that is its own.
    pub(crate) home: u32,
    /// The class of that address.
    pub(crate) own: u32,
    pub(crate) key: Key<'p>,
    pub(crate) apart: Apart,
}

impl<'p> OnVnic<'p> {
    /// A packet on a vNIC of a class, whatever its addresses are.
    pub(crate) const fn away(class: u32, key: Key<'p>, apart: Apart) -> Self {
        Self { class, home: NO_HOME, own: STRANGER, key, apart }
    }
}

/// Whether a packet's verdict takes more than a lookup.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) enum Apart {
    /// It does not.
    #[default]
    No,
    /// Late rules may match.
    Late,
    /// It is not looked up at all.
    Alone,
}

/// Packets on vNICs that are looked up together.
pub(crate) trait OnVnics {
    /// How many.
    fn count(&self) -> usize;
    /// What one of them is looked up by.
    fn key(&self, at: usize) -> Key<'_>;
    /// One of them.
    fn at(&self, at: usize) -> OnVnic<'_>;
    /// Asks for the memory that tells of one that will be asked for later.
    fn ahead(&self, at: usize, fetch: impl Fn(*const u8));
}

/// Keys on vNICs of one class.
pub(super) struct Keys<'a, 'p>(pub(super) u32, pub(super) &'a [Key<'p>]);

impl Asked for Keys<'_, '_> {
    const LARGE: bool = true;

    fn count(&self) -> usize {
        self.1.len()
    }

    #[inline(always)]
    fn point(&self, tables: &Tables<'_>, at: usize) -> Point {
        OnVnic::away(self.0, self.1[at], Apart::No).point(tables)
    }

    #[cold]
    fn accepts(&self, at: usize, rule: &Rule) -> bool {
        rule.service.holds(rule.layer, self.1[at].packet)
    }
}

impl Asked for &[OnVnic<'_>] {
    const LARGE: bool = true;

    fn count(&self) -> usize {
        self.len()
    }

    #[inline(always)]
    fn point(&self, tables: &Tables<'_>, at: usize) -> Point {
        self[at].point(tables)
    }

    #[cold]
    fn accepts(&self, at: usize, rule: &Rule) -> bool {
        services::accepts(rule, self[at].key)
    }
}

impl OnVnic<'_> {
    /// The rows that the packet meets.
    #[inline(always)]
    fn point(self, tables: &Tables<'_>) -> Point {
        let Key { direction, packet } = self.key;
        let Some(ip) = &packet.ip else {
            return Point { way: NO_WAY, ..Point::default() };
        };
        let family = ip.family();
        let classes = [ip.src, ip.dst].map(|address| tables.index.addresses.class(address));
        let key = services::key_of(ip.transport, family);
        Point::of(tables, classes, self.class, key, way(direction, family))
    }

    /// What the rows that the packet meets are found by. Where the vNIC is at home one address is its own,
    /// and not looked up.
    #[inline(always)]
    pub(super) fn met(self, index: &Index) -> Met {
        let Key { direction, packet } = self.key;
        let Some(ip) = &packet.ip else {
            return Met { way: NO_WAY as u32, ..Met::default() };
        };
        let (family, addresses) = (ip.family(), &index.addresses);
        // Which end is whose can not be guessed, and is told without a branch.
        let sends = own_end(direction) == SOURCE;
        let [far, near] =
            [sends, !sends].map(|other| select_unpredictable(other, &ip.dst, &ip.src));
        let peer = addresses.class(*far);
        let known = self.own.min(addresses.classes.of.len() as u32 - 1);
        let own = if self.home == NO_HOME { addresses.class(*near) } else { known };
        let key = services::key_of(ip.transport, family);
        // At home the vNIC's own list is not asked for.
        let vnic = if self.home == NO_HOME || index.restricted { self.class } else { STRANGER };
        Met { peer, own, vnic, key, way: way(direction, family) as u32 }
    }
}

impl Asked for &[Header] {
    const LARGE: bool = false;

    fn count(&self) -> usize {
        self.len()
    }

    #[inline(always)]
    fn point(&self, tables: &Tables<'_>, at: usize) -> Point {
        let header = &self[at];
        let Tables { index, of, .. } = *tables;
        let table = &index.addresses.table;
        // SAFETY: the table's numbers are classes that there are.
        let (source, destination) = unsafe {
            let source = table.get_long(header.src);
            let destination = table.get_long(header.dst);
            (rows_of(of, source)[SOURCE], rows_of(of, destination)[DESTINATION])
        };
        Point {
            source,
            destination,
            service: index.services.row_of(header),
            way: way(direction(header), Family::V4),
            ..Point::default()
        }
    }

    #[cold]
    fn accepts(&self, at: usize, rule: &Rule) -> bool {
        rule.service.holds(rule.layer, &packet(&self[at]))
    }
}

fn direction(header: &Header) -> Direction {
    if header.kind.0 & Kind::DIRECTION == 0 { Direction::In } else { Direction::Out }
}

/// A packet of these headers, for rules that ask more than tables can tell.
fn packet(header: &Header) -> Packet {
    let Header { src_port, dst_port, .. } = *header;
    let low = |number: u16| u8::try_from(number & 0xff).unwrap_or(0);
    let protocol = low(header.kind.0 >> 2);
    let transport = match (header.kind.0 & Kind::BARE, protocol) {
        (0, 6) => Transport::Tcp { src_port, dst_port, flags: TcpFlags::default() },
        (0, 17) => Transport::Udp { src_port, dst_port },
        (0, 1) => Transport::Icmp { kind: low(src_port), code: low(dst_port), id: 0 },
        _ => Transport::Other(protocol),
    };
    let address = |number: u32| std::net::IpAddr::V4(number.into());
    Packet::ip(address(header.src), address(header.dst), transport)
}
