//! The spec of pods, by itself and as a template: what is filled in and what is refused.

use super::super::error::Cause;
use super::{fill, list, names, probes, text};
use serde_json::{Value, json};

/// Fills in what a client may leave out of a pod's spec.
pub fn default(spec: &mut Value) {
    fill(spec, "restartPolicy", "Always");
    fill(spec, "terminationGracePeriodSeconds", 30);
    fill(spec, "dnsPolicy", "ClusterFirst");
    fill(spec, "securityContext", json!({}));
    fill(spec, "schedulerName", "default-scheduler");
    for member in ["containers", "initContainers"] {
        let Some(containers) = spec[member].as_array_mut() else { continue };
        containers.iter_mut().for_each(container);
    }
}

fn container(container: &mut Value) {
    let image = text(container, "/image");
    let tag = image.rsplit('/').next().unwrap_or_default().split_once(':').map(|(_, t)| t);
    let latest = !image.contains('@') && tag.is_none_or(|t| t == "latest");
    let policy = if latest { "Always" } else { "IfNotPresent" };
    fill(container, "resources", json!({}));
    fill(container, "terminationMessagePath", "/dev/termination-log");
    fill(container, "terminationMessagePolicy", "File");
    fill(container, "imagePullPolicy", policy);
    for port in container["ports"].as_array_mut().into_iter().flatten() {
        fill(port, "protocol", "TCP");
    }
    probes::default(container);
}

/// What is wrong with a pod's spec at this place.
pub fn check(spec: &Value, at: &str, causes: &mut Vec<Cause>) {
    let containers = list(spec, "/containers");
    if containers.is_empty() {
        causes.push(Cause::required(&format!("{at}.containers"), ""));
    }
    let mut seen = Vec::new();
    for (place, container) in containers.iter().enumerate() {
        let at = format!("{at}.containers[{place}]");
        let name = text(container, "/name");
        if name.is_empty() {
            causes.push(Cause::required(&format!("{at}.name"), ""));
        } else if let Some(why) = names::label(name) {
            causes.push(Cause::invalid(&format!("{at}.name"), &name.into(), why));
        } else if seen.contains(&name) {
            causes.push(Cause::duplicate(&format!("{at}.name"), &name.into()));
        }
        seen.push(name);
        if text(container, "/image").is_empty() {
            causes.push(Cause::required(&format!("{at}.image"), ""));
        }
        for (place, port) in list(container, "/ports").iter().enumerate() {
            if !(1..=65_535).contains(&port["containerPort"].as_i64().unwrap_or_default()) {
                let why = "must be between 1 and 65535, inclusive";
                let at = format!("{at}.ports[{place}].containerPort");
                causes.push(Cause::invalid(&at, &port["containerPort"], why));
            }
        }
        probes::check(container, &at, causes);
    }
    let policies = ["Always", "OnFailure", "Never"];
    if !policies.contains(&text(spec, "/restartPolicy")) {
        let at = format!("{at}.restartPolicy");
        causes.push(Cause::unsupported(&at, &spec["restartPolicy"], &policies));
    }
}
