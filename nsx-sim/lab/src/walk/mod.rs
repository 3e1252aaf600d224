//! A walk through the guide in a terminal: shows a step, waits while the learner types it elsewhere,
//! looks at the state through the public APIs and says what is missing.
//!
//! The steps are data (`steps.rs`): what to type, what it teaches, how to see that it is done
//! (`checks`), and how to do it (`acts`) where the walk goes by itself.

mod acts;
mod apis;
mod checks;
mod live;
mod manifest;
mod matrix;
mod progress;
mod steps;
mod terminal;
mod writing;

pub use manifest::MANIFEST;
pub use steps::{STEPS, Step};

use crate::pks::HostsArg;
use anyhow::Context;
use apis::Apis;
use clap::Args as ClapArgs;
use live::Live;
use nsx_client::Remote;
use progress::Progress;
use std::io::{self, Write};
use std::path::PathBuf;

/// How to walk.
#[derive(ClapArgs, Clone, Debug)]
pub struct Args {
    /// The manager.
    #[command(flatten)]
    pub remote: Remote,
    /// Do every step instead of waiting for it, as a test of the whole.
    #[arg(long)]
    pub auto: bool,
    /// Print the guide's micro.yaml and end.
    #[arg(long)]
    pub manifest: bool,
    /// Begin at the first step again.
    #[arg(long)]
    pub again: bool,
    /// Where to keep how far one came; `~/.nsx-sim/lab.json` unless told otherwise.
    #[arg(long, env = "NSX_SIM_LAB_PROGRESS", value_name = "FILE")]
    pub progress: Option<PathBuf>,
    /// Where PKS is.
    #[command(flatten)]
    pub at: HostsArg,
}

/// Walks; the answer says whether the end was reached.
///
/// # Errors
/// Where the terminal or a file fails, or an automatic step can not be done.
pub fn run(args: &Args) -> anyhow::Result<bool> {
    let mut out = io::stdout();
    if args.manifest {
        out.write_all(MANIFEST.as_bytes())?;
        return Ok(true);
    }
    let live = Live::new(&args.remote, args.at.hosts.clone())?;
    if args.auto {
        return automatic(&live, &mut out);
    }
    let path = match &args.progress {
        Some(path) => path.clone(),
        None => progress::default_path().context("HOME is not set: say --progress FILE")?,
    };
    let mut progress = Progress::read(path, args.again)?;
    terminal::walk(&live, &mut progress, &mut out)
}

/// Does each step and looks whether it is done.
fn automatic(apis: &dyn Apis, out: &mut dyn Write) -> anyhow::Result<bool> {
    for (place, step) in STEPS.iter().enumerate() {
        let named = format!("[{:2}/{}] {}", place + 1, STEPS.len(), step.title);
        if let Some(act) = step.act {
            act(apis).with_context(|| named.clone())?;
        }
        let seen = checks::patiently(apis, step).with_context(|| named.clone())?;
        match seen {
            checks::Seen::Done(found) => writeln!(out, "{named}: {found}")?,
            checks::Seen::Missing(missing) => {
                writeln!(out, "{named}: MISSING: {missing}")?;
                return Ok(false);
            }
        }
    }
    writeln!(out, "\nEvery step of the guide, and what it shows, is as printed.")?;
    Ok(true)
}

#[cfg(test)]
mod fake;
