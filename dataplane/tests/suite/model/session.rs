//! Conversations, after the state machine of pf with its numbers.

use dataplane::{IpHeader, Packet, TcpFlags, Transport};

const SYN_SENT: u8 = 2;
const ESTABLISHED: u8 = 4;
const CLOSING: u8 = 7;
const FIN_WAIT_2: u8 = 9;
const TIME_WAIT: u8 = 10;

const SECOND: u64 = 1000;

/// Packets seen and the two sides, the initiator's first.
#[derive(Default)]
pub(super) struct Session {
    packets: u64,
    tcp: [u8; 2],
    exchange: [u8; 2],
}

impl Session {
    /// Notes a packet and returns the idle time from there, in milliseconds.
    pub(super) fn observe(&mut self, by_initiator: bool, packet: &Packet) -> u64 {
        self.packets += 1;
        let first = self.packets == 1;
        let (me, other) = if by_initiator { (0, 1) } else { (1, 0) };
        let seconds = match packet.ip.unwrap().transport {
            Transport::Tcp { flags, .. } => {
                self.segment(me, other, flags);
                self.tcp_timer(first)
            }
            Transport::Icmp { .. } => {
                if first {
                    20
                } else {
                    10
                }
            }
            Transport::Udp { .. } | Transport::Other(_) => {
                self.exchange[me] = self.exchange[me].max(1);
                if self.exchange[other] == 1 {
                    self.exchange[other] = 2;
                }
                match self.exchange {
                    _ if first => 60,
                    [2, 2] => 60,
                    _ => 30,
                }
            }
        };
        seconds * SECOND
    }

    fn segment(&mut self, me: usize, other: usize, flags: TcpFlags) {
        self.tcp[me] = self.tcp[me].max(SYN_SENT);
        if flags.contains(TcpFlags::FIN) {
            self.tcp[me] = self.tcp[me].max(CLOSING);
        }
        if flags.contains(TcpFlags::ACK) {
            if self.tcp[other] == SYN_SENT {
                self.tcp[other] = ESTABLISHED;
            } else if self.tcp[other] == CLOSING {
                self.tcp[other] = FIN_WAIT_2;
            }
        }
        if flags.contains(TcpFlags::RST) {
            self.tcp = [TIME_WAIT; 2];
        }
    }

    fn tcp_timer(&self, first: bool) -> u64 {
        let both = |least: u8| self.tcp.iter().all(|side| *side >= least);
        let either = |least: u8| self.tcp.iter().any(|side| *side >= least);
        if both(FIN_WAIT_2) {
            20
        } else if first {
            120
        } else if both(CLOSING) {
            45
        } else if !both(ESTABLISHED) {
            30
        } else if either(CLOSING) {
            120
        } else {
            43_200
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.tcp.iter().all(|side| *side >= FIN_WAIT_2)
    }
}

/// Whether a packet asks for a new TCP connection.
pub(super) fn is_opening(packet: &Packet) -> bool {
    packet.tcp_flags() == Some(TcpFlags::SYN)
}

/// Whether a packet is TCP, but does not ask for a new connection.
pub(super) fn is_midway(packet: &Packet) -> bool {
    packet.tcp_flags().is_some() && !is_opening(packet)
}

/// Whether a packet can open a flow: ICMP errors cannot.
pub(super) fn has_state(packet: &Packet) -> bool {
    packet.ip.is_some_and(|ip| match ip.transport {
        Transport::Icmp { kind, .. } if ip.src.is_ipv4() => ![3, 4, 5, 11, 12].contains(&kind),
        Transport::Icmp { kind, .. } => kind >= 128,
        _ => true,
    })
}

pub(super) fn is_icmp(packet: &Packet) -> bool {
    packet.ip.is_some_and(|ip| matches!(ip.transport, Transport::Icmp { .. }))
}

/// Whether a packet is an ICMP error that belongs to the conversation of the packet it quotes.
pub(super) fn tells(packet: &Packet, quoted: &IpHeader) -> bool {
    packet.ip.is_some_and(|ip| match ip.transport {
        Transport::Icmp { kind, .. } if ip.src.is_ipv4() => [3, 11, 12].contains(&kind),
        Transport::Icmp { kind, .. } => (1..=4).contains(&kind),
        _ => false,
    } && ip.dst == quoted.src)
}

/// Whether a packet belongs to the flow that `origin` opened, going the same way as that one
/// (`forth`) or the other way.
pub(super) fn belongs(origin: &Packet, forth: bool, packet: &Packet) -> bool {
    let (Some(origin), Some(ip)) = (origin.ip, packet.ip) else { return false };
    let ends = if forth { (ip.src, ip.dst) } else { (ip.dst, ip.src) };
    let same_ports = |s: u16, d: u16, src: u16, dst: u16| {
        if forth { (s, d) == (src, dst) } else { (d, s) == (src, dst) }
    };
    let same_conversation = match (origin.transport, ip.transport) {
        (
            Transport::Tcp { src_port, dst_port, .. },
            Transport::Tcp { src_port: s, dst_port: d, .. },
        )
        | (Transport::Udp { src_port, dst_port }, Transport::Udp { src_port: s, dst_port: d }) => {
            same_ports(s, d, src_port, dst_port)
        }
        (Transport::Icmp { kind, id, .. }, Transport::Icmp { kind: seen, id: seen_id, .. }) => {
            let expected = if forth { Some(kind) } else { answer(ip.src.is_ipv4(), kind) };
            id == seen_id && expected == Some(seen) && has_state(packet)
        }
        (Transport::Other(number), Transport::Other(seen)) => number == seen,
        _ => false,
    };
    ends == (origin.src, origin.dst) && same_conversation
}

/// The other half of a query.
fn answer(v4: bool, kind: u8) -> Option<u8> {
    match (v4, kind) {
        (true, 8) => Some(0),
        (true, 0) => Some(8),
        (false, 128) => Some(129),
        (false, 129) => Some(128),
        _ => None,
    }
}
