//! What an operation may answer: the statuses that the 2.5.1 API publishes for it, a body as the
//! manager's own description has it, or a refusal in the one form that refusals have.

use super::described;
use nsx_sim::http::{Listed, Verb};
use serde_json::Value;
use std::collections::HashMap;
use tests::{Answer, Manager};

/// The statuses of refusals. Among them 423, a section that somebody else has locked, and 501, which
/// names what is not modelled; no other 5xx may come.
const REFUSALS: [u16; 9] = [400, 403, 404, 405, 409, 412, 413, 423, 501];

/// What the operations of a manager may answer.
pub struct Contract {
    operations: Vec<Listed>,
    /// Statuses of success by method and published path, where they are not 200 alone.
    statuses: HashMap<(&'static str, &'static str), Vec<u16>>,
    /// The answers of the description, by verb in small letters and path with unnamed parts.
    responses: HashMap<(String, String), Value>,
    schemas: Value,
}

impl Contract {
    /// Reads what is published and what a manager tells of itself.
    pub fn of(manager: &Manager) -> Self {
        let mut document = manager.get("/spec/openapi/nsx_api.json").expect(200);
        let mut responses = HashMap::new();
        for (path, verbs) in document["paths"].as_object().into_iter().flatten() {
            for (verb, operation) in verbs.as_object().into_iter().flatten() {
                responses.insert((verb.clone(), unnamed(path)), operation["responses"].clone());
            }
        }
        let lines = fixtures::API_STATUSES.lines().filter(|line| !line.starts_with('#'));
        let statuses = lines.map(|line| {
            let mut words = line.split(' ');
            let mut word = || words.next().expect("method, path and statuses");
            let own = (word(), word());
            (own, word().split('|').map(|own| own.parse().expect("a status")).collect())
        });
        Self {
            operations: manager.api().operations(),
            statuses: statuses.collect(),
            responses,
            schemas: document["components"]["schemas"].take(),
        }
    }

    /// All operations.
    pub fn operations(&self) -> &[Listed] {
        &self.operations
    }

    /// The operation that is a kind's verb.
    pub fn verb(&self, kind: &str, verb: Verb) -> Option<&Listed> {
        self.operations
            .iter()
            .find(|own| own.of.is_some_and(|(of, own)| (of.name, own) == (kind, verb)))
    }

    /// What is wrong with an answer.
    pub fn problem(&self, operation: &Listed, answer: &Answer) -> Option<String> {
        let Answer { status, body } = answer;
        if !(200..300).contains(status) {
            return problem_of_refusal(*status, body);
        }
        let published = operation.published.map_or("", |own| own.path);
        let allowed = self.statuses.get(&(operation.method.as_str(), published));
        let allowed = allowed.map_or(&[200][..], Vec::as_slice);
        if !published.is_empty() && !allowed.contains(status) {
            return Some(format!("{status} and not {allowed:?}"));
        }
        let path = operation.path.split('?').next().unwrap_or_default();
        let responses = self.responses.get(&(operation.method.to_lowercase(), path.to_owned()))?;
        let described = match &responses[status.to_string()] {
            Value::Null => &responses["2XX"],
            described => described,
        };
        if described.is_null() {
            return Some(format!("{status} is not described"));
        }
        let schema = &described["content"]["application/json"]["schema"];
        described::problem(&self.schemas, schema, body)
    }
}

/// What of a refusal is not as every refusal is.
fn problem_of_refusal(status: u16, body: &Value) -> Option<String> {
    if !REFUSALS.contains(&status) {
        return Some(format!("{status} is no refusal of this API"));
    }
    if !body["error_code"].is_u64() || !body["error_message"].is_string() {
        return Some(format!("{status} without error_code or error_message"));
    }
    None
}

/// A path whose variable parts are named by their places alone.
fn unnamed(path: &str) -> String {
    let mut place = 0;
    let parts = path.split('/').map(|part| {
        if part.starts_with('{') {
            place += 1;
            format!("{{p{place}}}")
        } else {
            part.to_owned()
        }
    });
    parts.collect::<Vec<_>>().join("/")
}
