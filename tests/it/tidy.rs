//! What the map of the project says, held against its source: who may know whom, how long a file
//! may be, and that no route was made up.

use nsx_sim::inventory::Level;
use nsx_sim::kinds::KINDS;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use tests::Manager;

/// The longest a source file may be. Past 400 lines one asks what should leave.
const MOST_LINES: usize = 500;

/// Files that are longer, and how long each may be: the numbers only fall, and entries only go.
const LONG_FILES: [(&str, usize); 0] = [];

/// Which of the crate's own modules each module may name, beside itself. `cli/serve.rs` and
/// `cli/mod.rs` start a manager; the rest of the command line is a client like any other.
const ARROWS: [(&str, &[&str]); 21] = [
    ("clock.rs", &[]),
    ("wire", &[]),
    ("search", &[]),
    ("explain.rs", &[]),
    ("generate", &[]),
    ("guide", &[]),
    ("version.rs", &[]),
    ("x509.rs", &["wire"]),
    ("x509", &["wire"]),
    ("inventory", &["clock", "version", "wire"]),
    ("access.rs", &["inventory"]),
    ("node", &["clock", "inventory", "wire"]),
    ("kinds", &["clock", "inventory", "version", "wire", "x509"]),
    ("realize", &["inventory", "kinds"]),
    ("fabric", &["clock", "inventory", "kinds", "realize", "wire"]),
    ("observe", &["clock", "fabric", "inventory", "kinds", "wire", "world"]),
    ("boot", &["fabric", "inventory", "kinds", "wire", "world"]),
    (
        "world.rs",
        &["boot", "clock", "fabric", "inventory", "kinds", "node", "observe", "realize", "version"],
    ),
    (
        "http",
        &[
            "access",
            "clock",
            "fabric",
            "inventory",
            "kinds",
            "node",
            "observe",
            "realize",
            "search",
            "version",
            "wire",
            "world",
            "x509",
        ],
    ),
    ("cli/health.rs", &[]),
    ("cli", &["explain", "generate", "guide", "http", "node", "realize", "version", "world"]),
];

/// All of the source.
const PLACES: [&str; 9] = [
    "dataplane",
    "nsx-sim/src",
    "nsx-sim/client",
    "nsx-sim/lab",
    "nsx-sim/listener",
    "nsx-sim/tests",
    "fixtures/src",
    "tests",
    "benches",
];

/// What a part of the source never mentions outside comments.
const NEVER: [(&str, &[&str]); 11] = [
    (
        "dataplane/src",
        &["serde", "axum", "tokio", "Instant::now", "SystemTime", "std::fs", "std::net::Tcp"],
    ),
    ("nsx-sim/src/inventory", &["axum", "tokio", "hyper", "dataplane"]),
    ("nsx-sim/src/kinds", &["axum", "tokio", "hyper::", "dataplane", "SystemTime"]),
    (
        "nsx-sim/src/realize",
        &["axum", "tokio", "Mutex", "RwLock", "std::time", "std::fs", "SystemTime", "Instant"],
    ),
    ("nsx-sim/src/fabric", &["axum", "tokio", "SystemTime", "Instant"]),
    ("nsx-sim/src/observe", &["axum", "tokio", "SystemTime", "Instant"]),
    ("nsx-sim/src/guide", &["axum", "tokio", "dataplane"]),
    ("nsx-sim/client/src", &["axum", "tokio", "dataplane", "nsx_sim"]),
    ("nsx-sim/lab", &["dataplane", "nsx_sim"]),
    ("nsx-sim/listener/src", &["dataplane", "nsx_sim", "lab::"]),
    ("nsx-sim/src/wire", &["axum", "tokio", "dataplane"]),
];

/// Words of the product that the dataplane knows nothing of, not even in comments.
const PRODUCT_WORDS: [&str; 8] = [
    "nsx",
    "vmware",
    "logical port",
    "logical_port",
    "logical switch",
    "ns_group",
    "nsgroup",
    "transport node",
];

/// Routes beside the published API of 2.5.1: what its clients call all the same, and the
/// simulator's own.
const EXTRAS: [&str; 14] = [
    "GET /api/v1/cluster-manager/status",
    "GET /api/v1/operational/application/status",
    "GET /api/v1/reverse-proxy/node/health",
    "GET /api/v1/search",
    "GET /api/v1/spec/openapi/nsx_api.json",
    "GET /api/v1/spec/vmware/types/ManagedResource",
    "GET /api/v1/spec/vmware/types/Tag",
    "GET /sim/coverage",
    "GET /sim/v1/dataplane",
    "POST /api/v1/search/aggregate",
    "POST /api/v1/search/querypipeline",
    "POST /sim/v1/explain",
    "POST /sim/v1/packets",
    "POST /sim/v1/replay",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The Rust files of a folder, or the one file, with their paths from the root.
fn files(place: &str) -> Vec<(String, String)> {
    let (root, mut ahead, mut found) = (root(), vec![root().join(place)], Vec::new());
    while let Some(path) = ahead.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).expect("a folder that can be read");
            ahead.extend(entries.flatten().map(|entry| entry.path()));
        } else if path.extension().is_some_and(|own| own == "rs") {
            let name = path.strip_prefix(&root).unwrap_or(&path).display().to_string();
            found.push((name, fs::read_to_string(&path).expect("a file that can be read")));
        }
    }
    assert!(!found.is_empty(), "{place} has no source");
    found.sort();
    found
}

/// The code of a file: neither comments nor its unit tests.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// The modules of the crate that a text names: behind `crate::`, one or several in braces.
fn named_modules(code: &str) -> BTreeSet<&str> {
    let word = |text: &str| text.find(|c: char| !c.is_alphanumeric() && c != '_');
    let mut named = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        if let Some(list) = rest.strip_prefix('{') {
            let (mut depth, mut at) = (0, 0);
            for (place, c) in list.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => at = place + 1,
                    c if depth == 0 && c.is_alphabetic() && list[at..place].trim().is_empty() => {
                        let name = &list[place..];
                        named.insert(&name[..word(name).unwrap_or(name.len())]);
                    }
                    _ => {}
                }
            }
        } else {
            named.insert(&rest[..word(rest).unwrap_or(rest.len())]);
        }
    }
    named
}

#[test]
fn modules_name_only_those_they_may_know() {
    let mut broken = Vec::new();
    for (module, may) in ARROWS {
        let own = module.split(['.', '/']).next().unwrap_or_default();
        for (name, text) in files(&format!("nsx-sim/src/{module}")) {
            let code = code(&text);
            // The narrower entry speaks for its file.
            let narrower = ARROWS.iter().any(|(other, _)| {
                *other != module && other.starts_with(module) && name.ends_with(other)
            });
            let known = |named: &str| named == own || may.contains(&named);
            for named in named_modules(&code).into_iter().filter(|named| !narrower && !known(named))
            {
                broken.push(format!("{name} names {named}"));
            }
        }
    }
    assert!(broken.is_empty(), "arrows against the map:\n{}", broken.join("\n"));
}

#[test]
fn every_module_has_its_place_on_the_map() {
    let declared = files("nsx-sim/src/lib.rs").swap_remove(0).1;
    let modules =
        declared.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    for module in modules {
        let listed = ARROWS.iter().any(|(own, _)| own.split(['.', '/']).next() == Some(module));
        assert!(listed, "{module} is not in the table");
    }
}

#[test]
fn no_part_mentions_what_it_must_not_know() {
    let mut broken = Vec::new();
    for (place, words) in NEVER {
        for (name, text) in files(place) {
            let code = code(&text);
            let said = words.iter().filter(|word| code.contains(*word));
            broken.extend(said.map(|word| format!("{name} mentions {word}")));
        }
    }
    for (name, text) in files("dataplane/src") {
        let text = text.to_lowercase();
        let said = PRODUCT_WORDS.iter().filter(|word| text.contains(*word));
        broken.extend(said.map(|word| format!("{name} speaks of {word}")));
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Whether code names a crate: in a path, not as the end of a longer word.
fn names_crate(code: &str, name: &str) -> bool {
    let path = format!("{name}::");
    let is_word = |before: &str| before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    let mut places = code.match_indices(&path);
    places.any(|(place, _)| !is_word(&code[..place]) && !code[..place].ends_with("crate::"))
        || code.contains(&format!("use {name};"))
}

#[test]
fn the_command_line_alone_names_the_lab() {
    assert!(names_crate("use lab::pks;", "lab") && names_crate("::lab::run()", "lab"));
    assert!(!names_crate("slab::Slab", "lab") && !names_crate("crate::lab::run()", "lab"));
    let all = files("nsx-sim/src");
    let naming = all.iter().filter(|(_, text)| names_crate(&code(text), "lab"));
    let naming: Vec<_> = naming.map(|(name, _)| name.replace('\\', "/")).collect();
    let (inside, outside): (Vec<_>, Vec<_>) =
        naming.iter().partition(|name| name.starts_with("nsx-sim/src/cli/"));
    assert!(!inside.is_empty(), "the command line has the lab's commands");
    assert!(outside.is_empty(), "these name the lab, too: {outside:?}");
}

#[test]
fn files_are_short() {
    let mut broken = Vec::new();
    for place in PLACES {
        for (name, text) in files(place) {
            let (lines, name) = (text.lines().count(), name.replace('\\', "/"));
            let excepted = LONG_FILES.iter().find(|(own, _)| *own == name);
            match excepted {
                None if lines > MOST_LINES => broken.push(format!("{name} has {lines} lines")),
                Some((_, most)) if lines > *most => broken.push(format!("{name} grew to {lines}")),
                Some(_) if lines <= MOST_LINES => broken.push(format!("{name} needs no exception")),
                _ => {}
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Every operation of the published API, as `GET /api/v1/path`.
fn published() -> BTreeSet<String> {
    let table = include_str!("../../nsx-sim/src/http/operations.txt");
    table
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut words = line.split(' ');
            let (method, path) = (words.next()?, words.next()?);
            Some(format!("{method} /api/v1{}", unnamed(path)))
        })
        .collect()
}

/// Every operation that is modelled, in the same form.
fn modelled() -> BTreeSet<String> {
    let listed = Manager::new().api().operations();
    listed
        .into_iter()
        .filter(|own| own.level > Level::Absent)
        .map(|own| format!("{} {}", own.method, own.path))
        .collect()
}

#[test]
fn every_route_is_of_the_published_api_or_a_stated_extra() {
    let (published, modelled) = (published(), modelled());
    // The published API lists some actions without their words.
    let plain = |own: &str| own.split('?').next().is_some_and(|plain| published.contains(plain));
    let extras: Vec<&str> = modelled
        .iter()
        .map(String::as_str)
        .filter(|own| !published.contains(*own) && !plain(own))
        .collect();
    assert_eq!(extras, EXTRAS);
    for kind in KINDS.iter().filter(|kind| kind.verbs.create && !kind.single) {
        for (method, path) in [
            ("GET", kind.path.to_owned()),
            ("POST", kind.path.to_owned()),
            ("GET", format!("{}/{{p1}}", kind.path)),
            ("PUT", format!("{}/{{p1}}", kind.path)),
            ("DELETE", format!("{}/{{p1}}", kind.path)),
        ] {
            let operation = format!("{method} {}", unnamed(&format!("/api/v1{path}")));
            let declared = kind.verbs.update || method != "PUT";
            assert!(modelled.contains(&operation) == declared, "{}: {operation}", kind.name);
        }
    }
}

/// A path with its variable parts numbered, as the table of routes prints it.
fn unnamed(path: &str) -> String {
    let mut place = 0;
    let (path, query) = path.split_once('?').map_or((path, None), |(path, own)| (path, Some(own)));
    let parts = path.split('/').map(|part| {
        if part.starts_with('{') {
            place += 1;
            format!("{{p{place}}}")
        } else {
            part.to_owned()
        }
    });
    let path = parts.collect::<Vec<_>>().join("/");
    match query.and_then(|query| query.split('&').next()) {
        Some(word) => format!("{path}?{word}"),
        None => path,
    }
}

#[test]
fn the_readme_counts_the_operations_that_are_modelled() {
    let (published, modelled) = (published(), modelled());
    let any_with = |all: &BTreeSet<String>, own: &str| {
        let with_words = format!("{own}?");
        all.iter().any(|other| other.starts_with(&with_words))
    };
    // An action that the published API lists without its word counts by its words.
    let unworded = |own: &str| !any_with(&published, own) && any_with(&modelled, own);
    let count = published.iter().filter(|own| modelled.contains(*own) || unworded(own)).count();
    assert_eq!(published.len(), 1274);
    let stated = format!("{count} of the 1,274 operations");
    assert!(include_str!("../../README.md").contains(&stated), "README.md should say: {stated}");
}
