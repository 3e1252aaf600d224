//! What must hold of any input. The fuzz targets ask with what libFuzzer finds, and the crate's tests with
//! frames of old and changes of them by chance.

use dataplane::engine::tuple::{
    Carried, Filter, Header, HeaderClassifier, Kind, Live, NONE, Place, Scan, Span,
};
use dataplane::{
    Action, Config, Dataplane, EngineKind, Frame, Path, PortRange, Ports, Rule, RuleId, Service,
    ServiceMatch, Time, VnicId,
};

/// Any bytes are a frame or an error that lies within them.
pub(crate) fn frame(bytes: &[u8]) {
    for read in [Frame::parse(bytes), Frame::parse_ip(bytes)] {
        match read {
            Ok(frame) => assert!(frame.packet.length as usize >= bytes.len()),
            Err(error) => assert!(error.offset <= bytes.len(), "{error}"),
        }
    }
}

const VNIC: VnicId = VnicId(1);
const FLOWS: usize = 4;

fn rule(id: u64, action: Action, service: ServiceMatch) -> Rule {
    Rule { action, service, ..Rule::drop_all(RuleId(id)) }
}

/// Any frames in any order: a filter stays within its bounds, and what it counts adds up.
///
/// Each frame comes with a byte that says how much later it is and which way it goes.
pub(crate) fn filter(frames: &[(u8, Vec<u8>)]) {
    let mut plane = Dataplane::new(Config { flow_limit: FLOWS, ..Config::default() });
    plane.add_vnic(VNIC);
    let low = Service::Udp(Ports::to([PortRange { first: 0, last: 0x7fff }]));
    let rules = [
        rule(1, Action::Drop, ServiceMatch::OneOf(vec![low])),
        rule(2, Action::Allow, ServiceMatch::Any),
    ];
    plane.load(rules.into_iter().collect());
    let (mut now, mut sent) = (Time(0), 0);
    for (how, bytes) in frames {
        let Ok(frame) = Frame::parse(bytes) else { continue };
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
}

/// Numbers out of bytes; zeros when they have run out.
struct Source<'b>(&'b [u8]);

impl Source<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// One of few addresses, near and far.
    fn address(&mut self) -> u32 {
        let byte = self.byte();
        u32::from(byte >> 4).wrapping_mul(0x1111_1111) ^ u32::from(byte & 15)
    }

    fn port(&mut self) -> u16 {
        let byte = self.byte();
        u16::from(byte >> 4).wrapping_mul(0x1111) ^ u16::from(byte & 3)
    }

    fn kind(&mut self) -> u16 {
        let kinds = u16::try_from(Kind::COUNT).expect("few kinds");
        u16::from(self.byte()) & (kinds - 1)
    }

    fn filter(&mut self) -> Filter {
        let mut addresses = || {
            let (a, length) = (self.address(), self.byte());
            match length {
                // A range, or a prefix of any length.
                200.. => {
                    let b = self.address();
                    Span { first: a.min(b), last: a.max(b) }
                }
                length => Span::<u32>::prefix(a, length % 33),
            }
        };
        let (src, dst) = (addresses(), addresses());
        let mut ports = || {
            let (a, b) = (self.port(), self.port());
            if a == b { Span::<u16>::ALL } else { Span { first: a.min(b), last: a.max(b) } }
        };
        let (src_port, dst_port) = (ports(), ports());
        let (kind, kind_mask) = (self.kind(), self.kind());
        let carried = Carried { src_port, dst_port, kind_mask, kind: kind & kind_mask };
        Filter { src, dst, carried, rank: 0 }
    }

    fn header(&mut self) -> Header {
        let (src, dst) = (self.address(), self.address());
        Header::new(src, dst, self.port(), self.port(), Kind(self.kind()))
    }
}

/// Any edits of any rules: all engines answer like a scan of the rules as they are.
pub(crate) fn edits(bytes: &[u8]) {
    let mut source = Source(bytes);
    let count = usize::from(source.byte());
    let mut rules: Vec<(RuleId, Vec<Filter>)> =
        (0..).map(RuleId).zip((0..count).map(|_| vec![source.filter()])).collect();
    let kinds = [EngineKind::Walk, EngineKind::Crossed, EngineKind::Paired, EngineKind::Forest];
    let mut lives: Vec<Live> =
        kinds.iter().filter_map(|kind| Live::new(*kind, rules.clone()).ok()).collect();
    let mut next = count as u64;
    while !source.0.is_empty() {
        let (what, at) = (source.byte(), usize::from(source.byte()));
        match (what % 4, at % rules.len().max(1)) {
            (0, at) => {
                let filters: Vec<Filter> = (0..what >> 6).map(|_| source.filter()).collect();
                let place = rules.get(at).map_or(Place::Last, |(rule, _)| Place::Before(*rule));
                for live in &mut lives {
                    assert_eq!(live.insert(RuleId(next), place, &filters), Ok(()));
                }
                rules.insert(at.min(rules.len()), (RuleId(next), filters));
                next += 1;
            }
            (_, _) if rules.is_empty() => {}
            (1, at) => {
                let (rule, _) = rules.remove(at);
                for live in &mut lives {
                    assert_eq!(live.remove(rule), Ok(()));
                }
            }
            (2, at) => {
                let rule = rules.remove(at);
                for live in &mut lives {
                    assert_eq!(live.shift(rule.0, Place::First), Ok(()));
                }
                rules.insert(0, rule);
            }
            _ => {
                for live in &mut lives {
                    if let Ok(rebuilt) = live.rebuild().run() {
                        assert!(live.adopt(rebuilt));
                    }
                }
            }
        }
        let headers: Vec<Header> = (0..3).map(|_| source.header()).collect();
        let ranked = (0..).zip(&rules);
        let filters =
            ranked.flat_map(|(rank, (_, own))| own.iter().map(move |own| Filter { rank, ..*own }));
        let mut expected = vec![NONE; headers.len()];
        Scan::new(filters.collect()).classify_headers(&headers, &mut expected);
        for live in &lives {
            let mut places = vec![NONE; headers.len()];
            live.tables().classify_headers(&headers, &mut places);
            for (place, rank) in places.iter().zip(&expected) {
                let right = rules.get(*rank as usize).map(|(rule, _)| *rule);
                assert_eq!(live.tables().rule(*place), right);
            }
        }
    }
}
