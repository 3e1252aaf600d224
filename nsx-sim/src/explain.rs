//! `explain`: why a packet gets through or not, rule by rule, asked of the simulator's own API.

use std::fmt;
use std::io::{self, Write};

use clap::{Args, ValueEnum};

use nsx_client::{self as client, Client, Considered, Judgement, PacketQuery, Verdict};

/// The packet to explain.
#[derive(Args, Clone, Debug)]
pub struct ExplainArgs {
    /// Sender: pod, namespace/pod, logical port by id or name, or an address.
    #[arg(long)]
    pub from: String,
    /// Receiver: as the sender, or the address of a virtual server.
    #[arg(long)]
    pub to: String,
    /// Protocol of the packet.
    #[arg(long, value_enum, default_value = "tcp")]
    pub proto: Protocol,
    /// Destination port; every protocol but ICMP needs one.
    #[arg(long)]
    pub port: Option<u16>,
    /// Source port.
    #[arg(long)]
    pub src_port: Option<u16>,
    /// Print the manager's reply as it came.
    #[arg(long)]
    pub json: bool,
}

/// Protocols that the simulator can judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Protocol {
    /// The first segment of a connection.
    Tcp,
    /// One datagram.
    Udp,
    /// An echo request.
    Icmp,
}

impl Protocol {
    fn wire_name(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Icmp => "ICMP",
        }
    }
}

/// Asks the manager and prints its evidence on `out`. Whatever the verdict, it is no error.
///
/// # Errors
/// [`Error::NoPort`] if the packet needs a destination port and has none, [`Error::Call`] if the manager cannot be asked or refuses, [`Error::Output`] if `out` fails.
pub fn run(client: &Client, args: &ExplainArgs, out: &mut dyn Write) -> Result<(), Error> {
    if args.port.is_none() && args.proto != Protocol::Icmp {
        return Err(Error::NoPort);
    }
    let packet = PacketQuery {
        from: args.from.clone(),
        to: args.to.clone(),
        protocol: args.proto.wire_name().to_owned(),
        src_port: args.src_port,
        dst_port: args.port,
        tcp_flags: None,
    };
    let (reply, judgement) = client.explain_packet(&packet).map_err(Error::Call)?;
    let text = if args.json { format!("{reply:#}\n") } else { render(&judgement) };
    out.write_all(text.as_bytes()).map_err(Error::Output)
}

/// Why there is no explanation.
#[derive(Debug)]
pub enum Error {
    /// The packet needs a destination port.
    NoPort,
    /// The call failed.
    Call(client::Error),
    /// The explanation could not be written.
    Output(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPort => f.write_str("TCP and UDP packets need a destination port: give --port"),
            Self::Call(error) => error.fmt(f),
            Self::Output(error) => error.fmt(f),
        }
    }
}

// The message holds the cause already; naming it as source, too, would print it twice.
impl std::error::Error for Error {}

fn render(judgement: &Judgement) -> String {
    let mut lines = Vec::new();
    if let Some(translation) = &judgement.translation {
        let or_unknown = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
        let port = translation.to_port.map(|port| format!(":{port}")).unwrap_or_default();
        lines.push(format!(
            "virtual server {}: to {}{port}, from {}",
            or_unknown(&translation.virtual_server_name),
            or_unknown(&translation.to_ip),
            or_unknown(&translation.from_ip),
        ));
    }
    for verdict in &judgement.verdicts {
        lines.push(format!("{} {}", verdict.place(), verdict.direction));
        lines.extend(considered(verdict));
        lines.push(format!("  → {} {}", verdict.decider(), verdict.action));
    }
    let mut outcome = judgement.outcome.clone();
    if let Some(answer) = &judgement.answer {
        outcome = format!("{outcome}, answered by {answer}");
    }
    if !judgement.reason.is_empty() {
        outcome = format!("{outcome}: {}", judgement.reason);
    }
    lines.push(outcome);
    lines.join("\n") + "\n"
}

/// One line for each rule that was looked at and did not match, with its names in one column.
fn considered(verdict: &Verdict) -> Vec<String> {
    let missed = || verdict.considered.iter().filter(|rule| rule.failed.is_some());
    let label = |rule: &Considered| format!("{} {}", rule.rule_id, rule.rule_name);
    let width = missed().map(|rule| label(rule).chars().count()).max().unwrap_or_default();
    missed()
        .map(|rule| {
            let field = rule.failed.as_deref().unwrap_or_default().to_lowercase().replace('_', " ");
            let line = format!("  ✗ {:width$}  {field}: {}", label(rule), rule.detail);
            line.trim_end().trim_end_matches(':').to_owned()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn text(reply: Value) -> String {
        render(&serde_json::from_value(reply).unwrap())
    }

    #[test]
    fn each_rule_is_shown_with_the_field_that_failed() {
        let reply = json!({
            "outcome": "REJECTED", "reason": "rule 15399 at service-b", "answer": "TCP_RESET",
            "packet": {"src_ip": "172.15.13.3"},
            "verdicts": [{
                "logical_port_id": "x", "logical_port_name": "service-b-jpwf9", "direction": "OUT",
                "action": "REJECT", "by": "RULE", "rule_id": 15399, "rule_name": "DenyAll",
                "considered": [
                    {"rule_id": 15403, "rule_name": "cTod", "layer": "LAYER3", "failed": "SOURCE",
                     "detail": "172.15.13.3 is not in nsg-service-c"},
                    {"rule_id": 9, "rule_name": "v6", "failed": "IP_PROTOCOL", "detail": ""},
                    {"rule_id": 15399, "rule_name": "DenyAll"},
                ],
            }],
        });
        assert_eq!(
            text(reply),
            "service-b-jpwf9 OUT\n\
             \u{20} ✗ 15403 cTod  source: 172.15.13.3 is not in nsg-service-c\n\
             \u{20} ✗ 9 v6        ip protocol\n\
             \u{20} → 15399 DenyAll REJECT\n\
             REJECTED, answered by TCP_RESET: rule 15399 at service-b\n"
        );
    }

    #[test]
    fn a_virtual_server_shows_what_it_made_of_the_packet() {
        let reply = json!({
            "outcome": "DELIVERED", "reason": "",
            "translation": {"virtual_server_name": "vs", "from_ip": "100.64.128.1",
                "to_ip": "172.15.23.2", "to_port": 8080},
            "verdicts": [{"logical_port_name": "a", "direction": "IN", "action": "ALLOW",
                "by": "NO_RULE", "rule_id": null}],
        });
        assert_eq!(
            text(reply),
            "virtual server vs: to 172.15.23.2:8080, from 100.64.128.1\n\
             a IN\n  → no rule that matches ALLOW\nDELIVERED\n"
        );
    }
}
