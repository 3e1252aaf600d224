//! Ingresses in the load balancer's words: which requests go to which backend, in order. Nothing here
//! asks anybody.

use k8s_openapi::api::networking::v1::{HTTPIngressPath, Ingress, IngressBackend};
use serde_json::{Value, json};

/// The class of Ingresses that are NCP's, beside those without one [P manifest of NCP 2.5.1:
/// default_ingress_class_nsx].
const CLASS: &str = "nsx";
/// By which annotation Ingresses had a class before they had a member for it.
const CLASS_ANNOTATION: &str = "kubernetes.io/ingress.class";

/// A Service's port, by number or name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Backend {
    /// The namespace.
    pub namespace: String,
    /// The Service.
    pub service: String,
    /// Its port.
    pub port: String,
}

/// How a path is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Exact,
    /// By whole parts between slashes.
    Prefix,
}

/// Requests of one sort, and where they go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    host: Option<String>,
    path: Option<(Comparison, String)>,
    /// Where they go.
    pub backend: Backend,
}

impl Route {
    /// The conditions of a rule [spec LbRuleCondition]; none where every request fits.
    pub fn conditions(&self) -> Vec<Value> {
        let mut conditions = Vec::new();
        if let Some(host) = &self.host {
            let (kind, value) = match host.strip_prefix('*') {
                Some(rest) => ("ENDS_WITH", rest),
                None => ("EQUALS", &**host),
            };
            conditions.push(json!({
                "type": "LbHttpRequestHeaderCondition", "header_name": "Host",
                "header_value": value, "match_type": kind, "case_sensitive": false,
            }));
        }
        match &self.path {
            Some((Comparison::Exact, path)) => conditions.push(json!({
                "type": "LbHttpRequestUriCondition", "uri": path, "match_type": "EQUALS",
            })),
            Some((Comparison::Prefix, path)) => conditions.push(json!({
                "type": "LbHttpRequestUriCondition", "match_type": "REGEX",
                "uri": format!("^{}(/.*)?$", plain(path)),
            })),
            None => {}
        }
        conditions
    }

    /// What comes first: with a host before without one, the exact before the prefix, the longer before
    /// the shorter.
    fn order(&self) -> impl Ord + use<> {
        let wild = self.host.as_ref().map(|own| own.starts_with('*'));
        let path = self.path.as_ref();
        (
            wild.map_or(2, u8::from),
            path.map_or(2, |own| own.0 as u8),
            path.map_or(0, |own| usize::MAX - own.1.len()),
        )
    }
}

/// A text as a regular expression that matches it alone.
fn plain(text: &str) -> String {
    let special = |c: char| r"\.+*?()|[]{}^$".contains(c);
    text.chars().flat_map(|c| special(c).then_some('\\').into_iter().chain([c])).collect()
}

/// Whether an Ingress is for NCP.
pub fn is_own(ingress: &Ingress) -> bool {
    let annotations = ingress.metadata.annotations.as_ref();
    let class = ingress.spec.as_ref().and_then(|own| own.ingress_class_name.as_ref());
    let class = class.or_else(|| annotations?.get(CLASS_ANNOTATION));
    class.is_none_or(|own| own == CLASS) && ingress.metadata.deletion_timestamp.is_none()
}

fn backend(namespace: &str, backend: &IngressBackend) -> Option<Backend> {
    let service = backend.service.as_ref()?;
    let port = service.port.as_ref()?;
    Some(Backend {
        namespace: namespace.to_owned(),
        service: service.name.clone(),
        port: port.name.clone().or_else(|| port.number.map(|own| own.to_string()))?,
    })
}

fn path_of(path: &HTTPIngressPath) -> Option<(Comparison, String)> {
    let text = path.path.as_deref().unwrap_or("/");
    if path.path_type == "Exact" {
        return Some((Comparison::Exact, text.to_owned()));
    }
    let text = text.trim_end_matches('/');
    (!text.is_empty()).then(|| (Comparison::Prefix, text.to_owned()))
}

/// What Ingresses want: the routes in the order in which they are to be tried, and where all else goes.
pub fn routes<'a>(
    ingresses: impl IntoIterator<Item = &'a Ingress>,
) -> (Vec<Route>, Option<Backend>) {
    let (mut routes, mut default) = (Vec::new(), None);
    for ingress in ingresses {
        let (Some(spec), Some(namespace)) = (&ingress.spec, &ingress.metadata.namespace) else {
            continue;
        };
        let own = spec.default_backend.as_ref().and_then(|own| backend(namespace, own));
        default = default.or(own);
        for rule in spec.rules.iter().flatten() {
            let host = rule.host.clone().filter(|own| !own.is_empty());
            for path in rule.http.iter().flat_map(|own| &own.paths) {
                let Some(backend) = backend(namespace, &path.backend) else { continue };
                routes.push(Route { host: host.clone(), path: path_of(path), backend });
            }
        }
    }
    routes.sort_by_key(Route::order);
    (routes, default)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ingress(spec: &Value) -> Ingress {
        let object = json!({"metadata": {"namespace": "x1", "name": "web"}, "spec": spec});
        serde_json::from_value(object).unwrap()
    }

    fn path(path: &str, kind: &str, service: &str) -> Value {
        json!({"path": path, "pathType": kind,
               "backend": {"service": {"name": service, "port": {"number": 80}}}})
    }

    #[test]
    fn the_narrower_route_comes_first() {
        let own = ingress(&json!({"rules": [
            {"http": {"paths": [path("/", "Prefix", "all")]}},
            {"host": "*.corp.local", "http": {"paths": [path("/", "Prefix", "wild")]}},
            {"host": "shop.corp.local", "http": {"paths": [
                path("/", "Prefix", "shop"), path("/cart", "Prefix", "cart"),
                path("/cart", "Exact", "exact"),
            ]}},
        ]}));
        let (routes, default) = routes([&own]);
        let order: Vec<_> = routes.iter().map(|own| &*own.backend.service).collect();
        assert_eq!(order, ["exact", "cart", "shop", "wild", "all"]);
        assert_eq!(default, None);
        let cart = routes[1].conditions();
        assert_eq!(
            (&cart[0]["header_value"], &cart[1]["uri"]),
            (&json!("shop.corp.local"), &json!("^/cart(/.*)?$"))
        );
        assert_eq!(routes[3].conditions()[0]["header_value"], ".corp.local");
        assert!(routes[4].conditions().is_empty(), "every request fits");
    }

    #[test]
    fn a_default_backend_takes_what_no_route_does() {
        let port = json!({"name": "web", "port": {"name": "http"}});
        let own = ingress(&json!({"defaultBackend": {"service": port}}));
        let (routes, default) = routes([&own]);
        assert!(routes.is_empty());
        assert_eq!(default.map(|own| own.port).as_deref(), Some("http"));
    }

    #[test]
    fn another_controller_s_ingress_is_left_alone() {
        assert!(is_own(&ingress(&json!({}))));
        assert!(is_own(&ingress(&json!({"ingressClassName": "nsx"}))));
        assert!(!is_own(&ingress(&json!({"ingressClassName": "nginx"}))));
        let mut other = ingress(&json!({}));
        other.metadata.annotations = Some([(CLASS_ANNOTATION.into(), "nginx".into())].into());
        assert!(!is_own(&other));
    }

    #[test]
    fn a_path_means_itself_in_an_expression() {
        assert_eq!(plain("/a.b+c"), r"/a\.b\+c");
    }
}
