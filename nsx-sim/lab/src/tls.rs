//! Certificates of the lab's own listeners.

use anyhow::Context;
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use std::sync::Arc;

/// A certificate made at start, and what a listener needs of it.
pub struct SelfSigned {
    /// For the listener.
    pub config: Arc<ServerConfig>,
    /// The certificate in PEM, for who wants to check it.
    pub pem: String,
}

/// Makes a certificate for the loopback and further names.
///
/// # Errors
/// Where a name can not stand in a certificate.
pub fn self_signed(names: &[&str]) -> anyhow::Result<SelfSigned> {
    let always = ["localhost", "127.0.0.1", "::1"];
    let all: Vec<String> = always.iter().chain(names).map(|&name| name.to_owned()).collect();
    let made = rcgen::generate_simple_self_signed(all).context("a certificate")?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], PrivateKeyDer::from(made.signing_key))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(SelfSigned { config: Arc::new(config), pem: made.cert.pem() })
}
