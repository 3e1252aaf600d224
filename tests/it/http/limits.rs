//! How much may be asked of the API at a time [facts §1.7].

use super::{Answer, PASSWORD, Server, basic};
use nsx_sim::http::Options;
use nsx_sim::node::Limits;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

fn limited(limits: Limits) -> Server {
    let mut options = Options::default();
    options.settings.node.limits = limits;
    Server::with(options)
}

/// A call that has begun and does not end before its body, `{}`, is sent.
fn begun(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(server.running().address).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
    let head = format!(
        "POST /api/v1/ip-sets HTTP/1.1\r\nHost: nsx\r\nAuthorization: {}\r\nContent-Length: 2\r\n\
         Connection: close\r\nExpect: 100-continue\r\n\r\n",
        basic(PASSWORD)
    );
    stream.write_all(head.as_bytes()).expect("the head is taken");
    // The manager asks for the body: it has let the call begin.
    let mut told = [0; 25];
    stream.read_exact(&mut told).expect("an interim answer");
    assert!(told.starts_with(b"HTTP/1.1 100 "), "{}", String::from_utf8_lossy(&told));
    stream
}

fn end(mut stream: TcpStream) -> Answer {
    stream.write_all(b"{}").expect("the body is taken");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("the answer");
    Answer::read(&answer)
}

#[test]
fn a_client_that_asks_too_often_is_told_so() {
    let server = limited(Limits { client_rate: 3, ..Limits::default() });
    let get = || server.admin("GET", "/api/v1/node", "");
    for _ in 0..3 {
        assert_eq!(get().status, 200);
    }
    let refused = get();
    refused.refused(429, 102);
    assert_eq!(refused.json()["httpStatus"], "TOO_MANY_REQUESTS");
    // Another client is another one: here an address that is not known yet.
    assert_eq!(server.call("GET", "/api/v1/node", &[], b"").status, 403);
    server.clock.advance(Duration::from_secs(1));
    assert_eq!(get().status, 200);
}

#[test]
fn a_limit_is_set_by_the_api_too() {
    let server = Server::new();
    let set = |limit: u32| {
        let body = format!("{{\"client_api_rate_limit\": {limit}}}");
        server.admin("PUT", "/api/v1/cluster/api-service", &body).status
    };
    for _ in 0..300 {
        assert_eq!(server.admin("GET", "/api/v1/node/version", "").status, 200, "none at first");
    }
    assert_eq!(set(1), 200);
    assert_eq!(server.admin("GET", "/api/v1/node", "").status, 429);
    server.clock.advance(Duration::from_secs(1));
    assert_eq!(set(0), 200, "and lifted");
    assert_eq!(server.admin("GET", "/api/v1/node", "").status, 200);
}

#[test]
fn calls_at_a_time_are_limited_until_they_end() {
    let server = limited(Limits { client_concurrency: 1, ..Limits::default() });
    let first = begun(&server);
    server.admin("GET", "/api/v1/node", "").refused(503, 503);
    assert_eq!(end(first).status, 201);
    assert_eq!(server.admin("GET", "/api/v1/node", "").status, 200);
}

#[test]
fn the_refusal_may_be_429_as_some_have_seen_it() {
    let limits = Limits { client_concurrency: 1, too_many_is_429: true, ..Limits::default() };
    let server = limited(limits);
    let first = begun(&server);
    server.admin("GET", "/api/v1/node", "").refused(429, 102);
    assert_eq!(end(first).status, 201);
}

#[test]
fn all_clients_together_are_limited_too() {
    let server = limited(Limits { global_concurrency: 1, ..Limits::default() });
    let first = begun(&server);
    assert_eq!(server.call("GET", "/api/v1/node", &[], b"").status, 503, "another client");
    assert_eq!(end(first).status, 201);
    assert_eq!(server.call("GET", "/api/v1/node", &[], b"").status, 403);
}
