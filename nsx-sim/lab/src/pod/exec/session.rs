//! What a command has around it: its container, its streams, its terminal.

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};

use super::streams::{Stream, Streams, TerminalSize};
use crate::api::ExecRequest;
use crate::pod::Runtime;
use crate::pod::host::{Container, Pod, Transport};
use crate::pod::image::Image;
use crate::pod::network::Network;
use crate::pod::shell::io::{Files, Input, Output, Screen};
use crate::pod::shell::{self, terminal};
use crate::pod::tools::{self, Process};

/// How many lines wait for a reader.
const WAITING: usize = 64;
/// The exit code of a command that was interrupted: 128 and SIGINT.
pub(in crate::pod) const INTERRUPTED: u8 = 130;
/// The exit code of a container's runtime for a command that is not there [K Docker].
const NOT_STARTED: u8 = 126;
/// How often is looked whether a container still runs.
const LOOK: Duration = Duration::from_secs(1);
/// Where commands are looked for.
pub(in crate::pod) const PATH: &str =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What all commands of one `exec` share.
pub(in crate::pod) struct Session {
    /// The network of the pod.
    pub(in crate::pod) network: Network,
    /// The cluster.
    pub(in crate::pod) runtime: Arc<Runtime>,
    /// The pod, as it was when the session began.
    pub(in crate::pod) pod: Pod,
    /// The container.
    pub(in crate::pod) container: Container,
    /// What is known of its image.
    pub(in crate::pod) image: Image,
    /// What the session has written.
    pub(in crate::pod) files: Files,
    /// Told when ^C is typed.
    pub(in crate::pod) interrupts: Arc<Notify>,
    /// The terminal's size, if there is one.
    pub(in crate::pod) size: watch::Receiver<Option<TerminalSize>>,
    /// Whether there is a terminal.
    pub(in crate::pod) terminal: bool,
}

impl Session {
    /// The variables that kubelet and the container's runtime set.
    fn environment(&self) -> Vec<(String, String)> {
        let mut all = vec![
            ("PATH".to_owned(), PATH.to_owned()),
            ("HOSTNAME".to_owned(), self.pod.name.clone()),
        ];
        if self.terminal {
            all.push(("TERM".to_owned(), "xterm".to_owned()));
        }
        let host = &self.runtime.host;
        let kubernetes = host.service("default", "kubernetes");
        let own = host.services(&self.pod.namespace);
        for service in kubernetes.into_iter().chain(own) {
            let Some(address) = service.cluster_ip else { continue };
            let name = service.name.to_uppercase().replace(['-', '.'], "_");
            let Some(first) = service.ports.first() else { continue };
            all.push((format!("{name}_SERVICE_HOST"), address.to_string()));
            all.push((format!("{name}_SERVICE_PORT"), first.port.to_string()));
            for port in service.ports.iter().filter(|port| !port.name.is_empty()) {
                let named = port.name.to_uppercase().replace('-', "_");
                all.push((format!("{name}_SERVICE_PORT_{named}"), port.port.to_string()));
            }
            for (index, port) in service.ports.iter().enumerate() {
                let word = match port.protocol {
                    Transport::Tcp => "tcp",
                    Transport::Udp => "udp",
                };
                let url = format!("{word}://{address}:{}", port.port);
                if index == 0 {
                    all.push((format!("{name}_PORT"), url.clone()));
                }
                let prefix = format!("{name}_PORT_{}_{}", port.port, word.to_uppercase());
                all.push((prefix.clone(), url));
                all.push((format!("{prefix}_PROTO"), word.to_owned()));
                all.push((format!("{prefix}_PORT"), port.port.to_string()));
                all.push((format!("{prefix}_ADDR"), address.to_string()));
            }
        }
        all.extend(self.container.environment.iter().cloned());
        all.push(("HOME".to_owned(), if self.image.root { "/root" } else { "/" }.to_owned()));
        // What the manifest says comes later and holds, as does the first place.
        let mut kept: Vec<(String, String)> = Vec::with_capacity(all.len());
        for (name, value) in all {
            match kept.iter_mut().find(|(own, _)| *own == name) {
                Some(known) => known.1 = value,
                None => kept.push((name, value)),
            }
        }
        kept
    }
}

/// Runs a command to its end and gives its exit code.
pub(super) async fn run(request: ExecRequest, streams: Streams, runtime: Arc<Runtime>) -> u8 {
    let Streams { stdin, output, size } = streams;
    let screen = if request.tty { Screen::Raw } else { Screen::None };
    let out = Output::Client { sender: output.clone(), stream: Stream::Stdout, screen };
    let err = if request.tty {
        out.clone()
    } else {
        Output::Client { sender: output, stream: Stream::Stderr, screen }
    };
    let found = runtime.host.pod(&request.namespace, &request.pod).and_then(|pod| {
        let container = pod.containers.iter().find(|own| own.name == request.container).cloned();
        container.map(|container| (pod, container))
    });
    let Some((pod, container)) = found else {
        // The pod went between the API server's look and ours.
        let _ = err.line(format!("container not found (\"{}\")", request.container)).await;
        return 1;
    };
    let image = Image::named(&container.image);
    let interrupts = Arc::new(Notify::new());
    let session = Arc::new(Session {
        network: Network::new(runtime.clone(), &pod.namespace, &pod.name, image.libc),
        runtime,
        pod,
        container,
        image,
        files: Files::default(),
        interrupts: interrupts.clone(),
        size,
        terminal: request.tty,
    });
    let command = if request.command.is_empty() {
        match own_process(&session.container, image) {
            Some(command) => command,
            None => return ended(&session).await,
        }
    } else {
        request.command
    };
    if !request.tty {
        return start(session, command, Input::new(stdin), out, err).await;
    }
    let (lines, input) = mpsc::channel(WAITING);
    let serving = async {
        terminal::serve(stdin, out.clone(), lines, interrupts).await;
        pending::<Infallible>().await
    };
    // The command goes first: its prompt stands before what was typed meanwhile.
    tokio::select! {
        biased;
        code = start(session, command, Input::new(input), out.clone(), err) => code,
        never = serving => match never {},
    }
}

/// The container's own process, for a client that attaches to it: a shell where the manifest names
/// nothing else. Nothing for one that reads no input.
fn own_process(container: &Container, image: Image) -> Option<Vec<String>> {
    let shell = || if image.shell { vec!["sh".to_owned()] } else { Vec::new() };
    container.stdin.then(|| match container.command.as_slice() {
        [] => shell(),
        command => command.to_vec(),
    })
}

/// Waits until a container runs no more: it tells nothing meanwhile.
async fn ended(session: &Session) -> u8 {
    let (host, pod) = (&session.runtime.host, &session.pod);
    let runs = |own: &Container| own.name == session.container.name && own.running;
    while host.pod(&pod.namespace, &pod.name).is_some_and(|own| own.containers.iter().any(runs)) {
        tokio::time::sleep(LOOK).await;
    }
    0
}

async fn start(
    session: Arc<Session>,
    command: Vec<String>,
    input: Input,
    out: Output,
    err: Output,
) -> u8 {
    let mut words = command.into_iter();
    let path = words.next().unwrap_or_default();
    let Some(tool) = tools::find(&path, session.image) else {
        // Docker tells it on the output, not among the errors.
        let text = format!(
            "OCI runtime exec failed: exec failed: container_linux.go:349: starting container \
             process caused \"exec: \\\"{path}\\\": executable file not found in $PATH\": unknown"
        );
        let _ = out.line(text).await;
        return NOT_STARTED;
    };
    let process = Process {
        name: path,
        arguments: words.collect(),
        environment: session.environment(),
        directory: session.image.directory.to_owned(),
        session: session.clone(),
        input,
        out,
        err,
        depth: 0,
    };
    let run = tools::run(tool, process);
    if tool == "sh" || !session.terminal {
        return shell::code(run.await);
    }
    tokio::select! {
        ended = run => shell::code(ended),
        () = session.interrupts.notified() => INTERRUPTED,
    }
}
