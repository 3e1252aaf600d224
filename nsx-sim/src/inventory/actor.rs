//! Who calls.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The user or principal in whose name a change is made.
#[derive(Clone, Debug)]
pub struct Actor {
    /// As shown in `_create_user`.
    pub name: String,
    /// What the caller may do: the most that any of its roles allows.
    pub roles: Vec<Role>,
    /// The call carried `X-Allow-Overwrite: true`.
    pub overwrite: bool,
    /// What the caller makes is protected from others (principal identities).
    pub protects: bool,
}

/// The roles that users and principals can have [spec NsxRole.role].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "wire names that say it all; `access` tells what each may do")]
pub enum Role {
    EnterpriseAdmin,
    Auditor,
    NetworkEngineer,
    NetworkOp,
    SecurityEngineer,
    SecurityOp,
    LbAdmin,
    LbAuditor,
    CloudServiceAdmin,
    CloudServiceAuditor,
    SiteReliabilityEngineer,
    SiteReliabilityAuditor,
    CloudAdmin,
    CloudAuditor,
    ReadOnlyApiUsers,
    ReadWriteApiUsers,
    /// The manager itself; nobody is given it.
    #[serde(skip)]
    System,
}

impl Role {
    /// Those that callers can be given.
    pub const GIVEN: [Self; 16] = [
        Self::EnterpriseAdmin,
        Self::Auditor,
        Self::NetworkEngineer,
        Self::NetworkOp,
        Self::SecurityEngineer,
        Self::SecurityOp,
        Self::LbAdmin,
        Self::LbAuditor,
        Self::CloudServiceAdmin,
        Self::CloudServiceAuditor,
        Self::SiteReliabilityEngineer,
        Self::SiteReliabilityAuditor,
        Self::CloudAdmin,
        Self::CloudAuditor,
        Self::ReadOnlyApiUsers,
        Self::ReadWriteApiUsers,
    ];

    /// The wire name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EnterpriseAdmin => "enterprise_admin",
            Self::Auditor => "auditor",
            Self::NetworkEngineer => "network_engineer",
            Self::NetworkOp => "network_op",
            Self::SecurityEngineer => "security_engineer",
            Self::SecurityOp => "security_op",
            Self::LbAdmin => "lb_admin",
            Self::LbAuditor => "lb_auditor",
            Self::CloudServiceAdmin => "cloud_service_admin",
            Self::CloudServiceAuditor => "cloud_service_auditor",
            Self::SiteReliabilityEngineer => "site_reliability_engineer",
            Self::SiteReliabilityAuditor => "site_reliability_auditor",
            Self::CloudAdmin => "cloud_admin",
            Self::CloudAuditor => "cloud_auditor",
            Self::ReadOnlyApiUsers => "read_only_api_users",
            Self::ReadWriteApiUsers => "read_write_api_users",
            Self::System => "system",
        }
    }

    /// The role of a name that callers can be given.
    pub fn named(name: &str) -> Option<Self> {
        Self::GIVEN.into_iter().find(|role| role.name() == name)
    }
}

impl Actor {
    /// A caller with some roles, who neither protects nor overwrites.
    pub fn with_roles(name: impl Into<String>, roles: Vec<Role>) -> Self {
        Self { name: name.into(), roles, overwrite: false, protects: false }
    }

    /// A user with all rights.
    pub fn admin(name: impl Into<String>) -> Self {
        Self::with_roles(name, vec![Role::EnterpriseAdmin])
    }

    /// A principal identity whose objects are protected: it does everything with what is its own.
    pub fn principal(name: impl Into<String>) -> Self {
        Self { protects: true, ..Self::with_roles(name, vec![Role::ReadWriteApiUsers]) }
    }

    /// The manager itself: what it makes is system owned.
    pub fn system() -> Self {
        Self { overwrite: true, ..Self::with_roles("system", vec![Role::System]) }
    }

    /// Whether the manager itself acts.
    pub fn is_system(&self) -> bool {
        self.roles.contains(&Role::System)
    }

    /// Whether the caller may change what others protect, if it asks to
    /// [spec ManagedResource._protection: a super user].
    pub fn is_super_user(&self) -> bool {
        self.is_system() || self.roles.contains(&Role::EnterpriseAdmin)
    }

    /// Whether the caller may and does ask to change what others protect.
    pub fn may_overwrite(&self) -> bool {
        self.overwrite && self.is_super_user()
    }

    /// The roles' names as errors print them: `enterprise_admin, auditor`.
    pub fn role_names(&self) -> String {
        let names: Vec<&str> = self.roles.iter().map(|role| role.name()).collect();
        names.join(", ")
    }
}
