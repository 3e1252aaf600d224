//! What is below a pod: its log, commands in its containers, its node, its eviction.

use super::answer::{json_answer, text_answer};
use super::{App, Call, body, write};
use crate::api::error::{Cause, Error};
use crate::api::kinds::{list, text};
use crate::api::{ExecRequest, Resource};
use axum::extract::FromRequestParts as _;
use axum::extract::ws::WebSocketUpgrade;
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::{Value, json};

/// The subprotocols of commands, the newest first.
const PROTOCOLS: [&str; 2] = ["v5.channel.k8s.io", "v4.channel.k8s.io"];

/// What a container wrote.
pub fn log(app: &App, call: &Call, name: &str) -> Result<Response, Error> {
    let pod = pod(app, call, name)?;
    let container = container(&pod, name, call.query.get("container"))?;
    let status = list(&pod, "/status/containerStatuses").iter().find(|s| s["name"] == container);
    let waiting = status.is_none_or(|s| s["state"]["waiting"].is_object());
    if waiting {
        return Err(Error::bad_request(format!(
            "container {container:?} in pod {name:?} is waiting to start: ContainerCreating"
        )));
    }
    let lines = crate::controllers::log::lines(&pod, &container);
    let tail = call.query.number::<usize>("tailLines")?.unwrap_or(lines.len()).min(lines.len());
    let stamp = text(&pod, "/status/startTime");
    let stamps = call.query.flag("timestamps");
    let told = lines[lines.len() - tail..]
        .iter()
        .map(|line| if stamps { format!("{stamp} {line}\n") } else { format!("{line}\n") });
    Ok(text_answer(told.collect::<String>()))
}

/// Puts a pod on a node.
pub fn bind(app: &App, call: &Call, name: &str) -> Result<Response, Error> {
    let binding = body::object(call)?;
    let node = text(&binding, "/target/name");
    if node.is_empty() {
        let cause = Cause::required("target.name", "");
        return Err(Error::invalid(Resource::Pods, name, &[cause]));
    }
    app.store.update(Resource::Pods, call.target.place(), name, |pod| {
        if !text(pod, "/spec/nodeName").is_empty() {
            let why =
                format!("pod {name} is already assigned to node {:?}", pod["spec"]["nodeName"]);
            return Err(Error::conflict(Resource::Pods, name, &why));
        }
        pod["spec"]["nodeName"] = node.into();
        Ok(())
    })?;
    Ok(json_answer(201, &success()))
}

/// Deletes a pod for whoever empties a node.
pub fn evict(app: &App, call: &Call, name: &str) -> Result<Response, Error> {
    let eviction = body::object(call)?;
    let mut how = write::deletion(&Call {
        method: call.method.clone(),
        target: call.target.clone(),
        query: super::Query::parse(None),
        headers: axum::http::HeaderMap::new(),
        body: axum::body::Bytes::from(eviction["deleteOptions"].to_string().replace("null", "{}")),
    })?;
    how.dry |= call.query.dry_run()?;
    app.store.delete(Resource::Pods, call.target.place(), name, &how)?;
    Ok(json_answer(201, &success()))
}

fn success() -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201})
}

/// Runs a command in a container, over a WebSocket.
pub async fn exec(app: &App, call: &Call, parts: &mut Parts) -> Result<Response, Error> {
    let name = call.target.name.clone().unwrap_or_default();
    let pod = pod(app, call, &name)?;
    let container = container(&pod, &name, call.query.get("container"))?;
    let command = call.query.all("command");
    if command.is_empty() {
        return Err(Error::bad_request("you must specify at least one command for the container"));
    }
    let status = list(&pod, "/status/containerStatuses").iter().find(|s| s["name"] == container);
    if !status.is_some_and(|s| s["state"]["running"].is_object()) {
        return Err(Error::internal(format!(
            "error executing command in container: container {container:?} in pod {name:?} is not \
             running"
        )));
    }
    let Some(exec) = app.exec.clone() else {
        return Err(Error::not_implemented("this server was started without containers"));
    };
    let Ok(upgrade) = WebSocketUpgrade::from_request_parts(parts, &()).await else {
        return Err(Error::bad_request(
            "unable to upgrade: this server runs commands over WebSockets (kubectl 1.31 and newer; \
             1.29 and 1.30 with KUBECTL_REMOTE_COMMAND_WEBSOCKETS=true), not over SPDY",
        ));
    };
    let upgrade = upgrade.protocols(PROTOCOLS);
    if upgrade.selected_protocol().is_none() {
        return Err(Error::bad_request(format!(
            "unable to upgrade: no subprotocol that this server speaks ({})",
            PROTOCOLS.join(", ")
        )));
    }
    let request = ExecRequest {
        namespace: call.target.place().to_owned(),
        pod: name,
        container,
        command,
        stdin: call.query.flag("stdin"),
        stdout: call.query.flag("stdout"),
        stderr: call.query.flag("stderr"),
        tty: call.query.flag("tty"),
    };
    let store = app.store.clone();
    Ok(upgrade.on_upgrade(move |socket| exec.serve(store, request, socket)))
}

fn pod(app: &App, call: &Call, name: &str) -> Result<Value, Error> {
    let object = app.store.get(Resource::Pods, call.target.place(), name);
    object.map(|o| o.value()).ok_or_else(|| Error::missing(Resource::Pods, name))
}

/// The container that is meant: the one that is named, or the only one.
fn container(pod: &Value, name: &str, asked: &str) -> Result<String, Error> {
    let names: Vec<&str> = list(pod, "/spec/containers").iter().map(|c| text(c, "/name")).collect();
    match (asked, names.as_slice()) {
        ("", [only]) => Ok((*only).to_owned()),
        ("", names) => Err(Error::bad_request(format!(
            "a container name must be specified for pod {name}, choose one of: [{}]",
            names.join(" ")
        ))),
        (asked, names) if names.contains(&asked) => Ok(asked.to_owned()),
        _ => Err(Error::bad_request(format!("container {asked} is not valid for pod {name}"))),
    }
}
