//! What is below a pod: its log, commands in its containers, its node, its eviction.

use super::answer::{json_answer, text_answer};
use super::upgrade::{Protocols, tunnelled, upgrade};
use super::{App, Call, body, write};
use crate::api::error::{Cause, Error};
use crate::api::kinds::{list, text};
use crate::api::{Exec, ExecRequest, Resource, Socket, Store};
use axum::body::Body;
use axum::http::request::Parts;
use axum::response::Response;
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

/// How often is looked whether a container still runs whose log is followed.
const LOOK: Duration = Duration::from_secs(1);
/// How commands' streams are carried, the newest first.
const COMMANDS: Protocols = Protocols {
    websocket: &["v5.channel.k8s.io", "v4.channel.k8s.io"],
    spdy: &["v4.channel.k8s.io"],
};
/// How connections are: newer clients have SPDY in a WebSocket.
const FORWARDING: Protocols =
    Protocols { websocket: &["SPDY/3.1+portforward.k8s.io"], spdy: &["portforward.k8s.io"] };

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
    let told = told.collect::<String>();
    if !call.query.flag("follow") {
        return Ok(text_answer(told));
    }
    let (store, namespace, name) =
        (app.store.clone(), call.target.place().to_owned(), name.to_owned());
    let first = stream::iter((!told.is_empty()).then_some(Ok::<_, Infallible>(told)));
    // Nothing more is written; the client waits for it as long as the container runs.
    let rest = stream::once(ended(store, namespace, name, container));
    Ok(text_answer(Body::from_stream(first.chain(rest.filter_map(|()| ready(None))))))
}

/// Waits until a container runs no more.
async fn ended(store: Store, namespace: String, name: String, container: String) {
    let runs = || {
        let pod = store.get(Resource::Pods, &namespace, &name)?.value();
        let mut all = list(&pod, "/status/containerStatuses").iter();
        all.find(|s| s["name"] == container).map(|s| s["state"]["running"].is_object())
    };
    while runs() == Some(true) {
        tokio::time::sleep(LOOK).await;
    }
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

/// Runs a command in a container.
pub async fn exec(app: &App, call: &Call, parts: &mut Parts) -> Result<Response, Error> {
    let command = call.query.all("command");
    if command.is_empty() {
        return Err(Error::bad_request("you must specify at least one command for the container"));
    }
    let (_, exec, mut request) = command_in(app, call)?;
    request.command = command;
    let store = app.store.clone();
    let serve = async move |socket| {
        exec.serve(store, request, socket).await;
    };
    upgrade(parts, &COMMANDS, serve).await
}

/// Has the client at the streams of a container's own process. Where that reads them, it is theirs, and
/// the container ends with it.
pub async fn attach(app: &App, call: &Call, parts: &mut Parts) -> Result<Response, Error> {
    let (pod, exec, request) = command_in(app, call)?;
    let container = list(&pod, "/spec/containers").iter().find(|c| c["name"] == request.container);
    let says = |member: &str| container.is_some_and(|c| c[member] == true);
    if request.tty && !says("tty") {
        return Err(Error::bad_request(format!(
            "error attaching to container: container {:?} did not allocate one TTY",
            request.container
        )));
    }
    let (reads, once) = (says("stdin"), says("stdinOnce"));
    let store = app.store.clone();
    let serve = async move |socket| {
        let ExecRequest { namespace, pod, container, .. } = request.clone();
        let code = exec.serve(store.clone(), request, socket).await;
        // Who goes without a word closes the input, if it was the only one.
        if let Some(code) = code.or(once.then_some(0)).filter(|_| reads) {
            crate::controllers::ended(&store, &namespace, &pod, &container, code);
        }
    };
    upgrade(parts, &COMMANDS, serve).await
}

/// Carries connections of the client's machine to ports of a pod.
pub async fn forward(app: &App, call: &Call, parts: &mut Parts) -> Result<Response, Error> {
    let name = call.target.name.clone().unwrap_or_default();
    let pod = pod(app, call, &name)?;
    if text(&pod, "/status/phase") != "Running" {
        return Err(Error::bad_request(format!(
            "unable to forward port because pod is not running. Current status={}",
            text(&pod, "/status/phase")
        )));
    }
    let exec = containers(app)?;
    let (store, namespace) = (app.store.clone(), call.target.place().to_owned());
    let serve = async move |socket| {
        let session = match socket {
            Socket::Spdy(session) => session,
            Socket::WebSocket(socket) => tunnelled(socket),
        };
        exec.forward(store, namespace, name, session).await;
    };
    upgrade(parts, &FORWARDING, serve).await
}

/// The pod and the container that are meant and run, and what the client wants of them.
fn command_in(app: &App, call: &Call) -> Result<(Value, Arc<dyn Exec>, ExecRequest), Error> {
    let name = call.target.name.clone().unwrap_or_default();
    let pod = pod(app, call, &name)?;
    let container = container(&pod, &name, call.query.get("container"))?;
    let status = list(&pod, "/status/containerStatuses").iter().find(|s| s["name"] == container);
    if !status.is_some_and(|s| s["state"]["running"].is_object()) {
        return Err(Error::internal(format!(
            "error executing command in container: container {container:?} in pod {name:?} is not \
             running"
        )));
    }
    let request = ExecRequest {
        namespace: call.target.place().to_owned(),
        pod: name,
        container,
        command: Vec::new(),
        stdin: call.query.flag("stdin"),
        stdout: call.query.flag("stdout"),
        stderr: call.query.flag("stderr"),
        tty: call.query.flag("tty"),
    };
    Ok((pod, containers(app)?, request))
}

fn containers(app: &App) -> Result<Arc<dyn Exec>, Error> {
    let without = || Error::not_implemented("this server was started without containers");
    app.exec.clone().ok_or_else(without)
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
