//! Rules over what clients and members say [spec LbRule].

use super::action::Action;
use super::condition::Condition;
use super::persistence_profile::{self, LbPersistenceProfile};
use super::{must_be, pool};
use crate::inventory::{Error, Header, Inventory, Kind, Level, Reference, Resource, Transaction};
use crate::wire::{self, Fields, Items};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::net::IpAddr;

/// The declaration.
pub static KIND: Kind =
    Kind { level: Level::Semantic, ..Kind::of::<LbRule>("LbRule", "/loadbalancer/rules") };

/// What is done with messages that fulfil conditions, for virtual servers of layer 7.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LbRule {
    /// When the rule is looked at.
    pub phase: Phase,
    match_conditions: Option<Items<Condition, 60>>,
    match_strategy: Strategy,
    /// What is done.
    pub actions: Items<Action, 60>,
}

/// A moment in the life of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Phase {
    /// The request has come: all rules that match act on it.
    HttpRequestRewrite,
    /// It is to go on: the first rule that matches says where.
    HttpForwarding,
    /// The response has come: all rules that match act on it.
    HttpResponseRewrite,
}

/// How many of the conditions must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Strategy {
    All,
    Any,
}

impl LbRule {
    /// Whether every connection of this client matches, whatever is said on it.
    pub fn surely_matches(&self, client: (IpAddr, u16)) -> bool {
        let conditions = self.match_conditions.as_deref().unwrap_or_default();
        let mut holds = conditions.iter().map(|own| own.holds(client) == Some(true));
        match self.match_strategy {
            Strategy::All => holds.all(|own| own),
            Strategy::Any => conditions.is_empty() || holds.any(|own| own),
        }
    }

    /// Conditions and actions have their phases [spec LbRuleCondition, LbRuleAction]. Rules that
    /// forward may have several actions, though the description says one [client tf].
    fn check_phase(&self) -> Result<(), Error> {
        let phase = self.phase;
        for (index, condition) in
            self.match_conditions.iter().flat_map(|own| own.iter()).enumerate()
        {
            let fits = match condition {
                Condition::LbHttpResponseHeaderCondition(_) => phase == Phase::HttpResponseRewrite,
                Condition::LbHttpRequestBodyCondition(_) => phase != Phase::HttpResponseRewrite,
                _ => true,
            };
            if !fits {
                let problem = format!("{} has no place in this phase", condition.variant());
                return Err(Error::field(format!("match_conditions[{index}].type"), problem));
            }
        }
        for (index, action) in self.actions.iter().enumerate() {
            if own_phase(action) != phase {
                let problem = format!("{} has no place in this phase", action.variant());
                return Err(Error::field(format!("actions[{index}].type"), problem));
            }
        }
        Ok(())
    }
}

/// The phase of an action [spec LbRuleAction].
fn own_phase(action: &Action) -> Phase {
    match action {
        Action::LbHttpRequestUriRewriteAction(_)
        | Action::LbHttpRequestHeaderRewriteAction(_)
        | Action::LbHttpRequestHeaderDeleteAction(_)
        | Action::LbVariableAssignmentAction(_) => Phase::HttpRequestRewrite,
        Action::LbHttpRejectAction(_)
        | Action::LbHttpRedirectAction(_)
        | Action::LbSelectPoolAction(_)
        | Action::LbVariablePersistenceOnAction(_) => Phase::HttpForwarding,
        Action::LbHttpResponseHeaderRewriteAction(_)
        | Action::LbHttpResponseHeaderDeleteAction(_)
        | Action::LbVariablePersistenceLearnAction(_) => Phase::HttpResponseRewrite,
    }
}

impl Resource for LbRule {
    fn fields(&self, _: &Header, inventory: &Inventory) -> Fields {
        let mut fields = wire::fields_of(self);
        let printed = fields.get_mut("actions").and_then(Value::as_array_mut);
        for (printed, action) in printed.into_iter().flatten().zip(self.actions.iter()) {
            if let Action::LbSelectPoolAction(select) = action
                && let Some(pool) = inventory.find(pool::KIND.name, &select.pool_id)
            {
                printed["pool_name"] = pool.header.name().into();
            }
        }
        fields
    }

    fn references(&self) -> Vec<Reference> {
        self.actions.iter().filter_map(Action::reference).collect()
    }

    fn admit(
        &mut self,
        _: &mut Header,
        _: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        self.check_phase()?;
        for (index, action) in self.actions.iter().enumerate() {
            if let Action::LbVariablePersistenceOnAction(own)
            | Action::LbVariablePersistenceLearnAction(own) = action
                && let Some(id) = &own.persistence_profile_id
            {
                let field = format!("actions[{index}].persistence_profile_id");
                let named = (&*field, persistence_profile::KIND.name, &**id);
                must_be(transaction, named, "a generic persistence profile", |profile| {
                    matches!(profile, LbPersistenceProfile::LbGenericPersistenceProfile(_))
                })?;
            }
        }
        Ok(())
    }
}
