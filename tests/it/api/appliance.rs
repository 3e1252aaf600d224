//! The appliance and its cluster: `/node`, `/cluster`, `/tasks` [facts §4.17, §5.2].

use serde_json::{Value, json};
use std::time::Duration;
use tests::{Manager, START};

#[test]
fn every_service_tells_its_state_and_obeys() {
    let manager = Manager::new();
    let services = manager.get("/node/services").column("service_name");
    assert!(services.len() > 20);
    for name in services {
        let path = format!("/node/services/{name}");
        assert_eq!(manager.get(&path).expect(200)["service_name"], name.as_str());
        let state = || manager.get(&format!("{path}/status")).expect(200)["runtime_state"].clone();
        if name == "node-mgmt" {
            manager.post(&format!("{path}?action=restart"), json!({})).expect(202);
            continue;
        }
        for (word, expected) in [("stop", "stopped"), ("start", "running"), ("restart", "running")]
        {
            let answer = manager.call("POST", &format!("{path}?action={word}"), "").expect(200);
            assert_eq!(answer["runtime_state"], expected, "{name} {word}");
            assert_eq!(state(), expected, "{name} {word}");
        }
        manager.post(&format!("{path}?action=pause"), json!({})).expect(400);
    }
    manager.get("/node/services/none/status").expect(404);
}

#[test]
fn services_keep_what_is_set() {
    let manager = Manager::new();
    let ntp = json!({
        "service_name": "ntp",
        "service_properties": {"start_on_boot": true, "servers": ["pool.example.org", "10.0.0.1"]},
    });
    assert_eq!(manager.put("/node/services/ntp", ntp.clone()).expect(200), ntp);
    assert_eq!(manager.get("/node/services/ntp").expect(200), ntp);
    let other = json!({"service_name": "ssh", "service_properties": {"servers": []}});
    manager.put("/node/services/ntp", other).refused(400, 255);
    let wrong = json!({"service_name": "ntp", "service_properties": {"servers": ["not a host"]}});
    manager.put("/node/services/ntp", wrong).refused(400, 255);
    let unknown = json!({"service_name": "ntp", "more": 1});
    manager.put("/node/services/ntp", unknown).refused(400, 287);
    manager.put("/node/services/snmp", json!({"service_name": "snmp"})).refused(400, 255);
    let level = |manager: &Manager| {
        manager.get("/node/services/manager").expect(200)["service_properties"]["logging_level"]
            .clone()
    };
    let debug =
        json!({"service_name": "manager", "service_properties": {"logging_level": "DEBUG"}});
    manager.put("/node/services/manager", debug).expect(200);
    assert_eq!(level(&manager), "DEBUG");
    let reset = "/node/services/manager?action=reset-manager-logging-levels";
    manager.post(reset, json!({})).expect(200);
    assert_eq!(level(&manager), "INFO");
}

#[test]
fn log_exporters_come_and_go_by_name() {
    let manager = Manager::new();
    let path = "/node/services/syslog/exporters";
    let exporter = json!({
        "exporter_name": "one", "server": "log.example.org", "protocol": "TLS", "level": "INFO",
        "tls_key_pem": "secret",
    });
    let made = manager.post(path, exporter.clone()).expect(201);
    assert_eq!((&made["port"], made.get("tls_key_pem")), (&json!(514), None));
    manager.post(path, exporter).expect(400);
    assert_eq!(manager.get(path).results(), std::slice::from_ref(&made));
    assert_eq!(manager.get(&format!("{path}/one")).expect(200), made);
    manager.delete(&format!("{path}/one")).expect(200);
    manager.get(&format!("{path}/one")).refused(404, 600);
}

#[test]
fn the_node_tells_its_name_and_its_figures() {
    let manager = Manager::new();
    let node = manager.get("/node").expect(200);
    assert_eq!(node["fully_qualified_domain_name"], "nsxmgr-01a.corp.local");
    assert_eq!(node["system_time"], START);
    // Clients put back what they got.
    let mut renamed = node.clone();
    renamed["hostname"] = json!("mgr-2.lab.example");
    let renamed = manager.put("/node", renamed).expect(200);
    assert_eq!(renamed["fully_qualified_domain_name"], "mgr-2.lab.example");
    assert_eq!(renamed["node_uuid"], node["node_uuid"]);
    manager.put("/node", json!({"hostname": "-"})).refused(400, 255);
    manager.advance(Duration::from_secs(5));
    let status = manager.get("/node/status").expect(200);
    assert_eq!((&status["uptime"], &status["system_time"]), (&json!(5_000), &json!(START + 5_000)));
    if cfg!(unix) {
        let disk = &status["file_systems"][0];
        assert_eq!(disk["mount"], "/");
        assert!(disk["used"].as_u64().unwrap() <= disk["total"].as_u64().unwrap(), "{disk}");
    }
    let process = manager.get("/node/processes").results().swap_remove(0);
    assert_eq!(process["pid"], std::process::id());
    manager.get(&format!("/node/processes/{}", std::process::id())).expect(200);
    manager.get("/node/processes/0").refused(404, 600);
    // What would stop the process is not done.
    manager.post("/node?action=restart", json!({})).expect(501);
}

#[test]
fn documents_are_replaced_whole_and_may_be_absent() {
    let manager = Manager::new();
    let servers = json!({"name_servers": ["10.0.0.1", "10.0.0.2"]});
    assert_eq!(manager.put("/node/network/name-servers", servers.clone()).expect(200), servers);
    assert_eq!(manager.get("/node/network/name-servers").expect(200), servers);
    let four = json!({"name_servers": ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"]});
    manager.put("/node/network/name-servers", four).refused(400, 255);
    manager.get("/node/management-plane").refused(404, 600);
    let plane = json!({"secret": "x", "brokers": [{"host": "10.0.0.1", "thumbprint": "aa"}]});
    let made = manager.put("/node/management-plane", plane).expect(200);
    assert_eq!(made, json!({"brokers": [{"host": "10.0.0.1", "port": 5671, "thumbprint": "aa"}]}));
    manager.delete("/node/management-plane").expect(200);
    manager.delete("/node/management-plane").refused(404, 600);
    let path = "/node/rabbitmq-management-port";
    for (verb, enabled) in [("POST", true), ("DELETE", false)] {
        manager.call(verb, path, "").expect(200);
        assert_eq!(manager.get(path).expect(200), json!({"enabled": enabled}));
    }
    let path = "/node/hardening-policy/mandatory-access-control";
    assert_eq!(manager.get(path).expect(200), json!({"enabled": false, "status": "DISABLED"}));
    let on = manager.put(path, json!({"enabled": true})).expect(200);
    assert_eq!(on["status"], "ENABLED_PENDING_REBOOT");
}

#[test]
fn routes_need_what_their_type_needs() {
    let manager = Manager::new();
    let path = "/node/network/routes";
    let route = json!({
        "route_type": "static", "interface_id": "eth0", "netmask": "255.255.255.0",
        "destination": "10.1.0.0",
    });
    let made = manager.post(path, route.clone()).expect(201);
    assert_eq!((&made["proto"], &made["scope"]), (&json!("boot"), &json!("link")));
    let one = format!("{path}/{}", made["route_id"].as_str().unwrap());
    assert_eq!(manager.get(&one).expect(200), made);
    manager.delete(&one).expect(200);
    manager.get(&one).refused(404, 600);
    manager.post(path, json!({"route_type": "default"})).refused(400, 255);
    let mut elsewhere = route;
    elsewhere["interface_id"] = json!("eth7");
    manager.post(path, elsewhere).refused(400, 255);
    let mut interface = manager.get("/node/network/interfaces/eth0").expect(200);
    interface["mtu"] = json!(9000);
    let path = "/node/network/interfaces/eth0";
    assert_eq!(manager.put(path, interface.clone()).expect(200)["mtu"], 9000);
    interface["ip_configuration"] = json!("dhcp");
    manager.put(path, interface).refused(400, 255);
}

#[test]
fn the_cluster_is_this_node() {
    let manager = Manager::new();
    let id = manager.get("/node").expect(200)["node_uuid"].as_str().unwrap().to_owned();
    let cluster = manager.get("/cluster").expect(200);
    assert_eq!(cluster["nodes"][0]["node_uuid"], id.as_str());
    assert_eq!(manager.get(&format!("/cluster/{id}")).expect(200), cluster["nodes"][0]);
    manager.get("/cluster/none").refused(404, 600);
    assert_eq!(manager.get("/cluster/nodes").column("id"), std::slice::from_ref(&id));
    let status = manager.get("/cluster/nodes/status").expect(200);
    assert_eq!(status["management_cluster"][0]["id"], id.as_str());
    assert_eq!(status["cluster_status"]["overall_status"], "STABLE");
    for (cluster, addresses) in [
        ("management_cluster", ["api", "mgmt_cluster", "mgmt_plane"].as_slice()),
        ("controller_cluster", &["control_cluster", "control_plane"]),
    ] {
        let role = &status[cluster][0]["role_config"];
        for address in addresses {
            assert_eq!(role[format!("{address}_listen_addr")]["ip_address"], "127.0.0.1");
        }
    }
    let told = manager.get("/cluster-manager/status").expect(200);
    assert_eq!(told["overall_status"], "STABLE");
    let one = format!("/cluster/nodes/{id}");
    for part in ["", "/status", "/repo_sync/status", "/network/interfaces/eth0"] {
        manager.get(&format!("{one}{part}")).expect(200);
        manager.get(&format!("/cluster/nodes/none{part}")).refused(404, 600);
    }
    manager.get(&format!("{one}/status?source=yesterday")).refused(400, 255);
    assert_eq!(manager.get(&format!("{one}/network/interfaces")).results().len(), 1);
    assert_eq!(manager.get("/cluster/nodes/deployments").results(), Vec::<Value>::new());
}

#[test]
fn the_virtual_address_is_set_and_cleared() {
    let manager = Manager::new();
    let path = "/cluster/api-virtual-ip";
    assert_eq!(manager.get(path).expect(200), json!({"ip_address": "0.0.0.0"}));
    let set = format!("{path}?action=set_virtual_ip");
    let answer = manager.post(&format!("{set}&ip_address=10.0.0.9"), json!({})).expect(200);
    assert_eq!(answer, json!({"ip_address": "10.0.0.9"}));
    manager.post(&set, json!({})).refused(400, 255);
    manager.post(&format!("{set}&ip_address=x"), json!({})).refused(400, 255);
    manager.post(&format!("{path}?action=clear_virtual_ip"), json!({})).expect(200);
    assert_eq!(manager.get(path).expect(200), json!({"ip_address": "0.0.0.0"}));
}

#[test]
fn backups_are_set_up() {
    let manager = Manager::new();
    let path = "/cluster/backups/config";
    let fresh = manager.get(path).expect(200);
    assert_eq!(fresh, json!({"backup_enabled": false, "inventory_summary_interval": 240}));
    let server = json!({
        "server": "backup.example.org",
        "directory_path": "/backups",
        "protocol": {
            "protocol_name": "sftp",
            "ssh_fingerprint": "SHA256:x",
            "authentication_scheme":
                {"scheme_name": "PASSWORD", "username": "me", "password": "secret"},
        },
    });
    let schedule = json!({"resource_type": "IntervalBackupSchedule"});
    let body = json!({
        "remote_file_server": server, "passphrase": "secret", "backup_schedule": schedule,
    });
    let made = manager.put(path, body).expect(200);
    assert!(!made.to_string().contains("secret"), "{made}");
    assert_eq!(made["backup_schedule"]["seconds_between_backups"], 3600);
    manager.put(path, json!({})).refused(400, 255);
    manager.put("/cluster/restore/config", json!({})).refused(400, 255);
}

#[test]
fn the_only_node_of_the_cluster_stays_and_has_all_that_the_cluster_has() {
    let manager = Manager::new();
    let id = manager.get("/cluster/nodes").column("id").swap_remove(0);
    manager.delete(&format!("/cluster/nodes/{id}")).refused(400, 255);
    manager.post(&format!("/cluster/{id}?action=remove_node"), json!({})).refused(400, 255);
    manager.delete("/cluster/nodes/other").refused(404, 600);
    manager.post("/cluster/other?action=remove_node", json!({})).refused(404, 600);
    let path = format!("/cluster/nodes/{id}/repo_sync/status");
    assert_eq!(manager.get(&path).expect(200), json!({"status": "NOT_STARTED"}));
    manager.call("POST", "/cluster/node?action=repo_sync", "").expect(200);
    assert_eq!(manager.get(&path).expect(200), json!({"status": "SUCCESS"}));
}

#[test]
fn there_are_no_tasks() {
    let manager = Manager::new();
    for root in ["/tasks", "/node/tasks"] {
        assert_eq!(manager.get(root).results(), Vec::<Value>::new());
        manager.get(&format!("{root}?status=done")).refused(400, 255);
        manager.get(&format!("{root}/one")).refused(404, 600);
        manager.get(&format!("{root}/one/response")).refused(404, 600);
    }
}
