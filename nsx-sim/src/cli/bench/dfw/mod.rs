//! `bench dfw`: the distributed firewall's own rules, in a world by number.
#![allow(clippy::cast_precision_loss)] // Rates have no sixteen digits.

mod changes;
mod oracle;
mod readers;

use super::measure::progress;
use super::plot::Saved;
use anyhow::ensure;
use dataplane::{
    AddressSets, Config, Dataplane, Direction, Member, Packet, Publisher, RuleProgram, ScopeId,
    SetId, VnicId,
};
use fixtures::grouped::{Families, Size, World};
use oracle::Oracle;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How many packets are timed; each is judged at both vNICs.
const PACKETS: usize = 65_536;
/// How many verdicts are timed one by one.
const SINGLES: usize = 50_000;

/// How large a world, and how much of it changes.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// Rules, in sections of 8, the default rule among them.
    #[arg(long, default_value_t = 1_000, value_name = "N", value_parser = clap::value_parser!(u32).range(16..))]
    rules: u32,
    /// Groups of pods.
    #[arg(long, default_value_t = 400, value_name = "N", value_parser = clap::value_parser!(u32).range(16..))]
    groups: u32,
    /// Pods, each with a vNIC.
    #[arg(long, default_value_t = 2_000, value_name = "N", value_parser = clap::value_parser!(u32).range(16..))]
    pods: u32,
    /// The addresses of pods; of `mixed` one pod in sixteen has IPv6.
    #[arg(long, default_value = "mixed", value_enum)]
    family: Family,
    /// Changes of members, and as many of rules: while nobody judges, and until a reader sees them.
    #[arg(long, default_value_t = 2_000, value_name = "N")]
    churn: u32,
    /// Changes a second while a reader judges, in slices of 40 ms with and without: members for a second,
    /// and rules for another.
    #[arg(long, default_value_t = 10_000, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rate: u32,
    /// The same seed and numbers make the same world.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    saved: Saved,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Which addresses pods have.
#[derive(clap::ValueEnum, Clone, Copy, Debug)]
enum Family {
    V4,
    V6,
    Mixed,
}

impl From<Family> for Families {
    fn from(family: Family) -> Self {
        match family {
            Family::V4 => Self::V4,
            Family::V6 => Self::V6,
            Family::Mixed => Self::Mixed,
        }
    }
}

type Asked<'p> = (VnicId, Direction, &'p Packet);

/// How many nanoseconds changes of each sort took.
type Times = BTreeMap<&'static str, Vec<u64>>;

/// Makes the world, checks, measures and prints.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let size = Size { rules: args.rules, groups: args.groups, pods: args.pods };
    progress(format_args!("{} rules, {} groups, {} pods", args.rules, args.groups, args.pods));
    let mut world = World::new(size, args.family.into(), args.seed);
    let before = resident();
    let (plane, sets, compile) = realize(&world);
    let memory = resident().saturating_sub(before);
    let mut oracle = Oracle::new(&world, sets);
    let packets: Vec<_> = (0..PACKETS).map(|_| world.packet()).collect();
    let asked: Vec<Asked<'_>> = packets
        .iter()
        .flat_map(|(from, to, packet)| {
            [(*from, Direction::Out, packet), (*to, Direction::In, packet)]
        })
        .collect();
    let mut verdicts = Vec::with_capacity(asked.len());
    progress(format_args!("each of {} verdicts against the walk's", asked.len()));
    plane.judge_batch(&asked, &mut verdicts);
    ensure!(oracle.check(&asked, &verdicts) == 0, "verdicts differ from the walk's");

    progress(format_args!("verdicts in batches, and one by one"));
    let batched = rate(|| {
        plane.judge_batch(black_box(&asked), &mut verdicts);
        asked.len()
    });
    let mut single: Vec<u64> = asked
        .iter()
        .take(SINGLES)
        .map(|(vnic, direction, packet)| {
            let start = Instant::now();
            black_box(plane.judge(*vnic, *direction, packet));
            nanos(start.elapsed())
        })
        .collect();

    let mut publisher = Publisher::new(plane);
    let reader = publisher.reader();
    let mut times = Times::new();
    progress(format_args!("{} changes of members and of rules, nobody reads", args.churn));
    changes::churn(&mut publisher, &mut world, &mut oracle, args.churn, &mut times);
    let mut same_as_walk = |oracle: &Oracle| {
        progress(format_args!("each verdict against the walk's"));
        reader.plane().judge_batch(&asked, &mut verdicts);
        ensure!(
            oracle.check(&asked, &verdicts) == 0,
            "verdicts differ from the walk's after changes"
        );
        Ok(())
    };
    same_as_walk(&oracle)?;
    progress(format_args!("as many, until a reader sees them"));
    readers::until_seen(&mut publisher, &asked, &world, args.churn, &mut times)?;
    progress(format_args!("a reader, and {} changes a second", args.rate));
    let [members, rules] =
        readers::under_change(&mut publisher, &asked, &mut world, args.rate, &mut times);
    same_as_walk(&oracle)?;

    let [single_p50, single_p99] = percentiles(&mut single);
    let mut report = serde_json::json!({
        "rules": args.rules, "groups": args.groups, "pods": args.pods, "seed": args.seed,
        "family": format!("{:?}", args.family).to_lowercase(),
        "compile_ms": compile.as_secs_f64() * 1e3,
        "memory_mib": memory / 1024,
        "checked": asked.len(), "mismatches": 0,
        "million_verdicts_per_s": batched / 1e6,
        "single_ns_p50": single_p50, "single_ns_p99": single_p99,
        "million_reader_verdicts_per_s_alone": f64::midpoint(members.alone, rules.alone) / 1e6,
        "million_reader_verdicts_per_s_while_members_change": members.beside.verdicts / 1e6,
        "million_reader_verdicts_per_s_while_rules_change": rules.beside.verdicts / 1e6,
        "reader_slowdown_percent_while_members_change": 100.0 * members.lost,
        "reader_slowdown_percent_while_rules_change": 100.0 * rules.lost,
        "changes_per_s_of_members": members.beside.changes,
        "changes_per_s_of_rules": rules.beside.changes,
    });
    for (name, mut times) in times {
        let [p50, p99] = percentiles(&mut times);
        report[format!("{name}_ns_p50")] = p50.into();
        report[format!("{name}_ns_p99")] = p99.into();
    }
    args.saved.keep(&report)?;
    print(&report, args.json)?;
    Ok(ExitCode::SUCCESS)
}

fn print(report: &serde_json::Value, json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        return writeln!(out, "{report}");
    }
    for (name, value) in report.as_object().into_iter().flatten() {
        match (value.as_f64().filter(|_| value.is_f64()), value.as_str()) {
            (Some(number), _) => writeln!(out, "{name:50} {number:.3}")?,
            (None, Some(text)) => writeln!(out, "{name:50} {text}")?,
            (None, None) => writeln!(out, "{name:50} {value}")?,
        }
    }
    Ok(())
}

/// A plane with the world in force, its sets once more for the oracle, and how long the rules took.
fn realize(world: &World) -> (Dataplane, AddressSets, Duration) {
    let mut plane = Dataplane::new(Config::default());
    let mut sets = AddressSets::default();
    for (group, pods) in (0..).zip(&world.groups) {
        for pod in pods {
            let member = Member::from(world.pods[*pod as usize]);
            plane.add_member(SetId(group), member);
            sets.add(SetId(group), member);
        }
    }
    for (set, member) in &world.outside {
        plane.add_member(*set, *member);
        sets.add(*set, *member);
    }
    for (pod, address) in (0..).map(VnicId).zip(&world.pods) {
        plane.add_vnic(pod);
        plane.set_vnic_address(pod, Some(*address));
    }
    for (group, pods) in (0..).zip(&world.groups) {
        for pod in pods {
            plane.join(ScopeId(group), VnicId(*pod));
        }
    }
    let program: RuleProgram = world.rules.iter().cloned().collect();
    let start = Instant::now();
    plane.load(program);
    (plane, sets, start.elapsed())
}

/// The median of how many things a second are done, over passes of at least 50 ms.
fn rate(mut pass: impl FnMut() -> usize) -> f64 {
    median((0..7).map(|_| {
        let (start, mut done) = (Instant::now(), 0);
        while start.elapsed() < Duration::from_millis(50) {
            done += pass();
        }
        done as f64 / start.elapsed().as_secs_f64()
    }))
}

/// The one in the middle; 0 of none.
fn median(of: impl Iterator<Item = f64>) -> f64 {
    let mut all: Vec<f64> = of.collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or_default()
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn percentiles(times: &mut [u64]) -> [u64; 2] {
    times.sort_unstable();
    [50, 99].map(|percent| times.get(times.len() * percent / 100).copied().unwrap_or(0))
}

/// KiB of memory that the process has in use; 0 where the system does not tell.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
