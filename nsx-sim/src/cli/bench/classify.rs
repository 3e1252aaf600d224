//! One engine on one trace.

use super::measure::{Report, base, checked, passes};
use super::{classbench, grouped};
use anyhow::{Context, bail};
use dataplane::engine::tuple::{FlowCache, Header, HeaderClassifier, NONE, Scan};
use dataplane::engine::{Bitmap, Classifier};
use dataplane::{EngineKind, Key};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

/// How an engine is measured.
#[derive(clap::Args, Debug, Clone)]
pub(super) struct Options {
    /// The engine: auto, walk, crossed, paired, forest or bitmap. Unless told, the one that suits the rules.
    #[arg(long, value_name = "NAME")]
    engine: Option<EngineKind>,
    /// Headers that are handed over in one call.
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = batch)]
    batch: usize,
    /// Answers that are compared with the right ones; 0 for all.
    #[arg(long, value_name = "N", default_value_t = 0)]
    check: usize,
    /// Timed passes, of which the median counts.
    #[arg(long, value_name = "N", default_value_t = 5)]
    passes: usize,
    /// Puts a cache for this many flows before the engine. Of filters only.
    #[arg(long, value_name = "FLOWS")]
    cache: Option<usize>,
}

/// What to measure.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The filters and the trace; the trace alone with --grouped.
    #[arg(required = true, num_args = 1..=2, value_names = ["FILTERS", "TRACE"])]
    files: Vec<PathBuf>,
    /// Rules between groups, from PREFIX.groups, PREFIX.svcs and PREFIX.rules.
    #[arg(long, value_name = "PREFIX", conflicts_with = "cache")]
    grouped: Option<PathBuf>,
    /// Hands over headers of sixteen bytes, as with FILTERS, in place of whole packets. The engine
    /// bitmap takes them.
    #[arg(long, requires = "grouped")]
    headers: bool,
    #[command(flatten)]
    options: Options,
    /// Print the object on one line.
    #[arg(long)]
    json: bool,
}

/// Measures and prints.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let options = &args.options;
    let report = match (&args.grouped, &*args.files) {
        (Some(prefix), [trace]) if args.headers => options.grouped_headers(prefix, trace),
        (Some(prefix), [trace]) => options.grouped_packets(prefix, trace),
        (Some(_), _) => bail!("with --grouped the trace is the only file"),
        (None, [filters, trace]) => options.filters(filters, trace),
        (None, _) => bail!("a trace is needed beside the filters"),
    }?;
    let text = if args.json {
        serde_json::to_string(&report)?
    } else {
        serde_json::to_string_pretty(&report)?
    };
    writeln!(io::stdout(), "{text}")?;
    Ok(if report.mismatches == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn batch(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(0) => Err("a batch has at least one header".to_owned()),
        parsed => parsed.map_err(|error| error.to_string()),
    }
}

/// How an engine did.
struct Done {
    algorithm: String,
    rules: usize,
    build_ms: f64,
    memory: usize,
    speeds: Vec<f64>,
    packets: usize,
    wrong: usize,
}

impl Options {
    /// Filters and headers of ClassBench's formats.
    pub(super) fn filters(&self, filters_path: &Path, trace_path: &Path) -> anyhow::Result<Report> {
        let filters = classbench::filters(filters_path)?;
        let traced = classbench::trace(trace_path)?;
        let headers: Vec<Header> = traced.iter().map(|traced| traced.header).collect();
        let kind = self.engine.unwrap_or_default();
        let start = Instant::now();
        let engine = kind.build_for_headers(&filters).with_context(|| format!("engine {kind}"))?;
        let build_ms = start.elapsed().as_secs_f64() * 1e3;
        let kind = engine.kind();
        let mut cache = self.cache.map(|flows| FlowCache::new(flows, CACHE_SEED));
        let mut ranks = vec![NONE; headers.len()];
        let mut once = |ranks: &mut [u32]| {
            for (headers, ranks) in headers.chunks(self.batch).zip(ranks.chunks_mut(self.batch)) {
                match &mut cache {
                    Some(cache) => cache.classify_headers(&*engine, headers, ranks),
                    None => engine.classify_headers(headers, ranks),
                }
            }
        };
        once(&mut ranks);
        let scan = Scan::new(filters.clone());
        let right = |at: usize| {
            traced[at].rank.unwrap_or_else(|| {
                let mut rank = [NONE];
                scan.classify_headers(&headers[at..=at], &mut rank);
                rank[0]
            })
        };
        let wrong = |ranks: &[u32]| self.wrong(ranks.len(), |at| ranks[at] != right(at));
        let before = wrong(&ranks);
        let speeds = passes(self.passes, headers.len(), || once(&mut ranks));
        let done = Done {
            algorithm: if cache.is_some() { format!("{kind}+cache") } else { kind.to_string() },
            rules: filters.len(),
            build_ms,
            memory: engine.memory() + cache.as_ref().map_or(0, FlowCache::memory),
            speeds,
            packets: headers.len(),
            // Once more after the passes: a cache answers then.
            wrong: before.max(wrong(&ranks)),
        };
        Ok(self.told(filters_path, trace_path, done))
    }

    /// Rules between groups and whole packets, as the plane has them.
    fn grouped_packets(&self, prefix: &Path, trace_path: &Path) -> anyhow::Result<Report> {
        let grouped::Grouped { rules, sets } = grouped::read(prefix)?;
        let traced = grouped::trace(trace_path)?;
        let keys: Vec<Key<'_>> = traced.iter().map(grouped::Traced::key).collect();
        let kind = self.engine.unwrap_or_default();
        let start = Instant::now();
        let mut engine =
            kind.build(Arc::clone(&rules)).with_context(|| format!("engine {kind}"))?;
        engine.learn(&sets);
        let build_ms = start.elapsed().as_secs_f64() * 1e3;
        let mut answers = Vec::with_capacity(self.batch);
        let mut found = Vec::with_capacity(keys.len());
        for keys in keys.chunks(self.batch) {
            engine.classify_batch(&sets, keys, &mut answers);
            found.append(&mut answers);
        }
        let oracle = grouped::Oracle::new(&rules, &sets);
        let wrong = self.wrong(keys.len(), |at| found[at] != oracle.right(&traced[at]));
        let speeds = passes(self.passes, keys.len(), || {
            for keys in keys.chunks(self.batch) {
                engine.classify_batch(&sets, keys, &mut answers);
            }
        });
        let (rules, packets, memory) = (rules.len(), keys.len(), engine.memory());
        let algorithm = kind.to_string();
        let done = Done { algorithm, rules, build_ms, memory, speeds, packets, wrong };
        Ok(self.told(prefix, trace_path, done))
    }

    /// Rules between groups and headers, as the peers' harness times them.
    pub(super) fn grouped_headers(
        &self,
        prefix: &Path,
        trace_path: &Path,
    ) -> anyhow::Result<Report> {
        if !matches!(self.engine.unwrap_or_default(), EngineKind::Auto | EngineKind::Bitmap) {
            bail!("of rules between groups only the engine bitmap takes headers");
        }
        let grouped::Grouped { rules, sets } = grouped::read(prefix)?;
        let traced = grouped::trace(trace_path)?;
        let headers = classbench::trace(trace_path)?;
        let headers: Vec<Header> = headers.iter().map(|traced| traced.header).collect();
        let start = Instant::now();
        let mut engine = Bitmap::new(Arc::clone(&rules))?;
        engine.learn(&sets);
        let build_ms = start.elapsed().as_secs_f64() * 1e3;
        let mut ranks = vec![NONE; headers.len()];
        let speeds = passes(self.passes, headers.len(), || {
            for (headers, ranks) in headers.chunks(self.batch).zip(ranks.chunks_mut(self.batch)) {
                engine.classify_headers(headers, ranks);
            }
        });
        let oracle = grouped::Oracle::new(&rules, &sets);
        let place = |rank: u32| (rank != NONE).then_some(rank as usize);
        let done = Done {
            algorithm: format!("{} headers", EngineKind::Bitmap),
            rules: rules.len(),
            build_ms,
            memory: HeaderClassifier::memory(&engine),
            speeds,
            packets: headers.len(),
            wrong: self.wrong(headers.len(), |at| place(ranks[at]) != oracle.right(&traced[at])),
        };
        Ok(self.told(prefix, trace_path, done))
    }

    /// How many of the answers that are looked at are wrong.
    fn wrong(&self, answers: usize, is_wrong: impl Fn(usize) -> bool) -> usize {
        checked(self.check, answers).filter(|at| is_wrong(*at)).count()
    }

    fn told(&self, rules_path: &Path, trace_path: &Path, done: Done) -> Report {
        let at = |place: usize| done.speeds.get(place).copied().unwrap_or_default();
        Report {
            ruleset: base(rules_path),
            trace: base(trace_path),
            rules: done.rules,
            packets: done.packets,
            batch: self.batch,
            build_ms: done.build_ms,
            mem_bytes: done.memory,
            mpps: at(done.speeds.len() / 2),
            mpps_min: at(0),
            mpps_max: at(done.speeds.len().saturating_sub(1)),
            checked: checked(self.check, done.packets).count(),
            mismatches: done.wrong,
            algorithm: done.algorithm,
        }
    }
}

/// Keys the cache's hash. Measurements use the same one every time.
const CACHE_SEED: u64 = 1;
