//! SpoofGuard: which source addresses a port may use.

use super::{DEFAULT, Net, tell};
use serde_json::{Value, json};

/// Pods of [`Net`], and a profile by the name of what it trusts.
fn net() -> Net {
    let net = Net::new();
    for (id, trusted) in [
        ("ports", json!(["LPORT_BINDINGS"])),
        ("switches", json!(["LSWITCH_BINDINGS"])),
        ("both", json!(["LPORT_BINDINGS", "LSWITCH_BINDINGS"])),
        ("nothing", json!([])),
    ] {
        let body = json!({
            "id": id, "resource_type": "SpoofGuardSwitchingProfile",
            "white_list_providers": trusted,
        });
        net.0.post("/switching-profiles", body).expect(201);
    }
    net
}

/// Binds a profile to a port or a switch.
fn bind(net: &Net, path: &str, profile: &str) {
    let entry = json!({"key": "SpoofGuardSwitchingProfile", "value": profile});
    net.edit(path, |own| {
        let others = own["switching_profile_ids"].as_array().cloned().unwrap_or_default();
        let others = others.into_iter().filter(|own| own["key"] != entry["key"]);
        own["switching_profile_ids"] = others.chain([entry.clone()]).collect();
    });
}

/// What becomes of a packet of pod `a` to pod `b`; `more` is what it claims.
fn send(net: &Net, more: Value) -> Value {
    let mut packet = json!({"from": "a", "to": "10.0.0.2", "dst_port": 80});
    super::join(&mut packet, more);
    net.0.post("/sim/v1/packets", packet).expect(200)
}

fn claims(net: &Net, address: &str) -> String {
    send(net, json!({"src_ip": address}))["outcome"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn without_a_profile_that_trusts_something_any_source_is_let_through() {
    let net = net();
    assert_eq!(claims(&net, "10.0.0.77"), "DELIVERED");
    bind(&net, "/logical-ports/a", "nothing");
    assert_eq!(claims(&net, "10.0.0.77"), "DELIVERED");
}

#[test]
fn a_guarded_port_sends_from_what_is_bound_to_it() {
    let net = net();
    bind(&net, "/logical-ports/a", "ports");
    let spoofed = send(&net, json!({"src_ip": "10.0.0.77"}));
    assert_eq!(tell(&spoofed), "DROPPED: ", "no rule decides");
    assert_eq!(spoofed["reason"], "a may not send from 10.0.0.77: SpoofGuard");
    let told = tell(&send(&net, json!({"src_ip": "10.0.0.1"})));
    assert_eq!(told, format!("DELIVERED: a OUT {DEFAULT}, b IN {DEFAULT}"));
    let mac = send(&net, json!({"src_mac": "02:00:00:00:00:99"}));
    assert_eq!(mac["outcome"], "DROPPED");
    let back = json!({"from": "b", "to": "10.0.0.77", "dst_port": 80, "src_ip": "10.0.0.9"});
    assert!(net.send(back).starts_with("DELIVERED"), "another port");
    net.edit("/logical-ports/a", |own| own["address_bindings"] = json!([]));
    assert_eq!(claims(&net, "10.0.0.1"), "DROPPED", "nothing is bound any more");
}

#[test]
fn a_port_without_a_profile_of_its_own_has_its_switchs() {
    let net = net();
    bind(&net, "/logical-switches/segment", "switches");
    assert_eq!(claims(&net, "10.0.0.1"), "DROPPED", "bound to the port alone");
    net.edit("/logical-switches/segment", |own| {
        own["address_bindings"] = json!([
            {"ip_address": "10.0.0.64/28", "mac_address": "02:50:56:00:00:01"},
        ]);
    });
    let claim = json!({"src_ip": "10.0.0.77", "src_mac": "02:50:56:00:00:01"});
    assert_eq!(send(&net, claim)["outcome"], "DELIVERED");
    let claim = json!({"src_ip": "10.0.0.77", "src_mac": "02:50:56:00:00:99"});
    assert_eq!(send(&net, claim)["outcome"], "DROPPED");
    bind(&net, "/logical-ports/a", "both");
    assert_eq!(claims(&net, "10.0.0.1"), "DELIVERED");
    bind(&net, "/logical-ports/a", "ports");
    assert_eq!(claims(&net, "10.0.0.77"), "DROPPED");
}

#[test]
fn a_guest_may_ask_for_its_first_address_and_a_traceflow_ends_at_the_switch() {
    let net = net();
    bind(&net, "/logical-ports/a", "ports");
    let ask = json!({"src_ip": "0.0.0.0", "protocol": "UDP", "src_port": 68, "dst_port": 67});
    assert_eq!(send(&net, ask)["outcome"], "DELIVERED");
    let body = json!({
        "lport_id": "a",
        "packet": {
            "resource_type": "FieldsPacketData", "transport_type": "UNICAST",
            "ip_header": {"src_ip": "10.0.0.77", "dst_ip": "10.0.0.2", "protocol": 6},
            "transport_header": {"tcp_header": {"src_port": 9, "dst_port": 80}},
        },
    });
    let made = net.0.post("/traceflows", body).expect(201);
    net.0.advance(std::time::Duration::from_secs(1));
    let path = format!("/traceflows/{}/observations", made["id"].as_str().unwrap());
    let last = net.0.get(&path).results().pop().expect("a step");
    assert_eq!(last["resource_type"], "TraceflowObservationDroppedLogical");
    assert_eq!((&last["component_type"], &last["reason"]), (&json!("LS"), &json!("LSWITCH")));
}
