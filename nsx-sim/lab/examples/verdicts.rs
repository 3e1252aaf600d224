//! How long it takes from a call at a cluster's API until packets are judged anew: a label, a replica
//! more, a replica less, a pod deleted. With `nsx-sim serve --lab` in another terminal:
//!
//! ```sh
//! nsx-sim kubeconfig > lab.json
//! cargo run --release -p lab --example verdicts -- --kubeconfig lab.json --url https://127.0.0.1:8443 -k
//! ```
//!
//! Prints median and worst of 50 for each. What it makes (a namespace, a group, a section) goes at its
//! end.

use anyhow::{Context, Result, bail};
use clap::Parser;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use lab::ncp::{self, NETWORK, PodNetwork};
use nsx_client::{Client, PacketQuery};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::{Duration, Instant};

/// How often each thing is done.
const ROUNDS: usize = 50;
/// After which time something is no longer waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// The namespace, and the label by which pods are rejected or not.
const OWN: &str = "verdicts";

/// The two APIs, as NCP is told of them.
#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    apis: ncp::Args,
}

struct Trial {
    pods: Api<Pod>,
    deployments: Api<Deployment>,
    manager: Client,
    next_port: u16,
}

#[tokio::main]
async fn main() -> Result<()> {
    let Cli { apis } = Cli::parse();
    let (kube, manager) = (apis.cluster().await?, apis.manager()?);
    let namespaces: Api<Namespace> = Api::all(kube.clone());
    make(&namespaces, json!({"metadata": {"name": OWN}})).await?;
    let label = json!({
        "resource_type": "NSGroupTagExpression", "target_type": "LogicalPort",
        "scope": OWN, "scope_op": "EQUALS", "tag": "rejected", "tag_op": "EQUALS",
    });
    let group = json!({"display_name": OWN, "membership_criteria": [label]});
    let group = id(&manager.post("/ns-groups", &group)?);
    let about = json!([{"target_id": group, "target_type": "NSGroup"}]);
    let section = json!({
        "display_name": OWN, "section_type": "LAYER3", "stateful": true, "applied_tos": about,
        "rules": [{"action": "REJECT", "direction": "IN", "destinations": about}],
    });
    let path = "/firewall/sections?action=create_with_rules&operation=insert_top";
    let section = id(&manager.post(path, &section)?);

    let mut trial = Trial {
        pods: Api::namespaced(kube.clone(), OWN),
        deployments: Api::namespaced(kube, OWN),
        manager: manager.clone(),
        next_port: 20_000,
    };
    let done = trial.run().await;
    manager.delete(&format!("/firewall/sections/{section}?cascade=true"))?;
    manager.delete(&format!("/ns-groups/{group}?force=true"))?;
    namespaces.delete(OWN, &DeleteParams::default()).await?;
    done
}

async fn make<K>(api: &Api<K>, value: Value) -> Result<()>
where
    K: Clone + serde::de::DeserializeOwned + serde::Serialize + std::fmt::Debug,
{
    api.create(&PostParams::default(), &serde_json::from_value(value)?).await?;
    Ok(())
}

fn id(object: &Value) -> String {
    object["id"].as_str().unwrap_or_default().to_owned()
}

impl Trial {
    async fn run(&mut self) -> Result<()> {
        let containers = json!([{"name": "web", "image": "nginxdemos/nginx-hello:plain-text"}]);
        for name in ["asking", "asked"] {
            let pod = json!({"metadata": {"name": name, "labels": {OWN: "open"}},
                "spec": {"containers": containers, "terminationGracePeriodSeconds": 0}});
            make(&self.pods, pod).await?;
        }
        let deployment = json!({
            "metadata": {"name": "many"},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": {OWN: "rejected"}},
                "template": {
                    "metadata": {"labels": {OWN: "rejected"}},
                    "spec": {"containers": containers, "terminationGracePeriodSeconds": 0},
                },
            },
        });
        make(&self.deployments, deployment).await?;
        // The two and the first of the many.
        let first = self.addresses(3).await?;
        let of = |name: &str| first.get(name).cloned().context("a pod has no address");
        let (asking, asked) = (of("asking")?, of("asked")?);
        let (mut rejected, mut allowed) = (Vec::new(), Vec::new());
        let (mut more, mut less, mut deleted) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            rejected.push(self.label(&asking, &asked, "rejected").await?);
            allowed.push(self.label(&asking, &asked, "open").await?);
        }
        for _ in 0..ROUNDS {
            more.push(self.more(&asking).await?);
            less.push(self.less(&asking, true).await?);
        }
        for _ in 0..ROUNDS {
            deleted.push(self.less(&asking, false).await?);
        }
        report("label: allowed until rejected", rejected)?;
        report("label: rejected until allowed", allowed)?;
        report("a replica more, until packets to it are rejected by the group", more)?;
        report("a replica less, until packets to it are nobody's", less)?;
        report("a pod deleted, until packets to it are nobody's", deleted)
    }

    /// The pods' addresses, once there are as many.
    async fn addresses(&self, many: usize) -> Result<BTreeMap<String, String>> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let pods = self.pods.list(&ListParams::default()).await?;
            let living = pods.items.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none());
            let address = |pod: &Pod| {
                let text = pod.metadata.annotations.as_ref()?.get(NETWORK)?;
                let network: PodNetwork = serde_json::from_str(text).ok()?;
                Some((pod.metadata.name.clone()?, network.ip.to_string()))
            };
            let found: BTreeMap<_, _> = living.filter_map(address).collect();
            if found.len() == many {
                return Ok(found);
            }
        }
        bail!("there are not {many} pods with addresses: does NCP run?");
    }

    /// What becomes of a new connection.
    fn outcome(&mut self, from: &str, to: &str) -> Result<String> {
        self.next_port = self.next_port.checked_add(1).unwrap_or(20_000);
        let packet = PacketQuery {
            tcp_flags: None,
            from: from.to_owned(),
            to: to.to_owned(),
            protocol: "TCP".to_owned(),
            src_port: Some(self.next_port),
            dst_port: Some(8080),
        };
        Ok(self.manager.send_packet(&packet)?.outcome)
    }

    /// Sends packets until one of the addresses is judged so.
    fn until(&mut self, from: &str, to: &[String], fits: impl Fn(&str) -> bool) -> Result<String> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            for to in to {
                if fits(&self.outcome(from, to)?) {
                    return Ok(to.clone());
                }
            }
        }
        bail!("packets from {from} to {to:?} are judged as before after {PATIENCE:?}");
    }

    async fn label(&mut self, asking: &str, asked: &str, value: &str) -> Result<Duration> {
        let wanted = if value == "open" { "DELIVERED" } else { "REJECTED" };
        let patch = Patch::Merge(json!({"metadata": {"labels": {OWN: value}}}));
        let begun = Instant::now();
        self.pods.patch("asked", &PatchParams::default(), &patch).await?;
        self.until(asking, &[asked.to_owned()], |own| own == wanted)?;
        Ok(begun.elapsed())
    }

    async fn scale(&self, replicas: usize) -> Result<()> {
        let patch = Patch::Merge(json!({"spec": {"replicas": replicas}}));
        self.deployments.patch_scale("many", &PatchParams::default(), &patch).await?;
        Ok(())
    }

    async fn more(&mut self, asking: &str) -> Result<Duration> {
        let before = self.addresses(3).await?;
        let begun = Instant::now();
        self.scale(2).await?;
        let mut after = self.addresses(4).await?;
        after.retain(|name, _| !before.contains_key(name));
        let new: Vec<_> = after.into_values().collect();
        self.until(asking, &new, |own| own == "REJECTED")?;
        Ok(begun.elapsed())
    }

    /// One of the many goes: the deployment's choice, or a pod that is deleted, after which the
    /// deployment makes another.
    async fn less(&mut self, asking: &str, by_scale: bool) -> Result<Duration> {
        let mut many = self.addresses(if by_scale { 4 } else { 3 }).await?;
        many.retain(|name, _| name.starts_with("many-"));
        let names: Vec<_> = many.keys().cloned().collect();
        let addresses: Vec<_> = many.into_values().collect();
        let begun = Instant::now();
        if by_scale {
            self.scale(1).await?;
        } else {
            let name = names.first().context("there is no pod to delete")?;
            self.pods.delete(name, &DeleteParams::default()).await?;
        }
        self.until(asking, &addresses, |own| own != "REJECTED")?;
        let took = begun.elapsed();
        self.addresses(3).await?;
        Ok(took)
    }
}

fn report(what: &str, mut took: Vec<Duration>) -> Result<()> {
    took.sort_unstable();
    let at = |place: usize| took.get(place).map_or(0.0, |own| own.as_secs_f64() * 1e3);
    let (median, worst) = (at(took.len() / 2), at(took.len().saturating_sub(1)));
    writeln!(std::io::stdout(), "{what}: median {median:.1} ms, worst {worst:.1} ms of {ROUNDS}")?;
    Ok(())
}
