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
    /// The guide's browser: curl from outside the cluster, through the manager's load balancer. Takes
    /// curl's own options, as in `nsx-sim curl -sv http://10.40.14.50`.
    Curl(lab::pod::outside::Args),
    /// Run NCP between a cluster and a manager, until it is interrupted: any cluster that kubectl
    /// reaches, as one of kind or kwok, gets a simulated NSX beneath it.
    Ncp(Box<lab::ncp::Args>),
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
        Lab::Curl(args) => return lab::pod::outside::run(args),
        Lab::Ncp(mut args) => {
            super::log(&args.log)?;
            args.nsx = connect_to(args.nsx);
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
            runtime.block_on(lab::ncp::run(*args))?;
        }
        Lab::Pks(options) => pks(&options)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The program called as `pks`.
pub(super) fn pks(options: &CommandOptions) -> anyhow::Result<()> {
    lab::pks::run(options, &Places::of_environment()?, &mut io::stdout().lock())
}
