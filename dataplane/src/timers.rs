//! How long flows live without traffic.

use std::time::Duration;

/// Idle times after which a flow is forgotten, by protocol and state. The defaults are those of
/// a distributed firewall's session timer profile.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Timers {
    /// For TCP.
    pub tcp: TcpTimers,
    /// For UDP.
    pub udp: ExchangeTimers,
    /// For ICMP queries.
    pub icmp: IcmpTimers,
    /// For every other protocol; the defaults are those of UDP.
    pub other: ExchangeTimers,
}

/// Idle times of TCP flows.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TcpTimers {
    /// After the first segment. 120 s.
    pub first_packet: Duration,
    /// Until both sides have answered each other. 30 s.
    pub opening: Duration,
    /// While open. 12 h.
    pub established: Duration,
    /// After one side's FIN. 120 s.
    pub closing: Duration,
    /// After both sides' FINs. 45 s.
    pub fin_wait: Duration,
    /// After both FINs were acknowledged, or RST. 20 s.
    pub closed: Duration,
}

impl Default for TcpTimers {
    fn default() -> Self {
        Self {
            first_packet: Duration::from_secs(120),
            opening: Duration::from_secs(30),
            established: Duration::from_secs(43_200),
            closing: Duration::from_secs(120),
            fin_wait: Duration::from_secs(45),
            closed: Duration::from_secs(20),
        }
    }
}

/// Idle times of flows that only exchange packets.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ExchangeTimers {
    /// After the first packet. 60 s.
    pub first_packet: Duration,
    /// Until each side has sent after hearing the other. 30 s.
    pub single: Duration,
    /// From then on. 60 s.
    pub multiple: Duration,
}

impl Default for ExchangeTimers {
    fn default() -> Self {
        Self {
            first_packet: Duration::from_secs(60),
            single: Duration::from_secs(30),
            multiple: Duration::from_secs(60),
        }
    }
}

/// Idle times of ICMP queries.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct IcmpTimers {
    /// After the first message. 20 s.
    pub first_packet: Duration,
    /// After any later message. 10 s.
    pub error_reply: Duration,
}

impl Default for IcmpTimers {
    fn default() -> Self {
        Self { first_packet: Duration::from_secs(20), error_reply: Duration::from_secs(10) }
    }
}
