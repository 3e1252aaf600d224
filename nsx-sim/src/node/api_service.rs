//! The settings of the API's own service [spec ApiServiceConfig, HttpServiceProperties].

use crate::wire::Int;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// A number of calls; 0 sets no limit.
type Calls = Int<0, { i64::MAX }>;

/// A number of seconds; 0 sets no limit.
type Seconds = Int<0, 2_147_483_647>;

/// What callers may ask of the API at a time; 0 sets no limit. A manager has 100, 40 and 199; the
/// simulator sets none unless it is told to, for tests are fast callers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Calls of one client in a second.
    pub client_rate: u32,
    /// Calls of one client at a time.
    pub client_concurrency: u32,
    /// Calls at a time.
    pub global_concurrency: u32,
    /// The refusal of a client's calls at a time is 429 instead of 503: what is documented and what
    /// is seen differ [spec; doc].
    pub too_many_is_429: bool,
}

/// A protocol or cipher by name [spec ProtocolVersion, CipherSuite].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedSwitch {
    /// Its name.
    pub name: String,
    /// Whether it is to be used.
    pub enabled: bool,
}

/// The settings as they stand.
#[derive(Clone, Debug, Serialize)]
pub struct ApiServiceConfig {
    /// Seconds after which an idle session ends; 0 lets it live.
    pub session_timeout: i64,
    connection_timeout: i64,
    redirect_host: String,
    /// Calls of one client in a second.
    pub client_api_rate_limit: i64,
    /// Calls of one client at a time.
    pub client_api_concurrency_limit: i64,
    /// Calls at a time.
    pub global_api_concurrency_limit: i64,
    protocol_versions: Vec<NamedSwitch>,
    cipher_suites: Vec<NamedSwitch>,
    /// Callers from here are never locked out.
    pub lockout_immune_addresses: Vec<IpAddr>,
}

/// The settings as a caller sends them: what is absent becomes what it was at the start.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpServiceProperties {
    session_timeout: Option<Seconds>,
    connection_timeout: Option<Seconds>,
    redirect_host: Option<String>,
    client_api_rate_limit: Option<Calls>,
    client_api_concurrency_limit: Option<Calls>,
    global_api_concurrency_limit: Option<Calls>,
    protocol_versions: Option<Vec<NamedSwitch>>,
    cipher_suites: Option<Vec<NamedSwitch>>,
    lockout_immune_addresses: Option<Vec<IpAddr>>,
}

/// What the listener negotiates.
const PROTOCOLS: [&str; 2] = ["TLSv1.2", "TLSv1.3"];
const CIPHERS: [&str; 6] = [
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
];

impl ApiServiceConfig {
    /// The settings of the start, with some limits.
    pub fn with_limits(limits: Limits) -> Self {
        let enabled = |name: &&str| NamedSwitch { name: (*name).to_owned(), enabled: true };
        Self {
            session_timeout: 1800,
            connection_timeout: 30,
            redirect_host: String::new(),
            client_api_rate_limit: limits.client_rate.into(),
            client_api_concurrency_limit: limits.client_concurrency.into(),
            global_api_concurrency_limit: limits.global_concurrency.into(),
            protocol_versions: PROTOCOLS.iter().map(enabled).collect(),
            cipher_suites: CIPHERS.iter().map(enabled).collect(),
            lockout_immune_addresses: Vec::new(),
        }
    }

    /// The settings that a caller asks for, on top of those of the start.
    ///
    /// # Errors
    /// The member that is wrong, and how.
    pub fn update(
        limits: Limits,
        sent: HttpServiceProperties,
    ) -> Result<Self, (&'static str, String)> {
        let start = Self::with_limits(limits);
        for (name, list) in
            [("protocol_versions", &sent.protocol_versions), ("cipher_suites", &sent.cipher_suites)]
        {
            if list.as_ref().is_some_and(Vec::is_empty) {
                return Err((name, "must have at least one item".into()));
            }
        }
        let redirect_host = sent.redirect_host.unwrap_or(start.redirect_host);
        if !redirect_host.is_empty() && !is_host_name(&redirect_host) {
            return Err(("redirect_host", format!("must be a host name, not {redirect_host}")));
        }
        let or = |sent: Option<Calls>, start| sent.map_or(start, Int::get);
        Ok(Self {
            redirect_host,
            session_timeout: sent.session_timeout.map_or(start.session_timeout, Int::get),
            connection_timeout: sent.connection_timeout.map_or(start.connection_timeout, Int::get),
            client_api_rate_limit: or(sent.client_api_rate_limit, start.client_api_rate_limit),
            client_api_concurrency_limit: or(
                sent.client_api_concurrency_limit,
                start.client_api_concurrency_limit,
            ),
            global_api_concurrency_limit: or(
                sent.global_api_concurrency_limit,
                start.global_api_concurrency_limit,
            ),
            protocol_versions: sent.protocol_versions.unwrap_or(start.protocol_versions),
            cipher_suites: sent.cipher_suites.unwrap_or(start.cipher_suites),
            lockout_immune_addresses: sent.lockout_immune_addresses.unwrap_or_default(),
        })
    }
}

/// Labels of letters, digits and inner dashes with dots between them [spec redirect_host].
fn is_host_name(text: &str) -> bool {
    let label = |label: &str| {
        let inner = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let edges = !label.starts_with('-') && !label.ends_with('-');
        (1..=63).contains(&label.len()) && edges && label.chars().all(inner)
    };
    text.len() <= 255 && text.strip_suffix('.').unwrap_or(text).split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_names_are_labels_between_dots() {
        for fits in ["a", "nsx-1.corp.local", "10.0.0.1", "corp.local."] {
            assert!(is_host_name(fits), "{fits}");
        }
        for wrong in ["-a", "a-", "a..b", ".", "a b", &"a".repeat(64)] {
            assert!(!is_host_name(wrong), "{wrong}");
        }
    }

    #[test]
    fn what_a_caller_leaves_out_is_as_at_the_start() {
        let limits = Limits { client_rate: 7, ..Limits::default() };
        let sent = HttpServiceProperties {
            session_timeout: Some(Int::new(60)),
            ..HttpServiceProperties::default()
        };
        let config = ApiServiceConfig::update(limits, sent).unwrap();
        assert_eq!(config.session_timeout, 60);
        assert_eq!(config.client_api_rate_limit, 7);
        assert_eq!(config.connection_timeout, 30);
    }
}
