//! `replay`: what the filters make of a capture's packets, or of flow records.

mod capture;
mod input;
mod judge;
mod records;
mod report;
mod table;
mod words;

use super::serve::WorldChoice;
use anyhow::Context;
use input::{Item, Source};
use judge::Manager;
use nsx_client::Remote;
use report::Report;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// What `replay` is told.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// A capture (pcap, pcapng), or flow records with the columns src, dst, proto, sport, dport and
    /// count (CSV with a header line, Parquet); `-` reads standard input. Which it is, its first
    /// bytes tell.
    file: String,
    /// Where the packets were seen: a logical port by id or name, a pod, or an address. Without it
    /// each packet meets the filters of the ports that have its addresses.
    #[arg(long)]
    port: Option<String>,
    /// Judge in this process by a world of its own, in place of asking a manager. Fastest; times of
    /// a capture are those of its connections.
    #[arg(long, value_name = "guide|empty|FILE")]
    world: Option<WorldChoice>,
    /// One JSON object a line for each packet, and one with the summary at the end.
    #[arg(long)]
    json: bool,
    /// The summary alone.
    #[arg(long)]
    summary: bool,
    /// How many of the denied flows the summary lists, those with most packets first; 0 lists all.
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    denied: usize,
    #[command(flatten)]
    remote: Remote,
}

/// What `--help` adds.
pub(super) const LONG_HELP: &str = "\
A capture's packets open and meet connections, at its own times where --world judges; a record is \
judged as the first packet of its conversation. Asks the manager at --url, by default the one at \
https://127.0.0.1:8443, or with --world one of its own.

Packets as they come, at a pod's port:
  tcpdump -U -w - | nsx-sim replay - --port y1/service-b-86d8c888c7-jpwf9

Flow records: columns in any order and case, separated by commas, semicolons or tabs; lines with # are \
comments. proto is a number or a name, sport may be left out, count too:
  src,dst,proto,dport,count
  172.15.23.3,172.15.9.4,tcp,8080,12
  nsx-sim replay flows.csv --world guide --summary

Parquet with the same columns is read plain and with snappy, gzip or lz4; with zstd or brotli:
  duckdb -csv -c \"FROM 'flows.parquet'\" | nsx-sim replay - --world guide

What would be denied, as JSON:
  nsx-sim replay flows.csv --world my.json --json --summary --denied 0 | jq '.summary.denied'

The exit code is 0 whatever the verdicts, also where the reader of the output leaves, and 2 where the \
input can not be read to its end; what came before that is told.";

/// Packets that are judged together.
const BATCH: usize = 2_000;
/// How often somebody who watches is told how far it is.
const TELL_EVERY: Duration = Duration::from_millis(500);

/// Judges all that the file holds. Whatever the verdicts, that is no error.
pub(super) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let source = input::open(&args.file).with_context(|| args.file.clone())?;
    let manager = match &args.world {
        Some(world) => Manager::local(&world.document()?, args.port.as_deref(), source.kind)?,
        None => Manager::remote(super::connect(args.remote)?, args.port.clone(), source.kind),
    };
    let out = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let mut report = Report::new(out, source.kind, args.json, args.summary);
    let mut progress = Progress::new();
    judge_all(source, &manager, &mut report, &mut progress).with_context(|| args.file.clone())?;
    progress.clear();
    report.finish(&manager, progress.begun.elapsed(), args.denied)?;
    Ok(ExitCode::SUCCESS)
}

fn judge_all(
    mut source: Source,
    manager: &Manager,
    report: &mut Report<impl Write>,
    progress: &mut Progress,
) -> anyhow::Result<()> {
    let mut batch: Vec<Item> = Vec::with_capacity(BATCH);
    loop {
        batch.clear();
        let mut broken = None;
        while batch.len() < BATCH && broken.is_none() {
            match source.items.next() {
                Some(Ok(item)) => batch.push(item),
                Some(Err(error)) => broken = Some(error),
                None => break,
            }
        }
        if !batch.is_empty() {
            let told = manager.judge(&batch)?;
            for (item, told) in batch.iter().zip(&told) {
                report.add(manager, item, told)?;
            }
            progress.tell(report.count());
        }
        match broken {
            // What came before it has been told.
            Some(error) => return report.flush().map_err(Into::into).and(Err(error)),
            None if batch.len() < BATCH => return Ok(()),
            None => {}
        }
    }
}

/// Tells somebody who watches standard error how far it is.
struct Progress {
    begun: Instant,
    told: Option<Instant>,
    watched: bool,
}

impl Progress {
    fn new() -> Self {
        Self { begun: Instant::now(), told: None, watched: io::stderr().is_terminal() }
    }

    fn tell(&mut self, count: u64) {
        let since = self.told.unwrap_or(self.begun);
        if self.watched && since.elapsed() >= TELL_EVERY {
            self.told = Some(Instant::now());
            let rate = words::per_second(count, self.begun.elapsed());
            let _ = write!(
                io::stderr(),
                "\r{} judged, {}/s\x1b[K",
                words::grouped(count),
                words::grouped(rate)
            );
        }
    }

    fn clear(&self) {
        if self.told.is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
