//! Certificates and principal identities [facts §1.5].

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair};
use serde_json::{Value, json};
use tests::Manager;

const CERTIFICATES: &str = "/trust-management/certificates";
const PRINCIPALS: &str = "/trust-management/principal-identities";

/// A certificate and its key, PEM, that vouches for itself.
fn made(name: &str, ca: bool) -> (String, String) {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    if ca {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

#[track_caller]
fn import(manager: &Manager, body: Value) -> Vec<Value> {
    let answer = manager.post(&format!("{CERTIFICATES}?action=import"), body).expect(201);
    answer["results"].as_array().cloned().unwrap_or_default()
}

fn id(object: &Value) -> &str {
    object["id"].as_str().unwrap_or_default()
}

#[test]
fn an_import_answers_with_a_list_of_what_it_read() {
    let manager = Manager::new();
    let (pem, key) = made("web.corp", false);
    // Some clients break lines the other way.
    let body = json!({
        "display_name": "web", "pem_encoded": pem.replace('\n', "\r\n"), "private_key": key,
    });
    let imported = import(&manager, body);
    let [own] = imported.as_slice() else { panic!("one is one: {imported:#?}") };
    assert_eq!(
        (&own["display_name"], &own["resource_type"]),
        (&json!("web"), &json!("certificate_self_signed"))
    );
    assert_eq!(own["pem_encoded"], pem);
    assert_eq!(own["details"][0]["subject_cn"], "web.corp");
    assert_eq!(own["used_by"], json!([]));
    assert!(own.get("private_key").is_none(), "never shown");
    let path = format!("{CERTIFICATES}/{}", id(own));
    assert!(manager.get(&path).expect(200).get("details").is_none());
    let detailed = manager.get(&format!("{path}?details=true")).expect(200);
    assert_eq!(detailed["details"], own["details"]);
    // With the slash that nsxlib sends.
    assert_eq!(manager.get(CERTIFICATES).column("display_name"), ["web"]);
    assert!(
        manager.get(&format!("{CERTIFICATES}?type=cluster_api_certificate")).results().is_empty()
    );
    manager.delete(&path).expect(200);
    manager.get(&path).refused(404, 600);
}

#[test]
fn a_chain_becomes_one_certificate_each() {
    let manager = Manager::new();
    let (leaf, root) = (made("leaf", false).0, made("root", true).0);
    let imported = import(&manager, json!({"pem_encoded": format!("{leaf}{root}")}));
    let types: Vec<_> = imported.iter().map(|own| own["resource_type"].as_str()).collect();
    assert_eq!(types, [Some("certificate_self_signed"), Some("certificate_ca")]);
    assert_eq!(imported[1]["pem_encoded"], root);
}

#[test]
fn what_is_no_certificate_or_not_its_key_is_refused() {
    let manager = Manager::new();
    let ((pem, _), (_, other)) = (made("one", false), made("two", false));
    for (body, field) in [
        (json!({}), "pem_encoded"),
        (json!({"pem_encoded": "text"}), "pem_encoded"),
        (json!({"pem_encoded": pem, "private_key": other}), "private_key"),
        (json!({"pem_encoded": pem, "private_key": "text"}), "private_key"),
    ] {
        let answer = manager.post(&format!("{CERTIFICATES}?action=import"), body);
        let refused = answer.refused(400, 255);
        assert!(refused.contains(field), "{refused}");
    }
    let unknown = json!({"pem_encoded": pem, "owner": "me"});
    manager.post(&format!("{CERTIFICATES}?action=import"), unknown).refused(400, 287);
    assert!(manager.get(CERTIFICATES).results().is_empty());
}

#[test]
fn a_principal_needs_a_certificate_of_its_own() {
    let manager = Manager::new();
    let certificate = &import(&manager, json!({"pem_encoded": made("ncp", false).0}))[0];
    let principal = |name: &str, node: &str, certificate: &str| {
        let body = json!({
            "name": name, "node_id": node, "certificate_id": certificate,
            "permission_group": "read_write_api_users", "is_protected": "true",
        });
        manager.post(PRINCIPALS, body)
    };
    principal("ncp", "one", "nothing").refused(404, 600);
    let made = principal("ncp", "one", id(certificate)).expect(201);
    assert_eq!((&made["is_protected"], &made["_revision"]), (&json!(true), &json!(0)));
    assert!(
        principal("other", "one", id(certificate)).refused(400, 255).contains("certificate_id")
    );
    let roles = manager.get("/aaa/role-bindings?type=principal_identity").results();
    assert_eq!(roles[0]["roles"], json!([{"role": "read_write_api_users"}]));
    // In use, until the principal goes; the certificate stays.
    let path = format!("{CERTIFICATES}/{}", id(certificate));
    assert!(manager.delete(&path).refused(400, 500_030).contains("PrincipalIdentity"));
    manager.delete(&format!("{PRINCIPALS}/{}", id(&made))).expect(200);
    assert!(manager.get("/aaa/role-bindings?type=principal_identity").results().is_empty());
    manager.get(&path).expect(200);
    manager.delete(&path).expect(200);
}

#[test]
fn a_principal_may_bring_its_certificate_and_get_another() {
    let manager = Manager::new();
    let body = json!({
        "name": "ncp", "node_id": "node-1", "role": "enterprise_admin",
        "certificate_pem": made("ncp", false).0,
    });
    let with = format!("{PRINCIPALS}/with-certificate");
    let own = manager.post(&with, body.clone()).expect(201);
    assert_eq!((&own["role"], own.get("certificate_pem")), (&json!("enterprise_admin"), None));
    let names = manager.get(CERTIFICATES).column("display_name");
    assert_eq!(names, ["ncp"]);
    let mut twice = body.clone();
    twice["certificate_pem"] = made("ncp", false).0.into();
    assert!(manager.post(&with, twice).refused(400, 255).contains("node_id"));
    assert_eq!(manager.get(CERTIFICATES).results().len(), 1, "nothing has happened");
    let new = &import(&manager, json!({"pem_encoded": made("new", false).0}))[0];
    let update = json!({"principal_identity_id": id(&own), "certificate_id": id(new)});
    let path = format!("{PRINCIPALS}?action=update_certificate");
    let updated = manager.post(&path, update).expect(200);
    assert_eq!((&updated["certificate_id"], &updated["_revision"]), (&new["id"], &json!(1)));
    let missing = json!({"principal_identity_id": "nobody", "certificate_id": id(new)});
    manager.post(&path, missing).refused(404, 600);
    let mut without = body;
    without["certificate_pem"] = Value::Null;
    assert!(manager.post(&with, without).refused(400, 255).contains("certificate_pem"));
    // There is no such verb in 2.5.
    manager.put(&format!("{PRINCIPALS}/{}", id(&own)), json!({})).refused(405, 405);
}

#[test]
fn a_principals_role_is_the_one_that_its_binding_has() {
    let manager = Manager::new();
    let body = json!({
        "name": "ncp", "node_id": "node-1", "role": "enterprise_admin",
        "certificate_pem": made("ncp", false).0,
    });
    let own = manager.post(&format!("{PRINCIPALS}/with-certificate"), body.clone()).expect(201);
    let mut binding = manager.get("/aaa/role-bindings?type=principal_identity").results().remove(0);
    binding["roles"] = json!([{"role": "auditor"}]);
    manager.put(&format!("/aaa/role-bindings/{}", id(&binding)), binding).expect(200);
    let shown = manager.get(&format!("{PRINCIPALS}/{}", id(&own))).expect(200);
    assert_eq!(shown["role"], "auditor");
    let mut none = body;
    none["node_id"] = "node-2".into();
    none["role"] = Value::Null;
    none["certificate_pem"] = made("other", false).0.into();
    let refused = manager.post(&format!("{PRINCIPALS}/with-certificate"), none).refused(400, 255);
    assert!(refused.contains("role"), "{refused}");
}
