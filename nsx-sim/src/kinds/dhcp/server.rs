//! DHCP servers [spec LogicalDhcpServer].

use super::options::DhcpOptions;
use super::profile;
use crate::inventory::{Error, Header, Inventory, Kind, Level, Reference, Resource, Transaction};
use crate::kinds::logical_port::{AttachmentType, attached_port};
use crate::kinds::values::{Formed, Hostname};
use crate::wire::{self, Fields, Items, Told};
use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// The declaration.
pub static KIND: Kind = Kind {
    level: Level::Semantic,
    ..Kind::of::<LogicalDhcpServer>("LogicalDhcpServer", "/dhcp/servers")
};

/// Gives addresses to the guests of the segment on whose port it is attached.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogicalDhcpServer {
    #[serde(default)]
    attached_logical_port_id: Told<String>,
    ipv4_dhcp_server: Ipv4DhcpServer,
    /// Where it runs.
    pub dhcp_profile_id: String,
}

/// What it gives where pools and bindings say nothing [spec IPv4DhcpServer].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Ipv4DhcpServer {
    options: Option<DhcpOptions>,
    #[serde(default)]
    monitor_ippool_usage: bool,
    dhcp_server_ip: Formed<Ipv4Net>,
    dns_nameservers: Option<Items<Formed<Ipv4Addr>, 2>>,
    domain_name: Option<Formed<Hostname>>,
    gateway_ip: Option<Formed<Ipv4Addr>>,
}

impl Resource for LogicalDhcpServer {
    fn fields(&self, header: &Header, inventory: &Inventory) -> Fields {
        let mut fields = wire::fields_of(self);
        if let Some(port) = attached_port(inventory, AttachmentType::DhcpService, &header.id) {
            fields.insert("attached_logical_port_id".into(), port.into());
        }
        fields
    }

    fn references(&self) -> Vec<Reference> {
        vec![Reference::new(profile::KIND.name, &self.dhcp_profile_id)]
    }

    fn admit(
        &mut self,
        _: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        let options = &self.ipv4_dhcp_server.options;
        options.as_ref().map_or(Ok(()), |options| options.check("ipv4_dhcp_server.options"))
    }
}
