//! The section that lets nodes probe their pods, whatever other sections isolate.

use super::Ncp;
use super::manager::{Result, id_of, text_of};
use super::naming::cluster_tags;
use crate::ports;
use k8s_openapi::api::core::v1::{Container, Node, Pod, Probe};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use uuid::Uuid;

/// What a node may ask of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Allowed {
    /// The node's address.
    node: Ipv4Addr,
    /// The pod's logical port.
    port: String,
    /// The ports that are probed.
    ports: BTreeSet<u16>,
}

/// The TCP ports on which a pod's containers are probed.
pub fn ports_of(pod: &Pod) -> BTreeSet<u16> {
    let containers = pod.spec.iter().flat_map(|own| &own.containers);
    let probed = containers.flat_map(|container| {
        let probes = [&container.liveness_probe, &container.readiness_probe];
        probes.into_iter().flatten().filter_map(|probe| port_of(probe, container))
    });
    probed.collect()
}

fn port_of(probe: &Probe, container: &Container) -> Option<u16> {
    let http = probe.http_get.as_ref().map(|own| &own.port);
    let port = http.or_else(|| probe.tcp_socket.as_ref().map(|own| &own.port))?;
    ports::number(port, container.ports.iter().flatten())
}

/// A node's own address.
pub fn address_of(node: &Node) -> Option<Ipv4Addr> {
    let addresses = node.status.as_ref()?.addresses.as_ref()?;
    addresses.iter().find(|own| own.type_ == "InternalIP")?.address.parse().ok()
}

fn rule(allowed: &Allowed) -> Value {
    let ports: Vec<_> = allowed.ports.iter().map(u16::to_string).collect();
    // As on the screen by form; which identifiers they are is not known [G image26].
    let name = Uuid::new_v5(&Uuid::NAMESPACE_OID, allowed.port.as_bytes());
    json!({
        "display_name": name.to_string(),
        "action": "ALLOW",
        "direction": "IN_OUT",
        "ip_protocol": "IPV4_IPV6",
        "sources": [{"target_id": allowed.node, "target_type": "IPv4Address"}],
        "services": [{"service": {
            "resource_type": "L4PortSetNSService",
            "l4_protocol": "TCP",
            "destination_ports": ports,
        }}],
        "applied_tos": [{"target_id": allowed.port, "target_type": "LogicalPort"}],
    })
}

/// What a rule allows, as the manager prints it.
fn read(rule: &Value) -> Option<Allowed> {
    let first = |list: &str| text_of(&rule[list][0], "target_id");
    let ports = rule["services"][0]["service"]["destination_ports"].as_array()?;
    Some(Allowed {
        node: first("sources").parse().ok()?,
        port: first("applied_tos"),
        ports: ports.iter().filter_map(|own| own.as_str()?.parse().ok()).collect(),
    })
}

impl Ncp {
    /// Makes the section's rules those that the pods' probes need; rules that fit stay as they are.
    ///
    /// # Errors
    /// Where something was not done.
    pub async fn sync_probes(&self) -> Result<()> {
        let wanted = self.wanted_probes();
        let name = format!("hc-{}", self.config.cluster);
        let Some(section) = self.section(&name).await? else {
            if wanted.is_empty() {
                return Ok(());
            }
            let body = json!({
                "display_name": name,
                "section_type": "LAYER3",
                "stateful": true,
                "tags": cluster_tags(&self.config.cluster),
                "rules": wanted.iter().map(rule).collect::<Vec<_>>(),
            });
            let place = self.place(true).await?;
            let path = format!("/firewall/sections?action=create_with_rules&{place}");
            return self.manager.post(path, body).await.map(drop);
        };
        let path = format!("/firewall/sections/{}", id_of(&section));
        let whole = format!("{path}?action=list_with_rules");
        let mut section = self.manager.post(whole, json!({})).await?;
        let before = section["rules"].as_array().cloned().unwrap_or_default();
        let mut left = wanted.clone();
        let mut rules: Vec<_> = before
            .iter()
            .filter(|own| {
                let place = read(own).and_then(|own| left.iter().position(|wanted| *wanted == own));
                place.map(|place| left.remove(place)).is_some()
            })
            .cloned()
            .collect();
        if left.is_empty() && rules.len() == before.len() {
            return Ok(());
        }
        rules.extend(left.iter().map(rule));
        section["rules"] = Value::Array(rules);
        self.manager.post(format!("{path}?action=update_with_rules"), section).await.map(drop)
    }

    fn wanted_probes(&self) -> Vec<Allowed> {
        let ports = self.state.ports.lock();
        let nodes = self.view.nodes.state();
        let mut wanted = Vec::new();
        for pod in self.view.pods.state() {
            let probed = ports_of(&pod);
            let port = ports.get(&super::view::name_of(&*pod)).filter(|_| !probed.is_empty());
            let Some(port) = port else { continue };
            let of = |own: &&std::sync::Arc<Node>| own.metadata.name.as_ref() == Some(&port.node);
            if let Some(node) = nodes.iter().find(of).and_then(|own| address_of(own)) {
                wanted.push(Allowed { node, port: port.id.clone(), ports: probed });
            }
        }
        wanted.sort_by(|one, other| one.port.cmp(&other.port));
        wanted
    }

    /// The cluster's own section of that name.
    pub async fn section(&self, name: &str) -> Result<Option<Value>> {
        let sections = self.manager.list("/firewall/sections?type=LAYER3".to_owned()).await?;
        let own = |own: &Value| own["display_name"] == name && self.is_own(own);
        Ok(sections.into_iter().find(own))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ports_of_probes_are_numbers_or_names_of_the_container_s_ports() {
        let pod: Pod = serde_json::from_value(json!({"spec": {"containers": [
            {
                "name": "coredns",
                "ports": [{"name": "health", "containerPort": 8080}],
                "livenessProbe": {"httpGet": {"path": "/health", "port": "health"}},
                "readinessProbe": {"tcpSocket": {"port": 8181}},
            },
            {"name": "other", "livenessProbe": {"exec": {"command": ["true"]}}},
        ]}}))
        .unwrap();
        assert_eq!(ports_of(&pod), BTreeSet::from([8080, 8181]));
    }

    #[test]
    fn a_rule_is_read_as_it_was_made() {
        let allowed = Allowed {
            node: Ipv4Addr::new(172, 16, 0, 3),
            port: "71c7451c".to_owned(),
            ports: BTreeSet::from([8080, 8181]),
        };
        assert_eq!(read(&rule(&allowed)), Some(allowed));
        assert_eq!(read(&json!({})), None);
    }
}
