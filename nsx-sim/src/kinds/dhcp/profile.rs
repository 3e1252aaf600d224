//! Where DHCP servers run [spec DhcpProfile].

use crate::inventory::{
    Action, Error, Header, HeaderFields, Inventory, Kind, Query, Reference, Resource, Transaction,
};
use crate::kinds::edge_placement::{self, MemberIndexes};
use crate::wire;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The declaration.
pub static KIND: Kind = Kind {
    actions: &[Action { word: "reallocate", status: 200, run: reallocate }],
    ..Kind::of::<DhcpProfile>("DhcpProfile", "/dhcp/server-profiles")
};

/// The edge nodes on which servers run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DhcpProfile {
    /// The places in the edge cluster that were asked for; one of them means no standby.
    edge_cluster_member_indexes: Option<MemberIndexes>,
    #[serde(default)]
    enable_standby_relocation: bool,
    edge_cluster_id: String,
    /// The places that are taken, asked for or not.
    #[serde(skip)]
    chosen: Option<MemberIndexes>,
    /// Set for the one change that may name another cluster.
    #[serde(skip)]
    reallocated: bool,
}

impl DhcpProfile {
    /// The transport nodes, the active one first.
    pub fn nodes(&self, inventory: &Inventory) -> Vec<String> {
        let indexes = self.chosen.as_deref().unwrap_or_default();
        edge_placement::nodes(inventory, &self.edge_cluster_id, Some(indexes))
    }
}

impl Resource for DhcpProfile {
    fn references(&self) -> Vec<Reference> {
        vec![edge_placement::reference(&self.edge_cluster_id)]
    }

    /// Leases would be lost with another cluster, so only `reallocate` gives one
    /// [spec UpdateDhcpProfile].
    fn admit(
        &mut self,
        _: &mut Header,
        before: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        let reallocated = std::mem::take(&mut self.reallocated);
        let moved = |before: &Self| before.edge_cluster_id != self.edge_cluster_id;
        if before.is_some_and(moved) && !reallocated {
            return Err(Error::field("edge_cluster_id", "can not be changed but by reallocate"));
        }
        let before = before.filter(|_| !reallocated);
        let before = before.and_then(|before| before.chosen.as_ref());
        let asked = self.edge_cluster_member_indexes.as_ref();
        self.chosen = edge_placement::settle(transaction, &self.edge_cluster_id, asked, before)?;
        Ok(())
    }
}

/// Moves the servers of a profile to other edge nodes; of the body only the cluster and its members
/// count [spec ReallocateDhcpProfileEdgeClusterReallocate].
fn reallocate(tx: &mut Transaction<'_>, id: &str, body: Value, _: &Query) -> Result<Value, Error> {
    let mut fields = match body {
        Value::Object(fields) => fields,
        _ => wire::Fields::new(),
    };
    HeaderFields::take(&mut fields)?;
    fields.shift_remove("resource_type");
    let asked: DhcpProfile = wire::read(Value::Object(fields))?;
    let profile = tx.edit(&KIND, id, |profile: &mut DhcpProfile, _| {
        profile.edge_cluster_id = asked.edge_cluster_id;
        profile.edge_cluster_member_indexes = asked.edge_cluster_member_indexes;
        profile.reallocated = true;
        Ok(())
    })?;
    Ok(Value::Object(profile.fields(tx.inventory(), tx.actor())))
}
