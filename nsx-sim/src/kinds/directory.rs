//! Directories of users, for the identity firewall [spec DirectoryDomain, DirectoryLdapServer].
//!
//! No connection is made to any server, so no group is ever known (docs/fidelity.md).

use super::values::{Formed, Host};
use crate::inventory::{
    Actor, Error, Header, Incoming, Inventory, Kind, Object, Parent, Resource, Transaction,
};
use crate::wire::{self, Fields, Int, Items, int, polymorphic};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;

/// The declaration of domains.
pub static DOMAIN: Kind = Kind {
    polymorphic: true,
    forceable: true,
    ..Kind::of::<DirectoryDomain>("DirectoryDomain", "/directory/domains")
};

/// The declaration of their servers.
pub static SERVER: Kind = Kind {
    parent: Some(Parent::of("DirectoryDomain")),
    ..Kind::of::<DirectoryLdapServer>("DirectoryLdapServer", "/directory/domains/{}/ldap-servers")
};

/// A domain of any type.
#[derive(Clone, Debug, Deserialize)]
pub enum DirectoryDomain {
    /// Of an Active Directory.
    DirectoryAdDomain(AdDomain),
}

polymorphic!(DirectoryDomain { DirectoryAdDomain });

/// Of an Active Directory [spec DirectoryAdDomain].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AdDomain {
    name: String,
    base_distinguished_name: String,
    netbios_name: String,
    sync_settings: Option<SyncSettings>,
    /// Objects of their own once the domain is admitted.
    #[serde(skip_serializing)]
    ldap_servers: Items<ServerOfDomain, 50>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SyncSettings {
    /// Minutes.
    #[serde(default = "int::<180, 5, 720>")]
    delta_sync_interval: Int<5, 720>,
    full_sync_cron_expr: Option<String>,
}

/// A server as it stands in a domain's body: the object whole, header included.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
struct ServerOfDomain(Fields);

impl JsonSchema for ServerOfDomain {
    fn schema_name() -> Cow<'static, str> {
        "ServerOfDomain".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = DirectoryLdapServer::json_schema(generator);
        schema.insert("additionalProperties".into(), true.into());
        schema
    }
}

/// A server that knows a domain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DirectoryLdapServer {
    host: Formed<Host>,
    #[serde(default)]
    protocol: Protocol,
    #[serde(default = "port")]
    port: i64,
    domain_name: Option<String>,
    username: Option<String>,
    /// Never printed.
    #[serde(skip_serializing)]
    password: Option<String>,
    thumbprint: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Protocol {
    #[default]
    Ldap,
    Ldaps,
}

fn port() -> i64 {
    389
}

/// The longest name of NetBIOS.
const MAX_NETBIOS: usize = 15;

impl Resource for DirectoryDomain {
    fn resource_type(&self) -> Option<&'static str> {
        Some(self.variant())
    }

    fn fields(&self, header: &Header, inventory: &Inventory) -> Fields {
        let mut fields = wire::fields_of(self);
        let servers = inventory.children(&SERVER, &header.id);
        let print =
            |own: &std::sync::Arc<Object>| Value::Object(own.fields(inventory, &Actor::system()));
        fields.insert("ldap_servers".into(), servers.iter().map(print).collect());
        fields
    }

    fn admit(
        &mut self,
        header: &mut Header,
        before: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        let Self::DirectoryAdDomain(own) = self;
        if own.netbios_name.starts_with('.') || own.netbios_name.chars().count() > MAX_NETBIOS {
            let problem = format!("must be at most {MAX_NETBIOS} long and begin with no period");
            return Err(Error::field("netbios_name", problem));
        }
        // [spec DirectoryAdDomain.netbios_name]
        own.netbios_name = own.netbios_name.to_uppercase();
        let servers = std::mem::take(&mut own.ldap_servers);
        settle_servers(transaction, &header.id, &servers, before.is_none())
    }
}

/// Makes the servers of a domain what its body says: those that it names by their ids stay, those
/// that it does not name go.
fn settle_servers(
    tx: &mut Transaction<'_>,
    domain: &str,
    sent: &[ServerOfDomain],
    new: bool,
) -> Result<(), Error> {
    let known = if new { Vec::new() } else { tx.children(&SERVER, domain) };
    let mut kept = Vec::new();
    for ServerOfDomain(fields) in sent {
        let id = fields.get("id").and_then(Value::as_str).map(str::to_owned);
        let incoming = Incoming::read(&SERVER, fields.clone())?;
        let old = known.iter().find(|own| Some(&own.header.id) == id.as_ref());
        let Some(old) = old else {
            tx.create_part(&SERVER, Some(domain), incoming)?;
            continue;
        };
        kept.push(old.header.id.clone());
        let body: &dyn std::any::Any = incoming.body.as_ref();
        let Some(server) = body.downcast_ref::<DirectoryLdapServer>() else { continue };
        let before = old.body::<DirectoryLdapServer>();
        let server = server.with_password_of(before);
        if before != Some(&server) {
            tx.edit(&SERVER, &old.header.id, |own: &mut DirectoryLdapServer, _| {
                *own = server;
                Ok(())
            })?;
        }
    }
    for gone in known.iter().filter(|own| !kept.contains(&own.header.id)) {
        tx.delete(&SERVER, &gone.header.id, &crate::inventory::Query::default())?;
    }
    Ok(())
}

impl DirectoryLdapServer {
    /// A caller that puts back what it read can not send what it was not shown.
    fn with_password_of(&self, before: Option<&Self>) -> Self {
        let password = self.password.clone();
        let password = password.or_else(|| before.and_then(|before| before.password.clone()));
        Self { password, ..self.clone() }
    }
}

impl Resource for DirectoryLdapServer {
    fn admit(
        &mut self,
        _: &mut Header,
        before: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if !(0..=65_535).contains(&self.port) {
            return Err(Error::field("port", "must lie between 0 and 65535"));
        }
        *self = self.with_password_of(before);
        Ok(())
    }
}
