//! Step 9: membership follows the pods, no rule is touched.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use serde_json::{Value, json};

use super::groups::{self, Group};
use super::matrix;
use super::pods::{self, Pod};
use super::report::{Check, Outcome, Pair};
use super::trace::Tracer;
use super::{Done, Fault};
use nsx_client::Client;

/// End of the name of the pod that is added; identifies one that a broken run left.
const ADDED_SUFFIX: &str = "x7zqk";
/// VIF of the added pod.
const ADDED_VIF: &str = "b0f2c9d4-6a1e-4c37-9d55-2e8f7a3c1b60";
/// Its Kubernetes uid.
const ADDED_UID: &str = "e3a4d1b7-52c8-4f0e-8a96-71d0c5b92f3e";

/// What the checks work with.
struct Lab<'a> {
    /// May change objects of the container plugin.
    client: Client,
    tracer: &'a Tracer<'a>,
    groups: &'a [Group],
}

/// Adds and removes a pod, relabels another, and looks at groups and verdicts in between. Leaves
/// the world as it was, also where a call fails.
pub(super) fn check(client: &Client, tracer: &Tracer, groups: &[Group]) -> Done<Vec<Check>> {
    let lab = Lab { client: client.overwriting(), tracer, groups };
    let mut checks = lab.scale()?;
    checks.extend(lab.relabel()?);
    let held = checks.iter().filter(|check| check.holds).count();
    let note = format!("{held} of {} hold", checks.len());
    Ok((checks, note))
}

impl Lab<'_> {
    /// A third pod of service-b comes and goes.
    fn scale(&self) -> Result<Vec<Check>, Fault> {
        for pod in pods::read(&self.client)? {
            if pod.name.ends_with(ADDED_SUFFIX) {
                self.delete_port(pod.port_id())?;
            }
        }
        let template = self.pod_of("service-b")?;
        let ports = self.client.list_all("/logical-ports")?;
        let body = replica(&template, &ports)
            .ok_or_else(|| Fault::State(format!("no free address beside {}", template.name)))?;
        let port = self.client.post("/logical-ports", &body)?;
        let added = Pod::from_port(port)
            .ok_or_else(|| Fault::State("the new port is not read back as a pod's".to_owned()))?;
        let joined = self.judge_added(&added);
        let deleted = self.delete_port(added.port_id());
        let mut checks = joined?;
        deleted?;
        checks.push(self.membership("service-b", &added, false, "deleted")?);
        Ok(checks)
    }

    fn judge_added(&self, added: &Pod) -> Result<Vec<Check>, Fault> {
        let joined = self.membership("service-b", added, true, "added")?;
        let reached = self.connection("service-a", added, Outcome::Success, "added")?;
        Ok(vec![joined, reached])
    }

    /// A pod of service-d becomes one of service-c, and back.
    fn relabel(&self) -> Result<Vec<Check>, Fault> {
        let pod = self.pod_of("service-d")?;
        let before = self.connection("service-a", &pod, Outcome::Fail, "before")?;
        self.label(&pod, "service-c")?;
        let during = self.judge_relabelled(&pod);
        let restored = self.label(&pod, "service-d");
        let mut checks = vec![before];
        checks.extend(during?);
        restored?;
        checks.push(self.membership("service-d", &pod, true, "labelled app=service-d again")?);
        checks.push(self.connection("service-a", &pod, Outcome::Fail, "labelled back")?);
        Ok(checks)
    }

    fn judge_relabelled(&self, pod: &Pod) -> Result<Vec<Check>, Fault> {
        let how = "labelled app=service-c";
        Ok(vec![
            self.membership("service-d", pod, false, how)?,
            self.membership("service-c", pod, true, how)?,
            self.connection("service-a", pod, Outcome::Success, how)?,
        ])
    }

    fn pod_of(&self, service: &str) -> Result<Pod, Fault> {
        let pods = pods::read(&self.client)?;
        let pod = pods.into_iter().find(|pod| pod.label("app") == Some(service));
        pod.ok_or_else(|| Fault::State(format!("no pod is labelled app={service}")))
    }

    /// Checks that the pod's address is, or is not, in the service's group.
    fn membership(
        &self,
        service: &str,
        pod: &Pod,
        wanted: bool,
        how: &str,
    ) -> Result<Check, Fault> {
        let group = self.groups.iter().find(|group| group.service == service);
        let group = group.ok_or_else(|| Fault::State(format!("no group for {service}")))?;
        let is_member = |addresses: &BTreeSet<String>| addresses.contains(&pod.address) == wanted;
        let found = groups::await_addresses(&self.client, group, is_member)?;
        let is = if wanted { "is" } else { "is not" };
        Ok(Check {
            what: format!("{}, {how}, {is} in {}", pod.name, group.name),
            holds: is_member(&found),
            detail: format!("{}: {}", group.name, groups::join(&found)),
        })
    }

    /// Checks a connection from a pod of `source`.
    fn connection(
        &self,
        source: &str,
        to: &Pod,
        wanted: Outcome,
        how: &str,
    ) -> Result<Check, Fault> {
        let pair = matrix::connect(self.tracer, &self.pod_of(source)?, to)?;
        Ok(Check {
            what: format!("{source} to {}, {how}: {wanted}", to.name),
            holds: pair.outcome == wanted,
            detail: decider(&pair),
        })
    }

    fn delete_port(&self, id: &str) -> Result<(), Fault> {
        Ok(self.client.delete(&format!("/logical-ports/{id}?detach=true"))?)
    }

    /// Does to the port what the container plugin does when a pod's label changes.
    fn label(&self, pod: &Pod, app: &str) -> Result<(), Fault> {
        let path = format!("/logical-ports/{}", pod.port_id());
        let mut port = self.client.get(&path)?;
        set_tag(&mut port, "app", app);
        self.client.put(&path, &port)?;
        Ok(())
    }
}

fn decider(pair: &Pair) -> String {
    match pair.verdicts.last() {
        Some(verdict) => format!("{} by {}", pair.outcome, verdict.summary()),
        None => pair.outcome.to_string(),
    }
}

fn set_tag(port: &mut Value, scope: &str, value: &str) {
    let tags = port["tags"].as_array_mut().into_iter().flatten();
    for tag in tags.filter(|tag| tag["scope"] == scope) {
        tag["tag"] = json!(value);
    }
}

/// The port of one more pod like `template`, as the container plugin would make it: the next free
/// address of the switch and a traffic tag that is free on the node. `None` where there is none.
fn replica(template: &Pod, ports: &[Value]) -> Option<Value> {
    let attachment = &template.port["attachment"];
    let (old, name) = (&template.name, format!("{}-{ADDED_SUFFIX}", stem(&template.name)));
    let on_switch = ports.iter().filter(|port| port["logical_switch_id"] == template.switch_id());
    let last = on_switch.filter_map(address).max()?;
    let address = Ipv4Addr::from(u32::from(last).checked_add(1)?);
    let host = address.octets()[3];
    if host == u8::MAX || host == 0 {
        return None;
    }
    let parent = &attachment["context"]["parent_vif_id"];
    let traffic_tag = ports
        .iter()
        .map(|port| &port["attachment"]["context"])
        .filter(|context| &context["parent_vif_id"] == parent)
        .filter_map(|context| context["traffic_tag"].as_u64())
        .max()?
        + 1;
    let mut port = json!({
        "display_name": text(&template.port["display_name"]).replace(old, &name),
        "logical_switch_id": template.switch_id(),
        "admin_state": "UP",
        "attachment": attachment,
        "address_bindings": [{
            "ip_address": address, "mac_address": format!("02:50:56:00:fe:{host:02x}"),
            "vlan": traffic_tag,
        }],
        "tags": template.port["tags"],
    });
    port["attachment"]["id"] = json!(ADDED_VIF);
    let context = &mut port["attachment"]["context"];
    context["traffic_tag"] = json!(traffic_tag);
    context["app_id"] = json!(text(&context["app_id"]).replace(old, &name));
    set_tag(&mut port, "ncp/pod", &name);
    set_tag(&mut port, "ncp/pod_uid", ADDED_UID);
    Some(port)
}

/// A pod's name without its own part.
fn stem(pod: &str) -> &str {
    pod.rsplit_once('-').map_or(pod, |(stem, _)| stem)
}

fn address(port: &Value) -> Option<Ipv4Addr> {
    port["address_bindings"][0]["ip_address"].as_str()?.parse().ok()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::pods::tests::pod;
    use super::*;

    #[test]
    fn a_replica_differs_in_all_that_must_be_its_own() {
        let template = pod("service-b", "service-b-86d8-6r9kp", "172.15.13.2");
        let mut other = pod("service-b", "service-b-86d8-jpwf9", "172.15.13.9").port;
        other["attachment"]["context"]["traffic_tag"] = json!(7);
        let elsewhere = pod("service-c", "service-c-5c5f-d9sqm", "172.15.9.200").port;
        let port = replica(&template, &[template.port.clone(), other, elsewhere]).unwrap();
        let added = Pod::from_port(port.clone()).unwrap();
        assert_eq!(added.name, "service-b-86d8-x7zqk");
        assert_eq!(added.label("app"), Some("service-b"));
        assert_eq!(added.address, "172.15.13.10");
        assert_eq!(port["display_name"], "cluster-ns-service-b-86d8-x7zqk");
        assert_eq!(port["attachment"]["id"], ADDED_VIF);
        let context = &port["attachment"]["context"];
        assert_eq!(context["traffic_tag"], 8);
        assert_eq!(context["app_id"], "ns.service-b-86d8-x7zqk");
        assert_eq!(context["parent_vif_id"], "node");
        assert_eq!(port.get("id"), None, "the manager gives the id");
    }

    #[test]
    fn a_full_subnet_has_no_replica() {
        let template = pod("service-b", "b-1", "172.15.13.254");
        assert_eq!(replica(&template, std::slice::from_ref(&template.port)), None);
    }
}
