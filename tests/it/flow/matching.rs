//! What a rule matches: ends, direction, IP version, and the order in which rules are tried.

use super::{DEFAULT, Net, groups, rule};
use serde_json::{Value, json};
use tests::{DEFAULT_L3, Port, address_set, reference, switch};

const PASSED: &str = "DELIVERED: a OUT Default Layer3 Rule, b IN Default Layer3 Rule";

#[test]
fn the_first_rule_that_matches_decides_and_order_is_sections_then_rules() {
    let net = Net::new();
    net.section(json!({}), &[rule("late", "ALLOW", json!({}))]);
    net.section(
        json!({}),
        &[
            rule("other source", "REJECT", json!({"sources": groups(&["c"])})),
            rule("first", "DROP", json!({"sources": groups(&["a"])})),
            rule("second", "ALLOW", json!({"sources": groups(&["a"])})),
        ],
    );
    assert_eq!(net.connect("a", "b"), "DROPPED: a OUT first");
    assert_eq!(net.connect("b", "a"), "DELIVERED: b OUT late, a IN late");
}

#[test]
fn a_reject_answers_tcp_with_a_reset_and_all_else_with_prohibited() {
    let net = Net::new();
    net.section(json!({}), &[rule("deny", "REJECT", json!({}))]);
    assert_eq!(net.connect("a", "b"), "REJECTED with TCP_RESET: a OUT deny");
    for (to, protocol, told) in [
        ("10.0.0.2", "UDP", "ICMP 3/13"),
        ("10.0.0.2", "ICMP", "ICMP 3/13"),
        ("fd00::2", "UDP", "ICMP 1/1"),
    ] {
        let packet = json!({"from": "a", "to": to, "protocol": protocol, "dst_port": 53});
        assert_eq!(net.send(packet), format!("REJECTED with {told}: a OUT deny"));
    }
}

#[test]
fn direction_is_seen_from_the_vnic_in_stateful_sections_too() {
    let net = Net::new();
    let deny = |name, direction| rule(name, "DROP", json!({"direction": direction}));
    let section = net.section(json!({}), &[deny("in", "IN"), deny("out", "OUT")]);
    assert_eq!(net.connect("a", "b"), "DROPPED: a OUT out");
    let out = format!(
        "/firewall/sections/{}/rules/{}",
        section["id"].as_str().unwrap_or_default(),
        section["rules"][1]["id"].as_str().unwrap_or_default(),
    );
    net.0.delete(&out).expect(200);
    assert_eq!(net.connect("a", "b"), format!("DROPPED: a OUT {DEFAULT}, b IN in"));
}

#[test]
fn a_rule_for_one_ip_version_leaves_the_other_alone() {
    let net = Net::new();
    net.section(json!({}), &[rule("six", "DROP", json!({"ip_protocol": "IPV6"}))]);
    assert_eq!(net.connect("a", "10.0.0.2"), PASSED);
    assert_eq!(net.connect("a", "fd00::2"), "DROPPED: a OUT six");
    net.section(json!({}), &[rule("four", "DROP", json!({"ip_protocol": "IPV4"}))]);
    assert_eq!(net.connect("a", "10.0.0.2"), "DROPPED: a OUT four");
    assert_eq!(net.connect("a", "fd00::2"), "DROPPED: a OUT six");
}

#[test]
fn an_empty_group_matches_nothing_and_negated_everything() {
    for (negated, told) in [(false, PASSED), (true, "DROPPED: a OUT deny")] {
        let net = Net::new();
        tests::group_by_tag(&net.0, "nobody", "app", "nobody");
        let own = json!({"sources": groups(&["nobody"]), "sources_excluded": negated});
        net.section(json!({}), &[rule("deny", "DROP", own)]);
        assert_eq!(net.connect("a", "b"), told);
    }
}

#[test]
fn a_reference_to_what_was_deleted_matches_nothing_and_never_becomes_any() {
    let net = Net::new();
    address_set(&net.0, "gone", &["10.0.0.1"]);
    let own = json!({"sources": [reference("IPSet", "gone")]});
    let made = net.section(json!({}), &[rule("deny", "DROP", own)]);
    assert_eq!(net.connect("a", "b"), "DROPPED: a OUT deny");
    net.0.delete("/ip-sets/gone").refused(409, 500_030);
    net.0.delete("/ip-sets/gone?force=true").expect(200);
    assert_eq!(net.connect("a", "b"), PASSED);
    let id = made["id"].as_str().unwrap_or_default();
    let rules = net.0.get(&format!("/firewall/sections/{id}/rules")).results();
    assert_eq!(rules[0]["sources"][0]["is_valid"], false);
}

#[test]
fn each_kind_of_end_stands_for_its_addresses() {
    let ends = [
        reference("LogicalPort", "a"),
        reference("NSGroup", "a"),
        reference("IPSet", "block"),
        reference("IPv4Address", "10.0.0.0/31"),
    ];
    for end in ends {
        let net = Net::new();
        address_set(&net.0, "block", &["10.0.0.0-10.0.0.1"]);
        let own = json!({"destinations": [end]});
        net.section(json!({}), &[rule("deny", "DROP", own)]);
        assert_eq!(net.connect("b", "a"), "DROPPED: b OUT deny", "{end}");
        assert!(net.connect("b", "c").starts_with("DELIVERED"), "{end}");
    }
}

#[test]
fn a_switch_as_an_end_stands_for_all_its_ports() {
    let net = Net::new();
    let own = json!({"destinations": [reference("LogicalSwitch", "segment")]});
    net.section(json!({}), &[rule("deny", "DROP", own)]);
    assert_eq!(net.connect("a", "b"), "DROPPED: a OUT deny");
    assert_eq!(net.connect("a", "192.0.2.1"), format!("DELIVERED: a OUT {DEFAULT}"));
}

#[test]
fn a_disabled_rule_is_stored_and_never_tried() {
    let net = Net::new();
    let made = net.section(json!({}), &[rule("deny", "DROP", json!({"disabled": true}))]);
    assert_eq!(net.connect("a", "b"), PASSED);
    assert_eq!(made["rules"][0]["disabled"], true);
}

#[test]
fn layer_2_comes_before_layer_3_and_its_default_lets_pass() {
    let net = Net::new();
    net.section(json!({}), &[rule("layer 3", "REJECT", json!({}))]);
    let deny = rule("layer 2", "DROP", json!({"applied_tos": groups(&["b"])}));
    net.section(json!({"section_type": "LAYER2", "stateful": false}), &[deny]);
    assert_eq!(net.connect("a", "b"), "REJECTED with TCP_RESET: a OUT layer 3");
    assert_eq!(net.connect("b", "a"), "DROPPED: b OUT layer 2");
}

#[test]
fn layer_2_tells_neighbours_by_mac_address_and_strangers_by_the_routers() {
    let net = Net::new();
    let elsewhere = switch(&net.0, "elsewhere");
    Port::new(&elsewhere, "far").address("10.0.1.1").make(&net.0);
    let mac = "02:50:56:00:00:aa";
    net.edit("/logical-ports/a", |port| port["address_bindings"][0]["mac_address"] = mac.into());
    net.0.post("/mac-sets", json!({"id": "macs", "mac_addresses": [mac]})).expect(201);
    let own = json!({"sources": [reference("MACSet", "macs")], "direction": "IN"});
    let deny = rule("not from a", "DROP", own);
    net.section(json!({"section_type": "LAYER2", "stateful": false}), &[deny]);
    assert_eq!(net.connect("a", "b"), format!("DROPPED: a OUT {DEFAULT}, b IN not from a"));
    assert_eq!(net.connect("b", "c"), format!("DELIVERED: b OUT {DEFAULT}, c IN {DEFAULT}"));
    // Across the router the frame comes from the router.
    assert_eq!(net.connect("a", "far"), format!("DELIVERED: a OUT {DEFAULT}, far IN {DEFAULT}"));
}

#[test]
fn the_default_rule_turned_to_drop_closes_all_that_no_rule_opens() {
    let net = Net::new();
    net.section(json!({}), &[rule("open", "ALLOW", json!({"destinations": groups(&["b"])}))]);
    net.edit(&format!("/firewall/sections/{DEFAULT_L3}/rules/2"), |rule: &mut Value| {
        rule["action"] = "DROP".into();
    });
    assert_eq!(net.connect("a", "b"), "DELIVERED: a OUT open, b IN open");
    assert_eq!(net.connect("a", "c"), format!("DROPPED: a OUT {DEFAULT}"));
}

#[test]
fn a_pod_that_comes_is_relabelled_or_goes_is_judged_by_its_groups_at_once() {
    let net = Net::new();
    let deny = rule("deny", "DROP", json!({"sources": groups(&["a"])}));
    net.section(json!({}), &[deny]);
    tests::Port::new("segment", "new").tag("app", "a").address("10.0.0.9").make(&net.0);
    assert_eq!(net.connect("new", "b"), "DROPPED: new OUT deny");
    net.edit("/logical-ports/new", |port| port["tags"][0]["tag"] = "other".into());
    assert!(net.connect("new", "b").starts_with("DELIVERED"));
    net.edit("/logical-ports/new", |port| port["tags"][0]["tag"] = "a".into());
    net.0.delete("/logical-ports/new?detach=true").expect(200);
    // The address may belong to another pod by now, which is in no group.
    tests::Port::new("segment", "newer").address("10.0.0.9").make(&net.0);
    assert!(net.connect("newer", "b").starts_with("DELIVERED"));
}
