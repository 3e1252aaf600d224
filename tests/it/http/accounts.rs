//! Several accounts: who comes in, what for, and who is locked out.

use super::{PASSWORD, STANDARD, Server};
use base64::Engine;
use nsx_sim::http::Options;
use std::time::Duration;

fn scheme(scheme: &str, user: &str, password: &str) -> String {
    format!("{scheme} {}", STANDARD.encode(format!("{user}:{password}")))
}

impl Server {
    /// As any user.
    fn by(&self, authorization: &str, method: &str, path: &str, body: &str) -> super::Answer {
        self.call(method, path, &[("Authorization", authorization)], body.as_bytes())
    }
}

#[test]
fn the_auditor_comes_in_and_reads() {
    let server = Server::new();
    let audit = scheme("Basic", "audit", PASSWORD);
    let info = server.by(&audit, "GET", "/api/v1/aaa/user-info", "");
    assert_eq!(info.json()["user_name"], "audit");
    assert_eq!(server.by(&audit, "GET", "/api/v1/ip-sets", "").status, 200);
    let denied = server.by(&audit, "POST", "/api/v1/ip-sets", "{}");
    denied.refused(403, 401);
    assert_eq!(denied.json()["httpStatus"], "FORBIDDEN");
    // What is no account, or none of the API's, does not.
    for user in ["root", "nobody", ""] {
        server.by(&scheme("Basic", user, PASSWORD), "GET", "/api/v1/node", "").is_refused();
    }
}

#[test]
fn an_auditor_without_password_does_not_come_in() {
    let mut options = Options::default();
    options.settings.node.audit_password = String::new();
    let server = Server::with(options);
    for password in ["", PASSWORD] {
        let audit = scheme("Basic", "audit", password);
        server.by(&audit, "GET", "/api/v1/node", "").is_refused();
    }
    let body = r#"{"password": "Other-pass-1"}"#;
    assert_eq!(server.admin("PUT", "/api/v1/node/users/10002", body).status, 200);
    let audit = scheme("Basic", "audit", "Other-pass-1");
    assert_eq!(server.by(&audit, "GET", "/api/v1/node", "").status, 200);
}

#[test]
fn five_wrong_passwords_lock_an_account_for_a_quarter_of_an_hour() {
    let server = Server::new();
    let (right, wrong) = (scheme("Basic", "admin", PASSWORD), scheme("Basic", "admin", "wrong"));
    let get = |authorization: &str| server.by(authorization, "GET", "/api/v1/node", "");
    for _ in 0..4 {
        get(&wrong).is_refused();
    }
    assert_eq!(get(&right).status, 200, "which forgets the four");
    for _ in 0..4 {
        get(&wrong).is_refused();
    }
    // The two ways to come in count together.
    let form = b"j_username=admin&j_password=wrong";
    server.call("POST", "/api/session/create", &[], form).is_refused();
    get(&right).is_refused();
    let audit = scheme("Basic", "audit", PASSWORD);
    assert_eq!(get(&audit).status, 200, "others are not concerned");
    server.clock.advance(Duration::from_secs(899));
    get(&right).is_refused();
    server.clock.advance(Duration::from_secs(1));
    assert_eq!(get(&right).status, 200);
}

#[test]
fn an_immune_address_is_never_locked_out() {
    let server = Server::new();
    let body = r#"{"lockout_immune_addresses": ["127.0.0.1"]}"#;
    assert_eq!(server.admin("PUT", "/api/v1/cluster/api-service", body).status, 200);
    let wrong = scheme("Basic", "admin", "wrong");
    for _ in 0..9 {
        server.by(&wrong, "GET", "/api/v1/node", "").is_refused();
    }
    assert_eq!(server.admin("GET", "/api/v1/node", "").status, 200);
}

#[test]
fn a_session_lives_as_long_as_the_settings_say() {
    let server = Server::new();
    let (cookie, token) = server.login();
    let headers = [("Cookie", cookie.as_str()), ("X-XSRF-TOKEN", token.as_str())];
    let get = || server.call("GET", "/api/v1/node", &headers, b"");
    let body = r#"{"session_timeout": 60}"#;
    assert_eq!(server.admin("PUT", "/api/v1/cluster/api-service", body).status, 200);
    server.clock.advance(Duration::from_secs(59));
    assert_eq!(get().status, 200);
    server.clock.advance(Duration::from_secs(60));
    get().refused(403, 98);
}

#[test]
fn a_session_counts_beside_a_password_that_is_escaped() {
    // As terraform's provider sends it [tf provider.go].
    let server = Server::new();
    let (cookie, token) = server.login();
    let escaped = PASSWORD.replace('!', "%21");
    let get = |user: &str| {
        let basic = scheme("Basic", user, &escaped);
        let headers = [("Authorization", &*basic), ("Cookie", &*cookie), ("X-XSRF-TOKEN", &*token)];
        server.call("GET", "/api/v1/node", &headers, b"")
    };
    assert_eq!(get("admin").status, 200);
    get("audit").is_refused();
    server.clock.advance(Duration::from_secs(1_801));
    get("admin").is_refused();
}

#[test]
fn a_session_is_its_users_with_the_roles_of_the_moment() {
    let server = Server::new();
    let form = format!("j_username=audit&j_password={PASSWORD}");
    let opened = server.call("POST", "/api/session/create", &[], form.as_bytes());
    let (cookie, token) =
        (opened.header("set-cookie").unwrap(), opened.header("x-xsrf-token").unwrap());
    let headers = [("Cookie", cookie), ("X-XSRF-TOKEN", token)];
    let post = || server.call("POST", "/api/v1/ip-sets", &headers, b"{}");
    post().refused(403, 401);
    let bindings = server.admin("GET", "/api/v1/aaa/role-bindings?name=audit", "").json();
    let mut binding = bindings["results"][0].clone();
    binding["roles"] = serde_json::json!([{"role": "security_engineer"}]);
    let path = format!("/api/v1/aaa/role-bindings/{}", binding["id"].as_str().unwrap());
    assert_eq!(server.admin("PUT", &path, &binding.to_string()).status, 200);
    let made = post();
    assert_eq!((made.status, &made.json()["_create_user"]), (201, &"audit".into()));
}

#[test]
fn a_remote_user_comes_in_by_a_role_where_a_provider_is_enabled() {
    let server = Server::new();
    let jane = scheme("Remote", "jane@corp", "any");
    let get = || server.by(&jane, "GET", "/api/v1/aaa/user-info", "");
    let bind = r#"{"name": "jane@corp", "type": "remote_user", "roles": [{"role": "auditor"}]}"#;
    assert_eq!(server.admin("POST", "/api/v1/aaa/role-bindings", bind).status, 200);
    get().is_refused();
    let provider = r#"{"host_name": "idm", "client_id": "nsx", "client_secret": "s",
        "thumbprint": "ab", "node_host_name": "nsx", "vidm_enable": true}"#;
    assert_eq!(server.admin("PUT", "/api/v1/node/aaa/providers/vidm", provider).status, 200);
    assert_eq!(get().json()["user_name"], "jane@corp");
    server.by(&scheme("Remote", "john@corp", "any"), "GET", "/api/v1/node", "").is_refused();
    server.by("Bearer any", "GET", "/api/v1/node", "").is_refused();
}

impl super::Answer {
    #[track_caller]
    fn is_refused(&self) {
        assert_eq!((self.status, &self.json()["error_code"]), (403, &403.into()));
    }
}
