//! Many callers at once: one of them wins, nothing is half done, nobody waits for ever.

use serde_json::{Value, json};
use std::sync::{Barrier, mpsc};
use std::thread;
use std::time::Duration;
use tests::{Answer, Manager, Port, any_rule, group_by_tag, reference, section, switch, tag};

/// Callers at once; more than the machine has cores, so that they also meet in mid-call.
const CALLERS: usize = 4;

/// Meetings per test.
const ROUNDS: usize = 60;

/// Far more than a storm takes; a deadlock would hold it for ever.
const PATIENCE: Duration = Duration::from_secs(120);

/// Lets all callers go at the same moment and gives what each of them got.
fn at_once<T: Send>(callers: usize, call: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(callers);
    thread::scope(|scope| {
        let (start, call) = (&start, &call);
        let all: Vec<_> = (0..callers)
            .map(|caller| {
                scope.spawn(move || {
                    start.wait();
                    call(caller)
                })
            })
            .collect();
        all.into_iter().map(|one| one.join().expect("a caller ends")).collect()
    })
}

/// Exactly one answer has the status of success, all others that of a lost race.
#[track_caller]
fn one_wins(answers: &[Answer], won: u16, lost: u16) {
    let count = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(won), count(lost)), (1, answers.len() - 1), "{answers:#?}");
}

#[test]
fn of_updates_with_one_revision_exactly_one_wins() {
    let manager = Manager::new();
    let segment = switch(&manager, "segment");
    Port::new(&segment, "pod").make(&manager);
    group_by_tag(&manager, "group", "app", "a");
    tests::address_set(&manager, "addresses", &["10.0.0.1"]);
    let paths = [
        "/logical-ports/pod",
        "/logical-switches/segment",
        "/ns-groups/group",
        "/ip-sets/addresses",
    ];
    for path in paths {
        for round in 0..ROUNDS {
            let body = manager.get(path).expect(200);
            assert_eq!(body["_revision"], round);
            let answers = at_once(CALLERS, |caller| {
                let mut body = body.clone();
                body["description"] = format!("by caller {caller}").into();
                manager.put(path, body)
            });
            one_wins(&answers, 200, 412);
            let winner = answers.into_iter().find(|answer| answer.status == 200);
            let kept = manager.get(path).expect(200);
            assert_eq!(winner.map(|answer| answer.body), Some(kept));
        }
    }
}

#[test]
fn of_firewall_updates_with_one_revision_exactly_one_wins() {
    let manager = Manager::new();
    let ids = section(&manager, "section", &[any_rule("rule", "ALLOW")]);
    let path = format!("/firewall/sections/{}", ids.section);
    let one = format!("{path}/rules/{}", ids.rules[0]);
    for _ in 0..ROUNDS {
        let (section, rule) = (manager.get(&path).expect(200), manager.get(&one).expect(200));
        let answers = at_once(CALLERS, |caller| match caller % 3 {
            0 => manager.put(&path, section.clone()),
            1 => manager.put(&one, rule.clone()),
            _ => {
                let mut new = any_rule("another", "DROP");
                new["_revision"] = section["_revision"].clone();
                manager.post(&format!("{path}/rules"), new)
            }
        });
        one_wins(&answers, 200, 409);
        let revision = manager.get(&path).expect(200)["_revision"].as_u64();
        assert_eq!(revision, section["_revision"].as_u64().map(|before| before + 1));
    }
}

#[test]
fn of_creations_with_one_id_exactly_one_wins() {
    let manager = Manager::new();
    for round in 0..ROUNDS {
        let id = format!("addresses-{round}");
        let answers = at_once(CALLERS, |caller| {
            manager
                .post("/ip-sets", json!({"id": id, "ip_addresses": [format!("10.0.0.{caller}")]}))
        });
        one_wins(&answers, 201, 400);
    }
    let ids = manager.get("/ip-sets").column("id");
    assert_eq!(ids.len(), ROUNDS);
}

#[test]
fn one_vif_is_never_attached_to_two_ports() {
    let manager = Manager::new();
    let segment = switch(&manager, "segment");
    for round in 0..ROUNDS {
        let answers = at_once(CALLERS, |caller| {
            let mut body = Port::new(&segment, &format!("pod-{round}-{caller}")).body();
            body["attachment"]["id"] = format!("vif-{round}").into();
            manager.post("/logical-ports", body)
        });
        one_wins(&answers, 201, 400);
    }
}

#[test]
fn a_port_never_outlives_its_switch() {
    let manager = Manager::new();
    for round in 0..ROUNDS {
        let segment = switch(&manager, &format!("segment-{round}"));
        let query = ["", "?cascade=true&detach=true"][round % 2];
        let answers = at_once(2, |caller| {
            if caller == 0 {
                manager.post("/logical-ports", Port::new(&segment, &format!("pod-{round}")).body())
            } else {
                manager.delete(&format!("/logical-switches/{segment}{query}"))
            }
        });
        assert!(answers.iter().all(|answer| answer.status < 500), "{answers:#?}");
        let there = |path: String| manager.get(&path).status == 200;
        let (port, switch) = (
            there(format!("/logical-ports/pod-{round}")),
            there(format!("/logical-switches/{segment}")),
        );
        assert!(switch || !port, "a port without its switch: {answers:#?}");
        // With cascade a port that was there first goes too; one that is late is refused.
        assert!(!port || query.is_empty(), "{answers:#?}");
    }
}

/// One writer's part of a storm: each of its changes is in force when the call returns.
fn relabel_and_look(manager: &Manager, own: usize) {
    let (pod, group) = (format!("pod-{own}"), format!("group-{own}"));
    let path = format!("/logical-ports/{pod}");
    for turn in 0..40 {
        let belongs = turn % 2 == 0;
        let mut body = manager.get(&path).expect(200);
        body["tags"] = Value::from(vec![tag("app", if belongs { &group } else { "none" })]);
        manager.put(&path, body).expect(200);
        let members = format!("/ns-groups/{group}/effective-logical-port-members");
        assert_eq!(manager.get(&members).column("target_id").contains(&pod), belongs);
        let packet = json!({"from": pod, "to": "server", "dst_port": 80, "src_port": 1024 + turn});
        let expected = if belongs { "DROPPED" } else { "DELIVERED" };
        for path in ["/sim/v1/explain", "/sim/v1/packets"] {
            let answer = manager.post(path, packet.clone()).expect(200);
            assert_eq!(answer["outcome"], expected, "{path} {answer:#}");
        }
    }
}

/// Another's part: rules come and go all the time, and none of them speaks of the writers' pods.
fn publish(manager: &Manager) {
    for turn in 0..40 {
        let mut rule = any_rule("noise", "REJECT");
        rule["sources"] = Value::from(vec![reference("IPv4Address", "192.0.2.1")]);
        let ids = section(manager, &format!("noise-{turn}"), &[rule]);
        manager.delete(&format!("/firewall/sections/{}?cascade=true", ids.section)).expect(200);
        let member = reference("LogicalPort", "bystander");
        manager.post("/firewall/excludelist?action=add_member", member).expect(200);
        let query = "action=remove_member&object_id=bystander";
        manager.post(&format!("/firewall/excludelist?{query}"), json!({})).expect(200);
    }
}

/// A reader's part: whatever it meets, nothing is broken.
fn read(manager: &Manager) {
    let paths = [
        "/logical-ports",
        "/logical-ports/pod-0/state",
        "/ns-groups?populate_references=true",
        "/ns-groups/group-0/effective-ip-address-members",
        "/firewall/sections",
        "/firewall/sections?deep_search=true&sources=pod-0",
        "/firewall/sections/summary",
        "/firewall/excludelist",
    ];
    for turn in 0..20 {
        for path in paths {
            manager.get(path).expect(200);
        }
        for id in manager.get("/firewall/sections").column("id") {
            let answer = manager.get(&format!("/firewall/sections/{id}/rules/stats"));
            assert!([200, 404].contains(&answer.status), "{answer:?}");
        }
        let packet =
            json!({"from": "server", "to": "pod-0", "dst_port": 80, "src_port": 1024 + turn});
        manager.post("/sim/v1/explain", packet.clone()).expect(200);
        manager.post("/sim/v1/packets", packet).expect(200);
        let trace = json!({
            "lport_id": "server",
            "packet": {
                "resource_type": "FieldsPacketData",
                "transport_type": "UNICAST",
                "routed": true,
                "ip_header": {"src_ip": "10.0.0.100", "dst_ip": "10.0.0.1"},
                "transport_header": {"tcp_header": {"src_port": 1024, "dst_port": 80, "tcp_flags": 2}},
            },
        });
        manager.post("/traceflows", trace).expect(201);
    }
}

#[test]
fn in_a_storm_everyone_reads_what_he_wrote_and_nothing_breaks_or_stands_still() {
    let manager = Manager::new();
    let segment = switch(&manager, "segment");
    Port::new(&segment, "server").address("10.0.0.100").make(&manager);
    Port::new(&segment, "bystander").address("10.0.0.101").make(&manager);
    let rules: Vec<Value> = (0..2)
        .map(|number| {
            let address = format!("10.0.0.{}", number + 1);
            Port::new(&segment, &format!("pod-{number}")).address(&address).make(&manager);
            let group = format!("group-{number}");
            group_by_tag(&manager, &group, "app", &group);
            let mut rule = any_rule(&group, "DROP");
            rule["sources"] = Value::from(vec![reference("NSGroup", &group)]);
            rule
        })
        .collect();
    section(&manager, "writers", &rules);
    let parts: [fn(&Manager); 5] =
        [|own| relabel_and_look(own, 0), |own| relabel_and_look(own, 1), publish, read, read];
    let (done, ended) = mpsc::channel();
    for part in parts {
        let (manager, done) = (manager.clone(), done.clone());
        thread::spawn(move || {
            part(&manager);
            // The receiver is gone only where the test has failed already.
            let _ = done.send(());
        });
    }
    // A part that fails drops its sender without a word; the channel closes when all have ended.
    drop(done);
    for _ in parts {
        assert_eq!(ended.recv_timeout(PATIENCE), Ok(()), "a part failed, or all stand still");
    }
}
