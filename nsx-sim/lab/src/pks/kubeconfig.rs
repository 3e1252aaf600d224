//! A kubeconfig without the guide's two commands.

use super::client::{Login, PksClient};
use super::files::{self, Places};
use super::hosts::HostsArg;
use super::{HOST, command};
use crate::yaml;
use clap::Args as ClapArgs;
use std::io::Write;

/// Whose kubeconfig, and whether to write it.
#[derive(ClapArgs, Clone, Debug)]
pub struct Args {
    /// The cluster.
    #[arg(long, default_value = crate::pins::CONTEXT)]
    pub cluster: String,
    /// Add it to kubectl's configuration and make it the current context, instead of printing it.
    #[arg(long)]
    pub write: bool,
    /// The user.
    #[arg(long, env = "PKS_USER", default_value = "pksadmin")]
    pub username: String,
    /// The user's password.
    #[arg(long, env = "PKS_USER_PASSWORD", default_value = "VMware1!", hide_env_values = true)]
    pub password: String,
    /// Where PKS is.
    #[command(flatten)]
    pub at: HostsArg,
}

/// Fetches it from the lab's PKS, and prints it to `out` or writes it.
///
/// # Errors
/// Where the lab is not reached, or a file can not be written.
pub fn run(args: &Args, places: &Places, out: &mut dyn Write) -> anyhow::Result<()> {
    let login = Login {
        api: HOST.to_owned(),
        username: args.username.clone(),
        password: args.password.clone(),
        // The lab made its certificate itself.
        insecure: true,
        ca_cert: String::new(),
    };
    let mut client = PksClient::login(&login, &args.at.hosts)?;
    let cluster = client.cluster(&args.cluster)?;
    let token = client.cluster_token(&login)?;
    let mut config = command::user_config(&cluster, &login, &token)?;
    config.current_context = Some(args.cluster.clone());
    if args.write {
        let mut both = files::merged(files::read_kubeconfig(&places.kubeconfig)?, config);
        both.current_context = Some(args.cluster.clone());
        files::write_kubeconfig(&places.kubeconfig, &both)?;
        writeln!(out, "Context {} written to {}", args.cluster, places.kubeconfig.display())?;
    } else {
        let alone = files::merged(kube::config::Kubeconfig::default(), config);
        out.write_all(yaml::print(&alone)?.as_bytes())?;
    }
    Ok(())
}
