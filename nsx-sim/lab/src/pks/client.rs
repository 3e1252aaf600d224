//! Calls to UAA and the PKS API.

use super::files::Credentials;
use super::hosts::Hosts;
use super::uaa::{CLI_CLIENT, CLUSTER_CLIENT};
use super::{API_PORT, UAA_PORT};
use anyhow::{Context, bail};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;
use std::time::Duration;
use ureq::http::{Method, Request, StatusCode};
use ureq::tls::{Certificate, RootCerts, TlsConfig, parse_pem};

/// The time limit of a call.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Who logs in, and where.
#[derive(Clone, Debug)]
pub struct Login {
    /// The API's host, without ports.
    pub api: String,
    /// The user.
    pub username: String,
    /// The user's password.
    pub password: String,
    /// Take any certificate.
    pub insecure: bool,
    /// The certificate that must be shown, PEM; empty for the system's.
    pub ca_cert: String,
}

/// A session with one PKS API.
pub struct PksClient {
    agent: ureq::Agent,
    hosts: Hosts,
    credentials: Credentials,
}

impl PksClient {
    /// Logs in with a password.
    ///
    /// # Errors
    /// Where UAA is not reached or refuses.
    pub fn login(login: &Login, hosts: &Hosts) -> anyhow::Result<Self> {
        let host = login.api.trim_start_matches("https://").trim_end_matches('/').to_owned();
        let credentials = Credentials {
            api: host,
            ca_cert: login.ca_cert.clone(),
            username: login.username.clone(),
            skip_ssl_verification: login.insecure,
            access_token: String::new(),
            refresh_token: String::new(),
        };
        let mut own = Self::of(credentials, hosts.clone())?;
        let told = own.password_grant(CLI_CLIENT, login)?;
        own.keep(&told)?;
        Ok(own)
    }

    /// Takes up a session that was kept.
    ///
    /// # Errors
    /// Where its certificate can not be read.
    pub fn of(credentials: Credentials, hosts: Hosts) -> anyhow::Result<Self> {
        let mut tls = TlsConfig::builder().disable_verification(credentials.skip_ssl_verification);
        if !credentials.ca_cert.is_empty() {
            let read = parse_pem(credentials.ca_cert.as_bytes()).filter_map(|item| match item {
                Ok(ureq::tls::PemItem::Certificate(own)) => Some(own),
                _ => None,
            });
            let roots: Vec<Certificate<'static>> = read.collect();
            if roots.is_empty() {
                bail!("there is no certificate in the CA's file");
            }
            tls = tls.root_certs(RootCerts::from(roots.into_iter()));
        }
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(TIMEOUT))
            .tls_config(tls.build())
            .build()
            .into();
        Ok(Self { agent, hosts, credentials })
    }

    /// What is to be kept of the session.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// All clusters.
    ///
    /// # Errors
    /// Where the API is not reached or refuses.
    pub fn clusters(&mut self) -> anyhow::Result<Vec<Value>> {
        match self.call(Method::GET, "/v1/clusters")? {
            (StatusCode::OK, Value::Array(clusters)) => Ok(clusters),
            (status, _) => bail!("GET /v1/clusters: {status}"),
        }
    }

    /// One cluster.
    ///
    /// # Errors
    /// Where there is none of the name, or the API is not reached or refuses.
    pub fn cluster(&mut self, name: &str) -> anyhow::Result<Value> {
        self.about(Method::GET, &format!("/v1/clusters/{name}"), name)
    }

    /// A kubeconfig for who may administer the cluster.
    ///
    /// # Errors
    /// As [`PksClient::cluster`].
    pub fn bind(&mut self, name: &str) -> anyhow::Result<Value> {
        self.about(Method::POST, &format!("/v1/clusters/{name}/binds"), name)
    }

    /// The token that a cluster takes from a user.
    ///
    /// # Errors
    /// Where UAA is not reached or refuses.
    pub fn cluster_token(&self, login: &Login) -> anyhow::Result<String> {
        let told = self.password_grant(CLUSTER_CLIENT, login)?;
        text(&told, "id_token")
    }

    fn about(&mut self, method: Method, path: &str, name: &str) -> anyhow::Result<Value> {
        match self.call(method, path)? {
            (status, told) if status.is_success() => Ok(told),
            (StatusCode::NOT_FOUND, _) => bail!("Cluster {name} not found."),
            (status, _) => bail!("{path}: {status}"),
        }
    }

    /// A call with the access token, once more with a new one where it has ended.
    fn call(&mut self, method: Method, path: &str) -> anyhow::Result<(StatusCode, Value)> {
        let first = self.call_once(method.clone(), path)?;
        if first.0 != StatusCode::UNAUTHORIZED {
            return Ok(first);
        }
        let token = self.credentials.refresh_token.clone();
        let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
        let again = self.token(CLI_CLIENT, &form).context("You are no longer logged in")?;
        self.keep(&again)?;
        self.call_once(method, path)
    }

    fn call_once(&self, method: Method, path: &str) -> anyhow::Result<(StatusCode, Value)> {
        let Credentials { api, access_token, .. } = &self.credentials;
        let url = format!("https://{}{path}", self.hosts.address(api, API_PORT));
        let request = Request::builder()
            .method(method)
            .uri(&url)
            .header("Authorization", format!("Bearer {access_token}"))
            .header("Accept", "application/json")
            .body(())?;
        let mut answer = self.agent.run(request).with_context(|| url.clone())?;
        let status = answer.status();
        Ok((status, answer.body_mut().read_json().unwrap_or_default()))
    }

    fn password_grant(&self, client: &str, login: &Login) -> anyhow::Result<Value> {
        let (user, password) = (login.username.as_str(), login.password.as_str());
        let form = [
            ("grant_type", "password"),
            ("username", user),
            ("password", password),
            ("response_type", "id_token"),
        ];
        // The command's own client asks for no identity.
        self.token(client, if client == CLI_CLIENT { &form[..3] } else { &form })
    }

    fn token(&self, client: &str, form: &[(&str, &str)]) -> anyhow::Result<Value> {
        let host = self.hosts.address(&self.credentials.api, UAA_PORT);
        let url = format!("https://{host}/oauth/token");
        let basic = BASE64_STANDARD.encode(format!("{client}:"));
        let sent = self
            .agent
            .post(&url)
            .header("Authorization", format!("Basic {basic}"))
            .header("Accept", "application/json")
            .send_form(form.iter().copied());
        let mut answer = sent.with_context(|| url.clone())?;
        match answer.status() {
            StatusCode::OK => answer.body_mut().read_json().with_context(|| url.clone()),
            StatusCode::UNAUTHORIZED => bail!("Credentials were rejected, please try again."),
            status => bail!("{url}: {status}"),
        }
    }

    fn keep(&mut self, told: &Value) -> anyhow::Result<()> {
        self.credentials.access_token = text(told, "access_token")?;
        self.credentials.refresh_token = text(told, "refresh_token")?;
        Ok(())
    }
}

fn text(told: &Value, member: &str) -> anyhow::Result<String> {
    let value = told[member].as_str().map(str::to_owned);
    value.with_context(|| format!("UAA's answer has no {member}"))
}
