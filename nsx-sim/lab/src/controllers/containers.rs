//! The containers of a pod: how they are printed, how long they run, how they start again.

use super::status::condition;
use crate::api::kinds::{list, number, text};
use crate::api::store::now;
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

/// A container that ran so long is started again at once.
const STABLE: Duration = Duration::from_secs(600);

/// How long a container runs before it ends by itself, if it does: one that only sleeps.
pub fn lasts(pod: &Value, container: &str) -> Option<Duration> {
    let container = list(pod, "/spec/containers").iter().find(|c| c["name"] == container)?;
    let words = list(container, "/command").iter().chain(list(container, "/args"));
    let words: Vec<&str> = words.filter_map(Value::as_str).collect();
    match words.as_slice() {
        ["sleep" | "/bin/sleep", seconds] => Some(Duration::from_secs(seconds.parse().ok()?)),
        ["true" | "/bin/true"] => Some(Duration::ZERO),
        _ => None,
    }
}

/// A moment of a container's status.
pub fn moment(status: &Value, pointer: &str) -> Option<Timestamp> {
    text(status, pointer).parse().ok()
}

/// How long a container waits that ends again and again; the first time it starts at once.
pub fn backoff(restarts: i64) -> Duration {
    Duration::from_secs((10u64 << (restarts - 1).clamp(0, 5)).min(300))
}

/// A container's probe of this member, if it has one.
pub fn probe<'a>(container: &'a Value, member: &str) -> Option<&'a Value> {
    container.get(member).filter(|probe| probe.is_object())
}

/// Whether a container that has just begun counts as started, and as ready: not before its probes
/// have said so.
fn begun(container: &Value) -> (bool, bool) {
    let started = probe(container, "startupProbe").is_none();
    (started, started && probe(container, "readinessProbe").is_none())
}

/// The status of a pod's container.
pub fn status_of<'a>(pod: &'a mut Value, name: &str) -> Option<&'a mut Value> {
    let all = pod["status"]["containerStatuses"].as_array_mut();
    all.into_iter().flatten().find(|s| s["name"] == name)
}

/// What became of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turned {
    /// It runs, anew.
    Started,
    /// It waits for its next start.
    Waits,
    /// It stays as it ended.
    Over,
}

/// A running container ends with this code and is started again, now or later; a waiting one starts.
pub fn turn(pod: &mut Value, name: &str, code: u8) -> Option<Turned> {
    let policy = text(pod, "/spec/restartPolicy").to_owned();
    let (namespace, own) = (text(pod, "/metadata/namespace"), text(pod, "/metadata/name"));
    let printed = format!("{own}_{namespace}({})", text(pod, "/metadata/uid"));
    let container = list(pod, "/spec/containers").iter().find(|c| c["name"] == name)?;
    let (started, ready) = begun(container);
    let status = status_of(pod, name)?;
    let restarts = number(status, "/restartCount");
    let start = |status: &mut Value| {
        status["restartCount"] = (restarts + 1).into();
        status["state"] = json!({"running": {"startedAt": now()}});
        status["ready"] = ready.into();
        status["started"] = started.into();
        Some(Turned::Started)
    };
    if !status["state"]["running"].is_object() {
        return start(status);
    }
    let ended = json!({"terminated": {
        "exitCode": code, "reason": if code == 0 { "Completed" } else { "Error" },
        "startedAt": status["state"]["running"]["startedAt"], "finishedAt": now(),
        "containerID": status["containerID"],
    }});
    let ran = moment(status, "/state/running/startedAt")
        .map_or(0, |t| Timestamp::now().as_second() - t.as_second());
    let again = policy == "Always" || policy == "OnFailure" && code != 0;
    if again {
        status["lastState"] = ended;
        if ran >= STABLE.as_secs().cast_signed() || restarts == 0 {
            return start(status);
        }
        let wait = minutes(backoff(restarts));
        let message = format!("back-off {wait} restarting failed container={name} pod={printed}");
        status["state"] = json!({"waiting": {"reason": "CrashLoopBackOff", "message": message}});
    } else {
        status["state"] = ended;
    }
    status["ready"] = false.into();
    status["started"] = false.into();
    Some(if again { Turned::Waits } else { Turned::Over })
}

/// A time as Go prints it: `40s`, `2m40s`.
fn minutes(time: Duration) -> String {
    match (time.as_secs() / 60, time.as_secs() % 60) {
        (0, seconds) => format!("{seconds}s"),
        (minutes, seconds) => format!("{minutes}m{seconds}s"),
    }
}

/// What follows from the containers for the pod.
pub fn settle(pod: &mut Value) {
    let policy = text(pod, "/spec/restartPolicy");
    let statuses = list(pod, "/status/containerStatuses").to_vec();
    let ready = statuses.iter().all(|s| s["ready"] == true);
    let over = policy != "Always" && statuses.iter().all(|s| s["state"]["terminated"].is_object());
    if over {
        let failed = |s: &Value| number(s, "/state/terminated/exitCode") != 0;
        let phase = if statuses.iter().any(failed) { "Failed" } else { "Succeeded" };
        pod["status"]["phase"] = phase.into();
    }
    let waiting: Vec<&str> =
        statuses.iter().filter(|s| s["ready"] != true).map(|s| text(s, "/name")).collect();
    let (reason, message) = match (ready, over) {
        (true, _) => ("", String::new()),
        (_, true) => ("PodCompleted", String::new()),
        _ => ("ContainersNotReady", unready(&waiting)),
    };
    for kind in ["Ready", "ContainersReady"] {
        condition(pod, kind, ready, reason, &message);
    }
}

/// What is told of containers that take no traffic.
fn unready(names: &[&str]) -> String {
    format!("containers with unready status: [{}]", names.join(" "))
}

/// The statuses of a pod's containers: they wait to be made, or run.
pub fn containers(pod: &Value, running: bool) -> Value {
    let began = now();
    let uid = text(pod, "/metadata/uid").replace('-', "");
    list(pod, "/spec/containers")
        .iter()
        .map(|container| {
            let name = text(container, "/name");
            let image = text(container, "/image");
            let id = format!("{uid}{:08x}{:024x}", crate::api::kinds::hash(name), 0);
            let (started, ready) = if running { begun(container) } else { (false, false) };
            let mut status = json!({
                "name": name, "image": image, "imageID": format!("docker-pullable://{image}"),
                "restartCount": 0, "lastState": {}, "started": started, "ready": ready,
            });
            if running {
                status["state"] = json!({"running": {"startedAt": began}});
                status["containerID"] = format!("docker://{id}").into();
            } else {
                status["state"] = json!({"waiting": {"reason": "ContainerCreating"}});
            }
            status
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_that_sleeps_ends_and_others_do_not() {
        let pod = json!({"spec": {"containers": [
            {"name": "a", "command": ["sleep", "9600"]}, {"name": "b"},
            {"name": "c", "command": ["sh", "-c", "sleep 1"]}]}});
        assert_eq!(lasts(&pod, "a"), Some(Duration::from_secs(9600)));
        assert_eq!(lasts(&pod, "b"), None);
        assert_eq!(lasts(&pod, "c"), None);
    }

    #[test]
    fn a_container_that_ends_again_and_again_waits_longer_each_time() {
        let mut pod = json!({
            "metadata": {"namespace": "x", "name": "p", "uid": "u"},
            "spec": {"restartPolicy": "Always", "containers": [
                {"name": "a", "readinessProbe": {"exec": {"command": ["true"]}}}]},
        });
        pod["status"]["containerStatuses"] = containers(&pod, true);
        assert_eq!(turn(&mut pod, "a", 137), Some(Turned::Started), "at first at once");
        let mut waits = Vec::new();
        for _ in 0..6 {
            assert_eq!(turn(&mut pod, "a", 137), Some(Turned::Waits));
            let status = status_of(&mut pod, "a").unwrap();
            let message = text(status, "/state/waiting/message").to_owned();
            waits.push(message);
            assert_eq!(status["started"], false);
            assert_eq!(turn(&mut pod, "a", 0), Some(Turned::Started));
        }
        let wait = |time| format!("back-off {time} restarting failed container=a pod=p_x(u)");
        assert_eq!(waits, ["10s", "20s", "40s", "1m20s", "2m40s", "5m0s"].map(wait));
        let status = status_of(&mut pod, "a").unwrap();
        assert_eq!((&status["restartCount"], &status["ready"]), (&json!(7), &json!(false)));
        assert_eq!(status["started"], true, "nothing asks whether it has started");
    }

    #[test]
    fn a_container_that_is_not_to_start_again_stays_as_it_ended() {
        let mut pod =
            json!({"spec": {"restartPolicy": "OnFailure", "containers": [{"name": "a"}]}});
        pod["status"]["containerStatuses"] = containers(&pod, true);
        assert_eq!(turn(&mut pod, "a", 0), Some(Turned::Over));
        settle(&mut pod);
        assert_eq!(pod["status"]["phase"], "Succeeded");
    }
}
