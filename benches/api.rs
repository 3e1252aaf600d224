//! Calls per second: of the API itself, without a network, and over a kept connection.
//!
//! The world holds the guide and a thousand further ports with tags. Answers are checked before
//! anything is timed.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use nsx_sim::http::{Api, Options, WorldDocument, start};
use nsx_sim::inventory::Actor;
use serde_json::{Value, json};

/// The overlay zone that every manager here has from the start.
const ZONE: &str = "1b3a2f36-bfd1-443e-a0f6-4de01abc963e";
const PORTS: usize = 1_000;
const GROUPS: usize = 50;

fn call(api: &Api, method: &str, path: &str, query: &str, body: &Value) -> Value {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let path = format!("/api/v1{path}");
    match api.call(Actor::admin("admin"), method, &path, query, body.into()) {
        Ok(reply) => reply.value(),
        Err(failure) => panic!("{method} {path}?{query}: {}", failure.answer().body),
    }
}

fn port(number: usize) -> Value {
    json!({
        "logical_switch_id": "bench-switch",
        "admin_state": "UP",
        "display_name": format!("bench-port-{number}"),
        "attachment": {"attachment_type": "VIF", "id": format!("bench-vif-{number}")},
        "address_bindings": [{
            "ip_address": format!("10.{}.{}.{}", number / 65_536, number / 256 % 256, number % 256),
            "mac_address": format!("02:00:00:{:02x}:{:02x}:{:02x}", number / 65_536, number / 256 % 256, number % 256),
        }],
        "tags": [{"scope": "app", "tag": format!("app-{}", number % GROUPS)}],
    })
}

fn fill(api: &Api) {
    let switch = json!({"id": "bench-switch", "transport_zone_id": ZONE, "admin_state": "UP"});
    call(api, "POST", "/logical-switches", "", &switch);
    for group in 0..GROUPS {
        let criterion = json!({
            "resource_type": "NSGroupTagExpression", "target_type": "LogicalPort",
            "scope": "app", "tag": format!("app-{group}"),
        });
        let body =
            json!({"id": format!("bench-group-{group}"), "membership_criteria": [criterion]});
        call(api, "POST", "/ns-groups", "", &body);
    }
    for number in 0..PORTS {
        call(api, "POST", "/logical-ports", "", &port(number));
    }
}

fn api(c: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime starts");
    let world = WorldDocument::read(fixtures::GUIDE_WORLD).expect("the guide's world reads");
    let options = Options { world, ..Options::default() };
    let server = runtime.block_on(start(options)).expect("the server starts");
    let api = &*server.api;
    fill(api);
    let id =
        call(api, "GET", "/logical-ports", "attachment_id=bench-vif-7", &Value::Null)["results"][0]
            ["id"]
            .as_str()
            .expect("the port is there")
            .to_owned();
    let members = "/ns-groups/bench-group-7/effective-ip-address-members";
    assert_eq!(call(api, "GET", members, "", &Value::Null)["result_count"], PORTS / GROUPS);

    let mut group = c.benchmark_group("api");
    group.throughput(Throughput::Elements(1));
    let one = format!("/logical-ports/{id}");
    group.bench_function("get_port", |bench| {
        bench.iter(|| call(api, "GET", &one, "", &Value::Null));
    });
    group.bench_function("list_ports_of_1000_filtered_to_one", |bench| {
        bench
            .iter(|| call(api, "GET", "/logical-ports", "attachment_id=bench-vif-7", &Value::Null));
    });
    group.bench_function("list_page_of_1000_ports", |bench| {
        bench.iter(|| call(api, "GET", "/logical-ports", "", &Value::Null));
    });
    group.bench_function("effective_addresses_of_20", |bench| {
        bench.iter(|| call(api, "GET", members, "", &Value::Null));
    });
    group.bench_function("create_and_delete_tagged_port", |bench| {
        bench.iter(|| {
            let made = call(api, "POST", "/logical-ports", "", &port(PORTS + 1));
            let path = format!("/logical-ports/{}", made["id"].as_str().unwrap_or_default());
            call(api, "DELETE", &path, "detach=true", &Value::Null)
        });
    });
    let url = format!("{}/api/v1{one}", server.url());
    let agent = ureq::Agent::new_with_defaults();
    let basic = "Basic YWRtaW46Vk13YXJlMSFWTXdhcmUxIQ==";
    group.bench_function("get_port_over_http_kept_alive", |bench| {
        bench.iter(|| {
            let mut answer = agent.get(&url).header("Authorization", basic).call().expect("200");
            answer.body_mut().read_to_vec().expect("a body").len()
        });
    });
    group.finish();
}

criterion_group!(benches, api);
criterion_main!(benches);
