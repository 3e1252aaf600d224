//! The simulator's own calls: packets and explanations.

use super::samples::with;
use serde_json::{Value, json};
use tests::{
    Answer, Manager, Port, any_rule, group_by_tag, load_balancer, reference, section, switch,
};

/// Pods `web` and `db` of namespace `shop`; rules: web to db on 5432, the rest between pods dropped.
fn world() -> (Manager, tests::RuleIds) {
    let manager = Manager::new();
    switch(&manager, "segment");
    for (name, address) in [("web", "10.0.0.1"), ("db", "10.0.0.2")] {
        Port::new("segment", name)
            .tag("app", name)
            .tag("ncp/pod", &format!("{name}-0"))
            .tag("ncp/project", "shop")
            .address(address)
            .make(&manager);
        group_by_tag(&manager, &format!("nsg-{name}"), "app", name);
    }
    let service = json!({"service": {
        "resource_type": "L4PortSetNSService", "l4_protocol": "TCP", "destination_ports": ["5432"],
    }});
    let rules = [
        json!({
            "display_name": "web-to-db",
            "action": "ALLOW",
            "sources": [reference("NSGroup", "nsg-web")],
            "destinations": [reference("NSGroup", "nsg-db")],
            "services": [service],
        }),
        any_rule("deny", "REJECT"),
    ];
    let ids = section(&manager, "shop", &rules);
    (manager, ids)
}

fn explain(manager: &Manager, body: Value) -> Answer {
    manager.post("/sim/v1/explain", body)
}

#[test]
fn an_explanation_tells_each_rule_considered_and_what_of_it_failed() {
    let (manager, ids) = world();
    let told = explain(&manager, json!({"from": "db", "to": "web", "dst_port": 5432})).expect(200);
    assert_eq!(told["outcome"], "REJECTED");
    assert_eq!(told["answer"], "TCP_RESET");
    assert_eq!(told["verdicts"].as_array().unwrap().len(), 1, "it ended at the source");
    let at = &told["verdicts"][0];
    assert_eq!((&at["logical_port_name"], &at["direction"]), (&json!("db"), &json!("OUT")));
    assert_eq!((&at["by"], &at["rule_name"]), (&json!("RULE"), &json!("deny")));
    assert_eq!(at["rule_id"].to_string(), ids.rules[1]);
    assert_eq!(at["section_name"], "shop");
    let considered = at["considered"].as_array().unwrap();
    let layer3: Vec<&Value> = considered.iter().filter(|own| own["layer"] == "LAYER3").collect();
    assert_eq!(layer3.len(), 2);
    assert_eq!(layer3[0]["failed"], "SOURCE");
    assert_eq!(layer3[0]["detail"], "10.0.0.2 is not in nsg-web");
    assert_eq!((layer3[1].get("failed"), &layer3[1]["rule_name"]), (None, &json!("deny")));
}

#[test]
fn each_field_that_fails_is_named() {
    let (manager, _) = world();
    let failed = |body: Value| {
        let told = explain(&manager, body).expect(200);
        let considered = told["verdicts"][0]["considered"].as_array().unwrap().clone();
        let first = considered.into_iter().find(|own| own["layer"] == "LAYER3").unwrap();
        (first["failed"].clone(), first["detail"].clone())
    };
    let (field, detail) = failed(json!({"from": "web", "to": "db", "dst_port": 80}));
    assert_eq!((field, detail), (json!("SERVICE"), json!("TCP 80 is none of its services")));
    let (field, detail) = failed(json!({"from": "web", "to": "10.0.0.1", "dst_port": 5432}));
    assert_eq!((field, detail), (json!("DESTINATION"), json!("10.0.0.1 is not in nsg-db")));
    let (field, _) = failed(json!({"from": "web", "to": "db", "dst_port": 5432}));
    assert_eq!(field, Value::Null, "matched");
}

#[test]
fn ends_are_ports_pods_or_addresses() {
    let (manager, _) = world();
    for from in ["web", "web-0", "shop/web-0", "10.0.0.1"] {
        for to in ["db", "db-0", "shop/db-0", "10.0.0.2"] {
            let told = explain(&manager, json!({"from": from, "to": to, "dst_port": 5432}));
            let told = told.expect(200);
            assert_eq!(told["outcome"], "DELIVERED", "{from} {to}");
            assert_eq!(told["verdicts"].as_array().unwrap().len(), 2, "{from} {to}");
            assert_eq!(told["packet"]["dst_ip"], "10.0.0.2");
        }
    }
    for unknown in ["nobody", "other/web-0", "10.0.0.300"] {
        let body = json!({"from": unknown, "to": "db", "dst_port": 5432});
        let text = explain(&manager, body).refused(400, 255);
        assert!(text.contains(&format!("from {unknown} is no address")), "{text}");
    }
}

#[test]
fn an_explanation_changes_nothing_and_a_packet_does() {
    let (manager, ids) = world();
    let body = json!({"from": "web", "to": "db", "dst_port": 5432});
    let hits = || {
        let stats = format!("/firewall/sections/{}/rules/{}/stats", ids.section, ids.rules[0]);
        manager.get(&stats).expect(200)["hit_count"].clone()
    };
    explain(&manager, body.clone()).expect(200);
    assert_eq!(hits(), 0);
    let sent = manager.post("/sim/v1/packets", body.clone()).expect(200);
    assert_eq!(sent["outcome"], "DELIVERED");
    assert_eq!(hits(), 2, "once at each end");
    let again = with(body, json!({"tcp_flags": "ACK"}));
    let sent = manager.post("/sim/v1/packets", again).expect(200);
    assert_eq!(sent["verdicts"][0]["by"], "FLOW");
    assert_eq!(hits(), 2, "the connection carries it");
}

#[test]
fn other_protocols_are_rejected_by_icmp() {
    let (manager, _) = world();
    let told =
        explain(&manager, json!({"from": "db", "to": "web", "protocol": "UDP", "dst_port": 53}))
            .expect(200);
    assert_eq!(told["outcome"], "REJECTED");
    assert_eq!(told["answer"], "ICMP 3/13");
    let told = explain(&manager, json!({"from": "db", "to": "web", "protocol": "ICMP"}));
    assert_eq!(told.expect(200)["packet"]["protocol"], "ICMP");
}

#[test]
fn packets_that_can_not_be_are_refused() {
    let (manager, _) = world();
    let send = |more: Value| {
        let body = json!({"from": "web", "to": "db", "dst_port": 5432});
        manager.post("/sim/v1/packets", with(body, more))
    };
    send(json!({"dst_port": 65_536})).refused(400, 255);
    send(json!({"protocol": "SCTP"})).refused(400, 255);
    send(json!({"tcp_flags": "SYN,XMAS"})).refused(400, 255);
    send(json!({"colour": "red"})).refused(400, 287);
    send(json!({"to": null})).refused(400, 255);
    send(json!({"to": "fe80::1"})).refused(400, 255);
    manager.get("/sim/v1/packets").refused(405, 405);
    manager.post("/sim/v1/nothing", json!({})).refused(404, 404);
}

#[test]
fn outside_reaches_pods_through_a_virtual_server_alone() {
    let (manager, ids) = world();
    let pool = json!({
        "id": "pool",
        "members": [{"ip_address": "10.0.0.2", "port": "5432"}],
        "snat_translation": {"type": "LbSnatAutoMap"},
    });
    manager.post("/loadbalancer/pools", pool).expect(201);
    let server = json!({
        "id": "front",
        "display_name": "front",
        "ip_address": "192.0.2.10",
        "ports": ["80"],
        "pool_id": "pool",
        "application_profile_id": "57b7e8f5-7b2d-4b3e-9b3f-3b3f6c1e7a01",
    });
    manager.post("/loadbalancer/virtual-servers", server).expect(201);
    load_balancer(&manager, &["front"]);
    let direct = json!({"from": "198.51.100.1", "to": "db", "dst_port": 5432});
    assert_eq!(explain(&manager, direct).expect(200)["outcome"], "UNREACHABLE");
    let through = json!({"from": "198.51.100.1", "to": "192.0.2.10", "dst_port": 80});
    let told = explain(&manager, through.clone()).expect(200);
    assert_eq!(told["outcome"], "REJECTED", "the rules do not know the load balancer");
    let translation = json!({
        "virtual_server_name": "front",
        "virtual_server_ip": "192.0.2.10",
        "from_ip": "100.64.128.1",
        "to_ip": "10.0.0.2",
        "to_port": 5432,
    });
    assert_eq!(told["translation"], translation);
    assert_eq!(told["packet"]["src_ip"], "100.64.128.1", "the client's address is not seen");
    let rule = format!("/firewall/sections/{}/rules", ids.section);
    let sources = json!([reference("IPv4Address", "100.64.128.1")]);
    let allow = json!({"action": "ALLOW", "sources": sources, "_revision": 0});
    manager.post(&rule, allow).expect(200);
    assert_eq!(explain(&manager, through).expect(200)["outcome"], "DELIVERED");
}

#[test]
fn layer_2_is_judged_before_layer_3() {
    let (manager, _) = world();
    let body = json!({
        "section_type": "LAYER2", "stateful": false, "rules": [any_rule("frames", "DROP")],
    });
    manager.post("/firewall/sections?action=create_with_rules", body).expect(201);
    let told = explain(&manager, json!({"from": "web", "to": "db", "dst_port": 5432})).expect(200);
    assert_eq!(told["outcome"], "DROPPED");
    assert_eq!(told["verdicts"][0]["rule_name"], "frames");
    let considered = told["verdicts"][0]["considered"].as_array().unwrap();
    assert!(considered.iter().all(|own| own["layer"] == "LAYER2"), "layer 3 was never reached");
}

#[test]
fn ports_that_pass_no_traffic_are_unreachable() {
    let (manager, _) = world();
    let ask = || {
        let body = json!({"from": "web", "to": "db", "dst_port": 5432});
        let told = explain(&manager, body.clone()).expect(200);
        let sent = manager.post("/sim/v1/packets", body).expect(200);
        assert_eq!((&told["outcome"], &told["reason"]), (&sent["outcome"], &sent["reason"]));
        assert_eq!(
            told["verdicts"].as_array().map(Vec::len),
            sent["verdicts"].as_array().map(Vec::len)
        );
        told["outcome"].clone()
    };
    assert_eq!(ask(), "DELIVERED");
    let port = manager.get("/logical-ports/db").expect(200);
    manager.put("/logical-ports/db", with(port, json!({"admin_state": "DOWN"}))).expect(200);
    assert_eq!(ask(), "UNREACHABLE");
    let port = manager.get("/logical-ports/db").expect(200);
    let up = with(port, json!({"admin_state": "UP", "attachment": null}));
    manager.put("/logical-ports/db", up).expect(200);
    assert_eq!(ask(), "UNREACHABLE");
}

#[test]
fn an_excluded_or_switched_off_port_says_so() {
    let (manager, _) = world();
    let by = || {
        let body = json!({"from": "db", "to": "web", "dst_port": 1});
        let told = explain(&manager, body).expect(200);
        (told["verdicts"][0]["by"].clone(), told["verdicts"][0]["guard"].clone())
    };
    manager
        .post("/firewall/excludelist?action=add_member", reference("LogicalPort", "db"))
        .expect(200);
    assert_eq!(by(), (json!("GUARD"), json!("EXCLUDED")));
    let status = manager.get("/firewall/status/transport_nodes").expect(200);
    let off = with(status, json!({"global_status": "DISABLED"}));
    manager.put("/firewall/status/transport_nodes", off).expect(200);
    assert_eq!(by(), (json!("GUARD"), json!("DISABLED")));
}

#[test]
fn many_packets_are_judged_at_once_where_they_were_seen() {
    let (manager, ids) = world();
    let ends = |src: &str, dst: &str, port: u16| json!({"src": src, "dst": dst, "protocol": 6, "dst_port": port});
    let packets = json!([
        ends("10.0.0.1", "10.0.0.2", 5432),
        ends("10.0.0.2", "10.0.0.1", 5432),
        ends("10.0.0.8", "10.0.0.9", 5432),
        {"frame": "AAAA"},
    ]);
    let body = json!({"packets": packets});
    let told = manager.post("/sim/v1/replay", body.clone()).expect(200);
    let outcomes = |told: &Value| {
        let told = told["results"].as_array().unwrap().clone();
        told.iter().map(|own| own["outcome"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(outcomes(&told), ["ALLOWED", "REJECTED", "NO_FILTER", "UNREADABLE"]);
    let rejected = &told["results"][1];
    assert_eq!(rejected["rule_id"].to_string(), ids.rules[1]);
    let at = (&rejected["logical_port_id"], &rejected["direction"], &rejected["by"]);
    assert_eq!(at, (&json!("db"), &json!("OUT"), &json!("RULE")));
    assert_eq!(told["results"][3]["reason"], "Ethernet header at byte 0 needs 14 bytes and has 3");
    let at_web = with(body.clone(), json!({"port": "shop/web-0"}));
    let told = manager.post("/sim/v1/replay", at_web).expect(200);
    assert_eq!(outcomes(&told), ["ALLOWED", "REJECTED", "NO_FILTER", "UNREADABLE"]);
    assert_eq!(told["results"][1]["direction"], "IN", "db's filter is not asked");

    let stats = format!("/firewall/sections/{}/rules/{}/stats", ids.section, ids.rules[0]);
    let hits = || manager.get(&stats).expect(200)["hit_count"].clone();
    assert_eq!(hits(), 0, "nothing is counted");
    let connecting = with(body, json!({"connections": true}));
    manager.post("/sim/v1/replay", connecting.clone()).expect(200);
    assert_eq!(hits(), 2, "once at each end");
    let again = manager.post("/sim/v1/replay", connecting).expect(200);
    assert_eq!((&again["results"][0]["by"], hits()), (&json!("FLOW"), json!(2)));
}

#[test]
fn a_batch_that_can_not_be_read_is_refused_with_the_packet_s_place() {
    let (manager, _) = world();
    let send = |body: Value| manager.post("/sim/v1/replay", body);
    for (packet, told) in [
        (json!({}), "packets 1: needs frame, or else src and dst"),
        (json!({"src": "10.0.0.1", "dst": "fd00::1"}), "packets 1: the addresses are of two"),
        (json!({"frame": "?"}), "packets 1: Invalid"),
    ] {
        let fine = json!({"src": "10.0.0.1", "dst": "10.0.0.2"});
        let text = send(json!({"packets": [fine, packet]})).refused(400, 255);
        assert!(text.contains(told), "{text}");
    }
    for port in ["nobody", "10.0.0.77"] {
        let text = send(json!({"port": port, "packets": []})).refused(400, 255);
        assert!(text.contains(&format!("port {port} is")), "{text}");
    }
    send(json!({"packets": [{"colour": "red"}]})).refused(400, 287);
}
