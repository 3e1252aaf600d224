//! The lab's Kubernetes API, for trying clients on it: `serve [ADDRESS [NODES [MANAGER]]]`. With the
//! address of a manager NCP makes ports of its pods, and containers can be entered; without, pods get
//! addresses of a plain range. Prints a kubeconfig.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::config::{KubeConfigOptions, Kubeconfig};
use lab::api::{Network, Options, start};
use lab::ncp;
use lab::pod::{Containers, Dns, ManagerWire};
use nsx_client::{Client, Remote};
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::sync::Arc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let listen = arguments.next().unwrap_or_else(|| "127.0.0.1:6443".to_owned()).parse()?;
    let many: u8 = arguments.next().unwrap_or_default().parse().unwrap_or(0);
    let manager = match arguments.next() {
        None => None,
        Some(url) => {
            let remote = Remote {
                url: Some(url),
                user: "admin".to_owned(),
                password: "VMware1!VMware1!".to_owned(),
                insecure: true,
                cert: None,
                cert_key: None,
            };
            Some(Client::new(&remote)?)
        }
    };
    let node = |n: u8| (format!("node-{n}"), Ipv4Addr::new(172, 16, 0, n));
    let mut options =
        Options { listen, nodes: (1..=many).map(node).collect(), ..Options::default() };
    match &manager {
        Some(client) => {
            let wire = Arc::new(ManagerWire::new(client.clone()));
            options.exec = Some(Arc::new(Containers::new(wire, Dns::default())));
        }
        None => options.network = Network::Plain,
    }
    let running = start(options).await?;
    let config = serde_json::json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "lab",
        "clusters": [{"name": "lab", "cluster": {"server": running.url,
            "certificate-authority-data": STANDARD.encode(&running.ca_pem)}}],
        "users": [{"name": "lab", "user": {"token": running.token}}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab"}}],
    });
    writeln!(std::io::stdout(), "{config}")?;
    let _ncp = match manager {
        None => None,
        Some(client) => {
            let config: Kubeconfig = serde_json::from_value(config)?;
            let options = KubeConfigOptions::default();
            let config = kube::Config::from_custom_kubeconfig(config, &options).await?;
            let cluster = kube::Client::try_from(config)?;
            Some(ncp::start(ncp::Config::default(), cluster, client.overwriting()).await?)
        }
    };
    tokio::signal::ctrl_c().await?;
    Ok(())
}
