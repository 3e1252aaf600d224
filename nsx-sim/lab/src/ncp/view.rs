//! What the cluster's API has, as far as NCP looks at it, and whom a change concerns.

use super::state::Name;
use super::told::{self, Kind, Told};
use super::{Key, Ncp};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use k8s_openapi::api::core::v1::{Namespace, Node, Pod, Service};
use k8s_openapi::api::networking::v1::{Ingress, NetworkPolicy};
use kube::runtime::WatchStreamExt;
use kube::runtime::reflector::{self, ObjectRef, Store};
use kube::runtime::watcher::{self, Event, watcher};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

/// For how long changes gather that concern the same load balancer, section or policy.
pub const GATHERING: Duration = Duration::from_millis(20);

/// The objects, as the watches tell them.
#[derive(Clone)]
pub struct View {
    pub(super) namespaces: Store<Namespace>,
    pub(super) pods: Store<Pod>,
    pub(super) services: Store<Service>,
    pub(super) nodes: Store<Node>,
    pub(super) policies: Store<NetworkPolicy>,
    pub(super) ingresses: Store<Ingress>,
}

/// Where the watches write them.
pub struct Writers {
    namespaces: reflector::store::Writer<Namespace>,
    pods: reflector::store::Writer<Pod>,
    services: reflector::store::Writer<Service>,
    nodes: reflector::store::Writer<Node>,
    policies: reflector::store::Writer<NetworkPolicy>,
    ingresses: reflector::store::Writer<Ingress>,
}

impl View {
    /// Nothing, and where to write.
    pub fn new() -> (Self, Writers) {
        let (namespaces, namespaces_writer) = reflector::store();
        let (pods, pods_writer) = reflector::store();
        let (services, services_writer) = reflector::store();
        let (nodes, nodes_writer) = reflector::store();
        let (policies, policies_writer) = reflector::store();
        let (ingresses, ingresses_writer) = reflector::store();
        let writers = Writers {
            namespaces: namespaces_writer,
            pods: pods_writer,
            services: services_writer,
            nodes: nodes_writer,
            policies: policies_writer,
            ingresses: ingresses_writer,
        };
        (Self { namespaces, pods, services, nodes, policies, ingresses }, writers)
    }

    /// Returns once every watch has told all that is there; false where one has ended.
    pub async fn is_whole(&self) -> bool {
        self.namespaces.wait_until_ready().await.is_ok()
            && self.pods.wait_until_ready().await.is_ok()
            && self.services.wait_until_ready().await.is_ok()
            && self.nodes.wait_until_ready().await.is_ok()
            && self.policies.wait_until_ready().await.is_ok()
            && self.ingresses.wait_until_ready().await.is_ok()
    }

    /// A namespace.
    pub fn namespace(&self, name: &str) -> Option<Arc<Namespace>> {
        self.namespaces.get(&ObjectRef::new(name))
    }

    /// A pod.
    pub fn pod(&self, name: &Name) -> Option<Arc<Pod>> {
        self.pods.get(&ObjectRef::new(&name.1).within(&name.0))
    }

    /// A Service.
    pub fn service(&self, name: &Name) -> Option<Arc<Service>> {
        self.services.get(&ObjectRef::new(&name.1).within(&name.0))
    }
}

/// The namespace and name of an object.
pub fn name_of<K: kube::Resource>(object: &K) -> Name {
    let meta = object.meta();
    (meta.namespace.clone().unwrap_or_default(), meta.name.clone().unwrap_or_default())
}

/// What is made of each thing that a watch tells.
type Take = Box<dyn FnMut(&Ncp, Event<Told>) -> serde_json::Result<()> + Send>;

/// What a watch tells, as objects of their kind.
fn read<K: Kind>(event: Event<Told>) -> serde_json::Result<Event<K>> {
    Ok(match event {
        Event::Apply(own) => Event::Apply(own.read()?),
        Event::Delete(own) => Event::Delete(own.read()?),
        Event::Init => Event::Init,
        Event::InitApply(own) => Event::InitApply(own.read()?),
        Event::InitDone => Event::InitDone,
    })
}

/// Whether a cluster does not have a kind, or not for this account. Ingresses became what they are with
/// Kubernetes 1.19, and accounts of NCP without them may do.
fn is_kept_from_us(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status)) => {
            matches!(status.code, 403 | 404)
        }
        _ => false,
    }
}

/// Whether a Service wants an address outside.
pub fn is_balanced(service: &Service) -> bool {
    let spec = service.spec.as_ref();
    spec.and_then(|own| own.type_.as_deref()) == Some("LoadBalancer")
}

impl Ncp {
    /// Starts the watches. They go on where they were interrupted, and from the beginning where the
    /// API has forgotten that.
    pub fn watch(self: &Arc<Self>, writers: Writers) {
        self.follow(writers.namespaces, |ncp, namespace: &Namespace| {
            ncp.queue.push(Key::Namespace(name_of(namespace).1));
            ncp.poke_policies();
        });
        self.follow(writers.pods, |ncp, pod: &Pod| ncp.pod_changed(pod));
        self.follow(writers.services, |ncp, service: &Service| {
            let name = name_of(service);
            if is_balanced(service) || ncp.state.services.lock().contains_key(&name) {
                ncp.queue.push(Key::Service(name));
            }
            ncp.poke_ingresses();
        });
        self.follow(writers.nodes, |ncp, _: &Node| {
            ncp.queue.push(Key::Nodes);
            ncp.queue.push_after(Key::Probes, GATHERING);
        });
        self.follow(writers.ingresses, |ncp, _: &Ingress| ncp.queue.push(Key::Ingresses));
        self.follow(writers.policies, |ncp, _: &NetworkPolicy| ncp.queue.push(Key::Policies));
    }

    fn follow<K>(
        self: &Arc<Self>,
        mut writer: reflector::store::Writer<K>,
        concerns: impl Fn(&Self, &K) + Send + 'static,
    ) where
        K: Kind + Clone,
    {
        let take = move |ncp: &Self, event: Event<Told>| {
            let event = read(event)?;
            writer.apply_watcher_event(&event);
            match &event {
                Event::Apply(object) | Event::Delete(object) => concerns(ncp, object),
                // What went while nobody watched is told by nobody.
                Event::InitDone if ncp.has_started() => ncp.look_at_all(),
                Event::Init | Event::InitApply(_) | Event::InitDone => {}
            }
            Ok(())
        };
        let events = watcher(told::everywhere::<K>(&self.kube), watcher::Config::default());
        let events = events.default_backoff().boxed();
        self.tasks.spawn(Self::follow_any(self.clone(), K::kind(&()), events, Box::new(take)));
    }

    async fn follow_any(
        ncp: Arc<Self>,
        kind: Cow<'static, str>,
        mut events: BoxStream<'static, watcher::Result<Event<Told>>>,
        mut take: Take,
    ) {
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => {
                    if let Err(error) = take(&ncp, event) {
                        tracing::warn!(%error, %kind, "an object that is none of its kind");
                    }
                }
                Err(error)
                    if kind == <Ingress as k8s_openapi::Resource>::KIND
                        && is_kept_from_us(&error) =>
                {
                    tracing::info!(%error, "Ingresses are not looked at");
                    for nothing in [Event::Init, Event::InitDone] {
                        // It holds no object that could be none of its kind.
                        let _ = take(&ncp, nothing);
                    }
                    return;
                }
                Err(error) => tracing::warn!(%error, %kind, "a watch is interrupted"),
            }
        }
    }

    fn pod_changed(&self, pod: &Pod) {
        let name = name_of(pod);
        self.queue.push(Key::Pod(name.clone()));
        self.pod_moved(&name, pod);
    }

    /// Names what depends on a pod and its port.
    fn pod_moved(&self, name: &Name, pod: &Pod) {
        let services = self.state.services.lock();
        for own in services.keys().filter(|own| own.0 == name.0) {
            self.queue.push_after(Key::Service(own.clone()), GATHERING);
        }
        drop(services);
        self.poke_ingresses();
        if !super::probes::ports_of(pod).is_empty() {
            self.queue.push_after(Key::Probes, GATHERING);
        }
        self.poke_policies();
    }

    /// Names what depends on a pod whose port has come or gone.
    pub fn port_moved(&self, name: &Name) {
        if let Some(pod) = self.view.pod(name) {
            self.pod_moved(name, &pod);
        } else {
            self.poke_policies();
        }
    }

    fn poke_ingresses(&self) {
        if !self.view.ingresses.is_empty() {
            self.queue.push_after(Key::Ingresses, GATHERING);
        }
    }

    fn poke_policies(&self) {
        if !self.view.policies.is_empty() {
            self.queue.push_after(Key::Policies, GATHERING);
        }
    }

    /// Names everything that is or was.
    pub fn look_at_all(&self) {
        self.queue.push(Key::Nodes);
        for namespace in self.view.namespaces.state() {
            self.queue.push(Key::Namespace(name_of(&*namespace).1));
        }
        for pod in self.view.pods.state() {
            self.queue.push(Key::Pod(name_of(&*pod)));
        }
        for service in self.view.services.state().iter().filter(|own| is_balanced(own)) {
            self.queue.push(Key::Service(name_of(&**service)));
        }
        for name in self.state.ports.lock().keys() {
            self.queue.push(Key::Pod(name.clone()));
        }
        for name in self.state.projects.lock().keys() {
            self.queue.push(Key::Namespace(name.clone()));
        }
        for name in self.state.services.lock().keys() {
            self.queue.push(Key::Service(name.clone()));
        }
        self.queue.push(Key::Probes);
        self.queue.push(Key::Policies);
        self.queue.push(Key::Ingresses);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_may_be_missing_or_forbidden_but_not_out_of_order() {
        let refused = |code| {
            let status = kube::core::Status { code, ..kube::core::Status::default() };
            watcher::Error::InitialListFailed(kube::Error::Api(Box::new(status)))
        };
        assert!(is_kept_from_us(&refused(404)) && is_kept_from_us(&refused(403)));
        assert!(!is_kept_from_us(&refused(500)));
        assert!(!is_kept_from_us(&watcher::Error::NoResourceVersion));
    }
}
