//! Finding sections and rules by what they name [spec ListSections, GetRules], and that no
//! operation of the firewall is left out.

use serde_json::{Value, json};
use tests::{DEFAULT_L3, Manager, Port, RuleIds, address_set, reference, section, switch};

/// Two sections: `by-group` names a group as source and a service, `by-set` a set as destination
/// and stands on a port.
fn world() -> (Manager, RuleIds, RuleIds) {
    let manager = Manager::new();
    switch(&manager, "segment");
    Port::new("segment", "pod").tag("s", "t").make(&manager);
    tests::group_by_tag(&manager, "group", "s", "t");
    address_set(&manager, "set", &["10.0.0.1"]);
    let element = json!({"resource_type": "L4PortSetNSService", "l4_protocol": "TCP"});
    let body = json!({"id": "service", "nsservice_element": element});
    manager.post("/ns-services", body).expect(201);
    let first = section(
        &manager,
        "by-group",
        &[
            json!({
                "action": "DROP",
                "sources": [reference("NSGroup", "group")],
                "services": [reference("NSService", "service")],
            }),
            json!({"action": "ALLOW"}),
        ],
    );
    let second = section(
        &manager,
        "by-set",
        &[json!({
            "action": "DROP",
            "destinations": [reference("IPSet", "set")],
            "applied_tos": [reference("LogicalPort", "pod")],
        })],
    );
    (manager, first, second)
}

#[test]
fn sections_are_found_by_what_their_rules_name() {
    let (manager, ..) = world();
    let found =
        |query: &str| manager.get(&format!("/firewall/sections?{query}")).column("display_name");
    assert_eq!(found("sources=group"), ["by-group"]);
    assert_eq!(found("sources=nobody,group"), ["by-group"]);
    assert_eq!(found("destinations=set"), ["by-set"]);
    assert_eq!(found("services=service"), ["by-group"]);
    assert_eq!(found("applied_tos=pod"), ["by-set"]);
    assert_eq!(found("sources=set").len(), 0);
    assert_eq!(found("sources=group&services=service"), ["by-group"]);
    assert_eq!(found("sources=group&destinations=set").len(), 0, "one rule must name both");
    assert_eq!(found("filter_type=SEARCH&sources=group"), ["by-group"]);
    manager.get("/firewall/sections?filter_type=BOTH").refused(400, 255);
}

#[test]
fn rules_are_found_within_their_section() {
    let (manager, first, _) = world();
    let found = |query: &str| {
        manager.get(&format!("/firewall/sections/{}/rules?{query}", first.section)).column("id")
    };
    assert_eq!(found("sources=group"), first.rules[..1]);
    assert_eq!(found("services=service"), first.rules[..1]);
    assert_eq!(found("services=other").len(), 0);
    assert_eq!(found(""), first.rules);
}

#[test]
fn a_deep_search_goes_through_groups_and_switches() {
    let (manager, ..) = world();
    let found =
        |query: &str| manager.get(&format!("/firewall/sections?{query}")).column("display_name");
    assert_eq!(found("sources=pod").len(), 0);
    assert_eq!(found("sources=pod&deep_search=true"), ["by-group"]);
}

#[test]
fn a_deep_search_goes_through_groups_of_services() {
    let (manager, ..) = world();
    for (group, kind, member) in
        [("inner", "NSService", "service"), ("outer", "NSServiceGroup", "inner")]
    {
        let body = json!({"id": group, "members": [reference(kind, member)]});
        manager.post("/ns-service-groups", body).expect(201);
    }
    let rule = json!({"action": "DROP", "services": [reference("NSServiceGroup", "outer")]});
    section(&manager, "by-service-group", &[rule]);
    let found =
        |query: &str| manager.get(&format!("/firewall/sections?{query}")).column("display_name");
    assert_eq!(found("services=service"), ["by-group"]);
    assert_eq!(found("services=service&deep_search=true"), ["by-service-group", "by-group"]);
    assert_eq!(found("services=inner&deep_search=true"), ["by-service-group"]);
}

#[test]
fn rules_that_name_what_is_gone_are_found() {
    let (manager, ..) = world();
    let search = "/firewall/sections?search_invalid_references=true";
    assert_eq!(manager.get(search).results().len(), 0);
    manager.delete("/ip-sets/set?force=true").expect(200);
    assert_eq!(manager.get(search).column("display_name"), ["by-set"]);
}

#[test]
fn sections_are_found_by_what_they_apply_to() {
    let (manager, ..) = world();
    let applied = json!({
        "display_name": "on-group", "section_type": "LAYER3", "stateful": true,
        "applied_tos": [reference("NSGroup", "group")],
    });
    manager.post("/firewall/sections", applied).expect(201);
    let found =
        |query: &str| manager.get(&format!("/firewall/sections?{query}")).column("display_name");
    assert_eq!(found("include_applied_to_type=NSGroup"), ["on-group"]);
    let rest = ["by-set", "by-group", "Default Layer3 Section"];
    assert_eq!(found("exclude_applied_to_type=NSGroup"), rest);
    assert_eq!(found("enforced_on=VIF").len(), 4);
    assert_eq!(found("enforced_on=LOGICALROUTER").len(), 0);
    manager.get("/firewall/sections?include_applied_to_type=IPSet").refused(400, 255);
    // Either or, never both [spec ListSections].
    let both = "include_applied_to_type=NSGroup&exclude_applied_to_type=LogicalPort";
    manager.get(&format!("/firewall/sections?{both}")).refused(400, 255);
}

#[test]
fn searches_by_what_is_not_modelled_say_so() {
    let (manager, ..) = world();
    for name in ["context_profiles", "extended_sources", "search_scope"] {
        manager.get(&format!("/firewall/sections?{name}=x")).refused(501, 501);
    }
}

#[test]
fn no_operation_on_sections_and_rules_is_left_out() {
    let manager = Manager::new();
    let table = include_str!("../../../nsx-sim/src/http/operations.txt");
    let operations: Vec<(&str, &str)> = table
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(method, rest)| Some((method, rest.split_once(' ')?.0)))
        .filter(|(_, path)| {
            path.starts_with("/firewall/sections") || path.starts_with("/firewall/rules")
        })
        .collect();
    assert_eq!(operations.len(), 25, "as many as the 2.5.1 API has");
    for (method, path) in operations {
        let path = path.replace("{section-id}", DEFAULT_L3).replace("{rule-id}", "2");
        let answer = manager.call(method, &path, "{}");
        assert_ne!(answer.status, 501, "{method} {path}");
        assert!(![404, 405].contains(&answer.status), "{method} {path}: {:#}", answer.body);
    }
}

#[test]
fn every_rule_that_a_search_finds_is_printed_as_a_get_prints_it() {
    let (manager, first, second) = world();
    for ids in [first, second] {
        let listed = manager.get(&format!("/firewall/sections/{}/rules", ids.section)).results();
        let single: Vec<Value> = ids
            .rules
            .iter()
            .map(|id| manager.get(&format!("/firewall/rules/{id}")).expect(200))
            .collect();
        assert_eq!(listed, single);
    }
}
