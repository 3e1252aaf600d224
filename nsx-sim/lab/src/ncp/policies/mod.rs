//! NetworkPolicies: for each a section of what it allows, above, and one of what it closes, below.

mod translate;

use super::Ncp;
use super::manager::{Result, id_of};
use super::naming::{Tag, object_name, project_tags, scope, tag_of};
use super::view::name_of;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::networking::v1::NetworkPolicy;
use serde_json::{Value, json};
use std::collections::HashMap;
use translate::{Cluster, PodAt, Translated, Way, translate};
use uuid::Uuid;

/// The tag by which an object's content is known again, so that what fits is left alone.
pub const CONTENT: &str = "ncp/policy_content";

/// The collections of what policies are made of, in the order in which they are made.
const SETS: &str = "/ip-sets";
const GROUPS: &str = "/ns-groups";
const SECTIONS: &str = "/firewall/sections";

/// A policy's object at the manager: the policy and what the object is to it.
type Part = (String, String, String);

/// What is there, by what it is: its id and its content.
struct Present {
    found: HashMap<Part, (String, String)>,
}

impl Present {
    fn of(objects: &[Value], is_own: impl Fn(&Value) -> bool) -> Self {
        let read = |own: &Value| {
            let part = tag_of(own, scope::POLICY_PART)?;
            let name = (tag_of(own, scope::PROJECT)?, tag_of(own, scope::POLICY)?);
            let part = (name.0.to_owned(), name.1.to_owned(), part.to_owned());
            Some((part, (id_of(own), tag_of(own, CONTENT).unwrap_or_default().to_owned())))
        };
        let own = objects.iter().filter(|own| is_own(own));
        Self { found: own.filter_map(read).collect() }
    }
}

impl Ncp {
    /// Makes of all policies' sections, groups and sets what is missing, and takes away what is left.
    ///
    /// # Errors
    /// Where something was not done.
    pub async fn sync_policies(&self) -> Result<()> {
        let list = async |path: &str| {
            let objects = self.manager.list(path.to_owned()).await?;
            Ok::<_, super::manager::Error>(Present::of(&objects, |own| self.is_own(own)))
        };
        let mut sets = list(SETS).await?;
        let mut groups = list(GROUPS).await?;
        let mut sections = list(SECTIONS).await?;
        let cluster = self.cluster();
        for policy in self.view.policies.state() {
            if policy.metadata.deletion_timestamp.is_some() {
                continue;
            }
            if let Some(own) = translate(&policy, &cluster) {
                self.make_policy(&policy, own, &mut sets, &mut groups, &mut sections).await?;
            }
        }
        for (id, _) in sections.found.into_values() {
            self.manager.delete(format!("{SECTIONS}/{id}?cascade=true")).await?;
        }
        for (id, _) in groups.found.into_values() {
            self.manager.delete(format!("{GROUPS}/{id}?force=true")).await?;
        }
        for (id, _) in sets.found.into_values() {
            self.manager.delete(format!("{SETS}/{id}?force=true")).await?;
        }
        Ok(())
    }

    /// Makes one policy's objects; what it uses is no longer among what is left.
    async fn make_policy(
        &self,
        policy: &NetworkPolicy,
        own: Translated,
        sets: &mut Present,
        groups: &mut Present,
        sections: &mut Present,
    ) -> Result<()> {
        let Translated { target, allows, isolated } = own;
        let group = self.keep(policy, GROUPS, "target", target, groups).await?;
        let reference = |id: &str, kind: &str| json!([{"target_id": id, "target_type": kind}]);
        let target = reference(&group, "NSGroup");
        let mut allowed = Vec::new();
        for (number, allow) in allows.into_iter().enumerate() {
            let mut rule = self.rule(allow.way, "ALLOW", &target);
            if let Some(addresses) = allow.peers {
                let body = json!({"ip_addresses": addresses});
                let set = self.keep(policy, SETS, &format!("peers-{number}"), body, sets).await?;
                rule[peer_field(allow.way)] = reference(&set, "IPSet");
            }
            match allow.services {
                // Ports that no pod has.
                Some(services) if services.is_empty() => continue,
                Some(services) => rule["services"] = Value::Array(services),
                None => {}
            }
            allowed.push(rule);
        }
        let closed: Vec<_> = isolated.iter().map(|way| self.rule(*way, "DROP", &target)).collect();
        for (part, rules) in [("allow", allowed), ("isolation", closed)] {
            let body = json!({
                "section_type": "LAYER3",
                "stateful": true,
                "applied_tos": target,
                "rules": rules,
            });
            self.keep(policy, SECTIONS, part, body, sections).await?;
        }
        Ok(())
    }

    fn rule(&self, way: Way, action: &str, target: &Value) -> Value {
        let (direction, own) = match way {
            Way::In => ("IN", "destinations"),
            Way::Out => ("OUT", "sources"),
        };
        json!({
            "action": action,
            "direction": direction,
            "ip_protocol": "IPV4",
            "logged": action == "DROP" && self.config.log_dropped_traffic,
            own: target,
        })
    }

    /// Has an object be there with that content, and returns its id.
    async fn keep(
        &self,
        policy: &NetworkPolicy,
        collection: &str,
        part: &str,
        mut body: Value,
        present: &mut Present,
    ) -> Result<String> {
        let (namespace, name) = name_of(policy);
        let content = content_of(&body);
        let found = present.found.remove(&(namespace.clone(), name.clone(), part.to_owned()));
        if let Some((id, known)) = &found
            && *known == content
        {
            return Ok(id.clone());
        }
        let project = self.state.project(&namespace);
        let uid = project.as_ref().map(|own| &*own.uid).unwrap_or_default();
        let mut tags = project_tags(&self.config.cluster, &namespace, uid);
        tags.push(Tag::new(scope::POLICY, &*name));
        tags.push(Tag::new(scope::POLICY_PART, part));
        tags.push(Tag::new(CONTENT, content));
        body["tags"] = json!(tags);
        let prefix = match part {
            "allow" => "np-",
            "isolation" => "is-",
            _ => "",
        };
        let what = format!("{name}-{part}");
        let what = if prefix.is_empty() { &what } else { &name };
        body["display_name"] =
            format!("{prefix}{}", object_name(&self.config.cluster, &namespace, what)).into();
        let is_section = collection == SECTIONS;
        let Some((id, _)) = found else {
            let path = if is_section {
                let place = self.place(part == "allow").await?;
                format!("{collection}?action=create_with_rules&{place}")
            } else {
                collection.to_owned()
            };
            return Ok(id_of(&self.manager.post(path, body).await?));
        };
        let path = format!("{collection}/{id}");
        let before = self.manager.get(path.clone()).await?;
        body["_revision"] = before["_revision"].clone();
        if is_section {
            self.manager.post(format!("{path}?action=update_with_rules"), body).await?;
        } else {
            self.manager.put(path, body).await?;
        }
        Ok(id)
    }

    fn cluster(&self) -> Cluster {
        let labels = |own: &kube::core::ObjectMeta| own.labels.clone().unwrap_or_default();
        let spaces = self.view.namespaces.state();
        let namespaces = spaces.iter().map(|own| (name_of(&**own).1, labels(&own.metadata)));
        let ports = self.state.ports.lock();
        let pods = self.view.pods.state();
        let pods = pods.iter().filter_map(|pod| {
            let name = name_of(&**pod);
            let port = ports.get(&name)?;
            Some(PodAt {
                namespace: name.0,
                labels: labels(&pod.metadata),
                address: port.address,
                port: port.id.clone(),
                named_ports: named_ports(pod),
            })
        });
        let name = self.config.cluster.clone();
        Cluster { name, namespaces: namespaces.collect(), pods: pods.collect() }
    }

    /// Where a section of NCP's is put: behind the marker at the top or before that at the bottom, or,
    /// where there is none, at the very top or bottom.
    pub async fn place(&self, top: bool) -> Result<String> {
        let (word, beside, end) = if top {
            ("top", "insert_after", "insert_top")
        } else {
            ("bottom", "insert_before", "insert_bottom")
        };
        let sections = self.manager.list(format!("{SECTIONS}?type=LAYER3")).await?;
        let marker = sections.iter().find(|own| tag_of(own, scope::MARKER) == Some(word));
        Ok(match marker {
            Some(marker) => format!("operation={beside}&id={}", id_of(marker)),
            None => format!("operation={end}"),
        })
    }
}

/// What tells contents apart.
pub fn content_of(body: &Value) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, body.to_string().as_bytes()).to_string()
}

fn peer_field(way: Way) -> &'static str {
    match way {
        Way::In => "sources",
        Way::Out => "destinations",
    }
}

fn named_ports(pod: &Pod) -> std::collections::BTreeMap<String, u16> {
    let containers = pod.spec.iter().flat_map(|own| &own.containers);
    let ports = containers.flat_map(|own| own.ports.iter().flatten());
    let named =
        ports.filter_map(|own| Some((own.name.clone()?, own.container_port.try_into().ok()?)));
    named.collect()
}
