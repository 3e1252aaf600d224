//! What a rule does [spec LbRuleAction].

use super::{persistence_profile, pool};
use crate::inventory::Reference;
use crate::wire::{Told, polymorphic};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One action of a rule.
#[derive(Clone, Debug, Deserialize)]
#[allow(clippy::enum_variant_names, reason = "wire names")]
pub enum Action {
    /// Another path and query.
    LbHttpRequestUriRewriteAction(UriRewrite),
    /// Another value of a header of the request.
    LbHttpRequestHeaderRewriteAction(HeaderRewrite),
    /// No such header in the request.
    LbHttpRequestHeaderDeleteAction(HeaderDelete),
    /// A variable.
    LbVariableAssignmentAction(Assignment),
    /// A refusal.
    LbHttpRejectAction(Reject),
    /// Another address for the client to go to.
    LbHttpRedirectAction(Redirect),
    /// A pool.
    LbSelectPoolAction(SelectPool),
    /// The member that a variable's value went to before.
    LbVariablePersistenceOnAction(Persistence),
    /// Another value of a header of the response.
    LbHttpResponseHeaderRewriteAction(HeaderRewrite),
    /// No such header in the response.
    LbHttpResponseHeaderDeleteAction(HeaderDelete),
    /// Learns where a variable's value went.
    LbVariablePersistenceLearnAction(Persistence),
}

polymorphic!(Action by "type" {
    LbHttpRequestUriRewriteAction,
    LbHttpRequestHeaderRewriteAction,
    LbHttpRequestHeaderDeleteAction,
    LbVariableAssignmentAction,
    LbHttpRejectAction,
    LbHttpRedirectAction,
    LbSelectPoolAction,
    LbVariablePersistenceOnAction,
    LbHttpResponseHeaderRewriteAction,
    LbHttpResponseHeaderDeleteAction,
    LbVariablePersistenceLearnAction,
});

impl Action {
    /// What the action names.
    pub fn reference(&self) -> Option<Reference> {
        match self {
            Self::LbSelectPoolAction(own) => Some(Reference::new(pool::KIND.name, &own.pool_id)),
            Self::LbVariablePersistenceOnAction(own)
            | Self::LbVariablePersistenceLearnAction(own) => {
                let id = own.persistence_profile_id.as_deref()?;
                Some(Reference::new(persistence_profile::KIND.name, id))
            }
            _ => None,
        }
    }
}

/// See the variants of [`Action`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UriRewrite {
    uri: String,
    uri_arguments: Option<String>,
}

/// See the variants of [`Action`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeaderRewrite {
    header_name: String,
    header_value: String,
}

/// See the variants of [`Action`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HeaderDelete {
    header_name: String,
}

/// See the variants of [`Action`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    variable_name: String,
    variable_value: String,
}

/// See the variants of [`Action`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reject {
    reply_status: String,
    reply_message: Option<String>,
}

/// See the variants of [`Action`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Redirect {
    redirect_status: String,
    redirect_url: String,
}

/// See the variants of [`Action`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SelectPool {
    /// The pool.
    pub pool_id: String,
    /// The pool's present name, told when the rule is printed.
    #[serde(default)]
    pool_name: Told<String>,
}

/// See the variants of [`Action`].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Persistence {
    /// The table; the virtual server's own where absent.
    pub persistence_profile_id: Option<String>,
    variable_name: String,
    #[serde(default)]
    variable_hash_enabled: bool,
}
