//! The listener: TCP, and TLS with a certificate made for the occasion.

use super::Options;
use anyhow::Context as _;
use axum::Router;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

pub(super) struct Served {
    pub url: String,
    pub ca_pem: String,
    pub task: JoinHandle<()>,
}

pub(super) async fn listen(options: &Options, router: Router) -> anyhow::Result<Served> {
    let listener = TcpListener::bind(options.listen)
        .await
        .with_context(|| format!("cannot listen on {}", options.listen))?;
    let address = listener.local_addr()?;
    if !options.tls {
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(Plain(listener), router).await {
                tracing::error!(%error, "the Kubernetes API ended");
            }
        });
        return Ok(Served { url: format!("http://{address}"), ca_pem: String::new(), task });
    }
    let (acceptor, ca_pem) = certificate(address)?;
    let task = tokio::spawn(async move {
        let listener = Tls::new(listener, acceptor);
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "the Kubernetes API ended");
        }
    });
    Ok(Served { url: format!("https://{address}"), ca_pem, task })
}

/// A listener that sends small answers at once.
struct Plain(TcpListener);

impl axum::serve::Listener for Plain {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        let (stream, address) = axum::serve::Listener::accept(&mut self.0).await;
        // A connection that cannot be told so works, only slower.
        let _ = stream.set_nodelay(true);
        (stream, address)
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// A listener whose handshakes are made beside each other, so that a slow one holds up none.
struct Tls {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: std::io::Result<SocketAddr>,
    accepting: JoinHandle<()>,
}

impl Tls {
    fn new(listener: TcpListener, acceptor: TlsAcceptor) -> Tls {
        let (done, ready) = mpsc::channel(64);
        let address = listener.local_addr();
        let mut listener = Plain(listener);
        let accepting = tokio::spawn(async move {
            loop {
                let (stream, address) = axum::serve::Listener::accept(&mut listener).await;
                let (acceptor, done) = (acceptor.clone(), done.clone());
                tokio::spawn(async move {
                    match acceptor.accept(stream).await {
                        // When nobody takes it the server is ending.
                        Ok(stream) => drop(done.send((stream, address)).await),
                        Err(error) => tracing::debug!(%address, %error, "no TLS"),
                    }
                });
            }
        });
        Tls { ready, address, accepting }
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl axum::serve::Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        match self.ready.recv().await {
            Some(accepted) => accepted,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        match &self.address {
            Ok(address) => Ok(*address),
            Err(error) => Err(error.kind().into()),
        }
    }
}

/// A certificate for this address, and the authority that signed it.
fn certificate(address: SocketAddr) -> anyhow::Result<(TlsAcceptor, String)> {
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "nsx-sim lab");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let names = ["localhost", "kubernetes", "kubernetes.default", "ci-cluster.corp.local"];
    let mut names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
    names.extend(["127.0.0.1".to_owned(), "10.100.200.1".to_owned(), address.ip().to_string()]);
    names.dedup();
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, "kube-apiserver");
    let certificate = params.signed_by(&key, &authority)?;
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der())
        .map_err(|e| anyhow::anyhow!("the key that was made is none: {e}"))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((TlsAcceptor::from(Arc::new(config)), authority.pem()))
}
