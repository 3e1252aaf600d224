//! A big world through the API: how long 100,000 logical ports and 10,000 groups that pick them by
//! tag take to make over HTTPS, what a port costs in memory, and what lists of them cost then.
//!
//! The bench starts itself again as `serve`. Under `cargo test` it runs once at small size and holds
//! no figure against anything; what groups hold is checked at any size.

mod server;

use serde_json::{Value, json};
use server::Server;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// The overlay zone that every manager here has from the start.
const ZONE: &str = "1b3a2f36-bfd1-443e-a0f6-4de01abc963e";
/// Connections kept at once.
const CLIENTS: usize = 4;
/// One port in so many is in the big group.
const SHARE: usize = 10;

fn main() -> ExitCode {
    if server::is_child() {
        return nsx_sim::cli::run();
    }
    let measured = std::env::args().any(|word| word == "--bench");
    let (ports, groups) = if measured { (100_000, 10_000) } else { (200, 20) };
    let server = Server::start("empty", &[]);
    let before = server.resident_kib();

    let switch = json!({"id": "s", "transport_zone_id": ZONE, "admin_state": "UP"});
    server.call("POST", "/logical-switches", &switch);
    server.call("POST", "/ns-groups", &group("big", "tier", "web"));
    let begun = Instant::now();
    in_parallel(&server, groups, |number| {
        ("/ns-groups", group(&format!("g{number}"), "app", &format!("app-{number}")))
    });
    let groups_done = begun.elapsed();
    in_parallel(&server, ports, |number| ("/logical-ports", port(number, groups)));
    let all_done = begun.elapsed();
    let grown = server.resident_kib().saturating_sub(before) * 1024;

    let count = |path: &str| server.call("GET", path, &Value::Null)["result_count"].clone();
    let members = |group: &str| format!("/ns-groups/{group}/effective-logical-port-members");
    assert_eq!(count(&members("g7")), ports / groups, "membership is current");
    assert_eq!(count(&members("big")), ports / SHARE);

    #[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let per_second = |count: usize, time: Duration| count as f64 / time.as_secs_f64();
    let ports_done = all_done.saturating_sub(groups_done);
    println!("scale/make_{groups}_groups          {groups_done:>9.2?}");
    println!(
        "scale/make_{ports}_ports          {:>9.2?} ({:.0}/s over HTTPS, {CLIENTS} connections)",
        ports_done,
        per_second(ports, ports_done)
    );
    println!("scale/make_both                 {all_done:>9.2?}");
    println!("scale/memory_per_port           {:>9} bytes", grown / ports as u64);
    let rounds = if measured { 21 } else { 1 };
    for (name, path) in [
        ("page_of_1000_ports", "/logical-ports".to_owned()),
        ("page_of_members_of_big_group", members("big")),
        ("page_of_its_addresses", "/ns-groups/big/effective-ip-address-members".to_owned()),
        ("page_of_ports_of_a_switch", "/logical-ports?logical_switch_id=s".to_owned()),
        ("port_by_attachment", "/logical-ports?attachment_id=vif-77".to_owned()),
    ] {
        let mut times: Vec<Duration> = (0..rounds)
            .map(|_| {
                let begun = Instant::now();
                server.get_bytes(&path);
                begun.elapsed()
            })
            .collect();
        times.sort();
        println!("scale/{name:<25} {:>9.2?} (median of {rounds}, HTTPS)", times[rounds / 2]);
    }
    println!("1 passed, 0 failed");
    ExitCode::SUCCESS
}

/// Posts numbered bodies over several connections.
fn in_parallel(
    server: &Server,
    count: usize,
    body: impl Fn(usize) -> (&'static str, Value) + Sync,
) {
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let body = &body;
            scope.spawn(move || {
                let own = server.another_connection();
                for number in (client..count).step_by(CLIENTS) {
                    let (path, body) = body(number);
                    own.call("POST", path, &body);
                }
            });
        }
    });
}

fn group(id: &str, scope: &str, tag: &str) -> Value {
    let criterion = json!({
        "resource_type": "NSGroupTagExpression", "target_type": "LogicalPort",
        "scope": scope, "tag": tag,
    });
    json!({"id": id, "display_name": id, "membership_criteria": [criterion]})
}

fn port(number: usize, groups: usize) -> Value {
    let mut tags = vec![json!({"scope": "app", "tag": format!("app-{}", number % groups)})];
    if number.is_multiple_of(SHARE) {
        tags.push(json!({"scope": "tier", "tag": "web"}));
    }
    let (a, b, c) = (number / 65_536, number / 256 % 256, number % 256);
    json!({
        "logical_switch_id": "s",
        "admin_state": "UP",
        "display_name": format!("port-{number:06}"),
        "attachment": {"attachment_type": "VIF", "id": format!("vif-{number}")},
        "address_bindings": [{
            "ip_address": format!("10.{a}.{b}.{c}"),
            "mac_address": format!("02:00:00:{a:02x}:{b:02x}:{c:02x}"),
        }],
        "tags": tags,
    })
}
