//! Lists of every size class against the walk, through changes of members and rules.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use dataplane::{
    Action, AddressRange, AppliedTo, Config, Dataplane, Direction, EngineKind, Family, Layer,
    Member, Packet, Peer, PortRange, Ports, Rule, RuleId, ScopeId, Service, ServiceMatch, SetId,
    TcpFlags, Term, Transport, VnicId,
};

use crate::strategies::under_miri;

const SETS: u32 = 60;
const HOSTS: u32 = 400;
const VNICS: u32 = 4;
/// So few scopes that many rules are on each.
const FEW: u32 = 8;

/// Marsaglia's xorshift: the same choices every time.
struct Choice {
    state: u64,
    /// How many scopes there are to apply rules to.
    scopes: u32,
}

impl Choice {
    fn below(&mut self, end: u32) -> u32 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        u32::try_from(self.state % u64::from(end)).unwrap()
    }

    fn port(&mut self) -> u16 {
        u16::try_from(self.below(300)).unwrap()
    }

    fn address(&mut self) -> IpAddr {
        let host = self.below(HOSTS + 20);
        match self.below(6) {
            0 => Ipv6Addr::from((0xfd00 << 112) + u128::from(host)).into(),
            _ => Ipv4Addr::from(0x0a00_0000 + host * 7).into(),
        }
    }

    fn member(&mut self) -> Member {
        let first = self.address();
        match (self.below(12), first) {
            (0, IpAddr::V4(own)) => {
                let last = Ipv4Addr::from(u32::from(own) + self.below(300));
                Member::Range(AddressRange::new(first, last.into()).unwrap())
            }
            (0, IpAddr::V6(own)) => {
                let last = Ipv6Addr::from(u128::from(own) + u128::from(self.below(300)));
                Member::Range(AddressRange::new(first, last.into()).unwrap())
            }
            _ => Member::from(first),
        }
    }

    fn peer(&mut self) -> Peer {
        if self.below(10) == 0 {
            return Peer::Any;
        }
        let count = 1 + self.below(2);
        let terms = (0..count).map(|_| match (self.below(20), self.member()) {
            (0, Member::Range(range)) => Term::Range(range),
            _ => Term::Set(SetId(self.below(SETS + 1))),
        });
        Peer::OneOf { terms: terms.collect(), negated: self.below(40) == 0 }
    }

    fn service(&mut self) -> ServiceMatch {
        let first = self.port();
        let last = if self.below(4) == 0 { first + self.port() } else { first };
        let mut ports = Ports::to([PortRange { first, last }]);
        if self.below(30) == 0 {
            ports.source.push(PortRange::from(self.port()));
        }
        let code = (self.below(4) == 0).then_some(1);
        match self.below(12) {
            0 => ServiceMatch::Any,
            1 | 2 => ServiceMatch::OneOf(vec![Service::Udp(ports)]),
            3 => {
                let icmp = Service::Icmp { family: Family::V4, kind: Some(8), code };
                ServiceMatch::OneOf(vec![icmp, Service::Tcp(ports)])
            }
            4 => ServiceMatch::OneOf(vec![Service::Protocol(47), Service::Protocol(17)]),
            _ => ServiceMatch::OneOf(vec![Service::Tcp(ports)]),
        }
    }

    fn scope(&mut self) -> ScopeId {
        ScopeId(self.below(self.scopes))
    }

    fn rule(&mut self, id: u64) -> Rule {
        let scopes = |choice: &mut Self| vec![choice.scope(), choice.scope()];
        Rule {
            id: RuleId(id),
            layer: Layer::Ip,
            action: if self.below(3) == 0 { Action::Drop } else { Action::Allow },
            direction: [None, None, Some(Direction::In), Some(Direction::Out)]
                [self.below(4) as usize],
            family: (self.below(20) == 0).then_some(Family::V4),
            source: self.peer(),
            destination: self.peer(),
            service: self.service(),
            applied_to: match self.below(9) {
                0..3 if self.scopes == FEW => {
                    AppliedTo::OneOf { scopes: scopes(self), vnics: vec![VnicId(1)] }
                }
                _ if self.scopes == FEW => AppliedTo::Everywhere,
                0 => AppliedTo::Everywhere,
                _ => AppliedTo::OneOf { scopes: scopes(self), vnics: Vec::new() },
            },
            stateful: true,
            tcp_strict: false,
        }
    }

    fn packet(&mut self) -> Packet {
        let (src_port, dst_port) = (self.port(), self.port());
        let transport = match self.below(8) {
            0 => Transport::Udp { src_port, dst_port },
            1 => Transport::Icmp { kind: 8, code: u8::try_from(self.below(2)).unwrap(), id: 0 },
            2 => Transport::Other(47),
            _ => Transport::Tcp { src_port, dst_port, flags: TcpFlags::SYN },
        };
        Packet::ip(self.address(), self.address(), transport)
    }
}

/// Two planes, of which one walks.
struct Both {
    choice: Choice,
    planes: [Dataplane; 2],
    /// The address that each vNIC is said to have.
    homes: [Option<IpAddr>; VNICS as usize],
    next: u64,
}

impl Both {
    fn of(rules: u32, scopes: u32) -> Self {
        let planes = [EngineKind::Walk, EngineKind::Bitmap]
            .map(|engine| Dataplane::new(Config { engine, ..Config::default() }));
        let mut both = Self {
            choice: Choice { state: u64::from(rules) + 1, scopes },
            planes,
            homes: [None; VNICS as usize],
            next: rules.into(),
        };
        let program: Vec<Rule> = (0..rules).map(|id| both.choice.rule(id.into())).collect();
        for _ in 0..SETS * under_miri(20, 4) {
            let (set, member) = (both.choice.below(SETS), both.choice.member());
            both.each(|plane| plane.add_member(SetId(set), member));
        }
        for vnic in 0..VNICS {
            both.each(|plane| plane.add_vnic(VnicId(vnic)));
            for _ in 0..scopes.div_ceil(2 * FEW) {
                let scope = both.choice.scope();
                both.each(|plane| plane.join(scope, VnicId(vnic)));
            }
        }
        for vnic in 0..VNICS {
            let address = both.choice.address();
            both.homes[vnic as usize] = Some(address);
            both.each(|plane| plane.set_vnic_address(VnicId(vnic), Some(address)));
        }
        for plane in &mut both.planes {
            plane.load(program.iter().cloned().collect());
        }
        both
    }

    fn each(&mut self, change: impl Fn(&mut Dataplane) -> bool) {
        let [walk, bitmap] = &mut self.planes;
        assert_eq!(change(walk), change(bitmap));
    }

    fn change(&mut self) {
        let choice = &mut self.choice;
        let (set, member) = (SetId(choice.below(SETS)), choice.member());
        let (scope, vnic) = (choice.scope(), VnicId(choice.below(VNICS)));
        let id = RuleId(choice.below(u32::try_from(self.next).unwrap()).into());
        match choice.below(10) {
            0 | 1 => self.each(|plane| plane.add_member(set, member)),
            2 | 3 => self.each(|plane| plane.remove_member(set, &member)),
            4 => {
                let rule = self.choice.rule(self.next);
                self.next += 1;
                self.each(|plane| plane.insert_rule(rule.clone(), Some(id)));
            }
            5 => self.each(|plane| plane.remove_rule(id)),
            6 => self.each(|plane| plane.join(scope, vnic)),
            7 => self.each(|plane| plane.leave(scope, vnic)),
            8 => {
                let address = (choice.below(8) > 0).then(|| choice.address());
                self.homes[vnic.0 as usize] = address;
                self.each(|plane| plane.set_vnic_address(vnic, address));
            }
            _ => while self.planes[1].settle() && self.choice.below(4) > 0 {},
        }
    }

    fn compare(&mut self, packets: u32) {
        let packets: Vec<_> = (0..2 * packets).map(|_| self.packet()).collect();
        let asked: Vec<_> =
            packets.iter().map(|(vnic, way, packet)| (*vnic, *way, packet)).collect();
        let mut batch = Vec::new();
        self.planes[1].judge_batch(&asked, &mut batch);
        for ((vnic, direction, packet), batched) in asked.into_iter().zip(batch) {
            let [walk, bitmap] =
                [0, 1].map(|plane| self.planes[plane].judge(vnic, direction, packet));
            assert_eq!(walk, bitmap, "{packet:?}");
            assert_eq!(walk, batched, "{packet:?} in a batch");
        }
    }

    /// A packet on a vNIC; most have its address at the vNIC's own end, if it is said to have one.
    fn packet(&mut self) -> (VnicId, Direction, Packet) {
        let mut packet = self.choice.packet();
        let vnic = self.choice.below(VNICS);
        let direction = [Direction::In, Direction::Out][self.choice.below(2) as usize];
        let own = self.homes[vnic as usize].filter(|_| self.choice.below(5) > 0);
        if let (Some(ip), Some(own)) = (&mut packet.ip, own) {
            match direction {
                Direction::In => ip.dst = own,
                Direction::Out => ip.src = own,
            }
        }
        (VnicId(vnic), direction, packet)
    }
}

#[test]
fn lists_of_every_size_agree_with_the_walk_through_changes() {
    // One, two and three lines; rows packed by parts of 8, 32 and 256 rules.
    let sizes: &[_] = under_miri(
        &[(40, 400), (700, 150), (1_300, 80), (3_000, 60), (9_000, 20), (20_000, 4)],
        &[(40, 10)],
    );
    for &(rules, changes) in sizes {
        let mut both = Both::of(rules, FEW);
        both.compare(under_miri(100, 4));
        for _ in 0..changes {
            both.change();
            both.compare(3);
        }
        both.compare(under_miri(100, 4));
    }
}

#[test]
fn rules_on_few_vnics_each_agree_with_the_walk_through_changes() {
    // Lists of a block or two, of some, and of buckets that overflow.
    let sizes: &[_] =
        under_miri(&[(2_000, 400, 400), (3_000, 160, 200), (9_000, 300, 60)], &[(1_600, 320, 2)]);
    for &(rules, scopes, changes) in sizes {
        let mut both = Both::of(rules, scopes);
        both.compare(under_miri(300, 4));
        for change in 0..changes {
            both.change();
            both.compare(3);
            if change % 40 == 0 {
                for vnic in (0..VNICS).map(VnicId) {
                    let [walk, bitmap] = both
                        .planes
                        .each_ref()
                        .map(|plane| plane.rules_on(vnic).map(|rule| rule.id).collect::<Vec<_>>());
                    assert_eq!(walk, bitmap);
                }
            }
        }
        both.compare(under_miri(300, 4));
    }
}
