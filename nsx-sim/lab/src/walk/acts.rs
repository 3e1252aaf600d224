//! What the walk does when it goes by itself. Each makes only what is not there yet, so that it can
//! be gone again.

use super::apis::{Apis, Verb};
use super::checks::{self, DENY_ALL, RULES, SECTION, groups, text};
use super::manifest::{MANIFEST, NAMESPACES, SERVICES};
use super::matrix;
use crate::{pins, pks};
use anyhow::Context;
use serde_json::{Value, json};

/// The account of the guide.
const ACCOUNT: [&str; 7] = ["-a", pks::HOST, "-u", "pksadmin", "-p", "VMware1!", "-k"];

pub(super) fn login(apis: &dyn Apis) -> anyhow::Result<()> {
    let words: Vec<&str> = ["login"].into_iter().chain(ACCOUNT).collect();
    apis.pks(&words)
}

pub(super) fn kubeconfig(apis: &dyn Apis) -> anyhow::Result<()> {
    let words: Vec<&str> = ["get-kubeconfig", pins::CONTEXT].into_iter().chain(ACCOUNT).collect();
    apis.pks(&words)
}

pub(super) fn use_context(apis: &dyn Apis) -> anyhow::Result<()> {
    apis.use_context(pins::CONTEXT)
}

pub(super) fn namespaces(apis: &dyn Apis) -> anyhow::Result<()> {
    for name in NAMESPACES {
        let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        make(apis, "/api/v1/namespaces", body)?;
    }
    Ok(())
}

pub(super) fn apply(apis: &dyn Apis) -> anyhow::Result<()> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(MANIFEST)?;
    for body in documents {
        let home = text(&body["metadata"], "namespace");
        let path = match text(&body, "kind") {
            "Deployment" => format!("/apis/apps/v1/namespaces/{home}/deployments"),
            _ => format!("/api/v1/namespaces/{home}/services"),
        };
        make(apis, &path, body)?;
    }
    Ok(())
}

pub(super) fn expose(apis: &dyn Apis) -> anyhow::Result<()> {
    let body = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "service-a-lb", "namespace": "x1"},
        "spec": {"type": "LoadBalancer", "selector": {"app": "service-a"},
            "ports": [{"port": 80, "targetPort": 8080, "protocol": "TCP"}]},
    });
    make(apis, "/api/v1/namespaces/x1/services", body)
}

pub(super) fn scale(apis: &dyn Apis) -> anyhow::Result<()> {
    let path = "/apis/apps/v1/namespaces/y1/deployments/service-b/scale";
    let change = Verb::Merge(json!({"spec": {"replicas": 3}}));
    apis.kube(change, path)?.context("there is no deployment service-b").map(drop)
}

pub(super) fn groups_of_services(apis: &dyn Apis) -> anyhow::Result<()> {
    let known = groups(apis)?;
    for (service, _) in SERVICES.iter().filter(|(service, _)| !known.contains_key(*service)) {
        apis.nsx_post("/ns-groups", &by_tag(&format!("nsg-{service}"), "app", service))?;
    }
    Ok(())
}

pub(super) fn section(apis: &dyn Apis) -> anyhow::Result<()> {
    if checks::section(apis)?.is_some() {
        return Ok(());
    }
    let groups = groups(apis)?;
    let sections = apis.nsx_list("/firewall/sections?type=LAYER3")?;
    let first = sections.first().map(|own| text(own, "id")).context("there is no section")?;
    let applied: Vec<Value> = ["service-b", "service-c", "service-d"]
        .iter()
        .filter_map(|service| groups.get(*service).map(|id| reference(id)))
        .collect();
    let body = json!({
        "display_name": SECTION, "section_type": "LAYER3", "stateful": true, "tcp_strict": false,
        "applied_tos": applied,
    });
    apis.nsx_post(&format!("/firewall/sections?operation=insert_before&id={first}"), &body)?;
    Ok(())
}

/// From the last to the first, for each goes on top.
pub(super) fn rules(apis: &dyn Apis) -> anyhow::Result<()> {
    let groups = groups(apis)?;
    let group = |service: &str| -> anyhow::Result<Value> {
        let id = groups.get(service).with_context(|| format!("there is no nsg-{service}"))?;
        Ok(json!([reference(id)]))
    };
    let mut bodies = vec![json!({"display_name": DENY_ALL, "action": "REJECT"})];
    for (name, source, destination) in RULES.iter().rev() {
        bodies.push(json!({
            "display_name": name, "action": "ALLOW",
            "sources": group(source)?, "destinations": group(destination)?,
        }));
    }
    bodies.iter().try_for_each(|body| add_rule(apis, body))
}

/// The rule that lets b, c and d ask the cluster's DNS, unless they can.
pub(super) fn allow_dns(apis: &dyn Apis) -> anyhow::Result<()> {
    if matrix::resolves(apis, "service-b", "service-c")? {
        return Ok(());
    }
    let group = apis.nsx_post("/ns-groups", &by_tag("kube-dns", "k8s-app", "kube-dns"))?;
    let groups = groups(apis)?;
    let sources: Vec<Value> = ["service-b", "service-c", "service-d"]
        .iter()
        .filter_map(|service| groups.get(*service).map(|id| reference(id)))
        .collect();
    let service = |protocol: &str| {
        json!({"service": {"resource_type": "L4PortSetNSService", "l4_protocol": protocol,
            "destination_ports": ["53"]}})
    };
    let rule = json!({
        "display_name": "lookups", "action": "ALLOW", "sources": sources,
        "destinations": [reference(text(&group, "id"))],
        "services": [service("UDP"), service("TCP")],
    });
    add_rule(apis, &rule)
}

/// Puts a rule on top of the section, unless one of its name is there.
fn add_rule(apis: &dyn Apis, rule: &Value) -> anyhow::Result<()> {
    let section = checks::section(apis)?.context("there is no section")?;
    let path = format!("/firewall/sections/{section}");
    let present = apis.nsx_list(&format!("{path}/rules"))?;
    if present.iter().any(|own| own["display_name"] == rule["display_name"]) {
        return Ok(());
    }
    let mut body = rule.clone();
    for (member, value) in [
        ("direction", json!("IN_OUT")),
        ("ip_protocol", json!("IPV4_IPV6")),
        ("_revision", apis.nsx_get(&path)?["_revision"].clone()),
    ] {
        body[member] = value;
    }
    apis.nsx_post(&format!("{path}/rules?operation=insert_top"), &body).map(drop)
}

fn by_tag(name: &str, scope: &str, tag: &str) -> Value {
    json!({
        "resource_type": "NSGroup", "display_name": name,
        "membership_criteria": [{
            "resource_type": "NSGroupTagExpression", "target_type": "LogicalPort",
            "scope": scope, "scope_op": "EQUALS", "tag": tag, "tag_op": "EQUALS",
        }],
    })
}

fn reference(group: &str) -> Value {
    json!({"target_id": group, "target_type": "NSGroup"})
}

/// Makes an object of the cluster's, unless it is there.
fn make(apis: &dyn Apis, collection: &str, body: Value) -> anyhow::Result<()> {
    let name = text(&body["metadata"], "name").to_owned();
    if apis.kube(Verb::Get, &format!("{collection}/{name}"))?.is_some() {
        return Ok(());
    }
    let made = apis.kube(Verb::Post(body), collection)?;
    made.with_context(|| format!("the namespace of {collection}/{name} is not there")).map(drop)
}
