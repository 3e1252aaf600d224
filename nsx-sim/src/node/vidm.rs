//! The registration of an identity provider for remote users [spec NodeAuthProviderVidmProperties].

use serde::{Deserialize, Serialize};

/// A VMware Identity Manager. The simulator keeps its registration and takes its word for granted:
/// who it is asked about exists, whatever the password (docs/fidelity.md).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vidm {
    /// Where it is.
    pub host_name: String,
    /// The manager's own name to it.
    pub client_id: String,
    /// Kept, and never printed.
    #[serde(skip_serializing)]
    pub client_secret: Option<String>,
    /// The digest of its certificate.
    pub thumbprint: String,
    /// Where it sends users back to.
    pub node_host_name: String,
    /// Whether it is asked at all.
    #[serde(default)]
    pub vidm_enable: bool,
    /// Whether a load balancer stands before the managers.
    #[serde(default)]
    pub lb_enable: bool,
}
