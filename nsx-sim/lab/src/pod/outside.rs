//! `nsx-sim curl`: the guide's browser, a client outside the cluster.
//!
//! It needs the manager alone: its load balancer chooses the pod, and the tags of that pod's port say
//! which one it is. What the pod runs no manager knows; it is taken for the guide's page.

use std::collections::HashMap;
use std::io::{IsTerminal, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use nsx_client::{Client, Remote};
use parking_lot::Mutex;
use serde_json::Value;
use time::OffsetDateTime;
use tokio::sync::{Notify, mpsc, watch};

use super::exec::{Chunk, Session, Stream};
use super::host::{Container, Endpoint, Host, Pod, Service, ServicePort};
use super::image::Image;
use super::manager::{fate, query};
use super::network::Network;
use super::shell::io::{Files, Input, Output, Screen};
use super::tools::{self, Process};
use super::wire::{Fate, Packet, Wire};
use super::{Dns, Runtime};

/// The guide's client machine.
const MACHINE: &str = "cli-vm";
/// Its address, of a block reserved for documentation [RFC 5737].
const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 10);
/// Where `nsx-sim serve` listens.
const DEFAULT_URL: &str = "https://127.0.0.1:8443";
/// The page that is taken to be behind a load balancer.
const PAGE: &str = "nginxdemos/nginx-hello:plain-text";
/// How many pieces of output wait.
const WAITING: usize = 64;

/// curl from outside the cluster, as the guide's browser.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// The manager that judges the packets.
    #[command(flatten)]
    pub remote: Remote,
    /// The address that the client has.
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(ADDRESS))]
    pub from: IpAddr,
    /// What curl gets: options such as -s, -v, -m, -o, -w, -I and the URL.
    #[arg(
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "CURL"
    )]
    pub arguments: Vec<String>,
}

/// Runs curl; its exit code is ours.
///
/// # Errors
/// If the manager can not be asked at all.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let mut remote = args.remote;
    if remote.url.is_none() {
        remote.url = Some(DEFAULT_URL.to_owned());
        remote.insecure = true;
    }
    let client = Client::new(&remote)?;
    client.get("/node/version").context("the manager that judges packets")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let screen = if std::io::stdout().is_terminal() { Screen::Cooked } else { Screen::None };
    let directory = std::env::current_dir()?.display().to_string();
    let files = Files::default();
    let outside = Arc::new(Outside { client, from: args.from, ports: Mutex::default() });
    let (output, pieces) = mpsc::channel(WAITING);
    let process = process(&outside, args.arguments, directory, files.clone(), (output, screen));
    let code = runtime.block_on(printed(process, pieces, |stream, bytes| match stream {
        Stream::Stdout => std::io::stdout().write_all(bytes),
        Stream::Stderr => std::io::stderr().write_all(bytes),
    }))?;
    std::io::stdout().flush()?;
    for path in files.paths() {
        let bytes = files.read(&path).unwrap_or_default();
        std::fs::write(&path, bytes).with_context(|| path.clone())?;
    }
    Ok(ExitCode::from(code))
}

/// What a curl printed, and its exit code.
#[derive(Clone, Debug, Default)]
pub struct Fetched {
    /// To standard output.
    pub stdout: Vec<u8>,
    /// To standard error.
    pub stderr: Vec<u8>,
    /// The exit code.
    pub code: u8,
}

/// Runs curl on the client machine and keeps what it prints.
///
/// # Errors
/// Never as of today: what fails curl says.
pub async fn fetch(client: Client, arguments: Vec<String>) -> std::io::Result<Fetched> {
    let outside = Arc::new(Outside { client, from: IpAddr::V4(ADDRESS), ports: Mutex::default() });
    let (output, pieces) = mpsc::channel(WAITING);
    let place = (output, Screen::None);
    let process = process(&outside, arguments, "/".to_owned(), Files::default(), place);
    let mut fetched = Fetched::default();
    fetched.code = printed(process, pieces, |stream, bytes| {
        match stream {
            Stream::Stdout => fetched.stdout.extend_from_slice(bytes),
            Stream::Stderr => fetched.stderr.extend_from_slice(bytes),
        }
        Ok(())
    })
    .await?;
    Ok(fetched)
}

/// Runs a curl to its end, with what it prints given to `print`; its exit code.
async fn printed(
    process: Process,
    mut pieces: mpsc::Receiver<Chunk>,
    mut print: impl FnMut(Stream, &[u8]) -> std::io::Result<()>,
) -> std::io::Result<u8> {
    let printing = async {
        while let Some(Chunk { stream, bytes }) = pieces.recv().await {
            print(stream, &bytes)?;
        }
        Ok(())
    };
    let (ended, printed) = tokio::join!(tools::run("curl", process), printing);
    printed.map(|()| super::shell::code(ended))
}

/// A curl that is about to run on the client machine.
fn process(
    outside: &Arc<Outside>,
    arguments: Vec<String>,
    directory: String,
    files: Files,
    (sender, screen): (mpsc::Sender<Chunk>, Screen),
) -> Process {
    let image = Image::named("curl");
    let runtime = Arc::new(Runtime::new(outside.clone(), outside.clone(), Dns::Faithful));
    let output = |stream| Output::Client { sender: sender.clone(), stream, screen };
    let session = Session {
        network: Network::new(runtime.clone(), "", MACHINE, image.libc),
        runtime,
        pod: outside.own(),
        container: Container::default(),
        image,
        files,
        interrupts: Arc::new(Notify::new()),
        size: watch::channel(None).1,
        terminal: false,
    };
    Process {
        name: "curl".to_owned(),
        arguments,
        environment: Vec::new(),
        directory,
        session: Arc::new(session),
        input: Input::of(Vec::new()),
        out: output(Stream::Stdout),
        err: output(Stream::Stderr),
        depth: 0,
    }
}

/// What the client machine sees: no service and no name of the cluster, its packets judged by the
/// manager, and behind an address the pod that the manager's port names.
struct Outside {
    client: Client,
    from: IpAddr,
    /// Ports that packets arrived at, by the address they arrived under.
    ports: Mutex<HashMap<IpAddr, String>>,
}

impl Outside {
    fn own(&self) -> Pod {
        Pod { name: MACHINE.to_owned(), address: Some(self.from), ..Pod::default() }
    }
}

impl Wire for Outside {
    fn send(&self, packet: &Packet) -> Result<Fate, String> {
        // Answers come back by the state of the way there, which the manager keeps.
        let Packet::Tcp { to, segment: super::wire::Segment::Syn, .. } = packet else {
            return Ok(Fate::Delivered(None));
        };
        let judgement =
            self.client.send_packet(&query(packet)).map_err(|error| error.to_string())?;
        let fate = fate(&judgement)?;
        if let (Fate::Delivered(member), Some(verdict)) = (fate, judgement.verdicts.last()) {
            let address = member.map_or(to.ip(), |member| member.ip());
            self.ports.lock().insert(address, verdict.logical_port_id.clone());
        }
        Ok(fate)
    }
}

impl Host for Outside {
    fn pod(&self, _: &str, _: &str) -> Option<Pod> {
        Some(self.own())
    }

    fn pod_at(&self, address: IpAddr) -> Option<Pod> {
        let id = self.ports.lock().get(&address).cloned()?;
        let port = self.client.get(&format!("/logical-ports/{id}")).ok()?;
        Some(Pod { address: Some(address), ..pod(&port) })
    }

    fn service(&self, _: &str, _: &str) -> Option<Service> {
        None
    }

    fn service_at(&self, _: IpAddr) -> Option<Service> {
        None
    }

    fn service_on_node_port(&self, _: u16) -> Option<Service> {
        None
    }

    fn services(&self, _: &str) -> Vec<Service> {
        Vec::new()
    }

    fn endpoints(&self, _: &Service, _: &ServicePort) -> Vec<Endpoint> {
        Vec::new()
    }

    fn nameserver(&self) -> Option<IpAddr> {
        None
    }

    fn is_node(&self, _: IpAddr) -> bool {
        false
    }

    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }

    fn note(&self, _: &Pod, _: &str, _: &str) {}
}

/// The pod that a logical port is of, by the tags that NCP gave it.
fn pod(port: &Value) -> Pod {
    let tags = port["tags"].as_array().map(Vec::as_slice).unwrap_or_default();
    let tag = |scope: &str| {
        let found = tags.iter().find(|own| own["scope"] == scope);
        found.and_then(|own| own["tag"].as_str()).map(str::to_owned)
    };
    let name = tag("ncp/pod").or_else(|| port["display_name"].as_str().map(str::to_owned));
    Pod {
        namespace: tag("ncp/project").unwrap_or_default(),
        name: name.unwrap_or_default(),
        containers: vec![Container {
            image: PAGE.to_owned(),
            running: true,
            ..Container::default()
        }],
        ..Pod::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use serde_json::json;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn curls_own_options_stand_where_curl_has_them() {
        let read = |words: &[&str]| {
            let words = std::iter::once("curl").chain(words.iter().copied());
            Cli::try_parse_from(words).unwrap().args
        };
        let plain = read(&["http://10.40.14.50"]);
        assert_eq!(
            (plain.arguments, plain.from.to_string()),
            (vec!["http://10.40.14.50".to_owned()], "192.0.2.10".to_owned())
        );
        let args = read(&["--url", "http://127.0.0.1:1", "-sv", "-m", "3", "10.40.14.50"]);
        assert_eq!(args.arguments, ["-sv", "-m", "3", "10.40.14.50"]);
    }

    #[test]
    fn a_port_names_its_pod() {
        let port = json!({"display_name": "cluster-x1-a1", "tags": [
            {"scope": "ncp/project", "tag": "x1"}, {"scope": "ncp/pod", "tag": "a1"}]});
        assert_eq!((pod(&port).namespace.as_str(), pod(&port).name.as_str()), ("x1", "a1"));
        assert_eq!(pod(&json!({"display_name": "vm"})).name, "vm");
    }
}
