//! Benchmarks of the engines: on files, and in worlds by number.

mod classbench;
mod classify;
mod compare;
mod dfw;
mod grouped;
mod measure;

use std::process::ExitCode;

/// What is measured.
#[derive(clap::Subcommand, Debug)]
pub(super) enum Bench {
    /// The distributed firewall's own rules between groups, in a world by number: verdicts, how long
    /// changes take until readers see them, memory. Every timed verdict is checked first.
    #[command(after_help = "\
The largest that the product supports:
  nsx-sim bench dfw --rules 100000 --groups 20000 --pods 50000")]
    Dfw(dfw::Args),
    /// Classify a trace of headers and print one JSON object: how fast, how large, and how many
    /// answers are not the trace's.
    #[command(after_long_help = "\
FILTERS and TRACE are ClassBench files: filters `@SRC/LEN DST/LEN LO : HI LO : HI 0xPROTO/0xMASK`, \
headers `src dst sport dport proto rule match` in decimal, where `match` is the number of the first \
filter that matches (or -1); without it a linear scan tells.

With --grouped PREFIX the rules are in PREFIX.groups, PREFIX.svcs and PREFIX.rules instead:
  group N ADDRESS…
  service N PROTO LO HI …
  rule N src=G,…|any dst=G,…|any svc=S,…|any applied=G|any action=allow|drop")]
    Classify(classify::Args),
    /// Classify a trace with an engine and with DPDK's rte_acl by turns, and print both and the
    /// ratio. The peer is built from benches/rte_acl.
    Compare(compare::Args),
}

/// Runs one.
pub(super) fn run(bench: &Bench) -> anyhow::Result<ExitCode> {
    match bench {
        Bench::Dfw(args) => dfw::run(args),
        Bench::Classify(args) => classify::run(args),
        Bench::Compare(args) => compare::run(args),
    }
}
