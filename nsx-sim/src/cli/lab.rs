//! The lab's commands. They are the crate `lab`'s own; here they get a manager and a terminal.

use super::connect_to;
use lab::pks::{CommandOptions, Places, kubeconfig};
use std::io;
use std::process::ExitCode;

/// The lab's part of the command line.
#[derive(clap::Subcommand, Debug)]
pub(super) enum Lab {
    /// Walk through the micro-segmentation guide, step by step: shows what to type, waits for it, looks
    /// at cluster and manager, and says what is missing. Needs `nsx-sim serve --lab` beside it.
    Lab(lab::walk::Args),
    /// Print a kubeconfig of the lab's cluster, or add it to kubectl's own.
    Kubeconfig(kubeconfig::Args),
    /// A stand-in for the PKS command, which is proprietary: enough of it for the guide. A link to this
    /// program by the name of `pks` is the same.
    Pks(CommandOptions),
}

/// Runs one of them.
pub(super) fn run(command: Lab) -> anyhow::Result<ExitCode> {
    match command {
        Lab::Lab(mut args) => {
            args.remote = connect_to(args.remote);
            let done = lab::walk::run(&args)?;
            return Ok(if done || !args.auto { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        Lab::Kubeconfig(args) => {
            kubeconfig::run(&args, &Places::of_environment()?, &mut io::stdout().lock())?;
        }
        Lab::Pks(options) => pks(&options)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The program called as `pks`.
pub(super) fn pks(options: &CommandOptions) -> anyhow::Result<()> {
    lab::pks::run(options, &Places::of_environment()?, &mut io::stdout().lock())
}
