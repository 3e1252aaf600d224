//! What is looked up: keys of packets or parsed headers, and the rows that each of them meets.
#![allow(clippy::inline_always)] // Part of the one piece of code that runs for every packet.
#![allow(unsafe_code)] // Rows of classes are read unchecked; that there is such a class is plain here.

use super::addresses::{DESTINATION, SIGN, SOURCE};
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

/// Packets that are looked up together.
pub(super) trait Asked {
    /// Whether each is asked about on a vNIC, which may have rules of its own.
    const OF_VNICS: bool;

    /// How many.
    fn count(&self) -> usize;
    /// The rows that one of them meets.
    fn point(&self, tables: &Tables<'_>, at: usize) -> Point;
    /// Whether a rule wants what one of them carries.
    fn accepts(&self, at: usize, rule: &Rule) -> bool;
}

/// Keys on vNICs of one class.
pub(super) struct Keys<'a, 'p>(pub(super) u32, pub(super) &'a [Key<'p>]);

impl Asked for Keys<'_, '_> {
    const OF_VNICS: bool = true;

    fn count(&self) -> usize {
        self.1.len()
    }

    #[inline(always)]
    fn point(&self, tables: &Tables<'_>, at: usize) -> Point {
        let Key { direction, packet } = self.1[at];
        let Some(ip) = &packet.ip else {
            return Point { way: NO_WAY, ..Point::default() };
        };
        let Tables { index, of, .. } = *tables;
        let family = ip.family();
        let classes = [ip.src, ip.dst].map(|address| index.addresses.class(address));
        // SAFETY: addresses are of classes that there are.
        let [source, destination] = unsafe { classes.map(|class| rows_of(of, class)) };
        let key = services::key_of(ip.transport, family);
        let way = way(direction, family);
        let [applied, list] = index.applied_rows(self.0);
        Point {
            source: source[SOURCE],
            destination: destination[DESTINATION],
            service: index.services.row(ip.transport, family),
            applied,
            way,
            signs: [source[SIGN], destination[SIGN]],
            list,
            key,
            carried: local::lane_of_service(key),
            unwanted: local::unwanted(way),
            classes,
        }
    }

    #[cold]
    fn accepts(&self, at: usize, rule: &Rule) -> bool {
        rule.service.holds(rule.layer, self.1[at].packet)
    }
}

impl Asked for &[(u32, Key<'_>)] {
    const OF_VNICS: bool = true;

    fn count(&self) -> usize {
        self.len()
    }

    #[inline(always)]
    fn point(&self, tables: &Tables<'_>, at: usize) -> Point {
        let (class, key) = self[at];
        Keys(class, &[key]).point(tables, 0)
    }

    #[cold]
    fn accepts(&self, at: usize, rule: &Rule) -> bool {
        rule.service.holds(rule.layer, self[at].1.packet)
    }
}

impl Asked for &[Header] {
    const OF_VNICS: bool = false;

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
