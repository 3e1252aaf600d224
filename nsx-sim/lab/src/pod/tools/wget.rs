//! wget, as busybox has it.

use std::net::SocketAddr;
use std::time::Duration;

use lexopt::prelude::*;
use tokio::time::timeout;

use super::{Exit, Process, absolute, text};
use crate::pod::network::Request;

/// How long it waits without `-T` [busybox].
const PATIENCE: Duration = Duration::from_secs(900);

#[derive(Default)]
struct Options {
    quiet: bool,
    spider: bool,
    headers: bool,
    output: Option<String>,
    patience: Option<Duration>,
    url: Option<String>,
}

fn parse(process: &Process) -> Result<Options, lexopt::Error> {
    let mut parser = process.parser();
    let mut own = Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Short('q') | Long("quiet") => own.quiet = true,
            Short('S') | Long("server-response") => own.headers = true,
            Short('c') | Long("no-check-certificate") => {}
            Long("spider") => own.spider = true,
            Short('O') | Long("output-document") => own.output = Some(text(&parser.value()?)),
            Short('T') | Long("timeout") => {
                own.patience = Some(Duration::from_secs(parser.value()?.parse()?));
            }
            Value(url) => own.url = Some(text(&url)),
            other => return Err(other.unexpected()),
        }
    }
    Ok(own)
}

/// The command.
pub(super) async fn run(process: Process) -> Exit {
    let Process { out, err, session, .. } = &process;
    let options = match parse(&process) {
        Ok(options) => options,
        Err(error) => return process.misused(&error).await,
    };
    let Some(url) = options.url else {
        err.line("BusyBox: wget: no URL\nUsage: wget [-qS] [-O FILE] [-T SEC] [--spider] URL")
            .await?;
        return Ok(1);
    };
    let plain = url.strip_prefix("http://").unwrap_or(&url);
    if plain.contains("://") {
        err.line(format!("wget: not an http or ftp url: {url}")).await?;
        return Ok(1);
    }
    let (authority, path) = plain.split_at(plain.find('/').unwrap_or(plain.len()));
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().unwrap_or(0)),
        None => (authority, 80),
    };
    let Ok(found) = session.network.resolve(host).await else {
        err.line(format!("wget: bad address '{host}'")).await?;
        return Ok(1);
    };
    let socket = SocketAddr::new(found.address, port);
    if !options.quiet {
        err.line(format!("Connecting to {host} ({socket})")).await?;
    }
    let patience = options.patience.unwrap_or(PATIENCE);
    let connection = match timeout(patience, session.network.connect(socket)).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(why)) => {
            let text =
                format!("wget: can't connect to remote host ({}): {}", found.address, why.words());
            err.line(text).await?;
            return Ok(1);
        }
        Err(_) => {
            err.line("wget: download timed out").await?;
            return Ok(1);
        }
    };
    let target = if path.is_empty() { "/" } else { path };
    let method = if options.spider { "HEAD" } else { "GET" };
    let request = Request { method: method.to_owned(), target: target.to_owned() };
    let Some(response) = session.network.request(&connection, &request) else {
        err.line("wget: error getting response").await?;
        return Ok(1);
    };
    if options.headers {
        err.line(format!("  {}", response.status_line())).await?;
        for (name, value) in &response.headers {
            err.line(format!("  {name}: {value}")).await?;
        }
    }
    if options.spider {
        if !options.quiet {
            err.line("remote file exists").await?;
        }
        return Ok(0);
    }
    let last = target.split('?').next().and_then(|own| own.rsplit('/').next()).unwrap_or_default();
    let default = if last.is_empty() { "index.html" } else { last };
    let name = options.output.as_deref().unwrap_or(default);
    if name == "-" {
        out.write(&response.body).await?;
    } else if name != "/dev/null" {
        let path = absolute(&process.directory, name);
        // Without -O it spares what is there.
        if options.output.is_none() && session.files.read(&path).is_some() {
            err.line(format!("wget: can't open '{name}': File exists")).await?;
            return Ok(1);
        }
        if !session.files.create(&path) {
            err.line(format!("wget: can't open '{name}': No space left on device")).await?;
            return Ok(1);
        }
        if !session.files.append(&path, response.body.as_bytes()) {
            err.line("wget: short write: No space left on device").await?;
            return Ok(1);
        }
    }
    if !options.quiet {
        let shown: String = name.chars().take(20).collect();
        let bar = "*".repeat(32);
        let size = response.body.len();
        err.line(format!("\r{shown:20} 100% |{bar}| {size:5}  0:00:00 ETA")).await?;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use crate::pod::testing::Cluster;
    use crate::pod::wire::{Fate, Packet};

    #[tokio::test(start_paused = true)]
    async fn a_page_is_fetched_and_failures_are_told() {
        let open = Cluster::guide();
        let ran = open.run(&["wget", "-qO-", "http://svc-service-b.y1"], None, false).await;
        assert!(ran.out.contains("Server name: b1") && ran.err.is_empty(), "{ran:?}");
        let rejected = open.clone().with_fate(|packet| match packet {
            Packet::Tcp { .. } => Fate::Reset,
            _ => Fate::Delivered(None),
        });
        let ran = rejected.run(&["wget", "-qO-", "svc-service-b.y1"], None, false).await;
        let told = "wget: can't connect to remote host (10.100.200.12): Connection refused\n";
        assert_eq!((ran.code, ran.err.as_str()), (1, told));
        let ran = open.run(&["wget", "-T", "x", "y"], None, false).await;
        assert_eq!(ran.code, 1);
        let ran = open.run(&["wget", "none"], None, false).await;
        assert_eq!(ran.err, "wget: bad address 'none'\n");
        let script = "wget svc-service-b.y1 && cat index.html | grep name; wget svc-service-b.y1";
        let ran = open.run(&["sh", "-c", script], None, false).await;
        assert_eq!(ran.out, "Server name: b1\n");
        assert!(ran.err.contains("Connecting to svc-service-b.y1 (10.100.200.12:80)\n"), "{ran:?}");
        assert!(ran.err.ends_with("wget: can't open 'index.html': File exists\n"), "{ran:?}");
    }
}
