//! An engine beside rte_acl.
#![allow(clippy::cast_precision_loss)] // Bytes of memory are exact up to 8 PiB.

use super::classify::Options;
use super::grouped::beside;
use super::measure::{Report, progress};
use super::plot::Saved;
use super::sets::{self, Rules, Set};
use anyhow::{Context, bail};
use serde::Serialize;
use serde_json::Value;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// What to measure and where the peer is.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// Directories, each with filters X and traces X.TRACE, or files: filters and their trace.
    #[arg(required = true, value_name = "DIR | FILTERS TRACE")]
    paths: Vec<PathBuf>,
    /// Which traces of directories are taken, by the end of their names. Rules between groups have
    /// `mix` where there is none of this name.
    #[arg(long, value_name = "NAME", default_value = "inside")]
    trace: String,
    #[command(flatten)]
    options: Options,
    /// The peer's harness, built by `make` in benches/rte_acl.
    #[arg(long, value_name = "PATH", default_value = "benches/rte_acl/rte_acl_bench")]
    peer: PathBuf,
    /// The peer's heap in megabytes; unless told 4096, and 10240 for files larger than 4 MiB.
    #[arg(long, value_name = "MB")]
    peer_heap: Option<u32>,
    /// Options for the peer's harness; unless told, `--max-size 0` for files larger than 4 MiB.
    #[arg(long, value_name = "OPTION", num_args = 1.., allow_hyphen_values = true)]
    peer_options: Option<Vec<String>>,
    #[command(flatten)]
    saved: Saved,
    /// Print one JSON object in place of the table.
    #[arg(long)]
    json: bool,
}

/// All that was compared.
#[derive(Serialize, Debug)]
struct Comparison {
    processor: String,
    cells: Vec<Cell>,
    /// The geometric mean of the cells that both sides have.
    geometric_mean: Option<Ratio>,
}

/// Both sides on one set, and how they compare.
#[derive(Serialize, Debug)]
struct Cell {
    ours: Report,
    /// None where the peer has no form of the rules.
    peer: Option<Value>,
    ratio: Option<Ratio>,
}

/// Ours by the peer's: above 1 is better for `mpps`, below 1 for the others.
#[derive(Serialize, Clone, Copy, Debug)]
struct Ratio {
    mpps: f64,
    build_ms: f64,
    mem_bytes: f64,
}

/// Measures set after set, and prints a table or one JSON object.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let sets = sets::find(&args.paths, &args.trace)?;
    let cells = sets.iter().map(|set| args.cell(set)).collect::<anyhow::Result<Vec<_>>>()?;
    let geometric_mean = Ratio::mean(&cells);
    let comparison = Comparison { processor: processor(), cells, geometric_mean };
    let value = serde_json::to_value(&comparison)?;
    args.saved.keep(&value)?;
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{value:#}")?;
    } else {
        comparison.table(&mut out)?;
    }
    let wrong = comparison.cells.iter().any(|cell| cell.ours.mismatches > 0);
    Ok(if wrong { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Files larger than this are some 50,000 filters and more.
const LARGE: u64 = 4 << 20;

impl Args {
    /// Measures ours, the peer and ours again, of which the slower counts.
    fn cell(&self, set: &Set) -> anyhow::Result<Cell> {
        let name = set.trace.display();
        progress(format_args!("{name}: ours"));
        let before = self.ours(set)?;
        progress(format_args!("{name}: the peer"));
        let peer = self.peer(set)?;
        let Some(peer) = peer else { return Ok(Cell { ours: before, peer: None, ratio: None }) };
        progress(format_args!("{name}: ours again"));
        let after = self.ours(set)?;
        let ours = if after.mpps < before.mpps { after } else { before };
        let ratio = Some(Ratio::of(&ours, &peer));
        Ok(Cell { ours, peer: Some(peer), ratio })
    }

    fn ours(&self, set: &Set) -> anyhow::Result<Report> {
        match &set.rules {
            Rules::Filters(filters) => self.options.filters(filters, &set.trace),
            Rules::Grouped(prefix) => self.options.grouped_headers(prefix, &set.trace),
        }
    }

    /// What the peer's harness says. Rules between groups it reads multiplied out, if somebody did that.
    fn peer(&self, set: &Set) -> anyhow::Result<Option<Value>> {
        let (filters, map) = match &set.rules {
            Rules::Filters(filters) => (filters, None),
            Rules::Grouped(prefix) => (prefix, Some(beside(prefix, "map"))),
        };
        let Ok(size) = fs::metadata(filters).map(|data| data.len()) else { return Ok(None) };
        if map.as_ref().is_some_and(|map| !map.exists()) {
            return Ok(None);
        }
        let large = size > LARGE;
        let heap = self.peer_heap.unwrap_or(if large { 10_240 } else { 4_096 }).to_string();
        let own = self.peer_options.as_deref();
        let unless_told = if large { &["--max-size", "0"][..] } else { &[] };
        let mut command = Command::new(&self.peer);
        command
            .args(["--no-huge", "-m", &heap, "--no-pci", "--no-shconf", "--no-telemetry", "-l"])
            // On the core that this process was given, so that both run on the same.
            .args([&core()?, "--force-max-simd-bitwidth=512", "--log-level=4", "--"])
            .args([filters, &set.trace])
            .args(map.iter().flat_map(|map| [Path::new("--map"), map.as_path()]));
        match own {
            Some(own) => command.args(own),
            None => command.args(unless_told),
        };
        let shown = self.peer.display();
        let output = command.output().with_context(|| format!("{shown}: build it with make"))?;
        if !output.status.success() {
            bail!("{shown}: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text.lines().rfind(|line| line.starts_with('{'));
        let line = line.with_context(|| format!("{shown} said nothing"))?;
        Ok(Some(serde_json::from_str(line).with_context(|| shown.to_string())?))
    }
}

fn figure(peer: &Value, name: &str) -> f64 {
    peer.get(name).and_then(Value::as_f64).unwrap_or(f64::NAN)
}

impl Ratio {
    fn of(ours: &Report, peer: &Value) -> Self {
        Self {
            mpps: ours.mpps / figure(peer, "mpps"),
            build_ms: ours.build_ms / figure(peer, "build_ms"),
            mem_bytes: ours.mem_bytes as f64 / figure(peer, "mem_bytes"),
        }
    }

    fn mean(cells: &[Cell]) -> Option<Self> {
        let ratios: Vec<Self> = cells.iter().filter_map(|cell| cell.ratio).collect();
        let mean = |of: fn(&Self) -> f64| {
            let logarithms: f64 = ratios.iter().map(|ratio| of(ratio).ln()).sum();
            (logarithms / ratios.len() as f64).exp()
        };
        (!ratios.is_empty()).then(|| Self {
            mpps: mean(|own| own.mpps),
            build_ms: mean(|own| own.build_ms),
            mem_bytes: mean(|own| own.mem_bytes),
        })
    }
}

impl Comparison {
    fn table(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(
            out,
            "{:22} {:14} {:>26} {:>28} {:>28} {:>6}",
            "trace",
            "engine",
            "million/s: ours peer ×",
            "build ms: ours peer ×",
            "MB: ours peer ×",
            "wrong"
        )?;
        for Cell { ours, peer, ratio } in &self.cells {
            let memory = ours.mem_bytes as f64 / 1e6;
            write!(out, "{:22} {:14}", ours.trace, ours.algorithm)?;
            let columns = [
                (ours.mpps, "mpps", 1.0, ratio.map(|own| own.mpps), 26),
                (ours.build_ms, "build_ms", 1.0, ratio.map(|own| own.build_ms), 28),
                (memory, "mem_bytes", 1e6, ratio.map(|own| own.mem_bytes), 28),
            ];
            for (ours, name, unit, ratio, width) in columns {
                let width = width - 17;
                match (peer, ratio) {
                    (Some(peer), Some(ratio)) => {
                        let peer = figure(peer, name) / unit;
                        write!(out, " {ours:>width$.2} {peer:>9.2} {ratio:>6.2}")?;
                    }
                    _ => write!(out, " {ours:>width$.2} {:>9} {:>6}", "-", "-")?,
                }
            }
            writeln!(out, " {:>6}", ours.mismatches)?;
        }
        let Some(mean) = &self.geometric_mean else { return Ok(()) };
        let Ratio { mpps, build_ms, mem_bytes } = mean;
        writeln!(
            out,
            "{:37} {mpps:>26.2} {build_ms:>28.3} {mem_bytes:>28.3}",
            "geometric mean of the ratios"
        )
    }
}

/// What the system calls its processor.
fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    name.map_or("unknown processor", |(_, name)| name.trim()).to_owned()
}

/// The first processor that this process may run on.
fn core() -> anyhow::Result<String> {
    let status = fs::read_to_string("/proc/self/status").context("compare needs Linux")?;
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let list = list.context("no list of processors in /proc/self/status")?.trim();
    Ok(list.split([',', '-']).next().unwrap_or("0").to_owned())
}
