//! A rule list served by a five-tuple engine.

use std::net::IpAddr;

use super::expand::{Wide, expand};
use super::header::icmp_protocol;
use super::places::Places;
use super::{Filter, Header, HeaderClassifier, Kind, NONE};
use crate::engine::{Classifier, EngineKind, RuleList, Unsupported};
use crate::matching::Key;
use crate::{AddressSets, Direction, Family, IpHeader, Transport};

/// Serves the IP rules of a list that name no address set, with tables of their own for either IP
/// version.
#[derive(Debug)]
pub(crate) struct TupleLists {
    rules: RuleList,
    v4: Box<dyn HeaderClassifier>,
    v6: Box<dyn HeaderClassifier>,
    places: Places,
    kind: EngineKind,
}

/// Keys that are looked up together: enough for engines that work on many headers abreast.
const BATCH: usize = 128;

/// Where a key is looked up.
enum Way {
    V4(Header),
    /// The header is without addresses, whose places are not known yet.
    V6(Header, [u128; 2]),
    /// No table answers: not IP, or addresses of two families.
    Walk,
}

impl TupleLists {
    /// Tables of a kind for the rules.
    pub(crate) fn new(rules: RuleList, kind: EngineKind) -> Result<Self, Unsupported> {
        let tables = |filters: &[Filter]| {
            // Without filters there is nothing to look up.
            if filters.is_empty() { EngineKind::Walk } else { kind }.build_for_headers(filters)
        };
        let refs = || rules.iter().map(AsRef::as_ref);
        let v4 = expand(refs(), Family::V4)?;
        let v4: Vec<Filter> = v4.iter().map(Wide::narrow).collect();
        let (places, v6) = Places::of(&expand(refs(), Family::V6)?)?;
        let (v4, v6) = (tables(&v4)?, tables(&v6)?);
        Ok(Self { rules, v4, v6, places, kind })
    }

    fn way(key: Key<'_>) -> Way {
        let Some(ip) = &key.packet.ip else { return Way::Walk };
        match (ip.src, ip.dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => {
                Way::V4(header(key.direction, ip, src.into(), dst.into()))
            }
            (IpAddr::V6(src), IpAddr::V6(dst)) => {
                Way::V6(header(key.direction, ip, 0, 0), [src.into(), dst.into()])
            }
            _ => Way::Walk,
        }
    }

    fn walk(&self, sets: &AddressSets, key: Key<'_>) -> Option<usize> {
        self.rules.iter().position(|rule| rule.matches(sets, key))
    }
}

fn header(direction: Direction, ip: &IpHeader, src: u32, dst: u32) -> Header {
    let headed = |protocol| Kind::new(direction, protocol, false);
    let (src_port, dst_port, kind) = match ip.transport {
        Transport::Tcp { src_port, dst_port, .. } => (src_port, dst_port, headed(6)),
        Transport::Udp { src_port, dst_port } => (src_port, dst_port, headed(17)),
        Transport::Icmp { kind, code, .. } => {
            (kind.into(), code.into(), headed(icmp_protocol(ip.family())))
        }
        Transport::Other(protocol) => (0, 0, Kind::new(direction, protocol, true)),
    };
    Header::new(src, dst, src_port, dst_port, kind)
}

/// A rank is a rule's place in its list.
fn found(rank: u32) -> Option<usize> {
    (rank != NONE).then_some(rank as usize)
}

impl Classifier for TupleLists {
    fn classify(&self, sets: &AddressSets, key: Key<'_>) -> Option<usize> {
        let mut rank = [NONE];
        match Self::way(key) {
            Way::V4(header) => self.v4.classify_headers(&[header], &mut rank),
            Way::V6(mut header, ends) => {
                [header.src, header.dst] = ends.map(|address| self.places.place(address));
                self.v6.classify_headers(&[header], &mut rank);
            }
            Way::Walk => return self.walk(sets, key),
        }
        found(rank[0])
    }

    fn classify_batch(
        &self,
        sets: &AddressSets,
        keys: &[Key<'_>],
        answers: &mut Vec<Option<usize>>,
    ) {
        answers.clear();
        let mut ranks = [NONE; BATCH];
        let mut v4 = Gathered::default();
        let mut v6 = Gathered::default();
        let (mut ends, mut found_places) = ([0; 2 * BATCH], [0; 2 * BATCH]);
        for keys in keys.chunks(BATCH) {
            let start = answers.len();
            for (at, key) in keys.iter().enumerate() {
                answers.push(None);
                match Self::way(*key) {
                    Way::V4(header) => v4.push(header, start + at),
                    Way::V6(header, own) => {
                        (ends[2 * v6.count], ends[2 * v6.count + 1]) = own.into();
                        v6.push(header, start + at);
                    }
                    Way::Walk => answers[start + at] = self.walk(sets, *key),
                }
            }
            let places = &mut found_places[..2 * v6.count];
            self.places.places(&ends[..places.len()], places);
            for (header, place) in v6.headers.iter_mut().zip(places.as_chunks().0) {
                [header.src, header.dst] = *place;
            }
            for (gathered, tables) in [(&mut v4, &self.v4), (&mut v6, &self.v6)] {
                let (headers, places) = gathered.take();
                tables.classify_headers(headers, &mut ranks);
                for (place, rank) in places.iter().zip(ranks) {
                    answers[*place] = found(rank);
                }
            }
        }
    }

    fn kind(&self) -> EngineKind {
        self.kind
    }

    fn memory(&self) -> usize {
        self.v4.memory() + self.v6.memory() + self.places.bytes()
    }
}

/// The headers of a batch that go to one table, and the places of their answers.
struct Gathered {
    headers: [Header; BATCH],
    places: [usize; BATCH],
    count: usize,
}

impl Default for Gathered {
    fn default() -> Self {
        Self { headers: [Header::default(); BATCH], places: [0; BATCH], count: 0 }
    }
}

impl Gathered {
    fn push(&mut self, header: Header, place: usize) {
        self.headers[self.count] = header;
        self.places[self.count] = place;
        self.count += 1;
    }

    fn take(&mut self) -> (&[Header], &[usize]) {
        let count = std::mem::take(&mut self.count);
        (&self.headers[..count], &self.places[..count])
    }
}
