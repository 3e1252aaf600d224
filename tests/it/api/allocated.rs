//! Addresses that ports take from the pools of their segment, and what passes ports.

use super::samples::with;
use serde_json::{Value, json};
use tests::{Manager, OVERLAY, Port, any_rule, section, switch};

/// A manager with a pool of two addresses, and a segment that has it and the manager's MAC pool.
fn prepared() -> Manager {
    let manager = Manager::new();
    let range = json!({"start": "10.0.0.2", "end": "10.0.0.3"});
    let subnet = json!({"cidr": "10.0.0.0/24", "allocation_ranges": [range]});
    manager.post("/pools/ip-pools", json!({"id": "pool", "subnets": [subnet]})).expect(201);
    let macs = manager.get("/pools/mac-pools").column("id").remove(0);
    let body = json!({
        "id": "segment", "transport_zone_id": OVERLAY, "admin_state": "UP",
        "ip_pool_id": "pool", "mac_pool_id": macs,
    });
    manager.post("/logical-switches", body).expect(201);
    manager
}

fn port(id: &str, addresses: &str) -> Value {
    let mut port = Port::new("segment", id).body();
    port["attachment"]["context"] = json!({
        "resource_type": "VifAttachmentContext", "vif_type": "PARENT",
        "allocate_addresses": addresses,
    });
    port
}

fn taken(manager: &Manager) -> Vec<String> {
    manager.get("/pools/ip-pools/pool/allocations").column("allocation_id")
}

#[test]
fn a_port_takes_its_addresses_from_the_segments_pools_and_gives_them_back() {
    let manager = prepared();
    let first = manager.post("/logical-ports", port("one", "Both")).expect(201);
    let binding = json!({"ip_address": "10.0.0.2", "mac_address": "02:50:56:00:00:00"});
    assert_eq!(first["address_bindings"], json!([binding]));
    let second = manager.post("/logical-ports", port("two", "Both")).expect(201);
    let binding = json!({"ip_address": "10.0.0.3", "mac_address": "02:50:56:00:00:01"});
    assert_eq!(second["address_bindings"], json!([binding]));
    assert_eq!(taken(&manager), ["10.0.0.2", "10.0.0.3"]);
    manager.post("/logical-ports", port("three", "IpPool")).refused(409, 5109);
    manager.delete("/pools/ip-pools/pool").expect(400);

    let changed = with(first, json!({"display_name": "renamed"}));
    let back = manager.put("/logical-ports/one", changed.clone()).expect(200);
    assert_eq!(back["address_bindings"], changed["address_bindings"], "kept over changes");
    let bare = with(port("one", "Both"), json!({"_revision": 1}));
    let back = manager.put("/logical-ports/one", bare).expect(200);
    assert_eq!(back["address_bindings"], changed["address_bindings"], "and when left out");

    let only_mac = with(port("one", "MacPool"), json!({"_revision": 2}));
    let back = manager.put("/logical-ports/one", only_mac).expect(200);
    assert_eq!(back["address_bindings"], json!([{"mac_address": "02:50:56:00:00:00"}]));
    assert_eq!(taken(&manager), ["10.0.0.3"]);
    manager.delete("/logical-ports/two?detach=true").expect(200);
    assert_eq!(taken(&manager), Vec::<String>::new());
}

#[test]
fn a_segment_without_pools_gives_nothing() {
    let manager = Manager::new();
    switch(&manager, "segment");
    for addresses in ["IpPool", "MacPool", "Both", "None"] {
        let made = manager.post("/logical-ports", port(addresses, addresses)).expect(201);
        assert_eq!(made["address_bindings"], json!([]));
    }
    let missing = json!({"transport_zone_id": OVERLAY, "admin_state": "UP", "ip_pool_id": "none"});
    manager.post("/logical-switches", missing).refused(404, 600);
}

#[test]
fn packets_find_a_port_by_the_address_that_it_was_given() {
    let manager = prepared();
    for id in ["one", "two"] {
        manager.post("/logical-ports", port(id, "Both")).expect(201);
    }
    let packet = json!({"from": "one", "to": "10.0.0.3", "dst_port": 80});
    let answer = manager.post("/sim/v1/packets", packet).expect(200);
    assert_eq!(answer["verdicts"][1]["logical_port_id"], "two", "{answer:#}");
}

#[test]
fn ports_and_segments_count_what_passes_them() {
    let manager = Manager::new();
    switch(&manager, "segment");
    Port::new("segment", "a").address("10.0.0.1").make(&manager);
    Port::new("segment", "b").address("10.0.0.2").make(&manager);
    let send = || {
        let packet = json!({"from": "a", "to": "b", "protocol": "UDP", "dst_port": 53});
        manager.post("/sim/v1/packets", packet).expect(200)
    };
    let counters = |path: &str| manager.get(&format!("{path}/statistics")).expect(200);
    send();
    let (a, b) = (counters("/logical-ports/a"), counters("/logical-ports/b"));
    assert_eq!((&a["tx_packets"]["total"], &a["rx_packets"]["total"]), (&json!(1), &json!(0)));
    assert_eq!((&b["tx_packets"]["total"], &b["rx_packets"]["total"]), (&json!(0), &json!(1)));
    assert_eq!(a["tx_bytes"], b["rx_bytes"]);
    assert_eq!(a["logical_port_id"], "a");
    // Dropped where it leaves: it never comes to the other port.
    section(&manager, "drop", &[any_rule("drop", "DROP")]);
    send();
    let segment = counters("/logical-switches/segment");
    let expected = json!({"total": 2, "dropped": 1, "multicast_broadcast": 0});
    assert_eq!(segment["tx_packets"], expected);
    assert_eq!(segment["rx_packets"]["total"], 1);
    assert_eq!(segment["logical_switch_id"], "segment");
    manager.get("/logical-ports/a/statistics?source=guess").refused(400, 255);
    manager.get("/logical-ports/none/statistics").refused(404, 600);
}
