//! Every operation, called with what no client would send: each answers as an NSX manager, none
//! fails, none panics.

use crate::api::samples::prepared;
use nsx_sim::inventory::Level;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Ids of nothing.
const IDS: [&str; 5] =
    ["no-such-id", "%00", "..", "a%2Fb", "1e99999999999999999999999999999999999999999999"];

/// Queries that no operation obeys.
const QUERIES: [&str; 4] =
    ["", "page_size=x", "cursor=%F0%9F", "force=maybe&cascade=maybe&source=x"];

/// Bodies that fit no type in particular.
fn bodies() -> Vec<String> {
    let mut deep = json!(1);
    for _ in 0..60 {
        deep = json!({ "a": [deep] });
    }
    [
        json!({}),
        json!([]),
        json!("text"),
        json!(7),
        json!({"no_such_member": {"x": [null, true]}}),
        json!({"id": "", "display_name": 7, "tags": {}, "_revision": "x"}),
        json!({"resource_type": "NoSuchType", "members": "x", "rules": 3}),
        deep,
    ]
    .iter()
    .map(Value::to_string)
    .chain([String::new(), "{".into(), "\u{0}".into(), "nul".into(), "[".repeat(5000)])
    .collect()
}

#[test]
fn no_operation_fails_on_what_it_can_not_read() {
    let manager = prepared();
    let mut failures = BTreeSet::new();
    let listed = manager.api().operations();
    for operation in listed.iter().filter(|own| own.level > Level::Absent) {
        let bodies = if operation.method == "GET" { vec![String::new()] } else { bodies() };
        for (turn, body) in bodies.iter().cycle().take(bodies.len().max(IDS.len())).enumerate() {
            let id = IDS[turn % IDS.len()];
            let path = ["{p1}", "{p2}", "{p3}", "{p4}"]
                .iter()
                .fold(operation.path.clone(), |path, name| path.replace(name, id));
            let path = path.strip_prefix("/api/v1").unwrap_or(&path);
            let join = if path.contains('?') { "&" } else { "?" };
            let path = format!("{path}{join}{}", QUERIES[turn % QUERIES.len()]);
            let answer = manager.call(&operation.method, &path, body);
            let fine = answer.status < 500 || answer.status == 501;
            let told = answer.status < 400 || answer.body["error_code"].is_u64();
            if !fine || !told {
                let what = format!("{} {}", operation.method, operation.path);
                failures.insert(format!("{what}: {} {}", answer.status, answer.body));
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}
