//! Firewalls of routers: what they see of packets that cross them.

use super::nat::{pass, rule as nat_rule, snat};
use super::routers::{DELIVERED, connected, outcome, uplink};
use super::{rule, tell};
use serde_json::{Value, json};
use tests::{Manager, reference};

/// The guests of [`connected`] below a tier-0 with an uplink.
fn world() -> Manager {
    let manager = connected();
    uplink(&manager);
    manager
}

/// Makes a section `s` on a router and gives its rules' ids; `own` is what it has beside them.
#[track_caller]
fn section(manager: &Manager, router: &str, own: Value, rules: &[Value]) -> Vec<String> {
    let mut body = json!({
        "id": "s",
        "section_type": "LAYER3",
        "stateful": true,
        "applied_tos": [reference("LogicalRouter", router)],
        "rules": rules,
    });
    super::join(&mut body, own);
    let made = manager.post("/firewall/sections?action=create_with_rules", body).expect(201);
    let id = |rule: &Value| rule["id"].as_str().unwrap_or_default().to_owned();
    made["rules"].as_array().into_iter().flatten().map(id).collect()
}

fn service(port: &str) -> Value {
    json!([{"service": {
        "resource_type": "L4PortSetNSService", "l4_protocol": "TCP", "destination_ports": [port],
    }}])
}

fn address(member: &str) -> Value {
    json!([{"target_type": "IPv4Address", "target_id": member}])
}

const OUTSIDE: &str = "198.51.100.9:443";

#[test]
fn a_section_on_a_router_judges_what_crosses_it_and_says_where() {
    let manager = world();
    let no_ssh = rule("no ssh", "REJECT", json!({"services": service("22")}));
    section(&manager, "upper", json!({}), &[no_ssh]);
    let kept = pass(&manager, "web:9", "198.51.100.9:22", "SYN");
    let by = "web OUT Default Layer3 Rule, upper OUT no ssh";
    assert_eq!(tell(&kept), format!("REJECTED with TCP_RESET: {by}"));
    assert_eq!(kept["reason"], "rejected at upper");
    assert_eq!(kept["verdicts"][1]["logical_router_id"], "upper");
    assert_eq!(kept["verdicts"][1].get("logical_port_id"), None);
    let come = pass(&manager, "198.51.100.9:9", "web:22", "SYN");
    assert_eq!(tell(&come), "REJECTED with TCP_RESET: upper IN no ssh");
    assert_eq!(pass(&manager, "web:9", OUTSIDE, "SYN")["outcome"], DELIVERED);
    let below = pass(&manager, "web:9", "app:22", "SYN");
    assert_eq!(below["outcome"], DELIVERED, "that stays below its services");
}

#[test]
fn a_stateful_section_lets_answers_through() {
    let manager = world();
    for (stateful, answered) in [(true, DELIVERED), (false, "DROPPED")] {
        let rules =
            [rule("out", "ALLOW", json!({"direction": "OUT"})), rule("deny", "DROP", json!({}))];
        section(&manager, "one", json!({"stateful": stateful}), &rules);
        assert_eq!(pass(&manager, "web:9", "app:80", "SYN")["outcome"], DELIVERED);
        let back = pass(&manager, "app:80", "web:9", "SYN,ACK");
        assert_eq!(back["outcome"], answered, "{back:#}");
        assert_eq!(pass(&manager, "app:81", "web:9", "SYN")["outcome"], "DROPPED");
        let path = "/firewall/sections/s?cascade=true";
        manager.call("DELETE", path, "").expect(200);
    }
    assert_eq!(outcome(&manager, "app", "web"), DELIVERED, "the section went");
}

#[test]
fn groups_mean_the_same_on_routers_as_on_vnics() {
    let manager = world();
    tests::group_by_tag(&manager, "webs", "tier", "web");
    let own = json!({"sources": [reference("NSGroup", "webs")]});
    section(&manager, "upper", json!({}), &[rule("no webs", "DROP", own)]);
    assert_eq!(pass(&manager, "web:9", OUTSIDE, "SYN")["outcome"], DELIVERED);
    super::routers::edit(&manager, "/logical-ports/web", |port| {
        port["tags"] = json!([{"scope": "tier", "tag": "web"}]);
    });
    assert_eq!(pass(&manager, "web:9", OUTSIDE, "SYN")["outcome"], "DROPPED", "its connection too");
}

#[test]
fn a_rule_may_stand_at_one_port_alone() {
    let manager = world();
    let at = |port: &str| json!({"applied_tos": [reference("LogicalRouterPort", port)]});
    let rules = [
        rule("at the downlink", "DROP", at("web-downlink")),
        rule("everywhere", "ALLOW", json!({})),
    ];
    section(&manager, "one", json!({}), &rules);
    let sent = pass(&manager, "web:9", "app:80", "SYN");
    assert_eq!(tell(&sent), "DROPPED: web OUT Default Layer3 Rule, one IN at the downlink");
    assert_eq!(sent["verdicts"][1]["logical_router_port_id"], "web-downlink");
    let come = pass(&manager, "app:9", "web:80", "SYN");
    let by = "app OUT Default Layer3 Rule, one IN everywhere, one OUT at the downlink";
    assert_eq!(tell(&come), format!("DROPPED: {by}"));
}

#[test]
fn a_translation_says_what_the_firewall_sees() {
    let manager = world();
    let rules = [
        rule("inner", "DROP", json!({"sources": address("10.1.0.9")})),
        rule("outer", "DROP", json!({"sources": address("203.0.113.5")})),
    ];
    section(&manager, "upper", json!({}), &rules);
    let told = |manager: &Manager| {
        let sent = pass(manager, "web:9", OUTSIDE, "SYN");
        let told = tell(&sent);
        told.rsplit(", ").next().unwrap_or_default().to_owned()
    };
    assert_eq!(told(&manager), "upper OUT inner", "nothing is translated");
    let id = nat_rule(&manager, "upper", snat("10.1.0.0/24", "203.0.113.5"));
    let path = format!("/logical-routers/upper/nat/rules/{id}");
    assert_eq!(told(&manager), "DELIVERED: web OUT flow of Default Layer3 Rule", "it goes past");
    for (seen, by) in [
        ("MATCH_INTERNAL_ADDRESS", "upper OUT inner"),
        ("MATCH_EXTERNAL_ADDRESS", "upper OUT outer"),
    ] {
        super::routers::edit(&manager, &path, |own| own["firewall_match"] = seen.into());
        assert_eq!(told(&manager), by);
    }
}

#[test]
fn a_packet_that_the_firewall_keeps_is_not_translated() {
    let manager = world();
    section(&manager, "upper", json!({}), &[rule("deny", "DROP", json!({}))]);
    let mut body = snat("10.1.0.0/24", "203.0.113.5");
    body["nat_pass"] = false.into();
    let id = nat_rule(&manager, "upper", body);
    assert_eq!(pass(&manager, "web:9", OUTSIDE, "SYN")["outcome"], "DROPPED");
    let path = format!("/logical-routers/upper/nat/rules/{id}/statistics");
    assert_eq!(manager.get(&path).expect(200)["total_packets"], 0);
    let path = "/logical-router-ports/upper-one/statistics/summary";
    let counted = manager.get(path).expect(200);
    assert_eq!(counted["rx"]["dropped_packets"], 1);
    let path = "/logical-router-ports/uplink/statistics/summary";
    assert_eq!(manager.get(path).expect(200)["tx"]["total_packets"], 0);
}

#[test]
fn routers_firewalls_are_switched_apart_from_those_of_vnics() {
    let manager = world();
    section(&manager, "upper", json!({}), &[rule("deny", "DROP", json!({}))]);
    let status = "/firewall/status/transport_nodes";
    super::routers::edit(&manager, status, |own| own["global_status"] = "DISABLED".into());
    let kept = pass(&manager, "web:9", OUTSIDE, "SYN");
    assert_eq!(tell(&kept), "DROPPED: web OUT DISABLED, upper OUT deny");
    let one = "/firewall/status/logical_routers/upper";
    manager.call("POST", &format!("{one}?action=disable_firewall"), "").expect(200);
    let sent = pass(&manager, "web:9", OUTSIDE, "SYN");
    assert_eq!(tell(&sent), "DELIVERED: web OUT DISABLED, upper OUT DISABLED");
    manager.call("POST", &format!("{one}?action=enable_firewall"), "").expect(200);
    assert_eq!(pass(&manager, "web:9", OUTSIDE, "SYN")["outcome"], "DROPPED");
}

#[test]
fn rules_on_routers_count_and_are_reset_apart() {
    let manager = world();
    let ids = section(&manager, "upper", json!({}), &[rule("open", "ALLOW", json!({}))]);
    pass(&manager, "web:9", OUTSIDE, "SYN");
    pass(&manager, "198.51.100.9:443", "web:9", "SYN,ACK");
    let stats = |section: &str, rule: &str| {
        let path = format!("/firewall/sections/{section}/rules/{rule}/stats");
        let own = manager.get(&path).expect(200);
        (own["hit_count"].clone(), own["packet_count"].clone())
    };
    let (own, vnics) = ((json!(1), json!(2)), (json!(1), json!(2)));
    assert_eq!(stats("s", &ids[0]), own);
    assert_eq!(stats(tests::DEFAULT_L3, "2"), vnics);
    let reset = |category: &str| {
        let path = format!("/firewall/stats?action=reset&category={category}");
        manager.post(&path, json!({})).expect(200);
    };
    reset("L3DFW");
    assert_eq!(stats("s", &ids[0]), own);
    assert_eq!(stats(tests::DEFAULT_L3, "2").0, 0);
    reset("L3EDGE");
    assert_eq!(stats("s", &ids[0]).0, 0);
}

#[test]
fn an_explanation_and_a_traceflow_tell_of_the_router() {
    let manager = world();
    let no_ssh = rule("no ssh", "DROP", json!({"services": service("22")}));
    let ids = section(&manager, "upper", json!({}), &[no_ssh]);
    let packet = json!({"from": "web", "to": "198.51.100.9", "dst_port": 80});
    let told = manager.post("/sim/v1/explain", packet).expect(200);
    let verdict = &told["verdicts"][1];
    assert_eq!(
        (&verdict["logical_router_name"], &verdict["by"]),
        (&json!("upper"), &json!("NO_RULE"))
    );
    assert_eq!(verdict["considered"][0]["failed"], "SERVICE");
    let trace = |port: u16| {
        let body = json!({
            "lport_id": "web",
            "packet": {
                "resource_type": "FieldsPacketData", "routed": true, "transport_type": "UNICAST",
                "ip_header": {"dst_ip": "198.51.100.9", "protocol": 6},
                "transport_header": {"tcp_header": {"src_port": 9, "dst_port": port}},
            },
        });
        let made = manager.post("/traceflows", body).expect(201);
        manager.advance(std::time::Duration::from_secs(1));
        let path = format!("/traceflows/{}/observations", made["id"].as_str().unwrap());
        manager.get(&path).results()
    };
    let last = trace(22).pop().expect("a step");
    assert_eq!(last["resource_type"], "TraceflowObservationDroppedLogical");
    assert_eq!((&last["component_type"], &last["reason"]), (&json!("EDGE_FW"), &json!("FW_RULE")));
    assert_eq!(last["acl_rule_id"].to_string(), ids[0]);
    let passed = trace(80);
    assert_eq!(passed.last().expect("a step")["resource_type"], "TraceflowObservationDelivered");
    assert!(passed.iter().any(|step| step["component_type"] == "EDGE_FW"));
}
