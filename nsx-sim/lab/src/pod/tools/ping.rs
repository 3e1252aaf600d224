//! ping: echo requests, one a second.

use std::time::Duration;

use lexopt::prelude::*;
use tokio::time::{Instant, sleep, sleep_until};

use super::{Exit, Process, text};
use crate::pod::network::Reply;

/// What the vNIC and the wire between hosts take; the time that is told.
const ROUND_TRIP: &str = "0.412";
/// Waits for the last answer [busybox].
const LAST: Duration = Duration::from_secs(10);

struct Options {
    count: Option<u32>,
    deadline: Option<u64>,
    patience: Duration,
    size: u32,
    quiet: bool,
    host: Option<String>,
}

fn parse(process: &Process) -> Result<Options, lexopt::Error> {
    let mut parser = process.parser();
    let mut own =
        Options { count: None, deadline: None, patience: LAST, size: 56, quiet: false, host: None };
    while let Some(argument) = parser.next()? {
        match argument {
            Short('c') => own.count = Some(parser.value()?.parse()?),
            Short('w') => own.deadline = Some(parser.value()?.parse()?),
            Short('W') => own.patience = Duration::from_secs(parser.value()?.parse()?),
            Short('s') => own.size = parser.value()?.parse()?,
            Short('q') => own.quiet = true,
            Short('4') => {}
            Value(host) => own.host = Some(text(&host)),
            other => return Err(other.unexpected()),
        }
    }
    Ok(own)
}

/// The command. Without `-c` it goes on until somebody stops it.
pub(super) async fn run(process: Process) -> Exit {
    let Process { out, err, session, .. } = &process;
    let options = match parse(&process) {
        Ok(options) => options,
        Err(error) => return process.misused(&error).await,
    };
    let Some(host) = options.host else {
        err.line("Usage: ping [-c COUNT] [-w SEC] [-W SEC] [-s SIZE] [-q] HOST").await?;
        return Ok(1);
    };
    let Ok(found) = session.network.resolve(&host).await else {
        err.line(format!("ping: bad address '{host}'")).await?;
        return Ok(1);
    };
    let address = found.address;
    out.line(format!("PING {host} ({address}): {} data bytes", options.size)).await?;
    let start = Instant::now();
    let end = options.deadline.map(|seconds| start + Duration::from_secs(seconds));
    let identifier = u16::try_from(uuid::Uuid::new_v4().as_u128() & 0xffff).unwrap_or_default();
    let own = session.network.own().and_then(|pod| pod.address);
    let (mut sent, mut received) = (0_u32, 0_u32);
    while options.count.is_none_or(|count| sent < count.max(1)) {
        if sent > 0 {
            sleep_until(start + Duration::from_secs(sent.into())).await;
        }
        if end.is_some_and(|end| Instant::now() >= end) {
            break;
        }
        let reply = session.network.echo(address, identifier).await;
        let sequence = sent;
        sent += 1;
        if reply == Reply::Came {
            received += 1;
        }
        // A refusal shows as iputils tells it: busybox itself would be silent.
        let from = own.map(|own| own.to_string()).unwrap_or_default();
        let line = match reply {
            Reply::Came => format!(
                "{} bytes from {address}: seq={sequence} ttl=64 time={ROUND_TRIP} ms",
                options.size.saturating_add(8)
            ),
            Reply::Prohibited => format!("From {from} icmp_seq={sent} Packet filtered"),
            Reply::NoRoute => format!("From {from} icmp_seq={sent} Destination Host Unreachable"),
            Reply::Lost => {
                if options.count == Some(sent) {
                    sleep(options.patience).await;
                }
                continue;
            }
        };
        if !options.quiet {
            out.line(line).await?;
        }
    }
    let lost = (sent - received) * 100 / sent.max(1);
    out.line(format!("\n--- {host} ping statistics ---")).await?;
    out.line(format!(
        "{sent} packets transmitted, {received} packets received, {lost}% packet loss"
    ))
    .await?;
    if received > 0 {
        out.line(format!("round-trip min/avg/max = {ROUND_TRIP}/{ROUND_TRIP}/{ROUND_TRIP} ms"))
            .await?;
    }
    Ok(u8::from(received == 0))
}

#[cfg(test)]
mod tests {
    use crate::pod::testing::Cluster;
    use crate::pod::wire::Fate;

    #[tokio::test(start_paused = true)]
    async fn answers_are_counted_and_refusals_told() {
        let ran = Cluster::guide().run(&["ping", "-c", "2", "172.15.13.3"], None, false).await;
        assert!(ran.out.contains("64 bytes from 172.15.13.3: seq=1 ttl=64"), "{}", ran.out);
        assert!(ran.out.contains("2 packets transmitted, 2 packets received, 0% packet loss"));
        assert_eq!(ran.code, 0);
        let rejected = Cluster::guide().with_fate(|_| Fate::Prohibited);
        let ran = rejected.run(&["ping", "-c1", "172.15.13.3"], None, false).await;
        assert!(ran.out.contains("From 172.15.23.3 icmp_seq=1 Packet filtered\n"), "{}", ran.out);
        assert!(ran.out.contains("100% packet loss") && ran.code == 1);
        let dropped = Cluster::guide().with_fate(|_| Fate::Dropped);
        let ran = dropped.run(&["ping", "-w", "3", "172.15.13.3"], None, false).await;
        assert!(ran.out.contains("3 packets transmitted, 0 packets received"), "{}", ran.out);
        let ran = Cluster::guide().run(&["ping", "-c1", "10.100.200.12"], None, false).await;
        assert_eq!(ran.code, 1, "nobody answers for a service's address");
    }
}
