//! Benchmarks of the engines: on files, and in worlds by number.

mod chart;
mod classbench;
mod classify;
mod compare;
mod dfw;
mod grouped;
mod make;
mod measure;
mod plot;
mod sets;

use std::process::ExitCode;

/// What is measured.
#[derive(clap::Subcommand, Debug)]
pub(super) enum Bench {
    /// The distributed firewall's own rules between groups, in a world by number: verdicts, how long
    /// changes take until readers see them, memory. Every timed verdict is checked first.
    #[command(after_long_help = "\
The largest that the product supports:
  nsx-sim bench dfw --rules 100000 --groups 20000 --pods 50000

What the object says, times in nanoseconds as median (…_p50) and 99th percentile (…_p99):
  compile_ms, memory_mib           loading the rules, and what all of the plane takes
  million_verdicts_per_s           in batches, two to a packet: at its sender and its receiver
  single_ns                        one verdict in a call of its own
  member_in_ns, member_out_ns      an address into a group and out of it: the call, at whose end
  rule_in_ns, rule_out_ns          readers see it; a rule before another, and gone
  …_while_read_ns                  the same, while a thread judges, at --rate changes a second
  …_until_seen_ns                  from the call until a thread, which judges 64 packets at a time,
                                   has the changed verdict in hand
  million_reader_verdicts_per_s_…  what that thread does alone and while members or rules change
  reader_slowdown_percent_…        what it loses by that: the median of slices of 40 ms, each beside
                                   the one before, without changes
  changes_per_s_of_…               the changes that were made meanwhile")]
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
  rule N src=G,…|any dst=G,…|any svc=S,…|any applied=G|any action=allow|drop

The exit code is 1 where an answer is wrong.")]
    Classify(classify::Args),
    /// Classify traces with an engine and with DPDK's rte_acl by turns, and print both and the
    /// ratios. The peer is built from benches/rte_acl.
    #[command(after_long_help = "\
All sets of a directory, with charts of the results beside them:
  make -C benches/rte_acl
  taskset -c 1 nsx-sim bench compare sets/ --save docs/plots/compare.json

A directory has filters X with traces X.inside (or of another --trace), and rules between groups as \
X.groups, X.svcs and X.rules; the peer takes part in these where X and X.map hold the same multiplied \
out. The exit code is 1 where an answer of ours is wrong.")]
    Compare(compare::Args),
    /// Write lists of filters and traces made from a seed, in the formats that `classify` and `compare` read.
    #[command(after_long_help = "\
  nsx-sim bench make sets/ --filters 1000,10000
  nsx-sim bench classify sets/acl_1k sets/acl_1k.inside

The lists are in the manner of ClassBench's seeds, which are not free for every use and not part of this \
program. Of each there are two traces: X.inside, whose every header is drawn from a random filter, and \
X.zipf, the same flows by Zipf's law. What matches first is told by a scan of all filters. Files that are \
there are left as they are, with an error.")]
    Make(make::Args),
    /// Draw charts (SVG) of what `compare --save` and `dfw --save` wrote, beside their files.
    Plot(plot::Args),
}

/// Runs one.
pub(super) fn run(bench: &Bench) -> anyhow::Result<ExitCode> {
    match bench {
        Bench::Dfw(args) => dfw::run(args),
        Bench::Classify(args) => classify::run(args),
        Bench::Compare(args) => compare::run(args),
        Bench::Make(args) => make::run(args),
        Bench::Plot(args) => plot::run(args),
    }
}
