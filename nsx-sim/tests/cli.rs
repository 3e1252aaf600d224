//! The command line, through the real binary.

#[path = "cli/bench.rs"]
mod bench;
#[path = "../../tests/support/golden.rs"]
mod golden;
#[path = "cli/lab.rs"]
#[cfg(feature = "lab")]
mod lab;
#[path = "cli/replay.rs"]
mod replay;

use golden::golden;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Output, Stdio};

fn nsx_sim(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nsx-sim"));
    command.args(args);
    // What the tester's own shell says must not matter.
    for name in ["URL", "USER", "PASSWORD", "INSECURE", "LISTEN", "WORLD", "SEED", "PLAIN_HTTP"] {
        command.env_remove(format!("NSX_SIM_{name}"));
    }
    command
}

fn run(args: &[&str]) -> Output {
    nsx_sim(args).output().expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// `serve` on a free port; it is told to stop when the value goes.
struct Served {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
    url: String,
}

impl Served {
    fn new(args: &[&str]) -> Self {
        let all = [&["serve", "--listen", "127.0.0.1:0", "--seed", "7"], args].concat();
        let mut child = nsx_sim(&all)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut first = String::new();
        out.read_line(&mut first).expect("a first line");
        let url = first.trim_end().strip_prefix("listening on ").unwrap_or_default().to_owned();
        assert!(!url.is_empty(), "{first:?}");
        Self { child, out, url }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.is_ok_and(|status| status.success()));
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn serve_says_where_it_listens_and_what_to_try_and_stops_when_told() {
    for signal in ["TERM", "INT"] {
        let mut served = Served::new(&["--world", "empty", "--plain-http"]);
        let port =
            served.url.strip_prefix("http://127.0.0.1:").and_then(|own| own.parse::<u16>().ok());
        assert!(port.is_some_and(|port| port != 0), "the real port: {}", served.url);
        served.signal(signal);
        let status = served.child.wait().expect("it ends");
        assert_eq!(status.code(), Some(0), "{signal}");
        let mut rest = String::new();
        served.out.read_to_string(&mut rest).expect("the rest");
        assert!(rest.starts_with("user admin\npassword VMware1!VMware1!\n"), "{rest}");
        let next = rest.lines().filter(|line| line.starts_with("  ")).count();
        assert_eq!(next, 2, "two things to try: {rest}");
        assert!(rest.contains(&served.url), "{rest}");
    }
}

#[test]
fn what_to_try_is_of_the_world_that_is_served() {
    let world = run(&["world", "--vms", "3"]).stdout;
    let path = std::env::temp_dir().join(format!("nsx-sim-hints-{}.json", std::process::id()));
    std::fs::write(&path, world).expect("a file");
    let file = path.display().to_string();
    for more in
        [&["--world", "guide"][..], &["--world", "lab"], &["--vms", "2"], &["--world", &file]]
    {
        let mut served = Served::new(&[more, &["--plain-http"][..]].concat());
        let mut line = String::new();
        while !line.contains("nsx-sim explain") {
            line.clear();
            let read = served.out.read_line(&mut line).expect("a line");
            assert_ne!(read, 0, "{more:?} names no packet");
        }
        let words: Vec<&str> = line.split_whitespace().skip(1).collect();
        let explained = run(&words);
        assert_eq!(explained.status.code(), Some(0), "{line}{}", text(&explained.stderr));
    }
    // What is left of it is the machine's to clean.
    let _ = std::fs::remove_file(path);
}

#[test]
fn serve_speaks_tls_unless_told_otherwise_and_health_asks_it() {
    let served = Served::new(&["--world", "empty"]);
    assert!(served.url.starts_with("https://127.0.0.1:"), "{}", served.url);
    assert_eq!(run(&["health", "--url", &served.url, "-k"]).status.code(), Some(0));
    let careful = run(&["health", "--url", &served.url]);
    assert_eq!(careful.status.code(), Some(2), "nobody vouches for its certificate");
    let wrong = run(&["health", "--url", &served.url, "-k", "--password", "wrong"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("credentials were incorrect"), "{}", text(&wrong.stderr));
}

#[test]
fn options_come_from_the_environment_too() {
    let served =
        Served::new(&["--plain-http", "--world", "empty", "--user", "root", "--password", "x"]);
    let health = nsx_sim(&["health"])
        .env("NSX_SIM_URL", &served.url)
        .env("NSX_SIM_USER", "root")
        .env("NSX_SIM_PASSWORD", "x")
        .output()
        .expect("the binary runs");
    assert_eq!(health.status.code(), Some(0), "{}", text(&health.stderr));
}

/// What a server says of its dataplane.
fn state(url: &str) -> serde_json::Value {
    let remote = nsx_client::Remote {
        url: Some(url.to_owned()),
        user: "admin".into(),
        password: "VMware1!VMware1!".into(),
        insecure: true,
        cert: None,
        cert_key: None,
    };
    let client = nsx_client::Client::new(&remote).expect("a client");
    client.get("/sim/v1/dataplane").expect("its state")
}

#[test]
fn the_engine_of_the_dataplane_is_chosen_by_name() {
    let way = [
        "--from",
        "service-b-86d8c888c7-jpwf9",
        "--to",
        "service-c-5c5fc5c857-d9sqm",
        "--port",
        "8080",
    ];
    let mut explained = Vec::new();
    for kind in dataplane::EngineKind::ALL {
        let served = Served::new(&["--engine", kind.name(), "--world", "guide", "--plain-http"]);
        let told = run(&[&["explain", "--url", &served.url][..], &way].concat());
        assert!(told.status.success(), "{kind}: {}", text(&told.stderr));
        explained.push(text(&told.stdout));
        let state = state(&served.url);
        assert_eq!(state["engine"], kind.name(), "{state}");
        let filters = state["filters"].as_object().expect("filters by engine");
        if matches!(kind, dataplane::EngineKind::Walk | dataplane::EngineKind::Bitmap) {
            assert!(filters.keys().eq([kind.name()]), "{state}");
        }
        assert!(!filters.contains_key("auto"), "{state}");
    }
    explained.dedup();
    assert_eq!(explained.len(), 1, "all say the same: {explained:#?}");
    let unknown = run(&["serve", "--engine", "warp"]);
    assert_eq!(unknown.status.code(), Some(2));
    let error = text(&unknown.stderr);
    assert!(error.contains("there are auto walk crossed paired forest bitmap"), "{error}");
    let help = text(&run(&["serve", "--help"]).stdout);
    let most = dataplane::EngineKind::MOST_WALKED;
    assert!(help.contains(&format!("walk for up to {most} IP rules")), "{help}");
}

#[test]
fn a_world_that_can_not_be_had_is_named() {
    let file = std::env::temp_dir().join(format!("nsx-sim-cli-{}.json", std::process::id()));
    let path = file.display().to_string();
    let fails = |world: &str, told: &str| {
        let output = run(&["serve", "--listen", "127.0.0.1:0", "--world", world]);
        assert_eq!(output.status.code(), Some(2));
        let error = text(&output.stderr);
        assert!(error.starts_with("nsx-sim: ") && error.contains(told), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(output.stdout.is_empty());
    };
    fails("no-such-file.json", "neither guide, lab nor empty, so read as a file");
    std::fs::write(&file, "{\"name\": \"w\", \"colour\": 1}").expect("a file");
    fails(&path, "unknown field `colour`");
    let refused =
        "{\"name\": \"w\", \"objects\": [{\"post\": \"/ip-sets\", \"body\": {\"x\": 1}}]}";
    std::fs::write(&file, refused).expect("a file");
    fails(&path, "object 0, POST /ip-sets: 400 Json de-serialization error: property x");
    let _ = std::fs::remove_file(&file);
}

#[test]
fn an_address_that_is_taken_is_named() {
    let served = Served::new(&["--world", "empty", "--plain-http"]);
    let address = served.url.trim_start_matches("http://").to_owned();
    let output = run(&["serve", "--listen", &address, "--world", "empty"]);
    assert_eq!(output.status.code(), Some(2));
    let error = text(&output.stderr);
    assert!(error.contains(&format!("can not listen on {address}")), "{error}");
}

#[test]
fn help_tells_every_command_and_option() {
    let help = text(&run(&["--help"]).stdout);
    for command in ["serve", "guide", "explain", "replay", "health"] {
        assert!(help.contains(&format!("\n  {command} ")), "{command}: {help}");
        let own = run(&[command, "--help"]);
        assert_eq!(own.status.code(), Some(0));
        assert!(text(&own.stdout).contains(&format!("Usage: nsx-sim {command}")));
    }
    let serve = text(&run(&["serve", "--help"]).stdout);
    for (option, variable) in [
        ("--listen", "NSX_SIM_LISTEN"),
        ("--plain-http", "NSX_SIM_PLAIN_HTTP"),
        ("--tls-cert", "NSX_SIM_TLS_CERT"),
        ("--tls-key", "NSX_SIM_TLS_KEY"),
        ("--user", "NSX_SIM_USER"),
        ("--password", "NSX_SIM_PASSWORD"),
        ("--world", "NSX_SIM_WORLD"),
    ] {
        assert!(serve.contains(option) && serve.contains(variable), "{option}: {serve}");
    }
    assert_eq!(run(&["--version"]).status.code(), Some(0));
    assert_eq!(run(&["fly"]).status.code(), Some(2));
    assert_eq!(run(&[]).status.code(), Some(2));
}

#[test]
fn the_guide_comes_out_as_printed() {
    let output = run(&["guide"]);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{told}\n{}", text(&output.stderr));
    assert_eq!(told.lines().last(), Some("11 of 11 rows as in the guide"), "{told}");
}

#[test]
fn the_guide_applied_to_all_four_breaks_access_from_outside() {
    // [facts: the load balancer's connection is rejected at service-a then]
    let output = run(&["guide", "--applied-to-all"]);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{told}\n{}", text(&output.stderr));
    let outside = told.lines().find(|line| line.starts_with("10.40.14.50:80")).unwrap_or_default();
    assert!(outside.contains("Fail") && outside.contains("DenyAll"), "{told}");
    let last = "11 of 11 rows as in the guide; not as in the guide: outside to 10.40.14.50:80";
    assert_eq!(told.lines().last(), Some(last));
}

#[test]
fn the_guide_can_be_followed_on_a_manager_that_runs_and_again() {
    let served = Served::new(&["--plain-http"]);
    for round in 0..2 {
        let output = run(&["guide", "--url", &served.url, "--json"]);
        assert_eq!(output.status.code(), Some(0), "{round}: {}", text(&output.stderr));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert!(report.is_object());
    }
}

#[test]
fn an_explanation_reads_as_expected() {
    let served = Served::new(&["--plain-http"]);
    let followed = run(&["guide", "--url", &served.url]);
    assert_eq!(followed.status.code(), Some(0), "{}", text(&followed.stderr));
    let explain = |from: &str, to: &str| {
        let args = ["explain", "--url", &served.url, "--from", from, "--to", to, "--port", "8080"];
        let output = run(&args);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        format!("{from} -> {to}\n{}\n", text(&output.stdout))
    };
    let (a, b, d) =
        ("service-a-84965f57cc-nhbrx", "service-b-86d8c888c7-jpwf9", "service-d-69f59f4cb9-f94rs");
    golden("explain.txt", &(explain(a, b) + &explain(b, a) + &explain(b, d)));
    let unknown = run(&["explain", "--url", &served.url, "--from", "x", "--to", b, "--port", "1"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).contains("x is no address"), "{}", text(&unknown.stderr));
    let no_port = run(&["explain", "--url", &served.url, "--from", a, "--to", b]);
    assert_eq!(no_port.status.code(), Some(2));
    assert!(text(&no_port.stderr).contains("--port"), "{}", text(&no_port.stderr));
}
