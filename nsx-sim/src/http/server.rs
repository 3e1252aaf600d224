//! The listener: TLS, limits, sessions' two calls, and the way of each request to its handler.

use super::auth::{Account, Admitted};
use super::call::Reply;
use super::error::Failure;
use super::world_file::{WorldDocument, WorldFileError};
use super::{Api, MAX_BODY, Request, reply, trimmed};
use crate::world::{Settings, World};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Method, Response};
use axum_server::tls_rustls::RustlsConfig;
use axum_server::{Address, Handle, Server};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

/// How a server is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it listens; port 0 takes any free one.
    pub listen: SocketAddr,
    /// With TLS, and with whose certificate.
    pub tls: Tls,
    /// Who may call.
    pub account: Account,
    /// What the world is told when it begins; the document's topology takes the place of its own.
    pub settings: Settings,
    /// What the world begins with.
    pub world: WorldDocument,
}

/// The transport's security.
#[derive(Clone, Debug)]
pub enum Tls {
    /// None: plain HTTP.
    Off,
    /// With a certificate made at start, for localhost.
    SelfSigned,
    /// With a certificate chain and its key, both PEM.
    Files {
        /// The chain.
        cert: PathBuf,
        /// The key.
        key: PathBuf,
    },
}

impl Default for Options {
    /// On any free port of the loopback, without TLS, with the manager's usual account and an empty
    /// world: for tests.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tls: Tls::Off,
            account: Account { user: "admin".into(), password: "VMware1!VMware1!".into() },
            settings: Settings::default(),
            world: WorldDocument::empty(),
        }
    }
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is not to be had.
    #[error("can not listen on {0}: {1}")]
    Listen(SocketAddr, #[source] io::Error),
    /// The certificate or its key do not serve.
    #[error("TLS: {0}")]
    Tls(String),
    /// The world document.
    #[error("world: {0}")]
    World(#[from] WorldFileError),
    /// The objects that every manager has.
    #[error("boot: {0}")]
    Boot(#[from] crate::inventory::Error),
}

/// A server that runs until it is stopped.
pub struct Running {
    /// Where it listens, with the real port.
    pub address: SocketAddr,
    /// Whether with TLS.
    pub secure: bool,
    /// Its API.
    pub api: Arc<Api>,
    handle: Handle<SocketAddr>,
    task: tokio::task::JoinHandle<io::Result<()>>,
}

impl Running {
    /// The URL to call.
    pub fn url(&self) -> String {
        format!("{}://{}", if self.secure { "https" } else { "http" }, self.address)
    }

    /// Lets the calls under way end, and stops.
    ///
    /// # Errors
    /// Where the listener failed before.
    pub async fn stop(self) -> io::Result<()> {
        self.handle.graceful_shutdown(Some(Duration::from_secs(5)));
        self.task.await.map_err(io::Error::other)?
    }
}

/// Starts a server; it answers when this returns.
///
/// # Errors
/// See [`StartError`].
pub async fn start(options: Options) -> Result<Running, StartError> {
    let Options { listen, tls, account, settings, world: document } = options;
    let settings = Settings { topology: document.topology.clone(), ..settings };
    let admin = account.user.clone();
    let api = Arc::new(Api::new(Arc::new(World::new(settings)?), account));
    document.load(&api, &admin)?;

    let listener = TcpListener::bind(listen).map_err(|error| StartError::Listen(listen, error))?;
    listener.set_nonblocking(true).map_err(|error| StartError::Listen(listen, error))?;
    let address = listener.local_addr().map_err(|error| StartError::Listen(listen, error))?;
    let app = Router::new()
        .fallback(serve)
        .layer(CatchPanicLayer::custom(|_| reply::response(Err(Failure::Internal), None)))
        .layer(CompressionLayer::new())
        .with_state(Arc::clone(&api))
        .into_make_service();
    let handle = Handle::new();
    let secure = !matches!(tls, Tls::Off);
    let listen_error = |error| StartError::Listen(listen, error);
    let task = match tls_config(tls)? {
        Some(config) => {
            let server = axum_server::from_tcp_rustls(listener, config).map_err(listen_error)?;
            tokio::spawn(speak_http1(server).handle(handle.clone()).serve(app))
        }
        None => {
            let server = axum_server::from_tcp(listener).map_err(listen_error)?;
            tokio::spawn(speak_http1(server).handle(handle.clone()).serve(app))
        }
    };
    Ok(Running { address, secure, api, handle, task })
}

/// HTTP/1.1 with header names as the product writes them, and nothing else: not even to those who
/// begin with HTTP/2 unasked [miq].
fn speak_http1<A: Address, T>(server: Server<A, T>) -> Server<A, T> {
    let mut server = server.http1_only();
    server.http_builder().http1().title_case_headers(true);
    server
}

fn tls_config(tls: Tls) -> Result<Option<RustlsConfig>, StartError> {
    let wrong = |error: &dyn std::fmt::Display| StartError::Tls(error.to_string());
    let (chain, key) = match tls {
        Tls::Off => return Ok(None),
        Tls::SelfSigned => {
            let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
            let made = rcgen::generate_simple_self_signed(names).map_err(|error| wrong(&error))?;
            (vec![made.cert.der().clone()], PrivateKeyDer::from(made.signing_key))
        }
        Tls::Files { cert, key } => {
            let chain = CertificateDer::pem_file_iter(&cert).and_then(Iterator::collect);
            let chain = chain.map_err(|error| wrong(&format!("{}: {error}", cert.display())))?;
            let read = PrivateKeyDer::from_pem_file(&key);
            (chain, read.map_err(|error| wrong(&format!("{}: {error}", key.display())))?)
        }
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| wrong(&error))?;
    // The manager of 2.5 speaks HTTP/1.1 [miq]: no other protocol is offered.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(RustlsConfig::from_config(Arc::new(config))))
}

async fn serve(State(api): State<Arc<Api>>, request: axum::extract::Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = match read_body(body).await {
        Ok(body) => body,
        Err(failure) => return reply::response(Err(failure), None),
    };
    let request = Request {
        method: &parts.method,
        path: trimmed(parts.uri.path()),
        query: parts.uri.query().unwrap_or(""),
        headers: &parts.headers,
        body,
    };
    let response = answer(&api, request);
    tracing::info!(
        method = %parts.method,
        uri = %parts.uri,
        status = response.status().as_u16(),
        "served"
    );
    response
}

async fn read_body(body: Body) -> Result<Bytes, Failure> {
    axum::body::to_bytes(body, MAX_BODY).await.map_err(|error| {
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            if cause.is::<http_body_util::LengthLimitError>() {
                return Failure::TooLarge;
            }
            source = cause.source();
        }
        Failure::Incomplete(error.to_string())
    })
}

fn answer(api: &Api, request: Request<'_>) -> Response<Body> {
    match (request.path, request.method == Method::POST) {
        ("/api/session/create", true) => match api.sessions.create(&request.body) {
            Ok(opened) => reply::session(&opened),
            Err(failure) => reply::response(Err(failure), None),
        },
        ("/api/session/destroy", true) => {
            api.sessions.destroy(request.headers);
            reply::response(Ok(Reply::empty()), None)
        }
        ("/api/session/create" | "/api/session/destroy", false) => {
            reply::response(Err(Failure::MethodNotAllowed), None)
        }
        _ => admitted(api, request),
    }
}

/// Answers a call that needs an account.
fn admitted(api: &Api, request: Request<'_>) -> Response<Body> {
    match api.sessions.admit(request.headers) {
        Ok(Admitted { actor, opened }) => {
            let outcome =
                api.call(actor, request.method.as_str(), request.path, request.query, request.body);
            reply::response(outcome, opened.as_ref())
        }
        Err(failure) => reply::response(Err(failure), None),
    }
}
