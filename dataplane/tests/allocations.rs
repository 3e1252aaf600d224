//! Judging and looking up allocate nothing.
#![cfg(test)]
#![allow(unsafe_code)] // A global allocator that counts is an unsafe trait.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::{IpAddr, Ipv4Addr};

use dataplane::engine::tuple::{
    Carried, Filter, FlowCache, Header, HeaderClassifier, Kind, Live, NONE, Place, Scan, Span,
};
use dataplane::{
    Action, Dataplane, Direction, EngineKind, Member, Packet, Peer, PortRange, Ports, Rule, RuleId,
    Service, ServiceMatch, SetId, TcpFlags, Term, Verdict, VnicId,
};

struct Counting;

thread_local! {
    /// This thread's, for tests run beside each other.
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

/// How often this thread asks for memory while it does something.
fn calls(work: impl FnOnce()) -> usize {
    let before = CALLS.get();
    work();
    CALLS.get() - before
}

// SAFETY: everything is the system allocator's; counting touches no memory of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.set(CALLS.get() + 1);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn address(number: u32) -> IpAddr {
    Ipv4Addr::from(0x0a00_0000 + number).into()
}

fn plane(rules: u32) -> Dataplane {
    let mut plane = Dataplane::default();
    plane.add_vnic(VnicId(1));
    for number in 0..256 {
        plane.add_member(SetId(number % 16), Member::from(address(number)));
    }
    let peer = |set: u32| Peer::OneOf { terms: vec![Term::Set(SetId(set % 16))], negated: false };
    let rules = (0..rules).map(|number| Rule {
        action: Action::Allow,
        source: peer(number),
        destination: peer(number / 16),
        service: ServiceMatch::OneOf(vec![Service::Tcp(Ports::to([PortRange::from(
            u16::try_from(number % 4_000).unwrap(),
        )]))]),
        ..Rule::drop_all(RuleId(number.into()))
    });
    plane.load(rules.collect());
    plane
}

#[test]
fn judging_allocates_nothing_one_by_one_or_in_batches() {
    // The walk, one line, three lines, packed rows.
    for rules in [3, 300, 1_200, 6_000] {
        let plane = plane(rules);
        let packets: Vec<Packet> = (0..500_u32)
            .map(|number| {
                let port = u16::try_from(number % 300).unwrap();
                let (from, to) = (address(number % 300), address(number / 2));
                Packet::tcp((from, 999).into(), (to, port).into(), TcpFlags::SYN)
            })
            .collect();
        let asked: Vec<_> =
            packets.iter().map(|packet| (VnicId(1), Direction::In, packet)).collect();
        let mut verdicts: Vec<Verdict> = Vec::with_capacity(asked.len());
        let mut different = 0;
        let calls = calls(|| {
            plane.judge_batch(&asked, &mut verdicts);
            different = asked
                .iter()
                .zip(&verdicts)
                .filter(|((vnic, way, packet), own)| plane.judge(*vnic, *way, packet) != **own)
                .count();
        });
        assert_eq!((different, calls), (0, 0), "{rules} rules");
    }
}

/// Filters between few networks and hosts, each with a port.
fn filters(count: u32) -> Vec<Filter> {
    let filter = |rank: u32| Filter {
        src: Span::<u32>::prefix((rank % 7) << 24, 8),
        dst: Span::<u32>::prefix((rank % 61) << 8, if rank.is_multiple_of(3) { 24 } else { 32 }),
        carried: Carried {
            dst_port: Span { first: u16::try_from(rank % 97).unwrap(), last: 100 },
            kind_mask: Kind::PROTOCOL,
            kind: 6 << 2,
            ..Carried::ANY
        },
        rank,
    };
    (0..count).map(filter).collect()
}

#[test]
fn looking_headers_up_allocates_nothing_whatever_the_engine_cached_and_edited() {
    let filters = filters(600);
    let headers: Vec<Header> = (0..3_000_u32)
        .map(|number| {
            let port = u16::try_from(number % 110).unwrap();
            Header::new((number % 8) << 24, (number % 64) << 8, 9, port, Kind(6 << 2))
        })
        .collect();
    let (mut expected, mut ranks) = (vec![NONE; headers.len()], vec![NONE; headers.len()]);
    let scan = Scan::new(filters.clone());
    assert_eq!(calls(|| scan.classify_headers(&headers, &mut expected)), 0);
    for kind in [EngineKind::Crossed, EngineKind::Paired, EngineKind::Forest] {
        let engine = kind.build_for_headers(&filters).unwrap();
        assert_eq!(calls(|| engine.classify_headers(&headers, &mut ranks)), 0, "{kind}");
        assert_eq!(ranks, expected, "{kind}");
        let mut cache = FlowCache::new(500, 1);
        for round in ["missing", "kept or pushed out"] {
            let work = || cache.classify_headers(&*engine, &headers, &mut ranks);
            assert_eq!(calls(work), 0, "{kind}, {round}");
            assert_eq!(ranks, expected, "{kind}, {round}");
        }
        let rules = (0..).map(RuleId).zip(filters.iter().map(|filter| vec![*filter]));
        let mut live = Live::new(kind, rules).unwrap();
        for rule in 0..20 {
            live.shift(RuleId(rule * 7), Place::Last).unwrap();
        }
        let mut reader = live.reader();
        assert_eq!(calls(|| reader.tables().classify_headers(&headers, &mut ranks)), 0, "{kind}");
    }
}
