//! What happens to open flows when the rules change under them.

use dataplane::{
    Action, Config, Dataplane, Evidence, Member, Path, RuleId, ScopeId, SetId, Time, VnicId,
};

use crate::text::{packet, program, rule};

const A: VnicId = VnicId(1);
const OUT: Path = Path { from: Some(A), to: None };
const IN: Path = Path { from: None, to: Some(A) };
const QUERY: &str = "udp 10.0.0.1:9 > 10.0.0.2:53";
const ANSWER: &str = "udp 10.0.0.2:53 > 10.0.0.1:9";

fn server() -> Member {
    "10.0.0.2".parse::<std::net::IpAddr>().unwrap().into()
}

/// A plane where `QUERY` has opened a flow by rule 2, to be revalidated or not.
fn open(revalidate_flows: bool) -> Dataplane {
    let mut plane = Dataplane::new(Config { revalidate_flows, ..Config::default() });
    plane.add_vnic(A);
    plane.join(ScopeId(1), A);
    plane.add_member(SetId(1), server());
    plane.load(program(&[
        "drop out from any to s2",
        "allow out from any to s1 on scope1",
        "drop from any to any",
    ]));
    assert_eq!(send(&mut plane, OUT, QUERY), (Action::Allow, Evidence::Rule(RuleId(2))));
    plane
}

fn send(plane: &mut Dataplane, path: Path, text: &str) -> (Action, Evidence) {
    let transit = plane.transit(Time(1000), path, &packet(text));
    transit.inbound.or(transit.outbound).map(|verdict| (verdict.action, verdict.by)).unwrap()
}

const fn by_flow(id: u64) -> (Action, Evidence) {
    (Action::Allow, Evidence::Flow(RuleId(id)))
}

type NamedEdit = (&'static str, fn(&mut Dataplane));

fn edits() -> [NamedEdit; 5] {
    [
        ("load", |plane| plane.load(program(&["drop from any to any"]))),
        ("set grows", |plane| assert!(plane.add_member(SetId(2), server()))),
        ("set shrinks", |plane| assert!(plane.remove_member(SetId(1), &server()))),
        ("set gone", |plane| assert!(plane.drop_set(SetId(1)))),
        ("scope", |plane| assert!(plane.leave(ScopeId(1), A))),
    ]
}

#[test]
fn a_change_that_denies_the_first_packet_ends_the_flow() {
    for (name, edit) in edits() {
        let mut plane = open(true);
        edit(&mut plane);
        assert_eq!(send(&mut plane, IN, ANSWER).0, Action::Drop, "{name}");
        assert_eq!(plane.flows(A).count(), 0, "{name}");
    }
}

#[test]
fn with_the_switch_off_flows_live_by_their_timers() {
    for (name, edit) in edits() {
        let mut plane = open(false);
        edit(&mut plane);
        let expected = by_flow(2);
        assert_eq!(send(&mut plane, IN, ANSWER), expected, "{name}");
    }
}

#[test]
fn a_change_that_does_not_matter_leaves_the_flow() {
    let mut plane = open(true);
    plane.add_member(SetId(7), server());
    plane.join(ScopeId(9), A);
    plane.exclude(A, true);
    plane.exclude(A, false);
    assert_eq!(send(&mut plane, IN, ANSWER), by_flow(2));
    assert_eq!(plane.counters(RuleId(2)).total_sessions, 1);
}

#[test]
fn the_first_packet_is_judged_the_way_it_went() {
    // The answer alone, IN, would be dropped by rule 1; the flow's OUT query is what counts.
    let mut plane = open(true);
    plane.load(program(&["drop in from any to any", "allow out from any to any"]));
    assert_eq!(send(&mut plane, IN, ANSWER), by_flow(2));
}

#[test]
fn a_flow_passes_to_the_rule_that_admits_it_now() {
    let mut plane = open(true);
    let rules = [rule(9, "allow out from any to any"), rule(2, "allow from any to any")];
    plane.load(rules.into_iter().collect());
    for packets in 1..=2 {
        assert_eq!(send(&mut plane, IN, ANSWER), by_flow(9));
        let (old, new) = (plane.counters(RuleId(2)), plane.counters(RuleId(9)));
        assert_eq!((old.hits, old.packets, old.sessions), (1, 1, 0));
        assert_eq!((new.hits, new.packets, new.sessions, new.total_sessions), (0, packets, 1, 1));
    }
}

#[test]
fn ethernet_rules_stop_packets_and_leave_the_flow() {
    let mut plane = open(true);
    let rules = ["drop eth out from any to any", "allow out from any to any"];
    plane.load(program(&[rules[0], rules[1], "drop from any to any"]));
    let (stopped, passes) = (Evidence::Rule(RuleId(1)), by_flow(2));
    assert_eq!(send(&mut plane, OUT, QUERY), (Action::Drop, stopped));
    assert_eq!(send(&mut plane, IN, ANSWER), passes);
}

#[test]
fn a_flow_does_not_survive_on_a_stateless_rule_or_none() {
    for rules in [&["allow from any to any stateless"][..], &[]] {
        let mut plane = open(true);
        plane.load(program(rules));
        let (action, by) = send(&mut plane, IN, ANSWER);
        assert_eq!(action, Action::Allow);
        assert!(!matches!(by, Evidence::Flow(_)), "{by:?}");
        assert_eq!(plane.flows(A).count(), 0);
    }
}

#[test]
fn after_a_short_denial_strict_rules_do_not_take_a_session_back() {
    let mut plane = Dataplane::default();
    plane.add_vnic(A);
    let strict = program(&["allow from any to any strict"]);
    plane.load(strict.clone());
    let ack = "tcp 10.0.0.1:9 > 10.0.0.2:80 A";
    send(&mut plane, OUT, "tcp 10.0.0.1:9 > 10.0.0.2:80 S");
    assert_eq!(send(&mut plane, OUT, ack).0, Action::Allow);
    plane.load(program(&["drop from any to any"]));
    assert_eq!(send(&mut plane, OUT, ack).0, Action::Drop);
    plane.load(strict);
    assert_eq!(send(&mut plane, OUT, ack).0, Action::Drop);
}

#[test]
fn the_generation_rises_with_changes_only() {
    let mut plane = Dataplane::default();
    let mut last = plane.generation();
    let mut rises = |plane: &Dataplane| {
        let before = std::mem::replace(&mut last, plane.generation());
        plane.generation() > before
    };
    plane.add_vnic(A);
    assert!(!rises(&plane), "a vNIC is nobody else's business");
    plane.load(program(&[]));
    assert!(rises(&plane), "load");
    let edits: [NamedEdit; 7] = [
        ("join", |plane| assert!(plane.join(ScopeId(1), A))),
        ("add", |plane| assert!(plane.add_member(SetId(1), server()))),
        ("exclude", |plane| assert!(plane.exclude(A, true))),
        ("switch one off", |plane| assert!(plane.set_vnic_enabled(A, false))),
        ("switch off", |plane| assert!(plane.set_enabled(false))),
        ("drop set", |plane| assert!(plane.drop_set(SetId(1)))),
        ("leave", |plane| assert!(plane.leave(ScopeId(1), A))),
    ];
    for (name, edit) in edits {
        edit(&mut plane);
        assert!(rises(&plane), "{name}");
    }
    plane.exclude(A, true);
    plane.set_vnic_enabled(A, false);
    plane.set_enabled(false);
    plane.drop_set(SetId(1));
    plane.remove_member(SetId(1), &server());
    plane.leave(ScopeId(1), A);
    plane.drop_scope(ScopeId(1));
    assert!(!rises(&plane), "nothing has changed");
}
