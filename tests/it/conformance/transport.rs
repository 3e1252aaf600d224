//! Every operation over HTTP: slashes at the end, media types of the body, words in the query without
//! a value, verbs that are not there. None of it changes what an operation answers.

use super::contract::Contract;
use super::found::Found;
use super::operations::path_of;
use crate::http::{PASSWORD, Server, basic};
use nsx_sim::http::Listed;
use nsx_sim::inventory::Level;
use serde_json::Value;
use std::collections::BTreeSet;

/// What clients say of their bodies as a rule.
const JSON: &str = "application/json";

/// What else they say, and what none says.
const MEDIA: [&str; 7] = [
    "application/json; charset=utf-8",
    "application/json;charset=UTF-8",
    "text/plain",
    "application/xml",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "\u{e9}/\u{e9}",
];

/// Calls every operation that is modelled: every `step`-th in all ways, the others in one, each in its
/// turn.
pub fn run(contract: &Contract, step: usize, found: &mut Found) {
    let server = Server::new();
    let basic = basic(PASSWORD);
    let modelled = || contract.operations().iter().filter(|own| own.level > Level::Absent);
    let modelled = modelled().filter(|own| own.path.starts_with("/api/"));
    for (place, operation) in modelled.enumerate() {
        let path = format!("/api/v1{}", path_of(operation, "no-such-id"));
        let (path, query) = path.split_once('?').unwrap_or((&path, ""));
        // A body that no operation takes: nothing changes between the calls.
        let body = if operation.method == "GET" { "" } else { "{\"no_such_member\":1}" };
        let mut call = |(path, media): &(String, &str)| {
            let headers = [("Authorization", basic.as_str()), ("Content-Type", *media)];
            let answer = server.call(&operation.method, path, &headers, body.as_bytes());
            if answer.status == 201 {
                // A store of files takes any body; the next call is to find the same again.
                server.call("DELETE", path, &headers[..1], b"");
            }
            let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let told = answer.status < 400 || body["error_code"].is_u64();
            let call = format!("{} {path} as {media}", operation.method);
            found.tell(&call, (!told).then(|| answer.text()));
            answer.status
        };
        let plain = call(&(format!("{path}?{query}"), JSON));
        let paths = [
            format!("{path}/?{query}"),
            format!("{path}//?{query}&"),
            format!("{path}?{query}&x=&y&&="),
        ];
        let mut ways: Vec<(String, &str)> = paths.map(|path| (path, JSON)).into();
        ways.extend(MEDIA.map(|media| (format!("{path}?{query}"), media)));
        let in_all = place % step == 0;
        if !in_all {
            ways = vec![ways.swap_remove(place % ways.len())];
        }
        let others: BTreeSet<u16> = ways.iter().map(&mut call).collect();
        if others != BTreeSet::from([plain]) {
            found.fail(format!("{} {}: {plain}, and {others:?}", operation.method, operation.path));
        }
        if in_all {
            verbs(&server, &basic, path, operation, found);
        }
    }
}

/// A verb that a path does not have is answered with those that it has.
fn verbs(server: &Server, basic: &str, path: &str, operation: &Listed, found: &mut Found) {
    for verb in ["HEAD", "OPTIONS", "TRACE", "BREW"] {
        let answer = server.call(verb, path, &[("Authorization", basic)], b"");
        let allowed = answer.header("allow").unwrap_or_default();
        let right = answer.status == 405 && allowed.split(", ").any(|own| own == operation.method);
        let problem = (!right).then(|| format!("{} and allows {allowed}", answer.status));
        found.tell(&format!("{verb} {}", operation.path), problem);
    }
}
