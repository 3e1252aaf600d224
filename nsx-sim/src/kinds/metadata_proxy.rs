//! Metadata proxies [spec MetadataProxy].

use super::edge_placement::{self, MemberIndexes};
use super::logical_port::{AttachmentType, attached_port};
use crate::inventory::{Error, Header, Inventory, Kind, Level, Reference, Resource, Transaction};
use crate::wire::{self, Fields, Told};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration.
pub static KIND: Kind =
    Kind { level: Level::Semantic, ..Kind::of::<MetadataProxy>("MetadataProxy", "/md-proxies") };

/// Hands guests' questions for their own data on to a server.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetadataProxy {
    secret: Option<String>,
    metadata_server_ca_ids: Option<Vec<String>>,
    edge_cluster_member_indexes: Option<MemberIndexes>,
    crypto_protocols: Option<Vec<CryptoProtocol>>,
    metadata_server_url: String,
    #[serde(default)]
    attached_logical_port_id: Told<String>,
    #[serde(default)]
    enable_standby_relocation: bool,
    edge_cluster_id: String,
    /// The places that are taken, asked for or not.
    #[serde(skip)]
    chosen: Option<MemberIndexes>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
enum CryptoProtocol {
    #[serde(rename = "TLS_V1")]
    TlsV1,
    #[serde(rename = "TLS_V1_1")]
    TlsV11,
    #[serde(rename = "TLS_V1_2")]
    TlsV12,
}

impl MetadataProxy {
    /// The transport nodes, the active one first.
    pub fn nodes(&self, inventory: &Inventory) -> Vec<String> {
        let indexes = self.chosen.as_deref().unwrap_or_default();
        edge_placement::nodes(inventory, &self.edge_cluster_id, Some(indexes))
    }

    /// The scheme is one of two, the port one of a range [spec MetadataProxy.metadata_server_url].
    fn check_url(&self) -> Result<(), Error> {
        let url = &self.metadata_server_url;
        let refused = |problem: &str| Err(Error::field("metadata_server_url", problem));
        let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
        let Some(rest) = rest else { return refused("must begin with http:// or https://") };
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        match authority.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() => match port.parse() {
                Ok(3000..=9000_u16) => Ok(()),
                _ => refused("must have a port between 3000 and 9000"),
            },
            _ => refused("must name a host and a port"),
        }
    }
}

impl Resource for MetadataProxy {
    fn fields(&self, header: &Header, inventory: &Inventory) -> Fields {
        let mut fields = wire::fields_of(self);
        if let Some(port) = attached_port(inventory, AttachmentType::MetadataProxy, &header.id) {
            fields.insert("attached_logical_port_id".into(), port.into());
        }
        fields
    }

    fn references(&self) -> Vec<Reference> {
        vec![edge_placement::reference(&self.edge_cluster_id)]
    }

    fn admit(
        &mut self,
        _: &mut Header,
        before: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        self.check_url()?;
        let before = before.filter(|before| before.edge_cluster_id == self.edge_cluster_id);
        let before = before.and_then(|before| before.chosen.as_ref());
        let asked = self.edge_cluster_member_indexes.as_ref();
        self.chosen = edge_placement::settle(transaction, &self.edge_cluster_id, asked, before)?;
        Ok(())
    }
}
