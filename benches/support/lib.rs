//! Inputs of the benches, made from a seed.

use dataplane::{
    Action, AddressRange, AddressSets, Family, Member, Packet, Peer, PortRange, Ports, Rule,
    RuleId, Service, ServiceMatch, SetId, TcpFlags, Term,
};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// How many pods a group has.
const PODS: u32 = 20;

/// Rules between groups, in the manner of micro-segmentation: each allows one TCP port from one
/// group to another; the last rejects the rest.
pub fn grouped_rules(count: u32) -> (Vec<Arc<Rule>>, AddressSets) {
    let mut sets = AddressSets::default();
    for group in 0..groups(count) {
        for pod in 0..PODS {
            sets.add(SetId(group), Member::Range(AddressRange::from(address(group, pod))));
        }
    }
    let rules = (0..count).map(|number| {
        let last = number + 1 == count;
        let peer = |group: u32| {
            if last {
                Peer::Any
            } else {
                Peer::OneOf { terms: vec![Term::Set(SetId(group))], negated: false }
            }
        };
        let (source, destination) = pair(number, count);
        let ports = Ports::to([PortRange::from(port(number))]);
        let service =
            if last { ServiceMatch::Any } else { ServiceMatch::OneOf(vec![Service::Tcp(ports)]) };
        Arc::new(Rule {
            action: if last { Action::Reject } else { Action::Allow },
            family: Some(Family::V4),
            source: peer(source),
            destination: peer(destination),
            service,
            ..Rule::drop_all(RuleId(u64::from(number)))
        })
    });
    (rules.collect(), sets)
}

/// Packets that each match one rule of [`grouped_rules`], all rules alike, in a shuffled order; with
/// the rule that they match first.
pub fn packets(rules: u32, count: u32) -> Vec<(Packet, usize)> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: u32| {
        // Marsaglia's xorshift: the same packets every time.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        u32::try_from(state % u64::from(below)).unwrap_or(0)
    };
    let packets = (0..count).map(|_| {
        let number = next(rules);
        let (source, destination) = pair(number, rules);
        let (source, destination) = (address(source, next(PODS)), address(destination, next(PODS)));
        let from = SocketAddr::new(source, 49_152);
        let to = SocketAddr::new(destination, port(number));
        (Packet::tcp(from, to, TcpFlags::SYN), number as usize)
    });
    packets.collect()
}

fn groups(rules: u32) -> u32 {
    rules.div_ceil(4).max(2)
}

/// Groups apart from each other, so that no rule hides behind an earlier one.
fn pair(number: u32, rules: u32) -> (u32, u32) {
    let groups = groups(rules);
    (number % groups, (number + 1 + number / groups) % groups)
}

fn port(number: u32) -> u16 {
    u16::try_from(number % 60_000).unwrap_or(0) + 1
}

fn address(group: u32, pod: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + group * 256 + pod + 1))
}
