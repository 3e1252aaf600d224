//! The listener: TLS, limits, sessions' two calls, and the way of each request to its handler.

use super::auth::{Admitted, Peer};
use super::call::Reply;
use super::error::Failure;
use super::throttle::Pass;
use super::tls;
use super::world_file::{WorldDocument, WorldFileError};
use super::{Api, Endpoint, MAX_BODY, header_names, reply, trimmed};
use crate::world::{Settings, World};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{Method, Response};
use listener::{Manner, Serving};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tower::util::MapResponseLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

/// How a server is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it listens; port 0 takes any free one.
    pub listen: SocketAddr,
    /// With TLS, and with whose certificate.
    pub tls: Tls,
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
    serving: Serving,
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
        self.serving.end().await
    }
}

/// Starts a server; it answers when this returns.
///
/// # Errors
/// See [`StartError`].
pub async fn start(options: Options) -> Result<Running, StartError> {
    let Options { listen, tls, settings, world: document } = options;
    let settings = Settings { topology: document.topology.clone(), ..settings };
    let admin = settings.node.admin.user.clone();
    let mut api = Api::new(Arc::new(World::new(settings)?));
    document.load(&api, &admin)?;

    let listen_error = |error| StartError::Listen(listen, error);
    let socket = listener::bind(listen).map_err(listen_error)?;
    let address = socket.local_addr().map_err(listen_error)?;
    let (tls, own) = tls::config(tls, api.world())?.unzip();
    api.endpoint = own.map(|certificate| Endpoint { address, certificate });
    let api = Arc::new(api);
    let names = header_names::as_written().await;
    let name_headers = MapResponseLayer::new(move |mut response: Response<_>| {
        response.extensions_mut().extend(names.clone());
        response
    });
    let app = Router::new()
        .fallback(serve)
        .layer(CatchPanicLayer::custom(|_| reply::response(Err(Failure::Internal), None)))
        .layer(CompressionLayer::new())
        .layer(name_headers)
        .with_state(Arc::clone(&api));
    let secure = tls.is_some();
    // Header names as the product writes most of them.
    let serving = listener::serve(socket, Manner { tls, title_case: true }, app);
    Ok(Running { address, secure, api, serving })
}

async fn serve(State(api): State<Arc<Api>>, request: axum::extract::Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let response = answer(&api, &parts, body).await;
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

/// Finds out who calls, whether that one may call now, and answers.
async fn answer(api: &Api, parts: &Parts, body: Body) -> Response<Body> {
    let path = trimmed(parts.uri.path());
    let peer = Peer::of(&parts.extensions);
    let door = match path {
        "/api/session/create" | "/api/session/destroy" => None,
        _ => Some(api.door.admit(&api.world, &parts.headers, &peer)),
    };
    let client = match &door {
        Some(Ok(admitted)) => admitted.actor.name.clone(),
        _ => peer.address.map(|own| own.to_string()).unwrap_or_default(),
    };
    let pass = enter(api, &client);
    // Whatever the answer, a body on its way is taken first: who is still sending does not listen.
    let body = read_body(body).await;
    let (_pass, body) = match (pass, body) {
        (Ok(pass), Ok(body)) => (pass, body),
        (Err(failure), _) | (_, Err(failure)) => return reply::response(Err(failure), None),
    };
    match door {
        None => session(api, parts, path, &peer, &body),
        Some(Err(failure)) => reply::response(Err(failure), None),
        Some(Ok(Admitted { actor, opened })) => {
            let query = parts.uri.query().unwrap_or("");
            let method = parts.method.as_str();
            let outcome = api.call(actor, method, path, query, body);
            let mut response = reply::response(outcome, opened.as_ref());
            if api.is_deprecated(method, path, query) {
                reply::warn_deprecated(&mut response);
            }
            response
        }
    }
}

/// Lets a client's call begin, within the limits that are set.
fn enter<'a>(api: &'a Api, client: &str) -> Result<Pass<'a>, Failure> {
    let node = &api.world.node;
    let config = &node.read().api_service;
    api.throttle.enter(client, api.world.clock.now(), config).map_err(|failure| match failure {
        Failure::Busy { of_client: true } if node.default_limits().too_many_is_429 => {
            Failure::TooManyRequests
        }
        failure => failure,
    })
}

/// The two calls that open and end sessions.
fn session(api: &Api, parts: &Parts, path: &str, peer: &Peer, body: &[u8]) -> Response<Body> {
    if parts.method != Method::POST {
        return reply::response(Err(Failure::MethodNotAllowed("POST".to_owned())), None);
    }
    if path == "/api/session/destroy" {
        api.door.destroy(&parts.headers);
        return reply::response(Ok(Reply::empty()), None);
    }
    match api.door.create(&api.world, body, peer) {
        Ok(opened) => reply::session(&opened),
        Err(failure) => reply::response(Err(failure), None),
    }
}
