//! Flows: what one filter remembers of the conversations it admitted.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::icmp::{self, Role};
use crate::matching::Key;
use crate::session::SessionState;
use crate::{Direction, IpHeader, Packet, RuleId, TcpFlags, Time, Timers, Transport, VnicId};

/// A conversation as its vNIC sees it. Packets of both directions have the same key because ends
/// are told apart as local and remote; a forged "reply" that crosses the filter the wrong way has
/// another one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct FlowKey {
    local: IpAddr,
    remote: IpAddr,
    conversation: Conversation,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
enum Conversation {
    Tcp {
        local: u16,
        remote: u16,
    },
    Udp {
        local: u16,
        remote: u16,
    },
    /// By the request's kind and who asks: a reply belongs to it, a request of the other side
    /// with the same id does not.
    Icmp {
        request: u8,
        id: u16,
        asked: Direction,
    },
    Other(u8),
}

impl FlowKey {
    /// The conversation a packet belongs to. `None` for ICMP errors: they report on another
    /// conversation, which their parsed header does not name, so rules judge each one.
    pub(crate) fn of(direction: Direction, ip: &IpHeader) -> Option<Self> {
        fn ends<E>(direction: Direction, src: E, dst: E) -> (E, E) {
            match direction {
                Direction::Out => (src, dst),
                Direction::In => (dst, src),
            }
        }
        let (local, remote) = ends(direction, ip.src, ip.dst);
        let conversation = match ip.transport {
            Transport::Tcp { src_port, dst_port, .. } => {
                let (local, remote) = ends(direction, src_port, dst_port);
                Conversation::Tcp { local, remote }
            }
            Transport::Udp { src_port, dst_port } => {
                let (local, remote) = ends(direction, src_port, dst_port);
                Conversation::Udp { local, remote }
            }
            Transport::Icmp { kind, id, .. } => match icmp::role(ip.family(), kind) {
                Role::Error => return None,
                Role::Reply { request } => {
                    Conversation::Icmp { request, id, asked: direction.opposite() }
                }
                Role::Request { .. } | Role::Notice => {
                    Conversation::Icmp { request: kind, id, asked: direction }
                }
            },
            Transport::Other(number) => Conversation::Other(number),
        };
        Some(Self { local, remote, conversation })
    }
}

/// Packets and bytes one way.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Tally {
    /// Packets.
    pub packets: u64,
    /// Bytes on the wire.
    pub bytes: u64,
}

/// An admitted conversation.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    /// The rule that admits it.
    pub(crate) rule: RuleId,
    /// The plane's generation when the rule was last asked.
    pub(crate) generation: u64,
    /// The packet that opened it, and the way that went.
    pub(crate) origin: Packet,
    pub(crate) direction: Direction,
    state: SessionState,
    opened: Time,
    expires: Time,
    sent: Tally,
    received: Tally,
}

impl Flow {
    /// A flow opened by a packet with this transport header; the packet is yet to be
    /// [observed](Flow::observe).
    pub(crate) fn new(
        rule: RuleId,
        generation: u64,
        key: Key<'_>,
        transport: Transport,
        now: Time,
    ) -> Self {
        Self {
            rule,
            generation,
            origin: *key.packet,
            direction: key.direction,
            state: SessionState::new(transport),
            opened: now,
            expires: now,
            sent: Tally::default(),
            received: Tally::default(),
        }
    }

    /// Notes a packet of the conversation and winds the timer up.
    pub(crate) fn observe(
        &mut self,
        now: Time,
        timers: &Timers,
        key: Key<'_>,
        transport: Transport,
    ) {
        let tally = match key.direction {
            Direction::Out => &mut self.sent,
            Direction::In => &mut self.received,
        };
        tally.packets += 1;
        tally.bytes += u64::from(key.packet.length);
        let first = self.sent.packets + self.received.packets == 1;
        self.state.observe(key.direction == self.direction, transport);
        self.expires = now + self.state.patience(timers, first);
    }

    /// Whether the flow can still speak for a packet: its timer runs, and the packet does not
    /// begin a new connection on the ports of one that is over.
    pub(crate) fn speaks_for(&self, now: Time, packet: &Packet) -> bool {
        let reopens = self.state.is_over() && packet.tcp_flags().is_some_and(TcpFlags::opens);
        now < self.expires && !reopens
    }

    fn view(&self, vnic: VnicId) -> FlowView {
        FlowView {
            vnic,
            rule: self.rule,
            origin: self.origin,
            direction: self.direction,
            state: self.state,
            opened: self.opened,
            expires: self.expires,
            sent: self.sent,
            received: self.received,
        }
    }
}

/// A flow as shown to the outside.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FlowView {
    /// The vNIC whose filter keeps it.
    pub vnic: VnicId,
    /// The rule that admits it.
    pub rule: RuleId,
    /// The packet that opened it.
    pub origin: Packet,
    /// The way that packet went.
    pub direction: Direction,
    /// How far the conversation has come.
    pub state: SessionState,
    /// When it was opened.
    pub opened: Time,
    /// When it will be forgotten if nothing more is seen of it.
    pub expires: Time,
    /// What the vNIC sent.
    pub sent: Tally,
    /// What the vNIC was sent.
    pub received: Tally,
}

/// The flows of one filter.
#[derive(Clone, Debug)]
pub(crate) struct FlowTable {
    flows: HashMap<FlowKey, Flow>,
    /// No flow expires before this moment, so that a full table is not searched in vain for
    /// every packet that asks for room.
    none_expires_before: Time,
}

impl Default for FlowTable {
    fn default() -> Self {
        Self { flows: HashMap::new(), none_expires_before: Time::NEVER }
    }
}

impl FlowTable {
    pub(crate) fn len(&self) -> usize {
        self.flows.len()
    }

    pub(crate) fn get(&self, key: &FlowKey) -> Option<&Flow> {
        self.flows.get(key)
    }

    pub(crate) fn remove(&mut self, key: &FlowKey) {
        self.flows.remove(key);
    }

    /// Puts a flow in.
    pub(crate) fn insert(&mut self, key: FlowKey, flow: Flow) {
        self.none_expires_before = self.none_expires_before.min(flow.expires);
        self.flows.insert(key, flow);
    }

    /// Changes a flow in place.
    pub(crate) fn update(&mut self, key: &FlowKey, change: impl FnOnce(&mut Flow)) {
        if let Some(flow) = self.flows.get_mut(key) {
            change(flow);
            self.none_expires_before = self.none_expires_before.min(flow.expires);
        }
    }

    /// Takes out the flows whose timer has run down, in order of their keys.
    pub(crate) fn take_expired(&mut self, vnic: VnicId, now: Time) -> Vec<FlowView> {
        if now < self.none_expires_before {
            return Vec::new();
        }
        let mut ended: Vec<(FlowKey, FlowView)> = Vec::new();
        let mut earliest = Time::NEVER;
        self.flows.retain(|key, flow| {
            let live = now < flow.expires;
            if live {
                earliest = earliest.min(flow.expires);
            } else {
                ended.push((*key, flow.view(vnic)));
            }
            live
        });
        self.none_expires_before = earliest;
        ended.sort_unstable_by_key(|(key, _)| *key);
        ended.into_iter().map(|(_, view)| view).collect()
    }

    /// The admitting rule of every flow.
    pub(crate) fn rules(&self) -> impl Iterator<Item = RuleId> {
        self.flows.values().map(|flow| flow.rule)
    }

    /// All flows in order of their keys, expired ones included that nobody has met since.
    pub(crate) fn views(&self, vnic: VnicId) -> impl Iterator<Item = FlowView> + use<> {
        let mut flows: Vec<(FlowKey, FlowView)> =
            self.flows.iter().map(|(key, flow)| (*key, flow.view(vnic))).collect();
        flows.sort_unstable_by_key(|(key, _)| *key);
        flows.into_iter().map(|(_, view)| view)
    }
}
