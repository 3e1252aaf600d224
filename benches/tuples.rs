//! Answers per second of the five-tuple engines: per profile and size, IPv4 headers and IPv6 packets.
//!
//! Every answer is checked against the scan before anything is timed.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use dataplane::engine::RuleList;
use dataplane::engine::tuple::{FlowCache, HeaderClassifier, Live, NONE, Place, Scan};
use dataplane::{AddressSets, Direction, EngineKind, Key, RuleId};
use fixtures::tuples::{Profile, filters, headers, v6_packets, v6_rules, zipf};

/// Headers of a trace.
const HEADERS: usize = 4_096;

/// Sizes of lists: small where `cargo test` runs each bench once.
fn sizes() -> &'static [u32] {
    if std::env::args().any(|arg| arg == "--bench") { &[1_000, 10_000, 100_000] } else { &[200] }
}

/// Engine by profile, size and trace: headers drawn evenly, and the flows of these by Zipf's law. A cache
/// for as many flows answers beside the engine that suits the size.
fn tuples(c: &mut Criterion) {
    let mut group = c.benchmark_group("tuples");
    group.throughput(Throughput::Elements(HEADERS as u64));
    for profile in Profile::ALL {
        for count in sizes() {
            let filters = filters(*profile, *count, 1);
            let scan = Scan::new(filters.clone());
            let even = headers(&filters, HEADERS, 2);
            let traces = [("zipf", zipf(&even, 3)), ("even", even)];
            for (trace, headers) in &traces {
                let mut expected = vec![NONE; HEADERS];
                scan.classify_headers(headers, &mut expected);
                let mut ranks = vec![NONE; HEADERS];
                for kind in [EngineKind::Crossed, EngineKind::Paired, EngineKind::Forest] {
                    // Crossed tables may say that they can not.
                    let Ok(engine) = kind.build_for_headers(&filters) else { continue };
                    engine.classify_headers(headers, &mut ranks);
                    assert_eq!(ranks, expected, "{kind} of {count} {profile:?}, {trace}");
                    let name = format!("{kind}/{profile:?}/{trace}");
                    group.bench_function(BenchmarkId::new(name, count), |b| {
                        b.iter(|| engine.classify_headers(headers, &mut ranks));
                    });
                }
                let Ok(engine) = EngineKind::Auto.build_for_headers(&filters) else { continue };
                let mut cache = FlowCache::new(HEADERS, 1);
                for pass in ["filling", "filled"] {
                    cache.classify_headers(&*engine, headers, &mut ranks);
                    assert_eq!(ranks, expected, "cache of {count} {profile:?}, {trace}, {pass}");
                }
                let name = format!("cache/{profile:?}/{trace}");
                group.bench_function(BenchmarkId::new(name, count), |b| {
                    b.iter(|| cache.classify_headers(&*engine, headers, &mut ranks));
                });
            }
        }
    }
    group.finish();
}

fn ipv6(c: &mut Criterion) {
    let mut group = c.benchmark_group("tuples of IPv6");
    group.throughput(Throughput::Elements(HEADERS as u64));
    for count in sizes() {
        let filters = filters(Profile::Acl, *count, 1);
        let rules: RuleList = v6_rules(&filters).into();
        let packets = v6_packets(&headers(&filters, HEADERS, 2));
        let key = |packet| Key { direction: Direction::In, packet };
        let keys: Vec<Key<'_>> = packets.iter().map(key).collect();
        let (sets, mut found) = (AddressSets::default(), Vec::new());
        let walk = EngineKind::Walk.build_or_walk(rules.clone());
        let Ok(engine) = EngineKind::Forest.build(rules) else { continue };
        engine.classify_batch(&sets, &keys, &mut found);
        // The walk takes its time: a part of the packets tells.
        for at in (0..HEADERS).step_by(64) {
            assert_eq!(found[at], walk.classify(&sets, keys[at]), "of {count}");
        }
        group.bench_function(BenchmarkId::new("forest/Acl", count), |b| {
            b.iter(|| engine.classify_batch(&sets, &keys, &mut found));
        });
    }
    group.finish();
}

/// Rules that change: an edit, and lookups beside as many as are made before tables are built anew.
fn edits(c: &mut Criterion) {
    let mut group = c.benchmark_group("edits of tuples");
    for count in sizes() {
        let filters = filters(Profile::Acl, *count, 1);
        let headers = headers(&filters, HEADERS, 2);
        let rules = (0..).map(RuleId).zip(filters.iter().map(|filter| vec![*filter]));
        let Ok(mut live) = Live::new(EngineKind::Forest, rules) else { continue };
        let (mut reader, mut places) = (live.reader(), vec![NONE; HEADERS]);
        let spare = RuleId(u64::from(*count));
        let (mut at, mut some) = (0, filters.iter().cycle());
        group.bench_function(BenchmarkId::new("a rule in and out", count), |b| {
            b.iter(|| {
                at = (at + 7_919) % u64::from(*count);
                let filter = some.by_ref().next().copied();
                let place = Place::Before(RuleId(at));
                assert_eq!(live.insert(spare, place, filter.as_slice()), Ok(()));
                assert_eq!(live.remove(spare), Ok(()));
            });
        });
        let Ok(rebuilt) = live.rebuild().run() else { continue };
        assert!(live.adopt(rebuilt));
        group.throughput(Throughput::Elements(HEADERS as u64));
        group.bench_function(BenchmarkId::new("lookups, no edits", count), |b| {
            b.iter(|| reader.tables().classify_headers(&headers, &mut places));
        });
        for number in 0.. {
            if live.wants_rebuild() {
                break;
            }
            at = (at + 7_919) % u64::from(*count);
            assert_eq!(live.shift(RuleId(at), Place::First), Ok(()), "{number}");
        }
        group.bench_function(BenchmarkId::new("lookups, many edits", count), |b| {
            b.iter(|| reader.tables().classify_headers(&headers, &mut places));
        });
        group.throughput(Throughput::Elements(1));
    }
    group.finish();
}

criterion_group!(benches, tuples, ipv6, edits);
criterion_main!(benches);
