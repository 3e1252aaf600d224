//! The listener, and its certificate made for the occasion.

use super::Options;
use anyhow::Context as _;
use axum::Router;
use listener::{Manner, Serving};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

pub(super) struct Served {
    pub url: String,
    pub ca_pem: String,
    pub serving: Serving,
}

pub(super) async fn listen(options: &Options, router: Router) -> anyhow::Result<Served> {
    let socket = TcpListener::bind(options.listen)
        .await
        .with_context(|| format!("cannot listen on {}", options.listen))?;
    let address = socket.local_addr()?;
    let (scheme, tls, ca_pem) = if options.tls {
        let (config, ca_pem) = certificate(address)?;
        ("https", Some(config), ca_pem)
    } else {
        ("http", None, String::new())
    };
    let serving = listener::serve(socket, Manner { tls, title_case: false }, router);
    Ok(Served { url: format!("{scheme}://{address}"), ca_pem, serving })
}

/// A certificate for this address, and the authority that signed it.
fn certificate(address: SocketAddr) -> anyhow::Result<(Arc<ServerConfig>, String)> {
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
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((Arc::new(config), authority.pem()))
}
