//! Firewall profiles, the configs that apply them, and how long connections live by them.

use super::samples::with;
use serde_json::{Value, json};
use std::time::Duration;
use tests::{Manager, Port, any_rule, group_by_tag, reference, section, switch};

const TIMERS: &str = "FirewallSessionTimerProfile";

fn timers(manager: &Manager, id: &str, udp: u32) -> String {
    let body = json!({
        "id": id, "resource_type": TIMERS,
        "udp_first_packet": udp, "udp_single": udp, "udp_multiple": udp,
    });
    manager.post("/firewall/profiles", body).expect(201);
    id.to_owned()
}

fn config(profile: &str, targets: &[Value]) -> Value {
    json!({
        "profiles": [{"profile_type": TIMERS, "target_type": TIMERS, "target_id": profile}],
        "applied_to": targets,
    })
}

#[test]
fn a_list_needs_a_type_and_shows_the_default_timers() {
    let manager = Manager::new();
    manager.get("/firewall/profiles").refused(400, 255);
    manager.get("/firewall/profiles?resource_type=Nothing").refused(400, 255);
    let list = manager.get(&format!("/firewall/profiles?resource_type={TIMERS}")).results();
    let [default] = list.as_slice() else { panic!("{list:#?}") };
    assert_eq!(default["_system_owned"], true);
    for (name, seconds) in [
        ("tcp_first_packet", 120),
        ("tcp_opening", 30),
        ("tcp_established", 43_200),
        ("tcp_closing", 120),
        ("tcp_finwait", 45),
        ("tcp_closed", 20),
        ("udp_first_packet", 60),
        ("udp_single", 30),
        ("udp_multiple", 60),
        ("icmp_first_packet", 20),
        ("icmp_error_reply", 10),
    ] {
        assert_eq!(default[name], seconds, "{name}");
    }
    let one = format!("/firewall/profiles/{}", default["id"].as_str().unwrap());
    manager.delete(&one).refused(400, 255);
    let other = "FirewallFloodProtectionProfile";
    assert!(manager.get(&format!("/firewall/profiles?resource_type={other}")).results().is_empty());
}

#[test]
fn timers_keep_their_limits_and_types_their_rules() {
    let manager = Manager::new();
    for (name, wrong) in [("tcp_closed", 9), ("tcp_established", 119), ("udp_single", 4_320_001)] {
        let body = json!({"resource_type": TIMERS, name: wrong});
        manager.post("/firewall/profiles", body).refused(400, 255);
    }
    let flood = json!({"resource_type": "FirewallFloodProtectionProfile"});
    let made = manager.post("/firewall/profiles", flood.clone()).expect(201);
    assert_eq!(made["enable_syncache"], false);
    let spoofing = with(flood, json!({"enable_rst_spoofing": true}));
    manager.post("/firewall/profiles", spoofing).refused(400, 255);
    let other = with(made.clone(), json!({"resource_type": "FirewallDnsProfile"}));
    let path = format!("/firewall/profiles/{}", made["id"].as_str().unwrap());
    manager.put(&path, other).refused(400, 287);
}

#[test]
fn a_config_gets_a_precedence_below_all_others_of_its_type() {
    let manager = Manager::new();
    timers(&manager, "short", 10);
    let make = |more: Value| manager.post("/service-configs", with(config("short", &[]), more));
    let first = make(json!({})).expect(201)["precedence"].as_i64().unwrap();
    assert_eq!(make(json!({})).expect(201)["precedence"], first - 100);
    make(json!({"precedence": first})).refused(400, 255);
    assert_eq!(make(json!({"precedence": 7})).expect(201)["precedence"], 7);
    let listed = manager.get(&format!("/service-configs?profile_type={TIMERS}")).results();
    assert_eq!(listed.len(), 3);
    let other = "/service-configs?profile_type=FirewallDnsProfile";
    assert!(manager.get(other).results().is_empty());
    // What is applied does not go.
    manager.delete("/firewall/profiles/short").refused(400, 500_030);
    let wrong = json!({"profiles": [{"profile_type": "FirewallDnsProfile", "target_id": "short"}]});
    manager.post("/service-configs", wrong).refused(400, 255);
    make(json!({"applied_to": [reference("IPSet", "x")]})).refused(400, 255);
}

#[test]
fn a_batch_makes_and_changes_configs_all_or_none() {
    let manager = Manager::new();
    timers(&manager, "short", 10);
    let known = manager.post("/service-configs", config("short", &[])).expect(201);
    let changed = with(known, json!({"display_name": "changed"}));
    let batch = json!({"service_configs": [changed, config("short", &[])]});
    let made = manager.post("/service-configs/batch", batch.clone()).expect(201);
    assert_eq!(made["results"][0]["display_name"], "changed");
    assert_eq!(manager.get("/service-configs").results().len(), 2);
    // The first is at another revision now, so the second is not made either.
    manager.post("/service-configs/batch", batch).refused(412, 604);
    assert_eq!(manager.get("/service-configs").results().len(), 2);
    manager.post("/service-configs/batch", json!({"service_configs": []})).refused(400, 255);
}

#[test]
fn the_profile_of_the_lowest_precedence_is_the_effective_one() {
    let manager = Manager::new();
    let segment = switch(&manager, "segment");
    let port = Port::new(&segment, "a").tag("app", "web").make(&manager);
    let group = group_by_tag(&manager, "web", "app", "web");
    let of = |kind: &str, id: &str| {
        let path = "/service-configs/effective-profiles";
        manager.get(&format!("{path}?resource_type={kind}&resource_id={id}"))
    };
    assert!(of("LogicalPort", &port).results().is_empty());
    for (profile, target, precedence) in
        [("late", reference("LogicalPort", &port), 9), ("early", reference("NSGroup", &group), 3)]
    {
        timers(&manager, profile, 10);
        let body = with(config(profile, &[target]), json!({"precedence": precedence}));
        manager.post("/service-configs", body).expect(201);
    }
    assert_eq!(of("LogicalPort", &port).column("target_id"), ["early"]);
    assert_eq!(of("NSGroup", &group).column("target_display_name"), ["early"]);
    of("NSGroup", "nobody").refused(404, 600);
    of("LogicalSwitch", &segment).refused(400, 255);
}

/// Whether the answer to a datagram passes a host's filters after a time, though no rule admits it.
fn answer_passes(manager: &Manager, after: u64) -> bool {
    let send = |from: &str, to: &str, src: u16, dst: u16| {
        let body = json!({
            "from": from, "to": to, "protocol": "UDP", "src_port": src, "dst_port": dst,
        });
        manager.post("/sim/v1/packets", body).expect(200)["outcome"].clone()
    };
    assert_eq!(send("a", "b", 5000, 53), "DELIVERED");
    manager.advance(Duration::from_secs(after));
    let passes = send("b", "a", 53, 5000) == "DELIVERED";
    manager.advance(Duration::from_secs(100_000));
    passes
}

#[test]
fn connections_live_as_long_as_the_applied_timers_say() {
    let manager = Manager::new();
    let segment = switch(&manager, "segment");
    Port::new(&segment, "a").address("10.0.0.1").tag("app", "web").make(&manager);
    Port::new(&segment, "b").address("10.0.0.2").tag("app", "web").make(&manager);
    let group = group_by_tag(&manager, "web", "app", "web");
    let port = json!([{"target_type": "IPv4Address", "target_id": "10.0.0.1"}]);
    let allow = with(any_rule("one way", "ALLOW"), json!({"sources": port}));
    section(&manager, "s", &[allow, any_rule("nothing else", "DROP")]);
    assert!(answer_passes(&manager, 59), "the default is 60 s after the first packet");
    assert!(!answer_passes(&manager, 61));

    timers(&manager, "long", 600);
    let made = manager.post("/service-configs", config("long", &[reference("NSGroup", &group)]));
    let made = made.expect(201);
    assert!(answer_passes(&manager, 599), "the profile holds for the group's ports");
    assert!(!answer_passes(&manager, 601));

    let id = made["id"].as_str().unwrap();
    manager.delete(&format!("/service-configs/{id}")).expect(200);
    assert!(!answer_passes(&manager, 61), "and no longer than it is applied");

    let path = format!("/firewall/profiles?resource_type={TIMERS}");
    let default = manager.get(&path).results().into_iter().find(|own| own["_system_owned"] == true);
    let default = with(default.unwrap(), json!({"udp_first_packet": 300}));
    let path = format!("/firewall/profiles/{}", default["id"].as_str().unwrap());
    manager.put(&path, default).expect(200);
    assert!(answer_passes(&manager, 299), "the default profile holds for all others");
}
