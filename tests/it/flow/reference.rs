//! Conversations against a reference: the stateful pair of filters, with rules and labels that
//! change while datagrams go to and fro, does what a list of conversations does that is searched
//! and judged anew for every packet.

use super::{Net, groups, rule};
use dataplane::{Action, Direction, Evidence, Packet};
use nsx_sim::fabric::Fabric;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;

/// Something that happens between three pods.
#[derive(Clone, Debug)]
enum Event {
    /// A datagram goes from one pod to another, from port to port.
    Send { from: usize, to: usize, ports: [u16; 2] },
    /// Nothing, for so many steps of seven seconds: no sum of them is a timer's end.
    Wait(u64),
    /// A pod gets another label.
    Relabel { pod: usize, label: usize },
    /// The rule between the labels of two groups says something else from now on.
    Publish { from: usize, to: usize, action: &'static str },
}

const PODS: [&str; 3] = ["a", "b", "c"];
const STEP: u64 = 7_000;

fn event() -> impl Strategy<Value = Event> {
    let ports = || select(&[53_u16, 1500][..]);
    let actions = select(&["ALLOW", "ALLOW", "DROP", "REJECT"][..]);
    prop_oneof![
        12 => (0..3_usize, 1..3_usize, ports(), ports()).prop_map(|(from, by, src, dst)| {
            Event::Send { from, to: (from + by) % 3, ports: [src, dst] }
        }),
        3 => (1..10_u64).prop_map(Event::Wait),
        1 => (0..3_usize, 0..3_usize).prop_map(|(pod, label)| Event::Relabel { pod, label }),
        2 => (0..3_usize, 0..3_usize, actions)
            .prop_map(|(from, to, action)| Event::Publish { from, to, action }),
    ]
}

/// A conversation as one pod's filter knows it.
struct Conversation {
    pod: usize,
    direction: Direction,
    first: Packet,
    /// How often the side that began, and the other one, has been heard: silent, once, and again
    /// after the other side.
    heard: [u8; 2],
    ends: u64,
}

#[derive(Default)]
struct Reference {
    now: u64,
    conversations: Vec<Conversation>,
}

impl Reference {
    /// Who decides about a packet at a pod's filter, and how.
    fn cross(
        &mut self,
        fabric: &Fabric,
        pod: usize,
        direction: Direction,
        packet: &Packet,
    ) -> (Action, Evidence) {
        let judge = |direction, packet: &Packet| {
            let verdict = fabric.judge(PODS[pod], direction, packet);
            verdict.map(|verdict| (verdict.action, verdict.by)).expect("a pod has a filter")
        };
        let found = self.conversations.iter().position(|own| {
            let same = own.direction == direction && own.first == *packet;
            let back = own.direction != direction && own.first.reply() == *packet;
            own.pod == pod && (same || back)
        });
        if let Some(place) = found {
            let mut own = self.conversations.swap_remove(place);
            // It ends by its time, or when its first packet would not be let through any more.
            if let (Action::Allow, Evidence::Rule(rule)) = judge(own.direction, &own.first)
                && self.now < own.ends
            {
                let by = usize::from(own.direction != direction);
                own.heard[by] = own.heard[by].max(1);
                if own.heard[1 - by] == 1 {
                    own.heard[1 - by] = 2;
                }
                own.ends = self.now + if own.heard == [2, 2] { 60_000 } else { 30_000 };
                self.conversations.push(own);
                return (Action::Allow, Evidence::Flow(rule));
            }
        }
        let judged = judge(direction, packet);
        if judged.0 == Action::Allow {
            let (first, ends) = (*packet, self.now + 60_000);
            self.conversations.push(Conversation { pod, direction, first, heard: [1, 0], ends });
        }
        judged
    }

    /// What a packet between two pods meets, in the form of [`told`].
    fn send(&mut self, fabric: &Fabric, from: usize, to: usize, packet: &Packet) -> Vec<String> {
        let mut lines = Vec::new();
        for (pod, direction) in [(from, Direction::Out), (to, Direction::In)] {
            let (action, by) = self.cross(fabric, pod, direction, packet);
            let by = match by {
                Evidence::Flow(rule) => format!("FLOW {}", rule.0),
                Evidence::Rule(rule) => format!("RULE {}", rule.0),
                other => format!("{other:?}"),
            };
            lines.push(format!("{} {by} {}", PODS[pod], action == Action::Allow));
            if action != Action::Allow {
                break;
            }
        }
        lines
    }
}

/// The verdicts of an answer, a line for each.
fn told(answer: &Value) -> Vec<String> {
    let verdicts = answer["verdicts"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    verdicts
        .map(|verdict| {
            let (pod, by) = (text(&verdict["logical_port_name"]), text(&verdict["by"]));
            format!("{pod} {by} {} {}", verdict["rule_id"], verdict["action"] == "ALLOW")
        })
        .collect()
}

fn address(pod: usize, port: u16) -> SocketAddr {
    ([10, 0, 0, u8::try_from(pod + 1).unwrap_or_default()], port).into()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24,
        rng_seed: RngSeed::Fixed(0x5eed),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn conversations_fare_as_the_reference_says(
        events in prop::collection::vec(event(), 40..100),
    ) {
        let net = Net::new();
        let pairs = (0..9_usize).map(|pair| {
            let ends = json!({
                "sources": groups(&[PODS[pair / 3]]),
                "destinations": groups(&[PODS[pair % 3]]),
            });
            rule(&format!("rule {pair}"), "ALLOW", ends)
        });
        let made = net.section(json!({}), &pairs.collect::<Vec<_>>());
        let section = made["id"].as_str().unwrap_or_default();
        let mut reference = Reference::default();
        for event in events {
            match event {
                Event::Wait(steps) => {
                    reference.now += steps * STEP;
                    net.0.advance(Duration::from_millis(steps * STEP));
                }
                Event::Relabel { pod, label } => {
                    net.edit(&format!("/logical-ports/{}", PODS[pod]), |port| {
                        port["tags"][0]["tag"] = PODS[label].into();
                    });
                }
                Event::Publish { from, to, action } => {
                    let id = made["rules"][from * 3 + to]["id"].as_str().unwrap_or_default();
                    let path = format!("/firewall/sections/{section}/rules/{id}");
                    net.edit(&path, |rule| rule["action"] = action.into());
                }
                Event::Send { from, to, ports } => {
                    let packet = Packet::udp(address(from, ports[0]), address(to, ports[1]));
                    let fabric = net.0.api().world().fabric();
                    let expected = reference.send(&fabric, from, to, &packet);
                    drop(fabric);
                    let body = json!({
                        "from": PODS[from], "to": PODS[to], "protocol": "UDP",
                        "src_port": ports[0], "dst_port": ports[1],
                    });
                    let answer = net.0.post("/sim/v1/packets", body).expect(200);
                    prop_assert_eq!(told(&answer), expected);
                }
            }
        }
    }
}
