//! Between segments, by the logical routers of the API.

use super::tell;
use crate::api::routers::{free_port, link, segment, tier0, tier1};
use serde_json::{Value, json};
use tests::{Manager, Port, VLAN, switch};

pub(super) const NODE: &str = "45a71150-f39e-4118-9890-e08d1bcd9ae1";

/// Two tier-1 routers below a tier-0: `web` (10.1.0.0/24) below the one, `app` (10.2.0.0/24) and
/// `db` (10.3.0.0/24) below the other, with a guest of the segment's name on each.
pub(super) fn world() -> Manager {
    let manager = Manager::new();
    tier0(&manager, "upper", "ACTIVE_STANDBY");
    for (router, id, net) in [("one", "web", 1), ("two", "app", 2), ("two", "db", 3)] {
        if id != "db" {
            tier1(&manager, router);
        }
        segment(&manager, router, id, &format!("10.{net}.0.1/24"));
        Port::new(id, id).address(&format!("10.{net}.0.9")).make(&manager);
    }
    manager
}

pub(super) fn connected() -> Manager {
    let manager = world();
    for router in ["one", "two"] {
        link(&manager, router, "upper");
        advertise(&manager, router, "advertise_nsx_connected_routes");
    }
    manager
}

pub(super) fn advertise(manager: &Manager, router: &str, what: &str) {
    edit(manager, &format!("/logical-routers/{router}/routing/advertisement"), |own| {
        own["enabled"] = true.into();
        own[what] = true.into();
    });
}

pub(super) fn edit(manager: &Manager, path: &str, change: impl FnOnce(&mut Value)) {
    let mut own = manager.get(path).expect(200);
    change(&mut own);
    manager.put(path, own).expect(200);
}

/// Gives the tier-0 an uplink at 192.0.2.1 and a default route over 192.0.2.254.
pub(super) fn uplink(manager: &Manager) {
    let body = json!({"id": "outer", "transport_zone_id": VLAN, "vlan": 7, "admin_state": "UP"});
    manager.post("/logical-switches", body).expect(201);
    free_port(manager, "outer", "outer-port");
    let body = json!({
        "id": "uplink",
        "resource_type": "LogicalRouterUpLinkPort",
        "logical_router_id": "upper",
        "edge_cluster_member_index": [0],
        "linked_logical_switch_port_id": {"target_type": "LogicalPort", "target_id": "outer-port"},
        "subnets": [{"ip_addresses": ["192.0.2.1"], "prefix_length": 24}],
    });
    manager.post("/logical-router-ports", body).expect(201);
    let body = json!({"network": "0.0.0.0/0", "next_hops": [{"ip_address": "192.0.2.254"}]});
    manager.post("/logical-routers/upper/routing/static-routes", body).expect(200);
}

pub(super) fn send(manager: &Manager, from: &str, to: &str) -> Value {
    let packet = json!({"from": from, "to": to, "dst_port": 80});
    manager.post("/sim/v1/packets", packet).expect(200)
}

pub(super) fn outcome(manager: &Manager, from: &str, to: &str) -> String {
    let answer = send(manager, from, to);
    answer["outcome"].as_str().unwrap_or_default().to_owned()
}

/// Why a packet does not arrive.
pub(super) fn lost(manager: &Manager, from: &str, to: &str) -> String {
    let answer = send(manager, from, to);
    assert_eq!(answer["outcome"], "UNREACHABLE", "{answer:#}");
    answer["reason"].as_str().unwrap_or_default().to_owned()
}

pub(super) const DELIVERED: &str = "DELIVERED";

#[test]
fn a_router_joins_its_own_segments_and_no_others() {
    let manager = world();
    assert_eq!(outcome(&manager, "app", "db"), DELIVERED);
    let why = lost(&manager, "web", "app");
    assert_eq!(why, "one has no route to 10.2.0.9");
    // The source's filter let it pass all the same.
    let told = tell(&send(&manager, "web", "app"));
    assert_eq!(told, "UNREACHABLE: web OUT flow of Default Layer3 Rule");
}

#[test]
fn tier_0_joins_what_its_tier_1_routers_advertise() {
    let manager = world();
    link(&manager, "one", "upper");
    link(&manager, "two", "upper");
    assert_eq!(lost(&manager, "web", "app"), "upper has no route to 10.2.0.9");
    advertise(&manager, "two", "advertise_nsx_connected_routes");
    assert_eq!(outcome(&manager, "web", "app"), DELIVERED);
    // The way back is another one.
    assert_eq!(lost(&manager, "app", "web"), "upper has no route to 10.1.0.9");
    advertise(&manager, "one", "advertise_nsx_connected_routes");
    assert_eq!(outcome(&manager, "app", "web"), DELIVERED);
    manager.delete("/logical-router-ports/two-upper").expect(200);
    assert_eq!(lost(&manager, "web", "app"), "upper has no route to 10.2.0.9");
}

#[test]
fn segments_without_router_ports_stay_with_the_topologys_router() {
    let manager = world();
    for (id, net) in [("plain", 8), ("simple", 9)] {
        switch(&manager, id);
        Port::new(id, id).address(&format!("10.{net}.0.9")).make(&manager);
    }
    assert_eq!(outcome(&manager, "plain", "simple"), DELIVERED);
    assert_eq!(outcome(&manager, "plain", "198.51.100.9"), DELIVERED);
    lost(&manager, "plain", "web");
    lost(&manager, "web", "plain");
    manager.delete("/logical-router-ports/web-downlink").expect(200);
    assert_eq!(outcome(&manager, "plain", "web"), DELIVERED, "it is one of them now");
}

#[test]
fn a_guest_needs_a_gateway_in_its_own_network() {
    let manager = world();
    Port::new("web", "stranger").address("10.7.0.9").make(&manager);
    let why = lost(&manager, "stranger", "app");
    assert_eq!(why, "no router on its segment is in a network of 10.7.0.9");
    assert_eq!(outcome(&manager, "stranger", "web"), DELIVERED, "within the segment");
    // Nor does a router look for it outside its networks.
    lost(&manager, "app", "stranger");
}

#[test]
fn the_outside_is_behind_an_uplink() {
    let manager = connected();
    assert_eq!(lost(&manager, "web", "198.51.100.9"), "upper has no route to 198.51.100.9");
    lost(&manager, "198.51.100.9", "web");
    uplink(&manager);
    assert_eq!(outcome(&manager, "web", "198.51.100.9"), DELIVERED);
    let told = tell(&send(&manager, "198.51.100.9", "web"));
    assert_eq!(told, "DELIVERED: web IN Default Layer3 Rule");
    edit(&manager, "/logical-routers/one/routing/advertisement", |own| {
        own["enabled"] = false.into();
    });
    lost(&manager, "198.51.100.9", "web");
    assert_eq!(outcome(&manager, "web", "198.51.100.9"), DELIVERED, "that way is known still");
}

#[test]
fn static_routes_discard_and_lead_from_router_to_router() {
    let manager = connected();
    let body = json!({"id": "hole", "network": "10.2.0.0/25", "next_hops": [{}]});
    let path = "/logical-routers/one/routing/static-routes";
    manager.post(path, body).expect(200);
    assert_eq!(lost(&manager, "web", "app"), "one: packets to 10.2.0.0/25 are discarded");
    manager.delete(&format!("{path}/hole")).expect(200);
    assert_eq!(outcome(&manager, "web", "app"), DELIVERED);

    // Two routers on one segment, without tier-0 in between.
    manager.delete("/logical-router-ports/one-upper").expect(200);
    free_port(&manager, "db", "db-second");
    let body = json!({
        "id": "second",
        "resource_type": "LogicalRouterDownLinkPort",
        "logical_router_id": "one",
        "subnets": [{"ip_addresses": ["10.3.0.2"], "prefix_length": 24}],
        "linked_logical_switch_port_id": {"target_type": "LogicalPort", "target_id": "db-second"},
    });
    manager.post("/logical-router-ports", body).expect(201);
    lost(&manager, "web", "app");
    let body = json!({"network": "10.2.0.0/24", "next_hops": [{"ip_address": "10.3.0.1"}]});
    manager.post(path, body).expect(200);
    assert_eq!(outcome(&manager, "web", "app"), DELIVERED);
}

#[test]
fn routes_in_a_circle_end() {
    let manager = connected();
    let body = json!({"network": "10.9.0.0/16", "next_hops": [{"ip_address": "100.64.0.1"}]});
    manager.post("/logical-routers/upper/routing/static-routes", body).expect(200);
    let why = lost(&manager, "web", "10.9.0.9");
    assert_eq!(why, "the routes to 10.9.0.9 go in a circle");
}

#[test]
fn ipv6_is_routed_once_it_is_switched_on() {
    let manager = Manager::new();
    tier1(&manager, "lower");
    for (id, net) in [("web", "fd01"), ("app", "fd02")] {
        segment(&manager, "lower", id, &format!("{net}::1/64"));
        Port::new(id, id).address(&format!("{net}::9")).make(&manager);
    }
    assert_eq!(lost(&manager, "web", "app"), "routers forward IPv4 only");
    edit(&manager, "/global-configs/RoutingGlobalConfig", |own| {
        own["l3_forwarding_mode"] = "IPV4_AND_IPV6".into();
    });
    assert_eq!(outcome(&manager, "web", "app"), DELIVERED);
}

#[test]
fn a_traceflow_shows_each_router() {
    let manager = connected();
    let body = |dst: &str, ttl: u8| {
        json!({
            "lport_id": "web",
            "packet": {
                "resource_type": "FieldsPacketData",
                "routed": true,
                "transport_type": "UNICAST",
                "ip_header": {"dst_ip": dst, "protocol": 1, "ttl": ttl},
                "transport_header": {"icmp_echo_request_header": {}},
            },
        })
    };
    let trace = |dst: &str, ttl: u8| -> Vec<String> {
        let made = manager.post("/traceflows", body(dst, ttl)).expect(201);
        manager.advance(std::time::Duration::from_secs(1));
        let path = format!("/traceflows/{}/observations", made["id"].as_str().unwrap());
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let rows = manager.get(&path).results();
        let routers = rows.iter().filter(|own| own["component_type"] == "LR");
        let kind = |own: &Value| text(&own["resource_type"]).replace("TraceflowObservation", "");
        routers
            .map(|own| {
                let (name, tier) = (&own["component_name"], &own["component_sub_type"]);
                format!("{} {} {} {}", kind(own), text(name), text(tier), text(&own["reason"]))
            })
            .map(|line| line.trim_end().to_owned())
            .collect()
    };
    let (one, upper, two) = ("one LR_TIER1", "upper LR_TIER0", "two LR_TIER1");
    let passed =
        |router: &str| [format!("ReceivedLogical {router}"), format!("ForwardedLogical {router}")];
    assert_eq!(trace("10.2.0.9", 64), [passed(one), passed(upper), passed(two)].concat());
    let ends = vec![format!("ReceivedLogical {upper}"), format!("DroppedLogical {upper} TTL_ZERO")];
    assert_eq!(trace("10.2.0.9", 2), [passed(one).to_vec(), ends].concat());
    let ends = vec![format!("ReceivedLogical {upper}"), format!("DroppedLogical {upper} NO_ROUTE")];
    assert_eq!(trace("198.51.100.9", 64), [passed(one).to_vec(), ends].concat());
}

#[test]
fn router_ports_count_what_passes_them() {
    let manager = connected();
    for _ in 0..3 {
        send(&manager, "web", "app");
    }
    lost(&manager, "app", "198.51.100.9");
    let summary = |port: &str| {
        manager.get(&format!("/logical-router-ports/{port}/statistics/summary")).expect(200)
    };
    let packets = |port: &str| {
        let own = summary(port);
        (own["rx"]["total_packets"].clone(), own["tx"]["total_packets"].clone())
    };
    assert_eq!(packets("web-downlink"), (json!(3), json!(0)));
    assert_eq!(packets("one-upper"), (json!(0), json!(3)));
    assert_eq!(packets("upper-two"), (json!(1), json!(3)));
    assert_eq!(packets("app-downlink"), (json!(1), json!(3)));
    assert_eq!(summary("upper-two")["rx"]["dropped_packets"], 1);
    assert!(summary("app-downlink")["tx"]["total_bytes"].as_u64().unwrap() >= 120);
    let path = "/logical-router-ports/web-downlink/statistics";
    manager.get(path).refused(400, 255);
    let all = manager.get("/transport-nodes").results();
    let counted = all.iter().map(|node| {
        let id = node["id"].as_str().unwrap();
        let own = manager.get(&format!("{path}?transport_node_id={id}")).expect(200);
        own["per_node_statistics"][0]["rx"]["total_packets"].as_u64().unwrap()
    });
    assert_eq!(counted.sum::<u64>(), 3, "on the host of the guest");
    manager.get(&format!("{path}?transport_node_id={NODE}")).expect(200);
}
