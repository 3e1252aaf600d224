//! Requests for certificates, revocation lists, and the certificate that the manager shows.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer,
    KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};
use serde_json::{Value, json};
use tests::Manager;

const CSRS: &str = "/trust-management/csrs";
const CERTIFICATES: &str = "/trust-management/certificates";

fn request() -> Value {
    let attribute = |key: &str, value: &str| json!({"key": key, "value": value});
    json!({
        "display_name": "nsx",
        "algorithm": "RSA",
        "key_size": 2048,
        "subject": {"attributes": [
            attribute("CN", "nsx.corp.local"), attribute("O", "Corp"), attribute("C", "US"),
        ]},
    })
}

fn id(object: &Value) -> String {
    object["id"].as_str().unwrap_or_default().to_owned()
}

/// An authority, with its key.
fn authority() -> (CertificateParams, KeyPair) {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::CrlSign, KeyUsagePurpose::KeyCertSign];
    (params, KeyPair::generate().unwrap())
}

/// A revocation list of the authority that takes one serial number back.
fn revocations(serial: u64) -> String {
    let (params, key) = authority();
    let list = CertificateRevocationListParams {
        this_update: date_time_ymd(2020, 1, 1),
        next_update: date_time_ymd(2030, 1, 1),
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: vec![RevokedCertParams {
            serial_number: SerialNumber::from(serial),
            revocation_time: date_time_ymd(2020, 1, 1),
            reason_code: None,
            invalidity_date: None,
        }],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    list.signed_by(&Issuer::new(params, key)).unwrap().pem().unwrap()
}

#[test]
fn a_request_has_a_key_and_becomes_the_certificate_that_is_imported_for_it() {
    let manager = Manager::new();
    let made = manager.post(CSRS, request()).expect(201);
    let pem = made["pem_encoded"].as_str().unwrap();
    assert!(pem.starts_with("-----BEGIN CERTIFICATE REQUEST-----"), "{pem}");
    assert!(made.get("private_key").is_none(), "never shown");
    let one = format!("{CSRS}/{}", id(&made));
    assert_eq!(manager.get(CSRS).column("display_name"), ["nsx"]);
    assert_eq!(manager.get(&format!("{one}/pem-file")).expect(200), pem);

    // Somebody else's certificate is none for it.
    let (params, key) = authority();
    let other = params.self_signed(&key).unwrap().pem();
    manager.post(&format!("{one}?action=import"), json!({"pem_encoded": other})).refused(400, 255);

    let asked = rcgen::CertificateSigningRequestParams::from_pem(pem).unwrap();
    let signed = asked.signed_by(&Issuer::new(params, key)).unwrap();
    let body = json!({"display_name": "signed", "pem_encoded": signed.pem()});
    let imported = manager.post(&format!("{one}?action=import"), body).expect(201);
    assert_eq!(imported["results"][0]["resource_type"], "certificate_signed");
    assert_eq!(imported["results"][0]["details"][0]["subject_cn"], "nsx.corp.local");
    manager.get(&one).refused(404, 600);
    // It came with its key, so it can be shown.
    let apply = "/node/services/http?action=apply_certificate";
    let path = format!("{apply}&certificate_id={}", id(&imported["results"][0]));
    manager.post(&path, json!({})).expect(202);
}

#[test]
fn a_request_can_sign_for_itself() {
    let manager = Manager::new();
    let made = manager.post(CSRS, request()).expect(201);
    let sign = format!("{CSRS}/{}?action=self_sign", id(&made));
    manager.post(&sign, json!({})).refused(400, 255);
    manager.post(&format!("{sign}&days_valid=10001"), json!({})).refused(400, 255);
    let signed = manager.post(&format!("{sign}&days_valid=30"), json!({})).expect(201);
    assert_eq!(signed["display_name"], "nsx");
    assert_eq!(signed["resource_type"], "certificate_self_signed");
    let details = &signed["details"][0];
    let span = details["not_after"].as_i64().unwrap() - details["not_before"].as_i64().unwrap();
    assert_eq!(span, 30 * 86_400_000);
    assert_eq!((&details["is_valid"], &details["public_key_length"]), (&json!(true), &json!(2048)));
    manager.get(&format!("{CSRS}/{}", id(&made))).refused(404, 600);
}

#[test]
fn requests_that_can_not_be_are_refused_before_a_key_is_made() {
    let manager = Manager::new();
    let with = |name: &str, value: Value| {
        let mut body = request();
        body[name] = value;
        manager.post(CSRS, body)
    };
    with("key_size", json!(1024)).refused(400, 255);
    with("algorithm", json!("DSA")).refused(501, 501);
    with("subject", json!({"attributes": []})).refused(400, 255);
    let strange = json!({"attributes": [{"key": "XX", "value": "x"}]});
    with("subject", strange).refused(400, 255);
}

#[test]
fn a_revocation_list_is_read_kept_and_replaced() {
    let manager = Manager::new();
    let import = "/trust-management/crls?action=import";
    manager.post(import, json!({"pem_encoded": "text"})).refused(400, 255);
    let body = json!({"display_name": "list", "pem_encoded": revocations(7)});
    let made = manager.post(import, body).expect(201)["results"][0].clone();
    assert_eq!(made["details"]["crl_entries"][0]["serial_number"], "7");
    assert_eq!(made["details"]["issuer"], "CN=authority");
    let one = format!("/trust-management/crls/{}", id(&made));
    let mut read = manager.get(&one).expect(200);
    assert!(read.get("details").is_none());
    read["pem_encoded"] = revocations(8).into();
    manager.put(&one, read).expect(200);
    let read = manager.get(&format!("{one}?details=true")).expect(200);
    assert_eq!(read["details"]["crl_entries"][0]["serial_number"], "8");

    // The point of the same issuer has it.
    let point = json!({"cdp_uri": "http://authority/list", "issuer": "CN=authority"});
    let point = manager.post("/trust-management/crl-distribution-points", point).expect(201);
    let status = format!("/trust-management/crl-distribution-points/{}/status", id(&point));
    assert_eq!(manager.get(&status).expect(200)["status"], "READY");
    let pem = "/trust-management/crl-distribution-points/pem-file";
    let asked = json!({"cdp_uri": "http://authority/list"});
    assert_eq!(manager.post(pem, asked.clone()).expect(200), read["pem_encoded"]);
    manager.delete(&one).expect(200);
    assert_eq!(manager.get(&status).expect(200)["status"], "NOT_READY");
    manager.post(pem, asked).refused(404, 600);
}

#[test]
fn a_certificate_that_is_shown_says_so_and_does_not_go() {
    let manager = Manager::new();
    assert_eq!(manager.get("/cluster/api-certificate").expect(200)["certificate_id"], "");
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "own");
    let body = json!({
        "pem_encoded": params.self_signed(&key).unwrap().pem(),
        "private_key": key.serialize_pem(),
    });
    let imported = manager.post(&format!("{CERTIFICATES}?action=import"), body).expect(201);
    let own = id(&imported["results"][0]);
    let body =
        json!({"pem_encoded": params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()});
    let bare = manager.post(&format!("{CERTIFICATES}?action=import"), body).expect(201);
    let bare = id(&bare["results"][0]);

    let set = "/cluster/api-certificate?action=set_cluster_certificate&certificate_id=";
    manager.post(&format!("{set}{bare}"), json!({})).refused(400, 255);
    manager.post(&format!("{set}nobody"), json!({})).refused(404, 600);
    let set = manager.post(&format!("{set}{own}"), json!({})).expect(200);
    assert_eq!(set["certificate_id"], own);
    let path = format!("{CERTIFICATES}/{own}");
    let uses = manager.get(&path).expect(200)["used_by"].clone();
    assert_eq!(uses[0]["service_types"], json!(["MGMT_CLUSTER"]));
    let of_cluster = format!("{CERTIFICATES}?type=cluster_api_certificate");
    assert_eq!(manager.get(&of_cluster).column("id"), std::slice::from_ref(&own));
    manager.delete(&path).refused(400, 500_030);
    let clear = "/cluster/api-certificate?action=clear_cluster_certificate&certificate_id=";
    manager.post(&format!("{clear}{bare}"), json!({})).refused(400, 255);
    manager.post(&format!("{clear}{own}"), json!({})).expect(200);
    manager.delete(&path).expect(200);
}
