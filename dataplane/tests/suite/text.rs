//! Rules, packets and sets as one line of text each.
//!
//! ```text
//! rule:    ACTION [eth] [in|out] [v4|v6] from PEER to PEER [svc SERVICE[,…]] [on TARGET[,…]] [stateless] [strict]
//! PEER:    any | [!]TERM[,…] | [!]nobody          TERM:   s1 | mac02 | 10.0.0.0/24
//! SERVICE: tcp[:[SRC>]DST] | udp[…] | icmp4[:KIND[:CODE]] | icmp6[…] | proto:47 | type:0806
//! TARGET:  scope1 | vnic1 | nowhere
//! packet:  KIND SRC > DST [WORD], such as "tcp 10.0.0.1:999 > 10.0.0.2:80 SA", "icmp 10.0.0.1 > 10.0.0.2 8/0",
//!          "gre 10.0.0.1 > 10.0.0.2", "proto17 10.0.0.1 > 10.0.0.2" (UDP without a header), "arp mac01 > mac02"
//! ```

use std::net::{IpAddr, SocketAddr};

use dataplane::{
    Action, AppliedTo, Direction, Family, Layer, MacAddr, Packet, Peer, Ports, Rule, RuleId,
    RuleProgram, ScopeId, Service, ServiceMatch, SetId, TcpFlags, Term, Transport, VnicId,
};

/// One rule; its id is given, since position is what most cases ask for.
pub(crate) fn rule(id: u64, text: &str) -> Rule {
    let mut words = text.split_whitespace();
    let mut next = || words.next();
    let mut rule = Rule {
        action: match next() {
            Some("allow") => Action::Allow,
            Some("drop") => Action::Drop,
            Some("reject") => Action::Reject,
            other => panic!("{other:?} is no action in {text:?}"),
        },
        ..Rule::drop_all(RuleId(id))
    };
    while let Some(word) = next() {
        let mut value = || next().unwrap_or_else(|| panic!("{word:?} ends {text:?}"));
        match word {
            "eth" => rule.layer = Layer::Ethernet,
            "in" => rule.direction = Some(Direction::In),
            "out" => rule.direction = Some(Direction::Out),
            "v4" => rule.family = Some(Family::V4),
            "v6" => rule.family = Some(Family::V6),
            "from" => rule.source = peer(value()),
            "to" => rule.destination = peer(value()),
            "svc" => rule.service = services(value()),
            "on" => rule.applied_to = applied_to(value()),
            "stateless" => rule.stateful = false,
            "strict" => rule.tcp_strict = true,
            other => panic!("{other:?} means nothing in {text:?}"),
        }
    }
    rule
}

/// A program whose rules have the ids 1, 2, 3 and so on.
pub(crate) fn program(rules: &[&str]) -> RuleProgram {
    (1..).zip(rules).map(|(id, text)| rule(id, text)).collect()
}

/// A packet.
pub(crate) fn packet(text: &str) -> Packet {
    let words: Vec<&str> = text.split_whitespace().collect();
    let &[kind, src, ">", dst, ref rest @ ..] = words.as_slice() else {
        panic!("{text:?} is no packet")
    };
    let socket = |text: &str| text.parse::<SocketAddr>().unwrap();
    let ip = |text: &str| text.parse::<IpAddr>().unwrap();
    match kind {
        "tcp" => Packet::tcp(socket(src), socket(dst), flags(rest.first().unwrap_or(&"S"))),
        "udp" => Packet::udp(socket(src), socket(dst)),
        "icmp" => {
            let (kind, code) = rest.first().unwrap_or(&"8/0").split_once('/').unwrap();
            let (kind, code) = (kind.parse().unwrap(), code.parse().unwrap());
            let id = rest.get(1).map_or(1, |id| id.parse().unwrap());
            Packet::ip(ip(src), ip(dst), Transport::Icmp { kind, code, id })
        }
        "gre" => Packet::ip(ip(src), ip(dst), Transport::Other(47)),
        "proto17" => Packet::ip(ip(src), ip(dst), Transport::Other(17)),
        "arp" => Packet::frame(mac(src), mac(dst), 0x0806),
        other => panic!("{other:?} is no kind of packet"),
    }
}

/// `mac02` is `02:00:00:00:00:02`.
pub(crate) fn mac(text: &str) -> MacAddr {
    let last = text.strip_prefix("mac").unwrap().parse().unwrap();
    MacAddr([2, 0, 0, 0, 0, last])
}

/// A term of a peer, and likewise a member of a set.
pub(crate) fn term(text: &str) -> Term {
    if text.starts_with("mac") {
        Term::Mac(mac(text))
    } else if let Some(id) = text.strip_prefix('s') {
        Term::Set(SetId(id.parse().unwrap()))
    } else {
        Term::Range(text.parse().unwrap())
    }
}

fn flags(letters: &str) -> TcpFlags {
    letters.chars().fold(TcpFlags::default(), |flags, letter| {
        flags
            | match letter {
                'S' => TcpFlags::SYN,
                'A' => TcpFlags::ACK,
                'F' => TcpFlags::FIN,
                'R' => TcpFlags::RST,
                other => panic!("{other:?} is no flag"),
            }
    })
}

fn peer(text: &str) -> Peer {
    if text == "any" {
        return Peer::Any;
    }
    let (negated, list) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
    let terms = if list == "nobody" { Vec::new() } else { list.split(',').map(term).collect() };
    Peer::OneOf { terms, negated }
}

fn services(text: &str) -> ServiceMatch {
    let list = text.split(',').filter(|one| *one != "nothing");
    ServiceMatch::OneOf(list.map(service).collect())
}

fn service(text: &str) -> Service {
    let (kind, value) = text.split_once(':').map_or((text, None), |(k, v)| (k, Some(v)));
    let icmp = |family| {
        let mut numbers = value.into_iter().flat_map(|v| v.split(':')).map(|n| n.parse().unwrap());
        Service::Icmp { family, kind: numbers.next(), code: numbers.next() }
    };
    match kind {
        "tcp" => Service::Tcp(ports(value)),
        "udp" => Service::Udp(ports(value)),
        "icmp4" => icmp(Family::V4),
        "icmp6" => icmp(Family::V6),
        "proto" => Service::Protocol(value.unwrap().parse().unwrap()),
        "type" => Service::EtherType(u16::from_str_radix(value.unwrap(), 16).unwrap()),
        other => panic!("{other:?} is no service"),
    }
}

fn ports(text: Option<&str>) -> Ports {
    let list = |text: &str| text.split('+').map(|p| p.parse().unwrap()).collect();
    match text.map(|text| text.split_once('>').ok_or(text)) {
        None => Ports::default(),
        Some(Err(destination)) => Ports { source: Vec::new(), destination: list(destination) },
        Some(Ok((source, ""))) => Ports { source: list(source), destination: Vec::new() },
        Some(Ok((source, destination))) => {
            Ports { source: list(source), destination: list(destination) }
        }
    }
}

fn applied_to(text: &str) -> AppliedTo {
    let (mut scopes, mut vnics) = (Vec::new(), Vec::new());
    for target in text.split(',').filter(|target| *target != "nowhere") {
        if let Some(id) = target.strip_prefix("scope") {
            scopes.push(ScopeId(id.parse().unwrap()));
        } else {
            vnics.push(VnicId(target.strip_prefix("vnic").unwrap().parse().unwrap()));
        }
    }
    AppliedTo::OneOf { scopes, vnics }
}
