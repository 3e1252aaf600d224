//! Ingresses: kept here, made into rules of the load balancer by NCP.

use super::super::error::{Cause, Error};
use super::super::resource::Resource;
use super::columns::{self, text};
use super::{Rules, labels, list, split_status, text as member, typed};
use k8s_openapi::api::networking::v1::Ingress;
use serde_json::Value;

/// How a path is compared.
const PATH_TYPES: [&str; 3] = ["Exact", "ImplementationSpecific", "Prefix"];

pub(crate) const RULES: Rules = Rules {
    typed: typed::<Ingress>,
    admit: |admission, object| {
        split_status(admission, object);
        let mut causes = Vec::new();
        labels(&object["metadata"], "metadata", &mut causes);
        check(&object["spec"], &mut causes);
        let name = member(object, "/metadata/name");
        if causes.is_empty() {
            return Ok(());
        }
        Err(Error::invalid(Resource::Ingresses, name, &causes))
    },
    columns: &[
        text("Name"),
        text("Class"),
        text("Hosts"),
        text("Address"),
        text("Ports"),
        text("Age"),
    ],
    cells: |object| {
        let class = object["spec"]["ingressClassName"].as_str().unwrap_or("<none>");
        let ports = if object["spec"]["tls"].is_array() { "80, 443" } else { "80" };
        vec![
            columns::name(object),
            class.into(),
            hosts(object).into(),
            address(object).into(),
            ports.into(),
            columns::age(object),
        ]
    },
    ..Rules::PLAIN
};

fn check(spec: &Value, causes: &mut Vec<Cause>) {
    let rules = list(spec, "/rules");
    if rules.is_empty() && spec["defaultBackend"].is_null() {
        let why = "either `defaultBackend` or `rules` must be specified";
        causes.push(Cause::invalid("spec", &spec["rules"], why));
    }
    if spec["defaultBackend"].is_object() {
        backend(&spec["defaultBackend"], "spec.defaultBackend", causes);
    }
    for (place, rule) in rules.iter().enumerate() {
        let at = format!("spec.rules[{place}]");
        if rule["host"].as_str().is_some_and(|host| host.parse::<std::net::IpAddr>().is_ok()) {
            let why = "must be a DNS name, not an IP address";
            causes.push(Cause::invalid(&format!("{at}.host"), &rule["host"], why));
        }
        for (place, path) in list(rule, "/http/paths").iter().enumerate() {
            let at = format!("{at}.http.paths[{place}]");
            let (kind, text) = (member(path, "/pathType"), member(path, "/path"));
            if kind.is_empty() {
                causes
                    .push(Cause::required(&format!("{at}.pathType"), "pathType must be specified"));
            } else if !PATH_TYPES.contains(&kind) {
                let at = format!("{at}.pathType");
                causes.push(Cause::unsupported(&at, &path["pathType"], &PATH_TYPES));
            } else if kind != "ImplementationSpecific" && !text.starts_with('/') {
                let why = "must be an absolute path";
                causes.push(Cause::invalid(&format!("{at}.path"), &text.into(), why));
            }
            backend(&path["backend"], &format!("{at}.backend"), causes);
        }
    }
}

fn backend(backend: &Value, at: &str, causes: &mut Vec<Cause>) {
    if backend["resource"].is_object() {
        return;
    }
    if member(backend, "/service/name").is_empty() {
        causes.push(Cause::required(&format!("{at}.service.name"), ""));
    }
    let port = &backend["service"]["port"];
    if port["name"].is_null() && port["number"].is_null() {
        let at = format!("{at}.service.port");
        causes.push(Cause::required(&at, "port name or number is required"));
    }
}

/// The hosts of the rules; all where a rule has none.
fn hosts(object: &Value) -> String {
    let hosts: Vec<_> =
        list(object, "/spec/rules").iter().filter_map(|rule| rule["host"].as_str()).collect();
    if hosts.is_empty() { "*".to_owned() } else { hosts.join(",") }
}

fn address(object: &Value) -> String {
    let addresses = list(object, "/status/loadBalancer/ingress").iter();
    addresses.filter_map(|own| own["ip"].as_str()).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(spec: &Value) -> String {
        let mut causes = Vec::new();
        check(spec, &mut causes);
        Error::invalid(Resource::Ingresses, "web", &causes).message
    }

    #[test]
    fn a_route_says_how_its_path_is_compared_and_where_it_leads() {
        let service = json!({"service": {"name": "web", "port": {"number": 80}}});
        let mut spec = json!({"rules": [{"host": "shop.corp.local", "http": {"paths": [
            {"path": "/", "pathType": "Prefix", "backend": service}]}}]});
        let mut causes = Vec::new();
        check(&spec, &mut causes);
        assert_eq!(causes, []);
        spec["rules"][0]["host"] = "10.0.0.1".into();
        spec["rules"][0]["http"]["paths"] = json!([
            {"path": "cart", "pathType": "Exact", "backend": {"service": {"name": "web"}}},
            {"path": "/", "backend": service}]);
        assert_eq!(
            told(&spec),
            "Ingress.networking.k8s.io \"web\" is invalid: [spec.rules[0].host: Invalid value: \
             \"10.0.0.1\": must be a DNS name, not an IP address, \
             spec.rules[0].http.paths[0].path: Invalid value: \"cart\": must be an absolute path, \
             spec.rules[0].http.paths[0].backend.service.port: Required value: port name or number \
             is required, spec.rules[0].http.paths[1].pathType: Required value: pathType must be \
             specified]"
        );
        assert!(told(&json!({})).contains("either `defaultBackend` or `rules` must be specified"));
    }
}
