//! One engine on one trace.

use super::grouped::Stated;
use super::measure::{Report, base, checked, passes};
use super::{classbench, grouped};
use anyhow::{Context, bail};
use dataplane::engine::tuple::{FlowCache, Header, HeaderClassifier, NONE, Scan};
use dataplane::{Direction, EngineKind, Key};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

/// What to measure and how.
#[derive(clap::Args, Debug, Clone)]
pub(in crate::cli) struct Args {
    /// The filters and the trace; the trace alone with --grouped.
    #[arg(required = true, num_args = 1..=2, value_names = ["FILTERS", "TRACE"])]
    files: Vec<PathBuf>,
    /// Rules between groups, from PREFIX.groups, PREFIX.svcs and PREFIX.rules.
    #[arg(long, value_name = "PREFIX")]
    grouped: Option<PathBuf>,
    /// The engine: walk, crossed, paired, forest … Unless told, the one that suits the number of rules.
    #[arg(long, value_name = "NAME")]
    engine: Option<EngineKind>,
    /// Headers that are handed over in one call.
    #[arg(long, value_name = "N", default_value_t = 256)]
    batch: usize,
    /// Answers that are compared with the right ones; 0 for all.
    #[arg(long, value_name = "N", default_value_t = 0)]
    check: usize,
    /// Timed passes, of which the median counts.
    #[arg(long, value_name = "N", default_value_t = 5)]
    passes: usize,
    /// Puts a cache for this many flows before the engine. FILTERS only.
    #[arg(long, value_name = "FLOWS", conflicts_with = "grouped")]
    cache: Option<usize>,
    /// Print the object on one line.
    #[arg(long)]
    json: bool,
}

/// Measures and prints.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let report = args.report()?;
    let text = if args.json {
        serde_json::to_string(&report)?
    } else {
        serde_json::to_string_pretty(&report)?
    };
    writeln!(io::stdout(), "{text}")?;
    Ok(if report.mismatches == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Args {
    /// Measures.
    pub(super) fn report(&self) -> anyhow::Result<Report> {
        if self.batch == 0 {
            bail!("--batch must be at least 1");
        }
        match (&self.grouped, &*self.files) {
            (Some(prefix), [trace]) => self.grouped(prefix, trace),
            (Some(_), _) => bail!("with --grouped the trace is the only file"),
            (None, [filters, trace]) => self.filters(filters, trace),
            (None, _) => bail!("a trace is needed beside the filters"),
        }
    }

    /// The filters' and the trace's file, where both are given.
    pub(super) fn pair(&self) -> Option<(&Path, &Path)> {
        match (&self.grouped, &*self.files) {
            (None, [filters, trace]) => Some((filters, trace)),
            _ => None,
        }
    }

    fn filters(&self, filters_path: &Path, trace_path: &Path) -> anyhow::Result<Report> {
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
        let wrong = |ranks: &[u32]| {
            checked(self.check, ranks.len()).filter(|&at| ranks[at] != right(at)).count()
        };
        let before = wrong(&ranks);
        let speeds = passes(self.passes, headers.len(), || once(&mut ranks));
        // Once more after the passes: a cache answers then.
        let mismatches = before.max(wrong(&ranks));
        let cached = self.cache.map_or(0, |_| 1);
        let memory = engine.memory() + cache.as_ref().map_or(0, FlowCache::memory);
        let name = if cached == 1 { format!("{kind}+cache") } else { kind.to_string() };
        Ok(self
            .told(filters_path, trace_path, filters.len(), name, build_ms, memory, &speeds)
            .answered(headers.len(), checked(self.check, headers.len()).count(), mismatches))
    }

    fn grouped(&self, prefix: &Path, trace_path: &Path) -> anyhow::Result<Report> {
        let grouped::Grouped { rules, sets } = grouped::read(prefix)?;
        let traced = grouped::trace(trace_path)?;
        let packets = traced.iter().map(|traced| &traced.packet);
        let keys: Vec<Key<'_>> =
            packets.map(|packet| Key { direction: Direction::Out, packet }).collect();
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
        let walk = EngineKind::Walk.build_or_walk(Arc::clone(&rules));
        let right = |at: usize| match traced[at].stated {
            Stated::Answer(rule) => rule,
            Stated::Nothing => walk.classify(&sets, keys[at]),
        };
        let wrong = checked(self.check, keys.len()).filter(|&at| found[at] != right(at)).count();
        let speeds = passes(self.passes, keys.len(), || {
            for keys in keys.chunks(self.batch) {
                engine.classify_batch(&sets, keys, &mut answers);
            }
        });
        let memory = engine.memory();
        let name = kind.to_string();
        Ok(self.told(prefix, trace_path, rules.len(), name, build_ms, memory, &speeds).answered(
            keys.len(),
            checked(self.check, keys.len()).count(),
            wrong,
        ))
    }

    #[allow(clippy::too_many_arguments)] // a report's members
    fn told(
        &self,
        rules_path: &Path,
        trace_path: &Path,
        rules: usize,
        algorithm: String,
        build_ms: f64,
        mem_bytes: usize,
        speeds: &[f64],
    ) -> Report {
        let at = |place: usize| speeds.get(place).copied().unwrap_or_default();
        Report {
            ruleset: base(rules_path),
            trace: base(trace_path),
            rules,
            packets: 0,
            algorithm,
            batch: self.batch,
            build_ms,
            mem_bytes,
            mpps: at(speeds.len() / 2),
            mpps_min: at(0),
            mpps_max: at(speeds.len().saturating_sub(1)),
            checked: 0,
            mismatches: 0,
        }
    }
}

/// Keys the cache's hash. Measurements use the same one every time.
const CACHE_SEED: u64 = 1;

impl Report {
    fn answered(self, packets: usize, checked: usize, mismatches: usize) -> Self {
        Self { packets, checked, mismatches, ..self }
    }
}
