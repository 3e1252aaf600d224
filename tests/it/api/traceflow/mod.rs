//! Traceflows: asked for, under way, told [facts §4.12]. What real clients demand of the result is
//! marked [npg].

mod requests;
mod steps;

use serde_json::{Value, json};
use std::time::Duration;
use tests::{Answer, Manager, Port, switch};

const DELAY: Duration = Duration::from_secs(1);

/// Two segments; `a1` and `a2` on the first and `b1` on the second, all on hosts of their own, with
/// `pod` behind `a1` on its host.
fn world() -> Manager {
    let manager = Manager::new();
    switch(&manager, "seg-a");
    switch(&manager, "seg-b");
    Port::new("seg-a", "a1").address("10.0.0.1").make(&manager);
    Port::new("seg-a", "a2").address("10.0.0.2").make(&manager);
    Port::new("seg-b", "b1").address("10.0.1.1").make(&manager);
    Port::new("seg-a", "pod").child_of("a1").address("10.0.0.9").make(&manager);
    manager
}

fn tcp(dst: &str) -> Value {
    json!({
        "resource_type": "FieldsPacketData",
        "routed": true,
        "transport_type": "UNICAST",
        "ip_header": {"dst_ip": dst, "protocol": 6, "ttl": 64},
        "transport_header": {"tcp_header": {"src_port": 50_000, "dst_port": 8080, "tcp_flags": 2}},
    })
}

fn start(manager: &Manager, port: &str, packet: Value) -> Answer {
    let mut body = json!({"lport_id": port});
    body["packet"] = packet;
    manager.post("/traceflows", body)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The observations of a finished traceflow.
fn trace(manager: &Manager, port: &str, packet: Value) -> Vec<Value> {
    let started = start(manager, port, packet).expect(201);
    manager.advance(DELAY);
    let one = format!("/traceflows/{}", text(&started["id"]));
    assert_eq!(manager.get(&one).expect(200)["operation_state"], "FINISHED");
    manager.get(&format!("{one}/observations")).results()
}

/// Steps as `kind component`, without what all kinds have in common.
fn kinds(steps: &[Value]) -> Vec<String> {
    let kind = |step: &Value| {
        let kind = text(&step["resource_type"]).trim_start_matches("TraceflowObservation");
        format!("{kind} {}", text(&step["component_type"]))
    };
    steps.iter().map(kind).collect()
}

fn rule_ids(steps: &[Value]) -> Vec<u64> {
    let ids = steps.iter().filter_map(|step| step.get("acl_rule_id"));
    ids.map(|id| id.as_u64().expect("a JSON number [npg]")).collect()
}
