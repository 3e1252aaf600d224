//! Members of pools, one by one and by group.

use super::pool;
use serde_json::{Value, json};
use tests::{Answer, Manager, group_by_tag, reference};

#[allow(clippy::needless_pass_by_value, reason = "calls read better with json! in place")]
fn act(manager: &Manager, word: &str, members: Value) -> Answer {
    manager.post(&format!("/loadbalancer/pools/pool?action={word}"), json!({"members": members}))
}

fn states(pool: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let members = pool["members"].as_array().into_iter().flatten();
    members.map(|own| (text(&own["ip_address"]), text(&own["admin_state"]))).collect()
}

fn pair(address: &str, state: &str) -> (String, String) {
    (address.to_owned(), state.to_owned())
}

#[test]
fn members_come_go_and_change_by_address_and_port() {
    let manager = Manager::new();
    pool(&manager, json!({})).expect(201);
    let two = json!([
        {"ip_address": "10.0.0.1", "port": "80", "weight": 3},
        {"ip_address": "10.0.0.1", "port": "81", "display_name": "second"},
    ]);
    let made = act(&manager, "ADD_MEMBERS", two).expect(200);
    assert_eq!((&made["members"][0]["weight"], &made["_revision"]), (&json!(3), &json!(1)));
    act(&manager, "ADD_MEMBERS", json!([{"ip_address": "10.0.0.1", "port": "80"}]))
        .refused(400, 255);
    let state = json!([{"ip_address": "10.0.0.1", "port": "81", "admin_state": "DISABLED"}]);
    let changed = act(&manager, "UPDATE_MEMBERS", state).expect(200);
    let expected = [pair("10.0.0.1", "ENABLED"), pair("10.0.0.1", "DISABLED")];
    assert_eq!(states(&changed), expected);
    assert_eq!(changed["members"][1]["display_name"], "second", "what is not sent stays");
    let portless = json!([{"ip_address": "10.0.0.1"}]);
    act(&manager, "UPDATE_MEMBERS", portless.clone()).refused(400, 255);
    act(&manager, "REMOVE_MEMBERS", portless).refused(400, 255);
    let first = json!([{"ip_address": "10.0.0.1", "port": "80"}]);
    let left = act(&manager, "REMOVE_MEMBERS", first).expect(200);
    assert_eq!(states(&left), [pair("10.0.0.1", "DISABLED")]);
    act(&manager, "SHUFFLE_MEMBERS", json!([])).expect(400);
}

#[test]
fn a_pool_has_members_or_a_group() {
    let manager = Manager::new();
    group_by_tag(&manager, "g", "app", "a");
    let group = |kind: &str| json!({"grouping_object": reference(kind, "g")});
    let member = json!([{"ip_address": "10.0.0.1"}]);
    pool(&manager, json!({"member_group": group("NSGroup"), "members": member})).refused(400, 255);
    pool(&manager, json!({"member_group": group("IPSet")})).refused(400, 255);
    let made = pool(&manager, json!({"member_group": group("NSGroup")})).expect(201);
    let printed = &made["member_group"];
    assert_eq!(printed["ip_revision_filter"], "IPV4");
    assert_eq!(printed["grouping_object"]["target_display_name"], "g");
    act(&manager, "ADD_MEMBERS", member.clone()).refused(400, 255);
    act(&manager, "REMOVE_MEMBERS", member).refused(400, 255);
    let state = json!([{"ip_address": "10.0.0.1", "admin_state": "DISABLED"}]);
    let changed = act(&manager, "UPDATE_MEMBERS", state.clone()).expect(200);
    assert_eq!(changed["member_group"]["customized_members"], state);
    let named = json!([{"ip_address": "10.0.0.1", "weight": 2}]);
    act(&manager, "UPDATE_MEMBERS", named).refused(400, 255);
    manager.delete("/ns-groups/g").refused(400, 500_030);
}

#[test]
fn monitors_of_a_pool_are_of_their_sort() {
    let manager = Manager::new();
    for (id, class) in [("active", "LbTcpMonitor"), ("passive", "LbPassiveMonitor")] {
        let body = json!({"id": id, "resource_type": class});
        manager.post("/loadbalancer/monitors", body).expect(201);
    }
    pool(&manager, json!({"active_monitor_ids": ["passive"]})).refused(400, 255);
    pool(&manager, json!({"passive_monitor_id": "active"})).refused(400, 255);
    let right = json!({"active_monitor_ids": ["active"], "passive_monitor_id": "passive"});
    pool(&manager, right).expect(201);
    manager.delete("/loadbalancer/monitors/passive").refused(400, 500_030);
}
