//! Containers that end and start again, and what their node tells of it.

use super::containers::{Turned, settle, turn};
use super::events::Recorder;
use crate::api::error::Error;
use crate::api::kinds::{list, text};
use crate::api::{Resource, Store};
use serde_json::Value;

/// Who tells of containers.
pub const RECORDER: Recorder = Recorder { component: "kubelet" };

/// Containers of a pod end with this code and start again, now or later; those that wait start. Not
/// where the pod is another one by now: `still` says whether it is the one that is meant.
pub fn turn_over(
    store: &Store,
    (namespace, name): (&str, &str),
    containers: &[String],
    code: u8,
    still: impl Fn(&Value) -> bool,
) -> Result<(), Error> {
    let mut turned = Vec::new();
    let pod = store.update(Resource::Pods, namespace, name, |pod| {
        turned.clear();
        if still(pod) {
            turned.extend(containers.iter().map(|own| (own, turn(pod, own, code))));
            settle(pod);
        }
        Ok::<_, Error>(())
    })?;
    let pod = pod.value();
    for (container, what) in turned {
        match what {
            Some(Turned::Started) => started(store, &pod, container),
            Some(Turned::Waits) => {
                let what = ("Warning", "BackOff");
                let message = "Back-off restarting failed container";
                RECORDER.container(store, &pod, container, what, message);
            }
            Some(Turned::Over) | None => {}
        }
    }
    Ok(())
}

/// Tells what it took to start a container.
pub fn started(store: &Store, pod: &Value, name: &str) {
    let container = list(pod, "/spec/containers").iter().find(|own| own["name"] == name);
    let image = container.map(|own| text(own, "/image")).unwrap_or_default();
    for (reason, message) in [
        ("Pulled", format!("Container image {image:?} already present on machine")),
        ("Created", format!("Created container {name}")),
        ("Started", format!("Started container {name}")),
    ] {
        RECORDER.container(store, pod, name, ("Normal", reason), &message);
    }
}

/// The first process of a container has ended with this code.
pub fn ended(store: &Store, namespace: &str, name: &str, container: &str, code: u8) {
    let containers = [container.to_owned()];
    // The pod may be gone meanwhile, and its containers with it.
    if let Err(error) = turn_over(store, (namespace, name), &containers, code, |_| true) {
        tracing::debug!(%error, %namespace, %name, "a container ended");
    }
}
