//! The conformance run: bodies made from the published types, sent to every kind, and every answer
//! held against what the types allow.
//!
//! `cargo test` sends a part of them, chosen by number. All of them:
//! `cargo test -p tests --test it conformance -- --include-ignored`. What does not conform stands in
//! `tests/golden/conformance-failures.txt`, which may only shrink.

mod mutate;
mod operations;
mod shape;

use crate::api::samples::{self, Sample, prepared};
use mutate::{Case, Expect, cases};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tests::{Answer, Facts, Manager, golden};

/// The name of a kind's type in the published API; none where it has a name of its own here.
fn published(facts: &Facts, kind: &str) -> Option<String> {
    ["", "Base"]
        .map(|before| format!("{before}{kind}"))
        .into_iter()
        .find(|own| facts.get(own).is_some())
}

/// What a run found.
#[derive(Default)]
struct Found {
    requests: usize,
    failures: BTreeSet<String>,
}

impl Found {
    /// Holds one answer against what was expected of it.
    fn judge(&mut self, facts: &Facts, of: &str, call: &str, expect: Expect, answer: &Answer) {
        self.requests += 1;
        let status = answer.status;
        let taken = (200..300).contains(&status);
        let refused = (400..500).contains(&status);
        let right = match expect {
            Expect::Taken => taken,
            Expect::Refused => status == 400,
            // What is part of the API and not modelled says so.
            Expect::Judged => taken || refused || status == 501,
        };
        if !right {
            self.failures.insert(format!("{call}: {status}"));
        }
        let problem = if taken {
            shape::problem_of_object(facts, of, &answer.body)
        } else {
            shape::problem_of_refusal(status, &answer.body)
        };
        if let Some(problem) = problem {
            self.failures.insert(format!("{call}: {problem}"));
        }
    }
}

/// Sends every `step`-th case of a kind as a new object and as a change of one.
fn run(facts: &Facts, sample: &Sample, step: usize, found: &mut Found) {
    let Some(of) = published(facts, sample.kind) else { return };
    let (manager, path) = (prepared(), &*sample.path());
    let base = (sample.body)();
    let mut all = cases(facts, &of, &base);
    all.extend(cases(facts, "ManagedResource", &base).into_iter().skip(1));
    for case in all.into_iter().step_by(step) {
        let Case { name, body, expect } = case;
        let call = format!("{} POST {name}", sample.kind);
        let answer = manager.post(path, body.clone());
        found.judge(facts, &of, &call, expect, &answer);
        remove(&manager, path, &answer);

        let made = manager.post(path, base.clone());
        if made.status == sample.declaration().created && sample.declaration().verbs.update {
            let one = format!("{path}/{}", made.body["id"].as_str().unwrap_or_default());
            let mut body = body;
            body["_revision"] = made.body["_revision"].clone();
            let answer = manager.put(&one, body);
            let call = format!("{} PUT {name}", sample.kind);
            found.judge(facts, &of, &call, expect, &answer);
            if expect == Expect::Refused && manager.get(&one).body != made.body {
                found.failures.insert(format!("{call}: changed what it refused"));
            }
        }
        remove(&manager, path, &made);
    }
    defaults(facts, &of, sample, &manager, found);
}

/// What callers leave out has the published default when it is read.
fn defaults(facts: &Facts, of: &str, sample: &Sample, manager: &Manager, found: &mut Found) {
    let (path, base) = (&*sample.path(), (sample.body)());
    let made = manager.post(path, base.clone());
    let variant = made.body["resource_type"].as_str().unwrap_or(of);
    for (name, default) in shape::defaults(facts, of, variant) {
        let own = made.body.get(name);
        let same = own == Some(&default)
            || own.is_none() && (default == json!([]) || default == "")
            || own.and_then(Value::as_f64).is_some_and(|own| Some(own) == default.as_f64());
        if base.get(name).is_none() && !same {
            let own = own.map_or_else(|| "nothing".to_owned(), Value::to_string);
            found.failures.insert(format!("{} /{name} is {own} and not {default}", sample.kind));
        }
    }
    remove(manager, path, &made);
}

fn remove(manager: &Manager, path: &str, made: &Answer) {
    if let (200 | 201, Some(id)) = (made.status, made.body["id"].as_str()) {
        manager.delete(&format!("{path}/{id}?force=true&cascade=true&detach=true"));
    }
}

fn run_all(step: usize) -> Found {
    let facts = Facts::read();
    let mut found = Found::default();
    for sample in samples::all() {
        run(&facts, sample, step, &mut found);
    }
    found
}

fn known() -> BTreeSet<String> {
    let file = include_str!("../../golden/conformance-failures.txt");
    file.lines().map(str::to_owned).collect()
}

#[test]
fn a_part_of_all_bodies_is_taken_or_refused_as_the_types_say() {
    let found = run_all(7);
    let known = known();
    let new: Vec<&String> = found.failures.difference(&known).collect();
    assert!(new.is_empty(), "{} of {} requests: {new:#?}", new.len(), found.requests);
}

#[test]
#[ignore = "some tens of thousands of requests: the full run"]
fn every_body_is_taken_or_refused_as_the_types_say() {
    let found = run_all(1);
    println!("{} requests, {} do not conform", found.requests, found.failures.len());
    let lines: Vec<String> = found.failures.into_iter().collect();
    golden("conformance-failures.txt", &(lines.join("\n") + "\n"));
}
