//! What all answers have in common: status line, headers, printed form.

use super::{PASSWORD, Server, basic};
use nsx_sim::http::Options;

#[test]
fn every_answer_carries_the_managers_headers() {
    let server = Server::new();
    for path in ["/api/v1/node", "/api/v1/nothing"] {
        let answer = server.admin("GET", path, "");
        for (name, value) in [
            ("cache-control", "no-cache, no-store, max-age=0, must-revalidate"),
            ("pragma", "no-cache"),
            ("expires", "0"),
            ("x-xss-protection", "1; mode=block"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "SAMEORIGIN"),
            ("strict-transport-security", "max-age=31536000 ; includeSubDomains"),
            ("server", "NSX"),
            ("content-type", "application/json;charset=UTF-8"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path} {name}");
        }
        assert!(answer.header("date").is_some());
        assert_eq!(answer.header("x-nsx-requestid").map(str::len), Some(36));
        assert!(
            answer.header("vary").is_some_and(|own| own.eq_ignore_ascii_case("accept-encoding"))
        );
        let twice = answer.headers.iter().filter(|(name, _)| name == "x-content-type-options");
        assert_eq!(twice.count(), 2, "[miq]");
    }
}

#[test]
fn the_status_line_ends_in_a_blank() {
    let server = Server::new();
    // Terraform prints `Status: 400 ,` [tf #165].
    assert_eq!(server.admin("GET", "/api/v1/node", "").status_line, "HTTP/1.1 200 ");
    assert_eq!(server.admin("POST", "/api/v1/ip-sets", "{").status_line, "HTTP/1.1 400 ");
    assert_eq!(server.call("GET", "/", &[], b"").status_line, "HTTP/1.1 403 ");
}

#[test]
fn deprecated_operations_carry_a_warning() {
    let warning = |server: &Server, method: &str, path: &str| {
        let answer = server.admin(method, path, "{}");
        answer.header("warning").map(str::to_owned)
    };
    let deprecated = Some("299 - \"Deprecated API\"".to_owned());
    let server = Server::new();
    for (method, path) in [
        ("GET", "/api/v1/license"),
        ("GET", "/api/v1/licenses/none"),
        ("GET", "/api/v1/node/services/http"),
        ("POST", "/api/v1/trust-management/principal-identities"),
        ("GET", "/api/v1/cluster/nodes/"),
    ] {
        assert_eq!(warning(&server, method, path), deprecated, "{method} {path}");
    }
    for (method, path) in [
        ("GET", "/api/v1/licenses"),
        ("GET", "/api/v1/trust-management/principal-identities"),
        ("POST", "/api/v1/trust-management/principal-identities?action=update_certificate"),
        ("GET", "/api/v1/ip-sets"),
        ("GET", "/api/v1/nothing"),
    ] {
        assert_eq!(warning(&server, method, path), None, "{method} {path}");
    }
    // What the Policy API has too is deprecated since 3.2 [tf].
    let mut options = Options::default();
    options.settings.version = "3.2".parse().unwrap();
    let server = Server::with(options);
    assert_eq!(warning(&server, "GET", "/api/v1/ip-sets"), deprecated);
    assert_eq!(warning(&server, "GET", "/api/v1/node"), None);
}

#[test]
fn bodies_are_printed_as_jackson_does() {
    let server = Server::new();
    let text = server.admin("GET", "/api/v1/ip-sets", "").text();
    assert!(text.starts_with("{\n  \"results\" : [ ],\n  \"result_count\" : 0,\n"), "{text}");
    let text = server.admin("GET", "/api/v1/ip-sets/none", "").text();
    // A published script matches on this very string.
    assert!(text.contains("\"httpStatus\" : \"NOT_FOUND\""), "{text}");
}

#[test]
fn bodies_are_compressed_for_those_who_ask() {
    let server = Server::new();
    let basic = basic(PASSWORD);
    let get = |encoding: &str| {
        let headers = [("Authorization", basic.as_str()), ("Accept-Encoding", encoding)];
        server.call("GET", "/api/v1/ns-services", &headers, b"")
    };
    let plain = get("identity");
    assert_eq!(plain.header("content-encoding"), None);
    assert_eq!(plain.json()["sort_by"], "display_name");
    let packed = get("gzip, deflate");
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert!(packed.body.windows(3).take(16).any(|three| three == [0x1f, 0x8b, 0x08]));
    assert!(packed.body.len() * 5 < plain.body.len(), "lists shrink");
}

#[test]
fn names_of_headers_are_written_as_the_product_writes_them() {
    let server = Server::new();
    let form = format!("j_username=admin&j_password={PASSWORD}");
    let head =
        "POST /api/session/create HTTP/1.1\r\nHost: nsx\r\nConnection: close\r\nContent-Length: ";
    let request = format!("{head}{}\r\n\r\n{form}", form.len());
    let answer = String::from_utf8_lossy(&server.raw(request.as_bytes())).into_owned();
    // The product's own example greps a file of headers for the first of them.
    for name in
        ["X-XSRF-TOKEN", "X-NSX-REQUESTID", "X-XSS-Protection", "X-Frame-Options", "Set-Cookie"]
    {
        assert!(answer.contains(&format!("\r\n{name}: ")), "{name} in {answer}");
    }
}
