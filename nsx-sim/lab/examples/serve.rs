//! The lab's Kubernetes API by itself, for trying clients on it: without NCP, pods get addresses of
//! a plain range. Prints a kubeconfig.

use lab::api::{Network, Options, start};
use std::io::Write as _;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let listen = arguments.next().unwrap_or_else(|| "127.0.0.1:6443".to_owned()).parse()?;
    let many: u8 = arguments.next().unwrap_or_default().parse().unwrap_or(0);
    let node = |n: u8| (format!("node-{n}"), std::net::Ipv4Addr::new(172, 16, 0, n));
    let nodes = (1..=many).map(node).collect();
    let options = Options { listen, network: Network::Plain, nodes, ..Options::default() };
    let running = start(options).await?;
    let config = serde_json::json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "lab",
        "clusters": [{"name": "lab", "cluster": {"server": running.url,
            "certificate-authority-data": base64::Engine::encode(
                &base64::engine::general_purpose::STANDARD, &running.ca_pem)}}],
        "users": [{"name": "lab", "user": {"token": running.token}}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab"}}],
    });
    writeln!(std::io::stdout(), "{config}")?;
    tokio::signal::ctrl_c().await?;
    Ok(())
}
