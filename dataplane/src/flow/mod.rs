//! Flows: what one filter remembers of the conversations it admitted.

mod key;
mod paged;
mod table;
mod wheel;

pub(crate) use key::FlowKey;
pub(crate) use table::{FlowTable, hasher};

use crate::icmp;
use crate::matching::Key;
use crate::session::SessionState;
use crate::{Direction, IpHeader, Packet, RuleId, TcpFlags, Time, Timers, Transport, VnicId};

/// Packets and bytes one way.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Tally {
    /// Packets.
    pub packets: u64,
    /// Bytes on the wire.
    pub bytes: u64,
}

/// An admitted conversation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow {
    key: FlowKey,
    /// What the opening packet's header holds beside the key.
    detail: u16,
    /// The way the opening packet went.
    pub(crate) direction: Direction,
    state: SessionState,
    /// The rules' epoch when the rule was last asked; see [`FlowTable::epoch`].
    pub(crate) epoch: u32,
    /// The rule that admits it.
    pub(crate) rule: RuleId,
    opened: Time,
    expires: Time,
    sent: Tally,
    received: Tally,
}

/// A flow costs this, eight bytes of timer and five to ten of index: 1 M flows fit in 128 MB.
const _: () = assert!(size_of::<Flow>() == 104);

impl Flow {
    /// A flow opened by a packet with this IP header; the packet is yet to be
    /// [observed](Flow::observe).
    pub(crate) fn new(
        key: FlowKey,
        rule: RuleId,
        epoch: u32,
        direction: Direction,
        transport: Transport,
        now: Time,
    ) -> Self {
        Self {
            key,
            detail: key::detail(transport),
            direction,
            state: SessionState::new(transport),
            epoch,
            rule,
            opened: now,
            expires: now,
            sent: Tally::default(),
            received: Tally::default(),
        }
    }

    /// The header of the packet that opened it.
    pub(crate) fn origin(&self) -> IpHeader {
        self.key.header(self.direction, self.detail)
    }

    /// Notes a packet of the conversation, or an ICMP error about it, and winds the timer up.
    pub(crate) fn observe(&mut self, now: Time, timers: &Timers, key: Key<'_>, ip: &IpHeader) {
        let tally = match key.direction {
            Direction::Out => &mut self.sent,
            Direction::In => &mut self.received,
        };
        tally.packets += 1;
        tally.bytes += u64::from(key.packet.length);
        let first = self.sent.packets + self.received.packets == 1;
        if icmp::is_error(ip) {
            // It is no packet of either side. Only for queries it has a timer.
            if self.state == SessionState::Icmp {
                self.expires = now + self.state.patience(timers, first);
            }
            return;
        }
        self.state.observe(key.direction == self.direction, ip.transport);
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
            origin: self.origin(),
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
    /// The IP header of the packet that opened it.
    pub origin: IpHeader,
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
