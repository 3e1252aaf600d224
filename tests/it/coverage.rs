//! What is modelled, in numbers that can not be forgotten.

use nsx_sim::http::Listed;
use nsx_sim::inventory::Level;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use tests::Manager;

fn published() -> Vec<Listed> {
    let mut listed = Manager::new().api().operations();
    listed.retain(|own| own.published.is_some());
    listed.sort_by(|one, other| (path(one), &one.method).cmp(&(path(other), &other.method)));
    listed
}

/// The operation's path below `/api/v1`, as published.
fn path(operation: &Listed) -> &'static str {
    operation.published.map_or("", |published| published.path)
}

/// The part of the API that an operation is of: the first step of its path.
fn area(operation: &Listed) -> &'static str {
    path(operation).split(['/', '?']).nth(1).unwrap_or_default()
}

#[test]
fn the_report_counts_every_published_operation_once() {
    let manager = Manager::new();
    let report = manager.get("/sim/coverage").expect(200);
    assert_eq!(report["operations"], 1274);
    let levels = report["levels"].as_object().unwrap();
    assert_eq!(levels.values().filter_map(serde_json::Value::as_u64).sum::<u64>(), 1274);
    let absent = manager.get("/sim/coverage?level=absent").expect(200);
    assert_eq!(absent["results"].as_array().unwrap().len() as u64, levels["absent"]);
    manager.get("/sim/coverage?level=much").refused(400, 255);
}

/// What is absent may only become less. The list is `tests/golden/absent.txt`; with
/// `UPDATE_GOLDEN=1` what has been modelled since leaves it, and nothing enters.
#[test]
fn the_absent_list_only_shrinks() {
    let absent: BTreeSet<String> = published()
        .iter()
        .filter(|own| own.level == Level::Absent)
        .map(|own| format!("{} {}", own.method, path(own)))
        .collect();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/absent.txt");
    let known = std::fs::read_to_string(&file).unwrap();
    let known: BTreeSet<String> = known.lines().map(str::to_owned).collect();
    let entered: Vec<&String> = absent.difference(&known).collect();
    assert!(entered.is_empty(), "modelled before and absent now: {entered:#?}");
    if std::env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        let lines: Vec<&str> = absent.iter().map(String::as_str).collect();
        std::fs::write(&file, lines.join("\n") + "\n").unwrap();
        return;
    }
    let left: Vec<&String> = known.difference(&absent).collect();
    assert!(left.is_empty(), "modelled now; UPDATE_GOLDEN=1 takes them off the list: {left:#?}");
}

#[test]
fn the_page_on_coverage_is_true() {
    let listed = published();
    let mut areas: BTreeMap<&str, Vec<&Listed>> = BTreeMap::new();
    for own in &listed {
        areas.entry(area(own)).or_default().push(own);
    }
    let mut page = String::from(
        "# Coverage\n\n\
         Every operation of the 2.5.1 Manager API and how much of it is modelled. This page is \
         made by a test\n(`UPDATE_GOLDEN=1 cargo test -p tests coverage`); a running manager tells \
         the same at `GET /sim/coverage`.\n\n\
         - **semantic**: it acts on other objects or on packets, or tells what follows from them.\n\
         - **stateful**: what is written is checked, kept and read back.\n\
         - **shape**: it answers in the API's form, from what the program declares.\n\
         - **absent**: it answers 501 and names itself.\n\n\
         | area | operations | semantic | stateful | shape | absent |\n\
         |---|---:|---:|---:|---:|---:|\n",
    );
    let count = |all: &[&Listed], level| all.iter().filter(|own| own.level == level).count();
    let mut line = |name: &str, all: &[&Listed]| {
        let levels = Level::ALL.into_iter().rev().map(|level| count(all, level).to_string());
        let levels: Vec<String> = levels.collect();
        writeln!(page, "| {name} | {} | {} |", all.len(), levels.join(" | ")).unwrap();
    };
    line("**all**", &listed.iter().collect::<Vec<_>>());
    for (area, all) in &areas {
        line(area, all);
    }
    for (area, all) in areas {
        write!(page, "\n## {area}\n\n").unwrap();
        for own in all {
            writeln!(page, "- {} `{} {}`", own.level.word(), own.method, path(own)).unwrap();
        }
    }
    tests::document("docs/coverage.md", &page);
}
