//! The whole lab in one process, beside a manager: API server, controllers, containers, NCP, and the
//! two APIs of PKS.

use crate::pod::{Containers, Dns, ManagerWire};
use crate::{api, ncp, pins, pks};
use anyhow::Context;
use base64::{Engine, prelude::BASE64_STANDARD};
use clap::Args as ClapArgs;
use kube::config::{KubeConfigOptions, Kubeconfig};
use nsx_client::{Client, Remote};
use serde_json::json;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use uuid::Uuid;

/// The account of the guide.
const USER: &str = "pksadmin";
const PASSWORD: &str = "VMware1!";

/// What `serve` is told of the lab.
#[derive(ClapArgs, Clone, Debug)]
#[group(skip)]
pub struct Args {
    /// A cluster, too: a Kubernetes API for kubectl, NCP, and stand-ins for PKS, as the guide types
    /// against them. The world is the guide's before its first step, unless told otherwise.
    #[arg(long, env = "NSX_SIM_LAB")]
    pub lab: bool,
    /// Where the cluster's API server listens.
    #[arg(
        long,
        env = "NSX_SIM_LAB_LISTEN",
        default_value = "127.0.0.1:6443",
        requires = "lab",
        value_name = "ADDR:PORT"
    )]
    pub lab_listen: SocketAddr,
    /// Nodes of the cluster: the guide's three, and more for larger trials. NCP makes the logical ports
    /// of those that the guide does not have.
    #[arg(
        long,
        env = "NSX_SIM_LAB_NODES",
        default_value_t = 3,
        requires = "lab",
        value_name = "NUMBER",
        value_parser = clap::value_parser!(u16).range(3..=1000)
    )]
    pub lab_nodes: u16,
    /// The release of Kubernetes that the cluster says it is, instead of the guide's. Newer kubectls warn
    /// of that one's age; what the API does is the same.
    #[arg(
        long,
        env = "NSX_SIM_LAB_KUBERNETES",
        default_value = api::VERSION,
        requires = "lab",
        value_name = "VERSION",
        value_parser = release
    )]
    pub lab_kubernetes: String,
    /// Where UAA listens, which has port 8443 of its host in the guide.
    #[arg(
        long,
        env = "NSX_SIM_UAA_LISTEN",
        default_value = pks::LAB_UAA,
        requires = "lab",
        value_name = "ADDR:PORT"
    )]
    pub uaa_listen: SocketAddr,
    /// Where the PKS API listens.
    #[arg(
        long,
        env = "NSX_SIM_PKS_LISTEN",
        default_value = pks::LAB_API,
        requires = "lab",
        value_name = "ADDR:PORT"
    )]
    pub pks_listen: SocketAddr,
    /// Whether the firewall judges lookups of names. In the guide they pass although its rules reject
    /// them; `exempt` lets its table hold by name as it is printed.
    #[arg(long, env = "NSX_SIM_DNS", value_enum, default_value_t, requires = "lab")]
    pub dns: Dns,
}

/// A lab at work.
pub struct Running {
    cluster: api::Running,
    ncp: ncp::Running,
    pks: pks::Running,
}

/// Starts the lab over a manager; it answers when this returns.
///
/// # Errors
/// Where an address is not to be had, or the manager refuses what the lab needs.
pub async fn start(args: &Args, manager: &Remote) -> anyhow::Result<Running> {
    let nodes = nodes(args.lab_nodes);
    let workers = nodes.len();
    let wire = Arc::new(ManagerWire::new(Client::new(manager)?));
    let cluster = api::start(api::Options {
        listen: args.lab_listen,
        nodes,
        version: args.lab_kubernetes.clone(),
        exec: Some(Arc::new(Containers::new(wire, args.dns))),
        ..api::Options::default()
    })
    .await?;
    let ncp = ncp::start(
        ncp::Config { prepare: workers > pins::NODES.len(), ..ncp::Config::default() },
        client_of(&cluster).await?,
        ncp_client(manager.clone()).await?,
    )
    .await
    .context("NCP")?;
    let address: SocketAddr = cluster.url.trim_start_matches("https://").parse()?;
    let pks = pks::start(pks::Options {
        uaa: args.uaa_listen,
        api: args.pks_listen,
        user: USER.to_owned(),
        password: PASSWORD.to_owned(),
        cluster: pks::Cluster {
            name: pins::CONTEXT.to_owned(),
            uuid: pins::CLUSTER.trim_start_matches("pks-").to_owned(),
            master_host: address.ip().to_string(),
            master_port: address.port(),
            kubernetes: args.lab_kubernetes.trim_start_matches('v').to_owned(),
            workers,
            token: cluster.token.clone(),
            ca_pem: cluster.ca_pem.clone(),
        },
    })?;
    Ok(Running { cluster, ncp, pks })
}

/// A release as Kubernetes writes it: three numbers behind a `v`, which may be left out.
fn release(text: &str) -> Result<String, String> {
    let numbers = text.strip_prefix('v').unwrap_or(text);
    let parts: Vec<&str> = numbers.split('.').collect();
    if parts.len() == 3 && parts.iter().all(|part| part.parse::<u16>().is_ok()) {
        Ok(format!("v{numbers}"))
    } else {
        Err("a release is three numbers, such as v1.31.4".to_owned())
    }
}

/// The guide's nodes, and behind them as many as are wanted, with names like theirs and the next
/// addresses of their network.
fn nodes(wanted: u16) -> Vec<(String, Ipv4Addr)> {
    let first = u32::from(pins::NODES[0].address);
    let guide = pins::NODES.iter().map(|own| (own.name.to_owned(), own.address));
    let more = (3..u32::from(wanted)).map(|number| {
        let name = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("lab node {number}").as_bytes());
        let address = Ipv4Addr::from(first + number);
        (name.to_string(), address)
    });
    guide.chain(more).collect()
}

/// NCP's own client of the cluster, which is no different from anybody's.
async fn client_of(cluster: &api::Running) -> anyhow::Result<kube::Client> {
    let config = json!({
        "clusters": [{"name": "lab", "cluster": {
            "server": cluster.url,
            "certificate-authority-data": BASE64_STANDARD.encode(&cluster.ca_pem)}}],
        "users": [{"name": "ncp", "user": {"token": cluster.token}}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "ncp"}}],
        "current-context": "lab",
    });
    let config: Kubeconfig = serde_json::from_value(config)?;
    let options = KubeConfigOptions::default();
    let config = kube::Config::from_custom_kubeconfig(config, &options).await?;
    Ok(kube::Client::try_from(config)?)
}

/// NCP's client of the manager: that of a principal identity of its own, so that what it makes is
/// protected. A manager without TLS sees no certificates; there NCP works as the user.
async fn ncp_client(manager: Remote) -> anyhow::Result<Client> {
    tokio::task::spawn_blocking(move || {
        let user = Client::new(&manager)?;
        if manager.url.as_ref().is_some_and(|url| url.starts_with("http://")) {
            return Ok(user.overwriting());
        }
        let principal = ncp::register(&user, pins::CLUSTER).context("NCP's principal identity")?;
        Ok(Client::of_principal(&manager, &principal)?)
    })
    .await?
}

impl Running {
    /// Where everything is and what to type first.
    pub fn announcement(&self) -> String {
        let (uaa, api) = (self.pks.uaa.to_string(), self.pks.api.to_string());
        let mut told = format!(
            "\nThe lab:\n  kubernetes {}\n  uaa https://{uaa}\n  pks https://{api}\n",
            self.cluster.url
        );
        if (uaa.as_str(), api.as_str()) != (pks::LAB_UAA, pks::LAB_API) {
            let hosts = pks::Hosts::lab(&uaa, &api);
            // Writing to a string does not fail.
            let _ = write!(told, "\nFirst:\n  export PKS_HOSTS={hosts}\n");
        }
        told.push_str(
            "\nThe guide begins (with `alias pks='nsx-sim pks'`, or a link of that name):\n  \
             pks login -a pks.corp.local -u pksadmin -p VMware1! -k\n  \
             pks get-kubeconfig ci-cluster -a pks.corp.local -u pksadmin -p VMware1! -k\n  \
             kubectl config use-context ci-cluster\n\
             and `nsx-sim lab` walks through it.\n",
        );
        told
    }

    /// Ends all of it.
    pub fn stop(&self) {
        self.pks.stop();
        self.ncp.kill();
        self.cluster.stop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_three_numbers() {
        assert_eq!(release("v1.31.4").as_deref(), Ok("v1.31.4"));
        assert_eq!(release("1.31.4").as_deref(), Ok("v1.31.4"));
        for none in ["", "1.31", "v1.31.x", "1.31.4.5", "vv1.2.3"] {
            assert!(release(none).is_err(), "{none}");
        }
    }
}
