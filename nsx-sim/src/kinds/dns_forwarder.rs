//! DNS forwarders of logical routers [spec DnsForwarder].

use super::values::Formed;
use crate::inventory::{Action, Error, Header, Kind, Query, Resource, Transaction};
use crate::wire::{Int, Items, int, yes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::net::Ipv4Addr;

/// The declaration.
pub static KIND: Kind = Kind {
    // Declared so for this one collection [spec CreateDnsForwader].
    created: 200,
    actions: &[
        Action { word: "enable", status: 200, run: |tx, id, _, _| switch(tx, id, true) },
        Action { word: "disable", status: 200, run: |tx, id, _, _| switch(tx, id, false) },
        Action { word: "clear_cache", status: 200, run: clear_cache },
    ],
    ..Kind::of::<DnsForwarder>("DnsForwarder", "/dns/forwarders")
};

/// Hands guests' questions for names on to other servers.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DnsForwarder {
    /// For names below those of the zone; the longest counts.
    pub conditional_forwarders: Option<Items<ConditionalZone, 5>>,
    /// Where it runs; a router has one.
    pub logical_router_id: String,
    /// Kilobytes.
    #[serde(default = "int::<1024, 1, 16_777_216>")]
    pub cache_size: Int<1, 16_777_216>,
    /// For all other names.
    pub default_forwarder: ForwarderZone,
    #[serde(default)]
    log_level: LogLevel,
    /// Off answers nothing.
    #[serde(default = "yes")]
    pub enabled: bool,
    listener_ip: Formed<Ipv4Addr>,
}

/// Where questions go.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForwarderZone {
    /// The servers.
    pub upstream_servers: Items<Formed<Ipv4Addr>, 3, 1>,
    source_ip: Option<Formed<Ipv4Addr>>,
}

/// Where questions for some names go.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConditionalZone {
    /// The servers.
    pub upstream_servers: Items<Formed<Ipv4Addr>, 3, 1>,
    source_ip: Option<Formed<Ipv4Addr>>,
    /// The names' ends.
    pub domain_names: Items<String, 100, 1>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum LogLevel {
    Debug,
    #[default]
    Info,
    Warning,
    Error,
    Fatal,
}

impl DnsForwarder {
    /// The server that is asked first for names of no zone.
    pub fn first_server(&self) -> Ipv4Addr {
        let servers = self.default_forwarder.upstream_servers.first();
        servers.map_or(Ipv4Addr::UNSPECIFIED, |own| *own.value())
    }

    /// The address that it asks from: the listener's unless told otherwise.
    pub fn source(&self) -> Ipv4Addr {
        *self.default_forwarder.source_ip.as_ref().unwrap_or(&self.listener_ip).value()
    }
}

impl Resource for DnsForwarder {
    fn admit(
        &mut self,
        header: &mut Header,
        before: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if before.is_some_and(|before| before.logical_router_id == self.logical_router_id) {
            return Ok(());
        }
        let other = transaction.all(&KIND).into_iter().find(|other| {
            let same = |other: &Self| other.logical_router_id == self.logical_router_id;
            other.header.id != header.id && other.body().is_some_and(same)
        });
        match other {
            Some(other) => {
                let problem = format!("has a forwarder, {}", other.header.id);
                Err(Error::field("logical_router_id", problem))
            }
            None => Ok(()),
        }
    }
}

/// What is so already stays as it is [spec EnableDnsForwarderEnable].
fn switch(tx: &mut Transaction<'_>, id: &str, enabled: bool) -> Result<Value, Error> {
    let forwarder = tx.get(&KIND, id)?;
    if forwarder.body::<DnsForwarder>().is_some_and(|own| own.enabled != enabled) {
        tx.edit(&KIND, id, |forwarder: &mut DnsForwarder, _| {
            forwarder.enabled = enabled;
            Ok(())
        })?;
    }
    Ok(Value::Null)
}

/// No guest asks, so the cache is empty as it is.
fn clear_cache(tx: &mut Transaction<'_>, id: &str, _: Value, _: &Query) -> Result<Value, Error> {
    tx.get(&KIND, id)?;
    Ok(Value::Null)
}
