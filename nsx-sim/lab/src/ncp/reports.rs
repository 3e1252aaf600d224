//! What the cluster's users are told of what does not come to be: an annotation that stays until it
//! does, and an event.

use super::manager::{Error, Result};
use super::told::{self, Kind, Told};
use super::{Key, Ncp};
use k8s_openapi::api::core::v1::{Namespace, Pod};
use k8s_openapi::jiff::Timestamp;
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use kube::core::Request;
use serde_json::{Value, json};

/// The annotation that tells why something has no network. That NCP marks objects so is public for
/// NetworkPolicies; for pods and namespaces it is chosen.
pub const ERROR: &str = "ncp/error";
/// The component in events, by the name of the product's container.
const COMPONENT: &str = "nsx-ncp";

/// An object as an event names it.
fn involved<K: Kind>(object: &K) -> Value {
    let meta = object.meta();
    json!({
        "apiVersion": K::api_version(&()),
        "kind": K::kind(&()),
        "namespace": meta.namespace,
        "name": meta.name,
        "uid": meta.uid,
    })
}

impl Ncp {
    /// Tells the owner of a pod or a namespace that it has no network, and why.
    pub async fn report(&self, key: &Key, error: &Error) {
        let (api, object) = match key {
            Key::Pod(name) => match self.view.pod(name) {
                Some(pod) => (told::within::<Pod>(&self.kube, &name.0), involved(&*pod)),
                None => return,
            },
            Key::Namespace(name) => match self.view.namespace(name) {
                Some(own) => (told::everywhere::<Namespace>(&self.kube), involved(&*own)),
                None => return,
            },
            Key::Service(_) | Key::Nodes | Key::Probes | Key::Policies | Key::Ingresses => return,
        };
        if let Err(error) = self.tell_of(&api, object, error).await {
            tracing::warn!(%error, ?key, "nobody could be told");
        }
    }

    async fn tell_of(&self, api: &Api<Told>, object: Value, error: &Error) -> Result<()> {
        let name = object["name"].as_str().unwrap_or_default().to_owned();
        // Events of what is in no namespace are kept in this one.
        let namespace = object["namespace"].as_str().unwrap_or("default").to_owned();
        let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap_or_default();
        let event = json!({
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": format!("{name}."), "namespace": namespace},
            "involvedObject": object,
            "type": "Warning",
            "reason": "FailedCreateNetwork",
            "message": error.to_string(),
            "source": {"component": COMPONENT},
            "count": 1,
            "firstTimestamp": now,
            "lastTimestamp": now,
        });
        let request = Request::new(format!("/api/v1/namespaces/{namespace}/events"));
        let request = request.create(&PostParams::default(), event.to_string().into_bytes());
        let request = request.map_err(|error| Error::Missing(error.to_string()))?;
        self.kube.request_text(request).await?;
        let told = json!({"metadata": {"annotations": {ERROR: error.to_string()}}});
        api.patch(&name, &PatchParams::default(), &Patch::Merge(told)).await?;
        Ok(())
    }
}
