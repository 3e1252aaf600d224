//! A blocking client of a manager's public HTTP API.
//!
//! The commands that look at a manager from outside are built on it alone; nothing of the server is
//! named here, so they work against any address that speaks the API.

mod judgement;

use std::{fmt, path::PathBuf, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use clap::Args;
use serde_json::Value;
use ureq::http::{Method, Request, StatusCode};
use ureq::tls::{Certificate, ClientCert, PrivateKey, TlsConfig};

pub use judgement::{Considered, Judgement, PacketQuery, Translation, Verdict};

/// Where the Manager API lives; paths given to the [`Client`] are below it.
const BASE_PATH: &str = "/api/v1";
/// Time limit for one request, its answer included.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How many connections wait for their next call.
const IDLE_CONNECTIONS: usize = 64;
/// Upper limit for one answer: a full page of the largest objects stays far below.
const BODY_LIMIT: u64 = 64 << 20;
/// Some releases mark the end of a list with a cursor of this form in place of none.
const NULL_CURSOR_PREFIX: &str = "0000";

/// The manager to talk to and the user to be there.
#[derive(Args, Clone, Debug)]
pub struct Remote {
    /// Address of the manager, such as `https://nsx.corp.local`.
    #[arg(long, env = "NSX_SIM_URL")]
    pub url: Option<String>,
    /// User name for basic authentication.
    #[arg(long, env = "NSX_SIM_USER", default_value = "admin")]
    pub user: String,
    /// Password of the user.
    #[arg(
        long,
        env = "NSX_SIM_PASSWORD",
        default_value = "VMware1!VMware1!",
        hide_env_values = true
    )]
    pub password: String,
    /// Accept any server certificate.
    #[arg(long, short = 'k', env = "NSX_SIM_INSECURE")]
    pub insecure: bool,
    /// Certificate (PEM) to show in place of a password: that of a principal identity.
    #[arg(long, env = "NSX_SIM_CERT", requires = "cert_key", value_name = "FILE")]
    pub cert: Option<PathBuf>,
    /// Private key of the certificate (PEM).
    #[arg(long, env = "NSX_SIM_CERT_KEY", requires = "cert", value_name = "FILE")]
    pub cert_key: Option<PathBuf>,
}

/// Who calls, by a certificate and its key, both PEM.
#[derive(Clone)]
pub struct Principal {
    /// The certificate.
    pub certificate: Vec<u8>,
    /// Its private key.
    pub key: Vec<u8>,
}

/// A connection to one manager as one user.
///
/// Paths start with `/` and are below `/api/v1`, save those that start with `/sim/`, which are the
/// simulator's own and live at the root.
#[derive(Clone, Debug)]
pub struct Client {
    agent: ureq::Agent,
    root: String,
    /// None where a certificate says who calls.
    authorization: Option<String>,
    overwrite: bool,
}

impl Client {
    /// Prepares a client; nothing is sent yet.
    ///
    /// # Errors
    /// [`Error::NoAddress`] if `remote` names no address, [`Error::Certificate`] if its certificate
    /// or key can not be read.
    pub fn new(remote: &Remote) -> Result<Self, Error> {
        let read = |path: &PathBuf| {
            let what = |error| Error::Certificate(format!("{}: {error}", path.display()));
            std::fs::read(path).map_err(what)
        };
        let principal = match (&remote.cert, &remote.cert_key) {
            (Some(certificate), Some(key)) => {
                Some(Principal { certificate: read(certificate)?, key: read(key)? })
            }
            _ => None,
        };
        Self::of(remote, principal.as_ref())
    }

    /// Prepares a client that shows a certificate, whatever user and files `remote` names.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn of_principal(remote: &Remote, principal: &Principal) -> Result<Self, Error> {
        Self::of(remote, Some(principal))
    }

    fn of(remote: &Remote, principal: Option<&Principal>) -> Result<Self, Error> {
        let url = remote.url.as_deref().ok_or(Error::NoAddress)?;
        let tls = TlsConfig::builder()
            .disable_verification(remote.insecure)
            .client_cert(principal.map(client_certificate).transpose()?)
            .build();
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            // A manager is a neighbour, often on loopback: the proxy of the environment is not for it.
            .proxy(None)
            .timeout_global(Some(TIMEOUT))
            // Threads that share a client come back soon: a connection costs more than to keep it.
            .max_idle_connections(IDLE_CONNECTIONS)
            .max_idle_connections_per_host(IDLE_CONNECTIONS)
            .tls_config(tls)
            .build()
            .into();
        let credentials = BASE64_STANDARD.encode(format!("{}:{}", remote.user, remote.password));
        Ok(Self {
            agent,
            root: url.trim_end_matches('/').to_owned(),
            // Sent unasked: a manager answers 403 and never challenges with 401.
            authorization: principal.is_none().then(|| format!("Basic {credentials}")),
            overwrite: false,
        })
    }

    /// The same client, but its writes may change objects that another principal owns and protects
    /// (header `X-Allow-Overwrite`).
    #[must_use]
    pub fn overwriting(&self) -> Self {
        Self { overwrite: true, ..self.clone() }
    }

    /// Reads one object.
    pub fn get(&self, path: &str) -> Result<Value, Error> {
        self.send(Method::GET, path, None)
    }

    /// Sends `body` and returns the answer.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, Error> {
        self.send(Method::POST, path, Some(body))
    }

    /// Replaces the object at `path`; `body` carries its current `_revision`.
    pub fn put(&self, path: &str, body: &Value) -> Result<Value, Error> {
        self.send(Method::PUT, path, Some(body))
    }

    /// Deletes the object at `path`.
    pub fn delete(&self, path: &str) -> Result<(), Error> {
        self.send(Method::DELETE, path, None).map(drop)
    }

    /// Reads a whole collection, page by page.
    pub fn list_all(&self, path: &str) -> Result<Vec<Value>, Error> {
        let separator = if path.contains('?') { '&' } else { '?' };
        let mut elements = Vec::new();
        let mut page = self.get(path)?;
        loop {
            if let Some(Value::Array(results)) = page.get_mut("results") {
                elements.append(results);
            }
            let Some(cursor) = next_cursor(&page) else { return Ok(elements) };
            page = self.get(&format!("{path}{separator}cursor={cursor}"))?;
        }
    }

    fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Error> {
        let base = if path.starts_with("/sim/") { "" } else { BASE_PATH };
        let named = format!("{method} {base}{path}");
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{base}{path}", self.root))
            .header("Accept", "application/json");
        if let Some(credentials) = &self.authorization {
            request = request.header("Authorization", credentials);
        }
        if self.overwrite {
            request = request.header("X-Allow-Overwrite", "true");
        }
        let exchange = || -> Result<(StatusCode, String), ureq::Error> {
            let response = match body {
                Some(body) => self.agent.run(
                    request.header("Content-Type", "application/json").body(body.to_string())?,
                ),
                None => self.agent.run(request.body(())?),
            }?;
            let (head, mut body) = response.into_parts();
            Ok((head.status, body.with_config().limit(BODY_LIMIT).read_to_string()?))
        };
        match exchange() {
            Ok((status, text)) => read_answer(named, status, &text),
            Err(cause) => Err(Error::Transport { request: named, cause: Box::new(cause) }),
        }
    }
}

fn client_certificate(principal: &Principal) -> Result<ClientCert, Error> {
    let wrong = |error: ureq::Error| Error::Certificate(error.to_string());
    let certificate = Certificate::from_pem(&principal.certificate).map_err(wrong)?;
    let key = PrivateKey::from_pem(&principal.key).map_err(wrong)?;
    Ok(ClientCert::new_with_certs(&[certificate], key))
}

/// Why a call did not give what was asked for. Every variant that had a request names it.
#[derive(Debug)]
pub enum Error {
    /// No manager was named.
    NoAddress,
    /// The certificate to show, or its key, is none; in words.
    Certificate(String),
    /// No HTTP answer: name resolution, connection, TLS, timeout.
    Transport {
        /// Method and path.
        request: String,
        /// What the HTTP client says.
        cause: Box<ureq::Error>,
    },
    /// The manager answered with an error.
    Refused {
        /// Method and path.
        request: String,
        /// HTTP status.
        status: u16,
        /// NSX error code, where the body was an NSX error.
        error_code: Option<i64>,
        /// NSX error message, else the beginning of the body.
        message: String,
    },
    /// The manager answered with success and a body that is not what the API promises.
    Unreadable {
        /// Method and path.
        request: String,
        /// What is wrong with the body.
        reason: String,
    },
}

impl Error {
    /// HTTP status of a refusal.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            Self::NoAddress
            | Self::Certificate(_)
            | Self::Transport { .. }
            | Self::Unreadable { .. } => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAddress => f.write_str("no manager named: give --url or set NSX_SIM_URL"),
            Self::Certificate(why) => write!(f, "the certificate to show: {why}"),
            Self::Transport { request, cause } => write!(f, "{request}: {cause}"),
            Self::Refused { request, status, error_code: Some(code), message } => {
                write!(f, "{request}: {status}, error_code {code}: {message}")
            }
            Self::Refused { request, status, error_code: None, message } => {
                write!(f, "{request}: {status}: {message}")
            }
            Self::Unreadable { request, reason } => write!(f, "{request}: {reason}"),
        }
    }
}

// The message holds the cause already; naming it as source, too, would print it twice.
impl std::error::Error for Error {}

/// Turns an answer into its JSON (`Null` for an empty body) or into the error it is.
fn read_answer(request: String, status: StatusCode, text: &str) -> Result<Value, Error> {
    if status.is_success() {
        if text.trim().is_empty() {
            return Ok(Value::Null);
        }
        return serde_json::from_str(text).map_err(|error| Error::Unreadable {
            request,
            reason: format!("the answer is not JSON: {error}"),
        });
    }
    let body: Value = serde_json::from_str(text).unwrap_or_default();
    let message = match body["error_message"].as_str() {
        Some(message) => message.to_owned(),
        None => text.chars().take(200).collect(),
    };
    Err(Error::Refused {
        request,
        status: status.as_u16(),
        error_code: body["error_code"].as_i64(),
        message,
    })
}

fn next_cursor(page: &Value) -> Option<&str> {
    page["cursor"].as_str().filter(|c| !c.is_empty() && !c.starts_with(NULL_CURSOR_PREFIX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(status: u16, text: &str) -> Result<Value, Error> {
        read_answer("GET /api/v1/x".to_owned(), StatusCode::from_u16(status).unwrap(), text)
    }

    #[test]
    fn an_nsx_error_keeps_its_code_and_message() {
        let body = r#"{"httpStatus":"NOT_FOUND","error_code":600,"error_message":"gone"}"#;
        let error = answer(404, body).unwrap_err();
        assert_eq!(error.status(), Some(404));
        assert_eq!(error.to_string(), "GET /api/v1/x: 404, error_code 600: gone");
    }

    #[test]
    fn an_error_without_an_nsx_body_shows_what_came() {
        assert_eq!(
            answer(502, "bad gateway").unwrap_err().to_string(),
            "GET /api/v1/x: 502: bad gateway"
        );
    }

    #[test]
    fn an_empty_success_is_null_and_a_page_of_html_is_an_error() {
        assert_eq!(answer(200, "").unwrap(), Value::Null);
        assert!(matches!(answer(200, "<html>"), Err(Error::Unreadable { .. })));
    }

    #[test]
    fn the_cursor_ends_by_absence_emptiness_or_the_null_prefix() {
        assert_eq!(next_cursor(&json!({"cursor": "0036abc"})), Some("0036abc"));
        for end in [json!({}), json!({"cursor": ""}), json!({"cursor": "00000"})] {
            assert_eq!(next_cursor(&end), None);
        }
    }

    #[test]
    fn a_client_needs_an_address() {
        let remote = Remote {
            url: None,
            user: "admin".to_owned(),
            password: String::new(),
            insecure: false,
            cert: None,
            cert_key: None,
        };
        assert!(matches!(Client::new(&remote), Err(Error::NoAddress)));
    }
}
