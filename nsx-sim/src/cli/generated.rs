//! The flags that make a world by number, and the command that prints one.

use crate::generate::{self, Size};
use crate::http::WorldDocument;
use anyhow::Context;
use std::io::{self, Write};
use std::process::ExitCode;

/// The seed of generated worlds unless one is given.
const DEFAULT_SEED: u64 = 1;

/// How much of what.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "World by number")]
pub(super) struct Numbers {
    /// Hosts; 3 unless told otherwise.
    #[arg(long, env = "NSX_SIM_HOSTS", value_name = "N")]
    hosts: Option<u32>,
    /// Edge nodes, all in the cluster EDGECLUSTER1; 2 unless told otherwise.
    #[arg(long, env = "NSX_SIM_EDGES", value_name = "N")]
    edges: Option<u32>,
    /// Virtual machines vm-1, vm-2 … with tags, each attached to a logical port of its name.
    #[arg(long, env = "NSX_SIM_VMS", value_name = "N")]
    vms: Option<u32>,
    /// Logical switches; one for each 25 machines unless told otherwise.
    #[arg(long, env = "NSX_SIM_SWITCHES", value_name = "N")]
    switches: Option<u32>,
    /// Groups by tag: odd ones of machines, even ones of ports.
    #[arg(long, env = "NSX_SIM_GROUPS", value_name = "N")]
    groups: Option<u32>,
    /// Firewall sections; one for each 100 rules unless told otherwise.
    #[arg(long, env = "NSX_SIM_SECTIONS", value_name = "N")]
    sections: Option<u32>,
    /// Firewall rules between the groups.
    #[arg(long, env = "NSX_SIM_RULES", value_name = "N")]
    rules: Option<u32>,
}

impl Numbers {
    /// Whether any was given.
    pub(super) fn any(&self) -> bool {
        let Self { hosts, edges, vms, switches, groups, sections, rules } = self;
        [hosts, edges, vms, switches, groups, sections, rules].into_iter().any(Option::is_some)
    }

    /// How many machines there are.
    pub(super) fn machines(&self) -> u32 {
        self.size().vms
    }

    /// The world of these numbers.
    pub(super) fn document(&self, seed: Option<u64>) -> anyhow::Result<WorldDocument> {
        let text = self.text(seed)?;
        WorldDocument::read(&text).context("the generated world")
    }

    fn text(&self, seed: Option<u64>) -> anyhow::Result<String> {
        let document = generate::document(&self.size(), seed.unwrap_or(DEFAULT_SEED))?;
        Ok(serde_json::to_string_pretty(&document)?)
    }

    fn size(&self) -> Size {
        let usual = Size::new(self.hosts, self.vms);
        let rules = self.rules.unwrap_or(usual.rules);
        Size {
            edges: self.edges.unwrap_or(usual.edges),
            switches: self.switches.unwrap_or(usual.switches),
            groups: self.groups.unwrap_or(usual.groups),
            sections: self.sections.unwrap_or(rules.div_ceil(100)),
            rules,
            ..usual
        }
    }
}

/// What `world` is told.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    #[command(flatten)]
    numbers: Numbers,
    /// Where ids and choices come from: the same seed and numbers make the same world.
    #[arg(long, env = "NSX_SIM_SEED")]
    seed: Option<u64>,
}

/// Prints the document.
pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let text = args.numbers.text(args.seed)?;
    writeln!(io::stdout().lock(), "{text}")?;
    Ok(ExitCode::SUCCESS)
}
