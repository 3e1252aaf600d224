//! DHCP servers and relays, and what else is attached to a segment's port: metadata proxies and
//! bridges [facts §4.15].

use super::samples::with;
use serde_json::{Value, json};
use tests::{Manager, VLAN, switch};

/// The edge cluster that every manager has.
fn edges(manager: &Manager) -> String {
    manager.get("/edge-clusters").column("id").remove(0)
}

fn profile(manager: &Manager) -> Value {
    let body = json!({"id": "profile", "edge_cluster_id": edges(manager)});
    manager.post("/dhcp/server-profiles", body).expect(201)
}

/// A manager with a DHCP server and a segment.
fn with_server() -> Manager {
    let manager = Manager::new();
    profile(&manager);
    let server = json!({"dhcp_server_ip": "10.0.0.1/24", "gateway_ip": "10.0.0.254"});
    let body = json!({"id": "server", "dhcp_profile_id": "profile", "ipv4_dhcp_server": server});
    manager.post("/dhcp/servers", body).expect(201);
    switch(&manager, "segment");
    manager
}

fn port(id: &str, switch: &str, attachment_type: &str, attached: &str) -> Value {
    let attachment = json!({"attachment_type": attachment_type, "id": attached});
    json!({"id": id, "logical_switch_id": switch, "admin_state": "UP", "attachment": attachment})
}

#[test]
fn a_server_is_attached_to_one_port_and_stays_while_it_is() {
    let manager = with_server();
    let server = || manager.get("/dhcp/servers/server").expect(200);
    assert_eq!(server().get("attached_logical_port_id"), None);
    let status = || manager.get("/dhcp/servers/server/status").expect(200);
    assert_eq!(status()["service_status"], "DOWN");
    let body = port("port", "segment", "DHCP_SERVICE", "server");
    manager.post("/logical-ports", body.clone()).expect(201);
    assert_eq!(server()["attached_logical_port_id"], "port");
    assert_eq!(status()["service_status"], "UP");
    let nodes = manager.get("/transport-nodes").column("id");
    for node in ["active_node", "stand_by_node"] {
        assert!(nodes.contains(&status()[node].as_str().unwrap().to_owned()), "{}", status());
    }
    manager.post("/logical-ports", with(body, json!({"id": "other"}))).refused(400, 255);
    let missing = port("other", "segment", "DHCP_SERVICE", "none");
    manager.post("/logical-ports", missing).refused(404, 600);
    manager.delete("/dhcp/servers/server").expect(400);
    manager.delete("/dhcp/server-profiles/profile").expect(400);
    manager.delete("/logical-ports/port?detach=true").expect(200);
    manager.delete("/dhcp/servers/server").expect(200);
    manager.delete("/dhcp/server-profiles/profile").expect(200);
}

#[test]
fn a_profile_is_placed_on_two_members_of_its_cluster() {
    let manager = Manager::new();
    let made = profile(&manager);
    assert_eq!(made.get("edge_cluster_member_indexes"), None, "two are chosen, and not told");
    let put = |body: Value| manager.put("/dhcp/server-profiles/profile", with(made.clone(), body));
    put(json!({"edge_cluster_member_indexes": [7]})).refused(400, 255);
    put(json!({"edge_cluster_member_indexes": [1, 1]})).refused(400, 255);
    put(json!({"edge_cluster_member_indexes": [0, 1, 2]})).refused(400, 255);
    let one = put(json!({"edge_cluster_member_indexes": [1]})).expect(200);
    assert_eq!(one["edge_cluster_member_indexes"], json!([1]));
    let body = json!({"edge_cluster_id": edges(&manager), "_revision": 1});
    let kept = manager.put("/dhcp/server-profiles/profile", body).expect(200);
    assert_eq!(kept.get("edge_cluster_member_indexes"), None, "what is asked no more is not told");
    let server = json!({
        "id": "s", "dhcp_profile_id": "profile", "ipv4_dhcp_server": {"dhcp_server_ip": "10.0.0.1/24"},
    });
    manager.post("/dhcp/servers", server).expect(201);
    let status = manager.get("/dhcp/servers/s/status").expect(200);
    assert_eq!(status.get("stand_by_node"), None, "and stays chosen: one member only");
    manager.delete("/dhcp/servers/s").expect(200);
    manager.post("/edge-clusters", json!({"id": "empty"})).expect(201);
    let moved = json!({"edge_cluster_id": "empty", "_revision": 2});
    manager.put("/dhcp/server-profiles/profile", moved.clone()).refused(400, 255);
    let reallocate = "/dhcp/server-profiles/profile?action=reallocate";
    let moved = manager.post(reallocate, moved).expect(200);
    assert_eq!((&moved["edge_cluster_id"], &moved["_revision"]), (&json!("empty"), &json!(3)));
    assert_eq!(moved.get("edge_cluster_member_indexes"), None, "the cluster has no members");
    manager.delete("/edge-clusters/empty").expect(400);
    let none = json!({"edge_cluster_id": "none"});
    manager.post("/dhcp/server-profiles", none).refused(404, 600);
}

#[test]
fn pools_and_bindings_are_part_of_their_server() {
    let manager = with_server();
    let range = json!({"start": "10.0.0.10", "end": "10.0.0.19"});
    let body = json!({"id": "pool", "allocation_ranges": [range]});
    let pool = manager.post("/dhcp/servers/server/ip-pools", body.clone()).expect(201);
    assert_eq!(
        (&pool["lease_time"], &pool["warning_threshold"], &pool["error_threshold"]),
        (&json!(86_400), &json!(80), &json!(100))
    );
    let twice = with(body, json!({"id": "twice"}));
    manager.post("/dhcp/servers/server/ip-pools", twice).refused(400, 255);
    let binding = json!({"mac_address": "02:50:56:00:00:01", "ip_address": "10.0.0.30"});
    manager
        .post("/dhcp/servers/server/static-bindings", with(binding.clone(), json!({"id": "host"})))
        .expect(201);
    manager.post("/dhcp/servers/server/static-bindings", binding).refused(400, 255);
    for path in ["", "/ip-pools/pool", "/static-bindings/host"] {
        let state = manager.get(&format!("/dhcp/servers/server{path}/state")).expect(200);
        assert_eq!(state["state"], "success");
    }
    manager.get("/dhcp/servers/none/ip-pools").refused(404, 600);
    let statistics = manager.get("/dhcp/servers/server/statistics").expect(200);
    assert_eq!((&statistics["acks"], &statistics["dhcp_server_id"]), (&json!(0), &json!("server")));
    let usage = &statistics["ip_pool_stats"][0];
    assert_eq!((&usage["dhcp_ip_pool_id"], &usage["pool_size"]), (&json!("pool"), &json!(10)));
    manager.delete("/dhcp/servers/server").expect(200);
    manager.post("/dhcp/servers", json!({"id": "server"})).refused(400, 255);
    manager.get("/dhcp/servers/server/ip-pools/pool").refused(404, 600);
}

#[test]
fn leases_are_asked_for_by_pool_or_by_address() {
    let manager = with_server();
    let body = json!({"id": "pool", "allocation_ranges": []});
    manager.post("/dhcp/servers/server/ip-pools", body).expect(201);
    let leases = "/dhcp/servers/server/leases";
    for query in ["", "?pool_id=pool", "?address=10.0.0.1-10.0.0.9", "?address=02:50:56:00:00:01"] {
        let answer = manager.get(&format!("{leases}{query}")).expect(200);
        assert_eq!((&answer["leases"], &answer["dhcp_server_id"]), (&json!([]), &json!("server")));
    }
    manager.get(&format!("{leases}?pool_id=none")).refused(404, 600);
    manager.get(&format!("{leases}?address=host")).refused(400, 255);
    manager.get(&format!("{leases}?pool_id=pool&address=10.0.0.1")).refused(400, 255);
    manager.delete(&format!("{leases}?ip=10.0.0.1&mac=02:50:56:00:00:01")).expect(200);
    manager.delete(&format!("{leases}?ip=10.0.0.1")).refused(400, 255);
}

#[test]
fn options_have_their_limits() {
    let manager = with_server();
    let post = |options: Value| {
        let body = json!({"allocation_ranges": [], "options": options});
        manager.post("/dhcp/servers/server/ip-pools", body)
    };
    let route = json!({"network": "10.1.0.0/16", "next_hop": "10.0.0.9"});
    let options = json!({
        "option121": {"static_routes": [route]},
        "others": [{"code": 42, "values": ["10.0.0.2"]}],
    });
    assert_eq!(post(options.clone()).expect(201)["options"], options);
    post(json!({"option121": {"static_routes": []}})).refused(400, 255);
    post(json!({"others": [{"code": 256, "values": ["1"]}]})).refused(400, 255);
    post(json!({"others": [{"code": 42, "values": []}]})).refused(400, 255);
    post(json!({"others": [{"code": 121, "values": ["1"]}]})).refused(400, 255);
}

#[test]
fn a_metadata_proxy_serves_many_segments() {
    let manager = Manager::new();
    let proxy = |url: &str| json!({"id": "proxy", "metadata_server_url": url, "edge_cluster_id": edges(&manager)});
    for wrong in
        ["ftp://host:3000", "http://host", "http://host:2999", "https://:3000", "host:3000"]
    {
        manager.post("/md-proxies", proxy(wrong)).refused(400, 255);
    }
    manager.post("/md-proxies", proxy("https://10.0.0.1:9000/path")).expect(201);
    for at in ["one", "two", "three"] {
        switch(&manager, at);
    }
    for at in ["one", "two"] {
        let body = port(&format!("port-{at}"), at, "METADATA_PROXY", "proxy");
        manager.post("/logical-ports", body).expect(201);
    }
    let proxy = manager.get("/md-proxies/proxy").expect(200);
    assert_eq!(proxy["attached_logical_port_id"], "port-one");
    let status = |at: &str| {
        let path = format!("/md-proxies/proxy/{at}/status");
        manager.get(&path).expect(200)["proxy_status"].clone()
    };
    assert_eq!(
        (status("one"), status("two"), status("three")),
        (json!("UP"), json!("UP"), json!("DOWN"))
    );
    manager.get("/md-proxies/proxy/none/status").refused(404, 600);
    let statistics = |query: &str| {
        let path = format!("/md-proxies/proxy/statistics{query}");
        manager.get(&path).expect(200)["statistics"].as_array().unwrap().len()
    };
    assert_eq!((statistics(""), statistics("?logical_switch_id=two")), (2, 1));
    manager.delete("/md-proxies/proxy").expect(400);
}

#[test]
fn a_bridge_is_on_hosts_or_on_edges_and_on_one_vlan_or_a_trunk() {
    let manager = Manager::new();
    let node = manager.get("/transport-nodes").column("id").remove(0);
    let nodes = json!({"id": "cluster", "bridge_nodes": [{"transport_node_id": node}]});
    manager.post("/bridge-clusters", nodes).expect(201);
    manager.delete(&format!("/transport-nodes/{node}")).expect(400);
    let profile = json!({"id": "profile", "edge_cluster_id": edges(&manager)});
    let profile = manager.post("/bridge-endpoint-profiles", profile).expect(201);
    assert_eq!(
        (&profile["failover_mode"], &profile["high_availability_mode"]),
        (&json!("PREEMPTIVE"), &json!("ACTIVE_STANDBY"))
    );
    let post = |body: Value| manager.post("/bridge-endpoints", body);
    let trunk = json!({"vlan_ranges": [{"start": 7, "end": 9}]});
    post(json!({"id": "hosts", "bridge_cluster_id": "cluster", "vlan": 7})).expect(201);
    post(json!({
        "id": "edges", "bridge_endpoint_profile_id": "profile", "vlan_transport_zone_id": VLAN,
        "vlan_trunk_spec": trunk,
    }))
    .expect(201);
    for wrong in [
        json!({"vlan": 7}),
        json!({"bridge_cluster_id": "cluster"}),
        json!({"bridge_cluster_id": "cluster", "vlan_trunk_spec": trunk}),
        json!({"bridge_endpoint_profile_id": "profile", "vlan": 7}),
        json!({"bridge_cluster_id": "cluster", "bridge_endpoint_profile_id": "profile", "vlan": 7}),
        json!({
            "bridge_endpoint_profile_id": "profile",
            "vlan_transport_zone_id": tests::OVERLAY,
            "vlan": 7,
        }),
    ] {
        post(wrong).refused(400, 255);
    }
    post(json!({"bridge_cluster_id": "none", "vlan": 7})).refused(404, 600);
    let active = |id: &str| {
        let path = format!("/bridge-endpoints/{id}/status");
        manager.get(&path).expect(200)["active_nodes"].clone()
    };
    assert_eq!(active("hosts"), json!([node]));
    assert_eq!(active("edges").as_array().unwrap().len(), 1);
    assert_eq!(manager.get("/bridge-clusters/cluster/status").expect(200)["health"], "UP");
    let statistics = manager.get("/bridge-endpoints/hosts/statistics").expect(200);
    assert_eq!(statistics["rx_packets"]["total"], 0);
}

#[test]
fn a_bridge_endpoint_stays_while_a_port_is_attached_to_it() {
    let manager = Manager::new();
    switch(&manager, "segment");
    manager.post("/bridge-clusters", json!({"id": "cluster"})).expect(201);
    let body = json!({"id": "bridge", "bridge_cluster_id": "cluster", "vlan": 7});
    manager.post("/bridge-endpoints", body).expect(201);
    let body = port("port", "segment", "BRIDGEENDPOINT", "bridge");
    manager.post("/logical-ports", body).expect(201);
    manager.delete("/bridge-endpoints/bridge").refused(400, 8407);
    manager.delete("/bridge-clusters/cluster").expect(400);
    let on = |cluster: &str| {
        manager.get(&format!("/logical-ports?bridge_cluster_id={cluster}")).column("id")
    };
    assert_eq!((on("cluster"), on("none")), (vec!["port".to_owned()], vec![]));
    manager.delete("/logical-ports/port?detach=true").expect(200);
    manager.delete("/bridge-endpoints/bridge").expect(200);
}

#[test]
fn a_dns_forwarder_is_switched_and_tells_that_nobody_asked() {
    let manager = Manager::new();
    let body = json!({
        "id": "dns",
        "logical_router_id": "router",
        "listener_ip": "10.0.0.1",
        "default_forwarder": {"upstream_servers": ["10.0.0.2"]},
        "conditional_forwarders": [
            {"upstream_servers": ["10.0.0.3"], "domain_names": ["example.com"]},
        ],
    });
    // The one creation that is declared to answer 200 [spec].
    let made = manager.post("/dns/forwarders", body.clone()).expect(200);
    assert_eq!(
        (&made["enabled"], &made["cache_size"], &made["log_level"]),
        (&json!(true), &json!(1024), &json!("INFO"))
    );
    manager.post("/dns/forwarders", with(body, json!({"id": "second"}))).refused(400, 255);
    let switched = |word: &str| {
        let answer = manager.post(&format!("/dns/forwarders/dns?action={word}"), json!({}));
        assert_eq!((answer.status, answer.body), (200, Value::Null));
        let read = manager.get("/dns/forwarders/dns").expect(200);
        (read["enabled"].clone(), read["_revision"].clone())
    };
    assert_eq!(switched("enable"), (json!(true), json!(0)), "it is already");
    assert_eq!(switched("disable"), (json!(false), json!(1)));
    assert_eq!(switched("clear_cache"), (json!(false), json!(1)));
    let statistics = manager.get("/dns/forwarders/dns/statistics").expect(200);
    assert_eq!(statistics["total_queries"], 0);
    let zone = &statistics["conditional_forwarder_statistics"][0];
    assert_eq!(zone["domain_names"], json!(["example.com"]));
    assert_eq!(zone["upstream_statistics"][0]["upstream_server"], "10.0.0.3");
    assert_eq!(manager.get("/dns/forwarders/dns/state").expect(200)["state"], "success");
}

#[test]
fn a_dns_forwarder_works_where_its_routers_services_do() {
    let manager = Manager::new();
    let router = json!({
        "id": "t1", "router_type": "TIER1", "edge_cluster_id": edges(&manager),
    });
    manager.post("/logical-routers", router).expect(201);
    let body = json!({
        "id": "dns",
        "logical_router_id": "t1",
        "listener_ip": "10.0.0.1",
        "default_forwarder": {"upstream_servers": ["10.0.0.2"]},
    });
    manager.post("/dns/forwarders", body).expect(200);
    let status = || manager.get("/dns/forwarders/dns/status").expect(200);
    assert_eq!(status()["status"], "UP");
    let active = status()["active_node"].clone();
    let failed = manager.get("/dns/forwarders/dns/failed-queries").expect(200);
    assert_eq!(failed["per_node_failed_queries"].as_array().unwrap().len(), 2);
    manager.get("/dns/forwarders/dns/failed-queries?count=0").refused(400, 255);
    let lookup = "/dns/forwarders/dns/nslookup";
    manager.get(lookup).refused(400, 255);
    manager.get(&format!("{lookup}?address=a.b&server_ip=here")).refused(400, 255);
    let told = manager.get(&format!("{lookup}?address=nsx.corp.local")).expect(200);
    assert_eq!((&told["dns_server"], &told["source_ip"]), (&json!("10.0.0.2"), &json!("10.0.0.1")));
    assert_eq!(told["edge_node_id"], active);
    assert!(told.get("answers").is_none(), "no server is there to answer");

    let away =
        format!("/transport-nodes/{}?action=enter_maintenance_mode", active.as_str().unwrap());
    manager.post(&away, json!({})).expect(200);
    assert_eq!(status()["status"], "NO_BACKUP");
    assert_ne!(status()["active_node"], active);
    manager.post("/dns/forwarders/dns?action=disable", json!({})).expect(200);
    assert_eq!(status()["status"], "DOWN");
}
