//! Where rules stand: Applied To, the exclude list and the firewall's switches.

use super::{DEFAULT, Net, groups, rule};
use serde_json::{Value, json};
use tests::{Port, reference};

#[test]
fn applied_to_chooses_filters_and_leaves_what_is_matched_alone() {
    for target in [reference("NSGroup", "b"), reference("LogicalPort", "b")] {
        let net = Net::new();
        net.section(json!({}), &[rule("deny", "DROP", json!({"applied_tos": [target]}))]);
        assert_eq!(net.connect("a", "b"), format!("DROPPED: a OUT {DEFAULT}, b IN deny"));
        // The packets that b itself sends meet the same filter.
        assert_eq!(net.connect("b", "a"), "DROPPED: b OUT deny");
        assert_eq!(net.connect("a", "c"), format!("DELIVERED: a OUT {DEFAULT}, c IN {DEFAULT}"));
    }
}

#[test]
fn a_section_applied_somewhere_overrides_where_its_rules_are_applied() {
    let net = Net::new();
    let own = json!({"applied_tos": groups(&["a"])});
    let section = json!({"applied_tos": groups(&["b"])});
    net.section(section, &[rule("deny", "DROP", own)]);
    assert_eq!(net.connect("a", "c"), format!("DELIVERED: a OUT {DEFAULT}, c IN {DEFAULT}"));
    assert_eq!(net.connect("b", "c"), "DROPPED: b OUT deny");
}

#[test]
fn applied_to_an_empty_or_deleted_group_is_nowhere() {
    let net = Net::new();
    tests::group_by_tag(&net.0, "nobody", "app", "nobody");
    tests::group_by_tag(&net.0, "gone", "app", "a");
    for group in ["nobody", "gone"] {
        net.section(json!({}), &[rule("deny", "DROP", json!({"applied_tos": groups(&[group])}))]);
    }
    net.0.delete("/ns-groups/gone?force=true").expect(200);
    assert_eq!(net.connect("a", "b"), format!("DELIVERED: a OUT {DEFAULT}, b IN {DEFAULT}"));
}

#[test]
fn applied_to_goes_by_port_and_not_by_address() {
    let net = Net::new();
    Port::new("segment", "bare").tag("app", "b").make(&net.0);
    let deny = rule("deny", "DROP", json!({}));
    net.section(json!({"applied_tos": groups(&["b"])}), &[deny]);
    let rules = net.0.api().world().fabric().rules_on("bare");
    assert_eq!(rules.len(), 3, "layer 2's default, deny, layer 3's default: {rules:?}");
}

#[test]
fn a_switch_applied_to_covers_the_ports_that_come_later() {
    let net = Net::new();
    tests::switch(&net.0, "other");
    let deny = rule("deny", "DROP", json!({"applied_tos": [reference("LogicalSwitch", "other")]}));
    net.section(json!({}), &[deny]);
    assert!(net.connect("a", "b").starts_with("DELIVERED"));
    Port::new("other", "late").address("10.0.1.1").make(&net.0);
    assert_eq!(net.connect("late", "a"), "DROPPED: late OUT deny");
}

#[test]
fn an_excluded_port_has_no_rules_at_all() {
    for member in [
        reference("LogicalPort", "a"),
        reference("NSGroup", "a"),
        reference("LogicalSwitch", "segment"),
    ] {
        let net = Net::new();
        net.section(json!({}), &[rule("deny", "DROP", json!({"applied_tos": groups(&["a"])}))]);
        assert_eq!(net.connect("a", "b"), "DROPPED: a OUT deny");
        net.0.post("/firewall/excludelist?action=add_member", member.clone()).expect(200);
        let told = net.connect("a", "b");
        assert!(told.starts_with("DELIVERED: a OUT EXCLUDED"), "{told} for {member}");
        let id = member["target_id"].as_str().unwrap_or_default();
        let query = format!("action=remove_member&object_id={id}");
        net.0.post(&format!("/firewall/excludelist?{query}"), json!({})).expect(200);
        assert_eq!(net.connect("a", "b"), "DROPPED: a OUT deny");
    }
}

#[test]
fn the_firewall_can_be_off_everywhere() {
    let net = Net::new();
    net.section(json!({}), &[rule("deny", "DROP", json!({}))]);
    let switch = |word: &str| {
        net.edit("/firewall/status/transport_nodes", |status: &mut Value| {
            status["global_status"] = word.into();
        });
    };
    switch("DISABLED");
    assert_eq!(net.connect("a", "b"), "DELIVERED: a OUT DISABLED, b IN DISABLED");
    switch("ENABLED");
    assert_eq!(net.connect("a", "b"), "DROPPED: a OUT deny");
}

#[test]
fn the_firewall_can_be_off_on_one_host_alone() {
    let net = Net::new();
    net.section(json!({}), &[rule("deny", "DROP", json!({"direction": "OUT"}))]);
    let state = net.0.get("/logical-ports/a/state").expect(200);
    let host = state["transport_node_ids"][0].as_str().unwrap_or_default().to_owned();
    let switch = |action: &str| {
        let path = format!("/firewall/status/transport_nodes/{host}?action={action}");
        net.0.post(&path, json!({})).expect(200)
    };
    switch("disable_firewall");
    assert_eq!(net.connect("a", "b"), format!("DELIVERED: a OUT DISABLED, b IN {DEFAULT}"));
    // Ports go round the hosts in turn, so b is on another one.
    assert_eq!(net.connect("b", "a"), "DROPPED: b OUT deny");
    switch("enable_firewall");
    assert_eq!(net.connect("a", "b"), "DROPPED: a OUT deny");
}
