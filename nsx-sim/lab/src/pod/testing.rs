//! Doubles of a cluster and its network, for tests.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use parking_lot::Mutex;
use time::OffsetDateTime;

use super::exec::{self, Stream, Streams};
use super::host::{Container, Endpoint, Host, Pod, Service, ServicePort, Transport};
use super::image::Libc;
use super::network::Network;
use super::wire::{Fate, Packet, Wire};
use super::{Dns, Runtime};
use crate::api::ExecRequest;

pub(super) fn socket(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

type Judge = Arc<dyn Fn(&Packet) -> Fate + Send + Sync>;

/// A cluster with the guide's services, one pod each: `a1`, `b1`, `c1`, `d1`, and a DNS.
#[derive(Clone)]
pub(super) struct Cluster {
    inner: Arc<Inner>,
    judge: Judge,
    dns: Dns,
}

#[derive(Default)]
struct Inner {
    pods: Vec<Pod>,
    services: Vec<(Service, Vec<Endpoint>)>,
    sent: Mutex<Vec<Packet>>,
    notes: Mutex<Vec<String>>,
}

impl Cluster {
    pub(super) fn guide() -> Self {
        let mut inner = Inner::default();
        for (namespace, app, pod, address, service) in [
            ("x1", "a", "a1", "172.15.23.3", "10.100.200.143"),
            ("y1", "b", "b1", "172.15.13.3", "10.100.200.12"),
            ("z1", "c", "c1", "172.15.9.2", "10.100.200.117"),
            ("z1", "d", "d1", "172.15.9.4", "10.100.200.211"),
        ] {
            inner.pods.push(web_pod(namespace, app, pod, address));
            let name = format!("svc-service-{app}");
            inner.add(namespace, &name, service, 80, Some((address, 8080)));
        }
        inner.pods.push(Pod {
            namespace: "kube-system".to_owned(),
            name: "coredns".to_owned(),
            address: Some(ip("172.15.3.2")),
            containers: vec![container("coredns", "coredns:1.6.7")],
            ..Pod::default()
        });
        inner.add("kube-system", "kube-dns", "10.100.200.2", 53, Some(("172.15.3.2", 53)));
        inner.add("x1", "empty", "10.100.200.99", 80, None);
        inner.add("x1", "service-a-lb", "10.100.200.49", 80, Some(("172.15.23.3", 8080)));
        inner.services.last_mut().unwrap().0.ports[0].node_port = Some(32650);
        Self {
            inner: Arc::new(inner),
            judge: Arc::new(|_| Fate::Delivered(None)),
            dns: Dns::Faithful,
        }
    }

    pub(super) fn with_fate(self, judge: impl Fn(&Packet) -> Fate + Send + Sync + 'static) -> Self {
        Self { judge: Arc::new(judge), ..self }
    }

    pub(super) fn exempt(self) -> Self {
        Self { dns: Dns::Exempt, ..self }
    }

    pub(super) fn sent(&self) -> Vec<Packet> {
        self.inner.sent.lock().clone()
    }

    pub(super) fn notes(&self) -> Vec<String> {
        self.inner.notes.lock().clone()
    }

    pub(super) fn host(&self) -> Arc<dyn Host> {
        Arc::new(self.clone())
    }

    pub(super) fn runtime(&self) -> Arc<Runtime> {
        Arc::new(Runtime::new(self.host(), Arc::new(self.clone()), self.dns))
    }

    pub(super) fn network(&self, namespace: &str, pod: &str) -> Network {
        Network::new(self.runtime(), namespace, pod, Libc::Gnu)
    }

    /// Runs a command in the `busybox` container of `x1/a1`, typed input and all.
    pub(super) async fn run(&self, command: &[&str], typed: Option<&str>, tty: bool) -> Ran {
        self.run_in(("x1", "a1", "busybox"), command, typed, tty).await
    }

    pub(super) async fn run_in(
        &self,
        (namespace, pod, container): (&str, &str, &str),
        command: &[&str],
        typed: Option<&str>,
        tty: bool,
    ) -> Ran {
        let (streams, mut client) = Streams::pair();
        let request = ExecRequest {
            namespace: namespace.to_owned(),
            pod: pod.to_owned(),
            container: container.to_owned(),
            command: command.iter().map(|&word| word.to_owned()).collect(),
            stdin: typed.is_some(),
            stdout: true,
            stderr: !tty,
            tty,
        };
        if let (Some(stdin), Some(typed)) = (&client.stdin, typed) {
            for piece in typed.as_bytes().chunks(7) {
                stdin.try_send(piece.to_vec()).unwrap();
            }
        }
        client.stdin = None;
        let reading = async {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            while let Some(chunk) = client.output.recv().await {
                let to = if chunk.stream == Stream::Stdout { &mut out } else { &mut err };
                to.extend(chunk.bytes);
            }
            (String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
        };
        let (code, (out, err)) = tokio::join!(exec::run(request, streams, self.runtime()), reading);
        Ran { code, out, err }
    }
}

/// Runs a script in the `busybox` container of the guide's `x1/a1`.
pub(super) async fn sh(script: &str) -> Ran {
    Cluster::guide().run(&["sh", "-c", script], None, false).await
}

/// Runs scripts there, each with what it prints and the code that it ends with.
pub(super) async fn scripts(expected: &[(&str, &str, u8)]) {
    for (script, out, code) in expected {
        let ran = sh(script).await;
        assert_eq!((ran.out.as_str(), ran.code), (*out, *code), "{script}: {}", ran.err);
    }
}

/// How a command ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ran {
    pub(super) code: u8,
    pub(super) out: String,
    pub(super) err: String,
}

fn container(name: &str, image: &str) -> Container {
    Container {
        name: name.to_owned(),
        image: image.to_owned(),
        running: true,
        ..Container::default()
    }
}

fn web_pod(namespace: &str, app: &str, name: &str, address: &str) -> Pod {
    let mut busybox = container("busybox", "yauritux/busybox-curl");
    busybox.command = vec!["sleep".to_owned(), "9600".to_owned()];
    Pod {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        address: Some(ip(address)),
        mac: Some("02:50:56:00:08:1e".to_owned()),
        gateway: Some((ip("172.15.23.1"), 24)),
        node: Some(ip("172.16.0.3")),
        containers: vec![
            container(&format!("service-{app}"), "nginxdemos/nginx-hello:plain-text"),
            busybox,
        ],
    }
}

impl Inner {
    fn add(
        &mut self,
        namespace: &str,
        name: &str,
        address: &str,
        port: u16,
        endpoint: Option<(&str, u16)>,
    ) {
        let protocol = if port == 53 { Transport::Udp } else { Transport::Tcp };
        let service = Service {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            cluster_ip: Some(ip(address)),
            ports: vec![ServicePort { name: String::new(), protocol, port, node_port: None }],
        };
        let endpoints =
            endpoint.map(|(address, port)| Endpoint { address: ip(address), port }).into_iter();
        self.services.push((service, endpoints.collect()));
    }

    fn find(&self, keep: impl Fn(&Service) -> bool) -> Option<Service> {
        self.services.iter().map(|(service, _)| service).find(|own| keep(own)).cloned()
    }
}

impl Host for Cluster {
    fn pod(&self, namespace: &str, name: &str) -> Option<Pod> {
        let mut pods = self.inner.pods.iter();
        pods.find(|own| own.namespace == namespace && own.name == name).cloned()
    }

    fn pod_at(&self, address: IpAddr) -> Option<Pod> {
        self.inner.pods.iter().find(|own| own.address == Some(address)).cloned()
    }

    fn service(&self, namespace: &str, name: &str) -> Option<Service> {
        self.inner.find(|own| own.namespace == namespace && own.name == name)
    }

    fn service_at(&self, address: IpAddr) -> Option<Service> {
        self.inner.find(|own| own.cluster_ip == Some(address))
    }

    fn service_on_node_port(&self, port: u16) -> Option<Service> {
        self.inner.find(|own| own.ports.iter().any(|own| own.node_port == Some(port)))
    }

    fn services(&self, namespace: &str) -> Vec<Service> {
        let all = self.inner.services.iter().map(|(service, _)| service);
        all.filter(|own| own.namespace == namespace).cloned().collect()
    }

    fn endpoints(&self, service: &Service, _: &ServicePort) -> Vec<Endpoint> {
        let by_name: BTreeMap<_, _> = self
            .inner
            .services
            .iter()
            .map(|(own, endpoints)| ((&own.namespace, &own.name), endpoints))
            .collect();
        by_name[&(&service.namespace, &service.name)].clone()
    }

    fn is_node(&self, address: IpAddr) -> bool {
        address == ip("172.16.0.3")
    }

    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp(1_589_836_511).unwrap()
    }

    fn note(&self, _: &Pod, _: &str, message: &str) {
        self.inner.notes.lock().push(message.to_owned());
    }
}

impl Wire for Cluster {
    fn send(&self, packet: &Packet) -> Result<Fate, String> {
        self.inner.sent.lock().push(*packet);
        Ok((self.judge)(packet))
    }
}
