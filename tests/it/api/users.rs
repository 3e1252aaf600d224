//! The appliance's own users and policies.

use serde_json::json;
use tests::Manager;

#[test]
fn an_appliance_has_its_three_users() {
    let manager = Manager::new();
    let users = manager.get("/node/users");
    assert_eq!(users.clone().column("username"), ["root", "admin", "audit"]);
    assert_eq!(users.clone().column("userid"), ["0", "10000", "10002"]);
    assert!(users.results().iter().all(|user| user.get("password").is_none()));
    assert_eq!(manager.get("/node/users/10000").expect(200)["status"], "ACTIVE");
    manager.get("/node/users/7").refused(404, 600);
}

#[test]
fn a_user_is_changed_but_for_what_the_appliance_knows_itself() {
    let manager = Manager::new();
    let mut audit = manager.get("/node/users/10002").expect(200);
    audit["full_name"] = "Annie Auditor".into();
    audit["status"] = "NOT_ACTIVATED".into();
    let changed = manager.put("/node/users/10002", audit).expect(200);
    assert_eq!(
        (&changed["full_name"], &changed["status"]),
        (&json!("Annie Auditor"), &json!("ACTIVE"))
    );
    for (body, field) in [
        (json!({"username": "admin"}), "username"),
        (json!({"username": ""}), "username"),
        (json!({"username": "a".repeat(33)}), "username"),
        (json!({"password_change_frequency": 10_000}), "password_change_frequency"),
        (json!({"password": "New-pass-123"}), "old_password"),
        (json!({"password": "short", "old_password": "VMware1!VMware1!"}), "password"),
    ] {
        let refused = manager.put("/node/users/10002", body.clone()).refused(400, 255);
        assert!(refused.contains(field), "{body}: {refused}");
    }
    manager.put("/node/users/10002", json!({"shell": "/bin/sh"})).refused(400, 287);
    manager.put("/node/users/0", json!({"username": "toor"})).refused(400, 255);
}

#[test]
fn a_users_roles_follow_a_new_name() {
    let manager = Manager::new();
    manager.put("/node/users/10002", json!({"username": "annie"})).expect(200);
    let names = manager.get("/aaa/role-bindings?type=local_user").column("name");
    assert_eq!(names, ["admin", "annie"]);
}

#[test]
fn ssh_keys_come_and_go_by_their_label() {
    let manager = Manager::new();
    let path = "/node/users/10000/ssh-keys";
    let key = json!({
        "label": "laptop", "type": "ssh-rsa", "value": "AAAA", "password": "VMware1!VMware1!",
    });
    let mut wrong = key.clone();
    wrong["password"] = "wrong".into();
    manager.post(&format!("{path}?action=add_ssh_key"), wrong).refused(400, 255);
    manager.post(&format!("{path}?action=add_ssh_key"), key).expect(200);
    let keys = manager.get(path).results();
    assert_eq!(keys, [json!({"label": "laptop", "type": "ssh-rsa", "value": "AAAA"})]);
    let name = |label: &str| json!({"label": label, "password": "VMware1!VMware1!"});
    manager.post(&format!("{path}?action=remove_ssh_key"), name("desk")).refused(400, 255);
    manager.post(&format!("{path}?action=remove_ssh_key"), name("laptop")).expect(200);
    assert!(manager.get(path).results().is_empty());
}

#[test]
fn a_policy_left_out_is_its_default() {
    let manager = Manager::new();
    let policy = manager.get("/node/aaa/auth-policy").expect(200);
    assert_eq!(
        (&policy["api_max_auth_failures"], &policy["minimum_password_length"]),
        (&json!(5), &json!(8))
    );
    let mut changed = policy.clone();
    changed["api_max_auth_failures"] = 3.into();
    assert_eq!(manager.put("/node/aaa/auth-policy", changed.clone()).expect(200), changed);
    assert_eq!(manager.get("/node/aaa/auth-policy").expect(200), changed);
    assert_eq!(manager.put("/node/aaa/auth-policy", json!({})).expect(200), policy);
    manager.put("/node/aaa/auth-policy", json!({"minimum_password_length": 7})).refused(400, 255);
    manager.put("/node/aaa/auth-policy", json!({"api_max_auth_failures": -1})).refused(400, 255);
}

#[test]
fn the_settings_of_the_api_have_two_names() {
    let manager = Manager::new();
    let mut config = manager.get("/cluster/api-service").expect(200);
    assert_eq!(
        (&config["session_timeout"], &config["client_api_rate_limit"]),
        (&json!(1800), &json!(0))
    );
    config["client_api_rate_limit"] = 50.into();
    config["lockout_immune_addresses"] = json!(["10.0.0.1"]);
    assert_eq!(manager.put("/cluster/api-service", config.clone()).expect(200), config);
    let mut http = manager.get("/node/services/http").expect(200);
    assert_eq!(http["service_name"], "http");
    assert_eq!(http["service_properties"]["client_api_rate_limit"], 50);
    http["service_properties"]["client_api_rate_limit"] = "70".into();
    // 202, and another one for the restart [nsxlib].
    manager.put("/node/services/http", http.clone()).expect(202);
    manager.post("/node/services/http?action=restart", json!({})).expect(202);
    assert_eq!(manager.get("/cluster/api-service").expect(200)["client_api_rate_limit"], 70);
    let status = manager.get("/node/services/http/status").expect(200);
    assert_eq!(status["runtime_state"], "running");
    for (body, field) in [
        (json!({"client_api_rate_limit": -1}), "client_api_rate_limit"),
        (json!({"protocol_versions": []}), "protocol_versions"),
        (json!({"redirect_host": "no host"}), "redirect_host"),
        (json!({"lockout_immune_addresses": ["here"]}), "lockout_immune_addresses"),
    ] {
        let refused = manager.put("/cluster/api-service", body).refused(400, 255);
        assert!(refused.contains(field), "{refused}");
    }
    manager.put("/cluster/api-service", json!({"speed": 1})).refused(400, 287);
    manager.put("/node/services/http", json!({"service_name": "ssh"})).refused(400, 255);
}
