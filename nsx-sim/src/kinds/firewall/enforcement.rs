//! Where the rules of a section stand [spec FirewallSection.enforced_on].

use crate::inventory::Error;
use crate::kinds::reference::{References, Target};

/// What Applied To of a section leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enforcement {
    /// The distributed firewall: on vNICs.
    Vnics,
    /// The firewall of logical routers.
    Routers,
}

impl Enforcement {
    /// The wire name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Vnics => "VIF",
            Self::Routers => "LOGICALROUTER",
        }
    }

    /// The kinds that the section may name.
    pub(super) fn sections(self) -> &'static [&'static str] {
        match self {
            Self::Vnics => &["LogicalPort", "LogicalSwitch", "NSGroup"],
            Self::Routers => &["LogicalRouter"],
        }
    }

    /// The kinds that its rules may name.
    pub(super) fn rules(self) -> &'static [&'static str] {
        match self {
            Self::Vnics => &["LogicalPort", "LogicalSwitch", "NSGroup"],
            Self::Routers => &["LogicalRouterPort"],
        }
    }
}

/// Checks that a list of Applied To names only some kinds.
///
/// # Errors
/// [`Error::InvalidFields`] for the first reference that is of another.
pub(super) fn check(list: Option<&References>, kinds: &[&str]) -> Result<(), Error> {
    for (index, target) in list.iter().flat_map(|list| list.iter()).enumerate() {
        let fits = matches!(target.target(), Target::Object { kind, .. } if kinds.contains(&kind));
        if !fits {
            let kind = target.target_type.as_deref().unwrap_or("nothing");
            let problem = format!("{kind} can not be applied to");
            return Err(Error::field(format!("applied_tos[{index}].target_type"), problem));
        }
    }
    Ok(())
}
