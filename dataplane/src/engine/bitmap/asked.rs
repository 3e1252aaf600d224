//! What is looked up: keys of packets or parsed headers, and the rows that each of them meets.
#![allow(clippy::inline_always)] // Part of the one piece of code that runs for every packet.
#![allow(unsafe_code)] // Rows of classes are read unchecked; that there is such a class is plain here.

use super::addresses::{DESTINATION, SIGN, SOURCE, WANTED};
use super::classes::STRANGER;
use super::homes::NOWHERE as NO_HOME;
use super::index::{NO_WAY, way};
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
    /// Bits of what the rules listed by the destination want.
    pub(super) wanted: u32,
    /// The number of a row of ways.
    pub(super) way: usize,
    /// The labels of source and destination.
    pub(super) signs: [u32; 2],
    /// The vNIC's own list.
    pub(super) list: u32,
    /// What is carried, as a key and as a lane.
    pub(super) key: u32,
    pub(super) carried: u16,
    /// The list of the vNIC at home, where the packet has its address at the end that is its own.
    pub(super) home: Option<u32>,
    /// What source lanes may not have.
    pub(super) unwanted: u16,
    /// The classes of source and destination.
    pub(super) classes: [u32; 2],
}

impl Point {
    /// Which end is not the vNIC's own.
    #[inline(always)]
    pub(super) const fn peer(&self) -> usize {
        self.way >> 1 & 1
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
    pub(crate) key: Key<'p>,
    pub(crate) apart: Apart,
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
        let packet = OnVnic { class: self.0, home: NO_HOME, key: self.1[at], apart: Apart::No };
        packet.point(tables, packet.classes(tables))
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
        self[at].point(tables, self[at].classes(tables))
    }

    #[cold]
    fn accepts(&self, at: usize, rule: &Rule) -> bool {
        services::accepts(rule, self[at].key)
    }
}

impl OnVnic<'_> {
    /// The classes of source and destination.
    #[inline(always)]
    pub(super) fn classes(self, tables: &Tables<'_>) -> [u32; 2] {
        let Some(ip) = &self.key.packet.ip else { return [STRANGER; 2] };
        [ip.src, ip.dst].map(|address| tables.index.addresses.class(address))
    }

    /// The rows that the packet meets, whose ends are of these classes.
    #[inline(always)]
    pub(super) fn point(self, tables: &Tables<'_>, classes: [u32; 2]) -> Point {
        let Key { direction, packet } = self.key;
        let Some(ip) = &packet.ip else {
            return Point { way: NO_WAY, ..Point::default() };
        };
        let Tables { index, of, .. } = *tables;
        let family = ip.family();
        // SAFETY: addresses are of classes that there are.
        let [source, destination] = unsafe { classes.map(|class| rows_of(of, class)) };
        let key = services::key_of(ip.transport, family);
        let way = way(direction, family);
        let home = match self.home {
            NO_HOME => None,
            home => index.homes.lists.get(home as usize).map(|lists| lists[direction as usize]),
        };
        let [applied, list] = if home.is_none() || index.restricted {
            index.applied_rows(self.class)
        } else {
            [0; 2]
        };
        Point {
            source: source[SOURCE],
            destination: destination[DESTINATION],
            service: index.services.row(key),
            wanted: destination[WANTED],
            applied,
            way,
            signs: [source[SIGN], destination[SIGN]],
            list,
            key,
            carried: local::lane_of_service(key),
            home,
            unwanted: local::unwanted(way),
            classes,
        }
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
