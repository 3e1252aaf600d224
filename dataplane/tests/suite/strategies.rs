//! Random rules, packets and edits over so small a world that things meet often.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use dataplane::{
    Action, AddressRange, AppliedTo, Direction, Edit, Family, Layer, MacAddr, Member, Packet, Path,
    Peer, PortRange, Ports, Rule, RuleId, RuleProgram, ScopeId, Service, ServiceMatch, SetId,
    TcpFlags, Term, Transport, VnicId, ethertype,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::RngSeed;

/// Always the same cases; `PROPTEST_CASES` asks for another number of them.
pub(crate) fn config() -> ProptestConfig {
    cases(ProptestConfig::default().cases)
}

/// Always the same cases, so many of them.
pub(crate) fn cases(count: u32) -> ProptestConfig {
    ProptestConfig {
        cases: under_miri(count, 1),
        rng_seed: RngSeed::Fixed(0x5eed),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// How often to do something: Miri takes a thousand times as long for each.
pub(crate) const fn under_miri<T: Copy>(otherwise: T, miri: T) -> T {
    if cfg!(miri) { miri } else { otherwise }
}

/// The last octets of all addresses, and so the numbers of all vNICs.
const HOSTS: std::ops::RangeInclusive<u8> = 1..=3;

fn v4(host: u8) -> IpAddr {
    Ipv4Addr::new(10, 0, 0, host).into()
}

fn v6(host: u8) -> IpAddr {
    Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, host.into()).into()
}

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![4 => HOSTS.prop_map(v4), 1 => HOSTS.prop_map(v6)]
}

fn range() -> impl Strategy<Value = AddressRange> {
    prop_oneof![
        4 => address().prop_map(AddressRange::from),
        2 => (HOSTS, HOSTS).prop_map(|(a, b)| {
            AddressRange::new(v4(a.min(b)), v4(a.max(b))).unwrap()
        }),
        1 => select(vec!["0.0.0.0/0", "10.0.0.2/31", "::/0", "fd00::2-fd00::3"])
            .prop_map(|text| text.parse().unwrap()),
    ]
}

fn mac() -> impl Strategy<Value = MacAddr> {
    HOSTS.prop_map(|host| MacAddr([2, 0, 0, 0, 0, host]))
}

fn set() -> impl Strategy<Value = SetId> {
    (0_u32..3).prop_map(SetId)
}

fn scope() -> impl Strategy<Value = ScopeId> {
    (0_u32..3).prop_map(ScopeId)
}

pub(crate) fn vnic() -> impl Strategy<Value = VnicId> {
    HOSTS.prop_map(|host| VnicId(host.into()))
}

fn member() -> impl Strategy<Value = Member> {
    prop_oneof![4 => range().prop_map(Member::Range), 1 => mac().prop_map(Member::Mac)]
}

fn family() -> impl Strategy<Value = Family> {
    select(vec![Family::V4, Family::V6])
}

pub(crate) fn direction() -> impl Strategy<Value = Direction> {
    select(vec![Direction::In, Direction::Out])
}

fn peer() -> impl Strategy<Value = Peer> {
    let term = prop_oneof![
        6 => set().prop_map(Term::Set),
        2 => range().prop_map(Term::Range),
        1 => mac().prop_map(Term::Mac),
    ];
    prop_oneof![
        Just(Peer::Any),
        (vec(term, 0..3), prop::bool::weighted(0.2))
            .prop_map(|(terms, negated)| Peer::OneOf { terms, negated }),
    ]
}

fn ports() -> impl Strategy<Value = Ports> {
    let port = select(vec!["53", "80", "1000", "0-79", "80-65535"])
        .prop_map(|text| text.parse::<PortRange>().unwrap());
    (vec(port.clone(), 0..2), vec(port, 0..3))
        .prop_map(|(source, destination)| Ports { source, destination })
}

fn service() -> impl Strategy<Value = Service> {
    let kinds = || option::of(select(vec![0, 3, 8, 128, 129]));
    prop_oneof![
        3 => ports().prop_map(Service::Tcp),
        2 => ports().prop_map(Service::Udp),
        2 => (family(), kinds(), option::weighted(0.2, 0_u8..2))
            .prop_map(|(family, kind, code)| Service::Icmp { family, kind, code }),
        1 => select(vec![1, 6, 17, 47, 58]).prop_map(Service::Protocol),
        1 => select(vec![ethertype::ARP, ethertype::IPV4]).prop_map(Service::EtherType),
    ]
}

fn applied_to() -> impl Strategy<Value = AppliedTo> {
    prop_oneof![
        2 => Just(AppliedTo::Everywhere),
        1 => (vec(scope(), 0..3), vec(vnic(), 0..2))
            .prop_map(|(scopes, vnics)| AppliedTo::OneOf { scopes, vnics }),
    ]
}

pub(crate) fn rule() -> impl Strategy<Value = Rule> {
    let layer = prop_oneof![1 => Just(Layer::Ethernet), 5 => Just(Layer::Ip)];
    let action =
        prop_oneof![4 => Just(Action::Allow), 1 => Just(Action::Drop), 1 => Just(Action::Reject)];
    let service = prop_oneof![2 => Just(ServiceMatch::Any), 1 => vec(service(), 0..3).prop_map(ServiceMatch::OneOf),];
    let head = (layer, action, option::weighted(0.3, direction()), option::weighted(0.1, family()));
    let state = (prop::bool::weighted(0.8), prop::bool::weighted(0.2));
    (head, peer(), peer(), service, applied_to(), state).prop_map(
        |(
            (layer, action, direction, family),
            source,
            destination,
            service,
            applied_to,
            (stateful, tcp_strict),
        )| Rule {
            id: RuleId(0),
            layer,
            action,
            direction,
            family,
            source,
            destination,
            service,
            applied_to,
            stateful,
            tcp_strict,
        },
    )
}

/// A program with the ids 1, 2, 3 and so on, so that most ids are in most programs.
pub(crate) fn program() -> impl Strategy<Value = RuleProgram> {
    vec(rule(), 0..6).prop_map(|mut rules| {
        for (id, rule) in (1..).zip(&mut rules) {
            rule.id = RuleId(id);
        }
        rules.into_iter().collect()
    })
}

pub(crate) fn packet() -> impl Strategy<Value = Packet> {
    let flags = [
        TcpFlags::SYN,
        TcpFlags::SYN,
        TcpFlags::SYN | TcpFlags::ACK,
        TcpFlags::ACK,
        TcpFlags::FIN | TcpFlags::ACK,
        TcpFlags::RST,
    ];
    let port = || select(vec![53_u16, 80, 1000]);
    let transport = prop_oneof![
        4 => (port(), port(), select(flags.to_vec())).prop_map(|(src_port, dst_port, flags)| {
            Transport::Tcp { src_port, dst_port, flags }
        }),
        2 => (port(), port()).prop_map(|(src_port, dst_port)| Transport::Udp { src_port, dst_port }),
        2 => (select(vec![0, 3, 8, 9, 128, 129]), 0_u8..2, 0_u16..2)
            .prop_map(|(kind, code, id)| Transport::Icmp { kind, code, id }),
        1 => select(vec![47, 6]).prop_map(Transport::Other),
    ];
    let hosts = prop_oneof![
        4 => (HOSTS, HOSTS).prop_map(|(src, dst)| (v4(src), v4(dst))),
        1 => (HOSTS, HOSTS).prop_map(|(src, dst)| (v6(src), v6(dst))),
    ];
    let ip = (hosts, transport).prop_map(|((src, dst), transport)| Packet::ip(src, dst, transport));
    let arp = (mac(), mac()).prop_map(|(src, dst)| Packet::frame(src, dst, ethertype::ARP));
    let ip = (ip, mac(), mac(), 60_u32..1500)
        .prop_map(|(packet, src, dst, length)| packet.with_macs(src, dst).with_length(length));
    prop_oneof![12 => ip, 1 => arp]
}

/// The vNICs whose numbers are the hosts of the packet's addresses; now and then any.
pub(crate) fn path(packet: Packet) -> impl Strategy<Value = Path> {
    let last = |address: IpAddr| match address {
        IpAddr::V4(address) => VnicId(address.octets()[3].into()),
        IpAddr::V6(address) => VnicId(address.octets()[15].into()),
    };
    let proper = packet.ip.map_or(Path { from: Some(VnicId(1)), to: Some(VnicId(2)) }, |ip| Path {
        from: Some(last(ip.src)),
        to: Some(last(ip.dst)),
    });
    prop_oneof![
        6 => Just(proper),
        1 => (option::of(vnic()), option::of(vnic())).prop_map(|(from, to)| Path { from, to }),
    ]
}

fn rule_id() -> impl Strategy<Value = RuleId> {
    (1_u64..12).prop_map(RuleId)
}

pub(crate) fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        3 => program().prop_map(Edit::Load),
        3 => program().prop_map(Edit::Reload),
        6 => (rule(), rule_id(), option::weighted(0.7, rule_id())).prop_map(|(rule, id, before)| {
            Edit::InsertRule { rule: Arc::new(Rule { id, ..rule }), before }
        }),
        4 => rule_id().prop_map(Edit::RemoveRule),
        2 => Just(Edit::Settle),
        8 => (set(), member()).prop_map(|(set, member)| Edit::AddMember(set, member)),
        6 => (set(), member()).prop_map(|(set, member)| Edit::RemoveMember(set, member)),
        1 => set().prop_map(Edit::DropSet),
        3 => vnic().prop_map(Edit::AddVnic),
        1 => vnic().prop_map(Edit::RemoveVnic),
        6 => (scope(), vnic()).prop_map(|(scope, vnic)| Edit::Join(scope, vnic)),
        4 => (scope(), vnic()).prop_map(|(scope, vnic)| Edit::Leave(scope, vnic)),
        1 => scope().prop_map(Edit::DropScope),
        1 => (vnic(), any::<bool>()).prop_map(|(vnic, excluded)| Edit::Exclude(vnic, excluded)),
        1 => prop::bool::weighted(0.8).prop_map(Edit::SetEnabled),
        1 => (vnic(), any::<bool>()).prop_map(|(vnic, on)| Edit::SetVnicEnabled(vnic, on)),
        2 => (vnic(), option::of(HOSTS)).prop_map(|(vnic, host)| {
            Edit::SetVnicAddress(vnic, host.map(v4))
        }),
    ]
}
