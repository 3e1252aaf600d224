//! Licences, the agreement with the user, and what other releases have [facts §4.17, §7].

use serde_json::{Value, json};
use tests::Manager;

const KEY: &str = "AB1CD-EF2GH-IJ3KL-MN4OP-QR5ST";

fn key(text: &str) -> Value {
    json!({"license_key": text})
}

#[test]
fn licences_come_and_go_by_their_keys_and_the_last_one_stays() {
    let manager = Manager::new();
    let first = manager.get("/licenses").results().remove(0);
    assert_eq!((&first["expiry"], &first["is_expired"]), (&json!(0), &json!(false)));
    assert_eq!(manager.get("/license").expect(200), first, "some log in by it");
    // 200 where other collections answer 201.
    let added = manager.post("/licenses", key(KEY)).expect(200);
    assert_eq!((&added["license_key"], &added["is_eval"]), (&json!(KEY), &json!(false)));
    assert_eq!(manager.get("/license").expect(200), added);
    assert_eq!(manager.get(&format!("/licenses/{KEY}")).expect(200), added);
    manager.post("/licenses", added).refused(400, 500_127);
    for wrong in [key("short"), key(""), key("AB1CD-EF2GH-IJ3KL-MN4OP-QR5S!"), json!({})] {
        assert!(manager.post("/licenses", wrong).refused(400, 255).contains("license_key"));
    }
    manager.post("/licenses", json!({"license_key": KEY, "owner": "me"})).refused(400, 287);
    let delete = "/licenses?action=delete";
    manager.post(delete, key("AAAAA-AAAAA-AAAAA-AAAAA-AAAAA")).refused(404, 600);
    manager.post(delete, key(first["license_key"].as_str().unwrap())).expect(200);
    manager.post(delete, key(KEY)).refused(400, 255);
    let other = "ZZ1CD-EF2GH-IJ3KL-MN4OP-QR5ST";
    assert_eq!(manager.put("/license", key(other)).expect(200)["license_key"], other);
    assert_eq!(manager.get("/licenses").column("license_key"), [other]);
    manager.delete(&format!("/licenses/{other}")).refused(400, 255);
}

#[test]
fn whoever_installed_the_manager_has_agreed() {
    let manager = Manager::new();
    assert_eq!(manager.get("/eula/acceptance").expect(200), json!({"acceptance": true}));
    manager.post("/eula/accept", json!({})).expect(200);
    assert!(manager.get("/eula/content").expect(200)["content"].is_string());
    let upgrade = "/upgrade/eula/acceptance";
    assert_eq!(manager.get(upgrade).expect(200), json!({"acceptance": false}));
    manager.post("/upgrade/eula/accept", json!({})).expect(200);
    assert_eq!(manager.get(upgrade).expect(200), json!({"acceptance": true}));
    assert!(manager.get("/upgrade/eula/content").expect(200)["content"].is_string());
}

#[test]
fn a_manager_says_the_release_that_it_is_told() {
    for (told, node, product) in [
        ("2.4.1", "2.4.1.0.0.15314288", "2.4.1"),
        ("2.5.1.0.0.7", "2.5.1.0.0.7", "2.5.1"),
        ("3.1", "3.1.0.0.0.15314288", "3.1.0"),
    ] {
        let manager = Manager::of_version(told);
        let version = manager.get("/node/version").expect(200);
        assert_eq!(version, json!({"node_version": node, "product_version": product}));
        assert_eq!(manager.get("/node").expect(200)["node_version"], node);
    }
}

#[test]
fn releases_differ_in_what_clients_look_for() {
    let (old, new) = (Manager::new(), Manager::of_version("3.1"));
    old.get("/licenses/licensed-features").refused(404, 404);
    let features = new.get("/licenses/licensed-features").column("feature_name");
    assert_eq!(features, ["CONTAINER", "DFW"]);
    let status = |manager: &Manager| manager.get("/cluster/status").expect(200);
    assert!(status(&old).get("detailed_cluster_status").is_none());
    assert_eq!(status(&new)["detailed_cluster_status"]["overall_status"], "STABLE");
    assert_eq!(old.get("/search/query").status, 404);
    let answer = |manager: &Manager| {
        let login = json!({
            "credential_type": "UsernamePasswordLoginCredential", "thumbprint": "00",
        });
        let body = json!({
            "server": "vcenter", "origin_type": "vCenter", "credential": login, "multi_nsx": false,
        });
        manager.post("/fabric/compute-managers", body)
    };
    assert!(answer(&old).refused(400, 287).contains("multi_nsx"));
    answer(&new).refused(400, 287);
    let made = answer(&Manager::of_version("3.2")).expect(201);
    assert_eq!(made["multi_nsx"], false);
    assert_eq!(made["access_level_for_oidc"], "FULL");
    assert_eq!(made["reverse_proxy_https_port"], 443);
    // The action went away, all others stayed.
    let added = |manager: &Manager, action: &str| {
        let router = json!({"id": "t1", "router_type": "TIER1"});
        manager.post("/logical-routers", router);
        let rule = json!({"action": action, "match_destination_network": "10.0.0.0/24"});
        manager.post("/logical-routers/t1/nat/rules", rule)
    };
    added(&old, "NO_NAT").expect(201);
    assert!(added(&new, "NO_NAT").refused(400, 255).contains("NO_NAT"));
    added(&new, "NO_DNAT").expect(201);
}

#[test]
fn the_health_of_the_manager_is_told_in_both_ways() {
    let manager = Manager::new();
    assert_eq!(manager.get("/reverse-proxy/node/health").expect(200)["healthy"], true);
    let status = manager.get("/operational/application/status").expect(200);
    assert_eq!(status, json!({"application_status": "WORKING"}));
}
