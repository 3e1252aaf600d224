//! Counters.

use dataplane::{Config, Dataplane, Layer, Packet, Path, RuleCounters, RuleId, Time, VnicId};

use crate::text::{packet, program, rule};

const B: VnicId = VnicId(2);
const C: VnicId = VnicId(3);

fn plane(rules: &[&str]) -> Dataplane {
    let mut plane = Dataplane::default();
    plane.add_vnic(B);
    plane.add_vnic(C);
    plane.load(program(rules));
    plane
}

/// SYN, SYN+ACK and ACK between b and c, 60 bytes each.
fn connect(plane: &mut Dataplane) {
    let syn = packet("tcp 10.0.0.2:999 > 10.0.0.3:80 S").with_length(60);
    let ack: Packet = syn.reply().reply();
    for (path, packet) in
        [(Path::between(B, C), syn), (Path::between(C, B), syn.reply()), (Path::between(B, C), ack)]
    {
        assert!(plane.transit(Time(0), path, &packet).delivered());
    }
}

#[test]
fn one_connection_hits_its_rule_at_both_filters() {
    let mut plane = plane(&["allow from 10.0.0.2 to any", "drop from any to any"]);
    connect(&mut plane);
    let expected = RuleCounters {
        hits: 2,
        packets: 6,
        bytes: 360,
        sessions: 2,
        total_sessions: 2,
        max_sessions: 2,
    };
    assert_eq!(plane.counters(RuleId(1)), expected);
    assert_eq!(plane.counters(RuleId(2)), RuleCounters::default());
}

#[test]
fn every_refused_packet_is_a_hit() {
    let mut plane = plane(&["reject from any to any"]);
    for _ in 0..3 {
        plane.transit(Time(0), Path::between(B, C), &packet("tcp 10.0.0.2:9 > 10.0.0.3:80 S"));
    }
    let counters = plane.counters(RuleId(1));
    assert_eq!((counters.hits, counters.packets, counters.total_sessions), (3, 3, 0));
}

#[test]
fn the_rules_of_both_layers_count() {
    let mut plane = plane(&["allow eth from any to any", "allow from any to any"]);
    connect(&mut plane);
    assert_eq!(plane.counters(RuleId(1)).hits, 6);
    assert_eq!(plane.counters(RuleId(2)).hits, 2);
}

#[test]
fn a_guards_refusal_counts_on_no_rule() {
    let mut plane = plane(&["allow from any to any strict"]);
    plane.transit(Time(0), Path::between(B, C), &packet("tcp 10.0.0.2:9 > 10.0.0.3:80 A"));
    assert_eq!(plane.counters(RuleId(1)), RuleCounters::default());
}

#[test]
fn counters_survive_a_load_that_keeps_the_rule() {
    let mut plane = plane(&["allow from any to any", "drop from any to any"]);
    connect(&mut plane);
    let before = plane.counters(RuleId(1));
    let rules = [rule(7, "drop in from any to any svc udp"), rule(1, "allow from any to any")];
    plane.load(rules.into_iter().collect());
    assert_eq!(plane.counters(RuleId(1)), before);
    plane.load(program(&[]));
    assert_eq!(plane.counters(RuleId(1)), RuleCounters::default());
}

#[test]
fn a_rule_that_comes_back_finds_the_flows_it_admitted() {
    let mut plane = Dataplane::new(Config { revalidate_flows: false, ..Config::default() });
    plane.add_vnic(B);
    plane.add_vnic(C);
    let rules = program(&["allow from any to any"]);
    plane.load(rules.clone());
    connect(&mut plane);
    plane.load(program(&[]));
    plane.load(rules);
    let counters = plane.counters(RuleId(1));
    assert_eq!((counters.sessions, counters.max_sessions, counters.hits), (2, 2, 0));
    plane.remove_vnic(B);
    assert_eq!(plane.counters(RuleId(1)).sessions, 1);
    plane.expire(Time::NEVER);
    assert_eq!(plane.counters(RuleId(1)).sessions, 0);
}

#[test]
fn a_reset_is_by_layer_and_keeps_open_sessions() {
    let mut plane = plane(&["allow eth from any to any", "allow from any to any"]);
    connect(&mut plane);
    plane.reset_counters(Some(Layer::Ip));
    let open = RuleCounters { sessions: 2, max_sessions: 2, ..RuleCounters::default() };
    assert_eq!(plane.counters(RuleId(2)), open);
    assert_eq!(plane.counters(RuleId(1)).hits, 6);
    plane.reset_counters(None);
    assert_eq!(plane.counters(RuleId(1)), RuleCounters::default());
}
