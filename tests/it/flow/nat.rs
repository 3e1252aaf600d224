//! What rules of routers make of packets' addresses, and how answers come back.

use super::routers::{DELIVERED, connected, edit, lost, send, uplink};
use super::tell;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::time::Duration;
use tests::Manager;

/// The guests of [`connected`] below a tier-0 with an uplink; nothing is translated.
fn world() -> Manager {
    let manager = connected();
    uplink(&manager);
    manager
}

/// Makes a rule on a router and gives its id.
#[track_caller]
pub(super) fn rule(manager: &Manager, router: &str, body: Value) -> String {
    let path = format!("/logical-routers/{router}/nat/rules");
    let made = manager.post(&path, body).expect(201);
    made["id"].as_str().unwrap_or_default().to_owned()
}

pub(super) fn snat(network: &str, to: &str) -> Value {
    json!({"action": "SNAT", "match_source_network": network, "translated_network": to})
}

/// A packet between sockets such as `10.1.0.9:80`, or of a guest as `web:80`.
#[track_caller]
pub(super) fn pass(manager: &Manager, from: &str, to: &str, flags: &str) -> Value {
    let split = |text: &str| {
        let (end, port) = text.rsplit_once(':').expect("a socket");
        (end.to_owned(), port.parse::<u16>().expect("a port"))
    };
    let ((from, src_port), (to, dst_port)) = (split(from), split(to));
    let packet = json!({
        "from": from, "to": to, "src_port": src_port, "dst_port": dst_port, "tcp_flags": flags,
    });
    manager.post("/sim/v1/packets", packet).expect(200)
}

/// The outcome, and the packet's ends as it arrives.
pub(super) fn ends(answer: &Value) -> String {
    let packet = &answer["packet"];
    let end = |ip: &str, port: &str| {
        format!("{}:{}", packet[ip].as_str().unwrap_or_default(), packet[port])
    };
    let (src, dst) = (end("src_ip", "src_port"), end("dst_ip", "dst_port"));
    format!("{} {src} -> {dst}", answer["outcome"].as_str().unwrap_or_default())
}

#[test]
fn what_leaves_has_the_outer_address_and_its_answer_comes_back() {
    let manager = world();
    rule(&manager, "upper", snat("10.1.0.0/24", "203.0.113.5"));
    let sent = pass(&manager, "web:40000", "198.51.100.9:443", "SYN");
    assert_eq!(ends(&sent), "DELIVERED 203.0.113.5:40000 -> 198.51.100.9:443");
    assert_eq!(sent["nat"][0]["router_name"], "upper");
    let answer = pass(&manager, "198.51.100.9:443", "203.0.113.5:40000", "SYN,ACK");
    assert_eq!(ends(&answer), "DELIVERED 198.51.100.9:443 -> 10.1.0.9:40000");
    assert_eq!(tell(&answer), "DELIVERED: web IN flow of Default Layer3 Rule");
    // What nobody asked for, and from whom nobody did.
    let stray = pass(&manager, "198.51.100.9:443", "203.0.113.5:40001", "SYN,ACK");
    assert_eq!(stray["reason"], "no service of upper takes what comes for 203.0.113.5");
    let stray = pass(&manager, "198.51.100.8:443", "203.0.113.5:40000", "SYN,ACK");
    assert_eq!(stray["outcome"], "UNREACHABLE");
    // Others keep their addresses.
    let other = pass(&manager, "app:40000", "198.51.100.9:443", "SYN");
    assert_eq!(ends(&other), "DELIVERED 10.2.0.9:40000 -> 198.51.100.9:443");
}

#[test]
fn the_guests_own_filter_sees_the_inner_address() {
    let manager = world();
    rule(&manager, "upper", snat("10.1.0.0/24", "203.0.113.5"));
    let outer = json!({
        "action": "DNAT", "match_destination_network": "203.0.113.9",
        "translated_network": "10.2.0.9",
    });
    rule(&manager, "upper", outer);
    let only = |name: &str, member: &str, end: &str| {
        json!({"display_name": name, "action": "DROP", end: [
            {"target_type": "IPv4Address", "target_id": member},
        ]})
    };
    let body = json!({"section_type": "LAYER3", "stateful": true, "rules": [
        only("outer source", "203.0.113.5", "sources"),
        only("outer target", "203.0.113.9", "destinations"),
        only("inner target", "10.2.0.9", "destinations"),
    ]});
    manager.post("/firewall/sections?action=create_with_rules", body).expect(201);
    let sent = pass(&manager, "web:40000", "198.51.100.9:443", "SYN");
    assert_eq!(tell(&sent), "DELIVERED: web OUT Default Layer3 Rule");
    let come = pass(&manager, "198.51.100.9:40000", "203.0.113.9:80", "SYN");
    assert_eq!(tell(&come), "DROPPED: app IN inner target");
}

#[test]
fn two_guests_behind_one_address_are_told_apart() {
    let manager = world();
    rule(&manager, "upper", snat("10.0.0.0/8", "203.0.113.5"));
    let port = |from: &str| {
        let sent = pass(&manager, &format!("{from}:40000"), "198.51.100.9:443", "SYN");
        sent["packet"]["src_port"].clone()
    };
    assert_eq!((port("web"), port("app")), (json!(40000), json!(40001)));
    assert_eq!((port("web"), port("app")), (json!(40000), json!(40001)), "as before");
    let answer = pass(&manager, "198.51.100.9:443", "203.0.113.5:40001", "SYN,ACK");
    assert_eq!(ends(&answer), "DELIVERED 198.51.100.9:443 -> 10.2.0.9:40000");
}

#[test]
fn an_outer_address_leads_to_a_guest_and_ports_move_with_it() {
    let manager = world();
    let service = json!({
        "resource_type": "L4PortSetNSService", "l4_protocol": "TCP",
        "destination_ports": ["80-89"],
    });
    let body = json!({
        "action": "DNAT",
        "match_destination_network": "203.0.113.8/31",
        "match_service": service,
        "translated_network": "10.2.0.8/31",
        "translated_ports": "8080-8084",
    });
    rule(&manager, "upper", body);
    let come = |to: &str| ends(&pass(&manager, "198.51.100.9:40000", to, "SYN"));
    assert_eq!(come("203.0.113.9:83"), "DELIVERED 198.51.100.9:40000 -> 10.2.0.9:8083");
    assert_eq!(come("203.0.113.9:89"), "DELIVERED 198.51.100.9:40000 -> 10.2.0.9:8080");
    let why = "no service of upper takes what comes for 203.0.113.9";
    let stray = pass(&manager, "198.51.100.9:40000", "203.0.113.9:443", "SYN");
    assert_eq!(stray["reason"], why);
    let back = |flags: &str| ends(&pass(&manager, "app:8083", "198.51.100.9:40000", flags));
    assert_eq!(back("SYN,ACK"), "DELIVERED 203.0.113.9:83 -> 198.51.100.9:40000");
    manager.advance(Duration::from_secs(120));
    assert_eq!(back("ACK"), "DELIVERED 10.2.0.9:8083 -> 198.51.100.9:40000", "forgotten");
    let second = pass(&manager, "198.51.100.9:40000", "203.0.113.9:83", "SYN");
    assert_eq!(second["outcome"], DELIVERED);
    let nobody = pass(&manager, "198.51.100.9:40000", "203.0.113.8:80", "SYN");
    assert_eq!(nobody["reason"], "two: nobody in 10.2.0.0/24 has the address 10.2.0.8");
}

#[test]
fn the_first_rule_by_priority_decides_and_a_rule_may_let_packets_alone() {
    let manager = world();
    let general = rule(&manager, "upper", snat("10.0.0.0/8", "203.0.113.5"));
    let mut body = snat("10.1.0.0/24", "203.0.113.6");
    body["rule_priority"] = 10.into();
    let first = rule(&manager, "upper", body);
    let none = json!({
        "action": "NO_SNAT", "match_source_network": "10.1.0.9",
        "match_destination_network": "198.51.100.0/28", "rule_priority": 5,
    });
    let none = rule(&manager, "upper", none);
    let source = |from: &str, to: &str| {
        send(&manager, from, to)["packet"]["src_ip"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(source("web", "198.51.100.99"), "203.0.113.6");
    assert_eq!(source("web", "198.51.100.9"), "10.1.0.9");
    assert_eq!(source("app", "198.51.100.9"), "203.0.113.5");
    let path = |id: &str| format!("/logical-routers/upper/nat/rules/{id}");
    edit(&manager, &path(&first), |own| own["enabled"] = false.into());
    assert_eq!(source("web", "198.51.100.99"), "203.0.113.5", "its connections went with it");
    manager.delete(&path(&none)).expect(200);
    assert_eq!(source("web", "198.51.100.9"), "203.0.113.5");
    manager.delete(&path(&general)).expect(200);
    assert_eq!(source("web", "198.51.100.9"), "10.1.0.9");
}

#[test]
fn a_rule_that_is_applied_to_a_port_concerns_that_port_alone() {
    let manager = world();
    let applied = |port: &str| json!([{"target_type": "LogicalRouterPort", "target_id": port}]);
    let mut body = snat("10.1.0.0/24", "203.0.113.5");
    body["applied_tos"] = applied("upper-one");
    let id = rule(&manager, "upper", body);
    assert_eq!(send(&manager, "web", "198.51.100.9")["packet"]["src_ip"], "10.1.0.9");
    edit(&manager, &format!("/logical-routers/upper/nat/rules/{id}"), |own| {
        own["applied_tos"] = applied("uplink");
    });
    assert_eq!(send(&manager, "web", "198.51.100.9")["packet"]["src_ip"], "203.0.113.5");
}

#[test]
fn what_stays_below_a_tier_0_keeps_its_addresses() {
    let manager = world();
    rule(&manager, "upper", snat("10.0.0.0/8", "203.0.113.5"));
    assert_eq!(send(&manager, "web", "app")["packet"]["src_ip"], "10.1.0.9");
    // A tier-1's services are on its link to tier-0, so there it is translated.
    rule(&manager, "two", snat("10.2.0.0/24", "203.0.113.6"));
    edit(&manager, "/logical-routers/two/routing/advertisement", |own| {
        own["advertise_nat_routes"] = true.into();
    });
    assert_eq!(send(&manager, "app", "db")["packet"]["src_ip"], "10.2.0.9");
    let sent = pass(&manager, "app:40000", "web:80", "SYN");
    assert_eq!(ends(&sent), "DELIVERED 203.0.113.6:40000 -> 10.1.0.9:80");
    let back = pass(&manager, "web:80", "203.0.113.6:40000", "SYN,ACK");
    assert_eq!(ends(&back), "DELIVERED 10.1.0.9:80 -> 10.2.0.9:40000");
    assert!(tell(&back).ends_with("app IN flow of Default Layer3 Rule"), "{back:#}");
}

#[test]
fn a_tier_1s_outer_address_is_reached_while_it_is_advertised() {
    let manager = world();
    let body = json!({
        "action": "DNAT", "match_destination_network": "203.0.113.9",
        "translated_network": "10.2.0.9",
    });
    rule(&manager, "two", body);
    let why = lost(&manager, "198.51.100.9", "203.0.113.9");
    assert_eq!(why, "198.51.100.9 is outside, and so is 203.0.113.9");
    edit(&manager, "/logical-routers/two/routing/advertisement", |own| {
        own["advertise_nat_routes"] = true.into();
        own["advertise_nsx_connected_routes"] = false.into();
    });
    let come = send(&manager, "198.51.100.9", "203.0.113.9");
    assert_eq!(come["packet"]["dst_ip"], "10.2.0.9", "{come:#}");
    assert_eq!(come["outcome"], DELIVERED);
    lost(&manager, "198.51.100.9", "app");
}

#[test]
fn reflexive_rules_work_both_ways_without_connections() {
    let manager = world();
    edit(&manager, "/logical-routers/upper", |own| {
        own["high_availability_mode"] = "ACTIVE_ACTIVE".into();
        own["failover_mode"] = Value::Null;
    });
    let body = json!({
        "action": "REFLEXIVE", "match_source_network": "10.1.0.0/24",
        "translated_network": "203.0.113.0/24",
    });
    rule(&manager, "upper", body);
    let sent = pass(&manager, "web:40000", "198.51.100.9:443", "SYN");
    assert_eq!(ends(&sent), "DELIVERED 203.0.113.9:40000 -> 198.51.100.9:443");
    let come = pass(&manager, "198.51.100.7:9", "203.0.113.9:22", "SYN");
    assert_eq!(ends(&come), "DELIVERED 198.51.100.7:9 -> 10.1.0.9:22");
}

#[test]
fn connections_live_by_the_session_timers() {
    let manager = world();
    rule(&manager, "upper", snat("10.1.0.0/24", "203.0.113.5"));
    let out = |flags: &str| pass(&manager, "web:40000", "198.51.100.9:443", flags);
    let back = |flags: &str| {
        pass(&manager, "198.51.100.9:443", "203.0.113.5:40000", flags)["outcome"] == DELIVERED
    };
    out("SYN");
    manager.advance(Duration::from_secs(119));
    assert!(back("SYN,ACK"));
    out("ACK");
    manager.advance(Duration::from_secs(43_199));
    assert!(back("ACK"), "established");
    out("RST");
    manager.advance(Duration::from_secs(19));
    assert!(back("ACK"));
    manager.advance(Duration::from_secs(20));
    assert!(!back("ACK"), "closed");
}

#[test]
fn rules_count_packets_and_sessions_on_the_edge_that_works() {
    let manager = world();
    let id = rule(&manager, "upper", snat("10.1.0.0/24", "203.0.113.5"));
    let other = rule(&manager, "upper", snat("10.2.0.0/24", "203.0.113.6"));
    for port in 1..=3 {
        pass(&manager, &format!("web:{port}"), "198.51.100.9:443", "SYN");
    }
    pass(&manager, "198.51.100.9:443", "203.0.113.5:1", "SYN,ACK");
    manager.post("/sim/v1/explain", json!({"from": "web", "to": "198.51.100.9"})).expect(200);
    let path = "/logical-routers/upper/nat/rules";
    let one = |id: &str| {
        let own = manager.get(&format!("{path}/{id}/statistics")).expect(200);
        ["total_packets", "total_bytes", "active_sessions"].map(|name| own[name].clone())
    };
    let counted = [json!(4), json!(4 * 54), json!(3)];
    assert_eq!(one(&id), counted);
    assert_eq!(one(&other), [json!(0), json!(0), json!(0)]);
    let all = manager.get(&format!("{path}/statistics")).expect(200);
    assert_eq!(all["statistics_across_all_nodes"]["total_packets"], 4);
    let node = &all["per_transport_node_statistics"][0];
    assert_eq!(node["active_sessions"], 3);
    let edge = node["transport_node_id"].as_str().unwrap();
    let path = format!("/transport-nodes/{edge}/statistics/nat-rules");
    let own = manager.get(&path).expect(200);
    assert_eq!((&own["total_packets"], &own["transport_node_id"]), (&json!(4), &json!(edge)));
    manager.get("/transport-nodes/nobody/statistics/nat-rules").refused(404, 600);
    manager.advance(Duration::from_secs(120));
    send(&manager, "app", "198.51.100.9");
    assert_eq!(one(&id)[2], 0);
    assert_eq!(one(&other)[0], 1);
}

#[test]
fn a_traceflow_names_the_rule_and_the_new_addresses() {
    let manager = world();
    let id = rule(&manager, "upper", snat("10.1.0.0/24", "203.0.113.5"));
    let body = json!({
        "lport_id": "web",
        "packet": {
            "resource_type": "FieldsPacketData", "routed": true, "transport_type": "UNICAST",
            "ip_header": {"dst_ip": "198.51.100.9", "protocol": 6},
            "transport_header": {"tcp_header": {"src_port": 9, "dst_port": 80}},
        },
    });
    let made = manager.post("/traceflows", body).expect(201);
    manager.advance(Duration::from_secs(1));
    let path = format!("/traceflows/{}/observations", made["id"].as_str().unwrap());
    let rows = manager.get(&path).results();
    let place = rows.iter().position(|own| own["component_type"] == "NAT").expect("a step");
    let step = &rows[place];
    assert_eq!(step["resource_type"], "TraceflowObservationForwardedLogical");
    assert_eq!(step["nat_rule_id"].to_string(), id, "a number");
    assert_eq!(step["translated_src_ip"], "203.0.113.5");
    assert_eq!(step["translated_dst_ip"], "198.51.100.9");
    assert_eq!(rows[place - 1]["resource_type"], "TraceflowObservationReceivedLogical");
    assert_eq!(rows[place - 1]["component_name"], "upper");
}

#[test]
fn pings_are_told_apart_by_their_ids() {
    let manager = world();
    rule(&manager, "upper", snat("10.0.0.0/8", "203.0.113.5"));
    let ping = |from: &str| {
        let packet = json!({"from": from, "to": "198.51.100.9", "protocol": "ICMP", "src_port": 7});
        let sent = manager.post("/sim/v1/packets", packet).expect(200);
        sent["nat"][0]["src_port"].clone()
    };
    assert_eq!((ping("web"), ping("app")), (json!(7), json!(8)));
}

/// A guest's or an outside client's connection: who, from which port, to which of two others.
fn conversation() -> impl Strategy<Value = (usize, u16, usize)> {
    (0..3_usize, 1..4_u16, 0..2_usize)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever is translated, at one router or at two, an answer to a packet as it arrived comes
    /// back to the port that it was sent from, and as from the end that it was sent to.
    #[test]
    fn answers_come_back_to_whoever_asked(
        upper in prop::option::of(prop::sample::select(vec!["203.0.113.5", "203.0.113.4/31"])),
        lower in prop::option::of(prop::sample::select(vec!["203.0.113.16", "203.0.113.16/30"])),
        asked in prop::collection::vec((any::<bool>(), conversation()), 1..24),
    ) {
        let manager = world();
        if let Some(to) = upper {
            rule(&manager, "upper", json!({"action": "SNAT", "translated_network": to}));
        }
        if let Some(to) = lower {
            rule(&manager, "two", json!({"action": "SNAT", "translated_network": to}));
            edit(&manager, "/logical-routers/two/routing/advertisement", |own| {
                own["advertise_nat_routes"] = true.into();
            });
        }
        let body = json!({
            "action": "DNAT", "match_destination_network": "203.0.113.32/30",
            "translated_network": "10.2.0.9", "translated_ports": "80",
        });
        rule(&manager, "upper", body);
        let guests = [("web", "10.1.0.9"), ("app", "10.2.0.9"), ("db", "10.3.0.9")];
        let outside = ["198.51.100.7", "198.51.100.8", "198.51.100.9"];
        for (outward, (who, port, to)) in asked {
            let (from, own, target) = if outward {
                (guests[who].0, guests[who].1, format!("{}:443", outside[to]))
            } else {
                (outside[who], outside[who], format!("203.0.113.{}:443", 32 + to))
            };
            let sent = pass(&manager, &format!("{from}:{port}"), &target, "SYN");
            // One client's port may be behind two outer addresses of one guest only once.
            if sent["outcome"] != DELIVERED {
                let why = "upper could not tell its answers from those to another connection";
                prop_assert_eq!(&sent["reason"], why);
                prop_assert!(!outward, "there are ports enough: {:#}", sent);
                continue;
            }
            let packet = &sent["packet"];
            let socket = |ip: &str, port: &str| {
                format!("{}:{}", packet[ip].as_str().unwrap_or_default(), packet[port])
            };
            let (src, dst) = (socket("src_ip", "src_port"), socket("dst_ip", "dst_port"));
            let back = pass(&manager, &dst, &src, "SYN,ACK");
            let told = format!("DELIVERED {target} -> {own}:{port}");
            prop_assert_eq!(ends(&back), told, "{:#}", sent);
        }
    }
}

#[test]
fn a_router_without_uplink_translates_nothing() {
    let manager = connected();
    rule(&manager, "upper", snat("10.0.0.0/8", "203.0.113.5"));
    assert_eq!(lost(&manager, "web", "198.51.100.9"), "upper has no route to 198.51.100.9");
    assert_eq!(send(&manager, "web", "app")["packet"]["src_ip"], "10.1.0.9");
}

#[test]
fn answers_to_what_no_rule_translated_keep_their_addresses() {
    let manager = world();
    rule(&manager, "upper", snat("10.0.0.0/8", "203.0.113.5"));
    let come = pass(&manager, "198.51.100.9:40000", "web:22", "SYN");
    assert_eq!(ends(&come), "DELIVERED 198.51.100.9:40000 -> 10.1.0.9:22");
    let back = pass(&manager, "web:22", "198.51.100.9:40000", "SYN,ACK");
    assert_eq!(ends(&back), "DELIVERED 10.1.0.9:22 -> 198.51.100.9:40000");
    let own = pass(&manager, "web:22", "198.51.100.9:40001", "SYN");
    assert_eq!(ends(&own), "DELIVERED 203.0.113.5:22 -> 198.51.100.9:40001");
}
