//! Traceflow: a packet injected at a pod's vNIC, and what the observations say decided it.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Fault;
use super::groups::await_value;
use super::pods::Pod;
use super::report::{Direction, Outcome, Pair, RuleName, Verdict};
use super::section;
use nsx_client::Client;

/// Source port of every probe: any of the ephemeral ones.
const SOURCE_PORT: u16 = 49152;

/// What to send.
#[derive(Clone, Copy, Debug)]
pub(super) enum Probe {
    /// The first segment of a connection to this port.
    Tcp(u16),
    /// A datagram to this port.
    Udp(u16),
}

/// Runs traceflows and knows the names of the rules they meet.
pub(super) struct Tracer<'a> {
    client: &'a Client,
    rule_names: RefCell<BTreeMap<u64, String>>,
}

impl<'a> Tracer<'a> {
    pub(super) fn new(client: &'a Client) -> Self {
        Self { client, rule_names: RefCell::default() }
    }

    /// Sends `probe` from one pod to the other and gives what became of it.
    pub(super) fn probe(&self, from: &Pod, to: &Pod, probe: Probe) -> Result<Pair, Fault> {
        let flow = self.client.post("/traceflows", &request(from, to, probe))?;
        let path = format!("/traceflows/{}", flow["id"].as_str().unwrap_or_default());
        let observations = self.observations(&path);
        // A round that is read is of no further use; the manager keeps it for hours otherwise.
        let deleted = self.client.delete(&path);
        let trace = read(&observations?, from.port_id());
        deleted?;
        let mut verdicts = Vec::new();
        for hit in trace.hits {
            let pod = if hit.direction == Direction::Out { from } else { to };
            verdicts.push(Verdict {
                rule: self.rule(hit.rule_id)?,
                at: pod.name.clone(),
                direction: hit.direction,
                allowed: hit.allowed,
            });
        }
        Ok(Pair {
            from: from.name.clone(),
            to: to.name.clone(),
            outcome: trace.outcome,
            reason: trace.reason,
            verdicts,
        })
    }

    fn observations(&self, path: &str) -> Result<Vec<Value>, Fault> {
        let flow = await_value(
            || Ok(self.client.get(path)?),
            |flow| flow["operation_state"] != "IN_PROGRESS",
        )?;
        if flow["operation_state"] != "FINISHED" {
            let (state, status) = (&flow["operation_state"], &flow["request_status"]);
            return Err(Fault::State(format!("{path}: traceflow is {state}, status {status}")));
        }
        Ok(self.client.list_all(&format!("{path}/observations"))?)
    }

    fn rule(&self, id: u64) -> Result<RuleName, Fault> {
        if let Some(name) = self.rule_names.borrow().get(&id) {
            return Ok(RuleName { id, name: name.clone() });
        }
        let rule = self.client.get(&format!("/firewall/rules/{id}"))?;
        let name = section::read_rule(&rule).name;
        self.rule_names.borrow_mut().insert(id, name.clone());
        Ok(RuleName { id, name })
    }
}

fn request(from: &Pod, to: &Pod, probe: Probe) -> Value {
    let (protocol, header) = match probe {
        Probe::Tcp(port) => {
            let syn = 2;
            (
                6,
                json!({"tcp_header": {
                "src_port": SOURCE_PORT, "dst_port": port, "tcp_flags": syn}}),
            )
        }
        Probe::Udp(port) => {
            (17, json!({"udp_header": {"src_port": SOURCE_PORT, "dst_port": port}}))
        }
    };
    let routed = from.switch_id() != to.switch_id();
    let mut ethernet = json!({"src_mac": from.mac});
    if !routed {
        // To another switch the frame goes to the gateway, whose address the manager knows.
        ethernet["dst_mac"] = json!(to.mac);
    }
    json!({
        "lport_id": from.port_id(),
        "packet": {
            "resource_type": "FieldsPacketData", "transport_type": "UNICAST", "routed": routed,
            "eth_header": ethernet,
            "ip_header": {"src_ip": from.address, "dst_ip": to.address, "protocol": protocol},
            "transport_header": header,
        },
    })
}

/// What the observations of a finished traceflow say.
#[derive(Debug, PartialEq)]
struct Trace {
    outcome: Outcome,
    reason: Option<String>,
    hits: Vec<Hit>,
}

/// A firewall rule that decided at one vNIC.
#[derive(Debug, PartialEq)]
struct Hit {
    rule_id: u64,
    direction: Direction,
    allowed: bool,
}

/// Reads observations in their order. The last one tells the outcome; a distributed firewall that
/// decided carries the rule's id, first the sender's, then the receiver's.
fn read(observations: &[Value], source_port: &str) -> Trace {
    let mut hits: Vec<Hit> = Vec::new();
    for observation in observations {
        if let (Some("DFW"), Some(rule_id)) =
            (observation["component_type"].as_str(), observation["acl_rule_id"].as_u64())
        {
            let at_source = observation["lport_id"]
                .as_str()
                .map_or(hits.is_empty(), |port| port == source_port);
            let direction = if at_source { Direction::Out } else { Direction::In };
            hits.push(Hit { rule_id, direction, allowed: !is_drop(observation) });
        }
    }
    let last = observations.last();
    let reason = last.filter(|last| is_drop(last)).map(|last| {
        let reason = last["reason"].as_str().unwrap_or("UNKNOWN");
        reason.to_owned()
    });
    let outcome = match (last, reason.as_deref()) {
        (_, Some("FW_RULE")) => Outcome::Fail,
        (_, Some(_)) => Outcome::Unreachable,
        (Some(last), None) if kind(last) == "TraceflowObservationDelivered" => Outcome::Success,
        (_, None) => Outcome::Unjudged,
    };
    Trace { outcome, reason, hits }
}

fn kind(observation: &Value) -> &str {
    observation["resource_type"].as_str().unwrap_or_default()
}

fn is_drop(observation: &Value) -> bool {
    kind(observation).starts_with("TraceflowObservationDropped")
}

#[cfg(test)]
mod tests {
    use super::super::pods::tests::pod;
    use super::*;

    fn seen(kind: &str, component: &str, rest: &Value) -> Value {
        let mut observation = json!({
            "resource_type": format!("TraceflowObservation{kind}"), "component_type": component});
        for (key, value) in rest.as_object().unwrap() {
            observation[key] = value.clone();
        }
        observation
    }

    #[test]
    fn a_delivered_packet_shows_both_rules() {
        let trace = read(
            &[
                seen("ReceivedLogical", "LS", &json!({"lport_id": "a"})),
                seen("ForwardedLogical", "DFW", &json!({"lport_id": "a", "acl_rule_id": 2})),
                seen("ForwardedLogical", "NAT", &json!({"acl_rule_id": 99})),
                seen("ForwardedLogical", "DFW", &json!({"lport_id": "b", "acl_rule_id": 15400})),
                seen("Delivered", "LS", &json!({"lport_id": "b"})),
            ],
            "a",
        );
        let hit = |rule_id, direction| Hit { rule_id, direction, allowed: true };
        assert_eq!(
            trace,
            Trace {
                outcome: Outcome::Success,
                reason: None,
                hits: vec![hit(2, Direction::Out), hit(15400, Direction::In)],
            }
        );
    }

    #[test]
    fn a_drop_by_a_rule_is_a_fail_at_that_vnic() {
        let drop = |rest| read(&[seen("DroppedLogical", "DFW", &rest)], "a");
        let trace = drop(json!({"lport_id": "a", "acl_rule_id": 15399, "reason": "FW_RULE"}));
        assert_eq!(trace.outcome, Outcome::Fail);
        let hit = |direction| Hit { rule_id: 15399, direction, allowed: false };
        assert_eq!(trace.hits, [hit(Direction::Out)]);
        let trace = drop(json!({"lport_id": "b", "acl_rule_id": 15399, "reason": "FW_RULE"}));
        assert_eq!(trace.hits, [hit(Direction::In)]);
    }

    #[test]
    fn a_drop_for_want_of_a_route_is_no_fail_of_the_firewall() {
        let trace = read(&[seen("DroppedLogical", "LR", &json!({"reason": "NO_ROUTE"}))], "a");
        assert_eq!(trace.outcome, Outcome::Unreachable);
        assert_eq!(trace.reason.as_deref(), Some("NO_ROUTE"));
    }

    #[test]
    fn without_an_end_nothing_is_judged() {
        assert_eq!(read(&[], "a").outcome, Outcome::Unjudged);
        let started = seen("ReceivedLogical", "LS", &json!({}));
        assert_eq!(read(&[started], "a").outcome, Outcome::Unjudged);
    }

    #[test]
    fn only_within_a_switch_the_frame_names_the_receiver() {
        let (a, b) = (pod("service-a", "a-1", "10.0.1.2"), pod("service-b", "b-1", "10.0.2.2"));
        let packet = &request(&a, &b, Probe::Tcp(8080))["packet"];
        assert_eq!(packet["routed"], true);
        assert_eq!(packet["eth_header"].get("dst_mac"), None);
        assert_eq!(packet["transport_header"]["tcp_header"]["tcp_flags"], 2);
        let packet = &request(&a, &a, Probe::Udp(53))["packet"];
        assert_eq!(
            (&packet["routed"], &packet["ip_header"]["protocol"]),
            (&json!(false), &json!(17))
        );
        assert!(packet["eth_header"]["dst_mac"].is_string());
    }
}
