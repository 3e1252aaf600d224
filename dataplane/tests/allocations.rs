//! Judging allocates nothing.
#![cfg(test)]
#![allow(unsafe_code)] // A global allocator that counts is an unsafe trait.

use std::alloc::{GlobalAlloc, Layout, System};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicUsize, Ordering};

use dataplane::{
    Action, AppliedTo, Dataplane, Direction, Layer, Member, Packet, Peer, PortRange, Ports, Rule,
    RuleId, RuleProgram, Service, ServiceMatch, SetId, TcpFlags, Term, Verdict, VnicId,
};

struct Counting;

static CALLS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is the system allocator's; counting touches no memory of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.fetch_add(1, Ordering::Relaxed);
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
        id: RuleId(number.into()),
        layer: Layer::Ip,
        action: Action::Allow,
        direction: None,
        family: None,
        source: peer(number),
        destination: peer(number / 16),
        service: ServiceMatch::OneOf(vec![Service::Tcp(Ports::to([PortRange::from(
            u16::try_from(number % 4_000).unwrap(),
        )]))]),
        applied_to: AppliedTo::Everywhere,
        stateful: true,
        tcp_strict: false,
    });
    plane.load(RuleProgram { rules: rules.collect() });
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
        let before = CALLS.load(Ordering::Relaxed);
        plane.judge_batch(&asked, &mut verdicts);
        let different = asked
            .iter()
            .zip(&verdicts)
            .filter(|((vnic, way, packet), own)| plane.judge(*vnic, *way, packet) != **own)
            .count();
        let calls = CALLS.load(Ordering::Relaxed) - before;
        assert_eq!((different, calls), (0, 0), "{rules} rules");
    }
}
