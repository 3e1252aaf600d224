//! Through the load balancer: what its members' filters see, and who takes the connection.

use super::guide::{Guide, PODS};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const OPEN: [&str; 3] = ["service-b", "service-c", "service-d"];
const POOL: &str = "/loadbalancer/pools/eb2cc30e-6f89-4b11-8728-7091bb9db0bb";

fn from_outside(port: u16) -> Value {
    json!({"from": "203.0.113.9", "to": "10.40.14.50", "src_port": port, "dst_port": 80})
}

/// The addresses of the members that take ten connections.
fn takers(guide: &Guide) -> BTreeSet<String> {
    let packets = (0..10).map(|port| from_outside(40_000 + port));
    packets
        .map(|packet| guide.net.0.post("/sim/v1/packets", packet).expect(200))
        .map(|answer| answer["packet"]["dst_ip"].as_str().unwrap_or_default().to_owned())
        .collect()
}

fn disable(guide: &Guide, members: &[usize]) {
    guide.net.edit(POOL, |pool| {
        for &member in members {
            pool["members"][member]["admin_state"] = "DISABLED".into();
        }
    });
}

#[test]
fn members_see_the_load_balancers_address_and_their_own_port() {
    let guide = Guide::new(&OPEN);
    let answer = guide.net.0.post("/sim/v1/packets", from_outside(40_000)).expect(200);
    assert_eq!(answer["packet"]["src_ip"], "100.64.128.1");
    assert_eq!(answer["packet"]["dst_port"], 8080);
    assert_eq!(answer["translation"]["from_ip"], "100.64.128.1");
    assert_eq!(answer["translation"]["to_port"], 8080);
    let told = guide.send(from_outside(40_001));
    assert_eq!(told, "DELIVERED: service-a IN Default Layer3 Rule");
}

#[test]
fn connections_go_to_the_members_in_turn_and_never_to_a_disabled_one() {
    let guide = Guide::new(&OPEN);
    assert_eq!(takers(&guide), ["172.15.23.2", "172.15.23.3"].map(str::to_owned).into());
    disable(&guide, &[0]);
    assert_eq!(takers(&guide).len(), 1);
    disable(&guide, &[0, 1]);
    let told = guide.send(from_outside(40_000));
    assert_eq!(told, "UNREACHABLE: ");
}

#[test]
fn applied_to_service_a_as_well_deny_all_breaks_the_way_in_for_good() {
    let guide = Guide::new(&["service-a", "service-b", "service-c", "service-d"]);
    let told = guide.send(from_outside(40_000));
    assert_eq!(told, "REJECTED with TCP_RESET: service-a IN DenyAll");
}

#[test]
fn from_outside_pods_are_reached_through_the_load_balancer_alone() {
    let guide = Guide::new(&OPEN);
    for (_, [pod, _]) in PODS {
        let packet = json!({"from": "203.0.113.9", "to": pod, "dst_port": 8080});
        assert_eq!(guide.send(packet), "UNREACHABLE: ", "{pod}");
    }
}

#[test]
fn a_pod_behind_the_load_balancer_is_met_with_its_address_and_not_the_clients() {
    let guide = Guide::new(&OPEN);
    let packet = json!({"from": PODS[1].1[0], "to": "10.40.14.50", "dst_port": 80});
    // The client's own filter still speaks first.
    assert_eq!(guide.send(packet), "REJECTED with TCP_RESET: service-b OUT DenyAll");
    let packet = json!({"from": PODS[0].1[0], "to": "10.40.14.50", "dst_port": 80});
    let told = guide.send(packet);
    let rule = super::DEFAULT;
    assert_eq!(told, format!("DELIVERED: service-a OUT {rule}, service-a IN {rule}"));
}
