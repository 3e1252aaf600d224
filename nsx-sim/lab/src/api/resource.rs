//! The kinds of object that the server keeps: names, verbs and columns as data, one entry each.

use super::kinds;
use serde_json::Value;

/// A kind of object, as a place in [`RESOURCES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Resource {
    Namespaces,
    Pods,
    Services,
    Endpoints,
    Nodes,
    Events,
    ConfigMaps,
    Secrets,
    ServiceAccounts,
    Deployments,
    ReplicaSets,
    NetworkPolicies,
    Ingresses,
    EndpointSlices,
}

/// What a kind says of itself, in discovery and to the store.
pub struct Info {
    /// Which one this is.
    pub resource: Resource,
    /// The API group; empty for the core.
    pub group: &'static str,
    /// The version inside the group. Each kind has one.
    pub version: &'static str,
    /// The name in paths.
    pub plural: &'static str,
    /// The name in messages for one object.
    pub singular: &'static str,
    /// The `kind` of objects.
    pub kind: &'static str,
    /// Whether objects stand in a namespace.
    pub namespaced: bool,
    /// What kubectl may abbreviate it to.
    pub short_names: &'static [&'static str],
    /// Categories such as `all`.
    pub categories: &'static [&'static str],
    /// Whether `metadata.generation` counts changes of the spec.
    pub generation: bool,
    /// How many objects are kept at most; the oldest go first. Events alone have a limit.
    pub most: Option<usize>,
    /// Paths below an object.
    pub subresources: &'static [Subresource],
    /// What is particular about the kind.
    pub(crate) rules: kinds::Rules,
}

/// A path below an object.
pub struct Subresource {
    /// Its name.
    pub name: &'static str,
    /// Group, version and kind of its body.
    pub kind: (&'static str, &'static str, &'static str),
    /// What may be done.
    pub verbs: &'static [&'static str],
}

impl Resource {
    /// All, in the order of the enum, which is the order of discovery.
    pub fn all() -> impl Iterator<Item = Resource> {
        RESOURCES.iter().map(|info| info.resource)
    }

    /// What the kind says of itself.
    pub fn info(self) -> &'static Info {
        &RESOURCES[self as usize]
    }

    /// The kind of this path, if there is one.
    pub fn at(group: &str, version: &str, plural: &str) -> Option<Resource> {
        let mut all = RESOURCES.iter();
        all.find(|i| (i.group, i.version, i.plural) == (group, version, plural)).map(|i| i.resource)
    }

    /// The kind of a generated type.
    pub fn of<K: k8s_openapi::Resource>() -> Option<Resource> {
        let mut all = RESOURCES.iter();
        all.find(|i| (i.group, i.kind) == (K::GROUP, K::KIND)).map(|i| i.resource)
    }
}

impl Info {
    /// The `apiVersion` of objects.
    pub fn api_version(&self) -> String {
        match self.group {
            "" => self.version.to_owned(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// How messages name the kind: `pods`, `deployments.apps`.
    pub fn qualified(&self) -> String {
        match self.group {
            "" => self.plural.to_owned(),
            group => format!("{}.{group}", self.plural),
        }
    }

    /// Says of an object which kind it is.
    pub(crate) fn stamp(&self, object: &mut Value) {
        if let Value::Object(members) = object {
            members.insert("apiVersion".to_owned(), self.api_version().into());
            members.insert("kind".to_owned(), self.kind.into());
        }
    }
}

const STATUS: &[&str] = &["get", "patch", "update"];

const fn status(group: &'static str, kind: &'static str) -> Subresource {
    Subresource { name: "status", kind: (group, "v1", kind), verbs: STATUS }
}

const fn streams(name: &'static str, kind: &'static str) -> Subresource {
    Subresource { name, kind: ("", "v1", kind), verbs: &["create", "get"] }
}

const fn core(
    resource: Resource,
    plural: &'static str,
    singular: &'static str,
    kind: &'static str,
    rules: kinds::Rules,
) -> Info {
    Info {
        resource,
        group: "",
        version: "v1",
        plural,
        singular,
        kind,
        namespaced: true,
        short_names: &[],
        categories: &[],
        generation: false,
        most: None,
        subresources: &[],
        rules,
    }
}

/// Every kind, in the order of [`Resource`].
pub static RESOURCES: [Info; 14] = [
    Info {
        namespaced: false,
        short_names: &["ns"],
        subresources: &[
            status("", "Namespace"),
            Subresource { name: "finalize", kind: ("", "v1", "Namespace"), verbs: &["update"] },
        ],
        ..core(
            Resource::Namespaces,
            "namespaces",
            "namespace",
            "Namespace",
            kinds::namespace::RULES,
        )
    },
    Info {
        short_names: &["po"],
        categories: &["all"],
        subresources: &[
            status("", "Pod"),
            streams("attach", "PodAttachOptions"),
            streams("exec", "PodExecOptions"),
            streams("portforward", "PodPortForwardOptions"),
            Subresource { name: "log", kind: ("", "v1", "Pod"), verbs: &["get"] },
            Subresource { name: "binding", kind: ("", "v1", "Binding"), verbs: &["create"] },
            Subresource {
                name: "eviction",
                kind: ("policy", "v1", "Eviction"),
                verbs: &["create"],
            },
        ],
        ..core(Resource::Pods, "pods", "pod", "Pod", kinds::pod::RULES)
    },
    Info {
        short_names: &["svc"],
        categories: &["all"],
        subresources: &[status("", "Service")],
        ..core(Resource::Services, "services", "service", "Service", kinds::service::RULES)
    },
    Info {
        short_names: &["ep"],
        ..core(Resource::Endpoints, "endpoints", "endpoints", "Endpoints", kinds::endpoints::RULES)
    },
    Info {
        namespaced: false,
        short_names: &["no"],
        subresources: &[status("", "Node")],
        ..core(Resource::Nodes, "nodes", "node", "Node", kinds::node::RULES)
    },
    Info {
        short_names: &["ev"],
        most: Some(10_000),
        ..core(Resource::Events, "events", "event", "Event", kinds::event::RULES)
    },
    Info {
        short_names: &["cm"],
        ..core(
            Resource::ConfigMaps,
            "configmaps",
            "configmap",
            "ConfigMap",
            kinds::plain::CONFIG_MAP,
        )
    },
    core(Resource::Secrets, "secrets", "secret", "Secret", kinds::plain::SECRET),
    Info {
        short_names: &["sa"],
        ..core(
            Resource::ServiceAccounts,
            "serviceaccounts",
            "serviceaccount",
            "ServiceAccount",
            kinds::plain::SERVICE_ACCOUNT,
        )
    },
    Info {
        group: "apps",
        short_names: &["deploy"],
        categories: &["all"],
        generation: true,
        subresources: &[
            status("apps", "Deployment"),
            Subresource { name: "scale", kind: ("autoscaling", "v1", "Scale"), verbs: STATUS },
        ],
        ..core(
            Resource::Deployments,
            "deployments",
            "deployment",
            "Deployment",
            kinds::deployment::RULES,
        )
    },
    Info {
        group: "apps",
        short_names: &["rs"],
        categories: &["all"],
        generation: true,
        subresources: &[
            status("apps", "ReplicaSet"),
            Subresource { name: "scale", kind: ("autoscaling", "v1", "Scale"), verbs: STATUS },
        ],
        ..core(
            Resource::ReplicaSets,
            "replicasets",
            "replicaset",
            "ReplicaSet",
            kinds::replicaset::RULES,
        )
    },
    Info {
        group: "networking.k8s.io",
        short_names: &["netpol"],
        generation: true,
        ..core(
            Resource::NetworkPolicies,
            "networkpolicies",
            "networkpolicy",
            "NetworkPolicy",
            kinds::network_policy::RULES,
        )
    },
    Info {
        group: "networking.k8s.io",
        short_names: &["ing"],
        generation: true,
        subresources: &[status("networking.k8s.io", "Ingress")],
        ..core(Resource::Ingresses, "ingresses", "ingress", "Ingress", kinds::ingress::RULES)
    },
    Info {
        group: "discovery.k8s.io",
        generation: true,
        ..core(
            Resource::EndpointSlices,
            "endpointslices",
            "endpointslice",
            "EndpointSlice",
            kinds::endpoints::SLICE,
        )
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_stands_in_the_order_of_the_enum() {
        for (place, info) in RESOURCES.iter().enumerate() {
            assert_eq!(info.resource as usize, place, "{}", info.plural);
        }
    }
}
