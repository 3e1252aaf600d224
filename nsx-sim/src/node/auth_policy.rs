//! Passwords' rules, and when an account is locked [spec AuthenticationPolicyProperties].

use crate::wire::Int;
use serde::{Deserialize, Serialize};

/// A number of seconds or of tries.
type Count = Int<0, { i64::MAX }>;

/// The policy; what it says of the command line is kept only.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuthPolicy {
    /// Failed tries that lock an account out of the API; 0 locks none.
    pub api_max_auth_failures: Count,
    /// Seconds within which those tries must fall.
    pub api_failed_auth_reset_period: Count,
    /// Seconds that the account stays locked.
    pub api_failed_auth_lockout_period: Count,
    cli_max_auth_failures: Count,
    cli_failed_auth_lockout_period: Count,
    /// The fewest characters of a password.
    pub minimum_password_length: Int<8, { i64::MAX }>,
}

impl Default for AuthPolicy {
    fn default() -> Self {
        Self {
            api_max_auth_failures: Int::new(5),
            api_failed_auth_reset_period: Int::new(900),
            api_failed_auth_lockout_period: Int::new(900),
            cli_max_auth_failures: Int::new(5),
            cli_failed_auth_lockout_period: Int::new(900),
            minimum_password_length: Int::new(8),
        }
    }
}
