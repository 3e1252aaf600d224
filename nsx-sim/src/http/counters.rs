//! Counters of frames, as several objects tell them [spec AggregatedDataCounterEx].

use crate::fabric::Traffic;
use serde_json::{Value, json};

/// What passed both ways.
pub fn aggregated(traffic: &Traffic) -> Value {
    let counter = |total: u64, dropped: u64| {
        // No frame to all or to many is ever sent here.
        json!({"total": total, "dropped": dropped, "multicast_broadcast": 0})
    };
    json!({
        "rx_bytes": counter(traffic.received.bytes, traffic.received.dropped_bytes),
        "rx_packets": counter(traffic.received.packets, traffic.received.dropped_packets),
        "tx_bytes": counter(traffic.sent.bytes, traffic.sent.dropped_bytes),
        "tx_packets": counter(traffic.sent.packets, traffic.sent.dropped_packets),
    })
}

/// The same of ports and switches, with what the functions of their profiles did: nothing, for
/// profiles do nothing to packets here.
pub fn with_profiles(traffic: &Traffic) -> Value {
    let mut counters = aggregated(traffic);
    counters["mac_learning"] = json!({
        "macs_learned": 0,
        "mac_not_learned_packets_allowed": 0,
        "mac_not_learned_packets_dropped": 0,
    });
    counters["dropped_by_security_packets"] = json!({
        "bpdu_filter_dropped": 0,
        "dhcp_client_dropped_ipv4": 0,
        "dhcp_client_dropped_ipv6": 0,
        "dhcp_server_dropped_ipv4": 0,
        "dhcp_server_dropped_ipv6": 0,
        "spoof_guard_dropped": [],
    });
    counters
}
