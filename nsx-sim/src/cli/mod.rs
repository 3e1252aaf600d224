//! The command line.

mod bench;
mod engines;
mod generated;
mod health;
mod hints;
#[cfg_attr(not(feature = "lab"), path = "without_lab.rs")]
mod lab;
mod replay;
mod serve;

use crate::{explain, guide};
use anyhow::Context;
use clap::{Parser, Subcommand};
use nsx_client::{Client, Remote};
use std::io::{self, Write};
use std::process::ExitCode;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Where `explain` and `health` look unless told otherwise: where `serve` listens.
const DEFAULT_URL: &str = "https://127.0.0.1:8443";

/// An NSX-T Manager (API 2.5) in one binary, with a distributed firewall that judges packets.
#[derive(Parser, Debug)]
#[command(
    version,
    max_term_width = 100,
    after_help = format!("\
Start here:
  nsx-sim serve                      a manager with the micro-segmentation guide's world
  nsx-sim serve --vms 100 --groups 20 --rules 200
                                     a manager with as many machines, groups and rules
  nsx-sim guide                      follow the guide end to end and check its result table{}
  nsx-sim explain --from service-b-86d8c888c7-jpwf9 --to service-c-5c5fc5c857-d9sqm --port 8080", lab::HINT)
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run a manager until it is interrupted.
    #[command(after_long_help = "\
A world by number, the same from the same seed:
  nsx-sim serve --hosts 3 --vms 100 --switches 10 --groups 20 --sections 5 --rules 200 --seed 7

Written down, changed by hand, and served:
  nsx-sim world --vms 10 > my.json
  nsx-sim serve --world my.json")]
    Serve(Box<serve::Args>),
    /// Follow VMware's micro-segmentation guide through the public API and compare what packets do
    /// with the guide's table. Without --url a manager is started for it, in this process.
    Guide {
        #[command(flatten)]
        remote: Remote,
        #[command(flatten)]
        options: guide::Options,
    },
    /// Say why a packet passes or not: each rule considered at each vNIC, and what of it failed.
    #[command(after_help = "Asks the manager at --url; by default one at https://127.0.0.1:8443, \
                            as `nsx-sim serve` starts it, whatever its certificate.")]
    Explain {
        #[command(flatten)]
        remote: Remote,
        #[command(flatten)]
        args: explain::ExplainArgs,
    },
    /// Say what the filters make of a capture (pcap, pcapng) or of flow records (CSV, Parquet): a line
    /// for each packet, the sums by rule, and the flows that were denied.
    #[command(
        after_help = "A capture's packets open and meet connections; a record is judged as the \
                            first packet of its conversation. Asks the manager at --url, by default \
                            the one at https://127.0.0.1:8443, or with --world one of its own.",
        after_long_help = replay::LONG_HELP
    )]
    Replay(replay::Args),
    /// Print a world document made by number, to be changed and served: `nsx-sim world --vms 10 >
    /// my.json`, then `nsx-sim serve --world my.json`.
    World(generated::Args),
    /// Measure how fast engines classify packets.
    #[command(subcommand)]
    Bench(bench::Bench),
    /// The lab's commands.
    #[cfg(feature = "lab")]
    #[command(flatten)]
    Lab(lab::Lab),
    /// Ask a running manager whether it is healthy; for container health checks.
    Health {
        #[command(flatten)]
        remote: Remote,
    },
}

/// Runs the command line; the whole of `main`.
pub fn run() -> ExitCode {
    if let Some((name, done)) = lab::by_other_name() {
        return ended(name, done.map(|()| ExitCode::SUCCESS));
    }
    let done = match Cli::parse().command {
        Command::Serve(args) => serve::run(*args),
        Command::Guide { remote, options } => run_guide(&remote, &options),
        Command::Explain { remote, args } => connect(remote).and_then(|client| {
            explain::run(&client, &args, &mut io::stdout().lock()).map_err(
                |error| match error {
                    explain::Error::Output(error) => error.into(),
                    error => anyhow::Error::from(error),
                },
            )?;
            Ok(ExitCode::SUCCESS)
        }),
        Command::Replay(args) => replay::run(args),
        Command::World(args) => generated::run(&args),
        Command::Bench(bench) => bench::run(&bench),
        #[cfg(feature = "lab")]
        Command::Lab(command) => lab::run(command),
        Command::Health { remote } => connect(remote).and_then(|client| health::check(&client)),
    };
    ended("nsx-sim", done)
}

/// Logs on standard error what a filter lets through, such as `info` or `nsx_sim=debug`.
fn log(filter: &str) -> anyhow::Result<()> {
    let targets: Targets = filter.parse().with_context(|| format!("--log {filter}"))?;
    let log = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    tracing_subscriber::registry().with(log).with(targets).init();
    Ok(())
}

/// The exit code; a failure is told in the name of the program.
fn ended(program: &str, done: anyhow::Result<ExitCode>) -> ExitCode {
    done.unwrap_or_else(|error| {
        if reader_left(&error) {
            return ExitCode::SUCCESS;
        }
        // `{:#}` puts the causes behind the error, on one line.
        let _ = writeln!(io::stderr(), "{program}: {error:#}");
        ExitCode::from(2)
    })
}

/// Whether nobody reads the output any more, as with `| head`: no failure of ours.
fn reader_left(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<io::Error>();
        io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// The manager that is named, else the one on this machine.
fn connect_to(remote: Remote) -> Remote {
    match remote.url {
        Some(_) => remote,
        // A manager on this machine made its certificate itself.
        None => Remote { url: Some(DEFAULT_URL.into()), insecure: true, ..remote },
    }
}

fn connect(remote: Remote) -> anyhow::Result<Client> {
    let remote = connect_to(remote);
    let url = remote.url.clone().unwrap_or_default();
    Client::new(&remote).with_context(|| format!("can not call {url}"))
}

fn run_guide(remote: &Remote, options: &guide::Options) -> anyhow::Result<ExitCode> {
    let mut progress = io::stderr();
    let report = if remote.url.is_some() {
        guide::run(&Client::new(remote)?, options, &mut progress)?
    } else {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let server = runtime.block_on(crate::http::start(crate::http::Options::default()))?;
        let own = Remote { url: Some(server.url()), insecure: true, ..remote.clone() };
        let client = Client::new(&own)?;
        // The client blocks; the server answers on the runtime's own threads.
        let report = guide::run(&client, options, &mut progress)?;
        runtime.block_on(server.stop())?;
        report
    };
    let text = if options.json { report.to_json() } else { report.to_text() };
    io::stdout().write_all(text.as_bytes())?;
    Ok(if report.as_in_guide() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn every_command_is_declared_without_contradiction() {
        Cli::command().debug_assert();
    }
}
