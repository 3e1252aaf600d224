//! The network as a container sees it: names, services' addresses, connections.
//!
//! What leaves the pod is a packet between pods' addresses: the node has put an endpoint's address
//! and port in the place of a service's before the firewall sees it [K nsx-kube-proxy].

mod http;
mod names;
mod resolver;

pub(super) use http::{Request, Response, short};
pub(super) use names::SEARCH;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::Runtime;
use super::host::{Pod, Transport};
use super::image::{Image, Libc, Web};
use super::wire::{Fate, Packet, Segment};

/// How long Linux waits after each SYN without an answer, before it gives up.
const SYN_WAITS: [u64; 7] = [1, 2, 4, 8, 16, 32, 64];

/// One pod's view of the network, or that of a node.
#[derive(Clone)]
pub(super) struct Network {
    runtime: Arc<Runtime>,
    namespace: String,
    pod: String,
    /// The node's address, and the pod as the node knows it, where it is the node that looks.
    node: Option<(IpAddr, Arc<Pod>)>,
    libc: Libc,
}

/// Why there is no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConnectError {
    /// A reset came back.
    Refused,
    /// Nothing came back.
    TimedOut,
    /// ICMP said that there is no way, or none that is allowed.
    NoRoute,
    /// The pod itself has no network.
    NoNetwork,
}

impl ConnectError {
    /// The C library's words.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Refused => "Connection refused",
            Self::TimedOut => "Connection timed out",
            Self::NoRoute => "No route to host",
            Self::NoNetwork => "Network is unreachable",
        }
    }
}

/// An open connection.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    /// Our end.
    pub(super) local: SocketAddr,
    /// The other end as its own host knows it, behind all translations.
    pub(super) peer: SocketAddr,
    /// The pod that answers there.
    pod: Pod,
}

impl Connection {
    /// Whether what listens at the other end speaks HTTP that is known here.
    pub(super) fn answers(&self) -> bool {
        self.web() != Web::Unknown
    }

    /// What listens at the other end.
    pub(super) fn web(&self) -> Web {
        listener(&self.pod, self.peer.port()).unwrap_or(Web::Unknown)
    }
}

/// What a datagram or an echo request met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// An answer.
    Came,
    /// ICMP: administratively prohibited.
    Prohibited,
    /// ICMP: nobody there.
    NoRoute,
    /// Nothing.
    Lost,
}

impl Network {
    /// What a pod's containers with such a C library see.
    pub(super) fn new(runtime: Arc<Runtime>, namespace: &str, pod: &str, libc: Libc) -> Self {
        let (namespace, pod) = (namespace.to_owned(), pod.to_owned());
        Self { runtime, namespace, pod, node: None, libc }
    }

    /// What the node of a pod sees.
    pub(super) fn of_node(runtime: Arc<Runtime>, address: IpAddr, pod: Pod) -> Self {
        let own = Self::new(runtime, &pod.namespace, &pod.name, Libc::Gnu);
        Self { node: Some((address, Arc::new(pod))), ..own }
    }

    /// The pod, as it is now; of a node what a pod would be that has its address and no containers.
    pub(super) fn own(&self) -> Option<Pod> {
        match &self.node {
            Some((address, _)) => Some(Pod { address: Some(*address), ..Pod::default() }),
            None => self.runtime.host.pod(&self.namespace, &self.pod),
        }
    }

    /// The pod that has the address.
    fn pod_at(&self, address: IpAddr) -> Option<Pod> {
        match &self.node {
            Some((_, pod)) if pod.address == Some(address) => Some((**pod).clone()),
            _ => self.runtime.host.pod_at(address),
        }
    }

    /// Whom the pod asks for names.
    pub(super) fn nameserver(&self) -> Option<IpAddr> {
        self.runtime.host.nameserver()
    }

    fn address(&self) -> Option<IpAddr> {
        self.own().and_then(|pod| pod.address)
    }

    /// Opens a TCP connection, as patient as Linux is: who is less so drops the future.
    pub(super) async fn connect(&self, to: SocketAddr) -> Result<Connection, ConnectError> {
        let own = self.own().ok_or(ConnectError::NoNetwork)?;
        let address = own.address.ok_or(ConnectError::NoNetwork)?;
        let local = SocketAddr::new(address, ephemeral_port());
        if to.ip().is_loopback() || to.ip() == address {
            return Self::accept(local, to, own);
        }
        let Some(target) = self.translate(to, Transport::Tcp)? else {
            return self.wait_in_vain().await;
        };
        if target.ip() == address {
            return Self::accept(local, target, own);
        }
        for seconds in SYN_WAITS {
            let syn = Packet::Tcp { from: local, to: target, segment: Segment::Syn };
            match self.send(syn).await {
                Fate::Delivered(member) => {
                    let peer = member.unwrap_or(target);
                    let pod = self.pod_at(peer.ip()).ok_or(ConnectError::Refused)?;
                    let connection = Self::accept(local, peer, pod)?;
                    // A load balancer's answers are its own, and its clients' filters know them.
                    if member.is_some() || self.answered(local, peer).await {
                        return Ok(connection);
                    }
                }
                Fate::Reset => return Err(ConnectError::Refused),
                Fate::Prohibited | Fate::NoRoute => return Err(ConnectError::NoRoute),
                Fate::Dropped => {}
            }
            sleep(Duration::from_secs(seconds)).await;
        }
        Err(ConnectError::TimedOut)
    }

    /// Whether the way back is open: filters without memory judge it by itself.
    async fn answered(&self, local: SocketAddr, peer: SocketAddr) -> bool {
        let answer = Packet::Tcp { from: peer, to: local, segment: Segment::SynAck };
        matches!(self.send(answer).await, Fate::Delivered(_))
    }

    async fn wait_in_vain(&self) -> Result<Connection, ConnectError> {
        sleep(Duration::from_secs(SYN_WAITS.iter().sum())).await;
        Err(ConnectError::TimedOut)
    }

    /// The other side takes a connection if something listens there.
    fn accept(local: SocketAddr, peer: SocketAddr, pod: Pod) -> Result<Connection, ConnectError> {
        match listener(&pod, peer.port()) {
            Some(_) => Ok(Connection { local, peer, pod }),
            None => Err(ConnectError::Refused),
        }
    }

    /// What kube-proxy makes of a receiver: an endpoint in the place of a service's address. Nothing
    /// where the address is a service's and the port is not.
    fn translate(
        &self,
        to: SocketAddr,
        transport: Transport,
    ) -> Result<Option<SocketAddr>, ConnectError> {
        let host = &self.runtime.host;
        let found = if host.is_node(to.ip()) {
            let service = host.service_on_node_port(to.port());
            service.and_then(|service| {
                let of = |port: &&super::host::ServicePort| port.node_port == Some(to.port());
                let port = service.ports.iter().find(of)?.clone();
                Some((service, port))
            })
        } else if let Some(service) =
            host.service_at(to.ip()).filter(|service| service.cluster_ip == Some(to.ip()))
        {
            let port = service
                .ports
                .iter()
                .find(|port| port.port == to.port() && port.protocol == transport);
            let Some(port) = port.cloned() else { return Ok(None) };
            Some((service, port))
        } else {
            None
        };
        let Some((service, port)) = found else { return Ok(Some(to)) };
        let endpoints = host.endpoints(&service, &port);
        // kube-proxy refuses for a service without endpoints.
        let chosen = random(endpoints.len()).and_then(|index| endpoints.get(index));
        chosen.map(|own| Some(SocketAddr::new(own.address, own.port))).ok_or(ConnectError::Refused)
    }

    /// Sends an echo request.
    pub(super) async fn echo(&self, to: IpAddr, identifier: u16) -> Reply {
        let Some(from) = self.address() else { return Reply::NoRoute };
        if to.is_loopback() || to == from {
            return Reply::Came;
        }
        // Nobody answers for a service's address: kube-proxy translates its ports alone.
        if self.runtime.host.service_at(to).is_some_and(|own| own.cluster_ip == Some(to)) {
            return Reply::Lost;
        }
        match self.send(Packet::Echo { from, to, identifier }).await {
            Fate::Delivered(_) => Reply::Came,
            Fate::Prohibited | Fate::Reset => Reply::Prohibited,
            Fate::NoRoute => Reply::NoRoute,
            Fate::Dropped => Reply::Lost,
        }
    }

    /// Sends a request and has it answered by what listens at the other end; nothing if that speaks
    /// no HTTP that is known here.
    pub(super) fn request(&self, connection: &Connection, request: &Request) -> Option<Response> {
        connection.answers().then(|| {
            let now = self.runtime.host.now();
            http::answer(connection.web(), &connection.pod, connection.peer, request, now)
        })
    }

    /// Forgets a connection that one of two pods, or a pod and its node, have.
    pub(super) async fn close(&self, connection: &Connection) {
        let (from, to) = (connection.local, connection.peer);
        if from.ip() != to.ip() && !to.ip().is_loopback() {
            self.send(Packet::Tcp { from, to, segment: Segment::Reset }).await;
        }
    }

    async fn send(&self, packet: Packet) -> Fate {
        self.runtime.send(packet).await
    }
}

/// What listens on a port of a pod.
fn listener(pod: &Pod, port: u16) -> Option<Web> {
    pod.containers.iter().filter(|own| own.running).find_map(|own| {
        let image = Image::named(&own.image);
        let known = image.ports.contains(&port);
        if known && image.web != Web::Unknown {
            return Some(image.web);
        }
        let asked = own.asked.iter().any(|(own, _)| *own == port);
        let web = if asked { Web::Asked } else { Web::Unknown };
        (known || own.ports.contains(&port)).then_some(web)
    })
}

/// A port as Linux chooses one for a client.
fn ephemeral_port() -> u16 {
    const FIRST: u16 = 32_768;
    const COUNT: usize = 28_232;
    let offset = random(COUNT).and_then(|offset| u16::try_from(offset).ok()).unwrap_or_default();
    FIRST + offset
}

/// A number below `count`; nothing if there is none.
fn random(count: usize) -> Option<usize> {
    let bits = uuid::Uuid::new_v4().as_u64_pair().1;
    usize::try_from(bits).ok()?.checked_rem(count)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Cluster, socket};
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_services_address_becomes_an_endpoints_on_the_node() {
        let cluster = Cluster::guide();
        let network = cluster.network("x1", "a1");
        let connection = network.connect(socket("10.100.200.12:80")).await.unwrap();
        assert_eq!(connection.peer, socket("172.15.13.3:8080"));
        let sent = cluster.sent();
        assert!(
            matches!(sent[0], Packet::Tcp { to, segment: Segment::Syn, .. } if to == connection.peer)
        );
        assert!(matches!(sent[1], Packet::Tcp { from, segment: Segment::SynAck, .. }
            if from == connection.peer));
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_connection_is_tried_seven_times_and_times_out() {
        let cluster = Cluster::guide().with_fate(|_| Fate::Dropped);
        let start = tokio::time::Instant::now();
        let failed = cluster.network("x1", "a1").connect(socket("172.15.13.3:8080")).await;
        assert_eq!(failed.err(), Some(ConnectError::TimedOut));
        assert_eq!(start.elapsed().as_secs(), 127);
        assert_eq!(cluster.sent().len(), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn a_filter_without_memory_may_keep_the_answer_back() {
        let cluster = Cluster::guide().with_fate(|packet| match packet {
            Packet::Tcp { segment: Segment::SynAck, .. } => Fate::Dropped,
            _ => Fate::Delivered(None),
        });
        let failed = cluster.network("x1", "a1").connect(socket("172.15.13.3:8080")).await;
        assert_eq!(failed.err(), Some(ConnectError::TimedOut));
    }

    #[tokio::test(start_paused = true)]
    async fn where_nobody_listens_or_nobody_is_ready_connections_are_refused() {
        let cluster = Cluster::guide();
        let network = cluster.network("x1", "a1");
        for refused in ["172.15.13.3:8081", "10.100.200.99:80", "127.0.0.1:80"] {
            let failed = network.connect(socket(refused)).await;
            assert_eq!(failed.err(), Some(ConnectError::Refused), "{refused}");
        }
        let silent = network.connect(socket("10.100.200.12:81")).await;
        assert_eq!(silent.err(), Some(ConnectError::TimedOut), "no port of the service");
        assert!(network.connect(socket("127.0.0.1:8080")).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_is_closed_is_forgotten() {
        let cluster = Cluster::guide();
        let network = cluster.network("x1", "a1");
        let near = network.connect(socket("127.0.0.1:8080")).await.unwrap();
        network.close(&near).await;
        assert!(cluster.sent().is_empty(), "nobody but the pod knows it");
        let far = network.connect(socket("172.15.13.3:8080")).await.unwrap();
        network.close(&far).await;
        let last = Packet::Tcp { from: far.local, to: far.peer, segment: Segment::Reset };
        assert_eq!(cluster.sent().last(), Some(&last));
    }

    #[tokio::test(start_paused = true)]
    async fn a_node_port_leads_to_the_service() {
        let network = Cluster::guide().network("y1", "b1");
        let connection = network.connect(socket("172.16.0.3:32650")).await.unwrap();
        assert_eq!(connection.peer, socket("172.15.23.3:8080"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_load_balancer_tells_whom_it_chose() {
        let chosen = socket("172.15.23.3:8080");
        let cluster = Cluster::guide().with_fate(move |_| Fate::Delivered(Some(chosen)));
        let connection = cluster.network("y1", "b1").connect(socket("10.40.14.50:80")).await;
        assert_eq!(connection.unwrap().peer, chosen);
    }
}
