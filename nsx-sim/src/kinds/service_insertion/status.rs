//! The switches of service insertion [spec ServiceInsertionStatus], and the list of members that it
//! leaves alone [spec SIExcludeList].

use crate::inventory::{Error, Header, Kind, Resource, Transaction, Verbs};
use crate::kinds::firewall::exclude_list::ExcludeList;
use crate::kinds::firewall::status::Switch;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration: one object per context, whose id is the context's name.
pub static KIND: Kind = Kind {
    verbs: Verbs { create: false, delete: false, ..Verbs::ALL },
    system_owned_changes: true,
    ..Kind::of::<ServiceInsertionStatus>("ServiceInsertionStatus", "/serviceinsertion/status")
};

/// The declaration of the list of members.
pub static EXCLUDE_LIST: Kind = Kind {
    single: true,
    system_owned_changes: true,
    read_only: &["member_count"],
    ..Kind::of::<ExcludeList>("SIExcludeList", "/serviceinsertion/excludelist")
};

/// The id of the one list of members.
pub const EXCLUDE_LIST_ID: &str = "si-excludelist";

/// Which traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Context {
    /// Within the data center.
    EastWest,
    /// In and out of it.
    NorthSouth,
}

impl Context {
    /// The wire name.
    pub fn word(self) -> &'static str {
        match self {
            Self::EastWest => "east_west",
            Self::NorthSouth => "north_south",
        }
    }
}

/// The switch of one context.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceInsertionStatus {
    global_status: Switch,
    context: Context,
}

impl Resource for ServiceInsertionStatus {
    fn admit(
        &mut self,
        _: &mut Header,
        before: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if before.is_some_and(|before| before.context != self.context) {
            return Err(Error::field("context", "can not be changed"));
        }
        Ok(())
    }
}
