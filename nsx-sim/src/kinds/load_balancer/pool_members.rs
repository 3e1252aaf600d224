//! Who answers for a pool: one by one, or a group [spec PoolMember, PoolMemberGroup].

use super::pool::{KIND, LbPool};
use super::{Count, CountOrNone};
use crate::inventory::{Error, Query, Transaction};
use crate::kinds::reference::ResourceReference;
use crate::kinds::values::{Formed, PortElement};
use crate::wire::{self, Int, int};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::net::IpAddr;

/// One that answers.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PoolMember {
    display_name: Option<String>,
    /// Its address.
    pub ip_address: Formed<IpAddr>,
    /// Its port; none is that of the virtual server, see
    /// [`LbVirtualServer::member_port`](super::virtual_server::LbVirtualServer::member_port).
    pub port: Option<PortElement>,
    /// Its share, where the algorithm asks for it.
    #[serde(default = "int::<1, 1, 256>")]
    pub weight: Int<1, 256>,
    /// Whether it takes connections.
    #[serde(default)]
    pub admin_state: MemberState,
    /// Whether it takes connections only while the others are not well.
    #[serde(default)]
    pub backup_member: bool,
    /// With so many connections it takes no more.
    pub max_concurrent_connections: Option<Count>,
}

/// Whether a member takes connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MemberState {
    /// It does.
    #[default]
    Enabled,
    /// It does not.
    Disabled,
    /// It keeps those that it has, and clients that are known to come back to it.
    GracefulDisabled,
}

/// A group whose addresses are the members.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberGroup {
    /// The group.
    pub grouping_object: ResourceReference,
    #[serde(default)]
    ip_revision_filter: IpFilter,
    /// How many of the addresses are used, at most.
    pub max_ip_list_size: Option<CountOrNone>,
    /// The port of all; none is that of the virtual server.
    pub port: Option<Int<1, 65_535>>,
    /// Members whose state was set by `UPDATE_MEMBERS`.
    customized_members: Option<Vec<MemberSetting>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
enum IpFilter {
    #[default]
    #[serde(rename = "IPV4")]
    V4,
    #[serde(rename = "IPV6")]
    V6,
    #[serde(rename = "IPV4_IPV6")]
    Both,
}

/// What is to be set of a member [spec PoolMemberSetting].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MemberSetting {
    ip_address: Formed<IpAddr>,
    port: Option<PortElement>,
    #[serde(default)]
    admin_state: MemberState,
    display_name: Option<String>,
    weight: Option<Int<1, 255>>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MemberSettings {
    members: Vec<MemberSetting>,
}

impl MemberGroup {
    /// Whether an address of the group becomes a member: of the right family, and neither loopback
    /// nor local to a link [spec PoolMemberGroup.ip_revision_filter].
    pub fn takes(&self, address: IpAddr) -> bool {
        let family = match self.ip_revision_filter {
            IpFilter::V4 => address.is_ipv4(),
            IpFilter::V6 => address.is_ipv6(),
            IpFilter::Both => true,
        };
        let local = match address {
            IpAddr::V4(own) => own.is_link_local(),
            IpAddr::V6(own) => own.is_unicast_link_local(),
        };
        family && !local && !address.is_loopback()
    }

    /// Whether the member with an address takes connections.
    pub fn state_of(&self, address: IpAddr) -> MemberState {
        let mut set = self.customized_members.iter().flatten();
        set.find(|own| *own.ip_address.value() == address)
            .map(|own| own.admin_state)
            .unwrap_or_default()
    }
}

impl PoolMember {
    fn is(&self, setting: &MemberSetting) -> bool {
        self.place() == (*setting.ip_address.value(), setting.port.as_ref().map(PortElement::span))
    }

    fn place(&self) -> (IpAddr, Option<(u16, u16)>) {
        (*self.ip_address.value(), self.port.as_ref().map(PortElement::span))
    }
}

/// Each member stands once, and has one port at most [spec PoolMember.port].
///
/// # Errors
/// [`Error::InvalidFields`].
pub fn check(members: &[PoolMember]) -> Result<(), Error> {
    for (index, member) in members.iter().enumerate() {
        let (_, port) = member.place();
        if port.is_some_and(|(first, last)| first != last) {
            return Err(Error::field(format!("members[{index}].port"), "must be a single port"));
        }
        if members[..index].iter().any(|other| other.place() == member.place()) {
            return Err(Error::field(format!("members[{index}]"), "is there twice"));
        }
    }
    Ok(())
}

/// `ADD_MEMBERS`: more members, for pools that list them.
///
/// # Errors
/// [`Error::InvalidFields`] where one is there already or the pool has a group.
pub fn add(tx: &mut Transaction<'_>, id: &str, body: Value, _: &Query) -> Result<Value, Error> {
    edit(tx, id, body, |pool, settings| {
        refuse_group(pool)?;
        pool.members.extend(settings.into_iter().map(|setting| PoolMember {
            display_name: setting.display_name,
            ip_address: setting.ip_address,
            port: setting.port,
            weight: setting.weight.map_or(Int::new(1), |weight| Int::clamped(weight.get())),
            admin_state: setting.admin_state,
            backup_member: false,
            max_concurrent_connections: None,
        }));
        Ok(())
    })
}

/// `REMOVE_MEMBERS`: fewer members, by address and port, for pools that list them.
///
/// # Errors
/// [`Error::InvalidFields`] where one is not there or the pool has a group.
pub fn remove(tx: &mut Transaction<'_>, id: &str, body: Value, _: &Query) -> Result<Value, Error> {
    edit(tx, id, body, |pool, settings| {
        refuse_group(pool)?;
        for (index, setting) in settings.iter().enumerate() {
            let before = pool.members.len();
            pool.members.retain(|member| !member.is(setting));
            if pool.members.len() == before {
                return Err(no_member(index));
            }
        }
        Ok(())
    })
}

/// `UPDATE_MEMBERS`: another state, and for pools that list their members another name or weight.
///
/// # Errors
/// [`Error::InvalidFields`] where a member is not listed, or one of a group is to have a name or
/// weight [spec PoolMemberSetting].
pub fn update(tx: &mut Transaction<'_>, id: &str, body: Value, _: &Query) -> Result<Value, Error> {
    edit(tx, id, body, |pool, settings| {
        for (index, setting) in settings.into_iter().enumerate() {
            match &mut pool.member_group {
                Some(group) => customize(group, setting, index)?,
                None => change(&mut pool.members, setting, index)?,
            }
        }
        Ok(())
    })
}

/// Actions take any revision: clients send none [bosh].
fn edit(
    tx: &mut Transaction<'_>,
    id: &str,
    body: Value,
    edit: impl FnOnce(&mut LbPool, Vec<MemberSetting>) -> Result<(), Error>,
) -> Result<Value, Error> {
    let MemberSettings { members } = wire::read(body)?;
    let object = tx.edit(&KIND, id, |pool: &mut LbPool, _| edit(pool, members))?;
    Ok(Value::Object(object.fields(tx.inventory(), tx.actor())))
}

fn refuse_group(pool: &LbPool) -> Result<(), Error> {
    match pool.member_group {
        Some(_) => Err(Error::field("members", "can not be listed: the pool has a member_group")),
        None => Ok(()),
    }
}

fn no_member(index: usize) -> Error {
    Error::field(format!("members[{index}]"), "is not in the pool")
}

fn customize(group: &mut MemberGroup, setting: MemberSetting, index: usize) -> Result<(), Error> {
    if setting.weight.is_some() || setting.display_name.is_some() {
        let problem = "can have an admin_state only: the pool has a member_group";
        return Err(Error::field(format!("members[{index}]"), problem));
    }
    let set = group.customized_members.get_or_insert_default();
    set.retain(|own| own.ip_address.value() != setting.ip_address.value());
    set.push(setting);
    Ok(())
}

fn change(members: &mut [PoolMember], setting: MemberSetting, index: usize) -> Result<(), Error> {
    let member = members.iter_mut().find(|member| member.is(&setting));
    let member = member.ok_or_else(|| no_member(index))?;
    member.admin_state = setting.admin_state;
    if let Some(weight) = setting.weight {
        member.weight = Int::clamped(weight.get());
    }
    if setting.display_name.is_some() {
        member.display_name = setting.display_name;
    }
    Ok(())
}
