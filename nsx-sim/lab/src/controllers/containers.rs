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

/// How long a container waits that ends again and again.
pub fn backoff(restarts: i64) -> Duration {
    Duration::from_secs((10u64 << restarts.clamp(0, 5)).min(300))
}

/// A running container ends with this code and is started again, now or later; a waiting one starts.
pub fn turn(pod: &mut Value, name: &str, policy: &str, code: u8) {
    let all = pod["status"]["containerStatuses"].as_array_mut();
    let Some(status) = all.into_iter().flatten().find(|s| s["name"] == name) else { return };
    if !status["state"]["running"].is_object() {
        status["restartCount"] = (number(status, "/restartCount") + 1).into();
        status["state"] = json!({"running": {"startedAt": now()}});
        status["ready"] = true.into();
        status["started"] = true.into();
        return;
    }
    let ended = json!({"terminated": {
        "exitCode": code, "reason": if code == 0 { "Completed" } else { "Error" }, "startedAt": status["state"]["running"]["startedAt"],
        "finishedAt": now(), "containerID": status["containerID"],
    }});
    let ran = moment(status, "/state/running/startedAt")
        .map_or(0, |t| Timestamp::now().as_second() - t.as_second());
    if !(policy == "Always" || policy == "OnFailure" && code != 0) {
        status["state"] = ended;
        status["ready"] = false.into();
        status["started"] = false.into();
        return;
    }
    status["lastState"] = ended;
    if ran >= STABLE.as_secs().cast_signed() || number(status, "/restartCount") == 0 {
        status["restartCount"] = (number(status, "/restartCount") + 1).into();
        status["state"] = json!({"running": {"startedAt": now()}});
        return;
    }
    status["state"] = json!({"waiting": {"reason": "CrashLoopBackOff", "message":
        format!("back-off restarting failed container={name}")}});
    status["ready"] = false.into();
    status["started"] = false.into();
}

/// What follows from the containers for the pod.
pub fn settle(pod: &mut Value, policy: &str) {
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
pub fn unready(names: &[&str]) -> String {
    format!("containers with unready status: [{}]", names.join(" "))
}

/// The names of a pod's containers.
pub fn names(pod: &Value) -> Vec<String> {
    list(pod, "/spec/containers").iter().map(|c| text(c, "/name").to_owned()).collect()
}

/// The statuses of a pod's containers, with what `state` says of each by its id.
pub fn containers(pod: &Value, state: impl Fn(&str) -> Value) -> Value {
    let uid = text(pod, "/metadata/uid").replace('-', "");
    list(pod, "/spec/containers")
        .iter()
        .map(|container| {
            let name = text(container, "/name");
            let image = text(container, "/image");
            let id = format!("{uid}{:08x}{:024x}", crate::api::kinds::hash(name), 0);
            let mut status = json!({
                "name": name, "image": image, "imageID": format!("docker-pullable://{image}"),
                "restartCount": 0, "lastState": {},
            });
            if let (Some(status), Value::Object(more)) = (status.as_object_mut(), state(&id)) {
                let started = more["ready"].clone();
                status.extend(more);
                status.insert("started".to_owned(), started);
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
}
