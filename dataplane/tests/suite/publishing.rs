//! A plane that is changed while it is asked.

use dataplane::{
    Config, Dataplane, Direction, Edit, EngineKind, Evidence, Publisher, RuleId, SetId, VnicId,
};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::strategies::{self, cases, direction, edit, under_miri, vnic};
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
    let new = std::sync::Arc::new(rule(9, "allow in from 10.0.0.1 to any svc tcp:80"));
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
            for _ in 0..under_miri(20_000, 60) {
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
            // Now and then the reader is sent back to the other copy.
            while !round.is_multiple_of(3) && publisher.tend() {}
            round += 1;
        }
    });
}

#[test]
fn rules_that_come_at_the_same_two_places_keep_their_order() {
    let mut plane = Dataplane::default();
    plane.add_vnic(B);
    plane.load(program(&["drop in from any to any"; 6]));
    let mut order: Vec<u64> = (1..=6).collect();
    for id in 100..under_miri(500, 130) {
        // Before the last rule, before the first and behind all, by turns.
        let before = [Some(6), Some(1), None, Some(6)][(id % 4) as usize];
        let new = rule(id, "allow in from s1 to any");
        assert!(plane.insert_rule(new, before.map(RuleId)));
        let at = before.and_then(|before| order.iter().position(|own| *own == before));
        order.insert(at.unwrap_or(order.len()), id);
        if id % 7 == 0 {
            // Not those that others come before.
            let gone =
                order.iter().position(|own| (100..id).contains(own)).map(|at| order.remove(at));
            assert!(gone.is_none_or(|gone| plane.remove_rule(RuleId(gone))));
        }
        let own: Vec<u64> = plane.rules_on(B).map(|rule| rule.id.0).collect();
        assert_eq!(own, order);
    }
}

/// What may happen to a published plane.
#[derive(Clone, Debug)]
enum Event {
    Publish(Vec<Edit>),
    /// There is time.
    Tend,
    /// A reader takes the plane and keeps it.
    Hold,
    /// All readers give it back.
    Release,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        8 => vec(edit(), 1..4).prop_map(Event::Publish),
        3 => Just(Event::Tend),
        1 => Just(Event::Hold),
        1 => Just(Event::Release),
    ]
}

proptest! {
    // Fewer than usual: who publishes waits long for readers that do not leave.
    #![proptest_config(cases(48))]

    #[test]
    fn readers_see_what_a_plane_of_their_own_would_tell(
        program in strategies::program(),
        events in vec(event(), 1..40),
        packets in vec((vnic(), direction(), strategies::packet()), 8),
    ) {
        let plane = || {
            let mut plane =
                Dataplane::new(Config { engine: EngineKind::Bitmap, ..Config::default() });
            for vnic in 1..=3 {
                plane.add_vnic(VnicId(vnic));
            }
            plane.load(program.clone());
            plane
        };
        let asked: Vec<_> = packets.iter().map(|(vnic, way, own)| (*vnic, *way, own)).collect();
        let mut own = plane();
        let mut publisher = Publisher::new(plane());
        let reader = publisher.reader();
        let mut held = Vec::new();
        let (mut told, mut verdicts) = (Vec::new(), Vec::new());
        for event in events {
            match event {
                Event::Publish(edits) => {
                    let changes = edits.iter().map(|edit| own.apply(edit));
                    let changed = changes.fold(false, |any, changed| any | changed);
                    // What there is to settle depends on who has been tended.
                    let settles = |edit: &Edit| matches!(edit, Edit::Settle | Edit::SettleOne);
                    let settled = edits.iter().any(settles);
                    prop_assert!(publisher.publish(edits) == changed || settled);
                }
                Event::Tend => {
                    while publisher.tend() {}
                }
                Event::Hold => {
                    own.judge_batch(&asked, &mut verdicts);
                    held.push((reader.plane(), verdicts.clone()));
                }
                Event::Release => held.clear(),
            }
            own.judge_batch(&asked, &mut verdicts);
            let shown = reader.plane();
            shown.judge_batch(&asked, &mut told);
            prop_assert_eq!(&told, &verdicts);
            for ((vnic, way, packet), verdict) in asked.iter().zip(&verdicts) {
                prop_assert_eq!(shown.judge(*vnic, *way, packet), *verdict);
            }
            for vnic in (1..=3).map(VnicId) {
                let rules = shown.rules_on(vnic).collect::<Vec<_>>();
                prop_assert_eq!(rules, own.rules_on(vnic).collect::<Vec<_>>());
            }
            for (shown, verdicts) in &held {
                shown.judge_batch(&asked, &mut told);
                prop_assert_eq!(&told, verdicts);
            }
        }
    }
}
