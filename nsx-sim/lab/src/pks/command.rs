//! The command, in the words of the real one as far as they are known.

use super::client::{Login, PksClient};
use super::files::{self, Credentials, Places};
use super::hosts::Hosts;
use anyhow::{Context, bail};
use clap::{Args, Parser, Subcommand};
use kube::config::Kubeconfig;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::PathBuf;

/// The binary called by the name of `pks`.
#[derive(Parser, Debug)]
#[command(name = "pks", version, about = ABOUT)]
pub struct Cli {
    /// What to do.
    #[command(flatten)]
    pub options: Options,
}

const ABOUT: &str =
    "A stand-in for the PKS command, which is proprietary: enough of it for the guide";

/// The command with what all its parts take.
#[derive(Args, Debug)]
pub struct Options {
    /// Where hosts are, in place of name resolution: `host:port=address:port`, with commas between.
    #[arg(
        long,
        global = true,
        env = "PKS_HOSTS",
        default_value_t,
        hide_default_value = true,
        value_name = "TABLE"
    )]
    pub hosts: Hosts,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the command does.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Log in to PKS.
    Login(LoginArgs),
    /// Log out of PKS.
    Logout,
    /// Show all clusters.
    Clusters {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// View the details of a cluster.
    Cluster {
        /// Its name.
        name: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Write a kubeconfig for a cluster as a user of its.
    GetKubeconfig {
        /// The cluster's name.
        name: String,
        /// Who, and where.
        #[command(flatten)]
        login: LoginArgs,
    },
    /// Write a kubeconfig for a cluster as its administrator.
    GetCredentials {
        /// The cluster's name.
        name: String,
    },
}

/// Who, and where.
#[derive(Args, Debug)]
pub struct LoginArgs {
    /// The host of the PKS API.
    #[arg(long, short = 'a')]
    pub api: String,
    /// The user.
    #[arg(long, short = 'u')]
    pub username: String,
    /// The user's password; asked for where it is not given.
    #[arg(long, short = 'p', env = "PKS_USER_PASSWORD", hide_env_values = true)]
    pub password: Option<String>,
    /// Take any certificate.
    #[arg(long, short = 'k')]
    pub skip_ssl_validation: bool,
    /// A file with the certificate that must be shown, PEM.
    #[arg(long)]
    pub ca_cert: Option<PathBuf>,
}

impl LoginArgs {
    fn read(&self) -> anyhow::Result<Login> {
        let password = match &self.password {
            Some(password) => password.clone(),
            None => ask_password()?,
        };
        let ca_cert = self.ca_cert.as_ref().map(|path| {
            std::fs::read_to_string(path).with_context(|| format!("{}", path.display()))
        });
        Ok(Login {
            api: self.api.clone(),
            username: self.username.clone(),
            password,
            insecure: self.skip_ssl_validation,
            ca_cert: ca_cert.transpose()?.unwrap_or_default(),
        })
    }
}

fn ask_password() -> anyhow::Result<String> {
    let mut out = io::stderr();
    write!(out, "Password: ").and_then(|()| out.flush())?;
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Carries it out and prints to `out`.
///
/// # Errors
/// What the user is to be told.
pub fn run(options: &Options, places: &Places, out: &mut dyn Write) -> anyhow::Result<()> {
    let hosts = &options.hosts;
    let told = match &options.command {
        Command::Login(args) => {
            let login = args.read()?;
            let client = PksClient::login(&login, hosts)?;
            client.credentials().write(places)?;
            format!("\nAPI Endpoint: {}\nUser: {}\n", client.credentials().api, login.username)
        }
        Command::Logout => {
            Credentials::forget(places)?;
            String::new()
        }
        Command::Clusters { json: as_json } => {
            let clusters = kept(places, hosts, PksClient::clusters)?;
            if *as_json { pretty(&json!(clusters))? } else { table(&clusters) }
        }
        Command::Cluster { name, json: as_json } => {
            let cluster = kept(places, hosts, |client| client.cluster(name))?;
            if *as_json { pretty(&cluster)? } else { details(&cluster) }
        }
        Command::GetKubeconfig { name, login } => {
            let login = login.read()?;
            let mut client = PksClient::login(&login, hosts)?;
            client.credentials().write(places)?;
            let cluster = client.cluster(name)?;
            let token = client.cluster_token(&login)?;
            let new = user_config(&cluster, &login, &token)?;
            let old = files::read_kubeconfig(&places.kubeconfig)?;
            files::write_kubeconfig(&places.kubeconfig, &files::merged(old, new))?;
            let user = &login.username;
            format!(
                "\nFetching kubeconfig for cluster {name} and user {user}.\n\
                 You can now use the kubeconfig for user {user}:\n\
                 $kubectl config use-context {name}\n"
            )
        }
        Command::GetCredentials { name } => {
            let told = kept(places, hosts, |client| client.bind(name))?;
            let new = serde_json::from_value(told).context("the API's kubeconfig")?;
            let old = files::read_kubeconfig(&places.kubeconfig)?;
            let mut both = files::merged(old, new);
            both.current_context = Some(name.clone());
            files::write_kubeconfig(&places.kubeconfig, &both)?;
            format!(
                "\nFetching credentials for cluster {name}.\n\
                 Context set for cluster {name}.\n\
                 \nYou can now switch between clusters by using:\n\
                 $kubectl config use-context <cluster-name>\n"
            )
        }
    };
    out.write_all(told.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// Does something with the session that was kept, and keeps its tokens where they changed.
fn kept<T>(
    places: &Places,
    hosts: &Hosts,
    work: impl FnOnce(&mut PksClient) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let Some(credentials) = Credentials::read(places)? else {
        bail!("You are not currently authenticated. Please log in to continue.");
    };
    let before = credentials.access_token.clone();
    let mut client = PksClient::of(credentials, hosts.clone())?;
    let done = work(&mut client);
    if client.credentials().access_token != before {
        client.credentials().write(places)?;
    }
    done
}

/// The kubeconfig of a user. The real command writes kubectl's `oidc` provider; a token serves the
/// same commands.
pub(super) fn user_config(
    cluster: &Value,
    login: &Login,
    token: &str,
) -> anyhow::Result<Kubeconfig> {
    let name = &cluster["name"];
    let parameters = &cluster["parameters"];
    let host = parameters["kubernetes_master_host"].as_str().context("a cluster without a host")?;
    let port = &parameters["kubernetes_master_port"];
    let config = json!({
        "clusters": [{"name": name, "cluster": {
            "server": format!("https://{host}:{port}"), "insecure-skip-tls-verify": true}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": login.username}}],
        "users": [{"name": login.username, "user": {"token": token}}],
    });
    Ok(serde_json::from_value(config)?)
}

fn pretty(value: &Value) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

fn text<'a>(cluster: &'a Value, member: &str) -> &'a str {
    cluster[member].as_str().unwrap_or_default()
}

fn table(clusters: &[Value]) -> String {
    let heads = ["PKS Version", "Name", "k8s Version", "Plan Name", "UUID", "Status", "Action"];
    let members = [
        "pks_version",
        "name",
        "k8s_version",
        "plan_name",
        "uuid",
        "last_action_state",
        "last_action",
    ];
    let mut rows = vec![heads.map(str::to_owned)];
    rows.extend(clusters.iter().map(|own| members.map(|member| text(own, member).to_owned())));
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let mut told = String::from("\n");
    for row in &rows {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        told.push_str(cells.join("  ").trim_end());
        told.push('\n');
    }
    told
}

fn details(cluster: &Value) -> String {
    let parameters = &cluster["parameters"];
    let ips: Vec<&str> = cluster["kubernetes_master_ips"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let number = |member: &str| parameters[member].to_string();
    let rows = [
        ("PKS Version:", text(cluster, "pks_version").to_owned()),
        ("Name:", text(cluster, "name").to_owned()),
        ("K8s Version:", text(cluster, "k8s_version").to_owned()),
        ("Plan Name:", text(cluster, "plan_name").to_owned()),
        ("UUID:", text(cluster, "uuid").to_owned()),
        ("Last Action:", text(cluster, "last_action").to_owned()),
        ("Last Action State:", text(cluster, "last_action_state").to_owned()),
        ("Last Action Description:", text(cluster, "last_action_description").to_owned()),
        ("Kubernetes Master Host:", text(parameters, "kubernetes_master_host").to_owned()),
        ("Kubernetes Master Port:", number("kubernetes_master_port")),
        ("Worker Nodes:", number("kubernetes_worker_instances")),
        ("Kubernetes Master IP(s):", ips.join(", ")),
    ];
    let mut told = String::from("\n");
    for (name, value) in rows {
        // Writing to a string does not fail.
        let _ = writeln!(told, "{name:<25} {value}");
    }
    told
}

#[cfg(test)]
mod tests;
