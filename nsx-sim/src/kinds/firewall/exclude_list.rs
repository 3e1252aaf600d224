//! The list of members that the distributed firewall leaves alone [spec ExcludeList].

use crate::inventory::{Error, Header, Inventory, Kind, Reference, Resource, Transaction, Verbs};
use crate::kinds::reference::{ResourceReference, list_fields};
use crate::wire::{Fields, Items};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration: one object at its own path.
pub static KIND: Kind = Kind {
    verbs: Verbs::NONE,
    system_owned_changes: true,
    read_only: &["member_count"],
    ..Kind::of::<ExcludeList>("ExcludeList", "/firewall/excludelist")
};

/// The one object's id.
pub const ID: &str = "excludelist";

/// Members whose vNICs have no firewall rules at all.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExcludeList {
    /// Groups, ports and switches.
    pub members: Items<ResourceReference, 1000>,
}

impl ExcludeList {
    /// The member with this id, and of this kind where one is given.
    pub fn member(&self, id: &str, kind: Option<&str>) -> Option<&ResourceReference> {
        self.members.iter().find(|member| {
            member.target_id.as_deref() == Some(id)
                && kind.is_none_or(|kind| member.target_type.as_deref() == Some(kind))
        })
    }
}

impl Resource for ExcludeList {
    fn fields(&self, _: &Header, inventory: &Inventory) -> Fields {
        let mut fields = Fields::new();
        fields.insert("members".into(), list_fields(&self.members, inventory));
        fields.insert("member_count".into(), self.members.len().into());
        fields
    }

    fn references(&self) -> Vec<Reference> {
        self.members.iter().filter_map(ResourceReference::object).collect()
    }

    fn admit(
        &mut self,
        _: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        for (index, member) in self.members.iter().enumerate() {
            let kind = member.object().map(|reference| reference.kind).unwrap_or_default();
            if !["NSGroup", "LogicalPort", "LogicalSwitch"].contains(&kind.as_str()) {
                let field = format!("members[{index}].target_type");
                return Err(Error::field(field, "must be NSGroup, LogicalPort or LogicalSwitch"));
            }
        }
        Ok(())
    }
}

/// Adds a member to the firewall's list.
///
/// # Errors
/// As for [`add_to`].
pub fn add(tx: &mut Transaction<'_>, member: ResourceReference) -> Result<(), Error> {
    add_to(tx, &KIND, ID, member)
}

/// Adds a member to a list; one that is there stays once.
///
/// # Errors
/// [`Error::MissingReference`], and [`Error::InvalidFields`] where the list is full.
pub fn add_to(
    tx: &mut Transaction<'_>,
    kind: &'static Kind,
    id: &str,
    member: ResourceReference,
) -> Result<(), Error> {
    tx.edit(kind, id, |list: &mut ExcludeList, _| {
        let id = member.target_id.as_deref().unwrap_or_default();
        if list.member(id, member.target_type.as_deref()).is_none()
            && !list.members.try_push(member)
        {
            return Err(Error::field("members", "has exceeded maximum size 1000"));
        }
        Ok(())
    })?;
    Ok(())
}

/// Takes a member out of the firewall's list and gives it back.
///
/// # Errors
/// As for [`remove_from`].
pub fn remove(
    tx: &mut Transaction<'_>,
    id: &str,
    kind: Option<&str>,
) -> Result<ResourceReference, Error> {
    remove_from(tx, (&KIND, ID), id, kind)
}

/// Takes a member out of a list and gives it back.
///
/// # Errors
/// [`Error::NotFound`] where it is not in the list.
pub fn remove_from(
    tx: &mut Transaction<'_>,
    (list_kind, list_id): (&'static Kind, &str),
    id: &str,
    kind: Option<&str>,
) -> Result<ResourceReference, Error> {
    let missing = || Error::NotFound { kind: "ExcludeListMember", id: id.to_owned() };
    let object = tx.get(list_kind, list_id)?;
    let list = object.body::<ExcludeList>().ok_or_else(missing)?;
    let member = list.member(id, kind).ok_or_else(missing)?.clone();
    tx.edit(list_kind, list_id, |list: &mut ExcludeList, _| {
        list.members.retain(|own| *own != member);
        Ok(())
    })?;
    Ok(member)
}
