//! Who has which roles [spec RoleBinding].
//!
//! The bindings of local users come with the users, those of principals with the principals; users
//! and groups of an identity provider are bound by callers.

use crate::inventory::{
    Error, Filter, Header, Incoming, IndexKey, Inventory, Kind, Level, Object, Query, Resource,
    Role, Transaction, Verbs, Words,
};
use crate::wire::{self, Fields, Items, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The declaration. Callers make and delete them by [`create`] and [`delete`].
pub static KIND: Kind = Kind {
    level: Level::Semantic,
    verbs: Verbs { list: true, create: false, update: true, delete: false },
    read_only: &["stale"],
    filters: &[
        Filter {
            name: "name",
            words: None,
            passes: |_, object, name| {
                object.body::<RoleBinding>().is_some_and(|own| *own.name == *name)
            },
        },
        Filter {
            name: "type",
            words: Some(Words::Of(&[
                "remote_user",
                "remote_group",
                "local_user",
                "principal_identity",
            ])),
            passes: |_, object, word| {
                object.body::<RoleBinding>().is_some_and(|own| own.holder.word() == word)
            },
        },
    ],
    ..Kind::of::<RoleBinding>("RoleBinding", "/aaa/role-bindings")
};

/// The index of bindings by who holds them.
const BY_HOLDER: &str = "role-binding-holder";

/// Somebody's roles.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleBinding {
    /// The user's, group's or principal's name.
    pub name: Text<255, 1>,
    /// What bears the name; fixed.
    #[serde(rename = "type")]
    pub holder: Holder,
    /// At least one.
    pub roles: Items<RoleEntry, 16, 1>,
    /// The principal's id, for names of principals may be shared.
    #[serde(skip)]
    principal: Option<String>,
}

/// What has roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// A user of the identity provider.
    RemoteUser,
    /// A group of the identity provider.
    RemoteGroup,
    /// A user of the appliance.
    LocalUser,
    /// A principal with its certificate.
    PrincipalIdentity,
}

/// One role [spec Role].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleEntry {
    /// Its name.
    pub role: Role,
}

impl Holder {
    /// The wire name.
    pub fn word(self) -> &'static str {
        match self {
            Self::RemoteUser => "remote_user",
            Self::RemoteGroup => "remote_group",
            Self::LocalUser => "local_user",
            Self::PrincipalIdentity => "principal_identity",
        }
    }

    /// Whether its bindings are the callers' own affair.
    fn is_remote(self) -> bool {
        matches!(self, Self::RemoteUser | Self::RemoteGroup)
    }
}

impl RoleBinding {
    fn holder_id(&self) -> &str {
        self.principal.as_deref().unwrap_or(&self.name)
    }
}

impl Resource for RoleBinding {
    fn fields(&self, _: &Header, _: &Inventory) -> Fields {
        let mut fields = wire::fields_of(self);
        // There is no provider that could tell [spec RoleBinding.stale].
        if self.holder.is_remote() {
            fields.insert("stale".into(), "UNKNOWN".into());
        }
        fields
    }

    fn keys(&self) -> Vec<IndexKey> {
        vec![(BY_HOLDER, format!("{}:{}", self.holder.word(), self.holder_id()))]
    }

    fn admit(
        &mut self,
        _: &mut Header,
        before: Option<&Self>,
        tx: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        let Some(before) = before else { return Ok(()) };
        self.principal.clone_from(&before.principal);
        if self.holder != before.holder {
            return Err(Error::field("type", "can not be changed"));
        }
        // The manager itself follows a user's new name.
        if self.name != before.name && !tx.actor().is_system() {
            return Err(Error::field("name", "can not be changed"));
        }
        Ok(())
    }
}

/// The roles that somebody has now: of a local or remote user by name, of a principal by id.
pub fn roles_of(inventory: &Inventory, holder: Holder, id: &str) -> Vec<Role> {
    let bindings = inventory.by_key(BY_HOLDER, &format!("{}:{id}", holder.word()));
    let bodies = bindings.iter().filter_map(|object| object.body::<RoleBinding>());
    bodies.flat_map(|own| own.roles.iter().map(|entry| entry.role)).collect()
}

/// Binds a user or group of the identity provider, as a caller asked.
///
/// # Errors
/// [`Error::InvalidFields`] for anybody else, and for whoever is bound already.
pub fn create(tx: &mut Transaction<'_>, incoming: Incoming) -> Result<Arc<Object>, Error> {
    let object = tx.create(&KIND, incoming)?;
    let Some(own) = object.body::<RoleBinding>() else { return Ok(object) };
    if !own.holder.is_remote() {
        let problem = "must be remote_user or remote_group: the bindings of others come with them";
        return Err(Error::field("type", problem));
    }
    let same = |other: &RoleBinding| other.holder == own.holder && other.name == own.name;
    let count = tx.all(&KIND).iter().filter_map(|own| own.body()).filter(|own| same(own)).count();
    if count > 1 {
        return Err(Error::field("name", format!("has roles already: {}", &*own.name)));
    }
    Ok(object)
}

/// Deletes a binding, as a caller asked.
///
/// # Errors
/// [`Error::NotModifiable`] where it belongs to a local user or a principal.
pub fn delete(tx: &mut Transaction<'_>, id: &str) -> Result<(), Error> {
    let object = tx.get(&KIND, id)?;
    if !object.body::<RoleBinding>().is_some_and(|own| own.holder.is_remote()) {
        let why = "it goes with the user or principal that it belongs to";
        return Err(Error::NotModifiable { kind: KIND.name, id: id.to_owned(), why });
    }
    tx.delete(&KIND, id, &Query::default())
}

/// Binds a local user when the appliance is set up.
///
/// # Errors
/// Where the id is taken: a mistake in the program.
pub fn bind_local_user(
    tx: &mut Transaction<'_>,
    id: String,
    name: &str,
    role: Role,
) -> Result<(), Error> {
    bind(tx, Some(id), Holder::LocalUser, (name, None), role)
}

/// Binds a principal that is being made.
///
/// # Errors
/// None but a mistake in the program's.
pub fn bind_principal(
    tx: &mut Transaction<'_>,
    id: &str,
    name: &str,
    role: Role,
) -> Result<(), Error> {
    bind(tx, None, Holder::PrincipalIdentity, (name, Some(id.to_owned())), role)
}

fn bind(
    tx: &mut Transaction<'_>,
    id: Option<String>,
    holder: Holder,
    (name, principal): (&str, Option<String>),
    role: Role,
) -> Result<(), Error> {
    let roles = Items::try_new(vec![RoleEntry { role }]);
    let roles = roles.map_err(|_| Error::field("roles", "has exceeded maximum size 16"))?;
    let body = RoleBinding { name: Text::cut(name), holder, roles, principal };
    let incoming = Incoming {
        id: id.map(Text::cut),
        display_name: Some(Text::cut(name)),
        ..Incoming::of(body)
    };
    tx.create(&KIND, incoming)?;
    Ok(())
}

/// Lets the bindings of a principal go with it.
///
/// # Errors
/// [`Error::Protected`].
pub fn release_principal(tx: &mut Transaction<'_>, id: &str) -> Result<(), Error> {
    let bound = |object: &Object| {
        let own = object.body::<RoleBinding>();
        own.is_some_and(|own| own.principal.as_deref() == Some(id))
    };
    for object in tx.all(&KIND).iter().filter(|object| bound(object)) {
        tx.delete(&KIND, &object.header.id, &Query::default())?;
    }
    Ok(())
}

/// Gives a local user's binding the user's new name; for the manager itself to call.
///
/// # Errors
/// [`Error::Protected`].
pub fn rename_local_user(tx: &mut Transaction<'_>, old: &str, new: &str) -> Result<(), Error> {
    let of_user = |object: &Object| {
        let own = object.body::<RoleBinding>();
        own.is_some_and(|own| own.holder == Holder::LocalUser && *own.name == *old)
    };
    for object in tx.all(&KIND).iter().filter(|object| of_user(object)) {
        tx.edit(&KIND, &object.header.id, |own: &mut RoleBinding, header| {
            own.name = Text::cut(new);
            header.display_name = Some(Text::cut(new));
            Ok(())
        })?;
    }
    Ok(())
}
