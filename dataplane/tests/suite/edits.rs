//! The fast lane is honest: whatever sequence of edits and packets, the plane equals the model,
//! and a plane built from scratch.

use dataplane::{Config, Dataplane, Packet, Path, RuleId, RuleProgram, Time, VnicId};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::model::{Model, matching};
use crate::strategies::{Edit, config, edit, packet, path, program};

#[derive(Clone, Debug)]
enum Step {
    Send(Packet, Path),
    /// The answer to the packet before, on the way back.
    Answer,
    /// The packet before, once more.
    Repeat,
    /// Milliseconds pass.
    Wait(u64),
    Expire,
    Edit(Edit),
}

fn step() -> impl Strategy<Value = Step> {
    let waits = vec![1, 9_999, 10_000, 20_000, 29_999, 30_000, 45_000, 60_000, 120_000, 43_200_000];
    prop_oneof![
        8 => packet().prop_flat_map(|packet| path(packet).prop_map(move |p| Step::Send(packet, p))),
        8 => Just(Step::Answer),
        6 => Just(Step::Repeat),
        4 => select(waits).prop_map(Step::Wait),
        1 => Just(Step::Expire),
        6 => edit().prop_map(Step::Edit),
    ]
}

fn settings() -> impl Strategy<Value = Config> {
    (any::<bool>(), select(vec![0_usize, 1, 3, 1000])).prop_map(|(revalidate_flows, flow_limit)| {
        Config { revalidate_flows, flow_limit, ..Config::default() }
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn conversations_equal_the_model(
        settings in settings(),
        program in program(),
        before in vec(edit(), 0..20),
        steps in vec(step(), 1..100),
    ) {
        let mut plane = Dataplane::new(settings.clone());
        let mut model = Model::new(settings);
        for vnic in 1..=3 {
            model.edit(&mut plane, &Edit::AddVnic(VnicId(vnic)));
        }
        for edit in before.iter().chain([&Edit::Load(program), &Edit::Enable(true)]) {
            model.edit(&mut plane, edit);
        }
        let mut now = Time(1);
        let mut last: Option<(Packet, Path)> = None;
        for step in steps {
            let next = match step {
                Step::Send(packet, path) => Some((packet, path)),
                Step::Answer => last.map(|(packet, path)| {
                    (packet.reply(), Path { from: path.to, to: path.from })
                }),
                Step::Repeat => last,
                Step::Wait(millis) => {
                    now = Time(now.0 + millis);
                    None
                }
                Step::Expire => {
                    plane.expire(now);
                    None
                }
                Step::Edit(edit) => {
                    model.edit(&mut plane, &edit);
                    None
                }
            };
            if let Some((packet, path)) = next {
                let transit = plane.transit(now, path, &packet);
                prop_assert_eq!(transit, model.transit(now, path, &packet));
                last = Some((packet, path));
            }
        }
        plane.expire(now);
        for rule in (1..8).map(RuleId) {
            let mut counters = plane.counters(rule);
            prop_assert!(counters.max_sessions >= counters.sessions);
            counters.max_sessions = 0;
            prop_assert_eq!(counters, model.counters(now, rule), "{:?}", rule);
        }
    }

    #[test]
    fn lists_and_sets_equal_a_build_from_scratch(edits in vec(edit(), 0..80)) {
        let mut plane = Dataplane::default();
        let mut model = Model::new(Config::default());
        for edit in &edits {
            let before = plane.generation();
            model.edit(&mut plane, edit);
            prop_assert!(plane.generation() >= before);
        }
        let mut fresh = Dataplane::default();
        for (set, member) in &model.members {
            fresh.add_member(*set, *member);
        }
        for vnic in &model.vnics {
            fresh.add_vnic(*vnic);
            fresh.exclude(*vnic, model.excluded.contains(vnic));
        }
        for (scope, vnic) in &model.scopes {
            fresh.join(*scope, *vnic);
        }
        fresh.load(RuleProgram { rules: model.rules.clone() });

        for vnic in (1..=3).map(VnicId) {
            let rules: Vec<_> = plane.rules_on(vnic).collect();
            prop_assert_eq!(&rules, &fresh.rules_on(vnic).collect::<Vec<_>>());
            prop_assert_eq!(&rules, &model.rules_on(vnic).collect::<Vec<_>>());
        }
        for set in (0..3).map(dataplane::SetId) {
            let members = |plane: &Dataplane| {
                plane.set(set).map(|set| set.iter().collect::<Vec<_>>()).unwrap_or_default()
            };
            prop_assert_eq!(members(&plane), members(&fresh));
            for host in (0..=6).map(|host| std::net::Ipv4Addr::new(10, 0, 0, host).into()) {
                let naive = model.members.iter().any(|(id, member)| {
                    *id == set && matches!(member, dataplane::Member::Range(r)
                        if matching::within(*r, host))
                });
                prop_assert_eq!(plane.set(set).is_some_and(|set| set.contains_ip(host)), naive);
            }
        }
    }
}
