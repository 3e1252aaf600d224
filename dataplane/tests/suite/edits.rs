//! The fast lane is honest: whatever sequence of edits and packets, the plane equals the model,
//! and a plane built from scratch.

use dataplane::{
    Config, Dataplane, Edit, EngineKind, Fragment, Frame, IpHeader, Packet, Path, RuleId, Time,
    Transport, VnicId,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::model::{Model, matching};
use crate::strategies::{config, edit, packet, path, program};

#[derive(Clone, Debug)]
enum Step {
    Send(Packet, Path),
    /// The answer to the packet before, on the way back.
    Answer,
    /// The packet before, once more.
    Repeat,
    /// An ICMP error of this kind about the packet before, from its receiver or from outside.
    Report(u8, bool),
    /// The packet before as a fragment of this datagram, the first or a later one.
    Fragment(Fragment),
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
        4 => (select(vec![1, 2, 3, 4, 5, 11, 12]), any::<bool>())
            .prop_map(|(kind, near)| Step::Report(kind, near)),
        4 => (0_u32..2, any::<bool>()).prop_map(|(id, first)| Step::Fragment(Fragment { id, first })),
        4 => select(waits).prop_map(Step::Wait),
        1 => Just(Step::Expire),
        6 => edit().prop_map(Step::Edit),
    ]
}

fn settings() -> impl Strategy<Value = Config> {
    let limits = select(vec![0_usize, 1, 3, 1000]);
    let parts = (any::<bool>(), limits, any::<u64>(), select(EngineKind::ALL));
    parts.prop_map(|(revalidate_flows, flow_limit, hash_seed, engine)| Config {
        revalidate_flows,
        flow_limit,
        hash_seed,
        engine,
        ..Config::default()
    })
}

const fn back(path: Path) -> Path {
    Path { from: path.to, to: path.from }
}

/// An ICMP error about a packet, to its sender.
fn report(about: &Packet, kind: u8, near: bool) -> Option<Frame> {
    let quoted = about.ip?;
    let reporter = match quoted.dst {
        dst if near => dst,
        std::net::IpAddr::V4(_) => "192.0.2.1".parse().unwrap(),
        std::net::IpAddr::V6(_) => "2001:db8::1".parse().unwrap(),
    };
    let error = Packet::ip(reporter, quoted.src, Transport::Icmp { kind, code: 0, id: 0 });
    Some(Frame { reports: Some(quoted), ..error.into() })
}

/// A packet as a fragment; a later one holds no transport header.
fn fragment(packet: &Packet, fragment: Fragment) -> Option<Frame> {
    let ip = packet.ip?;
    let other = Transport::Other(ip.transport.protocol(ip.family()));
    let transport = if fragment.first { ip.transport } else { other };
    let packet = Packet { ip: Some(IpHeader { transport, ..ip }), ..*packet };
    Some(Frame { fragment: Some(fragment), ..packet.into() })
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
        for edit in before.iter().chain([&Edit::Load(program), &Edit::SetEnabled(true)]) {
            model.edit(&mut plane, edit);
        }
        let mut now = Time(1);
        let mut last: Option<(Packet, Path)> = None;
        for step in steps {
            let next = match step {
                Step::Send(packet, path) => {
                    last = Some((packet, path));
                    Some((packet.into(), path))
                }
                Step::Answer => {
                    last = last.map(|(packet, path)| (packet.reply(), back(path)));
                    last.map(|(packet, path)| (packet.into(), path))
                }
                Step::Repeat => last.map(|(packet, path)| (packet.into(), path)),
                Step::Report(kind, near) => last.and_then(|(packet, path)| {
                    let from = path.to.filter(|_| near);
                    Some((report(&packet, kind, near)?, Path { from, ..back(path) }))
                }),
                Step::Fragment(own) => {
                    last.and_then(|(packet, path)| Some((fragment(&packet, own)?, path)))
                }
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
            if let Some((frame, path)) = next {
                let transit = plane.transit_frame(now, path, &frame);
                prop_assert_eq!(transit, model.transit(now, path, &frame));
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
        let bitmap = Config { engine: EngineKind::Bitmap, ..Config::default() };
        let mut plane = Dataplane::new(bitmap.clone());
        let mut model = Model::new(bitmap);
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
            fresh.set_vnic_enabled(*vnic, !model.off.contains(vnic));
        }
        for (scope, vnic) in &model.scopes {
            fresh.join(*scope, *vnic);
        }
        fresh.load(model.rules.iter().cloned().collect());

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
