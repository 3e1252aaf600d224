//! How far a conversation has come. The rules are those of the pf family of filters.

use std::time::Duration;

use crate::{TcpFlags, Timers, Transport};

/// What a flow has seen of its conversation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SessionState {
    /// A TCP connection.
    Tcp {
        /// The side whose packet opened the flow.
        initiator: TcpSide,
        /// The other side.
        responder: TcpSide,
    },
    /// UDP datagrams.
    Udp {
        /// The side whose packet opened the flow.
        initiator: ExchangeSide,
        /// The other side.
        responder: ExchangeSide,
    },
    /// An ICMP query and its replies.
    Icmp,
    /// Packets of another protocol.
    Other {
        /// The side whose packet opened the flow.
        initiator: ExchangeSide,
        /// The other side.
        responder: ExchangeSide,
    },
}

/// One side of a TCP connection; a side only ever advances.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TcpSide {
    /// Has sent nothing yet.
    Silent,
    /// Has sent its SYN, or was met in mid-session.
    Opening,
    /// The other side has acknowledged it.
    Established,
    /// Has sent FIN.
    Closing,
    /// The other side has acknowledged the FIN.
    Finished,
    /// One side has sent RST.
    Reset,
}

/// One side of an exchange of packets without connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ExchangeSide {
    /// Has sent nothing yet.
    Silent,
    /// Has sent.
    Single,
    /// The other side has sent after it.
    Multiple,
}

impl SessionState {
    /// The state before any packet of this kind.
    pub const fn new(transport: Transport) -> Self {
        let (tcp, exchange) = (TcpSide::Silent, ExchangeSide::Silent);
        match transport {
            Transport::Tcp { .. } => Self::Tcp { initiator: tcp, responder: tcp },
            Transport::Udp { .. } => Self::Udp { initiator: exchange, responder: exchange },
            Transport::Icmp { .. } => Self::Icmp,
            Transport::Other(_) => Self::Other { initiator: exchange, responder: exchange },
        }
    }

    /// Notes a packet of the conversation.
    pub fn observe(&mut self, by_initiator: bool, transport: Transport) {
        match self {
            Self::Tcp { initiator, responder } => {
                if let Transport::Tcp { flags, .. } = transport {
                    let (from, to) = order(by_initiator, initiator, responder);
                    observe_segment(from, to, flags);
                }
            }
            Self::Udp { initiator, responder } | Self::Other { initiator, responder } => {
                let (from, to) = order(by_initiator, initiator, responder);
                *from = (*from).max(ExchangeSide::Single);
                if *to == ExchangeSide::Single {
                    *to = ExchangeSide::Multiple;
                }
            }
            Self::Icmp => {}
        }
    }

    /// How long the flow lives from here without traffic. `first` while it has seen one packet.
    pub fn patience(self, timers: &Timers, first: bool) -> Duration {
        let exchange = |timers: &crate::ExchangeTimers, one: ExchangeSide, other: ExchangeSide| {
            if first {
                timers.first_packet
            } else if one == ExchangeSide::Multiple && other == ExchangeSide::Multiple {
                timers.multiple
            } else {
                timers.single
            }
        };
        match self {
            Self::Tcp { initiator, responder } => {
                let (behind, ahead) = (initiator.min(responder), initiator.max(responder));
                let timers = &timers.tcp;
                if behind >= TcpSide::Finished {
                    timers.closed
                } else if first {
                    timers.first_packet
                } else if behind >= TcpSide::Closing {
                    timers.fin_wait
                } else if behind < TcpSide::Established {
                    timers.opening
                } else if ahead >= TcpSide::Closing {
                    timers.closing
                } else {
                    timers.established
                }
            }
            Self::Udp { initiator, responder } => exchange(&timers.udp, initiator, responder),
            Self::Other { initiator, responder } => exchange(&timers.other, initiator, responder),
            Self::Icmp if first => timers.icmp.first_packet,
            Self::Icmp => timers.icmp.error_reply,
        }
    }

    /// Whether the connection is over, so that a SYN on the same ports begins another one.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Tcp { initiator, responder }
            if initiator >= TcpSide::Finished && responder >= TcpSide::Finished)
    }
}

/// The two sides as (sender, receiver) of a packet.
fn order<'s, S>(
    by_initiator: bool,
    initiator: &'s mut S,
    responder: &'s mut S,
) -> (&'s mut S, &'s mut S) {
    if by_initiator { (initiator, responder) } else { (responder, initiator) }
}

fn observe_segment(from: &mut TcpSide, to: &mut TcpSide, flags: TcpFlags) {
    if flags.contains(TcpFlags::RST) {
        (*from, *to) = (TcpSide::Reset, TcpSide::Reset);
        return;
    }
    let sent = if flags.contains(TcpFlags::FIN) { TcpSide::Closing } else { TcpSide::Opening };
    *from = (*from).max(sent);
    if flags.contains(TcpFlags::ACK) {
        *to = match *to {
            TcpSide::Opening => TcpSide::Established,
            TcpSide::Closing => TcpSide::Finished,
            other => other,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYN: TcpFlags = TcpFlags::SYN;
    const ACK: TcpFlags = TcpFlags::ACK;
    const FIN_ACK: TcpFlags = TcpFlags(TcpFlags::FIN.0 | TcpFlags::ACK.0);

    /// Plays segments (by the initiator?, flags) and returns the idle time after each, in seconds.
    fn play_tcp(segments: &[(bool, TcpFlags)]) -> Vec<u64> {
        let tcp = |flags| Transport::Tcp { src_port: 1, dst_port: 2, flags };
        let packets: Vec<_> = segments.iter().map(|&(side, flags)| (side, tcp(flags))).collect();
        play(&packets)
    }

    fn play(packets: &[(bool, Transport)]) -> Vec<u64> {
        let mut state = SessionState::new(packets[0].1);
        let timers = Timers::default();
        let mut idle = Vec::new();
        for (side, transport) in packets {
            state.observe(*side, *transport);
            idle.push(state.patience(&timers, idle.is_empty()).as_secs());
        }
        idle
    }

    #[test]
    fn a_connection_from_syn_to_last_ack() {
        let (us, them) = (true, false);
        assert_eq!(
            play_tcp(&[
                (us, SYN),
                (us, SYN), // sent again
                (them, SYN | ACK),
                (us, ACK),
                (us, FIN_ACK),
                (them, ACK),
                (them, FIN_ACK),
                (us, ACK),
            ]),
            [120, 30, 30, 43_200, 120, 120, 45, 20]
        );
    }

    #[test]
    fn a_session_met_midway_is_picked_up() {
        assert_eq!(play_tcp(&[(true, ACK), (false, ACK), (true, ACK)]), [120, 30, 43_200]);
    }

    #[test]
    fn a_reset_closes_at_once_even_as_first_packet() {
        assert_eq!(play_tcp(&[(true, SYN), (false, TcpFlags::RST)]), [120, 20]);
        assert_eq!(play_tcp(&[(true, TcpFlags::RST)]), [20]);
    }

    #[test]
    fn exchanges_need_both_sides_twice() {
        let udp = Transport::Udp { src_port: 1, dst_port: 2 };
        let (us, them) = ((true, udp), (false, udp));
        assert_eq!(play(&[us, us, them, us, them]), [60, 30, 30, 60, 60]);
        let other = (true, Transport::Other(47));
        assert_eq!(play(&[other, other]), [60, 30]);
    }

    #[test]
    fn a_query_lives_twenty_then_ten() {
        let echo = Transport::Icmp { kind: 8, code: 0, id: 1 };
        assert_eq!(play(&[(true, echo), (false, echo), (true, echo)]), [20, 10, 10]);
    }
}
