//! Edge clusters: edge nodes that stand in for each other [spec EdgeCluster].

use super::cluster_profile;
use super::node::{self, DeploymentType, Node};
use super::transport_node::{self, TransportNode};
use crate::inventory::{Action, Error, Header, Kind, Query, Reference, Resource, Transaction};
use crate::wire::{self, Told, polymorphic};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// The declaration.
pub static KIND: Kind = Kind {
    actions: &[Action { word: "replace_transport_node", status: 200, run: replace_member }],
    ..Kind::of::<EdgeCluster>("EdgeCluster", "/edge-clusters")
};

/// Edge nodes that stand in for each other.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EdgeCluster {
    #[serde(default)]
    deployment_type: Told<DeploymentType>,
    /// The members, each with its lasting index.
    #[serde(default)]
    pub members: Vec<Member>,
    cluster_profile_bindings: Option<Vec<ProfileBinding>>,
    #[serde(default)]
    member_node_type: Told<MemberType>,
    allocation_rules: Option<Vec<AllocationRule>>,
    /// The member that `replace_transport_node` changes.
    #[serde(skip)]
    replaced: Option<i32>,
}

/// An edge node in its cluster [spec EdgeClusterMember].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Given by the manager; routers name their places by it.
    #[schemars(extend("readOnly" = true))]
    pub member_index: Option<i32>,
    /// The edge node.
    pub transport_node_id: String,
    display_name: Option<String>,
    description: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum MemberType {
    EdgeNode,
    PublicCloudGatewayNode,
    Unknown,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ProfileBinding {
    #[serde(default)]
    resource_type: ProfileClass,
    profile_id: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
enum ProfileClass {
    #[default]
    EdgeHighAvailabilityProfile,
    BridgeHighAvailabilityClusterProfile,
}

/// What guides the placement of routers on members.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AllocationRule {
    action: AllocationAction,
}

#[derive(Clone, Debug, Deserialize)]
enum AllocationAction {
    AllocationBasedOnFailureDomain(ByFailureDomain),
}

polymorphic!(AllocationAction by "action_type" { AllocationBasedOnFailureDomain });

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ByFailureDomain {
    #[serde(default)]
    enabled: bool,
}

/// [spec EdgeClusterMemberTransportNode]
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Replacement {
    member_index: i32,
    transport_node_id: String,
}

impl EdgeCluster {
    /// The member at an index.
    pub fn member(&self, index: i32) -> Option<&Member> {
        self.members.iter().find(|member| member.member_index == Some(index))
    }

    /// A member keeps its index as long as it is there; a new one gets the next.
    fn number(&mut self, before: Option<&Self>) -> Result<(), Error> {
        let known: &[Member] = before.map(|before| &*before.members).unwrap_or_default();
        let mut next =
            known.iter().filter_map(|own| own.member_index).max().map_or(0, |max| max + 1);
        let replaced = self.replaced.take();
        for member in &mut self.members {
            if replaced.is_some() && member.member_index == replaced {
                continue;
            }
            let same = |own: &&Member| own.transport_node_id == member.transport_node_id;
            if let Some(own) = known.iter().find(same) {
                member.member_index = own.member_index;
                continue;
            }
            let sent = member.member_index;
            if sent.is_some() && known.iter().any(|own| own.member_index == sent) {
                let text = "can not be changed: see replace_transport_node";
                return Err(Error::field("transport_node_id", text));
            }
            member.member_index = Some(next);
            next += 1;
        }
        Ok(())
    }

    /// Members are edge nodes of one type, each in one cluster only.
    fn check_members(&mut self, own: &Header, tx: &Transaction<'_>) -> Result<(), Error> {
        let mut seen = BTreeSet::new();
        let mut types = BTreeSet::new();
        for member in &self.members {
            let id = &member.transport_node_id;
            if !seen.insert(id.clone()) {
                return Err(Error::field("transport_node_id", format!("{id} is there twice")));
            }
            let missing = || Error::MissingReference {
                kind: transport_node::KIND.name.to_owned(),
                id: id.clone(),
            };
            let found = tx.find(transport_node::KIND.name, id).ok_or_else(missing)?;
            let machine = found.body::<TransportNode>().and_then(|own| own.node_id.clone());
            let machine = machine.and_then(|id| tx.find(node::KIND.name, &id));
            match machine.as_deref().and_then(|own| own.body::<Node>()) {
                Some(node) if node.is_edge() => types.insert(node.variant()),
                _ => {
                    return Err(Error::field("transport_node_id", format!("{id} is no edge node")));
                }
            };
            let users = tx.referrers(transport_node::KIND.name, id);
            if users.iter().any(|user| user.kind.name == KIND.name && user.header.id != own.id) {
                let text = format!("{id} is a member of another cluster");
                return Err(Error::field("transport_node_id", text));
            }
        }
        if types.len() > 1 {
            return Err(Error::field("members", "must be of one type"));
        }
        let (sort, deployment) = match types.first() {
            None => (MemberType::Unknown, DeploymentType::Unknown),
            Some(&"EdgeNode") => (MemberType::EdgeNode, DeploymentType::VirtualMachine),
            Some(_) => (MemberType::PublicCloudGatewayNode, DeploymentType::VirtualMachine),
        };
        self.member_node_type = Told(Some(sort));
        self.deployment_type = Told(Some(deployment));
        Ok(())
    }
}

impl Resource for EdgeCluster {
    fn references(&self) -> Vec<Reference> {
        let member =
            |own: &Member| Reference::new(transport_node::KIND.name, &own.transport_node_id);
        let profile =
            |own: &ProfileBinding| Reference::new(cluster_profile::KIND.name, &own.profile_id);
        let profiles = self.cluster_profile_bindings.iter().flatten().map(profile);
        self.members.iter().map(member).chain(profiles).collect()
    }

    fn admit(
        &mut self,
        header: &mut Header,
        before: Option<&Self>,
        tx: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        self.number(before)?;
        self.check_members(header, tx)?;
        let profiles = self.cluster_profile_bindings.get_or_insert_default();
        if profiles.is_empty() {
            profiles.push(ProfileBinding {
                resource_type: ProfileClass::default(),
                profile_id: cluster_profile::DEFAULT_EDGE.0.into(),
            });
        }
        Ok(())
    }
}

/// Puts another edge node in a member's place [spec ReplaceEdgeClusterMemberTransportNode].
fn replace_member(
    tx: &mut Transaction<'_>,
    id: &str,
    body: Value,
    _: &Query,
) -> Result<Value, Error> {
    let Replacement { member_index, transport_node_id } = wire::read(body)?;
    let missing = || Error::field("member_index", format!("{member_index} is no member's"));
    let object = tx.edit(&KIND, id, |cluster: &mut EdgeCluster, _| {
        let member = cluster.members.iter_mut().find(|own| own.member_index == Some(member_index));
        member.ok_or_else(missing)?.transport_node_id = transport_node_id;
        cluster.replaced = Some(member_index);
        Ok(())
    })?;
    Ok(Value::Object(object.fields(tx.inventory(), tx.actor())))
}
