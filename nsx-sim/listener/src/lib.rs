//! HTTP/1.1 over TCP, with TLS and without: what the manager's listener and those of the lab share.
//!
//! Servers at hand find out which version of HTTP a caller speaks and bring the second along, which
//! neither a manager of 2.5 [client miq] nor the lab speaks: 700 KB of the program. And all connections are
//! of one type here, so that what reads and writes HTTP is there once.

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower::Service;

/// How long a caller may take to agree on TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long calls under way may take once the listener is to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// How a listener speaks.
#[derive(Clone, Default)]
pub struct Manner {
    /// With TLS, and by what; without where there is none.
    pub tls: Option<Arc<ServerConfig>>,
    /// Whether each word of a header's name begins with a capital.
    pub title_case: bool,
}

/// Who made a call: an extension of each request.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Where from.
    pub address: SocketAddr,
    /// The certificate, DER, that was shown.
    pub certificate: Option<Arc<[u8]>>,
}

/// A listener that answers, as long as this is kept.
pub struct Serving {
    ending: watch::Sender<()>,
    task: JoinHandle<()>,
}

impl Serving {
    /// Takes no further connection, lets the calls under way end, for some seconds, and closes.
    ///
    /// # Errors
    /// Where the listener failed before.
    pub async fn end(self) -> io::Result<()> {
        drop(self.ending);
        self.task.await.map_err(io::Error::other)
    }

    /// Closes at once.
    pub fn abort(&self) {
        self.task.abort();
    }
}

/// A socket that listens; port 0 takes any free one. Must be called within a runtime.
///
/// # Errors
/// Where the address is not to be had.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = std::net::TcpListener::bind(address)?;
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket)
}

/// Answers the calls that come by this socket.
pub fn serve(socket: TcpListener, manner: Manner, app: Router) -> Serving {
    let (ending, ended) = watch::channel(());
    let task = tokio::spawn(accept(socket, manner, app, ended));
    Serving { ending, task }
}

async fn accept(socket: TcpListener, manner: Manner, app: Router, mut ended: watch::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = socket.accept() => match accepted {
                Ok((stream, address)) => {
                    let (manner, app, ended) = (manner.clone(), app.clone(), ended.clone());
                    connections.spawn(begin(stream, address, manner, app, ended));
                }
                Err(error) if is_of_one(&error) => {}
                // The process has no more files, say; connections that end give some back.
                Err(error) => {
                    tracing::warn!(%error, "a connection is not taken");
                    sleep(Duration::from_millis(100)).await;
                }
            },
            Some(_) = connections.join_next() => {}
            _ = ended.changed() => break,
        }
    }
    drop(socket);
    // Those that take longer are closed with the set.
    let _ = timeout(PATIENCE, async { while connections.join_next().await.is_some() {} }).await;
}

/// Whether an error is one connection's own.
fn is_of_one(error: &io::Error) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn begin(
    stream: TcpStream,
    address: SocketAddr,
    manner: Manner,
    app: Router,
    ended: watch::Receiver<()>,
) {
    // Answers go out whole at once: without this the second packet of one waits for the other side's
    // delayed acknowledgement, some 40 ms. A connection that does not take it works.
    let _ = stream.set_nodelay(true);
    let mut caller = Caller { address, certificate: None };
    let stream: Box<dyn Stream> = match manner.tls {
        None => Box::new(stream),
        Some(config) => match timeout(HANDSHAKE, TlsAcceptor::from(config).accept(stream)).await {
            Ok(Ok(stream)) => {
                let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
                caller.certificate = shown.map(|own| own.as_ref().into());
                Box::new(stream)
            }
            Ok(Err(error)) => return tracing::debug!(%address, %error, "no TLS"),
            Err(_) => return tracing::debug!(%address, "no TLS in time"),
        },
    };
    let mut http = http1::Builder::new();
    http.title_case_headers(manner.title_case);
    if let Err(error) = converse(stream, Some(caller), &http, app, ended).await {
        tracing::debug!(%address, %error, "a connection broke");
    }
}

/// Answers the calls that come by a stream which is no listener's, until it ends. Who has sent the last
/// question still gets the answer; headers begin with capitals.
pub async fn serve_stream(stream: impl Stream + 'static, app: Router) {
    let (_unending, ended) = watch::channel(());
    let mut http = http1::Builder::new();
    http.title_case_headers(true).half_close(true);
    if let Err(error) = converse(Box::new(stream), None, &http, app, ended).await {
        tracing::debug!(%error, "a stream broke");
    }
}

/// What connections are, with TLS and without.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

async fn converse(
    stream: Box<dyn Stream>,
    caller: Option<Caller>,
    http: &http1::Builder,
    app: Router,
    mut ended: watch::Receiver<()>,
) -> hyper::Result<()> {
    let answer = service_fn(move |mut request: Request<Incoming>| {
        if let Some(caller) = &caller {
            request.extensions_mut().insert(caller.clone());
        }
        app.clone().call(request)
    });
    let connection = http.serve_connection(TokioIo::new(stream), answer).with_upgrades();
    let mut connection = pin!(connection);
    tokio::select! {
        done = connection.as_mut() => done,
        _ = ended.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    }
}
