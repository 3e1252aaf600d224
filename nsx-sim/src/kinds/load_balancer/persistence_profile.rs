//! What brings a client back to the same member [spec LbPersistenceProfile].

use super::{Count, MAX, by_type};
use crate::inventory::{Kind, Level, Resource};
use crate::wire::{int, polymorphic, yes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration.
pub static KIND: Kind = Kind {
    level: Level::Semantic,
    polymorphic: true,
    filters: &[by_type(&[
        "LbCookiePersistenceProfile",
        "LbSourceIpPersistenceProfile",
        "LbGenericPersistenceProfile",
    ])],
    ..Kind::of::<LbPersistenceProfile>("LbPersistenceProfile", "/loadbalancer/persistence-profiles")
};

/// By what a client is known again.
#[derive(Clone, Debug, Deserialize)]
#[allow(clippy::enum_variant_names, reason = "wire names")]
pub enum LbPersistenceProfile {
    /// By a cookie; layer 7 only.
    LbCookiePersistenceProfile(Cookie),
    /// By its address.
    LbSourceIpPersistenceProfile(SourceIp),
    /// By what a rule tells; for rules only.
    LbGenericPersistenceProfile(Generic),
}

polymorphic!(LbPersistenceProfile {
    LbCookiePersistenceProfile,
    LbSourceIpPersistenceProfile,
    LbGenericPersistenceProfile,
});

/// A cookie that names the member.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cookie {
    cookie_name: String,
    #[serde(default)]
    cookie_mode: CookieMode,
    #[serde(default = "yes")]
    cookie_fallback: bool,
    #[serde(default = "yes")]
    cookie_garble: bool,
    cookie_domain: Option<String>,
    cookie_path: Option<String>,
    cookie_time: Option<CookieTime>,
    #[serde(default)]
    persistence_shared: bool,
}

/// Whose cookie it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum CookieMode {
    #[default]
    Insert,
    Prefix,
    Rewrite,
}

/// How long a cookie holds, in seconds.
#[derive(Clone, Debug, Deserialize)]
enum CookieTime {
    LbSessionCookieTime(SessionTime),
    LbPersistenceCookieTime(PersistenceTime),
}

polymorphic!(CookieTime by "type" { LbSessionCookieTime, LbPersistenceCookieTime });

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SessionTime {
    cookie_max_idle: Option<Count>,
    cookie_max_life: Option<Count>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PersistenceTime {
    cookie_max_idle: Count,
}

/// A table of client addresses.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceIp {
    /// How long an entry lives after the last connection, in seconds.
    #[serde(default = "int::<300, 1, MAX>")]
    pub timeout: Count,
    #[serde(default)]
    purge: Purge,
    #[serde(default)]
    ha_persistence_mirroring_enabled: bool,
    /// Whether virtual servers with the same profile share the table.
    #[serde(default)]
    pub persistence_shared: bool,
}

/// Whether entries give way where the table is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Purge {
    NoPurge,
    #[default]
    Full,
}

/// A table that rules fill and read; the time in seconds.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Generic {
    #[serde(default = "int::<300, 1, MAX>")]
    timeout: Count,
    #[serde(default)]
    ha_persistence_mirroring_enabled: bool,
    #[serde(default)]
    persistence_shared: bool,
}

impl Resource for LbPersistenceProfile {
    fn resource_type(&self) -> Option<&'static str> {
        Some(self.variant())
    }
}
