//! Nodes.

use super::columns::{self, text, wide};
use super::{Rules, list, split_status, text as member, typed};
use k8s_openapi::api::core::v1::Node;
use serde_json::Value;

pub(crate) const RULES: Rules = Rules {
    typed: typed::<Node>,
    fields: |object| {
        let unschedulable = object["spec"]["unschedulable"] == true;
        vec![("spec.unschedulable", unschedulable.to_string())]
    },
    admit: |admission, object| {
        split_status(admission, object);
        Ok(())
    },
    columns: &[
        text("Name"),
        text("Status"),
        text("Roles"),
        text("Age"),
        text("Version"),
        wide("Internal-IP"),
        wide("External-IP"),
        wide("OS-Image"),
        wide("Kernel-Version"),
        wide("Container-Runtime"),
    ],
    cells,
    ..Rules::PLAIN
};

fn cells(object: &Value) -> Vec<Value> {
    let told = |pointer: &str| match member(object, pointer) {
        "" => "<unknown>".into(),
        text => Value::from(text),
    };
    vec![
        columns::name(object),
        status(object).into(),
        roles(object).into(),
        columns::age(object),
        member(object, "/status/nodeInfo/kubeletVersion").into(),
        address(object, "InternalIP").into(),
        address(object, "ExternalIP").into(),
        told("/status/nodeInfo/osImage"),
        told("/status/nodeInfo/kernelVersion"),
        told("/status/nodeInfo/containerRuntimeVersion"),
    ]
}

fn status(object: &Value) -> String {
    let conditions = list(object, "/status/conditions");
    let ready = conditions.iter().find(|c| c["type"] == "Ready");
    let mut text = match ready.map(|c| c["status"] == "True") {
        Some(true) => "Ready",
        Some(false) => "NotReady",
        None => "Unknown",
    }
    .to_owned();
    if object["spec"]["unschedulable"] == true {
        text.push_str(",SchedulingDisabled");
    }
    text
}

fn roles(object: &Value) -> String {
    let labels = object["metadata"]["labels"].as_object().into_iter().flatten();
    let mut roles: Vec<&str> = labels
        .filter_map(|(k, v)| match k.strip_prefix("node-role.kubernetes.io/") {
            Some(role) => Some(role),
            None => (k == "kubernetes.io/role").then(|| v.as_str()).flatten(),
        })
        .collect();
    roles.sort_unstable();
    if roles.is_empty() { "<none>".to_owned() } else { roles.join(",") }
}

fn address(object: &Value, kind: &str) -> String {
    let all = list(object, "/status/addresses");
    let found = all.iter().find(|a| a["type"] == kind).map(|a| member(a, "/address"));
    found.unwrap_or("<none>").to_owned()
}
