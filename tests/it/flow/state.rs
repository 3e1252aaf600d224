//! Connections: what rides on them, how long they live, and what ends them early.

use super::{DEFAULT, Net, groups, rule};
use dataplane::{Direction, Evidence, Packet, RuleId, TcpFlags};
use nsx_sim::clock::Clock;
use nsx_sim::http::Api;
use nsx_sim::inventory::Actor;
use nsx_sim::world::{Settings, World};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tests::Manager;

/// Lets `a` open connections to `b` and nobody anything else.
fn one_way(net: &Net, own: Value) -> Value {
    let open = json!({"sources": groups(&["a"]), "destinations": groups(&["b"])});
    net.section(own, &[rule("open", "ALLOW", open), rule("deny", "DROP", json!({}))])
}

/// A segment from `a`, port 1500, to `b`, port 80, or the other way.
fn segment(net: &Net, from: &str, flags: &str) -> String {
    net.send(match from {
        "a" => {
            json!({"from": "a", "to": "b", "src_port": 1500, "dst_port": 80, "tcp_flags": flags})
        }
        _ => json!({"from": "b", "to": "a", "src_port": 80, "dst_port": 1500, "tcp_flags": flags}),
    })
}

fn datagram(net: &Net, from: &str, protocol: &str) -> String {
    let (to, ports) = if from == "a" { ("b", [1500, 53]) } else { ("a", [53, 1500]) };
    net.send(json!({
        "from": from, "to": to, "protocol": protocol, "src_port": ports[0], "dst_port": ports[1],
    }))
}

fn wait(net: &Net, seconds: u64) {
    net.0.advance(Duration::from_secs(seconds));
}

const OPENED: &str = "DELIVERED: a OUT open, b IN open";
const RIDES: &str = "DELIVERED: a OUT flow of open, b IN flow of open";
const REPLY_RIDES: &str = "DELIVERED: b OUT flow of open, a IN flow of open";
const REPLY_DENIED: &str = "DROPPED: b OUT deny";

/// Opens a TCP connection from `a` to `b`.
#[track_caller]
fn establish(net: &Net) {
    assert_eq!(segment(net, "a", "SYN"), OPENED);
    assert_eq!(segment(net, "b", "SYN,ACK"), REPLY_RIDES);
    assert_eq!(segment(net, "a", "ACK"), RIDES);
}

#[test]
fn replies_ride_on_the_connection_in_a_stateful_section() {
    let net = Net::new();
    one_way(&net, json!({}));
    assert_eq!(segment(&net, "b", "SYN"), REPLY_DENIED);
    establish(&net);
    // Another five-tuple is another connection.
    assert_eq!(net.connect("b", "a"), REPLY_DENIED);
}

#[test]
fn a_stateless_section_judges_every_packet_by_itself() {
    let net = Net::new();
    let made = one_way(&net, json!({"stateful": false}));
    assert_eq!(segment(&net, "a", "SYN"), OPENED);
    assert_eq!(segment(&net, "b", "SYN,ACK"), REPLY_DENIED);
    let mut back = rule("back", "ALLOW", json!({"sources": groups(&["b"])}));
    back["_revision"] = made["_revision"].clone();
    let id = made["id"].as_str().unwrap_or_default();
    net.0.post(&format!("/firewall/sections/{id}/rules"), back).expect(200);
    assert_eq!(segment(&net, "b", "SYN,ACK"), "DELIVERED: b OUT back, a IN back");
    assert_eq!(segment(&net, "a", "ACK"), OPENED);
}

#[test]
fn only_a_strict_section_insists_on_syn_as_first_segment() {
    for (strict, told) in [(false, OPENED), (true, "DROPPED: a OUT STATE_MISMATCH")] {
        let net = Net::new();
        one_way(&net, json!({"tcp_strict": strict}));
        assert_eq!(segment(&net, "a", "ACK"), told);
    }
}

#[test]
fn an_established_connection_is_kept_twelve_idle_hours() {
    let net = Net::new();
    one_way(&net, json!({}));
    establish(&net);
    wait(&net, 43_199);
    assert_eq!(segment(&net, "b", "ACK"), REPLY_RIDES);
    wait(&net, 43_201);
    assert_eq!(segment(&net, "b", "ACK"), REPLY_DENIED);
}

#[test]
fn a_connection_that_is_not_answered_is_kept_two_minutes_and_a_half_open_one_half_a_minute() {
    let net = Net::new();
    one_way(&net, json!({}));
    segment(&net, "a", "SYN");
    wait(&net, 119);
    assert_eq!(segment(&net, "b", "SYN,ACK"), REPLY_RIDES);
    wait(&net, 31);
    assert_eq!(segment(&net, "b", "SYN,ACK"), REPLY_DENIED);
    segment(&net, "a", "SYN");
    wait(&net, 121);
    assert_eq!(segment(&net, "b", "SYN,ACK"), REPLY_DENIED);
}

#[test]
fn a_closed_connection_is_kept_twenty_seconds() {
    let net = Net::new();
    one_way(&net, json!({}));
    establish(&net);
    assert_eq!(segment(&net, "a", "RST"), RIDES);
    wait(&net, 19);
    assert_eq!(segment(&net, "b", "ACK"), REPLY_RIDES);
    wait(&net, 21);
    assert_eq!(segment(&net, "b", "ACK"), REPLY_DENIED);
}

#[test]
fn udp_is_kept_sixty_thirty_and_sixty_seconds() {
    let net = Net::new();
    one_way(&net, json!({}));
    assert_eq!(datagram(&net, "a", "UDP"), OPENED);
    wait(&net, 59);
    assert_eq!(datagram(&net, "b", "UDP"), REPLY_RIDES, "after the first packet");
    wait(&net, 31);
    assert_eq!(datagram(&net, "b", "UDP"), REPLY_DENIED, "while one side has sent once");
    for from in ["a", "b", "a", "b"] {
        datagram(&net, from, "UDP");
    }
    wait(&net, 59);
    assert_eq!(datagram(&net, "b", "UDP"), REPLY_RIDES, "once both have");
    wait(&net, 61);
    assert_eq!(datagram(&net, "b", "UDP"), REPLY_DENIED);
}

#[test]
fn a_ping_is_kept_twenty_seconds() {
    for (seconds, rides) in [(19, true), (21, false)] {
        let net = Net::new();
        one_way(&net, json!({}));
        let ping = json!({"from": "a", "to": "b", "protocol": "ICMP", "src_port": 7});
        assert_eq!(net.send(ping.clone()), OPENED);
        wait(&net, seconds);
        assert_eq!(net.send(ping), if rides { RIDES } else { OPENED });
    }
}

#[test]
fn a_relabelled_pod_loses_its_running_connections() {
    let net = Net::new();
    one_way(&net, json!({}));
    establish(&net);
    net.edit("/logical-ports/b", |port| port["tags"][0]["tag"] = "other".into());
    assert_eq!(segment(&net, "b", "ACK"), REPLY_DENIED);
    assert_eq!(segment(&net, "a", "ACK"), "DROPPED: a OUT deny");
}

#[test]
fn a_published_deny_ends_a_running_connection() {
    let net = Net::new();
    let made = one_way(&net, json!({}));
    establish(&net);
    let mut deny = rule("deny at once", "REJECT", json!({}));
    deny["_revision"] = made["_revision"].clone();
    let id = made["id"].as_str().unwrap_or_default();
    net.0.post(&format!("/firewall/sections/{id}/rules"), deny).expect(200);
    assert_eq!(segment(&net, "b", "ACK"), "REJECTED with TCP_RESET: b OUT deny at once");
}

#[test]
fn a_change_that_leaves_the_connection_allowed_leaves_it_alive() {
    let net = Net::new();
    one_way(&net, json!({}));
    establish(&net);
    net.section(json!({}), &[rule("elsewhere", "DROP", json!({"sources": groups(&["c"])}))]);
    assert_eq!(segment(&net, "b", "ACK"), REPLY_RIDES);
}

#[test]
fn without_revalidation_a_running_connection_outlives_the_deny() {
    let settings = Settings {
        clock: Clock::manual(tests::START),
        revalidate_flows: false,
        ..Settings::default()
    };
    let api = Api::new(Arc::new(World::new(settings).unwrap()));
    let call = |path: &str, body: Value| {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let reply = api.call(Actor::admin("admin"), "POST", path, query, body.to_string().into());
        reply.map(|reply| reply.body.unwrap_or_default()).map_err(|failure| failure.answer().body)
    };
    let segment = json!({
        "id": "segment", "transport_zone_id": tests::OVERLAY, "admin_state": "UP",
    });
    call("/api/v1/logical-switches", segment).unwrap();
    for (name, address) in [("a", "10.0.0.1"), ("b", "10.0.0.2")] {
        let port = tests::Port::new("segment", name).address(address).body();
        call("/api/v1/logical-ports", port).unwrap();
    }
    let packet = |flags: &str| {
        let body = json!({"from": "a", "to": "b", "dst_port": 80, "tcp_flags": flags});
        super::tell(&call("/sim/v1/packets", body).unwrap())
    };
    assert_eq!(packet("SYN"), format!("DELIVERED: a OUT {DEFAULT}, b IN {DEFAULT}"));
    let deny = json!({
        "section_type": "LAYER3", "stateful": true, "rules": [rule("deny", "DROP", json!({}))],
    });
    call("/api/v1/firewall/sections?action=create_with_rules", deny).unwrap();
    let alive = format!("DELIVERED: a OUT flow of {DEFAULT}, b IN flow of {DEFAULT}");
    assert_eq!(packet("ACK"), alive);
}

#[test]
fn dropped_packets_leave_no_connection_behind() {
    let net = Net::new();
    let made = one_way(&net, json!({}));
    let deny = made["rules"][1]["id"].as_str().unwrap_or_default().to_owned();
    let section = made["id"].as_str().unwrap_or_default().to_owned();
    for hits in 1..=3 {
        assert_eq!(net.connect("b", "a"), REPLY_DENIED);
        assert_eq!(net.hits(&section, &deny), hits);
    }
    let stats = net.0.get(&format!("/firewall/sections/{section}/rules/{deny}/stats")).expect(200);
    assert_eq!(stats["session_count"], 0);
}

#[test]
fn a_traceflow_and_an_explanation_leave_counters_and_connections_as_they_are() {
    let net = Net::new();
    let made = one_way(&net, json!({}));
    let open = made["rules"][0]["id"].as_str().unwrap_or_default().to_owned();
    let section = made["id"].as_str().unwrap_or_default().to_owned();
    let trace = json!({
        "lport_id": "a",
        "packet": {
            "resource_type": "FieldsPacketData",
            "transport_type": "UNICAST",
            "routed": true,
            "ip_header": {"src_ip": "10.0.0.1", "dst_ip": "10.0.0.2"},
            "transport_header": {"tcp_header": {"src_port": 1500, "dst_port": 80, "tcp_flags": 2}},
        },
    });
    net.0.post("/traceflows", trace).expect(201);
    let packet = json!({"from": "a", "to": "b", "src_port": 1500, "dst_port": 80});
    let told = super::tell(&net.0.post("/sim/v1/explain", packet).expect(200));
    assert_eq!(told, OPENED);
    assert_eq!(net.hits(&section, &open), 0);
    assert_eq!(segment(&net, "b", "SYN,ACK"), REPLY_DENIED);
    establish(&net);
    // Nor does a running connection change what they tell: they judge a first packet.
    let id = RuleId(open.parse().unwrap());
    let packet =
        Packet::tcp(([10, 0, 0, 1], 1500).into(), ([10, 0, 0, 2], 80).into(), TcpFlags::ACK);
    let verdict = net.0.api().world().fabric().judge("a", Direction::Out, &packet);
    assert_eq!(verdict.map(|verdict| verdict.by), Some(Evidence::Rule(id)));
}

#[test]
fn a_reset_of_the_counters_leaves_connections_alive() {
    let net = Net::new();
    let made = one_way(&net, json!({}));
    let open = made["rules"][0]["id"].as_str().unwrap_or_default().to_owned();
    let section = made["id"].as_str().unwrap_or_default().to_owned();
    establish(&net);
    assert_eq!(net.hits(&section, &open), 2, "once at either end");
    net.0.post("/firewall/stats?action=reset&category=L3DFW", json!({})).expect(200);
    assert_eq!(net.hits(&section, &open), 0);
    assert_eq!(segment(&net, "b", "ACK"), REPLY_RIDES);
}

#[test]
fn a_pods_connections_go_with_it() {
    let net = Net::on(Manager::new());
    one_way(&net, json!({}));
    establish(&net);
    let port = net.0.get("/logical-ports/b").expect(200);
    net.0.delete("/logical-ports/b?detach=true").expect(200);
    net.0.post("/logical-ports", port).expect(201);
    assert_eq!(segment(&net, "b", "ACK"), REPLY_DENIED);
}
