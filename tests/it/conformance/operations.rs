//! Every operation, called with what no client would send: each answers as an NSX manager, none
//! fails, none panics.

use super::contract::Contract;
use super::found::Found;
use crate::api::samples::prepared;
use nsx_sim::http::Listed;
use nsx_sim::inventory::Level;
use serde_json::{Value, json};

/// Ids of nothing.
const IDS: [&str; 5] =
    ["no-such-id", "%00", "..", "a%2Fb", "1e99999999999999999999999999999999999999999999"];

/// Queries that no operation obeys.
const QUERIES: [&str; 7] = [
    "",
    "page_size=x",
    "cursor=%F0%9F",
    "force=maybe&cascade=maybe&source=x",
    "force=True&cascade=TRUE&detach=true&source=&cursor=&page_size=",
    "page_size=0&sort_by=x&sort_ascending=x&included_fields=,,",
    "&&=&a=%ff&type=x&resource_type=x&status=x",
];

/// Bodies that fit no type in particular.
fn bodies() -> Vec<String> {
    let mut deep = json!(1);
    for _ in 0..60 {
        deep = json!({ "a": [deep] });
    }
    let many: serde_json::Map<String, Value> =
        (0..500).map(|number| (format!("member{number}"), json!(number))).collect();
    [
        json!({}),
        json!([]),
        json!("text"),
        json!(7),
        json!(null),
        json!({"no_such_member": {"x": [null, true]}}),
        json!({"id": "", "display_name": 7, "tags": {}, "_revision": "x"}),
        json!({"id": null, "display_name": null, "tags": null, "_revision": null}),
        json!({"resource_type": "NoSuchType", "members": "x", "rules": 3}),
        json!({"description": "x".repeat(64 * 1024)}),
        json!({"results": vec![json!({}); 2000]}),
        many.into(),
        deep,
    ]
    .iter()
    .map(Value::to_string)
    .chain([
        String::new(),
        "  \n".into(),
        "{".into(),
        "\u{0}".into(),
        "nul".into(),
        "[".repeat(5000),
    ])
    .collect()
}

/// What is modelled, below `/api/v1` or with the whole path, its variable parts being some id.
pub fn path_of(operation: &Listed, id: &str) -> String {
    let names = ["{p1}", "{p2}", "{p3}", "{p4}"];
    let path = names.iter().fold(operation.path.clone(), |path, name| path.replace(name, id));
    path.strip_prefix("/api/v1").map_or(path.clone(), str::to_owned)
}

/// Calls every operation that is modelled, every `step`-th way.
pub fn run(contract: &Contract, step: usize, found: &mut Found) {
    let (manager, bodies) = (prepared(), bodies());
    let modelled = contract.operations().iter().filter(|own| own.level > Level::Absent);
    for operation in modelled {
        let reads = operation.method == "GET";
        let ways = if reads { IDS.len() * QUERIES.len() } else { bodies.len() * 2 };
        for turn in (0..ways).step_by(step) {
            let body = if reads { "" } else { &bodies[turn % bodies.len()] };
            let path = path_of(operation, IDS[turn % IDS.len()]);
            let join = if path.contains('?') { "&" } else { "?" };
            let path = format!("{path}{join}{}", QUERIES[turn % QUERIES.len()]);
            let answer = manager.call(&operation.method, &path, body);
            let call = format!("{} {} turn {turn}", operation.method, operation.path);
            found.tell(&call, contract.problem(operation, &answer));
        }
    }
}
