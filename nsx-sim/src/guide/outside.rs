//! Step 8: who can be reached from outside the cluster.
//!
//! The Manager API cannot inject a packet at the edge, so the simulator's own API is asked.

use super::matrix::POD_PORT;
use super::pods::{self, Pod};
use super::report::{Outcome, Outside};
use super::section::Section;
use super::world::World;
use super::{Done, Fault, SERVICES};
use nsx_client::{Client, Judgement, PacketQuery};

/// A client somewhere outside: an address from a block reserved for documentation.
const CLIENT: &str = "192.0.2.10";
/// Packets to the load balancer: enough for its round robin to meet both pods twice.
const PACKETS: usize = 4;
/// Source port of the first packet.
const FIRST_PORT: u16 = 49152;
/// Said where the manager does not have the simulator's API.
const NOT_JUDGED: &str = "not judged: this manager is not nsx-sim";
/// Why the section must not be applied to service-a.
const LESSON: &str = "The section is applied to nsg-service-a, too, and no rule of it allows the \
    load balancer's source address. Applied to the other three groups it leaves service-a open \
    and still denies service-b and service-c the way to it: their own vNICs reject.";

/// Judges the load balancer's address and, directly, the pods of the services behind it.
pub(super) fn judge(
    client: &Client,
    world: &World,
    pods: &[Pod],
    section: &Section,
) -> Done<Vec<Outside>> {
    let (address, port) = world
        .virtual_server()
        .ok_or_else(|| Fault::State("the world document has no virtual server".to_owned()))?;
    let judged = send(client, &[(address, port); PACKETS])?;
    let mut entry = row(format!("{address}:{port}"), Outcome::Success, judged.as_deref(), pods);
    if entry.result == Outcome::Fail
        && section.applied_to.iter().any(|name| name == "nsg-service-a")
    {
        entry.lesson = Some(LESSON.to_owned());
    }
    let note = format!("{} {}", entry.target, entry.result);
    let mut found = vec![entry];
    for service in &SERVICES[1..] {
        let addresses: Vec<_> = pods::of_app(pods, service)
            .into_iter()
            .map(|pod| (pod.address.as_str(), POD_PORT))
            .collect();
        let judged = send(client, &addresses)?;
        found.push(row((*service).to_owned(), Outcome::Unreachable, judged.as_deref(), pods));
    }
    Ok((found, note))
}

/// Sends one packet to each address; nothing where the manager does not have the simulator's API.
fn send(client: &Client, addresses: &[(&str, u16)]) -> Result<Option<Vec<Judgement>>, Fault> {
    let mut judgements = Vec::new();
    for (src_port, (address, port)) in (FIRST_PORT..).zip(addresses) {
        let packet = PacketQuery {
            from: CLIENT.to_owned(),
            to: (*address).to_owned(),
            protocol: "TCP".to_owned(),
            src_port: Some(src_port),
            dst_port: Some(*port),
            tcp_flags: None,
        };
        match client.send_packet(&packet) {
            Ok(judgement) => judgements.push(judgement),
            Err(error) if matches!(error.status(), Some(404 | 501)) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Some(judgements))
}

fn row(target: String, expected: Outcome, judged: Option<&[Judgement]>, pods: &[Pod]) -> Outside {
    let result = Outcome::of_all(judged.unwrap_or_default().iter().map(outcome));
    let detail = judged.map_or_else(|| NOT_JUDGED.to_owned(), |judged| describe(judged, pods));
    Outside { target, result, expected, detail, lesson: None }
}

fn outcome(judgement: &Judgement) -> Outcome {
    match judgement.outcome.as_str() {
        "DELIVERED" => Outcome::Success,
        "DROPPED" | "REJECTED" => Outcome::Fail,
        "UNREACHABLE" => Outcome::Unreachable,
        _ => Outcome::Unjudged,
    }
}

/// How the packets fared, those that fared alike in one phrase.
fn describe(judged: &[Judgement], pods: &[Pod]) -> String {
    let mut phrases: Vec<(String, Vec<String>)> = Vec::new();
    for judgement in judged {
        let (how, place) = fate(judgement, pods);
        match phrases.iter_mut().find(|(known, _)| *known == how) {
            Some((_, places)) if places.contains(&place) => {}
            Some((_, places)) => places.push(place),
            None => phrases.push((how, vec![place])),
        }
    }
    let phrases = phrases.into_iter().map(|(how, places)| how + &places.join(", "));
    phrases.collect::<Vec<_>>().join("; ")
}

/// What settled a packet, and where: the receiver's vNIC if one judged it.
fn fate(judgement: &Judgement, pods: &[Pod]) -> (String, String) {
    let Some(verdict) = judgement.verdicts.last() else {
        return (judgement.reason.clone(), String::new());
    };
    let source = judgement.translation.as_ref().and_then(|t| t.from_ip.as_deref());
    let source = source.map(|address| format!(" from {address}")).unwrap_or_default();
    let answer = judgement.answer.as_ref().map(|answer| format!(" ({answer})")).unwrap_or_default();
    let pod = pods.iter().find(|pod| pod.port_id() == verdict.logical_port_id);
    let vnic = pod.map_or(verdict.logical_port_name.as_str(), |pod| pod.name.as_str());
    (
        format!("{}{answer} by {}{source} at ", verdict.action, verdict.decider()),
        format!("{vnic} {}", verdict.direction),
    )
}

#[cfg(test)]
mod tests {
    use super::super::pods::tests::pod;
    use super::*;
    use serde_json::{Value, json};

    fn judgement(value: Value) -> Judgement {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn packets_that_fared_alike_are_told_together() {
        let to = |pod: &str| {
            judgement(json!({
                "outcome": "REJECTED", "reason": "", "answer": "TCP_RESET",
                "translation": {"from_ip": "100.64.128.1", "to_ip": "10.0.0.2", "to_port": 8080},
                "verdicts": [{"logical_port_id": format!("port-{pod}"), "direction": "IN",
                    "action": "REJECT", "by": "RULE", "rule_id": 15399, "rule_name": "DenyAll"}],
            }))
        };
        let pods = [pod("service-a", "a-1", "10.0.0.2"), pod("service-a", "a-2", "10.0.0.3")];
        let judged = [to("a-1"), to("a-2"), to("a-1")];
        let row = row("vip".to_owned(), Outcome::Success, Some(&judged), &pods);
        assert_eq!(row.result, Outcome::Fail);
        assert_eq!(
            row.detail,
            "REJECT (TCP_RESET) by 15399 DenyAll from 100.64.128.1 at a-1 IN, a-2 IN"
        );
    }

    #[test]
    fn a_packet_that_nobody_judged_tells_the_reason() {
        let judged = [judgement(json!({"outcome": "UNREACHABLE", "reason": "no route"}))];
        let row = row("b".to_owned(), Outcome::Unreachable, Some(&judged), &[]);
        assert!(row.as_expected());
        assert_eq!(row.detail, "no route");
    }

    #[test]
    fn a_manager_without_the_simulators_api_is_not_blamed() {
        let row = row("vip".to_owned(), Outcome::Success, None, &[]);
        assert_eq!((row.result, row.detail.as_str()), (Outcome::Unjudged, NOT_JUDGED));
        assert!(row.as_expected());
    }
}
