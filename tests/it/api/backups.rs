//! Backups of the managed objects, and restores.

use serde_json::{Value, json};
use std::time::Duration;
use tests::{Manager, Port, START, any_rule, switch};

const BACKUP: &str = "/cluster?action=backup_to_remote";
const START_RESTORE: &str = "/cluster/restore?action=start";

/// A manager that knows where its backups go and come from.
fn world() -> Manager {
    let manager = Manager::new();
    for path in ["/cluster/backups/config", "/cluster/restore/config"] {
        manager.put(path, config("/backups")).expect(200);
    }
    manager
}

fn config(directory: &str) -> Value {
    let scheme = json!({"scheme_name": "PASSWORD", "username": "me", "password": "secret"});
    let protocol = json!({
        "protocol_name": "sftp", "ssh_fingerprint": "SHA256:x", "authentication_scheme": scheme,
    });
    let server = json!({
        "server": "backup.example.org", "directory_path": directory, "protocol": protocol,
    });
    json!({"remote_file_server": server, "passphrase": "secret"})
}

fn backup(manager: &Manager) {
    manager.call("POST", BACKUP, "").expect(200);
}

fn state(manager: &Manager) -> Value {
    manager.get("/cluster/restore/status").expect(200)["status"]["value"].clone()
}

/// What a manager tells of what changes here: lists, members, and who decides about a packet.
fn picture(manager: &Manager) -> Vec<Value> {
    let lists = ["/logical-ports", "/ns-groups", "/ns-groups/web/effective-logical-port-members"];
    let packet = json!({"from": "db", "to": "front", "dst_port": 80});
    let sections = manager.get("/firewall/sections");
    lists
        .iter()
        .map(|path| manager.get(path).results().into())
        .chain([sections.results().into()])
        .chain([manager.post("/sim/v1/explain", packet).expect(200)["verdicts"].clone()])
        .collect()
}

#[test]
fn a_restore_brings_back_objects_and_what_follows_from_them() {
    let manager = world();
    switch(&manager, "segment");
    Port::new("segment", "db").address("10.0.0.1").make(&manager);
    Port::new("segment", "front").address("10.0.0.2").tag("app", "web").make(&manager);
    tests::group_by_tag(&manager, "web", "app", "web");
    let rules = [any_rule("closed", "DROP")];
    let section = json!({
        "id": "closed", "display_name": "closed", "section_type": "LAYER3", "stateful": true,
        "applied_tos": [{"target_type": "NSGroup", "target_id": "web"}], "rules": rules,
    });
    manager.post("/firewall/sections?action=create_with_rules", section).expect(201);
    let before = picture(&manager);
    assert!(before[4].to_string().contains("DROP"), "{}", before[4]);
    backup(&manager);

    manager.delete("/firewall/sections/closed?cascade=true").expect(200);
    manager.delete("/ns-groups/web?force=true").expect(200);
    let mut port = manager.get("/logical-ports/front").expect(200);
    port["tags"] = json!([]);
    port["address_bindings"] = json!([]);
    manager.put("/logical-ports/front", port).expect(200);
    manager.delete("/logical-ports/db?detach=true").expect(200);
    Port::new("segment", "new").address("10.0.0.1").tag("app", "web").make(&manager);
    manager.advance(Duration::from_secs(60));

    let asked = json!({"timestamp": START, "ip_address": "127.0.0.1"});
    let done = manager.post(START_RESTORE, asked.clone()).expect(200);
    assert_eq!(
        (&done["status"]["value"], &done["backup_timestamp"]),
        (&json!("SUCCESS"), &json!(START))
    );
    assert_eq!(done["restore_end_time"], START + 60_000);
    assert_eq!(picture(&manager), before);
    manager.get("/logical-ports/new").refused(404, 600);
    // What is made later stands on what came back.
    Port::new("segment", "more").address("10.0.0.9").tag("app", "web").make(&manager);
    let members = manager.get("/ns-groups/web/effective-logical-port-members");
    assert_eq!(members.results().len(), 2);
    manager.post(START_RESTORE, asked).refused(409, 409);
}

#[test]
fn backups_lie_where_they_were_brought_and_the_history_tells_of_each() {
    let manager = Manager::new();
    manager.call("POST", BACKUP, "").refused(400, 255);
    let times = || manager.get("/cluster/restore/backuptimestamps").column("timestamp");
    assert!(times().is_empty());
    let manager = world();
    let times = || {
        let found = manager.get("/cluster/restore/backuptimestamps").results();
        found.iter().map(|own| own["timestamp"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    backup(&manager);
    manager.advance(Duration::from_secs(1));
    backup(&manager);
    manager.call("POST", "/cluster?action=summarize_inventory_to_remote", "").expect(200);
    assert_eq!(times(), [START, START + 1000]);
    let history = manager.get("/cluster/backups/history").expect(200);
    let counted = ["cluster", "node", "inventory"]
        .map(|sort| history[format!("{sort}_backup_statuses")].as_array().unwrap().len());
    assert_eq!(counted, [2, 2, 1]);
    let last = &history["cluster_backup_statuses"][1];
    assert_eq!((&last["success"], &last["end_time"]), (&json!(true), &json!(START + 1000)));
    manager.put("/cluster/restore/config", config("/elsewhere")).expect(200);
    assert!(times().is_empty());
    manager.post(START_RESTORE, json!({"timestamp": START})).refused(400, 255);
    manager.put("/cluster/restore/config", config("/backups/")).expect(200);
    assert_eq!(times().len(), 2);
}

#[test]
fn a_restore_is_never_met_under_way() {
    let manager = world();
    assert_eq!(state(&manager), "INITIAL");
    for word in ["advance", "cancel", "retry", "suspend"] {
        manager
            .post(&format!("/cluster/restore?action={word}"), json!({"data": []}))
            .refused(409, 409);
    }
    assert!(manager.get("/cluster/restore/instruction-resources").results().is_empty());
    manager.post(START_RESTORE, json!({"timestamp": 5})).refused(400, 255);
    manager.post(START_RESTORE, json!({"when": 5})).refused(400, 287);
    assert_eq!(state(&manager), "INITIAL");
}
