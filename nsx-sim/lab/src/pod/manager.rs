//! The wire of pods that hang on a manager's logical ports.

use std::net::SocketAddr;

use nsx_client::{Client, Judgement, PacketQuery};

use super::wire::{Fate, Packet, Segment, Wire};

/// Asks a manager what becomes of each packet: it makes connections and is counted there.
#[derive(Clone, Debug)]
pub struct ManagerWire {
    client: Client,
}

impl ManagerWire {
    /// A wire that this manager judges.
    pub fn new(client: Client) -> Self {
        Self { client }
    }
}

impl Wire for ManagerWire {
    fn send(&self, packet: &Packet) -> Result<Fate, String> {
        let judgement = self.client.send_packet(&query(packet)).map_err(|why| why.to_string())?;
        fate(&judgement)
    }
}

pub(super) fn query(packet: &Packet) -> PacketQuery {
    let of = |from: SocketAddr, to: SocketAddr, protocol: &str| PacketQuery {
        from: from.ip().to_string(),
        to: to.ip().to_string(),
        protocol: protocol.to_owned(),
        src_port: Some(from.port()),
        dst_port: Some(to.port()),
        tcp_flags: None,
    };
    match *packet {
        Packet::Tcp { from, to, segment } => {
            let flags = match segment {
                Segment::Syn => "SYN",
                Segment::SynAck => "SYN,ACK",
                Segment::Reset => "RST,ACK",
            };
            PacketQuery { tcp_flags: Some(flags.to_owned()), ..of(from, to, "TCP") }
        }
        Packet::Udp { from, to } => of(from, to, "UDP"),
        Packet::Echo { from, to, identifier } => PacketQuery {
            from: from.to_string(),
            to: to.to_string(),
            protocol: "ICMP".to_owned(),
            src_port: Some(identifier),
            dst_port: None,
            tcp_flags: None,
        },
    }
}

pub(super) fn fate(judgement: &Judgement) -> Result<Fate, String> {
    Ok(match judgement.outcome.as_str() {
        "DELIVERED" => Fate::Delivered(judgement.translation.as_ref().and_then(|own| {
            let address = own.to_ip.as_deref()?.parse().ok()?;
            Some(SocketAddr::new(address, own.to_port?))
        })),
        "DROPPED" => Fate::Dropped,
        "REJECTED" if judgement.answer.as_deref() == Some("TCP_RESET") => Fate::Reset,
        "REJECTED" => Fate::Prohibited,
        "UNREACHABLE" => Fate::NoRoute,
        other => return Err(format!("the manager says {other} of a packet")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn told(outcome: Value) -> Result<Fate, String> {
        fate(&serde_json::from_value(outcome).unwrap())
    }

    #[test]
    fn a_judgement_is_a_fate() {
        assert_eq!(told(json!({"outcome": "DELIVERED"})), Ok(Fate::Delivered(None)));
        let member = json!({"outcome": "DELIVERED",
            "translation": {"to_ip": "172.15.23.3", "to_port": 8080}});
        let at = "172.15.23.3:8080".parse().unwrap();
        assert_eq!(told(member), Ok(Fate::Delivered(Some(at))));
        assert_eq!(told(json!({"outcome": "REJECTED", "answer": "TCP_RESET"})), Ok(Fate::Reset));
        assert_eq!(
            told(json!({"outcome": "REJECTED", "answer": "ICMP 3/13"})),
            Ok(Fate::Prohibited)
        );
        assert_eq!(told(json!({"outcome": "UNREACHABLE"})), Ok(Fate::NoRoute));
        assert!(told(json!({"outcome": "EATEN"})).is_err());
    }

    #[test]
    fn an_answer_goes_back_with_its_flags() {
        let (from, to) = ("10.0.0.1:8080".parse().unwrap(), "10.0.0.2:40000".parse().unwrap());
        let asked = query(&Packet::Tcp { from, to, segment: Segment::SynAck });
        let asked = serde_json::to_value(asked).unwrap();
        assert_eq!(
            asked,
            json!({"from": "10.0.0.1", "to": "10.0.0.2", "protocol": "TCP", "src_port": 8080,
                "dst_port": 40000, "tcp_flags": "SYN,ACK"})
        );
    }
}
