//! What a run finds.

use std::collections::BTreeSet;
use tests::{Answer, Manager};

/// How much was asked and what did not conform.
#[derive(Default)]
pub struct Found {
    /// The requests whose answers were judged.
    pub requests: usize,
    /// What does not conform, a line each.
    pub failures: BTreeSet<String>,
}

impl Found {
    /// Counts a request, and what is wrong with its answer.
    pub fn tell(&mut self, call: &str, problem: Option<String>) {
        self.requests += 1;
        if let Some(problem) = problem {
            self.fail(format!("{call}: {problem}"));
        }
    }

    /// Counts a failure.
    pub fn fail(&mut self, line: String) {
        self.failures.insert(line);
    }

    /// Adds what another run found.
    pub fn add(&mut self, mut other: Self) {
        self.requests += other.requests;
        self.failures.append(&mut other.failures);
    }
}

/// Deletes what an answer says was made.
pub fn remove(manager: &Manager, path: &str, made: &Answer) {
    if let (200 | 201, Some(id)) = (made.status, made.body["id"].as_str()) {
        manager.delete(&format!("{path}/{id}?force=true&cascade=true&detach=true"));
    }
}
