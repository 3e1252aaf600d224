//! One probe of one container, from the start of its first process to its end.

use super::Process;
use super::probe::{Kind, Probe};
use crate::api::error::Error;
use crate::api::kinds::{list, number};
use crate::api::probe::ProbeRequest;
use crate::api::{Exec, Resource, Store};
use crate::controllers::containers::{probe, settle, status_of};
use crate::controllers::turns::{RECORDER, turn_over};
use serde_json::Value;
use std::sync::Arc;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// The exit code of a process that was killed: 128 and SIGKILL.
const KILLED: u8 = 137;

/// Who asks.
pub struct Worker {
    /// The cluster.
    pub store: Store,
    /// Who answers for containers.
    pub exec: Option<Arc<dyn Exec>>,
    /// The pod's namespace.
    pub namespace: String,
    /// The pod's name.
    pub name: String,
    /// Who is asked.
    pub process: Process,
    /// Whether it takes traffic.
    pub ready: bool,
    /// What is asked.
    pub probe: Probe,
}

impl Worker {
    /// Asks until there is nothing more to ask; the process runs since that moment.
    pub async fn run(mut self, since: Instant) {
        let Probe { kind, period, delay, .. } = self.probe;
        let mut ticks = interval_at(Instant::now().max(since + delay), period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut tally = Tally::default();
        loop {
            ticks.tick().await;
            let Some(good) = self.ask().await else { continue };
            if !tally.decides(good, &self.probe) {
                continue;
            }
            let done = match (kind, good) {
                (Kind::Readiness, ready) => self.serve(ready).map(|()| false),
                (Kind::Liveness, true) => Ok(false),
                (Kind::Startup, true) => self.started().map(|()| true),
                (Kind::Startup | Kind::Liveness, false) => self.kill().map(|()| true),
            };
            match done {
                Ok(false) => {}
                Ok(true) => return,
                // The pod is gone, and whoever asks it with it.
                Err(error) => {
                    tracing::debug!(%error, namespace = self.namespace, pod = self.name, "probed");
                }
            }
        }
    }

    /// Whether the answer is a good one; nothing if the question could not be put.
    async fn ask(&self) -> Option<bool> {
        let asked = match &self.probe.asked {
            Ok(asked) => asked.clone(),
            Err(why) => {
                self.complain(&format!("errored: {why}"));
                return None;
            }
        };
        let Some(exec) = &self.exec else { return Some(true) };
        let request = ProbeRequest {
            namespace: self.namespace.clone(),
            pod: self.name.clone(),
            container: self.process.container.clone(),
            asked,
            timeout: self.probe.timeout,
        };
        match exec.probe(self.store.clone(), request).await {
            Ok(()) => Some(true),
            Err(why) => {
                self.complain(&format!("failed: {why}"));
                Some(false)
            }
        }
    }

    fn complain(&self, why: &str) {
        let message = format!("{} probe {why}", self.probe.kind.word());
        self.tell(("Warning", "Unhealthy"), &message);
    }

    fn tell(&self, what: (&str, &str), message: &str) {
        let pod = self.store.get(Resource::Pods, &self.namespace, &self.name);
        let Some(pod) = pod.filter(|own| own.meta.uid == self.process.uid) else { return };
        RECORDER.container(&self.store, &pod.value(), &self.process.container, what, message);
    }

    /// The container takes traffic from now on, or none.
    fn serve(&mut self, ready: bool) -> Result<(), Error> {
        if ready != self.ready {
            self.change(|status, _| status["ready"] = ready.into())?;
            self.ready = ready;
        }
        Ok(())
    }

    /// The container has started: the other probes begin.
    fn started(&self) -> Result<(), Error> {
        self.change(|status, ready| {
            status["started"] = true.into();
            status["ready"] = ready.into();
        })
    }

    /// The container's process is ended; it begins anew where its pod wants that.
    fn kill(&self) -> Result<(), Error> {
        let Process { container, .. } = &self.process;
        let pod = self.store.get(Resource::Pods, &self.namespace, &self.name);
        let never = pod.is_some_and(|own| own.field("spec.restartPolicy") == Some("Never"));
        let word = self.probe.kind.word().to_lowercase();
        let then = if never { "" } else { ", will be restarted" };
        self.tell(
            ("Normal", "Killing"),
            &format!("Container {container} failed {word} probe{then}"),
        );
        let place = (self.namespace.as_str(), self.name.as_str());
        turn_over(&self.store, place, std::slice::from_ref(container), KILLED, |pod| {
            self.process.is_in(pod)
        })
    }

    /// Changes the container's status, if its process is the one that was asked. `change` is told
    /// whether nothing but a start kept it from traffic.
    fn change(&self, change: impl Fn(&mut Value, bool)) -> Result<(), Error> {
        self.store.update(Resource::Pods, &self.namespace, &self.name, |pod| {
            if !self.process.is_in(pod) {
                return Ok(());
            }
            let containers = list(pod, "/spec/containers").iter();
            let mut own = containers.filter(|own| own["name"] == self.process.container.as_str());
            let ready = own.all(|own| probe(own, Kind::Readiness.member()).is_none());
            if let Some(status) = status_of(pod, &self.process.container) {
                change(status, ready);
            }
            settle(pod);
            Ok::<_, Error>(())
        })?;
        Ok(())
    }
}

impl Process {
    /// Whether they are one and the same, however far they are.
    pub fn is_same(&self, other: &Process) -> bool {
        (&self.uid, &self.container, self.restarts)
            == (&other.uid, &other.container, other.restarts)
    }

    /// Whether it is this process that runs in the pod.
    fn is_in(&self, pod: &Value) -> bool {
        let mut all = list(pod, "/status/containerStatuses").iter();
        let status = all.find(|own| own["name"] == self.container.as_str());
        pod["metadata"]["uid"] == self.uid.as_str()
            && pod["metadata"]["deletionTimestamp"].is_null()
            && status.is_some_and(|own| {
                own["state"]["running"].is_object() && number(own, "/restartCount") == self.restarts
            })
    }
}

/// Answers of one kind in a row.
#[derive(Default)]
struct Tally {
    good: bool,
    count: u32,
}

impl Tally {
    /// Whether there are enough answers like this one.
    fn decides(&mut self, good: bool, probe: &Probe) -> bool {
        self.count = if good == self.good { self.count.saturating_add(1) } else { 1 };
        self.good = good;
        self.count >= if good { probe.successes } else { probe.failures }
    }
}
