//! The product as a process of its own: a bench starts itself again as `serve`, or the program that
//! `NSX_SIM` names, as users get it.

// Each bench has this file as a module of its own and uses what it needs of it.
#![allow(dead_code)]

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use ureq::Agent;
use ureq::tls::TlsConfig;

/// Says to a bench's binary that it is to serve.
const CHILD: &str = "serve";

/// The manager's usual account.
pub const AUTHORIZATION: &str = "Basic YWRtaW46Vk13YXJlMSFWTXdhcmUxIQ==";

/// Whether this process is to be the server.
pub fn is_child() -> bool {
    std::env::args().nth(1).as_deref() == Some(CHILD)
}

/// A running server, ended with its owner, and a connection to it.
pub struct Server {
    child: Option<Child>,
    process: u32,
    url: String,
    agent: Agent,
    /// From exec to the line that tells the address.
    pub listening: Duration,
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Server {
    /// Starts this binary again as a server with a world, over HTTPS unless the further options say
    /// otherwise.
    pub fn start(world: &str, options: &[&str]) -> Self {
        let this = || std::env::current_exe().expect("the bench knows its own path");
        let program = std::env::var_os("NSX_SIM").map_or_else(this, PathBuf::from);
        let begun = Instant::now();
        let mut child = Command::new(program)
            .args([CHILD, "--listen", "127.0.0.1:0", "--world", world])
            .args(options)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the bench starts itself");
        let out = child.stdout.take().expect("its output is piped");
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line).expect("it says where it listens");
        let listening = begun.elapsed();
        let url = line.trim().strip_prefix("listening on ").expect("the first line tells");
        let process = child.id();
        Self { child: Some(child), process, url: url.to_owned(), agent: agent(), listening }
    }

    /// Where it listens: scheme, address and port.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A further connection to the same server; the server does not end with it.
    pub fn another_connection(&self) -> Self {
        Self { child: None, url: self.url.clone(), agent: agent(), ..*self }
    }

    /// A call below `/api/v1` that must succeed.
    pub fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let url = format!("{}/api/v1{path}", self.url);
        let answer = match method {
            "GET" => self.agent.get(url).header("Authorization", AUTHORIZATION).call(),
            _ => self
                .agent
                .post(url)
                .header("Authorization", AUTHORIZATION)
                .header("Content-Type", "application/json")
                .send(body.to_string()),
        };
        let mut answer = answer.expect("the call succeeds");
        let bytes = answer.body_mut().read_to_vec().expect("a body");
        serde_json::from_slice(&bytes).expect("JSON")
    }

    /// The bytes of a `GET` below `/api/v1`, unread.
    pub fn get_bytes(&self, path: &str) -> usize {
        let request = self.agent.get(format!("{}/api/v1{path}", self.url));
        let mut answer =
            request.header("Authorization", AUTHORIZATION).call().expect("the call succeeds");
        answer.body_mut().with_config().limit(1 << 30).read_to_vec().expect("a body").len()
    }

    /// Memory that is resident, as the kernel counts it; 0 where there is no `/proc`.
    pub fn resident_kib(&self) -> u64 {
        let status = format!("/proc/{}/status", self.process);
        let status = std::fs::read_to_string(status).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok()).unwrap_or(0)
    }
}

fn agent() -> Agent {
    let tls = TlsConfig::builder().disable_verification(true).build();
    Agent::config_builder().tls_config(tls).build().into()
}
