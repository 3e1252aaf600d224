//! The lab's parts together: a manager, the lab's Kubernetes API and NCP between them, each on a
//! listener of its own in this process.

mod guide;
mod ingress;
mod policies;
mod prepare;
mod probes;
mod restart;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Namespace, Pod};
use kube::api::{Api, ListParams, PostParams};
use kube::runtime::wait::await_condition;
use lab::pod::{Containers, Dns, ManagerWire};
use lab::{api, ncp, pins};
use nsx_client::{Client, Judgement, PacketQuery, Remote};
use nsx_sim::http::{Options, Running, Tls, WorldDocument, start};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

/// An address that is no port's.
const OUTSIDE: &str = "192.0.2.10";
const PASSWORD: &str = "VMware1!VMware1!";

/// All of it but NCP, which each test starts and ends.
struct Lab {
    _manager: Running,
    _api: api::Running,
    kube: kube::Client,
    admin: Client,
    principal: Client,
    next_port: AtomicU16,
}

fn object<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("an object of its kind")
}

/// Asks until there is an answer. A test that waits in vain is ended by whoever runs it.
async fn until<T>(mut answer: impl FnMut() -> Option<T>) -> T {
    loop {
        if let Some(answer) = tokio::task::block_in_place(&mut answer) {
            return answer;
        }
        tokio::task::yield_now().await;
    }
}

impl Lab {
    async fn start() -> Self {
        let world = WorldDocument::read(fixtures::LAB_WORLD).expect("the lab's world reads");
        Self::over(world).await
    }

    /// A cluster beside a manager with that world.
    async fn over(world: WorldDocument) -> Self {
        let options = Options { tls: Tls::SelfSigned, world, ..Options::default() };
        let manager = start(options).await.expect("a manager");
        let remote = Remote {
            url: Some(manager.url()),
            user: "admin".into(),
            password: PASSWORD.into(),
            insecure: true,
            cert: None,
            cert_key: None,
        };
        let admin = Client::new(&remote).expect("a client");
        let principal = tokio::task::block_in_place(|| ncp::register(&admin, pins::CLUSTER));
        let principal = principal.expect("the principal is registered");
        let principal = Client::of_principal(&remote, &principal).expect("a client");
        let options = api::Options {
            listen: ([127, 0, 0, 1], 0).into(),
            tls: false,
            token: None,
            exec: Some(Arc::new(Containers::new(
                Arc::new(ManagerWire::new(admin.clone())),
                Dns::Faithful,
            ))),
            ..api::Options::default()
        };
        let api = api::start(options).await.expect("an API");
        let config = kube::Config::new(api.url.parse().expect("an address"));
        let kube = kube::Client::try_from(config).expect("a client");
        let next_port = AtomicU16::new(40_001);
        Self { _manager: manager, _api: api, kube, admin, principal, next_port }
    }

    /// NCP, once it has done what it knows of.
    async fn ncp(&self) -> ncp::Running {
        self.ncp_told(ncp::Config::default()).await
    }

    async fn ncp_told(&self, config: ncp::Config) -> ncp::Running {
        let started = ncp::start(config, self.kube.clone(), self.principal.clone()).await;
        let running = started.expect("NCP starts");
        until(|| running.is_idle().then_some(())).await;
        running
    }

    fn list(&self, path: &str) -> Vec<Value> {
        self.admin.list_all(path).expect("a list")
    }

    /// What becomes of the first packet of a connection over TCP, from a port that none was from before.
    fn judged(&self, from: &str, to: &str, dst_port: u16) -> Judgement {
        let src_port = self.next_port.fetch_add(1, Ordering::Relaxed);
        let packet = PacketQuery {
            tcp_flags: None,
            from: from.into(),
            to: to.into(),
            protocol: "TCP".into(),
            src_port: Some(src_port),
            dst_port: Some(dst_port),
        };
        self.admin.send_packet(&packet).expect("an answer")
    }

    fn pod_port(&self, pod: &str) -> Option<Value> {
        let is_pod = |own: &Value| {
            let tags = own["tags"].as_array().into_iter().flatten();
            tags.clone().any(|tag| tag["scope"] == "ncp/pod" && tag["tag"] == pod)
        };
        self.list("/logical-ports").into_iter().find(is_pod)
    }

    fn of<K>(&self, namespace: &str) -> Api<K>
    where
        K: kube::Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>,
    {
        Api::namespaced(self.kube.clone(), namespace)
    }

    fn namespaces(&self) -> Api<Namespace> {
        Api::all(self.kube.clone())
    }

    async fn make<K>(&self, api: Api<K>, value: Value)
    where
        K: Clone + DeserializeOwned + serde::Serialize + std::fmt::Debug,
    {
        api.create(&PostParams::default(), &object(value)).await.expect("is made");
    }

    /// What the guide's manifest has of one service, with its namespace unless that is there.
    async fn deploy(&self, namespace: &str, service: &str) {
        if self.namespaces().get_opt(namespace).await.expect("an answer").is_none() {
            self.make(self.namespaces(), json!({"metadata": {"name": namespace}})).await;
        }
        let web = json!({
            "name": service,
            "image": "nginxdemos/nginx-hello:plain-text",
            "ports": [{"containerPort": 8080}],
        });
        let deployment = json!({
            "metadata": {"name": service},
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": {"app": service}},
                "template": {
                    "metadata": {"labels": {"app": service}},
                    "spec": {"containers": [web]},
                },
            },
        });
        self.make(self.of::<Deployment>(namespace), deployment).await;
    }

    /// Steps 4 to 6 of the guide.
    async fn deploy_guide(&self) {
        for (namespace, service) in
            [("x1", "service-a"), ("y1", "service-b"), ("z1", "service-c"), ("z1", "service-d")]
        {
            self.deploy(namespace, service).await;
        }
    }

    /// The pods of a deployment, name and address, once all of them run.
    async fn running(&self, namespace: &str, deployment: &str) -> BTreeSet<(String, String)> {
        let available = |own: Option<&Deployment>| {
            let status = own.and_then(|own| own.status.as_ref());
            status.and_then(|own| own.available_replicas) == Some(2)
        };
        let deployments = self.of::<Deployment>(namespace);
        await_condition(deployments, deployment, available).await.expect("a watch");
        let selected = ListParams::default().labels(&format!("app={deployment}"));
        let pods = self.of::<Pod>(namespace).list(&selected).await.expect("a list");
        let address = |own: Pod| Some((own.metadata.name?, own.status?.pod_ip?));
        pods.items.into_iter().filter_map(address).collect()
    }

    /// All that NCP makes, as far as it says what it is and not when it came.
    fn made(&self) -> Vec<String> {
        let mut made = Vec::new();
        let routers = self.list("/logical-routers");
        let rules = routers.iter().filter_map(|own| own["id"].as_str());
        let rules = rules.map(|id| format!("/logical-routers/{id}/nat/rules"));
        for path in [
            "/logical-switches",
            "/logical-ports",
            "/logical-router-ports",
            "/pools/ip-pools",
            "/pools/ip-subnets",
            "/loadbalancer/pools",
            "/loadbalancer/virtual-servers",
            "/loadbalancer/services",
            "/firewall/sections",
            "/ns-groups",
            "/ip-sets",
        ]
        .into_iter()
        .map(str::to_owned)
        .chain(rules)
        {
            for mut own in self.list(&path) {
                if let Some(own) = own.as_object_mut() {
                    own.retain(|key, _| !key.starts_with("_last") && !key.starts_with("_create_t"));
                }
                made.push(format!("{path} {own}"));
            }
        }
        made.sort();
        made
    }
}
