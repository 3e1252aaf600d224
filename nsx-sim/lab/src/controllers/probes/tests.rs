//! Probes of a cluster's pods, on a clock that stands still unless all wait for it.

use crate::api::probe::{Asked, ProbeRequest};
use crate::api::store::Deletion;
use crate::api::{Exec, ExecRequest, Network, Options, Resource, Socket, Store};
use crate::controllers;
use crate::spdy::Session;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Whether the n-th answer to a path is a good one.
type Answer = dyn Fn(&str, usize) -> bool + Send + Sync;

/// Containers that answer as the test wants.
#[derive(Clone)]
struct Answers {
    started: Instant,
    /// When what was asked.
    asked: Arc<Mutex<Vec<(u64, String)>>>,
    answer: Arc<Answer>,
}

impl Exec for Answers {
    fn serve(&self, _: Store, _: ExecRequest, _: Socket) -> BoxFuture<'static, Option<u8>> {
        async { None }.boxed()
    }

    fn forward(&self, _: Store, _: String, _: String, _: Session) -> BoxFuture<'static, ()> {
        async {}.boxed()
    }

    fn probe(&self, _: Store, request: ProbeRequest) -> BoxFuture<'static, Result<(), String>> {
        let Asked::Http { path, .. } = request.asked else { panic!("only HTTP here") };
        let mut asked = self.asked.lock();
        let before = asked.iter().filter(|(_, own)| *own == path).count();
        asked.push((self.started.elapsed().as_secs(), path.clone()));
        let good = (self.answer)(&path, before);
        async move { if good { Ok(()) } else { Err("no".to_owned()) } }.boxed()
    }
}

struct Cluster {
    store: Store,
    answers: Answers,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.tasks.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

impl Cluster {
    /// A cluster with the pod `default/web`, whose container has these members.
    fn with(
        probes: &Value,
        answer: impl Fn(&str, usize) -> bool + Send + Sync + 'static,
    ) -> Cluster {
        let store = Store::default();
        let answers =
            Answers { started: Instant::now(), asked: Arc::default(), answer: Arc::new(answer) };
        let options = Options {
            guide: false,
            network: Network::Plain,
            exec: Some(Arc::new(answers.clone())),
            ..Options::default()
        };
        controllers::boot::fill(&store, &options).unwrap();
        let tasks = controllers::start(&store, &options);
        let mut pod = json!({
            "metadata": {"namespace": "default", "name": "web", "labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "web"},
                                    {"name": "side", "image": "side"}]},
            "status": {"phase": "Pending"},
        });
        for (member, probe) in probes.as_object().unwrap() {
            pod["spec"]["containers"][0][member] = probe.clone();
        }
        (Resource::Pods.info().rules.default)(&mut pod);
        let service = json!({"metadata": {"namespace": "default", "name": "web"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}});
        store.create(Resource::Services, service).unwrap();
        store.create(Resource::Pods, pod).unwrap();
        Cluster { store, answers, tasks }
    }

    fn get(&self, resource: Resource) -> Value {
        self.store.get(resource, "default", "web").map_or(Value::Null, |own| own.value())
    }

    /// The status of the container with the probes.
    fn status(&self) -> Value {
        self.get(Resource::Pods)["status"]["containerStatuses"][0].clone()
    }

    /// Waits until the pod is so, and gives the second.
    async fn until(&self, holds: impl Fn(&Value) -> bool) -> u64 {
        let (_, mut changes) = self.store.subscribe(Resource::Pods);
        let waiting = async {
            while !holds(&self.status()) {
                changes.next().await.unwrap();
            }
        };
        timeout(Duration::from_secs(3600), waiting).await.expect("within an hour");
        self.answers.started.elapsed().as_secs()
    }

    /// Reason, message and count of what the pod's node told of its container.
    fn events(&self) -> Vec<(String, String, i64)> {
        let mut events: Vec<_> = self.store.list(Resource::Events, Some("default")).0;
        events.retain(|own| own.field("involvedObject.fieldPath") == Some("spec.containers{web}"));
        let told = events.iter().map(|own| {
            let own = own.value();
            let text = |member: &str| own[member].as_str().unwrap().to_owned();
            (text("reason"), text("message"), own["count"].as_i64().unwrap())
        });
        told.filter(|(reason, ..)| !["Pulled", "Created", "Started"].contains(&reason.as_str()))
            .collect()
    }

    /// When a path was asked.
    fn asked(&self, path: &str) -> Vec<u64> {
        let asked = self.answers.asked.lock();
        asked.iter().filter(|(_, own)| own == path).map(|(at, _)| *at).collect()
    }

    /// Lets controllers do what there is to do now.
    async fn settle(&self) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn get(path: &str, more: &Value) -> Value {
    let mut probe = json!({"httpGet": {"path": path, "port": 8080}});
    probe.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    probe
}

fn told(reason: &str, message: &str, count: i64) -> (String, String, i64) {
    (reason.to_owned(), message.to_owned(), count)
}

#[tokio::test(start_paused = true)]
async fn a_pod_takes_traffic_only_while_its_readiness_probe_succeeds() {
    // Good from the third question on, bad from the sixth, good from the eleventh.
    let probes = json!({"readinessProbe": get("/ready", &json!({"initialDelaySeconds": 5}))});
    let cluster = Cluster::with(&probes, |_, n| (2..5).contains(&n) || n >= 10);
    let ready = |status: &Value| status["ready"] == true;
    let addresses = |member: &str| {
        let subset = cluster.get(Resource::Endpoints)["subsets"][0].clone();
        subset[member].as_array().map_or(0, Vec::len)
    };
    cluster.until(|status| status["state"]["running"].is_object()).await;
    cluster.settle().await;
    assert_eq!((addresses("addresses"), addresses("notReadyAddresses")), (0, 1));
    let pod = cluster.get(Resource::Pods);
    let condition = |kind: &str| {
        let all = pod["status"]["conditions"].as_array().unwrap();
        all.iter().find(|own| own["type"] == kind).unwrap().clone()
    };
    assert_eq!(condition("Ready")["status"], "False");
    assert_eq!(condition("ContainersReady")["message"], "containers with unready status: [web]");
    assert_eq!(cluster.until(ready).await, 25);
    cluster.settle().await;
    assert_eq!((addresses("addresses"), addresses("notReadyAddresses")), (1, 0));
    assert_eq!(cluster.until(|status| !ready(status)).await, 75, "three answers are bad");
    cluster.settle().await;
    assert_eq!((addresses("addresses"), addresses("notReadyAddresses")), (0, 1));
    assert_eq!(cluster.until(ready).await, 105);
    assert_eq!(cluster.asked("/ready")[..3], [5, 15, 25]);
    assert_eq!(cluster.events(), [told("Unhealthy", "Readiness probe failed: no", 7)]);
    assert_eq!(cluster.status()["restartCount"], 0);
}

#[tokio::test(start_paused = true)]
async fn a_container_that_is_found_dead_is_started_again_and_later_each_time() {
    let probes = json!({"livenessProbe": get("/live", &json!({"periodSeconds": 1}))});
    let cluster = Cluster::with(&probes, |_, _| false);
    let restarts = |n: i64| {
        move |status: &Value| status["restartCount"] == n && status["state"]["running"].is_object()
    };
    let mut at = Vec::new();
    for n in 1..=4 {
        at.push(cluster.until(restarts(n)).await);
    }
    assert_eq!(at, [2, 4 + 10, 16 + 20, 38 + 40]);
    cluster.until(|status| status["state"]["waiting"]["reason"] == "CrashLoopBackOff").await;
    let status = cluster.status();
    assert_eq!(status["lastState"]["terminated"]["exitCode"], 137);
    assert_eq!((&status["ready"], &status["started"]), (&json!(false), &json!(false)));
    let pod = cluster.get(Resource::Pods);
    let wait = format!(
        "back-off 1m20s restarting failed container=web pod=web_default({})",
        pod["metadata"]["uid"].as_str().unwrap()
    );
    assert_eq!(status["state"]["waiting"]["message"], wait);
    assert_eq!(
        cluster.events(),
        [
            told("Unhealthy", "Liveness probe failed: no", 15),
            told("Killing", "Container web failed liveness probe, will be restarted", 5),
            told("BackOff", "Back-off restarting failed container", 4),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_else_is_asked_before_a_container_has_started() {
    let startup = get("/start", &json!({"periodSeconds": 2, "failureThreshold": 30}));
    let probes = json!({
        "startupProbe": startup,
        "livenessProbe": get("/live", &json!({"failureThreshold": 1})),
        "readinessProbe": get("/ready", &json!({"successThreshold": 2, "periodSeconds": 5})),
    });
    let cluster = Cluster::with(&probes, |path, n| path != "/start" || n == 10);
    cluster.until(|status| status["state"]["running"].is_object()).await;
    let status = cluster.status();
    assert_eq!((&status["ready"], &status["started"]), (&json!(false), &json!(false)));
    assert_eq!(cluster.until(|status| status["started"] == true).await, 20);
    assert_eq!(cluster.until(|status| status["ready"] == true).await, 25, "two answers are good");
    assert_eq!(cluster.asked("/start").len(), 11, "it has started once and for all");
    assert_eq!((cluster.asked("/live")[0], cluster.asked("/ready")[0]), (20, 20));
    assert_eq!(cluster.events(), [told("Unhealthy", "Startup probe failed: no", 10)]);
}

#[tokio::test(start_paused = true)]
async fn a_container_that_does_not_start_in_time_is_ended() {
    let probes = json!({"startupProbe": get("/start", &json!({})),
                        "livenessProbe": get("/live", &json!({}))});
    let cluster = Cluster::with(&probes, |path, _| path != "/start");
    let restarted = cluster.until(|status| status["restartCount"] == 1).await;
    assert_eq!(restarted, 20);
    assert!(cluster.asked("/live").is_empty());
    let killing = "Container web failed startup probe, will be restarted";
    assert_eq!(cluster.events()[1], told("Killing", killing, 1));
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_can_not_be_put_is_told_and_decides_nothing() {
    let probes = json!({"livenessProbe": {"httpGet": {"port": "web"}}});
    let cluster = Cluster::with(&probes, |_, _| true);
    cluster.until(|status| status["ready"] == true).await;
    tokio::time::sleep(Duration::from_secs(95)).await;
    let message = "Liveness probe errored: strconv.Atoi: parsing \"web\": invalid syntax";
    assert_eq!(cluster.events(), [told("Unhealthy", message, 10)]);
    assert_eq!(cluster.status()["restartCount"], 0);
}

#[tokio::test(start_paused = true)]
async fn nobody_asks_a_pod_that_is_gone() {
    let probes = json!({"readinessProbe": get("/ready", &json!({}))});
    let cluster = Cluster::with(&probes, |_, _| true);
    cluster.until(|status| status["ready"] == true).await;
    let now = Deletion { grace: Some(0), ..Deletion::default() };
    cluster.store.delete(Resource::Pods, "default", "web", &now).unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(cluster.asked("/ready"), [0]);
}
