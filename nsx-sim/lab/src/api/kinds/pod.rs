//! Pods.

use super::super::error::{Cause, Error};
use super::super::resource::Resource;
use super::columns::{self, text, wide};
use super::{Admission, Rules, fill, list, number, split_status, template, text as member};
use super::{labels, typed};
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

/// Where NCP writes what the node's CNI plug-in waits for.
pub const NETWORK_ANNOTATION: &str = "ncp/pod-network";

pub(crate) const RULES: Rules = Rules {
    typed: typed::<Pod>,
    fields: |object| {
        let of = |path: &'static str, pointer: &str| (path, member(object, pointer).to_owned());
        vec![
            of("spec.nodeName", "/spec/nodeName"),
            of("spec.restartPolicy", "/spec/restartPolicy"),
            of("spec.schedulerName", "/spec/schedulerName"),
            of("spec.serviceAccountName", "/spec/serviceAccountName"),
            of("status.phase", "/status/phase"),
            of("status.podIP", "/status/podIP"),
            of("status.nominatedNodeName", "/status/nominatedNodeName"),
            ("~ready", ready(object).to_string()),
        ]
    },
    default: |object| {
        fill(object, "spec", json!({}));
        template::default(&mut object["spec"]);
        fill(&mut object["spec"], "enableServiceLinks", true);
        fill(object, "status", json!({}));
    },
    admit,
    grace: |object, asked| {
        let scheduled = !member(object, "/spec/nodeName").is_empty();
        let ended = ["Succeeded", "Failed"].contains(&member(object, "/status/phase"));
        if !scheduled || ended {
            return 0;
        }
        asked.unwrap_or_else(|| number(object, "/spec/terminationGracePeriodSeconds")).max(0)
    },
    held: |object| number(object, "/metadata/deletionGracePeriodSeconds") > 0,
    columns: &[
        text("Name"),
        text("Ready"),
        text("Status"),
        text("Restarts"),
        text("Age"),
        wide("IP"),
        wide("Node"),
        wide("Nominated Node"),
        wide("Readiness Gates"),
    ],
    cells,
    ..Rules::PLAIN
};

/// Whether the pod takes traffic.
pub(crate) fn ready(object: &Value) -> bool {
    list(object, "/status/conditions").iter().any(|c| c["type"] == "Ready" && c["status"] == "True")
}

fn admit(admission: &Admission, object: &mut Value) -> Result<(), Error> {
    split_status(admission, object);
    let name = member(object, "/metadata/name").to_owned();
    let mut causes = Vec::new();
    match admission.old {
        None => {
            object["status"] = json!({"phase": "Pending", "qosClass": "BestEffort"});
            labels(&object["metadata"], "metadata", &mut causes);
            template::check(&object["spec"], "spec", &mut causes);
        }
        Some(old) if frozen(old) != frozen(object) => {
            let why = "pod updates may not change fields other than \
                       `spec.containers[*].image`,`spec.initContainers[*].image`,\
                       `spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing \
                       tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 \
                       if it was previously negative)";
            causes.push(Cause::forbidden("spec", why));
        }
        Some(_) => labels(&object["metadata"], "metadata", &mut causes),
    }
    if causes.is_empty() { Ok(()) } else { Err(Error::invalid(Resource::Pods, &name, &causes)) }
}

/// The part of a pod's spec that no update changes.
fn frozen(object: &Value) -> Value {
    let mut spec = object["spec"].clone();
    for member in ["containers", "initContainers"] {
        for container in spec[member].as_array_mut().into_iter().flatten() {
            container["image"].take();
        }
    }
    for member in ["activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds"] {
        spec[member].take();
    }
    super::super::decode::prune(&mut spec);
    spec
}

fn cells(object: &Value) -> Vec<Value> {
    let total = list(object, "/spec/containers").len();
    let statuses = list(object, "/status/containerStatuses");
    let up = statuses.iter().filter(|s| s["ready"] == true).count();
    let restarts: i64 = statuses.iter().map(|s| number(s, "/restartCount")).sum();
    let told = |pointer: &str| match member(object, pointer) {
        "" => "<none>".into(),
        text => Value::from(text),
    };
    vec![
        columns::name(object),
        format!("{up}/{total}").into(),
        status(object).into(),
        restarts.to_string().into(),
        columns::age(object),
        told("/status/podIP"),
        told("/spec/nodeName"),
        told("/status/nominatedNodeName"),
        "<none>".into(),
    ]
}

/// What a pod is doing, in one word.
fn status(object: &Value) -> String {
    if !object["metadata"]["deletionTimestamp"].is_null() {
        return "Terminating".to_owned();
    }
    let mut word = match member(object, "/status/reason") {
        "" => member(object, "/status/phase"),
        reason => reason,
    };
    let statuses = list(object, "/status/containerStatuses");
    for status in statuses.iter().rev() {
        let waiting = member(status, "/state/waiting/reason");
        let ended = member(status, "/state/terminated/reason");
        if !waiting.is_empty() {
            word = waiting;
        } else if !ended.is_empty() {
            word = ended;
        }
    }
    let running = statuses.iter().any(|s| s["ready"] == true && !s["state"]["running"].is_null());
    if word == "Completed" && running {
        word = if ready(object) { "Running" } else { "NotReady" };
    }
    word.to_owned()
}
