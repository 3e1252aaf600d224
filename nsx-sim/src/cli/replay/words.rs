//! Packets and numbers in words.

use dataplane::{Frame, IpHeader, Transport};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// The ports of TCP and UDP.
pub(super) fn ports(ip: &IpHeader) -> Option<(u16, u16)> {
    match ip.transport {
        Transport::Tcp { src_port, dst_port, .. } | Transport::Udp { src_port, dst_port } => {
            Some((src_port, dst_port))
        }
        Transport::Icmp { .. } | Transport::Other(_) => None,
    }
}

/// A protocol's name, or its number.
pub(super) fn protocol_word(number: Option<u8>) -> String {
    match number {
        Some(1 | 58) => "ICMP".to_owned(),
        Some(6) => "TCP".to_owned(),
        Some(17) => "UDP".to_owned(),
        Some(number) => format!("PROTO {number}"),
        None => "frame".to_owned(),
    }
}

/// A frame as one line.
pub(super) fn in_words(frame: &Frame) -> String {
    let Some(ip) = frame.packet.ip else {
        let packet = &frame.packet;
        return format!("{:#06x} {} > {}", packet.ethertype, packet.src_mac, packet.dst_mac);
    };
    let protocol = protocol_word(Some(ip.transport.protocol(ip.family())));
    let end = |address: IpAddr, port: u16| SocketAddr::new(address, port);
    let mut text = match (ip.transport, ports(&ip)) {
        (transport, Some((from, to))) => {
            let flags = match transport {
                Transport::Tcp { flags, .. } => format!(" {flags}"),
                _ => String::new(),
            };
            format!("{protocol} {} > {}{flags}", end(ip.src, from), end(ip.dst, to))
        }
        (Transport::Icmp { kind, code, .. }, None) => {
            format!("{protocol} {} > {} {kind}/{code}", ip.src, ip.dst)
        }
        _ => format!("{protocol} {} > {}", ip.src, ip.dst),
    };
    if frame.fragment.is_some() {
        text.push_str(" fragment");
    }
    text
}

/// How many a second.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn per_second(count: u64, time: Duration) -> u64 {
    (count as f64 / time.as_secs_f64().max(1e-9)).round() as u64
}

/// A number with its thousands apart.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
