//! Switching profiles [facts §4.4].

use super::samples::with;
use serde_json::{Value, json};
use tests::{Answer, Manager, switch};

const DEFAULT_SPOOF_GUARD: &str = "fad98876-d7ff-11e4-b9d6-1681e6b88ec1";

fn profile(manager: &Manager, class: &str, more: Value) -> Answer {
    let body = json!({"id": "own", "resource_type": class});
    manager.post("/switching-profiles", with(body, more))
}

/// Makes a profile in use by a port and a switch, as their one profile of its class.
fn in_use() -> Manager {
    let manager = Manager::new();
    let class = "SpoofGuardSwitchingProfile";
    profile(&manager, class, json!({"white_list_providers": []})).expect(201);
    let users = json!({"switching_profile_ids": [{"key": class, "value": "own"}]});
    let made = switch(&manager, "s");
    let body = with(manager.get("/logical-switches/s").expect(200), users.clone());
    manager.put("/logical-switches/s", body).expect(200);
    let port = json!({"id": "p", "logical_switch_id": made, "admin_state": "UP"});
    manager.post("/logical-ports", with(port, users)).expect(201);
    manager
}

#[test]
fn each_class_shows_the_defaults_of_the_schema() {
    let cases = [
        (
            "IpDiscoverySwitchingProfile",
            json!({
                "arp_snooping_enabled": true,
                "arp_bindings_limit": 1,
                "dhcp_snooping_enabled": true,
                "vm_tools_enabled": true,
                "nd_snooping_enabled": false,
                "nd_bindings_limit": 3,
                "dhcpv6_snooping_enabled": false,
                "vm_tools_v6_enabled": false,
                "trust_on_first_use_enabled": true,
                "arp_nd_binding_timeout": 10,
                "duplicate_ip_detection": {"duplicate_ip_detection_enabled": false},
            }),
        ),
        ("MacManagementSwitchingProfile", json!({"mac_change_allowed": false})),
        ("QosSwitchingProfile", json!({"class_of_service": 0})),
        (
            "SwitchSecuritySwitchingProfile",
            json!({"block_non_ip_traffic": false, "ra_guard_enabled": true}),
        ),
    ];
    for (class, expected) in cases {
        let made = profile(&Manager::new(), class, json!({})).expect(201);
        assert_eq!(made["resource_type"], class);
        assert_eq!(made["required_capabilities"], json!([]));
        for (name, value) in expected.as_object().unwrap() {
            assert_eq!(made[name], *value, "{class}.{name}");
        }
    }
}

#[test]
fn a_quality_of_service_profile_always_has_its_three_shapers() {
    // nsxlib looks for each of them by type.
    let manager = Manager::new();
    let own =
        json!({"resource_type": "EgressRateShaper", "enabled": true, "average_bandwidth_mbps": 5});
    let made = profile(&manager, "QosSwitchingProfile", json!({"shaper_configuration": [own]}));
    let made = made.expect(201);
    let shapers = made["shaper_configuration"].as_array().unwrap();
    let enabled: Vec<&Value> = shapers.iter().filter(|own| own["enabled"] == true).collect();
    assert_eq!((shapers.len(), enabled.len()), (3, 1));
    assert_eq!(enabled[0]["average_bandwidth_mbps"], 5);
}

#[test]
fn limits_of_the_schema_hold() {
    let manager = Manager::new();
    let ip = "IpDiscoverySwitchingProfile";
    profile(&manager, ip, json!({"arp_bindings_limit": 257})).refused(400, 255);
    profile(&manager, ip, json!({"nd_bindings_limit": 1})).refused(400, 255);
    profile(&manager, "QosSwitchingProfile", json!({"class_of_service": 8})).refused(400, 255);
    let learning = json!({"mac_learning": {"enabled": true, "limit": 4097}});
    profile(&manager, "MacManagementSwitchingProfile", learning).refused(400, 255);
    profile(&manager, "PortMirroringSwitchingProfile", json!({"snap_length": 59}))
        .refused(400, 255);
    let guard = json!({"white_list_providers": ["EVERYBODY"]});
    profile(&manager, "SpoofGuardSwitchingProfile", guard).refused(400, 255);
    profile(&manager, "FloodSwitchingProfile", json!({})).refused(400, 255);
}

#[test]
fn the_class_does_not_change() {
    let manager = Manager::new();
    profile(&manager, "MacManagementSwitchingProfile", json!({})).expect(201);
    let other = json!({"resource_type": "QosSwitchingProfile", "_revision": 0});
    manager.put("/switching-profiles/own", other).refused(400, 255);
}

#[test]
fn a_profile_in_use_goes_only_with_unbind_and_leaves_the_default() {
    let manager = in_use();
    let text = manager.delete("/switching-profiles/own").expect(400);
    let text = text["error_message"].as_str().unwrap();
    assert!(text.contains("LogicalPort/p") && text.contains("LogicalSwitch/s"), "{text}");
    manager.delete("/switching-profiles/own?unbind=true").expect(200);
    for user in ["/logical-ports/p", "/logical-switches/s"] {
        let bound = manager.get(user).expect(200)["switching_profile_ids"].clone();
        let guard = json!({"key": "SpoofGuardSwitchingProfile", "value": DEFAULT_SPOOF_GUARD});
        assert_eq!(bound.as_array().unwrap().len(), 6);
        assert!(bound.as_array().unwrap().contains(&guard), "{user}: {bound}");
    }
}

#[test]
fn a_profiles_summary_counts_its_users() {
    let manager = in_use();
    let summary = manager.get("/switching-profiles/own/summary").expect(200);
    let expected =
        json!({"switching_profile_id": "own", "num_logical_ports": 1, "num_logical_switches": 1});
    assert_eq!(summary, expected);
}

#[test]
fn the_profiles_that_clients_look_for_by_name_exist() {
    // Required by the OpenStack plugin at start-up.
    let names =
        Manager::new().get("/switching-profiles?include_system_owned=true").column("display_name");
    for name in [
        "nsx-default-spoof-guard-vif-profile",
        "nsx-default-switch-security-non-vif-profile",
        "nsx-default-switch-security-non-vif-profile-for-ens",
        "nsx-default-switch-security-vif-profile",
    ] {
        assert!(names.iter().any(|own| own == name), "{name} is not in {names:?}");
    }
}
