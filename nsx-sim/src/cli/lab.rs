//! The lab's commands. They are the crate `lab`'s own; here they get a manager and a terminal.

use super::connect_to;
use clap::Parser;
use lab::pks::{CommandOptions, Places, kubeconfig};
use nsx_client::Remote;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

/// A line of the program's help.
pub(super) const HINT: &str =
    "\n  nsx-sim serve --lab                a cluster beside it: type the guide with kubectl";

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

/// What the program does where it is called by another name, as by a link: `pks`.
pub(super) fn by_other_name() -> Option<(&'static str, anyhow::Result<()>)> {
    let own = std::env::args_os().next().map(PathBuf::from);
    let is_pks = own.is_some_and(|own| own.file_stem().is_some_and(|stem| stem == "pks"));
    is_pks.then(|| ("pks", pks(&lab::pks::Cli::parse().options)))
}

fn pks(options: &CommandOptions) -> anyhow::Result<()> {
    lab::pks::run(options, &Places::of_environment()?, &mut io::stdout().lock())
}

/// What `serve` is told of the lab.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct Beside {
    #[command(flatten)]
    args: lab::serve::Args,
}

impl Beside {
    /// Whether there is to be a lab.
    pub(super) fn is_wanted(&self) -> bool {
        self.args.lab
    }

    /// Starts it over a manager, where it is wanted.
    pub(super) async fn start(&self, manager: &Remote) -> anyhow::Result<Cluster> {
        let wanted = self.is_wanted();
        Ok(Cluster(if wanted { Some(lab::serve::start(&self.args, manager).await?) } else { None }))
    }
}

/// The lab that runs, if any.
pub(super) struct Cluster(Option<lab::serve::Running>);

impl Cluster {
    /// Where it is and what to type first.
    pub(super) fn announcement(&self) -> String {
        self.0.as_ref().map(lab::serve::Running::announcement).unwrap_or_default()
    }

    /// Ends it.
    pub(super) fn stop(self) {
        if let Some(running) = self.0 {
            running.stop();
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_pks_is_declared_without_contradiction() {
        lab::pks::Cli::command().debug_assert();
    }
}
