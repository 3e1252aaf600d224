//! Single verdicts and their explanations.

use dataplane::{
    Action, Answer, Dataplane, Direction, Evidence, Field, Guard, Layer, Outcome, Path, RuleId,
    ScopeId, SetId, Step, Time, VnicId,
};

use crate::text::{mac, packet, program};

const A: VnicId = VnicId(1);
const B: VnicId = VnicId(2);

fn plane(rules: &[&str]) -> Dataplane {
    let mut plane = Dataplane::default();
    plane.add_vnic(A);
    plane.add_vnic(B);
    plane.load(program(rules));
    plane
}

#[test]
fn a_list_that_ends_without_a_match_allows() {
    let verdict = plane(&["drop from 10.0.0.9 to any"]).judge(
        A,
        Direction::Out,
        &packet("udp 10.0.0.1:9 > 10.0.0.2:53"),
    );
    assert_eq!((verdict.action, verdict.by), (Action::Allow, Evidence::NoRule));
}

#[test]
fn guards_stand_before_the_rules() {
    let mut plane = plane(&["drop from any to any"]);
    let udp = packet("udp 10.0.0.1:9 > 10.0.0.2:53");
    let judged = |plane: &mut Dataplane, vnic| {
        let verdict = plane.judge(vnic, Direction::Out, &udp);
        let path = Path { from: Some(vnic), to: None };
        assert_eq!(plane.transit(Time(0), path, &udp).outbound, Some(verdict));
        (verdict.action, verdict.by)
    };
    assert_eq!(judged(&mut plane, A), (Action::Drop, Evidence::Rule(RuleId(1))));
    assert!(plane.exclude(A, true) && !plane.exclude(A, true));
    assert_eq!(judged(&mut plane, A), (Action::Allow, Evidence::Guard(Guard::Excluded)));
    assert_eq!(judged(&mut plane, B), (Action::Drop, Evidence::Rule(RuleId(1))));
    assert!(plane.set_vnic_enabled(A, false) && !plane.set_vnic_enabled(A, false));
    assert_eq!(judged(&mut plane, A), (Action::Allow, Evidence::Guard(Guard::Disabled)));
    assert_eq!(judged(&mut plane, B), (Action::Drop, Evidence::Rule(RuleId(1))));
    assert!(plane.set_enabled(false) && !plane.set_enabled(false));
    assert_eq!(judged(&mut plane, B), (Action::Allow, Evidence::Guard(Guard::Disabled)));
    let stranger = VnicId(77);
    assert_eq!(judged(&mut plane, stranger), (Action::Drop, Evidence::Guard(Guard::NoFilter)));
    assert!(!plane.set_vnic_enabled(stranger, false));
    assert!(!plane.exclude(stranger, true) && !plane.join(ScopeId(1), stranger));
}

#[test]
fn ethernet_decides_first_and_the_verdict_names_the_last_layer() {
    let plane = plane(&[
        "allow from any to any",
        "drop eth from mac03 to any",
        "allow eth from any to any",
    ]);
    let by = |packet| plane.judge(A, Direction::In, &packet).by;
    let udp = packet("udp 10.0.0.1:9 > 10.0.0.2:53");
    assert_eq!(by(udp.with_macs(mac("mac03"), mac("mac01"))), Evidence::Rule(RuleId(2)));
    assert_eq!(by(udp), Evidence::Rule(RuleId(1)));
    assert_eq!(by(packet("arp mac01 > mac02")), Evidence::Rule(RuleId(3)));
    assert_eq!(by(packet("arp mac03 > mac02")), Evidence::Rule(RuleId(2)));
}

#[test]
fn applied_to_chooses_filters_and_matches_nothing_itself() {
    let mut plane = plane(&[
        "drop from any to any on scope1",
        "drop from any to any on nowhere",
        "reject from any to any on vnic2",
        "allow from any to any",
    ]);
    let ids = |plane: &Dataplane, vnic| plane.rules_on(vnic).map(|r| r.id.0).collect::<Vec<_>>();
    assert_eq!((ids(&plane, A), ids(&plane, B)), (vec![4], vec![3, 4]));
    assert!(plane.join(ScopeId(1), A) && !plane.join(ScopeId(1), A));
    assert_eq!((ids(&plane, A), ids(&plane, B)), (vec![1, 4], vec![3, 4]));
    plane.join(ScopeId(1), B);
    assert_eq!(ids(&plane, B), [1, 3, 4]);
    assert!(plane.drop_scope(ScopeId(1)) && !plane.drop_scope(ScopeId(1)));
    assert_eq!((ids(&plane, A), ids(&plane, B)), (vec![4], vec![3, 4]));
    plane.remove_vnic(B);
    assert!(ids(&plane, B).is_empty());
}

#[test]
fn deny_any_on_a_vnic_rejects_its_own_dns_too() {
    let mut plane = plane(&["reject from any to any on scope1", "allow from any to any"]);
    plane.join(ScopeId(1), A);
    let query = packet("udp 10.0.0.1:40000 > 10.0.0.53:53");
    let transit = plane.transit(Time(0), Path::between(A, B), &query);
    let answer = Answer::Unreachable { kind: 3, code: 13 };
    assert_eq!(transit.outcome, Outcome::Rejected { at: A, answer });
    assert_eq!(transit.inbound, None);
}

#[test]
fn a_reject_answers_by_protocol_and_a_drop_is_silent() {
    let mut plane = plane(&["drop in from any to any svc udp:9", "reject in from any to any"]);
    let mut outcome = |text| plane.transit(Time(0), Path::between(A, B), &packet(text)).outcome;
    let rejected = |answer| Outcome::Rejected { at: B, answer };
    let unreachable = |kind, code| rejected(Answer::Unreachable { kind, code });
    assert_eq!(outcome("tcp 10.0.0.1:9 > 10.0.0.2:80"), rejected(Answer::TcpReset));
    assert_eq!(outcome("udp 10.0.0.1:9 > 10.0.0.2:80"), unreachable(3, 13));
    assert_eq!(outcome("icmp fd00::1 > fd00::2 128/0"), unreachable(1, 1));
    assert_eq!(outcome("udp 10.0.0.1:9 > 10.0.0.2:9"), Outcome::Dropped { at: B });
}

#[test]
fn an_explanation_names_the_field_each_rule_failed() {
    let mut plane = plane(&[
        "drop eth from mac03 to any",
        "drop out from any to any",
        "drop v6 from any to any",
        "drop from s1 to any",
        "drop from any to 10.0.0.9",
        "drop from any to any svc tcp:443",
        "reject from any to s2",
        "allow from any to any",
    ]);
    plane.add_member(SetId(2), "10.0.0.2".parse::<std::net::IpAddr>().unwrap().into());
    let tcp = packet("tcp 10.0.0.1:9 > 10.0.0.2:80");
    let explanation = plane.explain(A, Direction::In, &tcp);
    let failed = [
        Some(Field::Source),
        Some(Field::Direction),
        Some(Field::Family),
        Some(Field::Source),
        Some(Field::Destination),
        Some(Field::Service),
        None,
    ];
    let expected: Vec<Step> = (1..)
        .zip(failed)
        .map(|(id, failed)| Step {
            rule: RuleId(id),
            layer: if id == 1 { Layer::Ethernet } else { Layer::Ip },
            failed,
        })
        .collect();
    assert_eq!(explanation.steps, expected);
    assert_eq!(explanation.verdict, plane.judge(A, Direction::In, &tcp));
    assert_eq!(explanation.verdict.by, Evidence::Rule(RuleId(7)));
}

#[test]
fn an_explanation_ends_where_the_verdict_fell() {
    let mut plane = plane(&["drop eth from any to any", "allow from any to any"]);
    let udp = packet("udp 10.0.0.1:9 > 10.0.0.2:53");
    assert_eq!(plane.explain(A, Direction::In, &udp).steps.len(), 1);
    plane.exclude(A, true);
    assert!(plane.explain(A, Direction::In, &udp).steps.is_empty());
}

#[test]
fn judging_leaves_no_trace() {
    let plane = plane(&["allow from any to any"]);
    plane.judge(A, Direction::Out, &packet("udp 10.0.0.1:9 > 10.0.0.2:53"));
    assert_eq!(plane.counters(RuleId(1)).packets, 0);
    assert_eq!(plane.flows(A).count(), 0);
}

#[test]
fn planes_may_move_between_threads() {
    fn shareable<T: Send + Sync + Clone>() {}
    shareable::<Dataplane>();
}
