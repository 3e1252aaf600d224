//! Which role may do what: features by path, and permissions by role. Nothing else decides it.
//!
//! Users read everything that their role does not hide; what they may change goes by the feature
//! that a path belongs to. The admin guide tells what each role is for; its own table is finer than
//! this one (docs/fidelity.md).

use crate::inventory::Role;

/// A part of the API that roles are given as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Switches, ports, routers, pools, DHCP and the zones that they reach.
    Networking,
    /// Firewalls, context profiles, what they take from directories, service insertion.
    Security,
    /// Groups, sets and services: what networking and security name.
    Grouping,
    /// Load balancers.
    LoadBalancing,
    /// Troubleshooting: traceflows and packet captures.
    Tools,
    /// Users, roles, principals and certificates.
    Users,
    /// The appliance, its cluster and the fabric, and whatever is not named above.
    System,
}

/// What a role may do with a feature; each includes those before it [spec FeaturePermission].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Nothing.
    None,
    /// See it.
    Read,
    /// See it, and run its tools.
    Execute,
    /// Everything.
    Crud,
}

impl Feature {
    /// All features.
    pub const ALL: [Self; 7] = [
        Self::Networking,
        Self::Security,
        Self::Grouping,
        Self::LoadBalancing,
        Self::Tools,
        Self::Users,
        Self::System,
    ];

    /// The name shown for a role's permissions.
    pub fn name(self) -> &'static str {
        match self {
            Self::Networking => "networking",
            Self::Security => "security",
            Self::Grouping => "grouping",
            Self::LoadBalancing => "load_balancing",
            Self::Tools => "tools",
            Self::Users => "users",
            Self::System => "system",
        }
    }

    /// The feature that a path below `/api/v1` belongs to.
    pub fn of_path(path: &str) -> Self {
        let within = |own: &&str| {
            path.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let found = PATHS.iter().find(|(_, paths)| paths.iter().any(within));
        found.map_or(Self::System, |(feature, _)| *feature)
    }
}

impl Permission {
    /// The wire name [spec FeaturePermission.permission].
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Read => "read",
            Self::Execute => "execute",
            Self::Crud => "crud",
        }
    }
}

/// Beginnings of paths by feature; what is not here is [`Feature::System`].
const PATHS: [(Feature, &[&str]); 6] = [
    (
        Feature::Networking,
        &[
            "/bridge-clusters",
            "/bridge-endpoint-profiles",
            "/bridge-endpoints",
            "/dhcp",
            "/dns",
            "/global-configs",
            "/ipfix",
            "/ipfix-collector-profiles",
            "/ipfix-obs-points",
            "/ipfix-profiles",
            "/ipv6",
            "/logical-ports",
            "/logical-router-ports",
            "/logical-routers",
            "/logical-switches",
            "/md-proxies",
            "/mirror-sessions",
            "/pools",
            "/service-configs",
            "/switching-profiles",
            "/transport-zones",
            "/vpn",
        ],
    ),
    (
        Feature::Security,
        &[
            "/app-discovery",
            "/directory",
            "/firewall",
            "/idfw",
            "/ns-profiles",
            "/pbr",
            "/serviceinsertion",
        ],
    ),
    (
        Feature::Grouping,
        &[
            "/associations",
            "/ip-sets",
            "/mac-sets",
            "/ns-groups",
            "/ns-service-groups",
            "/ns-services",
        ],
    ),
    (Feature::LoadBalancing, &["/loadbalancer"]),
    (Feature::Tools, &["/lldp", "/pktcap", "/traceflow", "/traceflows"]),
    (Feature::Users, &["/aaa", "/node/aaa", "/node/users", "/trust-management"]),
];

/// Calls that change nothing though they are no GET: path, and action where it has one. A batch's
/// calls are looked at one by one.
const READING_POSTS: [(&str, Option<&str>); 6] = [
    ("/aaa/vidm/search", None),
    ("/batch", None),
    ("/search/aggregate", None),
    ("/search/querypipeline", None),
    ("/trust-management/crl-distribution-points/pem-file", None),
    ("/firewall/sections", Some("list_with_rules")),
];

/// What a role may do with a feature.
pub fn permission(role: Role, feature: Feature) -> Permission {
    use Feature as F;
    use Permission::{Crud, Execute, Read};
    match (role, feature) {
        (Role::EnterpriseAdmin | Role::ReadWriteApiUsers | Role::System, _)
        | (Role::NetworkEngineer, F::Networking | F::Grouping | F::LoadBalancing | F::Tools)
        | (Role::SecurityEngineer, F::Security | F::Grouping | F::Tools)
        | (Role::LbAdmin, F::LoadBalancing)
        | (
            Role::CloudServiceAdmin | Role::CloudAdmin,
            F::Networking | F::Security | F::Grouping | F::LoadBalancing | F::Tools,
        ) => Crud,
        (Role::SiteReliabilityEngineer, feature) if feature != F::Users => Crud,
        (Role::NetworkOp | Role::SecurityOp, F::Tools) => Execute,
        _ => Read,
    }
}

/// Whether some of the roles allow a call; the feature that is lacking where none does. The
/// simulator's own calls, outside `/api/v1`, are open to whoever has come in.
///
/// # Errors
/// The feature that none of the roles may use so.
pub fn check(
    roles: &[Role],
    method: &str,
    path: &str,
    action: Option<&str>,
) -> Result<(), Feature> {
    let Some(path) = path.strip_prefix("/api/v1") else { return Ok(()) };
    // Who one is can always be asked.
    if path == "/aaa/user-info" {
        return Ok(());
    }
    let reads = method == "GET"
        || READING_POSTS.iter().any(|(own, word)| match word {
            None => path == *own,
            Some(_) => path.starts_with(own) && action == *word,
        });
    let feature = Feature::of_path(path);
    let needed = match (reads, feature) {
        (true, _) => Permission::Read,
        (false, Feature::Tools) => Permission::Execute,
        (false, _) => Permission::Crud,
    };
    let allowed = roles.iter().any(|role| permission(*role, feature) >= needed);
    if allowed { Ok(()) } else { Err(feature) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may(role: Role, method: &str, path: &str) -> bool {
        check(&[role], method, path, None).is_ok()
    }

    #[test]
    fn all_roles_read_and_auditors_do_nothing_else() {
        for role in Role::GIVEN {
            assert!(may(role, "GET", "/api/v1/firewall/sections"), "{role:?}");
        }
        for role in [Role::Auditor, Role::ReadOnlyApiUsers, Role::LbAuditor, Role::CloudAuditor] {
            for path in ["/ip-sets", "/firewall/sections", "/node", "/traceflows", "/pools/x"] {
                assert!(!may(role, "POST", &format!("/api/v1{path}")), "{role:?} {path}");
            }
        }
        assert!(check(&[], "GET", "/api/v1/ip-sets", None).is_err(), "no role, no right");
        assert!(check(&[], "GET", "/api/v1/aaa/user-info", None).is_ok());
    }

    #[test]
    fn engineers_change_their_own_features() {
        let may = |role, path: &str| may(role, "PUT", &format!("/api/v1{path}"));
        assert!(may(Role::NetworkEngineer, "/logical-switches/x"));
        assert!(!may(Role::NetworkEngineer, "/firewall/sections/x"));
        assert!(may(Role::SecurityEngineer, "/firewall/sections/x"));
        assert!(!may(Role::SecurityEngineer, "/logical-switches/x"));
        assert!(may(Role::SecurityEngineer, "/ns-groups/x"));
        assert!(may(Role::LbAdmin, "/loadbalancer/pools/x"));
        assert!(!may(Role::LbAdmin, "/ns-groups/x"));
        assert!(may(Role::NetworkOp, "/traceflows/x"));
        assert!(!may(Role::NetworkOp, "/logical-switches/x"));
        assert!(!may(Role::SiteReliabilityEngineer, "/aaa/role-bindings/x"));
        assert!(may(Role::EnterpriseAdmin, "/aaa/role-bindings/x"));
    }

    #[test]
    fn the_most_that_any_role_allows_counts() {
        let roles = [Role::LbAuditor, Role::SecurityEngineer];
        assert!(check(&roles, "POST", "/api/v1/firewall/sections", None).is_ok());
        let denied = check(&roles, "POST", "/api/v1/loadbalancer/pools", None);
        assert_eq!(denied, Err(Feature::LoadBalancing));
    }

    #[test]
    fn posts_that_only_read_need_no_more_than_reading() {
        let list = |action| check(&[Role::Auditor], "POST", "/api/v1/firewall/sections/x", action);
        assert!(list(Some("list_with_rules")).is_ok());
        assert!(list(Some("lock")).is_err());
        assert!(may(Role::Auditor, "POST", "/api/v1/batch"));
    }

    #[test]
    fn a_path_belongs_to_the_feature_of_its_first_parts() {
        assert_eq!(Feature::of_path("/ns-services"), Feature::Grouping);
        assert_eq!(Feature::of_path("/node/users/0"), Feature::Users);
        assert_eq!(Feature::of_path("/node/users-of-another-kind"), Feature::System);
        assert_eq!(Feature::of_path("/node"), Feature::System);
    }
}
