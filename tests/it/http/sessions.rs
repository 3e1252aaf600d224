//! Who calls: basic authentication, sessions and their tokens, overwriting.

use super::{PASSWORD, STANDARD, Server, basic};
use base64::Engine;
use nsx_sim::http::{Options, WorldDocument};
use std::time::Duration;

#[test]
fn wrong_credentials_answer_403_on_one_line_without_http_status() {
    // [salt ext tests, nsx-operator tests]
    let expected = "{\"module_name\":\"common-services\",\"error_message\":\"The credentials were \
                    incorrect or the account specified has been locked.\",\"error_code\":403}";
    let server = Server::new();
    let wrong = basic("wrong");
    let nobody = format!("Basic {}", STANDARD.encode(format!("root:{PASSWORD}")));
    for headers in [
        &[][..],
        &[("Authorization", wrong.as_str())],
        &[("Authorization", nobody.as_str())],
        &[("Authorization", "Basic ???")],
        &[("Authorization", "Bearer token")],
        &[("Authorization", "Basic")],
    ] {
        let answer = server.call("GET", "/api/v1/node", headers, b"");
        assert_eq!((answer.status, answer.text().as_str()), (403, expected), "{headers:?}");
        assert!(answer.header("www-authenticate").is_none(), "no challenge [bosh]");
        assert!(answer.header("set-cookie").is_none());
    }
    let form = b"j_username=admin&j_password=wrong";
    let answer = server.call("POST", "/api/session/create", &[], form);
    assert_eq!((answer.status, answer.text().as_str()), (403, expected));
    assert!(answer.header("date").is_some(), "nsxlib reads it");
}

#[test]
fn a_session_opens_with_its_cookie_in_the_very_first_header() {
    let server = Server::new();
    let form = format!("j_username=admin&j_password={PASSWORD}");
    let content = [("Content-Type", "application/x-www-form-urlencoded")];
    let answer = server.call("POST", "/api/session/create", &content, form.as_bytes());
    // Exactly 200, and nothing in the body [gosdk].
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    let cookies: Vec<usize> =
        (0..answer.headers.len()).filter(|at| answer.headers[*at].0 == "set-cookie").collect();
    assert_eq!(cookies, [0], "the Go SDK looks at the first alone");
    let cookie = answer.header("set-cookie").unwrap();
    // At the start of the line, with a semicolon behind [nsxlib, gosdk].
    let value = cookie.strip_prefix("JSESSIONID=").unwrap().split(';').next().unwrap();
    assert!(
        value.len() == 32 && value.chars().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase())
    );
    assert!(cookie.ends_with("; Path=/; Secure; HttpOnly"), "{cookie}");
    assert_eq!(answer.header("x-xsrf-token").unwrap().len(), 36, "a UUID");
}

#[test]
fn sessions_are_opened_and_closed_by_post_alone() {
    let server = Server::new();
    for path in ["/api/session/create", "/api/session/destroy"] {
        assert_eq!(server.call("GET", path, &[], b"").status, 405, "{path}");
        assert_eq!(server.admin("DELETE", path, "").status, 405, "{path}");
    }
}

#[test]
fn a_cookie_needs_its_token() {
    let server = Server::new();
    let (cookie, token) = server.login();
    let (_, foreign) = server.login();
    let get = |headers: &[(&str, &str)]| server.call("GET", "/api/v1/node", headers, b"");
    // The whole Set-Cookie comes back from some clients [vmware-samples, sapcc].
    let answer = get(&[("Cookie", &cookie), ("X-XSRF-TOKEN", &token)]);
    assert_eq!(answer.status, 200);
    assert!(answer.header("set-cookie").is_none(), "no new session beside this one");
    let short = cookie.split(';').next().unwrap();
    assert_eq!(get(&[("cookie", short), ("x-xsrf-token", &token)]).status, 200);
    assert_eq!(get(&[("Cookie", &format!("a=b; {short}")), ("X-XSRF-TOKEN", &token)]).status, 200);
    get(&[("Cookie", &cookie)]).refused(403, 98);
    get(&[("Cookie", &cookie), ("X-XSRF-TOKEN", &foreign)]).refused(403, 98);
    get(&[("Cookie", "JSESSIONID=NOBODY"), ("X-XSRF-TOKEN", &token)]).refused(403, 98);
    assert_eq!(get(&[("X-XSRF-TOKEN", &token)]).status, 403);
}

#[test]
fn a_session_ends_when_it_is_destroyed_or_idle_for_half_an_hour() {
    let server = Server::new();
    let get = |(cookie, token): &(String, String)| {
        server.call("GET", "/api/v1/node", &[("Cookie", cookie), ("X-XSRF-TOKEN", token)], b"")
    };
    let (one, two) = (server.login(), server.login());
    let headers = [("Cookie", one.0.as_str()), ("X-XSRF-TOKEN", one.1.as_str())];
    let ended = server.call("POST", "/api/session/destroy", &headers, b"");
    assert_eq!((ended.status, ended.body.len()), (200, 0));
    get(&one).refused(403, 98);
    assert_eq!(get(&two).status, 200);
    server.clock.advance(Duration::from_secs(1_700));
    assert_eq!(get(&two).status, 200, "and its time begins again");
    server.clock.advance(Duration::from_secs(1_700));
    assert_eq!(get(&two).status, 200);
    server.clock.advance(Duration::from_secs(1_801));
    get(&two).refused(403, 98);
}

#[test]
fn basic_authentication_counts_beside_a_stale_cookie_and_opens_a_session_without_one() {
    let server = Server::new();
    let basic = basic(PASSWORD);
    let authorized = ("Authorization", basic.as_str());
    // The Go SDK keeps sending all three.
    let stale = [authorized, ("Cookie", "JSESSIONID=GONE"), ("X-XSRF-TOKEN", "gone")];
    assert_eq!(server.call("GET", "/api/v1/node", &stale, b"").status, 200);
    let fresh = || {
        let answer = server.call("GET", "/api/v1/node", &[authorized], b"");
        assert_eq!(answer.headers[0].0, "set-cookie");
        answer.headers[0].1.clone()
    };
    assert_ne!(fresh(), fresh(), "a fresh one every time [miq]");
}

#[test]
fn overwriting_is_asked_for_by_a_header() {
    let world = WorldDocument::read(fixtures::GUIDE_WORLD).unwrap();
    let server = Server::with(Options { world, ..Options::default() });
    let path = "/api/v1/logical-ports/df5da5ee-8b43-4b2a-9990-5f749b9c57ed";
    let port = server.admin("GET", path, "").text();
    server.admin("PUT", path, &port).refused(400, 289);
    let basic = basic(PASSWORD);
    for word in ["false", "yes"] {
        let headers = [("Authorization", basic.as_str()), ("X-Allow-Overwrite", word)];
        server.call("PUT", path, &headers, port.as_bytes()).refused(400, 289);
    }
    // Python clients print their booleans so.
    let headers = [("Authorization", basic.as_str()), ("X-Allow-Overwrite", "True")];
    assert_eq!(server.call("PUT", path, &headers, port.as_bytes()).status, 200);
}
