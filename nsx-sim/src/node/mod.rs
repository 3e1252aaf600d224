//! The appliance itself: its users and policies and the settings of its services. None of it is a
//! managed object: it has neither revision nor owner.

mod api_service;
mod auth_policy;
mod backups;
mod files;
mod licenses;
mod users;
mod vidm;

pub use api_service::{ApiServiceConfig, HttpServiceProperties, Limits, NamedSwitch};
pub use auth_policy::AuthPolicy;
pub use backups::{Backup, Backups, Made, Restored};
pub use files::{File, FileProblem, FileProperties, FileStore};
pub use licenses::{KeyProblem, License, LicenseKey, Licenses, SHOWN_ONLY as LICENSE_SHOWN_ONLY};
pub use users::{SshKey, SshKeyName, User, UserUpdate, Users};
pub use vidm::Vidm;

use crate::clock::Millis;
use crate::inventory::Role;
use crate::wire::{self, Fault, Fields};
use parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What the appliance is told when it is set up.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The administrator, who may do everything.
    pub admin: Account,
    /// The password of the user `audit`, who may read everything; empty where nobody may log in as
    /// that user until a password is set.
    pub audit_password: String,
    /// What callers may ask of the API at a time.
    pub limits: Limits,
}

/// A user's name and password.
#[derive(Clone, Debug)]
pub struct Account {
    /// The name.
    pub user: String,
    /// The password.
    pub password: String,
}

impl Default for Setup {
    /// The usual administrator and auditor, with one password; no limits.
    fn default() -> Self {
        let password = "VMware1!VMware1!";
        Self {
            admin: Account { user: "admin".into(), password: password.into() },
            audit_password: password.into(),
            limits: Limits::default(),
        }
    }
}

/// The appliance's own state.
#[derive(Debug)]
pub struct Node {
    limits: Limits,
    state: RwLock<State>,
}

/// Everything of the appliance that calls can change.
#[derive(Debug)]
pub struct State {
    /// Its local users.
    pub users: Users,
    /// Passwords' rules and lock-out.
    pub auth_policy: AuthPolicy,
    /// The settings of the API's own service.
    pub api_service: ApiServiceConfig,
    /// Its licences.
    pub licenses: Licenses,
    /// What somebody has agreed to.
    pub agreed: BTreeSet<Agreement>,
    /// Its file store.
    pub files: FileStore,
    /// Its backups.
    pub backups: Backups,
    /// Whether its repository was told to be as the cluster's.
    pub repository_synchronized: bool,
    /// The identity provider of remote users, where one was registered.
    pub vidm: Option<Vidm>,
    /// Registration tokens by name, and whom each was given to.
    pub tokens: BTreeMap<String, TokenHolder>,
}

/// An agreement with the user [spec EULAAcceptance].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Agreement {
    /// That of the release that is installed.
    Installation,
    /// That of the release to upgrade to.
    Upgrade,
}

/// Whom a registration token stands for [spec RegistrationToken].
#[derive(Clone, Debug)]
pub struct TokenHolder {
    /// The caller who asked for it.
    pub user: String,
    /// The caller's roles then.
    pub roles: Vec<Role>,
}

impl Node {
    /// An appliance as it is set up at a time.
    pub fn new(setup: Setup, now: Millis) -> Self {
        let Setup { admin, audit_password, limits } = setup;
        let state = State {
            users: Users::new(admin, audit_password, now),
            auth_policy: AuthPolicy::default(),
            api_service: ApiServiceConfig::with_limits(limits),
            licenses: Licenses::default(),
            // Whoever installs a manager has agreed.
            agreed: BTreeSet::from([Agreement::Installation]),
            files: FileStore::default(),
            backups: Backups::default(),
            repository_synchronized: false,
            vidm: None,
            tokens: BTreeMap::new(),
        };
        Self { limits, state: RwLock::new(state) }
    }

    /// The limits it was set up with: those that hold where a caller's settings name none.
    pub fn default_limits(&self) -> Limits {
        self.limits
    }

    /// The state, to look at.
    pub fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read()
    }

    /// The state, to change.
    pub fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write()
    }
}

/// Reads what a caller sent for a part of the appliance: the members of every resource, and those
/// that only the manager sets, are dropped unread, for clients send back what they got.
///
/// # Errors
/// The first member that does not read.
pub fn read<T: DeserializeOwned>(mut fields: Fields, read_only: &[&str]) -> Result<T, Fault> {
    fields.retain(|name, _| {
        !["_self", "_links", "_schema", "_revision", "resource_type"].contains(&name.as_str())
            && !read_only.contains(&name.as_str())
    });
    wire::read(Value::Object(fields))
}
