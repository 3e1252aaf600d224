//! Which members of an edge cluster a service runs on.

use super::fabric::edge_cluster::{self, EdgeCluster};
use crate::inventory::{Error, Inventory, Object, Reference, Transaction};
use crate::wire::Items;

/// Places in an edge cluster: the active node's, and that of its standby.
pub type MemberIndexes = Items<i64, 2>;

/// A reference to an edge cluster.
pub fn reference(cluster: &str) -> Reference {
    Reference::new(edge_cluster::KIND.name, cluster)
}

/// Refuses places that the cluster does not have, and the same place twice. A cluster that does not
/// exist is refused as a reference, not here.
///
/// # Errors
/// [`Error::InvalidFields`].
pub fn check(transaction: &Transaction<'_>, cluster: &str, indexes: &[i64]) -> Result<(), Error> {
    let Some(cluster) = transaction.find(edge_cluster::KIND.name, cluster) else { return Ok(()) };
    let known = places(&cluster);
    for (place, index) in indexes.iter().enumerate() {
        let field = format!("edge_cluster_member_indexes[{place}]");
        if !known.contains(index) {
            return Err(Error::field(field, format!("{index} is no member's")));
        }
        if indexes[..place].contains(index) {
            return Err(Error::field(field, format!("{index} is there twice")));
        }
    }
    Ok(())
}

/// The places where a service runs: those that a caller asks for; where there are none, those of
/// before stay, and the first two of the cluster are taken for what is new
/// [spec DhcpProfile.edge_cluster_member_indexes]. What was not asked for is not told as if it had
/// been: clients take it for somebody else's change [client tf].
///
/// # Errors
/// As for [`check`].
pub fn settle(
    transaction: &Transaction<'_>,
    cluster: &str,
    asked: Option<&MemberIndexes>,
    before: Option<&MemberIndexes>,
) -> Result<Option<MemberIndexes>, Error> {
    if let Some(asked) = asked.filter(|asked| !asked.is_empty()) {
        check(transaction, cluster, asked)?;
        return Ok(Some(asked.clone()));
    }
    Ok(before.cloned().or_else(|| {
        let mut first = places(&*transaction.find(edge_cluster::KIND.name, cluster)?);
        first.truncate(2);
        Items::try_new(first).ok().filter(|first| !first.is_empty())
    }))
}

/// The transport nodes at some places of a cluster, in their order; those of all members where no
/// place is stated.
pub fn nodes(inventory: &Inventory, cluster: &str, indexes: Option<&[i64]>) -> Vec<String> {
    let Some(cluster) = inventory.find(edge_cluster::KIND.name, cluster) else {
        return Vec::new();
    };
    let Some(body) = cluster.body::<EdgeCluster>() else { return Vec::new() };
    let all = places(&cluster);
    let member = |index: &i64| body.member(i32::try_from(*index).ok()?);
    let members = indexes.unwrap_or(&all).iter().filter_map(member);
    members.map(|member| member.transport_node_id.clone()).collect()
}

fn places(cluster: &Object) -> Vec<i64> {
    let members = cluster.body::<EdgeCluster>().map(|own| own.members.as_slice());
    members.unwrap_or_default().iter().filter_map(|own| own.member_index.map(i64::from)).collect()
}
