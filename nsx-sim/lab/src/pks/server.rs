//! The two listeners.

use super::uaa::{self, Uaa};
use super::{HOST, api};
use crate::tls;
use anyhow::Context;
use axum::Router;
use axum::routing::{get, post};
use base64::{Engine, prelude::BASE64_STANDARD};
use listener::{Manner, Serving};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// How long an access token is good.
const LIFETIME: Duration = Duration::from_secs(600);

/// What is served, and where.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where UAA listens.
    pub uaa: SocketAddr,
    /// Where the PKS API listens.
    pub api: SocketAddr,
    /// The one account.
    pub user: String,
    /// Its password.
    pub password: String,
    /// The one cluster.
    pub cluster: Cluster,
}

/// A cluster that can be had.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Its name, which is that of the context, too.
    pub name: String,
    /// Its identifier.
    pub uuid: String,
    /// Where its API server is.
    pub master_host: String,
    /// The port there.
    pub master_port: u16,
    /// The release of Kubernetes, without a `v`.
    pub kubernetes: String,
    /// How many workers it has.
    pub workers: usize,
    /// The token that its API server takes.
    pub token: String,
    /// The certificate that its API server shows, PEM.
    pub ca_pem: String,
}

impl Cluster {
    /// The certificate as kubeconfigs hold it.
    pub(super) fn certificate_data(&self) -> String {
        BASE64_STANDARD.encode(&self.ca_pem)
    }
}

/// The listeners, until they are stopped.
pub struct Running {
    /// UAA's address, with the real port.
    pub uaa: SocketAddr,
    /// The API's.
    pub api: SocketAddr,
    /// The certificate that both show, PEM.
    pub ca_pem: String,
    serving: [Serving; 2],
}

impl Running {
    /// Ends both.
    pub fn stop(&self) {
        self.serving.iter().for_each(Serving::abort);
    }
}

/// Starts both; they answer when this returns. Must be called within a runtime.
///
/// # Errors
/// Where an address is not to be had.
pub fn start(options: Options) -> anyhow::Result<Running> {
    let certificate = tls::self_signed(&[HOST])?;
    let Options { uaa: uaa_at, api: api_at, user, password, cluster } = options;
    let accounts = Arc::new(Uaa::new(user, password, LIFETIME, cluster.token.clone()));
    let tokens = Router::new()
        .route("/oauth/token", post(uaa::token))
        .route("/healthz", get(|| async { "ok\n" }))
        .with_state(Arc::clone(&accounts));
    let clusters = api::router(accounts, vec![cluster]);
    let manner = Manner { tls: Some(certificate.config), title_case: false };
    let listen = |name: &str, at: SocketAddr, router| -> anyhow::Result<(SocketAddr, Serving)> {
        let socket =
            listener::bind(at).with_context(|| format!("{name} can not listen on {at}"))?;
        Ok((socket.local_addr()?, listener::serve(socket, manner.clone(), router)))
    };
    let (uaa, tokens) = listen("UAA", uaa_at, tokens)?;
    let (api, clusters) = listen("the PKS API", api_at, clusters)?;
    Ok(Running { uaa, api, ca_pem: certificate.pem, serving: [tokens, clusters] })
}
