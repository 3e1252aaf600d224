//! Whether a step is done, and what is missing.

use super::apis::{Apis, Verb};
use super::manifest::{NAMESPACES, SERVICES};
use super::steps::Step;
use crate::{pins, pks};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::{Duration, Instant};

/// The section of the guide.
pub(super) const SECTION: &str = "PtoPDFW-MicroSegmentation";
/// Its rules, from the top.
pub(super) const RULES: [(&str, &str, &str); 4] = [
    ("service-cToservice-d", "service-c", "service-d"),
    ("service-bToservice-c", "service-b", "service-c"),
    ("service-aToservice-c", "service-a", "service-c"),
    ("service-aToservice-b", "service-a", "service-b"),
];
/// The rule that rejects the rest.
pub(super) const DENY_ALL: &str = "DenyAll";
/// How long the cluster may take for what a step began.
const PATIENCE: Duration = Duration::from_secs(60);
/// The pause between two looks.
pub(super) const PAUSE: Duration = Duration::from_millis(200);

/// What a look at the state found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The step is done, and this is what is there.
    Done(String),
    /// It is not, and this is what is missing.
    Missing(String),
}

/// Shortens `return Ok(Seen::Missing(…))`, hence the result that never fails.
#[allow(clippy::unnecessary_wraps)]
pub(super) fn missing(what: impl Into<String>) -> anyhow::Result<Seen> {
    Ok(Seen::Missing(what.into()))
}

/// Shortens `Ok(Seen::Done(…))`.
#[allow(clippy::unnecessary_wraps)]
pub(super) fn done(what: impl Into<String>) -> anyhow::Result<Seen> {
    Ok(Seen::Done(what.into()))
}

/// Looks until the step is done or patience ends; gives what was seen last.
pub(super) fn patiently(apis: &dyn Apis, step: &Step) -> anyhow::Result<Seen> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match (step.check)(apis)? {
            Seen::Missing(_) if Instant::now() < deadline => thread::sleep(PAUSE),
            seen => return Ok(seen),
        }
    }
}

pub(super) fn logged_in(apis: &dyn Apis) -> anyhow::Result<Seen> {
    match apis.desk()?.logged_in {
        Some(host) if host == pks::HOST => done(format!("logged in to {host}")),
        Some(host) => missing(format!("pks is logged in to {host}, not to {}", pks::HOST)),
        None => missing("pks is not logged in"),
    }
}

pub(super) fn has_context(apis: &dyn Apis) -> anyhow::Result<Seen> {
    let known = apis.desk()?.contexts;
    if known.iter().any(|name| name == pins::CONTEXT) {
        return done(format!("kubectl has a context {}", pins::CONTEXT));
    }
    missing(format!("kubectl's configuration has no context {}", pins::CONTEXT))
}

pub(super) fn uses_context(apis: &dyn Apis) -> anyhow::Result<Seen> {
    match apis.desk()?.current.as_deref() {
        Some(pins::CONTEXT) => done(format!("{} is kubectl's current context", pins::CONTEXT)),
        Some(other) => missing(format!("kubectl's current context is {other}")),
        None => missing("kubectl has no current context"),
    }
}

pub(super) fn namespaces(apis: &dyn Apis) -> anyhow::Result<Seen> {
    let mut networks = Vec::new();
    for name in NAMESPACES {
        let Some(found) = apis.kube(Verb::Get, &format!("/api/v1/namespaces/{name}"))? else {
            return missing(format!("there is no namespace {name}: kubectl create ns {name}"));
        };
        if found.pointer("/status/phase").and_then(Value::as_str) != Some("Active") {
            return missing(format!("the namespace {name} is not active"));
        }
    }
    let switches = apis.nsx_list("/logical-switches")?;
    for name in NAMESPACES {
        let own = switches.iter().find(|own| tags(own).get("ncp/project") == Some(&name));
        let Some(switch) = own.and_then(|own| own["display_name"].as_str()) else {
            return missing(format!("NCP has not made the logical switch of {name} yet"));
        };
        networks.push(switch.to_owned());
    }
    done(format!("three namespaces, and their switches {}", networks.join(", ")))
}

pub(super) fn applied(apis: &dyn Apis) -> anyhow::Result<Seen> {
    for (name, home) in SERVICES {
        let path = format!("/apis/apps/v1/namespaces/{home}/deployments/{name}");
        let Some(found) = apis.kube(Verb::Get, &path)? else {
            return missing(format!("there is no deployment {name} in {home}"));
        };
        let ready = found.pointer("/status/readyReplicas").and_then(Value::as_u64).unwrap_or(0);
        if ready < 2 {
            return missing(format!("{name} has {ready} of 2 pods ready"));
        }
        let path = format!("/api/v1/namespaces/{home}/services/svc-{name}");
        if apis.kube(Verb::Get, &path)?.is_none() {
            return missing(format!("there is no service svc-{name} in {home}"));
        }
    }
    let ports = ports_of_services(apis)?;
    let count: usize = ports.values().map(BTreeSet::len).sum();
    done(format!("eight pods run, and {count} logical ports carry their tags"))
}

pub(super) fn exposed(apis: &dyn Apis) -> anyhow::Result<Seen> {
    let path = "/api/v1/namespaces/x1/services/service-a-lb";
    let Some(service) = apis.kube(Verb::Get, path)? else {
        return missing("there is no service service-a-lb in x1");
    };
    let address = service.pointer("/status/loadBalancer/ingress/0/ip").and_then(Value::as_str);
    let Some(address) = address else {
        return missing("service-a-lb has no external address yet: NCP is at it");
    };
    let servers = apis.nsx_list("/loadbalancer/virtual-servers")?;
    let own = servers.iter().find(|own| own["ip_address"] == address);
    match own.and_then(|own| own["display_name"].as_str()) {
        Some(name) => done(format!("service-a-lb is {address}, the virtual server {name}")),
        None => missing(format!("no virtual server has the address {address}")),
    }
}

pub(super) fn tagged(apis: &dyn Apis) -> anyhow::Result<Seen> {
    let ports = ports_of_services(apis)?;
    let told: Vec<String> =
        ports.iter().map(|(app, ports)| format!("{app} on {} ports", ports.len())).collect();
    if ports.values().all(|ports| ports.len() >= 2) && ports.len() == SERVICES.len() {
        return done(format!("tags of scope app: {}", told.join(", ")));
    }
    missing(format!("too few ports carry a tag of scope app: {}", told.join(", ")))
}

pub(super) fn grouped(apis: &dyn Apis) -> anyhow::Result<Seen> {
    let (groups, ports) = (groups(apis)?, ports_of_services(apis)?);
    let mut told = Vec::new();
    for (service, _) in SERVICES {
        let Some(id) = groups.get(service) else {
            return missing(format!("there is no group nsg-{service}"));
        };
        let members = apis.nsx_list(&format!("/ns-groups/{id}/effective-logical-port-members"))?;
        let members: BTreeSet<&str> =
            members.iter().filter_map(|own| own["target_id"].as_str()).collect();
        let wanted: BTreeSet<&str> =
            ports.get(service).into_iter().flatten().map(String::as_str).collect();
        if members != wanted {
            return missing(format!(
                "nsg-{service} has {} ports, and {} carry the tag: the criterion is Logical Port, \
                 tag {service}, scope app",
                members.len(),
                wanted.len()
            ));
        }
        told.push(format!("nsg-{service} {}", addresses(apis, id)?.join(" ")));
    }
    done(told.join(", "))
}

pub(super) fn sectioned(apis: &dyn Apis) -> anyhow::Result<Seen> {
    let groups = groups(apis)?;
    let sections = apis.nsx_list("/firewall/sections?type=LAYER3")?;
    let Some(place) = sections.iter().position(|own| own["display_name"] == SECTION) else {
        return missing(format!("there is no section {SECTION}"));
    };
    let health = format!("hc-{}", pins::CLUSTER);
    if sections[..place].iter().any(|own| own["display_name"] == health.as_str()) {
        return missing(format!("{SECTION} stands below {health}: it belongs above"));
    }
    let applied: BTreeSet<&str> = sections[place]["applied_tos"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|own| own["target_id"].as_str())
        .collect();
    let of = |service: &str| groups.get(service).map_or("", String::as_str);
    if applied.contains(of("service-a")) {
        return missing(
            "the section is applied to nsg-service-a, too: then DenyAll rejects the load balancer, \
             and nobody reaches the cluster from outside",
        );
    }
    let wanted = BTreeSet::from([of("service-b"), of("service-c"), of("service-d")]);
    if applied == wanted {
        return done(format!("{SECTION} above {health}, applied to the groups of b, c and d"));
    }
    missing("the section is to be applied to nsg-service-b, -c and -d")
}

pub(super) fn ruled(apis: &dyn Apis) -> anyhow::Result<Seen> {
    let groups = groups(apis)?;
    let Some(section) = section(apis)? else { return missing("the section is gone") };
    let rules = apis.nsx_list(&format!("/firewall/sections/{section}/rules"))?;
    let place = |name: &str| rules.iter().position(|own| own["display_name"] == name);
    let mut last = None;
    for (name, source, destination) in RULES {
        let Some(at) = place(name) else { return missing(format!("there is no rule {name}")) };
        let only = |field: &str| match rules[at][field].as_array().map(Vec::as_slice) {
            Some([one]) => one["target_id"].as_str().unwrap_or_default().to_owned(),
            _ => String::new(),
        };
        let ends = (Some(&only("sources")), Some(&only("destinations")));
        if ends != (groups.get(source), groups.get(destination)) {
            return missing(format!("{name} is to be from nsg-{source} to nsg-{destination}"));
        }
        if rules[at]["action"] != "ALLOW" {
            return missing(format!("{name} is to allow"));
        }
        last = last.max(Some(at));
    }
    let Some(deny) = place(DENY_ALL) else { return missing(format!("there is no {DENY_ALL}")) };
    if Some(deny) < last {
        return missing(format!(
            "{DENY_ALL} stands above a rule that allows, which then never acts"
        ));
    }
    if rules[deny]["action"] != "REJECT" {
        return missing(format!("{DENY_ALL} is to reject"));
    }
    let told: Vec<String> = rules
        .iter()
        .map(|own| format!("{} {}", text(own, "id"), text(own, "display_name")))
        .collect();
    done(told.join(", "))
}

/// The tags of an object by scope.
pub(super) fn tags(object: &Value) -> BTreeMap<&str, &str> {
    let tags = object["tags"].as_array().into_iter().flatten();
    tags.filter_map(|own| Some((own["scope"].as_str()?, own["tag"].as_str()?))).collect()
}

pub(super) fn text<'a>(object: &'a Value, member: &str) -> &'a str {
    object[member].as_str().unwrap_or_default()
}

/// The ids of this cluster's ports by the value of their tag `app`, for the four services.
fn ports_of_services(apis: &dyn Apis) -> anyhow::Result<BTreeMap<String, BTreeSet<String>>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for port in apis.nsx_list("/logical-ports")? {
        let tags = tags(&port);
        let app = tags.get("app").filter(|app| SERVICES.iter().any(|(name, _)| name == *app));
        if let Some(app) = app {
            found.entry((*app).to_owned()).or_default().insert(text(&port, "id").to_owned());
        }
    }
    Ok(found)
}

/// The ids of the services' groups.
pub(super) fn groups(apis: &dyn Apis) -> anyhow::Result<BTreeMap<String, String>> {
    let listed = apis.nsx_list("/ns-groups")?;
    let own = listed.iter().filter_map(|group| {
        let service = text(group, "display_name").strip_prefix("nsg-")?;
        Some((service.to_owned(), text(group, "id").to_owned()))
    });
    Ok(own.collect())
}

/// The addresses of a group's members.
pub(super) fn addresses(apis: &dyn Apis, id: &str) -> anyhow::Result<Vec<String>> {
    let listed = apis.nsx_list(&format!("/ns-groups/{id}/effective-ip-address-members"))?;
    Ok(listed.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

/// The id of the guide's section.
pub(super) fn section(apis: &dyn Apis) -> anyhow::Result<Option<String>> {
    let sections = apis.nsx_list("/firewall/sections?type=LAYER3")?;
    let own = sections.iter().find(|own| own["display_name"] == SECTION);
    Ok(own.map(|own| text(own, "id").to_owned()))
}

#[cfg(test)]
mod tests;
