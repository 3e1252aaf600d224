//! What curl says when something fails, and its progress meter.

use std::time::Duration;

use crate::pod::image::Curl;
use crate::pod::network::ConnectError;

/// The head of the meter and its first state, which the next overwrites.
pub(super) const METER_HEAD: &str =
    "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current
                                 Dload  Upload   Total   Spent    Left  Speed
\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0";

/// The last state of the meter.
pub(super) fn meter(size: usize, total: Duration) -> String {
    let bytes = u128::try_from(size).unwrap_or_default();
    let speed = bytes * 1000 / total.as_millis().max(1);
    format!(
        "\r100 {size:5}  100 {size:5}    0     0 {speed:6}      0 --:--:-- --:--:-- --:--:-- {speed:5}\n"
    )
}

/// Why there is no answer.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    Malformed,
    Protocol(String),
    NoName { host: String },
    LookupTimeout { after: Duration },
    NoConnection { host: String, port: u16, why: ConnectError, after: Duration },
    ConnectTimeout { after: Duration },
    NoTls,
    Empty,
    Status(u16),
}

impl Failure {
    /// Exit code and words, which changed with the releases [K curl's history; the first of
    /// `NoConnection` is the guide's image 33].
    pub(super) fn told(&self, release: Curl) -> (u8, String) {
        let old = release == Curl::Old;
        match self {
            Self::Malformed if old => (3, "<url> malformed".to_owned()),
            Self::Malformed => (3, "URL using bad/illegal format or missing URL".to_owned()),
            Self::Protocol(name) if old => {
                (1, format!("Protocol {name} not supported or disabled in libcurl"))
            }
            Self::Protocol(name) => {
                (1, format!("Protocol \"{name}\" not supported or disabled in libcurl"))
            }
            Self::NoName { host } if old => (6, format!("Couldn't resolve host '{host}'")),
            Self::NoName { host } => (6, format!("Could not resolve host: {host}")),
            Self::LookupTimeout { after } => {
                (28, format!("Resolving timed out after {} milliseconds", after.as_millis()))
            }
            Self::NoConnection { host, port, why, .. } if old => {
                (7, format!("Failed connect to {host}:{port}; {}", why.words()))
            }
            Self::NoConnection { host, port, why, after } => {
                let code = if *why == ConnectError::TimedOut { 28 } else { 7 };
                let after = after.as_millis();
                let text = format!(
                    "Failed to connect to {host} port {port} after {after} ms: Couldn't connect to \
                     server"
                );
                (code, text)
            }
            Self::ConnectTimeout { after } => {
                (28, format!("Connection timed out after {} milliseconds", after.as_millis()))
            }
            Self::NoTls => {
                (35, "error:1408F10B:SSL routines:SSL3_GET_RECORD:wrong version number".to_owned())
            }
            Self::Empty => (52, "Empty reply from server".to_owned()),
            Self::Status(status) => (22, format!("The requested URL returned error: {status}")),
        }
    }
}
