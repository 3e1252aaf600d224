//! Files of filters and traces, made from a seed.

use super::classbench;
use super::measure::progress;
use anyhow::{Context, bail};
use dataplane::engine::tuple::{Header, HeaderClassifier, NONE, Scan};
use fixtures::tuples::{self, Profile};
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What to make, and where.
#[derive(clap::Args, Debug)]
pub(in crate::cli) struct Args {
    /// The directory of the files; it is made where it is not there.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Sorts of lists: acl (both ends specific), fw (one end open), ipc (prefixes of all lengths).
    #[arg(long, value_name = "NAME", value_delimiter = ',', default_value = "acl,fw,ipc")]
    profiles: Vec<Profile>,
    /// Filters of a list.
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "1000,10000,100000")]
    filters: Vec<u32>,
    /// Headers of a trace.
    #[arg(long, value_name = "N", default_value_t = 131_072)]
    headers: usize,
    /// The same seed makes the same files.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// Writes each list and its traces, and prints the names of the lists.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if args.filters.contains(&0) {
        bail!("a list has at least one filter");
    }
    let directory = &args.directory;
    fs::create_dir_all(directory).with_context(|| directory.display().to_string())?;
    for count in &args.filters {
        for profile in &args.profiles {
            let name = format!("{}_{}", profile.name(), short(*count));
            let list = directory.join(&name);
            progress(format_args!("{name}: {count} filters, {} headers", args.headers));
            let filters = tuples::filters(*profile, *count, args.seed);
            let lines = filters.iter().map(classbench::line_of);
            write(&list, lines)?;
            let scan = Scan::new(filters.clone());
            let inside = told(&scan, tuples::drawn(&filters, args.headers, args.seed));
            let zipf = tuples::zipf(&inside, args.seed);
            for (trace, headers) in [("inside", inside), ("zipf", zipf)] {
                write(
                    &directory.join(format!("{name}.{trace}")),
                    headers
                        .iter()
                        .map(|own| Ok(classbench::traced_line(&own.header, own.drawn, own.rank))),
                )?;
            }
            writeln!(io::stdout(), "{}", list.display())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A header, the filter that it was drawn from, and the first that matches it.
#[derive(Clone, Copy)]
struct Told {
    header: Header,
    drawn: u32,
    rank: u32,
}

/// Asks a scan of all filters, which is the measure of every engine.
fn told(scan: &Scan, drawn: Vec<(Header, u32)>) -> Vec<Told> {
    let headers: Vec<Header> = drawn.iter().map(|(header, _)| *header).collect();
    let mut ranks = vec![NONE; headers.len()];
    scan.classify_headers(&headers, &mut ranks);
    let told = drawn.into_iter().zip(ranks);
    told.map(|((header, drawn), rank)| Told { header, drawn, rank }).collect()
}

/// A number as in `acl_10k`.
fn short(count: u32) -> String {
    if count.is_multiple_of(1_000) { format!("{}k", count / 1_000) } else { count.to_string() }
}

/// Writes a file that is not there yet.
fn write(path: &Path, lines: impl Iterator<Item = anyhow::Result<String>>) -> anyhow::Result<()> {
    let name = || path.display().to_string();
    let mut file = BufWriter::new(fs::File::create_new(path).with_context(name)?);
    for line in lines {
        writeln!(file, "{}", line?).with_context(name)?;
    }
    file.flush().with_context(name)
}
