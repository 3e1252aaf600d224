//! Who reaches whom: the guide's table, out of commands in containers.

use super::apis::{Apis, Output, Verb};
use super::checks::{self, Seen, addresses, done, groups, missing, text};
use super::manifest::namespace;
use anyhow::Context;
use fixtures::GUIDE_TABLE;
use serde_json::Value;
use std::collections::BTreeSet;

/// curl's exit codes.
const REFUSED: i32 = 7;
const NO_SUCH_HOST: i32 = 6;

/// The load balancer answers from outside.
pub(super) fn from_outside(apis: &dyn Apis) -> anyhow::Result<Seen> {
    let path = "/api/v1/namespaces/x1/services/service-a-lb";
    let service = apis.kube(Verb::Get, path)?.unwrap_or_default();
    let address = service.pointer("/status/loadBalancer/ingress/0/ip").and_then(Value::as_str);
    let Some(address) = address else { return missing("service-a-lb has no external address") };
    let got = apis.outside(&format!("http://{address}"))?;
    match server(&got) {
        Some(name) if name.starts_with("service-a-") => done(format!("{address} is {name}")),
        _ => missing(format!("http://{address} does not answer: {}", got.stderr.trim())),
    }
}

/// Before the section everybody reaches everybody.
pub(super) fn open(apis: &dyn Apis) -> anyhow::Result<Seen> {
    if checks::section(apis)?.is_some() {
        return done("the section is there already: this was before it");
    }
    let mut told = Vec::new();
    for to in ["service-b", "service-d"] {
        let url = by_name_url(to);
        let got = curl(apis, "service-a", &url)?;
        match server(&got) {
            Some(name) => told.push(format!("{url} is {name}")),
            None => return missing(format!("{url} from service-a: {}", got.stderr.trim())),
        }
    }
    done(told.join(", "))
}

/// The guide's table, by address.
pub(super) fn isolated(apis: &dyn Apis) -> anyhow::Result<Seen> {
    let seen = table(apis, |to| {
        let path = format!("/api/v1/namespaces/{}/services/svc-{to}", namespace(to));
        let service = apis.kube(Verb::Get, &path)?.unwrap_or_default();
        let address = service.pointer("/spec/clusterIP").and_then(Value::as_str);
        let address = address.with_context(|| format!("svc-{to} has no address"))?;
        Ok(format!("http://{address}"))
    })?;
    let Seen::Done(rows) = seen else { return Ok(seen) };
    match from_outside(apis)? {
        Seen::Done(outside) => done(format!("{rows}; from outside {outside}")),
        missing @ Seen::Missing(_) => Ok(missing),
    }
}

/// The guide's table, by name.
pub(super) fn by_name(apis: &dyn Apis) -> anyhow::Result<Seen> {
    table(apis, |to| Ok(by_name_url(to)))
}

/// A third pod of service-b is in its group.
pub(super) fn scaled(apis: &dyn Apis) -> anyhow::Result<Seen> {
    let pods = pods(apis, "service-b")?;
    if pods.len() < 3 {
        return missing(format!("{} pods of service-b run", pods.len()));
    }
    let Some(group) = groups(apis)?.remove("service-b") else {
        return missing("nsg-service-b is gone");
    };
    let members: BTreeSet<String> = addresses(apis, &group)?.into_iter().collect();
    let own: BTreeSet<String> = pods.iter().map(|(_, address)| address.clone()).collect();
    if members != own {
        return missing(format!("nsg-service-b has {members:?} and the pods {own:?}"));
    }
    done(format!("nsg-service-b has {}", members.into_iter().collect::<Vec<_>>().join(" ")))
}

/// Whether names are looked up from a pod of the service.
pub(super) fn resolves(apis: &dyn Apis, from: &str, to: &str) -> anyhow::Result<bool> {
    Ok(curl(apis, from, &by_name_url(to))?.code != NO_SUCH_HOST)
}

fn by_name_url(to: &str) -> String {
    format!("http://svc-{to}.{}", namespace(to))
}

/// Goes through the table with the addresses that `url` gives.
fn table(apis: &dyn Apis, url: impl Fn(&str) -> anyhow::Result<String>) -> anyhow::Result<Seen> {
    let mut wrong = Vec::new();
    for (from, to, succeeds) in GUIDE_TABLE {
        let url = url(to)?;
        let got = curl(apis, from, &url)?;
        let reached = server(&got).is_some_and(|name| name.starts_with(to));
        let as_printed = if succeeds { reached } else { got.code == REFUSED };
        if as_printed {
            continue;
        }
        let lesson = match got.code {
            NO_SUCH_HOST => {
                " (the lookup is rejected by DenyAll at the sender's own firewall: allow it UDP and \
                 TCP 53 to the pods with the tag k8s-app=kube-dns)"
            }
            _ => "",
        };
        let what = if reached { "succeeds" } else { got.stderr.trim() };
        wrong.push(format!("{from} to {url}: {what}{lesson}"));
    }
    match wrong.as_slice() {
        [] => done(format!("{0} of {0} rows as in the guide", GUIDE_TABLE.len())),
        [first, ..] => missing(format!(
            "{} of {} rows differ from the guide's table; the first: {first}",
            wrong.len(),
            GUIDE_TABLE.len()
        )),
    }
}

/// The name of the pod that answered.
fn server(got: &Output) -> Option<&str> {
    if got.code != 0 {
        return None;
    }
    got.stdout.lines().find_map(|line| line.strip_prefix("Server name: ")).map(str::trim)
}

/// curl in a pod of a service.
fn curl(apis: &dyn Apis, from: &str, url: &str) -> anyhow::Result<Output> {
    let pods = pods(apis, from)?;
    let (pod, _) = pods.first().with_context(|| format!("no pod of {from} runs"))?;
    apis.exec(namespace(from), pod, &["curl", "-s", "-S", "-m", "20", url])
}

/// The running pods of a service with their addresses, by name.
fn pods(apis: &dyn Apis, service: &str) -> anyhow::Result<Vec<(String, String)>> {
    let home = namespace(service);
    let path = format!("/api/v1/namespaces/{home}/pods?labelSelector=app%3D{service}");
    let listed = apis.kube(Verb::Get, &path)?.unwrap_or_default();
    let all = listed["items"].as_array().into_iter().flatten();
    let running = all.filter(|own| {
        own.pointer("/status/phase").is_some_and(|phase| phase == "Running")
            && own.pointer("/metadata/deletionTimestamp").is_none()
    });
    let mut pods: Vec<_> = running
        .map(|own| (text(&own["metadata"], "name").into(), text(&own["status"], "podIP").into()))
        .collect();
    pods.sort();
    Ok(pods)
}
