//! Callers that prove who they are by a certificate [facts §1.5].

use super::{Answer, PASSWORD, Server, basic};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use nsx_sim::http::{Options, Tls};
use nsx_sim::world::Settings;
use rcgen::{
    CertificateParams, CertificateRevocationListParams, DnType, Issuer, KeyIdMethod, KeyPair,
    RevokedCertParams, SerialNumber,
};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

/// Takes the manager's own certificate as it comes.
#[derive(Debug)]
struct Trusting;

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// A certificate with its key.
struct Own {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

impl Own {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        Self::of(&params)
    }

    fn of(params: &CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        Self { certificate: params.self_signed(&key).unwrap(), key }
    }

    /// Makes a principal of this certificate.
    fn register(&self, server: &Server, name: &str, role: &str) {
        let body = json!({
            "name": name, "node_id": name, "role": role, "is_protected": true,
            "certificate_pem": self.certificate.pem(),
        });
        let path = "/api/v1/trust-management/principal-identities/with-certificate";
        let basic = basic(PASSWORD);
        let made =
            call(server, None, "POST", path, &[("Authorization", &basic)], &body.to_string());
        assert_eq!(made.status, 201, "{}", made.text());
    }
}

fn server() -> Server {
    Server::with(Options { tls: Tls::SelfSigned, ..Options::default() })
}

/// A connection with TLS, with a certificate or without.
fn connect(server: &Server, own: Option<&Own>) -> StreamOwned<ClientConnection, TcpStream> {
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Trusting));
    let config = match own {
        Some(Own { certificate, key }) => {
            let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
            builder.with_client_auth_cert(vec![certificate.der().clone()], key).unwrap()
        }
        None => builder.with_no_client_auth(),
    };
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    StreamOwned::new(connection, TcpStream::connect(server.running().address).unwrap())
}

/// A call over TLS, with a certificate or without.
fn call(
    server: &Server,
    own: Option<&Own>,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let mut stream = connect(server, own);
    let headers: String =
        headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: nsx\r\nConnection: close\r\n{headers}Content-Length: \
         {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    Answer::read(&answer)
}

#[test]
fn the_cluster_tells_where_its_api_is_served_and_with_which_certificate() {
    let settings = Settings { version: "3.0".parse().unwrap(), ..Settings::default() };
    let later = Server::with(Options { tls: Tls::SelfSigned, settings, ..Options::default() });
    let basic = basic(PASSWORD);
    let node = |server: &Server| {
        let told = call(server, None, "GET", "/api/v1/cluster", &[("Authorization", &basic)], "");
        told.json()["nodes"][0].clone()
    };
    let shown = shown(&later);
    let told = node(&later);
    let pem = told["certificates"][0]["certificate"].as_str().unwrap();
    let pem: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    assert_eq!(STANDARD.decode(pem).unwrap(), shown);
    let address = &told["api_listen_addr"];
    assert_eq!(address["ip_address"], "127.0.0.1");
    assert_eq!(address["port"], later.running().address.port());
    let thumbprint = &told["certificates"][0]["certificate_sha256_thumbprint"];
    assert_eq!(&address["certificate_sha256_thumbprint"], thumbprint);
    assert_eq!(thumbprint.as_str().unwrap().len(), 64);
    // The release of the description has the certificate only; without TLS there is none.
    let told = node(&server());
    assert!(told["certificates"].is_array() && told.get("api_listen_addr").is_none());
    let told = Server::new().admin("GET", "/api/v1/cluster", "").json();
    assert!(told["nodes"][0].get("certificates").is_none());
}

#[test]
fn a_principal_is_known_by_its_certificate_and_protects_what_it_makes() {
    let (server, own) = (server(), Own::new("ncp"));
    own.register(&server, "ncp", "enterprise_admin");
    let info = call(&server, Some(&own), "GET", "/api/v1/aaa/user-info", &[], "").json();
    assert_eq!(
        (&info["user_name"], &info["roles"][0]["role"]),
        (&json!("ncp"), &json!("enterprise_admin"))
    );
    let made = call(&server, Some(&own), "POST", "/api/v1/ip-sets", &[], "{\"id\": \"set\"}");
    assert_eq!((made.status, &made.json()["_create_user"]), (201, &json!("ncp")));
    assert_eq!(made.json()["_protection"], "NOT_PROTECTED");
    let basic = basic(PASSWORD);
    let authorized = [("Authorization", basic.as_str())];
    let admin = |method| call(&server, None, method, "/api/v1/ip-sets/set", &authorized, "");
    assert_eq!(admin("GET").json()["_protection"], "REQUIRE_OVERRIDE");
    admin("DELETE").refused(400, 289);
    assert_eq!(call(&server, Some(&own), "DELETE", "/api/v1/ip-sets/set", &[], "").status, 200);
}

#[test]
fn a_certificate_that_is_no_principals_is_not_trusted() {
    let (server, own) = (server(), Own::new("stranger"));
    let get =
        |headers: &[(&str, &str)]| call(&server, Some(&own), "GET", "/api/v1/node", headers, "");
    let refused = get(&[]);
    refused.refused(500, 99);
    // A password beside it counts all the same.
    assert_eq!(get(&[("Authorization", &basic(PASSWORD))]).status, 200);
    // Imported, and yet tied to nobody.
    let body = json!({"pem_encoded": own.certificate.pem()}).to_string();
    let path = "/api/v1/trust-management/certificates?action=import";
    let authorized = [("Authorization", &*basic(PASSWORD))];
    assert_eq!(call(&server, None, "POST", path, &authorized, &body).status, 201);
    get(&[]).refused(500, 99);
    // Without any there is nobody at all.
    assert_eq!(call(&server, None, "GET", "/api/v1/node", &[], "").status, 403);
}

#[test]
fn a_certificate_whose_time_is_over_is_not_trusted() {
    let mut params = CertificateParams::default();
    // The world's clock stands in 2020.
    params.not_after = rcgen::date_time_ymd(2019, 12, 31);
    let (server, own) = (server(), Own::of(&params));
    own.register(&server, "late", "auditor");
    call(&server, Some(&own), "GET", "/api/v1/node", &[], "").refused(500, 99);
}

/// The certificate that a new connection is shown.
fn shown(server: &Server) -> Vec<u8> {
    let mut stream = connect(server, None);
    stream.flush().unwrap();
    stream.conn.peer_certificates().unwrap()[0].to_vec()
}

#[test]
fn connections_are_shown_the_certificate_that_is_applied() {
    let (server, node, cluster) = (server(), Own::new("node"), Own::new("cluster"));
    let basic = basic(PASSWORD);
    let authorized = [("Authorization", basic.as_str())];
    let post = |path: &str, body: &str| {
        call(&server, None, "POST", &format!("/api/v1{path}"), &authorized, body)
    };
    let import = |own: &Own| {
        let body = json!({
            "pem_encoded": own.certificate.pem(), "private_key": own.key.serialize_pem(),
        });
        let path = "/trust-management/certificates?action=import";
        let made = post(path, &body.to_string()).json();
        made["results"][0]["id"].as_str().unwrap().to_owned()
    };
    let at_first = shown(&server);
    let (of_node, of_cluster) = (import(&node), import(&cluster));
    let apply = "/node/services/http?action=apply_certificate&certificate_id=";
    assert_eq!(post(&format!("{apply}{of_node}"), "").status, 202);
    assert_eq!(shown(&server), node.certificate.der().to_vec());
    // The cluster's goes before the node's own.
    let path = "/cluster/api-certificate?certificate_id=";
    let word = "&action=set_cluster_certificate";
    assert_eq!(post(&format!("{path}{of_cluster}{word}"), "").status, 200);
    assert_eq!(shown(&server), cluster.certificate.der().to_vec());
    let word = "&action=clear_cluster_certificate";
    assert_eq!(post(&format!("{path}{of_cluster}{word}"), "").status, 200);
    assert_eq!(shown(&server), node.certificate.der().to_vec());
    assert_ne!(shown(&server), at_first);
}

#[test]
fn a_certificate_that_its_issuer_took_back_is_not_trusted() {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "lost");
    params.serial_number = Some(SerialNumber::from(7));
    let (server, own) = (server(), Own::of(&params));
    own.register(&server, "lost", "auditor");
    assert_eq!(call(&server, Some(&own), "GET", "/api/v1/node", &[], "").status, 200);
    let list = CertificateRevocationListParams {
        this_update: rcgen::date_time_ymd(2020, 1, 1),
        next_update: rcgen::date_time_ymd(2030, 1, 1),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: vec![RevokedCertParams {
            serial_number: SerialNumber::from(7),
            revocation_time: rcgen::date_time_ymd(2020, 1, 1),
            reason_code: None,
            invalidity_date: None,
        }],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    let list = list.signed_by(&Issuer::new(params, KeyPair::generate().unwrap())).unwrap();
    let body = json!({"pem_encoded": list.pem().unwrap()}).to_string();
    let path = "/api/v1/trust-management/crls?action=import";
    let authorized = [("Authorization", &*basic(PASSWORD))];
    assert_eq!(call(&server, None, "POST", path, &authorized, &body).status, 201);
    call(&server, Some(&own), "GET", "/api/v1/node", &[], "").refused(500, 99);
}

#[test]
fn a_principal_has_the_rights_of_its_role() {
    let (server, own) = (server(), Own::new("reader"));
    own.register(&server, "reader", "auditor");
    assert_eq!(call(&server, Some(&own), "GET", "/api/v1/ip-sets", &[], "").status, 200);
    call(&server, Some(&own), "POST", "/api/v1/ip-sets", &[], "{}").refused(403, 401);
}
