//! Verdicts per second of every engine at 10, 100 and 1,000 rules between groups.
//!
//! Every answer is checked before anything is timed.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use dataplane::engine::RuleList;
use dataplane::{Direction, EngineKind, Key, Packet};

fn key(packet: &Packet) -> Key<'_> {
    Key { direction: Direction::Out, packet }
}

fn classify(c: &mut Criterion) {
    let mut group = c.benchmark_group("classify");
    for count in [10, 100, 1_000] {
        let (rules, sets) = benches::grouped_rules(count);
        let rules: RuleList = rules.into();
        let packets = benches::packets(count, 1_024);
        group.throughput(Throughput::Elements(packets.len() as u64));
        for kind in EngineKind::ALL {
            let engine = kind.build_or_walk(rules.clone());
            for (packet, expected) in &packets {
                let found = engine.classify(&sets, key(packet));
                assert_eq!(found, Some(*expected), "{kind:?} at {count} rules: {packet:?}");
            }
            group.bench_function(BenchmarkId::new(format!("{kind:?}"), count), |bench| {
                bench.iter(|| {
                    packets
                        .iter()
                        .filter_map(|(packet, _)| engine.classify(&sets, key(packet)))
                        .sum::<usize>()
                });
            });
        }
    }
    group.finish();
}

criterion_group!(benches, classify);
criterion_main!(benches);
