//! Roles: what each may do, who has which, and how they are told [facts §1.6].

use nsx_sim::inventory::Role;
use serde_json::{Value, json};
use tests::{DEFAULT_L3, Manager};

/// The member `role` of each of a binding's roles.
fn roles(binding: &Value) -> Vec<&str> {
    binding["roles"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|own| own["role"].as_str())
        .collect()
}

fn binding(name: &str, kind: &str, roles: &[&str]) -> Value {
    let roles: Vec<Value> = roles.iter().map(|role| json!({"role": role})).collect();
    json!({"name": name, "type": kind, "roles": roles})
}

#[test]
fn an_auditor_reads_everything_and_changes_nothing() {
    let manager = Manager::new();
    let auditor = manager.with_role("audit", Role::Auditor);
    for path in ["/ip-sets", "/firewall/sections", "/node/users", "/aaa/role-bindings"] {
        auditor.get(path).expect(200);
    }
    let text = auditor.post("/ip-sets", json!({})).refused(403, 401);
    assert!(text.contains("not authorized"), "{text}");
    auditor.put("/ip-sets/x", json!({})).refused(403, 401);
    auditor.delete("/ip-sets/x").refused(403, 401);
    auditor.post("/logical-routers", json!({})).refused(403, 401);
    let default = format!("/firewall/sections/{DEFAULT_L3}");
    auditor.post(&format!("{default}?action=list_with_rules"), json!({})).expect(200);
    auditor.post(&format!("{default}?action=lock"), json!({})).refused(403, 401);
}

#[test]
fn a_batch_may_do_no_more_than_its_calls() {
    let auditor = Manager::new().with_role("audit", Role::Auditor);
    let one = |method: &str| json!({"method": method, "uri": "/v1/ip-sets", "body": {}});
    let batch = json!({"requests": [one("GET"), one("POST")]});
    let results = auditor.post("/batch", batch).expect(200);
    let codes = [&results["results"][0]["code"], &results["results"][1]["code"]];
    assert_eq!(codes, [200, 403]);
    assert!(auditor.get("/ip-sets").results().is_empty());
}

#[test]
fn engineers_change_their_own_features_and_read_the_rest() {
    let manager = Manager::new();
    let network = manager.with_role("nora", Role::NetworkEngineer);
    let security = manager.with_role("sam", Role::SecurityEngineer);
    let section = json!({"display_name": "s", "section_type": "LAYER3", "stateful": true});
    let zone = json!({"display_name": "z", "transport_type": "OVERLAY"});
    network.post("/firewall/sections", section.clone()).refused(403, 401);
    security.post("/firewall/sections", section).expect(201);
    security.post("/transport-zones", zone.clone()).refused(403, 401);
    network.post("/transport-zones", zone).expect(201);
    for engineer in [&network, &security] {
        engineer.post("/ns-groups", json!({})).expect(201);
        engineer.post("/aaa/registration-token", json!({})).refused(403, 401);
    }
}

#[test]
fn a_caller_learns_who_it_is_and_what_roles_allow() {
    let manager = Manager::new();
    let info = manager.get("/aaa/user-info").expect(200);
    assert_eq!(info["user_name"], "admin");
    assert_eq!(info["roles"][0]["role"], "enterprise_admin");
    let info = manager.with_role("audit", Role::Auditor).get("/aaa/user-info").expect(200);
    assert_eq!(info["roles"], json!([{"role": "auditor", "permissions": ["read-api"]}]));
    assert_eq!(manager.get("/aaa/roles").column("role").len(), 16);
    let features = |role: &str| {
        let told = manager.get(&format!("/aaa/roles/{role}")).expect(200);
        let features = told["features"].as_array().cloned().unwrap_or_default();
        let pair = |own: Value| (own["feature"].clone(), own["permission"].clone());
        features.into_iter().map(pair).collect::<Vec<_>>()
    };
    assert!(features("enterprise_admin").iter().all(|(_, permission)| permission == "crud"));
    assert!(features("auditor").iter().all(|(_, permission)| permission == "read"));
    assert!(features("lb_admin").contains(&("load_balancing".into(), "crud".into())));
    manager.get("/aaa/roles/king").refused(404, 600);
}

#[test]
fn the_appliances_own_users_have_their_roles_from_the_start() {
    let manager = Manager::new();
    let bindings = manager.get("/aaa/role-bindings?type=local_user").results();
    let told: Vec<_> = bindings.iter().map(|own| (own["name"].as_str(), roles(own))).collect();
    let expected = [(Some("admin"), vec!["enterprise_admin"]), (Some("audit"), vec!["auditor"])];
    assert_eq!(told, expected);
    // The administrator stays one; the auditor may become more.
    let [admin, audit] = [&bindings[0], &bindings[1]];
    let path = |own: &Value| format!("/aaa/role-bindings/{}", own["id"].as_str().unwrap());
    let mut less = admin.clone();
    less["roles"] = json!([{"role": "auditor"}]);
    manager.put(&path(admin), less).refused(400, 255);
    let mut more = audit.clone();
    more["roles"] = json!([{"role": "auditor"}, {"role": "lb_admin"}]);
    assert_eq!(
        roles(&manager.put(&path(audit), more.clone()).expect(200)),
        ["auditor", "lb_admin"]
    );
    manager.put(&path(audit), more.clone()).refused(412, 604);
    more["_revision"] = 1.into();
    more["name"] = "other".into();
    assert!(manager.put(&path(audit), more).refused(400, 255).contains("name"));
    manager.delete(&path(audit)).refused(400, 255);
}

#[test]
fn users_of_an_identity_provider_are_bound_by_callers() {
    let manager = Manager::new();
    let path = "/aaa/role-bindings";
    // 200, where all other collections answer 201.
    let made = manager.post(path, binding("jane@corp", "remote_user", &["auditor"])).expect(200);
    assert_eq!((&made["stale"], &made["type"]), (&json!("UNKNOWN"), &json!("remote_user")));
    manager.post(path, binding("ops@corp", "remote_group", &["network_op"])).expect(200);
    let again = manager.post(path, binding("jane@corp", "remote_user", &["auditor"]));
    assert!(again.refused(400, 255).contains("name"));
    for (name, kind, roles, field) in [
        ("bob", "local_user", &["auditor"][..], "type"),
        ("ncp", "principal_identity", &["auditor"][..], "type"),
        ("bob", "remote_user", &[][..], "roles"),
        ("bob", "remote_user", &["king"][..], "roles"),
        ("bob", "remote_user", &["system"][..], "roles"),
        ("", "remote_user", &["auditor"][..], "name"),
    ] {
        let refused = manager.post(path, binding(name, kind, roles)).refused(400, 255);
        assert!(refused.contains(field), "{name} {kind} {roles:?}: {refused}");
    }
    let named = |query: &str| manager.get(&format!("{path}?{query}")).column("name");
    assert_eq!(named("name=jane@corp"), ["jane@corp"]);
    assert_eq!(named("type=remote_group"), ["ops@corp"]);
    manager.get("/aaa/role-bindings?type=nobody").refused(400, 255);
    manager.post("/aaa/role-bindings?action=delete_stale_bindings", json!({})).expect(200);
    let one = format!("{path}/{}", made["id"].as_str().unwrap());
    manager.delete(&one).expect(200);
    manager.get(&one).refused(404, 600);
}

#[test]
fn an_identity_provider_finds_whom_it_was_told_of() {
    let manager = Manager::new();
    let found = |what: &str| manager.get(&format!("/aaa/vidm/{what}")).column("name");
    let jane = binding("Jane@corp", "remote_user", &["auditor"]);
    manager.post("/aaa/role-bindings", jane).expect(200);
    assert!(found("users?search_string=jane").is_empty(), "none is registered");
    manager.get("/aaa/vidm/users").refused(400, 255);
    let status = manager.get("/node/aaa/providers/vidm/status").expect(200);
    assert_eq!(status["vidm_enable"], false);
    assert_eq!(manager.get("/node/aaa/providers/vidm").expect(200)["host_name"], "");
    let provider = json!({
        "host_name": "idm.corp", "client_id": "nsx", "client_secret": "s3cret",
        "thumbprint": "ab:cd", "node_host_name": "nsx.corp", "vidm_enable": true,
    });
    let kept = manager.put("/node/aaa/providers/vidm", provider.clone()).expect(200);
    assert_eq!((&kept["host_name"], kept.get("client_secret")), (&json!("idm.corp"), None));
    assert_eq!(found("users?search_string=jane"), ["Jane@corp"]);
    assert!(found("groups?search_string=jane").is_empty());
    let both = manager.post("/aaa/vidm/search?search_string=CORP", json!({})).column("type");
    assert_eq!(both, ["remote_user"]);
    manager.put("/node/aaa/providers/vidm", json!({"host_name": "x"})).refused(400, 255);
    let state =
        || manager.get("/node/aaa/providers/vidm/status").expect(200)["runtime_state"].clone();
    assert_eq!(state(), "ALL_OK");
    let mut off = provider;
    off["vidm_enable"] = json!(false);
    manager.put("/node/aaa/providers/vidm", off).expect(200);
    assert_eq!(state(), "NOT_OK", "ansible-for-nsxt takes this for gone");
}

#[test]
fn a_registration_token_stands_for_whoever_asked_for_it() {
    let manager = Manager::new();
    let made = manager.post("/aaa/registration-token", json!({})).expect(200);
    assert_eq!((&made["user"], &made["roles"]), (&json!("admin"), &json!(["enterprise_admin"])));
    let path = format!("/aaa/registration-token/{}", made["token"].as_str().unwrap());
    assert_eq!(manager.get(&path).expect(200), made);
    manager.delete(&path).expect(200);
    manager.get(&path).refused(404, 600);
    manager.delete(&path).refused(404, 600);
}
