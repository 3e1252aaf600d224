//! What the load balancer makes of connections: who takes them, who gets them, what is seen of them.

use super::{Net, groups, rule};
use serde_json::{Value, json};
use std::time::Duration;
use tests::{load_balancer, reference};

const POOL: &str = "/loadbalancer/pools/pool";
const SERVER: &str = "/loadbalancer/virtual-servers/front";
const FAST_TCP: &str = "57b7e8f5-7b2d-4b3e-9b3f-3b3f6c1e7a01";

/// Pods `a`, `b` and `c` behind one virtual server, each on its port 8080.
struct Balanced(Net);

impl Balanced {
    fn new(pool: Value) -> Self {
        Self::with(pool, json!({}))
    }

    fn with(pool: Value, server: Value) -> Self {
        let net = Net::new();
        let members: Vec<Value> = (1..=3)
            .map(|number| json!({"ip_address": format!("10.0.0.{number}"), "port": "8080"}))
            .collect();
        let mut body = json!({
            "id": "pool", "members": members, "snat_translation": {"type": "LbSnatAutoMap"},
        });
        super::join(&mut body, pool);
        net.0.post("/loadbalancer/pools", body).expect(201);
        let mut body = json!({
            "id": "front",
            "display_name": "front",
            "ip_address": "192.0.2.1",
            "ports": ["80"],
            "application_profile_id": FAST_TCP,
            "pool_id": "pool",
        });
        super::join(&mut body, server);
        net.0.post("/loadbalancer/virtual-servers", body).expect(201);
        load_balancer(&net.0, &["front"]);
        Self(net)
    }

    fn post(&self, path: &str, body: Value) {
        self.0.0.post(&format!("/loadbalancer/{path}"), body).expect(201);
    }

    /// What becomes of a packet of a client.
    #[track_caller]
    fn packet(&self, from: &str, port: u16, flags: &str) -> Value {
        let packet = json!({
            "from": from, "to": "192.0.2.1", "src_port": port, "dst_port": 80, "tcp_flags": flags,
        });
        self.0.0.post("/sim/v1/packets", packet).expect(200)
    }

    /// The last octet of the member that gets a connection; 0 where none does.
    #[track_caller]
    fn member(&self, from: &str, port: u16) -> u8 {
        let sent = self.packet(from, port, "SYN");
        let to = sent["translation"]["to_ip"].as_str().and_then(|to| to.rsplit('.').next());
        to.and_then(|octet| octet.parse().ok()).unwrap_or_default()
    }

    /// The members that get so many connections of one client, in order.
    #[track_caller]
    fn members(&self, count: u16) -> Vec<u8> {
        (0..count).map(|number| self.member("203.0.113.9", 40_000 + number)).collect()
    }
}

#[test]
fn a_virtual_server_works_while_a_service_carries_it() {
    let balanced = Balanced::new(json!({}));
    assert_eq!(balanced.member("203.0.113.9", 1), 1);
    let service = "/loadbalancer/services/balancer";
    balanced.0.edit(service, |own| own["enabled"] = json!(false));
    assert_eq!(balanced.packet("203.0.113.9", 1, "SYN")["outcome"], "UNREACHABLE");
    balanced.0.edit(service, |own| {
        own["enabled"] = json!(true);
        own["size"] = json!("SMALL");
    });
    assert_eq!(
        balanced.packet("203.0.113.9", 1, "SYN")["outcome"],
        "UNREACHABLE",
        "attached to nothing"
    );
    balanced.0.edit(service, |own| own["size"] = json!("DLB"));
    assert_ne!(balanced.member("203.0.113.9", 2), 0);
    balanced.0.0.delete(service).expect(200);
    assert_eq!(balanced.packet("203.0.113.9", 2, "SYN")["outcome"], "UNREACHABLE");
}

#[test]
fn a_connection_stays_where_it_went_and_the_next_one_goes_elsewhere() {
    let balanced = Balanced::new(json!({}));
    assert_eq!(balanced.members(4), [1, 2, 3, 1]);
    for _ in 0..3 {
        assert_eq!(
            balanced.packet("203.0.113.9", 40_001, "ACK")["translation"]["to_ip"],
            "10.0.0.2"
        );
    }
    // The idle timeout of the default profile.
    balanced.0.0.advance(Duration::from_secs(1800));
    assert_eq!(balanced.members(2), [2, 3], "forgotten: the turn goes on");
}

#[test]
fn a_member_that_is_switched_off_loses_its_connections_unless_gracefully() {
    let balanced = Balanced::new(json!({}));
    assert_eq!(balanced.members(2), [1, 2]);
    let state = |member: usize, state: &str| {
        balanced.0.edit(POOL, |pool| pool["members"][member]["admin_state"] = json!(state));
    };
    state(0, "DISABLED");
    state(1, "GRACEFUL_DISABLED");
    assert_eq!(balanced.members(3), [3, 2, 3]);
}

#[test]
fn answers_come_back_as_from_the_virtual_server() {
    let balanced = Balanced::new(json!({}));
    let sent = balanced.packet("c", 40_000, "SYN");
    assert_eq!(
        (&sent["packet"]["src_ip"], &sent["packet"]["dst_ip"]),
        (&json!("100.64.128.1"), &json!("10.0.0.1"))
    );
    let answer = json!({
        "from": "a", "to": "100.64.128.1", "src_port": 8080, "dst_port": 40_000,
        "tcp_flags": "SYN,ACK",
    });
    let back = balanced.0.0.post("/sim/v1/packets", answer.clone()).expect(200);
    let packet = json!({
        "src_ip": "192.0.2.1", "dst_ip": "10.0.0.3", "protocol": "TCP",
        "src_port": 80, "dst_port": 40_000,
    });
    assert_eq!((&back["outcome"], &back["packet"]), (&json!("DELIVERED"), &packet));
    let told = super::tell(&back);
    assert!(told.starts_with("DELIVERED: a OUT flow of "), "{told}");
    assert!(told.contains("c IN flow of "), "{told}");
    // What nobody asked for goes nowhere near a client.
    let mut stray = answer;
    stray["dst_port"] = json!(40_001);
    let stray = balanced.0.0.post("/sim/v1/packets", stray).expect(200);
    assert_eq!(stray["packet"]["dst_ip"], "100.64.128.1");
}

#[test]
fn two_clients_with_one_port_are_told_apart() {
    let balanced = Balanced::new(json!({"members": [{"ip_address": "10.0.0.1", "port": "8080"}]}));
    let port = |from: &str| balanced.packet(from, 40_000, "SYN")["packet"]["src_port"].clone();
    assert_eq!((port("203.0.113.1"), port("203.0.113.2")), (json!(40_000), json!(40_001)));
    assert_eq!(port("203.0.113.2"), json!(40_001));
}

#[test]
fn members_see_the_source_that_the_pool_gives() {
    for (snat, source) in [
        (json!({"type": "LbSnatAutoMap"}), "100.64.128.1"),
        (
            json!({"type": "LbSnatIpPool", "ip_addresses": [{"ip_address": "192.0.2.200-192.0.2.210"}]}),
            "192.0.2.200",
        ),
        (json!(null), "203.0.113.9"),
    ] {
        let balanced = Balanced::new(json!({"snat_translation": snat}));
        let sent = balanced.packet("203.0.113.9", 40_000, "SYN");
        assert_eq!(
            (&sent["packet"]["src_ip"], &sent["outcome"]),
            (&json!(source), &json!("DELIVERED"))
        );
    }
}

#[test]
fn algorithms_choose_as_their_names_say() {
    let weights = |algorithm: &str| {
        let members: Vec<Value> = [(1, 1), (2, 2), (3, 1)]
            .map(|(number, weight)| {
                json!({"ip_address": format!("10.0.0.{number}"), "port": "8080", "weight": weight})
            })
            .into();
        Balanced::new(json!({"algorithm": algorithm, "members": members}))
    };
    assert_eq!(weights("WEIGHTED_ROUND_ROBIN").members(5), [1, 2, 2, 3, 1]);
    let by_hash = weights("IP_HASH");
    let first = by_hash.members(3);
    assert_eq!(first, [first[0]; 3]);
    assert!((1..20).any(|client| by_hash.member(&format!("203.0.113.{client}"), 1) != first[0]));
    let least = weights("LEAST_CONNECTION");
    assert_eq!(least.members(3), [1, 2, 3]);
    least.packet("203.0.113.9", 40_001, "RST");
    least.0.0.advance(Duration::from_secs(8));
    assert_eq!(least.members(3), [1, 2, 3], "the second was free again");
    let mut weighted = weights("WEIGHTED_LEAST_CONNECTION").members(4);
    weighted.sort_unstable();
    assert_eq!(weighted, [1, 2, 2, 3]);
}

#[test]
fn a_client_comes_back_to_its_member_where_its_address_is_remembered() {
    let balanced = Balanced::new(json!({}));
    let profile =
        json!({"id": "sticky", "resource_type": "LbSourceIpPersistenceProfile", "timeout": 60});
    balanced.post("persistence-profiles", profile);
    balanced.0.edit(SERVER, |own| own["persistence_profile_id"] = json!("sticky"));
    assert_eq!(balanced.members(3), [1, 1, 1]);
    assert_eq!(balanced.member("203.0.113.10", 1), 2, "another client");
    balanced.0.edit(POOL, |pool| pool["members"][0]["admin_state"] = json!("GRACEFUL_DISABLED"));
    assert_eq!(balanced.member("203.0.113.9", 50_000), 1, "a known client");
    balanced.0.0.advance(Duration::from_secs(60));
    assert_ne!(balanced.member("203.0.113.9", 50_001), 1);
}

#[test]
fn members_of_a_group_are_members_of_the_pool_at_once() {
    let group = json!({"grouping_object": reference("NSGroup", "a"), "port": 8080});
    let balanced = Balanced::new(json!({"members": [], "member_group": group}));
    assert_eq!(balanced.members(2), [1, 1]);
    balanced
        .0
        .edit("/logical-ports/b", |port| port["tags"] = json!([{"scope": "app", "tag": "a"}]));
    let mut both: Vec<u8> = (1..=2).map(|port| balanced.member("203.0.113.9", port)).collect();
    both.sort_unstable();
    assert_eq!(both, [1, 2]);
    let off = json!({"members": [{"ip_address": "10.0.0.1", "admin_state": "DISABLED"}]});
    balanced.0.0.post(&format!("{POOL}?action=UPDATE_MEMBERS"), off).expect(200);
    assert_eq!(
        (3..=4).map(|port| balanced.member("203.0.113.9", port)).collect::<Vec<_>>(),
        [2, 2]
    );
    balanced.0.edit(POOL, |pool| pool["member_group"]["ip_revision_filter"] = json!("IPV6"));
    let sent = balanced.packet("203.0.113.9", 5, "SYN");
    assert_eq!(sent["translation"]["to_ip"], "fd00::1");
    balanced.0.edit(POOL, |pool| pool["member_group"]["max_ip_list_size"] = json!(0));
    assert_eq!(balanced.packet("203.0.113.9", 6, "SYN")["outcome"], "UNREACHABLE");
}

#[test]
fn a_monitor_keeps_connections_from_members_that_its_checks_do_not_reach() {
    let balanced = Balanced::new(json!({}));
    balanced.0.section(
        json!({"display_name": "no checks", "applied_tos": groups(&["b"])}),
        &[rule("deny", "DROP", json!({}))],
    );
    assert_eq!(balanced.members(3), [1, 2, 3], "nothing checks");
    balanced.post("monitors", json!({"id": "monitor", "resource_type": "LbTcpMonitor"}));
    balanced.0.edit(POOL, |pool| pool["active_monitor_ids"] = json!(["monitor"]));
    let mut met: Vec<u8> = (1..=4).map(|port| balanced.member("203.0.113.9", port)).collect();
    met.sort_unstable();
    assert_eq!(met, [1, 1, 3, 3]);
    balanced.0.edit("/logical-ports/c", |port| port["admin_state"] = json!("DOWN"));
    assert_eq!(
        (5..=6).map(|port| balanced.member("203.0.113.9", port)).collect::<Vec<_>>(),
        [1, 1]
    );
}

#[test]
fn backups_and_the_sorry_pool_stand_in() {
    let balanced = Balanced::new(json!({"min_active_members": 2}));
    let sorry = json!({"id": "sorry", "members": [{"ip_address": "10.0.0.3", "port": "9090"}]});
    balanced.post("pools", sorry);
    balanced.0.edit(SERVER, |own| own["sorry_pool_id"] = json!("sorry"));
    balanced.0.edit(POOL, |pool| pool["members"][2]["backup_member"] = json!(true));
    assert_eq!(balanced.members(4), [1, 2, 1, 2]);
    balanced.0.edit(POOL, |pool| pool["members"][0]["admin_state"] = json!("DISABLED"));
    assert_eq!(balanced.member("203.0.113.9", 1), 3, "one is too few");
    balanced.0.edit(POOL, |pool| pool["members"] = json!([]));
    let sent = balanced.packet("203.0.113.9", 2, "SYN");
    assert_eq!(sent["translation"]["to_port"], 9090);
}

#[test]
fn full_members_and_servers_take_no_more() {
    let balanced = Balanced::new(json!({}));
    balanced.0.edit(POOL, |pool| {
        pool["members"] = json!([
            {"ip_address": "10.0.0.1", "port": "8080", "max_concurrent_connections": 1},
            {"ip_address": "10.0.0.2", "port": "8080"},
        ]);
    });
    assert_eq!(balanced.members(3), [1, 2, 2]);
    balanced.0.edit(SERVER, |own| own["max_concurrent_connections"] = json!(3));
    assert_eq!(balanced.members(4), [1, 2, 2, 0], "those that are there go on");
}

#[test]
fn of_layer_7_rules_are_obeyed_that_need_no_request() {
    let balanced = Balanced::new(json!({}));
    balanced.post("application-profiles", json!({"id": "http", "resource_type": "LbHttpProfile"}));
    balanced.post(
        "pools",
        json!({"id": "other", "members": [{"ip_address": "10.0.0.3", "port": "9090"}]}),
    );
    let select = json!({"type": "LbSelectPoolAction", "pool_id": "other"});
    let rule = |id: &str, condition: Value, action: &Value| {
        let body = json!({
            "id": id, "phase": "HTTP_FORWARDING", "match_strategy": "ALL",
            "match_conditions": [condition], "actions": [action],
        });
        balanced.post("rules", body);
    };
    rule("by-path", json!({"type": "LbHttpRequestUriCondition", "uri": "/"}), &select);
    rule(
        "by-source",
        json!({"type": "LbIpHeaderCondition", "source_address": "203.0.113.0/28"}),
        &select,
    );
    let redirect = json!({
        "type": "LbHttpRedirectAction", "redirect_status": "302", "redirect_url": "https://x",
    });
    rule("by-port", json!({"type": "LbTcpHeaderCondition", "source_port": "7-9"}), &redirect);
    balanced.0.edit(SERVER, |own| {
        own["application_profile_id"] = json!("http");
        own["rule_ids"] = json!(["by-path", "by-source", "by-port"]);
    });
    let port = |from: &str, port: u16| {
        balanced.packet(from, port, "SYN")["translation"]["to_port"].clone()
    };
    assert_eq!(port("203.0.113.9", 1), 9090);
    assert_eq!(port("203.0.113.99", 1), 8080, "no rule but that on the path, which nobody knows");
    let sent = balanced.packet("203.0.113.99", 8, "SYN");
    assert_eq!(sent["outcome"], "UNREACHABLE");
    assert!(sent["reason"].as_str().unwrap().contains("answers every request itself"), "{sent}");
}
