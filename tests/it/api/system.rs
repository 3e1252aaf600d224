//! The manager as a whole: barriers, watchers, capacity, associations, plans [facts §4.17].

use serde_json::{Value, json};
use std::time::Duration;
use tests::{Manager, Port, group_by_tag, switch};

#[test]
fn the_barrier_rises_by_itself_and_when_asked() {
    let manager = Manager::new();
    let path = "/realization-state-barrier/current";
    let number = || manager.get(path).expect(200)["current_barrier_number"].as_u64().unwrap();
    assert_eq!(number(), 0);
    manager.advance(Duration::from_secs(12));
    assert_eq!(number(), 2, "one in five seconds");
    let raised = manager.call("POST", &format!("{path}?action=increment"), "").expect(201);
    assert_eq!(raised, json!({"current_barrier_number": 3}));
    let path = "/realization-state-barrier/config";
    let config = manager.get(path).expect(200);
    assert_eq!(config["interval"], 5_000);
    let still = json!({"interval": 0, "_revision": config["_revision"]});
    let still = manager.put(path, still).expect(200);
    manager.advance(Duration::from_secs(60));
    assert_eq!(number(), 3, "it goes on from where it was, and stands still");
    manager.put(path, json!({"interval": 0, "_revision": 0})).refused(412, 604);
    let mut faster = still;
    faster["interval"] = json!(1_000);
    manager.put(path, faster).expect(200);
    manager.advance(Duration::from_secs(4));
    assert_eq!(number(), 7);
}

#[test]
fn watchers_have_what_they_watch_from_the_start() {
    let manager = Manager::new();
    let scheme = json!({"scheme_name": "BASIC_AUTH", "username": "me", "password": "secret"});
    let body = json!({
        "id": "one", "server": "10.0.0.1", "method": "POST", "uri": "/x",
        "authentication_scheme": scheme,
    });
    let made = manager.post("/notification-watchers", body.clone()).expect(201);
    assert_eq!((&made["send_timeout"], &made["max_send_uri_count"]), (&json!(30), &json!(5000)));
    assert!(!made.to_string().contains("secret"), "{made}");
    let mut secure = body;
    secure["id"] = json!("two");
    secure["use_https"] = json!(true);
    manager.post("/notification-watchers", secure).refused(400, 255);

    let path = "/notification-watchers/one/notifications";
    assert_eq!(manager.get(path).expect(200)["notifications"], json!([]));
    let filters = |filters: &[&str]| json!({"notification_id": "group.change_notification", "uri_filters": filters});
    let add = format!("{path}?action=add_uri_filters");
    manager.post(&add, filters(&["/a", "/b"])).expect(200);
    let answer = manager.post(&add, filters(&["/b", "/c"])).expect(200);
    assert_eq!(answer["notifications"], json!([filters(&["/a", "/b", "/c"])]));
    let delete = format!("{path}?action=delete_uri_filters");
    let answer = manager.post(&delete, filters(&["/a", "/c"])).expect(200);
    assert_eq!(answer["notifications"], json!([filters(&["/b"])]));
    manager.post(&delete, json!({"notification_id": "none"})).refused(400, 255);
    let revision = answer["_revision"].clone();
    let twice = json!({"_revision": revision, "notifications": [filters(&["/a", "/a"])]});
    manager.put(path, twice).refused(400, 255);
    manager.put(path, json!({"_revision": revision})).expect(200);
    manager.delete("/notification-watchers/one").expect(200);
    manager.get(path).refused(404, 600);
}

#[test]
fn single_settings_are_replaced_at_their_revision() {
    let manager = Manager::new();
    for (path, change) in [
        ("/telemetry/agreement", json!({"telemetry_agreement_displayed": true})),
        (
            "/telemetry/config",
            json!({
                "ceip_acceptance": true, "schedule_enabled": true,
                "telemetry_schedule":
                    {"frequency_type": "DailyTelemetrySchedule", "hour_of_day": 3, "minutes": 0},
            }),
        ),
        ("/proxy/config", json!({"enabled": true, "host": "proxy.example.org", "port": 3128})),
        (
            "/hpm/global-config",
            json!({
                "is_data_collection_enabled": false, "aggregated_data_collection_frequency": 600,
            }),
        ),
        ("/configs/management", json!({"publish_fqdns": true})),
    ] {
        let before = manager.get(path).expect(200);
        let mut body = before.clone();
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let after = manager.put(path, body.clone()).expect(200);
        assert_eq!(after["_revision"], 1, "{path}");
        for (name, value) in change.as_object().unwrap() {
            assert_eq!(after[name], *value, "{path}");
        }
        assert_eq!(manager.get(path).expect(200), after);
        manager.put(path, body).refused(412, 604);
    }
    let proxy = manager.get("/proxy/config").expect(200);
    let revision = proxy["_revision"].clone();
    manager.put("/proxy/config", json!({"enabled": true, "_revision": revision})).refused(400, 255);
}

#[test]
fn capacity_counts_what_there_is() {
    let manager = Manager::new();
    let switches = |manager: &Manager| {
        let usage = manager.get("/capacity/usage").expect(200);
        let rows = usage["capacity_usage"].as_array().unwrap().clone();
        let own = |row: &Value| row["usage_type"] == "NUMBER_OF_LOGICAL_SWITCHES";
        rows.into_iter().find(own).unwrap()
    };
    assert_eq!(switches(&manager)["current_usage_count"], 0);
    switch(&manager, "one");
    let row = switches(&manager);
    assert_eq!((&row["current_usage_count"], &row["severity"]), (&json!(1), &json!("INFO")));
    let path = "/capacity/threshold";
    let mut thresholds = manager.get(path).expect(200);
    let own = json!({
        "threshold_type": "NUMBER_OF_LOGICAL_SWITCHES",
        "min_threshold_percentage": 0.005,
        "max_threshold_percentage": 50.0,
    });
    thresholds["capacity_thresholds"].as_array_mut().unwrap().push(own);
    manager.put(path, thresholds.clone()).expect(200);
    assert_eq!(switches(&manager)["severity"], "WARNING");
    thresholds["_revision"] = json!(1);
    thresholds["capacity_thresholds"].as_array_mut().unwrap().remove(0);
    let text = manager.put(path, thresholds).refused(400, 255);
    assert!(text.contains("GLOBAL_DEFAULT"), "{text}");
}

#[test]
fn groups_that_hold_an_object_are_told() {
    let manager = Manager::new();
    switch(&manager, "segment");
    Port::new("segment", "web").tag("tier", "web").make(&manager);
    group_by_tag(&manager, "webs", "tier", "web");
    let nested = json!({
        "resource_type": "NSGroupSimpleExpression", "op": "EQUALS",
        "target_type": "NSGroup", "target_property": "id", "value": "webs",
    });
    manager.post("/ns-groups", json!({"id": "all", "members": [nested]})).expect(201);
    let path = "/associations?associated_resource_type=NSGroup";
    let port = format!("{path}&resource_type=LogicalPort&resource_id=web");
    assert_eq!(manager.get(&port).column("target_id"), ["webs"]);
    let deep = format!("{port}&fetch_ancestors=true");
    assert_eq!(manager.get(&deep).column("target_id"), ["all", "webs"]);
    let group = format!("{path}&resource_type=NSGroup&resource_id=webs");
    assert_eq!(manager.get(&group).column("target_id"), ["all"]);
    manager.get(&format!("{path}&resource_type=LogicalPort&resource_id=no")).refused(404, 600);
    manager.get(&format!("{path}&resource_type=Port&resource_id=web")).refused(400, 255);
    manager.get(path).refused(400, 255);
}

#[test]
fn errors_have_no_resolvers() {
    let manager = Manager::new();
    assert_eq!(manager.get("/error-resolver").expect(200), json!({"results": []}));
    let one = manager.get("/error-resolver/8402").expect(200);
    assert_eq!(one, json!({"error_id": 8402, "resolver_present": false}));
    let resolve = "/error-resolver?action=resolve_error";
    let errors = json!({"errors": [{"error_id": 1, "entity_id": "x"}]});
    manager.post(resolve, errors).refused(400, 255);
}

#[test]
fn an_upgrade_is_planned_and_never_begun() {
    let manager = Manager::new();
    let edges = manager.get("/upgrade/upgrade-units?component_type=EDGE").column("id");
    assert!(!edges.is_empty(), "the edges of every manager");
    let groups = "/upgrade/upgrade-unit-groups";
    let body = json!({
        "id": "edges", "display_name": "edges", "type": "EDGE", "upgrade_units": [{"id": edges[0]}],
    });
    let made = manager.post(groups, body).expect(201);
    assert_eq!((&made["upgrade_unit_count"], &made["parallel"]), (&json!(1), &json!(true)));
    let unknown = json!({"list": [{"id": "none"}]});
    let add = format!("{groups}/edges?action=add_upgrade_units");
    manager.post(&add, unknown).refused(400, 255);
    let more: Vec<Value> = edges.iter().map(|id| json!({"id": id})).collect();
    let list = manager.post(&add, json!({"list": more})).expect(200);
    assert_eq!(list["list"].as_array().unwrap().len(), edges.len());
    let order = || {
        let group = manager.get(&format!("{groups}/edges")).expect(200);
        let units = group["upgrade_units"].as_array().unwrap().iter();
        units.map(|unit| unit["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let reorder = |id: &str| format!("{groups}/edges/upgrade-unit/{id}?action=reorder");
    manager.post(&reorder(&edges[1]), json!({"id": edges[0]})).expect(200);
    assert_eq!(order(), [edges[1].clone(), edges[0].clone()]);
    manager.post(&reorder(&edges[1]), json!({"id": edges[0], "is_before": false})).expect(200);
    assert_eq!(order(), edges);
    manager.post(&reorder(&edges[1]), json!({"id": edges[1]})).refused(400, 255);
    manager.post(&reorder(&edges[1]), json!({})).refused(400, 255);
    manager.post(&reorder("none"), json!({"id": edges[0]})).refused(404, 600);
    let other = json!({"type": "EDGE", "upgrade_units": [{"id": edges[0]}]});
    manager.post(groups, other).refused(400, 255);
    manager.delete(&format!("{groups}/edges")).refused(400, 255);
    manager
        .put(&format!("{groups}/edges"), json!({"type": "EDGE", "_revision": 3}))
        .refused(400, 255);

    let unit = manager.get(&format!("/upgrade/upgrade-units/{}", edges[0])).expect(200);
    assert_eq!(unit["group"]["id"], "edges");
    let of_group = manager.get("/upgrade/upgrade-units?group_id=edges").column("id");
    assert_eq!(of_group.len(), edges.len());
    let short = manager.get(&format!("{groups}/edges?summary=true")).expect(200);
    assert_eq!(
        (&short["upgrade_units"], &short["upgrade_unit_count"]),
        (&json!([]), &json!(edges.len()))
    );
    assert_eq!(
        manager.get(&format!("{groups}?component_type=HOST")).results(),
        Vec::<Value>::new()
    );
    let status = manager.get("/upgrade/upgrade-unit-groups-status").results().swap_remove(0);
    assert_eq!((&status["group_id"], &status["status"]), (&json!("edges"), &json!("NOT_STARTED")));
    assert_eq!(manager.get(&format!("{groups}/edges/status")).results().len(), edges.len());
    assert_eq!(manager.get(&format!("{groups}/aggregate-info")).column("id"), ["edges"]);

    assert_eq!(manager.get("/upgrade/summary").expect(200)["upgrade_status"], "NOT_STARTED");
    let components = manager.get("/upgrade/status-summary").expect(200)["component_status"].clone();
    assert_eq!(components.as_array().unwrap().len(), 4);
    let nodes = manager.get("/upgrade/nodes-summary").expect(200)["results"].clone();
    assert!(nodes.as_array().unwrap().iter().any(|row| row["type"] == "MP"));
    assert_eq!(manager.get("/upgrade/nodes?component_type=EDGE").results().len(), edges.len());
    manager.post("/upgrade/plan?action=start", json!({})).expect(501);
    manager.get("/upgrade/bundles/none").refused(404, 600);
}

#[test]
fn plans_keep_their_settings_and_versions() {
    let manager = Manager::new();
    let path = "/upgrade/plan/HOST/settings";
    let settings =
        json!({"parallel": true, "pause_after_each_group": false, "pause_on_error": true});
    assert_eq!(manager.put(path, json!({"pause_on_error": true})).expect(200), settings);
    assert_eq!(manager.get(path).expect(200), settings);
    manager.get("/upgrade/plan/NOTHING/settings").refused(404, 600);
    let path = "/upgrade/version-whitelist/HOST";
    let list = manager.get(path).expect(200);
    assert_eq!(
        (&list["component_type"], &list["acceptable_versions"]),
        (&json!("HOST"), &json!([]))
    );
    let body = json!({"acceptable_versions": ["2.5.1"], "_revision": list["_revision"]});
    manager.put(path, body).expect(200);
    assert_eq!(manager.get(path).expect(200)["acceptable_versions"], json!(["2.5.1"]));
    assert_eq!(manager.get("/upgrade/version-whitelist").results().len(), 4);
}

#[test]
fn there_is_nothing_to_migrate() {
    let manager = Manager::new();
    for list in [
        "discovered-switches",
        "migrated-switches",
        "feedback-summary",
        "feedback-requests",
        "grouped-feedback-requests",
        "logical-constructs/stats",
        "migration-units",
        "migration-units-stats",
        "migration-units/aggregate-info",
        "nodes",
    ] {
        assert_eq!(manager.get(&format!("/migration/{list}")).results(), Vec::<Value>::new());
    }
    assert_eq!(manager.get("/migration/summary").expect(200)["migration_status"], "NOT_STARTED");
    let groups = "/migration/migration-unit-groups";
    let body = json!({"type": "HOST", "migration_units": [{"id": "none"}]});
    manager.post(groups, body).refused(400, 255);
    manager.post(groups, json!({"id": "empty", "type": "HOST"})).expect(201);
    let info = manager.get(&format!("{groups}/aggregate-info")).results().swap_remove(0);
    assert_eq!((&info["group"]["id"], &info["status"]), (&json!("empty"), &json!("NOT_STARTED")));
    manager.delete(&format!("{groups}/empty")).expect(200);
}

#[test]
fn a_migration_of_interfaces_is_kept() {
    let manager = Manager::new();
    let mapping = json!({"src_interface_id": "vmk0", "dest_network_id": "segment"});
    let body = json!({
        "resource_type": "HostProfileNetworkMigrationSpec", "id": "one",
        "network_mappings": [mapping],
    });
    manager.post("/network-migration-specs", body).expect(201);
    let path = "/network-migration-specs?type=HostProfileNetworkMigrationSpec";
    assert_eq!(manager.get(path).column("id"), ["one"]);
    manager.get("/network-migration-specs?type=Other").refused(400, 255);
    let none = json!({"resource_type": "HostProfileNetworkMigrationSpec", "network_mappings": []});
    manager.post("/network-migration-specs", none).refused(400, 255);
}
