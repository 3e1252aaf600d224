//! A plane that is changed while it is asked.

use dataplane::{Dataplane, Direction, Edit, Evidence, Publisher, RuleId, SetId, VnicId};

use crate::text::{packet, program, rule, term};

const B: VnicId = VnicId(2);

fn published() -> Publisher {
    let mut plane = Dataplane::default();
    plane.add_vnic(B);
    plane.load(program(&[
        "drop in from s1 to any",
        "drop in from s2 to any",
        "drop in from s3 to any",
        "allow in from s4 to any",
        "drop in from s5 to any",
        "reject in from any to any",
    ]));
    Publisher::new(plane)
}

fn member(text: &str) -> dataplane::Member {
    match term(text) {
        dataplane::Term::Range(range) => dataplane::Member::Range(range),
        other => panic!("{other:?} is no range"),
    }
}

#[test]
fn readers_see_a_publication_whole_and_keep_what_they_hold() {
    let mut publisher = published();
    let reader = publisher.reader();
    let syn = packet("tcp 10.0.0.1:999 > 10.0.0.2:80 S");
    let by = |reader: &dataplane::Reader| reader.judge(B, Direction::In, &syn).by;
    let held = reader.plane();
    for round in 0..4 {
        // Both changes or none: the address is never in both sets, nor in neither.
        let (from, to) = if round % 2 == 0 { (1, 4) } else { (4, 1) };
        publisher.publish(vec![
            Edit::RemoveMember(SetId(from), member("10.0.0.1")),
            Edit::AddMember(SetId(to), member("10.0.0.1")),
        ]);
        assert_eq!(by(&reader), Evidence::Rule(RuleId(to.into())), "round {round}");
    }
    assert_eq!(held.judge(B, Direction::In, &syn).by, Evidence::Rule(RuleId(6)));
}

#[test]
fn rules_come_and_go_for_readers_and_settling_changes_no_verdict() {
    let mut publisher = published();
    let reader = publisher.reader();
    let syn = packet("tcp 10.0.0.1:999 > 10.0.0.2:80 S");
    let by = || reader.judge(B, Direction::In, &syn).by;
    let new = Box::new(rule(9, "allow in from 10.0.0.1 to any svc tcp:80"));
    publisher.publish(vec![Edit::InsertRule { rule: new, before: Some(RuleId(6)) }]);
    assert_eq!(by(), Evidence::Rule(RuleId(9)));
    publisher.publish(vec![Edit::Settle]);
    assert_eq!(by(), Evidence::Rule(RuleId(9)));
    publisher.publish(vec![Edit::RemoveRule(RuleId(9))]);
    assert_eq!(by(), Evidence::Rule(RuleId(6)));
    publisher.publish(vec![Edit::Settle]);
    assert_eq!(by(), Evidence::Rule(RuleId(6)));
}

#[test]
fn a_reader_on_another_thread_never_sees_half_a_change() {
    let mut publisher = published();
    let syn = packet("tcp 10.0.0.1:999 > 10.0.0.2:80 S");
    publisher.publish(vec![Edit::AddMember(SetId(1), member("10.0.0.1"))]);
    std::thread::scope(|scope| {
        let reader = publisher.reader();
        let asking = scope.spawn(move || {
            for _ in 0..20_000 {
                let by = reader.judge(B, Direction::In, &syn).by;
                assert!(matches!(by, Evidence::Rule(RuleId(1 | 4))), "{by:?}");
            }
        });
        let mut round = 0_u32;
        while !asking.is_finished() {
            let (from, to) = if round.is_multiple_of(2) { (1, 4) } else { (4, 1) };
            publisher.publish(vec![
                Edit::RemoveMember(SetId(from), member("10.0.0.1")),
                Edit::AddMember(SetId(to), member("10.0.0.1")),
            ]);
            round += 1;
        }
    });
}
