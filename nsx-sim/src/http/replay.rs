//! `POST /sim/v1/replay`: many packets at once, as they were seen at ports, and what the filters
//! there make of them.
//!
//! The same is done without HTTP for a world in the caller's process: see [`Judge`].

use super::call::{Call, Reply};
use super::routes::Routes;
use super::{Api, simulator};
use crate::fabric::{Fabric, Place, Post};
use crate::inventory::{Actor, Error};
use crate::wire::{self, Int};
use crate::world::World;
use axum::body::Bytes;
use base64::{Engine, prelude::BASE64_STANDARD};
use dataplane::{Action, Family, Frame, FrameError, Packet, TcpFlags, Transport, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Fate {
    /// Every filter that it met let it pass.
    Allowed,
    /// A filter dropped it.
    Dropped,
    /// A filter rejected it.
    Rejected,
    /// It met no filter: no port has its addresses.
    NoFilter,
    /// It is no frame.
    Unreadable,
}

/// What became of a packet, and who decided.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Told {
    /// What became of it.
    pub outcome: Fate,
    /// `RULE`, `FLOW`, `NO_RULE`, or the guard's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Arc<str>>,
    /// The rule that decided, or that admitted the connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_id: Option<u64>,
    /// The port whose filter decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logical_port_id: Option<Arc<str>>,
    /// `OUT` or `IN`, as that port sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<Arc<str>>,
    /// Why it is no frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Told {
    /// Of a packet that no filter saw.
    pub fn unseen(outcome: Fate) -> Self {
        let (by, rule_id, logical_port_id, direction, reason) = (None, None, None, None, None);
        Self { outcome, by, rule_id, logical_port_id, direction, reason }
    }

    /// Of bytes that are no frame.
    pub fn unreadable(error: FrameError) -> Self {
        Self { reason: Some(error.to_string()), ..Self::unseen(Fate::Unreadable) }
    }

    fn of(fabric: &Fabric, verdict: Option<Verdict>) -> Self {
        let Some(verdict) = verdict else { return Self::unseen(Fate::NoFilter) };
        let outcome = match verdict.action {
            Action::Allow => Fate::Allowed,
            Action::Drop => Fate::Dropped,
            Action::Reject => Fate::Rejected,
        };
        let (by, guard) = simulator::words(verdict.by);
        Self {
            outcome,
            by: Some(guard.unwrap_or(by).into()),
            rule_id: verdict.by.rule().map(|rule| rule.0),
            logical_port_id: fabric.port_of(verdict.vnic).map(Arc::from),
            direction: Some(verdict.direction.to_string().into()),
            reason: None,
        }
    }
}

/// Judges packets of one file.
#[derive(Clone, Debug)]
pub struct Judge {
    post: Option<Post>,
    /// Whether packets open and meet connections and are counted.
    connections: bool,
}

impl Judge {
    /// Of packets seen at one port, or at the ports that have their addresses.
    ///
    /// # Errors
    /// Text, where nothing goes by the port's name, or no vNIC is attached to it.
    pub fn new(world: &World, port: Option<&str>, connections: bool) -> Result<Self, String> {
        let fabric = world.fabric();
        let post = port.map(|text| {
            let problem = |told: &str| format!("{text} {told}");
            let id = match fabric.find_place(&world.inventory, text) {
                Some(Place::Port(id) | Place::PortAs(id, _)) => id,
                Some(Place::Address(address)) => fabric
                    .port_at(address)
                    .map(str::to_owned)
                    .ok_or_else(|| problem("is an address that no logical port has"))?,
                None => return Err(problem("is the id or name of no logical port or pod")),
            };
            fabric
                .post(&world.inventory, &id)
                .ok_or_else(|| problem("has no vNIC: nothing is attached to it"))
        });
        Ok(Self { post: post.transpose()?, connections })
    }

    /// Judges frames, each at its moment or else at the world's.
    pub fn judge<'f>(
        &self,
        world: &World,
        frames: impl IntoIterator<Item = (Option<u64>, &'f Frame)>,
    ) -> Vec<Told> {
        let met = |fabric: &Fabric, frame: &Frame| fabric.met(self.post.as_ref(), &frame.packet);
        if !self.connections {
            let fabric = world.fabric();
            let told = frames.into_iter().map(|(_, frame)| {
                let path = met(&fabric, frame);
                Told::of(&fabric, path.and_then(|path| fabric.foresee(path, &frame.packet)))
            });
            return told.collect();
        }
        world.with_fabric(|fabric, now| {
            let told = frames.into_iter().map(|(at, frame)| {
                let Some(path) = met(fabric, frame) else {
                    return Told::unseen(Fate::NoFilter);
                };
                let transit = fabric.replay(at.unwrap_or(now), path, frame);
                Told::of(fabric, transit.inbound.or(transit.outbound))
            });
            told.collect()
        })
    }
}

/// The first packet of a conversation between two addresses.
///
/// # Errors
/// Where they are of two IP versions.
pub fn first_packet(
    (src, src_port): (IpAddr, u16),
    (dst, dst_port): (IpAddr, u16),
    protocol: u8,
) -> Result<Packet, &'static str> {
    let family = Family::of(src);
    if family != Family::of(dst) {
        return Err("the addresses are of two IP versions");
    }
    let (from, to) = (SocketAddr::new(src, src_port), SocketAddr::new(dst, dst_port));
    Ok(match (protocol, family) {
        (6, _) => Packet::tcp(from, to, TcpFlags::SYN),
        (17, _) => Packet::udp(from, to),
        (1, Family::V4) | (58, Family::V6) => Packet::icmp_echo(src, dst, 0),
        _ => Packet::ip(src, dst, Transport::Other(protocol)),
    })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    port: Option<String>,
    #[serde(default)]
    connections: bool,
    packets: Vec<Seen>,
}

/// A packet: bytes of a frame, or the ends of a conversation whose first packet it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seen {
    frame: Option<String>,
    #[serde(default)]
    link: Link,
    length: Option<Int<0, 0xffff_ffff>>,
    src: Option<IpAddr>,
    dst: Option<IpAddr>,
    protocol: Option<Int<0, 255>>,
    src_port: Option<Int<0, 65_535>>,
    dst_port: Option<Int<0, 65_535>>,
}

/// What a frame's bytes begin with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Link {
    /// An Ethernet header.
    #[default]
    Ethernet,
    /// An IP header.
    Ip,
}

impl Link {
    /// Reads a frame that had so many bytes on the wire.
    ///
    /// # Errors
    /// The header that is not whole.
    pub fn read(self, bytes: &[u8], length: u32) -> Result<Frame, FrameError> {
        let frame = match self {
            Self::Ethernet => Frame::parse(bytes),
            Self::Ip => Frame::parse_ip(bytes),
        }?;
        Ok(Frame { packet: frame.packet.with_length(length.max(frame.packet.length)), ..frame })
    }
}

impl Seen {
    fn read(&self) -> Result<Result<Frame, FrameError>, String> {
        let port = |own: Option<Int<0, 65_535>>, default| {
            own.and_then(|port| u16::try_from(port.get()).ok()).unwrap_or(default)
        };
        match (&self.frame, self.src, self.dst) {
            (Some(text), None, None) => {
                let bytes = BASE64_STANDARD.decode(text).map_err(|error| error.to_string())?;
                let length = self.length.and_then(|own| u32::try_from(own.get()).ok());
                Ok(self.link.read(&bytes, length.unwrap_or(0)))
            }
            (None, Some(src), Some(dst)) => {
                let number = self.protocol.and_then(|own| u8::try_from(own.get()).ok());
                let src = (src, port(self.src_port, simulator::EPHEMERAL_PORT));
                let dst = (dst, port(self.dst_port, 0));
                Ok(Ok(first_packet(src, dst, number.unwrap_or(6))?.into()))
            }
            _ => Err("needs frame, or else src and dst".into()),
        }
    }
}

/// Adds the route.
pub(super) fn register(routes: &mut Routes) {
    routes.at("POST", "/sim/v1/replay", replay);
}

fn replay(call: &Call<'_>) -> Result<Reply, super::Failure> {
    let request: Request = wire::read(Value::Object(call.object()?)).map_err(Error::from)?;
    let judge = Judge::new(call.world, request.port.as_deref(), request.connections);
    let judge = judge.map_err(|told| Error::field("port", told))?;
    let mut frames = Vec::with_capacity(request.packets.len());
    for (place, seen) in request.packets.iter().enumerate() {
        let problem = |told| Error::field("packets", format!("{place}: {told}"));
        frames.push(seen.read().map_err(problem)?);
    }
    let readable = frames.iter().filter_map(|read| Some((None, read.as_ref().ok()?)));
    let mut judged = judge.judge(call.world, readable).into_iter();
    let told = frames.iter().filter_map(|read| match read {
        Ok(_) => judged.next(),
        Err(error) => Some(Told::unreadable(*error)),
    });
    Ok(Reply::ok(json!({"results": told.collect::<Vec<_>>()})))
}

impl Api {
    /// What an administrator of this name reads at a path below `/api/v1`; none where it is refused.
    pub fn read(&self, admin: &str, path: &str) -> Option<Value> {
        let path = format!("/api/v1{path}");
        self.call(Actor::admin(admin), "GET", &path, "", Bytes::new()).ok()?.body
    }
}
