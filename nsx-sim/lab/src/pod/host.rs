//! What a container sees of its cluster: pods, services and who answers for them.

use std::net::{IpAddr, Ipv4Addr};

use time::OffsetDateTime;

/// The address of the cluster's DNS [K TKGI's convention].
const NAMESERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 100, 200, 2));

/// The cluster as its nodes know it: what kubelet, kube-proxy and CoreDNS read from the API server.
pub trait Host: Send + Sync {
    /// The pod of that name.
    fn pod(&self, namespace: &str, name: &str) -> Option<Pod>;
    /// The pod that has the address.
    fn pod_at(&self, address: IpAddr) -> Option<Pod>;
    /// The service of that name.
    fn service(&self, namespace: &str, name: &str) -> Option<Service>;
    /// The service whose ClusterIP it is, or one of whose external addresses.
    fn service_at(&self, address: IpAddr) -> Option<Service>;
    /// The service that has the node port.
    fn service_on_node_port(&self, port: u16) -> Option<Service>;
    /// The services of a namespace, for the variables that kubelet gives containers.
    fn services(&self, namespace: &str) -> Vec<Service>;
    /// The addresses behind a service's port: those of ready pods.
    fn endpoints(&self, service: &Service, port: &ServicePort) -> Vec<Endpoint>;
    /// Whom containers ask for names; nobody where there is no DNS.
    fn nameserver(&self) -> Option<IpAddr> {
        Some(NAMESERVER)
    }
    /// Whether an address is a node's.
    fn is_node(&self, address: IpAddr) -> bool;
    /// What the clock on the wall says.
    fn now(&self) -> OffsetDateTime;
    /// Tells whoever looks at the pod from outside; the container does not see it.
    fn note(&self, pod: &Pod, reason: &str, message: &str);
}

/// A pod, as far as its containers feel it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pod {
    /// Its namespace.
    pub namespace: String,
    /// Its name, and its host name.
    pub name: String,
    /// Its address; absent before the network gave it one.
    pub address: Option<IpAddr>,
    /// The address of its interface's hardware, where the network told it.
    pub mac: Option<String>,
    /// The gateway with the prefix length of its subnet.
    pub gateway: Option<(IpAddr, u8)>,
    /// The address of its node; absent before it runs.
    pub node: Option<IpAddr>,
    /// Its containers, in the manifest's order.
    pub containers: Vec<Container>,
}

/// A container of a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Its image, as the manifest names it.
    pub image: String,
    /// What it runs, where the manifest says so; its first process.
    pub command: Vec<String>,
    /// Whether its first process reads what a client types.
    pub stdin: bool,
    /// Its environment, as the manifest gives it.
    pub environment: Vec<(String, String)>,
    /// The TCP and UDP ports that it declares.
    pub ports: Vec<u16>,
    /// What its probes ask by HTTP: ports and paths. It says so itself that it answers there.
    pub asked: Vec<(u16, String)>,
    /// Whether it runs; nobody listens in one that does not.
    pub running: bool,
}

/// A service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its address in the cluster; absent for a headless service.
    pub cluster_ip: Option<IpAddr>,
    /// Its ports.
    pub ports: Vec<ServicePort>,
}

/// A port of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServicePort {
    /// Its name; empty where there is but one.
    pub name: String,
    /// What it carries.
    pub protocol: Transport,
    /// Its number at the service's address.
    pub port: u16,
    /// Its number at each node's address, if it has one.
    pub node_port: Option<u16>,
}

/// What carries a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
}

/// One pod's port behind a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The pod's address.
    pub address: IpAddr,
    /// The port in the pod.
    pub port: u16,
}
