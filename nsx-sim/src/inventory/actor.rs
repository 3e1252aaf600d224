//! Who calls.

/// The user or principal in whose name a change is made.
#[derive(Clone, Debug)]
pub struct Actor {
    /// As shown in `_create_user`.
    pub name: String,
    /// What the caller may do.
    pub role: Role,
    /// The call carried `X-Allow-Overwrite: true`.
    pub overwrite: bool,
    /// What the caller makes is protected from others (principal identities).
    pub protects: bool,
}

/// The roles that matter to ownership.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// May do everything, and change others' protected objects on request.
    EnterpriseAdmin,
    /// A principal identity: does everything with what is its own.
    Principal,
    /// The manager itself.
    System,
}

impl Role {
    /// The name in `role`, as errors print it.
    pub fn name(self) -> &'static str {
        match self {
            Self::EnterpriseAdmin => "enterprise_admin",
            Self::Principal => "read_write_api_users",
            Self::System => "system",
        }
    }
}

impl Actor {
    /// A user with all rights.
    pub fn admin(name: impl Into<String>) -> Self {
        let (role, overwrite, protects) = (Role::EnterpriseAdmin, false, false);
        Self { name: name.into(), role, overwrite, protects }
    }

    /// A principal identity whose objects are protected.
    pub fn principal(name: impl Into<String>) -> Self {
        Self { name: name.into(), role: Role::Principal, overwrite: false, protects: true }
    }

    /// The manager itself: what it makes is system owned.
    pub fn system() -> Self {
        Self { name: "system".into(), role: Role::System, overwrite: true, protects: false }
    }

    /// Whether the manager itself acts.
    pub fn is_system(&self) -> bool {
        self.role == Role::System
    }

    /// Whether the caller may and does ask to change what others protect.
    pub fn may_overwrite(&self) -> bool {
        self.overwrite && self.role != Role::Principal
    }
}
