//! Load balancers on routers of the API: who can reach them, and whom they can reach.

use super::nat::{ends, pass, rule, snat};
use super::routers::{DELIVERED, advertise, connected, edit, lost, outcome, send, uplink};
use serde_json::{Value, json};
use tests::{Manager, Port, reference, switch};

const VIP: &str = "203.0.113.80";

/// A load balancer on the tier-1 `two`, with `app` as the only member.
fn world() -> Manager {
    let manager = connected();
    uplink(&manager);
    let body = json!({
        "id": "pool",
        "members": [{"ip_address": "10.2.0.9", "port": "8080"}],
        "snat_translation": {"type": "LbSnatAutoMap"},
    });
    manager.post("/loadbalancer/pools", body).expect(201);
    let body = json!({
        "id": "front",
        "ip_address": VIP,
        "ports": ["80"],
        "application_profile_id": "57b7e8f5-7b2d-4b3e-9b3f-3b3f6c1e7a01",
        "pool_id": "pool",
    });
    manager.post("/loadbalancer/virtual-servers", body).expect(201);
    let body = json!({
        "id": "balancer",
        "attachment": reference("LogicalRouter", "two"),
        "virtual_server_ids": ["front"],
    });
    manager.post("/loadbalancer/services", body).expect(201);
    manager
}

fn routes(manager: &Manager, source: &str) -> Vec<String> {
    let path = "/logical-routers/upper/routing/route-table?transport_node_id=\
                45a71150-f39e-4118-9890-e08d1bcd9ae1";
    let rows = manager.get(path).results();
    let own = rows.iter().filter(|row| row["route_type"] == source);
    own.map(|row| row["network"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_virtual_server_on_a_tier_1_is_reached_by_whom_it_is_advertised_to() {
    let manager = world();
    let why = lost(&manager, "198.51.100.9", VIP);
    assert_eq!(why, format!("198.51.100.9 is outside, and so is {VIP}"));
    assert_eq!(
        lost(&manager, "web", VIP),
        format!("the routes for {VIP} do not lead to its load balancer")
    );
    assert_eq!(outcome(&manager, "db", VIP), DELIVERED, "on the same router");
    advertise(&manager, "two", "advertise_lb_vip");
    assert_eq!(routes(&manager, "TIER1_LB_VIP"), [format!("{VIP}/32")]);
    for from in ["198.51.100.9", "web", "db"] {
        let sent = send(&manager, from, VIP);
        let packet = &sent["packet"];
        assert_eq!(sent["outcome"], DELIVERED, "{from}: {sent:#}");
        assert_eq!((&packet["dst_ip"], &packet["dst_port"]), (&json!("10.2.0.9"), &json!(8080)));
    }
    let why = pass(&manager, "web:9", &format!("{VIP}:443"), "SYN");
    assert_eq!(why["reason"], format!("no service of two takes what comes for {VIP}"));
    edit(&manager, "/loadbalancer/virtual-servers/front", |own| own["enabled"] = false.into());
    assert!(routes(&manager, "TIER1_LB_VIP").is_empty());
    lost(&manager, "198.51.100.9", VIP);
}

#[test]
fn the_load_balancer_needs_a_way_to_its_members() {
    let manager = world();
    edit(&manager, "/loadbalancer/pools/pool", |own| {
        own["members"] = json!([{"ip_address": "10.1.0.9", "port": "8080"}]);
    });
    assert_eq!(outcome(&manager, "db", VIP), DELIVERED);
    edit(&manager, "/logical-routers/one/routing/advertisement", |own| {
        own["enabled"] = false.into();
    });
    assert_eq!(
        lost(&manager, "db", VIP),
        "upper: the next hop 192.0.2.254 is no router of this manager"
    );
}

#[test]
fn segments_without_routers_do_not_reach_a_load_balancer_on_one() {
    let manager = world();
    switch(&manager, "plain");
    Port::new("plain", "plain").address("10.8.0.9").make(&manager);
    let why = lost(&manager, "plain", VIP);
    assert_eq!(why, format!("the routes for {VIP} do not lead to its load balancer"));
}

#[test]
fn answers_of_members_come_back_through_a_clients_own_translation() {
    let manager = world();
    rule(&manager, "one", snat("10.1.0.0/24", "203.0.113.16"));
    advertise(&manager, "one", "advertise_nat_routes");
    advertise(&manager, "two", "advertise_lb_vip");
    let sent = pass(&manager, "web:40000", &format!("{VIP}:80"), "SYN");
    assert_eq!(ends(&sent), "DELIVERED 100.64.128.1:40000 -> 10.2.0.9:8080");
    assert_eq!(sent["nat"][0]["src_ip"], "203.0.113.16");
    let back = pass(&manager, "app:8080", "100.64.128.1:40000", "SYN,ACK");
    assert_eq!(ends(&back), format!("DELIVERED {VIP}:80 -> 10.1.0.9:40000"));
}

#[test]
fn sources_that_members_see_are_routes_of_their_own() {
    let manager = world();
    edit(&manager, "/loadbalancer/pools/pool", |own| {
        own["snat_translation"] = json!({
            "type": "LbSnatIpPool", "ip_addresses": [{"ip_address": "203.0.113.90-203.0.113.91"}],
        });
    });
    advertise(&manager, "two", "advertise_lb_vip");
    assert!(routes(&manager, "TIER1_LB_SNAT").is_empty());
    advertise(&manager, "two", "advertise_lb_snat_ip");
    assert_eq!(routes(&manager, "TIER1_LB_SNAT"), ["203.0.113.90/31"]);
    let rules: Value = json!({"rules": [{
        "action": "DENY", "networks": ["203.0.113.0/24"],
        "rule_filter": {"prefix_operator": "GE", "match_route_types": ["T1_LB_VIP"]},
    }]});
    edit(&manager, "/logical-routers/two/routing/advertisement/rules", |own| {
        own["rules"] = rules["rules"].clone();
    });
    assert!(routes(&manager, "TIER1_LB_VIP").is_empty());
    assert_eq!(routes(&manager, "TIER1_LB_SNAT").len(), 1);
}
