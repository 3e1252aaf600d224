//! How routers route: what they are told, what they know, and what they translate.

use super::routers::{edges, free_port, link, segment, tier0, tier1};
use serde_json::{Value, json};
use tests::{Manager, VLAN};

const NODE: &str = "45a71150-f39e-4118-9890-e08d1bcd9ae1";

/// The routes of a router as `network type next_hop`.
fn table(manager: &Manager, router: &str, which: &str) -> Vec<String> {
    let path = format!("/logical-routers/{router}/routing/{which}transport_node_id={NODE}");
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let rows = manager.get(&path).results();
    rows.iter()
        .map(|own| {
            let hop = text(&own["next_hop"]);
            format!("{} {} {hop}", text(&own["network"]), text(&own["route_type"]))
        })
        .collect()
}

fn advertise(manager: &Manager, router: &str, more: &Value) {
    let path = format!("/logical-routers/{router}/routing/advertisement");
    let mut own = manager.get(&path).expect(200);
    for (name, value) in more.as_object().unwrap() {
        own[name] = value.clone();
    }
    manager.put(&path, own).expect(200);
}

#[test]
fn each_tier_has_its_own_parts_from_the_start() {
    let manager = Manager::new();
    tier0(&manager, "upper", "ACTIVE_ACTIVE");
    tier0(&manager, "standby", "ACTIVE_STANDBY");
    tier1(&manager, "lower");
    let get = |path: &str| manager.get(&format!("/logical-routers/{path}"));
    let bgp = get("upper/routing/bgp").expect(200);
    assert_eq!((&bgp["enabled"], &bgp["ecmp"]), (&json!(true), &json!(true)));
    assert_eq!(bgp["logical_router_id"], "upper");
    assert_eq!(bgp["graceful_restart_config"]["graceful_restart_mode"], "HELPER_ONLY");
    let bgp = get("standby/routing/bgp").expect(200);
    assert_eq!((&bgp["enabled"], &bgp["ecmp"]), (&json!(false), &json!(false)));
    for part in ["bfd-config", "redistribution", "redistribution/rules"] {
        get(&format!("upper/routing/{part}")).expect(200);
        get(&format!("lower/routing/{part}")).refused(404, 600);
    }
    for part in ["advertisement", "advertisement/rules"] {
        let own = get(&format!("lower/routing/{part}")).expect(200);
        assert_eq!((&own["_revision"], &own["logical_router_id"]), (&json!(0), &json!("lower")));
        get(&format!("upper/routing/{part}")).refused(404, 600);
    }
    assert_eq!(get("lower/routing").expect(200)["forwarding_up_timer"], 0);
    manager.delete("/logical-routers/upper").expect(200);
    get("upper/routing/bgp").refused(404, 600);
}

#[test]
fn a_router_knows_its_networks_and_those_that_others_tell_it_of() {
    let manager = Manager::new();
    tier0(&manager, "upper", "ACTIVE_STANDBY");
    tier1(&manager, "lower");
    segment(&manager, "upper", "core", "10.9.0.1/24");
    segment(&manager, "lower", "web", "10.1.0.1/24");
    link(&manager, "lower", "upper");
    assert_eq!(
        table(&manager, "lower", "routing-table?"),
        ["0.0.0.0/0 NSX_STATIC 100.64.0.0", "10.1.0.0/24 CONNECTED -", "100.64.0.0/31 CONNECTED -",]
    );
    let upper = ["10.9.0.0/24 CONNECTED -", "100.64.0.0/31 CONNECTED -"];
    assert_eq!(table(&manager, "upper", "routing-table?"), upper, "nothing is advertised yet");

    advertise(&manager, "lower", &json!({"enabled": true, "advertise_nsx_connected_routes": true}));
    let told = "10.1.0.0/24 NSX_CONNECTED 100.64.0.1";
    assert_eq!(table(&manager, "upper", "routing-table?"), [told, upper[0], upper[1]]);
    let route = json!({"network": "10.1.0.0/24", "next_hops": [{"ip_address": "10.9.0.9"}]});
    manager.post("/logical-routers/upper/routing/static-routes", route).expect(200);
    let fixed = "10.1.0.0/24 STATIC 10.9.0.9";
    assert_eq!(table(&manager, "upper", "routing-table?route_source=STATIC&"), [fixed]);
    let network = "network_prefix=10.1.0.0/24&";
    assert_eq!(table(&manager, "upper", &format!("routing-table?{network}")), [fixed, told]);
    assert_eq!(table(&manager, "upper", &format!("forwarding-table?{network}")), [fixed]);
    assert_eq!(table(&manager, "upper", "route-table?").len(), 4);

    let path = "/logical-routers/upper/routing/forwarding-table";
    let text = format!("{path}?format=csv&{network}transport_node_id={NODE}");
    let columns = "network,next_hop,admin_distance,route_type,logical_router_port_id";
    let row = "10.1.0.0/24,10.9.0.9,1,STATIC,";
    let text = manager.get(&text).expect(200);
    let lines: Vec<&str> = text.as_str().unwrap().lines().collect();
    assert_eq!(lines[0], columns);
    assert!(lines.len() == 2 && lines[1].starts_with(row), "{text}");
    manager.get(path).refused(400, 255);
    manager.get(&format!("{path}?transport_node_id=nobody")).refused(404, 600);
}

#[test]
fn rules_of_advertisement_go_before_the_switches() {
    let manager = Manager::new();
    tier0(&manager, "upper", "ACTIVE_STANDBY");
    tier1(&manager, "lower");
    segment(&manager, "lower", "web", "10.1.0.1/24");
    segment(&manager, "lower", "app", "10.2.0.1/24");
    link(&manager, "lower", "upper");
    advertise(&manager, "lower", &json!({"enabled": true, "advertise_nsx_connected_routes": true}));
    let rules = |rules: Value| {
        let path = "/logical-routers/lower/routing/advertisement/rules";
        let mut own = manager.get(path).expect(200);
        own["rules"] = rules;
        manager.put(path, own).expect(200);
    };
    let filter =
        |operator: &str, of: &str| json!({"prefix_operator": operator, "match_route_types": [of]});
    let learnt = || table(&manager, "upper", "routing-table?route_source=CONNECTED&");
    let (web, app, own) = (
        "10.1.0.0/24 NSX_CONNECTED 100.64.0.1",
        "10.2.0.0/24 NSX_CONNECTED 100.64.0.1",
        "100.64.0.0/31 CONNECTED -",
    );
    assert_eq!(learnt(), [web, app, own]);
    rules(json!([{"action": "DENY", "networks": ["10.1.0.0/16"]}]));
    assert_eq!(learnt(), [app, own]);
    let networks = json!(["10.1.0.0/16"]);
    rules(json!([{"action": "DENY", "networks": networks, "rule_filter": filter("EQ", "ANY")}]));
    assert_eq!(learnt(), [web, app, own], "the rule's network is another one");
    rules(json!([{"action": "DENY", "networks": networks, "rule_filter": filter("GE", "T1_NAT")}]));
    assert_eq!(learnt(), [web, app, own], "the rule is about other routes");
    advertise(&manager, "lower", &json!({"advertise_nsx_connected_routes": false}));
    rules(json!([{"networks": ["10.2.0.0/24"], "rule_filter": filter("EQ", "T1_CONNECTED")}]));
    assert_eq!(learnt(), [app, own]);
}

#[test]
fn a_static_route_tells_whether_its_next_hop_is_watched_and_what_it_discards() {
    let manager = Manager::new();
    tier0(&manager, "upper", "ACTIVE_STANDBY");
    segment(&manager, "upper", "core", "10.9.0.1/24");
    let path = "/logical-routers/upper/routing/static-routes";
    let hop = json!({
        "ip_address": "10.9.0.9",
        "logical_router_port_id": {"target_type": "LogicalRouterDownLinkPort", "target_id": "core-downlink"},
    });
    let body = json!({"network": "0.0.0.0/0", "next_hops": [hop, {"administrative_distance": 9}]});
    let made = manager.post(path, body).expect(200);
    let hops = made["next_hops"].clone();
    assert_eq!(hops[0]["administrative_distance"], 1);
    assert_eq!(hops[0]["bfd_enabled"], false);
    assert_eq!(hops[0]["logical_router_port_id"]["is_valid"], true);
    assert_eq!(hops[1]["blackhole_action"], "DISCARD");
    manager.post(&format!("{path}/bfd-peers"), json!({"peer_ip_address": "10.9.0.9"})).expect(201);
    let one = format!("{path}/{}", made["id"].as_str().unwrap());
    assert_eq!(manager.get(&one).expect(200)["next_hops"][0]["bfd_enabled"], true);
    manager.delete("/logical-router-ports/core-downlink").expect(400);
    let wrong = json!({"network": "10.0.0.0/8", "next_hops": [{"ip_address": "fd00::1"}]});
    manager.post(path, wrong).refused(400, 255);
    let nothing = json!({"network": "10.0.0.0/8", "next_hops": []});
    manager.post(path, nothing).refused(400, 255);
}

#[test]
fn a_neighbours_password_is_kept_and_told_only_when_asked_for() {
    let manager = Manager::new();
    tier0(&manager, "upper", "ACTIVE_STANDBY");
    let path = "/logical-routers/upper/routing/bgp/neighbors";
    let body = json!({
        "id": "peer", "neighbor_address": "192.0.2.9", "remote_as_num": "1.15", "password": "secret",
    });
    let made = manager.post(path, body).expect(200);
    assert_eq!(made.get("password"), None);
    assert_eq!(made["remote_as"], 65_551, "the older form says the same");
    assert_eq!(made["address_families"], json!([{"type": "IPV4_UNICAST", "enabled": true}]));
    let one = format!("{path}/peer");
    let shown = || manager.get(&format!("{one}?action=show-sensitive-data")).expect(200);
    assert_eq!(shown()["password"], "secret");
    manager.put(&one, made).expect(200);
    assert_eq!(shown()["password"], "secret", "a change without it keeps it");
    manager.post(&format!("{one}?action=clear_password"), json!({})).expect(200);
    assert_eq!(shown().get("password"), None);
    manager.post(path, json!({"neighbor_address": "192.0.2.9"})).refused(400, 255);
    let wrong = json!({"neighbor_address": "192.0.2.9", "remote_as_num": "many"});
    manager.post(path, wrong).refused(400, 255);
}

#[test]
fn neighbours_are_tried_from_where_the_uplinks_are() {
    let manager = Manager::new();
    tier0(&manager, "upper", "ACTIVE_ACTIVE");
    let body = json!({"id": "outer", "transport_zone_id": VLAN, "vlan": 7, "admin_state": "UP"});
    manager.post("/logical-switches", body).expect(201);
    for (id, index) in [("one", 0), ("two", 1)] {
        free_port(&manager, "outer", id);
        let address = format!("192.0.2.{}", index + 1);
        let uplink = json!({
            "resource_type": "LogicalRouterUpLinkPort",
            "logical_router_id": "upper",
            "edge_cluster_member_index": [index],
            "linked_logical_switch_port_id": {"target_type": "LogicalPort", "target_id": id},
            "subnets": [{"ip_addresses": [address], "prefix_length": 24}],
        });
        manager.post("/logical-router-ports", uplink).expect(201);
    }
    let path = "/logical-routers/upper/routing/bgp/neighbors";
    let body = json!({"id": "peer", "neighbor_address": "192.0.2.9", "remote_as_num": "65001"});
    manager.post(path, body).expect(200);
    let statuses = manager.get(&format!("{path}/status")).results();
    assert_eq!(statuses.len(), 2);
    assert_eq!(statuses[0]["connection_state"], "ACTIVE", "nobody answers");
    let text = manager.get(&format!("{path}/peer/routes?format=csv")).expect(200);
    assert_eq!(text.as_str().unwrap().lines().count(), 1, "names of columns alone: {text}");
    let told = manager.get(&format!("{path}/peer/advertised-routes")).expect(200);
    assert_eq!(told["per_transport_node_routes"].as_array().unwrap().len(), 2);
    assert_eq!(told["neighbor_address"], "192.0.2.9");
}

#[test]
fn filters_that_maps_name_stay() {
    let manager = Manager::new();
    tier0(&manager, "upper", "ACTIVE_STANDBY");
    let path = "/logical-routers/upper/routing";
    let list = json!({"id": "list", "prefixes": [{"action": "DENY", "ge": 8, "le": 24}]});
    manager.post(&format!("{path}/ip-prefix-lists"), list).expect(200);
    let communities = json!({"id": "communities", "communities": ["65001:1"]});
    manager.post(&format!("{path}/bgp/community-lists"), communities.clone()).expect(200);
    let map = json!({"id": "map", "sequences": [{
        "action": "PERMIT",
        "match_criteria": {
            "ip_prefix_lists": ["list"],
            "match_community_expression": {"expression": [{"community_list_id": "communities"}]},
        },
    }]});
    let made = manager.post(&format!("{path}/route-maps"), map).expect(200);
    let expression = &made["sequences"][0]["match_criteria"]["match_community_expression"];
    assert_eq!(expression["expression"][0]["match_operator"], "MATCH_ANY");
    manager.delete(&format!("{path}/ip-prefix-lists/list")).expect(400);
    manager.delete(&format!("{path}/bgp/community-lists/communities")).expect(400);
    let rules = format!("{path}/redistribution/rules");
    let mut own = manager.get(&rules).expect(200);
    own["rules"] = json!([{
        "sources": ["T0_CONNECTED"], "destination": "BGP", "route_map_id": "map",
        "address_family": "IPV4",
    }]);
    let own = manager.put(&rules, own).expect(200);
    assert_eq!(own["rules"][0]["address_family"], "IPV4_AND_IPV6", "the manager sets it");
    manager.delete(&format!("{path}/route-maps/map")).expect(400);
    for wrong in [
        json!({"communities": ["65001:x"]}),
        json!({"communities": ["0:1"]}),
        json!({"communities": ["1:2"], "community_type": "LargeBGPCommunity"}),
    ] {
        manager.post(&format!("{path}/bgp/community-lists"), wrong).refused(400, 255);
    }
    // The older spelling of the path.
    let older = format!("{path}/bgp/communty-lists/communities");
    let mut changed = communities;
    changed["_revision"] = 0.into();
    assert_eq!(manager.put(&older, changed).expect(200)["_revision"], 1);
    let crossed = json!({"prefixes": [{"action": "DENY", "ge": 24, "le": 8}]});
    manager.post(&format!("{path}/ip-prefix-lists"), crossed).refused(400, 255);
}

fn with_services(manager: &Manager) {
    let body = json!({"id": "lower", "router_type": "TIER1", "edge_cluster_id": edges(manager)});
    manager.post("/logical-routers", body).expect(201);
}

const RULES: &str = "/logical-routers/lower/nat/rules";

#[test]
fn a_nat_rule_has_a_number_and_both_forms_of_its_firewall_match() {
    let manager = Manager::new();
    with_services(&manager);
    // As the provider sends it: what is not set is empty [tf].
    let body = json!({
        "action": "SNAT",
        "match_source_network": "10.1.0.0/24",
        "match_destination_network": "",
        "translated_network": "192.0.2.7",
        "translated_ports": "",
        "firewall_match": "MATCH_INTERNAL_ADDRESS",
    });
    let made = manager.post(RULES, body).expect(201);
    let id = made["id"].as_str().unwrap();
    assert!(id.parse::<u64>().is_ok(), "{id}");
    assert_eq!((&made["nat_pass"], &made["rule_priority"]), (&json!(false), &json!(1024)));
    assert_eq!((&made["enabled"], &made["logging"]), (&json!(true), &json!(false)));
    let one = format!("{RULES}/{id}");
    let older = json!({
        "action": "DNAT", "match_destination_network": "192.0.2.8", "translated_network": "10.1.0.9",
        "translated_ports": "8080", "nat_pass": true, "_revision": 0,
    });
    let changed = manager.put(&one, older).expect(200);
    assert_eq!(changed["firewall_match"], "BYPASS");
    assert_eq!(changed["internal_rule_id"], made["internal_rule_id"]);
    assert_eq!(manager.get(RULES).column("id"), [id]);
    let counted = manager.get(&format!("{one}/statistics")).expect(200);
    assert_eq!((&counted["total_packets"], &counted["id"]), (&json!(0), &json!(id)));
    manager.get(&format!("{RULES}/statistics")).expect(200);
    manager.delete(&one).expect(200);
    let text = manager.get(&one).refused(400, 11_013);
    let own = format!("[Routing] Invalid resource NAT rule {id} for the logical router lower.");
    assert_eq!(text, own, "[tf #165]");
    manager.delete(&one).refused(400, 11_013);
    manager.get("/logical-routers/nobody/nat/rules").refused(404, 600);
}

#[test]
fn nat_rules_have_the_members_that_go_with_their_action() {
    let manager = Manager::new();
    with_services(&manager);
    for wrong in [
        json!({"action": "SNAT"}),
        json!({"action": "DNAT", "translated_network": "10.1.0.9"}),
        json!({"action": "NO_SNAT", "translated_network": "10.1.0.9"}),
        json!({"action": "NO_DNAT", "nat_pass": false}),
        json!({"action": "SNAT", "translated_network": "192.0.2.7", "translated_ports": "80"}),
        json!({"action": "REFLEXIVE", "translated_network": "192.0.2.7"}),
        json!({"action": "SNAT", "translated_network": "x"}),
        json!({
            "action": "SNAT", "translated_network": "192.0.2.7",
            "match_source_network": "10.0.0.1-10.0.0.9",
        }),
    ] {
        let answer = manager.post(RULES, wrong.clone());
        assert_eq!(answer.status, 400, "{wrong}");
    }
    let pool = json!({"action": "SNAT", "translated_network": "192.0.2.7-192.0.2.9"});
    manager.post(RULES, pool).expect(201);
    let reflexive = json!({
        "action": "REFLEXIVE", "match_source_network": "10.1.0.0/24",
        "translated_network": "192.0.2.0/24",
    });
    manager.post(RULES, reflexive.clone()).refused(400, 255);
    tier0(&manager, "active", "ACTIVE_ACTIVE");
    let other = "/logical-routers/active/nat/rules";
    manager.post(other, reflexive).expect(201);
    let source = json!({"action": "SNAT", "translated_network": "192.0.2.7"});
    manager.post(other, source).refused(400, 255);
}

#[test]
fn several_nat_rules_are_made_together_or_not_at_all() {
    let manager = Manager::new();
    with_services(&manager);
    let good = json!({"action": "SNAT", "translated_network": "192.0.2.7"});
    let path = format!("{RULES}?action=create_multiple");
    manager.post(&path, json!({"rules": [good, {"action": "SNAT"}]})).refused(400, 255);
    assert!(manager.get(RULES).results().is_empty());
    let made = manager.post(&path, json!({"rules": [good, {"action": "NO_SNAT"}]})).expect(201);
    assert_eq!(made["rules"].as_array().unwrap().len(), 2);
    assert_eq!(manager.get(RULES).results().len(), 2);
}

#[test]
fn translations_are_advertised_as_routes() {
    let manager = Manager::new();
    tier0(&manager, "upper", "ACTIVE_STANDBY");
    with_services(&manager);
    link(&manager, "lower", "upper");
    let rule = json!({"action": "SNAT", "translated_network": "192.0.2.6-192.0.2.8"});
    manager.post(RULES, rule).expect(201);
    advertise(&manager, "lower", &json!({"enabled": true, "advertise_nat_routes": true}));
    let hop = "TIER1_NAT 100.64.0.1";
    assert_eq!(
        table(&manager, "upper", "routing-table?route_source=TIER1_NAT&"),
        [format!("192.0.2.6/31 {hop}"), format!("192.0.2.8/32 {hop}")]
    );
}

#[test]
fn a_router_port_knows_its_neighbours() {
    let manager = Manager::new();
    tier1(&manager, "lower");
    segment(&manager, "lower", "web", "10.1.0.1/24");
    tests::Port::new("web", "web-1").address("10.1.0.7").make(&manager);
    tests::Port::new("web", "web-2").address("10.9.0.7").make(&manager);
    let path = "/logical-router-ports/web-downlink/arp-table";
    manager.get(path).refused(400, 255);
    let table = manager.get(&format!("{path}?transport_node_id={NODE}")).expect(200);
    let neighbour = json!({"ip": "10.1.0.7", "mac_address": "02:50:56:00:00:01"});
    assert_eq!(table["results"], json!([neighbour]));
    assert_eq!(table["logical_router_port_id"], "web-downlink");
    let text = manager.get(&format!("{path}?format=csv&transport_node_id={NODE}")).expect(200);
    assert_eq!(text, "ip,mac_address\n10.1.0.7,02:50:56:00:00:01\n");
    manager.get(&format!("{path}?format=csv")).refused(400, 255);
    let state = manager.get("/logical-router-ports/web-downlink/state").expect(200);
    assert_eq!(state["state"], "success");
}
