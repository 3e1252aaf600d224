//! Connections: one version of HTTP, many calls, TLS.

use super::{Answer, PASSWORD, Server, basic};
use nsx_client::{Client, Remote};
use nsx_sim::http::{Options, Tls};

#[test]
fn what_is_no_http_1_1_is_not_spoken() {
    let server = Server::new();
    let answer = server.raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
    let is_settings = answer.get(3) == Some(&4) && !answer.starts_with(b"HTTP");
    assert!(!is_settings, "HTTP/2 is spoken: {answer:?}");
    let garbage = Answer::read(&server.raw(b"GARBAGE\r\n\r\n"));
    assert_eq!(garbage.status, 400);
    assert_eq!(server.admin("GET", "/api/v1/node", "").status, 200, "and it still serves");
}

#[test]
fn one_connection_carries_many_calls() {
    let server = Server::new();
    let one = format!(
        "GET /api/v1/node/version HTTP/1.1\r\nHost: nsx\r\nAuthorization: {}\r\n",
        basic(PASSWORD)
    );
    let three = format!("{one}\r\n{one}\r\n{one}Connection: close\r\n\r\n");
    let answers = String::from_utf8_lossy(&server.raw(three.as_bytes())).into_owned();
    assert_eq!(answers.matches("HTTP/1.1 200 \r\n").count(), 3, "{answers}");
}

#[test]
fn a_manager_with_tls_makes_its_own_certificate() {
    let server = Server::with(Options { tls: Tls::SelfSigned, ..Options::default() });
    let url = server.running().url();
    assert!(url.starts_with("https://127.0.0.1:"), "{url}");
    let remote = |insecure| Remote {
        url: Some(url.clone()),
        user: "admin".into(),
        password: PASSWORD.into(),
        insecure,
        cert: None,
        cert_key: None,
    };
    let client = Client::new(&remote(true)).unwrap();
    assert_eq!(client.get("/node/version").unwrap()["product_version"], "2.5.1");
    let careful = Client::new(&remote(false)).unwrap();
    assert!(careful.get("/node/version").is_err(), "nobody vouches for it");
}
