//! Any frames in any order: a filter stays within its bounds, and what it counts adds up.
//!
//! Each frame comes with a byte that says how much later it is and which way it goes.
#![no_main]

use dataplane::{
    Action, AppliedTo, Config, Dataplane, Frame, Layer, Path, Peer, PortRange, Ports, Rule, RuleId,
    RuleProgram, Service, ServiceMatch, Time, VnicId,
};
use libfuzzer_sys::fuzz_target;

const VNIC: VnicId = VnicId(1);
const FLOWS: usize = 4;

fn rule(id: u64, action: Action, service: ServiceMatch) -> Rule {
    Rule {
        id: RuleId(id),
        layer: Layer::Ip,
        action,
        direction: None,
        family: None,
        source: Peer::Any,
        destination: Peer::Any,
        service,
        applied_to: AppliedTo::Everywhere,
        stateful: true,
        tcp_strict: false,
    }
}

fuzz_target!(|frames: Vec<(u8, Vec<u8>)>| {
    let mut plane = Dataplane::new(Config { flow_limit: FLOWS, ..Config::default() });
    plane.add_vnic(VNIC);
    let low = Service::Udp(Ports::to([PortRange { first: 0, last: 0x7fff }]));
    plane.load(RuleProgram {
        rules: vec![
            rule(1, Action::Drop, ServiceMatch::OneOf(vec![low])),
            rule(2, Action::Allow, ServiceMatch::Any),
        ],
    });
    let (mut now, mut sent) = (Time(0), 0);
    for (how, bytes) in frames {
        let Ok(frame) = Frame::parse(&bytes) else { continue };
        now = Time(now.0 + (u64::from(how >> 1) << (how >> 4)));
        let path = match how & 1 {
            0 => Path { from: Some(VNIC), to: None },
            _ => Path { from: None, to: Some(VNIC) },
        };
        plane.transit_frame(now, path, &frame);
        sent += u64::from(frame.packet.ip.is_some());
        assert!(plane.flows(VNIC).count() <= FLOWS);
    }
    let counted = [1, 2].map(|id| plane.counters(RuleId(id)).packets).iter().sum::<u64>();
    assert!(counted <= sent);
    let open = plane.counters(RuleId(2)).sessions;
    assert_eq!(open, plane.flows(VNIC).count() as u64);
    plane.expire(Time::NEVER);
    assert_eq!(plane.flows(VNIC).count(), 0);
});
