//! Services and groups of services [facts §4.7].

use super::samples::with;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tests::{Answer, Manager, reference, section};

fn service(manager: &Manager, element: Value) -> Answer {
    let mut body = json!({"id": "own"});
    body["nsservice_element"] = element;
    manager.post("/ns-services", body)
}

fn tcp(id: &str) -> Value {
    let element = json!({"resource_type": "L4PortSetNSService", "l4_protocol": "TCP"});
    json!({"id": id, "nsservice_element": element})
}

#[test]
fn every_class_of_element_is_kept_with_its_defaults() {
    let cases = [
        (
            json!({"resource_type": "L4PortSetNSService", "l4_protocol": "UDP"}),
            json!({
                "resource_type": "L4PortSetNSService", "l4_protocol": "UDP",
                "source_ports": [], "destination_ports": [],
            }),
        ),
        (
            json!({"resource_type": "ICMPTypeNSService", "protocol": "ICMPv6", "icmp_type": 128}),
            json!({"resource_type": "ICMPTypeNSService", "protocol": "ICMPv6", "icmp_type": 128}),
        ),
        (
            json!({"resource_type": "IPProtocolNSService", "protocol_number": 255}),
            json!({"resource_type": "IPProtocolNSService", "protocol_number": 255}),
        ),
        (
            json!({"resource_type": "IGMPTypeNSService"}),
            json!({"resource_type": "IGMPTypeNSService"}),
        ),
        (
            json!({"resource_type": "ALGTypeNSService", "alg": "ORACLE_TNS", "destination_ports": ["1521"]}),
            json!({
                "resource_type": "ALGTypeNSService", "alg": "ORACLE_TNS",
                "source_ports": [], "destination_ports": ["1521"],
            }),
        ),
        (
            json!({"resource_type": "EtherTypeNSService", "ether_type": 2048}),
            json!({"resource_type": "EtherTypeNSService", "ether_type": 2048}),
        ),
    ];
    for (sent, kept) in cases {
        let made = service(&Manager::new(), sent).expect(201);
        assert_eq!(made["nsservice_element"], kept);
        assert_eq!(made["default_service"], false);
    }
}

#[test]
fn elements_outside_their_limits_are_refused() {
    let ports = |count: u32| -> Value { (1..=count).map(|port| json!(port)).collect() };
    let l4 = |ports: Value| json!({"resource_type": "L4PortSetNSService", "l4_protocol": "TCP", "destination_ports": ports});
    let alg = |ports: Value| json!({"resource_type": "ALGTypeNSService", "alg": "FTP", "destination_ports": ports});
    let icmp = |kind: Value, code: Value| json!({"resource_type": "ICMPTypeNSService", "protocol": "ICMPv4", "icmp_type": kind, "icmp_code": code});
    service(&Manager::new(), l4(ports(15))).expect(201);
    service(&Manager::new(), icmp(json!(8), json!(0))).expect(201);
    for wrong in [
        l4(ports(16)),
        l4(json!(["9-1"])),
        l4(json!(["65536"])),
        l4(json!("80")),
        json!({"resource_type": "L4PortSetNSService", "l4_protocol": "SCTP"}),
        json!({"resource_type": "IPProtocolNSService", "protocol_number": 256}),
        json!({"resource_type": "IPProtocolNSService"}),
        json!({"resource_type": "EtherTypeNSService", "ether_type": 65_536}),
        // Exactly one in the product [doc admin guide].
        alg(json!([])),
        alg(json!(["21", "22"])),
        json!({"resource_type": "ALGTypeNSService", "alg": "SIP", "destination_ports": ["1"]}),
        // Mobile IP's pair, refused since 2.4 [nsxlib constants].
        icmp(json!(9), json!(16)),
        icmp(Value::Null, json!(0)),
        json!({"l4_protocol": "TCP"}),
    ] {
        service(&Manager::new(), wrong).refused(400, 255);
    }
}

#[test]
fn the_class_of_an_element_is_fixed() {
    let manager = Manager::new();
    manager.post("/ns-services", tcp("own")).expect(201);
    let other = json!({"resource_type": "IPProtocolNSService", "protocol_number": 6});
    let body = json!({"nsservice_element": other, "_revision": 0});
    manager.put("/ns-services/own", body).refused(400, 255);
    let ports = json!({
        "resource_type": "L4PortSetNSService", "l4_protocol": "TCP", "destination_ports": ["80"],
    });
    let body = json!({"nsservice_element": ports, "_revision": 0});
    manager.put("/ns-services/own", body).expect(200);
}

#[test]
fn the_410_system_services_are_there_under_their_names() {
    let manager = Manager::new();
    let services = manager.get("/ns-services?default_service=true").results();
    let groups = manager.get("/ns-service-groups?default_service=true").results();
    let named: BTreeSet<&str> =
        services.iter().chain(&groups).filter_map(|own| own["display_name"].as_str()).collect();
    // One entry is a service, several are a group [miq; the split is inferred].
    assert_eq!(groups.len(), 37);
    for name in [
        "HTTP",
        "HTTPS",
        "SSH",
        "DNS",
        "DNS-UDP",
        "NTP",
        "FTP",
        "TFTP",
        "ICMP ALL",
        "ICMPv4-ALL",
        "ICMP Echo Request",
        "IKE (NAT Traversal)",
        "MS_RPC_TCP",
        "DHCP-Server",
        "Microsoft Active Directory V1",
        "IGMP Membership Query",
    ] {
        assert!(named.contains(name), "{name}");
    }
    let listed = include_str!("../../../nsx-sim/src/boot/services.txt");
    let recorded: Vec<&str> =
        listed.lines().filter_map(|line| Some(line.split_once(" | ")?.0)).collect();
    assert_eq!(recorded.len(), 410);
    for name in recorded {
        assert!(named.contains(name), "{name}");
    }
}

#[test]
fn a_system_service_is_what_its_name_says() {
    let manager = Manager::new();
    let services = manager.get("/ns-services").results();
    let element = |name: &str| {
        let own = services.iter().find(|own| own["display_name"] == name).unwrap();
        own["nsservice_element"].clone()
    };
    assert_eq!(element("HTTPS")["destination_ports"], json!(["443"]));
    assert_eq!(element("NTP")["l4_protocol"], "UDP");
    assert_eq!(element("FTP")["alg"], "FTP");
    let echo = element("ICMP Echo Request");
    assert_eq!((&echo["protocol"], &echo["icmp_type"]), (&json!("ICMPv4"), &json!(8)));
    assert_eq!(element("IGMP Membership Query")["resource_type"], "IGMPTypeNSService");
}

#[test]
fn system_services_neither_change_nor_go() {
    let manager = Manager::new().overwriting();
    for list in ["/ns-services", "/ns-service-groups"] {
        let own = manager.get(&format!("{list}?default_service=true")).results().swap_remove(0);
        assert_eq!(own["_system_owned"], true);
        assert_eq!(own["_create_user"], "system");
        assert_eq!(own["_protection"], "NOT_PROTECTED");
        assert_eq!(own["_revision"], 0);
        let one = format!("{list}/{}", own["id"].as_str().unwrap());
        manager.put(&one, own.clone()).expect(400);
        manager.delete(&format!("{one}?force=true")).expect(400);
        assert_eq!(manager.get(&one).expect(200), own);
    }
}

#[test]
fn a_service_in_use_answers_409_and_goes_by_force() {
    let manager = Manager::new();
    manager.post("/ns-services", tcp("own")).expect(201);
    let group = json!({"id": "group", "members": [reference("NSService", "own")]});
    manager.post("/ns-service-groups", group).expect(201);
    let rule = json!({"action": "DROP", "services": [reference("NSServiceGroup", "group")]});
    section(&manager, "s", &[rule]);
    manager.delete("/ns-services/own").expect(409);
    manager.delete("/ns-service-groups/group").expect(409);
    manager.delete("/ns-service-groups/group?force=true").expect(200);
    manager.delete("/ns-services/own").expect(200);
}

#[test]
fn groups_of_services_nest_without_cycles_and_do_not_mix_layers() {
    let manager = Manager::new();
    manager.post("/ns-services", tcp("tcp")).expect(201);
    let ether = json!({"resource_type": "EtherTypeNSService", "ether_type": 2054});
    manager.post("/ns-services", json!({"id": "arp", "nsservice_element": ether})).expect(201);
    let group = |id: &str, members: Value| {
        manager.post("/ns-service-groups", json!({"id": id, "members": members}))
    };
    let inner = group("inner", json!([reference("NSService", "arp")])).expect(201);
    assert_eq!(inner["service_type"], "ETHER");
    assert_eq!(inner["members"][0]["target_display_name"], "arp");
    let outer = group("outer", json!([reference("NSServiceGroup", "inner")])).expect(201);
    assert_eq!(outer["service_type"], "ETHER");
    let mixed = json!([reference("NSService", "tcp"), reference("NSServiceGroup", "inner")]);
    group("mixed", mixed).refused(400, 255);
    let around = json!({"members": [reference("NSServiceGroup", "outer")], "_revision": 0});
    manager.put("/ns-service-groups/inner", around).refused(400, 255);
    group("missing", json!([reference("NSService", "nobody")])).refused(404, 600);
    group("wrong", json!([reference("IPSet", "set")])).expect(400);
    let many: Value = (0..51).map(|_| reference("NSService", "tcp")).collect();
    group("many", many).refused(400, 255);
}

#[test]
fn an_inner_group_can_not_change_its_layer_under_the_outer_one() {
    let manager = Manager::new();
    manager.post("/ns-services", tcp("tcp")).expect(201);
    manager.post("/ns-services", tcp("other")).expect(201);
    let ether = json!({"resource_type": "EtherTypeNSService", "ether_type": 2054});
    manager.post("/ns-services", json!({"id": "arp", "nsservice_element": ether})).expect(201);
    let inner = json!({"id": "inner", "members": [reference("NSService", "tcp")]});
    let inner = manager.post("/ns-service-groups", inner).expect(201);
    let members = json!([reference("NSServiceGroup", "inner"), reference("NSService", "other")]);
    manager.post("/ns-service-groups", json!({"id": "outer", "members": members})).expect(201);
    let turned = with(inner, json!({"members": [reference("NSService", "arp")]}));
    manager.put("/ns-service-groups/inner", turned).refused(400, 255);
}
