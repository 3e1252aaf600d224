//! What a traceflow tells of a packet's way.

use super::super::samples::with;
use super::{kinds, rule_ids, start, tcp, trace, world};
use serde_json::{Value, json};
use tests::{DEFAULT_L3, Manager, Port, any_rule, load_balancer, reference, section, tag};

const SAME_SEGMENT: [&str; 3] =
    ["ReceivedLogical LS", "ReceivedLogical DFW", "ForwardedLogical DFW"];

#[test]
fn ports_on_one_host_show_two_rules_and_a_delivery() {
    let manager = world();
    let steps = trace(&manager, "a1", tcp("10.0.0.9"));
    let expected = [
        &SAME_SEGMENT[..],
        &["ForwardedLogical LS"],
        &["ReceivedLogical DFW", "ForwardedLogical DFW", "Delivered LS"],
    ];
    assert_eq!(kinds(&steps), expected.concat());
    // The first is the source's, the second the destination's, even on one host [npg].
    assert_eq!(rule_ids(&steps), [2, 2]);
    let last = steps.last().unwrap();
    assert_eq!((&last["lport_id"], &last["lport_name"]), (&json!("pod"), &json!("pod")));
    // A delivery has neither [spec TraceflowObservationDelivered].
    assert_eq!((last.get("component_id"), last.get("vni")), (None, None));
    assert_eq!(last["component_name"], "seg-a");
    assert!(steps.iter().all(|step| step["sequence_no"] == 0), "no host was left");
    let first = &steps[0];
    assert_eq!(first["lport_id"], "a1");
    assert_eq!(first["component_name"], "seg-a");
    assert_eq!(first["transport_node_type"], "ESX");
    let micro = first["timestamp"].as_u64().unwrap() * 1_000;
    assert_eq!(first["timestamp_micro"], micro);
}

#[test]
fn ports_on_two_hosts_show_the_tunnel_between_them() {
    let manager = world();
    let steps = trace(&manager, "a1", tcp("10.0.0.2"));
    let expected = [
        &SAME_SEGMENT[..],
        &["ForwardedLogical LS", "Forwarded PHYSICAL", "Received PHYSICAL"],
        &["ReceivedLogical DFW", "ForwardedLogical DFW", "Delivered LS"],
    ];
    assert_eq!(kinds(&steps), expected.concat());
    assert_eq!(rule_ids(&steps), [2, 2]);
    let (out, back) = (&steps[4], &steps[5]);
    assert_eq!(out["local_ip_address"], back["remote_ip_address"]);
    assert_eq!(out["dst_transport_node_id"], back["transport_node_id"]);
    assert_ne!(out["transport_node_id"], back["transport_node_id"]);
    let hops: Vec<&Value> = steps.iter().map(|step| &step["sequence_no"]).collect();
    assert_eq!(hops, [0, 0, 0, 0, 0, 1, 1, 1, 1], "one more with each host");
}

#[test]
fn a_routed_packet_shows_the_router() {
    let manager = world();
    let steps = trace(&manager, "a1", tcp("10.0.1.1"));
    let expected = [
        &SAME_SEGMENT[..],
        &["ForwardedLogical LS", "ReceivedLogical LR", "ForwardedLogical LR", "ReceivedLogical LS"],
        &["Forwarded PHYSICAL", "Received PHYSICAL"],
        &["ReceivedLogical DFW", "ForwardedLogical DFW", "Delivered LS"],
    ];
    assert_eq!(kinds(&steps), expected.concat());
    assert_eq!(steps[3]["dst_component_type"], "LR");
    assert_eq!(steps[4]["component_sub_type"], "LR_TIER1");
    assert_eq!(steps[6]["component_name"], "seg-b");
}

#[test]
fn a_packet_dropped_at_its_source_shows_one_rule_and_ends_there() {
    let manager = world();
    let rule = json!({"action": "REJECT", "applied_tos": [reference("LogicalPort", "a1")]});
    let ids = section(&manager, "s", &[rule]);
    let steps = trace(&manager, "a1", tcp("10.0.0.2"));
    assert_eq!(kinds(&steps), ["ReceivedLogical LS", "ReceivedLogical DFW", "DroppedLogical DFW"]);
    let last = steps.last().unwrap();
    assert_eq!(last["reason"], "FW_RULE");
    assert_eq!(last["acl_rule_id"].to_string(), ids.rules[0]);
    assert_eq!(last["lport_id"], "a1");
    assert_eq!(last["component_name"], "Distributed Firewall");
    assert_eq!(rule_ids(&steps).len(), 1, "[npg]");
}

#[test]
fn a_packet_dropped_at_its_destination_shows_both_rules() {
    let manager = world();
    let rule = json!({"action": "DROP", "applied_tos": [reference("LogicalPort", "b1")]});
    let ids = section(&manager, "s", &[rule]);
    let steps = trace(&manager, "a1", tcp("10.0.1.1"));
    let last = steps.last().unwrap();
    assert_eq!(kinds(&steps).last().unwrap(), "DroppedLogical DFW");
    assert_eq!((&last["reason"], &last["lport_id"]), (&json!("FW_RULE"), &json!("b1")));
    assert_eq!(rule_ids(&steps), [2, ids.rules[0].parse().unwrap()]);
    let first = format!("/traceflows/{}", manager.get("/traceflows").column("id")[0]);
    let counters = manager.get(&first).expect(200)["logical_counters"].clone();
    assert_eq!((&counters["dropped_count"], &counters["delivered_count"]), (&json!(1), &json!(0)));
}

#[test]
fn the_protocol_follows_from_the_transport_header_where_nothing_else_says_it() {
    // npg leaves out the packet's resource_type and the protocol's number.
    let manager = world();
    let service = |element: Value| json!({"service": element});
    let l4 = |protocol: &str, port: u16| {
        service(json!({
            "resource_type": "L4PortSetNSService",
            "l4_protocol": protocol,
            "destination_ports": [port.to_string()],
        }))
    };
    let icmp = json!({"resource_type": "ICMPTypeNSService", "protocol": "ICMPv4", "icmp_type": 8});
    let rules = [l4("TCP", 80), l4("UDP", 53), service(icmp)]
        .map(|service| json!({"action": "ALLOW", "services": [service]}));
    let ids = section(&manager, "s", &rules);
    let ip = json!({"src_ip": "10.0.0.1", "dst_ip": "10.0.0.2"});
    for (header, rule) in [
        (json!({"tcp_header": {"src_port": 1, "dst_port": 80}}), &ids.rules[0]),
        (json!({"udp_header": {"dst_port": 53}}), &ids.rules[1]),
        (json!({"icmp_echo_request_header": {"id": 1, "sequence": 1}}), &ids.rules[2]),
    ] {
        let packet = json!({"routed": true, "ip_header": ip, "transport_header": header});
        let expected: u64 = rule.parse().unwrap();
        assert_eq!(rule_ids(&trace(&manager, "a1", packet)), [expected, expected], "{header}");
    }
}

#[test]
fn a_source_address_that_is_stated_counts() {
    let manager = world();
    let rule = json!({"action": "DROP", "sources": [reference("IPv4Address", "10.9.9.9")]});
    let ids = section(&manager, "s", &[rule]);
    assert_eq!(rule_ids(&trace(&manager, "a1", tcp("10.0.0.2"))), [2, 2]);
    let mut spoofed = tcp("10.0.0.2");
    spoofed["ip_header"]["src_ip"] = json!("10.9.9.9");
    let dropped = [ids.rules[0].parse::<u64>().unwrap()];
    assert_eq!(rule_ids(&trace(&manager, "a1", spoofed.clone())), dropped);
    // It does for a port that has no address as well, which can not do without.
    Port::new("seg-a", "bare").make(&manager);
    start(&manager, "bare", tcp("10.0.0.2")).refused(400, 255);
    assert_eq!(rule_ids(&trace(&manager, "bare", spoofed)), dropped);
}

#[test]
fn a_packet_without_hops_left_ends_at_the_router() {
    let manager = world();
    let last_hop = |dst: &str| {
        let mut packet = tcp(dst);
        packet["ip_header"]["ttl"] = json!(1);
        let steps = trace(&manager, "a1", packet);
        (
            kinds(&steps).pop().unwrap_or_default(),
            steps.last().and_then(|own| own.get("reason")).cloned(),
        )
    };
    let dropped = ("DroppedLogical LR".to_owned(), Some(json!("TTL_ZERO")));
    assert_eq!(last_hop("10.0.1.1"), dropped);
    assert_eq!(last_hop("10.0.0.2"), ("Delivered LS".to_owned(), None), "switches do not count");
}

#[test]
fn headers_of_services_are_those_of_their_messages() {
    let manager = world();
    let from = |port: u16| {
        json!({"service": {
            "resource_type": "L4PortSetNSService",
            "l4_protocol": "UDP",
            "source_ports": [port.to_string()],
        }})
    };
    let advertisement =
        json!({"resource_type": "ICMPTypeNSService", "protocol": "ICMPv6", "icmp_type": 136});
    let services = [from(53), from(67), from(68), from(546), from(547)];
    let mut rules: Vec<Value> =
        services.map(|service| json!({"action": "DROP", "services": [service]})).to_vec();
    rules.push(json!({
        "action": "DROP", "ip_protocol": "IPV6", "services": [{"service": advertisement}],
    }));
    let ids = section(&manager, "s", &rules);
    let v4 = json!({"ip_header": {"src_ip": "10.0.0.1", "dst_ip": "10.0.0.2"}});
    let v6 = json!({"ipv6_header": {"src_ip": "fd00::1", "dst_ip": "fd00::2"}});
    for (ip, header, rule) in [
        (&v4, json!({"dns_header": {"message_type": "RESPONSE"}}), 0),
        (&v4, json!({"dhcp_header": {"op_code": "BOOTREPLY"}}), 1),
        (&v4, json!({"dhcp_header": {}}), 2),
        (&v6, json!({"dhcpv6_header": {"msg_type": "REQUEST"}}), 3),
        (&v6, json!({"dhcpv6_header": {"msg_type": "ADVERTISE"}}), 4),
        (&v6, json!({"ndp_header": {"msg_type": "NEIGHBOR_ADVERTISEMENT"}}), 5),
    ] {
        let packet = with(ip.clone(), json!({"transport_header": header}));
        let expected: u64 = ids.rules[rule].parse().unwrap();
        assert_eq!(rule_ids(&trace(&manager, "a1", packet)), [expected], "{header}");
    }
}

#[test]
fn a_source_that_passes_nothing_drops_the_packet_on_its_own_host() {
    let manager = world();
    set_down(&manager, "a1");
    let steps = trace(&manager, "a1", tcp("10.0.0.2"));
    assert_eq!(kinds(&steps), ["ReceivedLogical LS", "DroppedLogical LS"]);
    for step in &steps {
        assert_eq!(step["lport_id"], "a1");
        assert_eq!(step["transport_node_name"], "esx-01a.corp.local");
    }
    assert_eq!(steps[1]["reason"], "LSWITCH");
}

#[test]
fn a_target_that_passes_nothing_is_still_where_it_is() {
    let manager = world();
    set_down(&manager, "a2");
    let steps = trace(&manager, "a1", tcp("10.0.0.2"));
    let expected = [&SAME_SEGMENT[..], &["ForwardedLogical LS", "DroppedLogical LS"]].concat();
    assert_eq!(kinds(&steps), expected, "no router between ports of one segment");
    assert_eq!(rule_ids(&steps), [2], "its filter is not reached");
    assert_eq!(steps[4]["lport_id"], "a2");
}

fn set_down(manager: &Manager, port: &str) {
    let path = format!("/logical-ports/{port}");
    let body = manager.get(&path).expect(200);
    manager.put(&path, with(body, json!({"admin_state": "DOWN"}))).expect(200);
}

#[test]
fn every_way_ends_in_a_drop_or_a_delivery() {
    // The list is complete when its last element is one of them [npg].
    let manager = world();
    let end = |dst: &str| {
        let steps = trace(&manager, "a1", tcp(dst));
        let reason = steps.last().and_then(|step| step.get("reason")).cloned();
        (kinds(&steps).last().cloned().unwrap_or_default(), reason.unwrap_or_default())
    };
    assert_eq!(end("192.0.2.1"), ("Delivered LR".to_owned(), Value::Null), "the router's uplink");
    let server = json!({
        "id": "front",
        "ip_address": "192.0.2.1",
        "application_profile_id": "57b7e8f5-7b2d-4b3e-9b3f-3b3f6c1e7a01",
    });
    manager.post("/loadbalancer/virtual-servers", server).expect(201);
    load_balancer(&manager, &["front"]);
    assert_eq!(end("192.0.2.1"), ("DroppedLogical LR".to_owned(), json!("NO_ROUTE")), "no member");
    set_down(&manager, "a2");
    assert_eq!(end("10.0.0.2"), ("DroppedLogical LS".to_owned(), json!("LSWITCH")));
}

#[test]
fn relabelling_a_pod_changes_its_next_traceflow() {
    let manager = world();
    tests::group_by_tag(&manager, "quarantine", "state", "infected");
    let rule = json!({"action": "DROP", "sources": [reference("NSGroup", "quarantine")]});
    let ids = section(&manager, "s", &[rule]);
    assert_eq!(rule_ids(&trace(&manager, "a1", tcp("10.0.0.2"))), [2, 2]);
    let port = manager.get("/logical-ports/a1").expect(200);
    let tagged = with(port, json!({"tags": [tag("state", "infected")]}));
    manager.put("/logical-ports/a1", tagged).expect(200);
    let expected: u64 = ids.rules[0].parse().unwrap();
    assert_eq!(rule_ids(&trace(&manager, "a1", tcp("10.0.0.2"))), [expected]);
    let rules = manager.get(&format!("/firewall/sections/{DEFAULT_L3}/rules")).results();
    assert_eq!(rules.len(), 1);
}

#[test]
fn an_arp_request_meets_the_rules_of_layer_2_alone() {
    let manager = world();
    section(&manager, "ip", &[any_rule("all", "DROP")]);
    let arp = json!({"resource_type": "EtherTypeNSService", "ether_type": 2054});
    let rule = json!({"action": "DROP", "services": [{"service": arp}]});
    let body = json!({"section_type": "LAYER2", "stateful": false, "rules": [rule]});
    let ids = manager.post("/firewall/sections?action=create_with_rules", body).expect(201);
    let request = json!({"arp_header": {"op_code": "ARP_REQUEST", "dst_ip": "10.0.0.2"}});
    let steps = trace(&manager, "a1", request);
    let expected = ids["rules"][0]["id"].as_str().unwrap().parse::<u64>().unwrap();
    assert_eq!(rule_ids(&steps), [expected]);
    assert_eq!(steps.last().unwrap()["reason"], "FW_RULE");
}

#[test]
fn both_families_are_traced() {
    let manager = world();
    for (name, address) in [("six", "fd00::1"), ("seven", "fd00::2")] {
        Port::new("seg-a", name).address(address).make(&manager);
    }
    let ping =
        json!({"resource_type": "ICMPTypeNSService", "protocol": "ICMPv6", "icmp_type": 128});
    let rule = json!({"action": "DROP", "ip_protocol": "IPV6", "services": [{"service": ping}]});
    let ids = section(&manager, "s", &[rule]);
    let packet = json!({"ipv6_header": {"dst_ip": "fd00::2", "next_header": 58}});
    let expected = ids.rules[0].parse::<u64>().unwrap();
    assert_eq!(rule_ids(&trace(&manager, "six", packet)), [expected]);
    assert_eq!(rule_ids(&trace(&manager, "a1", tcp("10.0.0.2"))), [2, 2]);
    let across = json!({"ipv6_header": {"dst_ip": "fd00::2"}});
    start(&manager, "a1", across).refused(400, 255);
}

#[test]
fn a_virtual_server_shows_what_it_made_of_the_packet() {
    let manager = world();
    let member = json!({"ip_address": "10.0.1.1", "port": "8080"});
    let pool = json!({
        "id": "pool", "members": [member], "snat_translation": {"type": "LbSnatAutoMap"},
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
    let mut packet = tcp("192.0.2.10");
    packet["transport_header"]["tcp_header"]["dst_port"] = json!(80);
    let steps = trace(&manager, "a1", packet);
    let balanced: Vec<&Value> =
        steps.iter().filter(|step| step["component_type"] == "LOAD_BALANCER").collect();
    assert_eq!(balanced.len(), 1);
    assert_eq!(balanced[0]["component_name"], "front");
    assert_eq!(balanced[0]["translated_dst_ip"], "10.0.1.1");
    assert_eq!(balanced[0]["translated_src_ip"], "100.64.128.1");
    let last = steps.last().unwrap();
    assert_eq!(
        (&last["resource_type"], &last["lport_id"]),
        (&json!("TraceflowObservationDelivered"), &json!("b1"))
    );
    assert_eq!(rule_ids(&steps).len(), 2, "the source's and the member's");
    assert_eq!(kinds(&steps)[7..9], ["Forwarded PHYSICAL", "Received PHYSICAL"]);
    assert_eq!((&steps[6]["sequence_no"], &last["sequence_no"]), (&json!(0), &json!(1)));
    assert_eq!(last["transport_node_id"], steps[8]["transport_node_id"]);
}
