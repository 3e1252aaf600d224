//! Virtual machines: their interfaces, tags, and the groups that they belong to.

use nsx_sim::http::WorldDocument;
use serde_json::{Value, json};
use tests::{Manager, OVERLAY};

/// Two machines on the second and third host, each with one interface; the first one's is attached
/// to a port.
fn manager() -> Manager {
    let machine = |name: &str, host: u32, os: &str| {
        json!({
            "external_id": name,
            "display_name": format!("{name}.corp.local"),
            "host": format!("host-{host}"),
            "os_name": os,
            "computer_name": name,
            "bios_uuid": format!("bios-{name}"),
            "interfaces": [{
                "mac_address": format!("00:50:56:00:00:0{host}"),
                "attachment": format!("vif-{name}"),
                "addresses": [format!("10.0.0.{host}")],
            }],
        })
    };
    let mut edge = machine("edge", 1, "Ubuntu");
    edge["type"] = json!("EDGE");
    let host = |number: u32| {
        json!({
            "id": format!("host-{number}"), "display_name": format!("esx-{number}"),
            "type": "ESX", "tep": format!("192.168.0.{number}"),
        })
    };
    let port = |name: &str, last: u32| {
        json!({"post": "/logical-ports", "body": {
            "id": name, "logical_switch_id": "segment", "admin_state": "UP",
            "attachment": {"id": format!("vif-{name}")},
            "address_bindings": [{
                "ip_address": format!("10.0.0.{last}"),
                "mac_address": format!("00:50:56:00:00:0{last}"),
            }],
        }})
    };
    let segment = json!({"id": "segment", "transport_zone_id": OVERLAY, "admin_state": "UP"});
    let document = json!({
        "name": "machines",
        "topology": {
            "transport_nodes": [host(1), host(2), host(3)],
            "virtual_machines": [
                machine("web", 2, "Ubuntu Linux (64-bit)"),
                machine("db", 3, "Windows Server 2019"),
                edge,
            ],
            "router": {"id": "r", "display_name": "router"},
            "load_balancer_snat_ip": "100.64.0.1",
        },
        "objects": [
            {"post": "/logical-switches", "body": segment},
            port("web", 2), port("db", 3), port("other", 4),
        ],
    });
    Manager::of(&WorldDocument::read(&document.to_string()).unwrap())
}

fn tag(manager: &Manager, machine: &str, tags: Value) {
    let body = json!({"external_id": machine, "tags": tags});
    let done = manager.post("/fabric/virtual-machines?action=update_tags", body);
    assert_eq!((done.status, done.body), (204, Value::Null), "[tf]");
}

fn group(manager: &Manager, id: &str, criterion: Value) {
    let body = json!({"id": id, "membership_criteria": [criterion]});
    manager.post("/ns-groups", body).expect(201);
}

fn members(manager: &Manager, group: &str, kind: &str) -> Vec<String> {
    let list = manager.get(&format!("/ns-groups/{group}/effective-{kind}-members"));
    let id = if ["vif", "virtual-machine"].contains(&kind) { "external_id" } else { "target_id" };
    list.column(id)
}

#[test]
fn machines_and_interfaces_are_found_by_what_clients_know_of_them() {
    let manager = manager();
    let machines = manager.get("/fabric/virtual-machines?display_name=web.corp.local").results();
    let [machine] = &machines[..] else { panic!("{machines:#?}") };
    assert_eq!(machine["external_id"], "web");
    assert_eq!((machine.get("id"), machine.get("_revision")), (None, None), "[spec]");
    assert_eq!(machine["power_state"], "VM_RUNNING");
    assert_eq!(machine["type"], "REGULAR");
    assert_eq!(machine["source"]["target_type"], "HostNode");
    assert_eq!(machine["source"]["target_display_name"], "esx-2");
    let ids = machine["compute_ids"].as_array().unwrap();
    assert!(ids.contains(&json!("biosUuid:bios-web")), "[tf] {ids:?}");

    let interfaces = manager.get("/fabric/vifs?owner_vm_id=web").results();
    let [interface] = &interfaces[..] else { panic!("{interfaces:#?}") };
    assert_eq!(interface["external_id"], "web-4000");
    assert_eq!(interface["ip_address_info"][0]["ip_addresses"], json!(["10.0.0.2"]));
    let vif = interface["lport_attachment_id"].as_str().unwrap();
    let ports = manager.get(&format!("/logical-ports?attachment_id={vif}"));
    assert_eq!(ports.column("id"), ["web"], "[bosh]");
    let by_vif = manager.get(&format!("/fabric/vifs?lport_attachment_id={vif}"));
    assert_eq!(by_vif.column("owner_vm_id"), ["web"]);
    assert_eq!(manager.get("/fabric/vifs?host_id=host-3").column("owner_vm_id"), ["db"]);
    assert_eq!(
        manager.get("/fabric/virtual-machines?host_id=host-3").column("external_id"),
        ["db"]
    );
}

#[test]
fn a_machines_port_is_on_the_machines_host() {
    let manager = manager();
    for (port, host) in [("web", "host-2"), ("db", "host-3")] {
        let state = manager.get(&format!("/logical-ports/{port}/state")).expect(200);
        assert_eq!(state["transport_node_ids"], json!([host]));
    }
}

#[test]
fn tags_are_replaced_as_a_whole() {
    let manager = manager();
    tag(&manager, "web", json!([{"scope": "tier", "tag": "web"}]));
    let told =
        || manager.get("/fabric/virtual-machines?external_id=web").results()[0]["tags"].clone();
    assert_eq!(told(), json!([{"scope": "tier", "tag": "web"}]));
    tag(&manager, "web", json!([{"tag": "other"}]));
    assert_eq!(told(), json!([{"scope": "", "tag": "other"}]));
    tag(&manager, "web", json!([]));
    assert_eq!(told(), json!([]));

    let action = "/fabric/virtual-machines?action=update_tags";
    let many = |count: usize| -> Vec<Value> {
        (0..count).map(|number| json!({"tag": number.to_string()})).collect()
    };
    manager.post(action, json!({"external_id": "web", "tags": many(25)})).expect(204);
    manager.post(action, json!({"external_id": "web", "tags": many(26)})).refused(400, 255);
    manager.post(action, json!({"external_id": "nobody", "tags": []})).refused(404, 600);
    manager.post(action, json!({"external_id": "web"})).refused(400, 255);
}

#[test]
fn groups_of_machines_bring_interfaces_ports_and_addresses() {
    let manager = manager();
    let criterion = json!({
        "resource_type": "NSGroupTagExpression", "target_type": "VirtualMachine",
        "scope": "tier", "tag": "web",
    });
    group(&manager, "g", criterion);
    assert!(members(&manager, "g", "virtual-machine").is_empty());
    tag(&manager, "web", json!([{"scope": "tier", "tag": "web"}]));
    assert_eq!(members(&manager, "g", "virtual-machine"), ["web"]);
    assert_eq!(members(&manager, "g", "vif"), ["web-4000"]);
    assert_eq!(members(&manager, "g", "logical-port"), ["web"]);
    let addresses = manager.get("/ns-groups/g/effective-ip-address-members").results();
    assert_eq!(addresses, ["10.0.0.2"]);
    assert_eq!(
        manager.get("/ns-groups/unassociated-virtual-machines").column("external_id"),
        ["db", "edge"]
    );

    // The port goes and comes back: so does its address.
    manager.delete("/logical-ports/web?detach=true").expect(200);
    assert!(manager.get("/ns-groups/g/effective-ip-address-members").results().is_empty());
    let body = json!({
        "logical_switch_id": "segment", "admin_state": "UP", "attachment": {"id": "vif-web"},
        "address_bindings": [{"ip_address": "10.0.0.9", "mac_address": "00:50:56:00:00:09"}],
    });
    manager.post("/logical-ports", body).expect(201);
    let addresses = manager.get("/ns-groups/g/effective-ip-address-members").results();
    assert_eq!(addresses, ["10.0.0.9"]);
}

#[test]
fn machines_are_chosen_by_name_and_by_what_the_guest_tells() {
    let manager = manager();
    for (property, op, value, expected) in [
        ("name", "STARTSWITH", "db", vec!["db"]),
        ("os_name", "CONTAINS", "Ubuntu", vec!["web"]),
        ("os_name", "STARTSWITH", "Windows", vec!["db"]),
        ("computer_name", "EQUALS", "web", vec!["web"]),
        ("name", "ENDSWITH", ".corp.local", vec!["db", "web"]),
    ] {
        let criterion = json!({
            "resource_type": "NSGroupSimpleExpression", "target_type": "VirtualMachine",
            "target_property": property, "op": op, "value": value,
        });
        let id = format!("{property}-{op}-{}", value.replace('.', ""));
        group(&manager, &id, criterion);
        // An edge's machine is nobody's by criterion.
        assert_eq!(members(&manager, &id, "virtual-machine"), expected, "{id}");
    }
}

#[test]
fn packets_obey_rules_about_tagged_machines() {
    let manager = manager();
    let criterion = json!({
        "resource_type": "NSGroupTagExpression", "target_type": "VirtualMachine",
        "scope": "state", "tag": "quarantine",
    });
    group(&manager, "q", criterion);
    let q = tests::reference("NSGroup", "q");
    let drop = json!({"action": "DROP", "sources": [q], "applied_tos": [q]});
    tests::section(&manager, "s", &[drop]);
    let outcome = || {
        let body = json!({"from": "web", "to": "10.0.0.3", "dst_port": 80});
        manager.post("/sim/v1/packets", body).expect(200)["outcome"].clone()
    };
    assert_eq!(outcome(), "DELIVERED");
    tag(&manager, "web", json!([{"scope": "state", "tag": "quarantine"}]));
    assert_eq!(outcome(), "DROPPED");
    tag(&manager, "web", json!([]));
    assert_eq!(outcome(), "DELIVERED");
}

#[test]
fn hosts_and_interfaces_are_members_by_id() {
    let manager = manager();
    let member = |kind: &str, id: &str| json!({"target_type": kind, "target_property": "id", "op": "EQUALS", "value": id});
    let both = [member("TransportNode", "host-2"), member("VirtualNetworkInterface", "db-4000")];
    manager.post("/ns-groups", json!({"id": "g", "members": both})).expect(201);
    assert_eq!(members(&manager, "g", "transport-node"), ["host-2"]);
    assert_eq!(members(&manager, "g", "vif"), ["db-4000"]);
    assert_eq!(members(&manager, "g", "logical-port"), ["db"]);
    let body = json!({"members": [member("VirtualNetworkInterface", "nobody")]});
    manager.post("/ns-groups", body).refused(404, 600);
}

#[test]
fn clusters_and_their_hosts_are_told_by_the_compute_manager() {
    let manager = manager();
    let manages = manager.get("/fabric/compute-managers").results();
    let id = manages[0]["id"].as_str().unwrap();
    let status = manager.get(&format!("/fabric/compute-managers/{id}/status")).expect(200);
    assert_eq!(
        (&status["registration_status"], &status["connection_status"]),
        (&json!("REGISTERED"), &json!("UP"))
    );
    let clusters = manager.get(&format!("/fabric/compute-collections?origin_id={id}")).results();
    let cluster = clusters[0]["external_id"].as_str().unwrap();
    let one = format!("/fabric/compute-collections/{cluster}");
    assert_eq!(manager.get(&one).expect(200), clusters[0]);
    let hosts =
        manager.get(&format!("/fabric/discovered-nodes?parent_compute_collection={cluster}"));
    assert_eq!(hosts.column("display_name"), ["esx-1", "esx-2", "esx-3"]);
    let by_node = manager.get("/fabric/compute-collections?node_id=host-2");
    assert_eq!(by_node.column("external_id"), [cluster]);
    let members = manager.get(&format!("{one}/member-status"));
    assert_eq!(members.column("node_id").len(), 3);
    manager.delete(&format!("/fabric/compute-managers/{id}")).refused(400, 500_030);
}

#[test]
fn a_profile_makes_the_hosts_of_its_cluster_alike() {
    let manager = manager();
    let cluster = manager.get("/fabric/compute-collections").column("external_id");
    let spec = |name: &str| {
        json!({
            "resource_type": "StandardHostSwitchSpec",
            "host_switches": [{"host_switch_name": name}],
        })
    };
    let profile = json!({"id": "p", "host_switch_spec": spec("first")});
    manager.post("/transport-node-profiles", profile).expect(201);
    let body = json!({"compute_collection_id": cluster[0], "transport_node_profile_id": "p"});
    let collection = manager.post("/transport-node-collections", body).expect(201);
    let host = || manager.get("/transport-nodes/host-2").expect(200);
    let name =
        |host: &Value| host["host_switch_spec"]["host_switches"][0]["host_switch_name"].clone();
    assert_eq!((name(&host()), &host()["is_overridden"]), (json!("first"), &json!(false)));
    manager.delete("/transport-node-profiles/p").refused(400, 500_030);

    let mut own = host();
    own["host_switch_spec"]["host_switches"][0]["host_switch_name"] = json!("own");
    let own = manager.put("/transport-nodes/host-2", own).expect(200);
    assert_eq!(own["is_overridden"], true);
    let state = format!("/transport-node-collections/{}/state", collection["id"].as_str().unwrap());
    assert_eq!(manager.get(&state).expect(200)["state"], "PROFILE_MISMATCH");

    let profile = json!({"_revision": 0, "host_switch_spec": spec("second")});
    manager.put("/transport-node-profiles/p", profile).expect(200);
    assert_eq!((name(&host()), &host()["is_overridden"]), (json!("second"), &json!(false)));
    assert_eq!(manager.get(&state).expect(200)["state"], "SUCCESS");
}
