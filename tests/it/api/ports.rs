//! Logical ports [facts §4.1].

use super::samples::{with, without};
use serde_json::{Value, json};
use tests::{Answer, Manager, Port, START, VLAN, reference, section, switch};

fn world() -> Manager {
    let manager = Manager::new();
    switch(&manager, "segment");
    manager
}

fn plain(manager: &Manager, more: Value) -> Answer {
    let body = json!({"id": "p", "logical_switch_id": "segment", "admin_state": "UP"});
    manager.post("/logical-ports", with(body, more))
}

fn attached(kind: &str) -> Value {
    json!({"attachment": {"attachment_type": kind, "id": "far-end"}})
}

#[test]
fn a_port_shows_its_defaults() {
    let made = plain(&world(), json!({"attachment": {"id": "vif"}})).expect(201);
    assert_eq!(made["attachment"], json!({"attachment_type": "VIF", "id": "vif"}));
    // Lists that were never sent are printed all the same [psnsxt].
    assert_eq!(made["address_bindings"], json!([]));
    assert_eq!(made["ignore_address_bindings"], json!([]));
    let defaults = json!([
        ["SwitchSecuritySwitchingProfile", "47ffda0e-035f-4900-83e4-0a2086813ede"],
        ["SpoofGuardSwitchingProfile", "fad98876-d7ff-11e4-b9d6-1681e6b88ec1"],
        ["IpDiscoverySwitchingProfile", "0c403bc9-7773-4680-a5cc-847ed0f9f52e"],
        ["MacManagementSwitchingProfile", "1e7101c8-cfef-415a-9c8c-ce3d8dd078fb"],
        ["PortMirroringSwitchingProfile", "93b4b7e8-f116-415d-a50c-3364611b5d09"],
        ["QosSwitchingProfile", "f313290b-eba8-4262-bd93-fab5026e9495"],
    ]);
    let own = made["switching_profile_ids"].as_array().unwrap();
    let own: Value = own.iter().map(|entry| json!([entry["key"], entry["value"]])).collect();
    assert_eq!(own, defaults);
}

#[test]
fn a_port_needs_a_switch_that_exists_and_stays_on_it() {
    let manager = world();
    let text = plain(&manager, json!({"logical_switch_id": "nowhere"})).refused(404, 600);
    assert!(text.contains("object identifier LogicalSwitch/nowhere is missing"), "{text}");
    switch(&manager, "other");
    let made = plain(&manager, json!({})).expect(201);
    let moved = with(made, json!({"logical_switch_id": "other"}));
    manager.put("/logical-ports/p", moved).refused(400, 255);
}

#[test]
fn two_ports_can_not_hold_one_vif() {
    let manager = world();
    plain(&manager, attached("VIF")).expect(201);
    plain(&manager, with(attached("VIF"), json!({"id": "q"}))).refused(400, 255);
    manager.delete("/logical-ports/p?detach=true").expect(200);
    plain(&manager, with(attached("VIF"), json!({"id": "q"}))).expect(201);
}

#[test]
fn a_put_without_attachment_detaches() {
    let manager = world();
    let made = plain(&manager, attached("VIF")).expect(201);
    let null = with(made, json!({"attachment": null}));
    assert_eq!(manager.put("/logical-ports/p", null).expect(200).get("attachment"), None);
    manager.delete("/logical-ports/p").expect(200);
}

#[test]
fn an_attached_port_goes_only_with_detach() {
    let manager = world();
    plain(&manager, attached("VIF")).expect(201);
    let text = manager.delete("/logical-ports/p").refused(400, 8402);
    // [tf #237]
    let words = "Unable to delete logical port with attachments of LogicalPort LogicalPort/p.";
    assert_eq!(text, words);
    manager.delete("/logical-ports/p?detach=false").refused(400, 8402);
    manager.delete("/logical-ports/p?detach=true").expect(200);
}

#[test]
fn a_static_member_of_a_group_goes_only_with_detach() {
    let manager = world();
    plain(&manager, json!({})).expect(201);
    let member = json!({
        "target_type": "LogicalPort", "target_property": "id", "op": "EQUALS", "value": "p",
    });
    manager.post("/ns-groups", json!({"id": "g", "members": [member]})).expect(201);
    let text = manager.delete("/logical-ports/p").expect(400);
    assert!(text["error_message"].as_str().unwrap().contains("NSGroup/g"), "{text}");
    manager.delete("/logical-ports/p?detach=true").expect(200);
    let group = manager.get("/ns-groups/g").expect(200);
    assert_eq!(group["member_count"], 1, "the member stays, and dangles");
    manager.put("/ns-groups/g", group).expect(200);
}

#[test]
fn a_port_that_only_rules_name_goes() {
    let manager = world();
    plain(&manager, json!({})).expect(201);
    let rule = json!({"action": "DROP", "applied_tos": [reference("LogicalPort", "p")]});
    let ids = section(&manager, "s", &[rule]);
    manager.delete("/logical-ports/p").expect(200);
    let one = format!("/firewall/sections/{}", ids.section);
    let read = manager.post(&format!("{one}?action=list_with_rules"), json!({})).expect(200);
    assert_eq!(read["rules"][0]["applied_tos"][0]["is_valid"], false);
    // Clients put back what they read.
    manager.post(&format!("{one}?action=update_with_rules"), read).expect(200);
}

#[test]
fn a_routers_attachment_is_the_routers_business() {
    let manager = world();
    let made = plain(&manager, attached("LOGICALROUTER")).expect(201);
    let text = manager.put("/logical-ports/p", without(made.clone(), "attachment"));
    // [ans #65]
    assert_eq!(
        text.refused(400, 8409),
        "Managing the LogicalRouter attachment on LogicalPort p is not supported. Please use \
         LogicalRouter APIs to do these operations."
    );
    let renamed = with(made, json!({"display_name": "uplink"}));
    manager.put("/logical-ports/p", renamed).expect(200);
}

#[test]
fn a_child_names_its_parent_and_keeps_its_context() {
    let manager = world();
    let context = json!({
        "resource_type": "VifAttachmentContext",
        "vif_type": "CHILD",
        "parent_vif_id": "vif-node",
        "app_id": "x1.pod",
        "traffic_tag": 4,
        "allocate_addresses": "Both",
    });
    let attachment = |context: &Value| json!({"attachment": {"attachment_type": "VIF", "id": "vif", "context": context}});
    let made = plain(&manager, attachment(&context)).expect(201);
    assert_eq!(made["attachment"]["context"], context);
    let orphan = with(attachment(&without(context.clone(), "parent_vif_id")), json!({"id": "q"}));
    plain(&manager, orphan).refused(400, 255);
    let wrong = with(context, json!({"vif_type": "child"}));
    plain(&manager, with(attachment(&wrong), json!({"id": "q"}))).refused(400, 255);
}

#[test]
fn each_address_binding_holds_an_address_and_a_mac() {
    let manager = world();
    let bound = |binding: Value| json!({"address_bindings": [binding]});
    let mac = "02:50:56:00:00:01";
    let text = plain(&manager, bound(json!({"mac_address": mac}))).refused(400, 255);
    assert!(text.contains("address_bindings[0].ip_address is required"), "{text}");
    plain(&manager, bound(json!({"ip_address": "10.0.0.1"}))).refused(400, 255);
    plain(&manager, bound(json!({"ip_address": "10.0.0.300", "mac_address": mac})))
        .refused(400, 255);
    plain(&manager, bound(json!({"ip_address": "10.0.0.1", "mac_address": "02:50"})))
        .refused(400, 255);
    let full = json!({"ip_address": "10.0.0.1", "mac_address": mac, "vlan": 4});
    let made = plain(&manager, bound(full.clone())).expect(201);
    assert_eq!(made["address_bindings"], json!([full]));
    let many: Value = (0..513).map(|_| full.clone()).collect();
    plain(&manager, json!({"id": "q", "address_bindings": many})).refused(400, 255);
}

#[test]
fn profiles_that_are_named_take_the_place_of_defaults_of_their_class() {
    let manager = world();
    let profile = json!({
        "id": "own", "resource_type": "SpoofGuardSwitchingProfile", "white_list_providers": [],
    });
    manager.post("/switching-profiles", profile).expect(201);
    let entry = json!({"key": "SpoofGuardSwitchingProfile", "value": "own"});
    let made = plain(&manager, json!({"switching_profile_ids": [entry]})).expect(201);
    let ids = made["switching_profile_ids"].as_array().unwrap();
    assert_eq!(ids.len(), 6);
    assert!(ids.contains(&entry));
    let twice = json!({"id": "q", "switching_profile_ids": [entry, entry]});
    plain(&manager, twice).refused(400, 255);
    let missing = json!([{"key": "QosSwitchingProfile", "value": "nobody"}]);
    plain(&manager, json!({"id": "q", "switching_profile_ids": missing})).refused(404, 600);
}

#[test]
fn a_profile_is_bound_under_its_own_class_and_no_other() {
    let manager = world();
    let profile = json!({
        "id": "own", "resource_type": "SpoofGuardSwitchingProfile", "white_list_providers": [],
    });
    manager.post("/switching-profiles", profile).expect(201);
    let of = |entries: Value| json!({"switching_profile_ids": entries});
    let foreign = of(json!([{"key": "QosSwitchingProfile", "value": "own"}]));
    plain(&manager, foreign.clone()).refused(400, 255);
    let segment = manager.get("/logical-switches/segment").expect(200);
    manager.put("/logical-switches/segment", with(segment, foreign)).refused(400, 255);

    // Without a class the profile is of the one that it has.
    let unsaid = json!({"value": "own"});
    let said = json!({"key": "SpoofGuardSwitchingProfile", "value": "own"});
    plain(&manager, of(json!([unsaid, said]))).refused(400, 255);
    let made = plain(&manager, of(json!([unsaid]))).expect(201);
    let ids = made["switching_profile_ids"].as_array().unwrap();
    assert_eq!(ids.len(), 6);
    assert!(ids.contains(&said), "{ids:?}");
    plain(&manager, with(of(json!([{"value": "nobody"}])), json!({"id": "q"}))).refused(404, 600);
}

#[test]
fn ports_are_found_by_what_is_attached() {
    let manager = world();
    Port::new("segment", "node").make(&manager);
    Port::new("segment", "pod").child_of("node").make(&manager);
    plain(&manager, json!({})).expect(201);
    plain(&manager, with(attached("LOGICALROUTER"), json!({"id": "router"}))).expect(201);
    let vlan = json!({"id": "v", "transport_zone_id": VLAN, "admin_state": "UP", "vlan": 1});
    manager.post("/logical-switches", vlan).expect(201);
    Port::new("v", "lone").make(&manager);
    let found = |query: &str| manager.get(&format!("/logical-ports?{query}")).column("id");
    assert_eq!(found("attachment_type=VIF"), ["lone", "node", "pod"]);
    assert_eq!(found("attachment_type=LOGICALROUTER"), ["router"]);
    assert_eq!(found("attachment_type=NONE"), ["p"]);
    assert_eq!(found("attachment_id=vif-pod"), ["pod"]);
    assert_eq!(found("parent_vif_id=vif-node"), ["pod"]);
    assert_eq!(found("container_ports_only=True"), ["pod"]);
    assert_eq!(found("container_ports_only=false").len(), 5);
    assert_eq!(found("logical_switch_id=v"), ["lone"]);
    assert_eq!(found(&format!("transport_zone_id={VLAN}")), ["lone"]);
    assert_eq!(found("switching_profile_id=f313290b-eba8-4262-bd93-fab5026e9495").len(), 5);
    assert_eq!(found("attachment_id=nobody").len(), 0);
    manager.get("/logical-ports?attachment_type=vif").refused(400, 255);
}

#[test]
fn the_state_of_a_port_tells_its_host_and_realized_addresses() {
    let manager = world();
    Port::new("segment", "pod").address("10.0.0.1").make(&manager);
    let state = manager.get("/logical-ports/pod/state").expect(200);
    assert_eq!(state["id"], "pod");
    assert_eq!(state["transport_node_ids"].as_array().unwrap().len(), 1);
    let binding = json!({
        "binding": {"ip_address": "10.0.0.1", "mac_address": "02:50:56:00:00:01"},
        "source": "USER_DEFINED",
        "binding_timestamp": START,
    });
    assert_eq!(state["realized_bindings"], json!([binding]));
    assert_eq!(state["discovered_bindings"], json!([]));
    manager.get("/logical-ports/nobody/state").refused(404, 600);
}

#[test]
fn a_port_is_up_when_it_is_meant_to_be_and_something_is_attached() {
    let manager = world();
    Port::new("segment", "up").make(&manager);
    let down = with(Port::new("segment", "down").body(), json!({"admin_state": "DOWN"}));
    manager.post("/logical-ports", down).expect(201);
    plain(&manager, json!({})).expect(201);
    let status = |id: &str| {
        let answer = manager.get(&format!("/logical-ports/{id}/status?source=realtime"));
        answer.expect(200)["status"].clone()
    };
    assert_eq!([status("up"), status("down"), status("p")], ["UP", "DOWN", "DOWN"]);
    let all = manager.get("/logical-ports/status?attachment_type=VIF").expect(200);
    assert_eq!((&all["total_ports"], &all["up_ports"]), (&json!(2), &json!(1)));
    manager.get("/logical-ports/up/status?source=now").refused(400, 255);
}

#[test]
fn a_container_is_on_its_nodes_host() {
    let manager = world();
    let host = |id: &str| {
        let state = manager.get(&format!("/logical-ports/{id}/state")).expect(200);
        state["transport_node_ids"][0].as_str().unwrap().to_owned()
    };
    for at in 0..4 {
        let node = Port::new("segment", &format!("node-{at}")).make(&manager);
        let pod = Port::new("segment", &format!("pod-{at}")).child_of(&node).make(&manager);
        assert_eq!(host(&pod), host(&node));
    }
    assert_ne!(host("node-0"), host("node-1"), "nodes go round the hosts");
}

#[test]
fn ports_are_found_by_their_host() {
    let manager = world();
    let ids = ["one", "two", "three"].map(|name| Port::new("segment", name).make(&manager));
    plain(&manager, json!({})).expect(201);
    for id in &ids {
        let state = manager.get(&format!("/logical-ports/{id}/state")).expect(200);
        let host = state["transport_node_ids"][0].as_str().unwrap().to_owned();
        let found = manager.get(&format!("/logical-ports?transport_node_id={host}")).column("id");
        assert_eq!(found, [id.as_str()]);
    }
    assert_eq!(manager.get("/logical-ports?transport_node_id=nobody").results().len(), 0);
}
