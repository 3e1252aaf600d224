//! The simulator's own API: one packet judged by the dataplane. A real manager does not have it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Client, Error};

/// A packet to send or to explain.
#[derive(Clone, Debug, Serialize)]
pub struct PacketQuery {
    /// Sender: logical port id, display name, pod, `namespace/pod`, or an address.
    pub from: String,
    /// Receiver: as `from`, or the address of a virtual server.
    pub to: String,
    /// `TCP`, `UDP` or `ICMP`.
    pub protocol: String,
    /// Source port; absent = the manager's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub src_port: Option<u16>,
    /// Destination port; absent for ICMP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dst_port: Option<u16>,
    /// Flags of TCP, such as `SYN,ACK`; absent = `SYN`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tcp_flags: Option<String>,
}

/// What became of a packet and who decided it.
#[derive(Clone, Debug, Deserialize)]
pub struct Judgement {
    /// `DELIVERED`, `DROPPED`, `REJECTED` or `UNREACHABLE`.
    pub outcome: String,
    /// The outcome in words.
    #[serde(default)]
    pub reason: String,
    /// What the sender gets for a rejected packet, such as `TCP_RESET`.
    pub answer: Option<String>,
    /// What the load balancer made of the packet, where one was in its way.
    pub translation: Option<Translation>,
    /// One verdict for each vNIC that the packet met, in that order.
    #[serde(default)]
    pub verdicts: Vec<Verdict>,
}

/// A load balancer's rewriting of a packet.
#[derive(Clone, Debug, Deserialize)]
pub struct Translation {
    /// Virtual server that took the packet.
    pub virtual_server_name: Option<String>,
    /// Source address that the pool member sees.
    pub from_ip: Option<String>,
    /// Address of the chosen pool member.
    pub to_ip: Option<String>,
    /// Port of the chosen pool member.
    pub to_port: Option<u16>,
}

/// The decision at one vNIC, or at a router.
#[derive(Clone, Debug, Deserialize)]
pub struct Verdict {
    /// Id of the logical port that the vNIC is attached to.
    #[serde(default)]
    pub logical_port_id: String,
    /// Its name.
    #[serde(default)]
    pub logical_port_name: String,
    /// Name of the router, where a router's firewall decided instead.
    pub logical_router_name: Option<String>,
    /// `OUT` = sent by the vNIC, `IN` = on its way to it.
    pub direction: String,
    /// `ALLOW`, `DROP` or `REJECT`.
    pub action: String,
    /// `RULE`, `FLOW`, `NO_RULE` or `GUARD`.
    pub by: String,
    /// Deciding rule, or the rule that once admitted the flow.
    pub rule_id: Option<u64>,
    /// Name of that rule.
    pub rule_name: Option<String>,
    /// Name of its section.
    pub section_name: Option<String>,
    /// Rules looked at before the decision, in order; only in explanations.
    #[serde(default)]
    pub considered: Vec<Considered>,
}

impl Verdict {
    /// Where it was decided: at a logical port, or at a router.
    pub fn place(&self) -> String {
        match &self.logical_router_name {
            Some(router) => format!("router {router}"),
            None => self.logical_port_name.clone(),
        }
    }

    /// What decided: rule by id and name, or flow, guard, or the want of a matching rule.
    pub fn decider(&self) -> String {
        let rule = self.rule_id.map(|id| {
            let name = self.rule_name.as_deref().unwrap_or_default();
            format!("{id} {name}").trim_end().to_owned()
        });
        match (self.by.as_str(), rule) {
            ("RULE", Some(rule)) => rule,
            ("FLOW", Some(rule)) => format!("a flow that {rule} admitted"),
            ("NO_RULE", _) => "no rule that matches".to_owned(),
            (by, Some(rule)) => format!("{} beside {rule}", by.to_lowercase()),
            (by, None) => by.to_lowercase(),
        }
    }
}

/// One rule that the evaluation looked at.
#[derive(Clone, Debug, Deserialize)]
pub struct Considered {
    /// Id of the rule.
    pub rule_id: u64,
    /// Its name.
    #[serde(default)]
    pub rule_name: String,
    /// Field that did not match, such as `SOURCE`; absent where the rule matched.
    pub failed: Option<String>,
    /// Why the field did not match.
    #[serde(default)]
    pub detail: String,
}

impl Client {
    /// Sends one packet through the dataplane: it makes state and is counted.
    pub fn send_packet(&self, packet: &PacketQuery) -> Result<Judgement, Error> {
        let path = "/sim/v1/packets";
        let reply = self.post(path, &to_json(path, packet)?)?;
        read(path, reply)
    }

    /// Judges one packet without state or counters. Gives the evidence both as it came and parsed.
    pub fn explain_packet(&self, packet: &PacketQuery) -> Result<(Value, Judgement), Error> {
        let path = "/sim/v1/explain";
        let reply = self.post(path, &to_json(path, packet)?)?;
        Ok((reply.clone(), read(path, reply)?))
    }
}

fn to_json(path: &str, packet: &PacketQuery) -> Result<Value, Error> {
    serde_json::to_value(packet).map_err(|error| unreadable(path, &error))
}

fn read(path: &str, reply: Value) -> Result<Judgement, Error> {
    serde_json::from_value(reply).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &str, error: &serde_json::Error) -> Error {
    Error::Unreadable { request: format!("POST {path}"), reason: error.to_string() }
}
