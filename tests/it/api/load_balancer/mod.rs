//! The load balancer's objects [facts §4.16].

mod members;
mod profiles;
mod rules;
mod runtime;

pub use super::samples::with;
use serde_json::{Value, json};
use tests::{Answer, Manager, Port, load_balancer, switch};

pub const FAST_TCP: &str = "57b7e8f5-7b2d-4b3e-9b3f-3b3f6c1e7a01";

pub fn pool(manager: &Manager, more: Value) -> Answer {
    manager.post("/loadbalancer/pools", with(json!({"id": "pool"}), more))
}

pub fn server(manager: &Manager, more: Value) -> Answer {
    let body = json!({"id": "vip", "ip_address": "192.0.2.1", "application_profile_id": FAST_TCP});
    manager.post("/loadbalancer/virtual-servers", with(body, more))
}

#[test]
fn pools_and_servers_show_the_defaults_of_the_schema() {
    let manager = Manager::new();
    let members = json!([{"ip_address": "10.0.0.1", "port": "8080"}]);
    let made = pool(&manager, json!({"members": members})).expect(201);
    for (name, value) in [
        ("algorithm", json!("ROUND_ROBIN")),
        ("min_active_members", json!(1)),
        ("tcp_multiplexing_enabled", json!(false)),
        ("tcp_multiplexing_number", json!(6)),
    ] {
        assert_eq!(made[name], value, "{name}");
    }
    let member = json!({
        "ip_address": "10.0.0.1",
        "port": "8080",
        "weight": 1,
        "admin_state": "ENABLED",
        "backup_member": false,
    });
    assert_eq!(made["members"], json!([member]));
    let made = server(&manager, json!({"pool_id": "pool"})).expect(201);
    for (name, value) in [
        ("ip_protocol", json!("TCP")),
        ("enabled", json!(true)),
        ("access_log_enabled", json!(false)),
        ("ports", json!([])),
    ] {
        assert_eq!(made[name], value, "{name}");
    }
}

#[test]
fn the_older_port_member_becomes_one_of_ports() {
    let manager = Manager::new();
    let made = server(&manager, json!({"port": "80"})).expect(201);
    assert_eq!((&made["ports"], &made["port"]), (&json!(["80"]), &json!("80")));
    let changed = with(made, json!({"ports": ["443", "8443"]}));
    let changed = manager.put("/loadbalancer/virtual-servers/vip", changed).expect(200);
    assert_eq!(changed["port"], "443", "the newer form counts [spec LbVirtualServer.port]");
}

#[test]
fn both_forms_of_the_default_member_port_are_shown_and_the_newer_one_counts() {
    let manager = Manager::new();
    let made = server(&manager, json!({"default_pool_member_port": "8080"})).expect(201);
    assert_eq!(made["default_pool_member_ports"], json!(["8080"]));
    assert_eq!(made["default_pool_member_port"], "8080");
    let changed = with(made, json!({"default_pool_member_ports": ["8443", "9443"]}));
    let changed = manager.put("/loadbalancer/virtual-servers/vip", changed).expect(200);
    assert_eq!(changed["default_pool_member_port"], "8443");
}

#[test]
fn members_without_a_port_take_that_of_the_server() {
    let manager = Manager::new();
    switch(&manager, "segment");
    Port::new("segment", "member").address("10.0.0.1").make(&manager);
    pool(&manager, json!({"members": [{"ip_address": "10.0.0.1"}]})).expect(201);
    let ports = json!(["80", "443", "1000-1009"]);
    let mut made = server(&manager, json!({"pool_id": "pool", "ports": ports})).expect(201);
    load_balancer(&manager, &["vip"]);
    for (defaults, expected) in [
        (json!(null), [80, 443, 1003]),
        (json!(["8080"]), [8080, 8080, 8080]),
        (json!(["8080", "8443", "2000-2009"]), [8080, 8443, 2003]),
    ] {
        let own = json!({
            "default_pool_member_ports": defaults, "default_pool_member_port": null,
        });
        made = manager.put("/loadbalancer/virtual-servers/vip", with(made, own)).expect(200);
        let met = [80, 443, 1003].map(|port| {
            let packet = json!({"from": "203.0.113.9", "to": "192.0.2.1", "dst_port": port});
            let sent = manager.post("/sim/v1/packets", packet).expect(200);
            sent["translation"]["to_port"].clone()
        });
        assert_eq!(met, expected.map(|port| json!(port)), "{defaults}");
    }
    let member = json!({"ip_address": "10.0.0.1", "port": "7000"});
    let body = manager.get("/loadbalancer/pools/pool").expect(200);
    let body = with(body, json!({"members": [member]}));
    manager.put("/loadbalancer/pools/pool", body).expect(200);
    let packet = json!({"from": "203.0.113.9", "to": "192.0.2.1", "dst_port": 80});
    let sent = manager.post("/sim/v1/packets", packet).expect(200);
    assert_eq!(sent["translation"]["to_port"], 7000, "its own comes first");
}

#[test]
fn a_server_names_what_exists_and_holds_it() {
    let manager = Manager::new();
    server(&manager, json!({"pool_id": "nobody"})).refused(404, 600);
    server(&manager, json!({"application_profile_id": "nobody"})).refused(404, 600);
    pool(&manager, json!({})).expect(201);
    let profile = json!({"id": "own", "resource_type": "LbFastTcpProfile"});
    let profile = manager.post("/loadbalancer/application-profiles", profile).expect(201);
    assert_eq!((&profile["idle_timeout"], &profile["close_timeout"]), (&json!(1_800), &json!(8)));
    server(&manager, json!({"pool_id": "pool", "application_profile_id": "own"})).expect(201);
    manager.delete("/loadbalancer/pools/pool").expect(400);
    manager.delete("/loadbalancer/application-profiles/own").expect(400);
    // Groups, sets and services have `force`, these do not [spec DeleteLoadBalancerPool].
    manager.delete("/loadbalancer/pools/pool?force=true").expect(400);
    manager.delete("/loadbalancer/application-profiles/own?force=true").expect(400);
    manager.delete("/loadbalancer/virtual-servers/vip").expect(200);
    manager.delete("/loadbalancer/pools/pool").expect(200);
    manager.delete("/loadbalancer/application-profiles/own").expect(200);
}

#[test]
fn values_outside_their_limits_are_refused() {
    let manager = Manager::new();
    server(&manager, json!({"ip_address": "192.0.2.0/24"})).refused(400, 255);
    let ports: Value = (1..=15).map(|port| json!(port)).collect();
    server(&manager, json!({"ports": ports})).refused(400, 255);
    server(&manager, json!({"ip_protocol": "SCTP"})).refused(400, 255);
    let member = |more: Value| json!({"members": [with(json!({"ip_address": "10.0.0.1"}), more)]});
    pool(&manager, member(json!({"weight": 257}))).refused(400, 255);
    pool(&manager, member(json!({"admin_state": "UP"}))).refused(400, 255);
    pool(&manager, json!({"snat_translation": {"type": "LbSnatNone"}})).refused(400, 255);
    pool(&manager, json!({"active_monitor_ids": ["one", "two"]})).refused(400, 255);
}

#[test]
fn what_a_server_names_fits_its_layer() {
    let manager = Manager::new();
    let post = |path: &str, body: Value| manager.post(&format!("/loadbalancer/{path}"), body);
    for (id, class) in [("http", "LbHttpProfile"), ("udp", "LbFastUdpProfile")] {
        post("application-profiles", json!({"id": id, "resource_type": class})).expect(201);
    }
    for (id, class) in [
        ("cookie", "LbCookiePersistenceProfile"),
        ("source", "LbSourceIpPersistenceProfile"),
        ("generic", "LbGenericPersistenceProfile"),
    ] {
        let mut profile = json!({"id": id, "resource_type": class});
        if id == "cookie" {
            profile["cookie_name"] = json!("member");
        }
        post("persistence-profiles", profile).expect(201);
    }
    post("tcp-profiles", json!({"id": "tcp"})).expect(201);
    for (layer_4, layer_7, more) in [
        (201, 201, json!({"persistence_profile_id": "source"})),
        (400, 201, json!({"persistence_profile_id": "cookie"})),
        (400, 400, json!({"persistence_profile_id": "generic"})),
        (400, 201, json!({"client_tcp_profile_id": "tcp"})),
        (201, 400, json!({"ports": ["80", "81"]})),
        (201, 400, json!({"ports": ["80-89"]})),
        (400, 400, json!({"ip_protocol": "UDP"})),
        (400, 400, json!({"application_profile_id": "udp"})),
        (201, 201, json!({"application_profile_id": "udp", "ip_protocol": "UDP"})),
    ] {
        for (profile, status) in [(FAST_TCP, layer_4), ("http", layer_7)] {
            let body = with(json!({"application_profile_id": profile}), more.clone());
            server(&manager, body).expect(status);
            manager.delete("/loadbalancer/virtual-servers/vip");
        }
    }
}

#[test]
fn a_service_carries_servers_that_no_other_one_carries() {
    let manager = Manager::new();
    server(&manager, json!({})).expect(201);
    let post = |body: Value| manager.post("/loadbalancer/services", body);
    let made = post(json!({"id": "one", "virtual_server_ids": ["vip"]})).expect(201);
    for (name, value) in [
        ("size", json!("SMALL")),
        ("enabled", json!(true)),
        ("error_log_level", json!("INFO")),
        ("access_log_enabled", json!(false)),
        ("virtual_server_ids", json!(["vip"])),
    ] {
        assert_eq!(made[name], value, "{name}");
    }
    post(json!({"virtual_server_ids": ["vip"]})).refused(400, 255);
    post(json!({"virtual_server_ids": ["nobody"]})).refused(404, 600);
    let group = json!({"target_type": "NSGroup", "target_id": "g"});
    post(json!({"attachment": group})).refused(400, 255);
    post(json!({"attachment": group, "size": "DLB"})).refused(404, 600);
    manager.delete("/loadbalancer/virtual-servers/vip").expect(400);
    manager.delete("/loadbalancer/services/one").expect(200);
    manager.delete("/loadbalancer/virtual-servers/vip").expect(200);
}
