//! Every kind of service, by itself, by reference and in groups.

use super::{Net, rule};
use dataplane::{Action, Direction, Packet, TcpFlags, Transport};
use serde_json::{Value, json};
use std::net::{IpAddr, SocketAddr};
use tests::reference;

fn v4(last: u8) -> IpAddr {
    [10, 0, 0, last].into()
}

fn v6(last: u16) -> IpAddr {
    [0xfd00, 0, 0, 0, 0, 0, 0, last].into()
}

fn tcp(source: u16, destination: u16) -> Packet {
    let (from, to) = (SocketAddr::new(v4(1), source), SocketAddr::new(v4(2), destination));
    Packet::tcp(from, to, TcpFlags::SYN)
}

fn udp(source: u16, destination: u16) -> Packet {
    Packet::udp(SocketAddr::new(v4(1), source), SocketAddr::new(v4(2), destination))
}

fn icmp(from: IpAddr, to: IpAddr, kind: u8, code: u8) -> Packet {
    Packet::ip(from, to, Transport::Icmp { kind, code, id: 1 })
}

fn number(protocol: u8) -> Packet {
    Packet::ip(v4(1), v4(2), Transport::Other(protocol))
}

fn element(class: &str, own: Value) -> Value {
    let mut element = json!({"resource_type": class});
    super::join(&mut element, own);
    element
}

fn l4(protocol: &str, source: &[&str], destination: &[&str]) -> Value {
    let own = json!({
        "l4_protocol": protocol, "source_ports": source, "destination_ports": destination,
    });
    element("L4PortSetNSService", own)
}

/// Elements with packets that are of the service, and packets that are not.
fn cases() -> Vec<(Value, Vec<Packet>, Vec<Packet>)> {
    let icmp_of = |own| element("ICMPTypeNSService", own);
    let alg = |alg: &str, port: &str| {
        element("ALGTypeNSService", json!({"alg": alg, "destination_ports": [port]}))
    };
    let echo = icmp(v4(1), v4(2), 8, 0);
    let echo6 = icmp(v6(1), v6(2), 128, 0);
    vec![
        (
            l4("TCP", &[], &["22", "80-90"]),
            vec![tcp(1, 22), tcp(1, 80), tcp(1, 90)],
            vec![tcp(1, 91), tcp(22, 1), udp(1, 22)],
        ),
        (
            l4("TCP", &["1000-2000"], &["80"]),
            vec![tcp(1000, 80)],
            vec![tcp(999, 80), tcp(1000, 81)],
        ),
        (l4("TCP", &[], &[]), vec![tcp(1, 1)], vec![udp(1, 1), echo]),
        (l4("UDP", &["53"], &[]), vec![udp(53, 9)], vec![udp(9, 53), tcp(53, 9)]),
        (
            icmp_of(json!({"protocol": "ICMPv4", "icmp_type": 8, "icmp_code": 0})),
            vec![echo],
            vec![icmp(v4(1), v4(2), 8, 1), icmp(v4(1), v4(2), 0, 0), echo6],
        ),
        (
            icmp_of(json!({"protocol": "ICMPv4", "icmp_type": 3})),
            vec![icmp(v4(1), v4(2), 3, 13)],
            vec![echo],
        ),
        (
            icmp_of(json!({"protocol": "ICMPv4"})),
            vec![echo, icmp(v4(1), v4(2), 3, 1)],
            vec![echo6, tcp(1, 8)],
        ),
        (icmp_of(json!({"protocol": "ICMPv6"})), vec![echo6], vec![echo]),
        (
            element("IPProtocolNSService", json!({"protocol_number": 47})),
            vec![number(47)],
            vec![number(50), tcp(1, 47)],
        ),
        (
            element("IPProtocolNSService", json!({"protocol_number": 6})),
            vec![tcp(1, 2)],
            vec![udp(1, 2)],
        ),
        (element("IGMPTypeNSService", json!({})), vec![number(2)], vec![number(47), echo]),
        (alg("FTP", "21"), vec![tcp(1, 21)], vec![tcp(1, 20), udp(1, 21)]),
        (alg("TFTP", "69"), vec![udp(1, 69)], vec![tcp(1, 69)]),
    ]
}

/// Whether the only rule beside the default one stops a packet that leaves pod `a`.
fn stops(net: &Net, packet: &Packet) -> bool {
    let fabric = net.0.api().world().fabric();
    let verdict = fabric.judge("a", Direction::Out, packet);
    verdict.is_some_and(|verdict| verdict.action == Action::Drop)
}

#[track_caller]
fn check(net: &Net, of_it: &[Packet], others: &[Packet], what: &Value) {
    for packet in of_it {
        assert!(stops(net, packet), "{packet:?} is of {what}");
    }
    for packet in others {
        assert!(!stops(net, packet), "{packet:?} is not of {what}");
    }
}

#[test]
fn every_kind_of_service_takes_its_packets_and_no_others() {
    for (element, of_it, others) in cases() {
        let net = Net::new();
        let own = json!({"services": [{"service": element}]});
        net.section(json!({}), &[rule("deny", "DROP", own)]);
        check(&net, &of_it, &others, &element);
    }
}

#[test]
fn services_go_by_reference_and_in_groups_as_well() {
    for (number, (element, of_it, others)) in cases().into_iter().enumerate() {
        let net = Net::new();
        let service = json!({"id": "own", "nsservice_element": element});
        net.0.post("/ns-services", service).expect(201);
        let group = |id: &str, member: Value| {
            net.0.post("/ns-service-groups", json!({"id": id, "members": [member]})).expect(201);
        };
        group("inner", reference("NSService", "own"));
        group("outer", reference("NSServiceGroup", "inner"));
        let named = if number % 2 == 0 {
            reference("NSService", "own")
        } else {
            reference("NSServiceGroup", "outer")
        };
        net.section(json!({}), &[rule("deny", "DROP", json!({"services": [named]}))]);
        check(&net, &of_it, &others, &element);
    }
}

#[test]
fn several_services_are_alternatives_and_a_change_of_one_is_in_force_at_once() {
    let net = Net::new();
    let service = json!({"id": "own", "nsservice_element": l4("TCP", &[], &["22"])});
    net.0.post("/ns-services", service).expect(201);
    let both = json!([reference("NSService", "own"), {"service": l4("UDP", &[], &["53"])}]);
    net.section(json!({}), &[rule("deny", "DROP", json!({"services": both}))]);
    check(&net, &[tcp(1, 22), udp(1, 53)], &[tcp(1, 53), udp(1, 22)], &both);
    net.edit("/ns-services/own", |service| {
        service["nsservice_element"] = l4("TCP", &[], &["23"]);
    });
    check(&net, &[tcp(1, 23), udp(1, 53)], &[tcp(1, 22)], &both);
    net.0.delete("/ns-services/own?force=true").expect(200);
    check(&net, &[udp(1, 53)], &[tcp(1, 23)], &both);
}

#[test]
fn a_rule_whose_only_service_was_deleted_matches_nothing() {
    let net = Net::new();
    let service = json!({"id": "own", "nsservice_element": l4("TCP", &[], &[])});
    net.0.post("/ns-services", service).expect(201);
    let own = json!({"services": [reference("NSService", "own")]});
    net.section(json!({}), &[rule("deny", "DROP", own.clone())]);
    check(&net, &[tcp(1, 2)], &[udp(1, 2)], &own);
    net.0.delete("/ns-services/own?force=true").expect(200);
    check(&net, &[], &[tcp(1, 2), udp(1, 2)], &own);
}
