//! `bench dfw`: the distributed firewall's own rules, in a world by number.
#![allow(clippy::cast_precision_loss)] // Rates have no sixteen digits.

use anyhow::ensure;
use dataplane::{
    AddressSets, AppliedTo, Config, Dataplane, Direction, Edit, Evidence, Key, Member, Packet,
    Publisher, Reader, Rule, RuleId, RuleProgram, ScopeId, SetId, Verdict, VnicId,
};
use fixtures::grouped::{Size, World};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How many packets are timed; each is judged at both vNICs.
const PACKETS: usize = 65_536;
/// How many packets a reader judges by one state of the plane.
const READ_AT_ONCE: usize = 64;
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
    /// Changes of members, and as many of rules, while a reader judges.
    #[arg(long, default_value_t = 2_000, value_name = "N")]
    churn: u32,
    /// The same seed and numbers make the same world.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// What judges by walking: the oracle.
struct Oracle {
    sets: AddressSets,
    rules: BTreeMap<usize, Rule>,
    scopes: Vec<Vec<ScopeId>>,
    everywhere: Vec<usize>,
    by_scope: BTreeMap<ScopeId, Vec<usize>>,
}

impl Oracle {
    fn new(world: &World, sets: AddressSets) -> Self {
        let mut scopes = vec![Vec::new(); world.pods.len()];
        for (group, pods) in (0..).zip(&world.groups) {
            for pod in pods {
                scopes[*pod as usize].push(ScopeId(group));
            }
        }
        let (mut everywhere, mut by_scope) = (Vec::new(), BTreeMap::<_, Vec<_>>::new());
        for (at, rule) in world.rules.iter().enumerate() {
            match &rule.applied_to {
                AppliedTo::Everywhere => everywhere.push(at),
                AppliedTo::OneOf { scopes, .. } => {
                    for scope in scopes {
                        by_scope.entry(*scope).or_default().push(at);
                    }
                }
            }
        }
        let rules = world.rules.iter().cloned().enumerate().collect();
        Self { sets, rules, scopes, everywhere, by_scope }
    }

    fn judge(&self, (vnic, direction, packet): (VnicId, Direction, &Packet)) -> Evidence {
        let key = Key { direction, packet };
        let first = |places: &[usize], below: usize| {
            let places = places.iter().take_while(|at| **at < below);
            places
                .copied()
                .find(|at| self.rules.get(at).is_some_and(|rule| rule.matches(&self.sets, key)))
        };
        let scopes = self.scopes.get(vnic.0 as usize).into_iter().flatten();
        let own = scopes.filter_map(|scope| self.by_scope.get(scope));
        let best = own.fold(usize::MAX, |best, places| first(places, best).unwrap_or(best));
        let best = first(&self.everywhere, best).unwrap_or(best);
        self.rules.get(&best).map_or(Evidence::NoRule, |rule| Evidence::Rule(rule.id))
    }

    fn check(&self, asked: &[Asked<'_>], verdicts: &[Verdict]) -> usize {
        let wrong = |(asked, own): &(&Asked<'_>, &Verdict)| self.judge(**asked) != own.by;
        asked.iter().zip(verdicts).filter(wrong).count()
    }
}

type Asked<'p> = (VnicId, Direction, &'p Packet);

/// Makes the world, checks, measures and prints.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let size = Size { rules: args.rules, groups: args.groups, pods: args.pods };
    let mut world = World::new(size, args.seed);
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
    plane.judge_batch(&asked, &mut verdicts);
    ensure!(oracle.check(&asked, &verdicts) == 0, "verdicts differ from the walk's");

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
            nanos(start)
        })
        .collect();

    let mut publisher = Publisher::new(plane);
    let reader = publisher.reader();
    let mut times = Times::new();
    churn(&mut publisher, &mut world, &mut oracle, args.churn, &mut times);
    reader.plane().judge_batch(&asked, &mut verdicts);
    ensure!(oracle.check(&asked, &verdicts) == 0, "verdicts differ from the walk's after changes");
    let rates = readers_under_change(&mut publisher, &reader, &asked, &mut world, &mut times);
    reader.plane().judge_batch(&asked, &mut verdicts);
    ensure!(oracle.check(&asked, &verdicts) == 0, "verdicts differ from the walk's after changes");

    let [single_p50, single_p99] = percentiles(&mut single);
    let mut report = serde_json::json!({
        "rules": args.rules, "groups": args.groups, "pods": args.pods, "seed": args.seed,
        "compile_ms": compile.as_secs_f64() * 1e3,
        "memory_mib": memory / 1024,
        "checked": asked.len(), "mismatches": 0,
        "million_verdicts_per_s": batched / 1e6,
        "single_ns_p50": single_p50, "single_ns_p99": single_p99,
    });
    for (name, rate) in &rates {
        report[format!("million_reader_verdicts_per_s_{name}")] = (rate / 1e6).into();
    }
    for (name, mut times) in times {
        let [p50, p99] = percentiles(&mut times);
        report[format!("{name}_ns_p50")] = p50.into();
        report[format!("{name}_ns_p99")] = p99.into();
    }
    print(&report, args.json)?;
    Ok(ExitCode::SUCCESS)
}

fn print(report: &serde_json::Value, json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        return writeln!(out, "{report}");
    }
    for (name, value) in report.as_object().into_iter().flatten() {
        match value.as_f64().filter(|_| value.is_f64()) {
            Some(number) => writeln!(out, "{name:36} {number:.3}")?,
            None => writeln!(out, "{name:36} {value}")?,
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
    for pod in (0..).map(VnicId).take(world.pods.len()) {
        plane.add_vnic(pod);
    }
    for (group, pods) in (0..).zip(&world.groups) {
        for pod in pods {
            plane.join(ScopeId(group), VnicId(*pod));
        }
    }
    let program = RuleProgram { rules: world.rules.clone() };
    let start = Instant::now();
    plane.load(program);
    (plane, sets, start.elapsed())
}

/// How long changes of each sort took until readers saw them.
type Times = BTreeMap<&'static str, Vec<u64>>;

/// Makes changes of members and rules, each published by itself, while nobody reads. What the publisher
/// has to do between changes is not timed.
fn churn(
    publisher: &mut Publisher,
    world: &mut World,
    oracle: &mut Oracle,
    changes: u32,
    times: &mut Times,
) {
    for _ in 0..changes {
        let (group, pod) = world.another_membership();
        let (set, member) = (SetId(group), Member::from(world.pods[pod as usize]));
        if oracle.sets.add(set, member) {
            publish(publisher, Edit::AddMember(set, member), "member_in", times);
        } else {
            oracle.sets.remove(set, &member);
            oracle.sets.remove(set, &member);
            // Counted twice by the attempt to add.
            publish(publisher, Edit::RemoveMember(set, member), "member_out", times);
        }
        while publisher.tend() {}
    }
    // A rule comes before another and goes again; at the end all is as it was.
    for number in 0..changes {
        let (edit, id) = another_rule(world, number);
        publish(publisher, edit, "rule_in", times);
        while publisher.tend() {}
        publish(publisher, Edit::RemoveRule(id), "rule_out", times);
        while publisher.tend() {}
    }
}

/// A rule like the others before one of them.
fn another_rule(world: &mut World, number: u32) -> (Edit, RuleId) {
    let id = RuleId(u64::from(u32::MAX) + u64::from(number));
    let rule = Arc::new(world.another_rule(id.0));
    let before = RuleId(u64::from(world.another_membership().1) % world.rules.len() as u64);
    (Edit::InsertRule { rule, before: Some(before) }, id)
}

fn publish(publisher: &mut Publisher, edit: Edit, sort: &'static str, times: &mut Times) {
    let edits = vec![edit];
    let start = Instant::now();
    publisher.publish(edits);
    times.entry(sort).or_default().push(nanos(start));
}

/// Verdicts a second of a reader by itself, and while 10,000 members or rules a second come and go.
fn readers_under_change(
    publisher: &mut Publisher,
    reader: &Reader,
    asked: &[Asked<'_>],
    world: &mut World,
    times: &mut Times,
) -> [(&'static str, f64); 3] {
    let (stop, judged) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut verdicts = Vec::with_capacity(READ_AT_ONCE);
            for some in asked.chunks(READ_AT_ONCE).cycle() {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                reader.plane().judge_batch(some, &mut verdicts);
                judged.fetch_add(some.len() as u64, Ordering::Relaxed);
            }
        });
        let mut number = 0;
        let mut over = |change: &mut dyn FnMut(&mut Publisher, u32)| {
            let (start, before) = (Instant::now(), judged.load(Ordering::Relaxed));
            let mut next = Duration::ZERO;
            while start.elapsed() < Duration::from_secs(1) || number % 2 == 1 {
                if start.elapsed() < next {
                    if !publisher.tend() {
                        std::hint::spin_loop();
                    }
                    continue;
                }
                change(publisher, number);
                number += 1;
                next += Duration::from_micros(100);
            }
            let judged = judged.load(Ordering::Relaxed) - before;
            judged as f64 / start.elapsed().as_secs_f64()
        };
        let alone = over(&mut |_, _| {});
        let mut own = None;
        let members = over(&mut |publisher, _| match own.take() {
            Some((set, member)) => {
                let edit = Edit::RemoveMember(set, member);
                publish(publisher, edit, "member_out_while_read", times);
            }
            None => {
                let (group, pod) = world.another_membership();
                let (set, member) = (SetId(group), Member::from(world.pods[pod as usize]));
                publish(publisher, Edit::AddMember(set, member), "member_in_while_read", times);
                own = Some((set, member));
            }
        });
        let mut own = None;
        let rules = over(&mut |publisher, number| match own.take() {
            Some(id) => {
                publish(publisher, Edit::RemoveRule(id), "rule_out_while_read", times);
            }
            None => {
                let (edit, id) = another_rule(world, number);
                publish(publisher, edit, "rule_in_while_read", times);
                own = Some(id);
            }
        });
        stop.store(true, Ordering::Relaxed);
        [("alone", alone), ("while_members_change", members), ("while_rules_change", rules)]
    })
}

/// The median of how many things a second are done, over passes of at least 50 ms.
fn rate(mut pass: impl FnMut() -> usize) -> f64 {
    let mut rates: Vec<f64> = (0..7)
        .map(|_| {
            let (start, mut done) = (Instant::now(), 0);
            while start.elapsed() < Duration::from_millis(50) {
                done += pass();
            }
            done as f64 / start.elapsed().as_secs_f64()
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

fn nanos(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
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
