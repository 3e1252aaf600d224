//! The product beside simulators that others wrote: how many answers a second each gives, on the
//! same machine, to the same cheap client.
//!
//! - nsx-sim: one logical port by id, and the list of ports by attachment, of 1,000 ports.
//! - [moto](https://github.com/getmoto/moto): one security group of EC2 by id, and the list of
//!   groups by tag, of 1,000 groups. It closes each connection after the answer.
//! - [Prism](https://github.com/stoplightio/prism): the same two calls as of nsx-sim, mocked from
//!   the description that nsx-sim publishes. It keeps no state.
//!
//! All speak plain HTTP, for the peers do. `MOTO_SERVER` and `PRISM` name the peers' commands where
//! they are not on the path; a peer that is missing is skipped, and said to be. Under `cargo test`
//! the product alone runs, at small size.

mod load;
mod peer;
mod server;

use load::{Client, load, request};
use peer::Peer;
use serde_json::{Value, json};
use server::{AUTHORIZATION, Server};
use std::io::Result;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

/// The overlay zone that every manager here has from the start.
const ZONE: &str = "1b3a2f36-bfd1-443e-a0f6-4de01abc963e";
/// Connections at once.
const CLIENTS: usize = 4;

/// Calls of each sort whose answers are looked into before they are timed.
const CHECKED: usize = 50;

/// How much is measured.
struct Size {
    objects: usize,
    /// Runs of which the median counts.
    runs: usize,
    /// Of one run.
    time: Duration,
}

/// Answers per second to each of the two calls.
struct Rates {
    by_id: f64,
    filtered: f64,
}

fn main() -> ExitCode {
    if server::is_child() {
        return nsx_sim::cli::run();
    }
    let measured = std::env::args().any(|word| word == "--bench");
    let size = if measured {
        Size { objects: 1_000, runs: 5, time: Duration::from_secs(4) }
    } else {
        Size { objects: 20, runs: 1, time: Duration::ZERO }
    };
    match compare(&size, measured) {
        Ok(()) => {
            println!("1 passed, 0 failed");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("FAILED: {error}");
            ExitCode::FAILURE
        }
    }
}

fn compare(size: &Size, with_peers: bool) -> Result<()> {
    let server = Server::start("empty", &["--plain-http"]);
    let (by_id, filtered) = fill(&server, size.objects);
    let address = server.url().trim_start_matches("http://");
    let address: SocketAddr = address.parse().expect("the server tells its address");
    let own = measure("nsx-sim", address, &by_id, &filtered, size)?;
    if !with_peers {
        return Ok(());
    }
    match peer::moto() {
        None => println!("peers/moto SKIPPED: no moto_server (MOTO_SERVER names it)"),
        Some(moto) => {
            let moto: Peer = moto?;
            let (by_id, filtered) = peer::fill_moto(&moto, size.objects)?;
            let rates = measure("moto", moto.address, &by_id, &filtered, size)?;
            print_ratio("moto", &own, &rates);
        }
    }
    let description = std::env::temp_dir().join(format!("nsx-sim-{}.json", std::process::id()));
    let document = server.call("GET", "/spec/openapi/nsx_api.json", &Value::Null);
    std::fs::write(&description, document.to_string())?;
    let prism = peer::prism(&description);
    std::fs::remove_file(&description)?;
    match prism {
        None => println!("peers/prism SKIPPED: no prism (PRISM names it)"),
        Some(prism) => {
            let prism: Peer = prism?;
            let rates = measure("prism", prism.address, &by_id, &filtered, size)?;
            print_ratio("prism", &own, &rates);
        }
    }
    Ok(())
}

fn print_ratio(name: &str, own: &Rates, peer: &Rates) {
    println!(
        "peers/nsx-sim : {name:<8} {:>9.0} x by id {:>9.0} x filtered",
        own.by_id / peer.by_id,
        own.filtered / peer.filtered
    );
}

/// Makes ports, and gives for each the call that reads it and the call that finds it.
fn fill(server: &Server, ports: usize) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let switch = json!({"id": "s", "transport_zone_id": ZONE, "admin_state": "UP"});
    server.call("POST", "/logical-switches", &switch);
    let headers = format!("Authorization: {AUTHORIZATION}\r\n");
    let get = |target: &str| request("GET", &format!("/api/v1{target}"), &headers, "");
    let calls = (0..ports).map(|number| {
        let port = json!({
            "logical_switch_id": "s",
            "admin_state": "UP",
            "display_name": format!("port-{number:06}"),
            "attachment": {"attachment_type": "VIF", "id": format!("vif-{number}")},
            "tags": [{"scope": "app", "tag": format!("app-{}", number % 50)}],
        });
        let made = server.call("POST", "/logical-ports", &port);
        let id = made["id"].as_str().expect("a port has an id");
        let list = get(&format!("/logical-ports?attachment_id=vif-{number}"));
        (get(&format!("/logical-ports/{id}")), list)
    });
    calls.unzip()
}

/// Checks that calls find something and measures both.
fn measure(
    name: &str,
    address: SocketAddr,
    by_id: &[Vec<u8>],
    filtered: &[Vec<u8>],
    size: &Size,
) -> Result<Rates> {
    let rate = |what: &str, calls: &[Vec<u8>]| -> Result<f64> {
        let mut client = Client::new(address);
        for call in calls.iter().step_by(calls.len().div_ceil(CHECKED)) {
            let answer = String::from_utf8_lossy(client.call(call)?);
            // An id, and in a list one object, whatever the API.
            let found = answer.contains("\"id\"") || answer.contains("<groupId>");
            assert!(found, "{name} finds nothing: {answer}");
        }
        let runs = (0..size.runs).map(|_| load(address, calls, CLIENTS, size.time));
        let mut runs = runs.collect::<Result<Vec<_>>>()?;
        runs.sort_by(|one, other| one.per_second.total_cmp(&other.per_second));
        let (median, slowest, fastest) = (&runs[runs.len() / 2], &runs[0], &runs[runs.len() - 1]);
        println!(
            "peers/{name:<8} {what:<9} {:>9.0}/s (median of {}, {:.0} to {:.0}; connections {})",
            median.per_second,
            runs.len(),
            slowest.per_second,
            fastest.per_second,
            if median.kept { "kept" } else { "closed by the server" }
        );
        Ok(median.per_second)
    };
    Ok(Rates { by_id: rate("by id", by_id)?, filtered: rate("filtered", filtered)? })
}
