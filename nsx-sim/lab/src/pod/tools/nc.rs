//! nc, as a probe of ports.

use std::net::SocketAddr;
use std::time::Duration;

use lexopt::prelude::*;
use tokio::time::timeout;

use super::{Exit, Process, text};

/// Longer than any connection is tried.
const ENDLESS: Duration = Duration::from_secs(3600);

#[derive(Default)]
struct Options {
    verbose: bool,
    probe: bool,
    patience: Option<Duration>,
    operands: Vec<String>,
}

fn parse(process: &Process) -> Result<Options, lexopt::Error> {
    let mut parser = process.parser();
    let mut own = Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Short('v') => own.verbose = true,
            Short('z') => own.probe = true,
            Short('n') => {}
            Short('w') => own.patience = Some(Duration::from_secs(parser.value()?.parse()?)),
            Value(word) => own.operands.push(text(&word)),
            other => return Err(other.unexpected()),
        }
    }
    Ok(own)
}

/// The command.
pub(super) async fn run(process: Process) -> Exit {
    let Process { err, session, input, .. } = &process;
    let options = match parse(&process) {
        Ok(options) => options,
        Err(error) => return process.misused(&error).await,
    };
    let [host, port] = options.operands.as_slice() else {
        err.line("Usage: nc [-zvn] [-w SEC] HOST PORT").await?;
        return Ok(1);
    };
    let Ok(port) = port.parse::<u16>() else {
        err.line(format!("nc: bad port '{port}'")).await?;
        return Ok(1);
    };
    let Ok(found) = session.network.resolve(host).await else {
        err.line(format!("nc: bad address '{host}'")).await?;
        return Ok(1);
    };
    let socket = SocketAddr::new(found.address, port);
    let patience = options.patience.unwrap_or(ENDLESS);
    match timeout(patience, session.network.connect(socket)).await {
        Ok(Ok(_)) => {
            if options.verbose {
                err.line(format!("{host} ({socket}) open")).await?;
            }
            if !options.probe {
                // Whatever is sent, what listens here answers HTTP alone, and curl speaks that.
                input.drain().await;
            }
            Ok(0)
        }
        Ok(Err(why)) => {
            if options.verbose || !options.probe {
                err.line(format!("nc: {host} ({socket}): {}", why.words())).await?;
            }
            Ok(1)
        }
        Err(_) => {
            if options.verbose || !options.probe {
                err.line("nc: timed out").await?;
            }
            Ok(1)
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::pod::testing::Cluster;
    use crate::pod::wire::Fate;

    #[tokio::test(start_paused = true)]
    async fn a_port_is_open_refused_or_silent() {
        let probe = ["nc", "-zv", "-w", "2", "172.15.13.3", "8080"];
        let ran = Cluster::guide().run(&probe, None, false).await;
        assert_eq!((ran.code, ran.err.as_str()), (0, "172.15.13.3 (172.15.13.3:8080) open\n"));
        let ran = Cluster::guide().with_fate(|_| Fate::Reset).run(&probe, None, false).await;
        let told = "nc: 172.15.13.3 (172.15.13.3:8080): Connection refused\n";
        assert_eq!((ran.code, ran.err.as_str()), (1, told));
        let ran = Cluster::guide().with_fate(|_| Fate::Dropped).run(&probe, None, false).await;
        assert_eq!((ran.code, ran.err.as_str()), (1, "nc: timed out\n"));
        let ran = Cluster::guide().run(&["nc", "-l", "80"], None, false).await;
        assert_eq!((ran.code, ran.err.as_str()), (1, "nc: unrecognized option: l\n"));
    }
}
