//! Whatever stands in a body, the answer is one of the manager's own: never a fault of its own, and
//! never half a change.

use super::samples::{self, prepared, with};
use serde_json::{Value, json};
use tests::{Answer, Manager, OVERLAY, Port, any_rule, reference, section, tag};

/// Values that no member is made for.
fn odd() -> Vec<Value> {
    vec![
        Value::Null,
        json!(""),
        json!(" "),
        json!("\u{0}"),
        json!("-1"),
        json!("x".repeat(5_000)),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(1e300),
        json!(true),
        json!([]),
        json!({}),
        json!([null]),
        json!([[]]),
        json!([{}]),
        json!([{"resource_type": "Nothing"}]),
        json!({"resource_type": []}),
    ]
}

/// The bodies that differ from this one in one member, at any depth.
fn variants(body: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    let mut places: Vec<String> = vec![String::new()];
    while let Some(place) = places.pop() {
        match body.pointer(&place) {
            Some(Value::Object(members)) => {
                places.extend(
                    members.keys().map(|name| format!("{place}/{}", name.replace('/', "~1"))),
                );
            }
            Some(Value::Array(items)) => {
                places.extend((0..items.len()).map(|at| format!("{place}/{at}")));
            }
            _ => {}
        }
        for value in odd().into_iter().filter(|_| !place.is_empty()) {
            let mut variant = body.clone();
            if let Some(member) = variant.pointer_mut(&place) {
                *member = value;
            }
            found.push(variant);
        }
    }
    found
}

#[track_caller]
fn check(answer: &Answer, what: &str, body: &Value) {
    let fine = [200, 201, 400, 404, 409, 412, 423, 501].contains(&answer.status);
    assert!(fine, "{what} with {body}: {} {:#}", answer.status, answer.body);
    if answer.status >= 400 {
        let text = answer.body["error_message"].as_str().unwrap_or_default();
        assert!(
            !text.is_empty() && answer.body["error_code"].is_u64(),
            "{what}: {:#}",
            answer.body
        );
    }
}

/// More of every kind than the samples hold.
fn rich(kind: &str) -> Value {
    let tagged = json!({
        "resource_type": "NSGroupTagExpression",
        "target_type": "LogicalPort",
        "scope": "s",
        "scope_op": "EQUALS",
        "tag": "t",
        "tag_op": "EQUALS",
    });
    let header = json!({
        "display_name": "n", "description": "d", "tags": [tag("s", "t")], "_revision": 0,
    });
    let more = match kind {
        "LogicalPort" => json!({
            "attachment": {
                "attachment_type": "VIF",
                "id": "vif",
                "context": {
                    "resource_type": "VifAttachmentContext",
                    "vif_type": "CHILD",
                    "parent_vif_id": "p",
                    "traffic_tag": 1,
                    "allocate_addresses": "Both",
                },
            },
            "address_bindings": [{"ip_address": "10.0.0.1", "mac_address": "02:50:56:00:00:01", "vlan": 1}],
            "switching_profile_ids": [{
                "key": "QosSwitchingProfile", "value": "f313290b-eba8-4262-bd93-fab5026e9495",
            }],
            "init_state": "UNBLOCKED_VLAN",
            "extra_configs": [{"config_pair": {"key": "k", "value": "v"}}],
        }),
        "LogicalSwitch" => json!({
            "transport_zone_id": OVERLAY, "vni": 7_000, "replication_mode": "SOURCE", "hybrid": false,
        }),
        "NSGroup" => json!({
            "members": [{
                "resource_type": "NSGroupSimpleExpression",
                "target_type": "LogicalSwitch",
                "target_property": "id",
                "op": "EQUALS",
                "value": "segment",
            }],
            "membership_criteria": [
                tagged.clone(),
                {"resource_type": "NSGroupComplexExpression", "expressions": [tagged.clone(), tagged]},
            ],
        }),
        "LbPool" => json!({
            "algorithm": "ROUND_ROBIN",
            "members": [{"ip_address": "10.0.0.1", "port": "80", "weight": 1}],
            "snat_translation": {"type": "LbSnatAutoMap", "port_overload": 32},
        }),
        "LbVirtualServer" => json!({"ports": ["80"], "ip_protocol": "TCP", "enabled": true}),
        _ => json!({}),
    };
    with(header, more)
}

#[test]
fn no_value_of_any_member_is_too_odd_for_a_kind() {
    let manager = prepared();
    for sample in samples::all() {
        let (list, kind) = (&sample.path(), sample.declaration());
        let body = with((sample.body)(), rich(sample.kind));
        let own = with(body.clone(), json!({"id": "own"}));
        manager.post(list, own).expect(kind.created);
        for variant in variants(&body) {
            let answer = manager.post(list, variant.clone());
            check(&answer, &format!("POST {list}"), &variant);
            if let Some(id) = answer.body["id"].as_str().filter(|_| answer.status == kind.created) {
                manager.delete(&format!("{list}/{id}?detach=true")).expect(kind.deleted);
            }
            if !kind.verbs.update {
                continue;
            }
            let before = manager.get(&format!("{list}/own")).expect(200);
            let answer = manager.put(&format!("{list}/own"), variant.clone());
            check(&answer, &format!("PUT {list}"), &variant);
            let after = manager.get(&format!("{list}/own")).expect(200);
            if answer.status != 200 {
                assert_eq!(after, before, "a refusal changed something: {variant}");
            }
            manager.put(&format!("{list}/own"), after).expect(200);
        }
    }
}

#[test]
fn no_value_of_any_member_is_too_odd_for_the_firewall() {
    let manager = prepared();
    Port::new("segment", "pod").make(&manager);
    let rule = json!({
        "id": "1024",
        "display_name": "n",
        "action": "DROP",
        "direction": "IN",
        "ip_protocol": "IPV4",
        "sources": [reference("LogicalPort", "pod"), reference("IPv4Address", "10.0.0.0/8")],
        "sources_excluded": false,
        "services": [
            reference("NSService", "service"),
            {"service": {"resource_type": "L4PortSetNSService", "l4_protocol": "TCP", "destination_ports": ["1-2"]}},
        ],
        "applied_tos": [reference("LogicalSwitch", "segment")],
        "_revision": 0,
    });
    let body = json!({
        "display_name": "n",
        "section_type": "LAYER3",
        "stateful": true,
        "tcp_strict": false,
        "applied_tos": [reference("LogicalPort", "pod")],
        "rules": [rule],
        "_revision": 0,
    });
    for variant in variants(&body) {
        let create = "/firewall/sections?action=create_with_rules";
        let answer = manager.post(create, variant.clone());
        check(&answer, create, &variant);
        if let Some(id) = answer.body["id"].as_str().filter(|_| answer.status == 201) {
            // Packets obey whatever was accepted.
            let packet = json!({"from": "10.0.0.1", "to": "10.0.0.2", "dst_port": 1});
            manager.post("/sim/v1/explain", packet).expect(200);
            manager.delete(&format!("/firewall/sections/{id}?cascade=true")).expect(200);
        }
    }
    assert_eq!(manager.get("/firewall/sections").results().len(), 1, "refusals leave nothing");
    let ids = section(&manager, "s", &[any_rule("one", "ALLOW")]);
    let rules = format!("/firewall/sections/{}/rules", ids.section);
    for variant in variants(&rule) {
        check(&manager.post(&rules, variant.clone()), &rules, &variant);
        let multiple = format!("{rules}?action=create_multiple");
        let several = json!({"rules": [variant]});
        check(&manager.post(&multiple, several.clone()), &multiple, &several);
    }
}

#[test]
fn no_value_of_any_member_is_too_odd_for_a_call() {
    let manager = prepared();
    Port::new("segment", "pod").address("10.0.0.1").make(&manager);
    let ids = section(&manager, "s", &[]);
    let lock = format!("/firewall/sections/{}?action=lock", ids.section);
    let member = json!({
        "resource_type": "NSGroupSimpleExpression",
        "target_type": "LogicalPort",
        "target_property": "id",
        "op": "EQUALS",
        "value": "pod",
    });
    manager.post("/ns-groups", json!({"id": "group"})).expect(201);
    manager.post("/ip-sets", json!({"id": "set"})).expect(201);
    manager.post("/mac-sets", json!({"id": "macs"})).expect(201);
    let trace = json!({
        "lport_id": "pod",
        "timeout": 5_000,
        "packet": {
            "resource_type": "FieldsPacketData",
            "routed": true,
            "transport_type": "UNICAST",
            "frame_size": 128,
            "eth_header": {"src_mac": "02:50:56:00:00:01", "dst_mac": "02:50:56:00:00:02", "eth_type": 2048},
            "ip_header": {"src_ip": "10.0.0.1", "dst_ip": "10.0.0.2", "protocol": 6, "ttl": 64},
            "transport_header": {"tcp_header": {"src_port": 1, "dst_port": 2, "tcp_flags": 2}},
        },
    });
    let packet = json!({
        "from": "pod", "to": "10.0.0.2", "protocol": "TCP", "src_port": 1, "dst_port": 2, "tcp_flags": "SYN",
    });
    for (path, body) in [
        ("/ns-groups/group?action=ADD_MEMBERS", json!({"members": [member.clone()]})),
        ("/ns-groups/group?action=REMOVE_MEMBERS", json!({"members": [member]})),
        ("/ip-sets/set?action=add_ip", json!({"ip_address": "10.0.0.1"})),
        ("/ip-sets/set?action=remove_ip", json!({"ip_address": "10.0.0.1"})),
        ("/mac-sets/macs/members", json!({"mac_address": "02:50:56:00:00:01"})),
        ("/firewall/excludelist?action=add_member", reference("LogicalPort", "pod")),
        (&lock, json!({"comments": "mine", "section_revision": 0})),
        ("/traceflows", trace),
        ("/sim/v1/packets", packet.clone()),
        ("/sim/v1/explain", packet),
    ] {
        for variant in variants(&body) {
            check(&manager.post(path, variant.clone()), path, &variant);
        }
    }
}

#[test]
fn no_value_of_any_query_parameter_is_too_odd() {
    let manager = Manager::new();
    let names = [
        "page_size",
        "cursor",
        "sort_by",
        "sort_ascending",
        "included_fields",
        "filter_type",
        "deep_search",
        "type",
        "operation",
        "id",
        "action",
        "member_types",
        "vlan",
        "source",
    ];
    let values =
        ["", "%00", "-1", "99999999999999999999", "true", "c", "cW10", "%FF%FE", "a,b", "%"];
    for path in ["/ip-sets", "/logical-ports", "/ns-groups", "/firewall/sections", "/traceflows"] {
        for (name, value) in names.iter().flat_map(|name| values.map(|value| (name, value))) {
            let call = format!("{path}?{name}={value}");
            check(&manager.get(&call), &call, &Value::Null);
        }
    }
}
