//! Events: what controllers tell of objects, for `kubectl describe` and `kubectl get events`.

use crate::api::store::now;
use crate::api::{Resource, Store};
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};

/// Who tells.
#[derive(Clone, Copy)]
pub struct Recorder {
    /// The component.
    pub component: &'static str,
}

impl Recorder {
    /// Tells something usual of an object.
    pub fn normal(self, store: &Store, about: &Value, host: &str, reason: &str, message: &str) {
        self.tell(store, about, host, ("Normal", reason), message);
    }

    /// Tells something that a person should look at.
    pub fn warning(self, store: &Store, about: &Value, host: &str, reason: &str, message: &str) {
        self.tell(store, about, host, ("Warning", reason), message);
    }

    fn tell(self, store: &Store, about: &Value, host: &str, what: (&str, &str), message: &str) {
        let meta = &about["metadata"];
        let namespace = meta["namespace"].as_str().unwrap_or("default");
        let name = meta["name"].as_str().unwrap_or_default();
        // The name tells the moment, so that events of one second stand in their order.
        let moment = Timestamp::now().as_nanosecond();
        let mut source = json!({"component": self.component});
        if !host.is_empty() {
            source["host"] = host.into();
        }
        let event = json!({
            "metadata": {"name": format!("{name}.{moment:x}"), "namespace": namespace},
            "involvedObject": {
                "kind": about["kind"], "namespace": meta["namespace"], "name": name,
                "uid": meta["uid"], "apiVersion": about["apiVersion"],
                "resourceVersion": meta["resourceVersion"],
            },
            "reason": what.1, "message": message, "source": source, "type": what.0,
            "firstTimestamp": now(), "lastTimestamp": now(), "count": 1,
            "eventTime": null, "reportingComponent": "", "reportingInstance": "",
        });
        // An event that cannot be told is no reason to stop.
        if let Err(error) = store.create(Resource::Events, event) {
            tracing::debug!(%error, "an event was not kept");
        }
    }
}
