//! An engine beside rte_acl.

use super::classify;
use super::measure::Report;
use anyhow::{Context, bail};
use serde::Serialize;
use serde_json::Value;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// What to measure and where the peer is.
#[derive(clap::Args, Debug)]
#[group(skip)] // Its group would go by the name of that of `ours`.
pub(in crate::cli) struct Args {
    #[command(flatten)]
    ours: classify::Args,
    /// The peer's harness, built by `make` in benches/rte_acl.
    #[arg(long, value_name = "PATH", default_value = "benches/rte_acl/rte_acl_bench")]
    peer: PathBuf,
    /// The peer's heap in megabytes; 100,000 rules need 10240.
    #[arg(long, value_name = "MB", default_value_t = 4096)]
    peer_heap: u32,
    /// Options for the peer's harness, such as `--max-size 0`, which 100,000 rules need.
    #[arg(long, value_name = "OPTION", num_args = 1.., allow_hyphen_values = true)]
    peer_options: Vec<String>,
}

/// Both sides, and how they compare.
#[derive(Serialize, Debug)]
struct Comparison {
    ours: Report,
    peer: Value,
    ratio: Ratio,
}

/// Ours by the peer's: above 1 is better for `mpps`, below 1 for the others.
#[derive(Serialize, Debug)]
struct Ratio {
    mpps: f64,
    build_ms: f64,
    mem_bytes: f64,
}

/// Measures ours, the peer and ours again, of which the slower counts, and prints one JSON object.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let (filters, trace) = args.ours.pair().context("compare reads FILTERS and TRACE")?;
    let before = args.ours.report()?;
    let heap = args.peer_heap.to_string();
    let output = Command::new(&args.peer)
        .args(["--no-huge", "-m", &heap, "--no-pci", "--no-shconf", "--no-telemetry", "-l"])
        // On the core that this process was given, so that both run on the same.
        .args([&core()?, "--force-max-simd-bitwidth=512", "--log-level=4", "--"])
        .args([filters, trace])
        .args(&args.peer_options)
        .output()
        .with_context(|| format!("{}: build it with make", args.peer.display()))?;
    if !output.status.success() {
        bail!("{}: {}", args.peer.display(), String::from_utf8_lossy(&output.stderr).trim());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().rfind(|line| line.starts_with('{')).context("the peer said nothing")?;
    let peer: Value = serde_json::from_str(line)?;
    let after = args.ours.report()?;
    let ours = if after.mpps < before.mpps { after } else { before };
    let of = |name: &str| peer.get(name).and_then(Value::as_f64).unwrap_or(f64::NAN);
    #[allow(clippy::cast_precision_loss)] // bytes of memory are exact up to 8 PiB
    let ratio = Ratio {
        mpps: ours.mpps / of("mpps"),
        build_ms: ours.build_ms / of("build_ms"),
        mem_bytes: ours.mem_bytes as f64 / of("mem_bytes"),
    };
    let wrong = ours.mismatches;
    writeln!(io::stdout(), "{}", serde_json::to_string_pretty(&Comparison { ours, peer, ratio })?)?;
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The first processor that this process may run on.
fn core() -> anyhow::Result<String> {
    let status = std::fs::read_to_string("/proc/self/status").context("compare needs Linux")?;
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let list = list.context("no list of processors in /proc/self/status")?.trim();
    Ok(list.split([',', '-']).next().unwrap_or("0").to_owned())
}
