//! Profiles and monitors.

use serde_json::{Value, json};
use tests::Manager;

#[test]
fn a_manager_has_the_profiles_and_monitors_that_clients_look_for() {
    let manager = Manager::new();
    for (path, name) in [
        ("application-profiles", "nsx-default-lb-fast-tcp-profile"),
        ("persistence-profiles", "nsx-default-source-ip-persistence-profile"),
        ("client-ssl-profiles", "nsx-default-client-ssl-profile"),
        ("server-ssl-profiles", "nsx-default-server-ssl-profile"),
        ("monitors", "nsx-default-tcp-monitor"),
        ("monitors", "nsx-default-passive-monitor"),
    ] {
        let found = manager.get(&format!("/loadbalancer/{path}")).results();
        let found = found.iter().find(|own| own["display_name"] == name).expect(name);
        assert_eq!(found["_system_owned"], true, "{name}");
    }
}

#[test]
fn monitors_are_found_by_type_and_active_ones_together() {
    let manager = Manager::new();
    let types = |query: &str| {
        let found = manager.get(&format!("/loadbalancer/monitors?type={query}")).results();
        found.iter().map(|own| own["resource_type"].clone()).collect::<Vec<Value>>()
    };
    assert_eq!(types("LbTcpMonitor"), ["LbTcpMonitor"]);
    let active = types("LbActiveMonitor");
    assert!(active.len() == 4 && !active.contains(&json!("LbPassiveMonitor")), "{active:?}");
    manager.get("/loadbalancer/monitors?type=TcpMonitor").refused(400, 255);
}

#[test]
fn monitors_show_the_defaults_of_the_schema() {
    let manager = Manager::new();
    let make = |body: Value| manager.post("/loadbalancer/monitors", body);
    let made = make(json!({"resource_type": "LbHttpMonitor"})).expect(201);
    for (name, value) in [
        ("interval", json!(5)),
        ("timeout", json!(15)),
        ("rise_count", json!(3)),
        ("fall_count", json!(3)),
        ("request_method", json!("GET")),
        ("request_version", json!("HTTP_VERSION_1_1")),
    ] {
        assert_eq!(made[name], value, "{name}");
    }
    let made = make(json!({"resource_type": "LbIcmpMonitor"})).expect(201);
    assert_eq!(made["data_length"], 56);
    let made = make(json!({"resource_type": "LbPassiveMonitor"})).expect(201);
    assert_eq!((&made["max_fails"], &made["timeout"]), (&json!(5), &json!(5)));
    make(json!({"resource_type": "LbUdpMonitor", "send": "ping"})).refused(400, 255);
    make(json!({"resource_type": "LbTcpMonitor", "monitor_port": "80-90"})).refused(400, 255);
    make(json!({"resource_type": "LbPassiveMonitor", "interval": 5})).refused(400, 287);
}

#[test]
fn ciphers_and_protocols_that_are_left_open_are_the_defaults() {
    let manager = Manager::new();
    let known = manager.get("/loadbalancer/ssl/ciphers-and-protocols").expect(200);
    let default = |list: &str, name: &str| -> Vec<Value> {
        let all = known[list].as_array().unwrap().iter();
        all.filter(|own| own["is_default"] == true).map(|own| own[name].clone()).collect()
    };
    assert_eq!(known["ciphers"].as_array().unwrap().len(), 31);
    let made = manager.post("/loadbalancer/client-ssl-profiles", json!({})).expect(201);
    assert_eq!(made["ciphers"], json!(default("ciphers", "cipher")));
    assert_eq!(made["protocols"], json!(["TLS_V1_1", "TLS_V1_2"]));
    assert_eq!(default("protocols", "protocol"), ["TLS_V1_1", "TLS_V1_2"]);
    assert_eq!((&made["is_secure"], &made["session_cache_timeout"]), (&json!(true), &json!(300)));
}

#[test]
fn one_weak_cipher_or_protocol_makes_a_profile_insecure() {
    let manager = Manager::new();
    for (path, base) in [
        ("client-ssl-profiles", json!({})),
        ("server-ssl-profiles", json!({})),
        ("monitors", json!({"resource_type": "LbHttpsMonitor"})),
    ] {
        for (secure, more) in [
            (true, json!({"protocols": ["TLS_V1_2"]})),
            (false, json!({"protocols": ["TLS_V1", "TLS_V1_2"]})),
            (false, json!({"ciphers": ["TLS_RSA_WITH_3DES_EDE_CBC_SHA"]})),
        ] {
            let body = super::with(base.clone(), more);
            let made = manager.post(&format!("/loadbalancer/{path}"), body).expect(201);
            assert_eq!(made["is_secure"], secure, "{path}");
        }
        let body = super::with(base, json!({"ciphers": ["TLS_NULL"]}));
        manager.post(&format!("/loadbalancer/{path}"), body).refused(400, 255);
    }
}

#[test]
fn cookies_have_a_time_of_either_sort() {
    let manager = Manager::new();
    let make = |time: Value| {
        let body = json!({
            "resource_type": "LbCookiePersistenceProfile",
            "cookie_name": "member",
            "cookie_time": time,
        });
        manager.post("/loadbalancer/persistence-profiles", body)
    };
    let time = json!({"type": "LbSessionCookieTime", "cookie_max_life": 7});
    let made = make(time.clone()).expect(201);
    assert_eq!((&made["cookie_time"], &made["cookie_mode"]), (&time, &json!("INSERT")));
    make(json!({"type": "LbPersistenceCookieTime"})).refused(400, 255);
    make(json!({"cookie_max_idle": 7})).refused(400, 255);
}
