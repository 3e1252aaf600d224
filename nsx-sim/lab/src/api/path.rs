//! What a path names.

use super::resource::Resource;

/// A path of the API, taken apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Which kind.
    pub resource: Resource,
    /// The namespace, if the path names one.
    pub namespace: Option<String>,
    /// The object, if the path names one.
    pub name: Option<String>,
    /// What is below the object.
    pub subresource: Option<String>,
    /// Whether the path is of the old form `/watch/`.
    pub watch: bool,
}

impl Target {
    /// Reads a path below `/api` or `/apis`; nothing if there is no such resource.
    pub fn parse(path: &str) -> Option<Target> {
        let mut words = path.split('/').skip(1).filter(|w| !w.is_empty());
        let (group, version) = match words.next()? {
            "api" => ("", words.next()?),
            "apis" => (words.next()?, words.next()?),
            _ => return None,
        };
        let mut rest: Vec<&str> = words.collect();
        let watch = rest.first() == Some(&"watch");
        if watch {
            rest.remove(0);
        }
        let (namespace, rest) = match rest.as_slice() {
            // `/namespaces/x` is a namespace, `/namespaces/x/pods` are pods in one; what may
            // stand below a namespace itself is no kind.
            ["namespaces", namespace, kind, rest @ ..]
                if Resource::at(group, version, kind).is_some() =>
            {
                (Some((*namespace).to_owned()), [&[*kind], rest].concat())
            }
            _ => (None, rest),
        };
        let [kind, below @ ..] = rest.as_slice() else { return None };
        let resource = Resource::at(group, version, kind)?;
        let (name, subresource) = match below {
            [] => (None, None),
            [name] => (Some(*name), None),
            [name, sub] => (Some(*name), Some(*sub)),
            _ => return None,
        };
        let info = resource.info();
        let placed = match name {
            // One object of a kind in namespaces needs its namespace.
            Some(_) => info.namespaced == namespace.is_some(),
            None => info.namespaced || namespace.is_none(),
        };
        let known = subresource.is_none_or(|s| info.subresources.iter().any(|i| i.name == s));
        (placed && known).then(|| Target {
            resource,
            namespace,
            name: name.map(str::to_owned),
            subresource: subresource.map(str::to_owned),
            watch,
        })
    }

    /// The namespace as the store has it.
    pub fn place(&self) -> &str {
        self.namespace.as_deref().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_kinds_objects_and_what_is_below() {
        let pod = Target::parse("/api/v1/namespaces/x1/pods/p/exec").unwrap();
        assert_eq!(pod.resource, Resource::Pods);
        assert_eq!((pod.place(), pod.name.as_deref()), ("x1", Some("p")));
        assert_eq!(pod.subresource.as_deref(), Some("exec"));
        let namespace = Target::parse("/api/v1/namespaces/x1/finalize").unwrap();
        assert_eq!((namespace.resource, namespace.place()), (Resource::Namespaces, ""));
        assert!(Target::parse("/apis/apps/v1/deployments").unwrap().namespace.is_none());
        for none in ["/api/v1/pods/p", "/api/v2/pods", "/apis/apps/v1/pods", "/api/v1/nodes/a/b/c"]
        {
            assert_eq!(Target::parse(none), None, "{none}");
        }
    }
}
