//! A traceflow as an object: asked for, under way, read, forgotten.

use super::super::samples::with;
use super::{DELAY, rule_ids, start, tcp, trace, world};
use serde_json::{Value, json};
use std::time::Duration;
use tests::{Port, VLAN, any_rule, section};

#[test]
fn a_traceflow_is_in_progress_until_its_time_has_come() {
    let manager = world();
    let started = start(&manager, "a1", tcp("10.0.0.2")).expect(201);
    assert_eq!(started["operation_state"], "IN_PROGRESS");
    assert_eq!((&started["lport_id"], &started["timeout"]), (&json!("a1"), &json!(10_000)));
    assert_eq!(started.get("request_status"), None);
    let one = format!("/traceflows/{}", started["id"].as_str().unwrap());
    assert_eq!(manager.get(&one).expect(200), started);
    assert_eq!(manager.get(&format!("{one}/observations")).results().len(), 0);
    manager.advance(DELAY);
    let finished = manager.get(&one).expect(200);
    assert_eq!(finished["operation_state"], "FINISHED");
    assert_eq!(finished["request_status"], "SUCCESS");
    assert_eq!(finished["result_overflowed"], false);
    assert_eq!(finished["counters"]["delivered_count"], 1);
    assert_eq!(finished["counters"]["dropped_count"], 0);
}

#[test]
fn a_traceflow_leaves_neither_counters_nor_connections() {
    let manager = world();
    let ids = section(&manager, "s", &[any_rule("all", "ALLOW")]);
    trace(&manager, "a1", tcp("10.0.0.2"));
    let stats = format!("/firewall/sections/{}/rules/{}/stats", ids.section, ids.rules[0]);
    let stats = manager.get(&stats).expect(200);
    assert_eq!((&stats["hit_count"], &stats["session_count"]), (&json!(0), &json!(0)));
    // A connection would carry the answer past a rule that drops it.
    let close = json!({
        "section_type": "LAYER3", "stateful": true, "_revision": 0, "rules": [{"action": "DROP"}],
    });
    let update = format!("/firewall/sections/{}?action=update_with_rules", ids.section);
    manager.post(&update, close).expect(200);
    let answer = json!({
        "from": "a2", "to": "a1", "src_port": 8080, "dst_port": 50_000, "tcp_flags": "SYN,ACK",
    });
    let sent = manager.post("/sim/v1/packets", answer).expect(200);
    assert_eq!((&sent["outcome"], &sent["verdicts"][0]["by"]), (&json!("DROPPED"), &json!("RULE")));
}

#[test]
fn the_verdict_is_that_of_the_moment_of_asking() {
    let manager = world();
    let started = start(&manager, "a1", tcp("10.0.0.2")).expect(201);
    section(&manager, "s", &[any_rule("all", "DROP")]);
    manager.advance(DELAY);
    let path = format!("/traceflows/{}/observations", started["id"].as_str().unwrap());
    assert_eq!(rule_ids(&manager.get(&path).results()), [2, 2]);
}

#[test]
fn observations_are_found_by_their_members() {
    let manager = world();
    trace(&manager, "a1", tcp("10.0.0.2"));
    let path = format!("/traceflows/{}/observations", manager.get("/traceflows").column("id")[0]);
    let count = |query: &str| manager.get(&format!("{path}?{query}")).results().len();
    assert_eq!(count("component_type=DFW"), 4);
    assert_eq!(count("component_name=Distributed%20Firewall"), 4);
    assert_eq!(count("resource_type=TraceflowObservationDelivered"), 1);
    assert_eq!(count("transport_node_name=esx-02a.corp.local"), 4);
    assert_eq!(count("component_type=DFW&resource_type=TraceflowObservationForwardedLogical"), 2);
    assert_eq!(count("component_type=NAT"), 0);
    manager.get(&format!("{path}?component_type=ROUTER")).refused(400, 255);
    manager.get(&format!("{path}?resource_type=Delivered")).refused(400, 255);
    let first = manager.get(&format!("{path}?page_size=4")).expect(200);
    let cursor = first["cursor"].as_str().unwrap();
    assert_eq!(count(&format!("cursor={cursor}")), 5);
}

#[test]
fn traceflows_are_listed_deleted_and_forgotten() {
    let manager = world();
    let one = start(&manager, "a1", tcp("10.0.0.2")).expect(201)["id"].clone();
    let two = start(&manager, "a2", tcp("10.0.0.1")).expect(201)["id"].clone();
    assert_eq!(
        manager.get("/traceflows").column("id"),
        [one.as_str().unwrap(), two.as_str().unwrap()]
    );
    assert_eq!(manager.get("/traceflows?lport_id=a2").column("id"), [two.as_str().unwrap()]);
    let path = format!("/traceflows/{}", one.as_str().unwrap());
    assert_eq!(manager.delete(&path).expect(200), Value::Null);
    manager.delete(&path).refused(404, 600);
    manager.get(&path).refused(404, 600);
    manager.get(&format!("{path}/observations")).refused(404, 600);
    manager.advance(Duration::from_secs(24 * 3_600));
    assert_eq!(manager.get("/traceflows").results().len(), 0, "the manager purges them");
}

#[test]
fn requests_that_can_not_be_traced_are_refused() {
    let manager = world();
    start(&manager, "nobody", tcp("10.0.0.2")).refused(404, 600);
    let request = |more: Value| {
        let body = json!({"lport_id": "a1", "packet": tcp("10.0.0.2")});
        manager.post("/traceflows", with(body, more))
    };
    request(json!({"timeout": 4_999})).refused(400, 255);
    request(json!({"timeout": 15_001})).refused(400, 255);
    request(json!({"timeout": 15_000})).expect(201);
    request(json!({"packet": null})).refused(400, 255);
    request(json!({"lport_id": null})).refused(400, 255);
    request(json!({"packet": {"routed": true}})).refused(400, 255);
    request(json!({"packet": {"ip_header": {"dst_ip": "nowhere"}}})).refused(400, 255);
    request(json!({"packet": {"ip_header": {"dst_ip": "10.0.0.2"}, "colour": 1}}))
        .refused(400, 287);
    let flags = json!({"tcp_header": {"tcp_flags": 512}});
    let packet = with(tcp("10.0.0.2"), json!({"transport_header": flags}));
    request(json!({"packet": packet})).refused(400, 255);
    let frame = with(tcp("10.0.0.2"), json!({"frame_size": 59}));
    request(json!({"packet": frame})).refused(400, 255);
    let mac = with(tcp("10.0.0.2"), json!({"eth_header": {"src_mac": "somewhere"}}));
    request(json!({"packet": mac})).refused(400, 255);
    let two = json!({"udp_header": {"dst_port": 53}, "dns_header": {}});
    request(json!({"packet": with(tcp("10.0.0.2"), json!({"transport_header": two}))}))
        .refused(400, 255);
    for (header, wrong) in [
        ("dns_header", json!({"message_type": "ANSWER"})),
        ("dhcp_header", json!({"op_code": "DISCOVER"})),
        ("dhcpv6_header", json!({"msg_type": "RENEW"})),
        ("ndp_header", json!({"msg_type": "REDIRECT"})),
    ] {
        let mut packet = with(tcp("10.0.0.2"), json!({"transport_header": null}));
        packet["transport_header"] = json!({header: wrong});
        request(json!({"packet": packet})).refused(400, 255);
        packet["transport_header"] = json!({header: {"colour": 1}});
        request(json!({"packet": packet})).refused(400, 287);
    }
    for many in ["BROADCAST", "MULTICAST"] {
        let packet = with(tcp("10.0.0.2"), json!({"transport_type": many}));
        request(json!({"packet": packet})).refused(501, 501);
    }
    request(json!({"packet": {"eth_header": {"eth_type": 35_020}}})).refused(501, 501);
    let binary = json!({"resource_type": "BinaryPacketData", "payload": "AAAA"});
    request(json!({"packet": binary})).refused(501, 501);
}

#[test]
fn ports_of_vlan_segments_can_not_be_traced() {
    let manager = world();
    let segment = json!({
        "id": "wire", "transport_zone_id": VLAN, "admin_state": "UP", "vlan": 7,
    });
    manager.post("/logical-switches", segment).expect(201);
    Port::new("wire", "tagged").address("10.0.9.1").make(&manager);
    start(&manager, "tagged", tcp("10.0.0.2")).refused(400, 255);
}

#[test]
fn a_port_without_a_vnic_is_not_found_as_source() {
    let manager = world();
    let free = json!({"id": "free", "logical_switch_id": "seg-a", "admin_state": "UP"});
    manager.post("/logical-ports", free).expect(201);
    let failed = start(&manager, "free", tcp("10.0.0.2")).expect(201);
    assert_eq!(failed["operation_state"], "FAILED");
    assert_eq!(failed["request_status"], "SOURCE_PORT_NOT_FOUND");
}
