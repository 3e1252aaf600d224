//! Random changes over a handful of ids, so that they meet.

use super::op::{Op, RuleChange};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use tests::OVERLAY;

const IPS: [&str; 8] = [
    "10.0.0.1",
    "10.0.0.2",
    "10.0.0.3",
    "10.0.0.0/30",
    "10.0.0.2-10.0.0.6",
    "fd00::1",
    "fd00::2",
    "fd00::/126",
];
const MACS: [&str; 3] = ["02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:03"];
const SCOPES: [&str; 3] = ["app", "env", ""];
const TAGS: [&str; 3] = ["a", "b", ""];
const NAMES: [&str; 4] = ["web-1", "web-2", "db-1", "db-web"];

const SWITCHES: &str = "/logical-switches";
const PORTS: &str = "/logical-ports";
const GROUPS: &str = "/ns-groups";
const IP_SETS: &str = "/ip-sets";
const MAC_SETS: &str = "/mac-sets";
const SECTIONS: &str = "/firewall/sections";
const SERVICES: &str = "/ns-services";

/// What is there before the first change: switches, ports and groups that hold them.
pub(super) fn beginning() -> Vec<Op> {
    let put = |path, id: &str, body| Op::Put { path, id: id.to_owned(), body };
    let switch =
        |id: &str| put(SWITCHES, id, json!({"transport_zone_id": OVERLAY, "admin_state": "UP"}));
    let port = |number: usize| {
        let body = json!({
            "tags": [tests::tag("app", TAGS[number % 2])],
            "logical_switch_id": format!("switch-{}", number % 2),
            "admin_state": "UP",
            "address_bindings": [{"ip_address": IPS[number], "mac_address": MACS[number]}],
            "attachment": {"attachment_type": "VIF", "id": format!("vif-{number}")},
        });
        put(PORTS, &format!("port-{number}"), body)
    };
    let group = |number: usize| {
        let criterion = json!({
            "resource_type": "NSGroupTagExpression",
            "target_type": "LogicalPort",
            "scope": "app",
            "tag": TAGS[number],
        });
        put(GROUPS, &format!("group-{number}"), json!({"membership_criteria": [criterion]}))
    };
    let ports = (0..3).map(port);
    [switch("switch-0"), switch("switch-1")]
        .into_iter()
        .chain(ports)
        .chain((0..2).map(group))
        .collect()
}

/// Any change at all.
pub(super) fn any_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        10 => grouping_op(),
        4 => put_section(),
        6 => change_rule(),
        1 => put_service(),
        1 => delete(SERVICES, service_id().boxed(), &["", "?force=true"]),
        1 => delete(SECTIONS, section_id().boxed(), &["?cascade=true"]),
        3 => exclude(),
        1 => (prop::option::weighted(0.7, 0..2_usize), prop::bool::weighted(0.6))
            .prop_map(|(host, on)| Op::Firewall { host, on }),
    ]
}

/// A change of ports, switches, sets or groups.
pub(super) fn grouping_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        2 => put_switch(),
        9 => put_port(),
        2 => put_set(),
        5 => put_group(),
        1 => (group_id(), select(&["ADD_MEMBERS", "REMOVE_MEMBERS"][..]), member())
            .prop_map(|(group, action, member)| Op::Member { group, action, member }),
        1 => delete(SWITCHES, switch_id().boxed(), &["", "", "?cascade=true&detach=true"]),
        3 => delete(PORTS, port_id().boxed(), &["", "?detach=true", "?detach=true"]),
        1 => delete(IP_SETS, ip_set_id().boxed(), &["", "?force=true"]),
        1 => delete(MAC_SETS, mac_set_id().boxed(), &["", "?force=true"]),
        2 => prop_oneof![
            port_id().prop_map(|id| Op::Remake { path: PORTS, id }),
            group_id().prop_map(|id| Op::Remake { path: GROUPS, id }),
        ],
        2 => delete(GROUPS, group_id().boxed(), &["", "?force=true", "?force=true"]),
    ]
}

fn id(prefix: &'static str, count: usize) -> impl Strategy<Value = String> + Clone {
    (0..count).prop_map(move |number| format!("{prefix}{number}"))
}

fn switch_id() -> impl Strategy<Value = String> + Clone {
    id("switch-", 2)
}

fn port_id() -> impl Strategy<Value = String> + Clone {
    id("port-", 5)
}

fn group_id() -> impl Strategy<Value = String> + Clone {
    id("group-", 5)
}

fn ip_set_id() -> impl Strategy<Value = String> + Clone {
    id("addresses-", 2)
}

fn mac_set_id() -> impl Strategy<Value = String> + Clone {
    id("macs-", 1)
}

fn service_id() -> impl Strategy<Value = String> + Clone {
    id("service-", 2)
}

fn section_id() -> impl Strategy<Value = String> + Clone {
    id("section-", 4)
}

fn delete(
    path: &'static str,
    id: BoxedStrategy<String>,
    queries: &'static [&'static str],
) -> impl Strategy<Value = Op> {
    (id, select(queries)).prop_map(move |(id, query)| Op::Delete { path, id, query })
}

fn exclude() -> impl Strategy<Value = Op> {
    let member = prop_oneof![
        port_id().prop_map(|id| ("LogicalPort", id)),
        switch_id().prop_map(|id| ("LogicalSwitch", id)),
        group_id().prop_map(|id| ("NSGroup", id)),
    ];
    (select(&["add_member", "add_member", "remove_member"][..]), member)
        .prop_map(|(action, (kind, id))| Op::Exclude { action, kind, id })
}

fn tags() -> impl Strategy<Value = Value> {
    let tag = (select(&SCOPES[..]), select(&TAGS[..]));
    prop::collection::vec(tag.prop_map(|(scope, tag)| tests::tag(scope, tag)), 0..3)
        .prop_map(Value::Array)
}

fn put_switch() -> impl Strategy<Value = Op> {
    (switch_id(), select(&NAMES[..]), tags()).prop_map(|(id, name, tags)| {
        let body = json!({
            "display_name": name, "tags": tags, "transport_zone_id": OVERLAY, "admin_state": "UP",
        });
        Op::Put { path: SWITCHES, id, body }
    })
}

fn put_port() -> impl Strategy<Value = Op> {
    let binding = (select(&IPS[..]), select(&MACS[..]))
        .prop_map(|(ip, mac)| json!({"ip_address": ip, "mac_address": mac}));
    let bindings = prop::collection::vec(binding, 0..4);
    (port_id(), switch_id(), select(&NAMES[..]), tags(), bindings, attachment()).prop_map(
        |(id, switch, name, tags, bindings, attachment)| {
            let body = json!({
                "display_name": name,
                "tags": tags,
                "logical_switch_id": switch,
                "admin_state": "UP",
                "address_bindings": bindings,
                "attachment": attachment,
            });
            Op::Put { path: PORTS, id, body }
        },
    )
}

/// VIFs are few, so that one moves from port to port.
fn attachment() -> impl Strategy<Value = Value> {
    let vif = || id("vif-", 6);
    prop_oneof![
        2 => Just(Value::Null),
        6 => vif().prop_map(|id| json!({"attachment_type": "VIF", "id": id})),
        2 => (vif(), vif()).prop_map(|(id, parent)| json!({
            "attachment_type": "VIF",
            "id": id,
            "context": {
                "resource_type": "VifAttachmentContext",
                "vif_type": "CHILD",
                "parent_vif_id": parent,
                "traffic_tag": 1,
            },
        })),
        1 => id("router-", 2)
            .prop_map(|id| json!({"attachment_type": "LOGICALROUTER", "id": id})),
    ]
}

fn put_set() -> impl Strategy<Value = Op> {
    let (v4, v6) = IPS.split_at(5);
    let some = move |ips| prop::collection::vec(select(ips), 0..3);
    let ip_set = (ip_set_id(), select(&NAMES[..]), tags(), prop_oneof![some(v4), some(v6)]);
    let mac_set = (mac_set_id(), prop::collection::vec(select(&MACS[..]), 0..3));
    prop_oneof![
        3 => ip_set.prop_map(|(id, name, tags, ips)| {
            let body = json!({"display_name": name, "tags": tags, "ip_addresses": ips});
            Op::Put { path: IP_SETS, id, body }
        }),
        1 => mac_set.prop_map(|(id, macs)| {
            Op::Put { path: MAC_SETS, id, body: json!({"mac_addresses": macs}) }
        }),
    ]
}

fn member() -> impl Strategy<Value = Value> {
    let by_id = |kind: &'static str| {
        move |id: String| {
            json!({
                "resource_type": "NSGroupSimpleExpression",
                "target_type": kind,
                "target_property": "id",
                "op": "EQUALS",
                "value": id,
            })
        }
    };
    prop_oneof![
        3 => group_id().prop_map(by_id("NSGroup")),
        2 => port_id().prop_map(by_id("LogicalPort")),
        2 => switch_id().prop_map(by_id("LogicalSwitch")),
        1 => ip_set_id().prop_map(by_id("IPSet")),
        1 => mac_set_id().prop_map(by_id("MACSet")),
    ]
}

const TAGGED: [&str; 4] = ["LogicalPort", "LogicalPort", "LogicalSwitch", "IPSet"];
const NAMED: [&str; 5] = ["LogicalPort", "LogicalPort", "LogicalSwitch", "IPSet", "MACSet"];

fn tag_expression(kind: &'static str) -> impl Strategy<Value = Value> {
    (prop::option::of(select(&SCOPES[..])), select(&TAGS[..])).prop_map(move |(scope, tag)| {
        json!({
            "resource_type": "NSGroupTagExpression",
            "target_type": kind,
            "scope": scope,
            "tag": tag,
        })
    })
}

fn name_expression(kind: &'static str) -> impl Strategy<Value = Value> {
    let op = select(&["EQUALS", "CONTAINS", "STARTSWITH", "ENDSWITH", "NOTEQUALS"][..]);
    (op, select(&["web-1", "web", "1", "db"][..])).prop_map(move |(op, value)| {
        json!({
            "resource_type": "NSGroupSimpleExpression",
            "target_type": kind,
            "target_property": "name",
            "op": op,
            "value": value,
        })
    })
}

fn criterion() -> impl Strategy<Value = Value> {
    let complex = select(&TAGGED[..]).prop_flat_map(|kind| {
        let part = prop_oneof![2 => tag_expression(kind), 1 => name_expression(kind)];
        prop::collection::vec(part, 2..4).prop_map(|expressions| {
            json!({"resource_type": "NSGroupComplexExpression", "expressions": expressions})
        })
    });
    prop_oneof![
        3 => select(&TAGGED[..]).prop_flat_map(tag_expression),
        1 => select(&NAMED[..]).prop_flat_map(name_expression),
        2 => complex,
    ]
}

fn put_group() -> impl Strategy<Value = Op> {
    let members = prop::collection::vec(member(), 0..3);
    let criteria = prop::collection::vec(criterion(), 0..3);
    (group_id(), members, criteria).prop_map(|(id, members, criteria)| {
        let body = json!({"members": members, "membership_criteria": criteria});
        Op::Put { path: GROUPS, id, body }
    })
}

fn reference(kinds: &'static [&'static str]) -> impl Strategy<Value = Value> {
    (select(kinds), 0..5_usize).prop_map(|(kind, number)| {
        let id = match kind {
            "NSGroup" => format!("group-{number}"),
            "LogicalPort" => format!("port-{number}"),
            "LogicalSwitch" => format!("switch-{}", number % 2),
            "IPSet" => format!("addresses-{}", number % 2),
            "MACSet" => "macs-0".to_owned(),
            _ => IPS[number].to_owned(),
        };
        tests::reference(kind, &id)
    })
}

fn references(kinds: &'static [&'static str]) -> impl Strategy<Value = Vec<Value>> {
    prop_oneof![
        1 => Just(Vec::new()),
        2 => prop::collection::vec(reference(kinds), 1..3),
    ]
}

const SCOPE_KINDS: [&str; 4] = ["NSGroup", "NSGroup", "LogicalSwitch", "LogicalPort"];
const IP_PEERS: [&str; 6] =
    ["NSGroup", "NSGroup", "LogicalSwitch", "LogicalPort", "IPSet", "IPv4Address"];
const MAC_PEERS: [&str; 4] = ["NSGroup", "LogicalSwitch", "LogicalPort", "MACSet"];

fn ip_services() -> Vec<Value> {
    let l4 = |protocol: &str, source: &[&str], destination: &[&str]| {
        json!({"service": {
            "resource_type": "L4PortSetNSService",
            "l4_protocol": protocol,
            "source_ports": source,
            "destination_ports": destination,
        }})
    };
    vec![
        l4("TCP", &[], &["80", "443-500"]),
        l4("TCP", &["1024-2047"], &[]),
        l4("UDP", &[], &["53"]),
        json!({"service": {"resource_type": "IPProtocolNSService", "protocol_number": 47}}),
        tests::reference("NSService", "service-0"),
        tests::reference("NSService", "service-1"),
    ]
}

fn put_service() -> impl Strategy<Value = Op> {
    let element = select(ip_services()).prop_filter_map("named", |own| own.get("service").cloned());
    (service_id(), element).prop_map(|(id, element)| Op::Put {
        path: SERVICES,
        id,
        body: json!({"nsservice_element": element}),
    })
}

fn ether_services() -> Vec<Value> {
    let ether = |number: u16| json!({"service": {"resource_type": "EtherTypeNSService", "ether_type": number}});
    vec![ether(0x0800), ether(0x0806)]
}

fn rule(layer2: bool) -> impl Strategy<Value = Value> {
    let peers = || references(if layer2 { &MAC_PEERS } else { &IP_PEERS });
    let services = if layer2 { ether_services() } else { ip_services() };
    let services = prop::collection::vec(select(services), 0..2);
    let words = (
        select(&["ALLOW", "DROP", "REJECT"][..]),
        select(&["IN_OUT", "IN_OUT", "IN", "OUT"][..]),
        select(&["IPV4_IPV6", "IPV4_IPV6", "IPV4", "IPV6"][..]),
    );
    let negated = || prop::bool::weighted(0.2);
    let flags = (negated(), negated(), prop::bool::weighted(0.1));
    (words, flags, peers(), peers(), services, references(&SCOPE_KINDS)).prop_map(
        |((action, direction, version), flags, sources, destinations, services, applied_tos)| {
            json!({
                "action": action,
                "direction": direction,
                "ip_protocol": version,
                "sources": sources,
                "sources_excluded": flags.0,
                "destinations": destinations,
                "destinations_excluded": flags.1,
                "disabled": flags.2,
                "services": services,
                "applied_tos": applied_tos,
            })
        },
    )
}

fn change_rule() -> impl Strategy<Value = Op> {
    let change = |layer2| {
        prop_oneof![
            3 => (any::<bool>(), rule(layer2)).prop_map(|(top, body)| RuleChange::Make { top, body }),
            3 => rule(layer2).prop_map(RuleChange::Edit),
            2 => any::<bool>().prop_map(|top| RuleChange::Move { top }),
            2 => Just(RuleChange::Remove),
        ]
    };
    (section_id(), 0..4_usize).prop_flat_map(move |(section, place)| {
        let changes = change(section == LAYER2);
        changes.prop_map(move |change| Op::Rule { section: section.clone(), place, change })
    })
}

/// The section of layer 2.
const LAYER2: &str = "section-0";

/// A section's id tells its layer, which is fixed: the first is of layer 2.
fn put_section() -> impl Strategy<Value = Op> {
    let placement = prop_oneof![
        2 => Just("operation=insert_top".to_owned()),
        2 => Just("operation=insert_bottom".to_owned()),
        1 => (select(&["insert_before", "insert_after"][..]), section_id())
            .prop_map(|(operation, anchor)| format!("operation={operation}&id={anchor}")),
    ];
    let applied_tos = prop_oneof![2 => Just(Vec::new()), 1 => references(&SCOPE_KINDS)];
    (section_id(), placement, applied_tos).prop_flat_map(|(id, placement, applied_tos)| {
        let layer2 = id == LAYER2;
        prop::collection::vec(rule(layer2), 0..4).prop_map(move |rules| {
            let body = json!({
                "section_type": if layer2 { "LAYER2" } else { "LAYER3" },
                "stateful": !layer2,
                "applied_tos": applied_tos,
                "rules": rules,
            });
            Op::Section { id: id.clone(), placement: placement.clone(), body }
        })
    })
}
