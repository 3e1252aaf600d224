//! The process as a whole: how long until the first HTTPS answer, and what it takes at rest.
//!
//! The bench starts itself again as `serve` with the guide's world, so that what is measured is the
//! product's own code in this profile. Under `cargo test` it runs once and holds no figure against
//! anything.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};
use ureq::tls::TlsConfig;

/// Says to this binary that it is to serve.
const CHILD: &str = "serve";
const ROUNDS: usize = 20;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(CHILD) {
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

/// Ends with its owner.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run() -> Run {
    let tls = TlsConfig::builder().disable_verification(true).build();
    let agent: ureq::Agent = ureq::Agent::config_builder().tls_config(tls).build().into();
    let this = std::env::current_exe().expect("the bench knows its own path");
    let begun = Instant::now();
    let child = Command::new(this)
        .args([CHILD, "--listen", "127.0.0.1:0", "--world", "guide"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the bench starts itself");
    let mut server = Server(child);
    let out = server.0.stdout.take().expect("its output is piped");
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line).expect("it says where it listens");
    let listening = begun.elapsed();
    let url = line.trim().strip_prefix("listening on ").expect("the first line is the address");
    let answer = agent
        .get(format!("{url}/api/v1/reverse-proxy/node/health"))
        .header("Authorization", "Basic YWRtaW46Vk13YXJlMSFWTXdhcmUxIQ==")
        .call()
        .expect("it answers");
    let first_answer = begun.elapsed();
    assert_eq!(answer.status(), 200);
    Run { listening, first_answer, resident_kib: resident_kib(server.0.id()) }
}

/// Memory that is resident, as the kernel counts it; 0 where there is no `/proc`.
fn resident_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(0)
}
