//! The simulator's own API, beside the manager's: packets, and why they fare as they do.
//!
//! `POST /sim/v1/packets` sends a packet past the filters, with connections and counters.
//! `POST /sim/v1/explain` tells the same without them, and every rule considered.
//! `GET /sim/v1/dataplane` tells which engines search the filters' rules.

use super::call::{Call, Reply};
use super::firewall::section_of_rule;
use super::routes::Routes;
use crate::fabric::{Carried, Fabric, Journey, Leg, Obstacle, Place};
use crate::inventory::{Error, Object};
use crate::kinds::firewall::{FirewallRule, FirewallSection};
use crate::kinds::logical_port;
use crate::kinds::routing::router;
use crate::kinds::values::MacText;
use crate::wire::{self, Int};
use dataplane::{
    Action, AddressRange, Answer, Direction, Evidence, Field, Guard, MacAddr, Outcome, Packet,
    RuleId, Step, TcpFlags, Transport, Verdict,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// The source port of a packet that states none: the first of the ephemeral ones [IANA].
pub(super) const EPHEMERAL_PORT: u16 = 49_152;

/// The packet to send.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PacketRequest {
    from: String,
    to: String,
    /// The address that the sender claims, instead of its own.
    src_ip: Option<IpAddr>,
    /// The same of its MAC address.
    src_mac: Option<MacText>,
    #[serde(default)]
    protocol: Protocol,
    src_port: Option<Int<0, 65_535>>,
    dst_port: Option<Int<0, 65_535>>,
    tcp_flags: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Protocol {
    #[default]
    Tcp,
    Udp,
    Icmp,
}

impl PacketRequest {
    /// What makes the packet for two addresses.
    fn build(&self) -> Result<impl Fn(IpAddr, IpAddr) -> Packet, Error> {
        let flags = flags(self.tcp_flags.as_deref().unwrap_or("SYN"))?;
        let port = |own: Option<Int<0, 65_535>>, default| {
            own.and_then(|port| u16::try_from(port.get()).ok()).unwrap_or(default)
        };
        let (src_port, dst_port) = (port(self.src_port, EPHEMERAL_PORT), port(self.dst_port, 0));
        let protocol = self.protocol;
        let mac = self.src_mac.as_ref().map_or(MacAddr([0; 6]), |own| MacAddr(own.octets()));
        Ok(move |src, dst| {
            let sockets = (SocketAddr::new(src, src_port), SocketAddr::new(dst, dst_port));
            let packet = match protocol {
                Protocol::Tcp => Packet::tcp(sockets.0, sockets.1, flags),
                Protocol::Udp => Packet::udp(sockets.0, sockets.1),
                Protocol::Icmp => Packet::icmp_echo(src, dst, src_port),
            };
            packet.with_macs(mac, packet.dst_mac)
        })
    }
}

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.at("GET", "/sim/v1/dataplane", |call| {
        let (engine, filters) = call.world.fabric().engines();
        let filters = filters.into_iter().map(|(kind, count)| (kind.to_string(), count.into()));
        let filters = Value::Object(filters.collect());
        Ok(Reply::ok(json!({"engine": engine.name(), "filters": filters})))
    });
    routes.at("POST", "/sim/v1/packets", |call| {
        let (request, from, to) = read(call)?;
        let (journey, passed) = call.world.with_fabric(|fabric, now| {
            let build = request.build()?;
            let inventory = &call.world.inventory;
            let journey = fabric.journey_at(inventory, now, &from, &to, build);
            let journey = journey.map_err(|why| Error::field("to", why))?;
            let passed = fabric.carry(now, &journey);
            Ok::<_, Error>((journey, passed))
        })?;
        let verdicts: Vec<Verdict> = passed.iter().flat_map(Carried::verdicts).collect();
        let outcome = passed.last().map(|leg| leg.outcome);
        let fabric = call.world.fabric();
        let printed: Vec<Value> =
            verdicts.iter().map(|verdict| print_verdict(call, &fabric, verdict)).collect();
        Ok(Reply::ok(print(call, &fabric, &journey, outcome, &printed)))
    });
    routes.at("POST", "/sim/v1/explain", |call| {
        let (request, from, to) = read(call)?;
        let fabric = call.world.fabric();
        let journey = fabric.journey(&call.world.inventory, &from, &to, request.build()?);
        let journey = journey.map_err(|why| Error::field("to", why))?;
        let mut printed = Vec::new();
        let mut outcome = Some(Outcome::Delivered);
        'legs: for leg in &journey.legs {
            for (filter, direction, packet) in fabric.filters(leg) {
                let told = fabric.explain(filter, direction, packet);
                let mut verdict = print_verdict(call, &fabric, &told.verdict);
                let steps = told.steps.iter().map(|step| print_step(call, step, packet));
                verdict["considered"] = steps.collect();
                printed.push(verdict);
                if !told.verdict.allows() {
                    outcome = Some(refusal(&told.verdict, packet));
                    break 'legs;
                }
            }
        }
        Ok(Reply::ok(print(call, &fabric, &journey, outcome, &printed)))
    });
}

fn read(call: &Call<'_>) -> Result<(PacketRequest, Place, Place), Error> {
    let request: PacketRequest = wire::read(Value::Object(call.object()?))?;
    let fabric = call.world.fabric();
    let find = |field: &str, text: &str| {
        let problem =
            format!("{text} is no address, and no logical port or pod has that id or name");
        let place = fabric.find_place(&call.world.inventory, text);
        place.ok_or_else(|| Error::field(field, problem))
    };
    let (from, to) = (find("from", &request.from)?, find("to", &request.to)?);
    let from = match (from, request.src_ip) {
        (Place::Port(port), Some(address)) => Place::PortAs(port, address),
        (_, Some(_)) => return Err(Error::field("src_ip", "is for what a logical port sends")),
        (from, None) => from,
    };
    drop(fabric);
    Ok((request, from, to))
}

/// Flags as `SYN`, `SYN,ACK`.
fn flags(text: &str) -> Result<TcpFlags, Error> {
    let known = [
        ("FIN", TcpFlags::FIN),
        ("SYN", TcpFlags::SYN),
        ("RST", TcpFlags::RST),
        ("PSH", TcpFlags::PSH),
        ("ACK", TcpFlags::ACK),
        ("URG", TcpFlags::URG),
    ];
    text.split([',', '|', '+']).try_fold(TcpFlags(0), |all, word| {
        let word = word.trim();
        match known.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)) {
            Some((_, flag)) => Ok(TcpFlags(all.0 | flag.0)),
            None => Err(Error::field("tcp_flags", format!("has no flag {word}"))),
        }
    })
}

fn refusal(verdict: &Verdict, packet: &Packet) -> Outcome {
    match verdict.action {
        Action::Reject => Outcome::Rejected { at: verdict.vnic, answer: Answer::to(packet) },
        _ => Outcome::Dropped { at: verdict.vnic },
    }
}

fn print(
    call: &Call<'_>,
    fabric: &Fabric,
    journey: &Journey,
    outcome: Option<Outcome>,
    verdicts: &[Value],
) -> Value {
    let at = |vnic| {
        if let Some(gate) = fabric.gate_of(vnic) {
            return name(call, router::KIND.name, &gate.router);
        }
        name(call, logical_port::KIND.name, fabric.port_of(vnic).unwrap_or_default())
    };
    let (word, reason, answer) = match outcome {
        Some(Outcome::Dropped { at: vnic }) => {
            ("DROPPED", format!("dropped at {}", at(vnic)), None)
        }
        Some(Outcome::Rejected { at: vnic, answer }) => {
            let answer = match answer {
                Answer::TcpReset => "TCP_RESET".to_owned(),
                Answer::Unreachable { kind, code } => format!("ICMP {kind}/{code}"),
            };
            ("REJECTED", format!("rejected at {}", at(vnic)), Some(answer))
        }
        _ => match &journey.obstacle {
            Some(Obstacle::NoRoute(why) | Obstacle::PortDown { why, .. }) => {
                ("UNREACHABLE", why.clone(), None)
            }
            Some(Obstacle::Spoofed { why, .. }) => ("DROPPED", why.clone(), None),
            None => ("DELIVERED", "every filter on the way allowed it".to_owned(), None),
        },
    };
    let translation = journey.translation.as_ref().map(|own| {
        json!({
            "virtual_server_name": own.virtual_server,
            "virtual_server_ip": own.virtual_address,
            "from_ip": own.source,
            "to_ip": own.member.0,
            "to_port": own.member.1,
        })
    });
    let mut printed = json!({
        "outcome": word,
        "reason": reason,
        "answer": answer,
        "packet": journey.legs.last().map(print_packet),
        "translation": translation,
        "nat": print_nat(journey),
        "verdicts": verdicts,
    });
    wire::without_nulls(&mut printed);
    printed
}

/// What rules of routers made of the packet's addresses; none where they made nothing of them.
fn print_nat(journey: &Journey) -> Option<Vec<Value>> {
    let mut printed = Vec::new();
    for router in journey.legs.iter().flat_map(|leg| &leg.routers) {
        for own in router.translated.iter().filter(|own| own.changed) {
            let sockets = own.packet.sockets();
            printed.push(json!({
                "router_id": router.router,
                "router_name": router.name,
                "nat_rule_id": own.rule,
                "src_ip": sockets.map(|(src, _)| src.ip()),
                "src_port": sockets.map(|(src, _)| src.port()),
                "dst_ip": sockets.map(|(_, dst)| dst.ip()),
                "dst_port": sockets.map(|(_, dst)| dst.port()),
            }));
        }
    }
    (!printed.is_empty()).then_some(printed)
}

fn print_packet(leg: &Leg) -> Value {
    // As it arrives: routers may have given it other addresses.
    let ip = leg.packet(Direction::In).ip;
    let transport = ip.map(|ip| ip.transport);
    let (protocol, ports) = match transport {
        Some(Transport::Tcp { src_port, dst_port, .. }) => ("TCP", Some((src_port, dst_port))),
        Some(Transport::Udp { src_port, dst_port }) => ("UDP", Some((src_port, dst_port))),
        _ => ("ICMP", None),
    };
    json!({
        "src_ip": ip.map(|ip| ip.src),
        "dst_ip": ip.map(|ip| ip.dst),
        "protocol": protocol,
        "src_port": ports.map(|(port, _)| port),
        "dst_port": ports.map(|(_, port)| port),
    })
}

/// What sort of thing decided, and the guard's name where one did.
pub(super) const fn words(by: Evidence) -> (&'static str, Option<&'static str>) {
    match by {
        Evidence::Rule(_) => ("RULE", None),
        Evidence::Flow(_) => ("FLOW", None),
        Evidence::NoRule => ("NO_RULE", None),
        Evidence::Guard(guard) => {
            let name = match guard {
                Guard::Excluded => "EXCLUDED",
                Guard::Disabled => "DISABLED",
                Guard::NoFilter => "NO_FILTER",
                Guard::StateMismatch { .. } => "STATE_MISMATCH",
                Guard::StateLimit { .. } => "STATE_LIMIT",
            };
            ("GUARD", Some(name))
        }
    }
}

fn print_verdict(call: &Call<'_>, fabric: &Fabric, verdict: &Verdict) -> Value {
    let gate = fabric.gate_of(verdict.vnic);
    let router = gate.map(|gate| &*gate.router);
    let port = fabric.port_of(verdict.vnic);
    let (by, guard) = words(verdict.by);
    let mut printed = json!({
        "logical_port_id": port,
        "logical_port_name": port.map(|id| name(call, logical_port::KIND.name, id)),
        "logical_router_id": router,
        "logical_router_name": router.map(|id| name(call, router::KIND.name, id)),
        "logical_router_port_id": gate.and_then(|gate| gate.port.as_deref()),
        "direction": verdict.direction.to_string(),
        "action": match verdict.action {
            Action::Allow => "ALLOW",
            Action::Drop => "DROP",
            Action::Reject => "REJECT",
        },
        "by": by,
        "guard": guard,
    });
    if let Some(rule) = verdict.by.rule() {
        name_rule(call, rule, &mut printed);
    }
    wire::without_nulls(&mut printed);
    printed
}

fn print_step(call: &Call<'_>, step: &Step, packet: &Packet) -> Value {
    let layer = match step.layer {
        dataplane::Layer::Ethernet => "LAYER2",
        dataplane::Layer::Ip => "LAYER3",
    };
    let mut printed = json!({
        "layer": layer,
        "failed": step.failed.map(field_word),
        "detail": step.failed.map(|field| detail(call, step, field, packet)),
    });
    name_rule(call, step.rule, &mut printed);
    wire::without_nulls(&mut printed);
    printed
}

fn field_word(field: Field) -> &'static str {
    match field {
        Field::Direction => "DIRECTION",
        Field::Family => "IP_PROTOCOL",
        Field::Source => "SOURCE",
        Field::Destination => "DESTINATION",
        Field::Service => "SERVICE",
    }
}

/// What a field wanted and what the packet had, in words.
fn detail(call: &Call<'_>, step: &Step, field: Field, packet: &Packet) -> String {
    let Some((_, rule)) = rule_of(call, step.rule) else { return String::new() };
    let peers = |address: Option<IpAddr>,
                 list: Option<&crate::kinds::reference::References>,
                 excluded: bool| {
        let names: Vec<String> = list
            .iter()
            .flat_map(|list| list.iter())
            .map(|reference| {
                let fields = reference.fields(&call.world.inventory);
                let name = fields.get("target_display_name").and_then(Value::as_str);
                name.map_or_else(|| "a deleted object".to_owned(), str::to_owned)
            })
            .collect();
        let word = if excluded { "is in" } else { "is not in" };
        let address = address.map(|own| AddressRange::from(own).to_string()).unwrap_or_default();
        format!("{address} {word} {}", names.join(", "))
    };
    let ip = packet.ip;
    match field {
        Field::Source => peers(ip.map(|ip| ip.src), rule.sources.as_ref(), rule.sources_excluded),
        Field::Destination => {
            let excluded = rule.destinations_excluded;
            peers(ip.map(|ip| ip.dst), rule.destinations.as_ref(), excluded)
        }
        Field::Direction => format!("the rule is for {}", json!(rule.direction)),
        Field::Family => format!("the rule is for {}", json!(rule.ip_protocol)),
        Field::Service => match ip.map(|ip| ip.transport) {
            Some(Transport::Tcp { dst_port, .. }) => {
                format!("TCP {dst_port} is none of its services")
            }
            Some(Transport::Udp { dst_port, .. }) => {
                format!("UDP {dst_port} is none of its services")
            }
            _ => "the packet is none of its services".to_owned(),
        },
    }
}

fn rule_of(call: &Call<'_>, rule: RuleId) -> Option<(Arc<Object>, Arc<FirewallRule>)> {
    let id = rule.0.to_string();
    let object = section_of_rule(call, &id).ok()?;
    let rule = object.body::<FirewallSection>().and_then(|section| section.rule(&id))?.1.clone();
    Some((object, rule))
}

fn name_rule(call: &Call<'_>, rule: RuleId, printed: &mut Value) {
    printed["rule_id"] = rule.0.into();
    if let Some((section, rule)) = rule_of(call, rule) {
        let name = rule.display_name.as_deref().map_or_else(|| rule.id.to_string(), str::to_owned);
        printed["rule_name"] = name.into();
        printed["section_id"] = section.header.id.as_str().into();
        printed["section_name"] = section.header.name().into();
    }
}

/// The name of an object, or else its id.
fn name(call: &Call<'_>, kind: &'static str, id: &str) -> String {
    let object = call.world.inventory.find(kind, id);
    object.map_or_else(|| id.to_owned(), |object| object.header.name().to_owned())
}
