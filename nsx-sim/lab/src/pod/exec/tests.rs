//! A command over a real WebSocket, with kube-rs for a client.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, AttachParams};
use kube::runtime::wait::{await_condition, conditions::is_pod_running};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::api::{Network, Options, Running, start};
use crate::pins;
use crate::pod::wire::Open;
use crate::pod::{Containers, Dns};

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
