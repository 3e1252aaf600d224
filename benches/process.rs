//! The process as a whole: how long until the first HTTPS answer, and what it takes at rest.
//!
//! The bench starts itself again as `serve` with the guide's world, so that what is measured is the
//! product's own code in this profile. Under `cargo test` it runs once and holds no figure against
//! anything.

mod server;

use server::Server;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const ROUNDS: usize = 20;

fn main() -> ExitCode {
    if server::is_child() {
        return nsx_sim::cli::run();
    }
    let measured = std::env::args().any(|word| word == "--bench");
    let rounds = if measured { ROUNDS } else { 1 };
    let mut runs: Vec<Run> = (0..rounds).map(|_| run()).collect();
    runs.sort_by_key(|run| run.first_answer);
    let median = &runs[rounds / 2];
    println!("process/listening_line       {:>8.2?} (median of {rounds})", median.listening);
    println!("process/first_https_answer   {:>8.2?} (median of {rounds})", median.first_answer);
    println!(
        "process/resident_at_rest     {:>8} KiB (guide's world, after one answer)",
        median.resident_kib
    );
    println!("{rounds} passed, 0 failed");
    ExitCode::SUCCESS
}

struct Run {
    listening: Duration,
    first_answer: Duration,
    resident_kib: u64,
}

fn run() -> Run {
    let begun = Instant::now();
    let server = Server::start("guide", &[]);
    server.get_bytes("/reverse-proxy/node/health");
    let first_answer = begun.elapsed();
    Run { listening: server.listening, first_answer, resident_kib: server.resident_kib() }
}
