//! Sequences that once went wrong, or easily would, one by one.

use super::look;
use super::op::Op;
use super::rebuild::Objects;
use dataplane::{Config, Direction, Evidence, Guard, Packet, TcpFlags};
use nsx_sim::fabric::{Fabric, Topology};
use nsx_sim::realize::TagMatching;
use serde_json::{Value, json};
use tests::{Manager, Port, any_rule, reference, switch};

fn packet() -> Packet {
    let (from, to) = (([10, 0, 0, 1], 1500).into(), ([10, 0, 0, 2], 80).into());
    Packet::tcp(from, to, TcpFlags::SYN)
}

/// Who decides about a packet that leaves a port.
fn decides(manager: &Manager, port: &str) -> Option<Evidence> {
    let verdict = manager.api().world().fabric().judge(port, Direction::Out, &packet());
    verdict.map(|verdict| verdict.by)
}

fn exclude(kind: &'static str, id: &str) -> Op {
    Op::Exclude { action: "add_member", kind, id: id.to_owned() }
}

#[test]
fn what_the_exclude_list_names_is_excluded_again_when_it_comes_back() {
    let manager = Manager::new();
    let segment = switch(&manager, "segment");
    let port = || Port::new(&segment, "pod").address("10.0.0.1").tag("app", "a").make(&manager);
    let group = || tests::group_by_tag(&manager, "group", "app", "a");
    port();
    group();
    for (kind, id, path) in
        [("LogicalPort", "pod", "/logical-ports"), ("NSGroup", "group", "/ns-groups")]
    {
        exclude(kind, id).apply(&manager);
        assert_eq!(decides(&manager, "pod"), Some(Evidence::Guard(Guard::Excluded)));
        manager.delete(&format!("{path}/{id}?detach=true&force=true")).expect(200);
        assert_ne!(decides(&manager, "pod"), Some(Evidence::Guard(Guard::Excluded)), "{kind}");
        if kind == "LogicalPort" {
            port()
        } else {
            group()
        };
        assert_eq!(decides(&manager, "pod"), Some(Evidence::Guard(Guard::Excluded)), "{kind}");
        manager
            .post(&format!("/firewall/excludelist?action=remove_member&object_id={id}"), json!({}))
            .expect(200);
        assert!(look(&manager, true).is_ok());
    }
}

#[test]
fn another_vif_on_a_port_is_another_vnic_and_knows_no_connection_of_the_first() {
    let manager = Manager::new();
    let segment = switch(&manager, "segment");
    for (name, address) in [("client", "10.0.0.1"), ("server", "10.0.0.2")] {
        Port::new(&segment, name).address(address).make(&manager);
    }
    let send = |from: &str, to: &str, flags: &str, ports: [u16; 2]| {
        let body = json!({
            "from": from, "to": to, "tcp_flags": flags, "src_port": ports[0], "dst_port": ports[1],
        });
        manager.post("/sim/v1/packets", body).expect(200)
    };
    send("client", "server", "SYN", [1500, 80]);
    let reply = send("server", "client", "SYN,ACK", [80, 1500]);
    assert_eq!(reply["verdicts"][0]["by"], "FLOW");
    let mut body = manager.get("/logical-ports/server").expect(200);
    body["attachment"]["id"] = "another-vif".into();
    manager.put("/logical-ports/server", body).expect(200);
    let reply = send("server", "client", "SYN,ACK", [80, 1500]);
    assert_eq!(reply["verdicts"][0]["by"], "RULE", "{reply:#}");
}

#[test]
fn a_container_is_on_its_nodes_host_whichever_port_comes_first() {
    let manager = Manager::new();
    let segment = switch(&manager, "segment");
    let host = |id: &str| {
        let world = manager.api().world();
        world.fabric().host(id).map(|host| host.id.clone())
    };
    Port::new(&segment, "early-pod").child_of("node").make(&manager);
    Port::new(&segment, "other").make(&manager);
    Port::new(&segment, "node").make(&manager);
    Port::new(&segment, "late-pod").child_of("node").make(&manager);
    assert_eq!(host("late-pod"), host("node"));
    assert_eq!(host("early-pod"), host("node"));
}

#[test]
fn a_group_made_anew_under_the_same_id_takes_up_the_rules_that_name_it() {
    let manager = Manager::new();
    let segment = switch(&manager, "segment");
    Port::new(&segment, "pod").address("10.0.0.1").tag("app", "a").make(&manager);
    let group = |tag: &str| tests::group_by_tag(&manager, "group", "app", tag);
    group("a");
    let mut rule = any_rule("from the group", "DROP");
    rule["sources"] = Value::from(vec![reference("NSGroup", "group")]);
    rule["applied_tos"] = rule["sources"].clone();
    let rules = tests::section(&manager, "section", &[rule]).rules;
    let id = rules[0].parse().map(dataplane::RuleId).unwrap();
    assert_eq!(decides(&manager, "pod"), Some(Evidence::Rule(id)));
    manager.delete("/ns-groups/group?force=true").expect(200);
    assert_eq!(decides(&manager, "pod"), Some(Evidence::Rule(dataplane::RuleId(2))));
    group("b");
    assert_eq!(decides(&manager, "pod"), Some(Evidence::Rule(dataplane::RuleId(2))));
    manager.delete("/ns-groups/group?force=true").expect(200);
    group("a");
    assert_eq!(decides(&manager, "pod"), Some(Evidence::Rule(id)));
}

#[test]
fn groups_are_not_chosen_by_criteria_so_that_none_comes_to_hold_itself() {
    let manager = Manager::new();
    let by_name = json!({
        "resource_type": "NSGroupSimpleExpression",
        "target_type": "NSGroup",
        "target_property": "name",
        "op": "STARTSWITH",
        "value": "ring",
    });
    let body = json!({"display_name": "ring-1", "membership_criteria": [by_name]});
    manager.post("/ns-groups", body).refused(400, 255);
}

#[test]
fn tags_are_compared_letter_by_letter_unless_the_world_says_otherwise() {
    let manager = Manager::new();
    let segment = switch(&manager, "segment");
    tests::group_by_tag(&manager, "group", "APP", "web");
    let world = manager.api().world();
    for (matching, fits) in [(TagMatching::Exact, false), (TagMatching::IgnoreCase, true)] {
        let mut fabric = Fabric::new(Topology::default(), matching, Config::default());
        let known = Objects::of(world);
        fabric.apply(&world.inventory, &known.since(&Objects::default()));
        let mut members = |known: &Objects| {
            fabric.apply(&world.inventory, &Objects::of(world).since(known));
            fabric.realization().effective("group").count()
        };
        Port::new(&segment, "pod").tag("app", "Web").make(&manager);
        assert_eq!(members(&known), usize::from(fits), "{matching:?}");
        let known = Objects::of(world);
        manager.delete("/logical-ports/pod?detach=true").expect(200);
        assert_eq!(members(&known), 0);
    }
}
