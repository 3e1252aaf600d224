//! What is planned and watched.

use super::Sample;
use serde_json::json;
use tests::VLAN;

/// The samples.
pub const SAMPLES: &[Sample] = &[
    Sample {
        kind: "NotificationWatcher",
        body: || {
            json!({
                "server": "watcher.example.org",
                "method": "POST",
                "uri": "/changes",
                "authentication_scheme": {"scheme_name": "BASIC_AUTH", "username": "me"},
            })
        },
        required: Some("server"),
        read_only: "_self",
    },
    Sample {
        kind: "CrlDistributionPoint",
        body: || json!({"cdp_uri": "http://authority.example.org/list"}),
        required: None,
        read_only: "_self",
    },
    Sample {
        kind: "ManualHealthCheck",
        body: || json!({"transport_zone_id": VLAN, "vlans": {"vlan_ranges": [{"start": 0, "end": 5}]}}),
        required: Some("vlans"),
        read_only: "operation_status",
    },
    Sample {
        kind: "NetworkMigrationSpec",
        body: || json!({"resource_type": "HostProfileNetworkMigrationSpec"}),
        required: Some("resource_type"),
        read_only: "_links",
    },
    Sample {
        kind: "UpgradeUnitGroup",
        body: || json!({"type": "HOST"}),
        required: Some("type"),
        read_only: "upgrade_unit_count",
    },
    Sample {
        kind: "MigrationUnitGroup",
        body: || json!({"type": "HOST"}),
        required: Some("type"),
        read_only: "migration_unit_count",
    },
];
