//! One body per kind, for the tests that try the plain verbs on every kind.

mod balancer;
mod fabric;
mod network;
mod routing;
mod security;
mod system;

use nsx_sim::inventory::Kind;
use nsx_sim::kinds::KINDS;
use serde_json::{Value, json};
use tests::{Manager, OVERLAY, switch};

/// How an object of a kind is made.
pub struct Sample {
    /// The kind's name.
    pub kind: &'static str,
    /// The body of a `POST`, without the header's members.
    pub body: fn() -> Value,
    /// A member without which the `POST` is refused, if there is one.
    pub required: Option<&'static str>,
    /// A member that a caller may send and the manager never keeps.
    pub read_only: &'static str,
}

/// What the samples name beside themselves.
pub fn prepared() -> Manager {
    let manager = Manager::new();
    switch(&manager, "segment");
    let element = json!({"resource_type": "L4PortSetNSService", "l4_protocol": "TCP"});
    let body = json!({"id": "service", "nsservice_element": element});
    manager.post("/ns-services", body).expect(201);
    fabric::prepare(&manager);
    network::prepare(&manager);
    routing::prepare(&manager);
    security::prepare(&manager);
    manager
}

/// One sample per kind that the API can make.
const SAMPLES: &[Sample] = &[
    Sample {
        kind: "TransportZone",
        body: || json!({"transport_type": "OVERLAY"}),
        required: Some("transport_type"),
        read_only: "host_switch_id",
    },
    Sample {
        kind: "LogicalSwitch",
        body: || json!({"transport_zone_id": OVERLAY, "admin_state": "UP"}),
        required: Some("admin_state"),
        read_only: "span",
    },
    Sample {
        kind: "LogicalPort",
        body: || json!({"logical_switch_id": "segment", "admin_state": "UP"}),
        required: Some("logical_switch_id"),
        read_only: "_links",
    },
    Sample {
        kind: "SwitchingProfile",
        body: || {
            json!({
                "resource_type": "SpoofGuardSwitchingProfile",
                "white_list_providers": ["LPORT_BINDINGS"],
            })
        },
        required: Some("white_list_providers"),
        read_only: "required_capabilities",
    },
    Sample { kind: "NSGroup", body: || json!({}), required: None, read_only: "member_count" },
    Sample {
        kind: "IPSet",
        body: || json!({"ip_addresses": ["10.0.0.1"]}),
        required: None,
        read_only: "_self",
    },
    Sample {
        kind: "MACSet",
        body: || json!({"mac_addresses": ["02:50:56:00:00:01"]}),
        required: None,
        read_only: "_schema",
    },
    Sample {
        kind: "NSService",
        body: || json!({"nsservice_element": {"resource_type": "IPProtocolNSService", "protocol_number": 47}}),
        required: Some("nsservice_element"),
        read_only: "default_service",
    },
    Sample {
        kind: "NSServiceGroup",
        body: || json!({"members": [{"target_type": "NSService", "target_id": "service"}]}),
        required: Some("members"),
        read_only: "service_type",
    },
];

/// The id of each object that the samples are part of.
pub const PARENT: &str = "parent";

impl Sample {
    /// The declaration of its kind.
    pub fn declaration(&self) -> &'static Kind {
        KINDS.iter().find(|own| own.name == self.kind).expect("a kind of its name")
    }

    /// The collection of its kind, below the objects that are prepared.
    pub fn path(&self) -> String {
        self.declaration().path.replace("{}", PARENT)
    }

    /// The list that shows it, ready for further parameters.
    pub fn list_with(&self) -> String {
        let query = match self.kind {
            "FirewallProfile" => "resource_type=FirewallCpuMemThresholdsProfile&",
            _ => "",
        };
        format!("{}?{query}", self.path())
    }
}

/// All samples.
pub fn all() -> impl Iterator<Item = &'static Sample> {
    [
        SAMPLES,
        balancer::SAMPLES,
        fabric::SAMPLES,
        network::SAMPLES,
        routing::SAMPLES,
        security::SAMPLES,
        system::SAMPLES,
    ]
    .into_iter()
    .flatten()
}

/// A JSON object with further members.
pub fn with(mut body: Value, more: Value) -> Value {
    if let (Value::Object(own), Value::Object(more)) = (&mut body, more) {
        own.extend(more);
    }
    body
}

/// A JSON object without a member.
pub fn without(mut body: Value, name: &str) -> Value {
    if let Value::Object(own) = &mut body {
        own.shift_remove(name);
    }
    body
}
