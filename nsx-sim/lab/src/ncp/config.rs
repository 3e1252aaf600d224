//! What NCP is told: the words of the product's `ncp.ini`, where it has them [P NCP 2.5.1].

use super::manager::{Error, Result};
use crate::kubeconfig;
use clap::Args as Arguments;
use kube::config::KubeConfigOptions;
use nsx_client::{Client, Remote};
use std::path::PathBuf;
use std::time::Duration;

/// What NCP calls a cluster that nobody has named [P manifest of NCP 2.5.1].
const DEFAULT_CLUSTER: &str = "k8scluster";

/// Options of NCP on its own.
#[derive(Arguments, Clone, Debug)]
pub struct Args {
    /// Kubeconfig of the cluster; else that of the environment.
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Context in it; else the current one.
    #[arg(long)]
    pub context: Option<String>,
    /// What is logged on standard error, as `info` or `lab=debug`.
    #[arg(long, env = "NSX_SIM_LOG", default_value = "lab=info,warn", value_name = "FILTER")]
    pub log: String,
    /// The manager.
    #[command(flatten)]
    pub nsx: Remote,
    /// What can be set.
    #[command(flatten)]
    pub settings: Settings,
}

/// What can be set.
#[derive(Arguments, Clone, Debug)]
pub struct Settings {
    /// The cluster's name, in tags and names of all that NCP makes; each cluster of a manager has its
    /// own.
    #[arg(long, default_value = DEFAULT_CLUSTER, value_name = "NAME")]
    pub cluster: String,
    /// Router above the namespaces' switches, by id or name: a tier-1, or the tier-0 above the cluster's
    /// own. Else the tier-1 tagged with the cluster.
    #[arg(long, value_name = "ROUTER")]
    pub top_tier_router: Option<String>,
    /// With --prepare: edge cluster of the cluster's router and load balancer, by id or name; else the
    /// first.
    #[arg(long, value_name = "CLUSTER")]
    pub edge_cluster: Option<String>,
    /// Overlay transport zone, by id or name; else the first.
    #[arg(long, value_name = "ZONE")]
    pub overlay_tz: Option<String>,
    /// IP blocks for namespaces, by id or name; else those tagged for the cluster or for all. With
    /// --prepare also networks, such as 10.4.0.0/16, that blocks are made of.
    #[arg(long, value_name = "BLOCK", value_delimiter = ',')]
    pub container_ip_blocks: Vec<String>,
    /// IP blocks for namespaces annotated `ncp/no_snat`, in the same words; else those of the others.
    #[arg(long, value_name = "BLOCK", value_delimiter = ',')]
    pub no_snat_ip_blocks: Vec<String>,
    /// IP pools for the outside addresses of namespaces, by id or name; else those tagged as external.
    /// With --prepare also networks and ranges, such as 10.5.0.10-10.5.0.99.
    #[arg(long, value_name = "POOL", value_delimiter = ',')]
    pub external_ip_pools: Vec<String>,
    /// IP pools for Services of type LoadBalancer, in the same words; else those of the namespaces.
    #[arg(long, value_name = "POOL", value_delimiter = ',')]
    pub external_ip_pools_lb: Vec<String>,
    /// Length of the prefix of a namespace's networks.
    #[arg(long, default_value_t = 24, value_name = "LENGTH",
        value_parser = clap::value_parser!(u8).range(16..=29))]
    pub subnet_prefix: u8,
    /// Leave pods' addresses as they are on their way out of the cluster.
    #[arg(long)]
    pub no_snat: bool,
    /// Seconds for which the address of a pod that is gone is given to no other.
    #[arg(long, default_value_t = 60, value_name = "SECONDS")]
    pub ip_reallocation_time: u64,
    /// Log what the sections of NetworkPolicies drop.
    #[arg(long)]
    pub log_dropped_traffic: bool,
    /// Calls to the manager, and things looked at, at the same time.
    #[arg(long, default_value_t = 8, value_name = "NUMBER",
        value_parser = clap::value_parser!(u8).range(1..=64))]
    pub workers: u8,
    /// Make what a platform makes before NCP where it is missing: router, load balancer, pools, nodes'
    /// ports.
    #[arg(long)]
    pub prepare: bool,
    /// Choose networks and addresses freely where the guide's screens show some of its cluster.
    #[arg(long)]
    pub no_pins: bool,
}

/// What a running NCP is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// The cluster's name.
    pub cluster: String,
    /// The router, tier-1 or the tier-0 above it, by id or name.
    pub top_tier_router: Option<String>,
    /// The edge cluster for what is prepared, by id or name.
    pub edge_cluster: Option<String>,
    /// The transport zone, by id or name.
    pub overlay_tz: Option<String>,
    /// The blocks, by id or name.
    pub container_ip_blocks: Vec<String>,
    /// The blocks for namespaces without SNAT, by id or name.
    pub no_snat_ip_blocks: Vec<String>,
    /// The pools, by id or name.
    pub external_ip_pools: Vec<String>,
    /// The pools for Services, by id or name.
    pub external_ip_pools_lb: Vec<String>,
    /// The length of the prefix of a namespace's networks, 16 to 29.
    pub subnet_prefix: u8,
    /// Whether namespaces have an address of their own outside.
    pub enable_snat: bool,
    /// For how long an address rests.
    pub ip_reallocation_time: Duration,
    /// Whether drops are logged.
    pub log_dropped_traffic: bool,
    /// How much is done at the same time.
    pub workers: usize,
    /// Whether to make what a platform makes, where that is missing.
    pub prepare: bool,
    /// Whether the guide's objects get the guide's addresses.
    pub pins: bool,
}

impl From<&Settings> for Config {
    fn from(set: &Settings) -> Self {
        Self {
            cluster: set.cluster.clone(),
            top_tier_router: set.top_tier_router.clone(),
            edge_cluster: set.edge_cluster.clone(),
            overlay_tz: set.overlay_tz.clone(),
            container_ip_blocks: set.container_ip_blocks.clone(),
            no_snat_ip_blocks: set.no_snat_ip_blocks.clone(),
            external_ip_pools: set.external_ip_pools.clone(),
            external_ip_pools_lb: set.external_ip_pools_lb.clone(),
            subnet_prefix: set.subnet_prefix,
            enable_snat: !set.no_snat,
            ip_reallocation_time: Duration::from_secs(set.ip_reallocation_time),
            log_dropped_traffic: set.log_dropped_traffic,
            workers: set.workers.into(),
            prepare: set.prepare,
            // They are of one cluster.
            pins: !set.no_pins && set.cluster == crate::pins::CLUSTER,
        }
    }
}

impl Default for Config {
    /// The lab's: the guide's cluster with its addresses.
    fn default() -> Self {
        Self {
            cluster: crate::pins::CLUSTER.to_owned(),
            top_tier_router: None,
            edge_cluster: None,
            overlay_tz: None,
            container_ip_blocks: Vec::new(),
            no_snat_ip_blocks: Vec::new(),
            external_ip_pools: Vec::new(),
            external_ip_pools_lb: Vec::new(),
            subnet_prefix: 24,
            enable_snat: true,
            ip_reallocation_time: Duration::from_secs(60),
            log_dropped_traffic: false,
            workers: 8,
            prepare: false,
            pins: true,
        }
    }
}

impl Args {
    /// The manager's client. With a password in place of a certificate it is nobody's principal, and
    /// says that it means to change what the principal owns.
    ///
    /// # Errors
    /// Where no manager is named, or the certificate can not be read.
    pub fn manager(&self) -> Result<Client> {
        let client = Client::new(&self.nsx)?;
        Ok(if self.nsx.cert.is_some() { client } else { client.overwriting() })
    }

    /// The cluster's client.
    ///
    /// # Errors
    /// Where there is no such kubeconfig or context.
    pub async fn cluster(&self) -> Result<kube::Client> {
        let unreadable = |error: anyhow::Error| Error::Missing(format!("{error:#}"));
        let options = KubeConfigOptions { context: self.context.clone(), ..Default::default() };
        let file = match &self.kubeconfig {
            Some(path) => kubeconfig::read(path),
            None => kubeconfig::of_environment(),
        };
        let file = file.map_err(unreadable)?;
        let config = kube::Config::from_custom_kubeconfig(file, &options).await;
        Ok(kube::Client::try_from(config.map_err(|error| unreadable(error.into()))?)?)
    }
}
