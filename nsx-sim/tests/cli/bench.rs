//! `bench`, through the real binary.

use super::{run, text};
use serde_json::{Value, json};
use std::path::PathBuf;

/// A folder of a test's own, gone when the value goes.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let name = format!("nsx-sim-bench-{test}-{}", std::process::id());
        let folder = Self(std::env::temp_dir().join(name));
        std::fs::create_dir_all(&folder.0).expect("a folder");
        folder
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    fn file(&self, name: &str, text: &str) -> String {
        std::fs::write(self.0.join(name), text).expect("a file");
        self.path(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What is for port 80 of a network, and everything.
const FILTERS: &str = "\
@10.0.0.0/8\t10.1.0.0/16\t0 : 65535\t80 : 80\t0x06/0xFF\t0x0000/0x0000\t
@0.0.0.0/0\t0.0.0.0/0\t0 : 65535\t0 : 65535\t0x00/0x00\t0x0000/0x0000\t
";
const TRACE: &str = "167772161\t167837697\t5\t80\t6\t0\t0\n1\t2\t3\t4\t17\t1\t1\n";

/// Three files of rules between groups, and a trace: one header is let in by the second rule, one is not.
fn grouped(folder: &Folder, prefix: &str) -> String {
    folder.file(&format!("{prefix}.groups"), "group 1 16 17\ngroup 2 32\n");
    folder.file(&format!("{prefix}.svcs"), "service 1 6 80 81\n");
    let rules = "rule 0 src=2 dst=1 svc=any applied=any action=drop\n\
                 rule 1 src=1 dst=2 svc=1 applied=any action=allow\n";
    folder.file(&format!("{prefix}.rules"), rules);
    folder.file(&format!("{prefix}.mix"), "17\t32\t9\t81\t6\t1\t1\n17\t32\t9\t82\t6\t1\t-1\n");
    folder.path(prefix)
}

fn report(done: &std::process::Output) -> Value {
    serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{}", text(&done.stderr)))
}

#[test]
fn bench_classify_prints_one_object_and_counts_wrong_answers() {
    let folder = Folder::new("classify");
    let file = |name: &str, text: &str| folder.file(name, text);
    let (filters, right) = (file("filters", FILTERS), file("right", TRACE));
    let wrong = file("wrong", "167772161\t167837697\t5\t80\t6\t0\t1\n1\t2\t3\t4\t17\t1\n");
    for engine in ["walk", "crossed", "paired", "forest"] {
        for cache in [&[][..], &["--cache", "16"]] {
            let common = ["bench", "classify", &filters];
            let options = ["--engine", engine, "--passes", "1", "--json"];
            let done = run(&[&common[..], &[&right], &options, cache].concat());
            assert!(done.status.success(), "{}", text(&done.stderr));
            let out = text(&done.stdout);
            assert_eq!(out.lines().count(), 1, "{out}");
            let report: serde_json::Value = serde_json::from_str(&out).expect("JSON");
            for key in ["ruleset", "trace", "algorithm", "build_ms", "mem_bytes", "mpps"] {
                assert!(!report[key].is_null(), "{key}");
            }
            assert_eq!((&report["rules"], &report["mismatches"]), (&2.into(), &0.into()));
            assert_eq!((&report["checked"], &report["batch"]), (&2.into(), &256.into()));

            let done = run(&[&common[..], &[&wrong], &options, cache].concat());
            assert_eq!(done.status.code(), Some(1));
            let report: serde_json::Value = serde_json::from_slice(&done.stdout).expect("JSON");
            assert_eq!(report["mismatches"], 1);
        }
    }
}

#[test]
fn bench_classify_takes_rules_between_groups_as_packets_and_as_headers() {
    let folder = Folder::new("grouped");
    let prefix = grouped(&folder, "few");
    let wrong = folder.file("wrong", "17\t32\t9\t81\t6\t1\t0\n");
    let unsaid = folder.file("unsaid", "17\t32\t9\t81\t6\n17\t32\t9\t82\t6\n");
    let common = ["bench", "classify", "--passes", "1", "--json", "--grouped", &prefix];
    for (form, algorithm) in [(&[][..], "bitmap"), (&["--headers"], "bitmap headers")] {
        let bitmap = [&["--engine", "bitmap"], form].concat();
        for trace in [&folder.path("few.mix"), &unsaid] {
            let done = run(&[&common[..], &[trace], &bitmap].concat());
            let report = report(&done);
            assert_eq!(report["algorithm"], algorithm);
            assert_eq!((&report["checked"], &report["mismatches"]), (&2.into(), &0.into()));
        }
        let done = run(&[&common[..], &[&wrong], &bitmap].concat());
        assert_eq!(done.status.code(), Some(1), "{algorithm}");
        assert_eq!(report(&done)["mismatches"], 1, "{algorithm}");
    }
    let walked = run(&[&common[..], &[&unsaid, "--headers", "--engine", "walk"]].concat());
    assert!(text(&walked.stderr).contains("only the engine bitmap takes headers"));
}

#[test]
fn bench_make_writes_lists_whose_traces_every_engine_answers_as_they_say() {
    let folder = Folder::new("make");
    let sets = folder.path("sets");
    let numbers = ["--filters", "300,1000", "--headers", "500", "--seed", "5"];
    let make = [&["bench", "make", &sets, "--profiles", "acl,fw"], &numbers[..]].concat();
    let done = run(&make);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let lists: Vec<String> = text(&done.stdout).lines().map(str::to_owned).collect();
    let names = ["acl_300", "fw_300", "acl_1k", "fw_1k"];
    assert_eq!(lists, names.map(|name| folder.path(&format!("sets/{name}"))));
    for list in lists {
        for trace in ["inside", "zipf"].map(|trace| format!("{list}.{trace}")) {
            let done = run(&["bench", "classify", &list, &trace, "--passes", "1", "--json"]);
            let report = report(&done);
            assert_eq!((&report["checked"], &report["mismatches"]), (&500.into(), &0.into()));
        }
    }
    // What is there may be the work of hours.
    let done = run(&make);
    assert!(!done.status.success());
    assert!(text(&done.stderr).contains("acl_300"), "{}", text(&done.stderr));
}

/// A program that says what rte_acl's harness says, whatever it is asked.
#[cfg(unix)]
fn peer(folder: &Folder, mpps: f64) -> String {
    use std::os::unix::fs::PermissionsExt;
    let said = json!({"algorithm": "avx512x32", "mpps": mpps, "build_ms": 4.0, "mem_bytes": 1e6});
    let path = folder.file("peer", &format!("#!/bin/sh\necho noise\necho '{said}'\n"));
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&path, mode).expect("a program");
    path
}

#[cfg(unix)]
#[test]
fn bench_compare_takes_all_sets_of_a_directory_and_draws_what_it_found() {
    let folder = Folder::new("compare");
    let peer = peer(&folder, 1e-9);
    std::fs::create_dir(folder.0.join("sets")).expect("a folder");
    for set in ["acl_10", "acl_2"] {
        folder.file(&format!("sets/{set}"), FILTERS);
        folder.file(&format!("sets/{set}.inside"), TRACE);
    }
    grouped(&folder, "sets/few_3");
    let (sets, saved) = (folder.path("sets"), folder.path("result.json"));
    let wanted =
        json!({"acl_2": {"mpps": {"is": 1e12}}, "acl_10": {"build_ms": {"times_peer": 1e9}}});
    let wanted = folder.file("wanted.json", &wanted.to_string());
    let options = ["--passes", "1", "--save", &saved, "--wanted", &wanted];
    let common = ["bench", "compare", &sets, "--peer", &peer];
    let done = run(&[&common[..], &options].concat());
    assert!(done.status.success(), "{}", text(&done.stderr));
    let table = text(&done.stdout);
    let names: Vec<_> = table.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(names, ["trace", "acl_2.inside", "few_3.mix", "acl_10.inside", "geometric"]);

    let result: Value =
        serde_json::from_slice(&std::fs::read(&saved).expect("saved")).expect("JSON");
    let cells = result["cells"].as_array().expect("cells");
    assert!(cells[0]["ratio"]["mpps"].as_f64().is_some_and(|ratio| ratio > 1.0));
    assert_eq!(cells[1]["peer"], Value::Null, "rules between groups are not multiplied out here");
    assert!(result["geometric_mean"]["mpps"].is_number());

    let chart = |name: &str| std::fs::read_to_string(folder.path(name)).expect(name);
    let throughput = chart("result-throughput.svg");
    assert!(throughput.contains("acl_2") && throughput.contains("few_3"));
    assert_eq!(throughput.matches("label missed").count(), 1, "one is wanted faster");
    assert_eq!(
        chart("result-build.svg").matches("class=\"wanted\"").count(),
        2,
        "and the legend's"
    );
    // Drawn again from what was saved they are the same.
    std::fs::remove_file(folder.path("result-throughput.svg")).expect("gone");
    let drawn = run(&["bench", "plot", &saved, "--wanted", &wanted]);
    assert_eq!(text(&drawn.stdout).lines().count(), 3, "{}", text(&drawn.stderr));
    assert_eq!(chart("result-throughput.svg"), throughput);

    let one = [&sets, "/acl_2"].concat();
    let pair = [&one, ".inside"].concat();
    let done = run(&["bench", "compare", &one, &pair, "--peer", &peer, "--passes", "1", "--json"]);
    assert_eq!(report(&done)["cells"].as_array().map(Vec::len), Some(1));
    let nobody = run(&["bench", "compare", &sets, "--peer", "no-such-peer", "--passes", "1"]);
    assert_eq!(nobody.status.code(), Some(2));
    assert!(text(&nobody.stderr).contains("no-such-peer: build it with make"));
}

#[test]
fn bench_dfw_tells_all_of_a_small_world_in_each_family() {
    let folder = Folder::new("dfw");
    for family in ["v4", "v6", "mixed"] {
        let saved = folder.path(&format!("{family}.json"));
        let size =
            ["--rules", "40", "--groups", "20", "--pods", "40", "--churn", "5", "--rate", "50"];
        let common = ["bench", "dfw", "--family", family, "--json", "--save", &saved];
        let done = run(&[&common[..], &size].concat());
        assert!(done.status.success(), "{family}: {}", text(&done.stderr));
        let told = report(&done);
        assert_eq!((&told["family"], &told["mismatches"]), (&family.into(), &0.into()));
        let help = text(&run(&["bench", "dfw", "--help"]).stdout);
        for key in ["member_in", "member_out", "rule_in", "rule_out"] {
            for way in ["_until_seen", "_while_read"] {
                for end in ["p50", "p99"] {
                    let key = format!("{key}{way}_ns_{end}");
                    assert!(told[&key].as_u64().is_some_and(|ns| ns > 0), "{key}: {told}");
                }
                assert!(help.contains(&format!("…{way}_ns")), "{help}");
            }
        }
        for key in ["reader_slowdown_percent", "million_reader_verdicts_per_s"] {
            assert!(told[format!("{key}_while_rules_change")].is_number(), "{told}");
            assert!(help.contains(key), "{help}");
        }
        let chart = std::fs::read_to_string(folder.path(&format!("{family}-latency.svg")));
        assert!(chart.expect("a chart").contains("rule in until seen"));
    }
}
