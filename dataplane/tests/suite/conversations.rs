//! Flows: who may open one, what it admits, and when it is forgotten.

use dataplane::{
    Action, Config, Dataplane, Evidence, Fragment, Frame, Guard, IpHeader, Outcome, Path, RuleId,
    SessionState, Tally, TcpSide, Time, Transit, VnicId,
};

use crate::text::{packet, program};

const A: VnicId = VnicId(1);
const OUT: Path = Path { from: Some(A), to: None };
const IN: Path = Path { from: None, to: Some(A) };

/// One filter, so that every transit is one verdict.
struct Bench {
    plane: Dataplane,
    now: Time,
}

impl Bench {
    fn new(rules: &[&str]) -> Self {
        Self::with(Config::default(), rules)
    }

    fn with(config: Config, rules: &[&str]) -> Self {
        let mut plane = Dataplane::new(config);
        plane.add_vnic(A);
        plane.load(program(rules));
        Self { plane, now: Time(0) }
    }

    fn wait(&mut self, millis: u64) {
        self.now = Time(self.now.0 + millis);
    }

    fn send(&mut self, path: Path, text: &str) -> (Action, Evidence) {
        decision(self.plane.transit(self.now, path, &packet(text)))
    }

    /// Sends an ICMP error that quotes the header of another one.
    fn report(&mut self, path: Path, text: &str, quoted: &str) -> (Action, Evidence) {
        let frame = Frame { reports: packet(quoted).ip, ..packet(text).into() };
        decision(self.plane.transit_frame(self.now, path, &frame))
    }

    /// Sends a packet as a fragment.
    fn piece(&mut self, path: Path, text: &str, id: u32, first: bool) -> (Action, Evidence) {
        let fragment = Some(Fragment { id, first });
        let frame = Frame { fragment, ..packet(text).into() };
        decision(self.plane.transit_frame(self.now, path, &frame))
    }
}

fn decision(transit: Transit) -> (Action, Evidence) {
    let verdict = transit.inbound.or(transit.outbound).unwrap();
    (verdict.action, verdict.by)
}

const fn by_rule(id: u64) -> (Action, Evidence) {
    (Action::Allow, Evidence::Rule(RuleId(id)))
}

const fn by_flow(id: u64) -> (Action, Evidence) {
    (Action::Allow, Evidence::Flow(RuleId(id)))
}

const fn dropped(id: u64) -> (Action, Evidence) {
    (Action::Drop, Evidence::Rule(RuleId(id)))
}

const fn guarded(guard: Guard) -> (Action, Evidence) {
    (Action::Drop, Evidence::Guard(guard))
}

#[test]
fn replies_and_later_packets_ride_on_the_flow() {
    let mut bench = Bench::new(&["allow out from any to any svc tcp:80", "drop from any to any"]);
    assert_eq!(bench.send(OUT, "tcp 10.0.0.1:999 > 10.0.0.2:80 S"), by_rule(1));
    assert_eq!(bench.send(IN, "tcp 10.0.0.2:80 > 10.0.0.1:999 SA"), by_flow(1));
    assert_eq!(bench.send(OUT, "tcp 10.0.0.1:999 > 10.0.0.2:80 A"), by_flow(1));
    assert_eq!(bench.send(IN, "tcp 10.0.0.2:80 > 10.0.0.1:998 SA"), dropped(2));
}

#[test]
fn a_packet_of_the_flow_going_the_wrong_way_is_a_stranger() {
    let mut bench = Bench::new(&["allow out from any to any", "drop from any to any"]);
    assert_eq!(bench.send(OUT, "udp 10.0.0.1:9 > 10.0.0.2:53"), by_rule(1));
    assert_eq!(bench.send(IN, "udp 10.0.0.1:9 > 10.0.0.2:53"), dropped(2));
}

#[test]
fn pings_go_by_id_and_only_replies_come_back() {
    let mut bench = Bench::new(&["allow out from any to any", "drop from any to any"]);
    assert_eq!(bench.send(OUT, "icmp 10.0.0.1 > 10.0.0.2 8/0 7"), by_rule(1));
    assert_eq!(bench.send(IN, "icmp 10.0.0.2 > 10.0.0.1 0/0 7"), by_flow(1));
    assert_eq!(bench.send(IN, "icmp 10.0.0.2 > 10.0.0.1 0/0 8"), dropped(2));
    assert_eq!(bench.send(IN, "icmp 10.0.0.2 > 10.0.0.1 8/0 7"), dropped(2));
}

#[test]
fn icmp_errors_open_no_flow() {
    let mut bench = Bench::new(&["allow from any to any"]);
    for _ in 0..2 {
        assert_eq!(bench.send(OUT, "icmp 10.0.0.1 > 10.0.0.2 3/13 0"), by_rule(1));
    }
    assert_eq!(bench.plane.flows(A).count(), 0);
}

#[test]
fn an_icmp_error_belongs_to_the_conversation_that_it_reports_on() {
    let mut bench = Bench::new(&["allow out from any to any", "drop from any to any"]);
    let (syn, error) = ("tcp 10.0.0.1:9 > 10.0.0.2:80 S", "icmp 10.9.0.1 > 10.0.0.1 11/0 0");
    assert_eq!(bench.report(IN, error, syn), dropped(2), "nobody has said anything yet");
    assert_eq!(bench.send(OUT, syn), by_rule(1));
    assert_eq!(bench.report(IN, error, syn), by_flow(1));
    assert_eq!(bench.report(IN, error, "tcp 10.0.0.1:9 > 10.0.0.2:81 S"), dropped(2));
    assert_eq!(bench.report(IN, error, "tcp 10.0.0.2:80 > 10.0.0.1:9 A"), dropped(2), "its own");
    let astray = "icmp 10.9.0.1 > 10.0.0.3 11/0 0";
    assert_eq!(bench.report(IN, astray, syn), dropped(2), "not to the sender");
    let redirect = "icmp 10.9.0.1 > 10.0.0.1 5/0 0";
    assert_eq!(bench.report(IN, redirect, syn), dropped(2));
    assert_eq!(bench.send(IN, error), dropped(2), "it quotes nothing");
    let flow = bench.plane.flows(A).next().unwrap();
    assert_eq!((flow.received.packets, flow.expires), (1, Time(120_000)));
}

#[test]
fn an_icmp_error_about_a_query_shortens_its_life() {
    let mut bench = Bench::new(&["allow out from any to any", "drop from any to any"]);
    let ping = "icmp fd00::1 > fd00::2 128/0 7";
    assert_eq!(bench.send(OUT, ping), by_rule(1));
    assert_eq!(bench.report(IN, "icmp fd00::9 > fd00::1 1/0 0", ping), by_flow(1));
    assert_eq!(bench.plane.flows(A).next().unwrap().expires, Time(10_000));
}

#[test]
fn later_fragments_fare_as_the_first() {
    let rules = ["allow out from any to any svc udp:53", "reject from any to any"];
    for (port, first, later) in [
        (53, by_rule(1), by_flow(1)),
        (54, (Action::Reject, Evidence::Rule(RuleId(2))), dropped(2)),
    ] {
        let mut bench = Bench::new(&rules);
        let start = format!("udp 10.0.0.1:9 > 10.0.0.2:{port}");
        let rest = "proto17 10.0.0.1 > 10.0.0.2";
        assert_eq!(bench.piece(OUT, rest, 7, false), dropped(2), "the first is not known");
        assert_eq!(bench.piece(OUT, &start, 7, true), first);
        assert_eq!(bench.piece(OUT, rest, 7, false), later);
        assert_eq!(bench.piece(OUT, rest, 8, false), dropped(2), "another datagram");
        assert_eq!(bench.piece(IN, rest, 7, false), dropped(2), "the other way");
        bench.wait(29_999);
        assert_eq!(bench.piece(OUT, rest, 7, false), later);
        bench.wait(1);
        assert_eq!(bench.piece(OUT, rest, 7, false), dropped(2), "forgotten");
    }
}

#[test]
fn a_later_fragment_opens_no_flow() {
    let mut bench = Bench::new(&["allow from any to any"]);
    assert_eq!(bench.piece(OUT, "proto17 10.0.0.1 > 10.0.0.2", 7, false), by_rule(1));
    assert_eq!(bench.plane.flows(A).count(), 0);
}

#[test]
fn a_flood_fills_the_table_and_no_more_and_what_is_open_goes_on() {
    let config = Config { flow_limit: 1_000, hash_seed: 7, ..Config::default() };
    let mut bench = Bench::with(config, &["allow from any to any"]);
    let (open, answer) = ("tcp 10.0.0.1:9 > 10.0.0.2:80 S", "tcp 10.0.0.2:80 > 10.0.0.1:9 SA");
    for (path, text) in [(OUT, open), (IN, answer), (OUT, "tcp 10.0.0.1:9 > 10.0.0.2:80 A")] {
        assert_eq!(bench.send(path, text).0, Action::Allow);
    }
    let flood = |bench: &mut Bench, count: u32| {
        let passed = (0..count).filter(|number| {
            let [.., a, b] = number.to_be_bytes();
            let syn = packet(&format!("tcp 10.1.{a}.{b}:1 > 10.0.0.1:80 S"));
            bench.plane.transit(bench.now, IN, &syn).delivered()
        });
        passed.count()
    };
    assert_eq!(flood(&mut bench, 3_000), 999);
    assert_eq!(bench.plane.flows(A).count(), 1_000);
    assert_eq!(bench.send(IN, "tcp 10.0.0.2:80 > 10.0.0.1:9 A"), by_flow(1));
    bench.wait(120_000);
    assert_eq!(flood(&mut bench, 3_000), 999, "the first flood is over");
    bench.wait(120_000);
    assert_eq!(flood(&mut bench, 100), 100);
    // Each takes the place of the ended one on its ports and clears away two others: none piles up,
    // though nobody asked for it.
    assert_eq!(bench.plane.flows(A).count(), 1_000 - 2 * 100);
    assert_eq!(bench.send(IN, "tcp 10.0.0.2:80 > 10.0.0.1:9 A"), by_flow(1));
}

#[test]
fn a_stateless_rule_judges_every_packet() {
    let mut bench = Bench::new(&["allow out from any to any stateless", "drop from any to any"]);
    for _ in 0..2 {
        assert_eq!(bench.send(OUT, "tcp 10.0.0.1:999 > 10.0.0.2:80 S"), by_rule(1));
        assert_eq!(bench.send(IN, "tcp 10.0.0.2:80 > 10.0.0.1:999 SA"), dropped(2));
    }
}

#[test]
fn neither_refusal_nor_the_end_of_the_list_opens_a_flow() {
    for rules in [&["drop from any to any"][..], &["reject from any to any"], &[]] {
        let mut bench = Bench::new(rules);
        bench.send(OUT, "udp 10.0.0.1:9 > 10.0.0.2:53");
        assert_eq!(bench.plane.flows(A).count(), 0, "{rules:?}");
    }
}

#[test]
fn without_strictness_a_session_is_picked_up_midway() {
    let mut bench = Bench::new(&["allow out from any to any", "drop from any to any"]);
    assert_eq!(bench.send(OUT, "tcp 10.0.0.1:999 > 10.0.0.2:80 A"), by_rule(1));
    assert_eq!(bench.send(IN, "tcp 10.0.0.2:80 > 10.0.0.1:999 A"), by_flow(1));
}

#[test]
fn strictness_insists_on_syn_for_tcp_alone() {
    let mut bench = Bench::new(&["allow from any to any strict"]);
    let mismatch = guarded(Guard::StateMismatch { rule: RuleId(1) });
    for flags in ["A", "SA", "FA", "R"] {
        let segment = format!("tcp 10.0.0.1:999 > 10.0.0.2:80 {flags}");
        assert_eq!(bench.send(OUT, &segment), mismatch, "{flags}");
    }
    assert_eq!(bench.send(OUT, "tcp 10.0.0.1:999 > 10.0.0.2:80 S"), by_rule(1));
    assert_eq!(bench.send(OUT, "tcp 10.0.0.1:999 > 10.0.0.2:80 A"), by_flow(1));
    assert_eq!(bench.send(OUT, "udp 10.0.0.1:999 > 10.0.0.2:80"), by_rule(1));
}

#[test]
fn strictness_means_nothing_to_a_stateless_rule() {
    let mut bench = Bench::new(&["allow from any to any stateless strict"]);
    assert_eq!(bench.send(OUT, "tcp 10.0.0.1:999 > 10.0.0.2:80 SA"), by_rule(1));
}

#[test]
fn a_flow_lives_to_the_last_millisecond_of_its_timer() {
    let rules = ["allow out from any to any", "drop from any to any"];
    for (query, reply, millis) in [
        ("tcp 10.0.0.1:9 > 10.0.0.2:80 S", "tcp 10.0.0.2:80 > 10.0.0.1:9 SA", 120_000),
        ("udp 10.0.0.1:9 > 10.0.0.2:53", "udp 10.0.0.2:53 > 10.0.0.1:9", 60_000),
        ("icmp 10.0.0.1 > 10.0.0.2 8/0", "icmp 10.0.0.2 > 10.0.0.1 0/0", 20_000),
        ("gre 10.0.0.1 > 10.0.0.2", "gre 10.0.0.2 > 10.0.0.1", 60_000),
    ] {
        for (wait, expected) in [(millis - 1, by_flow(1)), (millis, dropped(2))] {
            let mut bench = Bench::new(&rules);
            assert_eq!(bench.send(OUT, query), by_rule(1));
            bench.wait(wait);
            assert_eq!(bench.send(IN, reply), expected, "{query} after {wait} ms");
        }
    }
}

#[test]
fn an_open_connection_outlives_half_a_day_of_silence() {
    let mut bench = Bench::new(&["allow out from any to any", "drop from any to any"]);
    for (path, text) in [
        (OUT, "tcp 10.0.0.1:9 > 10.0.0.2:80 S"),
        (IN, "tcp 10.0.0.2:80 > 10.0.0.1:9 SA"),
        (OUT, "tcp 10.0.0.1:9 > 10.0.0.2:80 A"),
    ] {
        assert_eq!(bench.send(path, text).0, Action::Allow);
    }
    bench.wait(43_199_999);
    assert_eq!(bench.send(IN, "tcp 10.0.0.2:80 > 10.0.0.1:9 A"), by_flow(1));
    bench.wait(43_200_000);
    assert_eq!(bench.send(IN, "tcp 10.0.0.2:80 > 10.0.0.1:9 A"), dropped(2));
}

#[test]
fn a_syn_on_the_ports_of_a_closed_connection_is_judged_anew() {
    let mut bench = Bench::new(&["allow out from any to any", "drop from any to any"]);
    assert_eq!(bench.send(OUT, "tcp 10.0.0.1:9 > 10.0.0.2:80 S"), by_rule(1));
    assert_eq!(bench.send(IN, "tcp 10.0.0.2:80 > 10.0.0.1:9 R"), by_flow(1));
    assert_eq!(bench.send(OUT, "tcp 10.0.0.1:9 > 10.0.0.2:80 S"), by_rule(1));
    assert_eq!(bench.plane.counters(RuleId(1)).total_sessions, 2);
}

#[test]
fn a_full_table_refuses_new_flows_until_old_ones_expire() {
    let config = Config { flow_limit: 2, ..Config::default() };
    let mut bench = Bench::with(config, &["allow from any to any"]);
    assert_eq!(bench.send(OUT, "udp 10.0.0.1:1 > 10.0.0.2:53"), by_rule(1));
    bench.wait(30_000);
    assert_eq!(bench.send(OUT, "udp 10.0.0.1:2 > 10.0.0.2:53"), by_rule(1));
    let full = guarded(Guard::StateLimit { rule: RuleId(1) });
    assert_eq!(bench.send(OUT, "udp 10.0.0.1:3 > 10.0.0.2:53"), full);
    assert_eq!(bench.send(OUT, "udp 10.0.0.1:2 > 10.0.0.2:53"), by_flow(1));
    bench.wait(30_000);
    assert_eq!(bench.send(OUT, "udp 10.0.0.1:3 > 10.0.0.2:53"), by_rule(1));
    assert_eq!(bench.plane.counters(RuleId(1)).max_sessions, 2);
}

#[test]
fn a_flow_shows_what_it_has_seen() {
    let mut bench = Bench::new(&["allow out from any to any"]);
    let syn = packet("tcp 10.0.0.1:9 > 10.0.0.2:80 S").with_length(60);
    bench.plane.transit(Time(5), OUT, &syn);
    bench.plane.transit(Time(7), IN, &syn.reply().with_length(52));
    let flow = bench.plane.flows(A).next().unwrap();
    assert_eq!((flow.vnic, flow.rule, flow.origin), (A, RuleId(1), syn.ip.unwrap()));
    assert_eq!((flow.opened, flow.expires), (Time(5), Time(30_007)));
    assert_eq!(flow.sent, Tally { packets: 1, bytes: 60 });
    assert_eq!(flow.received, Tally { packets: 1, bytes: 52 });
    let SessionState::Tcp { initiator, responder } = flow.state else { panic!("{flow:?}") };
    assert_eq!((initiator, responder), (TcpSide::Established, TcpSide::Opening));
}

#[test]
fn expiry_returns_what_it_forgets() {
    let mut bench = Bench::new(&["allow from any to any"]);
    bench.send(OUT, "udp 10.0.0.1:2 > 10.0.0.2:53");
    bench.send(OUT, "udp 10.0.0.1:1 > 10.0.0.2:53");
    bench.send(OUT, "tcp 10.0.0.1:1 > 10.0.0.2:80 S");
    assert!(bench.plane.expire(Time(59_999)).is_empty());
    let ended: Vec<IpHeader> = bench.plane.expire(Time(60_000)).iter().map(|f| f.origin).collect();
    let first = ["udp 10.0.0.1:1 > 10.0.0.2:53", "udp 10.0.0.1:2 > 10.0.0.2:53"];
    assert_eq!(ended, first.map(|text| packet(text).ip.unwrap()));
    assert_eq!(bench.plane.counters(RuleId(1)).sessions, 1);
}

#[test]
fn both_filters_decide_for_themselves() {
    let b = VnicId(2);
    let mut bench = Bench::new(&["allow out from any to any", "drop in from any to any on vnic2"]);
    bench.plane.add_vnic(b);
    let syn = packet("tcp 10.0.0.1:9 > 10.0.0.2:80 S");
    let transit = bench.plane.transit(Time(0), Path::between(A, b), &syn);
    assert_eq!(transit.outbound.map(|v| v.by), Some(Evidence::Rule(RuleId(1))));
    assert_eq!(transit.inbound.map(|v| v.by), Some(Evidence::Rule(RuleId(2))));
    assert_eq!(transit.outcome, Outcome::Dropped { at: b });
}
