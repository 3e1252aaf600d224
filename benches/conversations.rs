//! Packets of connections that are open, at one vNIC: how many a second with 10,000, 100,000 and
//! 1,000,000 of them; what opening one costs, with the table full or not; and what one costs in
//! memory.
//!
//! Every verdict is checked before anything is timed.

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use dataplane::{
    Config, Dataplane, Evidence, Guard, Packet, Path, Peer, ServiceMatch, TcpFlags, Time, Timers,
    VnicId,
};
use std::net::{Ipv4Addr, SocketAddr};

const VNIC: VnicId = VnicId(1);
const OUT: Path = Path { from: Some(VNIC), to: None };
const IN: Path = Path { from: None, to: Some(VNIC) };

/// A plane whose only vNIC may open this many connections to anybody.
fn plane(limit: usize) -> Dataplane {
    let (mut rules, _) = benches::grouped_rules(1);
    let mut plane = Dataplane::new(Config { flow_limit: limit, hash_seed: 7, ..Config::default() });
    plane.add_vnic(VNIC);
    let rules = rules.drain(..).map(|rule| {
        let mut rule = (*rule).clone();
        (rule.source, rule.destination) = (Peer::Any, Peer::Any);
        rule.service = ServiceMatch::Any;
        rule.action = dataplane::Action::Allow;
        rule
    });
    plane.load(rules.collect());
    plane
}

/// A segment of the connection of this number.
fn segment(number: u32, flags: TcpFlags) -> Packet {
    let to = SocketAddr::new(Ipv4Addr::from(0x0a00_0000 | number >> 4).into(), 443);
    let port = 49_152 + u16::try_from(number & 15).unwrap_or(0);
    Packet::tcp(SocketAddr::new(Ipv4Addr::new(10, 255, 0, 1).into(), port), to, flags)
}

/// All numbers below a power of ten, neighbours far from each other.
fn scattered(count: u32) -> impl Iterator<Item = u32> {
    let step = (u64::from(count) * 6 / 10) | 1;
    (0..u64::from(count)).map(move |at| u32::try_from(at * step % u64::from(count)).unwrap_or(0))
}

fn open(plane: &mut Dataplane, count: u32) {
    for number in 0..count {
        let ack = segment(number, TcpFlags::ACK);
        plane.transit(Time(0), OUT, &segment(number, TcpFlags::SYN));
        plane.transit(Time(0), IN, &segment(number, TcpFlags::SYN).reply());
        let transit = plane.transit(Time(0), OUT, &ack);
        let by = transit.outbound.map(|verdict| verdict.by);
        assert!(matches!(by, Some(Evidence::Flow(_))), "{number}: {by:?}");
    }
}

/// What is resident, in bytes.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split(' ').nth(1).and_then(|word| word.parse::<u64>().ok());
    pages.unwrap_or(0) * 4096
}

/// Whether this run is to measure; `cargo test` runs it small.
fn measures() -> bool {
    std::env::args().any(|word| word == "--bench")
}

fn established(c: &mut Criterion) {
    let counts: &[u32] = if measures() { &[10_000, 100_000, 1_000_000] } else { &[1_000] };
    let mut group = c.benchmark_group("established");
    for &count in counts {
        let before = resident();
        let mut plane = plane(2_000_000);
        open(&mut plane, count);
        let grown = resident().saturating_sub(before);
        println!("established/{count}: {} bytes a connection", grown / u64::from(count));
        let packets: Vec<Packet> =
            scattered(count).map(|number| segment(number, TcpFlags::ACK)).collect();
        group.throughput(Throughput::Elements(packets.len() as u64));
        group.sample_size(10);
        group.bench_function(BenchmarkId::from_parameter(count), |bench| {
            bench.iter(|| {
                let passed =
                    packets.iter().filter(|packet| plane.transit(Time(1), OUT, packet).delivered());
                assert_eq!(passed.count(), packets.len());
            });
        });
        let passed = plane.flows(VNIC).map(|flow| flow.sent.packets - 2).sum::<u64>();
        assert!(passed >= packets.len() as u64, "every packet met its connection");
    }
    group.finish();
}

/// A flood of opening segments, each of a connection of its own.
fn flood(c: &mut Criterion) {
    let (held, sent) = if measures() { (65_536, 65_536) } else { (100, 100) };
    let syns: Vec<Packet> = (0..held + sent).map(|number| segment(number, TcpFlags::SYN)).collect();
    let (first, second) = syns.split_at(held as usize);
    let full = || {
        let mut plane = plane(held as usize);
        for syn in first {
            assert!(plane.transit(Time(0), OUT, syn).delivered());
        }
        plane
    };
    let mut group = c.benchmark_group("flood");
    group.throughput(Throughput::Elements(u64::from(sent)));
    group.sample_size(10);
    for (name, now, refused) in
        [("full", Time(1), true), ("expired", Time(0) + Timers::default().tcp.first_packet, false)]
    {
        group.bench_function(name, |bench| {
            let flood = |mut plane: Dataplane| {
                for syn in second {
                    let by = plane.transit(now, OUT, syn).outbound.map(|verdict| verdict.by);
                    let full = matches!(by, Some(Evidence::Guard(Guard::StateLimit { .. })));
                    assert_eq!(full, refused, "{name}: {by:?}");
                }
                plane
            };
            bench.iter_batched(full, flood, BatchSize::PerIteration);
        });
    }
    group.finish();
}

criterion_group!(benches, established, flood);
criterion_main!(benches);
