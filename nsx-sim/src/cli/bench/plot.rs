//! Charts of what `compare` and `dfw` saved.

use super::chart::{Bar, Chart, Group, number};
use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What to draw.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// Results that `compare --save` or `dfw --save` wrote.
    #[arg(required = true, value_name = "RESULTS")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    marks: Marks,
}

/// Marks to hold results against.
#[derive(clap::Args, Debug)]
pub(super) struct Marks {
    /// What is wanted, drawn as marks: {"SET": {"mpps": {"times_peer": 2}}, "rule_in_ns_p50": {"is": 1000}}.
    #[arg(long, value_name = "FILE")]
    wanted: Option<PathBuf>,
}

/// Where results are kept.
#[derive(clap::Args, Debug)]
pub(super) struct Saved {
    /// Writes the results to this file as well, and charts of them (SVG) beside it.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    #[command(flatten)]
    marks: Marks,
}

impl Saved {
    /// Writes results and charts, if that is asked for.
    pub(super) fn keep(&self, results: &Value) -> anyhow::Result<()> {
        let Some(path) = &self.save else { return Ok(()) };
        let text = serde_json::to_string_pretty(results)? + "\n";
        fs::write(path, text).with_context(|| path.display().to_string())?;
        draw(path, results, &self.marks.read()?)?;
        Ok(())
    }
}

/// Draws all files, and names what came of it.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let wanted = args.marks.read()?;
    for path in &args.files {
        let shown = || path.display().to_string();
        let text = fs::read_to_string(path).with_context(shown)?;
        let results = serde_json::from_str(&text).with_context(shown)?;
        for drawn in draw(path, &results, &wanted).with_context(shown)? {
            writeln!(io::stdout(), "{}", drawn.display())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What is wanted of a figure: so many times the peer's, or so much.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    times_peer: Option<f64>,
    is: Option<f64>,
}

/// Marks by name: those of a set by figure, or one of a figure alone.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Named {
    Figure(Mark),
    Set(BTreeMap<String, Mark>),
}

type Wanted = BTreeMap<String, Named>;

impl Marks {
    fn read(&self) -> anyhow::Result<Wanted> {
        let Some(path) = &self.wanted else { return Ok(Wanted::new()) };
        let shown = || path.display().to_string();
        let text = fs::read_to_string(path).with_context(shown)?;
        serde_json::from_str(&text).with_context(shown)
    }
}

/// Draws one file's charts beside it.
fn draw(path: &Path, results: &Value, wanted: &Wanted) -> anyhow::Result<Vec<PathBuf>> {
    let charts = if let Some(cells) = results.get("cells").and_then(Value::as_array) {
        let processor = results.get("processor").and_then(Value::as_str).unwrap_or_default();
        FIGURES.map(|figure| (figure.file, figure.chart(cells, processor, wanted))).into()
    } else if results.get("single_ns_p50").is_some() {
        vec![("latency", latency(results, wanted))]
    } else {
        bail!("holds results of neither `bench compare --save` nor `bench dfw --save`");
    };
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let drawn = charts.into_iter().map(|(name, chart)| {
        let path = path.with_file_name(format!("{stem}-{name}.svg"));
        fs::write(&path, chart.svg()).with_context(|| path.display().to_string())?;
        Ok(path)
    });
    drawn.collect()
}

/// A figure of comparisons.
struct Figure {
    file: &'static str,
    key: &'static str,
    title: &'static str,
    logarithmic: bool,
    /// What one of the unit of the axis is in that of the results.
    unit: f64,
    more_is_better: bool,
}

const FIGURES: [Figure; 3] = [
    Figure {
        file: "throughput",
        key: "mpps",
        title: "Headers classified, million/s (more is better)",
        logarithmic: false,
        unit: 1.0,
        more_is_better: true,
    },
    Figure {
        file: "build",
        key: "build_ms",
        title: "Time to build the tables, ms (less is better)",
        logarithmic: true,
        unit: 1.0,
        more_is_better: false,
    },
    Figure {
        file: "memory",
        key: "mem_bytes",
        title: "Memory of the tables, MB (less is better)",
        logarithmic: true,
        unit: 1e6,
        more_is_better: false,
    },
];

impl Figure {
    fn chart(&self, cells: &[Value], processor: &str, wanted: &Wanted) -> Chart {
        let groups = cells.iter().map(|cell| self.group(cell, wanted)).collect();
        let notes =
            vec![format!("{processor}, one core; in brackets ours beside rte_acl's, in one run")];
        let series = vec!["nsx-sim", "DPDK rte_acl"];
        Chart { title: self.title.into(), notes, logarithmic: self.logarithmic, series, groups }
    }

    fn group(&self, cell: &Value, wanted: &Wanted) -> Group {
        let of = |side: &str| Some(cell.get(side)?.get(self.key)?.as_f64()? / self.unit);
        let text = |key: &str| cell.pointer(key).and_then(Value::as_str).unwrap_or("?");
        let set = text("/ours/ruleset");
        let (ours, peer) = (of("ours"), of("peer"));
        let mark = match wanted.get(set) {
            Some(Named::Set(figures)) => figures.get(self.key).copied().unwrap_or_default(),
            _ => Mark::default(),
        };
        let is = mark.is.map(|is| is / self.unit);
        let wanted = is.or_else(|| Some(mark.times_peer? * peer?));
        let short = |ours: f64, of: Option<f64>| {
            of.is_some_and(|of| if self.more_is_better { ours < of } else { ours > of })
        };
        let our_bar = ours.map(|value| Bar {
            value,
            label: match peer {
                Some(peer) if !self.more_is_better && value < peer => {
                    format!("{} ({}× less)", number(value), number(peer / value))
                }
                Some(peer) => format!("{} ({}×)", number(value), number(value / peer)),
                None => number(value),
            },
            wanted,
            missed: short(value, wanted) || short(value, peer),
        });
        let peer_bar =
            peer.map(|value| Bar { value, label: number(value), wanted: None, missed: false });
        let name = format!("{set} {}", text("/ours/algorithm").trim_end_matches(" headers"));
        Group { name, bars: vec![our_bar, peer_bar] }
    }
}

/// How long verdicts and changes take, by a result of `dfw`.
fn latency(results: &Value, wanted: &Wanted) -> Chart {
    const MEDIAN: &str = "_ns_p50";
    let figures = results.as_object().into_iter().flatten();
    let names = figures.filter_map(|(key, _)| key.strip_suffix(MEDIAN));
    let groups = names.map(|name| {
        let bar = |suffix: &str| {
            let key = format!("{name}{suffix}");
            let value = results.get(&key)?.as_f64()? / 1e3;
            let wanted = match wanted.get(&key) {
                Some(Named::Figure(mark)) => mark.is.map(|is| is / 1e3),
                _ => None,
            };
            let missed = wanted.is_some_and(|wanted| value > wanted);
            Some(Bar { value, label: number(value), wanted, missed })
        };
        Group { name: name.replace('_', " "), bars: vec![bar(MEDIAN), bar("_ns_p99")] }
    });
    let count = |key: &str| results.get(key).map(Value::to_string).unwrap_or_default();
    let [rules, groups_of, pods] = ["rules", "groups", "pods"].map(count);
    Chart {
        title: "A verdict, and changes until the call ends or a reader sees them, µs".into(),
        notes: vec![format!("{rules} rules, {groups_of} groups, {pods} pods")],
        logarithmic: true,
        series: vec!["median", "99th percentile"],
        groups: groups.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wanted() -> Wanted {
        let wanted = json!({
            "acl": {"mpps": {"times_peer": 2}, "mem_bytes": {"is": 1_000_000}},
            "rule_in_ns_p50": {"is": 1_000},
        });
        serde_json::from_value(wanted).expect("marks")
    }

    fn label(chart: &Chart, group: usize, bar: usize) -> (String, bool) {
        let bar = chart.groups[group].bars[bar].as_ref().expect("a bar");
        (bar.label.clone(), bar.missed)
    }

    #[test]
    fn a_figure_is_missed_below_the_mark_and_below_the_peer() {
        let cell = |set: &str, ours: f64| {
            json!({"ours": {"ruleset": set, "algorithm": "forest", "mpps": ours, "mem_bytes": 2e6},
                "peer": {"mpps": 10.0, "mem_bytes": 4e6}})
        };
        let cells = [cell("acl", 19.0), cell("acl", 21.0), cell("fw", 9.0), cell("fw", 11.0)];
        let chart = FIGURES[0].chart(&cells, "", &wanted());
        let told = [0, 1, 2, 3].map(|group| label(&chart, group, 0));
        let expected =
            [("19 (1.9×)", true), ("21 (2.1×)", false), ("9 (0.9×)", true), ("11 (1.1×)", false)];
        assert_eq!(told, expected.map(|(label, missed)| (label.to_owned(), missed)));
        let memory = FIGURES[2].chart(&cells, "", &wanted());
        assert_eq!(label(&memory, 0, 0), ("2 (2× less)".into(), true), "more than the mark allows");
        assert_eq!(label(&memory, 2, 0), ("2 (2× less)".into(), false));
    }

    #[test]
    fn a_cell_without_a_peer_has_one_bar() {
        let cell = json!({"ours": {"ruleset": "x", "algorithm": "bitmap headers", "mpps": 5.0}});
        let chart = FIGURES[0].chart(&[cell], "", &Wanted::new());
        assert_eq!(label(&chart, 0, 0), ("5".into(), false));
        assert!(chart.groups[0].bars[1].is_none());
        assert_eq!(chart.groups[0].name, "x bitmap");
    }

    #[test]
    fn latencies_are_in_microseconds_and_held_against_their_marks() {
        let results = json!({"single_ns_p50": 230, "single_ns_p99": 670, "rule_in_ns_p50": 2_000});
        let chart = latency(&results, &wanted());
        assert_eq!(label(&chart, 0, 0), ("0.23".into(), false));
        assert_eq!(label(&chart, 0, 1), ("0.67".into(), false));
        assert_eq!(label(&chart, 1, 0), ("2".into(), true));
        assert_eq!(chart.groups[1].name, "rule in");
    }
}
