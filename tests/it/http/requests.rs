//! What requests may look like, and how those that may not are refused.

use super::{PASSWORD, Server, basic};
use nsx_sim::http::MAX_BODY;

#[test]
fn slashes_at_the_end_do_not_matter_and_nothing_redirects() {
    let server = Server::new();
    for path in [
        "/api/v1/ip-sets/",
        "/api/v1/ip-sets//",
        "/api/v1/logical-ports/?attachment_type=VIF",
        "/api/v1/logical-ports/?",
        "/api/v1/node/version/",
        "/api/v1/firewall/excludelist/",
    ] {
        assert_eq!(server.admin("GET", path, "").status, 200, "{path}");
    }
    assert_eq!(server.admin("POST", "/api/v1/ip-sets/", "{\"id\":\"set\"}").status, 201);
    assert_eq!(server.admin("PUT", "/api/v1/ip-sets/set/", "{\"_revision\":0}").status, 200);
}

#[test]
fn content_types_are_no_matter() {
    let server = Server::new();
    let basic = basic(PASSWORD);
    for content in
        ["application/json", "application/json; charset=utf-8", "application/json;charset=UTF-8"]
    {
        let headers = [("Authorization", basic.as_str()), ("Content-Type", content)];
        // On reads and deletions without a body too [nsxlib, ans, bosh].
        assert_eq!(server.call("GET", "/api/v1/ip-sets", &headers, b"").status, 200);
        assert_eq!(server.call("POST", "/api/v1/ip-sets", &headers, b"{\"id\":\"a\"}").status, 201);
        let deleted = server.call("DELETE", "/api/v1/ip-sets/a", &headers, b"");
        assert_eq!((deleted.status, deleted.body.len()), (200, 0));
    }
    assert_eq!(server.admin("POST", "/api/v1/ip-sets", "{\"id\":\"b\"}").status, 201);
    // Some clients send a body with a deletion.
    assert_eq!(server.admin("DELETE", "/api/v1/ip-sets/b", "null").status, 200);
}

#[test]
fn a_body_that_is_not_json_in_utf_8_is_refused() {
    let server = Server::new();
    let headers = [("Authorization", &*basic(PASSWORD))];
    for body in [&b"{\"display_name\":\"\xff\xfe\"}"[..], b"\xef\xbb\xbf{}", b"{'a': 1}", b"<xml/>"]
    {
        let answer = server.call("POST", "/api/v1/ip-sets", &headers, body);
        let text = answer.refused(400, 287);
        assert!(text.starts_with("Json de-serialization error: "), "{text}");
        assert_eq!(answer.json()["httpStatus"], "BAD_REQUEST");
    }
}

#[test]
fn a_body_beyond_the_limit_is_refused_in_the_managers_own_form() {
    let server = Server::new();
    let headers = [("Authorization", &*basic(PASSWORD))];
    let fits = format!("{{\"id\":\"a\",{}\"description\":\"d\"}}", " ".repeat(1024 * 1024));
    assert_eq!(server.call("POST", "/api/v1/ip-sets", &headers, fits.as_bytes()).status, 201);
    let large = vec![b' '; MAX_BODY + 1];
    let answer = server.call("POST", "/api/v1/ip-sets", &headers, &large);
    answer.refused(413, 413);
    assert_eq!(answer.json()["httpStatus"], "REQUEST_ENTITY_TOO_LARGE");
}

#[test]
fn wrong_verbs_and_unknown_paths_and_what_is_not_modelled_are_told_apart() {
    let server = Server::new();
    let answer = |method: &str, path: &str| server.admin(method, path, "");
    answer("PATCH", "/api/v1/ip-sets/a").refused(405, 405);
    answer("DELETE", "/api/v1/ip-sets").refused(405, 405);
    answer("PUT", "/api/v1/node/version").refused(405, 405);
    assert!(answer("GET", "/api/v1/nothing").refused(404, 404).contains("/api/v1/nothing"));
    answer("GET", "/").refused(404, 404);
    answer("GET", "/api/v2/ip-sets").refused(404, 404);
    answer("GET", "/api/v1/IP-SETS").refused(404, 404);
    answer("GET", "/api/session/create").refused(405, 405);
    let absent = answer("POST", "/api/v1/node?action=restart").refused(501, 501);
    assert!(absent.contains("RestartOrShutdownNode"), "{absent}");
    let absent = answer("POST", "/api/v1/migration/plan?action=abort").refused(501, 501);
    assert!(absent.contains("POST /api/v1/migration/plan"), "{absent}");
    assert_eq!(answer("HEAD", "/api/v1/node").status, 405);
}

#[test]
fn a_wrong_verb_is_answered_with_those_that_are_there() {
    let server = Server::new();
    for (method, path, allowed) in [
        ("PATCH", "/api/v1/ip-sets/a", "DELETE, GET, POST, PUT"),
        ("DELETE", "/api/v1/ip-sets", "GET, POST"),
        ("GET", "/api/session/create", "POST"),
    ] {
        assert_eq!(
            server.admin(method, path, "").header("allow"),
            Some(allowed),
            "{method} {path}"
        );
    }
    assert_eq!(server.admin("GET", "/api/v1/ip-sets", "").header("allow"), None);
}

#[test]
fn odd_requests_are_answered_in_the_managers_own_form() {
    let server = Server::new();
    let basic = basic(PASSWORD);
    for (method, path, status) in [
        ("GET", "/api/v1/ip-sets/%zz", 404),
        ("GET", "/api/v1/ip-sets/%ff%fe", 404),
        ("GET", "/api/v1/ip-sets/a%2Fb", 404),
        ("GET", "/api/v1//ip-sets", 404),
        ("GET", "/api/v1/ip-sets?page_size=%zz", 400),
        ("GET", "/api/v1/ip-sets?page_size=-1", 400),
        ("GET", "/api/v1/ip-sets?&&=&a=%ff&cursor=", 200),
        ("GET", "/api/v1/firewall/sections?deep_search=maybe", 400),
        ("GET", "http://nsx/api/v1/node/version", 200),
        ("OPTIONS", "*", 404),
        ("OPTIONS", "/api/v1/node", 405),
        ("BREW", "/api/v1/node", 405),
        ("POST", "/api/v1/ip-sets/?action=", 400),
        ("POST", "/api/v1/ns-groups/x?action=add_members", 400),
        ("GET", "", 400),
    ] {
        let body = if method == "POST" { "[]" } else { "" };
        let headers = [("Authorization", basic.as_str()), ("X-Odd", "\u{e9}")];
        let answer = server.call(method, path, &headers, body.as_bytes());
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        // What is no HTTP at all never comes as far as the manager.
        if status >= 400 && !path.is_empty() {
            let told = answer.json();
            assert!(told["error_code"].is_u64() && told["error_message"].is_string(), "{told:#}");
        }
    }
}

#[test]
fn clients_find_what_they_ask_for_at_start() {
    let server = Server::new();
    let get = |path: &str| server.admin("GET", path, "").json();
    assert_eq!(get("/api/v1/reverse-proxy/node/health")["healthy"], true);
    assert_eq!(get("/api/v1/cluster/status")["mgmt_cluster_status"]["status"], "STABLE");
    let version = get("/api/v1/node")["node_version"].clone();
    let digits = version.as_str().unwrap().split('.').all(|part| part.parse::<u64>().is_ok());
    assert!(digits, "plain dotted digits: nsxlib compares them: {version}");
    assert_eq!(get("/api/v1/node/version")["node_version"], version);
    assert_eq!(get("/api/v1/transport-zones")["result_count"], 2, "nsxlib demands one");
}
