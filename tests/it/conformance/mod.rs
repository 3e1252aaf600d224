//! The conformance run: calls made from the published types and from the table of operations, and every
//! answer held against what may come of it: the published statuses, the published types, the manager's
//! own description of its answers.
//!
//! `cargo test` makes a part of the calls, chosen by number, and of each member and each operation at
//! least one. All of them:
//! `cargo test -p tests --test it conformance -- --include-ignored`. What does not conform stands in
//! `tests/golden/conformance-failures.txt`, which may only shrink, and how much was asked in
//! `conformance-requests.txt` beside it, which may only grow.

mod bodies;
mod changes;
mod contract;
mod described;
mod found;
mod lists;
mod mutate;
mod operations;
mod shape;
mod transport;
mod values;

use crate::api::samples;
use contract::Contract;
use found::Found;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use tests::{Facts, Manager};

/// A part of the run that needs nothing of the others.
type Part<'a> = (&'static str, Box<dyn Fn(&mut Found) + Sync + Send + 'a>);

/// Makes every `step`-th of the calls that are many, and all of the others. Gives what each part found.
fn run_all(step: usize) -> BTreeMap<&'static str, Found> {
    let (facts, contract) = (Facts::read(), Contract::of(&Manager::new()));
    let (facts, contract) = (&facts, &contract);
    let mut parts: Vec<Part<'_>> = vec![
        ("operations", Box::new(move |found| operations::run(contract, step, found))),
        ("transport", Box::new(move |found| transport::run(contract, step, found))),
        ("lists", Box::new(move |found| lists::run(contract, found))),
    ];
    for sample in samples::all() {
        parts.push((
            "bodies",
            Box::new(move |found| bodies::run(facts, contract, sample, step, found)),
        ));
        parts.push(("changes", Box::new(move |found| changes::run(contract, sample, found))));
    }
    let (next, all) = (AtomicUsize::new(0), Mutex::new(BTreeMap::<_, Found>::new()));
    let work = || {
        while let Some((name, part)) = parts.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut found = Found::default();
            part(&mut found);
            all.lock().unwrap().entry(*name).or_default().add(found);
        }
    };
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    all.into_inner().unwrap()
}

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden").join(name)
}

fn lines(name: &str) -> BTreeSet<String> {
    let file = std::fs::read_to_string(golden(name)).unwrap_or_default();
    file.lines().map(str::to_owned).collect()
}

/// Fails where something does not conform that did before.
fn nothing_new(found: &BTreeMap<&str, Found>, known: &BTreeSet<String>) -> BTreeSet<String> {
    let failures: BTreeSet<String> =
        found.values().flat_map(|own| own.failures.iter().cloned()).collect();
    let new: Vec<&String> = failures.difference(known).collect();
    assert!(new.is_empty(), "{} answers do not conform: {new:#?}", new.len());
    failures
}

#[test]
fn a_part_of_all_calls_is_answered_as_published() {
    let found = run_all(29);
    assert!(found.values().all(|own| own.requests > 0));
    nothing_new(&found, &lines("conformance-failures.txt"));
}

/// With `UPDATE_GOLDEN=1` what conforms now leaves the list of failures and the numbers rise; nothing
/// enters the list and no number falls.
#[test]
#[ignore = "tens of thousands of calls: the full run"]
fn every_call_is_answered_as_published() {
    let found = run_all(1);
    let total: usize = found.values().map(|own| own.requests).sum();
    let failed: usize = found.values().map(|own| own.failures.len()).sum();
    println!("{total} requests, {failed} do not conform");
    let counts: String =
        found.iter().map(|(part, own)| format!("{part} {}\n", own.requests)).collect();
    print!("{counts}");
    let known = lines("conformance-failures.txt");
    let failures = nothing_new(&found, &known);
    for line in lines("conformance-requests.txt") {
        let (part, least) = line.split_once(' ').unwrap();
        let now = found.get(part).map_or(0, |own| own.requests);
        assert!(now >= least.parse().unwrap(), "{part}: {now} requests, {least} before");
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        let failures: String = failures.iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(golden("conformance-failures.txt"), failures).unwrap();
        std::fs::write(golden("conformance-requests.txt"), counts).unwrap();
        return;
    }
    let left: Vec<&String> = known.difference(&failures).collect();
    assert!(left.is_empty(), "conforms now; UPDATE_GOLDEN=1 takes it off the list: {left:#?}");
}
