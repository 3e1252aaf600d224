//! Load balancers as such: where virtual servers live [spec LbService].

use super::virtual_server;
use crate::inventory::{
    Error, Filter, Header, Inventory, Kind, Level, Object, Reference, Resource, Transaction,
};
use crate::kinds::reference::ResourceReference;
use crate::wire::{self, Fields, yes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The declaration.
pub static KIND: Kind = Kind {
    level: Level::Semantic,
    filters: &[Filter {
        name: "logical_router_id",
        words: None,
        passes: |_, object, id| {
            let service = object.body::<LbService>();
            service.and_then(LbService::router).is_some_and(|router| router == id)
        },
    }],
    ..Kind::of::<LbService>("LbService", "/loadbalancer/services")
};

/// The kind of object that a load balancer on edge nodes is attached to.
const ROUTER: &str = "LogicalRouter";

/// The virtual servers of one load balancer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LbService {
    attachment: Option<ResourceReference>,
    /// Off takes no connections.
    #[serde(default = "yes")]
    pub enabled: bool,
    #[serde(default)]
    error_log_level: LogLevel,
    #[serde(default)]
    access_log_enabled: bool,
    /// How much it can carry, and where.
    #[serde(default)]
    pub size: Size,
    /// What it carries.
    #[serde(default)]
    pub virtual_server_ids: Vec<String>,
}

/// What is written to the error log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum LogLevel {
    Debug,
    #[default]
    Info,
    Warning,
    Error,
    Critical,
    Alert,
    Emergency,
}

/// How much a service can carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Size {
    /// On an edge node.
    #[default]
    Small,
    /// On an edge node.
    Medium,
    /// On an edge node.
    Large,
    /// On the clients' own hosts, not on edge nodes.
    Dlb,
}

impl LbService {
    /// The logical router that carries the service.
    pub fn router(&self) -> Option<&str> {
        let attachment = self.attachment.as_ref()?;
        let on_router = attachment.target_type.as_deref() == Some(ROUTER);
        attachment.target_id.as_deref().filter(|_| on_router)
    }

    /// Whether it is anywhere at all: on a router, or on the clients' hosts.
    pub fn is_attached(&self) -> bool {
        self.size == Size::Dlb || self.router().is_some()
    }
}

impl Resource for LbService {
    fn fields(&self, _: &Header, inventory: &Inventory) -> Fields {
        let mut fields = wire::fields_of(self);
        if let Some(attachment) = &self.attachment {
            fields.insert("attachment".into(), Value::Object(attachment.fields(inventory)));
        }
        fields
    }

    fn references(&self) -> Vec<Reference> {
        let servers = self.virtual_server_ids.iter();
        let servers = servers.map(|id| Reference::new(virtual_server::KIND.name, id));
        servers.chain(self.attachment.as_ref().and_then(ResourceReference::object)).collect()
    }

    fn admit(
        &mut self,
        header: &mut Header,
        _: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if let Some(attachment) = &self.attachment {
            // [spec LbService.attachment]
            let wanted = if self.size == Size::Dlb { "NSGroup" } else { ROUTER };
            if attachment.target_type.as_deref() != Some(wanted) {
                let problem = format!("must be {wanted} for this size");
                return Err(Error::field("attachment.target_type", problem));
            }
            if attachment.target_id.is_none() {
                return Err(Error::field("attachment.target_id", "is required"));
            }
        }
        for (index, id) in self.virtual_server_ids.iter().enumerate() {
            let field = || format!("virtual_server_ids[{index}]");
            if self.virtual_server_ids[..index].contains(id) {
                return Err(Error::field(field(), "is there twice"));
            }
            let elsewhere =
                |user: &Object| user.kind.name == KIND.name && user.header.id != header.id;
            let users = transaction.referrers(virtual_server::KIND.name, id);
            if let Some(other) = users.iter().find(|user| elsewhere(user)) {
                let problem = format!("is carried by LbService/{} already", other.header.id);
                return Err(Error::field(field(), problem));
            }
        }
        Ok(())
    }
}
