//! Which lists are merged item by item, and what makes two items the same
//! (`patchMergeKey` and `x-kubernetes-list-map-keys` of the published types).

use crate::api::Resource;

/// How a list is merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// Items with these members equal are the same item. A strategic merge looks at the first alone.
    Map(&'static [&'static str]),
    /// Each value once.
    Set,
    /// As a whole.
    Atomic,
}

/// How the list at this place is merged: the names of members from the object on, without items.
pub fn kind(resource: Resource, path: &[&str]) -> List {
    let Some((last, above)) = path.split_last() else { return List::Atomic };
    let parent = above.last().copied().unwrap_or_default();
    let in_container = matches!(parent, "containers" | "initContainers" | "ephemeralContainers");
    match *last {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "volumes"
        | "imagePullSecrets"
        | "secrets" => List::Map(&["name"]),
        "env" if in_container => List::Map(&["name"]),
        "volumeMounts" if in_container => List::Map(&["mountPath"]),
        "volumeDevices" if in_container => List::Map(&["devicePath"]),
        "ports" if in_container => List::Map(&["containerPort", "protocol"]),
        "ports" if resource == Resource::Services && path == ["spec", "ports"] => {
            List::Map(&["port", "protocol"])
        }
        "hostAliases" | "podIPs" | "hostIPs" => List::Map(&["ip"]),
        "topologySpreadConstraints" => List::Map(&["topologyKey", "whenUnsatisfiable"]),
        "conditions" => List::Map(&["type"]),
        "addresses" if resource == Resource::Nodes => List::Map(&["type"]),
        "ownerReferences" => List::Map(&["uid"]),
        "finalizers" => List::Set,
        _ => List::Atomic,
    }
}
