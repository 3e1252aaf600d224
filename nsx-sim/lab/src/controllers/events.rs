//! Events: what controllers tell of objects, for `kubectl describe` and `kubectl get events`.

use crate::api::store::{Object, now};
use crate::api::{Error, Resource, Store};
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;

/// Who tells.
#[derive(Clone, Copy)]
pub struct Recorder {
    /// The component.
    pub component: &'static str,
}

/// What is told: its type and its reason.
type What<'a> = (&'a str, &'a str);

impl Recorder {
    /// Tells something usual of an object.
    pub fn normal(self, store: &Store, about: &Value, host: &str, reason: &str, message: &str) {
        self.tell(store, (about, ""), host, ("Normal", reason), message);
    }

    /// Tells something that a person should look at.
    pub fn warning(self, store: &Store, about: &Value, host: &str, reason: &str, message: &str) {
        self.tell(store, (about, ""), host, ("Warning", reason), message);
    }

    /// Tells something of a container, in the name of its node.
    pub fn container(self, store: &Store, pod: &Value, name: &str, what: What, message: &str) {
        let host = pod["spec"]["nodeName"].as_str().unwrap_or_default();
        let field = format!("spec.containers{{{name}}}");
        self.tell(store, (pod, &field), host, what, message);
    }

    fn tell(
        self,
        store: &Store,
        (about, field): (&Value, &str),
        host: &str,
        what: What,
        message: &str,
    ) {
        let meta = &about["metadata"];
        let namespace = meta["namespace"].as_str().unwrap_or("default");
        let name = meta["name"].as_str().unwrap_or_default();
        let mut object = json!({
            "kind": about["kind"], "namespace": meta["namespace"], "name": name,
            "uid": meta["uid"], "apiVersion": about["apiVersion"],
        });
        if !field.is_empty() {
            object["fieldPath"] = field.into();
        }
        let mut source = json!({"component": self.component});
        if !host.is_empty() {
            source["host"] = host.into();
        }
        let prefix = format!("{name}.");
        let told = store.beginning(Resource::Events, namespace, &prefix);
        let same = told.iter().find(|own| says(own, &object, &source, what, message));
        let kept = if let Some(same) = same {
            let (namespace, name) = (&same.meta.namespace, &same.meta.name);
            store.update(Resource::Events, namespace, name, |event| {
                event["count"] = (event["count"].as_i64().unwrap_or_default() + 1).into();
                event["lastTimestamp"] = now().into();
                Ok::<_, Error>(())
            })
        } else {
            object["resourceVersion"] = meta["resourceVersion"].clone();
            // The name tells the moment, so that events of one second stand in their order.
            let moment = Timestamp::now().as_nanosecond();
            let event = json!({
                "metadata": {"name": format!("{prefix}{moment:x}"), "namespace": namespace},
                "involvedObject": object,
                "reason": what.1, "message": message, "source": source, "type": what.0,
                "firstTimestamp": now(), "lastTimestamp": now(), "count": 1,
                "eventTime": null, "reportingComponent": "", "reportingInstance": "",
            });
            store.create(Resource::Events, event)
        };
        // An event that cannot be told is no reason to stop.
        if let Err(error) = kept {
            tracing::debug!(%error, "an event was not kept");
        }
    }
}

/// Whether an event says this of the object: then it only happens once more.
fn says(event: &Arc<Object>, of: &Value, source: &Value, what: What, message: &str) -> bool {
    let has = |path: &str, value: &str| event.field(path).unwrap_or_default() == value;
    let text = |member: &str| of[member].as_str().unwrap_or_default();
    if !has("involvedObject.uid", text("uid"))
        || !has("involvedObject.fieldPath", text("fieldPath"))
        || !has("type", what.0)
        || !has("reason", what.1)
    {
        return false;
    }
    let event = event.value();
    event["message"] == message && event["source"] == *source
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_again_is_counted() {
        let store = Store::default();
        let pod = json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"namespace": "x", "name": "a", "uid": "1"}, "spec": {"nodeName": "n"}});
        let recorder = Recorder { component: "kubelet" };
        for (container, message) in [("web", "no"), ("web", "no"), ("side", "no"), ("web", "other")]
        {
            recorder.container(&store, &pod, container, ("Warning", "Unhealthy"), message);
        }
        let mut another = pod.clone();
        another["metadata"]["uid"] = "2".into();
        recorder.container(&store, &another, "web", ("Warning", "Unhealthy"), "no");
        let told: Vec<_> = store
            .list(Resource::Events, Some("x"))
            .0
            .iter()
            .map(|own| {
                let own = own.value();
                let of = own["involvedObject"].clone();
                (
                    of["fieldPath"].clone(),
                    of["uid"].clone(),
                    own["message"].clone(),
                    own["count"].clone(),
                )
            })
            .collect();
        let web = "spec.containers{web}";
        assert_eq!(
            told,
            [
                (web.into(), "1".into(), "no".into(), 2.into()),
                ("spec.containers{side}".into(), "1".into(), "no".into(), 1.into()),
                (web.into(), "1".into(), "other".into(), 1.into()),
                (web.into(), "2".into(), "no".into(), 1.into()),
            ]
        );
    }
}
