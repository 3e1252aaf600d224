//! Discovery of applications in guests [spec AppProfile, AppDiscoverySession]. No guest runs here, so
//! a session ends when it begins, having found nothing.

use crate::clock::Millis;
use crate::inventory::{
    Error, Filter, Header, Incoming, Inventory, Kind, Object, Reference, Resource, Transaction,
    Verbs, Words,
};
use crate::wire::{self, Fields};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

/// The declaration of profiles.
pub static PROFILE: Kind =
    Kind { forceable: true, ..Kind::of::<AppProfile>("AppProfile", "/app-discovery/app-profiles") };

/// The declaration of sessions; how one is made is in `http::app_discovery`.
pub static SESSION: Kind = Kind {
    verbs: Verbs { create: false, update: false, ..Verbs::ALL },
    filters: &[
        Filter {
            name: "group_id",
            words: None,
            passes: |_, object, id| {
                object
                    .body::<AppDiscoverySession>()
                    .is_some_and(|own| own.ns_group_ids.iter().any(|own| own == id))
            },
        },
        Filter {
            name: "status",
            words: Some(Words::Of(&["STARTING", "FAILED", "RUNNING", "FINISHED"])),
            passes: |_, _, word| word == FINISHED,
        },
    ],
    ..Kind::of::<AppDiscoverySession>("AppDiscoverySession", "/app-discovery/sessions")
};

const FINISHED: &str = "FINISHED";

/// How an application is told.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AppProfile {
    /// Any words.
    pub app_profile_category: Option<String>,
    /// Names, or `*` for any.
    app_profile_criteria: Vec<String>,
    /// Whether the manager made it.
    default_app_profile: Option<bool>,
}

/// One look into the guests of some groups.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AppDiscoverySession {
    /// Whose guests.
    pub ns_group_ids: Vec<String>,
    /// What for; none is every profile.
    #[serde(default)]
    pub app_profile_ids: Vec<String>,
    #[serde(skip)]
    started: Millis,
}

impl Resource for AppProfile {}

impl Resource for AppDiscoverySession {
    fn fields(&self, _: &Header, inventory: &Inventory) -> Fields {
        let changed = |id: &String| {
            let profile = inventory.find(PROFILE.name, id);
            profile.is_none_or(|own| own.header.modified.time > self.started)
        };
        let again = self.app_profile_ids.iter().any(changed);
        wire::fields_of(&json!({
            "status": FINISHED,
            "start_timestamp": self.started,
            "end_timestamp": self.started,
            "reclassification": if again { "REQUIRED" } else { "NOT_REQUIRED" },
        }))
    }

    /// Profiles may change and go; the groups were looked at once.
    fn references(&self) -> Vec<Reference> {
        Vec::new()
    }

    fn admit(
        &mut self,
        _: &mut Header,
        before: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if self.ns_group_ids.is_empty() {
            return Err(Error::field("ns_group_ids", "must hold at least 1"));
        }
        let groups = self.ns_group_ids.iter().map(|id| ("NSGroup", id));
        let profiles = self.app_profile_ids.iter().map(|id| (PROFILE.name, id));
        for (kind, id) in groups.chain(profiles).filter(|_| before.is_none()) {
            if transaction.find(kind, id).is_none() {
                return Err(Error::MissingReference { kind: kind.into(), id: id.clone() });
            }
        }
        if self.app_profile_ids.is_empty() {
            let all = transaction.all(&PROFILE);
            self.app_profile_ids = all.iter().map(|own| own.header.id.clone()).collect();
        }
        self.started = transaction.now();
        Ok(())
    }
}

/// Starts a session.
///
/// # Errors
/// [`Error::MissingReference`] for groups and profiles that are not there, and for a request that
/// does not read.
pub fn start(tx: &mut Transaction<'_>, request: Fields) -> Result<Arc<Object>, Error> {
    tx.create(&SESSION, Incoming::read(&SESSION, request)?)
}

/// Looks again at what a session found, for other profiles where some are named.
///
/// # Errors
/// As for [`start`], and [`Error::NotFound`].
pub fn reclassify(
    tx: &mut Transaction<'_>,
    id: &str,
    profiles: Vec<String>,
) -> Result<Arc<Object>, Error> {
    for profile in &profiles {
        if tx.find(PROFILE.name, profile).is_none() {
            let (kind, id) = (PROFILE.name.into(), profile.clone());
            return Err(Error::MissingReference { kind, id });
        }
    }
    tx.edit(&SESSION, id, |own: &mut AppDiscoverySession, _| {
        if !profiles.is_empty() {
            own.app_profile_ids = profiles;
        }
        Ok(())
    })
}
