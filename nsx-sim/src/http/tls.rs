//! The transport's security: the manager's own certificate, and those that callers show.
//!
//! A caller may show a certificate and need not. Any is taken here, for whose it is the API decides
//! later; that the caller has its key is proved here.

use super::auth::Peer;
use super::server::{StartError, Tls};
use crate::kinds::appliance::served;
use crate::kinds::certificate::{self, Certificate};
use crate::world::World;
use crate::x509;
use listener::Caller;
use parking_lot::Mutex;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use std::fmt;
use std::sync::Arc;

/// The configuration of a listener and its own certificate; none where it is to speak plainly. It shows
/// that certificate until the world has another one applied.
///
/// # Errors
/// [`StartError::Tls`].
pub fn config(
    tls: Tls,
    world: &Arc<World>,
) -> Result<Option<(Arc<ServerConfig>, x509::Certificate)>, StartError> {
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
    let first = chain.first().ok_or_else(|| wrong(&"there is no certificate"))?;
    let first = x509::certificate(first).map_err(|error| wrong(&error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let any = Arc::new(AnyCertificate { provider: Arc::clone(&provider) });
    let own = CertifiedKey::from_der(chain, key, &provider).map_err(|error| wrong(&error))?;
    let shown = Shown { own: Arc::new(own), world: Arc::clone(world), last: Mutex::default() };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(&error))?
        .with_client_cert_verifier(any)
        .with_cert_resolver(Arc::new(shown));
    // The manager of 2.5 speaks HTTP/1.1 [miq]: no other protocol is offered.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some((Arc::new(config), first)))
}

/// A stored certificate with its key, ready to be shown: it alone, without those that vouch for it.
///
/// # Errors
/// Why it can not be.
pub fn certified(certificate: &Certificate) -> Result<Arc<CertifiedKey>, String> {
    let key = certificate.key().ok_or("is of a certificate without its key")?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|error| error.to_string())?;
    let own = certificate.parsed().ok_or("is of no certificate")?;
    let chain = vec![CertificateDer::from(own.der.to_vec())];
    let provider = rustls::crypto::ring::default_provider();
    let made = CertifiedKey::from_der(chain, key, &provider);
    made.map(Arc::new).map_err(|error| format!("can not be shown: {error}"))
}

/// Shows the certificate that is applied in the world, else the listener's own.
struct Shown {
    own: Arc<CertifiedKey>,
    world: Arc<World>,
    /// The one that was shown last, by its id: an id's certificate does not change.
    last: Mutex<Option<(String, Arc<CertifiedKey>)>>,
}

impl Shown {
    fn applied(&self) -> Option<Arc<CertifiedKey>> {
        let inventory = &self.world.inventory;
        let served = served::current(inventory);
        let id = served.shown()?;
        let mut last = self.last.lock();
        if let Some((known, certificate)) = &*last
            && known == id
        {
            return Some(Arc::clone(certificate));
        }
        let object = inventory.find(certificate::KIND.name, id)?;
        let found = certified(object.body::<Certificate>()?).ok()?;
        *last = Some((id.to_owned(), Arc::clone(&found)));
        Some(found)
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Shown").finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.applied().unwrap_or_else(|| Arc::clone(&self.own)))
    }
}

/// Takes any certificate whose key the caller has, and none as well.
#[derive(Debug)]
struct AnyCertificate {
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for AnyCertificate {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl Peer {
    /// The other end of the connection that a call came on.
    pub fn of(extensions: &axum::http::Extensions) -> Self {
        let caller = extensions.get::<Caller>();
        Self {
            address: caller.map(|own| own.address.ip()),
            certificate: caller.and_then(|own| own.certificate.clone()),
        }
    }
}
