//! Names and tags of what NCP makes.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The longest name that NCP gives an object [G image17: names of 83 characters are cut to 80].
const LONGEST_NAME: usize = 80;
/// The most tags of an object [spec ManagedResource.tags].
const MOST_TAGS: usize = 30;
/// The longest scope of a tag [spec Tag.scope].
const LONGEST_SCOPE: usize = 128;
/// The longest value of a tag [spec Tag.tag].
const LONGEST_TAG: usize = 256;
/// What NCP of that time says of its version [G image19].
const VERSION: &str = "1.2.0";

/// The scopes of NCP's tags.
pub mod scope {
    /// NCP's version.
    pub const VERSION: &str = "ncp/version";
    /// The cluster that an object is of.
    pub const CLUSTER: &str = "ncp/cluster";
    /// A namespace.
    pub const PROJECT: &str = "ncp/project";
    /// A namespace's uid.
    pub const PROJECT_UID: &str = "ncp/project_uid";
    /// A pod.
    pub const POD: &str = "ncp/pod";
    /// A pod's uid.
    pub const POD_UID: &str = "ncp/pod_uid";
    /// On a node's port: the node.
    pub const NODE: &str = "ncp/node_name";
    /// On a pool: its network.
    pub const SUBNET: &str = "ncp/subnet";
    /// On a pool: the subnet of a block that its network is.
    pub const SUBNET_ID: &str = "ncp/subnet_id";
    /// The pool that an external address is of.
    pub const EXTERNAL_POOL: &str = "ncp/extpoolid";
    /// The address that stands for those of a namespace outside.
    pub const SNAT_IP: &str = "ncp/snat_ip";
    /// On a virtual server: the pool that its address is of.
    pub const VIP_POOL: &str = "ext_pool_id";
    /// A Service (ours: which scope NCP has for it is not known).
    pub const SERVICE: &str = "ncp/service";
    /// A Service's uid (ours).
    pub const SERVICE_UID: &str = "ncp/service_uid";
    /// A Service's port (ours).
    pub const SERVICE_PORT: &str = "ncp/service_port";
    /// A NetworkPolicy (ours).
    pub const POLICY: &str = "ncp/policy";
    /// What an object is to its NetworkPolicy (ours).
    pub const POLICY_PART: &str = "ncp/policy_part";
    /// What an object of the load balancer is to the Ingresses (ours).
    pub const INGRESS_PART: &str = "ncp/ingress_part";
    /// On blocks and pools: that all clusters may use them.
    pub const SHARED: &str = "ncp/shared_resource";
    /// On pools: that they have addresses for outside.
    pub const EXTERNAL: &str = "ncp/external";
    /// On firewall sections between which NCP's own are put.
    pub const MARKER: &str = "ncp/fw_sect_marker";
}

/// A tag [spec Tag].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Tag {
    /// What it is about.
    #[serde(default)]
    pub scope: String,
    /// What it says.
    #[serde(default)]
    pub tag: String,
}

impl Tag {
    /// A tag.
    pub fn new(scope: &str, tag: impl Into<String>) -> Self {
        Self { scope: scope.to_owned(), tag: tag.into() }
    }
}

/// The tags of an object as the manager prints it.
pub fn tags_of(object: &Value) -> Vec<Tag> {
    let tags = object["tags"].as_array().into_iter().flatten();
    tags.filter_map(|tag| Tag::deserialize(tag).ok()).collect()
}

/// What an object's tag of one scope says.
pub fn tag_of<'a>(object: &'a Value, scope: &str) -> Option<&'a str> {
    let mut tags = object["tags"].as_array().into_iter().flatten();
    tags.find(|tag| tag["scope"] == scope)?["tag"].as_str()
}

/// The tags of what is of the cluster.
pub fn cluster_tags(cluster: &str) -> Vec<Tag> {
    vec![Tag::new(scope::VERSION, VERSION), Tag::new(scope::CLUSTER, cluster)]
}

/// The tags of what is of a namespace.
pub fn project_tags(cluster: &str, namespace: &str, uid: &str) -> Vec<Tag> {
    let mut tags = cluster_tags(cluster);
    tags.extend([Tag::new(scope::PROJECT, namespace), Tag::new(scope::PROJECT_UID, uid)]);
    tags
}

/// The tags of a pod's port: those of NCP in the order of the guide's screen, then one for each label
/// [G image19]. Labels for which there is no room are left out.
pub fn pod_tags(
    cluster: &str,
    project: (&str, &str),
    pod: (&str, &str),
    labels: &BTreeMap<String, String>,
) -> Vec<Tag> {
    let mut tags = project_tags(cluster, project.0, project.1);
    tags.extend([Tag::new(scope::POD, pod.0), Tag::new(scope::POD_UID, pod.1)]);
    let fit = |(key, value): &(&String, &String)| {
        key.chars().count() <= LONGEST_SCOPE && value.chars().count() <= LONGEST_TAG
    };
    let fitting = labels.iter().filter(fit).take(MOST_TAGS - tags.len());
    tags.extend(fitting.map(|(key, value)| Tag::new(key, value)));
    tags
}

/// The name of something of a namespace: cluster, namespace and what it is, with dashes.
///
/// What is longer than 80 characters loses of the cluster's and the namespace's end, each its share,
/// and keeps what it is: of three characters too many the guide's screen shows two cut from a cluster
/// of 40 and one from a namespace of 8 [G image17].
pub fn object_name(cluster: &str, namespace: &str, what: &str) -> String {
    let size = |text: &str| text.chars().count();
    let (first, second) = (size(cluster), size(namespace));
    let excess = (first + second + size(what) + 2).saturating_sub(LONGEST_NAME);
    let from_first = (excess * first).checked_div(first + second).unwrap_or(0);
    let from_second = excess - from_first;
    let cut = |text: &str, by: usize| -> String {
        text.chars().take(size(text).saturating_sub(by).max(1)).collect()
    };
    let name = format!("{}-{}-{what}", cut(cluster, from_first), cut(namespace, from_second));
    name.chars().take(LONGEST_NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pins::CLUSTER;

    #[test]
    fn a_long_name_is_cut_as_on_the_guide_s_screen() {
        assert_eq!(
            object_name(CLUSTER, "jenkinso", "jenkins-operator-6d5477b784-kf6mv"),
            "pks-592ff063-c3b0-46b4-81ce-0bcfaffd62-jenkins-jenkins-operator-6d5477b784-kf6mv"
        );
        assert_eq!(
            object_name(CLUSTER, "x1", "service-a-84965f57cc-nhbrx"),
            "pks-592ff063-c3b0-46b4-81ce-0bcfaffd6246-x1-service-a-84965f57cc-nhbrx"
        );
    }

    #[test]
    fn no_name_is_longer_than_80_characters() {
        for pod in [1, 30, 77, 78, 79, 80, 253] {
            for namespace in [1, 63] {
                let name = object_name(CLUSTER, &"n".repeat(namespace), &"p".repeat(pod));
                let length = name.chars().count();
                assert!(length <= 80, "{length}");
                assert_eq!(length == 80, 42 + namespace + pod >= 80, "{namespace} {pod}");
            }
        }
    }

    #[test]
    fn a_pod_s_tags_are_those_of_the_screen_and_its_labels_as_far_as_there_is_room() {
        let label = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let pod = crate::pins::pod("x1", "service-a-84965f57cc-nhbrx").unwrap();
        let labels: BTreeMap<_, _> = pod.labels.iter().map(label).collect();
        let of = |labels: &BTreeMap<String, String>| {
            let tags = pod_tags(CLUSTER, ("x1", "f2cb"), (pod.name, pod.uid), labels);
            tags.into_iter().map(|tag| tag.scope).collect::<Vec<_>>()
        };
        let own = ["version", "cluster", "project", "project_uid", "pod", "pod_uid"];
        let mut expected: Vec<_> = own.iter().map(|own| format!("ncp/{own}")).collect();
        expected.extend(["app".to_owned(), "pod-template-hash".to_owned()]);
        assert_eq!(of(&labels), expected);
        let many: BTreeMap<_, _> = (0..40).map(|n| (format!("l{n:02}"), String::new())).collect();
        assert_eq!(of(&many).len(), 30);
        let long = BTreeMap::from([("k".repeat(129), String::new())]);
        assert_eq!(of(&long).len(), 6);
    }
}
