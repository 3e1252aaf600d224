//! Of the load balancer.

use super::Sample;
use serde_json::json;

/// One sample per kind.
pub const SAMPLES: &[Sample] = &[
    Sample {
        kind: "LbVirtualServer",
        body: || {
            json!({
                "ip_address": "10.40.14.50",
                "application_profile_id": "57b7e8f5-7b2d-4b3e-9b3f-3b3f6c1e7a01",
            })
        },
        required: Some("ip_address"),
        read_only: "_create_time",
    },
    Sample { kind: "LbPool", body: || json!({}), required: None, read_only: "_owner" },
    Sample {
        kind: "LbAppProfile",
        body: || json!({"resource_type": "LbFastUdpProfile"}),
        required: Some("resource_type"),
        read_only: "_protection",
    },
    Sample {
        kind: "LbService",
        body: || json!({"size": "SMALL"}),
        required: None,
        read_only: "_links",
    },
    Sample {
        kind: "LbMonitor",
        body: || json!({"resource_type": "LbHttpsMonitor"}),
        required: Some("resource_type"),
        read_only: "is_secure",
    },
    Sample {
        kind: "LbRule",
        body: || {
            json!({
                "phase": "HTTP_FORWARDING",
                "match_strategy": "ANY",
                "actions": [{"type": "LbHttpRejectAction", "reply_status": "403"}],
            })
        },
        required: Some("phase"),
        read_only: "_self",
    },
    Sample {
        kind: "LbPersistenceProfile",
        body: || json!({"resource_type": "LbSourceIpPersistenceProfile"}),
        required: Some("resource_type"),
        read_only: "_schema",
    },
    Sample {
        kind: "LbClientSslProfile",
        body: || json!({"protocols": ["TLS_V1"]}),
        required: None,
        read_only: "is_fips",
    },
    Sample {
        kind: "LbServerSslProfile",
        body: || json!({}),
        required: None,
        read_only: "is_secure",
    },
    Sample { kind: "LbTcpProfile", body: || json!({}), required: None, read_only: "_owner" },
];
