//! The transport as clients see it: real connections to a real listener [facts §1, §2.1].

mod accounts;
mod answers;
mod certificates;
mod limits;
mod requests;
mod sessions;
mod transport;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use nsx_sim::clock::Clock;
use nsx_sim::http::{Options, Running, start};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use tests::START;

pub const PASSWORD: &str = "VMware1!VMware1!";

/// A listening manager; it stops with the value.
pub struct Server {
    running: Option<Running>,
    clock: Clock,
    runtime: tokio::runtime::Runtime,
}

impl Server {
    pub fn new() -> Self {
        Self::with(Options::default())
    }

    fn with(mut options: Options) -> Self {
        let clock = Clock::manual(START);
        options.settings.clock = clock.clone();
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let running = runtime.block_on(start(options)).expect("a listener");
        Self { running: Some(running), clock, runtime }
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("runs until dropped")
    }

    /// Sends bytes and reads all that comes back until the connection is closed.
    fn raw(&self, request: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.running().address).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
        stream.write_all(request).expect("the request is taken");
        let mut answer = Vec::new();
        // What was read before a reset counts.
        let _ = stream.read_to_end(&mut answer);
        answer
    }

    pub fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut lines = vec![format!("{method} {path} HTTP/1.1"), "Host: nsx:1".to_owned()];
        lines.push("Connection: close".to_owned());
        lines.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
        if !body.is_empty() {
            lines.push(format!("Content-Length: {}", body.len()));
        }
        let request = lines.join("\r\n") + "\r\n\r\n";
        Answer::read(&self.raw(&[request.as_bytes(), body].concat()))
    }

    /// As the administrator, by basic authentication.
    fn admin(&self, method: &str, path: &str, body: &str) -> Answer {
        self.call(method, path, &[("Authorization", &basic(PASSWORD))], body.as_bytes())
    }

    fn login(&self) -> (String, String) {
        let form = format!("j_username=admin&j_password={PASSWORD}");
        let answer = self.call("POST", "/api/session/create", &[], form.as_bytes());
        assert_eq!(answer.status, 200);
        let header = |name| answer.header(name).expect("a session has both").to_owned();
        (header("set-cookie"), header("x-xsrf-token"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            let _ = self.runtime.block_on(running.stop());
        }
    }
}

pub fn basic(password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("admin:{password}")))
}

pub struct Answer {
    status_line: String,
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    #[track_caller]
    fn read(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no head: {:?}", String::from_utf8_lossy(bytes)));
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let status_line = lines.next().unwrap_or_default().to_owned();
        let status = status_line.split(' ').nth(1).and_then(|text| text.parse().ok());
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let body = bytes[end + 4..].to_vec();
        Self { status_line, status: status.unwrap_or(0), headers, body }
    }

    pub fn header(&self, wanted: &str) -> Option<&str> {
        self.headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    #[track_caller]
    fn refused(&self, status: u16, code: u32) -> String {
        let body = self.json();
        assert_eq!((self.status, &body["error_code"]), (status, &Value::from(code)), "{body:#}");
        body["error_message"].as_str().unwrap_or_default().to_owned()
    }
}
