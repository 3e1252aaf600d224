//! Probes: what a pod's node asks of its containers, and the words in which it tells of it.
//!
//! A probe over the network is a connection from the node's own address, which the firewall judges
//! as any other. The words are those of Kubernetes' node agent and of the library of Go beneath it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::Runtime;
use super::exec::{self, Streams};
use super::host::Pod;
use super::image::{Libc, Web};
use super::network::{ConnectError, Connection, Network, Request};
use crate::api::ExecRequest;
use crate::api::probe::{Asked, ProbeRequest};

/// How much of what a command writes is kept [kubelet].
const MOST: usize = 10 * 1024;

/// Asks a container; what is wrong, if something is.
pub(super) async fn ask(request: ProbeRequest, runtime: Arc<Runtime>) -> Result<(), String> {
    let until = Instant::now() + request.timeout;
    match &request.asked {
        Asked::Exec(command) => run(&request, command, runtime).await,
        Asked::Http { tls, host, port, path } => {
            let node = Node::of(&request, runtime)?;
            let authority = match (host, node.pod.address) {
                (Some(host), _) => format!("{host}:{port}"),
                (None, Some(own)) => SocketAddr::new(own, *port).to_string(),
                (None, None) => String::new(),
            };
            let scheme = if *tls { "https" } else { "http" };
            let got = match node.address(host.as_deref()) {
                Ok(ip) => get(&node.network, SocketAddr::new(ip, *port), *tls, path, until).await,
                Err(why) => Err(why),
            };
            match got.map_err(|why| format!("Get \"{scheme}://{authority}{path}\": {why}"))? {
                200..=399 => Ok(()),
                status => Err(format!("HTTP probe failed with statuscode: {status}")),
            }
        }
        Asked::Tcp { host, port } => {
            let node = Node::of(&request, runtime)?;
            let to = SocketAddr::new(node.address(host.as_deref())?, *port);
            let connection = open(&node.network, to, until).await;
            let connection = connection.map_err(|why| dialled(to, why))?;
            node.network.close(&connection).await;
            Ok(())
        }
        Asked::Grpc { port } => {
            let node = Node::of(&request, runtime)?;
            let to = SocketAddr::new(node.address(None)?, *port);
            healthy(&node.network, to, until).await.ok_or_else(|| {
                let seconds = request.timeout.as_secs();
                format!(
                    "timeout: failed to connect service \"{to}\" within {seconds}s: context \
                     deadline exceeded"
                )
            })
        }
    }
}

/// A pod, and the network as its node sees it.
struct Node {
    pod: Pod,
    network: Network,
}

impl Node {
    /// That of the pod that is asked. A pod that has its node's address is no way from it.
    fn of(request: &ProbeRequest, runtime: Arc<Runtime>) -> Result<Self, String> {
        let ProbeRequest { namespace, pod: name, .. } = request;
        let pod = runtime.host.pod(namespace, name).ok_or("the pod is gone")?;
        let node = pod.node.ok_or("the pod has no network")?;
        let network = if pod.address == Some(node) {
            Network::new(runtime, namespace, name, Libc::Gnu)
        } else {
            Network::of_node(runtime, node, pod.clone())
        };
        Ok(Self { pod, network })
    }

    /// The address of a host, or the pod's. Nodes know no names here.
    fn address(&self, host: Option<&str>) -> Result<IpAddr, String> {
        match host {
            None => self.pod.address.ok_or_else(|| "the pod has no address".to_owned()),
            Some("localhost") => Ok(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            Some(host) => {
                host.parse().map_err(|_| format!("dial tcp: lookup {host}: no such host"))
            }
        }
    }
}

/// Opens a connection in time; why not, where that is known.
async fn open(
    network: &Network,
    to: SocketAddr,
    until: Instant,
) -> Result<Connection, Option<ConnectError>> {
    match timeout_at(until, network.connect(to)).await {
        Ok(connected) => connected.map_err(Some),
        Err(_) => Err(None),
    }
}

/// Why there is no connection, as Go says it.
fn dialled(to: SocketAddr, why: Option<ConnectError>) -> String {
    match why {
        Some(why) => format!("dial tcp {to}: connect: {}", why.words().to_lowercase()),
        None => format!("dial tcp {to}: i/o timeout"),
    }
}

/// The status that a GET is answered by.
async fn get(
    network: &Network,
    to: SocketAddr,
    tls: bool,
    path: &str,
    until: Instant,
) -> Result<u16, String> {
    let connection = open(network, to, until).await.map_err(|why| match why {
        Some(_) => dialled(to, why),
        None => {
            "context deadline exceeded (Client.Timeout exceeded while awaiting headers)".to_owned()
        }
    })?;
    let request = Request { method: "GET".to_owned(), target: path.to_owned() };
    let response = network.request(&connection, &request);
    network.close(&connection).await;
    if tls && matches!(connection.web(), Web::Hello | Web::Nginx) {
        return Err("http: server gave HTTP response to HTTPS client".to_owned());
    }
    response.map(|own| own.status).ok_or_else(|| "EOF".to_owned())
}

/// Whether gRPC's health service answers there. What listens in an image that is not known is taken
/// to have it, for its manifest says so; what speaks HTTP/1 never answers.
async fn healthy(network: &Network, to: SocketAddr, until: Instant) -> Option<()> {
    if let Ok(connection) = open(network, to, until).await {
        network.close(&connection).await;
        if connection.web() == Web::Unknown {
            return Some(());
        }
    }
    // A client of gRPC tries again as long as there is time.
    sleep_until(until).await;
    None
}

/// Runs a command in the container.
async fn run(
    request: &ProbeRequest,
    command: &[String],
    runtime: Arc<Runtime>,
) -> Result<(), String> {
    let (streams, mut client) = Streams::pair();
    client.stdin = None;
    let asked = ExecRequest {
        namespace: request.namespace.clone(),
        pod: request.pod.clone(),
        container: request.container.clone(),
        command: command.to_vec(),
        stdin: false,
        stdout: true,
        stderr: true,
        tty: false,
    };
    let reading = async {
        let mut told = Vec::new();
        while let Some(chunk) = client.output.recv().await {
            let room = MOST.saturating_sub(told.len()).min(chunk.bytes.len());
            told.extend_from_slice(&chunk.bytes[..room]);
        }
        told
    };
    let running = async { tokio::join!(exec::run(asked, streams, runtime), reading) };
    match timeout(request.timeout, running).await {
        Ok((0, _)) => Ok(()),
        Ok((_, told)) => Err(String::from_utf8_lossy(&told).into_owned()),
        Err(_) => Err(format!("command {:?} timed out", command.join(" "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pod::testing::{Cluster, socket};
    use crate::pod::wire::{Fate, Packet, Segment};
    use std::time::Duration;

    async fn asked(cluster: &Cluster, asked: Asked) -> Result<(), String> {
        let request = ProbeRequest {
            namespace: "y1".to_owned(),
            pod: "b1".to_owned(),
            container: "busybox".to_owned(),
            asked,
            timeout: Duration::from_secs(2),
        };
        ask(request, cluster.runtime()).await
    }

    fn http(port: u16) -> Asked {
        Asked::Http { tls: false, host: None, port, path: "/".to_owned() }
    }

    fn err(text: &str) -> Result<(), String> {
        Err(text.to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_is_a_connection_of_the_node_s_own_that_is_closed_again() {
        let cluster = Cluster::guide();
        assert_eq!(asked(&cluster, http(8080)).await, Ok(()));
        let sent = cluster.sent();
        let [Packet::Tcp { from, to, segment: Segment::Syn }, _, last] = sent.as_slice() else {
            panic!("{sent:?}")
        };
        assert_eq!((from.ip(), *to), (socket("172.16.0.3:0").ip(), socket("172.15.13.3:8080")));
        assert_eq!(*last, Packet::Tcp { from: *from, to: *to, segment: Segment::Reset });
        assert_eq!(asked(&cluster, Asked::Tcp { host: None, port: 8080 }).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn where_nobody_listens_or_a_firewall_refuses_the_connection_is_refused() {
        let refused = "dial tcp 172.15.13.3:81: connect: connection refused";
        let rejecting = Cluster::guide().with_fate(|_| Fate::Reset);
        for cluster in [Cluster::guide(), rejecting] {
            let told = asked(&cluster, http(81)).await;
            assert_eq!(told, Err(format!("Get \"http://172.15.13.3:81/\": {refused}")));
            let told = asked(&cluster, Asked::Tcp { host: None, port: 81 }).await;
            assert_eq!(told, err(refused));
        }
        let own = Asked::Tcp { host: Some("127.0.0.1".to_owned()), port: 8080 };
        let told = err("dial tcp 127.0.0.1:8080: connect: connection refused");
        assert_eq!(asked(&Cluster::guide(), own).await, told, "that is the node itself");
    }

    #[tokio::test(start_paused = true)]
    async fn where_a_firewall_drops_it_time_runs_out() {
        let cluster = Cluster::guide().with_fate(|_| Fate::Dropped);
        let start = Instant::now();
        assert_eq!(
            asked(&cluster, http(8080)).await,
            err("Get \"http://172.15.13.3:8080/\": context deadline exceeded (Client.Timeout \
                 exceeded while awaiting headers)")
        );
        assert_eq!(start.elapsed().as_secs(), 2);
        let told = asked(&cluster, Asked::Tcp { host: None, port: 8080 }).await;
        assert_eq!(told, err("dial tcp 172.15.13.3:8080: i/o timeout"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_answers_is_asked_in_its_own_language() {
        let cluster = Cluster::guide();
        let https = Asked::Http { tls: true, host: None, port: 8080, path: "/x".to_owned() };
        assert_eq!(
            asked(&cluster, https).await,
            err("Get \"https://172.15.13.3:8080/x\": http: server gave HTTP response to HTTPS \
                 client")
        );
        assert_eq!(
            asked(&cluster, Asked::Grpc { port: 8080 }).await,
            err("timeout: failed to connect service \"172.15.13.3:8080\" within 2s: context \
                 deadline exceeded")
        );
        let named = Asked::Http {
            tls: false,
            host: Some("b.example".to_owned()),
            port: 80,
            path: "/".to_owned(),
        };
        assert_eq!(
            asked(&cluster, named).await,
            err("Get \"http://b.example:80/\": dial tcp: lookup b.example: no such host")
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_command_is_to_end_well_and_in_time() {
        let cluster = Cluster::guide();
        let run = |script: &str| Asked::Exec(["sh", "-c", script].map(str::to_owned).to_vec());
        assert_eq!(asked(&cluster, run("exit 0")).await, Ok(()));
        let told = asked(&cluster, run("echo well; cat /tmp/healthy")).await;
        assert_eq!(told, err("well\ncat: can't open '/tmp/healthy': No such file or directory\n"));
        let told = asked(&cluster, run("sleep 5")).await;
        assert_eq!(told, err("command \"sh -c sleep 5\" timed out"));
        assert!(cluster.sent().is_empty(), "it runs in the container");
    }
}
