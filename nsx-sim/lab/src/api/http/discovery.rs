//! What the server has: the two forms of discovery, and as much OpenAPI as `kubectl apply` asks for.

use super::reviews::{self, REVIEWS, Review};
use crate::api::resource::{Info, RESOURCES};
use serde_json::{Value, json};

const VERBS: [&str; 8] =
    ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
/// The versions of aggregated discovery, the best first; clients before 1.30 know the second alone.
const AGGREGATED: [(&str, &str); 2] = [
    ("v2", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"),
    ("v2beta1", "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"),
];

/// The answer at a path of discovery: its media type and body.
pub fn answer(path: &str, accept: &str, release: &str) -> Option<(&'static str, Value)> {
    let aggregated = aggregated(accept);
    let words: Vec<&str> = path.split('/').skip(1).collect();
    if let (Some((version, media)), ["api" | "apis"]) = (aggregated, words.as_slice()) {
        let groups = if words == ["api"] { vec![""] } else { groups() };
        return Some((media, aggregate(&groups, version)));
    }
    let legacy = |body: Value| Some(("application/json", body));
    match words.as_slice() {
        ["api"] => legacy(json!({"kind": "APIVersions", "versions": ["v1"],
                                 "serverAddressByClientCIDRs": []})),
        ["apis"] => legacy(json!({"kind": "APIGroupList", "apiVersion": "v1",
                                  "groups": groups().iter().map(|g| group(g)).collect::<Value>()})),
        ["apis", name] if groups().contains(name) => {
            let mut group = group(name);
            group["kind"] = "APIGroup".into();
            group["apiVersion"] = "v1".into();
            legacy(group)
        }
        ["api", "v1"] => legacy(resources("", "v1")),
        ["apis", name, "v1"] if groups().contains(name) => {
            legacy(resources(name, &format!("{name}/v1")))
        }
        ["openapi", "v3"] => legacy(openapi_index()),
        ["openapi", "v3", "api", "v1"] => legacy(openapi("", release)),
        ["openapi", "v3", "apis", name, "v1"] if groups().contains(name) => {
            legacy(openapi(name, release))
        }
        _ => None,
    }
}

/// The groups beside the core, in the order of the table.
fn groups() -> Vec<&'static str> {
    let mut groups: Vec<&str> = Vec::new();
    for info in RESOURCES.iter().filter(|i| !i.group.is_empty()) {
        if !groups.contains(&info.group) {
            groups.push(info.group);
        }
    }
    groups.push(reviews::GROUP);
    groups
}

fn of(group: &str) -> impl Iterator<Item = &'static Info> {
    RESOURCES.iter().filter(move |i| i.group == group)
}

fn reviews_of(group: &str) -> impl Iterator<Item = &'static Review> {
    REVIEWS.iter().filter(move |_| group == reviews::GROUP)
}

fn group(name: &str) -> Value {
    let version = json!({"groupVersion": format!("{name}/v1"), "version": "v1"});
    json!({"name": name, "versions": [version], "preferredVersion": version})
}

/// The version of aggregated discovery that the client likes best of those that are here, and its media
/// type; nothing where it wants the older form.
fn aggregated(accept: &str) -> Option<(&'static str, &'static str)> {
    let wants = |range: &str, version: &str| {
        let has = |wanted: &str| range.split(';').any(|part| part.trim() == wanted);
        has("as=APIGroupDiscoveryList") && has(&format!("v={version}"))
    };
    let of = |range: &str| AGGREGATED.into_iter().find(|(version, _)| wants(range, version));
    accept.split(',').find_map(of)
}

fn aggregate(groups: &[&str], version: &str) -> Value {
    let items = groups.iter().map(|name| {
        let resources = of(name).map(|info| {
            let subresources = info.subresources.iter().map(|sub| {
                let (group, version, kind) = sub.kind;
                json!({"subresource": sub.name, "verbs": sub.verbs,
                       "responseKind": {"group": group, "version": version, "kind": kind}})
            });
            let mut resource = json!({
                "resource": info.plural,
                "responseKind": {"group": info.group, "version": info.version, "kind": info.kind},
                "scope": if info.namespaced { "Namespaced" } else { "Cluster" },
                "singularResource": info.singular,
                "verbs": VERBS,
            });
            if !info.short_names.is_empty() {
                resource["shortNames"] = json!(info.short_names);
            }
            if !info.categories.is_empty() {
                resource["categories"] = json!(info.categories);
            }
            if !info.subresources.is_empty() {
                resource["subresources"] = subresources.collect();
            }
            resource
        });
        let reviews = reviews_of(name).map(|review| {
            json!({"resource": review.plural, "singularResource": review.singular,
                   "responseKind": {"group": name, "version": "v1", "kind": review.kind},
                   "scope": "Cluster", "verbs": ["create"]})
        });
        let version = json!({"version": "v1", "freshness": "Current",
                             "resources": resources.chain(reviews).collect::<Value>()});
        let mut metadata = json!({"creationTimestamp": null});
        if !name.is_empty() {
            metadata["name"] = (*name).into();
        }
        json!({"metadata": metadata, "versions": [version]})
    });
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": format!("apidiscovery.k8s.io/{version}"),
           "metadata": {}, "items": items.collect::<Value>()})
}

fn resources(group: &str, group_version: &str) -> Value {
    let mut all = Vec::new();
    for info in of(group) {
        let mut resource = json!({
            "name": info.plural, "singularName": info.singular, "namespaced": info.namespaced,
            "kind": info.kind, "verbs": VERBS,
        });
        if !info.short_names.is_empty() {
            resource["shortNames"] = json!(info.short_names);
        }
        if !info.categories.is_empty() {
            resource["categories"] = json!(info.categories);
        }
        all.push(resource);
        for sub in info.subresources {
            let (group, version, kind) = sub.kind;
            let mut resource = json!({
                "name": format!("{}/{}", info.plural, sub.name), "singularName": "",
                "namespaced": info.namespaced, "kind": kind, "verbs": sub.verbs,
            });
            if group != info.group {
                resource["group"] = group.into();
                resource["version"] = version.into();
            }
            all.push(resource);
        }
    }
    all.extend(reviews_of(group).map(|review| {
        json!({"name": review.plural, "singularName": review.singular, "namespaced": false,
               "kind": review.kind, "verbs": ["create"]})
    }));
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version,
           "resources": all})
}

fn place(group: &str) -> String {
    if group.is_empty() { "api/v1".to_owned() } else { format!("apis/{group}/v1") }
}

fn openapi_index() -> Value {
    let mut paths = json!({});
    for group in std::iter::once("").chain(groups()) {
        let place = place(group);
        // The hash lets a client keep the document until another release of the server.
        let hash = crate::api::kinds::hash(&format!("{place} {}", env!("CARGO_PKG_VERSION")));
        paths[place.as_str()] =
            json!({"serverRelativeURL": format!("/openapi/v3/{place}?hash={hash:08X}")});
    }
    json!({"paths": paths})
}

/// The document of a group: every kind with the parameter that says that the server finds unknown
/// members, so that kubectl leaves that to it. Schemas are not told.
fn openapi(group: &str, release: &str) -> Value {
    let mut paths = json!({});
    for info in of(group) {
        let path = path_of(info);
        let collection = path.trim_end_matches("/{name}");
        paths[path.as_str()] = json!({"get": operation(info, "get"),
            "put": operation(info, "put"), "patch": operation(info, "patch"),
            "delete": operation(info, "delete")});
        paths[collection] =
            json!({"get": operation(info, "list"), "post": operation(info, "post")});
    }
    json!({"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": release},
           "paths": paths, "components": {"schemas": {}}})
}

/// The path of an object of a kind, as documents have it.
pub fn path_of(info: &Info) -> String {
    let scope = if info.namespaced { "namespaces/{namespace}/" } else { "" };
    format!("/{}/{scope}{}/{{name}}", place(info.group), info.plural)
}

fn operation(info: &Info, verb: &str) -> Value {
    let parameter = |name: &str| json!({"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": true}});
    let parameters = match verb {
        "post" | "put" | "patch" => {
            json!([parameter("dryRun"), parameter("fieldManager"), parameter("fieldValidation")])
        }
        _ => json!([]),
    };
    json!({
        "operationId": format!("{verb}{}", info.kind),
        "parameters": parameters,
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-action": verb,
        "x-kubernetes-group-version-kind":
            {"group": info.group, "version": info.version, "kind": info.kind},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_gets_the_discovery_that_it_knows() {
        let of = |accept: &str| answer("/apis", accept, "v1.16.7").unwrap();
        let newer = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
        let older = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";
        let (media, body) = of(&format!("{newer},{older},application/json"));
        assert_eq!((media, &body["apiVersion"]), (newer, &json!("apidiscovery.k8s.io/v2")));
        let (media, body) = of(&format!("{older},application/json"));
        assert_eq!((media, &body["apiVersion"]), (older, &json!("apidiscovery.k8s.io/v2beta1")));
        assert_eq!(of("application/json").1["kind"], "APIGroupList");
    }
}
