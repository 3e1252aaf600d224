//! Commands over a real WebSocket, with kube-rs for a client, and over SPDY.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, AttachParams};
use kube::runtime::wait::{await_condition, conditions::is_pod_running};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::api::{Network, Options, Running, start};
use crate::pins;
use crate::pod::wire::Open;
use crate::pod::{Containers, Dns};
use crate::spdy::testing::Client;

/// A pod of the guide's.
const POD: &str = "busybox-7b87695f88-jgc4f";

async fn cluster() -> (Running, Api<Pod>) {
    let containers = Containers::new(Arc::new(Open), Dns::Faithful);
    let running = start(Options {
        listen: ([127, 0, 0, 1], 0).into(),
        tls: false,
        token: None,
        nodes: pins::NODES.iter().map(|own| (own.name.to_owned(), own.address)).collect(),
        network: Network::Plain,
        exec: Some(Arc::new(containers)),
        ..Options::default()
    })
    .await
    .unwrap();
    let config = kube::Config::new(running.url.parse().unwrap());
    let pods = Api::namespaced(kube::Client::try_from(config).unwrap(), "default");
    await_condition(pods.clone(), POD, is_pod_running()).await.unwrap();
    (running, pods)
}

#[tokio::test]
async fn a_client_gets_the_output_and_the_exit_code() {
    let (_running, pods) = cluster().await;
    let command = ["sh", "-c", "hostname; echo fails >&2; exit 7"];
    let mut process = pods.exec(POD, command, &AttachParams::default()).await.unwrap();
    let (mut out, mut err) = (process.stdout().unwrap(), process.stderr().unwrap());
    let status = process.take_status().unwrap();
    let (mut told, mut complained) = (String::new(), String::new());
    out.read_to_string(&mut told).await.unwrap();
    err.read_to_string(&mut complained).await.unwrap();
    assert_eq!((told, complained), (format!("{POD}\n"), "fails\n".to_owned()));
    let status = status.await.unwrap();
    assert_eq!(status.status.as_deref(), Some("Failure"));
    let cause = status.details.unwrap().causes.unwrap().remove(0);
    assert_eq!((cause.reason.as_deref(), cause.message.as_deref()), (Some("ExitCode"), Some("7")));
}

#[tokio::test]
async fn a_terminal_takes_lines_and_ends_with_the_shell() {
    let (_running, pods) = cluster().await;
    let terminal = AttachParams::interactive_tty();
    let mut process = pods.exec(POD, ["/bin/sh"], &terminal).await.unwrap();
    let (mut typed, mut shown) = (process.stdin().unwrap(), process.stdout().unwrap());
    let status = process.take_status().unwrap();
    typed.write_all(b"curl http://nowhere.example\rexit\r").await.unwrap();
    let mut screen = String::new();
    shown.read_to_string(&mut screen).await.unwrap();
    assert!(screen.contains("/home # "), "{screen}");
    let told = "curl: (6) Couldn't resolve host 'nowhere.example'\r\n";
    assert!(screen.contains(told), "{screen}");
    let status = status.await.unwrap();
    assert_eq!(status.details.unwrap().causes.unwrap()[0].message.as_deref(), Some("6"));
}

/// Opens the streams of a command, types `input` and reads all that comes back, by stream.
async fn over_spdy(running: &Running, query: &str, streams: &[&str], input: &str) -> Vec<String> {
    let path = format!("/api/v1/namespaces/default/pods/{POD}/{query}");
    let mut client = Client::connect(&running.url, &path, "v4.channel.k8s.io").await.unwrap();
    for (place, kind) in streams.iter().enumerate() {
        client.open(u32::try_from(2 * place + 1).unwrap(), &[("streamtype", kind)]).await;
    }
    if let Some(place) = streams.iter().position(|kind| *kind == "stdin") {
        client.data(u32::try_from(2 * place + 1).unwrap(), input).await;
    }
    client.read(streams.len()).await
}

#[tokio::test]
async fn a_client_of_spdy_gets_the_output_and_the_exit_code() {
    let (running, _) = cluster().await;
    let query = "exec?command=sh&stdin=true&stdout=true&stderr=true";
    let streams = ["error", "stdin", "stdout", "stderr"];
    let told = over_spdy(&running, query, &streams, "hostname\nnosuch\nexit 7\n").await;
    let status: Value = serde_json::from_str(&told[0]).unwrap();
    assert_eq!(status["details"]["causes"][0], json!({"reason": "ExitCode", "message": "7"}));
    assert_eq!(told[1..], ["", &format!("{POD}\n"), "sh: nosuch: not found\n"]);
}

#[tokio::test]
async fn a_terminal_over_spdy_has_one_output_and_a_size() {
    let (running, _) = cluster().await;
    let query = "exec?command=sh&stdin=true&stdout=true&tty=true";
    let told = over_spdy(&running, query, &["error", "stdin", "stdout", "resize"], "exit\r").await;
    assert_eq!(serde_json::from_str::<Value>(&told[0]).unwrap()["status"], "Success");
    assert!(told[2].contains("/home # "), "{}", told[2]);
}

#[tokio::test]
async fn who_speaks_no_protocol_that_is_known_is_refused() {
    let (running, _) = cluster().await;
    let path = format!("/api/v1/namespaces/default/pods/{POD}/exec?command=sh");
    let refused = Client::connect(&running.url, &path, "v9.channel.k8s.io").await.err().unwrap();
    assert!(refused.starts_with("HTTP/1.1 400 "), "{refused}");
}

#[tokio::test]
async fn a_forwarded_connection_is_answered_or_told_why_not() {
    let (running, pods) = cluster().await;
    let web: Pod = serde_json::from_value(json!({
        "metadata": {"name": "web"},
        "spec": {"containers": [{"name": "web", "image": "nginxdemos/nginx-hello"}]}}))
    .unwrap();
    pods.create(&kube::api::PostParams::default(), &web).await.unwrap();
    await_condition(pods.clone(), "web", is_pod_running()).await.unwrap();
    let path = "/api/v1/namespaces/default/pods/web/portforward";
    let mut client = Client::connect(&running.url, path, "portforward.k8s.io").await.unwrap();
    for (place, (kind, port, id)) in
        [("error", "8080", "0"), ("data", "8080", "0"), ("error", "81", "1"), ("data", "81", "1")]
            .into_iter()
            .enumerate()
    {
        let headers = [("streamtype", kind), ("port", port), ("requestid", id)];
        client.open(u32::try_from(2 * place + 1).unwrap(), &headers).await;
    }
    let request = "GET /a?b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    client.data(3, request).await;
    let told = client.read(4).await;
    assert_eq!(told[0], "");
    assert!(told[1].starts_with("HTTP/1.1 200 OK\r\n"), "{}", told[1]);
    assert!(told[1].contains("Server name: web\n") && told[1].contains("URI: /a?b\n"));
    assert!(told[2].contains("error forwarding port 81"), "{}", told[2]);
    assert_eq!(told[3], "");
}
