//! The cluster that containers see, read from the API server's store.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;

use k8s_openapi::api::core::v1;
use parking_lot::Mutex;
use serde::Deserialize;
use time::OffsetDateTime;

use super::host::{Container, Endpoint, Host, Pod, Service, ServicePort, Transport};
use crate::api::kinds::pod::NETWORK_ANNOTATION;
use crate::api::store::Object;
use crate::api::{Resource, Store};
use crate::controllers::events::Recorder;
use crate::ports;

/// Who tells of pods that the firewall keeps from something.
const RECORDER: Recorder = Recorder { component: "nsx-firewall" };
/// How many pods are remembered as told of; then it begins anew.
const REMEMBERED: usize = 1024;

/// What was told of pods already: namespace, name and reason.
pub(super) type Told = Arc<Mutex<HashSet<[String; 3]>>>;

/// A [`Host`] over a store.
pub struct StoreHost {
    store: Store,
    told: Told,
}

/// What NCP tells a pod of its network.
#[derive(Default, Deserialize)]
struct Network {
    #[serde(default)]
    mac: Option<String>,
    #[serde(default)]
    gateway: Option<String>,
}

impl StoreHost {
    /// The cluster of this store. What `told` holds is not told again.
    pub(super) fn new(store: Store, told: Told) -> Self {
        Self { store, told }
    }

    fn find_service(&self, keep: impl Fn(&v1::Service) -> bool) -> Option<Service> {
        let all = self.store.read_all::<v1::Service>(None);
        all.into_iter().find(|own| keep(own)).map(service)
    }
}

impl Host for StoreHost {
    fn pod(&self, namespace: &str, name: &str) -> Option<Pod> {
        self.store.read::<v1::Pod>(namespace, name).map(pod)
    }

    fn pod_at(&self, address: IpAddr) -> Option<Pod> {
        let address = address.to_string();
        let has = |own: &&Arc<Object>| own.field("status.podIP") == Some(address.as_str());
        let (pods, _) = self.store.list(Resource::Pods, None);
        pods.iter().find(has)?.read().ok().map(pod)
    }

    fn service(&self, namespace: &str, name: &str) -> Option<Service> {
        self.store.read::<v1::Service>(namespace, name).map(service)
    }

    fn service_at(&self, address: IpAddr) -> Option<Service> {
        let address = Some(address.to_string());
        self.find_service(|own| own.spec.as_ref().is_some_and(|spec| spec.cluster_ip == address))
    }

    fn service_on_node_port(&self, port: u16) -> Option<Service> {
        let port = Some(i32::from(port));
        self.find_service(|own| {
            let ports = own.spec.iter().flat_map(|spec| spec.ports.iter().flatten());
            ports.into_iter().any(|own| own.node_port == port)
        })
    }

    fn services(&self, namespace: &str) -> Vec<Service> {
        let all = self.store.read_all::<v1::Service>(Some(namespace));
        all.into_iter().map(service).collect()
    }

    fn endpoints(&self, service: &Service, port: &ServicePort) -> Vec<Endpoint> {
        let own = self.store.read::<v1::Endpoints>(&service.namespace, &service.name);
        let subsets = own.and_then(|own| own.subsets).unwrap_or_default();
        let mut all = Vec::new();
        for subset in subsets {
            let mut ports = subset.ports.iter().flatten();
            let same = |own: &&v1::EndpointPort| {
                own.name.as_deref().unwrap_or_default() == port.name
                    && transport(own.protocol.as_deref()) == port.protocol
            };
            let Some(number) = ports.find(same).and_then(|own| u16::try_from(own.port).ok()) else {
                continue;
            };
            let addresses = subset.addresses.iter().flatten();
            all.extend(
                addresses
                    .filter_map(|own| own.ip.parse().ok())
                    .map(|address| Endpoint { address, port: number }),
            );
        }
        all
    }

    fn is_node(&self, address: IpAddr) -> bool {
        let address = address.to_string();
        self.store.read_all::<v1::Node>(None).into_iter().any(|own| {
            let addresses = own.status.and_then(|own| own.addresses).unwrap_or_default();
            addresses.iter().any(|own| own.address == address)
        })
    }

    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }

    fn note(&self, pod: &Pod, reason: &str, message: &str) {
        let mut told = self.told.lock();
        if told.is_empty() {
            tracing::warn!(pod = %format!("{}/{}", pod.namespace, pod.name), "{message}");
        }
        if told.len() >= REMEMBERED {
            told.clear();
        }
        let new = told.insert([pod.namespace.clone(), pod.name.clone(), reason.to_owned()]);
        drop(told);
        if !new {
            return;
        }
        if let Some(object) = self.store.get(Resource::Pods, &pod.namespace, &pod.name) {
            let node = object.field("spec.nodeName").unwrap_or_default();
            RECORDER.warning(&self.store, &object.value(), node, reason, message);
        }
    }
}

fn pod(own: v1::Pod) -> Pod {
    let annotations = own.metadata.annotations.unwrap_or_default();
    let network: Network = annotations
        .get(NETWORK_ANNOTATION)
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let gateway = network.gateway.and_then(|text| {
        let (address, prefix) = text.split_once('/').unwrap_or((&text, "24"));
        Some((address.parse().ok()?, prefix.parse().ok()?))
    });
    let status = own.status.unwrap_or_default();
    let states = status.container_statuses.unwrap_or_default();
    let running = |name: &str| {
        let mut states = states.iter().filter(|own| own.name == name);
        states.any(|own| own.state.as_ref().is_some_and(|state| state.running.is_some()))
    };
    let containers = own.spec.map(|spec| spec.containers).unwrap_or_default();
    Pod {
        namespace: own.metadata.namespace.unwrap_or_default(),
        name: own.metadata.name.unwrap_or_default(),
        address: status.pod_ip.and_then(|text| text.parse().ok()),
        mac: network.mac,
        gateway,
        node: status.host_ip.and_then(|text| text.parse().ok()),
        containers: containers
            .into_iter()
            .map(|own| Container {
                running: running(&own.name),
                asked: asked(&own),
                stdin: own.stdin == Some(true),
                command: own.command.into_iter().chain(own.args).flatten().collect(),
                environment: own
                    .env
                    .unwrap_or_default()
                    .into_iter()
                    .map(|own| (own.name, own.value.unwrap_or_default()))
                    .collect(),
                ports: own
                    .ports
                    .unwrap_or_default()
                    .into_iter()
                    .filter_map(|own| u16::try_from(own.container_port).ok())
                    .collect(),
                image: own.image.unwrap_or_default(),
                name: own.name,
            })
            .collect(),
    }
}

/// The ports and paths that a container's probes ask by HTTP.
fn asked(container: &v1::Container) -> Vec<(u16, String)> {
    let probes = [&container.startup_probe, &container.liveness_probe, &container.readiness_probe];
    let asked = probes.into_iter().flatten().filter_map(|probe| probe.http_get.as_ref());
    let port = |port| ports::number(port, container.ports.iter().flatten());
    asked.filter_map(|own| Some((port(&own.port)?, own.path.clone()?))).collect()
}

fn service(own: v1::Service) -> Service {
    let spec = own.spec.unwrap_or_default();
    let ports = spec.ports.unwrap_or_default();
    Service {
        namespace: own.metadata.namespace.unwrap_or_default(),
        name: own.metadata.name.unwrap_or_default(),
        // A headless service says `None`.
        cluster_ip: spec.cluster_ip.and_then(|text| text.parse().ok()),
        ports: ports
            .into_iter()
            .filter_map(|own| {
                Some(ServicePort {
                    protocol: transport(own.protocol.as_deref()),
                    port: u16::try_from(own.port).ok()?,
                    node_port: own.node_port.and_then(|port| u16::try_from(port).ok()),
                    name: own.name.unwrap_or_default(),
                })
            })
            .collect(),
    }
}

fn transport(protocol: Option<&str>) -> Transport {
    match protocol {
        Some("UDP") => Transport::Udp,
        _ => Transport::Tcp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::net::SocketAddr;

    fn host(store: &Store) -> StoreHost {
        StoreHost::new(store.clone(), Told::default())
    }

    #[test]
    fn a_pod_is_what_its_object_and_its_network_say() {
        let store = Store::default();
        store
            .create(
                Resource::Pods,
                json!({
                    "apiVersion": "v1", "kind": "Pod",
                    "metadata": {"name": "b1", "namespace": "y1", "annotations": {
                        "ncp/pod-network": "{\"ip\":\"172.15.13.3\",\"mac\":\"02:50:56:00:00:09\",\
                                            \"gateway\":\"172.15.13.1/24\",\"port_id\":\"x\"}"}},
                    "spec": {"containers": [
                        {"name": "web", "image": "nginxdemos/nginx-hello", "ports":
                            [{"name": "http", "containerPort": 8080}],
                         "livenessProbe": {"httpGet": {"port": "http", "path": "/live"}},
                         "readinessProbe": {"httpGet": {"port": 81, "path": "/"}}, "env": [{"name": "A", "value": "1"}]},
                        {"name": "side", "image": "busybox", "command": ["sleep"], "args": ["5"]}]},
                    "status": {"podIP": "172.15.13.3", "hostIP": "172.16.0.4", "containerStatuses": [
                        {"name": "web", "state": {"running": {}}, "image": "", "imageID": "",
                         "ready": true, "restartCount": 0}]},
                }),
            )
            .unwrap();
        let found = host(&store).pod_at("172.15.13.3".parse().unwrap()).unwrap();
        assert_eq!(host(&store).pod("y1", "b1").as_ref(), Some(&found));
        assert_eq!(found.gateway, Some(("172.15.13.1".parse().unwrap(), 24)));
        assert_eq!(found.mac.as_deref(), Some("02:50:56:00:00:09"));
        let [web, side] = found.containers.as_slice() else { panic!("two containers") };
        assert!(web.running && !side.running);
        assert_eq!(web.asked, [(8080, "/live".to_owned()), (81, "/".to_owned())]);
        assert_eq!(found.node, "172.16.0.4".parse().ok());
        assert_eq!((web.ports.as_slice(), side.command.join(" ")), (&[8080][..], "sleep 5".into()));
        assert_eq!(host(&store).pod_at("172.15.13.4".parse().unwrap()), None);
    }

    #[test]
    fn endpoints_are_those_of_the_port() {
        let store = Store::default();
        store
            .create(
                Resource::Endpoints,
                json!({
                    "metadata": {"name": "dns", "namespace": "kube-system"},
                    "subsets": [{"addresses": [{"ip": "10.0.0.1"}, {"ip": "10.0.0.2"}],
                        "notReadyAddresses": [{"ip": "10.0.0.3"}],
                        "ports": [{"name": "dns", "port": 53, "protocol": "UDP"},
                                  {"name": "dns-tcp", "port": 54, "protocol": "TCP"}]}],
                }),
            )
            .unwrap();
        let port = |name: &str, protocol| ServicePort {
            name: name.to_owned(),
            protocol,
            port: 53,
            node_port: None,
        };
        let service = Service {
            namespace: "kube-system".to_owned(),
            name: "dns".to_owned(),
            ..Service::default()
        };
        let found = host(&store).endpoints(&service, &port("dns", Transport::Udp));
        let at: Vec<_> = found.iter().map(|own| SocketAddr::new(own.address, own.port)).collect();
        assert_eq!(at, ["10.0.0.1:53".parse().unwrap(), "10.0.0.2:53".parse().unwrap()]);
        assert!(host(&store).endpoints(&service, &port("other", Transport::Udp)).is_empty());
    }

    #[test]
    fn a_note_is_an_event_and_is_told_once() {
        let store = Store::default();
        let meta =
            json!({"metadata": {"name": "b1", "namespace": "y1"}, "spec": {"containers": []}});
        store.create(Resource::Pods, meta).unwrap();
        let host = host(&store);
        let pod = host.pod("y1", "b1").unwrap();
        host.note(&pod, "DNSBlocked", "why");
        host.note(&pod, "DNSBlocked", "why");
        let events = store.read_all::<v1::Event>(Some("y1"));
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].message.as_deref(), Some("why"));
    }
}
