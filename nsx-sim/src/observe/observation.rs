//! One step of a traceflow as clients read it [spec TraceflowObservation and its kinds].

use serde::Serialize;
use std::net::IpAddr;

/// A step. Members that a kind of step does not have are absent.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Observation {
    /// `TraceflowObservation` and the kind of step.
    pub resource_type: &'static str,
    /// `LS`, `DFW`, `LR`, `PHYSICAL` …
    pub component_type: &'static str,
    /// `LR_TIER1` and such; `UNKNOWN` for components that have none.
    pub component_sub_type: &'static str,
    /// The component's name.
    pub component_name: String,
    #[allow(missing_docs, reason = "wire names that say it all")]
    pub component_id: Option<String>,
    /// The port at which this was seen.
    pub lport_id: Option<String>,
    #[allow(missing_docs, reason = "wire names that say it all")]
    pub lport_name: Option<String>,
    /// The segment's number.
    pub vni: Option<i32>,
    /// Where the packet goes next.
    pub dst_component_type: Option<&'static str>,
    #[allow(missing_docs, reason = "wire names that say it all")]
    pub dst_component_name: Option<String>,
    #[allow(missing_docs, reason = "wire names that say it all")]
    pub dst_component_id: Option<String>,
    /// The firewall rule that decided; a number.
    pub acl_rule_id: Option<u64>,
    /// The translation rule that gave other addresses; a number.
    pub nat_rule_id: Option<u64>,
    /// Why it was dropped.
    pub reason: Option<&'static str>,
    /// The source after translation.
    pub translated_src_ip: Option<IpAddr>,
    /// The destination after translation.
    pub translated_dst_ip: Option<IpAddr>,
    /// The tunnel's near end.
    pub local_ip_address: Option<IpAddr>,
    /// The tunnel's far end.
    pub remote_ip_address: Option<IpAddr>,
    #[allow(missing_docs, reason = "wire names that say it all")]
    pub dst_transport_node_id: Option<String>,
    #[allow(missing_docs, reason = "wire names that say it all")]
    pub dst_transport_node_name: Option<String>,
    #[allow(missing_docs, reason = "wire names that say it all")]
    pub transport_node_id: String,
    #[allow(missing_docs, reason = "wire names that say it all")]
    pub transport_node_name: String,
    #[allow(missing_docs, reason = "wire names that say it all")]
    pub transport_node_type: &'static str,
    /// Hosts passed so far: 0 on the one that the packet starts from.
    pub sequence_no: u32,
    /// Milliseconds since 1970.
    pub timestamp: u64,
    /// Microseconds since 1970.
    pub timestamp_micro: u64,
}

impl Observation {
    /// The step without the members that its kind does not have
    /// [spec TraceflowObservationDelivered, TraceflowObservationDroppedLogical].
    pub fn of_its_kind(mut self) -> Self {
        match self.resource_type {
            "TraceflowObservationDelivered" => (self.component_id, self.vni) = (None, None),
            "TraceflowObservationDroppedLogical" => self.vni = None,
            _ => {}
        }
        self
    }
}

/// How many steps of each sort were seen [spec TraceflowObservationCounters].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "wire names that say it all")]
pub struct Counters {
    pub received_count: u32,
    pub forwarded_count: u32,
    pub delivered_count: u32,
    pub dropped_count: u32,
}

impl Counters {
    /// Counts the steps of which `counted` holds.
    pub fn of(steps: &[Observation], counted: impl Fn(&Observation) -> bool) -> Self {
        let mut counters = Self::default();
        for step in steps.iter().filter(|step| counted(step)) {
            let name = step.resource_type;
            *(if name.contains("Received") {
                &mut counters.received_count
            } else if name.contains("Forwarded") {
                &mut counters.forwarded_count
            } else if name.contains("Dropped") {
                &mut counters.dropped_count
            } else {
                &mut counters.delivered_count
            }) += 1;
        }
        counters
    }
}
